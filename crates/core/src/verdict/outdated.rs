//! The verdict when the incidents cannot be read: what can be said although they may be others by now.

use super::weighing::weigh_at_worst;
use super::{Verdict, suppression, verdict};
use crate::{Incidents, Policy, Record, UnixSeconds};

/// Judges a record by incidents that may be others by now; `last_read` are those that were in force when they could be read, if
/// they ever could. `None` is doubt.
///
/// "Not suppressed" is said only of what no incidents suppress: one that released the address may be closed by now. "Suppressed"
/// is said by those that were read last; if one was opened since that releases the address, it is mailed later, and nothing
/// worse happens.
#[must_use]
pub fn outdated_verdict(policy: &Policy, last_read: Option<&Incidents>, record: &Record, now: UnixSeconds) -> Option<Verdict> {
    let none = Incidents::default();
    let verdict = verdict(policy, last_read.unwrap_or(&none), record, now);
    let holds = if verdict.is_suppressed() { last_read.is_some() } else { !may_be_suppressed(policy, record, now) };
    holds.then_some(verdict)
}

/// Whether there are incidents, or none, under which a record is suppressed.
pub(super) fn may_be_suppressed(policy: &Policy, record: &Record, now: UnixSeconds) -> bool {
    suppression(policy, record, &weigh_at_worst(policy, &Incidents::default(), record, now), now).is_some()
}
