//! The store goes away and comes back while the process stays.

use std::thread;
use std::time::{Duration, Instant};

use tonic::Code;

use super::webhook::body;
use crate::clients::grpcio::Grpcio;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd};

const SERVICES: [&str; 3] = ["", "suppression.v1.SuppressionService", "suppression.v1.SuppressionAdminService"];

fn health(client: &mut Grpcio, service: &str) -> String {
    let answer = client.call("grpc.health.v1.Health/Check", &serde_json::json!({"service": service}));
    answer["ok"]["status"].as_str().unwrap_or_else(|| panic!("{answer}")).to_owned()
}

/// Waits, with a bound, until all that tells of the store says the same.
fn await_health(server: &Suppressd, client: &mut Grpcio, ready: u16, serving: &str) {
    let started = Instant::now();
    let agrees = |client: &mut Grpcio| {
        server.webhook().get("/readyz").status == ready && SERVICES.iter().all(|service| health(client, service) == serving)
    };
    while !agrees(client) {
        assert!(started.elapsed() < Duration::from_secs(20), "readiness and health never said {ready} and {serving}");
        thread::sleep(Duration::from_millis(20));
    }
}

fn assert_nothing_reads_as_not_suppressed(server: &Suppressd) {
    let checks = server.checks();
    for email in ["bad@example.com", "ok@example.com"] {
        let status = checks.one(email).unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
    }
    // Though one address in it needs no store to be judged.
    assert_eq!(checks.batch(&["nonsense", "ok@example.com"]).unwrap_err().code(), Code::Unavailable);
    let answers = checks.stream(&[&["ok@example.com"], &["ok@example.com"]]);
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0].as_ref().unwrap_err().code(), Code::Unavailable);
    // What is impossible stays so.
    assert_eq!(checks.one("nonsense").unwrap_err().code(), Code::InvalidArgument);
}

#[test]
fn redis_stopped_and_back() {
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let server = Launch::on(&redis.url()).start();
    let mut client = Grpcio::at(&server.grpc().to_string());
    await_health(&server, &mut client, 200, "SERVING");
    assert_eq!(server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    assert!(server.checks().is_suppressed("bad@example.com"));
    for number in 2..4 {
        redis.kill();
        let answer = server.webhook().post(body("b", "late@example.com", "quota-issues", number));
        assert_eq!(answer.status, 503, "{answer:?}");
        assert!(answer.retry_after.is_some(), "{answer:?}");
        assert_eq!(answer.content_type, "application/problem+json");
        // What would need a letter is not lost either: it is not taken.
        assert_eq!(server.webhook().post("{").status, 503);
        assert_nothing_reads_as_not_suppressed(&server);
        await_health(&server, &mut client, 503, "NOT_SERVING");
        assert_eq!(server.webhook().get("/healthz").status, 200, "the process itself is well");

        redis.start_again();
        await_health(&server, &mut client, 200, "SERVING");
        assert!(server.checks().is_suppressed("bad@example.com"));
        assert_eq!(server.webhook().post(body("b", "late@example.com", "quota-issues", number)).counts(), [1, 0, 0, 0]);
    }
    assert_eq!(server.checks().soft_bounces("late@example.com"), 2);
}

#[test]
fn redis_that_hangs_is_away_and_counts_nothing_twice() {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let server = Launch::on(&redis.url()).flags(&["--redis-write-deadline-ms", "400"]).start();
    let bounce = body("b", "slow@example.com", "quota-issues", 1);
    redis.signal("-STOP");
    let answer = server.webhook().post(&bounce);
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert_nothing_reads_as_not_suppressed(&server);
    redis.signal("-CONT");
    let started = Instant::now();
    // Its first delivery may have been written after all: then the second one is a duplicate.
    let counts = loop {
        let answer = server.webhook().post(&bounce);
        if answer.status == 200 {
            break answer.counts();
        }
        assert!(started.elapsed() < Duration::from_secs(20), "it does not recover by itself");
        thread::sleep(Duration::from_millis(20));
    };
    assert_eq!(counts[0] + counts[1], 1);
    assert_eq!(server.checks().soft_bounces("slow@example.com"), 1);
}

#[test]
fn a_process_may_start_before_its_redis() {
    let mut redis = RedisServer::start(&[]);
    redis.kill();
    let server = Launch::on(&redis.url()).start();
    assert_eq!(server.webhook().get("/readyz").status, 503);
    assert_nothing_reads_as_not_suppressed(&server);
    redis.start_again();
    let mut client = Grpcio::at(&server.grpc().to_string());
    await_health(&server, &mut client, 200, "SERVING");
    assert!(!server.checks().is_suppressed("ok@example.com"));
}
