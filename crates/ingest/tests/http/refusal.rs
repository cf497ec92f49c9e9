//! What is refused: with which code, what the answer says, and what is kept.

use suppressd_core::store::memory::MemoryStore;
use suppressd_ingest::{Limits, Settings};

use crate::client::{BOUNCE, Server, settings};
use crate::stores::{evidence, letters};

const PATH: &str = "/webhooks/inboxroad";

#[tokio::test]
async fn the_token_is_taken_from_three_places() {
    let store = MemoryStore::default();
    let server = Server::start(store.clone(), settings(&["old", "n+w"], Limits::default())).await;
    // dTpuK3c= is u:n+w
    for (path, headers) in [
        ("/webhooks/inboxroad?token=old", ""),
        ("/webhooks/inboxroad?a=b&token=n%2Bw", ""),
        ("/webhooks/inboxroad?token=n+w", ""),
        (PATH, "Authorization: Bearer old\r\n"),
        (PATH, "Authorization: Basic dTpuK3c=\r\n"),
        ("/webhooks/inboxroad?token=wrong", "Authorization: Bearer old\r\n"),
    ] {
        assert_eq!(server.request("POST", path, headers, BOUNCE).await.code(), 200, "{path} {headers}");
    }
}

#[tokio::test]
async fn without_the_token_nothing_is_read_or_kept() {
    let store = MemoryStore::default();
    let server = Server::start(store.clone(), settings(&["secret"], Limits::default())).await;
    for body in [BOUNCE, "{"] {
        // dTp3cm9uZw== is u:wrong
        for (path, headers) in [
            (PATH, ""),
            ("/webhooks/inboxroad?token=wrong", ""),
            ("/webhooks/inboxroad?token=", ""),
            (PATH, "Authorization: Bearer wrong\r\n"),
            (PATH, "Authorization: Basic dTp3cm9uZw==\r\n"),
        ] {
            let answer = server.request("POST", path, headers, body).await;
            assert_eq!(answer.code(), 401, "{path} {headers}");
            assert!(answer.header("www-authenticate").is_some());
            answer.problem();
        }
    }
    // The answer is there before the body is.
    let mut client = server.connect().await;
    client.send("POST /webhooks/inboxroad HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n").await;
    assert_eq!(client.answer(true).await.code(), 401);
    assert_eq!(evidence(&store, "alice@x.example").await, 0);
    assert!(letters(&store).await.is_empty());
}

#[tokio::test]
async fn a_body_of_nothing_but_bad_events_is_refused_and_kept_once() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits::default()).await;
    for (body, code, field) in [
        ("{", 400, None),
        ("", 400, None),
        ("[1]", 400, None),
        (r#"{"type":"zz","rcpt":"a@x.example"}"#, 422, Some("type")),
        (r#"{"type":"b","rcpt":"nobody"}"#, 422, Some("rcpt")),
    ] {
        let kept = letters(&store).await.len();
        let answer = server.post(body).await;
        assert_eq!(answer.code(), code, "{body}");
        let problem = answer.problem();
        assert_eq!(problem["errors"].as_array().unwrap().len(), 1);
        let error = &problem["errors"][0];
        assert_eq!(error["index"], 0);
        assert_eq!(error.get("field").and_then(|field| field.as_str()), field, "{body}");
        assert!(!error["reason"].as_str().unwrap().is_empty());
        assert!(letters(&store).await.contains(&error["letter"].as_str().unwrap().to_owned()), "{body}");
        assert_eq!(server.post(body).await.problem(), problem, "the same again");
        assert_eq!(letters(&store).await.len(), kept + 1, "{body}");
    }
}

#[tokio::test]
async fn each_rejected_part_is_named_up_to_a_bound() {
    let store = MemoryStore::default();
    let server = Server::open(store.clone(), Limits::default()).await;
    let problem = server.post("[{\"type\":\"b\"},\n{]}]").await.problem();
    assert_eq!(problem["status"], 400, "the array does not end: {problem}");
    let problem = server.post(r#"[{"type":"b"},{"type":"d","rcpt":"@"},{"type":"f"}]"#).await.problem();
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!((problem["status"].as_u64(), errors.len()), (Some(422), 3));
    assert_eq!(errors[2]["index"], 2);
    assert_ne!(errors[0]["letter"], errors[1]["letter"]);
    let kept = letters(&store).await.len();
    let problem = server.post(&"{}\n".repeat(100)).await.problem();
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 64);
    assert!(errors.iter().all(|error| error["letter"] == errors[0]["letter"]), "one letter for all of them");
    assert_eq!(letters(&store).await.len(), kept + 1);
}

#[tokio::test]
async fn unknown_paths_and_methods_are_refused() {
    let server = Server::open(MemoryStore::default(), Limits::default()).await;
    for path in ["/", "/webhooks", "/webhooks/inboxroad/", "/webhooks/other", "/healthz/"] {
        assert_eq!(server.get(path).await.problem()["status"], 404, "{path}");
    }
    for (method, path, allowed) in [
        ("GET", PATH, "POST"),
        ("PUT", PATH, "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/readyz", "GET, HEAD"),
        ("POST", "/metrics", "GET, HEAD"),
    ] {
        let answer = server.request(method, path, "", "").await;
        assert_eq!(answer.problem()["status"], 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allowed));
    }
}

#[tokio::test]
async fn without_a_webhook_there_is_nothing_at_its_path() {
    let server = Server::start(MemoryStore::default(), Settings::default()).await;
    assert_eq!(server.post(BOUNCE).await.problem()["status"], 404);
    assert_eq!(server.get("/readyz").await.code(), 200);
    assert_eq!(server.get("/metrics").await.code(), 200);
}
