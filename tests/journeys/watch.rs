//! What changes, for whoever keeps a copy of the suppressed addresses: each change exactly once, whoever is killed meanwhile.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use suppressd_core::LetterLimits;
use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore, MAX_RECORDS_IN_MEMORY_BYTES};
use suppressd_core::store::{CHANGES_KEPT, ChangePosition, ChangeStore};
use suppressd_service::proto::ListSuppressionsRequest;
use tempfile::TempDir;

use super::Ground;
use super::webhook::body;
use crate::clients::http::Webhook;
use crate::clients::rust_admin::Admin;
use crate::servers::front::Front;
use crate::servers::redis_cluster::await_condition;
use crate::servers::suppressd::{Suppressd, data};
use crate::servers::watcher::{Watched, Watcher};
use crate::stores::block_on;

super::on_both_stores!(
    a_watcher_that_is_killed_hears_of_every_change_once,
    a_watcher_whose_connection_is_cut_hears_of_every_change_once,
    a_watcher_whose_server_is_killed_hears_of_every_change_once,
    a_watcher_that_was_away_for_too_long_begins_anew,
);

/// How often the watcher is killed, and its connection cut.
const KILLS: usize = 50;

/// How often the server is, unless `WATCH_SERVER_KILLS` says otherwise.
const SERVER_KILLS: usize = 10;

/// A machine that is busy with other tests may take its time: that is no loss.
const PATIENT: [&str; 2] = ["--redis-read-deadline-ms", "10000"];

/// Changes between two kills, at least.
const BETWEEN_KILLS: usize = 4;

/// Addresses that are suppressed and lifted in turn.
const BY_HAND: usize = 16;

/// Where a load goes: the server's doors, which may be others after it was killed.
type Doors = Arc<RwLock<(SocketAddr, String)>>;

fn doors_of(server: &Suppressd) -> (SocketAddr, String) {
    (server.http(), server.grpc_url())
}

/// Clients that deliver, suppress and lift all the time.
struct Load {
    is_over: Arc<AtomicBool>,
    acknowledged: Arc<AtomicUsize>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    fn begin(doors: &Doors) -> Self {
        let mut load = Self { is_over: Arc::default(), acknowledged: Arc::default(), clients: Vec::new() };
        for client in 0..2 {
            load.add(doors, move |(http, _), number| {
                let rcpt = format!("r{client}-{number}@example.com");
                let category = ["bad-mailbox", "quota-issues", "other"][number % 3];
                Webhook::at(*http).try_post(body("b", &rcpt, category, number)).is_ok_and(|answer| answer.status == 200)
            });
        }
        load.add(doors, |(_, grpc), number| {
            let (email, admin) = (format!("h{}@example.com", number % BY_HAND), Admin::at(grpc));
            // Lifted as often as suppressed, and some of both once more.
            if number % 5 < 3 { admin.suppress(&email, "asked to").is_ok() } else { admin.lift(&email, "back").is_ok() }
        });
        load
    }

    /// One client, which says of each number whether it was acknowledged.
    fn add(&mut self, doors: &Doors, make: impl Fn(&(SocketAddr, String), usize) -> bool + Send + 'static) {
        let (doors, is_over, acknowledged) = (Arc::clone(doors), Arc::clone(&self.is_over), Arc::clone(&self.acknowledged));
        self.clients.push(thread::spawn(move || {
            let mut number = 0;
            while !is_over.load(Ordering::Relaxed) {
                let door = doors.read().unwrap().clone();
                if make(&door, number) {
                    acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                number += 1;
                // The machine has more to do.
                thread::sleep(Duration::from_millis(2));
            }
        }));
    }

    fn await_more(&self) {
        let before = self.acknowledged.load(Ordering::Relaxed);
        let is_more = || (self.acknowledged.load(Ordering::Relaxed) >= before + BETWEEN_KILLS).then_some(());
        await_condition("too little is acknowledged", is_more);
    }

    /// Gives how much was acknowledged.
    fn end(self) -> usize {
        self.is_over.store(true, Ordering::Relaxed);
        self.clients.into_iter().for_each(|client| client.join().unwrap());
        self.acknowledged.load(Ordering::Relaxed)
    }
}

fn embedded(directory: &TempDir) -> EmbeddedStore {
    let settings = EmbeddedSettings {
        directory: data(directory.path()),
        letter_limits: LetterLimits::default(),
        changes_kept: CHANGES_KEPT,
        max_records_in_memory_bytes: MAX_RECORDS_IN_MEMORY_BYTES,
        waits_for_disk: true,
    };
    EmbeddedStore::open(&settings).unwrap()
}

/// Before all changes: to be asked for before there are any.
fn beginning(ground: &Ground) -> ChangePosition {
    block_on(async {
        match ground {
            Ground::Embedded(directory) => embedded(directory).end_of_changes().await.unwrap(),
            Ground::Redis(redis) => redis.store().end_of_changes().await.unwrap(),
        }
    })
}

/// All changes behind a position, as the store has them.
async fn all_changes(store: impl ChangeStore, mut position: ChangePosition) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    loop {
        let page = store.changes_behind(&position).await.unwrap().expect("all that there ever were are kept");
        for change in page.changes {
            position.pass(&change);
            assert!(ids.insert(change.id.into()), "the store tells of a change twice");
        }
        if !page.has_more {
            return ids;
        }
    }
}

/// Ends the server, and reads all changes behind its back.
fn changes_of(ground: &Ground, server: Suppressd, beginning: ChangePosition) -> BTreeSet<String> {
    server.kill();
    block_on(async {
        match ground {
            Ground::Embedded(directory) => all_changes(embedded(directory), beginning).await,
            Ground::Redis(redis) => all_changes(redis.store(), beginning).await,
        }
    })
}

/// How a copy differs from the store, after so many changes.
pub(super) fn is_copy(watched: &Watched, acknowledged: usize, suppressed: &BTreeSet<String>) -> Result<(), String> {
    let missing: Vec<_> = suppressed.difference(&watched.mirror).collect();
    let left: Vec<_> = watched.mirror.difference(suppressed).collect();
    if watched.changes.len() >= acknowledged && missing.is_empty() && left.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{acknowledged} changes were acknowledged; suppressed, but not in the copy: {missing:?}; the other way round: {left:?}"
    ))
}

/// Which changes were not heard of.
fn has_heard_of(watched: &Watched, all: &BTreeSet<String>) -> Result<(), String> {
    let heard = watched.each_once();
    let missing: Vec<_> = all.iter().filter(|id| !heard.contains(id.as_str())).collect();
    if missing.is_empty() { Ok(()) } else { Err(format!("of {} changes it has not heard of {missing:?}", all.len())) }
}

/// Ends the load, and compares what the watcher has heard of with what there is.
fn compare(ground: &Ground, beginning: ChangePosition, server: Suppressd, load: Load, watcher: &Watcher) {
    let acknowledged = load.end();
    // Whoever keeps a copy has the same in the end, and no change is missing.
    let listed = server.admin().list(ListSuppressionsRequest::default(), || {});
    let suppressed: BTreeSet<String> = listed.into_iter().map(|listed| listed.email).collect();
    let copied = watcher.look_for(|watched| is_copy(watched, acknowledged, &suppressed));
    if copied.is_ok() {
        // Nothing more comes: the last change that there is has been heard of.
        server.admin().suppress("last@example.com", "the end").unwrap();
        watcher.await_that("the last change", |watched| watched.mirror.contains("last@example.com"));
    }
    let all = changes_of(ground, server, beginning);
    let heard = watcher.look_for(|watched| has_heard_of(watched, &all));
    let heard = match (copied, heard) {
        (Ok(_), Ok(heard)) => heard,
        (copied, heard) => panic!("{}\n{}", copied.err().unwrap_or_default(), heard.err().unwrap_or_default()),
    };
    assert_eq!(heard.changes.len(), all.len(), "it has heard of what never was");
    assert_eq!((heard.resets, heard.is_whole), (1, true), "it began once, and went on ever after");
    assert!(all.len() > acknowledged, "{} changes of {acknowledged} that were acknowledged", all.len());
}

fn a_watcher_that_is_killed_hears_of_every_change_once(ground: &Ground) {
    let beginning = beginning(ground);
    let server = ground.launch().flags(&PATIENT).start();
    let doors: Doors = Arc::new(RwLock::new(doors_of(&server)));
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("changes.ndjson");
    let url = server.grpc_url();
    let mut watcher = Watcher::start(&url, &file, &[]);
    watcher.await_that("the beginning", |watched| watched.is_whole);
    let load = Load::begin(&doors);
    let mut written = 0;
    for _ in 0..KILLS {
        written = watcher.await_longer_than(written);
        watcher.kill();
        watcher = Watcher::start(&url, &file, &[]);
    }
    compare(ground, beginning, server, load, &watcher);
}

fn a_watcher_whose_connection_is_cut_hears_of_every_change_once(ground: &Ground) {
    let beginning = beginning(ground);
    let server = ground.launch().flags(&PATIENT).start();
    let doors: Doors = Arc::new(RwLock::new(doors_of(&server)));
    let front = Front::of(server.grpc().port());
    let directory = tempfile::tempdir().unwrap();
    let watcher = Watcher::start(&front.url(), &directory.path().join("changes.ndjson"), &[]);
    watcher.await_that("the beginning", |watched| watched.is_whole);
    let load = Load::begin(&doors);
    let mut written = 0;
    for _ in 0..KILLS {
        written = watcher.await_longer_than(written);
        front.cut();
    }
    compare(ground, beginning, server, load, &watcher);
}

fn a_watcher_whose_server_is_killed_hears_of_every_change_once(ground: &Ground) {
    let beginning = beginning(ground);
    let kills = std::env::var("WATCH_SERVER_KILLS").map_or(SERVER_KILLS, |kills| kills.parse().unwrap());
    let start = || ground.launch().flags(&PATIENT).start();
    let mut server = start();
    let doors: Doors = Arc::new(RwLock::new(doors_of(&server)));
    let front = Front::of(server.grpc().port());
    let directory = tempfile::tempdir().unwrap();
    let watcher = Watcher::start(&front.url(), &directory.path().join("changes.ndjson"), &[]);
    watcher.await_that("the beginning", |watched| watched.is_whole);
    let load = Load::begin(&doors);
    let mut written = 0;
    for _ in 0..kills {
        load.await_more();
        written = watcher.await_longer_than(written);
        server.kill();
        server = start();
        front.stand_before(server.grpc().port());
        *doors.write().unwrap() = doors_of(&server);
    }
    compare(ground, beginning, server, load, &watcher);
}

fn a_watcher_that_was_away_for_too_long_begins_anew(ground: &Ground) {
    let server = ground.launch().flags(&PATIENT).flags(&["--changes-kept", "1"]).start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("changes.ndjson");
    let admin = server.admin();
    admin.suppress("a@example.com", "asked to").unwrap();
    let watcher = Watcher::start(&server.grpc_url(), &file, &[]);
    watcher.await_that("the beginning", |watched| watched.is_whole && watched.mirror.len() == 1);
    watcher.kill();
    admin.lift("a@example.com", "back").unwrap();
    // Redis keeps whole blocks, of a hundred times up to sixteen changes.
    for first in (0..4000).step_by(500) {
        let event = |number: usize| body("b", "b@example.com", "bad-mailbox", number * 3600);
        let bodies: Vec<_> = (first..first + 500).map(event).collect();
        assert_eq!(server.webhook().post(bodies.join("\n")).counts()[0], 500);
    }
    let watcher = Watcher::start(&server.grpc_url(), &file, &[]);
    let heard = watcher.await_that("a new beginning", |watched| watched.resets == 2 && watched.is_whole);
    assert_eq!(heard.mirror, BTreeSet::from(["b@example.com".to_owned()]));
}
