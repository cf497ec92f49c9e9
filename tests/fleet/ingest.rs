//! Ingest nodes that are killed in the middle of batches, which come again to the other node.

use super::load::Load;
use super::nodes::{Fleet, PATIENT, Role};
use super::{SAFE, setting};
use crate::servers::redis_cluster::RedisCluster;

/// Clients that deliver at the same time, and the events in each of their batches: a batch takes its time.
const CLIENTS: usize = 4;
const BATCH: usize = 400;

/// Events that are acknowledged before a kill, at least.
const BEFORE_A_KILL: usize = 4 * BATCH;

#[test]
fn batches_of_an_ingest_node_that_is_killed_count_once_at_the_next_one() {
    let mut fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    let report = Load::start(&fleet.doors, CLIENTS, BATCH).during(&mut fleet, |fleet, load| {
        for _ in 0..setting("FLEET_KILLS", 5) {
            load.await_more(BEFORE_A_KILL);
            fleet.kill(Role::Ingest);
            fleet.add(Role::Ingest);
        }
    });
    assert!(report.delivered.cut_off > 0, "nothing was under way");
    report.assert_exact();
}
