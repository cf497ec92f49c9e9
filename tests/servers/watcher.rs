//! A `suppressd watch` of a test's own, and what it has written.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::suppressd::{PATIENCE, command};

/// Writes what changes to a file, and is killed when it goes.
pub(crate) struct Watcher {
    child: Child,
    file: PathBuf,
    /// What it says of itself, behind what those said who wrote the file before it.
    log: PathBuf,
}

impl Watcher {
    /// Goes on in a file, or begins one.
    pub(crate) fn start(url: &str, file: &Path, arguments: &[&str]) -> Self {
        let mut command = command();
        command.args(["watch", "--server", url, "--output"]).arg(file).args(arguments).stdout(Stdio::null());
        Self::spawn(command, file)
    }

    /// Prints lines for people to a file, and keeps its token in another one.
    pub(crate) fn print(url: &str, file: &Path, token: &Path) -> Self {
        let mut command = command();
        command.args(["watch", "--server", url, "--token-file"]).arg(token).stdout(File::create(file).unwrap());
        Self::spawn(command, file)
    }

    fn spawn(mut command: Command, file: &Path) -> Self {
        let log = file.with_extension("log");
        let kept = File::options().create(true).append(true).open(&log).unwrap();
        let child = command.stderr(kept).spawn().unwrap();
        Self { child, file: file.to_owned(), log }
    }

    /// Kills it with no chance to write anything.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits, with a bound, until what it wrote is so.
    pub(crate) fn await_that(&self, what: &str, is_so: impl Fn(&Watched) -> bool) -> Watched {
        let looked = self.look_for(|watched| if is_so(watched) { Ok(()) } else { Err(String::new()) });
        looked.unwrap_or_else(|otherwise| panic!("never: {what}{otherwise}"))
    }

    /// Waits, with a bound, until nothing is amiss with what it wrote. Else says what is, and what it said itself.
    pub(crate) fn look_for(&self, amiss: impl Fn(&Watched) -> Result<(), String>) -> Result<Watched, String> {
        let started = Instant::now();
        loop {
            let watched = Watched::read(&self.file);
            let Err(why) = amiss(&watched) else { return Ok(watched) };
            if started.elapsed() > PATIENCE {
                return Err(format!("{why}; {}", self.described(&watched)));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    fn described(&self, watched: &Watched) -> String {
        let Watched { changes, mirror, resets, is_whole } = watched;
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        format!(
            "it has heard of {} changes, {} are suppressed, {resets} resets, the last snapshot is whole: {is_whole}; it said: {log:?}",
            changes.len(),
            mirror.len(),
        )
    }

    /// Waits until it has written more, and says how long the file is then.
    pub(crate) fn await_longer_than(&self, bytes: u64) -> u64 {
        let started = Instant::now();
        loop {
            let length = self.file.metadata().map_or(0, |metadata| metadata.len());
            if length > bytes {
                return length;
            }
            assert!(started.elapsed() < PATIENCE, "it writes no more");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was written.
#[derive(Debug, Default)]
pub(crate) struct Watched {
    /// The ids of changes, in their order.
    pub(crate) changes: Vec<String>,
    /// Those who are suppressed, by all lines.
    pub(crate) mirror: BTreeSet<String>,
    /// Snapshots that were begun.
    pub(crate) resets: usize,
    /// Whether the last of them is whole.
    pub(crate) is_whole: bool,
}

impl Watched {
    /// Reads whole lines: the last one may be being written.
    pub(crate) fn read(file: &Path) -> Self {
        let mut watched = Self::default();
        let text = std::fs::read_to_string(file).unwrap_or_default();
        for line in text.split_inclusive('\n').filter(|line| line.ends_with('\n')) {
            watched.take(&serde_json::from_str(line).unwrap_or_else(|_| panic!("no line of JSON: {line}")));
        }
        watched
    }

    fn take(&mut self, line: &Value) {
        assert!(!line["token"].as_str().unwrap().is_empty());
        match line["type"].as_str().unwrap() {
            "reset" => {
                self.mirror.clear();
                self.resets += 1;
                self.is_whole = false;
            }
            "snapshot" => self.note(line),
            "snapshot-end" => self.is_whole = true,
            "change" => {
                self.changes.push(line["id"].as_str().unwrap().to_owned());
                self.note(line);
            }
            other => panic!("there is no line of type {other}"),
        }
    }

    fn note(&mut self, line: &Value) {
        let email = line["email"].as_str().unwrap().to_owned();
        if line["suppressed"].as_bool().unwrap() {
            self.mirror.insert(email);
        } else {
            self.mirror.remove(&email);
        }
    }

    /// The ids, of which there must be none twice.
    pub(crate) fn each_once(&self) -> BTreeSet<&str> {
        let ids: BTreeSet<_> = self.changes.iter().map(String::as_str).collect();
        assert_eq!(ids.len(), self.changes.len(), "a change came twice");
        ids
    }
}
