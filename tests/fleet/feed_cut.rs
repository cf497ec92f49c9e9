//! A check node that is cut off from the feed, or from all of Redis, while somebody else records: within the bound it stops going
//! by what it knows, and what was recorded meanwhile is suppressed as soon as it answers again.

use std::time::Instant;

use tonic::Code;

use super::SAFE;
use super::ledger::LAG_BOUND;
use crate::clients::rust_grpc::Checks;
use crate::journeys::webhook::body;
use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::await_condition;
use crate::servers::replication_proxy::ReplicationProxy;
use crate::servers::suppressd::{Launch, Suppressd};

/// How long the store may take for a check: no longer than all that is asked of it here.
const DEADLINE: [&str; 2] = ["--redis-read-deadline-ms", "1000"];

const UNKNOWN: &str = "nobody@example.com";

/// One Redis, and a node that records whatever becomes of the other one, which checks.
struct Ground {
    redis: RedisServer,
    ingest: Suppressd,
    check: Suppressd,
    checks: Checks,
}

impl Ground {
    /// The URL of the check node is made from the Redis.
    fn start(url: impl FnOnce(&RedisServer) -> String) -> Self {
        let redis = RedisServer::start_on_tcp(&SAFE);
        let ingest = Launch::on(&redis.url()).role("ingest").start();
        let check = Launch::on(&url(&redis)).role("check").flags(&DEADLINE).start();
        let checks = check.checks();
        let ground = Self { redis, ingest, check, checks };
        ground.await_filter();
        ground
    }

    /// Waits until the filter answers for addresses that nobody has heard of.
    fn await_filter(&self) {
        await_condition("the filter answers nothing", || {
            let before = self.metric("suppressd_filter_hits_total");
            let _ = self.checks.one(UNKNOWN);
            (self.metric("suppressd_filter_hits_total") > before).then_some(())
        });
    }

    fn metric(&self, name: &str) -> u64 {
        let metrics = self.check.webhook().get("/metrics").text;
        let value = metrics.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok());
        value.unwrap_or_else(|| panic!("there is no {name}: {metrics}"))
    }

    /// Records a hard bounce, and waits until it must be known everywhere.
    fn record(&self, email: &str) {
        await_condition("it is not recorded", || {
            (self.ingest.webhook().post(body("b", email, "bad-mailbox", 1)).status == 200).then_some(())
        });
        let acknowledged = Instant::now();
        await_condition("the bound does not pass", || (acknowledged.elapsed() > LAG_BOUND).then_some(()));
    }

    /// Asks until there is an answer. Each one must be right.
    fn assert_suppressed_as_soon_as_answered(&self, email: &str) {
        await_condition("it does not answer", || match self.checks.one(email) {
            Ok(answer) => {
                assert!(answer.suppressed(), "{answer:?}");
                Some(())
            }
            Err(status) => {
                assert_eq!(status.code(), Code::Unavailable, "{status}");
                None
            }
        });
    }

    fn assert_unavailable(&self, emails: &[&str]) {
        for email in emails {
            assert_eq!(self.checks.one(email).unwrap_err().code(), Code::Unavailable, "{email}");
        }
    }
}

#[test]
fn a_node_that_is_cut_off_from_the_feed_asks_the_store_and_without_it_nobody() {
    let ground = Ground::start(|redis| {
        redis.cli::<()>(&["ACL", "SETUSER", "reader", "on", ">x", "~*", "&*", "+@all"]);
        redis.url().replace("redis://", "redis://reader:x@")
    });
    ground.redis.cli::<()>(&["ACL", "SETUSER", "reader", "-xrange", "-xrevrange"]);
    ground.record("during@example.com");
    ground.assert_suppressed_as_soon_as_answered("during@example.com");
    let before = ground.metric("suppressd_filter_fallbacks_total");
    assert_eq!(ground.checks.one(UNKNOWN).unwrap().suppressed, Some(false), "the store can say so");
    assert!(ground.metric("suppressd_filter_fallbacks_total") > before);
    // What is in the filter is not asked for, and still nobody can say.
    ground.redis.signal("-STOP");
    ground.assert_unavailable(&["during@example.com", UNKNOWN]);
    ground.redis.signal("-CONT");
    ground.redis.cli::<()>(&["ACL", "SETUSER", "reader", "+@all"]);
    ground.assert_suppressed_as_soon_as_answered("during@example.com");
    ground.await_filter();
    ground.assert_suppressed_as_soon_as_answered("during@example.com");
}

#[test]
fn what_was_recorded_during_a_cut_is_suppressed_as_soon_as_it_heals() {
    let proxy = ReplicationProxy::start();
    let ground = Ground::start(|redis| {
        proxy.stand_before(redis.port());
        format!("redis://127.0.0.1:{}", proxy.port())
    });
    ground.record("before@example.com");
    ground.assert_suppressed_as_soon_as_answered("before@example.com");
    for number in 0..5 {
        // Nobody gets through from now on, and who was there is thrown out.
        proxy.stand_before(0);
        for kind in ["normal", "pubsub"] {
            let _: u32 = ground.redis.cli(&["CLIENT", "KILL", "TYPE", kind]);
        }
        let during = format!("during{number}@example.com");
        ground.record(&during);
        ground.assert_unavailable(&[&during, "before@example.com", UNKNOWN]);
        proxy.stand_before(ground.redis.port());
        ground.assert_suppressed_as_soon_as_answered(&during);
        ground.await_filter();
        ground.assert_suppressed_as_soon_as_answered(&during);
    }
}
