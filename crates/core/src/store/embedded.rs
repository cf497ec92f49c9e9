//! The embedded store: a directory that one process owns.
//!
//! Evidence lies in an LSM tree with a journal (fjall). One thread writes: it takes what requests have queued up, writes it as
//! one batch, waits for the disk once, and only then answers all of them. Rejected letters are files beside it.

mod commit_mark;
mod committer;
mod keys;
mod letters;

use std::io::ErrorKind;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::{AdministrativeStore, EvidenceStore, LetterStore, Outcome};
use crate::{Address, Error, Event, Letter, LetterHead, LetterId, LetterLimits, LetterUsage, ManualEntry, Record, UnixSeconds};
use committer::{Committer, Job, Work};
use letters::LetterFiles;

/// Most requests that wait for the writing thread.
const MAX_QUEUED_REQUESTS: usize = 4096;

/// Most events that wait for the writing thread.
const MAX_QUEUED_EVENTS: usize = 65_536;

/// Memory for blocks of the tree that were read from disk, in bytes.
const BLOCK_CACHE_BYTES: u64 = 256 << 20;

/// How a store is opened.
#[derive(Debug, Clone)]
pub struct EmbeddedSettings {
    /// The directory; it is made if it is not there.
    pub directory: PathBuf,
    /// How much the rejected letters may take up.
    pub letter_limits: LetterLimits,
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
    evidence: Keyspace,
    letters: LetterFiles,
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
        let (database, evidence) = open_tree(directory)?;
        let letters = LetterFiles::open(&directory.join("letters"), settings.letter_limits)?;
        let mark = commit_mark::check(directory, &evidence)?;
        sync_directory(directory).map_err(|error| io_failed("sync", directory, &error))?;
        let persist = if settings.waits_for_disk { PersistMode::SyncData } else { PersistMode::Buffer };
        let (queue, jobs) = mpsc::channel(MAX_QUEUED_REQUESTS);
        let committer = Committer::new(database, evidence.clone(), mark, persist);
        let writer = std::thread::Builder::new()
            .name("group-commit".into())
            .spawn(move || committer.run(jobs))
            .map_err(|error| io_failed("start a thread for", directory, &error))?;
        let room = Arc::new(Semaphore::new(MAX_QUEUED_EVENTS));
        Ok(Self { shared: Arc::new(Shared { queue: Some(queue), room, writer: Some(writer), evidence, letters }) })
    }

    /// Waits until nothing more can be written: the disk refused a commit, and what it has now only an opening can tell.
    pub async fn stopped(&self) -> Error {
        if let Some(queue) = &self.shared.queue {
            queue.closed().await;
        }
        stopped()
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
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let owned = events.to_vec();
        self.submit(events.len(), |reply| Work::Record { events: owned, reply }).await
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        addresses.iter().map(|address| keys::load(&self.shared.evidence, address)).collect()
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

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let (address, who, why) = (address.clone(), who.to_owned(), why.to_owned());
        self.submit(1, |reply| Work::Lift { address, now, who, why, reply }).await
    }
}

impl EmbeddedStore {
    /// Does something with the letters on a thread that may wait for the disk.
    async fn with_letters<T: Send + 'static>(
        &self,
        work: impl FnOnce(&LetterFiles) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        tokio::task::spawn_blocking(move || work(&shared.letters)).await.map_err(|_| stopped())?
    }
}

impl LetterStore for EmbeddedStore {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        self.with_letters(move |files| files.keep(&letters, now)).await
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        Ok(self.shared.letters.heads(after, limit))
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        self.with_letters(move |files| files.letter(id)).await
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        self.with_letters(move |files| files.remove(id)).await
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        Ok(self.shared.letters.usage())
    }
}

/// Opens the tree. fjall panics on some damaged files, which is no way to tell an operator.
fn open_tree(directory: &Path) -> Result<(Database, Keyspace), Error> {
    let path = &directory.join("evidence");
    let open = || {
        let database = Database::builder(path).cache_size(BLOCK_CACHE_BYTES).open()?;
        let evidence = database.keyspace("evidence", KeyspaceCreateOptions::default)?;
        Ok((database, evidence))
    };
    match catch_unwind(AssertUnwindSafe(open)) {
        Ok(Ok(opened)) => Ok(opened),
        Ok(Err(fjall::Error::Locked)) => Err(Error::DirectoryInUse { directory: directory.display().to_string() }),
        Ok(Err(error)) => Err(match io_cause(&error) {
            Some(cause) if !tells_of_damage(cause.kind()) => io_failed("open", path, cause),
            Some(_) | None => cannot_be_opened(path, &format!("{error:?}")),
        }),
        Err(_) => Err(cannot_be_opened(path, "its files do not fit together")),
    }
}

/// The operating system's error under one of fjall's.
fn io_cause(error: &fjall::Error) -> Option<&std::io::Error> {
    let first = std::error::Error::source(error);
    std::iter::successors(first, |error| error.source()).find_map(|error| error.downcast_ref())
}

/// Whether the error of an opening means that a file is missing, left over or cut: the disk works, what is on it does not fit
/// together.
fn tells_of_damage(kind: ErrorKind) -> bool {
    // An invalid input is a place before the beginning of a file.
    matches!(
        kind,
        ErrorKind::NotFound
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidData
            | ErrorKind::InvalidInput
            | ErrorKind::UnexpectedEof
    )
}

fn cannot_be_opened(path: &Path, why: &str) -> Error {
    Error::StoreDamaged { reason: format!("{} cannot be opened ({why}); restore it from a backup", path.display()) }
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

/// Makes a directory and its parents, each of them durably.
fn make_directory(path: &Path) -> Result<(), Error> {
    let make = || {
        if path.is_dir() {
            return Ok(());
        }
        std::fs::create_dir_all(path)?;
        match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => sync_directory(parent),
            Some(_) | None => sync_directory(Path::new(".")),
        }
    };
    make().map_err(|error| io_failed("make", path, &error))
}

/// Waits until the names in a directory are on the disk.
fn sync_directory(path: &Path) -> std::io::Result<()> {
    std::fs::File::open(path)?.sync_all()
}
