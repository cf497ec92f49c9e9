//! A store alone, in a process of its own: events come ready from many producers, each of which waits for one to be durable before
//! it hands over the next. Without HTTP and without JSON, what the stores themselves cost stands side by side.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{ChildStdin, ChildStdout, Stdio};
use std::time::SystemTime;

use suppressd_core::event::body::Body;
use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore, MAX_RECORDS_IN_MEMORY_BYTES};
use suppressd_core::store::{CHANGES_KEPT, EvidenceStore, Outcome};
use suppressd_core::{Classifier, Event, LetterLimits, UnixSeconds};
use tokio::task::JoinSet;

use super::load::Load;
use super::sqlite::Sqlite;
use crate::process::{OwnChild, SERVER_CORES, cpu_of, on_cores};
use crate::rounds::{Cost, cost_of};

/// What makes the benchmark's executable a process with the embedded store; behind it stand the directory and how many produce.
pub(super) const FLAG_STORE: &str = "--record-in-store";

/// The same with SQLite, and the file of the database.
pub(super) const FLAG_SQLITE: &str = "--record-in-sqlite";

/// Words of the conversation.
const READY: &str = "ready?";
const GO: &str = "go";
const DONE: &str = "done";

/// What events are recorded in.
pub(super) trait Recording: Clone + Send + Sync + 'static {
    /// Done when it is durable.
    fn record(&self, event: Event) -> impl Future<Output = ()> + Send;
}

impl Recording for EmbeddedStore {
    async fn record(&self, event: Event) {
        assert_eq!(EvidenceStore::record(self, &[event]).await.unwrap(), [Outcome::Recorded]);
    }
}

/// The process, and the conversation with it.
pub(super) struct Alone {
    child: OwnChild,
    asking: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Alone {
    pub(super) fn start(flag: &str, place: &Path, producers: usize) -> Self {
        let mut command = on_cores(SERVER_CORES, std::env::current_exe().unwrap());
        command.arg(flag).arg(place).arg(producers.to_string()).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = OwnChild::spawn(&mut command);
        let asking = child.child().stdin.take().unwrap();
        let answers = BufReader::new(child.child().stdout.take().unwrap());
        Self { child, asking, answers }
    }

    /// Records the events of a round. They are made ready before.
    pub(super) fn cost(&mut self, load: Load, round: usize) -> Cost {
        for body in load.bodies(round) {
            self.asking.write_all(body.as_bytes()).unwrap();
        }
        self.tell(READY);
        let id = self.child.id();
        cost_of(|| cpu_of(id), load.events(), || self.tell(GO))
    }

    /// Says something, and waits until it is done.
    fn tell(&mut self, line: &str) {
        writeln!(self.asking, "{line}").unwrap();
        let mut answer = String::new();
        self.answers.read_line(&mut answer).unwrap();
        assert_eq!(answer.trim_end(), DONE);
    }
}

/// Runs as the process with the embedded store.
pub(super) fn record_in_store(directory: &Path, producers: usize) {
    let settings = EmbeddedSettings {
        directory: directory.to_path_buf(),
        letter_limits: LetterLimits::default(),
        changes_kept: CHANGES_KEPT,
        max_records_in_memory_bytes: MAX_RECORDS_IN_MEMORY_BYTES,
        waits_for_disk: true,
    };
    record_what_comes(&EmbeddedStore::open(&settings).unwrap(), producers);
}

/// Runs as the process with SQLite.
pub(super) fn record_in_sqlite(file: &Path, producers: usize) {
    record_what_comes(&Sqlite::open(file), producers);
}

/// Events, one a line; `ready?`, which is answered when they are; `go`, which is answered when all are recorded; again and again.
fn record_what_comes(store: &impl Recording, producers: usize) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut lines = std::io::stdin().lines().map(Result::unwrap);
    let classifier = Classifier::with_extra(&[]).unwrap();
    let mut body = String::new();
    while let Some(line) = lines.next() {
        if line != READY {
            body.extend([&line, "\n"]);
            continue;
        }
        let now = UnixSeconds::from(SystemTime::now());
        let events = Body::read(std::mem::take(&mut body).as_bytes(), now, &classifier).events;
        println!("{DONE}");
        assert_eq!(lines.next().unwrap(), GO);
        runtime.block_on(record_all(store, events, producers));
        println!("{DONE}");
    }
}

/// Each producer has as many as the others.
async fn record_all(store: &impl Recording, events: Vec<Event>, producers: usize) {
    let each = events.len() / producers;
    let mut events = events.into_iter();
    let mut all = JoinSet::new();
    for _ in 0..producers {
        let (store, share) = (store.clone(), events.by_ref().take(each).collect::<Vec<_>>());
        all.spawn(async move {
            for event in share {
                store.record(event).await;
            }
        });
    }
    while let Some(ended) = all.join_next().await {
        ended.unwrap();
    }
}
