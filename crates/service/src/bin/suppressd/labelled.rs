//! `suppressd classify --labelled`: how good the second opinion is, measured by bounces whose class is known.

mod figures;
mod tally;

use std::io::{BufWriter, Write as _};
use std::path::Path;
use std::process::ExitCode;

use anyhow::anyhow;
use serde::Deserialize;
use suppressd_core::event::wire::WebhookEvent;
use suppressd_core::{Classifier, EnhancedStatusCode, Error, UnixSeconds};

use crate::failure::{EXIT_NO_ANSWER, Failure};
use crate::lines::Lines;
use figures::{Figures, printable};
use tally::{Expected, Judged, Tally};

/// One line of the file. Keys that are not among these are passed over.
#[derive(Deserialize)]
struct Row<'a> {
    #[serde(borrow, deserialize_with = "WebhookEvent::deserialize")]
    event: WebhookEvent<'a>,
    expected: Expected,
    reason: Option<String>,
    ambiguous: Option<bool>,
    source: Option<String>,
}

pub(crate) fn run(path: &Path, classifier: &Classifier, with_ambiguous: bool, as_json: bool) -> Result<ExitCode, Failure> {
    let tally = count(Lines::of_file_or_standard_input(path)?, classifier, with_ambiguous);
    tell(&Figures::of(&tally), as_json)?;
    Ok(if tally.unreadable() == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NO_ANSWER) })
}

fn tell(figures: &Figures<'_>, as_json: bool) -> anyhow::Result<()> {
    let mut out = BufWriter::new(std::io::stdout().lock());
    if as_json {
        serde_json::to_writer(&mut out, figures)?;
        out.write_all(b"\n")?;
    } else {
        write!(out, "{figures}")?;
    }
    out.flush()?;
    Ok(())
}

/// Judges the rows. What cannot be read is named on standard error, and counted.
fn count(lines: Lines, classifier: &Classifier, with_ambiguous: bool) -> Tally {
    let mut tally = Tally::new(with_ambiguous);
    for (number, line) in (1..).zip(lines) {
        match line {
            Ok(line) if line.trim_ascii().is_empty() => {}
            line => match line.and_then(|line| judge(number, &line, classifier)) {
                Ok(judged) => tally.add(judged),
                Err(error) => {
                    eprintln!("suppressd: line {number}: {}", printable(&format!("{error:#}")));
                    tally.add_unreadable();
                }
            },
        }
    }
    tally
}

fn judge(line: u64, bytes: &[u8], classifier: &Classifier) -> anyhow::Result<Judged> {
    let row: Row<'_> = serde_json::from_slice(bytes).map_err(|error| without_line(&error))?;
    let event = readable(row.event)?;
    let opinion = classifier.opinion(EnhancedStatusCode::from_wire(&event.dsn_status), &event.dsn_diag);
    Ok(Judged {
        line,
        source: row.source,
        reason: row.reason.unwrap_or_default(),
        expected: row.expected,
        ambiguous: row.ambiguous == Some(true),
        called: opinion.as_ref().and_then(|opinion| opinion.class).into(),
        rule: opinion.map(|opinion| opinion.rule.to_owned()),
    })
}

/// The event if what is looked at could be read. A bounce without a recipient would be refused as a webhook, and is good enough
/// here.
fn readable(event: WebhookEvent<'_>) -> Result<WebhookEvent<'_>, Error> {
    let mut bounce = event;
    bounce.kind = "b".into();
    bounce.rcpt = "anybody@example.com".into();
    match bounce.read(UnixSeconds::clamped(0), Classifier::builtin()) {
        Err(error @ Error::InvalidField { field: "dsnStatus" | "dsnDiag", .. }) => Err(error),
        Ok(_) | Err(_) => Ok(bounce),
    }
}

/// The parser's words. It was given one line only, and its number would be taken for that of the file's line.
fn without_line(error: &serde_json::Error) -> anyhow::Error {
    anyhow!("{}", error.to_string().replace(" at line 1 column ", " at column "))
}
