//! The same events into SQLite (WAL, `synchronous = FULL`), by the same group commit: one writer inserts all that waits in one
//! transaction, by a prepared statement, and answers after the commit.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};
use std::path::Path;

use bytes::Bytes;
use rusqlite::{Connection, params};
use suppressd_core::Event;
use tokio::sync::{mpsc, oneshot};

use super::alone::Recording;
use super::door;
use super::parse::Fields;

/// What makes the benchmark's executable a server that takes webhooks into SQLite; behind it stands the file.
pub(super) const FLAG: &str = "--serve-sqlite";

/// Most events that wait for the writer.
const MAX_QUEUED: usize = 4096;

/// Evidence as `suppressd` keeps it. Without numbers of the rows the key is all that has to be found.
const TABLE: &str = "CREATE TABLE evidence (email TEXT NOT NULL, id INTEGER NOT NULL, time INTEGER NOT NULL, kind TEXT NOT NULL, \
                     category TEXT NOT NULL, status TEXT NOT NULL, vmta TEXT NOT NULL, account TEXT NOT NULL, \
                     PRIMARY KEY (email, id)) WITHOUT ROWID";

const INSERT: &str = "INSERT INTO evidence VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING";

/// A database with its writer. Clones share it.
#[derive(Clone)]
pub(super) struct Sqlite {
    queue: mpsc::Sender<Job>,
}

struct Job {
    row: Row,
    inserted: oneshot::Sender<()>,
}

/// What is kept of an event.
struct Row {
    email: String,
    id: i64,
    time: i64,
    kind: String,
    category: String,
    status: String,
    vmta: String,
    account: String,
}

impl Sqlite {
    pub(super) fn open(file: &Path) -> Self {
        let database = Connection::open(file).unwrap();
        database.pragma_update(None, "journal_mode", "WAL").unwrap();
        database.pragma_update(None, "synchronous", "FULL").unwrap();
        database.execute(TABLE, ()).unwrap();
        let (queue, jobs) = mpsc::channel(MAX_QUEUED);
        std::thread::spawn(move || commit_all(&database, jobs));
        Self { queue }
    }

    async fn insert(&self, row: Row) {
        let (inserted, is_inserted) = oneshot::channel();
        self.queue.send(Job { row, inserted }).await.unwrap();
        is_inserted.await.unwrap();
    }
}

impl Recording for Sqlite {
    async fn record(&self, event: Event) {
        let text = |part: Option<String>| part.unwrap_or_default();
        let row = Row {
            email: event.recipient.as_str().to_owned(),
            id: hash(&[event.id.as_str()]),
            time: event.time.get(),
            kind: event.kind.as_wire().to_owned(),
            category: event.category.as_str().to_owned(),
            status: text(event.status.map(|code| code.to_string())),
            vmta: (*event.vmta).into(),
            account: (*event.account).into(),
        };
        self.insert(row).await;
    }
}

fn hash(parts: &[&str]) -> i64 {
    let mut hasher = DefaultHasher::new();
    parts.hash(&mut hasher);
    hasher.finish().cast_signed()
}

/// Until nobody can send any more.
fn commit_all(database: &Connection, mut jobs: mpsc::Receiver<Job>) {
    let mut insert = database.prepare(INSERT).unwrap();
    let mut begin = database.prepare("BEGIN IMMEDIATE").unwrap();
    let mut commit = database.prepare("COMMIT").unwrap();
    let mut answers = Vec::new();
    while let Some(first) = jobs.blocking_recv() {
        begin.execute(()).unwrap();
        let mut next = Some(first);
        while let Some(Job { row, inserted }) = next {
            let Row { email, id, time, kind, category, status, vmta, account } = row;
            insert.execute(params![email, id, time, kind, category, status, vmta, account]).unwrap();
            answers.push(inserted);
            next = jobs.try_recv().ok();
        }
        commit.execute(()).unwrap();
        for inserted in answers.drain(..) {
            // Whoever asked waits for it.
            inserted.send(()).unwrap();
        }
    }
}

/// Runs as the server: what one would write who wants to keep what webhooks bring, and no more.
pub(super) fn serve(file: &Path) {
    let sqlite = Sqlite::open(file);
    door::serve(move |body| insert_all(sqlite.clone(), body));
}

async fn insert_all(sqlite: Sqlite, body: Bytes) -> usize {
    let mut events = 0;
    for line in door::lines(&body) {
        let fields: Fields<'_> = serde_json::from_slice(line).unwrap();
        let row = Row {
            email: fields.rcpt.to_lowercase(),
            id: hash(&[&fields.kind, &fields.message_id, &fields.rcpt, &fields.time_logged]),
            time: fields.time_logged.parse().unwrap(),
            kind: fields.kind.into_owned(),
            category: fields.bounce_cat.into_owned(),
            status: fields.dsn_status.split(' ').next().unwrap_or_default().to_owned(),
            vmta: fields.vmta.into_owned(),
            account: fields.rcv_smtp_user.into_owned(),
        };
        sqlite.insert(row).await;
        events += 1;
    }
    events
}
