//! The webhook: a body in, its events recorded, and only then the answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::SystemTime;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{CONTENT_ENCODING, CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response};
use serde::Serialize;
use suppressd_core::event::body::{Body, MAX_LETTERS_PER_BODY, Rejected};
use suppressd_core::store::{EvidenceStore, LetterStore, Outcome};
use suppressd_core::{Error as CoreError, Event, Letter, Rulebook, Trust, UnixSeconds};
use tokio::sync::watch;
use tokio::time::Instant;
use tower::limit::ConcurrencyLimit;
use tower::load_shed::LoadShed;
use tower::{Service, ServiceBuilder, ServiceExt as _};
use tracing::{debug, trace};

use crate::guard::Counter;
use crate::metrics::Operation;
use crate::store::ask;
use crate::token::Tokens;
use crate::{Error, Limits, Metrics, RejectedPart, WebhookSettings, body, problem};

/// The webhook with no more requests in it than the limits let in.
pub(super) type Limited<S> = LoadShed<ConcurrencyLimit<Webhook<S>>>;

/// The webhook.
pub(super) struct Webhook<S>(Arc<Inner<S>>);

struct Inner<S> {
    store: S,
    tokens: Tokens,
    rules: watch::Receiver<Arc<Rulebook>>,
    counter: Arc<Counter>,
    limits: Limits,
    metrics: Metrics,
}

impl<S> Clone for Webhook<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// What became of a body's events; the answer's body as it stands.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub(super) struct Counts {
    recorded: usize,
    duplicate: usize,
    ignored: usize,
    rejected: usize,
}

/// Lets a request in if there is room, and answers it.
pub(super) async fn answer<S>(
    webhook: Limited<S>,
    request: Request<Incoming>,
    limits: &Limits,
    metrics: &Metrics,
) -> Response<Full<Bytes>>
where
    S: EvidenceStore + LetterStore,
{
    let started = Instant::now();
    let received = webhook.oneshot(request).await.map_err(|error| match error.downcast::<Error>() {
        Ok(ours) => *ours,
        // The only error that is not the webhook's is that of the layer which sheds load.
        Err(_) => Error::Overloaded,
    });
    let response = match &received {
        Ok(counts) => json(counts),
        Err(error) => problem::answer(error, limits.retry_after_seconds),
    };
    let code = response.status().as_u16();
    metrics.count_webhook(code, started.elapsed());
    let counts = received.unwrap_or_else(|error| {
        let rejected = if let Error::Refused { rejected, .. } = error { rejected } else { 0 };
        Counts { rejected, ..Counts::default() }
    });
    let Counts { recorded, duplicate, ignored, rejected } = counts;
    debug!(code, recorded, duplicate, ignored, rejected, took = ?started.elapsed(), "webhook");
    response
}

impl<S: EvidenceStore + LetterStore> Service<Request<Incoming>> for Webhook<S> {
    type Response = Counts;
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<Counts, Error>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Incoming>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.receive(request).await })
    }
}

impl<S: EvidenceStore + LetterStore> Webhook<S> {
    pub(super) fn new(
        store: S,
        settings: WebhookSettings,
        rules: watch::Receiver<Arc<Rulebook>>,
        counter: Arc<Counter>,
        limits: Limits,
        metrics: Metrics,
    ) -> Self {
        Self(Arc::new(Inner { store, tokens: Tokens::new(settings.tokens), rules, counter, limits, metrics }))
    }

    /// With so much room and no queue: who does not get in is told at once, and can come back.
    pub(super) fn within(self, limits: &Limits) -> Limited<S> {
        ServiceBuilder::new().load_shed().concurrency_limit(limits.max_requests_in_flight).service(self)
    }
}

impl<S: EvidenceStore + LetterStore> Inner<S> {
    /// Takes one request in. hyper drops this future when the client goes away, and it may be anywhere by then: that is as if
    /// the answer had been lost on its way. The client does not know what is recorded, it sends again, and what is there
    /// already is a duplicate. The outage guard does not count it then.
    async fn receive(&self, request: Request<Incoming>) -> Result<Counts, Error> {
        if request.method() != Method::POST {
            return Err(Error::MethodNotAllowed { allowed: "POST" });
        }
        if !self.tokens.admit(request.uri().query(), request.headers()) {
            return Err(Error::Unauthorized);
        }
        // A letter of it would be bytes that nobody can read and mend.
        if request.headers().get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
        {
            return Err(Error::BodyEncoded);
        }
        let bytes = body::read(request.into_body(), &self.limits).await?;
        // The one look at the clock that a request gets.
        let received = UnixSeconds::from(SystemTime::now());
        let rulebook = Arc::clone(&self.rules.borrow());
        let mut body = Body::read(&bytes, received, rulebook.classifier());
        let is_refused = body.is_refused();
        let events = Arc::new(std::mem::take(&mut body.events));
        let deadline = Instant::now() + self.limits.store_deadline;
        // The good events first: if the letters are full, they at least are there, and all of it will be sent again.
        let outcomes = self.record(events, &rulebook, received, deadline).await?;
        let letters = body.letters(&bytes, received);
        let ids: Vec<String> = letters.iter().map(|letter| letter.head.id.to_string()).collect();
        self.keep(letters, received, deadline).await?;
        self.metrics.count_unrecorded(body.unrecorded);
        self.metrics.count_rejected(body.rejected.len());
        let rejected = body.rejected.len();
        if let (true, Some(first)) = (is_refused, body.rejected.first()) {
            return Err(Error::Refused { first: first.error.clone(), rejected, parts: parts(&body.rejected, &ids) });
        }
        let count = |counted: Outcome| outcomes.iter().filter(|outcome| **outcome == counted).count();
        Ok(Counts {
            recorded: count(Outcome::Recorded),
            duplicate: count(Outcome::Duplicate),
            ignored: count(Outcome::Ignored) + body.unrecorded,
            rejected,
        })
    }

    async fn record(
        &self,
        events: Arc<Vec<Event>>,
        rulebook: &Rulebook,
        now: UnixSeconds,
        deadline: Instant,
    ) -> Result<Vec<Outcome>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let outcomes = ask(&self.metrics, Operation::Record, self.store.record_shared(Arc::clone(&events)), deadline).await?;
        self.metrics.count_events(&events, &outcomes);
        if rulebook.policy.second_opinion != Trust::Off {
            self.metrics.count_opinions(&events, &outcomes);
        }
        for (event, outcome) in events.iter().zip(&outcomes) {
            trace!(kind = event.kind.as_str(), recipient = ?event.recipient, outcome = outcome.as_str(), "event");
        }
        self.counter.count(&rulebook.policy, &events, &outcomes, now);
        Ok(outcomes)
    }

    async fn keep(&self, letters: Vec<Letter>, now: UnixSeconds, deadline: Instant) -> Result<(), Error> {
        if !letters.is_empty() {
            ask(&self.metrics, Operation::KeepLetters, self.store.keep_letters(letters, now), deadline).await?;
        }
        Ok(())
    }
}

/// The rejected parts as the client is told of them. `letters` names a letter for each, or one for all.
fn parts(rejected: &[Rejected], letters: &[String]) -> Vec<RejectedPart> {
    let part = |(number, rejected): (usize, &Rejected)| {
        let (field, reason) = if let CoreError::InvalidField { field, reason } = &rejected.error {
            (Some(*field), reason.clone())
        } else {
            (None, rejected.error.to_string())
        };
        let letter = letters.get(number).or(letters.first()).cloned().unwrap_or_default();
        RejectedPart { index: rejected.index, field, reason, letter }
    };
    rejected.iter().take(MAX_LETTERS_PER_BODY).enumerate().map(part).collect()
}

fn json(counts: &Counts) -> Response<Full<Bytes>> {
    // Writing numbers to memory cannot fail.
    let mut response = Response::new(Full::from(serde_json::to_vec(counts).unwrap_or_default()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
