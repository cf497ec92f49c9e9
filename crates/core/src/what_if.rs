//! What if: who would be suppressed or released under another policy, or with other incidents. Nothing is changed by asking.

use std::collections::BTreeMap;

use crate::{Address, Incidents, Policy, Record, Rule, Trust, UnixSeconds, Verdict, checksum, verdict};

/// By what a verdict is formed.
#[derive(Debug, Clone)]
pub struct Standpoint {
    policy: Policy,
    incidents: Incidents,
}

impl Standpoint {
    /// A policy, and the incidents in force.
    #[must_use]
    pub fn new(policy: &Policy, incidents: Incidents) -> Self {
        // Advice suppresses nobody, so there is no need to form it.
        let second_opinion = if policy.second_opinion == Trust::Enforce { Trust::Enforce } else { Trust::Off };
        Self { policy: Policy { second_opinion, ..policy.clone() }, incidents }
    }

    /// Tells it from others by which verdicts may be others: a sum of the policy and of what the incidents cover. The same in all
    /// processes of a version, and maybe not in the next one.
    #[must_use]
    pub fn mark(&self) -> u32 {
        let policy = Policy { outage_guard: None, ..self.policy.clone() };
        checksum(format!("{policy:?} {:?}", self.incidents.scopes().collect::<Vec<_>>()).as_bytes())
    }

    /// The verdict on a record, without advice.
    #[must_use]
    pub fn verdict(&self, record: &Record, now: UnixSeconds) -> Verdict {
        verdict(&self.policy, &self.incidents, record, now)
    }
}

/// What another standpoint does to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Effect {
    /// It may be mailed now, and would be suppressed.
    Suppressed,
    /// It is suppressed now, and could be mailed.
    Released,
}

impl Effect {
    /// All effects.
    pub const ALL: [Self; 2] = [Self::Suppressed, Self::Released];

    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Suppressed => "suppressed",
            Self::Released => "released",
        }
    }
}

/// An address whose verdict would be another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerdictChange {
    /// The address.
    pub address: Address,
    /// What would happen to it.
    pub effect: Effect,
    /// The rule that would suppress it, or that does now.
    pub rule: Rule,
}

impl VerdictChange {
    /// Compares two verdicts on an address; `None` if both allow or both forbid to mail it.
    #[must_use]
    pub fn between(address: &Address, before: &Verdict, after: &Verdict) -> Option<Self> {
        let (effect, suppression) = match (&before.suppression, &after.suppression) {
            (None, Some(suppression)) => (Effect::Suppressed, suppression),
            (Some(suppression), None) => (Effect::Released, suppression),
            (None, None) | (Some(_), Some(_)) => return None,
        };
        Some(Self { address: address.clone(), effect, rule: suppression.rule.clone() })
    }
}

/// How many addresses would be suppressed or released, by rule.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<(Effect, Rule), u64>);

impl Tally {
    /// Counts a change.
    pub fn count(&mut self, change: &VerdictChange) {
        *self.0.entry((change.effect, change.rule.clone())).or_default() += 1;
    }

    /// The counts by effect and rule.
    pub fn by_rule(&self) -> impl Iterator<Item = (Effect, &Rule, u64)> {
        self.0.iter().map(|((effect, rule), addresses)| (*effect, rule, *addresses))
    }

    /// How many addresses an effect has.
    #[must_use]
    pub fn total(&self, effect: Effect) -> u64 {
        self.by_rule().filter(|(counted, _, _)| *counted == effect).map(|(_, _, addresses)| addresses).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BounceCategory, EventId, EventKind, Evidence, SoftBounceLimit};

    const NOW: UnixSeconds = UnixSeconds::clamped(1_700_000_000);

    fn record(categories: &[&str]) -> Record {
        let mut record = Record::new("a@x.example".parse().unwrap());
        for (number, category) in (0..).zip(categories) {
            record.admit(Evidence {
                id: EventId::from_bits(number),
                time: UnixSeconds::clamped(1_600_000_000),
                is_time_of_receipt: false,
                kind: EventKind::Bounce,
                category: BounceCategory::from_wire(category),
                status: None,
                vmta: "".into(),
                account: "".into(),
                second_opinion: crate::StoredOpinion::from_stored("hr:unknown-user"),
            });
        }
        record
    }

    fn compare(after: &Policy, records: &[Record]) -> Vec<(Effect, String, u64)> {
        let (before, after) = (Policy::default(), after.clone());
        let [before, after] = [before, after].map(|policy| Standpoint::new(&policy, Incidents::default()));
        let mut tally = Tally::default();
        for record in records {
            let change = VerdictChange::between(&record.address, &before.verdict(record, NOW), &after.verdict(record, NOW));
            if let Some(change) = change {
                tally.count(&change);
            }
        }
        let total: u64 = Effect::ALL.map(|effect| tally.total(effect)).into_iter().sum();
        assert_eq!(tally.by_rule().map(|(_, _, addresses)| addresses).sum::<u64>(), total);
        tally.by_rule().map(|(effect, rule, addresses)| (effect, rule.to_string(), addresses)).collect()
    }

    #[test]
    fn a_standpoint_is_known_by_what_verdicts_depend_on() {
        use crate::{Act, Incident, Origin, OutageGuard, Scope};
        let mark = |policy: &Policy, incidents: &Incidents| Standpoint::new(policy, incidents.clone()).mark();
        let (policy, none) = (Policy::default(), Incidents::default());
        let six = Policy { soft_bounce_limit: SoftBounceLimit::new(6).unwrap(), ..Policy::default() };
        let advises_not = Policy { second_opinion: Trust::Off, ..Policy::default() };
        let guard = OutageGuard { minimum_hard_bounces: 1, ratio: 2, window_seconds: 3, past_seconds: 4, covers_seconds: 5 };
        let guarded = Policy { outage_guard: Some(guard), ..Policy::default() };
        assert_ne!(mark(&six, &none), mark(&policy, &none));
        assert_ne!(mark(&policy.enforcing(), &none), mark(&policy, &none));
        assert_eq!(mark(&advises_not, &none), mark(&policy, &none));
        assert_eq!(mark(&guarded, &none), mark(&policy, &none));
        let scope = Scope { from: NOW, to: NOW, vmta: None, domain: Some("x.example".into()), rule: None };
        let act = |why: &str| Act { at: NOW, who: "ops".into(), why: why.into() };
        let opened = Incident::opened(scope, Origin::Guard, act("x"));
        let kept = Incident { kept: Some(act("y")), ..opened.clone() };
        let with = |incident: Incident| mark(&policy, &Incidents::new([incident]));
        assert_ne!(with(opened.clone()), mark(&policy, &none));
        assert_eq!(with(kept), with(opened));
    }

    #[test]
    fn changes_are_counted_by_the_rule_that_suppresses() {
        let records = [record(&["quota-issues"; 3]), record(&["quota-issues"; 5]), record(&["bad-mailbox"]), record(&["other"])];
        assert_eq!(compare(&Policy::default(), &records), []);
        let three = Policy { soft_bounce_limit: SoftBounceLimit::new(3).unwrap(), ..Policy::default() };
        assert_eq!(compare(&three, &records), [(Effect::Suppressed, "soft-bounces".into(), 1)]);
        let six = Policy { soft_bounce_limit: SoftBounceLimit::new(6).unwrap(), ..Policy::default() };
        assert_eq!(compare(&six, &records), [(Effect::Released, "soft-bounces".into(), 1)]);
        let enforcing = Policy::default().enforcing();
        assert_eq!(compare(&enforcing, &records), [(Effect::Suppressed, "opinion:unknown-user".into(), 1)]);
        let classes = [(BounceCategory::from_wire("bad-mailbox"), crate::Class::Unmapped)].into();
        let unmapped = Policy { classes, ..Policy::default() };
        assert_eq!(compare(&unmapped, &records), [(Effect::Released, "category:bad-mailbox".into(), 1)]);
    }
}
