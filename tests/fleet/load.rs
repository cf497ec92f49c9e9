//! Clients that deliver webhooks as a provider does: each batch is sent until it is acknowledged, at one door and then at the next,
//! and some come once more.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::ledger::{Batch, Comparison, Ledger};
use super::nodes::{Doors, Fleet, Role};
use super::watch::{Checked, Watch};
use crate::clients::http::{Answer, Webhook};
use crate::servers::redis_cluster::await_condition;

/// Clients that deliver at the same time, and the events in each of their batches.
const CLIENTS: usize = 6;
const BATCH: usize = 20;

/// One of so many batches comes once more although it was acknowledged.
const REPEATED_EVERY: usize = 8;

/// Events that are acknowledged after all that is done, at least.
const AFTERWARDS: usize = 500;

/// How long a client rests that was told to come again. A provider waits longer.
const PAUSE: Duration = Duration::from_millis(10);

/// Longest time until a batch is acknowledged.
const PATIENCE: Duration = Duration::from_mins(2);

/// Clients under way.
pub(super) struct Load {
    shared: Arc<Shared>,
    clients: Vec<JoinHandle<usize>>,
    size: usize,
}

/// What is known of them while they are.
pub(super) struct Shared {
    doors: Arc<Doors>,
    is_over: AtomicBool,
    acknowledged: AtomicUsize,
    /// Addresses that are suppressed, and since when that was acknowledged.
    pub(super) suppressed: Mutex<Vec<(Instant, String)>>,
    tally: Tally,
}

/// What was answered that was not an acknowledgement.
#[derive(Default)]
pub(super) struct Tally {
    pub(super) unavailable: AtomicUsize,
    pub(super) cut_off: AtomicUsize,
    /// Events of a batch that was acknowledged before, and that were not known when it came once more.
    pub(super) forgotten: AtomicUsize,
}

/// What all clients did.
#[derive(Debug)]
pub(super) struct Delivered {
    pub(super) unavailable: usize,
    pub(super) cut_off: usize,
    pub(super) forgotten: usize,
}

impl Load {
    /// So many clients, each with one batch of that size at a time.
    pub(super) fn start(doors: &Arc<Doors>, clients: usize, size: usize) -> Self {
        let shared = Arc::new(Shared {
            doors: Arc::clone(doors),
            is_over: AtomicBool::new(false),
            acknowledged: AtomicUsize::new(0),
            suppressed: Mutex::default(),
            tally: Tally::default(),
        });
        let start = |client| {
            let mut client = Client { number: client, shared: Arc::clone(&shared), webhook: None };
            thread::spawn(move || client.deliver(size))
        };
        Self { clients: (0..clients).map(start).collect(), shared, size }
    }

    pub(super) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    /// Waits until so many more events are acknowledged.
    pub(super) fn await_more(&self, events: usize) {
        let enough = self.shared.acknowledged.load(Ordering::Relaxed) + events;
        await_condition("too little is acknowledged", || {
            assert!(self.clients.iter().all(|client| !client.is_finished()), "a client gave up");
            (self.shared.acknowledged.load(Ordering::Relaxed) >= enough).then_some(())
        });
    }

    /// Checks, too, while something is done and some time after, and compares what was acknowledged in the end.
    pub(super) fn during(self, fleet: &mut Fleet, work: impl FnOnce(&mut Fleet, &Self)) -> Report {
        let watch = Watch::start(&fleet.doors, &self);
        work(fleet, &self);
        self.await_more(AFTERWARDS);
        let (ledger, delivered) = self.stop();
        Report { checked: watch.stop(), comparison: ledger.compare(fleet), delivered }
    }

    /// Ends it when what is under way is acknowledged.
    fn stop(self) -> (Ledger, Delivered) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        let batches: Vec<_> = self.clients.into_iter().map(|client| client.join().unwrap()).collect();
        let ledger = Ledger { batches, size: self.size, ended: Instant::now() };
        let count = |count: &AtomicUsize| count.load(Ordering::Relaxed);
        let Tally { unavailable, cut_off, forgotten } = &self.shared.tally;
        let delivered = Delivered { unavailable: count(unavailable), cut_off: count(cut_off), forgotten: count(forgotten) };
        println!("{} events acknowledged, {delivered:?}", ledger.events());
        (ledger, delivered)
    }
}

/// What came of all that was delivered and asked while something was done.
pub(super) struct Report {
    pub(super) comparison: Comparison,
    pub(super) delivered: Delivered,
    pub(super) checked: Checked,
}

/// Delivers and checks while something is done and some time after, and compares what was acknowledged in the end.
pub(super) fn under_load(fleet: &mut Fleet, work: impl FnOnce(&mut Fleet, &Load)) -> Report {
    Load::start(&fleet.doors, CLIENTS, BATCH).during(fleet, work)
}

impl Report {
    /// Nothing is lost, nothing counts twice, and no check was answered by less than what was acknowledged before its bound.
    pub(super) fn assert_exact(&self) {
        assert_eq!(self.delivered.forgotten, 0);
        self.comparison.assert_exact();
        self.checked.assert_right();
    }

    /// As `assert_exact`; besides, nobody was told more than to come again.
    pub(super) fn assert_nothing_cut_off(&self) {
        self.assert_exact();
        assert_eq!((self.delivered.cut_off, self.checked.cut_off), (0, 0));
    }

    /// That the other tests are right: they would have seen it.
    pub(super) fn assert_lost(&self) {
        let Self { comparison, delivered, .. } = self;
        assert!(comparison.lost + delivered.forgotten > 0, "none is lost: no test can fail by what was done");
        assert!(comparison.wrong_verdicts > 0, "{comparison}");
    }
}

struct Client {
    number: usize,
    shared: Arc<Shared>,
    webhook: Option<(SocketAddr, Webhook)>,
}

impl Client {
    /// Gives how many batches were acknowledged: all that were sent.
    fn deliver(&mut self, size: usize) -> usize {
        let mut number = 0;
        while !self.shared.is_over.load(Ordering::Relaxed) {
            let batch = Batch { client: self.number, number, size };
            let body = batch.body();
            let attempts = self.send_until_acknowledged(&body, size);
            let now = Instant::now();
            self.shared.suppressed.lock().unwrap().extend(batch.hard().map(|email| (now, email)));
            self.shared.acknowledged.fetch_add(size, Ordering::Relaxed);
            if number % REPEATED_EVERY == 0 {
                self.send_once_more(&body, size, attempts);
            }
            number += 1;
        }
        number
    }

    /// Gives how often it was sent.
    fn send_until_acknowledged(&mut self, body: &str, size: usize) -> usize {
        let started = Instant::now();
        for attempts in 1.. {
            if let Some([recorded, duplicate, ignored, rejected]) = self.send(body, attempts) {
                assert_eq!((recorded + duplicate, ignored, rejected), (size as u64, 0, 0));
                assert!(attempts > 1 || duplicate == 0, "an event that is new was taken for another");
                return attempts;
            }
            assert!(started.elapsed() < PATIENCE, "a batch is not acknowledged");
            thread::sleep(PAUSE);
        }
        unreachable!("attempts do not end");
    }

    /// As a provider does that has not heard the acknowledgement.
    fn send_once_more(&mut self, body: &str, size: usize, attempts: usize) {
        if let Some([recorded, duplicate, ..]) = self.send(body, attempts + 1) {
            assert_eq!(recorded + duplicate, size as u64);
            self.shared.tally.forgotten.fetch_add(usize::try_from(recorded).unwrap(), Ordering::Relaxed);
        }
    }

    /// Sends it, each time to another door. Gives the counts of an acknowledgement.
    fn send(&mut self, body: &str, attempt: usize) -> Option<[u64; 4]> {
        let door = self.shared.doors.door(Role::Ingest, self.number + attempt);
        if self.webhook.as_ref().is_none_or(|(known, _)| *known != door) {
            self.webhook = Some((door, Webhook::at(door)));
        }
        let (_, webhook) = self.webhook.as_ref()?;
        let tally = &self.shared.tally;
        match webhook.try_post(body) {
            Ok(answer @ Answer { status: 200, .. }) => return Some(answer.counts()),
            Ok(Answer { status: 503, retry_after: Some(_), .. }) => tally.unavailable.fetch_add(1, Ordering::Relaxed),
            Ok(answer) => panic!("neither an acknowledgement nor a request to come again: {answer:?}"),
            // What became of it is not known.
            Err(_) => tally.cut_off.fetch_add(1, Ordering::Relaxed),
        };
        None
    }
}
