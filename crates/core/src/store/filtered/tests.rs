mod domains;

use std::future::Future;
use std::pin::pin;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use super::*;

/// A store of which a test knows what it was asked for, and that fails when told to. Its buckets go by the first letter.
#[derive(Clone, Default)]
struct Watched(Arc<Inner>);

#[derive(Default)]
struct Inner {
    asked: Mutex<Vec<String>>,
    fails: AtomicBool,
}

impl EvidenceStore for Watched {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        if self.0.fails.load(Ordering::Relaxed) {
            return Err(Error::StoreOverloaded);
        }
        Ok(vec![Outcome::Recorded; events.len()])
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        if self.0.fails.load(Ordering::Relaxed) {
            return Err(Error::StoreOverloaded);
        }
        self.0.asked.lock().unwrap().extend(addresses.iter().map(|address| address.as_str().to_owned()));
        Ok(addresses.iter().map(|address| Some(Record::new(address.clone()))).collect())
    }

    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl FeedStore for Watched {
    fn bucket_of(&self, address: AddressRef<'_>) -> u8 {
        address.as_str().as_bytes()[0]
    }

    async fn follow<S: FeedSink>(&self, _: Arc<S>) -> Infallible {
        std::future::pending().await
    }
}

/// What is done here never waits.
fn now<T>(work: impl Future<Output = T>) -> T {
    match pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(done) => done,
        Poll::Pending => panic!("it waits"),
    }
}

fn address(text: &str) -> Address {
    text.parse().unwrap()
}

const BOUND: Duration = Duration::from_millis(250);

fn filtered() -> (FilteredStore<Watched>, Watched, Arc<Known>) {
    let watched = Watched::default();
    let store = FilteredStore::new(watched.clone(), BOUND);
    let known = Arc::clone(store.known.as_ref().unwrap());
    (store, watched, known)
}

/// Of which of these addresses the store was asked.
fn asked(store: &FilteredStore<Watched>, watched: &Watched, addresses: &[&str]) -> Vec<String> {
    let addresses: Vec<_> = addresses.iter().map(|text| address(text)).collect();
    let records = now(store.records(&addresses)).unwrap();
    let asked = std::mem::take(&mut *watched.0.asked.lock().unwrap());
    // Who was asked for has a record in this store, and nobody else.
    for (address, record) in addresses.iter().zip(records) {
        assert_eq!(record.map(|record| record.address), asked.contains(&address.as_str().to_owned()).then(|| address.clone()));
    }
    asked
}

#[test]
fn only_what_is_confirmed_is_answered_from_memory() {
    let (store, watched, known) = filtered();
    known.add("a1@x.example");
    assert_eq!(asked(&store, &watched, &["a1@x.example", "a2@x.example"]), ["a1@x.example", "a2@x.example"]);
    known.confirm(b'a', Instant::now());
    assert_eq!(asked(&store, &watched, &["a2@x.example", "a1@x.example", "b@x.example"]), ["a1@x.example", "b@x.example"]);
    known.doubt(b'a');
    assert_eq!(asked(&store, &watched, &["a2@x.example"]), ["a2@x.example"]);
    let state = store.filter_state().unwrap();
    assert_eq!((state.answered, state.passed_on, state.unconfirmed, state.addresses), (1, 1, 4, 1));
}

#[test]
fn a_confirmation_ends_with_its_bound() {
    let (store, watched, known) = filtered();
    let long_ago = |time: Duration| Instant::now().checked_sub(time).unwrap();
    // By when the store was asked, however lately it answered.
    known.confirm(b'a', long_ago(BOUND / 2));
    assert_eq!(asked(&store, &watched, &["a@x.example"]).len(), 0);
    assert!(!known.confirmations.is_confirmed(b'a', known.confirmations.nanoseconds(Instant::now() + BOUND)));
    for bucket in 0..=255 {
        known.confirm(bucket, Instant::now());
    }
    assert!(store.filter_state().unwrap().lag.unwrap() < BOUND);
    known.doubt(7);
    assert_eq!(store.filter_state().unwrap().lag, None);
}

#[test]
fn what_is_recorded_here_is_known_before_it_is() {
    let (store, watched, known) = filtered();
    known.confirm(b'a', Instant::now());
    now(store.record(&[Event::bare("a1@x.example", 1, EventKind::Bounce), Event::bare("a2@x.example", 1, EventKind::Delivered)]))
        .unwrap();
    assert_eq!(asked(&store, &watched, &["a1@x.example", "a2@x.example"]), ["a1@x.example"]);
    // What failed may be there.
    watched.0.fails.store(true, Ordering::Relaxed);
    assert!(now(store.record(&[Event::bare("a3@x.example", 1, EventKind::Complaint)])).is_err());
    watched.0.fails.store(false, Ordering::Relaxed);
    assert_eq!(asked(&store, &watched, &["a3@x.example"]), ["a3@x.example"]);
}

#[test]
fn a_fault_of_the_store_stays_one() {
    let (store, watched, known) = filtered();
    known.confirm(b'a', Instant::now());
    known.add("a1@x.example");
    watched.0.fails.store(true, Ordering::Relaxed);
    let ask = |texts: &[&str]| now(store.records(&texts.iter().map(|text| address(text)).collect::<Vec<_>>()));
    // Nobody needs the store to say that there is nothing, and everybody for the rest.
    assert_eq!(ask(&["a2@x.example"]), Ok(vec![None]));
    assert_eq!(ask(&["a2@x.example", "a1@x.example"]), Err(Error::StoreOverloaded));
    assert_eq!(ask(&["b@x.example"]), Err(Error::StoreOverloaded));
}

#[test]
fn without_a_filter_every_question_goes_to_the_store() {
    let watched = Watched::default();
    let store = FilteredStore::unfiltered(watched.clone());
    assert_eq!(asked(&store, &watched, &["a@x.example"]), ["a@x.example"]);
    assert_eq!(store.filter_state(), None);
}

#[test]
fn a_question_carries_no_room_for_the_store_s_own_along() {
    #[derive(Clone)]
    struct Large;
    impl EvidenceStore for Large {
        async fn record(&self, _: &[Event]) -> Result<Vec<Outcome>, Error> {
            Ok(vec![])
        }
        async fn records(&self, _: &[Address]) -> Result<Vec<Option<Record>>, Error> {
            let room = [0_u8; 8 << 10];
            std::future::pending::<()>().await;
            Ok(vec![None; usize::from(room[0])])
        }
        async fn probe(&self) -> Result<(), Error> {
            Ok(())
        }
    }
    impl FeedStore for Large {
        fn bucket_of(&self, _: AddressRef<'_>) -> u8 {
            0
        }
        async fn follow<S: FeedSink>(&self, _: Arc<S>) -> Infallible {
            std::future::pending().await
        }
    }
    let addresses = [address("a@x.example")];
    assert!(size_of_val(&Large.records(&addresses)) > 8 << 10);
    assert!(size_of_val(&FilteredStore::new(Large, Duration::from_secs(1)).records(&addresses)) < 512);
}
