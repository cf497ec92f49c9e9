//! The outage guard, from two processes' webhooks to an incident that awaits an operator.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::webhook::payload;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd, run};

const POLICY: &str = "[outage_guard]\nminimum_hard_bounces = 100\nratio = 5\n";

pub(super) fn ago(seconds: u64) -> String {
    (SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - seconds).to_string()
}

/// Answers of a domain so many seconds ago; the numbers make them events of their own.
fn answers(server: &Suppressd, kind: &str, seconds_ago: u64, numbers: std::ops::Range<usize>) {
    let events: Vec<_> = numbers
        .clone()
        .map(|number| {
            let mut event = payload(kind, &format!("r{number}@provider.example"), "bad-mailbox", number);
            event["timeLogged"] = ago(seconds_ago).into();
            event
        })
        .collect();
    assert_eq!(server.webhook().post(serde_json::to_string(&events).unwrap()).counts(), [numbers.len() as u64, 0, 0, 0]);
}

pub(super) fn incidents(server: &Suppressd) -> Vec<Value> {
    let output = run(&["incident", "list", "--json", "--server", &server.grpc_url()]);
    assert!(output.status.success(), "{output:?}");
    std::str::from_utf8(&output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn an_outage_that_a_fleet_sees_is_one_incident_that_awaits_its_operator() {
    let directory = tempfile::tempdir().unwrap();
    let policy = directory.path().join("policy.toml");
    std::fs::write(&policy, POLICY).unwrap();
    let redis = RedisServer::start(&[]);
    // On a busy machine Redis has to be waited for.
    let flags = ["--policy", policy.to_str().unwrap(), "--redis-read-deadline-ms", "10000"];
    let launch = |role| Launch::on(&redis.url()).role(role).flags(&flags);
    let ingest = [launch("ingest").start(), launch("ingest").start()];
    let check = launch("check").start();
    answers(&ingest[0], "d", 8 * 3600, 0..1000);
    // Neither process sees as many as it takes.
    answers(&ingest[0], "b", 0, 2000..2070);
    check.checks().await_that("it is suppressed", |checks| checks.is_suppressed("r2000@provider.example"));
    answers(&ingest[1], "b", 0, 3000..3070);

    check.checks().await_that("it is released", |checks| !checks.is_suppressed("r2000@provider.example"));
    let found = incidents(&check);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!((&found[0]["state"], &found[0]["domain"]), (&json!("awaiting"), &json!("provider.example")));
    assert_eq!(found[0]["by_guard"], true);
    let metrics = check.webhook().get("/metrics").text;
    assert!(metrics.contains("suppressd_incidents{state=\"awaiting\"} 1"), "{metrics}");
    let explained = run(&["explain", "r2000@provider.example", "--server", &check.grpc_url()]);
    let explained = String::from_utf8(explained.stdout).unwrap();
    assert!(explained.contains("which awaits an operator (140 of 140 answers were hard bounces"), "{explained}");

    let id = found[0]["id"].as_str().unwrap();
    let act = |what: &str| {
        let output = run(&["incident", what, id, "--why", "looked at", "--json", "--server", &check.grpc_url()]);
        serde_json::from_slice::<Value>(&output.stdout).unwrap()["state"].clone()
    };
    assert_eq!(act("keep"), "open");
    assert!(!check.checks().is_suppressed("r2000@provider.example"));
    assert_eq!(act("close"), "closed");
    assert!(check.checks().is_suppressed("r2000@provider.example"));
    // What was closed is not opened again for the same outage.
    answers(&ingest[0], "b", 0, 4000..4200);
    for server in ingest {
        // At its end a process tells the store what it has counted, and looks at it.
        assert!(server.terminate().0.success());
    }
    assert_eq!(incidents(&check).len(), 1);
    check.checks().await_that("it is suppressed", |checks| checks.is_suppressed("r4000@provider.example"));
}
