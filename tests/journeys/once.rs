//! An event counts once, however often it comes, at however many doors.

use std::thread;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::Value;

use super::Ground;
use super::webhook::{body, payload};
use crate::clients::http::Webhook;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::Launch;

super::on_both_stores!(
    one_soft_bounce_delivered_a_hundred_times_counts_once,
    one_webhook_without_its_time_counts_once,
    more_webhooks_without_their_time_than_are_kept_count_once,
    a_batch_that_comes_again_counts_nothing_twice,
);

/// Delivers a body many times from eight threads at once, over all the doors. Gives the sums of what was answered.
fn deliver(doors: &[Webhook], body: &str, times: usize) -> [u64; 4] {
    let threads: Vec<_> = (0..8)
        .map(|number| {
            let (door, body) = (doors[number % doors.len()].clone(), body.to_owned());
            let share = times / 8 + usize::from(number < times % 8);
            thread::spawn(move || (0..share).map(|_| door.post(&body).counts()).collect::<Vec<_>>())
        })
        .collect();
    let answers = threads.into_iter().flat_map(|thread| thread.join().unwrap());
    answers.fold([0; 4], |sum, counts| [0, 1, 2, 3].map(|place| sum[place] + counts[place]))
}

fn one_soft_bounce_delivered_a_hundred_times_counts_once(ground: &Ground) {
    let server = ground.start();
    let bounce = body("b", "once@example.com", "quota-issues", 1);
    assert_eq!(deliver(&[server.webhook()], &bounce, 100), [1, 99, 0, 0]);
    assert_eq!(server.checks().soft_bounces("once@example.com"), 1);
}

fn one_webhook_without_its_time_counts_once(ground: &Ground) {
    let server = ground.start();
    for (number, time) in [None, Some(""), Some("yesterday")].into_iter().enumerate() {
        let rcpt = format!("untimed{number}@example.com");
        let mut bounce = payload("b", &rcpt, "quota-issues", 1);
        match time {
            None => drop(bounce.as_object_mut().unwrap().remove("timeLogged")),
            Some(time) => bounce["timeLogged"] = time.into(),
        }
        assert_eq!(deliver(&[server.webhook()], &bounce.to_string(), 5), [1, 4, 0, 0], "{time:?}");
        assert_eq!(server.checks().soft_bounces(&rcpt), 1, "{time:?}");
        // Another message is another event, though it has no time either.
        bounce["header_Message-Id"] = "<other@sender.example>".into();
        assert_eq!(server.webhook().post(bounce.to_string()).counts(), [1, 0, 0, 0]);
        assert_eq!(server.checks().soft_bounces(&rcpt), 2, "{time:?}");
    }
}

fn more_webhooks_without_their_time_than_are_kept_count_once(ground: &Ground) {
    let server = ground.start();
    let untimed = |number| {
        let mut bounce = payload("b", "many@example.com", "other", number);
        bounce["timeLogged"] = "".into();
        bounce
    };
    let all = serde_json::to_string(&(0..40).map(untimed).collect::<Vec<_>>()).unwrap();
    let first = server.webhook().post(&all).counts();
    assert!(first[0] > 16 && first[0] + first[2] == 40, "{first:?}");
    let second = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs();
    for _ in 0..2 {
        // Another second of receipt, which would make them newer than what they had to go for.
        let last = second();
        while second() == last {
            thread::yield_now();
        }
        assert_eq!(server.webhook().post(&all).counts(), [0, 16, 24, 0]);
    }
}

fn a_batch_that_comes_again_counts_nothing_twice(ground: &Ground) {
    let server = ground.start();
    let events: Vec<Value> =
        (0..200).map(|number| payload("b", &format!("r{}@example.com", number % 50), "quota-issues", number)).collect();
    let batch = serde_json::to_string(&events).unwrap();
    assert_eq!(deliver(&[server.webhook()], &batch, 16), [200, 15 * 200, 0, 0]);
    for number in 0..50 {
        assert_eq!(server.checks().soft_bounces(&format!("r{number}@example.com")), 4);
    }
}

#[test]
fn two_ingest_processes_on_one_redis_count_once_and_a_third_process_answers() {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let start = |role| Launch::on(&redis.url()).role(role).start();
    let (first, second, check) = (start("ingest"), start("ingest"), start("check"));
    let bounce = body("rb", "once@example.com", "routing-errors", 1);
    assert_eq!(deliver(&[first.webhook(), second.webhook()], &bounce, 100), [1, 99, 0, 0]);
    check.checks().await_that("it counts", |checks| checks.soft_bounces("once@example.com") > 0);
    assert_eq!(check.checks().soft_bounces("once@example.com"), 1);
    // A process that checks takes no webhooks, and serves its health and metrics.
    assert_eq!(check.webhook().post(&bounce).status, 404);
    assert_eq!(check.webhook().get("/readyz").status, 200);
    assert!(check.webhook().get("/metrics").text.contains("suppressd_checks_total"));
}
