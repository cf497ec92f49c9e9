//! Reading a body within its bounds.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body, Frame, Incoming};
use tokio::time::timeout;

use crate::{Error, Limits};

/// A body that keeps the bounds of the door, for whoever reads it. It is read as a whole when it is asked for, and not before.
pub struct BoundedBody(Option<Pin<Box<Reading>>>);

type Reading = dyn Future<Output = Result<Bytes, Error>> + Send;

impl BoundedBody {
    pub(crate) fn new(body: Incoming, limits: Limits) -> Self {
        Self(Some(Box::pin(async move { read(body, &limits).await })))
    }
}

impl Body for BoundedBody {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let Some(reading) = &mut self.0 else { return Poll::Ready(None) };
        let read = std::task::ready!(reading.as_mut().poll(cx));
        self.0 = None;
        Poll::Ready(Some(read.map(Frame::data)))
    }
}

/// Reads a body to its end.
pub(crate) async fn read(body: Incoming, limits: &Limits) -> Result<Bytes, Error> {
    let max_body_bytes = limits.max_body_bytes;
    // This reads nothing yet: a client that waits for `100 Continue` is refused before it sends a byte.
    if Body::size_hint(&body).lower() > max_body_bytes as u64 {
        return Err(Error::BodyTooLarge { max_body_bytes });
    }
    match timeout(limits.body_read_timeout, Limited::new(body, max_body_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge { max_body_bytes }),
        Ok(Err(_)) => Err(Error::BodyUnreadable),
        Err(_) => Err(Error::BodyTimeout),
    }
}
