//! A Redis that may lose or hide what was acknowledged is not used, unless the operator says so by name.

use std::time::Duration;

use suppressd_core::store::redis::{Danger, DangerKind, Dangers, RedisStore};

use super::webhook::body;
use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::{RedisCluster, await_condition};
use crate::servers::redis_pair::RedisPair;
use crate::servers::suppressd::{Launch, Suppressd, command};
use crate::stores::block_on;

/// What a Redis that keeps everything is started with.
const SAFE: [&str; 4] = ["--appendonly", "yes", "--appendfsync", "always"];

/// One that nothing is allowed to.
fn launch(url: &str) -> Launch {
    Launch::by(command(), url)
}

fn refusal(launch: Launch) -> String {
    let output = launch.fail();
    assert_eq!(output.status.code(), Some(1));
    String::from_utf8(output.stderr).unwrap()
}

fn dangers(server: &Suppressd) -> Vec<String> {
    let metrics = server.webhook().get("/metrics").text;
    let of_danger = |line: &str| Some(line.strip_prefix("suppressd_store_dangers{danger=\"")?.strip_suffix("\"} 1")?.to_owned());
    let mut dangers: Vec<_> = metrics.lines().filter_map(of_danger).collect();
    dangers.sort();
    dangers
}

#[test]
fn a_redis_that_is_safe_is_used() {
    let redis = RedisServer::start(&SAFE);
    let server = launch(&redis.url()).start();
    assert_eq!(server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    assert_eq!(dangers(&server), [""; 0]);
}

#[test]
fn a_redis_that_is_not_safe_refuses_the_start_and_says_why() {
    let redis = RedisServer::start(&["--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"]);
    let said = refusal(launch(&redis.url()));
    for words in
        ["appendfsync is everysec", "set appendfsync to always", "maxmemory-policy is allkeys-lru", "--redis-allow appendfsync"]
    {
        assert!(said.contains(words), "{said}");
    }
    assert!(!said.contains("appendonly is"), "{said}");
    // All of them must be allowed, by their names.
    assert!(refusal(launch(&redis.url()).flags(&["--redis-allow", "appendfsync"])).contains("maxmemory-policy is"));
    let server = launch(&redis.url()).flags(&["--redis-allow", "appendfsync, maxmemory-policy"]).start();
    assert_eq!(server.webhook().get("/readyz").status, 200);
    assert_eq!(dangers(&server), [""; 0]);
}

#[test]
fn a_replica_and_a_redis_that_tells_nothing_are_refused() {
    let pair = RedisPair::start(&SAFE);
    let said = refusal(launch(&pair.replica.url()));
    assert!(said.contains("is a replica"), "{said}");
    pair.replica.cli::<()>(&["CONFIG", "SET", "appendfsync", "no"]);
    assert!(refusal(launch(&pair.primary.url())).contains("appendfsync is no"));
    pair.primary.cli::<()>(&["ACL", "SETUSER", "silent", "on", ">x", "~*", "+@all", "-config"]);
    let url = pair.primary.url().replace("redis://", "redis://silent:x@");
    assert!(refusal(launch(&url)).contains("+config|get"));
    let renamed = RedisServer::start(&["--rename-command", "CONFIG", ""]);
    assert!(refusal(launch(&renamed.url())).contains("--redis-allow config-denied"));
}

#[test]
fn a_redis_that_comes_later_is_checked_before_it_is_used() {
    let mut redis = RedisServer::start(&[]);
    redis.kill();
    let server = launch(&redis.url()).start();
    let post = || server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1));
    assert_eq!(post().status, 503);
    redis.start_again();
    await_condition("the danger is not shown", || (dangers(&server) == ["appendonly"]).then_some(()));
    assert_eq!((post().status, server.webhook().get("/readyz").status), (503, 503));
    assert!(server.checks().one("bad@example.com").is_err());
    for (setting, value) in [("appendonly", "yes"), ("appendfsync", "always")] {
        redis.cli::<()>(&["CONFIG", "SET", setting, value]);
    }
    await_condition("it is not used", || (server.webhook().get("/readyz").status == 200).then_some(()));
    assert_eq!((post().counts(), dangers(&server)), ([1, 0, 0, 0], vec![]));
    let (status, log) = server.terminate();
    assert!(status.success() && log.contains("appendonly is no"), "{log}");
}

#[test]
fn a_redis_that_becomes_dangerous_is_not_used_until_it_is_set_back() {
    let pair = RedisPair::start(&SAFE);
    let server = launch(&pair.primary.url()).start();
    let post = |number| server.webhook().post(body("b", "bad@example.com", "quota-issues", number));
    assert_eq!(post(1).counts(), [1, 0, 0, 0]);
    // The replica is not in use.
    pair.replica.cli::<()>(&["CONFIG", "SET", "appendfsync", "no"]);
    await_condition("the danger is not shown", || (dangers(&server) == ["appendfsync"]).then_some(()));
    assert_eq!((post(2).counts(), server.webhook().get("/readyz").status), ([1, 0, 0, 0], 200));
    pair.primary.cli::<()>(&["CONFIG", "SET", "maxmemory-policy", "allkeys-lru"]);
    await_condition("it is still used", || (post(2).status == 503).then_some(()));
    assert!(server.checks().one("bad@example.com").is_err());
    assert_eq!(dangers(&server), ["appendfsync", "maxmemory-policy"]);
    await_condition("it is ready", || (server.webhook().get("/readyz").status == 503).then_some(()));
    pair.primary.cli::<()>(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    await_condition("it is not used again", || (post(3).status == 200).then_some(()));
    let (status, log) = server.terminate();
    assert!(status.success() && log.contains("maxmemory-policy is allkeys-lru"), "{log}");
}

#[test]
fn every_server_of_a_cluster_is_checked() {
    let cluster = RedisCluster::start(3, 1, &SAFE);
    block_on(async {
        let store = RedisStore::open(&crate::servers::redis::patient_settings(cluster.url())).unwrap();
        assert_eq!(store.check().await, Ok(Dangers { found: vec![], silent_primaries: 0 }));
        cluster.node(5).cli::<()>(&["CONFIG", "SET", "cluster-allow-reads-when-down", "yes"]);
        cluster.node(0).cli::<()>(&["CONFIG", "SET", "appendfsync", "everysec"]);
        let found = store.check().await.unwrap().found;
        let expected = [(DangerKind::AppendFsync, "everysec", 0), (DangerKind::ClusterAllowReadsWhenDown, "yes", 5)];
        let expected = expected.map(|(kind, value, node)| Danger {
            kind,
            value: value.into(),
            server: format!("127.0.0.1:{}", cluster.node(node).port()),
            is_of_primary: node == 0,
        });
        assert_eq!(found, expected);
        // A replica that hangs is passed over.
        cluster.node(5).signal("-STOP");
        let hurried = suppressd_core::store::redis::RedisSettings {
            write_deadline: Duration::from_secs(1),
            ..crate::servers::redis::patient_settings(cluster.url())
        };
        let found = expected[..1].to_vec();
        let hurried = RedisStore::open(&hurried).unwrap();
        assert_eq!(hurried.check().await, Ok(Dangers { found: found.clone(), silent_primaries: 0 }));
        // So is a primary, as long as others answer.
        cluster.node(1).signal("-STOP");
        assert_eq!(hurried.check().await, Ok(Dangers { found, silent_primaries: 1 }));
    });
}
