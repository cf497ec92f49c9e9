//! Counts of what the second opinion called rows whose class is known.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use suppressd_core::Class;

/// What a row's reason begins with if it is a mistake that is easily made.
const TRAP: &str = "trap:";

/// What a row should be called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Expected {
    Hard,
    Soft,
    Expired,
    /// It says nothing about the recipient.
    Other,
}

impl Expected {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "HARD",
            Self::Soft => "SOFT",
            Self::Expired => "EXPIRED",
            Self::Other => "OTHER",
        }
    }
}

/// What a row was called.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Called {
    Hard,
    Soft,
    Expired,
    /// There is no opinion, or one that says nothing about the recipient.
    None,
}

impl Called {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::Hard => "HARD",
            Self::Soft => "SOFT",
            Self::Expired => "EXPIRED",
            Self::None => "NONE",
        }
    }
}

impl From<Option<Class>> for Called {
    fn from(class: Option<Class>) -> Self {
        match class {
            Some(Class::Hard) => Self::Hard,
            Some(Class::Soft) => Self::Soft,
            Some(Class::Expired) => Self::Expired,
            Some(Class::Unmapped | Class::Complaint) | None => Self::None,
        }
    }
}

/// A row with what it was called.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    pub(super) line: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) source: Option<String>,
    pub(super) reason: String,
    pub(super) expected: Expected,
    pub(super) called: Called,
    /// The rule that decided, if any.
    pub(super) rule: Option<String>,
    #[serde(skip)]
    pub(super) ambiguous: bool,
}

impl Judged {
    fn is_misjudged_hard(&self) -> bool {
        (self.expected == Expected::Hard) != (self.called == Called::Hard)
    }

    /// A mistake that was to be expected, and was made.
    pub(super) fn is_sprung_trap(&self) -> bool {
        self.reason.starts_with(TRAP) && self.expected != Expected::Hard && self.called == Called::Hard
    }
}

/// How often rows were called what.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Calls {
    pub(super) hard: u64,
    pub(super) soft: u64,
    pub(super) expired: u64,
    pub(super) none: u64,
}

impl Calls {
    fn add(&mut self, called: Called) {
        *match called {
            Called::Hard => &mut self.hard,
            Called::Soft => &mut self.soft,
            Called::Expired => &mut self.expired,
            Called::None => &mut self.none,
        } += 1;
    }

    pub(super) fn of(self, called: Called) -> u64 {
        match called {
            Called::Hard => self.hard,
            Called::Soft => self.soft,
            Called::Expired => self.expired,
            Called::None => self.none,
        }
    }

    pub(super) fn total(self) -> u64 {
        self.hard + self.soft + self.expired + self.none
    }
}

/// So many of so many.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Share {
    pub(super) right: u64,
    pub(super) of: u64,
}

impl Share {
    /// In tenths of a percent, rounded down: only all of them are 1000. None of nothing.
    pub(super) fn permille(self) -> Option<u64> {
        (self.right * 1000).checked_div(self.of)
    }
}

#[derive(Debug)]
pub(super) struct Tally {
    with_ambiguous: bool,
    rows: u64,
    ambiguous: u64,
    unreadable: u64,
    confusion: BTreeMap<(String, Expected), Calls>,
    misjudged: Vec<Judged>,
}

impl Tally {
    pub(super) fn new(with_ambiguous: bool) -> Self {
        Self { with_ambiguous, rows: 0, ambiguous: 0, unreadable: 0, confusion: BTreeMap::new(), misjudged: Vec::new() }
    }

    pub(super) fn add(&mut self, judged: Judged) {
        self.rows += 1;
        self.ambiguous += u64::from(judged.ambiguous);
        if judged.ambiguous && !self.with_ambiguous {
            return;
        }
        self.confusion.entry((judged.reason.clone(), judged.expected)).or_default().add(judged.called);
        if judged.is_misjudged_hard() {
            self.misjudged.push(judged);
        }
    }

    pub(super) fn add_unreadable(&mut self) {
        self.unreadable += 1;
    }

    /// Rows that could be read, the ambiguous ones included.
    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    pub(super) fn ambiguous(&self) -> u64 {
        self.ambiguous
    }

    /// Whether the ambiguous rows are counted in all that follows.
    pub(super) fn counts_ambiguous(&self) -> bool {
        self.with_ambiguous
    }

    pub(super) fn unreadable(&self) -> u64 {
        self.unreadable
    }

    /// What the rows of a reason were called, by reason and by what they should be called.
    pub(super) fn confusion(&self) -> impl Iterator<Item = (&str, Expected, Calls)> {
        self.confusion.iter().map(|((reason, expected), calls)| (&**reason, *expected, *calls))
    }

    /// The rows that were called HARD and should not be, or the other way round.
    pub(super) fn misjudged(&self) -> &[Judged] {
        &self.misjudged
    }

    /// Of those called that, how many should be.
    pub(super) fn precision(&self, expected: Expected, called: Called) -> Share {
        let of = self.confusion().map(|(_, _, calls)| calls.of(called)).sum();
        Share { right: self.count(expected, called), of }
    }

    /// Of those that should be called that, how many were.
    pub(super) fn recall(&self, expected: Expected, called: Called) -> Share {
        let meant = self.confusion().filter(|(_, known, _)| *known == expected);
        Share { right: self.count(expected, called), of: meant.map(|(_, _, calls)| calls.total()).sum() }
    }

    /// How many that should be called one thing were called another.
    pub(super) fn count(&self, expected: Expected, called: Called) -> u64 {
        let meant = self.confusion().filter(|(_, known, _)| *known == expected);
        meant.map(|(_, _, calls)| calls.of(called)).sum()
    }
}

#[cfg(test)]
mod tests;
