//! What an operator may decide. The default is exactly what the provider documents.

mod file;
mod rulebook;

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{BounceCategory, Class, Error, EventKind, Evidence, OutageGuard, Reason, Rule};

pub use file::MAX_POLICY_BYTES;
pub use rulebook::Rulebook;

/// The largest limit of soft bounces: more are not kept of a day.
pub const MAX_SOFT_BOUNCE_LIMIT: u32 = 16;

/// At which soft bounce an address is suppressed: 1 to [`MAX_SOFT_BOUNCE_LIMIT`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SoftBounceLimit(u32);

impl SoftBounceLimit {
    /// A limit.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if it is not 1 to [`MAX_SOFT_BOUNCE_LIMIT`].
    pub fn new(limit: u32) -> Result<Self, Error> {
        if (1..=MAX_SOFT_BOUNCE_LIMIT).contains(&limit) {
            Ok(Self(limit))
        } else {
            Err(Error::InvalidField { field: "soft_bounce_limit", reason: format!("must be 1 to {MAX_SOFT_BOUNCE_LIMIT}") })
        }
    }

    /// The number.
    #[must_use]
    pub fn get(self) -> u32 {
        self.0
    }
}

/// How far the second opinion is trusted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Trust {
    /// It is not shown. It is formed and kept all the same, so that the past can be judged by it later.
    Off,
    /// It is shown, counted and explained, and suppresses nobody.
    #[default]
    Advise,
    /// It decides where the category is unmapped.
    Enforce,
}

/// How evidence is judged. It holds for all that is stored, at once, since verdicts are computed when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// At which soft bounce an address is suppressed.
    pub soft_bounce_limit: SoftBounceLimit,
    /// How old a soft bounce may be to count, in seconds; of any age if not given.
    pub soft_bounce_window_seconds: Option<u64>,
    /// Whether soft bounces up to the latest delivery no longer count.
    pub delivery_resets_soft_bounces: bool,
    /// Whether at most one soft bounce of a day of UTC counts: the first of those that nothing else but the window leaves out.
    pub one_soft_bounce_a_day: bool,
    /// Classes that differ from the provider's, by category.
    pub classes: BTreeMap<BounceCategory, Class>,
    /// How far the second opinion is trusted.
    pub second_opinion: Trust,
    /// How long a suppression lasts after the newest evidence for it, in seconds; for good if not given.
    pub expiry_seconds: BTreeMap<Reason, u64>,
    /// Classes that count for a check of whichever account, though another one had the event.
    pub classes_of_every_account: Vec<Class>,
    /// Opens incidents by itself; off if not given.
    pub outage_guard: Option<OutageGuard>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            soft_bounce_limit: SoftBounceLimit(5),
            soft_bounce_window_seconds: None,
            delivery_resets_soft_bounces: false,
            one_soft_bounce_a_day: false,
            classes: BTreeMap::new(),
            second_opinion: Trust::default(),
            expiry_seconds: BTreeMap::new(),
            classes_of_every_account: vec![Class::Hard, Class::Complaint],
            outage_guard: None,
        }
    }
}

impl Policy {
    /// The class that counts for a piece of evidence.
    #[must_use]
    pub fn class_of(&self, evidence: &Evidence) -> Class {
        if evidence.kind == EventKind::Complaint {
            return Class::Complaint;
        }
        self.opinion_that_decides(evidence).unwrap_or_else(|| self.class_by_category(evidence))
    }

    /// What made it that class.
    #[must_use]
    pub fn rule_of(&self, evidence: &Evidence) -> Rule {
        if evidence.kind == EventKind::Complaint {
            return Rule::Complaint;
        }
        match (self.opinion_that_decides(evidence), &evidence.second_opinion) {
            (Some(_), Some(opinion)) => Rule::Opinion(opinion.rule.clone()),
            (Some(_) | None, _) => Rule::Category(evidence.category.clone()),
        }
    }

    /// Whether evidence of a class counts for a check of whichever account.
    #[must_use]
    pub fn counts_for_every_account(&self, class: Class) -> bool {
        self.classes_of_every_account.contains(&class)
    }

    /// The policy as it would be if the second opinion were trusted.
    #[must_use]
    pub fn enforcing(&self) -> Self {
        Self { second_opinion: Trust::Enforce, ..self.clone() }
    }

    fn class_by_category(&self, evidence: &Evidence) -> Class {
        self.classes.get(&evidence.category).copied().unwrap_or_else(|| evidence.class())
    }

    /// The class of the second opinion, where it is trusted, has one, and neither the provider nor the operator gave the
    /// category one of its own.
    fn opinion_that_decides(&self, evidence: &Evidence) -> Option<Class> {
        let opinion = evidence.second_opinion.as_ref().filter(|_| self.second_opinion == Trust::Enforce)?;
        opinion.class.filter(|_| self.class_by_category(evidence) == Class::Unmapped)
    }
}

#[cfg(test)]
mod tests;
