//! All records of the tree, in the order of their keys.

use super::records::{Reading, unreadable};
use super::tree::Tree;
use super::{EmbeddedStore, keys, read_failed};
use crate::store::listing::no_place;
use crate::store::{ListingPage, ListingPlace, ListingStore, MAX_RECORDS_PER_PAGE, Progress};
use crate::{Address, Error};

/// Most keys of a page, but for those of its last record: records may be large.
const MAX_KEYS_PER_PAGE: u64 = 16_384;

/// Behind a record.
struct Place {
    address: Address,
    /// How many keys were passed up to there.
    keys: u64,
}

impl Place {
    fn read(place: &ListingPlace) -> Result<Self, Error> {
        let (keys, address) = place.0.split_once(' ').ok_or_else(no_place)?;
        let keys = keys.parse().map_err(|_| no_place())?;
        Ok(Self { address: address.parse().map_err(|_| no_place())?, keys })
    }

    fn write(&self) -> ListingPlace {
        ListingPlace(format!("{} {}", self.keys, self.address.as_str()))
    }
}

impl ListingStore for EmbeddedStore {
    /// A place is the address before it, and how many keys there are up to there.
    async fn list_records(&self, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        let after = after.map(Place::read).transpose()?;
        let limit = limit.clamp(1, MAX_RECORDS_PER_PAGE);
        self.on_waiting_thread(move |shared| page(&shared.tree, after.as_ref(), limit)).await
    }
}

/// A page from behind a place. A snapshot: whatever is written meanwhile, each record is whole.
fn page(tree: &Tree, after: Option<&Place>, limit: usize) -> Result<ListingPage, Error> {
    let before = after.map_or(0, |place| place.keys);
    let mut passed = 0;
    let mut records = Vec::new();
    let mut reading: Option<Reading> = None;
    let moment = tree.moment();
    for pair in moment.range(keys::records(after.map(|place| &place.address))) {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        let (address, rest) = keys::parts_of_record(&key);
        if let Some(whole) = reading.take_if(|reading| !reading.is_of(address)) {
            records.push(whole.finish()?.record);
        }
        if records.len() == limit || (reading.is_none() && passed >= MAX_KEYS_PER_PAGE) {
            let keys = before.saturating_add(passed);
            let next = records.last().map(|last| Place { address: last.address.clone(), keys }.write());
            return Ok(ListingPage { records, next, progress: progress(tree, keys) });
        }
        let reading = match &mut reading {
            Some(reading) => reading,
            none => none.insert(Reading::of(read_address(&key)?)),
        };
        reading.take(rest, &value)?;
        passed += 1;
    }
    records.extend(reading.map(Reading::finish).transpose()?.map(|last| last.record));
    let done = before.saturating_add(passed);
    Ok(ListingPage { records, next: None, progress: Progress { done, total: done } })
}

/// The tree counts what it holds only about, and other things with it.
fn progress(tree: &Tree, done: u64) -> Progress {
    Progress { done, total: done.max(tree.keyspace.approximate_len() as u64) }
}

/// The address that a key of a record names.
pub(super) fn read_address(key: &[u8]) -> Result<Address, Error> {
    let (address, _) = keys::parts_of_record(key);
    let address: Option<Address> = std::str::from_utf8(address).ok().and_then(|text| text.parse().ok());
    // What is written in another way than it would be now would be listed under a name that it cannot be asked for by.
    address.filter(|address| key.starts_with(&keys::record(address))).ok_or_else(unreadable)
}
