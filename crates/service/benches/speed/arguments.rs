//! What the benchmark is told.

use std::path::PathBuf;

/// What is measured, and where the results go.
pub(crate) struct Arguments {
    pub(crate) is_full: bool,
    pub(crate) json: PathBuf,
    pub(crate) chart: PathBuf,
    sections: Vec<String>,
}

impl Arguments {
    /// Paths are taken from where cargo starts a benchmark, the directory of its package.
    pub(crate) fn read(mut arguments: impl Iterator<Item = String>, sections: &[&str]) -> Self {
        let below_target = |name| PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        let mut read =
            Self { is_full: false, json: below_target("speed.json"), chart: below_target("speed.svg"), sections: Vec::new() };
        while let Some(argument) = arguments.next() {
            match &*argument {
                "--full" => read.is_full = true,
                "--json" => read.json = arguments.next().expect("--json takes a file").into(),
                "--chart" => read.chart = arguments.next().expect("--chart takes a file").into(),
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
