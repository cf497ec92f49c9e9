//! `suppressd`: webhooks in, evidence kept, verdicts out. The one executable; see `suppressd --help`.

mod attempts;
mod by_hand;
mod check;
mod classify;
mod cli;
mod config;
mod erase;
mod explain;
mod export;
mod failure;
mod filter;
mod grpc_client;
mod import;
mod incident;
mod labelled;
mod lines;
mod list;
mod list_file;
mod logging;
mod manual;
mod notify;
mod policy;
mod policy_file;
mod rejected;
mod replay;
mod secret;
mod serve;
mod sources;
mod store_check;
mod store_location;
mod watch;
mod what_if;

use std::process::ExitCode;

use clap::Parser as _;

use cli::{Cli, Command};
use failure::Failure;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return cli::answer(&error),
    };
    let done = match cli.command {
        Command::Serve(arguments) => serve::run(&arguments),
        Command::Check(arguments) => check::run(arguments),
        Command::Filter(arguments) => filter::run(arguments),
        Command::Explain(arguments) => explain::run(arguments),
        Command::Suppress(arguments) => by_hand::suppress(arguments),
        Command::Lift(arguments) => by_hand::lift(arguments),
        Command::Erase(arguments) => erase::run(arguments),
        Command::List(arguments) => list::run(arguments),
        Command::Import(arguments) => import::run(arguments),
        Command::Export(arguments) => export::run(arguments),
        Command::Watch(arguments) => watch::run(arguments),
        Command::Policy(arguments) => policy::run(arguments),
        Command::Incident(arguments) => incident::run(arguments),
        Command::Classify(arguments) => classify::run(&arguments),
        Command::Replay(arguments) => replay::run(&arguments),
        Command::Rejected(arguments) => rejected::run(arguments),
        Command::Completions(arguments) => manual::completions(&arguments),
        Command::Man(arguments) => manual::man(&arguments),
    };
    done.unwrap_or_else(|failure: Failure| failure.tell())
}
