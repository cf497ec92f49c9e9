//! Killed under load, again and again: whatever was acknowledged is there.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::Ground;
use super::webhook::body;
use crate::clients::http::Webhook;
use crate::clients::rust_grpc::Checks;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd};

/// How often it is killed.
const KILLS: usize = 20;

/// Clients that deliver at the same time.
const CLIENTS: usize = 8;

/// Least acknowledged events before a kill.
const LEAST_ACKNOWLEDGED: usize = 40;

/// What was acknowledged before a kill.
#[derive(Default)]
struct Acknowledged {
    recipients: Vec<String>,
}

/// Delivers hard bounces of ever new recipients until the server is gone, and calls `kill` in the middle of it.
fn deliver_until_killed(webhook: &Webhook, round: usize, kill: impl FnOnce()) -> Acknowledged {
    let acknowledged = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..CLIENTS)
        .map(|client| {
            let (webhook, acknowledged) = (webhook.clone(), Arc::clone(&acknowledged));
            thread::spawn(move || {
                let mut recipients = Vec::new();
                for number in 0..100_000 {
                    let rcpt = format!("r{round}-{client}-{number}@example.com");
                    let Ok(answer) = webhook.try_post(body("b", &rcpt, "bad-mailbox", number)) else { break };
                    if answer.status != 200 {
                        break;
                    }
                    assert_eq!(answer.counts(), [1, 0, 0, 0], "an event that is new was taken for another");
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                    recipients.push(rcpt);
                }
                recipients
            })
        })
        .collect();
    let started = Instant::now();
    // A different place in the load each time.
    while acknowledged.load(Ordering::Relaxed) < LEAST_ACKNOWLEDGED + 7 * round {
        assert!(started.elapsed() < Duration::from_mins(1), "too little was acknowledged");
        thread::sleep(Duration::from_micros(200));
    }
    kill();
    Acknowledged { recipients: clients.into_iter().flat_map(|client| client.join().unwrap()).collect() }
}

fn assert_all_there(server: &Suppressd, acknowledged: &[Acknowledged]) {
    let missing = missing(&server.checks(), acknowledged);
    assert_eq!(missing, 0, "{missing} acknowledged events are lost");
}

/// How many of the acknowledged events are not there.
fn missing(checks: &Checks, acknowledged: &[Acknowledged]) -> usize {
    let all: Vec<&str> = acknowledged.iter().flat_map(|part| &part.recipients).map(String::as_str).collect();
    all.chunks(1000).map(|batch| checks.batch(batch).unwrap().iter().filter(|result| !result.suppressed()).count()).sum()
}

/// A machine that is busy with other tests may take its time: that is no loss.
const PATIENT: [&str; 2] = ["--redis-read-deadline-ms", "10000"];

#[test]
fn an_embedded_store_loses_nothing_that_was_acknowledged() {
    let ground = Ground::embedded();
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let server = ground.start();
        assert_all_there(&server, &acknowledged);
        let webhook = server.webhook();
        acknowledged.push(deliver_until_killed(&webhook, round, || server.kill()));
    }
    let server = ground.start();
    assert_all_there(&server, &acknowledged);
    // What came again after the crash is known, whether its first answer arrived or not.
    let first = &acknowledged[0].recipients[0];
    assert_eq!(server.webhook().post(body("b", first, "bad-mailbox", number_in(first))).counts(), [0, 1, 0, 0]);
}

/// The number that was delivered for a recipient.
fn number_in(rcpt: &str) -> usize {
    rcpt.split(['-', '@']).nth(2).unwrap().parse().unwrap()
}

#[test]
fn a_redis_that_syncs_always_loses_nothing_that_was_acknowledged() {
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let server = Launch::on(&redis.url()).flags(&PATIENT).start();
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        acknowledged.push(deliver_until_killed(&server.webhook(), round, || redis.kill()));
        redis.start_again();
        await_ready(&server);
        assert_all_there(&server, &acknowledged);
    }
}

#[test]
fn an_ingest_process_that_is_killed_loses_nothing_of_what_it_acknowledged() {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let check = Launch::on(&redis.url()).role("check").flags(&PATIENT).start();
    let mut acknowledged = Vec::new();
    for round in 0..KILLS {
        let ingest = Launch::on(&redis.url()).role("ingest").start();
        let webhook = ingest.webhook();
        acknowledged.push(deliver_until_killed(&webhook, round, || ingest.kill()));
    }
    check.checks().await_that("all that was acknowledged is there", |checks| missing(checks, &acknowledged) == 0);
}

/// Asks until it is ready, with a bound.
fn await_ready(server: &Suppressd) {
    let started = Instant::now();
    while server.webhook().get("/readyz").status != 200 {
        assert!(started.elapsed() < Duration::from_secs(20), "it does not recover by itself");
        thread::sleep(Duration::from_millis(5));
    }
}
