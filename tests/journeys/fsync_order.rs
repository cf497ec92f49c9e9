//! No answer leaves before the disk has what it acknowledges: shown by the order of the system calls.
//!
//! A kill proves nothing of it, since the kernel still writes what a killed process gave it.

use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::process::Command;

use super::webhook::body;
use crate::servers::suppressd::{Launch, data, executable};

/// The calls that write, sync, rename and answer.
const TRACED: &str = "trace=write,pwrite64,writev,fsync,fdatasync,rename,renameat,renameat2,sendto,sendmsg";

/// How many webhooks are delivered, one after the other.
const WEBHOOKS: usize = 25;

/// What a trace shows of the answers.
#[derive(Debug, Default, PartialEq, Eq)]
struct Shown {
    /// Answers that left after all that was written before them was synced, something among it.
    after_sync: usize,
    /// Answers that left while something that was written was not synced, or nothing was.
    too_early: usize,
}

/// Files as they stand between a write and the answer to it.
#[derive(Default)]
struct Disk {
    /// Journals and letters that were written to and not synced.
    unsynced: BTreeSet<String>,
    /// Directories in which a name was made and not synced.
    unsynced_names: BTreeSet<String>,
    synced_since_answer: usize,
}

impl Disk {
    fn take(&mut self, call: &Call<'_>, shown: &mut Shown) {
        let path = call.path();
        let is_evidence = path.ends_with("/0.jnl") || path.contains("/letters/");
        let is_answer =
            path.starts_with("socket:") && ["HTTP/1.1 200", "HTTP/1.1 400"].iter().any(|head| call.arguments.contains(head));
        match call.name {
            "write" | "pwrite64" | "writev" | "sendto" | "sendmsg" if is_answer => {
                if self.unsynced.is_empty() && self.unsynced_names.is_empty() && self.synced_since_answer > 0 {
                    shown.after_sync += 1;
                } else {
                    shown.too_early += 1;
                }
                self.synced_since_answer = 0;
            }
            "write" | "pwrite64" | "writev" if is_evidence => drop(self.unsynced.insert(path.to_owned())),
            "fsync" | "fdatasync" => {
                self.unsynced_names.remove(path);
                // A file is renamed only after it was synced, so the name it was written under is the one to look for.
                if self.unsynced.remove(path) {
                    self.synced_since_answer += 1;
                }
            }
            "rename" | "renameat" | "renameat2" => {
                if let Some(directory) = call.arguments.split('"').nth(3).and_then(|to| to.rsplit_once('/')) {
                    self.unsynced_names.insert(directory.0.to_owned());
                }
            }
            _ => {}
        }
    }
}

/// One finished call.
struct Call<'a> {
    name: &'a str,
    arguments: String,
}

impl Call<'_> {
    /// What its first argument, a descriptor, stands for: `7</path>` or `7<socket:[1]>`.
    fn path(&self) -> &str {
        self.arguments.split_once('<').and_then(|(_, rest)| rest.split_once('>')).map_or("", |(path, _)| path)
    }
}

/// Reads a trace in the order in which the calls ended; an answer counts when its call began.
fn read(trace: &str) -> Shown {
    let mut shown = Shown::default();
    let mut disk = Disk::default();
    let mut begun: HashMap<&str, Call<'_>> = HashMap::new();
    for line in trace.lines() {
        let Some((thread, event)) = line.split_once(' ') else { continue };
        let event = event.trim_start();
        if event.starts_with("<... ") {
            let Some(call) = begun.remove(thread) else { continue };
            // One that failed synced nothing.
            if event.ends_with("= 0") || !call.name.ends_with("sync") {
                disk.take(&call, &mut shown);
            }
        } else if let Some((name, arguments)) = event.split_once('(') {
            let call = Call { name, arguments: arguments.to_owned() };
            let is_answer = call.path().starts_with("socket:");
            if event.ends_with("<unfinished ...>") && !is_answer {
                begun.insert(thread, call);
            } else if event.ends_with("= 0") || !name.ends_with("sync") {
                disk.take(&call, &mut shown);
            }
        }
    }
    shown
}

/// Delivers new events and, now and then, what needs a letter, and says what the system calls show.
fn trace(directory: &Path, flags: &[&str]) -> Shown {
    let file = directory.join("trace");
    let mut strace = Command::new("strace");
    // As a grandchild, so that the process under test is the one that is signalled.
    strace.args(["-D", "-f", "-y", "-s", "64", "-e", TRACED, "-o"]).arg(&file).arg(executable());
    let server = Launch::by(strace, data(directory).to_str().unwrap()).flags(flags).start();
    let webhook = server.webhook();
    let before = std::fs::read_to_string(&file).unwrap().len();
    for number in 0..WEBHOOKS {
        if number % 5 == 4 {
            assert_eq!(webhook.post(format!("no JSON {number}")).status, 400);
        } else {
            let rcpt = format!("r{number}@example.com");
            assert_eq!(webhook.post(body("b", &rcpt, "bad-mailbox", number)).counts(), [1, 0, 0, 0]);
        }
    }
    read(&server.terminate_traced(&file)[before..])
}

#[test]
fn no_answer_leaves_before_its_sync() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(trace(directory.path(), &[]), Shown { after_sync: WEBHOOKS, too_early: 0 });
}

#[test]
fn without_syncing_the_proof_fails() {
    let directory = tempfile::tempdir().unwrap();
    assert_eq!(trace(directory.path(), &["--unsafe-no-fsync"]), Shown { after_sync: 0, too_early: WEBHOOKS });
}
