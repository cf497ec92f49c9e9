//! The records that a commit in the making has looked at, each by its key.

use std::ops::Range;
use std::sync::Arc;

use hashbrown::HashTable;

use super::keys;
use super::resident::Resident;
use super::value::Form;
use crate::{Address, Event, Record};

/// Memory that is kept for a key from one commit to the next, in bytes.
const KEPT_KEY_BYTES: usize = 64;

/// And for what is written of a record.
const KEPT_TEXT_BYTES: usize = 256;

/// An event among those that a commit records.
#[derive(Debug, Clone, Copy)]
pub(super) struct EventPlace {
    /// The number of its request.
    pub(super) request: usize,
    /// Its number there.
    pub(super) event: usize,
}

impl EventPlace {
    /// The event.
    pub(super) fn among(self, requests: &[Arc<Vec<Event>>]) -> &Event {
        &requests[self.request][self.event]
    }
}

/// A record that was read, or that more than one event came to.
pub(super) struct Opened {
    pub(super) record: Option<Record>,
    /// How it is stored so far.
    pub(super) form: Form,
    pub(super) is_changed: bool,
}

/// One of the records.
pub(super) struct Seen {
    /// By which it lies in memory as well.
    pub(super) hash: u64,
    key: Range<usize>,
    /// The event that made it, if it was new. Nearly every record of a commit is such a one, and is written as the event came.
    pub(super) made_by: Option<EventPlace>,
    /// All else that is known of it.
    pub(super) opened: Option<Box<Opened>>,
}

/// Records by their keys. Later jobs of a commit see what earlier ones changed. Its memory stays from commit to commit: if it were
/// new for each of them, it would be cleared by the system each time.
#[derive(Default)]
pub(super) struct SeenRecords {
    /// Where they stand among all.
    places: HashTable<usize>,
    all: Vec<Seen>,
    /// Their keys, one behind the other, and behind them the key that was looked for last.
    keys: Vec<u8>,
    /// Where that one begins.
    end_of_keys: usize,
    /// The hash of that one.
    hash: u64,
    /// What is to be written of them.
    pub(super) text: Vec<u8>,
}

impl SeenRecords {
    /// Looks for the record of an address: its number, if it was seen.
    pub(super) fn find(&mut self, address: &Address, resident: &Resident) -> Option<usize> {
        self.keys.truncate(self.end_of_keys);
        keys::push_record(&mut self.keys, address);
        let Self { places, all, keys, end_of_keys, .. } = self;
        let key = &keys[*end_of_keys..];
        self.hash = resident.hash(key);
        places.find(self.hash, |place| keys[all[*place].key.clone()] == *key).copied()
    }

    /// The key of the address that was looked for last.
    pub(super) fn key_looked_for(&self) -> &[u8] {
        &self.keys[self.end_of_keys..]
    }

    /// Takes note that there was no record of the address that was looked for last, and that an event makes one.
    pub(super) fn add_made_by(&mut self, event: EventPlace) {
        self.add(Some(event), None);
    }

    /// Takes note of the record that was looked for last, which was read. Says its number.
    pub(super) fn add_opened(&mut self, opened: Opened) -> usize {
        self.add(None, Some(Box::new(opened)))
    }

    fn add(&mut self, made_by: Option<EventPlace>, opened: Option<Box<Opened>>) -> usize {
        let Self { places, all, keys, end_of_keys, hash, .. } = self;
        let number = all.len();
        all.push(Seen { hash: *hash, key: *end_of_keys..keys.len(), made_by, opened });
        *end_of_keys = keys.len();
        places.insert_unique(*hash, number, |place| all[*place].hash);
        number
    }

    /// The record of that number with all that came to it, ready for more.
    pub(super) fn open(&mut self, number: usize, requests: &[Arc<Vec<Event>>]) -> &mut Opened {
        let Seen { made_by, opened, .. } = &mut self.all[number];
        opened.get_or_insert_with(|| {
            let record = made_by.map(|place| {
                let event = place.among(requests);
                let mut record = Record::new(event.recipient.clone());
                record.take(event);
                record
            });
            Box::new(Opened { is_changed: record.is_some(), record, form: Form::Whole })
        })
    }

    /// Those of which something is to be written, in the order of their keys: what lies near each other is found near each other.
    pub(super) fn changed(&self) -> Vec<&Seen> {
        let is_changed = |seen: &&Seen| seen.opened.as_ref().is_none_or(|opened| opened.is_changed);
        // Most are told apart by their first bytes, which then need not be fetched from elsewhere.
        let mut changed: Vec<_> = self.all.iter().filter(is_changed).map(|seen| (first_bytes(self.key_of(seen)), seen)).collect();
        changed.sort_unstable_by(|(first, one), (second, other)| {
            first.cmp(second).then_with(|| self.key_of(one).cmp(self.key_of(other)))
        });
        changed.into_iter().map(|(_, seen)| seen).collect()
    }

    pub(super) fn key_of(&self, seen: &Seen) -> &[u8] {
        &self.keys[seen.key.clone()]
    }

    /// Forgets all of them, and gives back memory beyond that for so many.
    pub(super) fn clear(&mut self, kept: usize) {
        self.places.clear();
        self.all.clear();
        self.keys.clear();
        self.end_of_keys = 0;
        self.all.shrink_to(kept);
        self.places.shrink_to(kept, |_| 0);
        self.keys.shrink_to(kept * KEPT_KEY_BYTES);
        self.text.clear();
        self.text.shrink_to(kept * KEPT_TEXT_BYTES);
    }
}

/// Of two keys whose first bytes differ, that with the lesser ones is the lesser.
fn first_bytes(key: &[u8]) -> u64 {
    let mut first = [0; size_of::<u64>()];
    for (byte, of_key) in first.iter_mut().zip(key) {
        *byte = *of_key;
    }
    u64::from_be_bytes(first)
}
