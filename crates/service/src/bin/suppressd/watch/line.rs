//! What a watcher is told, a line each.

use serde_json::{Value, json};
use suppressd_service::proto::watch_suppressions_response::Message;
use suppressd_service::proto::{WatchSuppressionsResponse, WatchedAddress, WatchedChange, WatchedChangeKind};

use crate::check::{reason, verdict_as_text};
use crate::grpc_client::time;

/// The line of a message, without its end; `None` for one that says nothing but that the server is there.
pub(super) fn line(response: &WatchSuppressionsResponse, as_json: bool) -> Option<String> {
    let message = response.message.as_ref()?;
    if matches!(message, Message::Bookmark(_)) {
        return None;
    }
    Some(if as_json { in_json(message, &response.token).to_string() } else { in_text(message) })
}

fn in_text(message: &Message) -> String {
    match message {
        Message::Reset(reset) => format!("reset\t{}", reset.why),
        Message::SnapshotEntry(address) => format!("snapshot\t{}", address_in_text(address)),
        Message::SnapshotEnd(_) => "snapshot-end".to_owned(),
        Message::Change(change) => {
            let address = change.address.as_ref().map(address_in_text).unwrap_or_default();
            format!("change\t{address}\t{}", what(change))
        }
        Message::Bookmark(_) => String::new(),
    }
}

fn address_in_text(address: &WatchedAddress) -> String {
    verdict_as_text(&address.email, address.suppressed(), &address.detail)
}

fn what(change: &WatchedChange) -> String {
    match change.kind() {
        WatchedChangeKind::Event => format!("event {} {}", change.event_type, change.event_class),
        WatchedChangeKind::Suppressed => "suppressed by hand".to_owned(),
        WatchedChangeKind::Lifted => "lifted by hand".to_owned(),
        WatchedChangeKind::Erased => "erased, and stays suppressed".to_owned(),
        WatchedChangeKind::Unspecified => "something that this version does not know".to_owned(),
    }
}

fn in_json(message: &Message, token: &str) -> Value {
    let mut object = match message {
        Message::Reset(reset) => json!({ "type": "reset", "why": reset.why }),
        Message::SnapshotEntry(address) => with_address(json!({ "type": "snapshot" }), address),
        Message::SnapshotEnd(_) => json!({ "type": "snapshot-end" }),
        Message::Change(change) => change_in_json(change),
        Message::Bookmark(_) => json!({ "type": "bookmark" }),
    };
    object["token"] = token.into();
    object
}

fn change_in_json(change: &WatchedChange) -> Value {
    let kind = change.kind().as_str_name();
    let kind = kind.strip_prefix("WATCHED_CHANGE_KIND_").unwrap_or(kind).to_ascii_lowercase();
    let mut object = json!({ "type": "change", "id": change.id, "kind": kind });
    if let Some(at) = &change.at {
        object["at"] = time(Some(at)).into();
    }
    if change.kind() == WatchedChangeKind::Event {
        object["event"] = json!({ "id": change.event_id, "type": change.event_type, "class": change.event_class });
    }
    match &change.address {
        Some(address) => with_address(object, address),
        None => object,
    }
}

fn with_address(mut object: Value, address: &WatchedAddress) -> Value {
    object["email"] = address.email.clone().into();
    object["suppressed"] = address.suppressed().into();
    object["detail"] = address.detail.clone().into();
    if address.suppressed() {
        object["reason"] = reason(address.reason()).into();
        object["suppressed_at"] = time(address.suppressed_at.as_ref()).into();
        object["rule"] = address.rule.clone().into();
    }
    if let Some(end) = &address.expire_time {
        object["expire_time"] = time(Some(end)).into();
    }
    object
}
