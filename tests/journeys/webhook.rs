//! The provider's payload.

use serde_json::{Value, json};

/// A payload with all its fields. The number makes it an event of its own.
pub(crate) fn payload(kind: &str, rcpt: &str, category: &str, number: usize) -> Value {
    json!({
        "type": kind,
        "timeLogged": (1_695_222_842 + number).to_string(),
        "orig": "news@sender.example",
        "rcpt": rcpt,
        "dsnAction": "failed",
        "dsnStatus": "5.1.1 (bad destination mailbox address)",
        "dsnDiag": "smtp;550 5.1.1 no such user",
        "bounceCat": category,
        "rcvSmtpUser": "acme",
        "header_Message-Id": format!("<{number}@sender.example>"),
        "vmta": "mta1",
    })
}

/// A payload as it stands on the wire.
pub(crate) fn body(kind: &str, rcpt: &str, category: &str, number: usize) -> String {
    payload(kind, rcpt, category, number).to_string()
}
