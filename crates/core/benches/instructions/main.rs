//! What is done for every check and every event, in instructions, which are the same in every run however busy the machine is.
//! No hot path may cost more than was committed, within a few hundredths. Of the second opinion moreover: no text takes more than
//! linear time, and none more than its first [`MAX_DIAGNOSTIC_BYTES`] do.
//!
//! `cargo bench --profile counted -p suppressd-core --features embedded --bench instructions`, where valgrind is installed; exits 1
//! when a path grew or a bound does not hold. Another profile has other figures.
#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]
#![allow(clippy::expect_used, reason = "a benchmark fails like a test")]

mod callgrind;
mod committed;
mod hot_paths;
mod ladder;
mod odd;
mod replies;

use std::error::Error;
use std::hint::black_box;
use std::process::ExitCode;

use suppressd_core::EnhancedStatusCode;
use suppressd_core::opinion::{MAX_DIAGNOSTIC_BYTES, opinion};

use ladder::{LENGTHS, Ladder};

/// Work that is counted by itself.
type Case = Box<dyn Fn()>;

/// The argument with which the program runs again for the second opinion.
const OPINIONS: &str = "--opinions";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        [OPINIONS] => typical().chain(ladders().iter().flat_map(Ladder::cases)).for_each(callgrind::count),
        [hot_paths::CALLS] => hot_paths::run_calls(),
        [hot_paths::RECORD, webhooks] => hot_paths::run_record(webhooks.parse().expect("a number of webhooks")),
        _ => return report(),
    }
    ExitCode::SUCCESS
}

/// Counts and prints all.
fn report() -> ExitCode {
    match opinions().and_then(|bounded| Ok(hot_paths::report()? && bounded)) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("nothing was counted: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Replies as they come.
fn typical() -> impl Iterator<Item = Case> {
    replies::TYPICAL.into_iter().map(|(_, status, words)| {
        let status = EnhancedStatusCode::from_wire(status);
        Box::new(move || {
            black_box(opinion(black_box(status), black_box(words)));
        }) as Case
    })
}

/// Odd texts at growing lengths; and other work at the same lengths whose growth must be seen, or the check would be none.
fn ladders() -> Vec<Ladder> {
    let odd = odd::PIECES.into_iter().map(|(name, piece)| Ladder { name, piece, work: judge, holds: true });
    let others = [
        Ladder { name: "(bounded, quadratic)", piece: "a b", work: compare_all_pairs, holds: false },
        Ladder { name: "(linear, unbounded)", piece: "a b", work: look_at_all, holds: false },
    ];
    odd.chain(others).collect()
}

fn judge(words: &str) {
    black_box(opinion(None, black_box(words)));
}

fn compare_all_pairs(words: &str) {
    let words = &words[..words.floor_char_boundary(MAX_DIAGNOSTIC_BYTES)];
    for one in words.bytes() {
        black_box(words.bytes().filter(|other| *other == one).count());
    }
}

fn look_at_all(words: &str) {
    for byte in words.bytes() {
        black_box(byte);
    }
}

/// Counts and prints what opinions cost, and says whether all is as it must be.
fn opinions() -> Result<bool, Box<dyn Error>> {
    let ladders = ladders();
    let counts = callgrind::of_calls(&[OPINIONS])?;
    let expected = replies::TYPICAL.len() + ladders.len() * LENGTHS.len();
    if counts.len() != expected {
        return Err(format!("{} counts for {expected} cases", counts.len()).into());
    }
    let (typical, of_ladders) = counts.split_at(replies::TYPICAL.len());
    println!("{:28}{:>6}{:>14}", "a reply", "bytes", "instructions");
    for ((name, _, words), count) in replies::TYPICAL.into_iter().zip(typical) {
        println!("{name:28}{:>6}{count:>14}", words.len());
    }
    println!(
        "\nInstructions at so many bytes, and how many times those of half as many:\n{:28}{}",
        "",
        LENGTHS.map(|length| format!("{length:>16}")).concat()
    );
    let mut all_hold = true;
    for (ladder, counts) in ladders.iter().zip(of_ladders.chunks(LENGTHS.len())) {
        let growth = ladder::growth(counts);
        let columns = counts.iter().zip(&growth).map(|(count, growth)| format!("{count:>11} {growth:.2}"));
        let verdict = match (ladder::is_bounded(&growth), ladder.holds) {
            (true, true) => "",
            (false, false) => "  not bounded, as it must be seen",
            (false, true) => "  NOT BOUNDED",
            (true, false) => "  NOT SEEN TO BE UNBOUNDED",
        };
        all_hold &= ladder::is_bounded(&growth) == ladder.holds;
        println!("{:28}{}{verdict}", ladder.name, columns.collect::<String>());
    }
    Ok(all_hold)
}
