//! Every server and every node is restarted, one after the other, under load: nobody is told more than to come again.

use super::SAFE;
use super::load::under_load;
use super::nodes::{Fleet, PATIENT, Role};
use crate::servers::redis_cluster::RedisCluster;

/// Events that are acknowledged between two restarts, at least.
const BETWEEN: usize = 300;

#[test]
fn a_rolling_restart_of_everything_fails_nothing() {
    let mut fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    let report = under_load(&mut fleet, |fleet, load| {
        for role in [Role::Ingest, Role::Check, Role::Ingest, Role::Check] {
            load.await_more(BETWEEN);
            fleet.add(role);
            // Clients go elsewhere from now on; what is under way is finished.
            let (status, log) = fleet.take(role).terminate();
            assert!(status.success(), "{log}");
        }
        for server in fleet.cluster.nodes() {
            load.await_more(BETWEEN);
            hand_over(&fleet.cluster, server);
            fleet.cluster.node_mut(server).stop();
            fleet.cluster.node_mut(server).start_again();
            fleet.cluster.await_settled();
        }
    });
    report.assert_nothing_cut_off();
}

/// A master gives its slots to its replica first, as an operator's tool does.
fn hand_over(cluster: &RedisCluster, server: usize) {
    let Some(replica) = cluster.replicas_of(server).first().copied() else { return };
    cluster.node(replica).cli::<()>(&["CLUSTER", "FAILOVER"]);
    cluster.await_replaced(server);
    cluster.await_settled();
}
