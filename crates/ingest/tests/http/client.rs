//! A server for one test, and a client that speaks no more HTTP than it is told to.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use prometheus_client::registry::Registry;
use secrecy::SecretString;
use suppressd_core::Rulebook;
use suppressd_core::store::{AnswerStore, EvidenceStore, IncidentStore, LetterStore};
use suppressd_ingest::{Error, Limits, Metrics, Settings, WebhookSettings, serve};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;

/// A test that waits longer has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

pub(crate) const BOUNCE: &str = r#"{"type":"b","rcpt":"alice@x.example","bounceCat":"bad-mailbox","header_Message-Id":"<1@y>"}"#;

/// What the door needs of a store.
pub(crate) trait DoorStore: EvidenceStore + LetterStore + IncidentStore + AnswerStore {}

impl<S: EvidenceStore + LetterStore + IncidentStore + AnswerStore> DoorStore for S {}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) rules: watch::Sender<Arc<Rulebook>>,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), Error>>,
}

impl Server {
    pub(crate) async fn start<S: DoorStore>(store: S, settings: Settings) -> Self {
        Self::with_rules(store, settings, Rulebook::default()).await
    }

    pub(crate) async fn with_rules<S: DoorStore>(store: S, settings: Settings, rules: Rulebook) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut registry = Registry::default();
        let metrics = Metrics::register(&mut registry);
        let (sender, rules) = watch::channel(Arc::new(rules));
        let (stop, stopped) = oneshot::channel();
        let shutdown = async {
            let _ = stopped.await;
        };
        let served = tokio::spawn(serve(listener, store, settings, rules, metrics, Arc::new(registry), shutdown));
        Self { address, rules: sender, stop, served }
    }

    pub(crate) async fn open<S: DoorStore>(store: S, limits: Limits) -> Self {
        Self::start(store, settings(&[], limits)).await
    }

    pub(crate) async fn connect(&self) -> Client {
        Client { tcp: TcpStream::connect(self.address).await.unwrap(), read: Vec::new() }
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.request("GET", path, "", "").await
    }

    pub(crate) async fn post(&self, body: &str) -> Answer {
        self.request("POST", "/webhooks/inboxroad", "", body).await
    }

    pub(crate) async fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> Answer {
        let mut client = self.connect().await;
        client.send(request(method, path, headers, body)).await;
        client.answer(method != "HEAD").await
    }

    /// Begins to stop. What it gives back ends with the server.
    pub(crate) fn stop(self) -> JoinHandle<Result<(), Error>> {
        self.stop.send(()).unwrap();
        self.served
    }

    /// Drops the server in the middle of what it does.
    pub(crate) fn cut(self) {
        self.served.abort();
    }
}

pub(crate) fn settings(tokens: &[&str], limits: Limits) -> Settings {
    let tokens = tokens.iter().map(|token| SecretString::from(*token)).collect();
    Settings { webhook: Some(WebhookSettings { tokens }), limits, ..Settings::default() }
}

pub(crate) fn request(method: &str, path: &str, headers: &str, body: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len())
}

/// Waits until something is so.
pub(crate) async fn until(mut is_so: impl AsyncFnMut() -> bool) {
    let waiting = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    tokio::time::timeout(PATIENCE, waiting).await.expect("it never comes to that");
}

pub(crate) struct Client {
    pub(crate) tcp: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.tcp.write_all(bytes.as_ref()).await.unwrap();
    }

    /// Reads one answer; `has_body` is false for the answer to a HEAD.
    pub(crate) async fn answer(&mut self, has_body: bool) -> Answer {
        let end = loop {
            if let Some(end) = self.read.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end;
            }
            assert!(self.more().await, "the connection was closed without an answer");
        };
        let head = String::from_utf8(self.read.drain(..end + 4).collect()).unwrap();
        let mut answer = Answer { head, body: String::new() };
        let length = if has_body { answer.header("content-length").unwrap().parse().unwrap() } else { 0 };
        while self.read.len() < length {
            assert!(self.more().await, "the answer was cut off");
        }
        answer.body = String::from_utf8(self.read.drain(..length).collect()).unwrap();
        answer
    }

    /// Waits until the server has closed the connection, and fails if it sends anything before.
    pub(crate) async fn closed(mut self) {
        assert!(!self.more().await && self.read.is_empty(), "{:?}", String::from_utf8_lossy(&self.read));
    }

    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.tcp.read_buf(&mut self.read)).await;
        read.expect("the server says nothing").unwrap() > 0
    }
}

#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn code(&self) -> u16 {
        self.head.split(' ').nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The body as a problem (RFC 9457), after a look at what every problem has.
    pub(crate) fn problem(&self) -> serde_json::Value {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(problem["status"], self.code());
        assert_eq!(problem["type"], "about:blank");
        assert!(problem["title"].is_string() && problem["detail"].is_string(), "{problem}");
        problem
    }

    pub(crate) fn counts(&self) -> [u64; 4] {
        assert_eq!(self.code(), 200, "{self:?}");
        assert_eq!(self.header("content-type"), Some("application/json"));
        let counts: serde_json::Value = serde_json::from_str(&self.body).unwrap();
        assert_eq!(counts.as_object().unwrap().len(), 4);
        ["recorded", "duplicate", "ignored", "rejected"].map(|name| counts[name].as_u64().unwrap())
    }
}
