//! Health, metrics, logs, and how the server ends.

use std::io::{Result, Write};
use std::sync::{Arc, Mutex};

use suppressd_core::Error as CoreError;
use suppressd_core::store::memory::MemoryStore;
use suppressd_ingest::{Error, Limits};
use tokio::net::TcpStream;
use tracing_subscriber::filter::LevelFilter;

use crate::client::{BOUNCE, Server, request, settings};
use crate::stores::{FickleStore, evidence};

#[tokio::test]
async fn health_needs_no_token() {
    let server = Server::start(MemoryStore::default(), settings(&["secret"], Limits::default())).await;
    for (path, body) in [("/healthz", "ok"), ("/readyz", "ready")] {
        let answer = server.get(path).await;
        assert_eq!((answer.code(), answer.body.as_str()), (200, body));
        let head = server.request("HEAD", path, "", "").await;
        assert_eq!((head.code(), head.header("content-length")), (200, Some(body.len().to_string().as_str())));
    }
    assert_eq!(server.get("/metrics").await.code(), 200);
}

#[tokio::test]
async fn the_metrics_count_and_name_nobody() {
    let store = FickleStore::willing();
    let server = Server::open(store.clone(), Limits::default()).await;
    let complaint = r#"{"type":"f","rcpt":"carol@x.example"}"#;
    let delivered = r#"{"type":"d","rcpt":"dave@x.example"}"#;
    let soft = r#"{"type":"rb","rcpt":"erin@x.example","bounceCat":"quota-issues"}"#;
    let body = format!("[{BOUNCE},{BOUNCE},{complaint},{delivered},{soft},{{\"type\":\"tq\"}},{{\"rcpt\":\"frank@x.example\"}}]");
    assert_eq!(server.post(&body).await.counts(), [4, 1, 1, 1]);
    assert_eq!(server.post("\"gina@x.example\"").await.code(), 400);
    let answer = server.get("/metrics").await;
    assert_eq!(answer.header("content-type"), Some("application/openmetrics-text; version=1.0.0; charset=utf-8"));
    let letters_bytes = r#"{"rcpt":"frank@x.example"}"#.len() + "\"gina@x.example\"".len();
    for line in [
        r#"suppressd_events_total{type="bounce",class="hard",outcome="recorded"} 1"#,
        r#"suppressd_events_total{type="bounce",class="hard",outcome="duplicate"} 1"#,
        r#"suppressd_events_total{type="complaint",class="complaint",outcome="recorded"} 1"#,
        r#"suppressd_events_total{type="delivered",class="none",outcome="recorded"} 1"#,
        r#"suppressd_events_total{type="remote-bounce",class="soft",outcome="recorded"} 1"#,
        r#"suppressd_events_total{type="unrecorded",class="none",outcome="ignored"} 1"#,
        r#"suppressd_events_total{type="unreadable",class="none",outcome="rejected"} 2"#,
        r#"suppressd_webhook_requests_total{code="200"} 1"#,
        r#"suppressd_webhook_requests_total{code="400"} 1"#,
        r#"suppressd_webhook_requests_total{code="503"} 0"#,
        "suppressd_webhook_duration_seconds_count 2",
        "suppressd_rejected_letters 2",
        &format!("suppressd_rejected_letters_bytes {letters_bytes}"),
        "# EOF",
    ] {
        assert!(answer.body.lines().any(|found| found == line), "{line} is not in\n{}", answer.body);
    }
    assert!(!answer.body.contains('@') && !answer.body.contains("example"));
    // Without the store the letters' gauges keep what they showed.
    store.fail(CoreError::StoreOverloaded);
    let answer = server.get("/metrics").await;
    for line in ["suppressd_rejected_letters 2", r#"suppressd_store_errors_total{operation="letter-usage"} 1"#] {
        assert!(answer.body.lines().any(|found| found == line), "{line} is not in\n{}", answer.body);
    }
}

#[tokio::test]
async fn the_request_in_flight_is_finished_before_the_server_ends() {
    let store = FickleStore::waiting();
    let server = Server::open(store.clone(), Limits::default()).await;
    let address = server.address;
    let mut idle = server.connect().await;
    idle.send(request("GET", "/healthz", "", "")).await;
    assert_eq!(idle.answer(true).await.code(), 200);
    let silent = server.connect().await;
    let mut client = server.connect().await;
    client.send(request("POST", "/webhooks/inboxroad", "", BOUNCE)).await;
    store.entered().await;
    let mut prober = server.connect().await;
    prober.send(request("GET", "/readyz", "", "")).await;
    store.entered().await;
    let ended = server.stop();
    idle.closed().await;
    silent.closed().await;
    while TcpStream::connect(address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!ended.is_finished());
    store.release();
    let answer = client.answer(true).await;
    assert_eq!(answer.counts(), [1, 0, 0, 0]);
    assert_eq!(answer.header("connection"), Some("close"));
    let answer = prober.answer(true).await;
    assert_eq!(answer.problem()["status"], 503);
    assert!(answer.body.contains("draining"), "{answer:?}");
    client.closed().await;
    prober.closed().await;
    ended.await.unwrap().unwrap();
    assert_eq!(evidence(&store.memory, "alice@x.example").await, 1);
}

#[tokio::test]
async fn bad_limits_are_told_before_anything_is_served() {
    let server = Server::open(MemoryStore::default(), Limits { max_connections: 0, ..Limits::default() }).await;
    let error = server.stop().await.unwrap().unwrap_err();
    assert!(matches!(error, Error::InvalidSetting { setting: "max_connections", .. }));
    assert!(!error.is_transient());
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_address_token_or_query_reaches_the_log() {
    let log = Log::default();
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_max_level(LevelFilter::TRACE)
        .with_writer(move || writer.clone())
        .finish();
    // The test's runtime has this one thread, so the server logs here too.
    let _logged_here = tracing::subscriber::set_default(subscriber);
    // As long as there is only one, a place in the code that another thread reaches first asks that thread's, and is never
    // logged anywhere; with a second one it asks all.
    let _second = tracing::Dispatch::new(tracing::subscriber::NoSubscriber::new());
    let store = FickleStore::willing();
    let server = Server::start(store.clone(), settings(&["opensesame"], Limits::default())).await;
    let path = "/webhooks/inboxroad?who=campaigner&token=opensesame";
    let delivered = r#"{"type":"d","rcpt":"alice@x.example"}"#;
    for body in [BOUNCE, delivered, "\"alice@x.example\"", r#"{"type":"b","rcpt":"alice@x.example@"}"#] {
        server.request("POST", path, "", body).await;
    }
    server.request("POST", "/webhooks/inboxroad?token=opensesami", "Authorization: Bearer opensesamo\r\n", BOUNCE).await;
    store.fail(CoreError::StoreOverloaded);
    server.request("POST", path, "", BOUNCE).await;
    let mut client = server.connect().await;
    client.send("POST /webhooks/inboxroad?token=opensesame HTTP/9.9\r\n\r\n").await;
    client.answer(false).await;
    drop(client);
    server.stop().await.unwrap().unwrap();
    let log = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    for expected in ["a***@x.example", "code=200 recorded=1", "code=401", "code=400", "code=422", "operation=\"record\""] {
        assert!(log.contains(expected), "{expected} is not in\n{log}");
    }
    for secret in ["alice", "opensesam", "campaigner"] {
        assert!(!log.contains(secret), "{secret} is in\n{log}");
    }
}
