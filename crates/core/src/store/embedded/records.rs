//! How a record is written into the tree and read from it.

use serde::{Deserialize, Serialize};

use super::tree::Tree;
use super::{keys, read_failed};
use crate::{Address, Class, Error, EventId, Evidence, Lift, ManualEntry, Record, Tombstone, UnixSeconds};

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
    #[serde(skip_serializing_if = "Option::is_none")]
    tombstone: Option<Tombstone>,
}

/// The value of a record's head.
pub(super) fn head_value(record: &Record) -> Result<Vec<u8>, Error> {
    let head = StoredHead {
        counters: Class::ALL.map(|class| record.counters.get(class)),
        delivered: record.last_delivered,
        manual: record.manual.clone(),
        lift: record.lift.clone(),
        tombstone: record.tombstone,
    };
    serde_json::to_vec(&head).map_err(|error| Error::StoreFailed { reason: format!("a record cannot be written: {error}") })
}

/// A record that is read key by key.
pub(super) struct Reading {
    record: Record,
    has_head: bool,
    evidence: Vec<Evidence>,
}

impl Reading {
    pub(super) fn of(address: Address) -> Self {
        Self { record: Record::new(address), has_head: false, evidence: Vec::new() }
    }

    /// Whether it is the record of that address.
    pub(super) fn is_of(&self, address: &[u8]) -> bool {
        self.record.address.as_str().as_bytes() == address
    }

    /// Takes the value of one of the record's keys, by what stands behind the key that they all begin with.
    pub(super) fn take(&mut self, rest: &[u8], value: &[u8]) -> Result<(), Error> {
        let text = std::str::from_utf8(value).map_err(|_| unreadable())?;
        if rest.is_empty() {
            self.fill(serde_json::from_str(text).map_err(|_| unreadable())?);
            return Ok(());
        }
        let id: Option<EventId> = std::str::from_utf8(rest).ok().and_then(|id| id.parse().ok());
        self.evidence.push(Evidence::from_stored(id.ok_or_else(unreadable)?, text)?);
        Ok(())
    }

    fn fill(&mut self, head: StoredHead) {
        self.has_head = true;
        for (class, count) in Class::ALL.into_iter().zip(head.counters) {
            *self.record.counters.get_mut(class) = count;
        }
        self.record.last_delivered = head.delivered;
        self.record.manual = head.manual;
        self.record.lift = head.lift;
        self.record.tombstone = head.tombstone;
    }

    /// The record, when all its keys were taken.
    pub(super) fn finish(self) -> Result<Record, Error> {
        if self.has_head { Ok(self.record.with_evidence(self.evidence)) } else { Err(unreadable()) }
    }
}

/// Reads a record.
pub(super) fn load(tree: &Tree, address: &Address) -> Result<Option<Record>, Error> {
    let prefix = keys::head(address);
    // Nearly every address asked about has no record: one look that the tree's filters answer, before any walk through it.
    if !tree.keyspace.contains_key(&prefix).map_err(|error| read_failed(&error))? {
        return Ok(None);
    }
    let mut reading = None;
    // Only a snapshot is one state of the tree: a commit that happens meanwhile is seen whole or not at all.
    let moment = tree.moment();
    for pair in moment.prefix(&prefix) {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        let reading = reading.get_or_insert_with(|| Reading::of(address.clone()));
        reading.take(key.get(prefix.len()..).unwrap_or_default(), &value)?;
    }
    reading.map(Reading::finish).transpose()
}

pub(super) fn unreadable() -> Error {
    Error::StoreDamaged { reason: "a record cannot be read; restore the directory from a backup".into() }
}
