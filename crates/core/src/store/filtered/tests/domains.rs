//! Whole domains behind a filter.

use proptest::prelude::*;

use super::*;
use crate::store::Findings;
use crate::store::memory::MemoryStore;
use crate::{Case, Incidents, Policy, verdict};

/// What is asked of the store to judge these addresses.
fn asked(store: &FilteredStore<Watched>, watched: &Watched, addresses: &[&str]) -> Vec<String> {
    let addresses: Vec<_> = addresses.iter().map(|text| address(text)).collect();
    let addresses: Vec<_> = addresses.iter().map(AddressRef::from).collect();
    assert_eq!(now(store.find(&addresses)).unwrap().addresses(), addresses.len());
    std::mem::take(&mut *watched.0.asked.lock().unwrap())
}

fn confirm_all(known: &Known) {
    for bucket in 0..=u8::MAX {
        known.confirm(bucket, Instant::now());
    }
}

fn entry(until: Option<i64>) -> ManualEntry {
    let until = until.map(UnixSeconds::clamped);
    ManualEntry { since: UnixSeconds::default(), until, who: "ops".into(), note: "spam traps".into(), request_id: None }
}

#[test]
fn only_addresses_of_a_domain_that_is_known_cost_a_look() {
    let (store, watched, known) = filtered();
    confirm_all(&known);
    assert_eq!(asked(&store, &watched, &["a@bad.example", "b@good.example"]).len(), 0);
    known.add("*@bad.example");
    known.add("c@good.example");
    let asked_for = asked(&store, &watched, &["a@bad.example", "b@good.example", "c@good.example", "d@bad.example"]);
    assert_eq!(asked_for, ["c@good.example", "*@bad.example"], "the domain's record once, and nobody's who has none");
    // Another domain, whatever it ends with; and of itself it is asked once.
    assert_eq!(asked(&store, &watched, &["a@sub.bad.example", "a@worse-bad.example"]).len(), 0);
    assert_eq!(asked(&store, &watched, &["*@bad.example", "*@good.example"]), ["*@bad.example"]);
    let state = store.filter_state().unwrap();
    assert_eq!((state.answered, state.passed_on, state.unconfirmed), (6, 4, 0));
}

#[test]
fn what_is_told_in_the_bucket_of_an_address_is_told_of_its_domain() {
    let (store, watched, known) = filtered();
    confirm_all(&known);
    // That of what stands for a domain: its shard may be away, and its entry is told in the others.
    known.doubt(b'*');
    assert_eq!(asked(&store, &watched, &["a@x.example", "b@x.example"]), [""; 0]);
    known.doubt(b'a');
    assert_eq!(asked(&store, &watched, &["a@x.example", "b@x.example"]), ["a@x.example", "*@x.example"]);
    assert_eq!(store.filter_state().unwrap().unconfirmed, 1);
    // What was confirmed longer ago than the bound is not.
    let store = FilteredStore::new(watched.clone(), Duration::ZERO);
    confirm_all(store.known.as_ref().unwrap());
    assert_eq!(asked(&store, &watched, &["b@x.example"]), ["b@x.example", "*@x.example"]);
    assert_eq!(asked(&FilteredStore::unfiltered(watched.clone()), &watched, &["b@x.example"]), ["b@x.example", "*@x.example"]);
}

#[test]
fn a_strict_question_is_asked_of_the_store_with_the_domain() {
    let (store, watched, known) = filtered();
    confirm_all(&known);
    assert_eq!(now(store.find_strictly(&[(&address("a@x.example")).into()])).unwrap().addresses(), 1);
    assert_eq!(*watched.0.asked.lock().unwrap(), ["a@x.example", "*@x.example"]);
}

#[test]
fn a_fault_while_a_domain_is_read_stays_one() {
    let (store, watched, known) = filtered();
    confirm_all(&known);
    known.add("*@bad.example");
    watched.0.fails.store(true, Ordering::Relaxed);
    let ask = |text: &str| now(store.find(&[(&address(text)).into()]));
    assert_eq!(ask("a@bad.example"), Err(Error::StoreOverloaded));
    assert_eq!(ask("a@good.example"), Ok(Found::nothing(1)));
    known.doubt(b'a');
    assert_eq!(ask("a@good.example"), Err(Error::StoreOverloaded));
}

/// What may happen, to which of the names.
#[derive(Debug, Clone)]
enum Act {
    Suppress(usize, Option<i64>),
    Lift(usize),
    /// Time goes on.
    Wait(i64),
    /// Its bucket is confirmed, or is in doubt.
    Confirm(u8, bool),
}

const NAMES: [&str; 7] = [
    "a@one.example",
    "b@one.example",
    "*@one.example",
    "a@two.example",
    "*@two.example",
    "a@sub.one.example",
    "*@sub.one.example",
];

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let name = 0..NAMES.len();
    let act = prop_oneof![
        4 => (name.clone(), prop::option::of(1_i64..20)).prop_map(|(name, seconds)| Act::Suppress(name, seconds)),
        2 => name.prop_map(Act::Lift),
        1 => (1_i64..10).prop_map(Act::Wait),
        2 => (prop::sample::select(&b"ab*"[..]), any::<bool>()).prop_map(|(bucket, confirms)| Act::Confirm(bucket, confirms)),
    ];
    prop::collection::vec(act, 0..40)
}

/// The reference store, with the buckets of the other one.
#[derive(Clone, Default)]
struct Buckets(MemoryStore);

impl EvidenceStore for Buckets {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        self.0.record(events).await
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        self.0.records(addresses).await
    }

    async fn probe(&self) -> Result<(), Error> {
        self.0.probe().await
    }
}

impl AdministrativeStore for Buckets {
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        self.0.suppress(address, entry).await
    }

    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        self.0.enter(entries).await
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        self.0.lift(address, now, who, why).await
    }

    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        self.0.erase(address, seen, tombstone).await
    }

    async fn compact(&self) -> Result<bool, Error> {
        self.0.compact().await
    }
}

impl FeedStore for Buckets {
    fn bucket_of(&self, address: AddressRef<'_>) -> u8 {
        address.as_str().as_bytes()[0]
    }

    async fn follow<S: FeedSink>(&self, _: Arc<S>) -> Infallible {
        std::future::pending().await
    }
}

fn is_suppressed(findings: &Findings, address: &Address, now: UnixSeconds) -> bool {
    let unknown = Record::new(address.clone());
    let case = Case::new(findings.record.as_ref().unwrap_or(&unknown), findings.domain_entry.as_deref());
    verdict(&Policy::default(), &Incidents::default(), case, now).is_suppressed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn who_is_suppressed_is_in_a_set_of_addresses_or_of_domains(acts in acts(), limit in 0_usize..4) {
        let known = Known::new(Duration::from_hours(1), limit);
        let store = FilteredStore { store: Buckets::default(), known: Some(Arc::new(known)) };
        // Until when each name is suppressed.
        let mut model = [None; NAMES.len()];
        let mut time = 0;
        for act in acts {
            match act {
                Act::Suppress(name, seconds) => {
                    let until = seconds.map(|seconds| time + seconds);
                    now(store.suppress(&address(NAMES[name]), entry(until))).unwrap();
                    model[name] = Some(until.unwrap_or(i64::MAX));
                }
                Act::Lift(name) => {
                    now(store.lift(&address(NAMES[name]), UnixSeconds::clamped(time), "ops", "typo")).unwrap();
                    model[name] = None;
                }
                Act::Wait(seconds) => time += seconds,
                Act::Confirm(bucket, confirms) => {
                    let known = store.known.as_ref().unwrap();
                    if confirms { known.confirm(bucket, Instant::now()) } else { known.doubt(bucket) }
                }
            }
            let holds = |name: &str| NAMES.iter().zip(&model).any(|(other, until)| *other == name && until.is_some_and(|until| time < until));
            let asked = [&NAMES[..], &["c@one.example", "a@other.example"]].concat();
            let addresses: Vec<_> = asked.iter().map(|name| address(name)).collect();
            let expected: Vec<_> =
                asked.iter().map(|name| holds(name) || holds(&format!("*@{}", name.split_once('@').unwrap().1))).collect();
            let asked: Vec<_> = addresses.iter().map(AddressRef::from).collect();
            for found in [now(store.find(&asked)), now(store.find_strictly(&asked))] {
                let suppressed = |(findings, address)| is_suppressed(findings, address, UnixSeconds::clamped(time));
                let found: Vec<_> = found.unwrap().into_all().iter().zip(&addresses).map(suppressed).collect();
                prop_assert_eq!(&found, &expected);
            }
        }
    }
}
