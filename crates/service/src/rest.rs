//! REST: the gRPC methods as JSON over HTTP, for whoever holds the HTTP port.
//!
//! It decides nothing. A request is turned into the message of a gRPC method, goes through the same gate, bounds and service as
//! a call that came by gRPC, and the answer is turned back.

mod call;
mod message;
mod negotiation;
#[cfg(test)]
mod openapi;
mod problem;
mod routes;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{CONTENT_TYPE, HeaderValue};
use http::{Method, Request, Response};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use tokio::sync::SetOnce;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tower::util::BoxCloneSyncService;
use tower::{BoxError, Service};
use tracing::debug;

use crate::access::{Access, Right};
use crate::metrics::Metrics;
use crate::workers::Serve;
use crate::{Error, status};
use problem::Problem;
use routes::{Found, Route, Routes};

/// The description of all that the HTTP port serves, in `OpenAPI` 3.1.
pub const OPENAPI: &str = include_str!("../../../proto/openapi.json");

/// Where it is served.
const OPENAPI_PATH: &str = "/openapi.json";

/// What is counted as the route of a request that has none.
const NO_ROUTE: &str = "none";

/// How long a request waits for the gRPC door to open.
const OPENING_TIMEOUT: Duration = Duration::from_secs(10);

/// The content type of an answer that is one message.
const JSON: &str = "application/json";

/// The content type of an answer that is a message a line.
const LINES: &str = "application/x-ndjson";

/// An answer's body.
pub type RestBody = UnsyncBoxBody<Bytes, Infallible>;

/// All of gRPC, as it can be called from within the process.
type Grpc = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// REST. It answers once the gRPC door, which has the services, is open; until then requests wait.
///
/// Its error is that of a request's body, handed back to whoever gave that body.
#[derive(Debug, Clone)]
pub struct Rest(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    routes: Routes,
    access: Access,
    metrics: Metrics,
    grpc: SetOnce<Grpc>,
}

/// Why a request has no answer of a method.
enum Fault {
    Problem(Box<Problem>),
    /// The body could not be read.
    Body(BoxError),
}

impl From<Status> for Fault {
    fn from(status: Status) -> Self {
        Self::Problem(Box::new(Problem::from(&status)))
    }
}

impl From<Problem> for Fault {
    fn from(problem: Problem) -> Self {
        Box::new(problem).into()
    }
}

impl From<Box<Problem>> for Fault {
    fn from(problem: Box<Problem>) -> Self {
        Self::Problem(problem)
    }
}

impl Rest {
    /// REST for who has these tokens.
    ///
    /// # Errors
    ///
    /// [`Error::Descriptors`] if the compiled-in descriptors lack something.
    pub fn new(access: Access, metrics: Metrics) -> Result<Self, Error> {
        Ok(Self(Arc::new(Inner { routes: Routes::resolve()?, access, metrics, grpc: SetOnce::new() })))
    }

    /// From now on there is something to ask.
    pub(crate) fn open(&self, service: impl Serve + Sync) {
        // A second door would have the same services.
        let _ = self.0.grpc.set(BoxCloneSyncService::new(service));
    }
}

impl<B> Service<Request<B>> for Rest
where
    B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send + 'static,
{
    type Response = Response<RestBody>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Response<RestBody>, BoxError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let inner = Arc::clone(&self.0);
        Box::pin(async move { inner.answer(request).await })
    }
}

impl Inner {
    async fn answer<B>(&self, request: Request<B>) -> Result<Response<RestBody>, BoxError>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        let started = Instant::now();
        let method = request.method().clone();
        if request.uri().path() == OPENAPI_PATH {
            let answered = description(&method);
            return Ok(self.counted(&method, OPENAPI_PATH, answered, started));
        }
        let (parts, body) = request.into_parts();
        let (template, answered) = match self.routes.find(&method, parts.uri.path()) {
            Found::Nothing => (NO_ROUTE, Err(Problem::not_found().into())),
            Found::Others(allowed) => (NO_ROUTE, Err(Problem::method_not_allowed(&allowed).into())),
            Found::Route(route, parameters) => (route.template, self.call(route, &parameters, &parts, body).await),
        };
        match answered {
            Ok(answer) => Ok(self.counted(&method, template, answer, started)),
            Err(Fault::Problem(problem)) => Ok(self.counted(&method, template, problem.answer(), started)),
            Err(Fault::Body(error)) => Err(error),
        }
    }

    async fn call<B>(
        &self,
        route: &Route,
        parameters: &[(&'static str, &str)],
        parts: &http::request::Parts,
        body: B,
    ) -> Result<Response<RestBody>, Fault>
    where
        B: http_body::Body<Data = Bytes, Error: Into<BoxError>> + Send,
    {
        // Before anything is read: who may not ask is told nothing of what was wrong with the question. The service has the
        // same gate before it, which also says by whose evidence it answers.
        self.access.admit(&parts.headers, route.path.path(), Right::needed_by(route.service()))?;
        negotiation::check(&parts.headers, route)?;
        let request = if route.has_body() {
            let body = body.collect().await.map_err(|error| Fault::Body(error.into()))?.to_bytes();
            message::from_body(route.rpc.input(), parameters, parts.uri.query(), &body)?
        } else {
            message::from_query(route.rpc.input(), parameters, parts.uri.query())?
        };
        let grpc = timeout(OPENING_TIMEOUT, self.grpc.wait()).await.map_err(|_| status::starting())?.clone();
        let input = route.rpc.input();
        let called = if route.rpc.is_server_streaming() {
            call::streaming(grpc, route, &parts.headers, request).await.map(|lines| answered(LINES, lines))
        } else {
            call::unary(grpc, route, &parts.headers, request).await.map(|answer| answered(JSON, full(answer)))
        };
        called.map_err(|status| Problem::of(&status, &input).into())
    }

    /// Never by the path itself, which may hold an address.
    fn counted(
        &self,
        method: &Method,
        template: &'static str,
        answer: Response<RestBody>,
        started: Instant,
    ) -> Response<RestBody> {
        let code = answer.status().as_u16();
        self.metrics.count_rest(method, template, code);
        debug!(%method, route = template, code, took = ?started.elapsed(), "rest");
        answer
    }
}

fn description(method: &Method) -> Response<RestBody> {
    if method == Method::GET || method == Method::HEAD {
        return answered(JSON, full(OPENAPI));
    }
    Problem::method_not_allowed("GET, HEAD").answer()
}

fn answered(content_type: &'static str, body: RestBody) -> Response<RestBody> {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

fn full(bytes: impl Into<Bytes>) -> RestBody {
    Full::new(bytes.into()).boxed_unsync()
}
