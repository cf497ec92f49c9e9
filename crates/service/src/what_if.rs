//! Changes of verdicts as messages.

use suppressd_core::{Effect, Rule, VerdictChange};

use crate::proto::{self, ChangeCount, VerdictEffect};

impl From<Effect> for VerdictEffect {
    fn from(effect: Effect) -> Self {
        match effect {
            Effect::Suppressed => Self::Suppressed,
            Effect::Released => Self::Released,
        }
    }
}

impl From<&VerdictChange> for proto::VerdictChange {
    fn from(change: &VerdictChange) -> Self {
        Self {
            email: change.address.as_str().to_owned(),
            effect: VerdictEffect::from(change.effect).into(),
            rule: change.rule.to_string(),
        }
    }
}

/// A count of a [`suppressd_core::Tally`].
impl From<(Effect, &Rule, u64)> for ChangeCount {
    fn from((effect, rule, addresses): (Effect, &Rule, u64)) -> Self {
        Self { effect: VerdictEffect::from(effect).into(), rule: rule.to_string(), addresses }
    }
}
