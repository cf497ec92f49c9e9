//! Replicas that are away, a shard that is away, masters that hand over, slots that move, scripts that are forgotten: each has its
//! stated outcome, and none is "not suppressed".

use tonic::Code;

use super::SAFE;
use super::load::under_load;
use super::nodes::{Fleet, PATIENT, Role};
use crate::clients::rust_grpc::Checks;
use crate::journeys::webhook::body;
use crate::servers::redis_cluster::{RedisCluster, await_condition};

/// Where the incidents lie.
const INCIDENTS: &str = "sup:{incidents}:book";

/// Slots that move under load. Some have buckets in them.
const MOVED_SLOTS: &str = "400";

/// Addresses of the shard of a key, and of the others.
fn by_shard(cluster: &RedisCluster, key: &str) -> [Vec<String>; 2] {
    let master = cluster.master_of(key);
    let all = (0..24).map(|number| format!("a{number}@x.example"));
    let (here, elsewhere): (Vec<_>, _) = all.partition(|email| cluster.master_of_address(email) == master);
    assert!(!here.is_empty() && !elsewhere.is_empty());
    [here, elsewhere]
}

fn post(fleet: &Fleet, email: &str, number: usize) -> u16 {
    let answer = fleet.nodes(Role::Ingest)[0].webhook().post(body("b", email, "bad-mailbox", number));
    assert_eq!(answer.retry_after.is_some(), answer.status == 503, "{answer:?}");
    answer.status
}

/// Right, or none.
fn check(checks: &Checks, email: &str) -> Option<()> {
    match checks.one(email) {
        Ok(answer) => assert!(answer.suppressed(), "{email}: {answer:?}"),
        Err(status) => {
            assert_eq!(status.code(), Code::Unavailable, "{status}");
            return None;
        }
    }
    Some(())
}

fn record(fleet: &Fleet, emails: &[String]) {
    for email in emails {
        await_condition("it is not recorded", || (post(fleet, email, 1) == 200).then_some(()));
    }
    for node in fleet.nodes(Role::Check) {
        let checks = node.checks();
        for email in emails {
            checks.await_that("it is known", |checks| checks.one(email).is_ok_and(|answer| answer.suppressed()));
        }
    }
}

#[test]
fn without_replicas_nothing_is_acknowledged_and_checks_go_on() {
    let mut fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    let [here, elsewhere] = by_shard(&fleet.cluster, INCIDENTS);
    let all = [here, elsewhere].concat();
    record(&fleet, &all);
    let masters: Vec<_> = fleet.cluster.nodes().filter(|node| !fleet.cluster.replicas_of(*node).is_empty()).collect();
    let replicas: Vec<_> = fleet.cluster.nodes().filter(|node| !masters.contains(node)).collect();
    for replica in &replicas {
        fleet.cluster.node_mut(*replica).kill();
    }
    let checks = fleet.nodes(Role::Check)[0].checks();
    for email in &all {
        assert!(checks.is_suppressed(email));
        assert_eq!(checks.one(&format!("un{email}")).unwrap().suppressed, Some(false), "nobody has heard of it");
    }
    for master in masters {
        let email = all.iter().find(|email| fleet.cluster.master_of_address(email) == master).unwrap();
        assert_eq!(post(&fleet, email, 2), 503);
        assert_eq!(checks_strictly(&fleet).one(email).unwrap_err().code(), Code::Unavailable);
    }
    for replica in replicas {
        fleet.cluster.node_mut(replica).start_again();
    }
    fleet.cluster.await_settled();
    for email in &all {
        await_condition("it is not recorded", || (post(&fleet, email, 2) == 200).then_some(()));
    }
}

fn checks_strictly(fleet: &Fleet) -> Checks {
    fleet.nodes(Role::Check)[0].checks().strictly()
}

/// Takes a whole shard away: its addresses cannot be answered or recorded, and all the others can.
fn take_a_shard_away(is_that_of_the_incidents: bool) {
    let cluster = RedisCluster::start(3, 1, &[&SAFE[..], &["--cluster-require-full-coverage", "no"]].concat());
    let of_incidents = cluster.master_of(INCIDENTS);
    let emails = || (0..).map(|number| format!("b{number}@x.example"));
    let is_wanted = |email: &String| (cluster.master_of_address(email) == of_incidents) == is_that_of_the_incidents;
    let key = cluster.key_of(&emails().find(is_wanted).unwrap());
    let mut fleet = Fleet::start(cluster, &PATIENT);
    let [here, elsewhere] = by_shard(&fleet.cluster, &key);
    record(&fleet, &[here.clone(), elsewhere.clone()].concat());
    let master = fleet.cluster.master_of(&key);
    let shard = [fleet.cluster.replicas_of(master), vec![master]].concat();
    for node in &shard {
        fleet.cluster.node_mut(*node).kill();
    }
    let checks = fleet.nodes(Role::Check)[0].checks();
    for number in 2..6 {
        for email in &here {
            assert_eq!((check(&checks, email), post(&fleet, email, number)), (None, 503));
        }
        for email in &elsewhere {
            await_condition("the other shards do not answer", || check(&checks, email));
            await_condition("the other shards take nothing", || (post(&fleet, email, number) == 200).then_some(()));
        }
    }
    for email in &elsewhere {
        // By now all has been noticed: it costs them nothing at all.
        assert_eq!((check(&checks, email), post(&fleet, email, 7)), (Some(()), 200));
    }
    for node in shard {
        fleet.cluster.node_mut(node).start_again();
    }
    fleet.cluster.await_settled();
    for email in &here {
        await_condition("it does not come back", || check(&checks, email));
        await_condition("it does not come back", || (post(&fleet, email, 2) == 200).then_some(()));
    }
}

#[test]
fn a_shard_that_is_away_costs_only_what_lies_in_it() {
    take_a_shard_away(false);
}

#[test]
fn the_shard_of_the_incidents_that_is_away_costs_only_what_lies_in_it() {
    take_a_shard_away(true);
}

#[test]
fn masters_that_hand_over_under_load_and_scripts_that_are_forgotten_fail_nothing() {
    let mut fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    let report = under_load(&mut fleet, |fleet, load| {
        for key in [INCIDENTS, "sup:{5e}:feed", "sup:{00}:feed"] {
            load.await_more(300);
            for node in fleet.cluster.nodes() {
                fleet.cluster.node(node).cli::<()>(&["SCRIPT", "FLUSH"]);
            }
            load.await_more(300);
            let old = fleet.cluster.master_of(key);
            let replica = fleet.cluster.replicas_of(old)[0];
            fleet.cluster.node(replica).cli::<()>(&["CLUSTER", "FAILOVER"]);
            fleet.cluster.await_failover(key, old);
            fleet.cluster.await_settled();
        }
    });
    report.assert_nothing_cut_off();
}

#[test]
fn slots_that_move_under_load_lose_nothing() {
    let mut fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    let report = under_load(&mut fleet, |fleet, load| {
        load.await_more(500);
        let from = fleet.cluster.master_of(INCIDENTS);
        let to = fleet.cluster.master_of("sup:{5e}:feed");
        assert_ne!(from, to);
        fleet.cluster.move_slots(from, to, MOVED_SLOTS);
        load.await_more(500);
        fleet.cluster.move_slots(to, from, MOVED_SLOTS);
    });
    report.assert_nothing_cut_off();
}

#[test]
fn an_event_of_a_record_that_has_moved_before_its_feed_waits_for_it() {
    const EMAIL: &str = "alice@example.com";
    let fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    let (from, slot) = (fleet.cluster.master_of_address(EMAIL), fleet.cluster.slot(&fleet.cluster.key_of(EMAIL)).to_string());
    let to = fleet.cluster.master_of(INCIDENTS);
    assert_ne!(from, to);
    record(&fleet, &[EMAIL.to_owned()]);
    let (source, target) = (fleet.cluster.node(from), fleet.cluster.node(to));
    target.cli::<()>(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", fleet.cluster.id(from)]);
    source.cli::<()>(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", fleet.cluster.id(to)]);
    let port = target.port().to_string();
    let bring = |key: &str| source.cli::<()>(&["MIGRATE", "127.0.0.1", &port, key, "0", "5000"]);
    bring(&fleet.cluster.key_of(EMAIL));
    let checks = fleet.nodes(Role::Check)[0].checks();
    assert_eq!((post(&fleet, EMAIL, 2), check(&checks, EMAIL)), (503, Some(())));
    bring("sup:{5e}:feed");
    bring("sup:{5e}:changes");
    assert_eq!((post(&fleet, EMAIL, 2), check(&checks, EMAIL)), (200, Some(())));
    for node in [target, source] {
        node.cli::<()>(&["CLUSTER", "SETSLOT", &slot, "NODE", fleet.cluster.id(to)]);
    }
    await_condition("the slot does not move", || (fleet.cluster.master_of_address(EMAIL) == to).then_some(()));
    // Both events are there, and no third.
    let ingest = fleet.nodes(Role::Ingest)[0].webhook();
    let again = [1, 2].map(|number| body("b", EMAIL, "bad-mailbox", number));
    assert_eq!(ingest.post(format!("[{}]", again.join(","))).counts(), [0, 2, 0, 0]);
    checks.await_that("it is answered", |checks| check(checks, EMAIL).is_some());
}
