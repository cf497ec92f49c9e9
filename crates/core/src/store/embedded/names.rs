//! How the directory names addresses: a file beside the tree says it.

use std::io::ErrorKind;
use std::path::Path;

use super::disk::{replace_file, sync_directory};
use super::tree::Tree;
use super::{EmbeddedStore, io_failed, keys, read_failed};
use crate::Error;
use crate::store::StoredNames;
use crate::store::names::Begun;

/// The name of the file.
const FILE: &str = "addresses";

impl EmbeddedStore {
    /// Agrees with the store on how it names addresses: by the key that this tells from others, or as they are. To be called
    /// before it is used. A store without a record begins anew.
    ///
    /// # Errors
    ///
    /// [`Error::StoreFailed`] if it names them by a key, and that is not the one that is given; others if that cannot be read or
    /// written.
    pub fn agree_on_names(&self, check: Option<&str>) -> Result<StoredNames, Error> {
        let directory = self.shared.compaction.directory();
        let path = directory.join(FILE);
        let found = read(&path)?;
        let begun = if has_records(&self.shared.tree)? { Begun::WithRecords } else { Begun::Empty };
        let agreed = StoredNames::agreed(found.as_ref(), check, begun)?;
        if found.as_ref() != Some(&agreed) {
            let written = replace_file(&path, format!("{agreed}\n").as_bytes(), true).and_then(|()| sync_directory(directory));
            written.map_err(|error| io_failed("write", &path, &error))?;
        }
        Ok(agreed)
    }
}

fn read(path: &Path) -> Result<Option<StoredNames>, Error> {
    match std::fs::read_to_string(path) {
        Ok(text) => text.parse().map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io_failed("read", path, &error)),
    }
}

fn has_records(tree: &Tree) -> Result<bool, Error> {
    match tree.moment().range(keys::records(None)).next() {
        Some(first) => first.key().map(|_| true).map_err(|error| read_failed(&error)),
        None => Ok(false),
    }
}
