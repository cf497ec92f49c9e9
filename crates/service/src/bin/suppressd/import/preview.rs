//! What is in a list, before anything of it is imported.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write;

use anyhow::Context as _;
use serde_json::{Value, json};
use suppressd_core::Address;

use super::kind::Kind;
use super::meaning::Meaning;
use super::rows::Rows;
use super::state::Counts;
use crate::list_file::push_row;

/// Most refused lines that are shown; a file has all of them.
const MAX_REFUSED_SHOWN: usize = 10;

/// Most addresses that are shown.
const MAX_EXAMPLES: usize = 3;

/// The first line of the refused lines.
const ERRORS_HEADER: [&[u8]; 2] = [b"line", b"reason"];

/// What is in a list.
pub(super) struct Preview {
    kind: Kind,
    rows: u64,
    /// Addresses that are suppressed, by cause.
    causes: BTreeMap<&'static str, u64>,
    /// Rows that suppress nobody, by reason.
    skipped: BTreeMap<&'static str, u64>,
    refused: u64,
    /// The first refused lines.
    first_refused: Vec<(u64, String)>,
    /// Addresses that are suppressed, and the list does not say since when.
    undated: u64,
    examples: Vec<(u64, Address, &'static str)>,
}

impl Preview {
    /// Reads a list to its end, and writes its refused lines down.
    pub(super) fn of(mut rows: Rows, errors: Option<&mut dyn Write>) -> anyhow::Result<Self> {
        let mut preview = Self {
            kind: rows.kind(),
            rows: 0,
            causes: BTreeMap::new(),
            skipped: BTreeMap::new(),
            refused: 0,
            first_refused: Vec::new(),
            undated: 0,
            examples: Vec::new(),
        };
        let mut errors = errors.map(Errors::begin).transpose()?;
        while let Some(row) = rows.next()? {
            preview.rows += 1;
            match row.meaning {
                Meaning::Skipped(why) => *preview.skipped.entry(why).or_default() += 1,
                Meaning::Suppressed(suppressed) => {
                    *preview.causes.entry(suppressed.cause).or_default() += 1;
                    preview.undated += u64::from(suppressed.since.is_none());
                    if preview.examples.len() < MAX_EXAMPLES {
                        preview.examples.push((row.line, suppressed.address, suppressed.cause));
                    }
                }
                Meaning::Refused(why) => {
                    preview.refused += 1;
                    errors.as_mut().map_or(Ok(()), |errors| errors.push(row.line, &why))?;
                    if preview.first_refused.len() < MAX_REFUSED_SHOWN {
                        preview.first_refused.push((row.line, why));
                    }
                }
            }
        }
        Ok(preview)
    }

    /// How many addresses are to be suppressed.
    pub(super) fn suppressions(&self) -> u64 {
        self.causes.values().sum()
    }

    pub(super) fn has_refused(&self) -> bool {
        self.refused > 0
    }

    /// In lines, each with its end.
    pub(super) fn in_text(&self) -> String {
        let mut text = format!("list: {}, {} rows\n", self.kind.name, self.rows);
        let mut tell = |what: &str, counts: &BTreeMap<&str, u64>| {
            let _ = writeln!(text, "{what}: {}{}", counts.values().sum::<u64>(), in_brackets(counts));
        };
        tell("to suppress", &self.causes);
        tell("skipped", &self.skipped);
        let _ = writeln!(text, "refused: {}", self.refused);
        for (line, why) in &self.first_refused {
            let _ = writeln!(text, "  line {line}: {why}");
        }
        let more = self.refused - self.first_refused.len() as u64;
        if more > 0 {
            let _ = writeln!(text, "  and {more} more; --errors FILE gets all of them");
        }
        if self.undated > 0 {
            let _ = writeln!(text, "without a time that can be read: {}; since now, then", self.undated);
        }
        for (line, address, cause) in &self.examples {
            let _ = writeln!(text, "for example: line {line}, {}, {cause}", address.as_str());
        }
        text
    }

    pub(super) fn in_json(&self, imported: Option<&Counts>) -> Value {
        let refused: Vec<Value> = self.first_refused.iter().map(|(line, why)| json!({ "line": line, "reason": why })).collect();
        json!({
            "list": self.kind.word,
            "rows": self.rows,
            "to_suppress": self.causes,
            "skipped": self.skipped,
            "refused": self.refused,
            "first_refused": refused,
            "without_time": self.undated,
            "imported": imported,
        })
    }
}

fn in_brackets(counts: &BTreeMap<&str, u64>) -> String {
    let each: Vec<String> = counts.iter().map(|(what, count)| format!("{count} {what}")).collect();
    if each.is_empty() { String::new() } else { format!(" ({})", each.join(", ")) }
}

/// Where every refused line is written down.
struct Errors<'a>(&'a mut dyn Write);

impl<'a> Errors<'a> {
    fn begin(out: &'a mut dyn Write) -> anyhow::Result<Self> {
        let mut header = Vec::new();
        push_row(&mut header, &ERRORS_HEADER);
        out.write_all(&header).context("cannot write the errors")?;
        Ok(Self(out))
    }

    fn push(&mut self, line: u64, why: &str) -> anyhow::Result<()> {
        self.0.write_all(&error_row(line, why)).context("cannot write the errors")
    }
}

/// A refused line as it is written down.
pub(super) fn error_row(line: u64, why: &str) -> Vec<u8> {
    let mut row = Vec::new();
    push_row(&mut row, &[line.to_string().as_bytes(), why.as_bytes()]);
    row
}
