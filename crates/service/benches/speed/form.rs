//! The two forms of the benchmark: one to run by the way, and one to publish.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use tempfile::TempDir;

use crate::server::Server;
use crate::stage::Stage;

/// How much is measured.
pub(crate) struct Form {
    pub(crate) is_full: bool,
    /// Rounds that count.
    pub(crate) rounds: usize,
    /// Addresses with evidence.
    pub(crate) sizes: &'static [usize],
    /// What is set up for one section and stays for the next, by the number of addresses with evidence.
    pub(crate) serving: RefCell<BTreeMap<usize, Rc<Server>>>,
    pub(crate) stages: RefCell<BTreeMap<usize, Rc<Stage>>>,
    directory: TempDir,
}

impl Form {
    /// At most three minutes in all.
    pub(crate) fn quick() -> Self {
        Self::new(false, 5, &[1_000_000])
    }

    pub(crate) fn full() -> Self {
        Self::new(true, 9, &[1_000_000, 10_000_000])
    }

    fn new(is_full: bool, rounds: usize, sizes: &'static [usize]) -> Self {
        let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        Self { is_full, rounds, sizes, serving: RefCell::default(), stages: RefCell::default(), directory }
    }

    pub(crate) fn name(&self) -> &'static str {
        self.pick("quick", "full")
    }

    /// What differs from one form to the other.
    pub(crate) fn pick<T>(&self, quick: T, full: T) -> T {
        if self.is_full { full } else { quick }
    }

    /// A place on the disk where the build is, which is gone with the benchmark.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// The same for one thing by a name.
    pub(crate) fn place(&self, name: &str) -> PathBuf {
        self.directory().join(name)
    }
}
