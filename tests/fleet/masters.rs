//! Masters that are killed under load: whatever was acknowledged is there, and counts once.

use std::time::Duration;

use super::load::{Report, under_load};
use super::nodes::{Fleet, PATIENT};
use super::{BEFORE_A_KILL, KEY, SAFE, setting};
use crate::servers::redis_cluster::{RedisCluster, await_condition};

/// How much later a replica gets what its master acknowledges.
const DELAY: Duration = Duration::from_millis(100);

/// How much later than the other one the replica that lags gets it.
const LAG: Duration = Duration::from_millis(500);

/// How often a master is killed.
fn kills() -> usize {
    setting("FLEET_KILLS", 1)
}

fn fleet(replicas: usize, flags: &[&str]) -> Fleet {
    fleet_with(replicas, &[], flags)
}

/// With arguments for every node of the cluster, and flags for every node of the fleet.
fn fleet_with(replicas: usize, arguments: &[&str], flags: &[&str]) -> Fleet {
    let cluster = RedisCluster::start_behind_proxies(3, replicas, &[&SAFE, arguments].concat());
    cluster.delay_replication(DELAY);
    Fleet::start(cluster, &[&PATIENT, flags].concat())
}

/// Kills the master of a key again and again under load, each time when all of it is well again.
fn kill_masters(fleet: &mut Fleet, kills: usize) -> Report {
    let report = under_load(fleet, |fleet, load| {
        for _ in 0..kills {
            load.await_more(BEFORE_A_KILL);
            let old = fleet.cluster.master_of(KEY);
            fleet.cluster.node_mut(old).kill();
            let new = fleet.cluster.await_failover(KEY, old);
            take_back(fleet, old);
            assert!(fleet.cluster.replicas_of(new).contains(&old), "the old master did not come back as a replica");
        }
    });
    assert!(report.delivered.unavailable > 0, "nobody noticed a kill");
    report
}

fn take_back(fleet: &mut Fleet, killed: usize) {
    fleet.cluster.node_mut(killed).start_again();
    fleet.cluster.await_settled();
}

#[test]
fn masters_with_one_replica_that_are_killed_lose_nothing() {
    let mut fleet = fleet(1, &[]);
    kill_masters(&mut fleet, kills()).assert_exact();
}

#[test]
fn masters_with_two_replicas_that_are_killed_lose_nothing() {
    let mut fleet = fleet(2, &[]);
    kill_masters(&mut fleet, kills()).assert_exact();
}

/// Without it the tests above show nothing.
#[test]
fn masters_that_nobody_waited_for_lose_what_they_acknowledged() {
    let mut fleet = fleet(1, &["--redis-wait-replicas", "0"]);
    kill_masters(&mut fleet, 1).assert_lost();
}

/// Kills a master of whose two replicas one lags behind, and the other is never elected.
fn kill_before_a_replica_that_lags(wait_for_replicas: &str) -> Report {
    let flags = ["--redis-wait-replicas", wait_for_replicas, "--redis-write-deadline-ms", "6000"];
    let mut fleet = fleet(2, &flags);
    let master = fleet.cluster.master_of(KEY);
    let [late, prompt] = fleet.cluster.replicas_of(master)[..] else { panic!("it has not two replicas") };
    fleet.cluster.delay_replica(late, LAG);
    fleet.cluster.node(prompt).cli::<()>(&["CONFIG", "SET", "cluster-replica-no-failover", "yes"]);
    under_load(&mut fleet, |fleet, load| {
        load.await_more(BEFORE_A_KILL);
        fleet.cluster.node_mut(master).kill();
        assert_eq!(fleet.cluster.await_failover(KEY, master), late);
        take_back(fleet, master);
    })
}

#[test]
fn a_replica_that_lags_and_is_elected_lacks_nothing_where_all_are_waited_for() {
    kill_before_a_replica_that_lags("all").assert_exact();
}

/// Without it the test above shows nothing.
#[test]
fn a_replica_that_lags_and_is_elected_lacks_what_only_the_other_one_acknowledged() {
    kill_before_a_replica_that_lags("1").assert_lost();
}

/// A master that was just elected has a replica of which nobody may have heard yet.
#[test]
fn masters_that_are_killed_as_soon_as_they_are_elected_lose_nothing() {
    // Otherwise Redis gives a replica of another shard to one that has none left, and may elect it before it has anything of it.
    let mut fleet = fleet_with(2, &["--cluster-allow-replica-migration", "no"], &[]);
    let report = under_load(&mut fleet, |fleet, load| {
        for _ in 0..setting("FLEET_KILLS", 2) {
            load.await_more(BEFORE_A_KILL);
            let old = fleet.cluster.master_of(KEY);
            fleet.cluster.node_mut(old).kill();
            let new = await_successor(&fleet.cluster, old);
            fleet.cluster.node_mut(new).kill();
            fleet.cluster.node_mut(old).start_again();
            fleet.cluster.await_failover(KEY, new);
            take_back(fleet, new);
        }
    });
    report.assert_exact();
}

/// Waits for the next master of a key, until it has taken something as such, and until a replica has what it took over. Most of
/// the others may not have heard of it.
fn await_successor(cluster: &RedisCluster, old: usize) -> usize {
    let replication = |node| cluster.node(node).try_cli::<String>(&["INFO", "replication"]).ok();
    let number = |text: &str, name: &str| -> Option<u64> {
        let digits = text.split_once(name)?.1;
        digits.split([',', '\r']).next()?.parse().ok()
    };
    let keys = |node| cluster.node(node).try_cli::<u64>(&["DBSIZE"]).ok();
    let new = await_condition("no other master was elected", || {
        let new = cluster.nodes().find(|node| *node != old && cluster.is_master_of(*node, KEY))?;
        Some((new, keys(new)?))
    });
    let (new, before) = new;
    await_condition("it takes nothing, or nobody follows it", || {
        let said = replication(new)?;
        let taken_over = number(&said, "second_repl_offset:")?;
        let has_follower = number(&said, "state=online,offset=").is_some_and(|offset| offset >= taken_over);
        (has_follower && keys(new)? > before).then_some(new)
    })
}
