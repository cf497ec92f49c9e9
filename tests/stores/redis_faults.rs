//! A Redis that goes, hangs, refuses or is full: every operation says so in time, and goes on when it is back.

use std::time::{Duration, Instant};

use suppressd_core::store::redis::{RedisSettings, RedisStore};
use suppressd_core::store::{
    AdministrativeStore as _, AnswerStore as _, BookVersion, DomainAnswers, EvidenceStore as _, IncidentStore as _,
    LetterStore as _, ListingStore as _, Outcome,
};
use suppressd_core::{Answers, Error, Event, IncidentBook, Letter, Slot};

use super::{block_on, record_of};
use crate::events::{ALICE, BOB, address, at, bounce, entry};
use crate::servers::redis::RedisServer;

/// What a deadline may be exceeded by on a busy machine.
const LENIENCY: Duration = Duration::from_secs(3);

/// More than may be under way at one time.
const MORE_THAN_MAY_BE_ASKED: usize = 65_537;

fn event(number: u64) -> Event {
    bounce(ALICE, number, 100, "bad-mailbox")
}

fn answer() -> DomainAnswers {
    DomainAnswers { domain: "example.com".into(), slot: Slot::of(at(100)), answers: Answers::one(true) }
}

/// Every operation must say that the store is away, in time.
async fn assert_unavailable(store: &RedisStore, settings: &RedisSettings) {
    let started = Instant::now();
    let reads = [
        store.records(&[address(ALICE)]).await.err(),
        store.probe().await.err(),
        store.list_records(None, 10).await.err(),
        store.incidents(None).await.err(),
    ];
    assert!(started.elapsed() < 4 * settings.read_deadline + LENIENCY, "{:?}", started.elapsed());
    let started = Instant::now();
    let writes = [
        store.record(&[event(9)]).await.err(),
        store.suppress(&address(ALICE), entry(1, "")).await.err(),
        store.letter_usage().await.err(),
        store.replace_incidents(BookVersion(0), &IncidentBook::default()).await.err(),
        store.count_answers(&[answer()], at(100)).await.err(),
    ];
    assert!(started.elapsed() < 5 * settings.write_deadline + LENIENCY, "{:?}", started.elapsed());
    for error in reads.into_iter().chain(writes) {
        assert!(matches!(error, Some(Error::StoreUnavailable { .. })), "{error:?}");
    }
}

/// Polls until the store answers again, with a bound.
async fn assert_recovers(store: &RedisStore) {
    let started = Instant::now();
    while let Err(error) = store.probe().await {
        assert!(started.elapsed() < Duration::from_secs(20), "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn comes_and_goes(mut server: RedisServer) {
    server.kill();
    block_on(async {
        let settings = server.patient_settings();
        let store = server.store();
        assert_unavailable(&store, &settings).await;
        for round in 1..4 {
            server.start_again();
            assert_recovers(&store).await;
            assert_eq!(store.record(&[event(round)]).await, Ok(vec![Outcome::Recorded]));
            assert!(record_of(&store, &address(ALICE)).await.is_some());
            server.kill();
            assert_unavailable(&store, &settings).await;
        }
    });
}

#[test]
fn redis_may_come_and_go() {
    comes_and_goes(RedisServer::start(&[]));
}

#[test]
fn redis_may_come_and_go_behind_a_port() {
    comes_and_goes(RedisServer::start_on_tcp(&[]));
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let mut server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    block_on(async {
        let store = server.store();
        for round in 0..5 {
            assert_eq!(store.record(&[event(round)]).await, Ok(vec![Outcome::Recorded]));
            let letter = Letter::new(&round.to_be_bytes(), String::new(), at(1));
            assert_eq!(store.keep_letters(vec![letter], at(1)).await, Ok(vec![true]));
            assert_eq!(store.replace_incidents(BookVersion(round), &IncidentBook::default()).await, Ok(true));
            assert_eq!(store.count_answers(&[answer()], at(100)).await.unwrap()[0].1[&answer().slot].hard, round + 1);
            server.kill();
            server.start_again();
            assert_recovers(&store).await;
            assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len() as u64, round + 1);
            assert_eq!(store.letter_usage().await.unwrap().letters, round + 1);
            assert_eq!(store.record(&[event(round)]).await, Ok(vec![Outcome::Duplicate]));
        }
    });
}

/// Without it the test above shows nothing.
#[test]
fn without_a_log_a_kill_loses_what_was_acknowledged() {
    let mut server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        assert_eq!(store.record(&[event(1)]).await, Ok(vec![Outcome::Recorded]));
        server.kill();
        server.start_again();
        assert_recovers(&store).await;
        assert_eq!(record_of(&store, &address(ALICE)).await, None);
    });
}

#[test]
fn a_read_does_not_notice_a_restart() {
    let mut server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        assert_eq!(record_of(&store, &address(ALICE)).await, None);
        server.kill();
        server.start_again();
        assert_eq!(record_of(&store, &address(ALICE)).await, None);
    });
}

#[test]
fn a_redis_that_hangs_is_unavailable_in_time() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let settings = RedisSettings { write_deadline: Duration::from_millis(400), ..RedisSettings::new(server.url()) };
        let store = RedisStore::open(&settings).unwrap();
        let patient = server.store();
        patient.record(&[event(1)]).await.unwrap();
        assert_recovers(&store).await;
        server.signal("-STOP");
        assert_unavailable(&store, &settings).await;
        assert_unavailable(&RedisStore::open(&settings).unwrap(), &settings).await;
        server.signal("-CONT");
        assert_recovers(&store).await;
        // It was sent, and nobody knew what became of it: its repetition counts once, whoever came first.
        patient.record(&[event(9)]).await.unwrap();
        assert_eq!(patient.record(&[event(9)]).await, Ok(vec![Outcome::Duplicate]));
        assert_eq!(record_of(&patient, &address(ALICE)).await.unwrap().evidence().len(), 2);
    });
}

#[test]
fn a_foreign_key_needs_the_operator() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        server.cli::<()>(&["LPUSH", "sup:{5e}:a:alice@example.com", "x"]);
        let written = store.record(&[bounce(BOB, 1, 1, "other"), event(1)]).await.unwrap_err();
        let read = store.records(&[address(BOB), address(ALICE)]).await.unwrap_err();
        for error in [written, read] {
            assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains("WRONGTYPE")), "{error:?}");
            assert!(!error.to_string().contains("alice"), "{error}");
        }
        server.cli::<()>(&["DEL", "sup:{5e}:a:alice@example.com"]);
        server.cli::<()>(&["SET", "sup:{5e}:feed", "x"]);
        assert!(matches!(store.record(&[event(1)]).await, Err(Error::StoreFailed { .. })));
        // Nothing half done is left.
        assert_eq!(store.records(&[address(ALICE)]).await, Ok(vec![None]));
    });
}

#[test]
fn a_log_in_that_fails_needs_the_operator_but_no_restart() {
    let server = RedisServer::start(&[]);
    server.cli::<()>(&["ACL", "SETUSER", "mailer", "on", ">first", "~sup:*", "+@all"]);
    block_on(async {
        let store = RedisStore::open(&RedisSettings {
            url: format!("{}?user=mailer&pass=second", server.url()),
            ..server.patient_settings()
        })
        .unwrap();
        for _ in 0..2 {
            let error = store.record(&[event(1)]).await.unwrap_err();
            assert!(matches!(error, Error::StoreFailed { .. }), "{error:?}");
            assert!(!error.to_string().contains("second") && error.to_string().contains("password"), "{error}");
            assert!(matches!(store.probe().await, Err(Error::StoreFailed { .. })));
        }
        server.cli::<()>(&["ACL", "SETUSER", "mailer", ">second"]);
        assert_recovers(&store).await;
        assert_eq!(store.record(&[event(1)]).await, Ok(vec![Outcome::Recorded]));

        server.cli::<()>(&["ACL", "SETUSER", "mailer", "-xadd"]);
        let error = store.record(&[event(2)]).await.unwrap_err();
        assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains("NOPERM")), "{error:?}");
    });
}

#[test]
fn a_missing_password_needs_the_operator() {
    let server = RedisServer::start(&[]);
    server.cli::<()>(&["CONFIG", "SET", "requirepass", "x"]);
    block_on(async {
        let store = server.store();
        for error in [store.probe().await.unwrap_err(), store.record(&[event(1)]).await.unwrap_err()] {
            assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains("NOAUTH")), "{error:?}");
        }
    });
}

#[test]
fn a_redis_that_cannot_write_just_now_is_unavailable() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[event(1)]).await.unwrap();
        for (setting, value, back) in [("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0")] {
            server.cli::<()>(&["CONFIG", "SET", setting, value]);
            let error = store.record(&[event(2)]).await.unwrap_err();
            assert!(matches!(&error, Error::StoreUnavailable { reason } if reason.contains("Redis says")), "{error:?}");
            assert!(record_of(&store, &address(ALICE)).await.is_some());
            server.cli::<()>(&["CONFIG", "SET", setting, back]);
        }
        assert_eq!(store.record(&[event(2)]).await, Ok(vec![Outcome::Recorded]));
    });
}

#[test]
fn more_than_may_be_under_way_is_refused() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let settings = RedisSettings { read_deadline: Duration::from_millis(300), ..server.patient_settings() };
        let store = RedisStore::open(&settings).unwrap();
        server.store().record(&[event(1)]).await.unwrap();
        server.signal("-STOP");
        // Larger than all the room there is: let in, alone.
        let addresses = vec![address(ALICE); MORE_THAN_MAY_BE_ASKED];
        let one = [address(ALICE)];
        // The first is polled before the second, and has no answer.
        let (large, small) = tokio::join!(store.records(&addresses), store.records(&one));
        assert!(matches!(large, Err(Error::StoreUnavailable { .. })), "{large:?}");
        assert_eq!(small, Err(Error::StoreOverloaded));
        server.signal("-CONT");
        assert_recovers(&store).await;
        assert!(record_of(&server.store(), &address(ALICE)).await.is_some());
    });
}
