//! A cluster whose masters fail over, hang or die, and whose slots move: what is acknowledged is replicated and stays, what cannot
//! be answered says so, and the others go on.

use std::time::{Duration, Instant};

use suppressd_core::store::redis::{RedisSettings, RedisStore, WaitReplicas};
use suppressd_core::store::{EvidenceStore as _, Outcome};
use suppressd_core::{Address, Error, Event};

use super::{block_on, of_cluster, record_of};
use crate::events::{ALICE, address, bounce};
use crate::servers::redis::patient_settings;
use crate::servers::redis_cluster::{RedisCluster, await_condition};

/// Longest time for a write in these tests of what takes too long.
const SHORT: Duration = Duration::from_millis(600);

/// The key of the record of `ALICE`.
const RECORD: &str = "sup:{5e}:a:alice@example.com";

fn event(number: u64) -> Event {
    bounce(ALICE, number, 100, "bad-mailbox")
}

fn open(settings: &RedisSettings) -> RedisStore {
    RedisStore::open(settings).unwrap()
}

/// An address with which another master than that of `ALICE` has to do.
fn elsewhere(cluster: &RedisCluster) -> Address {
    let of_alice = cluster.master_of(RECORD);
    let mut names = (0..).map(|number| format!("a{number}@x.example"));
    address(&names.find(|name| cluster.master_of_address(name) != of_alice).unwrap())
}

async fn assert_recorded_at_last(store: &RedisStore, events: &[Event]) -> Vec<Outcome> {
    let started = Instant::now();
    loop {
        match store.record(events).await {
            Ok(outcomes) => return outcomes,
            Err(error) => assert!(error.is_transient() && started.elapsed() < Duration::from_secs(30), "{error}"),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn what_no_replica_has_is_not_acknowledged() {
    let cluster = RedisCluster::start(3, 1, &[]);
    let master = cluster.master_of(RECORD);
    let [replica] = cluster.replicas_of(master)[..] else { panic!("it has not one replica") };
    let elsewhere = elsewhere(&cluster);
    block_on(async {
        let store = open(&RedisSettings { write_deadline: SHORT, ..patient_settings(cluster.url()) });
        assert_recorded_at_last(&store, &[event(1)]).await;
        cluster.node(replica).signal("-STOP");
        // A duplicate, too: the first one may not be there yet.
        for number in [2, 2, 1] {
            let error = store.record(&[event(number)]).await.unwrap_err();
            assert!(matches!(&error, Error::StoreUnavailable { reason } if reason.contains("not replicated")), "{error:?}");
        }
        let other = bounce(elsewhere.as_str(), 1, 100, "other");
        assert_eq!(store.record(&[other]).await, Ok(vec![Outcome::Recorded]));
        let careless = open(&RedisSettings { wait_replicas: WaitReplicas::Count(0), ..patient_settings(cluster.url()) });
        assert_eq!(careless.record(&[event(2)]).await, Ok(vec![Outcome::Duplicate]));
        cluster.node(replica).signal("-CONT");
        assert_eq!(assert_recorded_at_last(&store, &[event(2), event(3)]).await, vec![Outcome::Duplicate, Outcome::Recorded]);
        // There is but one.
        let greedy = open(&RedisSettings {
            wait_replicas: WaitReplicas::Count(2),
            write_deadline: SHORT,
            ..patient_settings(cluster.url())
        });
        let error = greedy.record(&[event(4)]).await.unwrap_err();
        assert!(error.to_string().contains("1 of 2 replicas"), "{error}");
        let all = open(&RedisSettings { wait_replicas: WaitReplicas::All, ..patient_settings(cluster.url()) });
        assert_eq!(all.record(&[event(4)]).await, Ok(vec![Outcome::Duplicate]));
    });
}

#[test]
fn a_planned_failover_is_not_noticed() {
    let cluster = RedisCluster::start(3, 1, &[]);
    block_on(async {
        let store = of_cluster(&cluster);
        assert_eq!(store.record(&[event(1)]).await, Ok(vec![Outcome::Recorded]));
        let old = cluster.master_of(RECORD);
        let replica = cluster.replicas_of(old)[0];
        cluster.node(replica).cli::<()>(&["CLUSTER", "FAILOVER"]);
        cluster.await_failover(RECORD, old);
        // The old one refuses it by name, and nothing was executed there.
        assert_eq!(store.record(&[event(1), event(2)]).await, Ok(vec![Outcome::Duplicate, Outcome::Recorded]));
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 2);
    });
}

#[test]
fn a_master_that_is_killed_costs_no_acknowledged_event_and_holds_up_no_other() {
    let mut cluster = RedisCluster::start(3, 1, &["--appendonly", "yes", "--appendfsync", "always"]);
    let elsewhere = elsewhere(&cluster);
    block_on(async {
        let deadlines = RedisSettings::new(cluster.url());
        let store = open(&RedisSettings { connection_timeout: Duration::from_millis(250), read_deadline: SHORT, ..deadlines });
        assert_recorded_at_last(&store, &[event(1), bounce(elsewhere.as_str(), 1, 100, "other")]).await;
        let old = cluster.master_of(RECORD);
        cluster.node_mut(old).kill();
        // It is a fault, and none of the others.
        assert!(store.records(&[address(ALICE)]).await.unwrap_err().is_transient());
        assert!(store.records(&[elsewhere.clone(), address(ALICE)]).await.is_err());
        assert!(store.records(std::slice::from_ref(&elsewhere)).await.unwrap()[0].is_some());
        assert_eq!(store.record(&[bounce(elsewhere.as_str(), 2, 100, "other")]).await, Ok(vec![Outcome::Recorded]));
        assert_eq!(store.probe().await, Ok(()));

        assert_eq!(assert_recorded_at_last(&store, &[event(1), event(2)]).await[0], Outcome::Duplicate);
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 2);
        cluster.node_mut(old).start_again();
        cluster.await_settled();
        // It is refused once, if the old one is not known yet as a replica: it was there by then, and is a duplicate.
        assert_eq!(assert_recorded_at_last(&store, &[event(2), event(3)]).await[0], Outcome::Duplicate);
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 3);
    });
}

/// One that hangs refuses nothing: who asks it hears only that it was too late.
#[test]
fn a_master_that_hangs_is_given_up_for_its_successor() {
    let cluster = RedisCluster::start(3, 1, &[]);
    block_on(async {
        let store = open(&RedisSettings::new(cluster.url()));
        assert_recorded_at_last(&store, &[event(1)]).await;
        let old = cluster.master_of(RECORD);
        cluster.node(old).signal("-STOP");
        assert!(store.records(&[address(ALICE)]).await.unwrap_err().is_transient());
        assert_eq!(assert_recorded_at_last(&store, &[event(1), event(2)]).await[0], Outcome::Duplicate);
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 2);
        cluster.node(old).signal("-CONT");
        cluster.await_settled();
        assert_eq!(assert_recorded_at_last(&store, &[event(2), event(3)]).await[0], Outcome::Duplicate);
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 3);
    });
}

/// A slot that moves: what is there is found where it is, what is not there yet waits, and in the end all is elsewhere.
#[test]
fn a_slot_may_move_while_it_is_used() {
    let cluster = RedisCluster::start(3, 0, &[]);
    let slot = cluster.node(0).cli::<u16>(&["CLUSTER", "KEYSLOT", RECORD]).to_string();
    let from = cluster.master_of(RECORD);
    let to = cluster.nodes().find(|node| *node != from).unwrap();
    let id = |node| cluster.node(node).cli::<String>(&["CLUSTER", "MYID"]);
    block_on(async {
        let store = of_cluster(&cluster);
        assert_eq!(store.record(&[event(1)]).await, Ok(vec![Outcome::Recorded]));
        cluster.node(to).cli::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id(from)]);
        cluster.node(from).cli::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id(to)]);
        assert_eq!(store.record(&[event(2)]).await, Ok(vec![Outcome::Recorded]));
        // The record is gone there, and its feed is not: nobody can take an event.
        let port = cluster.node(to).port().to_string();
        let move_key = |key: &str| cluster.node(from).cli::<()>(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
        move_key(RECORD);
        assert!(record_of(&store, &address(ALICE)).await.is_some());
        let error = store.record(&[event(3)]).await.unwrap_err();
        assert!(matches!(&error, Error::StoreUnavailable { reason } if reason.contains("TRYAGAIN")), "{error:?}");
        move_key("sup:{5e}:feed");
        move_key("sup:{5e}:changes");
        assert_eq!(store.record(&[event(2), event(3)]).await, Ok(vec![Outcome::Duplicate, Outcome::Recorded]));
        for node in [to, from] {
            cluster.node(node).cli::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", &id(to)]);
        }
        await_condition("the slot does not move", || (cluster.master_of(RECORD) == to).then_some(()));
        assert_eq!(store.record(&[event(3), event(4)]).await, Ok(vec![Outcome::Duplicate, Outcome::Recorded]));
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 4);
    });
}

/// What an old master, cut off until it has been replaced, says to reads that reached it before it heard of that.
async fn stale_answers(cluster: &RedisCluster, store: &RedisStore, is_strict: bool) -> usize {
    const READS: usize = 20;
    let old = cluster.master_of(RECORD);
    assert_recorded_at_last(store, &[event(1)]).await;
    cluster.node(old).signal("-STOP");
    let read = |store: RedisStore| async move {
        let asked = [address(ALICE)];
        if is_strict { store.records_strictly(&asked).await } else { store.records(&asked).await }
    };
    let reads: Vec<_> = (0..READS).map(|_| tokio::spawn(read(store.clone()))).collect();
    cluster.await_failover(RECORD, old);
    let newer = of_cluster(cluster);
    assert_recorded_at_last(&newer, &[event(2)]).await;
    cluster.node(old).signal("-CONT");
    let mut stale = 0;
    for read in reads {
        if let Ok(records) = read.await.unwrap() {
            stale += usize::from(records[0].as_ref().is_none_or(|record| record.evidence().len() < 2));
        }
    }
    stale
}

#[test]
fn a_strict_read_is_never_answered_by_a_master_that_has_been_replaced() {
    let cluster = RedisCluster::start(3, 1, &[]);
    block_on(async {
        let store = of_cluster(&cluster);
        assert_eq!(store.records_strictly(&[address(ALICE)]).await, Ok(vec![None]));
        assert_eq!(stale_answers(&cluster, &store, true).await, 0);
    });
}

/// Without it the test above shows nothing.
#[test]
fn a_plain_read_may_be_answered_by_a_master_that_has_been_replaced() {
    let cluster = RedisCluster::start(3, 1, &[]);
    block_on(async {
        let store = of_cluster(&cluster);
        assert_ne!(stale_answers(&cluster, &store, false).await, 0);
    });
}

#[test]
fn a_strict_read_fails_without_replicas_that_follow() {
    let cluster = RedisCluster::start(3, 1, &[]);
    let master = cluster.master_of(RECORD);
    block_on(async {
        let store = open(&RedisSettings { read_deadline: SHORT, ..patient_settings(cluster.url()) });
        assert_recorded_at_last(&store, &[event(1)]).await;
        assert!(store.records_strictly(&[address(ALICE), address("nobody@x.example")]).await.unwrap()[0].is_some());
        cluster.node(cluster.replicas_of(master)[0]).signal("-STOP");
        let error = store.records_strictly(&[address(ALICE)]).await.unwrap_err();
        assert!(error.to_string().contains("not replicated"), "{error}");
        assert!(record_of(&store, &address(ALICE)).await.is_some());
    });
}

#[test]
fn a_cluster_that_is_given_as_one_server_is_refused_by_name() {
    let cluster = RedisCluster::start(3, 0, &[]);
    let other = cluster.nodes().find(|node| *node != cluster.master_of(RECORD)).unwrap();
    block_on(async {
        let store = cluster.node(other).store();
        let error = store.record(&[event(1)]).await.unwrap_err();
        assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains("redis+cluster://")), "{error:?}");
    });
}
