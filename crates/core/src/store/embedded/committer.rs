//! The writing thread: group commit.

use std::sync::Arc;

use fjall::{OwnedWriteBatch, PersistMode};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot};

use super::answers::Counting;
use super::changes::ChangeLog;
use super::commit::Commit;
use super::commit_mark::{CommitMark, entries_of};
use super::feed::Followers;
use super::seen::SeenRecords;
use super::tree::Tree;
use crate::store::{DomainAnswers, Outcome};
use crate::{Address, AnswersBySlot, Entered, Erasure, Error, Event, ManualEntry, Record, Tombstone, UnixSeconds};

/// Most events of one commit; a request is never split over two.
const MAX_EVENTS_PER_COMMIT: usize = 8192;

pub(super) type Reply<T> = oneshot::Sender<Result<T, Error>>;

/// Work, and the room in the queue that it takes up until it is done.
pub(super) struct Job {
    pub(super) work: Work,
    pub(super) room: OwnedSemaphorePermit,
}

/// What the writing thread can be asked for.
pub(super) enum Work {
    Record {
        events: Arc<Vec<Event>>,
        reply: Reply<Vec<Outcome>>,
    },
    Suppress {
        address: Address,
        entry: ManualEntry,
        reply: Reply<()>,
    },
    Enter {
        entries: Vec<(Address, ManualEntry)>,
        reply: Reply<Vec<Entered>>,
    },
    Lift {
        address: Address,
        now: UnixSeconds,
        who: String,
        why: String,
        reply: Reply<bool>,
    },
    Erase {
        address: Address,
        seen: Option<Record>,
        tombstone: Option<Tombstone>,
        reply: Reply<Erasure>,
    },
    /// Nothing, behind all that was asked for before.
    Nothing {
        reply: Reply<()>,
    },
    Count {
        counted: Vec<DomainAnswers>,
        now: UnixSeconds,
        reply: Reply<Vec<(Box<str>, AnswersBySlot)>>,
    },
}

impl Work {
    fn events(&self) -> usize {
        match self {
            Self::Record { events, .. } => events.len(),
            Self::Enter { entries, .. } => entries.len(),
            Self::Suppress { .. } | Self::Lift { .. } | Self::Erase { .. } | Self::Nothing { .. } => 1,
            Self::Count { counted, .. } => counted.len(),
        }
    }
}

/// Writes batches, one after the other.
pub(super) struct Committer {
    tree: Tree,
    mark: CommitMark,
    persist: PersistMode,
    answers: Counting,
    changes: ChangeLog,
    followers: Followers,
    /// None between two commits.
    records: SeenRecords,
}

impl Committer {
    pub(super) fn new(tree: Tree, mark: CommitMark, persist: PersistMode, changes: ChangeLog, followers: Followers) -> Self {
        Self { tree, mark, persist, answers: Counting::default(), changes, followers, records: SeenRecords::default() }
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
            if let Err(error) = self.commit(group, events) {
                tracing::error!(%error, "a commit failed; nothing more is written until a restart");
                return;
            }
            next = jobs.blocking_recv();
        }
        if let Err(error) = self.mark.sync() {
            tracing::warn!(%error, "the number of the last commit could not be written");
        }
    }

    fn commit(&mut self, group: Vec<Job>, events: usize) -> Result<(), Error> {
        let followers = self.followers.now();
        let mut commit = Commit::new(&self.tree, &mut self.records, &mut self.answers, &mut self.changes, followers);
        let answers: Vec<_> = group.into_iter().map(|job| (commit.add(job.work), job.room)).collect();
        let mut batch = OwnedWriteBatch::with_capacity(self.tree.database.clone(), events).durability(Some(self.persist));
        // It goes with its share of the events: who sent them has them alone again before there is an answer, and frees them.
        let filled = commit.fill(&mut batch);
        self.records.clear(MAX_EVENTS_PER_COMMIT);
        let written = filled.and_then(|records| self.write(batch).map(|()| records));
        let written = written.map(|records| {
            records.tell(&self.tree);
            self.changes.tell();
        });
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
