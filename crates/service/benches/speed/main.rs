//! What suppressd costs, beside what the libraries below it cost, and beside what a sender would use instead of it.
//!
//! `cargo bench --package suppressd-service --bench speed` measures all in three minutes. `-- --full` takes more of everything,
//! `-- unary` measures one section, `--json FILE`, `--chart FILE` and `--page FILE` say where the results go. Ends with status 1 if a
//! limit is missed that was measured.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "a benchmark talks, fails like a test, and counts no more than a float can"
)]

mod arguments;
mod asking;
mod batches;
mod batching;
mod chart;
mod conditions;
mod constant;
mod cores;
mod events;
mod filter_list;
mod footprint;
mod form;
mod growth;
mod ingest;
mod instead;
mod latency;
mod limits;
mod page;
mod postgres;
mod process;
mod recipients;
mod redis;
mod redis_ingest;
mod refusal;
mod report;
mod rounds;
mod server;
mod stage;
mod start;
mod start_on_redis;
mod unary;
mod what_if;

use std::process::ExitCode;
use std::time::Instant;

use arguments::Arguments;
use conditions::Conditions;
use form::Form;
use report::Report;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A name, and what measures what belongs to it.
type Section = (&'static str, fn(&Form, &mut Report));

/// In the order in which they are run.
const SECTIONS: [Section; 14] = [
    ("refusal", refusal::run),
    ("unary", unary::run),
    ("batches", batches::run),
    ("streams", batches::run_streamed),
    ("latency", latency::run),
    ("cores", cores::run),
    ("start_on_redis", start_on_redis::run),
    ("what_if", what_if::run),
    ("growth", growth::run),
    ("start", start::run),
    ("filter_list", filter_list::run),
    ("ingest", ingest::run),
    ("redis_ingest", redis_ingest::run),
    ("footprint", footprint::run),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if arguments.iter().any(|argument| argument == constant::FLAG) {
        constant::serve();
        return ExitCode::SUCCESS;
    }
    if ingest::run_as_child(&arguments) || filter_list::run_as_child(&arguments) {
        return ExitCode::SUCCESS;
    }
    let arguments = Arguments::read(arguments.into_iter(), &SECTIONS.map(|(name, _)| name));
    process::pin_clients();
    let form = if arguments.is_full { Form::full() } else { Form::quick() };
    let mut report = Report::new(Conditions::of_this_machine(form.name()));
    println!("{}", report.conditions().words());
    for (name, run) in SECTIONS {
        if arguments.names(name) {
            let started = Instant::now();
            run(&form, &mut report);
            eprintln!("{name} took {:.1} s", started.elapsed().as_secs_f64());
        }
    }
    report.write(&arguments.json);
    if let Some(chart) = chart::render(&report) {
        std::fs::write(&arguments.chart, chart).unwrap();
    }
    if let Some(page) = &arguments.page {
        page::renew(page, &report);
    }
    println!("\nfigures: {}\nchart: {}", arguments.json.display(), arguments.chart.display());
    if report.all_hold() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
