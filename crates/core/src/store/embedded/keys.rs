//! Where things lie in the tree.
//!
//! | key | value |
//! |---|---|
//! | `<address>` | the record ([`value`](super::value)), and its evidence as long as that fits in |
//! | `<address> NUL <event id>` | one piece of evidence of a record in which it does not |
//! | `NUL g <domain> NUL <stretch of time>` | how often the domain answered then: HARD answers, all answers |
//! | `NUL l <number>` | changes from that number on, each a line: what happened, a blank, the address |
//! | `NUL c <slot>` | the number of the commit that has this slot, and whether another one followed it |
//!
//! Neither an address nor a domain holds a NUL, so records lie together, in the order of their addresses, each with its evidence
//! behind it. Their keys have nothing in front of the address, which would be compared with each of them. Numbers are big-endian, so
//! that they lie in their order too. Every value stays far below 4 KiB: a torn page within a batch of large values would make the
//! journal unreadable.

use std::ops::Range;

use crate::{Address, EventId, Slot};

/// The key of a record.
pub(super) fn record(address: &Address) -> Vec<u8> {
    address.as_str().as_bytes().to_vec()
}

/// The key of a piece of evidence.
pub(super) fn evidence(address: &Address, id: EventId) -> Vec<u8> {
    [address.as_str().as_bytes(), b"\0", id.as_str().as_bytes()].concat()
}

/// The keys of a record and of all its evidence.
pub(super) fn all_of(record: &[u8]) -> Range<Vec<u8>> {
    // No address holds a control character, so this lies between the last key of one and the first of the next.
    record.to_vec()..[record, b"\x01"].concat()
}

/// The keys of all records, or of those behind an address.
pub(super) fn records(behind: Option<&Address>) -> Range<Vec<u8>> {
    // UTF-8 has no such byte.
    let end = vec![0xff];
    behind.map_or_else(|| b"\x01".to_vec(), |address| all_of(&record(address)).end)..end
}

/// Takes a key of a record apart: the address, and what stands behind it.
pub(super) fn parts_of_record(key: &[u8]) -> (&[u8], &[u8]) {
    key.iter().position(|byte| *byte == 0).map_or((key, &[]), |end| (&key[..end], &key[end + 1..]))
}

/// The prefix of a domain's answers.
pub(super) fn answers_of(domain: &str) -> Vec<u8> {
    [b"\0g", domain.as_bytes(), b"\0"].concat()
}

/// The key of a domain's answers in a stretch of time.
pub(super) fn answers(domain: &str, slot: Slot) -> Vec<u8> {
    [&*answers_of(domain), &slot.number().to_be_bytes()].concat()
}

/// The keys of all changes.
pub(super) const CHANGES: &[u8] = b"\0l";

/// The key of a change.
pub(super) fn change(number: u64) -> Vec<u8> {
    [CHANGES, &number.to_be_bytes()].concat()
}

/// The number of the change that has that key.
pub(super) fn number_of_change(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(CHANGES)?.try_into().ok()?))
}

/// The prefix of all slots.
pub(super) const SLOTS: &[u8] = b"\0c";

/// The key of a commit's slot.
pub(super) fn slot(slot: u32) -> [u8; 6] {
    let [a, b, c, d] = slot.to_be_bytes();
    [0, b'c', a, b, c, d]
}
