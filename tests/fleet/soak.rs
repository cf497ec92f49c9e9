//! A fleet that is under load for a long time, and of which something is killed again and again.
//!
//! `tests/soak` runs it for ten minutes. By itself it is as short as it may be to show that it works.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::load::under_load;
use super::nodes::{Fleet, PATIENT, Role};
use super::{SAFE, setting};
use crate::fleet::load::Load;
use crate::servers::redis_cluster::RedisCluster;

/// How much later a replica gets what its master acknowledges.
const DELAY: Duration = Duration::from_millis(50);

/// What may be killed.
#[derive(Debug, Clone, Copy)]
enum Victim {
    Redis { node: usize, is_back_at_once: bool },
    Node(Role),
}

/// Chooses by numbers that a seed makes, so that a run can be made again.
struct Dice(u64);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        // SplitMix64.
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).unwrap()
    }

    fn victim(&mut self, cluster: &RedisCluster) -> Victim {
        match self.below(5) {
            0 => Victim::Node(Role::Ingest),
            1 => Victim::Node(Role::Check),
            _ => Victim::Redis { node: self.below(cluster.nodes().len()), is_back_at_once: self.below(2) == 0 },
        }
    }
}

/// Kills it, and takes it back. All of it is well again then.
fn kill(fleet: &mut Fleet, victim: Victim) {
    match victim {
        Victim::Node(role) => {
            fleet.kill(role);
            fleet.add(role);
        }
        Victim::Redis { node, is_back_at_once } => {
            let is_master = fleet.cluster.is_master(node);
            fleet.cluster.node_mut(node).kill();
            if is_master && !is_back_at_once {
                fleet.cluster.await_replaced(node);
            }
            fleet.cluster.node_mut(node).start_again();
            fleet.cluster.await_settled();
        }
    }
}

/// Kills something every so often, and says what.
fn kill_again_and_again(fleet: &mut Fleet, load: &Load, duration: Duration, interval: Duration) -> usize {
    let mut dice = Dice(setting("FLEET_SOAK_SEED", 1));
    let started = Instant::now();
    let mut kills = 0;
    while started.elapsed() < duration {
        load.await_more(100);
        let victim = dice.victim(&fleet.cluster);
        println!("{:?}: {victim:?} is killed", started.elapsed());
        let killed = Instant::now();
        kill(fleet, victim);
        kills += 1;
        println!("{:?}: all is well after {:?}", started.elapsed(), killed.elapsed());
        // The load goes on for what is left of the interval.
        std::thread::sleep(interval.saturating_sub(killed.elapsed()));
    }
    kills
}

#[test]
fn a_fleet_of_which_something_is_killed_again_and_again_loses_nothing() {
    let logs: Option<PathBuf> = std::env::var_os("FLEET_LOGS").map(PathBuf::from);
    let duration = Duration::from_secs(setting("FLEET_SOAK_SECONDS", 20));
    let interval = Duration::from_secs(setting("FLEET_KILL_EVERY_SECONDS", 5));
    let cluster = RedisCluster::start_behind_proxies(3, 1, &SAFE);
    cluster.delay_replication(DELAY);
    let mut fleet = Fleet::start_logging(cluster, &PATIENT, logs.as_deref());
    let mut kills = 0;
    let report = under_load(&mut fleet, |fleet, load| {
        kills = kill_again_and_again(fleet, load, duration, interval);
    });
    println!("{kills} kills in {duration:?}");
    assert!(kills > 0);
    report.assert_exact();
}
