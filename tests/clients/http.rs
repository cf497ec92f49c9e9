//! HTTP, by a client that nobody here wrote; where a test needs to misbehave, by a bare socket.

use std::net::SocketAddr;

use ureq::http::Response;
use ureq::{Agent, Body};

use crate::servers::suppressd::PATIENCE;

/// What a request presents, and asks for.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Asked<'a> {
    pub(crate) token: Option<&'a str>,
    pub(crate) content_type: Option<&'a str>,
    pub(crate) accept: Option<&'a str>,
}

/// A client of one server. Clones share its connections.
#[derive(Clone)]
pub(crate) struct Webhook {
    agent: Agent,
    server: SocketAddr,
    query: String,
}

/// What was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) allow: Option<String>,
    pub(crate) content_type: String,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// `recorded`, `duplicate`, `ignored`, `rejected`.
    pub(crate) fn counts(&self) -> [u64; 4] {
        assert_eq!(self.status, 200, "{self:?}");
        let counts = self.json();
        ["recorded", "duplicate", "ignored", "rejected"].map(|name| counts[name].as_u64().unwrap())
    }
}

impl Webhook {
    pub(crate) fn at(server: SocketAddr) -> Self {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .timeout_global(Some(PATIENCE))
            .build();
        Self { agent: Agent::new_with_config(config), server, query: String::new() }
    }

    /// Presents a token in the URL, as a provider does that asks for no more than a URL.
    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.query = format!("?token={token}");
        self
    }

    /// Posts a body. An error is one of the connection: what became of the body is unknown.
    pub(crate) fn try_post(&self, body: impl AsRef<[u8]>) -> Result<Answer, ureq::Error> {
        let url = format!("http://{}/webhooks/inboxroad{}", self.server, self.query);
        self.agent.post(url).send(body.as_ref()).map(answer)
    }

    pub(crate) fn post(&self, body: impl AsRef<[u8]>) -> Answer {
        self.try_post(body).unwrap()
    }

    /// Any request.
    pub(crate) fn send(&self, method: &str, path: &str, asked: Asked<'_>, body: &str) -> Answer {
        let headers = [("authorization", asked.token.map(|token| format!("Bearer {token}")))]
            .into_iter()
            .chain([("content-type", asked.content_type.map(str::to_owned)), ("accept", asked.accept.map(str::to_owned))]);
        let request = headers.fold(
            http::Request::builder().method(method).uri(format!("http://{}{path}", self.server)),
            |request, (name, value)| value.into_iter().fold(request, |request, value| request.header(name, value)),
        );
        let request = request.body(body.as_bytes().to_vec()).unwrap();
        answer(self.agent.run(request).unwrap())
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        answer(self.agent.get(format!("http://{}{path}", self.server)).call().unwrap())
    }
}

fn answer(mut response: Response<Body>) -> Answer {
    let header = |name| Some(response.headers().get(name)?.to_str().unwrap().to_owned());
    Answer {
        status: response.status().as_u16(),
        retry_after: header("retry-after"),
        allow: header("allow"),
        content_type: header("content-type").unwrap_or_default(),
        text: response.body_mut().read_to_string().unwrap(),
    }
}
