//! Files that hold nothing of what was erased.
//!
//! What is removed from the tree stays in its files: in the journal until that is full, in the tables until they are merged. So
//! after an erasure the journal is filled until another one takes its place, and all tables are merged. That takes as long as
//! writing the journal's 64 MB and reading and writing all records once; whoever reads or records meanwhile is served.
//!
//! An erasure that is not finished is noted in a file, and finished behind the next opening.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use fjall::{Keyspace, KeyspaceCreateOptions};

use super::disk::sync_directory;
use super::io_failed;
use super::tree::{TREE, Tree};
use crate::Error;

/// The file that is there while something that was erased may be in the others.
const NOTE: &str = "erasing";

/// What fills the journal, below what a torn page could make unreadable. The journal does not compress it.
const FILLER: [u8; 4000] = [0; 4000];

/// How much is written between two looks at the journal, in fillers: 8 MB.
const FILLERS_PER_LOOK: usize = 2000;

/// After so many looks the journal should have been full long ago: fjall begins another one at 64 MB.
const MAX_LOOKS: usize = 40;

/// How long it is waited for files to go, and for whoever still reads what was there before.
const PATIENCE: Duration = Duration::from_mins(10);

/// How long between two looks at that.
const LOOK_INTERVAL: Duration = Duration::from_millis(5);

/// Writes the files anew. Clones share it.
#[derive(Clone)]
pub(super) struct Compaction {
    directory: PathBuf,
    tree: Tree,
    /// How many erasures were noted.
    noted: Arc<Mutex<u64>>,
    /// Up to which of them the files are clean. Held while they are being written: who comes meanwhile is done with the next
    /// ones.
    cleaned: Arc<Mutex<u64>>,
}

impl Compaction {
    /// Finishes behind the caller's back what an earlier process left.
    pub(super) fn open(directory: &Path, tree: Tree) -> Self {
        let compaction = Self { directory: directory.to_path_buf(), tree, noted: Arc::default(), cleaned: Arc::default() };
        if compaction.note_path().exists() {
            *lock(&compaction.noted) = 1;
            let unfinished = compaction.clone();
            // Nobody waits for it: a process that ends before it is done finds the note again.
            let started = std::thread::Builder::new().name("erasure".into()).spawn(move || {
                if let Err(error) = unfinished.run() {
                    tracing::error!(%error, "what was erased could not be removed from the files; the next start tries again");
                }
            });
            if let Err(error) = started {
                tracing::error!(%error, "no thread could be started to finish an erasure; the next start tries again");
            }
        }
        compaction
    }

    /// The directory of the store.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }

    fn note_path(&self) -> PathBuf {
        self.directory.join(NOTE)
    }

    /// Notes that something is about to be erased; durable.
    pub(super) fn note(&self) -> Result<(), Error> {
        let mut noted = lock(&self.noted);
        let path = self.note_path();
        let written = std::fs::write(&path, "").and_then(|()| sync_directory(&self.directory));
        written.map_err(|error| io_failed("write", &path, &error))?;
        *noted += 1;
        Ok(())
    }

    /// Writes the files anew, unless that has happened since the last note.
    pub(super) fn run(&self) -> Result<(), Error> {
        let wanted = *lock(&self.noted);
        let mut cleaned = lock(&self.cleaned);
        if *cleaned >= wanted {
            return Ok(());
        }
        let started = Instant::now();
        let covered = *lock(&self.noted);
        self.renew()?;
        *cleaned = covered;
        let noted = lock(&self.noted);
        if *noted == covered {
            let path = self.note_path();
            std::fs::remove_file(&path).map_err(|error| io_failed("remove", &path, &error))?;
        }
        tracing::info!(took = ?started.elapsed(), "the files hold nothing any more of what was erased");
        Ok(())
    }

    fn renew(&self) -> Result<(), Error> {
        let filler = self.tree.database.keyspace("filler", KeyspaceCreateOptions::default).map_err(|error| failed(&error))?;
        self.renew_journals(&filler)?;
        let earlier = self.tree.end_of_moments();
        self.await_that(|| Ok(Arc::strong_count(&earlier) == 1))?;
        // What nobody can read any more is left out of what is written from here on.
        turn_over(&filler, 1)?;
        let tables = files(&self.tree.keyspace.path().join("tables"))?;
        self.tree.keyspace.major_compact().map_err(|error| failed(&error))?;
        self.await_that(|| {
            turn_over(&filler, 1)?;
            Ok(!tables.iter().any(|table| table.exists()))
        })
    }

    /// Fills the journal until another one takes its place, and waits until all that there were are gone.
    fn renew_journals(&self, filler: &Keyspace) -> Result<(), Error> {
        let journals = || -> Result<Vec<PathBuf>, Error> {
            let all = files(&self.directory.join(TREE))?;
            Ok(all.into_iter().filter(|file| file.extension().is_some_and(|ending| ending == "jnl")).collect())
        };
        let old = journals()?;
        let mut looks = 0;
        while journals()?.iter().all(|journal| old.contains(journal)) {
            if looks == MAX_LOOKS {
                return Err(Error::StoreFailed { reason: "the journal is never full".into() });
            }
            looks += 1;
            turn_over(filler, FILLERS_PER_LOOK)?;
        }
        self.await_that(|| {
            // A journal goes when all that was in it when it was full is in tables.
            self.tree.keyspace.rotate_memtable_and_wait().map_err(|error| failed(&error))?;
            turn_over(filler, 1)?;
            Ok(!old.iter().any(|journal| journal.exists()))
        })
    }

    fn await_that(&self, is_so: impl Fn() -> Result<bool, Error>) -> Result<(), Error> {
        let started = Instant::now();
        while !is_so()? {
            if started.elapsed() > PATIENCE {
                return Err(Error::StoreFailed { reason: format!("files in {} do not go", self.directory.display()) });
            }
            std::thread::sleep(LOOK_INTERVAL);
        }
        Ok(())
    }
}

/// Writes so many fillers, each over the one before, and has them written into a table. That is also when fjall looks which
/// journals and tables may go.
fn turn_over(filler: &Keyspace, fillers: usize) -> Result<(), Error> {
    let write = || {
        for _ in 0..fillers {
            filler.insert("filler", FILLER)?;
        }
        filler.rotate_memtable_and_wait()
    };
    write().map_err(|error| failed(&error))
}

fn failed(error: &fjall::Error) -> Error {
    Error::StoreFailed { reason: format!("the files cannot be written anew ({error:?})") }
}

fn files(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let read = || std::fs::read_dir(directory)?.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>();
    read().map_err(|error| io_failed("read", directory, &error))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
