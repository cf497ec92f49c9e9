//! What lies in Redis, and what is done about what lies there and should not.

use std::collections::BTreeMap;

use suppressd_core::store::Outcome;
use suppressd_core::store::redis::{RedisSettings, RedisStore};
use suppressd_core::store::{AdministrativeStore as _, ChangeStore as _, EvidenceStore as _, LetterStore as _};
use suppressd_core::{Class, DAY_SECONDS, Entered, Error, Event, Letter, LetterHead, LetterLimits};

use super::{block_on, record_of};
use crate::events::{ALICE, address, at, bounce, complaint, delivery, entry};
use crate::servers::redis::RedisServer;

/// The bucket is CRC16 of the address, modulo 256.
const RECORD: &str = "sup:{5e}:a:alice@example.com";
const FEED: &str = "sup:{5e}:feed";
const CHANGES: &str = "sup:{5e}:changes";

/// Entries of the changes that are kept of a bucket, as it is told here.
const CHANGES_PER_BUCKET: usize = 100;

/// Most events of an address that an entry of the changes tells of.
const EVENTS_PER_ENTRY: usize = 16;

type Entries = Vec<(String, Vec<String>)>;

/// The fields of a record, by its text.
fn fields(server: &RedisServer, record: &str) -> BTreeMap<String, String> {
    let text: String = server.cli(&["GET", record]);
    let lines = text.strip_suffix('\n').unwrap().split('\n');
    lines.map(|line| line.split_once(' ').unwrap()).map(|(name, said)| (name.to_owned(), said.to_owned())).collect()
}

#[test]
fn an_operator_can_read_it() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        let bounced = bounce(ALICE, 1, 100, "bad-mailbox");
        let events = [bounced.clone(), complaint(ALICE, 2, 200), delivery(ALICE, 3, 300), bounced];
        let outcomes = store.record(&events).await.unwrap();
        assert_eq!(outcomes, [Outcome::Recorded, Outcome::Recorded, Outcome::Recorded, Outcome::Duplicate]);
    });
    let fed: Entries = server.cli(&["XRANGE", FEED, "-", "+"]);
    assert_eq!(fed.len(), 1);
    assert_eq!(fed[0].1, ["a", ALICE]);
    let fields = fields(&server, RECORD);
    let expected = [("AAAAAAAAAAE", "2sBm|5.1.1|mta1|acme|"), ("AAAAAAAAAAI", "5kF|5.1.1|mta1|acme|"), ("delivered", "300")];
    assert_eq!(fields.iter().map(|(name, text)| (&**name, &**text)).collect::<Vec<_>>(), expected);
    let changes: Entries = server.cli(&["XRANGE", CHANGES, "-", "+"]);
    let said: Vec<_> = changes.iter().map(|(_, fields)| fields.join(" ")).collect();
    assert_eq!(said, [format!("a {ALICE} w b|hard|AAAAAAAAAAE f|complaint|AAAAAAAAAAI")]);
    let kinds = [RECORD, FEED, CHANGES].map(|key| server.cli::<String>(&["TYPE", key]));
    assert_eq!(kinds, ["string", "stream", "stream"]);
    assert_eq!(server.cli::<u64>(&["DBSIZE"]), 3);
}

#[test]
fn what_evidence_has_in_common_is_told_once() {
    let server = RedisServer::start(&[]);
    let received = |number| Event { is_time_of_receipt: true, ..bounce(ALICE, number, 300, "quota-issues") };
    let record = block_on(async {
        let store = server.store();
        for events in [
            // Two of them say all by themselves, and the next one decides what is usual.
            vec![bounce(ALICE, 1, 100, "bad-mailbox")],
            vec![bounce(ALICE, 1, 100, "bad-mailbox"), bounce(ALICE, 2, 200, "quota-issues")],
            vec![received(3), bounce(ALICE, 4, 400, "quota-issues"), bounce(ALICE, 5, 500, "other")],
            vec![bounce(ALICE, 6, 600, "other"), bounce(ALICE, 7, 700, "quota-issues"), bounce(ALICE, 8, 800, "other")],
        ] {
            store.record(&events).await.unwrap();
        }
        record_of(&store, &address(ALICE)).await.unwrap()
    });
    let fields = fields(&server, RECORD);
    let said = |name: &str| fields.get(name).map_or("", String::as_str);
    assert_eq!(said("as"), "Bq|5.1.1|mta1|acme|");
    assert_eq!(said("AAAAAAAAAAE"), "2sBm|5.1.1|mta1|acme|");
    assert_eq!(said("AAAAAAAAAAI"), "5kBq|5.1.1|mta1|acme|");
    assert_eq!(said("AAAAAAAAAAM"), "8c|r");
    assert_eq!(said("AAAAAAAAAAY"), "goBo|5.1.1|mta1|acme|");
    let categories: Vec<_> = record.evidence().iter().map(|evidence| evidence.category.as_str()).collect();
    let [quota, other] = ["quota-issues", "other"];
    assert_eq!(categories, ["bad-mailbox", quota, quota, quota, other, other, quota, other]);
    assert!(record.evidence()[2].is_time_of_receipt);
    assert_eq!([Class::Hard, Class::Soft, Class::Unmapped].map(|class| record.counters.get(class)), [1, 4, 3]);
}

#[test]
fn an_earlier_layout_is_refused_by_name() {
    let server = RedisServer::start(&[]);
    server.cli::<()>(&["HSET", RECORD, "as", "b|bad-mailbox|5.1.1|mta1|acme|", "e:AAAAAAAAAAE", "100", "hard", "1"]);
    let before: BTreeMap<String, String> = server.cli(&["HGETALL", RECORD]);
    block_on(async {
        let store = server.store();
        let read = store.records(&[address(ALICE)]).await.unwrap_err();
        let written = store.record(&[bounce(ALICE, 2, 200, "other")]).await.unwrap_err();
        for error in [read, written] {
            assert!(error.to_string().contains("earlier layout") && !error.is_transient(), "{error}");
        }
    });
    assert_eq!(server.cli::<BTreeMap<String, String>>(&["HGETALL", RECORD]), before);
}

#[test]
fn what_is_no_record_is_refused_and_stays() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        let alice = address(ALICE);
        for text in ["", "x", "x\n", "AAAAAAAAAAE 2sBm|5.1.1|mta1|acme|", "delivered 100\nx\n", "\ndelivered 100\n"] {
            server.cli::<()>(&["SET", RECORD, text]);
            let read = store.records(std::slice::from_ref(&alice)).await.unwrap_err();
            assert!(matches!(read, Error::StoreDamaged { .. }) && !read.to_string().contains("alice"), "{text:?}: {read:?}");
            let written = [
                store.record(&[bounce(ALICE, 2, 200, "other")]).await.map(|_| ()),
                store.record(&[delivery(ALICE, 3, 300)]).await.map(|_| ()),
                store.suppress(&alice, entry(5, "asked to")).await,
                store.enter(&[(alice.clone(), entry(5, "imported"))]).await.map(|_| ()),
                store.lift(&alice, at(800), "ops", "").await.map(|_| ()),
                store.erase(&alice, None, None).await.map(|_| ()),
            ];
            for error in written.map(Result::unwrap_err) {
                assert!(error.to_string().contains("LAYOUT") && !error.is_transient(), "{text:?}: {error}");
            }
            assert_eq!(server.cli::<String>(&["GET", RECORD]), text);
            assert_eq!(server.cli::<u64>(&["DBSIZE"]), 1);
        }
    });
}

#[test]
fn nobody_has_a_record_whom_no_feed_names_or_of_whom_nobody_is_told() {
    let others: Vec<String> = (0..40).map(|number| format!("a{number}@x.example")).collect();
    let names = || others.iter().map(String::as_str).chain([ALICE]);
    let addresses: Vec<_> = names().map(address).collect();
    let events: Vec<Event> = names().map(|name| bounce(name, 1, 100, "bad-mailbox")).collect();
    for broken in [FEED, CHANGES] {
        let server = RedisServer::start(&[]);
        server.cli::<()>(&["SET", broken, "x"]);
        let lines_of = |pattern: &str| -> Vec<String> {
            let streams = server.cli::<Vec<String>>(&["KEYS", pattern]).into_iter();
            let entries = streams.flat_map(|stream| server.cli::<Entries>(&["XRANGE", &stream, "-", "+"]));
            entries.flat_map(|(_, fields)| fields[1].split('\n').map(str::to_owned).collect::<Vec<_>>()).collect()
        };
        block_on(async {
            let store = server.store();
            // From then on it knows that all buckets are one server's, and go into one call.
            assert_eq!(store.records(&addresses).await.unwrap().iter().flatten().count(), 0);
            let error = store.record(&events).await.unwrap_err();
            assert!(error.to_string().contains("WRONGTYPE"), "{error}");
            let records = store.records(&addresses).await.unwrap();
            assert_eq!(records.iter().flatten().count(), 0);
            server.cli::<()>(&["DEL", broken]);
            assert_eq!(store.record(&events).await.unwrap(), vec![Outcome::Recorded; events.len()]);
            assert_eq!(store.records(&addresses).await.unwrap().iter().flatten().count(), addresses.len());
            let (fed, told) = (lines_of("sup:*:feed"), lines_of("sup:*:changes"));
            assert!(names().all(|name| [&fed, &told].iter().all(|lines| lines.iter().any(|line| line == name))));
        });
    }
}

#[test]
fn what_tells_nothing_writes_nothing() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        assert_eq!(store.record(&[delivery(ALICE, 1, 100)]).await, Ok(vec![Outcome::Recorded]));
        assert_eq!(store.lift(&address(ALICE), at(1), "ops", "").await, Ok(false));
    });
    assert_eq!(server.cli::<u64>(&["DBSIZE"]), 0);
}

#[test]
fn what_an_operator_does_is_told() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.suppress(&address(ALICE), entry(5, "asked to")).await.unwrap();
        store.suppress(&address(ALICE), entry(5, "asked to")).await.unwrap();
        // One that changes nothing is no act.
        assert_eq!(store.enter(&[(address(ALICE), entry(5, "imported"))]).await, Ok(vec![Entered::Known]));
        store.record(&[bounce(ALICE, 1, 900, "other"), bounce(ALICE, 2, 700, "bad-mailbox")]).await.unwrap();
        assert_eq!(store.lift(&address(ALICE), at(800), "ops", "").await, Ok(true));
    });
    assert_eq!(server.cli::<u64>(&["XLEN", FEED]), 1);
    let changes: Entries = server.cli(&["XRANGE", CHANGES, "-", "+"]);
    let what: Vec<_> = changes.iter().flat_map(|(_, fields)| fields[3].split(' ')).collect();
    assert_eq!(what, ["suppress", "suppress", "b|unmapped|AAAAAAAAAAE", "b|hard|AAAAAAAAAAI", "lift"]);
}

#[test]
fn a_whole_domain_s_entry_is_a_record_like_any_other() {
    let server = RedisServer::start(&[]);
    block_on(async { server.store().suppress(&address("*@Bad.Example"), entry(5, "spam traps")).await.unwrap() });
    let [record, feed] = ["sup:{bf}:a:*@bad.example", "sup:{bf}:feed"];
    let said = &fields(&server, record)["manual"];
    assert_eq!(said, r#"{"since":5,"until":null,"who":"ops","note":"spam traps"}"#);
    let entries: Entries = server.cli(&["XRANGE", feed, "-", "+"]);
    assert_eq!(entries[0].1, ["a", "*@bad.example"]);
}

#[test]
fn fields_of_a_later_version_are_left_alone() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await.unwrap();
        server.cli::<()>(&["APPEND", RECORD, "of-a-later-version x\n"]);
        assert!(record_of(&store, &address(ALICE)).await.is_some());
        let before: String = server.cli(&["GET", RECORD]);
        for (field, text) in
            [("AAAAAAAAAAE", "2sB"), ("noidentity!", "2sB||||"), ("soft", "x"), ("delivered", ""), ("lift", "{}")]
        {
            server.cli::<()>(&["SET", RECORD, &format!("{before}{field} {text}\n")]);
            let error = store.records(&[address(ALICE)]).await.unwrap_err();
            assert!(matches!(error, Error::StoreDamaged { .. }), "{field}: {error:?}");
            assert!(error.to_string().contains(field) && !error.to_string().contains("alice"), "{error}");
        }
        server.cli::<()>(&["SET", RECORD, &before]);
        assert_eq!(store.record(&[bounce(ALICE, 2, 200, "other")]).await, Ok(vec![Outcome::Recorded]));
        assert_eq!(fields(&server, RECORD)["of-a-later-version"], "x");
        assert!(record_of(&store, &address(ALICE)).await.is_some());
    });
}

#[test]
fn forgotten_scripts_are_sent_again() {
    let server = RedisServer::start(&[]);
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
        store.suppress(&address(ALICE), entry(5, "")).await.unwrap();
        let records = store.records(&[address("a7@x.example"), address(ALICE), address("b@x.example")]).await.unwrap();
        assert_eq!(records[0].as_ref().unwrap().counters.get(Class::Hard), 3);
        assert!(records[1].is_some() && records[2].is_none());
    });
}

#[test]
fn changes_are_bounded_and_the_feed_is_not() {
    let server = RedisServer::start(&[]);
    let entries = CHANGES_PER_BUCKET + 1000;
    let count = entries * EVENTS_PER_ENTRY;
    let outcomes = block_on(async {
        let events: Vec<_> = (0_u32..).take(count).map(|number| bounce(ALICE, number.into(), number.into(), "other")).collect();
        let settings = RedisSettings { changes_kept: 256 * CHANGES_PER_BUCKET, ..server.patient_settings() };
        RedisStore::open(&settings).unwrap().record(&events).await.unwrap()
    });
    assert_eq!(outcomes, vec![Outcome::Recorded; count]);
    let changes: usize = server.cli(&["XLEN", CHANGES]);
    assert!((CHANGES_PER_BUCKET..CHANGES_PER_BUCKET + 200).contains(&changes), "{changes}");
    assert_eq!(server.cli::<u64>(&["XLEN", FEED]), 1);
    // Those of a day that are kept are not among what is no longer kept.
    assert_eq!(fields(&server, RECORD)["unmapped"], (count - EVENTS_PER_ENTRY).to_string());
}

fn letter(content: &str, seconds: i64) -> Letter {
    Letter::new(content.as_bytes(), "a|b %7C\n\u{e9}".into(), at(seconds))
}

#[test]
fn all_of_a_letter_goes_with_it() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let letter_limits = LetterLimits { max_letters: 3, max_content_bytes: 100, max_age_seconds: 1000 };
        let store = RedisStore::open(&RedisSettings { letter_limits, ..server.patient_settings() }).unwrap();
        let three = vec![letter("a", 1), letter("b", 1), letter("c", 1)];
        assert_eq!(store.keep_letters(three, at(1)).await, Ok(vec![true; 3]));
        assert_eq!(store.keep_letters(vec![letter("d", 1002), letter(&"x".repeat(98), 1002)], at(1002)).await, Ok(vec![true; 2]));
        assert_eq!(store.keep_letters(vec![letter("ee", 1002)], at(1002)).await, Err(Error::LettersFull));
        assert_eq!(store.remove_letter(letter("d", 0).head.id).await, Ok(true));
    });
    let sizes = [("HLEN", "heads"), ("HLEN", "content"), ("ZCARD", "by-time")];
    for (command, key) in sizes {
        assert_eq!(server.cli::<u64>(&[command, &format!("sup:{{letters}}:{key}")]), 1, "{key}");
    }
    assert_eq!(server.cli::<u64>(&["GET", "sup:{letters}:bytes"]), 98);
}

#[test]
fn a_letter_past_its_age_is_not_taken_for_kept() {
    let server = RedisServer::start(&[]);
    block_on(async {
        // More than one call removes.
        let letter_limits = LetterLimits { max_letters: 1000, ..LetterLimits::default() };
        let store = RedisStore::open(&RedisSettings { letter_limits, ..server.patient_settings() }).unwrap();
        let old: Vec<_> = (0..500).map(|number| letter(&format!("old {number}"), number)).collect();
        store.keep_letters(old, at(0)).await.unwrap();
        let now = at(100 * DAY_SECONDS);
        let old = letter("old 499", 0);
        let again = Letter { head: LetterHead { received: now, ..old.head }, ..old };
        assert_eq!(store.keep_letters(vec![again.clone()], now).await, Ok(vec![true]));
        for number in 0..4 {
            store.keep_letters(vec![letter(&format!("new {number}"), now.get())], now).await.unwrap();
        }
        assert_eq!(store.letter_usage().await.unwrap().letters, 5);
        assert_eq!(store.letter(again.head.id).await, Ok(Some(again)));
    });
}

#[test]
fn a_server_that_lacks_what_was_told_answers_nothing() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        for number in 1..3 {
            store.record(&[bounce(ALICE, number, 100, "other")]).await.unwrap();
        }
        let position = store.end_of_changes().await.unwrap();
        assert_eq!(store.records_since(&position, None, 10).await.unwrap().records.len(), 1);
        assert!(store.changes_behind(&position).await.unwrap().is_some());
        // As a replica that had not got the last change, and was made a primary; then it goes on, by a clock that is behind.
        let last: Entries = server.cli(&["XREVRANGE", CHANGES, "+", "-", "COUNT", "1"]);
        server.cli::<()>(&["XDEL", CHANGES, &last[0].0]);
        let is_refused = async || {
            let listed = store.records_since(&position, None, 10).await;
            assert!(listed.is_err_and(|error| error.is_transient()));
            assert_eq!(store.changes_behind(&position).await, Ok(None));
        };
        is_refused().await;
        let rest: Entries = server.cli(&["XRANGE", CHANGES, "-", "+"]);
        server.cli::<()>(&["DEL", CHANGES]);
        server.cli::<()>(&["XADD", CHANGES, &rest[0].0, "a", ALICE, "w", &rest[0].1[3]]);
        server.cli::<()>(&["XADD", CHANGES, &last[0].0, "a", ALICE, "w", "suppress"]);
        is_refused().await;
    });
}
