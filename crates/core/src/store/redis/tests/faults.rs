use std::time::{Duration, Instant};

use super::*;
use crate::store::redis::{RedisSettings, RedisStore};
use crate::store::{AdministrativeStore as _, EvidenceStore as _, LetterStore as _, Outcome};
use crate::{Error, ManualEntry};

const ALICE: &str = "alice@example.com";

/// What a deadline may be exceeded by on a busy machine.
const LENIENCY: Duration = Duration::from_millis(500);

fn event(number: u64) -> Event {
    bounce(ALICE, number, 100, "bad-mailbox")
}

/// Every operation must say that the store is away, in time.
async fn assert_unavailable(store: &RedisStore, settings: &RedisSettings) {
    let entry = ManualEntry { since: at(1), until: None, who: String::new(), note: String::new() };
    let started = Instant::now();
    let reads = [store.records(&[address(ALICE)]).await.err(), store.probe().await.err()];
    assert!(started.elapsed() < 2 * settings.read_deadline + LENIENCY, "{:?}", started.elapsed());
    let started = Instant::now();
    let writes = [
        store.record(&[event(9)]).await.err(),
        store.suppress(&address(ALICE), entry).await.err(),
        store.letter_usage().await.err(),
    ];
    assert!(started.elapsed() < 3 * settings.write_deadline + LENIENCY, "{:?}", started.elapsed());
    for error in reads.into_iter().chain(writes) {
        assert!(matches!(error, Some(Error::StoreUnavailable { .. })), "{error:?}");
    }
}

/// Polls until the store answers again, with a bound.
async fn assert_recovers(store: &RedisStore) {
    let started = Instant::now();
    while let Err(error) = store.probe().await {
        assert!(started.elapsed() < Duration::from_secs(5), "{error}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[test]
fn redis_may_come_and_go() {
    let mut server = Server::start(&[]);
    server.kill();
    block_on(async {
        let settings = RedisSettings::new(server.url());
        let store = server.store();
        assert_unavailable(&store, &settings).await;
        for round in 1..4 {
            server.start_again();
            assert_recovers(&store).await;
            assert_eq!(store.record(&[event(round)]).await, Ok(vec![Outcome::Recorded]));
            assert!(store.records(&[address(ALICE)]).await.unwrap()[0].is_some());
            server.kill();
            assert_unavailable(&store, &settings).await;
        }
    });
}

#[test]
fn a_read_does_not_notice_a_restart() {
    let mut server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        assert_eq!(store.records(&[address(ALICE)]).await, Ok(vec![None]));
        server.kill();
        server.start_again();
        assert_eq!(store.records(&[address(ALICE)]).await, Ok(vec![None]));
    });
}

#[test]
fn a_redis_that_hangs_is_unavailable_in_time() {
    let server = Server::start(&[]);
    block_on(async {
        let settings = RedisSettings { write_deadline: Duration::from_millis(400), ..RedisSettings::new(server.url()) };
        let store = RedisStore::open(&settings).unwrap();
        store.record(&[event(1)]).await.unwrap();
        store.records(&[address(ALICE)]).await.unwrap();
        server.signal("-STOP");
        assert_unavailable(&store, &settings).await;
        assert_unavailable(&RedisStore::open(&settings).unwrap(), &settings).await;
        server.signal("-CONT");
        assert_recovers(&store).await;
        // It was sent, and nobody knew what became of it: its repetition counts once, whoever came first.
        store.record(&[event(9)]).await.unwrap();
        assert_eq!(store.record(&[event(9)]).await, Ok(vec![Outcome::Duplicate]));
        assert_eq!(store.records(&[address(ALICE)]).await.unwrap()[0].as_ref().unwrap().evidence().len(), 2);
    });
}

#[test]
fn a_foreign_key_needs_the_operator() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        server.cli::<()>(&["SET", "sup:{5e}:a:alice@example.com", "x"]);
        let written = store.record(&[bounce("bob@example.com", 1, 1, "other"), event(1)]).await.unwrap_err();
        let read = store.records(&[address("bob@example.com"), address(ALICE)]).await.unwrap_err();
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
    let server = Server::start(&[]);
    server.cli::<()>(&["ACL", "SETUSER", "mailer", "on", ">first", "~sup:*", "+@all"]);
    block_on(async {
        let store = RedisStore::open(&RedisSettings::new(format!("{}?user=mailer&pass=second", server.url()))).unwrap();
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
    let server = Server::start(&[]);
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
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[event(1)]).await.unwrap();
        for (setting, value, back) in [("maxmemory", "1", "0"), ("min-replicas-to-write", "1", "0")] {
            server.cli::<()>(&["CONFIG", "SET", setting, value]);
            let error = store.record(&[event(2)]).await.unwrap_err();
            assert!(matches!(&error, Error::StoreUnavailable { reason } if reason.contains("Redis says")), "{error:?}");
            assert!(store.records(&[address(ALICE)]).await.unwrap()[0].is_some());
            server.cli::<()>(&["CONFIG", "SET", setting, back]);
        }
        assert_eq!(store.record(&[event(2)]).await, Ok(vec![Outcome::Recorded]));
    });
}

#[test]
fn more_than_may_be_under_way_is_refused() {
    let server = Server::start(&[]);
    block_on(async {
        let store = server.store();
        store.record(&[event(1)]).await.unwrap();
        server.signal("-STOP");
        let other = store.clone();
        let large = tokio::spawn(async move {
            // Larger than all the room there is: let in, alone.
            let addresses = vec![address(ALICE); super::super::MAX_ADDRESSES_IN_FLIGHT + 1];
            other.records(&addresses).await
        });
        tokio::task::yield_now().await;
        assert_eq!(store.records(&[address(ALICE)]).await, Err(Error::StoreOverloaded));
        assert!(matches!(large.await.unwrap(), Err(Error::StoreUnavailable { .. })));
        server.signal("-CONT");
        assert_recovers(&store).await;
        assert!(store.records(&[address(ALICE)]).await.unwrap()[0].is_some());
    });
}
