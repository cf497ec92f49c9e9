//! The figures of a tally, for people and as JSON.

use std::fmt;

use serde::{Serialize, Serializer};

use super::tally::{Called, Calls, Expected, Judged, Share, Tally};

/// All that is told of a tally.
#[derive(Debug, Serialize)]
pub(super) struct Figures<'t> {
    rows: u64,
    ambiguous: u64,
    ambiguous_counted: bool,
    unreadable: u64,
    confusion: Vec<Line<'t>>,
    hard: Score,
    soft: Score,
    /// Faults of the sender or of the content that would suppress a recipient.
    other_called_hard: u64,
    /// Line numbers.
    traps_called_hard: Vec<u64>,
    misjudged: &'t [Judged],
}

/// A line of the table.
#[derive(Debug, Serialize)]
struct Line<'t> {
    reason: &'t str,
    expected: Expected,
    #[serde(flatten)]
    calls: Calls,
    total: u64,
}

#[derive(Debug, Serialize)]
struct Score {
    precision: Share,
    recall: Share,
}

impl<'t> Figures<'t> {
    pub(super) fn of(tally: &'t Tally) -> Self {
        let line = |(reason, expected, calls): (&'t str, _, Calls)| Line { reason, expected, calls, total: calls.total() };
        let score =
            |expected, called| Score { precision: tally.precision(expected, called), recall: tally.recall(expected, called) };
        let traps = tally.misjudged().iter().filter(|judged| judged.is_sprung_trap());
        Self {
            rows: tally.rows(),
            ambiguous: tally.ambiguous(),
            ambiguous_counted: tally.counts_ambiguous(),
            unreadable: tally.unreadable(),
            confusion: tally.confusion().map(line).collect(),
            hard: score(Expected::Hard, Called::Hard),
            soft: score(Expected::Soft, Called::Soft),
            other_called_hard: tally.count(Expected::Other, Called::Hard),
            traps_called_hard: traps.map(|judged| judged.line).collect(),
            misjudged: tally.misjudged(),
        }
    }

    fn write_table(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let reason = |line: &Line<'_>| if line.reason.is_empty() { "-".to_owned() } else { printable(line.reason) };
        let reasons: Vec<_> = self.confusion.iter().map(reason).collect();
        let head = "reason";
        let width = reasons.iter().map(|reason| reason.chars().count()).chain([head.len()]).max().unwrap_or_default();
        writeln!(f, "{head:width$}  expected  HARD  SOFT  EXPIRED  NONE  total")?;
        for (reason, Line { expected, calls, total, .. }) in reasons.iter().zip(&self.confusion) {
            let Calls { hard, soft, expired, none } = calls;
            let expected = expected.as_str();
            writeln!(f, "{reason:width$}  {expected:8}  {hard:4}  {soft:4}  {expired:7}  {none:4}  {total:5}")?;
        }
        writeln!(f)
    }

    fn write_misjudged(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (nth, judged) in self.misjudged.iter().enumerate() {
            if nth == 0 {
                writeln!(f)?;
            }
            let Judged { line, reason, expected, called, rule, .. } = judged;
            let rule = rule.as_ref().map_or("no rule".to_owned(), |rule| format!("rule {rule}"));
            write!(f, "line {line}: expected {}, called {} by {rule}", expected.as_str(), called.as_str())?;
            for more in [reason].into_iter().chain(&judged.source).filter(|more| !more.is_empty()) {
                write!(f, ", {}", printable(more))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Figures<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_table(f)?;
        writeln!(f, "rows read: {}", self.rows)?;
        let ambiguous = if self.ambiguous_counted { "counted too" } else { "left out" };
        writeln!(f, "ambiguous rows, {ambiguous}: {}", self.ambiguous)?;
        writeln!(f, "unreadable lines: {}", self.unreadable)?;
        for (name, score) in [("HARD", &self.hard), ("SOFT", &self.soft)] {
            writeln!(f, "{name} precision: {}, recall: {}", score.precision, score.recall)?;
        }
        writeln!(f, "OTHER called HARD: {}", self.other_called_hard)?;
        write!(f, "traps called HARD: {}", self.traps_called_hard.len())?;
        for (nth, line) in self.traps_called_hard.iter().enumerate() {
            write!(f, "{}{line}", if nth == 0 { ", on line " } else { ", " })?;
        }
        writeln!(f)?;
        self.write_misjudged(f)
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { right, of } = self;
        match self.permille() {
            Some(permille) => write!(f, "{}.{}% ({right} of {of})", permille / 10, permille % 10),
            None => write!(f, "none ({right} of {of})"),
        }
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown {
            right: u64,
            of: u64,
            percent: Option<f64>,
        }
        let percent =
            self.permille().and_then(|permille| u16::try_from(permille).ok()).map(|permille| f64::from(permille) / 10.0);
        Shown { right: self.right, of: self.of, percent }.serialize(serializer)
    }
}

/// A text from a file, such that a terminal shows it and does nothing else.
pub(super) fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_nothing_there_are_figures_all_the_same() {
        let tally = Tally::new(false);
        let figures = Figures::of(&tally);
        assert!(figures.to_string().contains("\nHARD precision: none (0 of 0), recall: none (0 of 0)\n"), "{figures}");
        let json = serde_json::to_value(&figures).unwrap();
        assert_eq!(json["hard"]["precision"], serde_json::json!({"right": 0, "of": 0, "percent": null}));
    }

    #[test]
    fn a_file_s_text_does_nothing_to_a_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\r\nü"), "a\u{fffd}[2Jb\u{fffd}\u{fffd}ü");
    }
}
