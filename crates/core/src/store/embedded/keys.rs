//! Where things lie in the tree.
//!
//! | key | value |
//! |---|---|
//! | `a NUL <address> NUL` | the record without its evidence, as JSON |
//! | `a NUL <address> NUL <event id>` | one piece of evidence, [`Evidence::to_stored`](crate::Evidence::to_stored) |
//! | `g NUL <domain> NUL <stretch of time>` | how often the domain answered then: HARD answers, all answers |
//! | `l NUL <number>` | a change: what happened, a blank, the address |
//! | `c NUL <slot>` | the number of the commit that has this slot, and whether another one followed it |
//!
//! Neither an address nor a domain holds a NUL, so all of a record, and nothing else, has its first key as prefix, and records
//! lie in the order of their addresses. Numbers are big-endian, so that they lie in their order too. Every value stays far below
//! 4 KiB: a torn page within a batch of large values would make the journal unreadable.

use std::ops::Range;

use crate::{Address, EventId, Slot};

/// The key of a record's head, and the prefix of all that belongs to the record.
pub(super) fn head(address: &Address) -> Vec<u8> {
    [b"a\0", address.as_str().as_bytes(), b"\0"].concat()
}

/// The key of a piece of evidence.
pub(super) fn evidence(address: &Address, id: EventId) -> Vec<u8> {
    [b"a\0", address.as_str().as_bytes(), b"\0", id.as_str().as_bytes()].concat()
}

/// The keys of all records, or of those behind an address.
pub(super) fn records(behind: Option<&Address>) -> Range<Vec<u8>> {
    // No address holds a control character, so this lies between the last key of one and the first of the next.
    let from = behind.map_or_else(|| b"a\0".to_vec(), |address| [b"a\0", address.as_str().as_bytes(), b"\x01"].concat());
    from..b"a\x01".to_vec()
}

/// Takes a record's key apart: the address, and what stands behind the key that all of the record begin with.
pub(super) fn parts_of_record(key: &[u8]) -> Option<(&[u8], &[u8])> {
    let key = key.strip_prefix(b"a\0")?;
    let (address, rest) = key.split_at_checked(key.iter().position(|byte| *byte == 0)?)?;
    Some((address, rest.get(1..)?))
}

/// The prefix of a domain's answers.
pub(super) fn answers_of(domain: &str) -> Vec<u8> {
    [b"g\0", domain.as_bytes(), b"\0"].concat()
}

/// The key of a domain's answers in a stretch of time.
pub(super) fn answers(domain: &str, slot: Slot) -> Vec<u8> {
    [&*answers_of(domain), &slot.number().to_be_bytes()].concat()
}

/// The keys of all changes.
pub(super) const CHANGES: &[u8] = b"l\0";

/// The key of a change.
pub(super) fn change(number: u64) -> Vec<u8> {
    [CHANGES, &number.to_be_bytes()].concat()
}

/// The number of the change that has that key.
pub(super) fn number_of_change(key: &[u8]) -> Option<u64> {
    Some(u64::from_be_bytes(key.strip_prefix(CHANGES)?.try_into().ok()?))
}

/// The prefix of all slots.
pub(super) const SLOTS: &[u8] = b"c\0";

/// The key of a commit's slot.
pub(super) fn slot(slot: u32) -> [u8; 6] {
    let [a, b, c, d] = slot.to_be_bytes();
    [b'c', 0, a, b, c, d]
}
