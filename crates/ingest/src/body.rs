//! Reading a body within its bounds.

use bytes::Bytes;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::{Body as _, Incoming};
use tokio::time::timeout;

use crate::{Error, Limits};

/// Reads a body to its end.
pub(crate) async fn read(body: Incoming, limits: &Limits) -> Result<Bytes, Error> {
    let max_body_bytes = limits.max_body_bytes;
    // This reads nothing yet: a client that waits for `100 Continue` is refused before it sends a byte.
    if body.size_hint().lower() > max_body_bytes as u64 {
        return Err(Error::BodyTooLarge { max_body_bytes });
    }
    match timeout(limits.body_read_timeout, Limited::new(body, max_body_bytes).collect()).await {
        Ok(Ok(collected)) => Ok(collected.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Error::BodyTooLarge { max_body_bytes }),
        Ok(Err(_)) => Err(Error::BodyUnreadable),
        Err(_) => Err(Error::BodyTimeout),
    }
}
