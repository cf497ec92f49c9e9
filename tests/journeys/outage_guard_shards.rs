//! The outage guard on a Redis Cluster without one of its shards: nothing is counted twice, and the other shards' domains are
//! guarded all the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::outage_guard::{ago, incidents};
use super::webhook::{body, payload};
use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::{RedisCluster, await_condition};
use crate::servers::suppressd::{Launch, Suppressd};

/// As a cluster must be, of which one shard away is not all away.
const PARTIAL: [&str; 6] = ["--cluster-require-full-coverage", "no", "--appendonly", "yes", "--appendfsync", "always"];

const BOOK: &str = "sup:{incidents}:book";

/// Hard bounces that the guard asks for, and answers in the past.
const MINIMUM: usize = 20;

/// Bodies that come while the shard is away, each before the next flush.
const ROUNDS: usize = 3;

/// A domain, and where its answers are counted.
struct Domain {
    name: String,
    key: String,
    shard: usize,
}

impl Domain {
    /// The first domain whose answers are counted where they should be.
    fn find(cluster: &RedisCluster, is_it: impl Fn(usize) -> bool) -> Self {
        let domains = (0..).map(|number| format!("provider{number}.example")).map(|name| {
            let key = cluster.answers_key(&name);
            let shard = cluster.master_of(&key);
            Self { name, key, shard }
        });
        domains.into_iter().find(|domain| is_it(domain.shard)).unwrap()
    }

    /// How many answers are counted, the hard ones or all.
    fn counted(&self, cluster: &RedisCluster, kind: &str) -> usize {
        let fields: BTreeMap<String, usize> = cluster.node(self.shard).cli(&["HGETALL", &self.key]);
        fields.iter().filter(|(name, _)| name.starts_with(kind)).map(|(_, count)| count).sum()
    }

    fn await_counted(&self, cluster: &RedisCluster, kind: &str, count: usize) {
        await_condition("it is not counted", || (self.counted(cluster, kind) >= count).then_some(()));
    }
}

/// A cluster without replicas and a process on it, and two domains whose answers are counted in different shards.
struct Ground {
    cluster: RedisCluster,
    server: Suppressd,
    /// That of the shard that goes, which has neither the incidents nor any of the addresses.
    far: Domain,
    near: Domain,
    of_far: Vec<String>,
    of_near: Vec<String>,
    /// An address in the shard that goes.
    in_shard: String,
    _policy: tempfile::TempDir,
}

impl Ground {
    fn start() -> Self {
        let cluster = RedisCluster::start(3, 0, &PARTIAL);
        let book = cluster.master_of(BOOK);
        let far = Domain::find(&cluster, |shard| shard != book);
        let near = Domain::find(&cluster, |shard| shard != far.shard);
        let addresses = |domain: &Domain, count, is_in_shard| -> Vec<String> {
            let all = (0..).map(|number| format!("r{number}@{}", domain.name));
            all.filter(|address| (cluster.master_of_address(address) == far.shard) == is_in_shard).take(count).collect()
        };
        let (of_far, of_near) = (addresses(&far, ROUNDS + 2, false), addresses(&near, MINIMUM, false));
        let in_shard = addresses(&near, 1, true).remove(0);
        let directory = tempfile::tempdir().unwrap();
        let policy = directory.path().join("policy.toml");
        std::fs::write(&policy, format!("[outage_guard]\nminimum_hard_bounces = {MINIMUM}\nratio = 5\n")).unwrap();
        let server = Launch::on(&cluster.url()).flags(&["--policy", policy.to_str().unwrap()]).start();
        Self { cluster, server, far, near, of_far, of_near, in_shard, _policy: directory }
    }

    fn post(&self, kind: &str, seconds_ago: u64, addresses: &[String]) {
        let events: Vec<_> = addresses
            .iter()
            .map(|address| {
                let mut event = payload(kind, address, "bad-mailbox", 0);
                event["timeLogged"] = ago(seconds_ago).into();
                event
            })
            .collect();
        let body = serde_json::to_string(&events).unwrap();
        assert_eq!(self.server.webhook().post(body).counts(), [addresses.len() as u64, 0, 0, 0]);
    }

    fn await_uncounted(&self, count: usize) {
        let line = format!("suppressd_outage_guard_uncounted_answers_total {count}\n");
        await_condition("it is not dropped", || self.server.webhook().get("/metrics").text.contains(&line).then_some(()));
    }
}

/// One shard goes and comes back.
fn costs_only_what_it_counts(go: impl Fn(&mut RedisServer), come_back: impl Fn(&mut RedisServer)) {
    let mut ground = Ground::start();
    ground.post("d", 8 * 3600, &ground.of_near);
    ground.near.await_counted(&ground.cluster, "all:", MINIMUM);

    go(ground.cluster.node_mut(ground.far.shard));
    let Ground { cluster, server, near, of_far, of_near, .. } = &ground;
    for round in 0..ROUNDS {
        ground.post("b", 0, &[of_far[round].clone(), of_near[round].clone()]);
        // What the store did not confirm would be told again with the next.
        ground.await_uncounted(round + 1);
    }
    near.await_counted(cluster, "hard:", ROUNDS);
    assert_eq!(near.counted(cluster, "hard:"), ROUNDS);
    assert_eq!(incidents(server), [] as [Value; 0]);
    ground.post("b", 0, &[&of_far[ROUNDS..=ROUNDS], &of_near[ROUNDS..]].concat());
    server.checks().await_that("it is released", |checks| !checks.is_suppressed(&of_near[0]));
    let opened = incidents(server);
    assert_eq!(opened.iter().map(|incident| &incident["domain"]).collect::<Vec<_>>(), [&near.name]);
    assert_eq!([near.counted(cluster, "hard:"), near.counted(cluster, "all:")], [MINIMUM, 2 * MINIMUM]);

    come_back(ground.cluster.node_mut(ground.far.shard));
    ground.cluster.await_settled();
    let bounce = body("b", &ground.in_shard, "quota-issues", 0);
    let is_recorded = || (ground.server.webhook().post(bounce.as_str()).status == 200).then_some(());
    await_condition("the shard does not record again", is_recorded);
    ground.post("b", 0, &ground.of_far[ROUNDS + 1..]);
    ground.far.await_counted(&ground.cluster, "hard:", 1);
    ground.await_uncounted(ROUNDS + 1);
    assert!(ground.server.terminate().0.success());
    // One that hung counts what it was sent meanwhile, once each.
    let counted = ground.far.counted(&ground.cluster, "hard:");
    assert!((1..=ground.of_far.len()).contains(&counted), "{counted}");
}

#[test]
fn a_shard_that_is_dead_costs_only_what_it_counts() {
    costs_only_what_it_counts(RedisServer::kill, RedisServer::start_again);
}

#[test]
fn a_shard_that_hangs_costs_only_what_it_counts() {
    costs_only_what_it_counts(|node| node.signal("-STOP"), |node| node.signal("-CONT"));
}
