//! What a server does for every check and every event, in instructions, held against the committed figures.

use std::error::Error;
use std::fmt::Write as _;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::Duration;

use suppressd_core::event::body::Body;
use suppressd_core::opinion::opinion;
use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore, MAX_RECORDS_IN_MEMORY_BYTES};
use suppressd_core::store::{EvidenceStore as _, FilteredStore};
use suppressd_core::{AddressList, Case, EnhancedStatusCode, Event, Incidents, LetterLimits, Rulebook, UnixSeconds, verdict};
use tokio::runtime::Runtime;

use crate::callgrind;
use crate::committed::{self, MAX_GROWTH_PERCENT};
use crate::replies::TYPICAL;

/// Addresses that have evidence, two events each.
const STORED: usize = 2000;

/// Operations that are counted together, so that what belongs to none of them does not matter.
const OPERATIONS: usize = 100;
const BATCH: usize = 1000;
const ONE_STORED_IN: usize = 33;

/// Long enough that the filter is believed to the end.
const BELIEVED: Duration = Duration::from_hours(1);

/// Webhooks that are recorded, in the shorter run and in the longer one.
const WEBHOOKS: [usize; 2] = [2, 8];
const EVENTS_PER_WEBHOOK: usize = 500;

/// More than are recorded.
const CHANGES_KEPT: usize = 100_000;

const NOW: UnixSeconds = UnixSeconds::clamped(1_700_000_000);

/// Work that every check or every event comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum HotPath {
    /// A check of an address of which nothing is known, from its text to the answer's words.
    CheckMiss,
    /// The same of an address with two events.
    CheckHit,
    /// One address of a batch of 1000, 3 % of which have evidence.
    Batch,
    /// Reading a delivery, one line of many.
    ParseDelivery,
    /// Reading a bounce, second opinion included.
    ParseBounce,
    /// The second opinion alone.
    Classify,
    /// Recording an event of a new address in a directory, by all threads, with nothing to wait for.
    Record,
}

impl HotPath {
    const ALL: [Self; 7] =
        [Self::CheckMiss, Self::CheckHit, Self::Batch, Self::ParseDelivery, Self::ParseBounce, Self::Classify, Self::Record];

    fn name(self) -> &'static str {
        match self {
            Self::CheckMiss => "check, nothing known",
            Self::CheckHit => "check, two events known",
            Self::Batch => "an address of a batch",
            Self::ParseDelivery => "parse a delivery",
            Self::ParseBounce => "parse a bounce",
            Self::Classify => "classify a reply",
            Self::Record => "record an event",
        }
    }
}

/// Counts all paths and prints them. Says whether none costs too much.
pub(crate) fn report() -> Result<bool, Box<dyn Error>> {
    let counts = count()?;
    println!("\n{:28}{:>14}{:>14}{:>9}", "an operation", "instructions", "committed", "");
    let mut all_hold = true;
    for (path, count) in HotPath::ALL.into_iter().zip(counts) {
        let committed = committed::instructions(path);
        let holds = count * 100 <= committed * (100 + MAX_GROWTH_PERCENT);
        #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
        let growth = (count as f64 / committed as f64 - 1.0) * 100.0;
        let verdict = if holds { "" } else { "  GREW: see committed.rs" };
        println!("{:28}{count:>14}{committed:>14}{growth:>+8.1}%{verdict}", path.name());
        all_hold &= holds;
    }
    Ok(all_hold)
}

/// What an operation of each path costs.
fn count() -> Result<[u64; HotPath::ALL.len()], Box<dyn Error>> {
    let of_calls = callgrind::of_calls(&[CALLS])?;
    let [check_miss, check_hit, batch, parse_delivery, parse_bounce, classify] = of_calls[..] else {
        return Err(format!("{} counts of hot paths", of_calls.len()).into());
    };
    // What only the longer run has is the same work once more, whatever the start and the end cost.
    let [shorter, longer] = WEBHOOKS.map(|webhooks| callgrind::of_all_threads(&[RECORD, &webhooks.to_string()]));
    let recorded = longer?.checked_sub(shorter?).ok_or("more webhooks cost less")?;
    let of = |count: u64, operations: usize| count / operations as u64;
    Ok([
        of(check_miss, OPERATIONS),
        of(check_hit, OPERATIONS),
        of(batch, BATCH),
        of(parse_delivery, OPERATIONS),
        of(parse_bounce, OPERATIONS),
        of(classify, TYPICAL.len()),
        of(recorded, (WEBHOOKS[1] - WEBHOOKS[0]) * EVENTS_PER_WEBHOOK),
    ])
}

/// The argument with which the program runs again for the paths that a call is.
pub(crate) const CALLS: &str = "--hot-paths";

/// The argument with which it runs again to record; behind it, how many webhooks.
pub(crate) const RECORD: &str = "--record";

/// Each path but the last, in their order.
pub(crate) fn run_calls() {
    let directory = Directory::new();
    let runtime = runtime();
    let store = FilteredStore::new(directory.open(), BELIEVED);
    let rulebook = Rulebook::default();
    let stored = bodies(0, 2 * STORED / EVENTS_PER_WEBHOOK, &rulebook);
    runtime.block_on(async {
        for events in stored {
            store.record(&events).await.expect("the directory takes events");
        }
        tokio::select! {
            never = store.follow() => match never {},
            () = until_confirmed(&store) => {}
        }
    });

    let unknown: Vec<String> = (0..BATCH).map(|number| format!("healthy.{number}@example{}.com", number % 97)).collect();
    let known: Vec<String> = (0..OPERATIONS).map(recipient).collect();
    let mixed: Vec<String> =
        (0..BATCH).map(|number| if number % ONE_STORED_IN == 0 { recipient(number) } else { unknown[number].clone() }).collect();
    let check = |emails: &[String]| {
        for email in emails {
            runtime.block_on(answer(&store, &rulebook, std::slice::from_ref(email)));
        }
    };
    callgrind::count(|| check(&unknown[..OPERATIONS]));
    callgrind::count(|| check(&known));
    callgrind::count(|| runtime.block_on(answer(&store, &rulebook, &mixed)));

    for body in [deliveries(), bounces(0, OPERATIONS)] {
        callgrind::count(|| {
            let read = Body::read(body.as_bytes(), NOW, rulebook.classifier());
            assert_eq!(black_box(read).events.len(), OPERATIONS);
        });
    }
    callgrind::count(|| {
        for (_, status, words) in TYPICAL {
            black_box(opinion(EnhancedStatusCode::from_wire(status), words));
        }
    });
}

/// The last path.
pub(crate) fn run_record(webhooks: usize) {
    let directory = Directory::new();
    let store = directory.open();
    // As many are read in every run.
    let bodies = bodies(0, WEBHOOKS[1], &Rulebook::default());
    runtime().block_on(async {
        for events in bodies.iter().take(webhooks) {
            black_box(store.record(events).await.expect("the directory takes events"));
        }
    });
}

/// Judges addresses as a server does it, and words the verdicts on those of which something is known.
async fn answer(store: &FilteredStore<EmbeddedStore>, rulebook: &Rulebook, emails: &[String]) {
    let (addresses, refused) = AddressList::recipients(emails.iter().map(String::as_str));
    assert!(refused.is_empty());
    let addresses: Vec<_> = addresses.iter().collect();
    let known = store.find(&addresses).await.expect("the directory can be read").into_known();
    for record in known.iter().filter_map(|(_, found)| found.record.as_ref()) {
        let judged = verdict(&rulebook.policy, &Incidents::default(), Case::new(record, None), NOW);
        black_box(judged.to_string());
    }
}

async fn until_confirmed(store: &FilteredStore<EmbeddedStore>) {
    while store.filter_state().is_none_or(|state| state.lag.is_none()) {
        tokio::task::yield_now().await;
    }
}

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().build().expect("a runtime")
}

/// Webhooks of bounces, taken apart.
fn bodies(first: usize, webhooks: usize, rulebook: &Rulebook) -> Vec<Vec<Event>> {
    let events = |webhook: usize| {
        let body = bounces((first + webhook) * EVENTS_PER_WEBHOOK, EVENTS_PER_WEBHOOK);
        Body::read(body.as_bytes(), NOW, rulebook.classifier()).events
    };
    (0..webhooks).map(events).collect()
}

/// Two for each recipient, one a line.
fn bounces(first: usize, events: usize) -> String {
    let mut body = String::new();
    for number in first..first + events {
        let _ = writeln!(
            body,
            "{{\"type\":\"b\",\"timeLogged\":\"{}\",\"timeQueued\":\"1699999000\",\"orig\":\"news@sender.example\",\"rcpt\":\"{}\",\
             \"dsnAction\":\"failed\",\"dsnStatus\":\"4.2.2 (mailbox full)\",\"dsnDiag\":\"smtp;{}\",\"dsnMta\":\"mx1.example.com (192.0.2.25)\",\
             \"bounceCat\":\"quota-issues\",\"srcType\":\"smtp\",\"srcMta\":\"app1.sender.example\",\"dlvSourceIp\":\"198.51.100.7\",\
             \"dlvDestinationIp\":\"192.0.2.25\",\"vmta\":\"mta1\",\"jobId\":\"autumn\",\"rcvSmtpUser\":\"acme\",\
             \"header_Message-Id\":\"<{number}@sender.example>\"}}",
            1_699_000_000 + number,
            recipient(number / 2),
            TYPICAL[1].2,
        );
    }
    body
}

fn deliveries() -> String {
    let mut body = String::new();
    for number in 0..OPERATIONS {
        let _ = writeln!(
            body,
            "{{\"type\":\"d\",\"timeLogged\":\"{}\",\"timeQueued\":\"1699999000\",\"orig\":\"news@sender.example\",\"rcpt\":\"{}\",\
             \"dsnAction\":\"relayed\",\"dsnStatus\":\"2.0.0 (success)\",\"dsnDiag\":\"smtp;250 2.0.0 OK queued as 4Rr2Lk1\",\
             \"dsnMta\":\"mx1.example.com (192.0.2.25)\",\"srcType\":\"smtp\",\"srcMta\":\"app1.sender.example\",\
             \"dlvSourceIp\":\"198.51.100.7\",\"dlvDestinationIp\":\"192.0.2.25\",\"vmta\":\"mta1\",\"jobId\":\"autumn\",\
             \"rcvSmtpUser\":\"acme\",\"header_Message-Id\":\"<{number}@sender.example>\"}}",
            1_699_000_000 + number,
            recipient(number),
        );
    }
    body
}

fn recipient(number: usize) -> String {
    format!("recipient.{number}@example{}.com", number % 97)
}

/// Of the program's own, below the build's; removed when it goes.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("hot-paths-{}", std::process::id()));
        Self(path)
    }

    fn open(&self) -> EmbeddedStore {
        let settings = EmbeddedSettings {
            directory: self.0.clone(),
            letter_limits: LetterLimits::default(),
            changes_kept: CHANGES_KEPT,
            max_records_in_memory_bytes: MAX_RECORDS_IN_MEMORY_BYTES,
            waits_for_disk: false,
        };
        EmbeddedStore::open(&settings).expect("a new directory can be opened")
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // A directory that is left costs nobody anything.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
