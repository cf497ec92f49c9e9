//! Shows who would be suppressed or released, as a server finds it out.

use std::io::{IsTerminal as _, Write as _};
use std::time::{Duration, Instant};

use anyhow::{Context as _, bail};
use serde_json::json;
use suppressd_service::proto::{ChangeCount, VerdictChange, VerdictEffect, WhatIf};
use tonic::Streaming;

use crate::grpc_client::refusal;

/// How often it is said how far it is, where nobody looks at a terminal.
const PROGRESS_INTERVAL: Duration = Duration::from_secs(1);

/// Which addresses are named.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Addresses {
    None,
    First(usize),
    All,
}

/// What is shown, and how.
pub(crate) struct Shown {
    pub(crate) addresses: Addresses,
    pub(crate) json: bool,
}

/// The parts of an answer.
pub(crate) struct Parts<T> {
    stream: Streaming<T>,
    unwrap: fn(T) -> Option<WhatIf>,
}

impl<T> Parts<T> {
    pub(crate) fn new(stream: Streaming<T>, unwrap: fn(T) -> Option<WhatIf>) -> Self {
        Self { stream, unwrap }
    }

    /// The next part; none behind the last one. An answer that just ends is an error.
    async fn next(&mut self) -> anyhow::Result<WhatIf> {
        match self.stream.message().await.map_err(|status| refusal(&status))? {
            Some(part) => (self.unwrap)(part).context("the server's answer lacks a part"),
            None => bail!("the server's answer ended before it was whole"),
        }
    }
}

/// Asks and shows: first the counts, then the addresses. To name all addresses it is asked twice, since nobody knows how many
/// they are, and the counts come first.
pub(crate) async fn show<T>(ask: impl AsyncFn(bool) -> anyhow::Result<Parts<T>>, shown: &Shown) -> anyhow::Result<()> {
    let (kept_addresses, asks_for_addresses) = match shown.addresses {
        Addresses::First(addresses) => (addresses, true),
        Addresses::None | Addresses::All => (0, false),
    };
    let mut parts = ask(asks_for_addresses).await?;
    let mut first: Vec<VerdictChange> = Vec::new();
    let mut progress = ProgressLine::new();
    let last = loop {
        let mut part = parts.next().await?;
        let room = kept_addresses.saturating_sub(first.len());
        first.extend(std::mem::take(&mut part.changes).into_iter().take(room));
        if part.is_last {
            break part;
        }
        progress.show(&part);
    };
    progress.end();
    print_counts(&last, shown.json)?;
    print_changes(&first, shown.json)?;
    let changed: u64 = last.counts.iter().map(|count| count.addresses).sum();
    let unnamed = changed.saturating_sub(first.len() as u64);
    if unnamed > 0 && shown.addresses != Addresses::All {
        eprintln!("suppressd: {unnamed} addresses are not named; --addresses names all");
    }
    if shown.addresses == Addresses::All {
        let mut parts = ask(true).await?;
        loop {
            let part = parts.next().await?;
            print_changes(&part.changes, shown.json)?;
            if part.is_last {
                break;
            }
        }
    }
    Ok(())
}

/// Prints the counts, one line a rule, and what they come to.
pub(crate) fn print_counts(last: &WhatIf, as_json: bool) -> anyhow::Result<()> {
    let total = |effect: VerdictEffect| -> u64 {
        last.counts.iter().filter(|count| count.effect() == effect).map(|count| count.addresses).sum()
    };
    let (suppressed, released) = (total(VerdictEffect::Suppressed), total(VerdictEffect::Released));
    let mut out = std::io::stdout().lock();
    if as_json {
        let by_rule =
            |count: &ChangeCount| json!({ "effect": word(count.effect()), "rule": count.rule, "addresses": count.addresses });
        let counts: Vec<_> = last.counts.iter().map(by_rule).collect();
        let all = json!({ "addresses": last.addresses, "suppressed": suppressed, "released": released, "by_rule": counts });
        return Ok(writeln!(out, "{all}")?);
    }
    for count in &last.counts {
        writeln!(out, "{}\t{}\t{}", word(count.effect()), count.addresses, count.rule)?;
    }
    writeln!(out, "{suppressed} would be suppressed, {released} released, of {} addresses", last.addresses)?;
    Ok(())
}

/// Prints addresses, one a line.
pub(crate) fn print_changes(changes: &[VerdictChange], as_json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    for change in changes {
        let effect = word(change.effect());
        if as_json {
            writeln!(out, "{}", json!({ "email": change.email, "effect": effect, "rule": change.rule }))?;
        } else {
            writeln!(out, "{effect}\t{}\t{}", change.email, change.rule)?;
        }
    }
    Ok(())
}

fn word(effect: VerdictEffect) -> &'static str {
    match effect {
        VerdictEffect::Unspecified => "unknown",
        VerdictEffect::Suppressed => "suppressed",
        VerdictEffect::Released => "released",
    }
}

/// How far it is, on standard error: in place on a terminal, now and then elsewhere.
struct ProgressLine {
    is_terminal: bool,
    shown_at: Instant,
    is_open: bool,
}

impl ProgressLine {
    fn new() -> Self {
        Self { is_terminal: std::io::stderr().is_terminal(), shown_at: Instant::now(), is_open: false }
    }

    fn show(&mut self, part: &WhatIf) {
        let (percent, addresses) = (part.done_permille / 10, part.addresses);
        if self.is_terminal {
            eprint!("\r{percent:3} %, {addresses} addresses");
            self.is_open = true;
        } else if self.shown_at.elapsed() >= PROGRESS_INTERVAL {
            eprintln!("{percent} %, {addresses} addresses");
            self.shown_at = Instant::now();
        }
    }

    fn end(&self) {
        if self.is_open {
            eprintln!();
        }
    }
}
