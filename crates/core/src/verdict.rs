//! The verdict: whether an address is suppressed, why, since when. Pure: what is stored and the time of asking go in.

use std::fmt;

use crate::{Class, Evidence, Incidents, Policy, Record, UnixSeconds};

/// Why an address is suppressed. The order is the one in which a reason is named when several hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reason {
    /// An operator entered it.
    Manual,
    /// The recipient complained.
    Complaint,
    /// The mailbox or its domain does not exist.
    HardBounce,
    /// Soft bounces reached the policy's limit.
    SoftBounces,
}

/// A suppression that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Why.
    pub reason: Reason,
    /// Since when: the time of the evidence that brought it about.
    pub since: UnixSeconds,
    /// That evidence; none for an operator's entry.
    pub evidence: Option<Evidence>,
}

/// The answer to "may this address be mailed?".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The suppression, if there is one.
    pub suppression: Option<Suppression>,
    /// How many soft bounces count.
    pub soft_bounces: u32,
    /// At how many the address is suppressed.
    pub soft_bounce_limit: u32,
}

impl Verdict {
    /// The verdict on an address of which nothing is known.
    #[must_use]
    pub fn without_evidence(policy: &Policy) -> Self {
        Self { suppression: None, soft_bounces: 0, soft_bounce_limit: policy.soft_bounce_limit.get() }
    }

    /// Whether the address must not be mailed.
    #[must_use]
    pub fn is_suppressed(&self) -> bool {
        self.suppression.is_some()
    }
}

/// Judges a record.
///
/// Evidence up to a lift's fence and evidence that an open incident covers does not count.
#[must_use]
pub fn verdict(policy: &Policy, incidents: &Incidents, record: &Record, now: UnixSeconds) -> Verdict {
    let counting: Vec<&Evidence> = record
        .evidence()
        .iter()
        .filter(|evidence| record.lift.as_ref().is_none_or(|lift| lift.fence < evidence.time))
        .filter(|evidence| !incidents.cover(record.address.domain(), evidence))
        .collect();
    let soft = soft_bounces(policy, record, &counting, now);
    let limit = policy.soft_bounce_limit.get();
    let suppression = manual(record, now)
        .or_else(|| first_of(policy, &counting, Class::Complaint, Reason::Complaint, now))
        .or_else(|| first_of(policy, &counting, Class::Hard, Reason::HardBounce, now))
        .or_else(|| {
            let decisive = soft.get(limit as usize - 1)?;
            let newest = soft.last()?;
            holds(policy, Reason::SoftBounces, newest, now).then(|| suppressed(Reason::SoftBounces, decisive))
        });
    Verdict { suppression, soft_bounces: u32::try_from(soft.len()).unwrap_or(u32::MAX), soft_bounce_limit: limit }
}

fn manual(record: &Record, now: UnixSeconds) -> Option<Suppression> {
    let entry = record.manual.as_ref()?;
    let holds = entry.until.is_none_or(|until| now < until);
    holds.then_some(Suppression { reason: Reason::Manual, since: entry.since, evidence: None })
}

/// A suppression by the first piece of evidence of a class, if the newest one has not expired.
fn first_of(policy: &Policy, counting: &[&Evidence], class: Class, reason: Reason, now: UnixSeconds) -> Option<Suppression> {
    let mut of_class = counting.iter().filter(|evidence| policy.class_of(evidence) == class);
    let first = of_class.next()?;
    let newest = of_class.next_back().unwrap_or(first);
    holds(policy, reason, newest, now).then(|| suppressed(reason, first))
}

fn holds(policy: &Policy, reason: Reason, newest: &Evidence, now: UnixSeconds) -> bool {
    policy.expiry_seconds.get(&reason).is_none_or(|seconds| now < newest.time.plus(*seconds))
}

fn suppressed(reason: Reason, evidence: &Evidence) -> Suppression {
    Suppression { reason, since: evidence.time, evidence: Some(evidence.clone()) }
}

/// The soft bounces that count, in their order.
fn soft_bounces<'a>(policy: &Policy, record: &Record, counting: &[&'a Evidence], now: UnixSeconds) -> Vec<&'a Evidence> {
    let mut soft: Vec<&Evidence> = counting
        .iter()
        .copied()
        .filter(|evidence| policy.class_of(evidence) == Class::Soft)
        .filter(|evidence| policy.soft_bounce_window_seconds.is_none_or(|seconds| now < evidence.time.plus(seconds)))
        .filter(|evidence| {
            !policy.delivery_resets_soft_bounces || record.last_delivered.is_none_or(|delivered| delivered < evidence.time)
        })
        .collect();
    if policy.one_soft_bounce_a_day {
        soft.dedup_by_key(|evidence| evidence.time.utc_day());
    }
    soft
}

/// The verdict in words, for the person who asks why.
impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(suppression) = &self.suppression else {
            return write!(f, "not suppressed: {} of {} soft bounces", self.soft_bounces, self.soft_bounce_limit);
        };
        match suppression.reason {
            Reason::Manual => f.write_str("entered by an operator")?,
            Reason::Complaint => f.write_str("the recipient complained")?,
            Reason::HardBounce => f.write_str("hard bounce")?,
            Reason::SoftBounces => write!(f, "{} of {} soft bounces", self.soft_bounces, self.soft_bounce_limit)?,
        }
        if let Some(evidence) = &suppression.evidence {
            if !evidence.category.as_str().is_empty() {
                write!(f, ", {}", evidence.category.as_str())?;
            }
            if let Some(status) = evidence.status {
                write!(f, " {status}")?;
            }
        }
        write!(f, ", since {}", suppression.since)
    }
}

#[cfg(test)]
mod tests;
