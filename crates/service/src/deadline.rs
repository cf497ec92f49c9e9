//! The time that a call has, with the reading of its message.
//!
//! Not tonic's own, which sets a timer for every call: nearly all of them are answered as soon as they are read.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::time::{Sleep, sleep};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

/// A service whose calls are answered within a time, as unavailable if not otherwise.
#[derive(Debug, Clone)]
pub(crate) struct Bounded<T> {
    service: T,
    call_timeout: Duration,
}

impl<T> Bounded<T> {
    pub(crate) fn new(service: T, call_timeout: Duration) -> Self {
        Self { service, call_timeout }
    }
}

impl<T: NamedService> NamedService for Bounded<T> {
    const NAME: &'static str = T::NAME;
}

impl<T, B> Service<http::Request<B>> for Bounded<T>
where
    T: Service<http::Request<B>, Response = http::Response<Body>>,
    T::Future: Unpin,
{
    type Response = T::Response;
    type Error = T::Error;
    type Future = InTime<T::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, request: http::Request<B>) -> Self::Future {
        InTime { answer: self.service.call(request), call_timeout: self.call_timeout, deadline: None }
    }
}

/// An answer, or that there was none in time.
pub(crate) struct InTime<F> {
    answer: F,
    call_timeout: Duration,
    /// Set when the answer is not there at once.
    deadline: Option<Pin<Box<Sleep>>>,
}

impl<F, E> Future for InTime<F>
where
    F: Future<Output = Result<http::Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let Self { answer, call_timeout, deadline } = self.get_mut();
        if let Poll::Ready(answer) = Pin::new(answer).poll(cx) {
            return Poll::Ready(answer);
        }
        let deadline = deadline.get_or_insert_with(|| Box::pin(sleep(*call_timeout)));
        let late = || Ok(Status::unavailable("the call was not read and answered in time; try again").into_http());
        deadline.as_mut().poll(cx).map(|()| late())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;
    use std::future::{pending, ready};

    async fn code_of(answer: impl Future<Output = Result<http::Response<Body>, Infallible>> + Unpin) -> String {
        let in_time = InTime { answer, call_timeout: Duration::from_millis(1), deadline: None };
        let headers = in_time.await.unwrap().into_parts().0.headers;
        headers.get("grpc-status").unwrap().to_str().unwrap().to_owned()
    }

    #[tokio::test]
    async fn what_is_not_answered_in_time_is_unavailable() {
        assert_eq!(code_of(Box::pin(pending())).await, "14");
        assert_eq!(code_of(ready(Ok(Status::not_found("").into_http()))).await, "5");
    }
}
