//! Errors as a client of REST sees them: a status, and a body of `application/problem+json` (RFC 9457).

use http::header::{ALLOW, CONTENT_TYPE, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{Response, StatusCode};
use prost_reflect::MessageDescriptor;
use serde::Serialize;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use super::{RestBody, full};

/// What `Retry-After` says at least, in seconds: it cannot say less.
const LEAST_RETRY_SECONDS: u64 = 1;

/// The body of the answer. `about:blank` says that the status is all there is to the type (RFC 9457, 4.2.1).
#[derive(Debug, Serialize)]
pub(super) struct Problem {
    r#type: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
    /// The code that a gRPC client would see.
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    /// What is wrong at the server, in a word for programs.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<BadField>,
    #[serde(skip)]
    retry_after_seconds: u64,
    #[serde(skip)]
    allowed: Option<HeaderValue>,
}

/// A field of the request that cannot be used.
#[derive(Debug, Serialize)]
struct BadField {
    field: String,
    reason: String,
}

impl From<&Status> for Problem {
    fn from(status: &Status) -> Self {
        let (http, code) = http_of(status.code());
        let details = status.get_error_details();
        let violations = details.bad_request().map(|bad| bad.field_violations.as_slice()).unwrap_or_default();
        let bad = |violation: &tonic_types::FieldViolation| BadField {
            field: violation.field.clone(),
            reason: violation.description.clone(),
        };
        let delay = details.retry_info().and_then(|info| info.retry_delay).unwrap_or_default();
        Self {
            code: Some(code),
            reason: details.error_info().map(|info| info.reason.clone()),
            errors: violations.iter().map(bad).collect(),
            retry_after_seconds: delay.as_secs().max(LEAST_RETRY_SECONDS),
            ..Self::new(http, status.message().to_owned())
        }
    }
}

impl Problem {
    fn new(status: StatusCode, detail: String) -> Self {
        let title = status.canonical_reason().unwrap_or_default();
        let errors = Vec::new();
        let retry_after_seconds = LEAST_RETRY_SECONDS;
        Self {
            r#type: "about:blank",
            title,
            status: status.as_u16(),
            detail,
            code: None,
            reason: None,
            errors,
            retry_after_seconds,
            allowed: None,
        }
    }

    /// What became of a call with such a message. Fields are named as JSON has them.
    pub(super) fn of(status: &Status, input: &MessageDescriptor) -> Self {
        let mut problem = Self::from(status);
        for bad in &mut problem.errors {
            if let Some(field) = input.get_field_by_name(&bad.field) {
                field.json_name().clone_into(&mut bad.field);
                problem.detail = format!("{}: {}", bad.field, bad.reason);
            }
        }
        problem
    }

    pub(super) fn not_found() -> Self {
        Self::new(StatusCode::NOT_FOUND, "nothing is served at this path".to_owned())
    }

    pub(super) fn method_not_allowed(allowed: &str) -> Self {
        let detail = format!("this path is served by {allowed} only");
        Self { allowed: HeaderValue::from_str(allowed).ok(), ..Self::new(StatusCode::METHOD_NOT_ALLOWED, detail) }
    }

    pub(super) fn not_acceptable(produced: &str) -> Self {
        Self::new(StatusCode::NOT_ACCEPTABLE, format!("the answer is {produced}, and `accept` has no room for it"))
    }

    pub(super) fn unsupported_media_type(detail: &str) -> Self {
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail.to_owned())
    }

    /// The body alone.
    pub(super) fn to_json(&self) -> Vec<u8> {
        // Writing text and numbers to memory cannot fail; were it to, the status alone would do.
        serde_json::to_vec(self).unwrap_or_default()
    }

    /// The whole answer.
    pub(super) fn answer(self) -> Response<RestBody> {
        let mut response = Response::new(full(self.to_json()));
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        *response.status_mut() = status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if [StatusCode::SERVICE_UNAVAILABLE, StatusCode::TOO_MANY_REQUESTS].contains(&status) {
            headers.insert(RETRY_AFTER, HeaderValue::from(self.retry_after_seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"suppressd\""));
        }
        if let Some(allowed) = self.allowed {
            headers.insert(ALLOW, allowed);
        }
        response
    }
}

/// The status for a gRPC code, as google.rpc.Code maps it, and the code's name. The only place of that rule.
fn http_of(code: Code) -> (StatusCode, &'static str) {
    match code {
        Code::Ok => (StatusCode::OK, "OK"),
        // The client is gone: nobody reads it.
        Code::Cancelled => (StatusCode::REQUEST_TIMEOUT, "CANCELLED"),
        Code::InvalidArgument => (StatusCode::BAD_REQUEST, "INVALID_ARGUMENT"),
        Code::FailedPrecondition => (StatusCode::BAD_REQUEST, "FAILED_PRECONDITION"),
        Code::OutOfRange => (StatusCode::BAD_REQUEST, "OUT_OF_RANGE"),
        Code::Unauthenticated => (StatusCode::UNAUTHORIZED, "UNAUTHENTICATED"),
        Code::PermissionDenied => (StatusCode::FORBIDDEN, "PERMISSION_DENIED"),
        Code::NotFound => (StatusCode::NOT_FOUND, "NOT_FOUND"),
        Code::AlreadyExists => (StatusCode::CONFLICT, "ALREADY_EXISTS"),
        Code::Aborted => (StatusCode::CONFLICT, "ABORTED"),
        Code::ResourceExhausted => (StatusCode::TOO_MANY_REQUESTS, "RESOURCE_EXHAUSTED"),
        Code::Unimplemented => (StatusCode::NOT_IMPLEMENTED, "UNIMPLEMENTED"),
        Code::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"),
        Code::DeadlineExceeded => (StatusCode::GATEWAY_TIMEOUT, "DEADLINE_EXCEEDED"),
        Code::Unknown => (StatusCode::INTERNAL_SERVER_ERROR, "UNKNOWN"),
        Code::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        Code::DataLoss => (StatusCode::INTERNAL_SERVER_ERROR, "DATA_LOSS"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_fault_has_the_status_of_an_answer() {
        for code in (1..=16).map(Code::from_i32) {
            let answer = Problem::from(&Status::new(code, "why")).answer();
            assert!(answer.status().as_u16() >= 400, "{code:?}");
            assert_eq!(answer.headers()[CONTENT_TYPE], "application/problem+json");
            assert_eq!(answer.headers().contains_key(RETRY_AFTER), [503, 429].contains(&answer.status().as_u16()));
            assert_eq!(answer.headers().contains_key(WWW_AUTHENTICATE), code == Code::Unauthenticated);
        }
    }

    #[test]
    fn a_bad_field_is_named_as_json_has_it() {
        let routes = super::super::routes::Routes::resolve().unwrap();
        let diff = routes.all().iter().find(|route| route.rpc.name() == "DiffPolicy").unwrap();
        let problem = Problem::of(&crate::status::refused("policy_toml", "why"), &diff.rpc.input());
        let json: serde_json::Value = serde_json::from_slice(&problem.to_json()).unwrap();
        assert_eq!(json["errors"], serde_json::json!([{"field": "policyToml", "reason": "why"}]));
        assert_eq!((&json["status"], &json["code"]), (&400.into(), &"INVALID_ARGUMENT".into()));
    }
}
