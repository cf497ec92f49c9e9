//! The embedded store: a directory that one process owns.
//!
//! Evidence lies in an LSM tree with a journal (fjall). One thread writes: it takes what requests have queued up, writes it as
//! one batch, waits for the disk once, and only then answers all of them. How domains answered lies there too, and so do the latest
//! changes. Rejected letters are files beside it, and so is the book of incidents.

mod answers;
mod changes;
mod commit;
mod commit_mark;
mod committer;
mod compaction;
mod disk;
mod feed;
mod incidents;
mod keys;
mod letters;
mod listing;
mod names;
mod pieces;
mod records;
mod resident;
mod seen;
mod tree;
mod value;
mod warming;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use fjall::PersistMode;
use tokio::sync::{Semaphore, mpsc, oneshot, watch};

use super::{AdministrativeStore, EvidenceStore, Outcome};
use crate::{Address, Entered, Erasure, Error, Event, LetterLimits, ManualEntry, Record, Tombstone, UnixSeconds};
use changes::ChangeLog;
use committer::{Committer, Job, Work};
use compaction::Compaction;
use disk::{make_directory, sync_directory};
use feed::Followers;
use incidents::IncidentFile;
use letters::LetterFiles;
use tree::Tree;

/// Most requests that wait for the writing thread.
const MAX_QUEUED_REQUESTS: usize = 4096;

/// Most events that wait for the writing thread.
const MAX_QUEUED_EVENTS: usize = 65_536;

/// Most memory for records, in bytes, where nobody says otherwise.
pub const MAX_RECORDS_IN_MEMORY_BYTES: usize = 1 << 30;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct EmbeddedSettings {
    /// The directory; it is made if it is not there.
    pub directory: PathBuf,
    /// How much the rejected letters may take up.
    pub letter_limits: LetterLimits,
    /// How many of the latest changes are kept.
    pub changes_kept: usize,
    /// Most memory for records that are read without a look at the disk or its cache, in bytes: some 100 for each, and 50 for each
    /// further event of it.
    pub max_records_in_memory_bytes: usize,
    /// Whether an answer waits for the disk. Without it a loss of power loses what was acknowledged; it is there so that a
    /// test can show that the proof of durability fails without it.
    pub waits_for_disk: bool,
}

/// A store in a directory. Clones share it; when the last one goes, what is queued is written and the directory is released.
#[derive(Clone)]
pub struct EmbeddedStore {
    shared: Arc<Shared>,
}

struct Shared {
    queue: Option<mpsc::Sender<Job>>,
    room: Arc<Semaphore>,
    writer: Option<JoinHandle<()>>,
    tree: Tree,
    compaction: Compaction,
    followers: Followers,
    incidents: IncidentFile,
    letters: LetterFiles,
    /// The number of the latest change that is durable.
    last_change: watch::Receiver<u64>,
}

impl EmbeddedStore {
    /// Opens the store in a directory, or makes one.
    ///
    /// # Errors
    ///
    /// [`Error::DirectoryInUse`] if another process owns the directory; [`Error::StoreDamaged`] if less is found than was
    /// acknowledged, or what is found cannot be read; [`Error::StoreFailed`] if the directory cannot be used.
    pub fn open(settings: &EmbeddedSettings) -> Result<Self, Error> {
        let directory = &settings.directory;
        make_directory(directory)?;
        let tree = Tree::open(directory, settings.max_records_in_memory_bytes)?;
        let letters = LetterFiles::open(&directory.join("letters"), settings.letter_limits)?;
        let incidents = IncidentFile::open(directory, settings.waits_for_disk)?;
        let mark = commit_mark::check(directory, &tree.keyspace)?;
        sync_directory(directory).map_err(|error| io_failed("sync", directory, &error))?;
        let persist = if settings.waits_for_disk { PersistMode::SyncData } else { PersistMode::Buffer };
        let (queue, jobs) = mpsc::channel(MAX_QUEUED_REQUESTS);
        let (changes, last_change) = ChangeLog::open(&tree, settings.changes_kept)?;
        let followers = Followers::default();
        let committer = Committer::new(tree.clone(), mark, persist, changes, followers.clone());
        let writer = std::thread::Builder::new()
            .name("group-commit".into())
            .spawn(move || committer.run(jobs))
            .map_err(|error| io_failed("start a thread for", directory, &error))?;
        let room = Arc::new(Semaphore::new(MAX_QUEUED_EVENTS));
        let compaction = Compaction::open(directory, tree.clone());
        let shared = Shared {
            queue: Some(queue),
            room,
            writer: Some(writer),
            tree,
            compaction,
            followers,
            incidents,
            letters,
            last_change,
        };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Waits until nothing more can be written: the disk refused a commit, and what it has now only an opening can tell.
    pub async fn stopped(&self) -> Error {
        if let Some(queue) = &self.shared.queue {
            queue.closed().await;
        }
        stopped()
    }

    /// What records in memory take, in bytes.
    #[must_use]
    pub fn records_in_memory_bytes(&self) -> usize {
        self.shared.tree.resident.bytes()
    }

    /// Queues work for the writing thread and waits for its answer.
    async fn submit<T>(&self, events: usize, work: impl FnOnce(oneshot::Sender<Result<T, Error>>) -> Work) -> Result<T, Error> {
        let Some(queue) = &self.shared.queue else { return Err(stopped()) };
        // One request may hold more events than the queue: alone, it is let in.
        let weight = u32::try_from(events.clamp(1, MAX_QUEUED_EVENTS)).unwrap_or(u32::MAX);
        let room = Arc::clone(&self.shared.room).try_acquire_many_owned(weight).map_err(|_| Error::StoreOverloaded)?;
        let (reply, answer) = oneshot::channel();
        queue.try_send(Job { work: work(reply), room }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Error::StoreOverloaded,
            mpsc::error::TrySendError::Closed(_) => stopped(),
        })?;
        answer.await.map_err(|_| stopped())?
    }

    /// Does something on a thread that may wait for the disk.
    async fn on_waiting_thread<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Shared) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || work(&shared)).await.map_err(|_| stopped())?
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.queue = None;
        if let Some(writer) = self.writer.take() {
            // It only fails if the thread panicked, and then there is nobody left to tell.
            let _ = writer.join();
        }
    }
}

impl EvidenceStore for EmbeddedStore {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        self.record_shared(Arc::new(events.to_vec())).await
    }

    async fn record_shared(&self, events: Arc<Vec<Event>>) -> Result<Vec<Outcome>, Error> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        self.submit(events.len(), |reply| Work::Record { events, reply }).await
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        records::load_all(&self.shared.tree, addresses)
    }

    async fn probe(&self) -> Result<(), Error> {
        match &self.shared.queue {
            Some(queue) if !queue.is_closed() => Ok(()),
            Some(_) | None => Err(stopped()),
        }
    }
}

impl AdministrativeStore for EmbeddedStore {
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        self.submit(1, |reply| Work::Suppress { address: address.clone(), entry, reply }).await
    }

    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        if entries.is_empty() {
            return Ok(Vec::new());
        }
        let owned = entries.to_vec();
        self.submit(entries.len(), |reply| Work::Enter { entries: owned, reply }).await
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let (address, who, why) = (address.clone(), who.to_owned(), why.to_owned());
        self.submit(1, |reply| Work::Lift { address, now, who, why, reply }).await
    }

    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        if seen.is_some_and(|record| record.tombstone.is_none()) {
            self.on_waiting_thread(|shared| shared.compaction.note()).await?;
        }
        let (address, seen) = (address.clone(), seen.cloned());
        self.submit(1, |reply| Work::Erase { address, seen, tombstone, reply }).await
    }

    async fn compact(&self) -> Result<bool, Error> {
        self.on_waiting_thread(|shared| shared.compaction.run()).await.map(|()| true)
    }
}

fn stopped() -> Error {
    Error::StoreFailed { reason: "nothing more can be written after an error of the disk; see the log, then restart".into() }
}

fn io_failed(action: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::StoreFailed { reason: format!("cannot {action} {}: {error}", path.display()) }
}

fn read_failed(error: &fjall::Error) -> Error {
    Error::StoreDamaged { reason: format!("evidence cannot be read ({error:?}); restore the directory from a backup") }
}
