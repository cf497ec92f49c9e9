//! What the `.proto` files do not say for a program: what must be given, of what form it is, and how it looks.

use serde_json::{Value, json};

/// Fields of requests that must be given.
pub(super) const REQUIRED: &[(&str, &[&str])] = &[
    ("CreateSuppressionRequest", &["email", "note"]),
    ("DeleteSuppressionRequest", &["why"]),
    ("PreviewIncidentRequest", &["scope"]),
    ("OpenIncidentRequest", &["scope", "why"]),
    ("KeepIncidentRequest", &["why"]),
    ("CloseIncidentRequest", &["why"]),
    ("IncidentScope", &["from", "to"]),
];

/// Fields of answers that are always set, though they could be unset by their type.
pub(super) const ALWAYS_SET: &[(&str, &[&str])] =
    &[("IsSuppressedResponse", &["suppressed"]), ("SuppressionResult", &["suppressed"])];

/// More of the form of fields of that name.
pub(super) fn form(message: &str, field: &str) -> Value {
    match (message, field) {
        // What is too long there refuses each entry in its place, and not the request.
        ("BatchCreateSuppressionsRequest", _) => json!({}),
        (_, "why" | "note") if message.ends_with("Request") => json!({"minLength": 1, "maxLength": 512}),
        (_, "who") if message.ends_with("Request") => json!({"maxLength": 512}),
        ("KeepIncidentRequest" | "CloseIncidentRequest", "id") => json!({"pattern": "^[0-9a-f]{16}$"}),
        ("GetRejectedLetterRequest" | "ReplayRejectedLetterRequest", "id") => json!({"pattern": "^[0-9a-f]{32}$"}),
        (_, "email") => json!({"examples": ["alice@example.com"]}),
        (_, "account") => json!({"examples": ["acme"]}),
        _ => json!({}),
    }
}

/// A request's body and an answer, by the method's name.
pub(super) fn examples(rpc: &str) -> (Option<Value>, Option<Value>) {
    let suppressed = || {
        json!({
            "suppressed": true, "reason": "SUPPRESSION_REASON_HARD_BOUNCE", "suppressedAt": "2023-09-20T15:14:02Z",
            "softBounces": 0, "softBounceLimit": 5, "detail": "hard bounce, bad-mailbox 5.1.1, since 2023-09-20T15:14:02Z"
        })
    };
    let scope = || json!({"from": "2020-12-14T00:00:00Z", "to": "2020-12-15T23:59:59Z", "domain": "gmail.com"});
    let act = || json!({"who": "alex", "why": "it was no fault of theirs"});
    match rpc {
        "IsSuppressed" => (None, Some(suppressed())),
        "BatchIsSuppressed" => {
            let mut result = suppressed();
            result["error"] = json!("");
            (Some(json!({"emails": ["gone@example.com"], "account": "acme"})), Some(json!({"results": [result]})))
        }
        "CreateSuppression" => {
            let request = json!({"email": "carol@example.com", "note": "asked by phone", "who": "alex"});
            (Some(request), None)
        }
        "BatchCreateSuppressions" => {
            let entries = json!([{"email": "carol@example.com", "note": "asked by phone"}]);
            (Some(json!({"entries": entries, "who": "alex"})), None)
        }
        "DiffPolicy" => (Some(json!({"policyToml": "soft_bounce_limit = 3\n", "listAddresses": true})), None),
        "PreviewIncident" => (Some(json!({"scope": scope()})), None),
        "OpenIncident" => (Some(json!({"scope": scope(), "who": "alex", "why": "Gmail refused good recipients"})), None),
        "KeepIncident" | "CloseIncident" => (Some(act()), None),
        "ReplayRejectedLetter" => (Some(json!({})), None),
        _ => (None, None),
    }
}
