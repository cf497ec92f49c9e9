//! Incidents, answers and the listing in Redis: what lies there, and what is done about what should not.

use std::collections::BTreeMap;

use suppressd_core::store::redis::RedisStore;
use suppressd_core::store::{
    AnswerStore as _, BookVersion, DomainAnswers, EvidenceStore as _, IncidentStore as _, ListingStore as _,
};
use suppressd_core::{
    Act, Answers, AnswersBySlot, Error, Incident, IncidentBook, KEPT_ANSWERS_SECONDS, Origin, Record, SLOT_SECONDS, Scope, Slot,
};

use super::block_on;
use crate::events::{ALICE, BOB, at, bounce};
use crate::servers::redis::RedisServer;

const BOOK: &str = "sup:{incidents}:book";

/// The bucket is CRC16 of the domain, modulo 256.
const ANSWERS: &str = "sup:{90}:answers:example.com";

const FEED_OF_ALICE: &str = "sup:{5e}:feed";

const NOW: i64 = 1_700_000_000;

fn incident(from: i64, domain: &str) -> Incident {
    let opened = Act { at: at(7), who: "ops".into(), why: "why".into() };
    let scope = Scope { domain: Some(domain.into()), ..Scope::between(at(from), at(2000)) };
    Incident::opened(scope, Origin::Operator, opened)
}

fn book() -> IncidentBook {
    IncidentBook::new(vec![incident(1000, "b.example"), incident(1, "a.example")])
}

#[test]
fn an_operator_can_read_the_incidents() {
    let server = RedisServer::start(&[]);
    block_on(async {
        assert_eq!(server.store().replace_incidents(BookVersion(0), &book()).await, Ok(true));
    });
    let fields: BTreeMap<String, String> = server.cli(&["HGETALL", BOOK]);
    let names: Vec<_> =
        book().incidents().iter().zip(["000", "001"]).map(|(kept, place)| format!("{place}:{}", kept.id())).collect();
    let opened = r#""origin":"operator","opened":{"at":7,"who":"ops","why":"why"}}"#;
    let expected = [
        (&*names[0], format!(r#"{{"from":1000,"to":2000,"domain":"b.example",{opened}"#)),
        (&*names[1], format!(r#"{{"from":1,"to":2000,"domain":"a.example",{opened}"#)),
        ("version", "1".to_owned()),
    ];
    assert_eq!(fields.iter().map(|(name, text)| (&**name, text.clone())).collect::<Vec<_>>(), expected);
    assert_eq!(server.cli::<u64>(&["DBSIZE"]), 1);
}

async fn assert_damaged(store: &RedisStore, field: &str) {
    for known in [None, Some(BookVersion(0)), Some(BookVersion(7))] {
        let error = store.incidents(known).await.unwrap_err();
        assert!(matches!(&error, Error::StoreDamaged { reason } if reason.contains(field)), "{field}: {error:?}");
    }
}

#[test]
fn incidents_that_cannot_be_read_are_not_left_out() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.replace_incidents(BookVersion(0), &book()).await.unwrap();
        let first = format!("000:{}", book().incidents()[0].id());
        let of_another = format!("000:{}", book().incidents()[1].id());
        let text: String = server.cli(&["HGET", BOOK, &first]);
        let at_another_time = text.replace("1000", "1001");
        let changes = [
            (&*first, "{"),
            (&first, "\u{fffd}"),
            (&first, &at_another_time),
            (&of_another, &text),
            ("x", &text),
            ("000:x", &text),
            ("version", "x"),
            ("version", "-1"),
        ];
        for (field, changed) in changes {
            let before: Option<String> = server.cli(&["HGET", BOOK, field]);
            server.cli::<()>(&["HSET", BOOK, field, changed]);
            assert_damaged(&store, field).await;
            match before {
                Some(before) => server.cli::<()>(&["HSET", BOOK, field, &before]),
                None => server.cli::<()>(&["HDEL", BOOK, field]),
            }
            assert_eq!(store.incidents(None).await, Ok(Some((BookVersion(1), book()))));
        }
        server.cli::<()>(&["HDEL", BOOK, "version"]);
        assert_damaged(&store, "version").await;
        assert_eq!(store.replace_incidents(BookVersion(0), &IncidentBook::default()).await, Ok(false));
    });
}

fn answers(back: i64, hard: u64, all: u64) -> DomainAnswers {
    let slot = Slot::from_number(Slot::of(at(NOW)).number() - back);
    DomainAnswers { domain: "example.com".into(), slot, answers: Answers { hard, all } }
}

#[test]
fn an_operator_can_read_the_answers_and_they_go_by_themselves() {
    let server = RedisServer::start(&[]);
    let fields = || server.cli::<BTreeMap<String, u64>>(&["HGETALL", ANSWERS]);
    let of_slots = |slots: &[(DomainAnswers, u64, u64)]| -> BTreeMap<String, u64> {
        let of_slot = |(answers, hard, all): &(DomainAnswers, u64, u64)| {
            let number = answers.slot.number();
            [(format!("hard:{number}"), *hard), (format!("all:{number}"), *all)]
        };
        slots.iter().flat_map(of_slot).collect()
    };
    block_on(async {
        let store = server.store();
        store.count_answers(&[answers(0, 0, 3), answers(1, 1, 2), answers(0, 0, 1)], at(NOW)).await.unwrap();
        assert_eq!(fields(), of_slots(&[(answers(0, 0, 0), 0, 4), (answers(1, 0, 0), 1, 2)]));
        let seconds: i64 = server.cli(&["TTL", ANSWERS]);
        assert!((KEPT_ANSWERS_SECONDS - 60..=KEPT_ANSWERS_SECONDS).contains(&seconds), "{seconds}");
        // When a stretch of time begins what is too old goes, though nobody asks for it.
        let later = at(NOW).plus(KEPT_ANSWERS_SECONDS.unsigned_abs());
        let next = -KEPT_ANSWERS_SECONDS / SLOT_SECONDS;
        store.count_answers(&[answers(next, 0, 1)], later).await.unwrap();
        assert_eq!(fields(), of_slots(&[(answers(0, 0, 0), 0, 4), (answers(next, 0, 0), 0, 1)]));
        store.count_answers(&[answers(next - 1, 0, 1)], later.plus(SLOT_SECONDS.unsigned_abs())).await.unwrap();
        assert_eq!(fields(), of_slots(&[(answers(next, 0, 0), 0, 1), (answers(next - 1, 0, 0), 0, 1)]));
    });
    assert_eq!(server.cli::<u64>(&["DBSIZE"]), 1);
}

#[test]
fn counts_that_cannot_be_read_are_told_by_name() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.count_answers(&[answers(0, 1, 1)], at(NOW)).await.unwrap();
        let earlier = answers(1, 0, 0).slot.number();
        server.cli::<()>(&["HSET", ANSWERS, "of-a-later-version", "x", "later:1", "x"]);
        assert!(store.count_answers(&[answers(0, 1, 1)], at(NOW)).await.is_ok());
        for field in [format!("all:{earlier}"), format!("hard:{earlier}"), "all:x".to_owned()] {
            server.cli::<()>(&["HSET", ANSWERS, &field, "x"]);
            let error = store.count_answers(&[answers(0, 1, 1)], at(NOW)).await.unwrap_err();
            assert!(matches!(&error, Error::StoreDamaged { reason } if reason.contains(&field)), "{error:?}");
            server.cli::<()>(&["HDEL", ANSWERS, &field]);
        }
        // What cannot be added to either.
        server.cli::<()>(&["HSET", ANSWERS, &format!("hard:{earlier}"), "x"]);
        let error = store.count_answers(&[answers(1, 1, 1)], at(NOW)).await.unwrap_err();
        assert!(matches!(error, Error::StoreFailed { .. }), "{error:?}");
    });
}

#[test]
fn forgotten_scripts_of_incidents_and_answers_are_sent_again() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        for version in 0..3 {
            server.cli::<()>(&["SCRIPT", "FLUSH"]);
            assert_eq!(store.replace_incidents(BookVersion(version), &book()).await, Ok(true));
            server.cli::<()>(&["SCRIPT", "FLUSH"]);
            assert_eq!(store.incidents(Some(BookVersion(version))).await, Ok(Some((BookVersion(version + 1), book()))));
            server.cli::<()>(&["SCRIPT", "FLUSH"]);
            let given = store.count_answers(&[answers(0, 1, 1)], at(NOW)).await.unwrap();
            let expected = AnswersBySlot::from([(Slot::of(at(NOW)), Answers { hard: version + 1, all: version + 1 })]);
            assert_eq!(given, [("example.com".into(), expected)]);
        }
    });
}

#[test]
fn a_foreign_key_in_the_place_of_incidents_answers_or_a_feed_needs_the_operator() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        for key in [BOOK, ANSWERS, FEED_OF_ALICE] {
            server.cli::<()>(&["SET", key, "x"]);
        }
        let errors = [
            store.incidents(None).await.unwrap_err(),
            store.replace_incidents(BookVersion(0), &book()).await.unwrap_err(),
            store.count_answers(&[answers(0, 0, 1)], at(NOW)).await.unwrap_err(),
            store.list_records(None, 10).await.unwrap_err(),
        ];
        for error in errors {
            assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains("WRONGTYPE")), "{error:?}");
        }
        assert_eq!([BOOK, ANSWERS].map(|key| server.cli::<String>(&["GET", key])), ["x", "x"]);
    });
}

/// The records of one page that has them all.
async fn listed(store: &RedisStore) -> Vec<String> {
    let page = store.list_records(None, 100).await.unwrap();
    assert_eq!(page.next, None);
    page.records.iter().map(|record: &Record| record.address.as_str().to_owned()).collect()
}

#[test]
fn a_record_that_was_removed_by_hand_is_not_listed_and_one_made_again_is_once() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[bounce(ALICE, 1, 100, "other"), bounce(BOB, 1, 100, "other")]).await.unwrap();
        server.cli::<()>(&["DEL", "sup:{5e}:a:alice@example.com"]);
        assert_eq!(listed(&store).await, [BOB]);
        store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
        assert_eq!(server.cli::<u64>(&["XLEN", FEED_OF_ALICE]), 2);
        let mut found = listed(&store).await;
        found.sort();
        assert_eq!(found, [ALICE, BOB]);
    });
}

#[test]
fn what_cannot_be_read_is_no_record_to_leave_out() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[bounce(ALICE, 1, 100, "other"), bounce(BOB, 1, 100, "other")]).await.unwrap();
        let record = "sup:{5e}:a:alice@example.com";
        let before: String = server.cli(&["GET", record]);
        server.cli::<()>(&["APPEND", record, "delivered x\n"]);
        let error = store.list_records(None, 10).await.unwrap_err();
        assert!(matches!(error, Error::StoreDamaged { .. }), "{error:?}");
        assert!(!error.to_string().contains("alice"), "{error}");
        server.cli::<()>(&["SET", record, &before]);
        let entry: String = server.cli(&["XADD", FEED_OF_ALICE, "*", "a", "no address"]);
        let error = store.list_records(None, 10).await.unwrap_err();
        assert!(matches!(&error, Error::StoreDamaged { reason } if reason.contains(&entry)), "{error:?}");
    });
}

#[test]
fn empty_buckets_do_not_cost_a_call_each() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
        let reads = || -> u64 {
            let info: redis::InfoDict = server.cli(&["INFO", "stats"]);
            info.get("total_reads_processed").unwrap()
        };
        let before = reads();
        let of_asking = reads() - before;
        let before = reads();
        assert_eq!(listed(&store).await, [ALICE]);
        let of_listing = reads() - before - of_asking;
        assert!(of_listing < 30, "{of_listing} reads for 256 buckets");
    });
}
