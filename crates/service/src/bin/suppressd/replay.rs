//! `suppressd replay`: events of a file into a running server's webhook.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, bail};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use hyper::{Method, Request, StatusCode, Uri};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use suppressd_ingest::WEBHOOK_PATH;

use crate::cli::ReplayArguments;
use crate::failure::{EXIT_SOME, Failure};
use crate::grpc_client::block_on;
use crate::lines::Lines;
use crate::secret;

/// Most events of one request.
const EVENTS_PER_REQUEST: usize = 500;

/// Most bytes of one request, beyond its first event: half of what a server takes by default.
const BYTES_PER_REQUEST: usize = 512 << 10;

/// How often one request is sent before the command gives up.
const ATTEMPTS: u32 = 10;

/// Longest wait for one answer.
const ANSWER_TIMEOUT: Duration = Duration::from_mins(1);

/// Longest wait before one more attempt, whatever the server asks for.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(30);

/// Longest answer that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 1 << 20;

/// What became of events; the server's answer, and the sum of them.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
struct Counts {
    recorded: u64,
    duplicate: u64,
    ignored: u64,
    rejected: u64,
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.recorded += other.recorded;
        self.duplicate += other.duplicate;
        self.ignored += other.ignored;
        self.rejected += other.rejected;
    }
}

pub(crate) fn run(arguments: &ReplayArguments) -> Result<ExitCode, Failure> {
    let counts = block_on(replay(arguments))?;
    tell(counts, arguments.json)?;
    Ok(if counts.rejected == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_SOME) })
}

fn tell(counts: Counts, as_json: bool) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    if as_json {
        writeln!(out, "{}", serde_json::to_string(&counts)?)?;
    } else {
        let Counts { recorded, duplicate, ignored, rejected } = counts;
        writeln!(out, "{recorded} recorded, {duplicate} duplicate, {ignored} ignored, {rejected} rejected")?;
    }
    Ok(())
}

async fn replay(arguments: &ReplayArguments) -> anyhow::Result<Counts> {
    let lines = Lines::of_file_or_standard_input(&arguments.file)?;
    let webhook = Webhook::new(&arguments.server)?;
    let mut sum = Counts::default();
    let mut batch = Batch::default();
    for (number, line) in (1_u64..).zip(lines) {
        let line = line.with_context(|| format!("line {number}; {} events were sent before it", sum.recorded + sum.duplicate))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        if batch.is_full_for(&line) {
            sum.add(webhook.send(std::mem::take(&mut batch)).await?);
        }
        batch.push(&line);
    }
    if batch.events > 0 {
        sum.add(webhook.send(batch).await?);
    }
    Ok(sum)
}

/// Lines that are sent together.
#[derive(Default)]
struct Batch {
    events: usize,
    bytes: Vec<u8>,
}

impl Batch {
    fn is_full_for(&self, line: &[u8]) -> bool {
        self.events == EVENTS_PER_REQUEST || (self.events > 0 && self.bytes.len() + line.len() > BYTES_PER_REQUEST)
    }

    fn push(&mut self, line: &[u8]) {
        self.events += 1;
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
    }
}

/// A server's webhook.
struct Webhook {
    client: Client<HttpConnector, Full<Bytes>>,
    uri: Uri,
    authorization: Option<HeaderValue>,
}

impl Webhook {
    fn new(server: &str) -> anyhow::Result<Self> {
        let uri: Uri = format!("{}{WEBHOOK_PATH}", server.trim_end_matches('/')).parse().context("--server is no URL")?;
        if uri.scheme_str() != Some("http") {
            bail!("--server must begin with http:// : the webhook itself speaks no TLS");
        }
        let token = secret::from_environment(&["SUPPRESSD_WEBHOOK_TOKEN"])?;
        let authorization = token.as_ref().map(bearer).transpose()?;
        Ok(Self { client: Client::builder(TokioExecutor::new()).build_http(), uri, authorization })
    }

    /// Sends a batch until it is taken. Sending again is safe: every event has an identity.
    async fn send(&self, batch: Batch) -> anyhow::Result<Counts> {
        let body = Bytes::from(batch.bytes);
        let mut failure = None;
        for attempt in 0..ATTEMPTS {
            match self.attempt(body.clone()).await {
                Ok(Answer::Counts(counts)) => return Ok(counts),
                Ok(Answer::Refused) => return Ok(Counts { rejected: batch.events as u64, ..Counts::default() }),
                Ok(Answer::Later { delay, why }) => {
                    eprintln!("suppressd: attempt {} of {ATTEMPTS}: {why}; again in {delay:?}", attempt + 1);
                    failure = Some(why);
                    tokio::time::sleep(delay).await;
                }
                Err(error) => return Err(error),
            }
        }
        bail!("gave up after {ATTEMPTS} attempts: {}", failure.unwrap_or_default())
    }

    async fn attempt(&self, body: Bytes) -> anyhow::Result<Answer> {
        let mut request = Request::builder().method(Method::POST).uri(self.uri.clone()).body(Full::new(body))?;
        request.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/x-ndjson"));
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        let exchange = async {
            let (head, body) = self.client.request(request).await?.into_parts();
            let body = Limited::new(body, MAX_ANSWER_BYTES).collect().await.map_err(|error| anyhow::anyhow!("{error}"))?;
            Ok::<_, anyhow::Error>((head, body.to_bytes()))
        };
        let later = |why: String| Ok(Answer::Later { delay: Duration::from_secs(1), why });
        let (head, body) = match tokio::time::timeout(ANSWER_TIMEOUT, exchange).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => return later(format!("{error:#}")),
            Err(_) => return later("no answer in time".to_owned()),
        };
        match head.status {
            StatusCode::OK => Ok(Answer::Counts(serde_json::from_slice(&body).context("the server's answer cannot be read")?)),
            StatusCode::BAD_REQUEST | StatusCode::UNPROCESSABLE_ENTITY => Ok(Answer::Refused),
            StatusCode::SERVICE_UNAVAILABLE => {
                let seconds = head.headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok()?.parse().ok()).unwrap_or(1);
                Ok(Answer::Later { delay: Duration::from_secs(seconds).min(MAX_RETRY_DELAY), why: detail(&body) })
            }
            other => bail!("the server says {other}: {}", detail(&body)),
        }
    }
}

enum Answer {
    Counts(Counts),
    /// All of it was rejected, and is kept.
    Refused,
    Later {
        delay: Duration,
        why: String,
    },
}

fn bearer(token: &SecretString) -> anyhow::Result<HeaderValue> {
    let mut value =
        HeaderValue::from_str(&format!("Bearer {}", token.expose_secret())).context("the token holds what no header can")?;
    value.set_sensitive(true);
    Ok(value)
}

/// What a problem's body says (RFC 9457).
fn detail(body: &[u8]) -> String {
    let problem: Option<serde_json::Value> = serde_json::from_slice(body).ok();
    problem.and_then(|problem| Some(problem.get("detail")?.as_str()?.to_owned())).unwrap_or_else(|| "no reason given".to_owned())
}
