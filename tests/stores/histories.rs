//! Random histories: every store makes of them what the reference store does, and their order changes no verdict.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::future::Future;

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{AdministrativeStore, Outcome, Store};
use suppressd_core::{
    Address, Class, DAY_SECONDS, Erasure, Event, EventKind, Evidence, Incidents, KEPT_DAYS, KEPT_PER_DAY, ManualEntry, Policy,
    Reason, Record, Tombstone, UnixSeconds, verdict,
};

use super::over_every_store;
use crate::events::{address, at, bounce, entry};

over_every_store!(a_store_does_what_the_reference_does, neither_order_nor_repetition_matters);

const CATEGORIES: [&str; 7] = ["quota-issues", "bad-mailbox", "message-expired", "other", "", "made|up%", "inactive-mailbox"];

/// Most addresses of a history.
const MAX_ADDRESSES: usize = 3;

/// One call of a store. Recipients are numbers: every history has addresses of its own.
#[derive(Debug, Clone)]
enum Step {
    Record(Vec<Seed>),
    Suppress(usize, ManualEntry),
    Lift(usize, UnixSeconds),
    /// Whether a tombstone is left.
    Erase(usize, bool),
}

/// An event in the making.
#[derive(Debug, Clone)]
struct Seed {
    recipient: usize,
    number: u64,
    seconds: i64,
    kind: EventKind,
    category: &'static str,
}

impl Seed {
    fn event(&self, addresses: &[Address]) -> Event {
        let event = bounce("replaced@x.example", self.number, self.seconds, self.category);
        // Which event has no time of its own is fixed by what it is.
        let is_time_of_receipt = self.number.is_multiple_of(4);
        Event { recipient: addresses[self.recipient].clone(), kind: self.kind, is_time_of_receipt, ..event }
    }
}

prop_compose! {
    /// Few days with many events, or many days with few, so that both bounds are exceeded; few times of a day, so that
    /// identities decide; few categories, so that there are enough of a class; few numbers, so that there are duplicates.
    fn seeds()(
        shape in (prop_oneof![1_i64..4, 4_i64..40], 1_i64..30, 1..=CATEGORIES.len(), 1..=MAX_ADDRESSES),
        seeds in prop::collection::vec((0_u64..300, 0_i64..1000, 0_i64..1000, 0..CATEGORIES.len(), 0..20_u8, 0..MAX_ADDRESSES), 1..400),
    ) -> Vec<Seed> {
        let (days, times, categories, addresses) = shape;
        let seed = |(number, day, time, category, kind, recipient): (u64, i64, i64, usize, u8, usize)| Seed {
            recipient: recipient % addresses,
            // Identities whose texts sort differently by a dictionary's order than by their bytes.
            number: number.wrapping_mul(0x9e37_79b9_7f4a_7c15),
            seconds: day % days * DAY_SECONDS + time % times * 60,
            kind: match kind {
                0 => EventKind::Delivered,
                1..=3 => EventKind::Complaint,
                4..=6 => EventKind::RemoteBounce,
                _ => EventKind::Bounce,
            },
            category: CATEGORIES[category % categories],
        };
        seeds.into_iter().map(seed).collect()
    }
}

/// Calls of at most so many events, and here and there an operator's act between them.
fn histories() -> impl Strategy<Value = Vec<Step>> {
    let act = (0..5_u8, 0..MAX_ADDRESSES, 0..40 * DAY_SECONDS, any::<prop::sample::Index>());
    (seeds(), 1..90_usize, prop::collection::vec(act, 0..3)).prop_map(|(seeds, batch, acts)| {
        let mut steps: Vec<_> = seeds.chunks(batch).map(|part| Step::Record(part.to_vec())).collect();
        for (act, who, seconds, place) in acts {
            let act = match act {
                0 | 1 => Step::Suppress(who, entry(seconds, "by hand")),
                2 | 3 => Step::Lift(who, at(seconds)),
                _ => Step::Erase(who, seconds % 2 == 0),
            };
            steps.insert(place.index(steps.len() + 1), act);
        }
        steps
    })
}

/// What a store answered to a history, step by step, and what it keeps then.
async fn live_through(
    store: &impl AdministrativeStore,
    steps: &[Step],
    addresses: &[Address],
) -> (Vec<Outcome>, Vec<Option<Record>>) {
    let mut outcomes = Vec::new();
    for step in steps {
        match step {
            Step::Record(seeds) => {
                let events: Vec<_> = seeds.iter().map(|seed| seed.event(addresses)).collect();
                outcomes.extend(store.record(&events).await.unwrap());
            }
            Step::Suppress(who, entry) => store.suppress(&addresses[*who], entry.clone()).await.unwrap(),
            Step::Lift(who, now) => {
                store.lift(&addresses[*who], *now, "ops", "typo").await.unwrap();
            }
            Step::Erase(who, leaves_tombstone) => {
                let address = &addresses[*who];
                let seen = store.records(std::slice::from_ref(address)).await.unwrap().remove(0);
                let tombstone = leaves_tombstone.then_some(Tombstone { erased_at: at(7), reason: Reason::Manual });
                let erasure = store.erase(address, seen.as_ref(), tombstone).await.unwrap();
                assert!(matches!(erasure, Erasure::Done(_)), "{erasure:?}");
            }
        }
    }
    (outcomes, store.records(addresses).await.unwrap())
}

/// How often the histories of a run reached what is worth reaching.
#[derive(Default)]
struct Reached {
    duplicate: Cell<u64>,
    ignored: Cell<u64>,
    evicted: Cell<u64>,
    full_days: Cell<u64>,
    full_spans: Cell<u64>,
}

impl Reached {
    fn note(&self, outcomes: &[Outcome], records: &[Option<Record>]) {
        let add = |cell: &Cell<u64>, count: usize| cell.set(cell.get() + count as u64);
        let count = |wanted| outcomes.iter().filter(|outcome| **outcome == wanted).count();
        add(&self.duplicate, count(Outcome::Duplicate));
        add(&self.ignored, count(Outcome::Ignored));
        for record in records.iter().flatten() {
            let counted: u64 = Class::ALL.into_iter().map(|class| record.counters.get(class)).sum();
            self.evicted.set(self.evicted.get() + counted - record.evidence().len() as u64);
            for class in Class::ALL {
                let mut of_days = BTreeMap::new();
                for kept in record.evidence().iter().filter(|kept| kept.class() == class) {
                    *of_days.entry(kept.time.utc_day()).or_insert(0) += 1;
                }
                add(&self.full_days, of_days.values().filter(|count| **count == KEPT_PER_DAY).count());
                add(&self.full_spans, usize::from(of_days.len() == KEPT_DAYS));
            }
        }
    }

    /// A run that stays within the bounds would show nothing.
    fn assert_beyond_the_bounds(&self) {
        let reached = [&self.duplicate, &self.ignored, &self.evicted, &self.full_days, &self.full_spans].map(Cell::get);
        // About twenty full days and spans are usual, so that none at all is no matter of chance.
        assert!(reached.iter().all(|count| *count > 0), "duplicate, ignored, evicted, full days, full spans: {reached:?}");
    }
}

/// Tries a property on random values, from within a runtime.
fn for_all<S: Strategy>(cases: u32, values: &S, property: impl Fn(S::Value) -> Result<(), TestCaseError>) {
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    tokio::task::block_in_place(|| TestRunner::new(config).run(values, property).unwrap());
}

fn wait_for<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Handle::current().block_on(work)
}

/// Addresses that no other history has.
fn fresh_addresses(histories: &Cell<u32>) -> Vec<Address> {
    let history = histories.replace(histories.get() + 1);
    (0..MAX_ADDRESSES).map(|number| address(&format!("a{number}@history{history}.example"))).collect()
}

async fn a_store_does_what_the_reference_does(store: impl Store) {
    let histories_so_far = Cell::default();
    let reached = Reached::default();
    for_all(200, &histories(), |steps| {
        let addresses = fresh_addresses(&histories_so_far);
        let expected = wait_for(live_through(&MemoryStore::default(), &steps, &addresses));
        reached.note(&expected.0, &expected.1);
        prop_assert_eq!(wait_for(live_through(&store, &steps, &addresses)), expected);
        Ok(())
    });
    reached.assert_beyond_the_bounds();
}

async fn neither_order_nor_repetition_matters(store: impl Store) {
    // A delivery counts only beside a record, so its place matters. An identity says what happened, on the wire as here.
    let of_one = seeds().prop_map(|mut seeds| {
        for seed in &mut seeds {
            seed.recipient = 0;
        }
        seeds.retain(|seed| seed.kind != EventKind::Delivered);
        seeds.sort_by_key(|seed| seed.number);
        seeds.dedup_by_key(|seed| seed.number);
        seeds
    });
    let repeated = |seeds: Vec<Seed>| {
        let repetitions = prop::collection::vec(1..3_usize, seeds.len());
        let shuffled = repetitions.prop_flat_map(move |repetitions| {
            let all = seeds.iter().zip(repetitions).flat_map(|(seed, times)| vec![seed.clone(); times]);
            Just(all.collect::<Vec<_>>()).prop_shuffle()
        });
        (shuffled.clone(), shuffled, 1..90_usize, 1..90_usize)
    };
    let histories_so_far = Cell::default();
    let reached = Reached::default();
    for_all(100, &of_one.prop_flat_map(repeated), |(one, other, batch_of_one, batch_of_other)| {
        let [one, other] = [(one, batch_of_one), (other, batch_of_other)].map(|(seeds, batch)| {
            let addresses = fresh_addresses(&histories_so_far);
            let steps: Vec<_> = seeds.chunks(batch).map(|part| Step::Record(part.to_vec())).collect();
            let (outcomes, mut records) = wait_for(live_through(&store, &steps, &addresses));
            reached.note(&outcomes, &records);
            end_of(records.remove(0))
        });
        prop_assert_eq!(one, other);
        Ok(())
    });
    reached.assert_beyond_the_bounds();
}

/// What must not depend on order: the evidence and the verdict. The counters say how much was ever kept on the way.
fn end_of(record: Option<Record>) -> Option<(Vec<Evidence>, suppressd_core::Verdict)> {
    let record = record?;
    let judged = verdict(&Policy::default(), &Incidents::default(), &record, at(50 * DAY_SECONDS));
    Some((record.evidence().to_vec(), judged))
}
