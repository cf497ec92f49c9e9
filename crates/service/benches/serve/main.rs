//! What the executable costs, against what the libraries and the disk below it cost in the same run.
//!
//! `cargo bench --bench serve` runs all; `-- durable_ingest`, `-- replicated_ingest`,
//! `-- filter_list` or `-- footprint` one. Ends with status 1 if a target is missed.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    reason = "a benchmark talks, fails like a test, and counts no more than a float can"
)]

mod durable_ingest;
mod filter_list;
mod footprint;
mod measure;
mod redis;
mod replicated_ingest;
mod webhooks;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// A name, and what says whether its target was reached.
type Benchmark = (&'static str, fn() -> bool);

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let benchmarks: [Benchmark; 4] = [
        ("durable_ingest", durable_ingest::reach_target),
        ("replicated_ingest", replicated_ingest::reach_target),
        ("filter_list", filter_list::reach_target),
        ("footprint", footprint::reach_target),
    ];
    // cargo adds flags of its own.
    let named: Vec<&String> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let mut all_reached = true;
    for (name, reach_target) in benchmarks {
        if named.is_empty() || named.iter().any(|argument| *argument == name) {
            all_reached &= reach_target();
        }
    }
    if all_reached { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
