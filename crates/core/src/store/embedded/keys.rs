//! Where things lie in the tree.
//!
//! | key | value |
//! |---|---|
//! | `a NUL <address> NUL` | the record without its evidence, as JSON |
//! | `a NUL <address> NUL <event id>` | one piece of evidence, [`Evidence::to_stored`](crate::Evidence::to_stored) |
//! | `c NUL <slot>` | the number of the commit that has this slot, and whether another one followed it |
//!
//! An address holds no NUL, so all of a record, and nothing else, has its first key as prefix. Every value stays far below
//! 4 KiB: a torn page within a batch of large values would make the journal unreadable.

use crate::{Address, EventId};

/// The key of a record's head, and the prefix of all that belongs to the record.
pub(super) fn head(address: &Address) -> Vec<u8> {
    [b"a\0", address.as_str().as_bytes(), b"\0"].concat()
}

/// The key of a piece of evidence.
pub(super) fn evidence(address: &Address, id: EventId) -> Vec<u8> {
    [b"a\0", address.as_str().as_bytes(), b"\0", id.as_str().as_bytes()].concat()
}

/// The prefix of all slots.
pub(super) const SLOTS: &[u8] = b"c\0";

/// The key of a commit's slot.
pub(super) fn slot(slot: u32) -> [u8; 6] {
    let [a, b, c, d] = slot.to_be_bytes();
    [b'c', 0, a, b, c, d]
}
