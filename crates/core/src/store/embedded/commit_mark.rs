//! What tells an opening that it found all that was acknowledged.
//!
//! fjall cuts a damaged journal off in silence, at its end or in its middle. So every commit writes its number into the tree,
//! in a ring of slots, and after it, without waiting for the disk, into a small file. An opening that finds a number smaller
//! than the file's, or a gap in the ring, has lost something that was acknowledged, and is refused.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use fjall::Keyspace;

use super::{io_failed, read_failed};
use crate::Error;

/// How many commits back a gap is noticed. A gap behind an undamaged end can only come from a sealed journal, and a journal is
/// sealed no longer than its flush takes.
const RING_SLOTS: u32 = 4096;

/// Length of the file: 20 digits and a line's end, so that one write replaces the other whole.
const MARK_BYTES: usize = 21;

/// The number of the last commit, kept beside the tree.
pub(super) struct CommitMark {
    file: File,
    last: u64,
}

impl CommitMark {
    /// The next commit's number.
    pub(super) fn next(&self) -> u64 {
        self.last + 1
    }

    /// Notes that the next commit is in the tree.
    pub(super) fn advance(&mut self) -> std::io::Result<()> {
        self.last += 1;
        self.file.write_all_at(format!("{:020}\n", self.last).as_bytes(), 0)
    }

    /// Waits until the number is on the disk.
    pub(super) fn sync(&self) -> std::io::Result<()> {
        self.file.sync_all()
    }
}

/// The slot that a commit writes.
pub(super) fn slot_of(commit: u64) -> u32 {
    u32::try_from(commit % u64::from(RING_SLOTS)).unwrap_or_default()
}

/// Checks that the tree holds every commit that was acknowledged.
pub(super) fn check(directory: &Path, tree: &Keyspace) -> Result<CommitMark, Error> {
    let path = directory.join("committed");
    let found = last_commit_without_gap(tree)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(|error| io_failed("open", &path, &error))?;
    match read(&file) {
        Some(acknowledged) if acknowledged > found => return Err(less_than_acknowledged(&path, found, acknowledged)),
        // After a loss of power the file may be empty, since nothing waited for it: the tree is what was waited for.
        None if found > 0 => tracing::warn!(file = %path.display(), "no commit number to check the journal against"),
        Some(_) | None => {}
    }
    let mark = CommitMark { file, last: found };
    mark.file
        .write_all_at(format!("{found:020}\n").as_bytes(), 0)
        .and_then(|()| mark.sync())
        .map_err(|error| io_failed("write", &path, &error))?;
    Ok(mark)
}

fn read(file: &File) -> Option<u64> {
    let mut bytes = [0; MARK_BYTES];
    file.read_exact_at(&mut bytes, 0).ok()?;
    std::str::from_utf8(&bytes).ok()?.strip_suffix('\n')?.parse().ok()
}

fn last_commit_without_gap(tree: &Keyspace) -> Result<u64, Error> {
    let mut commits = Vec::new();
    for pair in tree.prefix(b"c\0") {
        let value = pair.value().map_err(|error| read_failed(&error))?;
        let bytes: [u8; 8] = (*value).try_into().map_err(|_| Error::StoreDamaged {
            reason: "a commit's number cannot be read; restore the directory from a backup".into(),
        })?;
        commits.push(u64::from_be_bytes(bytes));
    }
    commits.sort_unstable();
    let last = commits.last().copied().unwrap_or_default();
    let expected = last.saturating_sub(u64::from(RING_SLOTS)) + 1..=last;
    if let Some(missing) = expected.zip(&commits).find_map(|(expected, found)| (expected != *found).then_some(expected)) {
        return Err(Error::StoreDamaged {
            reason: format!("commit {missing} of {last} is missing from the journal; restore the directory from a backup"),
        });
    }
    Ok(last)
}

fn less_than_acknowledged(mark: &Path, found: u64, acknowledged: u64) -> Error {
    Error::StoreDamaged {
        reason: format!(
            "the journal ends at commit {found}, but {acknowledged} were acknowledged; restore the directory from a backup, or \
             remove {} to go on with what is left",
            mark.display()
        ),
    }
}
