//! How many replies one core judges in a second, and that no text takes more than linear time.
//!
//! `cargo bench -p suppressd-core --bench opinion`; exits 1 when a target is missed.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

use std::hint::black_box;
use std::process::ExitCode;
use std::time::Instant;

use suppressd_core::EnhancedStatusCode;
use suppressd_core::opinion::{MAX_DIAGNOSTIC_BYTES, opinion};

/// Judged per second on one core, at least, over the typical texts together.
const TARGET_PER_SECOND: f64 = 1_000_000.0;

/// How much more than twice the time a text of twice the length may take.
const TOLERANCE: f64 = 1.35;

/// Replies as they come, of about 120 bytes each.
const TYPICAL: [(&str, &str, &str); 6] = [
    (
        "unknown user",
        "5.1.1",
        "smtp;550 5.1.1 <some.body@example.org>: we looked for that user in every table of ours and found no such user",
    ),
    (
        "mailbox full",
        "5.2.2",
        "smtp;552-5.2.2 The mailbox of some.body@example.org has exceeded its storage limit and cannot take more messages at this time",
    ),
    (
        "blocked",
        "5.7.1",
        "smtp;554 5.7.1 Service unavailable; Client host [192.0.2.25] blocked using zen.spamhaus.org; see https://www.spamhaus.org/",
    ),
    (
        "busy",
        "4.3.2",
        "smtp;451 4.3.2 mx7.example.net cannot take your message at the moment, please try again later (queue of the server is long)",
    ),
    (
        "nothing known",
        "5.0.0",
        "smtp;550 mx3.example.net regrets that today nothing at all could be done about this one [ref 1f3a9c77-22e1] for the moment",
    ),
    ("Russian", "5.0.0", "smtp;550 Почтовый ящик some.body@example.ru переполнен, отправьте письмо позже"),
];

/// What could make a matcher slow: its own phrases without their ends, over and over.
const ODD: [&str; 6] = ["user mailbox recipient ", "a", "@", "5.1.1 450 ", "пользователь не ", "user unknow "];

fn main() -> ExitCode {
    let _ = opinion(None, "the rules are compiled at first use");
    let mut held = true;
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
    held &= per_second >= TARGET_PER_SECOND;
    for piece in ODD {
        held &= is_linear(piece);
    }
    if held { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Times a text at doubling lengths, beyond the bound too.
fn is_linear(piece: &str) -> bool {
    let mut before = f64::INFINITY;
    let mut linear = true;
    print!("{piece:24}");
    for len in [256, 512, 1024, 2048, 4096, 65_536] {
        let text = piece.repeat(len / piece.len() + 1);
        let text = &text[..text.floor_char_boundary(len)];
        let seconds = seconds_each(|| opinion(None, black_box(text)).map(|opinion| opinion.matched.len()));
        print!("  {len}: {:.0} ns", seconds * 1e9);
        let allowed = if len > MAX_DIAGNOSTIC_BYTES { 1.0 } else { 2.0 };
        linear &= seconds <= before * allowed * TOLERANCE;
        before = seconds;
    }
    println!("{}", if linear { "" } else { "  NOT LINEAR" });
    linear
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
