//! The outage guard: what it counts, and when it opens an incident.

use std::ops::Range;
use std::time::{Duration, SystemTime};

use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{EvidenceStore as _, amend_incidents};
use suppressd_core::{Act, Answers, IncidentState, Incidents, Origin, Rulebook, UnixSeconds};
use suppressd_ingest::Limits;
use tokio::net::TcpStream;

use crate::client::{DoorStore, Server, request, settings, until};
use crate::stores::{FickleStore, answers, incidents};

/// Hard bounces that the guard of these tests asks for, and answers in the past.
pub(crate) const MINIMUM: usize = 40;

pub(crate) const HOUR: i64 = 3600;

fn rules() -> Rulebook {
    Rulebook::from_toml(&format!("[outage_guard]\nminimum_hard_bounces = {MINIMUM}\nratio = 5")).unwrap()
}

/// Flushes at once.
pub(crate) fn hasty() -> Limits {
    Limits { guard_interval: Duration::from_millis(5), ..Limits::default() }
}

/// Flushes at the drain only.
pub(crate) fn lazy() -> Limits {
    Limits { guard_interval: Duration::from_hours(1), ..Limits::default() }
}

pub(crate) async fn guarded(store: impl DoorStore, limits: Limits) -> Server {
    Server::with_rules(store, settings(&[], limits), rules()).await
}

fn events(fields: &str, domain: &str, ago: i64, recipients: Range<usize>) -> String {
    let time = UnixSeconds::from(SystemTime::now()).get() - ago;
    let event =
        |recipient| format!(r#"{{{fields},"rcpt":"{recipient}@{domain}","timeLogged":"{time}","header_Message-Id":"<1@y>"}}"#);
    format!("[{}]", recipients.map(event).collect::<Vec<_>>().join(","))
}

pub(crate) fn hard(domain: &str, ago: i64, recipients: Range<usize>) -> String {
    events(r#""type":"b","bounceCat":"bad-mailbox""#, domain, ago, recipients)
}

pub(crate) fn delivered(domain: &str, ago: i64, recipients: Range<usize>) -> String {
    events(r#""type":"d""#, domain, ago, recipients)
}

pub(crate) async fn post(server: &Server, bodies: &[String]) {
    for body in bodies {
        assert_eq!(server.post(body).await.code(), 200);
    }
}

pub(crate) async fn end(server: Server) {
    server.stop().await.unwrap().unwrap();
}

pub(crate) async fn opened(store: &MemoryStore) {
    until(async || !incidents(store).await.is_empty()).await;
}

#[tokio::test]
async fn a_rise_spread_over_two_doors_opens_one_incident() {
    let store = MemoryStore::default();
    let (first, second) = (guarded(store.clone(), hasty()).await, guarded(store.clone(), hasty()).await);
    let half = MINIMUM / 2;
    post(&first, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..half)]).await;
    post(&second, &[hard("new.example", 0, 0..2 * MINIMUM), delivered("y.example", 3 * HOUR, 0..MINIMUM)]).await;
    post(&second, &[hard("x.example", 0, half..MINIMUM), delivered("y.example", 0, 0..MINIMUM)]).await;
    opened(&store).await;
    let line = "suppressd_outage_guard_incidents_total 1\n";
    until(async || {
        let texts = [first.get("/metrics").await.body, second.get("/metrics").await.body];
        texts.iter().filter(|text| text.contains(line)).count() == 1
    })
    .await;
    end(first).await;
    end(second).await;
    let opened = incidents(&store).await;
    assert_eq!(opened.len(), 1, "{opened:?}");
    let incident = &opened[0];
    assert_eq!((incident.origin, incident.state()), (Origin::Guard, IncidentState::Awaiting));
    assert_eq!(incident.scope.domain.as_deref(), Some("x.example"));
    assert_eq!(incident.opened.who, "outage guard");
    assert_eq!(incident.opened.why, "40 of 40 answers were hard bounces, before that 0 of 40");
    let record = store.records(&["0@x.example".parse().unwrap()]).await.unwrap().remove(0).unwrap();
    let in_force = Incidents::new(opened.clone());
    assert_eq!(in_force.covering("x.example", record.evidence().first().unwrap()), Some(incident));
    assert_eq!(in_force.covering("new.example", record.evidence().first().unwrap()), None);
}

#[tokio::test]
async fn a_rise_over_two_flushes_is_seen() {
    let store = MemoryStore::default();
    let server = guarded(store.clone(), hasty()).await;
    let half = MINIMUM / 2;
    post(&server, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..half)]).await;
    until(async || answers(&store, "x.example").await.hard == half as u64).await;
    assert!(incidents(&store).await.is_empty());
    post(&server, &[hard("x.example", 0, half..MINIMUM)]).await;
    opened(&store).await;
}

#[tokio::test]
async fn too_few_bounces_and_a_small_rise_open_nothing() {
    let store = MemoryStore::default();
    let server = guarded(store.clone(), hasty()).await;
    for bodies in [
        [delivered("few.example", 3 * HOUR, 0..MINIMUM), hard("few.example", 0, 1..MINIMUM)],
        [delivered("past.example", 3 * HOUR, 1..MINIMUM), hard("past.example", 0, 0..MINIMUM)],
        [delivered("ancient.example", 27 * HOUR, 0..MINIMUM), hard("ancient.example", 0, 0..MINIMUM)],
        [delivered("ratio.example", 3 * HOUR, 0..30), hard("ratio.example", 3 * HOUR, 30..40)],
        [delivered("ratio.example", 0, 40..60), hard("ratio.example", 0, 0..MINIMUM)],
        [delivered("soft.example", 3 * HOUR, 0..MINIMUM), hard("soft.example", 0, 0..90).replace("bad-mailbox", "quota-issues")],
        // A replay of what is long over, and a clock that is ahead.
        [delivered("replay.example", 3 * HOUR, 0..MINIMUM), hard("replay.example", 30 * HOUR, 0..90)],
        [delivered("ahead.example", 3 * HOUR, 0..MINIMUM), hard("ahead.example", -2 * HOUR, 0..90)],
    ] {
        post(&server, &bodies).await;
    }
    end(server).await;
    assert_eq!(incidents(&store).await, []);
    for (domain, hard, all) in
        [("few.example", 39, 79), ("ratio.example", 50, 100), ("soft.example", 0, 130), ("ahead.example", 90, 130)]
    {
        assert_eq!(answers(&store, domain).await, Answers { hard, all }, "{domain}");
    }
}

#[tokio::test]
async fn the_guard_is_off_by_default_and_comes_and_goes_with_the_rules() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), lazy()).await;
    let bounces = |recipients| [delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, recipients)];
    post(&server, &bounces(0..50)).await;
    server.rules.send_replace(rules().into());
    post(&server, &bounces(50..150)).await;
    // What was counted is told to the store, but nobody looks at it any more.
    server.rules.send_replace(Rulebook::default().into());
    post(&server, &bounces(150..160)).await;
    end(server).await;
    assert_eq!(answers(&store, "x.example").await.hard, 100);
    assert_eq!(incidents(&store).await, []);
}

#[tokio::test]
async fn duplicates_and_complaints_do_not_count() {
    let store = MemoryStore::default();
    let (first, second) = (guarded(store.clone(), hasty()).await, guarded(store.clone(), hasty()).await);
    let bounces = hard("x.example", 0, 1..MINIMUM);
    let complaints = bounces.replace(r#""type":"b""#, r#""type":"f""#);
    let bodies = [delivered("x.example", 3 * HOUR, 0..MINIMUM), bounces.clone(), bounces, complaints];
    post(&first, &bodies).await;
    post(&second, &bodies[1..]).await;
    end(first).await;
    end(second).await;
    assert_eq!(answers(&store, "x.example").await, Answers { hard: 39, all: 79 });
    assert_eq!(incidents(&store).await, []);
}

#[tokio::test]
async fn what_the_operator_has_closed_is_not_opened_again() {
    let store = MemoryStore::default();
    let server = guarded(store.clone(), hasty()).await;
    post(&server, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..MINIMUM)]).await;
    opened(&store).await;
    let id = incidents(&store).await[0].id();
    let act = Act::new(SystemTime::now().into(), "operator", "a list of bad addresses").unwrap();
    amend_incidents(&store, |book| Ok(book.close(id, act.clone()).is_some())).await.unwrap();
    post(&server, &[hard("x.example", 0, MINIMUM..90)]).await;
    end(server).await;
    let opened = incidents(&store).await;
    assert_eq!((opened.len(), opened[0].state()), (1, IncidentState::Closed));
}

#[tokio::test]
async fn a_rise_that_two_doors_see_at_once_opens_one_incident() {
    let store = FickleStore::willing();
    store.book.shut();
    let (first, second) = (guarded(store.clone(), hasty()).await, guarded(store.clone(), hasty()).await);
    post(&first, &[delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..MINIMUM)]).await;
    store.book.entered().await;
    post(&second, &[hard("x.example", 0, MINIMUM..90)]).await;
    store.book.entered().await;
    // Both have read that there is none.
    store.book.open();
    end(first).await;
    end(second).await;
    assert_eq!(incidents(&store.memory).await.len(), 1);
}

#[tokio::test]
async fn the_drain_counts_what_is_in_flight() {
    let store = FickleStore::waiting();
    let server = guarded(store.clone(), lazy()).await;
    let body = format!("{}\n{}", delivered("x.example", 3 * HOUR, 0..MINIMUM), hard("x.example", 0, 0..MINIMUM));
    let body = body.replace("]\n[", ",");
    let mut client = server.connect().await;
    client.send(request("POST", "/webhooks/inboxroad", "", &body)).await;
    store.entered().await;
    let address = server.address;
    let ended = server.stop();
    until(async || TcpStream::connect(address).await.is_err()).await;
    store.release();
    assert_eq!(client.answer(true).await.counts(), [80, 0, 0, 0]);
    drop(client);
    ended.await.unwrap().unwrap();
    assert_eq!(answers(&store.memory, "x.example").await, Answers { hard: 40, all: 80 });
    assert_eq!(incidents(&store.memory).await.len(), 1);
}

#[tokio::test]
async fn domains_of_any_length_are_guarded() {
    let store = MemoryStore::default();
    let server = guarded(store.clone(), hasty()).await;
    let label = "x".repeat(63);
    let longest = format!("{label}.{label}.{label}.{}", "y".repeat(59));
    let domains = ["x", "[192.0.2.1]", "xn--bcher-kva.example", &longest];
    for domain in domains {
        post(&server, &[delivered(domain, 3 * HOUR, 0..MINIMUM), hard(domain, 0, 0..MINIMUM)]).await;
    }
    end(server).await;
    for domain in domains {
        assert!(incidents(&store).await.iter().any(|incident| incident.scope.domain.as_deref() == Some(domain)), "{domain}");
    }
}
