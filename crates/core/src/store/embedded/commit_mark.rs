//! What tells an opening that it found all that was acknowledged.
//!
//! fjall cuts a damaged journal off in silence, at its end or in its middle. So every commit writes its number into the tree,
//! in a ring of slots, and after it, without waiting for the disk, into a small file. An opening that finds a number smaller
//! than the file's, or a gap in the ring, has lost something that was acknowledged, and is refused.
//!
//! Nor does fjall protect the number by which it orders a batch among others: damage there would let what is older win. So
//! every commit also writes that the one before it was followed. A commit that is placed before its predecessor leaves that one
//! open, and one that is placed behind its successor is itself found open.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use fjall::Keyspace;

use super::{io_failed, keys, read_failed};
use crate::Error;

/// How many commits back a gap or a wrong order is noticed. A gap behind an undamaged end can only come from a sealed journal,
/// and a journal is sealed no longer than its flush takes; a wrong order further back goes unnoticed.
const RING_SLOTS: u32 = 65_536;

/// Length of the file: 20 digits and a line's end, so that one write replaces the other whole.
const MARK_BYTES: usize = 21;

/// Length of a commit's number in a slot.
const NUMBER_BYTES: usize = 8;

/// Length of a slot's value: the number, and whether that commit was followed.
const SLOT_BYTES: usize = NUMBER_BYTES + 1;

/// No other commit came after it.
const LAST: u8 = 0;

/// Another commit came after it.
const FOLLOWED: u8 = 1;

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

/// What a commit writes into the ring, by key. The first has number 1, and what it followed, 0.
pub(super) fn entries_of(commit: u64) -> [([u8; 6], [u8; SLOT_BYTES]); 2] {
    let entry = |number: u64, place: u8| {
        let slot = u32::try_from(number % u64::from(RING_SLOTS)).unwrap_or_default();
        let mut value = [place; SLOT_BYTES];
        value[..NUMBER_BYTES].copy_from_slice(&number.to_be_bytes());
        (keys::slot(slot), value)
    };
    [entry(commit, LAST), entry(commit - 1, FOLLOWED)]
}

/// Checks that the tree holds every commit that was acknowledged.
pub(super) fn check(directory: &Path, tree: &Keyspace) -> Result<CommitMark, Error> {
    let path = directory.join("committed");
    let found = last_commit(tree)?;
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

fn last_commit(tree: &Keyspace) -> Result<u64, Error> {
    let mut commits = Vec::new();
    for pair in tree.prefix(keys::SLOTS) {
        let value = pair.value().map_err(|error| read_failed(&error))?;
        commits.push(read_slot(&value).ok_or_else(|| damaged("a commit's number cannot be read"))?);
    }
    last_without_gap(commits)
}

/// The last of these commits, if all that the ring holds are there and in their order.
fn last_without_gap(mut commits: Vec<(u64, u8)>) -> Result<u64, Error> {
    commits.sort_unstable();
    let last = commits.last().map_or(0, |(number, _)| *number);
    let expected = (last + 1).saturating_sub(u64::from(RING_SLOTS))..=last;
    if let Some(missing) = expected.zip(&commits).find_map(|(expected, (found, _))| (expected != *found).then_some(expected)) {
        return Err(damaged(&format!("commit {missing} of {last} is missing from the journal")));
    }
    if let Some((open, _)) = commits.iter().find(|(number, place)| *place != FOLLOWED && *number != last) {
        return Err(damaged(&format!("what followed commit {open} of {last} is missing from the journal, or not in its place")));
    }
    Ok(last)
}

fn read_slot(value: &[u8]) -> Option<(u64, u8)> {
    let (number, place) = value.split_first_chunk()?;
    let [place] = place else { return None };
    Some((u64::from_be_bytes(*number), *place))
}

fn damaged(what: &str) -> Error {
    Error::StoreDamaged { reason: format!("{what}; restore the directory from a backup") }
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashMap;

    /// The ring after so many commits, which took effect in the order that they are given in.
    fn ring(commits: impl Iterator<Item = u64>) -> Result<u64, Error> {
        let slots: HashMap<_, _> = commits.flat_map(entries_of).collect();
        last_without_gap(slots.values().filter_map(|value| read_slot(value)).collect())
    }

    #[test]
    fn a_ring_is_whole_at_every_length() {
        let slots = u64::from(RING_SLOTS);
        for last in [0, 1, 2, slots - 1, slots, slots + 1, 2 * slots, 2 * slots + 7] {
            assert_eq!(ring(1..=last), Ok(last));
        }
    }

    #[test]
    fn a_gap_or_a_wrong_order_is_refused() {
        let slots = u64::from(RING_SLOTS);
        for last in [10, slots + 10] {
            for wrong in [1, 5, 9].map(|back| last - back) {
                assert!(ring((1..=last).filter(|number| *number != wrong)).is_err(), "without {wrong}");
                assert!(ring(wrong + 1..=last).is_err(), "from behind {wrong}");
                let behind = (1..=last).filter(|number| *number != wrong).chain([wrong]);
                assert!(ring(behind).is_err(), "{wrong} behind the others");
                let before = [wrong].into_iter().chain((1..=last).filter(|number| *number != wrong));
                assert!(wrong == 1 || ring(before).is_err(), "{wrong} before the others");
            }
        }
    }
}
