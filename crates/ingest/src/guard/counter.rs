//! Answers of domains that were counted here and that the store has not been told of yet.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use suppressd_core::store::{DomainAnswers, Outcome};
use suppressd_core::{Answers, AnswersBySlot, Class, Event, EventKind, Policy, Slot, UnixSeconds};

use crate::Metrics;

/// Most stretches of time, those of all domains together, in which answers wait for the next flush: as many as a body has events.
/// If each is of another domain, and all have the longest of names, they take some 40 MB; during a flush that much twice.
const MAX_COUNTED_SLOTS: usize = 65_536;

/// Most stretches of time that the store is told of in one call, unless one domain alone has more.
const MAX_SLOTS_PER_CALL: usize = 256;

/// Counts how domains answer, for the guard to take. Nobody waits for it longer than it takes to add a few numbers.
pub(crate) struct Counter {
    counted: Mutex<Counted>,
    metrics: Metrics,
}

impl Counter {
    pub(crate) fn new(metrics: Metrics) -> Self {
        Self { counted: Mutex::default(), metrics }
    }

    /// Counts what was recorded of a body, if the policy has a guard. What is older than the store keeps is left out here
    /// already, or a replay of old events would take the room of what matters.
    pub(crate) fn count(&self, policy: &Policy, events: &[Event], outcomes: &[Outcome], now: UnixSeconds) {
        if policy.outage_guard.is_none() {
            return;
        }
        let oldest = Slot::oldest_kept(now);
        let mut of_body = Counted::default();
        let mut unfit = 0;
        for (event, _) in events.iter().zip(outcomes).filter(|(_, outcome)| **outcome == Outcome::Recorded) {
            let slot = Slot::of(event.time);
            if let Some(answer) = answer(policy, event).filter(|_| slot >= oldest) {
                unfit += of_body.add(event.recipient.domain(), slot, answer);
            }
        }
        // A body goes in as a whole: the guard must not see its bounces without its deliveries.
        unfit += self.counted().merge(of_body);
        self.metrics.count_uncounted_answers(unfit);
    }

    /// Takes all that is counted, to tell the store of it.
    pub(super) fn take(&self) -> Untold {
        Untold(std::mem::take(&mut *self.counted()).domains)
    }

    fn counted(&self) -> MutexGuard<'_, Counted> {
        self.counted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event as an answer of the recipient's domain. A complaint is none: it is the recipient who complains.
fn answer(policy: &Policy, event: &Event) -> Option<Answers> {
    match event.kind {
        EventKind::Complaint => None,
        EventKind::Delivered => Some(Answers::one(false)),
        EventKind::Bounce | EventKind::RemoteBounce => {
            event.evidence().map(|evidence| Answers::one(policy.class_of(&evidence) == Class::Hard))
        }
    }
}

/// Answers by domain and stretch of time, within a bound.
#[derive(Debug, Default)]
struct Counted {
    domains: BTreeMap<Box<str>, AnswersBySlot>,
    slots: usize,
}

impl Counted {
    /// Adds answers. Says how many there was no room for.
    fn add(&mut self, domain: &str, slot: Slot, answers: Answers) -> u64 {
        if let Some(counted) = self.domains.get_mut(domain).and_then(|slots| slots.get_mut(&slot)) {
            *counted += answers;
            return 0;
        }
        if self.slots >= MAX_COUNTED_SLOTS {
            return answers.all;
        }
        self.slots += 1;
        self.domains.entry(domain.into()).or_default().insert(slot, answers);
        0
    }

    fn merge(&mut self, more: Self) -> u64 {
        let mut unfit = 0;
        for (domain, slots) in more.domains {
            for (slot, answers) in slots {
                unfit += self.add(&domain, slot, answers);
            }
        }
        unfit
    }
}

/// What the store is to be told of, in its calls.
///
/// A domain is never split: what is given back for its bounces would lack its deliveries, and if one half were lost the share of
/// its bounces would be wrong.
#[derive(Debug, Default)]
pub(super) struct Untold(BTreeMap<Box<str>, AnswersBySlot>);

impl Untold {
    /// Puts together the domains with the same number.
    pub(super) fn by_shard(self, shard_of: impl Fn(&str) -> usize) -> impl Iterator<Item = Self> {
        let mut shards: BTreeMap<usize, Self> = BTreeMap::new();
        for (domain, slots) in self.0 {
            shards.entry(shard_of(&domain)).or_default().0.insert(domain, slots);
        }
        shards.into_values()
    }
}

impl Iterator for Untold {
    type Item = Vec<DomainAnswers>;

    /// What the store is told of in the next call.
    fn next(&mut self) -> Option<Vec<DomainAnswers>> {
        let mut call = Vec::new();
        while let Some(next) = self.0.first_entry() {
            if !call.is_empty() && call.len() + next.get().len() > MAX_SLOTS_PER_CALL {
                break;
            }
            let (domain, slots) = next.remove_entry();
            call.extend(slots.into_iter().map(|(slot, answers)| DomainAnswers { domain: domain.clone(), slot, answers }));
        }
        (!call.is_empty()).then_some(call)
    }
}

#[cfg(test)]
mod tests;
