//! How a record is read: from memory if it is there, or from the tree.

use super::tree::Tree;
use super::value::{self, Form};
use super::{keys, read_failed};
use crate::{Address, Error, Evidence, Record};

/// Records that are brought near together.
const RECORDS_AT_ONCE: usize = 64;

/// A record as it is in the tree.
pub(super) struct Stored {
    pub(super) record: Record,
    pub(super) form: Form,
}

/// A record that is read key by key.
pub(super) struct Reading {
    record: Record,
    form: Option<Form>,
    evidence: Vec<Evidence>,
}

impl Reading {
    pub(super) fn of(address: Address) -> Self {
        Self { record: Record::new(address), form: None, evidence: Vec::new() }
    }

    /// Whether it is the record of that address.
    pub(super) fn is_of(&self, address: &[u8]) -> bool {
        self.record.address.as_str().as_bytes() == address
    }

    /// Takes the value of one of the record's keys, by what stands behind the address.
    pub(super) fn take(&mut self, rest: &[u8], bytes: &[u8]) -> Result<(), Error> {
        if rest.is_empty() {
            let (form, evidence) = value::read_record(&mut self.record, bytes).ok_or_else(unreadable)?;
            (self.form, self.evidence) = (Some(form), evidence);
            return Ok(());
        }
        let evidence = value::read_evidence(bytes).filter(|evidence| evidence.id.as_str().as_bytes() == rest);
        self.evidence.push(evidence.ok_or_else(unreadable)?);
        Ok(())
    }

    /// The record, when all its keys were taken.
    pub(super) fn finish(self) -> Result<Stored, Error> {
        let form = self.form.ok_or_else(unreadable)?;
        Ok(Stored { record: self.record.with_evidence(self.evidence), form })
    }
}

/// Reads records, in the order of their addresses.
pub(super) fn load_all(tree: &Tree, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
    let mut records = Vec::with_capacity(addresses.len());
    for some in addresses.chunks(RECORDS_AT_ONCE) {
        let keys: Vec<_> = some.iter().map(keys::record).collect();
        if keys.len() > 1 {
            tree.resident.bring_near(keys.iter().map(Vec::as_slice));
        }
        for (key, address) in keys.iter().zip(some) {
            records.push(load_stored(tree, key, address)?.map(|stored| stored.record));
        }
    }
    Ok(records)
}

/// Reads a record.
pub(super) fn load(tree: &Tree, address: &Address) -> Result<Option<Record>, Error> {
    Ok(load_stored(tree, &keys::record(address), address)?.map(|stored| stored.record))
}

/// Reads a record, and how it is stored.
pub(super) fn load_stored(tree: &Tree, key: &[u8], address: &Address) -> Result<Option<Stored>, Error> {
    let whole = |value: &[u8]| {
        let mut reading = Reading::of(address.clone());
        reading.take(&[], value)?;
        Ok(reading)
    };
    if let Some(read) = tree.resident.read(key, whole) {
        return read?.finish().map(Some);
    }
    let as_of = tree.resident.as_of_one(key);
    // Nearly every record is a single value, and nearly every address that is asked about has none.
    let Some(value) = tree.keyspace.get(key).map_err(|error| read_failed(&error))? else { return Ok(None) };
    let reading = whole(&value)?;
    if reading.form == Some(Form::Whole) {
        tree.resident.offer(&as_of, key, &value);
        return reading.finish().map(Some);
    }
    // Only a snapshot is one state of the tree: a commit that happens meanwhile is seen whole or not at all.
    let mut reading = None;
    for pair in tree.moment().range(keys::all_of(key)) {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        let reading = reading.get_or_insert_with(|| Reading::of(address.clone()));
        reading.take(keys::parts_of_record(&key).1, &value)?;
    }
    reading.map(Reading::finish).transpose()
}

pub(super) fn unreadable() -> Error {
    Error::StoreDamaged { reason: "a record cannot be read; restore the directory from a backup".into() }
}
