//! What core's errors are to a gRPC client. The only place of that rule.

use std::collections::HashMap;
use std::time::Duration;

use suppressd_core::Error;
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

/// Who names the reasons in `ErrorInfo`.
const DOMAIN: &str = "suppressd";

/// What a client is told to wait before it tries again.
const RETRY_DELAY: Duration = Duration::from_secs(1);

/// Maps an error. `field` is the request's field that it is about, if it is the caller's fault and does not name one.
///
/// Whatever keeps evidence from being read is UNAVAILABLE: no client must take it for "not suppressed", and some take an error
/// that looks final for an answer.
pub(crate) fn of(error: &Error, field: &str) -> Status {
    let message = error.to_caller();
    match error {
        Error::InvalidAddress { .. } | Error::MalformedJson { .. } | Error::InvalidPolicy { .. } => refused(field, &message),
        Error::InvalidField { field, reason } => refused(field, reason),
        Error::StoreUnavailable { .. } => unavailable("STORE_UNAVAILABLE", message, error.is_transient()),
        Error::StoreOverloaded => unavailable("STORE_OVERLOADED", message, error.is_transient()),
        Error::StoreFailed { .. } => unavailable("STORE_FAILED", message, error.is_transient()),
        Error::StoreDamaged { .. } => unavailable("STORE_DAMAGED", message, error.is_transient()),
        Error::DirectoryInUse { .. } => unavailable("DIRECTORY_IN_USE", message, error.is_transient()),
        Error::IncidentsFull => with_reason(Code::ResourceExhausted, "INCIDENTS_FULL", message, None),
        Error::AddressKeyNeeded => with_reason(Code::FailedPrecondition, "ADDRESS_KEY_NEEDED", message, None),
        Error::LettersFull => with_reason(Code::ResourceExhausted, "LETTERS_FULL", message, None),
    }
}

/// A field of the request cannot be used.
pub(crate) fn refused(field: &str, why: &str) -> Status {
    let mut details = ErrorDetails::new();
    details.add_bad_request_violation(field, why);
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {why}"), details)
}

/// The server is about to stop.
pub(crate) fn draining() -> Status {
    unavailable("DRAINING", "the server is draining; ask another one".to_owned(), true)
}

/// The server has not quite begun.
pub(crate) fn starting() -> Status {
    unavailable("STARTING", "the server is starting; try again".to_owned(), true)
}

/// Whoever watches did not take what it was told.
pub(crate) fn too_slow() -> Status {
    unavailable("TOO_SLOW", "a message was not taken for too long; go on from the token of the last one".to_owned(), true)
}

fn unavailable(reason: &str, message: String, is_transient: bool) -> Status {
    with_reason(Code::Unavailable, reason, message, is_transient.then_some(RETRY_DELAY))
}

fn with_reason(code: Code, reason: &str, message: String, retry_delay: Option<Duration>) -> Status {
    let mut details = ErrorDetails::new();
    details.set_error_info(reason, DOMAIN, HashMap::new());
    if retry_delay.is_some() {
        details.set_retry_info(retry_delay);
    }
    Status::with_error_details(code, message, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fault_of_the_store_looks_final() {
        for error in [
            Error::StoreUnavailable { reason: "x".into() },
            Error::StoreOverloaded,
            Error::StoreFailed { reason: "x".into() },
            Error::StoreDamaged { reason: "x".into() },
        ] {
            let status = of(&error, "email");
            assert_eq!(status.code(), Code::Unavailable, "{error:?}");
            assert_eq!(status.get_error_details().retry_info().is_some(), error.is_transient(), "{error:?}");
        }
    }

    #[test]
    fn a_bad_field_is_named() {
        let status = of(&"x".parse::<suppressd_core::Address>().unwrap_err(), "email");
        assert_eq!(status.code(), Code::InvalidArgument);
        let details = status.get_error_details();
        assert_eq!(details.bad_request().unwrap().field_violations[0].field, "email");
    }
}
