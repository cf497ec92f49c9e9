//! A master that is killed and comes back at once, before anybody is elected in its place, on a disk that is slow: it brings what
//! its disk had, and its replica throws away what it has besides.

use std::time::Duration;

use super::load::{Report, under_load};
use super::nodes::{Fleet, PATIENT};
use super::{BEFORE_A_KILL, KEY, setting};
use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::{RedisCluster, await_condition};
use crate::servers::suppressd::Launch;

/// So long nobody is elected: it comes back before that.
const NODE_TIMEOUT: [&str; 2] = ["--cluster-node-timeout", "20000"];

/// How long a sync takes. That of a server that replies after it is longer than it should be, and bearable; the other one's is as
/// long as a disk takes that has a lot else to do.
const SYNC: Duration = Duration::from_millis(20);
const LONG_SYNC: Duration = Duration::from_millis(1500);

fn cluster(sync: Duration, append_fsync: &str) -> RedisCluster {
    let keeps = ["--appendonly", "yes", "--appendfsync", append_fsync];
    RedisCluster::start_on_slow_disks(3, 1, sync, &[&keeps[..], &NODE_TIMEOUT].concat())
}

/// More than what all clients together have under way, one batch each, takes in a master's file.
const UNDER_WAY_BYTES: u64 = 64_000;

/// Kills a master under load when it is time to, and starts it again at once.
fn kill_and_restart(cluster: RedisCluster, flags: &[&str], await_time: impl Fn(&RedisServer)) -> Report {
    let mut fleet = Fleet::start(cluster, flags);
    under_load(&mut fleet, |fleet, load| {
        for _ in 0..setting("FLEET_KILLS", 1) {
            load.await_more(BEFORE_A_KILL);
            let master = fleet.cluster.master_of(KEY);
            await_time(fleet.cluster.node(master));
            fleet.cluster.node_mut(master).kill();
            fleet.cluster.node_mut(master).start_again();
            fleet.cluster.await_settled();
            assert_eq!(fleet.cluster.master_of(KEY), master, "it did not come back in time");
        }
    })
}

#[test]
fn a_master_that_comes_back_at_once_on_a_slow_disk_has_lost_nothing() {
    kill_and_restart(cluster(SYNC, "always"), &PATIENT, |_| ()).assert_exact();
}

/// Where it replies before its disk has anything: that is refused, and without the refusal the test above could fail.
#[test]
fn a_master_that_syncs_every_second_is_refused_and_loses_where_it_is_allowed() {
    let cluster = cluster(LONG_SYNC, "everysec");
    let output = Launch::on(&cluster.url()).flags(&["--redis-allow", "none"]).fail();
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("appendfsync is everysec"), "{said}");
    let flags = ["--redis-allow", "appendfsync", "--redis-read-deadline-ms", "10000"];
    kill_and_restart(cluster, &flags, await_acknowledged_and_not_written).assert_lost();
}

/// Just after a write there is nothing to lose.
fn await_acknowledged_and_not_written(master: &RedisServer) {
    await_condition("it writes before it acknowledges", || {
        let info: redis::InfoDict = master.cli(&["INFO", "persistence"]);
        let bytes: u64 = info.get("aof_buffer_length").unwrap();
        (bytes > UNDER_WAY_BYTES).then_some(())
    });
}
