//! Whoever keeps a copy of the suppressed addresses, while masters are killed.

use std::collections::BTreeSet;
use std::time::Duration;

use suppressd_service::proto::ListSuppressionsRequest;

use super::load::under_load;
use super::nodes::{Fleet, PATIENT, Role};
use super::{BEFORE_A_KILL, KEY, SAFE};
use crate::servers::redis_cluster::RedisCluster;
use crate::servers::watcher::Watcher;

/// How much later a replica gets what its master acknowledges: what is told before that may be gone with the master.
const DELAY: Duration = Duration::from_millis(100);

#[test]
fn a_copy_is_that_of_the_store_although_a_master_was_killed() {
    let cluster = RedisCluster::start_behind_proxies(3, 1, &SAFE);
    cluster.delay_replication(DELAY);
    let mut fleet = Fleet::start(cluster, &PATIENT);
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("changes.ndjson");
    let watcher = Watcher::start(&fleet.nodes(Role::Check)[0].grpc_url(), &file, &[]);
    watcher.await_that("the beginning", |watched| watched.is_whole);
    let report = under_load(&mut fleet, |fleet, load| {
        load.await_more(BEFORE_A_KILL);
        let old = fleet.cluster.master_of(KEY);
        fleet.cluster.node_mut(old).kill();
        fleet.cluster.await_failover(KEY, old);
        fleet.cluster.node_mut(old).start_again();
        fleet.cluster.await_settled();
        load.await_more(BEFORE_A_KILL);
    });
    report.assert_exact();
    let listed = fleet.nodes(Role::Check)[0].admin().list(ListSuppressionsRequest::default(), || {});
    let suppressed: BTreeSet<_> = listed.into_iter().map(|listed| listed.email).collect();
    assert!(!suppressed.is_empty());
    let heard = watcher.await_that("the copy is that of the store", |heard| heard.mirror == suppressed);
    assert!(heard.is_whole, "it began {} times", heard.resets);
    println!("{} changes; it began {} times", heard.changes.len(), heard.resets);
}
