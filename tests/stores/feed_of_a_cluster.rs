//! The filter over a cluster whose masters fail over: it is believed again only for what it has read anew.

use std::convert::Infallible;
use std::time::{Duration, Instant};

use suppressd_core::store::redis::RedisStore;
use suppressd_core::store::{EvidenceStore as _, FilteredStore};
use suppressd_core::{Address, Event};
use tokio::task::JoinSet;

use super::block_on;
use crate::events::{ALICE, address, bounce};
use crate::servers::redis::patient_settings;
use crate::servers::redis_cluster::RedisCluster;

/// Long enough for a machine that is busy with other tests.
const BOUND: Duration = Duration::from_secs(1);

const PATIENCE: Duration = Duration::from_secs(30);

/// The key of the feed of `ALICE`'s bucket.
const FEED: &str = "sup:{5e}:feed";

const ADDRESSES: u64 = 500;

fn numbered(number: u64) -> Address {
    address(&format!("r{number}@example.com"))
}

fn open(cluster: &RedisCluster) -> RedisStore {
    RedisStore::open(&patient_settings(cluster.url())).unwrap()
}

async fn until(what: &str, mut is_so: impl AsyncFnMut() -> bool) {
    let started = Instant::now();
    while !is_so().await {
        assert!(started.elapsed() < PATIENCE, "never: {what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn until_confirmed(store: &FilteredStore<RedisStore>) {
    until("all of it is confirmed", async || store.filter_state().unwrap().lag.is_some_and(|lag| lag < BOUND)).await;
}

/// Records, as long as it takes: a failover puts it off.
async fn record(store: &RedisStore, event: Event) {
    until("it is recorded", async || store.record(std::slice::from_ref(&event)).await.is_ok()).await;
}

/// Nobody who is recorded may be taken for somebody who is not. A store that cannot say is right.
async fn assert_all_known(store: &FilteredStore<RedisStore>, recorded: u64) {
    for number in 0..recorded {
        if let Ok(records) = store.records(&[numbered(number)]).await {
            assert!(records[0].is_some(), "r{number} is taken for an address without a record");
        }
    }
}

/// A store behind a filter that knows all that was recorded before, and another one on the same cluster. It is followed until the
/// handle goes.
async fn followed(cluster: &RedisCluster) -> (FilteredStore<RedisStore>, RedisStore, JoinSet<Infallible>) {
    let other = open(cluster);
    for number in 0..ADDRESSES {
        record(&other, bounce(numbered(number).as_str(), 1, 5, "other")).await;
    }
    let store = FilteredStore::new(open(cluster), BOUND);
    let mut following = JoinSet::new();
    let followed = store.clone();
    following.spawn(async move { followed.follow().await });
    until_confirmed(&store).await;
    assert_eq!(store.filter_state().unwrap().addresses as u64, ADDRESSES);
    (store, other, following)
}

/// What the new master is told is known, and everybody else as well.
async fn assert_followed_on(store: &FilteredStore<RedisStore>, other: &RedisStore) {
    record(other, bounce(ALICE, 1, 5, "other")).await;
    until("what the new master was told is known", async || {
        store.records(&[address(ALICE)]).await.is_ok_and(|records| records[0].is_some())
    })
    .await;
    until_confirmed(store).await;
    assert_all_known(store, ADDRESSES).await;
    let before = store.filter_state().unwrap().answered;
    until("it is believed again", async || {
        let _ = store.records(&[address("nobody@example.com")]).await;
        store.filter_state().unwrap().answered > before
    })
    .await;
}

#[test]
fn a_master_that_dies_is_followed_by_its_replica() {
    let mut cluster = RedisCluster::start(3, 1, &[]);
    block_on(async {
        let (store, other, _following) = followed(&cluster).await;
        let master = cluster.master_of(FEED);
        cluster.node_mut(master).kill();
        // The masters that are there go on being believed, and nobody is taken for a good one meanwhile.
        assert_all_known(&store, ADDRESSES).await;
        cluster.await_failover(FEED, master);
        assert_followed_on(&store, &other).await;
    });
}

#[test]
fn a_master_that_hands_over_is_followed_by_its_replica() {
    let cluster = RedisCluster::start(3, 1, &[]);
    block_on(async {
        let (store, other, _following) = followed(&cluster).await;
        let master = cluster.master_of(FEED);
        let [replica] = cluster.replicas_of(master)[..] else { panic!("it has not one replica") };
        let _: String = cluster.node(replica).cli(&["CLUSTER", "FAILOVER"]);
        cluster.await_failover(FEED, master);
        assert_followed_on(&store, &other).await;
    });
}
