//! The book of incidents: one file of JSON, held in memory while the store is open.

use std::fmt::Write as _;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest as _, Sha256};

use super::disk::{replace_file, sync_directory};
use super::{EmbeddedStore, io_failed};
use crate::store::{BookVersion, IncidentStore};
use crate::{Error, IncidentBook};

/// The name of the file.
const FILE: &str = "incidents.json";

/// The file. A time with another digit in it would be another verdict and still be JSON, so it says what it should be.
#[derive(Deserialize)]
struct Stored<'a> {
    version: u64,
    #[serde(borrow)]
    sha256: &'a str,
    #[serde(borrow)]
    incidents: &'a RawValue,
}

/// The book, on the disk and in memory.
pub(super) struct IncidentFile {
    directory: PathBuf,
    waits_for_disk: bool,
    /// Held over the disk's work. Who only reads does not wait for it.
    writing: Mutex<()>,
    kept: Mutex<(BookVersion, IncidentBook)>,
}

impl IncidentStore for EmbeddedStore {
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        Ok(self.shared.incidents.unless(known))
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        let book = book.clone();
        self.on_waiting_thread(move |shared| shared.incidents.replace(known, book)).await
    }
}

impl IncidentFile {
    /// Reads the book; one that cannot be read is not taken for an empty one, since that would change verdicts.
    pub(super) fn open(directory: &Path, waits_for_disk: bool) -> Result<Self, Error> {
        let path = directory.join(FILE);
        let kept = match std::fs::read(&path) {
            Ok(bytes) => read(&bytes).ok_or_else(|| damaged(&path))?,
            Err(error) if error.kind() == ErrorKind::NotFound => <(BookVersion, IncidentBook)>::default(),
            Err(error) => return Err(io_failed("read", &path, &error)),
        };
        Ok(Self { directory: directory.to_path_buf(), waits_for_disk, writing: Mutex::default(), kept: Mutex::new(kept) })
    }

    fn kept(&self) -> MutexGuard<'_, (BookVersion, IncidentBook)> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn unless(&self, known: Option<BookVersion>) -> Option<(BookVersion, IncidentBook)> {
        let kept = self.kept();
        (known != Some(kept.0)).then(|| kept.clone())
    }

    /// Waits for the disk.
    fn replace(&self, known: BookVersion, book: IncidentBook) -> Result<bool, Error> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        if self.kept().0 != known {
            return Ok(false);
        }
        let version = BookVersion(known.0.saturating_add(1));
        let bytes = write(version, &book)?;
        let path = self.directory.join(FILE);
        replace_file(&path, &bytes, self.waits_for_disk).map_err(|error| io_failed("write", &path, &error))?;
        if self.waits_for_disk {
            sync_directory(&self.directory).map_err(|error| io_failed("sync", &self.directory, &error))?;
        }
        *self.kept() = (version, book);
        Ok(true)
    }
}

fn write(version: BookVersion, book: &IncidentBook) -> Result<Vec<u8>, Error> {
    let incidents = serde_json::to_string_pretty(book)
        .map_err(|error| Error::StoreFailed { reason: format!("the incidents cannot be written: {error}") })?;
    let sha256 = digest(version.0, &incidents);
    let BookVersion(version) = version;
    Ok(format!("{{\"version\": {version}, \"sha256\": \"{sha256}\", \"incidents\": {incidents}}}\n").into_bytes())
}

fn read(bytes: &[u8]) -> Option<(BookVersion, IncidentBook)> {
    let stored: Stored<'_> = serde_json::from_slice(bytes).ok()?;
    let incidents = stored.incidents.get();
    let is_whole = digest(stored.version, incidents) == stored.sha256;
    let book = serde_json::from_str(incidents).ok().filter(|_| is_whole)?;
    Some((BookVersion(stored.version), book))
}

/// Of the version and the incidents as they are written.
fn digest(version: u64, incidents: &str) -> String {
    let digest = Sha256::new().chain_update(version.to_be_bytes()).chain_update(incidents).finalize();
    digest.iter().fold(String::with_capacity(2 * digest.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn damaged(path: &Path) -> Error {
    Error::StoreDamaged {
        reason: format!(
            "the incidents in {} cannot be read; restore that file from a backup, or move it away to go on without incidents",
            path.display()
        ),
    }
}
