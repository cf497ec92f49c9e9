//! Which service a call goes to.
//!
//! Checks are found by a comparison. The router that finds all the others boxes each call and its answer on the way.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::Routes;
use tower::Service;

/// One service that answers nearly all calls, and the others.
#[derive(Clone)]
pub(crate) struct Dispatch<T> {
    first: T,
    others: Routes,
}

impl<T> Dispatch<T> {
    pub(crate) fn new(first: T, others: Routes) -> Self {
        Self { first, others: others.prepare() }
    }
}

impl<T> Service<http::Request<Body>> for Dispatch<T>
where
    T: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible> + NamedService,
    T::Future: Unpin,
{
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = Dispatched<T::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        let first = self.first.poll_ready(cx);
        let others = Service::<http::Request<Body>>::poll_ready(&mut self.others, cx);
        if first.is_pending() { first } else { others }
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let path = request.uri().path().strip_prefix('/').and_then(|path| path.strip_prefix(T::NAME));
        if path.is_some_and(|method| method.starts_with('/')) {
            Dispatched::First(self.first.call(request))
        } else {
            Dispatched::Other(Box::pin(self.others.call(request)))
        }
    }
}

/// An answer on its way.
pub(crate) enum Dispatched<F> {
    First(F),
    Other(Pin<Box<dyn Future<Output = Result<http::Response<Body>, Infallible>> + Send>>),
}

impl<F> Future for Dispatched<F>
where
    F: Future<Output = Result<http::Response<Body>, Infallible>> + Unpin,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.get_mut() {
            Self::First(answer) => Pin::new(answer).poll(cx),
            Self::Other(answer) => answer.as_mut().poll(cx),
        }
    }
}
