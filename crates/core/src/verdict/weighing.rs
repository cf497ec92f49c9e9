//! What each piece of a record's evidence weighs, and what keeps it from counting. The verdict and its explanation both go by it.

use crate::{Class, Evidence, Incident, Incidents, Policy, Record, UnixSeconds};

/// A piece of evidence, its class by the policy, and what becomes of it.
#[derive(Debug)]
pub(super) struct Weighed<'a> {
    pub(super) evidence: &'a Evidence,
    pub(super) class: Class,
    pub(super) effect: Effect<'a>,
}

/// What becomes of a piece of evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect<'a> {
    /// It counts as its class.
    Counts,
    /// Its class suppresses nobody.
    None,
    /// It is said of a whole domain, as if that were a recipient.
    NoRecipient,
    /// A lift came after it.
    Lifted,
    /// An incident covers it.
    Incident(&'a Incident),
    /// A soft bounce that is older than the window.
    BeyondWindow,
    /// A soft bounce, and a delivery came after it.
    BeforeDelivery,
    /// Not the first soft bounce of its day.
    SameDay,
}

impl Weighed<'_> {
    pub(super) fn counts_as(&self, class: Class) -> bool {
        self.effect == Effect::Counts && self.class == class
    }
}

/// Weighs the evidence of a record, in its order.
pub(super) fn weigh<'a>(policy: &Policy, incidents: &'a Incidents, record: &'a Record, now: UnixSeconds) -> Vec<Weighed<'a>> {
    weigh_each(policy, incidents, record, now, record.evidence().iter())
}

/// Weighs the evidence of a record, in its order, so that no incidents let more of it count, or any of it for longer; `none` are
/// no incidents.
///
/// What an incident covers does not count, and that is all that it does, but for one rule: of the soft bounces of a day the first
/// counts that is not covered, so an incident may let a later one of that day count, which leaves the window later and expires
/// later. None is later than the last one.
pub(super) fn weigh_at_worst<'a>(policy: &Policy, none: &'a Incidents, record: &'a Record, now: UnixSeconds) -> Vec<Weighed<'a>> {
    let mut weighed = weigh_each(policy, none, record, now, record.evidence().iter().rev());
    weighed.reverse();
    weighed
}

/// Weighs evidence as it comes: of the soft bounces of a day the first one that comes counts.
fn weigh_each<'a>(
    policy: &Policy,
    incidents: &'a Incidents,
    record: &Record,
    now: UnixSeconds,
    evidence: impl Iterator<Item = &'a Evidence>,
) -> Vec<Weighed<'a>> {
    let mut day_of_last_soft = None;
    let weigh_one = |evidence: &'a Evidence| {
        let class = policy.class_of(evidence);
        let mut effect = keeps_out(incidents, record, evidence).unwrap_or(match class {
            Class::Hard | Class::Complaint => Effect::Counts,
            Class::Soft => soft_bounce(policy, record, evidence, now),
            Class::Expired | Class::Unmapped => Effect::None,
        });
        // The one of a day is its first. When that leaves the window, no other one of the day takes its place.
        let is_of_day = class == Class::Soft && matches!(effect, Effect::Counts | Effect::BeyondWindow);
        if policy.one_soft_bounce_a_day && is_of_day {
            let day = Some(evidence.time.utc_day());
            if day_of_last_soft == day {
                effect = Effect::SameDay;
            }
            day_of_last_soft = day;
        }
        Weighed { evidence, class, effect }
    };
    evidence.map(weigh_one).collect()
}

/// What keeps evidence of whichever class from counting.
fn keeps_out<'a>(incidents: &'a Incidents, record: &Record, evidence: &Evidence) -> Option<Effect<'a>> {
    if record.address.is_whole_domain() {
        return Some(Effect::NoRecipient);
    }
    if record.lift.as_ref().is_some_and(|lift| evidence.time <= lift.fence) {
        return Some(Effect::Lifted);
    }
    incidents.covering(record.address.domain(), evidence).map(Effect::Incident)
}

fn soft_bounce<'a>(policy: &Policy, record: &Record, evidence: &Evidence, now: UnixSeconds) -> Effect<'a> {
    if policy.delivery_resets_soft_bounces && record.last_delivered.is_some_and(|delivered| evidence.time <= delivered) {
        return Effect::BeforeDelivery;
    }
    if policy.soft_bounce_window_seconds.is_some_and(|seconds| evidence.time.plus(seconds) <= now) {
        return Effect::BeyondWindow;
    }
    Effect::Counts
}
