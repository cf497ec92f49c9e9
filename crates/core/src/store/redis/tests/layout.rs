use std::collections::BTreeMap;

use super::*;
use crate::store::redis::CHANGES_PER_BUCKET;
use crate::store::{AdministrativeStore as _, EvidenceStore as _, Outcome};
use crate::{Class, Error, Lift, ManualEntry};

const ALICE: &str = "alice@example.com";
/// CRC16 of that address, modulo 256.
const RECORD: &str = "sup:{5e}:a:alice@example.com";
const FEED: &str = "sup:{5e}:feed";
const CHANGES: &str = "sup:{5e}:changes";

type Entries = Vec<(String, Vec<String>)>;

fn entry() -> ManualEntry {
    ManualEntry { since: at(5), until: None, who: "ops".into(), note: "asked to".into() }
}

#[test]
fn an_operator_can_read_it() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        let complaint = Event { kind: EventKind::Complaint, ..bounce(ALICE, 2, 200, "") };
        let events =
            [bounce(ALICE, 1, 100, "bad-mailbox"), complaint, delivery(ALICE, 3, 300), bounce(ALICE, 1, 100, "bad-mailbox")];
        let outcomes = store.record(&events).await.unwrap();
        assert_eq!(outcomes, [Outcome::Recorded, Outcome::Recorded, Outcome::Recorded, Outcome::Duplicate]);
    });
    let fed: Entries = server.cli(&["XRANGE", FEED, "-", "+"]);
    assert_eq!(fed.len(), 1);
    assert_eq!(fed[0].1, ["a", ALICE]);
    let fields: BTreeMap<String, String> = server.cli(&["HGETALL", RECORD]);
    let expected = [
        ("complaint", "1"),
        ("delivered", "300"),
        ("e:AAAAAAAAAAE", "100|b|bad-mailbox|5.1.1|mta1|acme|"),
        ("e:AAAAAAAAAAI", "200|f||5.1.1|mta1|acme|"),
        ("feed", &fed[0].0),
        ("hard", "1"),
    ];
    assert_eq!(fields.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>(), expected);
    let changes: Entries = server.cli(&["XRANGE", CHANGES, "-", "+"]);
    let said: Vec<_> = changes.iter().map(|(_, fields)| fields.join(" ")).collect();
    assert_eq!(said, [format!("a {ALICE} w event e AAAAAAAAAAE"), format!("a {ALICE} w event e AAAAAAAAAAI")]);
    let kinds = [RECORD, FEED, CHANGES].map(|key| server.cli::<String>(&["TYPE", key]));
    assert_eq!(kinds, ["hash", "stream", "stream"]);
    assert_eq!(server.cli::<u64>(&["DBSIZE"]), 3);
}

#[test]
fn a_delivery_to_nobody_known_writes_nothing() {
    let server = Server::start(&[]);
    let outcomes = block_on(async { server.store().record(&[delivery(ALICE, 1, 100)]).await });
    assert_eq!(outcomes, Ok(vec![Outcome::Recorded]));
    assert_eq!(server.cli::<u64>(&["DBSIZE"]), 0);
}

#[test]
fn what_an_operator_does_is_kept_and_told() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        assert_eq!(store.lift(&address(ALICE), at(1), "ops", "").await, Ok(false));
        assert_eq!(server.cli::<u64>(&["DBSIZE"]), 0);
        store.suppress(&address(ALICE), entry()).await.unwrap();
        store.suppress(&address(ALICE), entry()).await.unwrap();
        let record = store.records(&[address(ALICE)]).await.unwrap().remove(0).unwrap();
        assert_eq!(record.manual, Some(entry()));

        // A fence behind newer evidence, and words that look like the field that is set.
        store.record(&[bounce(ALICE, 1, 900, "other"), bounce(ALICE, 2, 700, "bad-mailbox")]).await.unwrap();
        let why = "\"fence\":1, %1 |\u{e9}";
        assert_eq!(store.lift(&address(ALICE), at(800), "\"fence\":2", why).await, Ok(true));
        let record = store.records(&[address(ALICE)]).await.unwrap().remove(0).unwrap();
        let lift = Lift { fence: at(900), at: at(800), who: "\"fence\":2".into(), why: why.into() };
        assert_eq!((record.manual, record.lift), (None, Some(lift)));
        assert_eq!(store.lift(&address(ALICE), UnixSeconds::MAX, "ops", "").await, Ok(true));
        let record = store.records(&[address(ALICE)]).await.unwrap().remove(0).unwrap();
        assert_eq!(record.lift.unwrap().fence, UnixSeconds::MAX);
    });
    assert_eq!(server.cli::<u64>(&["XLEN", FEED]), 1);
    let changes: Entries = server.cli(&["XRANGE", CHANGES, "-", "+"]);
    let what: Vec<_> = changes.iter().map(|(_, fields)| &*fields[3]).collect();
    assert_eq!(what, ["suppress", "suppress", "event", "event", "lift", "lift"]);
}

#[test]
fn fields_of_a_later_version_are_left_alone() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await.unwrap();
        server.cli::<()>(&["HSET", RECORD, "of-a-later-version", "x"]);
        assert!(store.records(&[address(ALICE)]).await.unwrap()[0].is_some());
        for (field, text) in [("e:AAAAAAAAAAE", "100|b"), ("e:x", "100|b|||||"), ("soft", "x"), ("delivered", ""), ("lift", "{}")]
        {
            let before: Option<String> = server.cli(&["HGET", RECORD, field]);
            server.cli::<()>(&["HSET", RECORD, field, text]);
            let error = store.records(&[address(ALICE)]).await.unwrap_err();
            assert!(matches!(error, Error::StoreDamaged { .. }), "{field}: {error:?}");
            assert!(error.to_string().contains(field) && !error.to_string().contains("alice"), "{error}");
            match before {
                Some(text) => server.cli::<()>(&["HSET", RECORD, field, &text]),
                None => server.cli::<()>(&["HDEL", RECORD, field]),
            }
        }
        assert!(store.records(&[address(ALICE)]).await.unwrap()[0].is_some());
    });
}

#[test]
fn forgotten_scripts_are_sent_again() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        let of_many = |round: u64| -> Vec<_> {
            let event = |number| bounce(&format!("a{number}@x.example"), round, 100, "bad-mailbox");
            (0..300).map(event).collect()
        };
        for round in 1..4 {
            assert_eq!(store.record(&of_many(round)).await.unwrap(), vec![Outcome::Recorded; 300]);
            server.cli::<()>(&["SCRIPT", "FLUSH"]);
        }
        assert_eq!(store.record(&of_many(1)).await.unwrap(), vec![Outcome::Duplicate; 300]);
        server.cli::<()>(&["SCRIPT", "FLUSH"]);
        store.suppress(&address(ALICE), entry()).await.unwrap();
        let records = store.records(&[address("a7@x.example"), address(ALICE), address("b@x.example")]).await.unwrap();
        assert_eq!(records[0].as_ref().unwrap().counters.get(Class::Hard), 3);
        assert!(records[1].is_some() && records[2].is_none());
    });
}

#[test]
fn the_same_event_many_times_at_once_counts_once() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        let record_it = || {
            let store = store.clone();
            tokio::spawn(async move { store.record(&[bounce(ALICE, 1, 100, "quota-issues")]).await })
        };
        let tasks: Vec<_> = (0..20).map(|_| record_it()).collect();
        let mut outcomes = Vec::new();
        for task in tasks {
            outcomes.extend(task.await.unwrap().unwrap());
        }
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Recorded).count(), 1);
        assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Duplicate).count(), 19);
        let record = store.records(&[address(ALICE)]).await.unwrap().remove(0).unwrap();
        assert_eq!((record.evidence().len(), record.counters.get(Class::Soft)), (1, 1));
    });
}

#[test]
fn changes_are_bounded_and_the_feed_is_not() {
    let server = Server::start(&[]);
    let count = CHANGES_PER_BUCKET + 1000;
    let outcomes = block_on(async {
        let events: Vec<_> = (0_u32..).take(count).map(|number| bounce(ALICE, number.into(), number.into(), "other")).collect();
        server.store().record(&events).await.unwrap()
    });
    assert_eq!(outcomes, vec![Outcome::Recorded; count]);
    let changes: usize = server.cli(&["XLEN", CHANGES]);
    assert!((CHANGES_PER_BUCKET..CHANGES_PER_BUCKET + 200).contains(&changes), "{changes}");
    assert_eq!(server.cli::<u64>(&["XLEN", FEED]), 1);
    assert_eq!(server.cli::<usize>(&["HGET", RECORD, "unmapped"]), count);
}
