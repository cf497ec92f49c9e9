//! What an operator may decide. The default is exactly what the provider documents.

use std::collections::BTreeMap;

use crate::{BounceCategory, Class, Error, EventKind, Evidence, Reason};

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

/// How evidence is judged. It holds for all that is stored, at once, since verdicts are computed when they are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// At which soft bounce an address is suppressed.
    pub soft_bounce_limit: SoftBounceLimit,
    /// How old a soft bounce may be to count, in seconds; of any age if not given.
    pub soft_bounce_window_seconds: Option<u64>,
    /// Whether soft bounces up to the latest delivery no longer count.
    pub delivery_resets_soft_bounces: bool,
    /// Whether at most one soft bounce of a day of UTC counts: the first.
    pub one_soft_bounce_a_day: bool,
    /// Classes that differ from the provider's, by category.
    pub classes: BTreeMap<BounceCategory, Class>,
    /// How long a suppression lasts after the newest evidence for it, in seconds; for good if not given.
    pub expiry_seconds: BTreeMap<Reason, u64>,
    /// Classes that count for a check of whichever account, though another one had the event.
    pub classes_of_every_account: Vec<Class>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            soft_bounce_limit: SoftBounceLimit(5),
            soft_bounce_window_seconds: None,
            delivery_resets_soft_bounces: false,
            one_soft_bounce_a_day: false,
            classes: BTreeMap::new(),
            expiry_seconds: BTreeMap::new(),
            classes_of_every_account: vec![Class::Hard, Class::Complaint],
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
        self.classes.get(&evidence.category).copied().unwrap_or_else(|| evidence.class())
    }

    /// Whether evidence of a class counts for a check of whichever account.
    #[must_use]
    pub fn counts_for_every_account(&self, class: Class) -> bool {
        self.classes_of_every_account.contains(&class)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_is_one_to_sixteen() {
        assert!(SoftBounceLimit::new(0).is_err());
        assert_eq!(SoftBounceLimit::new(1).unwrap().get(), 1);
        assert_eq!(SoftBounceLimit::new(16).unwrap().get(), 16);
        assert!(SoftBounceLimit::new(17).is_err());
    }
}
