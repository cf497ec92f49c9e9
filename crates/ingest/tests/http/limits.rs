//! Clients that send too much or too slowly, or do not read.

use std::io::ErrorKind;
use std::time::Duration;

use suppressd_core::store::memory::MemoryStore;
use suppressd_ingest::Limits;
use tokio::io::AsyncWriteExt as _;

use crate::client::{BOUNCE, Server, request};
use crate::stores::{FickleStore, letters};

fn hasty() -> Limits {
    let short = Duration::from_millis(200);
    Limits { header_read_timeout: short, body_read_timeout: short, write_timeout: short, ..Limits::default() }
}

#[tokio::test]
async fn a_body_that_is_declared_too_long_is_refused_before_it_is_sent() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits { max_body_bytes: 200, ..Limits::default() }).await;
    let mut client = server.connect().await;
    let head = "POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 201\r\n\r\n";
    client.send(head).await;
    let answer = client.answer(true).await;
    assert_eq!(answer.problem()["status"], 413);
    assert_eq!(answer.header("connection"), Some("close"));
    client.closed().await;
    assert_eq!(server.post(&format!("{BOUNCE:<200}")).await.code(), 200);
    assert!(letters(&store).await.is_empty());
}

#[tokio::test]
async fn a_body_that_grows_too_long_is_refused() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits { max_body_bytes: 200, ..Limits::default() }).await;
    let mut client = server.connect().await;
    client.send("POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for _ in 0..3 {
        client.send(format!("64\r\n{}\r\n", " ".repeat(100))).await;
    }
    assert_eq!(client.answer(true).await.problem()["status"], 413);
    client.closed().await;
    assert!(letters(&store).await.is_empty());
}

#[tokio::test]
async fn a_client_in_the_middle_of_sending_sees_why_it_is_refused() {
    let server = Server::open(MemoryStore::default(), Limits::default()).await;
    let mut client = server.connect().await;
    // More than the sockets' buffers hold, so that much of it is sent after the answer.
    client.send(request("POST", "/webhooks/inboxroad", "", &" ".repeat(32 << 20))).await;
    assert_eq!(client.answer(true).await.code(), 413);
}

#[tokio::test]
async fn a_slow_body_is_refused_while_others_are_served() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), hasty()).await;
    let mut slow = server.connect().await;
    slow.send("POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"type\":").await;
    assert_eq!(server.post(BOUNCE).await.code(), 200);
    let answer = slow.answer(true).await;
    assert_eq!(answer.problem()["status"], 408);
    slow.closed().await;
    assert!(letters(&store).await.is_empty());
}

#[tokio::test]
async fn slow_heads_and_idle_connections_are_closed() {
    let server = Server::open(MemoryStore::default(), hasty()).await;
    let mut slow = server.connect().await;
    slow.send("POST /webhooks/inboxroad HTTP/1.1\r\nHost:").await;
    let silent = server.connect().await;
    let mut idle = server.connect().await;
    idle.send(request("GET", "/healthz", "", "")).await;
    assert_eq!(idle.answer(true).await.code(), 200);
    assert_eq!(server.post(BOUNCE).await.code(), 200);
    slow.closed().await;
    silent.closed().await;
    idle.closed().await;
}

#[tokio::test]
async fn a_body_that_breaks_off_leaves_nothing() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits::default()).await;
    let mut client = server.connect().await;
    client.send("POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n").await;
    assert_eq!(client.answer(true).await.problem()["status"], 400);
    client.closed().await;
    assert!(letters(&store).await.is_empty());
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let server = Server::open(MemoryStore::default(), Limits::default()).await;
    let mut client = server.connect().await;
    client.send(format!("GET /healthz HTTP/1.1\r\nHost: x\r\nX: {}", "x".repeat(16 << 10))).await;
    assert_eq!(client.answer(true).await.code(), 431);
    client.closed().await;
}

#[tokio::test]
async fn a_client_that_takes_no_answer_is_cut_off() {
    let server = Server::open(MemoryStore::default(), hasty()).await;
    let mut client = server.connect().await;
    let question = request("GET", "/metrics", "", "").repeat(100);
    let endless = async { while client.tcp.write_all(question.as_bytes()).await.is_ok() {} };
    tokio::time::timeout(Duration::from_secs(30), endless).await.expect("the server waits for ever");
}

#[tokio::test]
async fn more_webhooks_than_fit_are_sent_away() {
    let store = FickleStore::waiting();
    let limits = Limits { max_requests_in_flight: 1, retry_after_seconds: 3, ..Limits::default() };
    let server = Server::open(store.clone(), limits).await;
    let mut first = server.connect().await;
    first.send(request("POST", "/webhooks/inboxroad", "", BOUNCE)).await;
    store.entered().await;
    let second = server.post(BOUNCE).await;
    assert_eq!(second.problem()["status"], 503);
    assert_eq!(second.header("retry-after"), Some("3"));
    assert_eq!(server.get("/healthz").await.code(), 200);
    store.release();
    assert_eq!(first.answer(true).await.counts(), [1, 0, 0, 0]);
    assert_eq!(server.get("/readyz").await.code(), 200);
    assert_eq!(server.post(BOUNCE).await.counts(), [0, 1, 0, 0]);
}

#[tokio::test]
async fn more_connections_than_fit_wait() {
    let server = Server::open(MemoryStore::default(), Limits { max_connections: 1, ..Limits::default() }).await;
    let mut first = server.connect().await;
    first.send(request("GET", "/healthz", "", "")).await;
    assert_eq!(first.answer(true).await.code(), 200);
    let mut second = server.connect().await;
    second.send(request("GET", "/healthz", "", "")).await;
    first.send(request("GET", "/healthz", "", "")).await;
    assert_eq!(first.answer(true).await.code(), 200);
    assert_eq!(second.tcp.try_read(&mut [0]).unwrap_err().kind(), ErrorKind::WouldBlock);
    drop(first);
    assert_eq!(second.answer(true).await.code(), 200);
}
