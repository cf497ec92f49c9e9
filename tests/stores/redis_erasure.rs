//! What was erased is nowhere in Redis, nor in the files that it writes anew.

use std::time::{Duration, Instant};

use suppressd_core::store::redis::RedisStore;
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore as _, FeedStore as _, FilteredStore};
use suppressd_core::{Reason, Tombstone};

use super::{block_on, erase, record_of};
use crate::events::{ALICE, BOB, address, at, bounce, entry};
use crate::servers::files::files_with;
use crate::servers::redis::RedisServer;

const FEED: &str = "sup:{5e}:feed";
const CHANGES: &str = "sup:{5e}:changes";

/// The bucket of ALICE.
const BUCKET: u8 = 0x5e;

/// Records beside hers in her bucket: more than are written anew in one go.
const NEIGHBOURS: usize = 2500;

const PATIENCE: Duration = Duration::from_secs(20);

type Entries = Vec<(String, Vec<String>)>;

/// The names in entries, one line each, without those that were left out.
fn names_in(entries: &Entries) -> Vec<String> {
    let lines = entries.iter().flat_map(|(_, fields)| fields[1].split('\n'));
    lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
}

/// Addresses of the bucket of ALICE.
fn neighbours(store: &RedisStore) -> Vec<String> {
    let names = (0..).map(|number| format!("n{number}@example.com"));
    names.filter(|name| store.bucket_of((&address(name)).into()) == BUCKET).take(NEIGHBOURS).collect()
}

#[test]
fn no_file_that_redis_writes_anew_holds_what_was_erased() {
    let server = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let directory = server.directory();
    block_on(async {
        let store = server.store();
        let names = neighbours(&store);
        for (place, part) in names.chunks(500).enumerate() {
            store.record(&part.iter().map(|name| bounce(name, 1, 100, "other")).collect::<Vec<_>>()).await.unwrap();
            // In the middle of the streams.
            if place == 2 {
                store.record(&[bounce(ALICE, 1, 100, "bad-mailbox"), bounce(ALICE, 2, 200, "other")]).await.unwrap();
            }
        }
        store.suppress(&address(ALICE), entry(5, "as alice@example.com")).await.unwrap();
        // A record that was removed by hand and made again has two entries in the feed.
        server.cli::<String>(&["XADD", FEED, "*", "a", ALICE]);
        let before = [FEED, CHANGES].map(|stream| server.cli::<Entries>(&["XRANGE", stream, "-", "+"]));
        let latest = [FEED, CHANGES].map(|stream| last_id(&server, stream));
        server.save();
        assert!(files_with(directory, ALICE).len() >= 2, "in the dump and in the append-only file");

        erase(&store, ALICE, None).await;
        server.save();
        server.rewrite();
        assert_eq!(files_with(directory, ALICE), [] as [&std::path::Path; 0]);

        // Nobody else's name has gone from the feed, and the streams go on where they were.
        for ((stream, before), latest) in [FEED, CHANGES].into_iter().zip(before).zip(latest) {
            let mut after = server.cli::<Entries>(&["XRANGE", stream, "-", "+"]);
            if stream == CHANGES {
                // That something was erased is told, and not what; before anything is missing, and with what is.
                let ends = after.split_off(after.len() - 2);
                assert!(ends.iter().all(|(_, fields)| *fields == ["w", "erase"]), "{ends:?}");
                let others: Entries =
                    before.into_iter().filter(|(_, fields)| !fields[1].split('\n').any(|name| name == ALICE)).collect();
                assert!(after == others, "another entry of {stream} has changed");
            } else {
                assert_eq!(last_id(&server, stream), latest);
                let ids = |entries: &Entries| entries.iter().map(|(id, _)| id.clone()).collect::<Vec<_>>();
                assert!(ids(&after).iter().all(|id| ids(&before).contains(id)), "an entry of {stream} has another id");
                let others: Vec<_> = names_in(&before).into_iter().filter(|name| name != ALICE).collect();
                assert_eq!(names_in(&after), others);
            }
        }
        assert_eq!(
            server.cli::<u64>(&[
                "EXISTS",
                &format!("{FEED}:renewed"),
                &format!("{CHANGES}:renewed"),
                &format!("{FEED}:left-out")
            ]),
            0
        );
        assert!(record_of(&store, &address(&names[7])).await.is_some());
    });
}

fn last_id(server: &RedisServer, stream: &str) -> String {
    let told: redis::Value = server.cli(&["XINFO", "STREAM", stream]);
    let redis::Value::Array(told) = told else { panic!("{told:?}") };
    let place = told.iter().position(|value| *value == redis::Value::BulkString(b"last-generated-id".to_vec())).unwrap();
    redis::from_redis_value(told[place + 1].clone()).unwrap()
}

#[test]
fn several_at_once_in_one_bucket_leave_nothing_of_any() {
    let server = RedisServer::start(&["--appendonly", "yes"]);
    block_on(async {
        let store = server.store();
        let names = neighbours(&store);
        store.record(&names.iter().map(|name| bounce(name, 1, 100, "other")).collect::<Vec<_>>()).await.unwrap();
        let (erased, kept) = names.split_at(20);
        let erasing: Vec<_> = erased
            .iter()
            .map(|name| {
                let (store, name) = (store.clone(), name.clone());
                tokio::spawn(async move { erase(&store, &name, None).await })
            })
            .collect();
        // New records of the bucket meanwhile.
        store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
        for erasing in erasing {
            erasing.await.unwrap();
        }
        server.rewrite();
        for name in erased {
            assert_eq!(files_with(server.directory(), name), [] as [&std::path::Path; 0], "{name}");
        }
        let fed: Entries = server.cli(&["XRANGE", FEED, "-", "+"]);
        let mut fed = names_in(&fed);
        let mut expected = [kept, &[ALICE.to_owned()]].concat();
        fed.sort();
        expected.sort();
        assert_eq!(fed, expected);
    });
}

#[test]
fn who_gets_a_record_while_the_name_goes_is_in_the_feed() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        let names = neighbours(&store);
        store.record(&names.iter().map(|name| bounce(name, 1, 100, "other")).collect::<Vec<_>>()).await.unwrap();
        for name in &names[..10] {
            let (erasing, its_name) = (store.clone(), name.clone());
            let erasing = tokio::spawn(async move { erase(&erasing, &its_name, None).await });
            // A duplicate of what is there, until it is gone.
            while !erasing.is_finished() {
                store.record(&[bounce(name, 1, 100, "other")]).await.unwrap();
            }
            erasing.await.unwrap();
            store.record(&[bounce(name, 1, 100, "other")]).await.unwrap();
        }
        let fed: Entries = server.cli(&["XRANGE", FEED, "-", "+"]);
        let mut fed = names_in(&fed);
        fed.sort();
        let mut expected = names;
        expected.sort();
        assert_eq!(fed, expected);
    });
}

#[test]
fn who_follows_the_feed_is_not_confused() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        let filtered = FilteredStore::new(store.clone(), Duration::from_millis(500));
        let followed = filtered.clone();
        let following = tokio::spawn(async move { followed.follow().await });
        let names = neighbours(&store);
        store.record(&names.iter().map(|name| bounce(name, 1, 100, "other")).collect::<Vec<_>>()).await.unwrap();
        let known = async |wanted: usize| {
            let started = Instant::now();
            while filtered.filter_state().unwrap().addresses < wanted || filtered.filter_state().unwrap().lag.is_none() {
                assert!(started.elapsed() < PATIENCE, "the filter knows {:?}", filtered.filter_state());
                tokio::time::sleep(Duration::from_millis(2)).await;
            }
        };
        known(NEIGHBOURS).await;
        // The last entry of the feed is among them.
        for name in [&names[0], &names[NEIGHBOURS / 2], &names[NEIGHBOURS - 1]] {
            erase(&store, name, None).await;
            assert_eq!(record_of(&filtered, &address(name)).await, None);
        }
        store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
        known(NEIGHBOURS + 1).await;
        assert!(record_of(&filtered, &address(ALICE)).await.is_some());
        assert_eq!(filtered.records(&[address(BOB)]).await, Ok(vec![None]));
        // A tombstone that nobody had a record for is told like any record.
        let tombstone = Tombstone { erased_at: at(1), reason: Reason::Manual };
        erase(&store, BOB, Some(tombstone)).await;
        known(NEIGHBOURS + 2).await;
        assert_eq!(record_of(&filtered, &address(BOB)).await.unwrap().tombstone, Some(tombstone));
        following.abort();
    });
}
