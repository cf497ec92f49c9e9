//! Files and names that outlive a loss of power.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use super::io_failed;
use crate::Error;

/// Ending of a file that is being written; one that is found at an opening was never acknowledged.
pub(super) const UNFINISHED: &str = "new";

/// Writes a file in the place of the one of that name, whole or not at all. The name is durable when the directory was synced.
pub(super) fn replace_file(path: &Path, bytes: &[u8], waits_for_disk: bool) -> std::io::Result<()> {
    let unfinished = path.with_extension(UNFINISHED);
    let mut file = File::create(&unfinished)?;
    file.write_all(bytes)?;
    if waits_for_disk {
        file.sync_all()?;
    }
    std::fs::rename(&unfinished, path)
}

/// Makes a directory and its parents, each of them durably.
pub(super) fn make_directory(path: &Path) -> Result<(), Error> {
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
pub(super) fn sync_directory(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}
