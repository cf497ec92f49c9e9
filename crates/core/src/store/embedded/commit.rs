//! One commit in the making: what its jobs ask for, put together.

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use byteview::ByteView;
use fjall::{OwnedWriteBatch, Slice};

use super::answers::Counting;
use super::changes::ChangeLog;
use super::committer::{Reply, Work};
use super::feed::Follower;
use super::seen::{EventPlace, Opened, SeenRecords};
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

/// Evidence with a key of its own to write, or to remove if there is none.
type SpreadEvidence = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// One commit in the making.
///
/// What is written is gathered by key first: all of a batch has one sequence number, so a key may stand in it only once.
pub(super) struct Commit<'a> {
    tree: &'a Tree,
    /// Records that were looked at, read once; later jobs of the commit see what earlier ones changed.
    records: &'a mut SeenRecords,
    /// The events to record, request by request.
    requests: Vec<Arc<Vec<Event>>>,
    evidence: SpreadEvidence,
    /// Answers of domains.
    answers: &'a mut Counting,
    /// What changed records, in its order.
    changes: &'a mut ChangeLog,
    followers: Vec<Arc<Follower>>,
}

/// What a commit makes of records. Their keys and values lie in one piece of memory, which the tree shares: a piece for each of
/// them would cost as much as what is in it.
pub(super) struct Written {
    text: ByteView,
    records: Vec<WrittenRecord>,
}

/// Where its key and its value lie; none if it is removed. `is_whole` says whether the value holds all of it.
struct WrittenRecord {
    hash: u64,
    key: Range<usize>,
    value: Option<Range<usize>>,
    is_whole: bool,
}

impl Written {
    /// Tells those who read in memory, when it is durable.
    pub(super) fn tell(&self, tree: &Tree) {
        for WrittenRecord { hash, key, value, is_whole } in &self.records {
            let value = value.clone().filter(|_| *is_whole).map(|value| &self.text[value]);
            tree.resident.put(*hash, &self.text[key.clone()], value);
        }
    }

    fn fill(&self, tree: &Tree, batch: &mut OwnedWriteBatch) {
        let part = |range: &Range<usize>| Slice::from(self.text.slice(range.clone()));
        for WrittenRecord { key, value, .. } in &self.records {
            match value {
                Some(value) => batch.insert(&tree.keyspace, part(key), part(value)),
                None => batch.remove(&tree.keyspace, part(key)),
            }
        }
    }
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
        Self { tree, records, requests: Vec::new(), evidence: BTreeMap::new(), answers, changes, followers }
    }

    /// Adds a job to the commit, and says how it is answered. A job that fails here is answered with its error whatever
    /// becomes of the others.
    pub(super) fn add(&mut self, work: Work) -> Answer {
        match work {
            Work::Record { events, reply } => {
                let request = self.requests.len();
                self.requests.push(Arc::clone(&events));
                answer(reply, self.record_all(&events, request))
            }
            Work::Suppress { address, entry, reply } => answer(reply, self.suppress(&address, entry)),
            Work::Enter { entries, reply } => answer(reply, entries.iter().map(|entry| self.enter(entry)).collect()),
            Work::Lift { address, now, who, why, reply } => answer(reply, self.lift(&address, now, &who, &why)),
            Work::Erase { address, seen, tombstone, reply } => answer(reply, self.erase(&address, seen.as_ref(), tombstone)),
            Work::Nothing { reply } => answer(reply, Ok(())),
            Work::Count { counted, now, reply } => answer(reply, self.answers.count(self.tree, &counted, now)),
        }
    }

    fn record_all(&mut self, events: &[Event], request: usize) -> Result<Vec<Outcome>, Error> {
        let is_kept = |event: &&Event| event.kind != EventKind::Delivered;
        let recipients: Vec<_> = events.iter().filter(is_kept).map(|event| event.recipient.as_str()).collect();
        // All of them have a record when this is committed.
        let told: Vec<_> = self.followers.iter().filter_map(|follower| follower.tell_all(&recipients)).collect();
        let mut recipient = 0;
        let record = |(number, event): (usize, &Event)| {
            let is_new = if is_kept(&event) {
                recipient += 1;
                told.iter().any(|are_new| are_new.get(recipient - 1) == Some(&true))
            } else {
                self.is_ruled_out(&event.recipient)
            };
            self.record(event, EventPlace { request, event: number }, is_new)
        };
        events.iter().enumerate().map(record).collect()
    }

    fn record(&mut self, event: &Event, place: EventPlace, is_new: bool) -> Result<Outcome, Error> {
        let is_kept = event.kind != EventKind::Delivered;
        let seen = self.records.find(&event.recipient, &self.tree.resident);
        if seen.is_none() && is_new {
            // Of a recipient without a record a delivery tells nothing that would have to be kept.
            if is_kept {
                self.records.add_made_by(place);
                self.changes.add_event(event);
            }
            return Ok(Outcome::Recorded);
        }
        let number = self.number_of(seen, &event.recipient)?;
        let Opened { record, form, is_changed } = self.records.open(number, &self.requests);
        if record.is_none() && !is_kept {
            return Ok(Outcome::Recorded);
        }
        let record = record.get_or_insert_with(|| Record::new(event.recipient.clone()));
        let (outcome, evicted) = record.take(event);
        if outcome == Outcome::Recorded {
            *is_changed = true;
            if *form == Form::Spread {
                let new = record.evidence().iter().find(|evidence| evidence.id == event.id).map(value::of_evidence);
                let gone = evicted.into_iter().map(|id| (id, None));
                for (id, value) in new.map(|value| (event.id, Some(value))).into_iter().chain(gone) {
                    self.evidence.insert(keys::evidence(&record.address, id), value);
                }
            }
            self.changes.add_event(event);
        }
        Ok(outcome)
    }

    fn suppress(&mut self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        let seen = self.see(address)?;
        let has_changed = seen.record.get_or_insert_with(|| Record::new(address.clone())).suppress(entry);
        seen.is_changed |= has_changed;
        if has_changed {
            self.changes.add(address, ChangeKind::Suppressed);
        }
        Ok(())
    }

    fn enter(&mut self, (address, entry): &(Address, ManualEntry)) -> Result<Entered, Error> {
        let seen = self.see(address)?;
        let (entered, has_changed) = seen.record.get_or_insert_with(|| Record::new(address.clone())).enter(entry);
        seen.is_changed |= has_changed;
        if has_changed {
            self.changes.add(address, ChangeKind::Suppressed);
        }
        Ok(entered)
    }

    fn lift(&mut self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let seen = self.see(address)?;
        let Some(record) = &mut seen.record else { return Ok(false) };
        let has_changed = record.lift(now, who, why);
        seen.is_changed |= has_changed;
        if has_changed {
            self.changes.add(address, ChangeKind::Lifted);
        }
        Ok(true)
    }

    fn erase(&mut self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        let known = self.see(address)?;
        if known.record.as_ref() != seen {
            return Ok(Erasure::Changed);
        }
        let had_record = seen.is_some_and(|record| record.tombstone.is_none());
        let is_changed = had_record || seen.is_some() != tombstone.is_some();
        if is_changed && tombstone.is_none() {
            // First, since it may fail: what is done by then would be thought to be all.
            self.changes.forget(self.tree, address)?;
        }
        let known = self.see(address)?;
        let was_spread = std::mem::replace(&mut known.form, Form::Whole) == Form::Spread;
        if is_changed {
            known.record = tombstone.map(|tombstone| Record::erased(address.clone(), tombstone));
            known.is_changed = true;
            if tombstone.is_some() {
                self.changes.add(address, ChangeKind::Erased);
            }
        }
        if was_spread {
            for evidence in seen.iter().flat_map(|record| record.evidence()) {
                self.evidence.insert(keys::evidence(address, evidence.id), None);
            }
        }
        Ok(Erasure::Done(Erased { had_record, ..Erased::default() }))
    }

    /// What is known of an address.
    fn see(&mut self, address: &Address) -> Result<&mut Opened, Error> {
        let seen = self.records.find(address, &self.tree.resident);
        let number = self.number_of(seen, address)?;
        Ok(self.records.open(number, &self.requests))
    }

    /// The number of the record that was looked for last, which is read if it was not seen.
    fn number_of(&mut self, seen: Option<usize>, address: &Address) -> Result<usize, Error> {
        if let Some(number) = seen {
            return Ok(number);
        }
        let is_new = self.is_ruled_out(address);
        let stored = if is_new { None } else { records::load_stored(self.tree, self.records.key_looked_for(), address)? };
        let form = stored.as_ref().map_or(Form::Whole, |stored| stored.form);
        let opened = Opened { record: stored.map(|stored| stored.record), form, is_changed: false };
        Ok(self.records.add_opened(opened))
    }

    /// Whether it is certain that the address has no record.
    fn is_ruled_out(&self, address: &Address) -> bool {
        self.followers.iter().any(|follower| follower.rules_out(address))
    }

    /// Puts all of it into a batch. Says what becomes of records.
    pub(super) fn fill(mut self, batch: &mut OwnedWriteBatch) -> Result<Written, Error> {
        let written = self.write()?;
        written.fill(self.tree, batch);
        for (key, value) in self.evidence {
            match value {
                Some(value) => batch.insert(&self.tree.keyspace, key, value),
                None => batch.remove(&self.tree.keyspace, key),
            }
        }
        self.answers.fill(self.tree, batch);
        self.changes.fill(self.tree, batch)?;
        Ok(written)
    }

    fn write(&mut self) -> Result<Written, Error> {
        // Taken out, since it is filled while they are looked at.
        let mut text = std::mem::take(&mut self.records.text);
        let changed = self.records.changed();
        let mut records = Vec::with_capacity(changed.len());
        for seen in changed {
            let begin = text.len();
            text.extend_from_slice(self.records.key_of(seen));
            let end_of_key = text.len();
            let is_there = if let Some(opened) = &seen.opened {
                if let Some(record) = &opened.record {
                    for follower in &self.followers {
                        follower.tell(&record.address);
                    }
                    push_value(&mut text, record, opened.form, &mut self.evidence)?;
                }
                opened.record.is_some()
            } else {
                let made_by = seen.made_by.map(|place| place.among(&self.requests));
                let made_by = made_by.and_then(|event| Some((event, event.class()?)));
                made_by.map(|(event, class)| value::push_record_of_one(&mut text, event, class)).is_some()
            };
            let value = is_there.then_some(end_of_key..text.len());
            let is_whole = value.clone().is_some_and(|value| value::is_whole(&text[value]));
            records.push(WrittenRecord { hash: seen.hash, key: begin..end_of_key, value, is_whole });
        }
        let written = Written { text: ByteView::new(&text), records };
        self.records.text = text;
        Ok(written)
    }
}

/// Writes the value of a record. If its evidence does not fit in any more, every piece of it gets a key of its own.
fn push_value(text: &mut Vec<u8>, record: &Record, form: Form, evidence: &mut SpreadEvidence) -> Result<(), Error> {
    let unwritable = || Error::StoreFailed { reason: "a record cannot be written".into() };
    let begin = text.len();
    value::push_record(text, record, form).ok_or_else(unwritable)?;
    if form == Form::Spread || text.len() - begin <= MAX_WHOLE_BYTES {
        return Ok(());
    }
    for piece in record.evidence() {
        evidence.insert(keys::evidence(&record.address, piece.id), Some(value::of_evidence(piece)));
    }
    text.truncate(begin);
    value::push_record(text, record, Form::Spread).ok_or_else(unwritable)
}

fn answer<T: Send + 'static>(reply: Reply<T>, result: Result<T, Error>) -> Answer {
    Box::new(move |written| {
        // Whoever asked may be gone; what was written stays written.
        let _ = reply.send(written.and(result));
    })
}
