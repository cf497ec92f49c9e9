//! Errors as the client sees them: a status, and a body of `application/problem+json` (RFC 9457).

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{ALLOW, CONNECTION, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use hyper::{Response, StatusCode};
use serde::Serialize;

use crate::{Error, RejectedPart};

/// The body of the answer. `about:blank` says that the status is all there is to the type (RFC 9457, 4.2.1).
#[derive(Serialize)]
struct Problem<'a> {
    r#type: &'static str,
    title: &'a str,
    status: u16,
    detail: String,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    errors: &'a [RejectedPart],
}

/// The status for an error. The only place of that rule.
pub(crate) fn status(error: &Error) -> StatusCode {
    match error {
        Error::NotFound => StatusCode::NOT_FOUND,
        Error::MethodNotAllowed { .. } => StatusCode::METHOD_NOT_ALLOWED,
        Error::Unauthorized => StatusCode::UNAUTHORIZED,
        Error::BodyTooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        Error::BodyEncoded => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Error::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
        Error::BodyUnreadable => StatusCode::BAD_REQUEST,
        Error::Overloaded | Error::Draining | Error::NotReady(_) => StatusCode::SERVICE_UNAVAILABLE,
        Error::InvalidSetting { .. } | Error::Unencodable => StatusCode::INTERNAL_SERVER_ERROR,
        Error::Refused { first: error, .. } | Error::Store(error) => {
            // By its questions and not by its variants: core may add some, and each answers these.
            if matches!(error, suppressd_core::Error::MalformedJson { .. }) {
                StatusCode::BAD_REQUEST
            } else if error.is_callers_fault() {
                StatusCode::UNPROCESSABLE_ENTITY
            } else {
                // Also what waits for an operator: the event is not lost as long as the provider comes back with it.
                StatusCode::SERVICE_UNAVAILABLE
            }
        }
    }
}

/// The whole answer for an error.
pub(crate) fn answer(error: &Error, retry_after_seconds: u32) -> Response<Full<Bytes>> {
    let status = status(error);
    let errors = if let Error::Refused { parts, .. } = error { parts.as_slice() } else { &[] };
    let title = status.canonical_reason().unwrap_or_default();
    let problem = Problem { r#type: "about:blank", title, status: status.as_u16(), detail: error.to_string(), errors };
    // Writing text and numbers to memory cannot fail; were it to, the status alone would do.
    let body = serde_json::to_vec(&problem).unwrap_or_default();
    let mut response = Response::new(Full::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if status == StatusCode::SERVICE_UNAVAILABLE {
        headers.insert(RETRY_AFTER, HeaderValue::from(retry_after_seconds));
    }
    if let Error::MethodNotAllowed { allowed } = error {
        headers.insert(ALLOW, HeaderValue::from_static(allowed));
    }
    if matches!(error, Error::Unauthorized) {
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"suppressd\""));
        headers.append(WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"suppressd\", charset=\"UTF-8\""));
    }
    // What is left of such a body would be taken for the next request.
    if matches!(error, Error::BodyTooLarge { .. } | Error::BodyEncoded | Error::BodyTimeout | Error::BodyUnreadable) {
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;
    use suppressd_core::Error as Core;

    #[test]
    fn a_store_s_error_has_its_status() {
        let reason = || "why".to_owned();
        for (error, code) in [
            (Core::MalformedJson { reason: reason() }, 400),
            (Core::InvalidField { field: "rcpt", reason: reason() }, 422),
            (Core::InvalidAddress { reason: "why" }, 422),
            (Core::StoreUnavailable { reason: reason() }, 503),
            (Core::StoreOverloaded, 503),
            (Core::LettersFull, 503),
            (Core::StoreFailed { reason: reason() }, 503),
            (Core::StoreDamaged { reason: reason() }, 503),
            (Core::DirectoryInUse { directory: reason() }, 503),
        ] {
            assert_eq!(status(&Error::Store(error.clone())).as_u16(), code, "{error:?}");
            assert_eq!(status(&Error::NotReady(error.clone())).as_u16(), 503, "{error:?}");
        }
    }

    #[test]
    fn what_was_not_recorded_is_to_be_sent_again() {
        let after = |error: &Error| answer(error, 7).headers().get(RETRY_AFTER).cloned();
        assert_eq!(after(&Error::Overloaded).unwrap(), "7");
        assert_eq!(after(&Error::Store(Core::LettersFull)).unwrap(), "7");
        assert_eq!(after(&Error::Store(Core::StoreDamaged { reason: "why".into() })).unwrap(), "7");
        assert!(after(&Error::Unauthorized).is_none());
    }
}
