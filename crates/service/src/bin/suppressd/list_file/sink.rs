//! Where the lists go. A file appears under its name when all of it is on the disk, and not before.

use std::fs::{File, Permissions};
use std::io::Write;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use tempfile::TempPath;

/// What a new file may be, less what the process's mask takes away.
const NEW_FILE_MODE: u32 = 0o666;

/// A file in the making. It is removed if it is not completed.
pub(crate) struct Unfinished {
    path: PathBuf,
    temporary: TempPath,
}

impl Unfinished {
    /// Begins a file beside the one that it is to be.
    pub(crate) fn begin(path: &Path) -> anyhow::Result<(Self, File)> {
        let shown = path.display();
        // A link stays one, and one file has one name.
        let path = path.canonicalize().or_else(|_| new_path(path)).with_context(|| format!("cannot write {shown}"))?;
        let before = path.metadata().ok();
        // A device must not become a file.
        ensure!(before.as_ref().is_none_or(std::fs::Metadata::is_file), "{shown} is no file");
        let name = path.file_name().with_context(|| format!("{shown} is no file"))?.to_string_lossy().into_owned();
        let begun = tempfile::Builder::new()
            .prefix(&format!(".{name}."))
            .suffix(".incomplete")
            .permissions(Permissions::from_mode(NEW_FILE_MODE))
            .tempfile_in(directory(&path));
        let (file, temporary) = begun.with_context(|| format!("cannot write beside {shown}"))?.into_parts();
        if let Some(before) = before {
            file.set_permissions(before.permissions()).with_context(|| format!("cannot write beside {shown}"))?;
        }
        Ok((Self { path, temporary }, file))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Gives it its name. What it holds must be on the disk.
    pub(crate) fn complete(self) -> anyhow::Result<()> {
        let Self { path, temporary } = self;
        temporary.persist(&path).with_context(|| format!("cannot write {}", path.display()))?;
        sync_directory_of(&path)
    }
}

/// Waits until the names in the directory of a file are on the disk.
pub(crate) fn sync_directory_of(path: &Path) -> anyhow::Result<()> {
    let directory = directory(path);
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.with_context(|| format!("cannot sync {}", directory.display()))
}

fn new_path(path: &Path) -> std::io::Result<PathBuf> {
    Ok(directory(path).canonicalize()?.join(path.file_name().unwrap_or_default()))
}

fn directory(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Where a list is written to.
pub(crate) enum Sink {
    File(File),
    StandardOutput(std::io::Stdout),
}

impl Sink {
    /// Waits until all that was written is where it should be.
    pub(crate) fn sync(&mut self) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.sync_all(),
            Self::StandardOutput(output) => output.flush(),
        }
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::File(file) => file.write(bytes),
            Self::StandardOutput(output) => output.write(bytes),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::File(file) => file.flush(),
            Self::StandardOutput(output) => output.flush(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let names = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    #[test]
    fn a_file_has_its_name_only_when_it_is_complete() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("clean.csv");
        let (unfinished, mut file) = Unfinished::begin(&path).unwrap();
        file.write_all(b"half").unwrap();
        assert!(!path.exists() && names(directory.path()).len() == 1);
        drop(unfinished);
        assert!(names(directory.path()).is_empty());

        std::fs::write(&path, "before").unwrap();
        std::fs::set_permissions(&path, Permissions::from_mode(0o640)).unwrap();
        let (unfinished, mut file) = Unfinished::begin(&path).unwrap();
        file.write_all(b"after").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"before");
        unfinished.complete().unwrap();
        assert_eq!((std::fs::read(&path).unwrap(), names(directory.path()).len()), (b"after".to_vec(), 1));
        assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o640);
    }

    #[test]
    fn a_device_stays_one() {
        assert!(Unfinished::begin(Path::new("/dev/null")).is_err());
        assert!(Unfinished::begin(Path::new("/")).is_err());
    }
}
