//! Events to record.

use suppressd_core::{Address, BounceCategory, EnhancedStatusCode, Event, EventId, EventKind, ManualEntry, UnixSeconds};

pub(crate) const ALICE: &str = "alice@example.com";
pub(crate) const BOB: &str = "bob@example.com";

pub(crate) fn address(text: &str) -> Address {
    text.parse().unwrap()
}

pub(crate) const fn at(seconds: i64) -> UnixSeconds {
    UnixSeconds::clamped(seconds)
}

/// A bounce of that category.
pub(crate) fn bounce(recipient: &str, number: u64, seconds: i64, category: &str) -> Event {
    Event {
        id: EventId::from_bits(number),
        recipient: address(recipient),
        time: at(seconds),
        is_time_of_receipt: false,
        kind: EventKind::Bounce,
        category: BounceCategory::from_wire(category),
        status: EnhancedStatusCode::from_wire("5.1.1"),
        vmta: "mta1".into(),
        account: "acme".into(),
        second_opinion: None,
    }
}

pub(crate) fn complaint(recipient: &str, number: u64, seconds: i64) -> Event {
    Event { kind: EventKind::Complaint, ..bounce(recipient, number, seconds, "") }
}

pub(crate) fn delivery(recipient: &str, number: u64, seconds: i64) -> Event {
    Event { kind: EventKind::Delivered, ..bounce(recipient, number, seconds, "") }
}

/// An operator's suppression.
pub(crate) fn entry(seconds: i64, note: &str) -> ManualEntry {
    ManualEntry { since: at(seconds), until: None, who: "ops".into(), note: note.into(), request_id: None }
}
