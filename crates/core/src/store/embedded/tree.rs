//! The tree, and what a failed opening of it means.

use std::io::ErrorKind;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use fjall::config::BlockSizePolicy;
use fjall::{Database, Iter, Keyspace, KeyspaceCreateOptions, Readable as _, Snapshot};

use super::io_failed;
use super::resident::Resident;
use crate::Error;

/// Memory for blocks of the tree that were read from disk, in bytes.
const BLOCK_CACHE_BYTES: u64 = 256 << 20;

/// The directory in which the tree lies.
pub(super) const TREE: &str = "evidence";

/// What the tree is called in its database.
const KEYSPACE: &str = "scattered";

/// What it was called when it held a key for every piece of evidence, and when records lay in the order of their addresses.
const EARLIER_KEYSPACES: [&str; 2] = ["evidence", "records"];

/// Size of a block of the tree's files before it is compressed, in bytes.
const BLOCK_BYTES: u32 = 8 << 10;

/// The tree, the database that it is all of, and what of it is in memory.
#[derive(Clone)]
pub(super) struct Tree {
    pub(super) database: Database,
    pub(super) keyspace: Keyspace,
    pub(super) resident: Arc<Resident>,
    /// Held by every moment that somebody reads.
    moments: Arc<Mutex<Arc<()>>>,
}

/// The tree as it is at one moment, whatever is written meanwhile. What it holds stays in the files as long as it is read.
pub(super) struct Moment {
    snapshot: Snapshot,
    keyspace: Keyspace,
    _held: Arc<()>,
}

impl Moment {
    /// What lies in a range of keys.
    pub(super) fn range(&self, keys: Range<Vec<u8>>) -> Iter {
        self.snapshot.range(&self.keyspace, keys)
    }

    /// What lies at the keys that begin so.
    pub(super) fn prefix(&self, prefix: &[u8]) -> Iter {
        self.snapshot.prefix(&self.keyspace, prefix)
    }
}

impl Tree {
    /// As it is now.
    pub(super) fn moment(&self) -> Moment {
        // Held first: a moment that is read is never overlooked.
        let held = Arc::clone(&self.moments());
        Moment { snapshot: self.database.snapshot(), keyspace: self.keyspace.clone(), _held: held }
    }

    /// Held by all moments that are read already, and by none that begins later.
    pub(super) fn end_of_moments(&self) -> Arc<()> {
        std::mem::take(&mut *self.moments())
    }

    fn moments(&self) -> MutexGuard<'_, Arc<()>> {
        self.moments.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the tree, with room for so many bytes of records in memory. fjall panics on some damaged files, which is no way to tell an operator.
    pub(super) fn open(directory: &Path, max_resident_bytes: usize) -> Result<Self, Error> {
        let path = &directory.join(TREE);
        let open = || {
            let database = Database::builder(path).cache_size(BLOCK_CACHE_BYTES).open()?;
            if EARLIER_KEYSPACES.iter().any(|earlier| database.keyspace_exists(earlier)) {
                return Ok(None);
            }
            let options = || KeyspaceCreateOptions::default().data_block_size_policy(BlockSizePolicy::all(BLOCK_BYTES));
            let keyspace = database.keyspace(KEYSPACE, options)?;
            let resident = Arc::new(Resident::new(max_resident_bytes));
            Ok(Some(Self { database, keyspace, resident, moments: Arc::default() }))
        };
        match catch_unwind(AssertUnwindSafe(open)) {
            Ok(Ok(opened)) => opened.ok_or_else(|| of_an_earlier_layout(directory)),
            Ok(Err(fjall::Error::Locked)) => Err(Error::DirectoryInUse { directory: directory.display().to_string() }),
            Ok(Err(error)) => Err(match io_cause(&error) {
                Some(cause) if !tells_of_damage(cause.kind()) => io_failed("open", path, cause),
                Some(_) | None => cannot_be_opened(path, &format!("{error:?}")),
            }),
            Err(_) => Err(cannot_be_opened(path, "its files do not fit together")),
        }
    }
}

fn of_an_earlier_layout(directory: &Path) -> Error {
    let directory = directory.display();
    let reason =
        format!("{directory} was written by a version with another layout; export its addresses with that one and import them");
    Error::StoreFailed { reason }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_of_an_earlier_layout_is_refused() {
        for earlier in EARLIER_KEYSPACES {
            let directory = tempfile::tempdir().unwrap();
            let database = Database::builder(directory.path().join(TREE)).open().unwrap();
            drop(database.keyspace(earlier, KeyspaceCreateOptions::default).unwrap());
            drop(database);
            for _ in 0..2 {
                let Err(Error::StoreFailed { reason }) = Tree::open(directory.path(), 0) else { panic!("it was opened") };
                assert!(reason.contains("another layout") && reason.contains("export"), "{reason}");
            }
        }
    }
}
