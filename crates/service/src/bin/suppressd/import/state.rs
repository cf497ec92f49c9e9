//! How far an import is, on the disk: whoever is killed goes on there.

use std::fmt::Write as _;
use std::fs::File;
use std::hash::{BuildHasher as _, RandomState};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use suppressd_core::UnixSeconds;

use crate::list_file::sync_directory_of;

/// What is put behind the name of the list.
const SUFFIX: &str = ".suppressd-import";

/// Largest file of a state, in bytes.
const MAX_STATE_BYTES: u64 = 1 << 20;

/// Which bytes a list has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) bytes: u64,
    sha256: String,
}

impl Identity {
    /// Reads a file to its end.
    pub(super) fn of(mut file: &File) -> std::io::Result<Self> {
        let mut hash = Sha256::new();
        let mut piece = vec![0; 64 << 10];
        let mut bytes = 0;
        loop {
            match file.read(&mut piece) {
                Ok(0) => break,
                Ok(count) => {
                    hash.update(&piece[..count]);
                    bytes += count as u64;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let mut sha256 = String::new();
        for byte in hash.finalize() {
            let _ = write!(sha256, "{byte:02x}");
        }
        Ok(Self { bytes, sha256 })
    }
}

/// What is imported, and how. An import that is cut off goes on only as what it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Errand {
    pub(super) list: Identity,
    pub(super) format: String,
    pub(super) note: String,
    pub(super) who: String,
}

/// What became of the rows so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Counts {
    /// Addresses that were not suppressed by an entry that lasts as long.
    pub(super) new: u64,
    /// Addresses that were.
    pub(super) known: u64,
    pub(super) refused: u64,
    /// Rows that suppress nobody.
    pub(super) skipped: u64,
}

/// How far an import is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct State {
    pub(super) errand: Errand,
    /// Tells the entries of this import from those of another one.
    pub(super) import_id: String,
    pub(super) begun_at: UnixSeconds,
    /// Every row that begins in this line or before is answered for.
    pub(super) done_line: u64,
    pub(super) counts: Counts,
    /// Rows that only the server has refused, with their lines.
    pub(super) refused_by_server: Vec<(u64, String)>,
}

impl State {
    pub(super) fn begin(errand: Errand, now: UnixSeconds) -> Self {
        // Its keys come from the operating system: no two imports have one id by chance.
        let import_id = format!("{:016x}", RandomState::new().hash_one(now.get()));
        let counts = Counts::default();
        Self { errand, import_id, begun_at: now, done_line: 0, counts, refused_by_server: Vec::new() }
    }

    /// By which request the entry of a line is made, however often.
    pub(super) fn request_id(&self, line: u64) -> String {
        format!("{}:{line}", self.import_id)
    }
}

/// Where a state is kept.
pub(super) struct StateFile(PathBuf);

impl StateFile {
    /// Beside the list.
    pub(super) fn beside(list: &Path) -> Self {
        let mut path = list.as_os_str().to_owned();
        path.push(SUFFIX);
        Self(path.into())
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The state that an import has left; none if there was none, or it came to its end.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is of another errand.
    pub(super) fn read(&self, errand: &Errand) -> anyhow::Result<Option<State>> {
        let shown = self.0.display();
        let again = || format!("remove {shown} to begin anew; what is imported already is then known");
        let mut text = Vec::new();
        match File::open(&self.0) {
            Ok(file) => file.take(MAX_STATE_BYTES).read_to_end(&mut text).with_context(|| format!("cannot read {shown}"))?,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).with_context(|| format!("cannot read {shown}")),
        };
        let state: State = serde_json::from_slice(&text).with_context(|| format!("{shown} cannot be read; {}", again()))?;
        let Errand { list, format, note, who } = &state.errand;
        ensure!(*list == errand.list, "the list has changed since its import began at {}; {}", state.begun_at, again());
        for (what, then, now) in [("format", format, &errand.format), ("note", note, &errand.note), ("who", who, &errand.who)] {
            ensure!(then == now, "its import began at {} with the {what} {then:?}, not {now:?}; {}", state.begun_at, again());
        }
        Ok(Some(state))
    }

    /// Keeps a state in place of the one before. It is on the disk when this is done.
    pub(super) fn write(&self, state: &State) -> anyhow::Result<()> {
        let mut next = self.0.as_os_str().to_owned();
        next.push(".next");
        let next = PathBuf::from(next);
        let write = || {
            let mut file = File::create(&next)?;
            file.write_all(&serde_json::to_vec(state)?)?;
            file.sync_all()?;
            std::fs::rename(&next, &self.0)
        };
        write().with_context(|| format!("cannot write {}", self.0.display()))?;
        sync_directory_of(&self.0)
    }

    /// Forgets it: the import has come to its end.
    pub(super) fn remove(&self) -> anyhow::Result<()> {
        std::fs::remove_file(&self.0).with_context(|| format!("cannot remove {}", self.0.display()))?;
        sync_directory_of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn errand(content: &[u8], note: &str) -> Errand {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        std::io::Seek::rewind(&mut file).unwrap();
        let list = Identity::of(&file).unwrap();
        Errand { list, format: "ses".into(), note: note.into(), who: "alex".into() }
    }

    #[test]
    fn an_import_goes_on_only_as_what_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let file = StateFile::beside(&directory.path().join("list.csv"));
        let first = errand(b"a", "moved in");
        assert_eq!(file.read(&first).unwrap(), None);
        let state = State { done_line: 7, ..State::begin(first.clone(), UnixSeconds::clamped(9)) };
        file.write(&State::begin(first.clone(), UnixSeconds::clamped(9))).unwrap();
        file.write(&state).unwrap();
        assert_eq!(file.read(&first).unwrap(), Some(state.clone()));
        assert_eq!(file.path(), directory.path().join("list.csv.suppressd-import"));
        for (other, words) in [(errand(b"b", "moved in"), "has changed"), (errand(b"a", "another"), "with the note")] {
            let refused = file.read(&other).unwrap_err().to_string();
            assert!(refused.contains(words) && refused.contains("list.csv.suppressd-import"), "{refused}");
        }
        std::fs::write(file.path(), "{").unwrap();
        assert!(file.read(&first).is_err());
        file.remove().unwrap();
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0, "nothing is left");
        let other = State::begin(first, UnixSeconds::clamped(9));
        assert_ne!(state.request_id(7), other.request_id(7));
    }
}
