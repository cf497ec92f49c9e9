//! The verdict when the incidents cannot be read: what can be said although they may be others by now.

use super::weighing::weigh_at_worst;
use super::{Case, Verdict, suppression, verdict};
use crate::{Incidents, Policy, UnixSeconds};

/// Judges as [`verdict`] does, but by incidents that may be others by now; `last_read` are those that were in force when they could be read, if
/// they ever could. `None` is doubt.
///
/// "Not suppressed" is said only of what no incidents suppress: one that released the address may be closed by now. "Suppressed"
/// is said by those that were read last; if one was opened since that releases the address, it is mailed later, and nothing
/// worse happens.
#[must_use]
pub fn outdated_verdict<'a>(
    policy: &Policy,
    last_read: Option<&Incidents>,
    case: impl Into<Case<'a>>,
    now: UnixSeconds,
) -> Option<Verdict> {
    let (case, none) = (case.into(), Incidents::default());
    let verdict = verdict(policy, last_read.unwrap_or(&none), case, now);
    let holds = if verdict.is_suppressed() { last_read.is_some() } else { !may_be_suppressed(policy, case, now) };
    holds.then_some(verdict)
}

/// Whether there are incidents, or none, under which an address is suppressed.
pub(super) fn may_be_suppressed<'a>(policy: &Policy, case: impl Into<Case<'a>>, now: UnixSeconds) -> bool {
    let case = case.into();
    suppression(policy, case, &weigh_at_worst(policy, &Incidents::default(), case.record, now), now).is_some()
}
