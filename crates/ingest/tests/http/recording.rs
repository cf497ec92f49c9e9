//! What is recorded of a body, and what the answer says of it.

use suppressd_core::store::LetterStore as _;
use suppressd_core::store::memory::MemoryStore;
use suppressd_ingest::Limits;

use crate::client::{BOUNCE, Server};
use crate::stores::{evidence, letters};

#[tokio::test]
async fn an_object_an_array_and_lines_are_recorded() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits::default()).await;
    let bounce = |number: u8| BOUNCE.replace("<1@y>", &format!("<{number}@y>"));
    let answer = server.post(BOUNCE).await;
    assert_eq!(answer.body, r#"{"recorded":1,"duplicate":0,"ignored":0,"rejected":0}"#);
    assert_eq!(answer.counts(), [1, 0, 0, 0]);
    assert_eq!(server.post(BOUNCE).await.counts(), [0, 1, 0, 0]);
    let array = format!("[{}, {}, {{\"type\":\"tq\"}}, {BOUNCE}]", bounce(2), bounce(3));
    assert_eq!(server.post(&array).await.counts(), [2, 1, 1, 0]);
    let lines = format!("{}\r\n{}\n\n{}\n", bounce(4), bounce(5), bounce(5));
    assert_eq!(server.post(&lines).await.counts(), [2, 1, 0, 0]);
    assert_eq!(server.post("[]").await.counts(), [0, 0, 0, 0]);
    assert_eq!(evidence(&store, "alice@x.example").await, 5);
    assert!(letters(&store).await.is_empty());
}

#[tokio::test]
async fn a_body_in_chunks_is_recorded() {
    let server = Server::open(MemoryStore::default(), Limits::default()).await;
    let mut client = server.connect().await;
    client.send("POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n").await;
    for part in BOUNCE.as_bytes().chunks(40) {
        client.send(format!("{:x}\r\n{}\r\n", part.len(), str::from_utf8(part).unwrap())).await;
    }
    client.send("0\r\n\r\n").await;
    assert_eq!(client.answer(true).await.counts(), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_connection_serves_one_request_after_the_other() {
    let server = Server::open(MemoryStore::default(), Limits::default()).await;
    let mut client = server.connect().await;
    for body in [BOUNCE, "{", BOUNCE] {
        client.send(crate::client::request("POST", "/webhooks/inboxroad", "", body)).await;
    }
    let codes = [client.answer(true).await.code(), client.answer(true).await.code(), client.answer(true).await.code()];
    assert_eq!(codes, [200, 400, 200]);
}

#[tokio::test]
async fn a_client_that_asks_first_is_told_to_go_on() {
    let server = Server::open(MemoryStore::default(), Limits::default()).await;
    let mut client = server.connect().await;
    let length = BOUNCE.len();
    let head =
        format!("POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: {length}\r\n\r\n");
    client.send(head).await;
    assert_eq!(client.answer(false).await.code(), 100);
    client.send(BOUNCE).await;
    assert_eq!(client.answer(true).await.counts(), [1, 0, 0, 0]);
}

#[tokio::test]
async fn a_bad_event_costs_no_other() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits::default()).await;
    let body = format!("[{BOUNCE},{{\"type\":\"b\",\"rcpt\":\"nobody\"}}]");
    assert_eq!(server.post(&body).await.counts(), [1, 0, 0, 1]);
    assert_eq!(server.post(&body).await.counts(), [0, 1, 0, 1]);
    assert_eq!(evidence(&store, "alice@x.example").await, 1);
    let kept = letters(&store).await;
    assert_eq!(kept.len(), 1);
    let letter = store.letter(kept[0].parse().unwrap()).await.unwrap().unwrap();
    assert_eq!(letter.content, br#"{"type":"b","rcpt":"nobody"}"#);
}

#[tokio::test]
async fn the_time_of_receipt_stands_in_and_makes_no_second_event() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits::default()).await;
    for expected in [[1, 0, 0, 0], [0, 1, 0, 0], [0, 1, 0, 0]] {
        assert_eq!(server.post(r#"{"type":"rb","rcpt":"bob@x.example"}"#).await.counts(), expected);
    }
    assert_eq!(evidence(&store, "bob@x.example").await, 1);
}
