//! What the benchmark is told.

use std::path::{Path, PathBuf};

/// What is measured, and where the results go.
pub(crate) struct Arguments {
    pub(crate) is_full: bool,
    pub(crate) json: PathBuf,
    pub(crate) chart: PathBuf,
    pub(crate) page: Option<PathBuf>,
    sections: Vec<String>,
}

impl Arguments {
    /// Paths begin at the top of the repository, wherever cargo starts a benchmark.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>, sections: &[&str]) -> Self {
        let below_target = |name| Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut read = Self {
            is_full: false,
            json: below_target("speed.json"),
            chart: below_target("speed.svg"),
            page: None,
            sections: Vec::new(),
        };
        let path = |argument: Option<String>| {
            Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(argument.expect("the name of a file behind the flag"))
        };
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--full" => read.is_full = true,
                "--json" => read.json = path(arguments.next()),
                "--chart" => read.chart = path(arguments.next()),
                "--page" => read.page = Some(path(arguments.next())),
                // cargo says so to everyone.
                "--bench" => {}
                name => {
                    assert!(sections.contains(&name), "there is no section {name}; there are {}", sections.join(", "));
                    read.sections.push(argument);
                }
            }
        }
        read
    }

    /// Whether a section was asked for: if none was, all were.
    pub(crate) fn names(&self, section: &str) -> bool {
        self.sections.is_empty() || self.sections.iter().any(|named| named == section)
    }
}
