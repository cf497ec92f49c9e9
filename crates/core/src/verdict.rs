//! The verdict: whether an address is suppressed, why, since when. Pure: what is stored and the time of asking go in.

mod case;
mod detail;
mod explanation;
mod outdated;
mod weighing;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Address, BounceCategory, Class, Evidence, Incidents, ManualEntry, Policy, Record, Tombstone, Trust, UnixSeconds};
use weighing::{Effect, Weighed, weigh};

pub use case::Case;
pub use detail::CountedSince;
pub use explanation::{ExplainedEvidence, Explanation, explain};
pub use outdated::outdated_verdict;

/// Why an address is suppressed. The order is the one in which a reason is named when several hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
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

/// What decided: of a piece of evidence what made it its class, of a suppression what brought it about.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Rule {
    /// An operator's entry.
    Manual,
    /// An operator's entry of the whole domain.
    WholeDomain,
    /// A complaint.
    Complaint,
    /// The class of a bounce category.
    Category(BounceCategory),
    /// A rule of the second opinion, by its id.
    Opinion(Cow<'static, str>),
    /// The limit of soft bounces.
    SoftBounces,
    /// It was erased while it was suppressed.
    Tombstone,
}

/// `manual`, `whole-domain`, `type:f`, `category:<bounce category>`, `opinion:<id>`, `soft-bounces`, `tombstone`.
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manual => f.write_str("manual"),
            Self::WholeDomain => f.write_str("whole-domain"),
            Self::Complaint => f.write_str("type:f"),
            Self::Category(category) => write!(f, "category:{}", category.as_str()),
            Self::Opinion(id) => write!(f, "opinion:{id}"),
            Self::SoftBounces => f.write_str("soft-bounces"),
            Self::Tombstone => f.write_str("tombstone"),
        }
    }
}

/// A suppression that holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suppression {
    /// Why.
    pub reason: Reason,
    /// By which rule.
    pub rule: Rule,
    /// Since when: the time of the evidence that brought it about.
    pub since: UnixSeconds,
    /// Until when, if nothing more happens; for good if not given.
    pub until: Option<UnixSeconds>,
    /// That evidence; none for an operator's entry.
    pub evidence: Option<Evidence>,
    /// The whole domain that an operator's entry suppresses; none if the suppression is the address's own.
    pub whole_domain: Option<WholeDomain>,
}

/// A whole domain that an operator suppressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WholeDomain {
    /// The domain, in lower-case ASCII.
    pub domain: Box<str>,
    /// Why, in the operator's words.
    pub note: Box<str>,
}

impl Suppression {
    /// What an operator's entry does to an address, or to all of a domain if the address stands for that.
    #[must_use]
    pub fn by_hand(address: &Address, entry: &ManualEntry) -> Self {
        if address.is_whole_domain() {
            let whole_domain = WholeDomain { domain: address.domain().into(), note: entry.note.as_str().into() };
            return Self { rule: Rule::WholeDomain, whole_domain: Some(whole_domain), ..Self::of_entry(entry) };
        }
        Self::of_entry(entry)
    }

    /// What the entry of an address does to it.
    fn of_entry(entry: &ManualEntry) -> Self {
        let (since, until) = (entry.since, entry.until);
        Self { reason: Reason::Manual, rule: Rule::Manual, since, until, evidence: None, whole_domain: None }
    }
}

/// For good.
impl From<&Tombstone> for Suppression {
    fn from(tombstone: &Tombstone) -> Self {
        let Tombstone { erased_at, reason } = *tombstone;
        Self { reason, rule: Rule::Tombstone, since: erased_at, until: None, evidence: None, whole_domain: None }
    }
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
    /// From when on evidence counts, if not all of it does.
    pub counted_since: CountedSince,
    /// The suppression that there would be if the second opinion were trusted; only where the policy has it advise, and where
    /// there is none without it.
    pub advice: Option<Suppression>,
    /// How many bounces and complaints incidents cover.
    pub left_out: u32,
}

impl Verdict {
    /// The verdict on an address of which nothing is known.
    #[must_use]
    pub fn without_evidence(policy: &Policy) -> Self {
        Self {
            suppression: None,
            soft_bounces: 0,
            soft_bounce_limit: policy.soft_bounce_limit.get(),
            counted_since: CountedSince::default(),
            advice: None,
            left_out: 0,
        }
    }

    /// Whether the address must not be mailed.
    #[must_use]
    pub fn is_suppressed(&self) -> bool {
        self.suppression.is_some()
    }
}

/// Judges a record, or a record and the entry of its whole domain.
///
/// The entry of the whole domain comes before whatever is known of the address itself. Evidence up to a lift's fence and evidence
/// that an incident in force covers does not count.
#[must_use]
pub fn verdict<'a>(policy: &Policy, incidents: &Incidents, case: impl Into<Case<'a>>, now: UnixSeconds) -> Verdict {
    let case = case.into();
    judge(policy, incidents, case, &weigh(policy, incidents, case.record, now), now)
}

fn judge(policy: &Policy, incidents: &Incidents, case: Case<'_>, weighed: &[Weighed<'_>], now: UnixSeconds) -> Verdict {
    let record = case.record;
    let count = |is_counted: fn(&Weighed<'_>) -> bool| {
        u32::try_from(weighed.iter().filter(|weighed| is_counted(weighed)).count()).unwrap_or(u32::MAX)
    };
    let suppression = suppression(policy, case, weighed, now);
    let may_advise = suppression.is_none()
        && policy.second_opinion == Trust::Advise
        && record.evidence().iter().any(|evidence| evidence.second_opinion.is_some());
    let advice = may_advise.then(|| {
        let enforcing = policy.enforcing();
        self::suppression(&enforcing, case, &weigh(&enforcing, incidents, record, now), now)
    });
    Verdict {
        suppression,
        soft_bounces: count(|weighed| weighed.counts_as(Class::Soft)),
        soft_bounce_limit: policy.soft_bounce_limit.get(),
        counted_since: CountedSince::of(policy, record),
        advice: advice.flatten(),
        left_out: count(|weighed| matches!(weighed.effect, Effect::Incident(_))),
    }
}

fn suppression(policy: &Policy, case: Case<'_>, weighed: &[Weighed<'_>], now: UnixSeconds) -> Option<Suppression> {
    let by_class = |class, reason, limit| {
        by_class(policy, weighed, class, reason, limit).filter(|suppression| suppression.until.is_none_or(|until| now < until))
    };
    let tombstone = case.record.tombstone.as_ref().map(Suppression::from);
    tombstone
        .or_else(|| of_whole_domain(case, now))
        .or_else(|| manual(case.record, now))
        .or_else(|| by_class(Class::Complaint, Reason::Complaint, 1))
        .or_else(|| by_class(Class::Hard, Reason::HardBounce, 1))
        .or_else(|| by_class(Class::Soft, Reason::SoftBounces, policy.soft_bounce_limit.get() as usize))
}

fn of_whole_domain(case: Case<'_>, now: UnixSeconds) -> Option<Suppression> {
    let entry = case.domain_entry.filter(|entry| entry.is_in_force(now))?;
    Some(Suppression::by_hand(&case.record.address.whole_domain(), entry))
}

fn manual(record: &Record, now: UnixSeconds) -> Option<Suppression> {
    record.manual.as_ref().filter(|entry| entry.is_in_force(now)).map(Suppression::of_entry)
}

/// A suppression by so many pieces of evidence of a class.
fn by_class(policy: &Policy, weighed: &[Weighed<'_>], class: Class, reason: Reason, limit: usize) -> Option<Suppression> {
    let of_class = || weighed.iter().filter(|weighed| weighed.counts_as(class)).map(|weighed| weighed.evidence);
    let decisive = of_class().nth(limit - 1)?;
    let newest = of_class().next_back()?;
    let expiry = policy.expiry_seconds.get(&reason).map(|seconds| newest.time.plus(*seconds));
    // When the oldest of the last ones that are needed leaves the window, there are too few of them.
    let window = policy.soft_bounce_window_seconds.filter(|_| reason == Reason::SoftBounces);
    let oldest_needed = of_class().nth_back(limit - 1)?;
    let too_few = window.map(|seconds| oldest_needed.time.plus(seconds));
    let until = [expiry, too_few].into_iter().flatten().min();
    let rule = if reason == Reason::SoftBounces { Rule::SoftBounces } else { policy.rule_of(decisive) };
    Some(Suppression { reason, rule, since: decisive.time, until, evidence: Some(decisive.clone()), whole_domain: None })
}

#[cfg(test)]
mod tests;
