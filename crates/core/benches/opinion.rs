//! How many replies one core judges in a second. That no text takes more than linear time is counted, in `instructions`.
//!
//! `cargo bench -p suppressd-core --bench opinion`; exits 1 when the target is missed.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

#[path = "instructions/replies.rs"]
mod replies;

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use suppressd_core::EnhancedStatusCode;
use suppressd_core::opinion::opinion;

use replies::TYPICAL;

/// Judged per second on one core, at least, over the typical texts together.
const TARGET_PER_SECOND: f64 = 1_000_000.0;

fn main() -> ExitCode {
    let _ = opinion(None, "the rules are compiled at first use");
    let mut total_seconds = 0.0;
    for (name, status, text) in TYPICAL {
        let status = EnhancedStatusCode::from_wire(status);
        let seconds = seconds_each(|| opinion(black_box(status), black_box(text)).map(|opinion| opinion.matched.len()));
        total_seconds += seconds;
        let rule = opinion(status, text).map_or("none", |opinion| opinion.rule);
        println!("{name:14} {:4} bytes  {:9.0} a second  {:6.0} ns  {rule}", text.len(), 1.0 / seconds, seconds * 1e9);
    }
    #[expect(clippy::cast_precision_loss, reason = "six")]
    let per_second = TYPICAL.len() as f64 / total_seconds;
    println!("together       {per_second:9.0} a second on one core (target {TARGET_PER_SECOND:.0})");
    if per_second >= TARGET_PER_SECOND { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// The least time of many short rounds: what disturbs a round makes it longer, never shorter, so that a shared machine does not
/// count. (The kernel's own count of CPU time goes by ticks of milliseconds here.)
fn seconds_each<T>(work: impl Fn() -> T) -> f64 {
    const ROUNDS: u32 = 300;
    const CALLS: u32 = 100;
    let round = || {
        let start = Instant::now();
        for _ in 0..CALLS {
            black_box(work());
        }
        start.elapsed().as_secs_f64()
    };
    (0..ROUNDS).map(|_| round()).fold(f64::INFINITY, f64::min) / f64::from(CALLS)
}
