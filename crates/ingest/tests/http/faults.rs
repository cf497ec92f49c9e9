//! A store that is away, full, slow or broken.

use std::time::Duration;

use suppressd_core::store::memory::MemoryStore;
use suppressd_core::{Error, LetterLimits};
use suppressd_ingest::Limits;

use crate::client::{BOUNCE, Server};
use crate::stores::{FickleStore, evidence};

fn away() -> Error {
    Error::StoreUnavailable { reason: "connection refused".into() }
}

#[tokio::test]
async fn a_store_that_is_away_is_to_be_tried_again() {
    let store = FickleStore::willing();
    let server = Server::open(store.clone(), Limits { retry_after_seconds: 5, ..Limits::default() }).await;
    assert_eq!(server.get("/readyz").await.body, "ready");
    for fault in [away(), Error::StoreOverloaded] {
        store.fail(fault.clone());
        for body in [BOUNCE, "{"] {
            let answer = server.post(body).await;
            assert_eq!(answer.problem()["detail"], fault.to_string());
            assert_eq!((answer.code(), answer.header("retry-after")), (503, Some("5")));
        }
        let answer = server.get("/readyz").await;
        assert_eq!(answer.problem()["status"], 503);
        assert_eq!(server.get("/healthz").await.code(), 200);
    }
    // What can be answered without the store is.
    assert_eq!(server.post(r#"{"type":"tq"}"#).await.counts(), [0, 0, 1, 0]);
    store.fail(None);
    assert_eq!(server.get("/readyz").await.code(), 200);
    assert_eq!(server.post(BOUNCE).await.counts(), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_store_that_needs_its_operator_loses_no_event_meanwhile() {
    let store = FickleStore::willing();
    let server = Server::open(store.clone(), Limits::default()).await;
    store.fail(Error::StoreFailed { reason: "the disk is full".into() });
    let answer = server.post(BOUNCE).await;
    assert_eq!((answer.code(), answer.header("retry-after")), (503, Some("1")));
    assert_eq!(answer.problem()["detail"], "the store needs its operator; the server's log says why");
    assert_eq!(server.get("/readyz").await.code(), 503);
}

#[tokio::test]
async fn a_store_that_does_not_answer_has_a_deadline() {
    let store = FickleStore::waiting();
    let short = Duration::from_millis(50);
    let limits = Limits { store_deadline: short, probe_deadline: short, ..Limits::default() };
    let server = Server::open(store.clone(), limits).await;
    for body in [BOUNCE, "{"] {
        let answer = server.post(body).await;
        assert_eq!(answer.problem()["status"], 503);
        assert!(answer.header("retry-after").is_some());
    }
    assert_eq!(server.get("/readyz").await.problem()["status"], 503);
    assert_eq!(server.get("/metrics").await.code(), 200);
}

#[tokio::test]
async fn full_letters_are_no_answer_but_the_good_events_are_there() {
    let store = MemoryStore::new(LetterLimits { max_letters: 1, ..LetterLimits::default() });
    let server = Server::open(store.clone(), Limits::default()).await;
    assert_eq!(server.post("{").await.code(), 400);
    let body = format!("[{BOUNCE},{{}}]");
    let answer = server.post(&body).await;
    assert_eq!(answer.problem()["detail"], Error::LettersFull.to_string());
    assert_eq!((answer.code(), answer.header("retry-after")), (503, Some("1")));
    assert_eq!(evidence(&store, "alice@x.example").await, 1);
    assert_eq!(server.post(BOUNCE).await.counts(), [0, 1, 0, 0]);
    assert_eq!(server.post("{").await.code(), 400, "it has its letter already");
}
