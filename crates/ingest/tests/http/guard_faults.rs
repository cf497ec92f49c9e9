//! The outage guard and a store that fails: nothing is counted twice, nobody waits, and each fault costs only what it must.

use std::time::Duration;

use suppressd_core::{Answers, Error};
use suppressd_ingest::Limits;

use crate::client::{PATIENCE, Server, until};
use crate::guard::{HOUR, MINIMUM, delivered, end, guarded, hard, hasty, lazy, opened, post};
use crate::stores::{FickleStore, answers, incidents};

/// Stretches of time in a call of the store, here of a domain each.
const CALL: usize = 256;

/// The events of some bodies in one.
fn together(bodies: &[String]) -> String {
    bodies.join(",").replace("],[", ",")
}

/// More domains than the store is told of in one call, a hard bounce each.
fn of_many_domains() -> String {
    together(&(0..300).map(|number| hard(&format!("{number:03}.example"), 0, 0..1)).collect::<Vec<_>>())
}

/// Waits until so many answers are counted as not counted.
async fn uncounted(server: &Server, number: usize) {
    let line = format!("suppressd_outage_guard_uncounted_answers_total {number}\n");
    until(async || server.get("/metrics").await.body.contains(&line)).await;
}

fn away() -> Error {
    Error::StoreUnavailable { reason: "connection refused".into() }
}

#[tokio::test]
async fn what_the_store_counted_and_did_not_confirm_is_not_told_again() {
    let store = FickleStore::willing();
    let server = guarded(store.clone(), hasty()).await;
    store.confirmation.fail(away());
    post(&server, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..1)]).await;
    uncounted(&server, MINIMUM + 1).await;
    // Each is a flush, and would be another time to tell what came before.
    for recipient in 1..10 {
        post(&server, &[hard("x.example", 0, recipient..recipient + 1)]).await;
        uncounted(&server, MINIMUM + 1 + recipient).await;
    }
    store.confirmation.fail(None);
    post(&server, &[hard("x.example", 0, 10..11)]).await;
    until(async || answers(&store.memory, "x.example").await.hard == 11).await;
    end(server).await;
    assert_eq!(answers(&store.memory, "x.example").await, Answers { hard: 11, all: 51 });
    assert_eq!(incidents(&store.memory).await, []);
}

#[tokio::test]
async fn a_store_that_cannot_count_holds_no_webhook_up_and_counts_again_when_it_can() {
    let store = FickleStore::willing();
    let server = guarded(store.clone(), Limits { guard_deadline: Duration::from_millis(20), ..hasty() }).await;
    store.answers.fail(away());
    post(&server, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..10)]).await;
    uncounted(&server, MINIMUM + 10).await;
    store.answers.shut();
    post(&server, &[hard("x.example", 0, 10..20)]).await;
    store.answers.entered().await;
    post(&server, &[hard("x.example", 0, 20..MINIMUM)]).await;
    uncounted(&server, 2 * MINIMUM).await;
    let metrics = server.get("/metrics").await.body;
    assert!(!metrics.contains(r#"suppressd_store_errors_total{operation="count-answers"} 0"#), "{metrics}");
    assert!(metrics.contains(r#"suppressd_store_errors_total{operation="open-incident"} 0"#), "{metrics}");
    store.answers.fail(None);
    store.answers.open();
    let again = MINIMUM..2 * MINIMUM;
    post(&server, &[delivered("x.example", 3 * HOUR, again.clone()), hard("x.example", 0, again)]).await;
    opened(&store.memory).await;
    end(server).await;
    assert_eq!(answers(&store.memory, "x.example").await, Answers { hard: 40, all: 80 });
}

#[tokio::test]
async fn a_call_that_fails_costs_only_the_answers_in_it() {
    let store = FickleStore::willing();
    let server = guarded(store.clone(), hasty()).await;
    store.confirmation.fail_once(away());
    post(&server, &[of_many_domains()]).await;
    until(async || answers(&store.memory, "299.example").await.hard == 1).await;
    uncounted(&server, CALL).await;
    end(server).await;
    for number in 0..300 {
        assert_eq!(answers(&store.memory, &format!("{number:03}.example")).await, Answers::one(true), "{number}");
    }
}

#[tokio::test]
async fn what_there_is_no_time_to_tell_is_not_told_later() {
    let store = FickleStore::willing();
    let server = guarded(store.clone(), Limits { guard_deadline: Duration::from_millis(20), ..hasty() }).await;
    store.answers.shut();
    post(&server, &[of_many_domains()]).await;
    uncounted(&server, 300).await;
    store.answers.open();
    end(server).await;
    assert_eq!(answers(&store.memory, "299.example").await, Answers::default());
}

#[tokio::test]
async fn a_shard_that_is_away_or_hangs_costs_no_other_its_incident() {
    let store = FickleStore::willing();
    let server = guarded(store.clone(), Limits { guard_deadline: PATIENCE, ..hasty() }).await;
    store.far_answers.fail(away());
    let of_both = |number: usize, domain| {
        let of_far = hard("far.example", 0, number..number + 1);
        together(&[of_far, delivered(domain, 3 * HOUR, 0..MINIMUM), hard(domain, 0, 0..MINIMUM)])
    };
    post(&server, &[of_both(0, "x.example")]).await;
    until(async || incidents(&store.memory).await.len() == 1).await;
    uncounted(&server, 1).await;
    store.far_answers.shut();
    post(&server, &[of_both(1, "y.example")]).await;
    until(async || answers(&store.memory, "y.example").await.hard == MINIMUM as u64).await;
    store.far_answers.fail(None);
    store.far_answers.open();
    until(async || incidents(&store.memory).await.len() == 2).await;
    end(server).await;
    for domain in ["x.example", "y.example"] {
        assert_eq!(answers(&store.memory, domain).await, Answers { hard: 40, all: 80 }, "{domain}");
    }
    assert_eq!(answers(&store.memory, "far.example").await, Answers::one(true));
}

#[tokio::test]
async fn an_incident_that_cannot_be_opened_is_opened_later_without_another_bounce() {
    let store = FickleStore::willing();
    let server = guarded(store.clone(), hasty()).await;
    store.book.fail(away());
    post(&server, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..MINIMUM)]).await;
    store.book.entered().await;
    store.book.entered().await;
    store.book.fail(None);
    opened(&store.memory).await;
    let metrics = server.get("/metrics").await.body;
    assert!(!metrics.contains(r#"suppressd_store_errors_total{operation="open-incident"} 0"#), "{metrics}");
}

#[tokio::test]
async fn a_store_that_does_not_answer_does_not_hold_the_drain_up() {
    let store = FickleStore::willing();
    store.answers.shut();
    let server = guarded(store.clone(), Limits { guard_deadline: Duration::from_millis(20), ..lazy() }).await;
    post(&server, &[hard("x.example", 0, 0..MINIMUM)]).await;
    tokio::time::timeout(PATIENCE, server.stop()).await.expect("it never ends").unwrap().unwrap();
}

#[tokio::test]
async fn nothing_outlives_a_server_that_is_dropped() {
    let store = FickleStore::willing();
    store.answers.shut();
    let server = guarded(store.clone(), Limits { guard_deadline: Duration::from_hours(1), ..hasty() }).await;
    post(&server, &[hard("x.example", 0, 0..1)]).await;
    store.answers.entered().await;
    server.cut();
    until(async || store.holders() == 1).await;
}
