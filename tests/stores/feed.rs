//! The filter over real stores: what it answers, and what makes it ask.

use std::future::Future;
use std::time::{Duration, Instant};

use suppressd_core::store::embedded::EmbeddedStore;
use suppressd_core::store::redis::{RedisSettings, RedisStore};
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore, FeedStore, FilterState, FilteredStore};
use suppressd_core::{Error, Record};

use super::{block_on, in_directory};
use crate::events::{address, bounce, entry};
use crate::servers::redis::RedisServer;

/// Long enough for a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_secs(20);

/// Does something while the feed is followed.
async fn following<S: FeedStore + EvidenceStore>(store: &FilteredStore<S>, work: impl Future<Output = ()>) {
    tokio::select! {
        never = store.follow() => match never {},
        () = work => {}
    }
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

fn state<S>(store: &FilteredStore<S>) -> FilterState {
    store.filter_state().unwrap()
}

async fn until_confirmed<S>(store: &FilteredStore<S>) {
    until("all of it is confirmed", async || state(store).lag.is_some_and(|lag| lag < BOUND)).await;
}

async fn ask<S: EvidenceStore + FeedStore>(store: &FilteredStore<S>, email: &str) -> Result<Option<Record>, Error> {
    Ok(store.records(&[address(email)]).await?.remove(0))
}

/// Asks for an address that nobody knows. Says whether the filter answered.
async fn is_answered_from_memory<S: EvidenceStore + FeedStore>(store: &FilteredStore<S>) -> bool {
    let before = state(store).answered;
    let _ = ask(store, "nobody@example.com").await;
    state(store).answered > before
}

fn filtered(server: &RedisServer) -> FilteredStore<RedisStore> {
    FilteredStore::new(server.store(), BOUND)
}

#[test]
fn records_of_an_earlier_process_are_known_and_new_ones_too() {
    let directory = tempfile::tempdir().unwrap();
    let open = || EmbeddedStore::open(&in_directory(directory.path())).unwrap();
    block_on(async {
        let store = open();
        for number in 0..3000 {
            let email = format!("old{number}@example.com");
            store.record(&[bounce(&email, 1, 5, "bad-mailbox"), bounce(&email, 2, 5, "other")]).await.unwrap();
        }
    });
    block_on(async {
        let store = FilteredStore::new(open(), BOUND);
        assert!(!is_answered_from_memory(&store).await, "nothing is confirmed yet");
        following(&store, async {
            until_confirmed(&store).await;
            assert_eq!(state(&store).addresses, 3000);
            assert!(is_answered_from_memory(&store).await);
            for number in 0..3000 {
                assert!(ask(&store, &format!("old{number}@example.com")).await.unwrap().is_some());
            }
            store.record(&[bounce("new@example.com", 1, 5, "other")]).await.unwrap();
            store.suppress(&address("hand@example.com"), entry(1, "asked to")).await.unwrap();
            for email in ["new@example.com", "hand@example.com"] {
                assert!(ask(&store, email).await.unwrap().is_some(), "{email}");
            }
        })
        .await;
    });
}

#[test]
fn what_another_process_records_is_known_within_the_bound() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let other = server.store();
        other.record(&[bounce("before@example.com", 1, 5, "other")]).await.unwrap();
        let store = filtered(&server);
        following(&store, async {
            until_confirmed(&store).await;
            assert!(is_answered_from_memory(&store).await);
            assert!(ask(&store, "before@example.com").await.unwrap().is_some());
            let mut slowest = Duration::ZERO;
            for number in 0..100 {
                let email = format!("r{number}@example.com");
                if number % 2 == 0 {
                    other.record(&[bounce(&email, number, 5, "other")]).await.unwrap();
                } else {
                    other.suppress(&address(&email), entry(1, "asked to")).await.unwrap();
                }
                let recorded = Instant::now();
                until("it is known", async || ask(&store, &email).await.unwrap().is_some()).await;
                slowest = slowest.max(recorded.elapsed());
            }
            assert!(slowest < BOUND, "{slowest:?}");
        })
        .await;
    });
}

#[test]
fn whole_domains_are_known_of_every_process_within_the_bound() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let other = server.store();
        other.suppress(&address("*@before.example"), entry(1, "asked to")).await.unwrap();
        let store = filtered(&server);
        let is_suppressed = async |domain: &str| {
            let found = store.find(&[(&address(&format!("a@{domain}"))).into()]).await.unwrap().into_all().remove(0);
            found.domain_entry.is_some()
        };
        // Before anything is confirmed, too.
        assert!(is_suppressed("before.example").await);
        following(&store, async {
            until_confirmed(&store).await;
            assert!(is_suppressed("before.example").await);
            let mut slowest = Duration::ZERO;
            for number in 0..50 {
                let domain = format!("d{number}.example");
                assert!(!is_suppressed(&domain).await);
                other.suppress(&address(&format!("*@{domain}")), entry(1, "asked to")).await.unwrap();
                let entered = Instant::now();
                until("it is known", async || is_suppressed(&domain).await).await;
                slowest = slowest.max(entered.elapsed());
            }
            assert!(slowest < BOUND, "{slowest:?}");
            store.suppress(&address("*@here.example"), entry(1, "asked to")).await.unwrap();
            assert!(is_suppressed("here.example").await, "who enters it knows it at once");
        })
        .await;
    });
}

#[test]
fn a_feed_of_more_entries_than_one_answer_holds_is_read_to_its_end() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let other = server.store();
        // All in one bucket: they share a hash tag with nothing else to tell them apart.
        let events: Vec<_> = (0..20_000).map(|number| bounce(&format!("m{number}@example.com"), number, 5, "other")).collect();
        for some in events.chunks(1000) {
            other.record(some).await.unwrap();
        }
        // As a bucket of a large fleet has it.
        let fill = "for n = 1, 3000 do redis.call('XADD', KEYS[1], '*', 'a', 'f' .. n .. '@example.com') end return 1";
        let _: i64 = server.cli(&["EVAL", fill, "1", "sup:{00}:feed"]);
        let store = filtered(&server);
        following(&store, async {
            until_confirmed(&store).await;
            assert_eq!(state(&store).addresses, 23_000);
        })
        .await;
    });
}

#[test]
fn a_redis_that_hangs_is_not_believed_for_longer_than_the_bound() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let deadline = Duration::from_millis(100);
        let settings = RedisSettings { read_deadline: deadline, ..server.patient_settings() };
        let store = FilteredStore::new(RedisStore::open(&settings).unwrap(), BOUND);
        let other = server.store();
        following(&store, async {
            until_confirmed(&store).await;
            server.signal("-STOP");
            let stopped = Instant::now();
            while ask(&store, "nobody@example.com").await.is_ok() {
                assert!(stopped.elapsed() < BOUND + deadline, "it was believed for {:?}", stopped.elapsed());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
            // From now on nothing is answered: neither the filter nor the store can say.
            for _ in 0..5 {
                assert!(ask(&store, "nobody@example.com").await.unwrap_err().is_transient());
            }
            server.signal("-CONT");
            other.record(&[bounce("meanwhile@example.com", 1, 5, "other")]).await.unwrap();
            until("it recovers", async || ask(&store, "meanwhile@example.com").await.is_ok()).await;
            // Not once is it taken for a good one.
            assert!(ask(&store, "meanwhile@example.com").await.unwrap().is_some());
            until_confirmed(&store).await;
            assert!(is_answered_from_memory(&store).await);
        })
        .await;
    });
}

#[test]
fn another_history_or_a_lost_end_is_read_anew() {
    let server = RedisServer::start(&["--enable-debug-command", "yes"]);
    block_on(async {
        let other = server.store();
        let email = "alice@example.com";
        other.record(&[bounce(email, 1, 5, "other")]).await.unwrap();
        let store = filtered(&server);
        following(&store, async {
            until_confirmed(&store).await;
            // As a promoted replica is that never heard of the latest entries: its feed goes on below what is known.
            let feed = "sup:{5e}:feed";
            let last: Vec<(String, Vec<String>)> = server.cli(&["XREVRANGE", feed, "+", "-", "COUNT", "1"]);
            let _: i64 = server.cli(&["DEL", feed]);
            let before = "1-1";
            let _: String = server.cli(&["XADD", feed, before, "a", "behind@example.com"]);
            assert_ne!(last[0].0, before);
            until("the entry that is older than what is known", async || state(&store).addresses == 2).await;
            until_confirmed(&store).await;
            // Another history under the same connection, and with greater ids.
            let _: String = server.cli(&["DEBUG", "CHANGE-REPL-ID"]);
            let _: i64 = server.cli(&["DEL", feed]);
            let _: String = server.cli(&["XADD", feed, "9999999999999-1", "a", "above@example.com"]);
            until("what the other history has", async || state(&store).addresses == 3).await;
            until_confirmed(&store).await;
        })
        .await;
    });
}

#[test]
fn a_server_that_is_a_replica_by_now_is_not_believed() {
    let [server, primary] = [(); 2].map(|()| RedisServer::start_on_tcp(&[]));
    block_on(async {
        let store = filtered(&server);
        following(&store, async {
            until_confirmed(&store).await;
            let url = primary.url();
            let (host, port) = url.trim_start_matches("redis://").split_once(':').unwrap();
            let _: String = server.cli(&["REPLICAOF", host, port]);
            until("it is in doubt", async || state(&store).lag.is_none()).await;
            assert!(!is_answered_from_memory(&store).await);
        })
        .await;
    });
}
