//! Where things lie in the tree.
//!
//! | key | value |
//! |---|---|
//! | `<scatter><address>` | the record ([`value`](super::value)), and its evidence as long as that fits in |
//! | `<scatter><address> NUL <event id>` | one piece of evidence of a record in which it does not |
//! | `NUL g <domain> NUL <stretch of time>` | how often the domain answered then: HARD answers, all answers |
//! | `NUL l <number>` | changes from that number on, each a line: what happened, a blank, the address |
//! | `NUL c <slot>` | the number of the commit that has this slot, and whether another one followed it |
//!
//! Neither an address nor a domain holds a NUL, so a record lies together, with its evidence behind it. Records lie in the order of
//! four bytes that are made of the address, and it costs nothing that they lie in no other: the tree keeps the first four bytes of a
//! key beside its links, and what these decide need not be fetched from elsewhere. Addresses often begin alike, and then every step of
//! a search looked at two places in memory that no cache held. Numbers are big-endian, so that they lie in their order too. Every
//! value stays far below 4 KiB: a torn page within a batch of large values would make the journal unreadable.

use std::ops::Range;

use crate::checksum::checksum;
use crate::{Address, EventId, Slot};

/// Bytes in front of an address.
const SCATTER_BYTES: usize = 4;

/// What stands in front of an address. Its first byte is neither that of another kind of key nor beyond all of them.
fn scatter(address: &[u8]) -> [u8; SCATTER_BYTES] {
    (checksum(address) >> 2 | 0x4000_0000).to_be_bytes()
}

/// The key of a record.
pub(super) fn record(address: &Address) -> Vec<u8> {
    let mut key = Vec::new();
    push_record(&mut key, address);
    key
}

/// Writes the key of a record behind others.
pub(super) fn push_record(keys: &mut Vec<u8>, address: &Address) {
    let address = address.as_str().as_bytes();
    keys.reserve(SCATTER_BYTES + address.len());
    keys.extend_from_slice(&scatter(address));
    keys.extend_from_slice(address);
}

/// The key of a piece of evidence.
pub(super) fn evidence(address: &Address, id: EventId) -> Vec<u8> {
    [&*record(address), b"\0", id.as_str().as_bytes()].concat()
}

/// The keys of a record and of all its evidence.
pub(super) fn all_of(record: &[u8]) -> Range<Vec<u8>> {
    // No address holds a control character, so this lies between the last key of one and the first of the next.
    record.to_vec()..[record, b"\x01"].concat()
}

/// The keys of all records, or of those behind an address.
pub(super) fn records(behind: Option<&Address>) -> Range<Vec<u8>> {
    // No record lies there, nor anything else.
    let end = vec![0xff];
    behind.map_or_else(|| b"\x01".to_vec(), |address| all_of(&record(address)).end)..end
}

/// Takes a key of a record apart: the address, and what stands behind it.
pub(super) fn parts_of_record(key: &[u8]) -> (&[u8], &[u8]) {
    let key = key.get(SCATTER_BYTES..).unwrap_or_default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_a_record_lies_is_the_same_in_every_version() {
        let address: Address = "a@x.example".parse().unwrap();
        assert_eq!(record(&address), b"D\x9e\x00,a@x.example");
    }

    #[test]
    fn evidence_lies_behind_its_record_and_before_the_next() {
        let addresses = ["a@x.example", "a@x.example.com", "b@x.example"].map(|text| text.parse::<Address>().unwrap());
        for address in &addresses {
            let (own, piece) = (record(address), evidence(address, EventId::from_bits(7)));
            assert!(all_of(&own).contains(&own) && all_of(&own).contains(&piece) && records(None).contains(&piece));
            assert_eq!(parts_of_record(&own), (address.as_str().as_bytes(), &[][..]));
            assert_eq!(parts_of_record(&piece).1, EventId::from_bits(7).as_str().as_bytes());
            for other in addresses.iter().filter(|other| *other != address) {
                assert!(!all_of(&own).contains(&record(other)) && !records(Some(address)).contains(&own));
            }
        }
        let others = [answers("x.example", Slot::of(crate::UnixSeconds::clamped(1))), change(1), slot(1).to_vec()];
        assert!(others.iter().all(|key| !records(None).contains(key)));
    }
}
