//! What is served at which path.

mod webhook;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Method, Request, Response};
use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use suppressd_core::store::{EvidenceStore, LetterStore};
use suppressd_core::{Error as CoreError, Rulebook};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::further::{self, Further, FurtherBody};
use crate::guard::Counter;
use crate::metrics::Operation;
use crate::store::ask;
use crate::{Error, Limits, Metrics, Settings, problem};
use webhook::Webhook;

/// Where the provider sends its events.
pub const WEBHOOK_PATH: &str = "/webhooks/inboxroad";

const TEXT: &str = "text/plain; charset=utf-8";
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// All that is served, and what it is served from.
pub(crate) struct Door<S> {
    store: S,
    webhook: Option<webhook::Limited<S>>,
    further: Option<Further>,
    limits: Limits,
    metrics: Metrics,
    registry: Arc<Registry>,
    draining: AtomicBool,
}

impl<S: EvidenceStore + LetterStore> Door<S> {
    pub(crate) fn new(
        store: S,
        settings: Settings,
        rules: watch::Receiver<Arc<Rulebook>>,
        counter: Arc<Counter>,
        metrics: Metrics,
        registry: Arc<Registry>,
    ) -> Self {
        let Settings { webhook, further, limits } = settings;
        let webhook = webhook
            .map(|webhook| Webhook::new(store.clone(), webhook, rules, counter, limits.clone(), metrics.clone()).within(&limits));
        let further = further.map(|further| further::within(further, &limits));
        Self { store, webhook, further, limits, metrics, registry, draining: AtomicBool::new(false) }
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.limits
    }

    /// From now on `/readyz` says no.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<FurtherBody> {
        let answered = match (request.uri().path(), &self.webhook, &self.further) {
            ("/healthz", _, _) => read_only(request.method()).map(|()| text(TEXT, "ok")),
            ("/readyz", _, _) => self.readiness(request.method()).await,
            ("/metrics", _, _) => self.exposition(request.method()).await,
            (WEBHOOK_PATH, Some(webhook), _) => {
                let answer = webhook::answer(webhook.clone(), request, &self.limits, &self.metrics).await;
                return answer.map(Full::boxed_unsync);
            }
            (WEBHOOK_PATH, None, _) | (_, _, None) => Err(Error::NotFound),
            (_, _, Some(further)) => match further::answer(further.clone(), request, &self.limits).await {
                Ok(answer) => return answer,
                Err(error) => Err(error),
            },
        };
        answered.unwrap_or_else(|error| problem::answer(&error, self.limits.retry_after_seconds)).map(Full::boxed_unsync)
    }

    async fn readiness(&self, method: &Method) -> Result<Response<Full<Bytes>>, Error> {
        read_only(method)?;
        self.ask(Operation::Probe, self.store.probe()).await.map_err(Error::NotReady)?;
        // Asked last: the drain may have begun while the store was thinking.
        if self.draining.load(Ordering::Relaxed) {
            return Err(Error::Draining);
        }
        Ok(text(TEXT, "ready"))
    }

    async fn exposition(&self, method: &Method) -> Result<Response<Full<Bytes>>, Error> {
        read_only(method)?;
        // A store that is away must not hide the other metrics, so its gauges keep their last value.
        if let Ok(usage) = self.ask(Operation::LetterUsage, self.store.letter_usage()).await {
            self.metrics.set_letter_usage(usage);
        }
        let mut exposition = String::new();
        encode(&mut exposition, &self.registry).map_err(|_| Error::Unencodable)?;
        Ok(text(OPEN_METRICS, exposition))
    }

    /// Asks the store something that must not take long.
    async fn ask<T>(&self, operation: Operation, asked: impl Future<Output = Result<T, CoreError>>) -> Result<T, CoreError> {
        ask(&self.metrics, operation, asked, Instant::now() + self.limits.probe_deadline).await
    }
}

fn read_only(method: &Method) -> Result<(), Error> {
    if method == Method::GET || method == Method::HEAD { Ok(()) } else { Err(Error::MethodNotAllowed { allowed: "GET, HEAD" }) }
}

fn text(content_type: &'static str, body: impl Into<Bytes>) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body.into()));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
