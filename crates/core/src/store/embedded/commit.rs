//! One commit in the making: what its jobs ask for, put together.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use fjall::{OwnedWriteBatch, Slice};

use super::answers::Counting;
use super::changes::ChangeLog;
use super::committer::{Reply, Work};
use super::feed::Follower;
use super::tree::Tree;
use super::value::{self, Form};
use super::{keys, records};
use crate::store::{ChangeKind, Outcome};
use crate::{Address, Entered, Erased, Erasure, Error, Event, EventKind, ManualEntry, Record, Tombstone, UnixSeconds};

/// Most bytes of a record with its evidence in one value. One with more of it gets a key for each piece: a value is written anew
/// with every event, and has to stay far below 4 KiB.
const MAX_WHOLE_BYTES: usize = 1024;

/// An answer that goes out when the commit is durable.
pub(super) type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// One commit in the making.
///
/// What is written is gathered by key first: all of a batch has one sequence number, so a key may stand in it only once.
pub(super) struct Commit<'a> {
    tree: &'a Tree,
    /// Records that were looked at, by their keys, read once; later jobs of the commit see what earlier ones changed.
    records: &'a mut SeenRecords,
    /// Evidence with a key of its own to write, or to remove if there is none.
    evidence: BTreeMap<Vec<u8>, Option<Vec<u8>>>,
    /// Answers of domains.
    answers: &'a mut Counting,
    /// What changed records, in its order.
    changes: &'a mut ChangeLog,
    followers: Vec<Arc<Follower>>,
}

/// What a commit makes of a record: its key, and its value if it has one that holds all of it.
pub(super) struct Written {
    key: Vec<u8>,
    value: Option<Slice>,
}

impl Written {
    /// Tells those who read in memory, when it is durable.
    pub(super) fn tell(&self, tree: &Tree) {
        tree.resident.put(&self.key, self.value.as_deref());
    }
}

/// Records by their keys.
pub(super) type SeenRecords = HashMap<Vec<u8>, Seen>;

pub(super) struct Seen {
    record: Option<Record>,
    /// How it is stored so far.
    form: Form,
    is_changed: bool,
}

impl<'a> Commit<'a> {
    /// One that has seen no records so far; they go where those of earlier commits were.
    pub(super) fn new(
        tree: &'a Tree,
        records: &'a mut SeenRecords,
        answers: &'a mut Counting,
        changes: &'a mut ChangeLog,
        followers: Vec<Arc<Follower>>,
    ) -> Self {
        Self { tree, records, evidence: BTreeMap::new(), answers, changes, followers }
    }

    /// Adds a job to the commit, and says how it is answered. A job that fails here is answered with its error whatever
    /// becomes of the others.
    pub(super) fn add(&mut self, work: Work) -> Answer {
        match work {
            Work::Record { events, reply } => answer(reply, events.iter().map(|event| self.record(event)).collect()),
            Work::Suppress { address, entry, reply } => answer(reply, self.suppress(&address, entry)),
            Work::Enter { entries, reply } => answer(reply, entries.iter().map(|entry| self.enter(entry)).collect()),
            Work::Lift { address, now, who, why, reply } => answer(reply, self.lift(&address, now, &who, &why)),
            Work::Erase { address, seen, tombstone, reply } => answer(reply, self.erase(&address, seen.as_ref(), tombstone)),
            Work::Nothing { reply } => answer(reply, Ok(())),
            Work::Count { counted, now, reply } => answer(reply, self.answers.count(self.tree, &counted, now)),
        }
    }

    fn record(&mut self, event: &Event) -> Result<Outcome, Error> {
        let (kind, id, change) = (event.kind, event.id, ChangeKind::of_event(event));
        let seen = see(self.records, self.tree, &self.followers, &event.recipient)?;
        // Of a recipient without a record a delivery tells nothing that would have to be kept.
        if seen.record.is_none() && kind == EventKind::Delivered {
            return Ok(Outcome::Recorded);
        }
        let form = seen.form;
        let record = seen.record.get_or_insert_with(|| Record::new(event.recipient.clone()));
        let (outcome, evicted) = record.take(event);
        if outcome == Outcome::Recorded {
            seen.is_changed = true;
            if form == Form::Spread {
                let new = record.evidence().iter().find(|evidence| evidence.id == id).map(value::of_evidence);
                let gone = evicted.into_iter().map(|id| (id, None));
                for (id, value) in new.map(|value| (id, Some(value))).into_iter().chain(gone) {
                    self.evidence.insert(keys::evidence(&record.address, id), value);
                }
            }
            if let Some(change) = change {
                self.changes.add(&record.address, change);
            }
        }
        Ok(outcome)
    }

    fn suppress(&mut self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        let seen = see(self.records, self.tree, &self.followers, address)?;
        let has_changed = seen.record.get_or_insert_with(|| Record::new(address.clone())).suppress(entry);
        seen.is_changed |= has_changed;
        if has_changed {
            self.changes.add(address, ChangeKind::Suppressed);
        }
        Ok(())
    }

    fn enter(&mut self, (address, entry): &(Address, ManualEntry)) -> Result<Entered, Error> {
        let seen = see(self.records, self.tree, &self.followers, address)?;
        let (entered, has_changed) = seen.record.get_or_insert_with(|| Record::new(address.clone())).enter(entry);
        seen.is_changed |= has_changed;
        if has_changed {
            self.changes.add(address, ChangeKind::Suppressed);
        }
        Ok(entered)
    }

    fn lift(&mut self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let seen = see(self.records, self.tree, &self.followers, address)?;
        let Some(record) = &mut seen.record else { return Ok(false) };
        let has_changed = record.lift(now, who, why);
        seen.is_changed |= has_changed;
        if has_changed {
            self.changes.add(address, ChangeKind::Lifted);
        }
        Ok(true)
    }

    fn erase(&mut self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        let known = see(self.records, self.tree, &self.followers, address)?;
        if known.record.as_ref() != seen {
            return Ok(Erasure::Changed);
        }
        let had_record = seen.is_some_and(|record| record.tombstone.is_none());
        if had_record || seen.is_some() != tombstone.is_some() {
            known.record = tombstone.map(|tombstone| Record::erased(address.clone(), tombstone));
            known.is_changed = true;
            match tombstone {
                Some(_) => self.changes.add(address, ChangeKind::Erased),
                None => self.changes.forget(self.tree, address)?,
            }
        }
        if known.form == Form::Spread {
            known.form = Form::Whole;
            for evidence in seen.iter().flat_map(|record| record.evidence()) {
                self.evidence.insert(keys::evidence(address, evidence.id), None);
            }
        }
        Ok(Erasure::Done(Erased { had_record, ..Erased::default() }))
    }

    /// Puts all of it into a batch. Says what becomes of records.
    pub(super) fn fill(mut self, batch: &mut OwnedWriteBatch) -> Result<Vec<Written>, Error> {
        let keyspace = &self.tree.keyspace;
        let mut changed: Vec<_> = self.records.drain().filter(|(_, seen)| seen.is_changed).collect();
        // What lies near each other is found near each other.
        changed.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        let mut written = Vec::with_capacity(changed.len());
        for (key, seen) in changed {
            let value = if let Some(record) = &seen.record {
                self.followers.iter().for_each(|follower| follower.tell(&record.address));
                let value = Slice::from(value_of(record, seen.form, &mut self.evidence)?);
                batch.insert(keyspace, &*key, value.clone());
                Some(value)
            } else {
                batch.remove(keyspace, &*key);
                None
            };
            written.push(Written { key, value: value.filter(|value| value::is_whole(value)) });
        }
        for (key, value) in self.evidence {
            match value {
                Some(value) => batch.insert(keyspace, key, value),
                None => batch.remove(keyspace, key),
            }
        }
        self.answers.fill(self.tree, batch);
        self.changes.fill(self.tree, batch)?;
        Ok(written)
    }
}

/// The value of a record. If its evidence does not fit in any more, every piece of it gets a key of its own.
fn value_of(record: &Record, form: Form, evidence: &mut BTreeMap<Vec<u8>, Option<Vec<u8>>>) -> Result<Vec<u8>, Error> {
    let unwritable = || Error::StoreFailed { reason: "a record cannot be written".into() };
    let value = value::of_record(record, form).ok_or_else(unwritable)?;
    if form == Form::Spread || value.len() <= MAX_WHOLE_BYTES {
        return Ok(value);
    }
    for piece in record.evidence() {
        evidence.insert(keys::evidence(&record.address, piece.id), Some(value::of_evidence(piece)));
    }
    value::of_record(record, Form::Spread).ok_or_else(unwritable)
}

/// What is known of an address in a commit in the making.
fn see<'r>(
    records: &'r mut SeenRecords,
    tree: &Tree,
    followers: &[Arc<Follower>],
    address: &Address,
) -> Result<&'r mut Seen, Error> {
    Ok(match records.entry(keys::record(address)) {
        Entry::Occupied(entry) => entry.into_mut(),
        Entry::Vacant(entry) => {
            let is_new = followers.iter().any(|follower| follower.rules_out(address));
            let stored = if is_new { None } else { records::load_stored(tree, entry.key(), address)? };
            let form = stored.as_ref().map_or(Form::Whole, |stored| stored.form);
            entry.insert(Seen { record: stored.map(|stored| stored.record), form, is_changed: false })
        }
    })
}

fn answer<T: Send + 'static>(reply: Reply<T>, result: Result<T, Error>) -> Answer {
    Box::new(move |written| {
        // Whoever asked may be gone; what was written stays written.
        let _ = reply.send(written.and(result));
    })
}
