//! The writing thread: group commit.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use fjall::{OwnedWriteBatch, PersistMode};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::answers::Counting;
use super::changes::ChangeLog;
use super::commit_mark::{CommitMark, entries_of};
use super::tree::Tree;
use super::{keys, records};
use crate::store::{ChangeKind, DomainAnswers, Outcome};
use crate::{
    Address, AnswersBySlot, Entered, Erased, Erasure, Error, Event, EventKind, ManualEntry, Record, Tombstone, UnixSeconds,
};

/// Most events of one commit; a request is never split over two.
const MAX_EVENTS_PER_COMMIT: usize = 8192;

type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Work, and the room in the queue that it takes up until it is done.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) room: OwnedSemaphorePermit,
}

/// What the writing thread can be asked for.
pub(super) enum Work {
    Record { events: Vec<Event>, reply: Reply<Vec<Outcome>> },
    Suppress { address: Address, entry: ManualEntry, reply: Reply<()> },
    Enter { entries: Vec<(Address, ManualEntry)>, reply: Reply<Vec<Entered>> },
    Lift { address: Address, now: UnixSeconds, who: String, why: String, reply: Reply<bool> },
    Erase { address: Address, seen: Option<Record>, tombstone: Option<Tombstone>, reply: Reply<Erasure> },
    Count { counted: Vec<DomainAnswers>, now: UnixSeconds, reply: Reply<Vec<(Box<str>, AnswersBySlot)>> },
}

impl Work {
    fn events(&self) -> usize {
        match self {
            Self::Record { events, .. } => events.len(),
            Self::Enter { entries, .. } => entries.len(),
            Self::Suppress { .. } | Self::Lift { .. } | Self::Erase { .. } => 1,
            Self::Count { counted, .. } => counted.len(),
        }
    }
}

/// An answer that goes out when the commit is durable.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;

/// Writes batches, one after the other.
pub(super) struct Committer {
    tree: Tree,
    mark: CommitMark,
    persist: PersistMode,
    answers: Counting,
    changes: ChangeLog,
}

/// One commit in the making.
///
/// What is written is gathered by key first: all of a batch has one sequence number, so a key may stand in it only once.
struct Commit<'a> {
    tree: &'a Tree,
    /// Records that were looked at, read once; later jobs of the commit see what earlier ones changed.
    records: HashMap<Address, Seen>,
    /// Evidence to write, or to remove if there is none.
    evidence: BTreeMap<Vec<u8>, Option<String>>,
    /// Answers of domains.
    answers: &'a mut Counting,
    /// What changed records, in its order.
    changes: &'a mut ChangeLog,
}

struct Seen {
    record: Option<Record>,
    is_changed: bool,
}

impl Committer {
    pub(super) fn new(tree: Tree, mark: CommitMark, persist: PersistMode, changes: ChangeLog) -> Self {
        Self { tree, mark, persist, answers: Counting::default(), changes }
    }

    /// Runs until the queue's last sender is gone, and everything in it is answered.
    ///
    /// After an error of the disk the thread ends, and with it all writing: what the disk has then is only known after a
    /// restart has read it.
    pub(super) fn run(mut self, mut jobs: mpsc::Receiver<Job>) {
        let mut next = jobs.blocking_recv();
        while let Some(first) = next {
            let mut events = first.work.events();
            let mut group = vec![first];
            while events < MAX_EVENTS_PER_COMMIT
                && let Ok(job) = jobs.try_recv()
            {
                events += job.work.events();
                group.push(job);
            }
            if let Err(error) = self.commit(group) {
                tracing::error!(%error, "a commit failed; nothing more is written until a restart");
                return;
            }
            next = jobs.blocking_recv();
        }
        if let Err(error) = self.mark.sync() {
            tracing::warn!(%error, "the number of the last commit could not be written");
        }
    }

    fn commit(&mut self, group: Vec<Job>) -> Result<(), Error> {
        let mut commit = Commit {
            tree: &self.tree,
            records: HashMap::new(),
            evidence: BTreeMap::new(),
            answers: &mut self.answers,
            changes: &mut self.changes,
        };
        let answers: Vec<_> = group.into_iter().map(|job| (commit.add(job.work), job.room)).collect();
        let mut batch = self.tree.database.batch().durability(Some(self.persist));
        let written = commit.fill(&mut batch).and_then(|()| self.write(batch));
        if written.is_ok() {
            self.changes.tell();
        }
        for (answer, room) in answers {
            answer(written.clone());
            drop(room);
        }
        written
    }

    fn write(&mut self, mut batch: OwnedWriteBatch) -> Result<(), Error> {
        if batch.is_empty() {
            return Ok(());
        }
        for (key, value) in entries_of(self.mark.next()) {
            batch.insert(&self.tree.keyspace, key, value);
        }
        let failed =
            |error: &dyn std::fmt::Debug| Error::StoreFailed { reason: format!("the disk refused a commit ({error:?})") };
        batch.commit().map_err(|error| failed(&error))?;
        self.mark.advance().map_err(|error| failed(&error))
    }
}

impl Commit<'_> {
    /// Adds a job to the commit, and says how it is answered. A job that fails here is answered with its error whatever
    /// becomes of the others.
    fn add(&mut self, work: Work) -> Answer {
        match work {
            Work::Record { events, reply } => answer(reply, events.iter().map(|event| self.record(event)).collect()),
            Work::Suppress { address, entry, reply } => answer(reply, self.suppress(&address, entry)),
            Work::Enter { entries, reply } => answer(reply, entries.iter().map(|entry| self.enter(entry)).collect()),
            Work::Lift { address, now, who, why, reply } => answer(reply, self.lift(&address, now, &who, &why)),
            Work::Erase { address, seen, tombstone, reply } => answer(reply, self.erase(&address, seen.as_ref(), tombstone)),
            Work::Count { counted, now, reply } => answer(reply, self.answers.count(self.tree, &counted, now)),
        }
    }

    fn record(&mut self, event: &Event) -> Result<Outcome, Error> {
        let address = &event.recipient;
        let seen = self.see(address)?;
        // Of a recipient without a record a delivery tells nothing that would have to be kept.
        if seen.record.is_none() && event.kind == EventKind::Delivered {
            return Ok(Outcome::Recorded);
        }
        let (outcome, evicted) = seen.record.get_or_insert_with(|| Record::new(address.clone())).take(event);
        if outcome == Outcome::Recorded {
            seen.is_changed = true;
            if let Some(evidence) = event.evidence() {
                self.evidence.insert(keys::evidence(address, event.id), Some(evidence.to_stored()));
            }
            for id in evicted {
                self.evidence.insert(keys::evidence(address, id), None);
            }
            if let Some(kind) = ChangeKind::of_event(event) {
                self.changes.add(address, kind);
            }
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
        if had_record || seen.is_some() != tombstone.is_some() {
            known.record = tombstone.map(|tombstone| Record::erased(address.clone(), tombstone));
            known.is_changed = true;
            match tombstone {
                Some(_) => self.changes.add(address, ChangeKind::Erased),
                None => self.changes.forget(self.tree, address)?,
            }
        }
        for evidence in seen.iter().flat_map(|record| record.evidence()) {
            self.evidence.insert(keys::evidence(address, evidence.id), None);
        }
        Ok(Erasure::Done(Erased { had_record, ..Erased::default() }))
    }

    fn see(&mut self, address: &Address) -> Result<&mut Seen, Error> {
        Ok(match self.records.entry(address.clone()) {
            Entry::Occupied(entry) => entry.into_mut(),
            Entry::Vacant(entry) => entry.insert(Seen { record: records::load(self.tree, address)?, is_changed: false }),
        })
    }

    fn fill(self, batch: &mut OwnedWriteBatch) -> Result<(), Error> {
        for (key, value) in self.evidence {
            match value {
                Some(text) => batch.insert(&self.tree.keyspace, key, text),
                None => batch.remove(&self.tree.keyspace, key),
            }
        }
        self.answers.fill(self.tree, batch);
        self.changes.fill(self.tree, batch);
        let changed = self.records.iter().filter(|(_, seen)| seen.is_changed);
        for (address, seen) in changed {
            match &seen.record {
                Some(record) => batch.insert(&self.tree.keyspace, keys::head(address), records::head_value(record)?),
                None => batch.remove(&self.tree.keyspace, keys::head(address)),
            }
        }
        Ok(())
    }
}

fn answer<T: Send + 'static>(reply: Reply<T>, result: Result<T, Error>) -> Answer {
    Box::new(move |written| {
        // Whoever asked may be gone; what was written stays written.
        let _ = reply.send(written.and(result));
    })
}
