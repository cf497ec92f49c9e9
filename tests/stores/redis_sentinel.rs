//! The primary that a Sentinel names, and the next one.

use std::time::{Duration, Instant};

use suppressd_core::store::redis::{RedisSettings, RedisStore};
use suppressd_core::store::{EvidenceStore as _, Outcome};
use suppressd_core::{Error, Event};

use super::{LIMITS, block_on, record_of, some_of_the_contract};
use crate::events::{ALICE, address, bounce};
use crate::servers::redis::patient_settings;
use crate::servers::redis_sentinel::RedisSentinel;

fn event(number: u64) -> Event {
    bounce(ALICE, number, 100, "bad-mailbox")
}

fn open(url: &str) -> RedisStore {
    RedisStore::open(&RedisSettings { letter_limits: LIMITS, ..patient_settings(url) }).unwrap()
}

#[test]
fn a_store_behind_a_sentinel_does_the_same() {
    let servers = RedisSentinel::start(&[]);
    // One sentinel that is not there is no harm.
    let url = servers.url().replace("://", "://127.0.0.1:1,");
    block_on(some_of_the_contract(|| {
        servers.server(servers.primary()).cli::<()>(&["FLUSHALL"]);
        open(&url)
    }));
}

#[test]
fn a_failover_by_sentinel_loses_nothing_that_was_acknowledged() {
    let mut servers = RedisSentinel::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    block_on(async {
        let store = RedisStore::open(&RedisSettings::new(servers.url())).unwrap();
        let recorded_at_last = async |events: &[Event]| {
            let started = Instant::now();
            loop {
                match store.record(events).await {
                    Ok(outcomes) => return outcomes,
                    Err(error) => assert!(error.is_transient() && started.elapsed() < Duration::from_secs(40), "{error}"),
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        recorded_at_last(&[event(1)]).await;
        let old = servers.primary();
        servers.server_mut(old).kill();
        assert!(store.record(&[event(2)]).await.unwrap_err().is_transient());
        assert!(store.records(&[address(ALICE)]).await.unwrap_err().is_transient());
        let new = servers.await_failover(old);
        assert_eq!(recorded_at_last(&[event(1), event(2)]).await[0], Outcome::Duplicate);
        // The old one is a replica when it is back, and is not asked.
        servers.server_mut(old).start_again();
        assert_eq!(recorded_at_last(&[event(2), event(3)]).await[0], Outcome::Duplicate);
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 3);
        assert_eq!(servers.server(new).cli::<i64>(&["EXISTS", "sup:{5e}:a:alice@example.com"]), 1);
    });
}

#[test]
fn a_service_that_the_sentinel_does_not_know_needs_the_operator() {
    let servers = RedisSentinel::start(&[]);
    block_on(async {
        let store = open(&servers.url().replace("/main", "/other"));
        for error in [store.probe().await.unwrap_err(), store.record(&[event(1)]).await.unwrap_err()] {
            assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains("no service of that name")), "{error:?}");
        }
    });
}
