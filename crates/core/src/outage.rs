//! The outage guard: when a domain suddenly refuses far more recipients than it used to, that is the domain's fault and not
//! theirs.

use std::collections::BTreeMap;

use crate::{Scope, UnixSeconds};

/// Answers are counted in stretches of so many seconds.
pub const SLOT_SECONDS: i64 = 600;

/// How long counts are kept, in seconds: the longest past and the longest window that can be asked for.
pub const KEPT_ANSWERS_SECONDS: i64 = 2 * 72 * 3600;

/// A stretch of [`SLOT_SECONDS`], by its number since 1970.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(i64);

impl Slot {
    /// The stretch of a point in time.
    #[must_use]
    pub fn of(time: UnixSeconds) -> Self {
        Self(time.get() / SLOT_SECONDS)
    }

    /// The stretch of that number since 1970.
    #[must_use]
    pub fn from_number(number: i64) -> Self {
        Self(number)
    }

    /// Its number since 1970.
    #[must_use]
    pub fn number(self) -> i64 {
        self.0
    }

    /// Its beginning.
    #[must_use]
    pub fn begin(self) -> UnixSeconds {
        UnixSeconds::clamped(self.0.saturating_mul(SLOT_SECONDS))
    }

    /// The oldest stretch that is kept at a point in time.
    #[must_use]
    pub fn oldest_kept(now: UnixSeconds) -> Self {
        Self::of(UnixSeconds::clamped(now.get() - KEPT_ANSWERS_SECONDS))
    }
}

/// How a domain answered: bounces and deliveries.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Answers {
    /// Answers that count as HARD.
    pub hard: u64,
    /// All answers.
    pub all: u64,
}

impl Answers {
    /// One answer.
    #[must_use]
    pub fn one(is_hard: bool) -> Self {
        Self { hard: u64::from(is_hard), all: 1 }
    }
}

impl std::ops::AddAssign for Answers {
    fn add_assign(&mut self, more: Self) {
        self.hard = self.hard.saturating_add(more.hard);
        self.all = self.all.saturating_add(more.all);
    }
}

/// Answers of one domain by the stretch of time in which they were given.
pub type AnswersBySlot = BTreeMap<Slot, Answers>;

/// When an incident is opened for a domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutageGuard {
    /// HARD answers in the window, at least; and answers in the past, at least, or there is none to compare with.
    pub minimum_hard_bounces: u64,
    /// How many times the share of HARD in the past its share in the window must be, at least.
    pub ratio: u64,
    /// Length of the window, which ends now.
    pub window_seconds: u64,
    /// Length of the past before the window.
    pub past_seconds: u64,
    /// For how long from now the incident covers what comes.
    pub covers_seconds: u64,
}

impl OutageGuard {
    /// Whether a domain's share of HARD has risen far above its past: then what an incident has to cover, and why in words.
    #[must_use]
    pub fn rise(&self, domain: &str, answers: &AnswersBySlot, now: UnixSeconds) -> Option<(Scope, String)> {
        let seconds = |seconds: u64| i64::try_from(seconds).unwrap_or(i64::MAX);
        let before = |time: UnixSeconds, by: u64| UnixSeconds::clamped(time.get().saturating_sub(seconds(by)));
        let window_from = Slot::of(before(now, self.window_seconds));
        let past_from = Slot::of(before(window_from.begin(), self.past_seconds));
        let sum = |slots: std::ops::Range<Slot>| {
            answers.range(slots).fold(Answers::default(), |mut sum, (_, answers)| {
                sum += *answers;
                sum
            })
        };
        let window = sum(window_from..Slot(Slot::of(now).0.saturating_add(1)));
        let past = sum(past_from..window_from);
        if window.hard < self.minimum_hard_bounces || past.all < self.minimum_hard_bounces {
            return None;
        }
        // A past without any HARD is taken for one with a single one: no share is infinitely many times another.
        let product = |factors: &[u64]| factors.iter().fold(1, |product: u128, factor| product.saturating_mul((*factor).into()));
        let share = product(&[window.hard, past.all]);
        let needed = product(&[self.ratio, past.hard.max(1), window.all]);
        if share < needed {
            return None;
        }
        let scope = Scope { domain: Some(domain.into()), ..Scope::between(window_from.begin(), now.plus(self.covers_seconds)) };
        let Answers { hard, all } = window;
        let why = format!("{hard} of {all} answers were hard bounces, before that {} of {}", past.hard, past.all);
        Some((scope, why))
    }
}

#[cfg(test)]
mod tests;
