//! A fleet: ingest nodes and check nodes over a cluster, under load, while something of it is killed, stopped, moved or replaced.
//! In the end every address is compared with what was sent.
//!
//! Every run starts six to nine Redis servers and up to four nodes. How often the longer ones repeat what they do can be set, see
//! `setting`; `tests/soak` does so.

#![allow(clippy::print_stdout, reason = "what was measured is shown with what fails, and by runs that ask for it")]

mod disks;
mod feed_cut;
mod hangs;

mod ingest;
mod ledger;
mod load;
mod masters;
mod nodes;
mod rolling;
mod shards;
mod soak;

mod watch;
mod watchers;

use std::str::FromStr;

/// A number from the environment, for runs that are longer than what every change has to pass.
fn setting<T: FromStr>(name: &str, otherwise: T) -> T {
    let Ok(text) = std::env::var(name) else { return otherwise };
    text.parse().unwrap_or_else(|_| panic!("{name} is no number: {text}"))
}

/// What a Redis that keeps what it acknowledged is started with.
const SAFE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// A key whose master is killed, moved or stopped: the book of incidents lies elsewhere.
const KEY: &str = "sup:{5e}:feed";

/// Events that are acknowledged before something is killed, at least.
const BEFORE_A_KILL: usize = 1500;
