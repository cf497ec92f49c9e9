//! What a crash of the process leaves of an embedded store: its directory as it is while the store is open.

use std::path::{Path, PathBuf};

use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore};
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore as _};
use suppressd_core::{Address, Event, Record};
use tempfile::TempDir;

use super::in_directory;
use crate::events::{address, at, bounce, complaint, delivery, entry};

/// Commits before the last one.
const COMMITS: u64 = 250;

/// Events of the last commit: enough for several pages of its journal.
const EVENTS_OF_LAST_COMMIT: u64 = 300;

/// Addresses that it is all about: each is written many times, so that what is lost leaves an older state behind.
const ADDRESSES: u64 = 12;

/// The journal that a new store writes, seen from its directory.
pub(super) const JOURNAL: &str = "evidence/0.jnl";

/// The number of the last commit.
pub(super) const MARK: &str = "committed";

/// A directory as a crash left it, and what had been acknowledged before.
pub(super) struct Crashed {
    directory: TempDir,
    /// The journal without the empty room behind it.
    pub(super) journal: Vec<u8>,
    /// Where in the journal each commit ends.
    pub(super) commit_ends: Vec<usize>,
    /// The mark as it was before the last commit.
    pub(super) mark_before_last: Vec<u8>,
    /// What was acknowledged before the last commit.
    pub(super) before_last: Vec<Option<Record>>,
    /// What was acknowledged.
    pub(super) acknowledged: Vec<Option<Record>>,
}

impl Crashed {
    /// Some hundred commits, each of them acknowledged, then a crash.
    pub(super) async fn after_commits() -> Self {
        let directory = tempfile::tempdir().unwrap();
        // An image shows what was written, so nothing here need wait for the disk.
        let settings = EmbeddedSettings { waits_for_disk: false, ..in_directory(directory.path()) };
        let store = EmbeddedStore::open(&settings).unwrap();
        let journal = directory.path().join(JOURNAL);
        let mut commit_ends = Vec::new();
        for number in 0..COMMITS {
            do_something(&store, number).await;
            commit_ends.push(used_bytes(&journal, commit_ends.last().copied().unwrap_or_default()));
        }
        let before_last = store.records(&addresses()).await.unwrap();
        let mark_before_last = std::fs::read(directory.path().join(MARK)).unwrap();
        let event =
            |number: u64| bounce(&name(number % ADDRESSES), 1_000_000 + number, 2_000_000 + number.cast_signed(), "other");
        let events: Vec<_> = (0..EVENTS_OF_LAST_COMMIT).map(event).collect();
        store.record(&events).await.unwrap();
        let end = used_bytes(&journal, commit_ends.last().copied().unwrap_or_default());
        commit_ends.push(end);
        let acknowledged = store.records(&addresses()).await.unwrap();
        let directory = image_of(directory.path());
        let mut journal = std::fs::read(directory.path().join(JOURNAL)).unwrap();
        journal.truncate(end);
        Self { directory, journal, commit_ends, mark_before_last, before_last, acknowledged }
    }

    /// A copy of the directory, to damage.
    pub(super) fn image(&self) -> TempDir {
        image_of(self.directory.path())
    }

    /// A copy of the directory with other bytes in its journal, and empty room behind them.
    pub(super) fn with_journal(&self, bytes: &[u8]) -> TempDir {
        let image = self.image();
        write_journal(&image.path().join(JOURNAL), bytes);
        image
    }
}

async fn do_something(store: &EmbeddedStore, number: u64) {
    let (who, seconds) = (name(number % ADDRESSES), number.cast_signed() * 60);
    match number % 10 {
        0 => store.suppress(&address(&who), entry(seconds, &number.to_string())).await.unwrap(),
        1 => {
            store.lift(&address(&who), at(seconds), "ops", &number.to_string()).await.unwrap();
        }
        2 => {
            // Of a recipient without a record it would be no commit.
            store.record(&[complaint(&who, number, seconds), delivery(&who, number, seconds)]).await.unwrap();
        }
        _ => {
            // More of a day than is kept, so that some is removed again.
            let events: Vec<Event> =
                (0..=number % 4).map(|other| bounce(&name(other), number, seconds, "quota-issues")).collect();
            store.record(&events).await.unwrap();
        }
    }
}

fn name(number: u64) -> String {
    format!("a{number}@x.example")
}

/// All addresses that there could be a record of.
pub(super) fn addresses() -> Vec<Address> {
    (0..ADDRESSES).map(|number| address(&name(number))).collect()
}

/// A copy of a directory and all in it, as it is now.
pub(super) fn image_of(directory: &Path) -> TempDir {
    let image = tempfile::tempdir().unwrap();
    copy(directory, image.path());
    image
}

fn copy(from: &Path, to: &Path) {
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            std::fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else if entry.path().extension().is_some_and(|ending| ending == "jnl") {
            let end = used_bytes(&entry.path(), 0);
            write_journal(&target, &first_bytes(&entry.path(), end));
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// All files under a directory.
pub(super) fn files_under(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { files.extend(files_under(&path)) } else { files.push(path) }
    }
    files.sort();
    files
}

/// Length of the room that a journal has from its beginning, in bytes.
const JOURNAL_ROOM_BYTES: u64 = 64 << 20;

/// Most bytes that one commit adds here, and more than the longest run of zeros within one.
const MAX_COMMIT_BYTES: usize = 256 << 10;

/// Where the bytes of a journal end and its empty room begins, if `from` lies before that place.
fn used_bytes(journal: &Path, from: usize) -> usize {
    let mut end = from;
    loop {
        let part = bytes_at(journal, end, MAX_COMMIT_BYTES);
        match part.iter().rposition(|byte| *byte != 0) {
            Some(last) => end += last + 1,
            None => return end,
        }
    }
}

fn first_bytes(journal: &Path, length: usize) -> Vec<u8> {
    bytes_at(journal, 0, length)
}

fn bytes_at(journal: &Path, offset: usize, length: usize) -> Vec<u8> {
    use std::io::{Read as _, Seek as _, SeekFrom};
    let mut file = std::fs::File::open(journal).unwrap();
    file.seek(SeekFrom::Start(offset as u64)).unwrap();
    let mut bytes = Vec::new();
    file.take(length as u64).read_to_end(&mut bytes).unwrap();
    bytes
}

/// Writes a journal with its empty room, which takes no room on the disk.
pub(super) fn write_journal(path: &Path, bytes: &[u8]) {
    std::fs::write(path, bytes).unwrap();
    std::fs::File::options().write(true).open(path).unwrap().set_len(JOURNAL_ROOM_BYTES).unwrap();
}
