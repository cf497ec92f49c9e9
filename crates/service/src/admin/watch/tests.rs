use std::time::{Duration, Instant};

use prometheus_client::registry::Registry;
use suppressd_core::event::body::Body;
use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore as _, amend_incidents};
use suppressd_core::{Act, Address, Classifier, Incident, IncidentBook, ManualEntry, Origin, Scope, UnixSeconds};
use tokio_stream::StreamExt as _;
use tonic::Code;
use tonic_types::StatusExt as _;

use super::*;
use crate::Metrics;
use crate::proto::watch_suppressions_response::Message;
use crate::proto::{WatchedAddress, WatchedChangeKind};

/// Changes that the store keeps here.
const KEPT: usize = 100;

/// Longest time for anything on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(20);

/// A store that is watched.
struct Ground {
    store: MemoryStore,
    watches: Watches<MemoryStore>,
    drain: watch::Sender<bool>,
    rules: watch::Sender<Arc<Rulebook>>,
}

impl Ground {
    fn new(limits: &Limits) -> Self {
        let store = MemoryStore::default().keeping_changes(KEPT);
        let (in_force, rules) = watch::channel(Arc::new(Rulebook::default()));
        let (drain, draining) = watch::channel(false);
        let incidents = KnownIncidents::new(store.clone(), Metrics::register(&mut Registry::default()), limits);
        let watches = Watches::new(store.clone(), rules, incidents, limits, draining);
        Self { store, watches, drain, rules: in_force }
    }

    fn watch(&self, token: &str, skip_snapshot: bool) -> Heard {
        let request = WatchSuppressionsRequest { token: token.to_owned(), skip_snapshot };
        Heard(self.watches.begin(&request).unwrap())
    }

    async fn suppress(&self, name: &str) {
        let entry = ManualEntry::new(UnixSeconds::clamped(1), None, "ops", "asked to").unwrap();
        self.store.suppress(&address(name), entry).await.unwrap();
    }

    async fn lift(&self, name: &str) {
        self.store.lift(&address(name), UnixSeconds::clamped(5_000_000_000), "ops", "x").await.unwrap();
    }

    async fn bounce(&self, name: &str, category: &str) {
        let body = format!(r#"{{"type":"b","rcpt":"{name}","timeLogged":"1700000000","bounceCat":"{category}"}}"#);
        let events = Body::read(body.as_bytes(), UnixSeconds::clamped(1_700_000_000), Classifier::builtin()).events;
        self.store.record(&events).await.unwrap();
    }
}

fn address(name: &str) -> Address {
    name.parse().unwrap()
}

/// What a client hears.
struct Heard(Parts<WatchSuppressionsResponse>);

impl Heard {
    async fn next(&mut self) -> Result<(Message, String), Status> {
        let next = tokio::time::timeout(PATIENCE, self.0.next()).await.unwrap();
        let WatchSuppressionsResponse { token, message } = next.expect("it says why it ends")?;
        Ok((message.unwrap(), token))
    }

    /// In words.
    async fn said(&mut self) -> String {
        match self.next().await {
            Ok((message, _)) => in_words(&message),
            Err(status) => format!("{:?}", status.code()),
        }
    }

    async fn said_next(&mut self, messages: usize) -> Vec<String> {
        let mut all = Vec::new();
        for _ in 0..messages {
            all.push(self.said().await);
        }
        all
    }
}

fn in_words(message: &Message) -> String {
    let of = |address: &WatchedAddress| format!("{} {}", address.email, address.suppressed());
    match message {
        Message::Reset(_) => "reset".into(),
        Message::SnapshotEntry(address) => format!("snapshot {}", of(address)),
        Message::SnapshotEnd(_) => "end".into(),
        Message::Change(change) => {
            let event = if change.kind() == WatchedChangeKind::Event { &change.event_class } else { change.kind().as_str_name() };
            format!("change {} {event}", of(change.address.as_ref().unwrap()))
        }
        Message::Bookmark(_) => "bookmark".into(),
    }
}

#[tokio::test]
async fn a_snapshot_comes_first_and_then_what_changes() {
    let ground = Ground::new(&Limits::default());
    ground.suppress("by-hand@x.example").await;
    ground.bounce("gone@x.example", "bad-mailbox").await;
    ground.bounce("full@x.example", "quota-issues").await;
    let mut heard = ground.watch("", false);
    let begun = ["reset", "snapshot by-hand@x.example true", "snapshot gone@x.example true", "end"];
    assert_eq!(heard.said_next(4).await, begun);
    ground.lift("by-hand@x.example").await;
    ground.bounce("new@x.example", "bad-mailbox").await;
    ground.suppress("full@x.example").await;
    let changed = [
        "change by-hand@x.example false WATCHED_CHANGE_KIND_LIFTED",
        "change new@x.example true hard",
        "change full@x.example true WATCHED_CHANGE_KIND_SUPPRESSED",
    ];
    assert_eq!(heard.said_next(3).await, changed);
}

#[tokio::test]
async fn what_changes_while_a_snapshot_is_made_comes_behind_it() {
    let ground = Ground::new(&Limits::default());
    ground.suppress("a@x.example").await;
    ground.suppress("b@x.example").await;
    let mut heard = ground.watch("", false);
    assert_eq!(heard.said().await, "reset");
    let (message, token) = heard.next().await.unwrap();
    assert_eq!(in_words(&message), "snapshot a@x.example true");
    drop(heard);
    ground.lift("b@x.example").await;
    ground.suppress("c@x.example").await;
    // It is cut off in the middle of a page, which comes again as it is by now.
    let rest = [
        "snapshot a@x.example true",
        "snapshot c@x.example true",
        "end",
        "change b@x.example false WATCHED_CHANGE_KIND_LIFTED",
        "change c@x.example true WATCHED_CHANGE_KIND_SUPPRESSED",
    ];
    assert_eq!(ground.watch(&token, false).said_next(5).await, rest);
}

#[tokio::test]
async fn each_token_goes_on_behind_its_message() {
    let ground = Ground::new(&Limits::default());
    let mut first = ground.watch("", true);
    let (reset, mut token) = first.next().await.unwrap();
    assert_eq!(in_words(&reset), "reset");
    drop(first);
    for number in 0..KEPT / 2 {
        ground.suppress(&format!("{number:02}@x.example")).await;
    }
    for number in 0..KEPT / 2 {
        let (message, next) = ground.watch(&token, false).next().await.unwrap();
        assert_eq!(in_words(&message), format!("change {number:02}@x.example true WATCHED_CHANGE_KIND_SUPPRESSED"));
        token = next;
    }
}

#[tokio::test]
async fn a_token_that_is_too_old_gets_a_new_snapshot() {
    let ground = Ground::new(&Limits::default());
    let mut first = ground.watch("", false);
    let mut tokens = Vec::new();
    for expected in ["reset", "end"] {
        let (message, token) = first.next().await.unwrap();
        assert_eq!(in_words(&message), expected);
        tokens.push(token);
    }
    drop(first);
    for _ in 0..=KEPT {
        ground.suppress("a@x.example").await;
    }
    for token in &tokens {
        assert_eq!(ground.watch(token, false).said_next(3).await, ["reset", "snapshot a@x.example true", "end"]);
        let mut without = ground.watch(token, true);
        assert_eq!(without.said().await, "reset");
        ground.suppress("a@x.example").await;
        assert_eq!(without.said().await, "change a@x.example true WATCHED_CHANGE_KIND_SUPPRESSED");
    }
    let other = Ground::new(&Limits::default());
    other.suppress("z@x.example").await;
    let mut with_another_stores = other.watch(&ground.watch("", true).next().await.unwrap().1, false);
    assert_eq!(with_another_stores.said_next(3).await, ["reset", "snapshot z@x.example true", "end"]);
}

#[tokio::test]
async fn when_verdicts_are_formed_otherwise_a_new_snapshot_comes() {
    let ground = Ground::new(&Limits::default());
    ground.bounce("gone@x.example", "bad-mailbox").await;
    ground.suppress("by-hand@x.example").await;
    let mut heard = ground.watch("", false);
    let whole = ["snapshot by-hand@x.example true", "snapshot gone@x.example true", "end"];
    assert_eq!(heard.said_next(1).await, ["reset"]);
    assert_eq!(heard.said_next(2).await, whole[..2]);
    let (_, before) = heard.next().await.unwrap();

    let otherwise = Rulebook::from_toml("[classes]\n\"bad-mailbox\" = \"unmapped\"\n").unwrap();
    ground.rules.send_replace(Arc::new(otherwise));
    let without_it = ["reset", "snapshot by-hand@x.example true", "end"];
    assert_eq!(heard.said_next(3).await, without_it);
    // Whoever was away meanwhile hears of it too, and who was there does not again.
    assert_eq!(ground.watch(&before, false).said_next(3).await, without_it);
    ground.rules.send_replace(Arc::default());
    assert_eq!(heard.said_next(1).await, ["reset"]);
    assert_eq!(heard.said_next(3).await, whole);
    ground.suppress("new@x.example").await;
    let changed = "change new@x.example true WATCHED_CHANGE_KIND_SUPPRESSED";
    assert_eq!(heard.said().await, changed);
    assert_eq!(ground.watch(&before, false).said().await, changed);
}

#[tokio::test]
async fn an_incident_makes_a_new_snapshot() {
    let limits = Limits { incidents_freshness: Duration::from_millis(1), ..Limits::default() };
    let ground = Ground::new(&limits);
    ground.bounce("gone@x.example", "bad-mailbox").await;
    let mut heard = ground.watch("", false);
    assert_eq!(heard.said_next(3).await, ["reset", "snapshot gone@x.example true", "end"]);
    let (from, to) = (UnixSeconds::clamped(1_600_000_000), UnixSeconds::clamped(1_800_000_000));
    let scope = Scope { from, to, vmta: None, domain: Some("x.example".into()), rule: None };
    let act = Act::new(from, "ops", "an outage").unwrap();
    let open = |book: &mut IncidentBook| book.open(Incident::opened(scope.clone(), Origin::Operator, act.clone()));
    amend_incidents(&ground.store, open).await.unwrap();
    assert_eq!(heard.said_next(2).await, ["reset", "end"]);
}

#[tokio::test]
async fn who_hears_nothing_hears_that_nothing_changes() {
    let limits = Limits { watch_bookmark_interval: Duration::from_millis(10), ..Limits::default() };
    let ground = Ground::new(&limits);
    let mut heard = ground.watch("", true);
    assert_eq!(heard.said_next(4).await, ["reset", "bookmark", "bookmark", "bookmark"]);
}

#[tokio::test]
async fn who_is_too_slow_is_cut_off_and_told_to_go_on() {
    let limits = Limits { watcher_take_timeout: Duration::from_millis(50), ..Limits::default() };
    let ground = Ground::new(&limits);
    let mut heard = ground.watch("", true);
    let (_, mut token) = heard.next().await.unwrap();
    let changes = KEPT - 10;
    for number in 0..changes {
        ground.suppress(&format!("{number:02}@x.example")).await;
    }
    // Its room is free again although it takes nothing: it has been cut off.
    let started = Instant::now();
    while ground.watches.room.available_permits() < limits.max_watchers {
        assert!(started.elapsed() < PATIENCE);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut told = 0;
    let status = loop {
        match heard.next().await {
            Ok((_, next)) => (token, told) = (next, told + 1),
            Err(status) => break status,
        }
    };
    assert_eq!(status.code(), Code::Unavailable);
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "TOO_SLOW");
    assert!(0 < told && told <= MAX_MESSAGES_WAITING, "{told}");
    let mut rest = ground.watch(&token, false);
    for number in told..changes {
        assert_eq!(rest.said().await, format!("change {number:02}@x.example true WATCHED_CHANGE_KIND_SUPPRESSED"));
    }
}

#[tokio::test]
async fn a_drain_ends_it_and_its_room_is_bounded() {
    let limits = Limits { max_watchers: 1, ..Limits::default() };
    let ground = Ground::new(&limits);
    let mut heard = ground.watch("", true);
    assert_eq!(heard.said().await, "reset");
    let refused = ground.watches.begin(&WatchSuppressionsRequest::default()).err().unwrap();
    assert_eq!(refused.code(), Code::ResourceExhausted);
    ground.drain.send_replace(true);
    let status = heard.next().await.unwrap_err();
    assert_eq!(status.get_error_details().error_info().unwrap().reason, "DRAINING");
}

#[tokio::test]
async fn what_is_no_token_is_refused() {
    let ground = Ground::new(&Limits::default());
    let request = WatchSuppressionsRequest { token: "garbage".to_owned(), skip_snapshot: false };
    assert_eq!(ground.watches.begin(&request).err().unwrap().code(), Code::InvalidArgument);
}
