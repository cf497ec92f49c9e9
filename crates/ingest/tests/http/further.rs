//! What else is served on the port: it gets all other paths, within the door's bounds.

use std::future::pending;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full};
use hyper::{Request, Response};
use suppressd_core::store::memory::MemoryStore;
use suppressd_ingest::{BoundedBody, Further, Limits, Settings};
use tower::{BoxError, service_fn};

use crate::client::{BOUNCE, Server, request, settings};

/// Tells the path and how long the body was; at `/never` nothing.
fn further() -> Further {
    Further::new(service_fn(async |request: Request<BoundedBody>| {
        let path = request.uri().path().to_owned();
        if path == "/never" {
            pending::<()>().await;
        }
        let body = request.into_body().collect().await?.to_bytes();
        Ok::<_, BoxError>(Response::new(Full::from(format!("{path} {}", body.len())).boxed_unsync()))
    }))
}

async fn start(limits: Limits) -> Server {
    Server::start(MemoryStore::default(), Settings { further: Some(further()), ..settings(&["secret"], limits) }).await
}

#[tokio::test]
async fn it_gets_all_other_paths() {
    let server = start(Limits::default()).await;
    let answer = server.request("DELETE", "/v1/a", "", "12345").await;
    assert_eq!((answer.code(), &*answer.body), (200, "/v1/a 5"));
    assert_eq!(server.get("/healthz").await.body, "ok");
    assert_eq!(server.post(BOUNCE).await.code(), 401, "the webhook is the door's");

    let without_webhook = Settings { further: Some(further()), ..Settings::default() };
    let server = Server::start(MemoryStore::default(), without_webhook).await;
    assert_eq!(server.post(BOUNCE).await.code(), 404, "and stays it where there is none");
    assert_eq!(server.get("/v1/a").await.code(), 200);
}

#[tokio::test]
async fn its_bodies_keep_the_door_s_bounds() {
    let limits = Limits { max_body_bytes: 10, body_read_timeout: Duration::from_millis(50), ..Limits::default() };
    let server = start(limits).await;
    assert_eq!(server.request("POST", "/v1/a", "", "1234567890").await.body, "/v1/a 10");
    let refused = server.request("POST", "/v1/a", "", "12345678901").await;
    assert_eq!((refused.problem()["status"].as_u64(), refused.header("connection")), (Some(413), Some("close")));
    let mut chunked = server.connect().await;
    chunked.send("POST /v1/a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\n12345678901\r\n0\r\n\r\n").await;
    assert_eq!(chunked.answer(true).await.code(), 413);
    let mut slow = server.connect().await;
    slow.send("POST /v1/a HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n1").await;
    assert_eq!(slow.answer(true).await.problem()["status"], 408);
}

#[tokio::test]
async fn it_takes_no_room_of_the_webhook() {
    let server = start(Limits { max_requests_in_flight: 1, ..Limits::default() }).await;
    let mut waiting = server.connect().await;
    waiting.send(request("GET", "/never", "", "")).await;
    // The first one has the room as soon as the door has read it.
    crate::client::until(async || server.get("/v1/a").await.code() == 503).await;
    assert_eq!(server.get("/v1/a").await.header("retry-after"), Some("1"));
    let answer = server.request("POST", "/webhooks/inboxroad", "Authorization: Bearer secret\r\n", BOUNCE).await;
    assert_eq!(answer.counts(), [1, 0, 0, 0]);
}
