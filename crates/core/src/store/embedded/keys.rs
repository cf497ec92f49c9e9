//! Where things lie in the tree.
//!
//! | key | value |
//! |---|---|
//! | `a NUL <address> NUL` | the record without its evidence, as JSON |
//! | `a NUL <address> NUL <event id>` | one piece of evidence, [`Evidence::to_stored`] |
//! | `c NUL <slot>` | the number of the commit that has this slot, and whether another one followed it |
//!
//! An address holds no NUL, so all of a record, and nothing else, has its first key as prefix. Every value stays far below
//! 4 KiB: a torn page within a batch of large values would make the journal unreadable.

use fjall::Keyspace;
use serde::{Deserialize, Serialize};

use super::read_failed;
use crate::{Address, Class, Error, EventId, Evidence, Lift, ManualEntry, Record, UnixSeconds};

/// A record without its evidence.
#[derive(Serialize, Deserialize)]
struct StoredHead {
    counters: [u64; Class::ALL.len()],
    #[serde(skip_serializing_if = "Option::is_none")]
    delivered: Option<UnixSeconds>,
    #[serde(skip_serializing_if = "Option::is_none")]
    manual: Option<ManualEntry>,
    #[serde(skip_serializing_if = "Option::is_none")]
    lift: Option<Lift>,
}

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

/// The value of a record's head.
pub(super) fn head_value(record: &Record) -> Result<Vec<u8>, Error> {
    let head = StoredHead {
        counters: Class::ALL.map(|class| record.counters.get(class)),
        delivered: record.last_delivered,
        manual: record.manual.clone(),
        lift: record.lift.clone(),
    };
    serde_json::to_vec(&head).map_err(|error| Error::StoreFailed { reason: format!("a record cannot be written: {error}") })
}

/// Reads a record.
pub(super) fn load(tree: &Keyspace, address: &Address) -> Result<Option<Record>, Error> {
    let prefix = head(address);
    // Nearly every address asked about has no record: one look that the tree's filters answer, before any walk through it.
    if !tree.contains_key(&prefix).map_err(|error| read_failed(&error))? {
        return Ok(None);
    }
    let mut record = Record::new(address.clone());
    let mut evidence = Vec::new();
    // The walk sees one state of the tree, so a commit that happens meanwhile is seen whole or not at all.
    for pair in tree.prefix(&prefix) {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        let text = std::str::from_utf8(&value).map_err(|_| unreadable())?;
        match key.get(prefix.len()..) {
            Some([]) | None => fill(&mut record, serde_json::from_str(text).map_err(|_| unreadable())?),
            Some(id) => {
                let id: EventId = std::str::from_utf8(id).map_err(|_| unreadable())?.parse()?;
                evidence.push(Evidence::from_stored(id, text)?);
            }
        }
    }
    Ok(Some(record.with_evidence(evidence)))
}

fn fill(record: &mut Record, head: StoredHead) {
    for (class, count) in Class::ALL.into_iter().zip(head.counters) {
        *record.counters.get_mut(class) = count;
    }
    record.last_delivered = head.delivered;
    record.manual = head.manual;
    record.lift = head.lift;
}

fn unreadable() -> Error {
    Error::StoreDamaged { reason: "a record cannot be read; restore the directory from a backup".into() }
}
