//! What lies in files, byte by byte.

use std::path::{Path, PathBuf};

/// The files below a directory that hold some bytes, in whatever case.
pub(crate) fn files_with(directory: &Path, wanted: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(path) = open.pop() {
        // A file may go while its directory is read.
        let Ok(kind) = path.symlink_metadata() else { continue };
        if kind.is_dir() {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if kind.is_file() && std::fs::read(&path).is_ok_and(|bytes| holds(&bytes, wanted)) {
            found.push(path);
        }
    }
    found
}

/// Whether bytes hold some others, in whatever case.
pub(crate) fn holds(bytes: &[u8], wanted: &str) -> bool {
    let wanted = wanted.to_ascii_lowercase().into_bytes();
    let bytes = bytes.to_ascii_lowercase();
    let mut from = 0;
    while let Some(next) = bytes[from..].iter().position(|byte| *byte == wanted[0]) {
        if bytes[from + next..].starts_with(&wanted) {
            return true;
        }
        from += next + 1;
    }
    false
}
