use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use proptest::prelude::*;
use suppressd_core::event::body::Body;
use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{BookVersion, Outcome, amend_incidents};
use suppressd_core::{Act, Classifier, Event, Incident, IncidentBook, Origin, Scope};

use super::*;
use crate::Limits;

/// How long what is known of the incidents is believed here.
const FRESHNESS: Duration = Duration::from_millis(400);

/// How long the store may take to say them: so long that nobody would wait for it in vain unnoticed.
const DEADLINE: Duration = Duration::from_millis(500);

/// A store whose incidents can be away, while the evidence is there.
#[derive(Clone, Default)]
struct Store {
    kept: MemoryStore,
    incidents: Arc<Mutex<State>>,
    asked: Arc<AtomicUsize>,
}

/// How the incidents are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    There,
    Away,
    Hanging,
}

impl Store {
    fn make(&self, state: State) {
        *self.incidents.lock().unwrap_or_else(PoisonError::into_inner) = state;
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

impl EvidenceStore for Store {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        self.kept.record(events).await
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        self.kept.records(addresses).await
    }

    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl IncidentStore for Store {
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        let state = *self.incidents.lock().unwrap_or_else(PoisonError::into_inner);
        match state {
            State::There => self.kept.incidents(known).await,
            State::Away => Err(Error::StoreUnavailable { reason: "their shard is away".into() }),
            State::Hanging => std::future::pending().await,
        }
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        self.kept.replace_incidents(known, book).await
    }
}

/// A judge of a store, and what it counts.
struct Ground {
    store: Store,
    judge: Judge<Store>,
    incidents: KnownIncidents<Store>,
    registry: Registry,
}

/// What the tests ask about: with nothing known, one soft bounce, a hard one, and a hard one that an incident covers.
const UNKNOWN: &str = "unknown@one.example";
const SOFT: &str = "soft@one.example";
const HARD: &str = "hard@one.example";
const RELEASED: &str = "hard@released.example";

impl Ground {
    async fn new() -> Self {
        let store = Store::default();
        let events = [(SOFT, "quota-issues"), (HARD, "bad-mailbox"), (RELEASED, "bad-mailbox")].map(|(recipient, category)| {
            format!(r#"{{"type":"b","bounceCat":"{category}","rcpt":"{recipient}","timeLogged":"1600000000"}}"#)
        });
        let body = Body::read(events.join("\n").as_bytes(), now(), Classifier::builtin());
        store.record(&body.events).await.unwrap();
        let scope = Scope { domain: Some("released.example".into()), ..Scope::between(UnixSeconds::default(), now()) };
        let act = Act::new(now(), "ops", "false bounces").unwrap();
        amend_incidents(&store, |book| book.open(Incident::opened(scope.clone(), Origin::Operator, act.clone()))).await.unwrap();

        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let limits = Limits { incidents_freshness: FRESHNESS, incidents_deadline: DEADLINE, ..Limits::default() };
        let incidents = KnownIncidents::new(store.clone(), metrics.clone(), &limits);
        // The rules stay as they are when the sender has gone.
        let (_, rules) = watch::channel(Arc::new(Rulebook::default()));
        let judge = Judge::new(store.clone(), rules, incidents.clone(), metrics);
        Self { store, judge, incidents, registry }
    }

    /// From now on the incidents are so, and what was known of them is too old.
    async fn make(&self, state: State) {
        self.store.make(state);
        tokio::time::sleep(FRESHNESS).await;
    }

    /// Whether an address is suppressed; the error's text in doubt.
    async fn ask(&self, email: &str) -> Result<bool, String> {
        let verdict = self.judge.one(email, "", Reading::Plain).await;
        verdict.map(|verdict| verdict.is_some_and(|verdict| verdict.is_suppressed())).map_err(|error| error.to_string())
    }

    async fn ask_many(&self, emails: &[&str], reading: Reading) -> Result<Vec<bool>, Error> {
        let Verdicts { addresses, usual, others } = self.judge.many(&emails.iter().collect(), "", reading).await?;
        let mut are_suppressed = vec![usual.suppressed.unwrap(); addresses];
        for (place, judged) in others {
            are_suppressed[place] = judged.unwrap().is_suppressed();
        }
        Ok(are_suppressed)
    }

    fn counted(&self, result: &str) -> String {
        self.metric(&format!("suppressd_checks_total{{result=\"{result}\"}}"))
    }

    fn outdated(&self) -> String {
        self.metric("suppressd_incidents_outdated")
    }

    fn metric(&self, name: &str) -> String {
        let mut text = String::new();
        encode(&mut text, &self.registry).unwrap();
        let value = |line: &str| line.strip_prefix(name)?.strip_prefix(' ').map(str::to_owned);
        text.lines().find_map(value).unwrap()
    }
}

#[tokio::test]
async fn while_the_incidents_cannot_be_read_only_doubt_fails() {
    let ground = Ground::new().await;
    assert_eq!(ground.ask_many(&[UNKNOWN, SOFT, HARD, RELEASED], Reading::Plain).await, Ok(vec![false, false, true, false]));
    ground.make(State::Away).await;
    for reading in [Reading::Plain, Reading::Strict] {
        assert_eq!(ground.ask_many(&[UNKNOWN, SOFT, HARD], reading).await, Ok(vec![false, false, true]));
        // It may be closed by now; and one in doubt is doubt for all.
        let doubt = ground.ask_many(&[UNKNOWN, RELEASED, HARD], reading).await;
        assert!(matches!(doubt, Err(Error::StoreUnavailable { .. })), "{doubt:?}");
    }
    assert_eq!((ground.counted("unavailable"), ground.counted("not_suppressed")), ("6".into(), "7".into()));
    assert!(ground.ask(RELEASED).await.unwrap_err().contains("their shard is away"));
    assert_eq!((ground.counted("unavailable"), ground.counted("suppressed")), ("7".into(), "3".into()));
    // Who asks why is told of the incidents, so it takes them.
    assert!(ground.judge.explain(SOFT, "").await.is_err());

    ground.make(State::There).await;
    assert_eq!(ground.ask_many(&[UNKNOWN, SOFT, HARD, RELEASED], Reading::Plain).await, Ok(vec![false, false, true, false]));
    assert!(ground.judge.explain(SOFT, "").await.is_ok());
}

#[tokio::test]
async fn incidents_that_were_never_read_release_nobody_and_suppress_nobody() {
    let ground = Ground::new().await;
    ground.make(State::Away).await;
    assert_eq!(ground.ask_many(&[UNKNOWN, SOFT], Reading::Plain).await, Ok(vec![false, false]));
    for email in [HARD, RELEASED] {
        assert!(ground.ask(email).await.is_err(), "{email}");
    }
    ground.make(State::There).await;
    assert_eq!((ground.ask(HARD).await, ground.ask(RELEASED).await), (Ok(true), Ok(false)));
}

#[tokio::test]
async fn nobody_but_who_is_in_doubt_waits_for_incidents_that_hang() {
    let ground = Ground::new().await;
    assert_eq!(ground.ask(HARD).await, Ok(true));
    ground.make(State::Hanging).await;
    // What follows them hears first that they hang.
    assert!(ground.incidents.refresh().await.is_err());
    let asked = ground.store.asked();
    for (email, is_suppressed) in [(UNKNOWN, false), (SOFT, false), (HARD, true)] {
        assert_eq!(ground.ask(email).await, Ok(is_suppressed), "{email}");
    }
    assert_eq!(ground.store.asked(), asked);
    let started = Instant::now();
    assert!(ground.ask(RELEASED).await.is_err());
    assert!(started.elapsed() >= DEADLINE && ground.store.asked() == asked + 1, "the store is asked, once");
}

#[tokio::test]
async fn the_incidents_are_not_needed_where_nothing_is_known() {
    let ground = Ground::new().await;
    ground.make(State::Hanging).await;
    let asked = ground.store.asked();
    assert_eq!(ground.ask(UNKNOWN).await, Ok(false));
    assert_eq!(ground.store.asked(), asked);
}

#[tokio::test]
async fn it_is_shown_whether_the_incidents_are_judged_by_as_they_were_too_long_ago() {
    let ground = Ground::new().await;
    assert_eq!(ground.outdated(), "0", "nobody has needed them");
    ground.store.make(State::Away);
    assert!(ground.incidents.refresh().await.is_err());
    assert_eq!(ground.outdated(), "1", "they were never read");
    ground.store.make(State::There);
    assert!(ground.incidents.refresh().await.is_ok());
    assert_eq!(ground.outdated(), "0");
    for state in [State::Away, State::Hanging] {
        ground.make(state).await;
        assert!(ground.ask(RELEASED).await.is_err(), "{state:?}");
        assert_eq!(ground.outdated(), "1", "{state:?}");
        ground.make(State::There).await;
        assert_eq!(ground.ask(RELEASED).await, Ok(false), "{state:?}");
        assert_eq!(ground.outdated(), "0", "{state:?}");
    }
    ground.store.make(State::Away);
    assert!(ground.incidents.refresh().await.is_err());
    assert_eq!(ground.outdated(), "0", "they were read within their bound");
}

#[tokio::test]
async fn incidents_that_are_too_old_are_read_anew_if_they_can_be() {
    let ground = Ground::new().await;
    assert_eq!(ground.ask(RELEASED).await, Ok(false));
    let mut ids = Vec::new();
    let act = Act::new(now(), "ops", "it is over").unwrap();
    let close = |book: &mut IncidentBook| {
        ids = book.incidents().iter().map(Incident::id).collect();
        Ok(ids.iter().all(|id| book.close(*id, act.clone()).is_some()))
    };
    assert_eq!(amend_incidents(&ground.store, close).await, Ok(true));
    ground.make(State::There).await;
    assert_eq!(ground.ask(RELEASED).await, Ok(true));
}

proptest! {
    #[test]
    fn verdicts_and_what_was_refused_are_told_in_order(kinds in prop::collection::vec(0..3, 0..40)) {
        // Of each address: nothing is known of it, something is, or it is none.
        let refusal = || Error::InvalidAddress { reason: "it is empty" };
        let verdict = |number: usize| Verdict { soft_bounces: number.try_into().unwrap(), ..Verdict::without_evidence(&Policy::default()) };
        let (mut verdicts, mut refused, mut expected) = (Vec::new(), Vec::new(), Vec::new());
        let mut number = 0;
        for (place, kind) in kinds.into_iter().enumerate() {
            match kind {
                0 => number += 1,
                1 => {
                    verdicts.push((number, verdict(number)));
                    expected.push((place, Ok(verdict(number))));
                    number += 1;
                }
                _ => {
                    refused.push((place, refusal()));
                    expected.push((place, Err(refusal())));
                }
            }
        }
        prop_assert_eq!(among_all(verdicts, refused), expected);
    }
}
