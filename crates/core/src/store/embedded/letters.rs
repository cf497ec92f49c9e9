//! Rejected letters as files, one a letter: a first line of JSON with when and why, behind it the bytes as they came.

use std::collections::{BTreeMap, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use super::disk::{UNFINISHED, make_directory, replace_file, sync_directory};
use super::{EmbeddedStore, io_failed};
use crate::store::{LetterStore, MAX_LETTERS_PER_PAGE};
use crate::{Error, Letter, LetterHead, LetterId, LetterLimits, LetterUsage, MAX_REASON_BYTES, UnixSeconds};

/// Longest first line, in bytes: a reason of nothing but characters that JSON escapes, and room to spare.
const MAX_HEAD_BYTES: usize = 8 * MAX_REASON_BYTES;

/// The directory of letters, with an index of it in memory.
pub(super) struct LetterFiles {
    directory: PathBuf,
    limits: LetterLimits,
    index: Mutex<Index>,
}

#[derive(Default)]
struct Index {
    by_age: BTreeMap<(UnixSeconds, LetterId), LetterHead>,
    received: HashMap<LetterId, UnixSeconds>,
    content_bytes: u64,
}

#[derive(Serialize, Deserialize)]
struct FirstLine {
    received: UnixSeconds,
    reason: String,
}

impl Index {
    fn insert(&mut self, head: LetterHead) {
        self.content_bytes += head.content_bytes;
        self.received.insert(head.id, head.received);
        self.by_age.insert((head.received, head.id), head);
    }

    fn remove(&mut self, id: LetterId) {
        let Some(received) = self.received.remove(&id) else { return };
        if let Some(head) = self.by_age.remove(&(received, id)) {
            self.content_bytes -= head.content_bytes;
        }
    }

    fn usage(&self) -> LetterUsage {
        LetterUsage { letters: self.received.len() as u64, content_bytes: self.content_bytes }
    }
}

impl LetterFiles {
    /// Reads which letters there are.
    pub(super) fn open(directory: &Path, limits: LetterLimits) -> Result<Self, Error> {
        make_directory(directory)?;
        let failed = |error: std::io::Error| io_failed("read", directory, &error);
        let files = Self { directory: directory.to_path_buf(), limits, index: Mutex::default() };
        for entry in std::fs::read_dir(directory).map_err(failed)? {
            let path = entry.map_err(failed)?.path();
            if path.extension().is_some_and(|ending| ending == UNFINISHED) {
                std::fs::remove_file(&path).map_err(failed)?;
                continue;
            }
            let Some(id) = path.file_name().and_then(|name| name.to_str()).and_then(|name| name.parse().ok()) else {
                tracing::warn!(file = %path.display(), "not a letter; left alone");
                continue;
            };
            // A letter is no evidence: one that cannot be read must not keep the evidence from being read. If it is refused
            // again, it is written again.
            match files.read(id) {
                Ok(Some(letter)) => files.index().insert(letter.head),
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a letter is damaged; the others are there"),
            }
        }
        Ok(files)
    }

    fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, id: LetterId) -> PathBuf {
        self.directory.join(id.to_string())
    }

    /// Keeps letters; waits for the disk.
    pub(super) fn keep(&self, letters: &[Letter], now: UnixSeconds) -> Result<Vec<bool>, Error> {
        // Held over the disk's work: two requests with the same letter must not both find it new.
        let mut index = self.index();
        self.drop_expired(&mut index, now)?;
        let mut is_new = Vec::with_capacity(letters.len());
        let mut outcome = Ok(());
        for letter in letters {
            let known = index.received.contains_key(&letter.head.id);
            if !known && !self.limits.have_room(index.usage(), letter.head.content_bytes) {
                outcome = Err(Error::LettersFull);
                break;
            }
            if !known {
                self.write(letter).map_err(|error| io_failed("write a letter to", &self.directory, &error))?;
                index.insert(letter.head.clone());
            }
            is_new.push(!known);
        }
        sync_directory(&self.directory).map_err(|error| io_failed("sync", &self.directory, &error))?;
        outcome.map(|()| is_new)
    }

    fn write(&self, letter: &Letter) -> std::io::Result<()> {
        let first_line = FirstLine { received: letter.head.received, reason: letter.head.reason.clone() };
        let mut bytes = serde_json::to_vec(&first_line)?;
        bytes.push(b'\n');
        bytes.extend_from_slice(&letter.content);
        replace_file(&self.path(letter.head.id), &bytes, true)
    }

    fn drop_expired(&self, index: &mut Index, now: UnixSeconds) -> Result<(), Error> {
        while let Some((_, oldest)) = index.by_age.first_key_value()
            && self.limits.is_expired(oldest, now)
        {
            let id = oldest.id;
            self.delete(id)?;
            index.remove(id);
        }
        Ok(())
    }

    fn delete(&self, id: LetterId) -> Result<(), Error> {
        match std::fs::remove_file(self.path(id)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(io_failed("remove a letter from", &self.directory, &error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Heads behind `after`, oldest first.
    pub(super) fn heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Vec<LetterHead> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        let index = self.index();
        index.by_age.range((from, Unbounded)).take(limit.min(MAX_LETTERS_PER_PAGE)).map(|(_, head)| head.clone()).collect()
    }

    /// One letter, if it is there.
    pub(super) fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        if self.index().received.contains_key(&id) { self.read(id) } else { Ok(None) }
    }

    fn read(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        let path = self.path(id);
        let bytes = match std::fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(io_failed("read", &path, &error)),
        };
        let damaged = || Error::StoreDamaged { reason: format!("the letter {} cannot be read; move it away", path.display()) };
        let end = bytes.iter().take(MAX_HEAD_BYTES).position(|byte| *byte == b'\n').ok_or_else(damaged)?;
        let first_line: FirstLine = serde_json::from_slice(&bytes[..end]).map_err(|_| damaged())?;
        let letter = Letter::new(&bytes[end + 1..], first_line.reason, first_line.received);
        // Its name says what its content was.
        if letter.head.id == id { Ok(Some(letter)) } else { Err(damaged()) }
    }

    /// Removes a letter; waits for the disk.
    pub(super) fn remove(&self, id: LetterId) -> Result<bool, Error> {
        let mut index = self.index();
        if !index.received.contains_key(&id) {
            return Ok(false);
        }
        self.delete(id)?;
        index.remove(id);
        sync_directory(&self.directory).map_err(|error| io_failed("sync", &self.directory, &error))?;
        Ok(true)
    }

    /// How much the letters take up.
    pub(super) fn usage(&self) -> LetterUsage {
        self.index().usage()
    }
}

impl LetterStore for EmbeddedStore {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        self.on_waiting_thread(move |shared| shared.letters.keep(&letters, now)).await
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        Ok(self.shared.letters.heads(after, limit))
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        self.on_waiting_thread(move |shared| shared.letters.letter(id)).await
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        self.on_waiting_thread(move |shared| shared.letters.remove(id)).await
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        Ok(self.shared.letters.usage())
    }
}
