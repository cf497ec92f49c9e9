//! What a watcher is told, as messages.

use suppressd_core::store::{Change, ChangeKind};
use suppressd_core::{Address, Record, Verdict};

use crate::proto::watch_suppressions_response::Message;
use crate::proto::{WatchReset, WatchedAddress, WatchedChange, WatchedChangeKind};
use crate::suppression::{reason, timestamp};

pub(super) fn reset(why: &str) -> Message {
    Message::Reset(WatchReset { why: why.to_owned() })
}

/// An address of a snapshot; `None` if it is not suppressed.
pub(super) fn snapshot_entry(record: &Record, verdict: &Verdict) -> Option<Message> {
    verdict.is_suppressed().then(|| Message::SnapshotEntry(watched(&record.address, verdict)))
}

pub(super) fn change(change: &Change, verdict: &Verdict) -> Message {
    let of_kind = match change.kind {
        ChangeKind::Event { kind, class, id } => WatchedChange {
            kind: WatchedChangeKind::Event.into(),
            event_id: id.as_str().to_owned(),
            event_type: kind.as_wire().to_owned(),
            event_class: class.as_str().to_owned(),
            ..WatchedChange::default()
        },
        ChangeKind::Suppressed => WatchedChange { kind: WatchedChangeKind::Suppressed.into(), ..WatchedChange::default() },
        ChangeKind::Lifted => WatchedChange { kind: WatchedChangeKind::Lifted.into(), ..WatchedChange::default() },
        ChangeKind::Erased => WatchedChange { kind: WatchedChangeKind::Erased.into(), ..WatchedChange::default() },
        ChangeKind::Unknown => WatchedChange::default(),
    };
    Message::Change(WatchedChange {
        id: change.id.to_string(),
        at: change.time().map(timestamp),
        address: Some(watched(&change.address, verdict)),
        ..of_kind
    })
}

fn watched(address: &Address, verdict: &Verdict) -> WatchedAddress {
    let suppression = verdict.suppression.as_ref();
    WatchedAddress {
        email: address.as_str().to_owned(),
        suppressed: Some(verdict.is_suppressed()),
        reason: reason(verdict).into(),
        suppressed_at: suppression.map(|suppression| timestamp(suppression.since)),
        expire_time: suppression.and_then(|suppression| suppression.until).map(timestamp),
        rule: suppression.map(|suppression| suppression.rule.to_string()).unwrap_or_default(),
        detail: verdict.to_string(),
    }
}
