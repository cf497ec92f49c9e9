//! What else is served on this port, by somebody whom this crate does not know.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use hyper::body::Incoming;
use hyper::{Request, Response};
use tower::util::BoxCloneSyncService;
use tower::{BoxError, ServiceBuilder, ServiceExt as _};

use crate::body::BoundedBody;
use crate::{Error, Limits};

/// An answer's body, which may come in parts. What goes wrong on its way it has to say itself.
pub type FurtherBody = UnsyncBoxBody<Bytes, Infallible>;

/// Answers what the door does not serve itself, within the door's bounds. If the request's body cannot be read, its error is that
/// of the body, and the door answers.
pub type Further = BoxCloneSyncService<Request<BoundedBody>, Response<FurtherBody>, BoxError>;

/// With so much room of its own and no queue: it takes none of the webhook's, and who does not get in is told at once.
pub(crate) fn within(further: Further, limits: &Limits) -> Further {
    Further::new(ServiceBuilder::new().load_shed().concurrency_limit(limits.max_requests_in_flight).service(further))
}

/// Lets a request in if there is room, and has it answered.
pub(crate) async fn answer(
    further: Further,
    request: Request<Incoming>,
    limits: &Limits,
) -> Result<Response<FurtherBody>, Error> {
    let request = request.map(|body| BoundedBody::new(body, limits.clone()));
    further.oneshot(request).await.map_err(|error| match error.downcast::<Error>() {
        Ok(ours) => *ours,
        // The only other one is that of the layer which sheds load.
        Err(_) => Error::Overloaded,
    })
}
