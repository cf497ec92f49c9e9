//! Questions that go through the whole store: what if the policy were another one, what if an incident were opened.

use std::sync::Arc;
use std::time::{Duration, Instant};

use suppressd_core::store::{ListingPage, ListingPlace, ListingStore, Progress};
use suppressd_core::{Act, Error, Incident, Incidents, Origin, Policy, Scope, Standpoint, Tally, UnixSeconds, VerdictChange};
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::{Parts, fault};
use crate::judge::now;
use crate::proto::WhatIf;
use crate::{Limits, status};

/// Records that are judged at a time: whatever else the thread has to do waits no longer than that.
const RECORDS_PER_PAGE: usize = 500;

/// Most parts that wait for the client to take them.
const MAX_PARTS_WAITING: usize = 2;

/// How often a part is sent that says no more than how far it is.
const PROGRESS_INTERVAL: Duration = Duration::from_millis(200);

/// Whose verdicts are compared.
pub(super) struct Question {
    before: Standpoint,
    after: Standpoint,
    list_addresses: bool,
    now: UnixSeconds,
}

impl Question {
    pub(super) fn of_policies(before: &Policy, after: &Policy, incidents: &Incidents, list_addresses: bool) -> Self {
        let [before, after] = [before, after].map(|policy| Standpoint::new(policy, incidents.clone()));
        Self { before, after, list_addresses, now: now() }
    }

    /// `listed` gives the domain that records may have in the place of one.
    pub(super) fn of_incident(
        policy: &Policy,
        incidents: &Incidents,
        scope: Scope,
        listed: impl Fn(&str) -> Option<Box<str>>,
        list_addresses: bool,
    ) -> Self {
        let opened = Act { at: now(), who: String::new(), why: String::new() };
        let with_it = incidents.clone().with(Incident::opened(scope, Origin::Operator, opened));
        let [before, after] =
            [incidents.clone(), with_it].map(|incidents| Standpoint::new(policy, incidents.with_listed_domains(&listed)));
        Self { before, after, list_addresses, now: now() }
    }
}

/// Goes through a store for whoever asks, for a few of them at a time.
pub(super) struct Surveys<S> {
    store: S,
    room: Arc<Semaphore>,
    /// Where checks are not held up by it.
    home: Handle,
    idle_timeout: Duration,
    draining: watch::Receiver<bool>,
}

impl<S: ListingStore> Surveys<S> {
    /// To be called within the runtime on which they run.
    pub(super) fn new(store: S, limits: &Limits, draining: watch::Receiver<bool>) -> Self {
        let room = Arc::new(Semaphore::new(limits.max_surveys));
        Self { store, room, home: Handle::current(), idle_timeout: limits.stream_idle_timeout, draining }
    }

    /// Begins to answer. `wrap` makes a part what the call answers with.
    pub(super) fn begin<T: Send + 'static>(&self, question: Question, wrap: fn(WhatIf) -> T) -> Result<Parts<T>, Status> {
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted("others are asking such questions already; try again when they are answered")
        })?;
        let (parts, taken) = mpsc::channel(MAX_PARTS_WAITING);
        let survey = Survey {
            store: self.store.clone(),
            question,
            tally: Tally::default(),
            addresses: 0,
            latest: Progress::default(),
            sent_at: Instant::now(),
            idle_timeout: self.idle_timeout,
            _room: room,
        };
        let mut draining = self.draining.clone();
        self.home.spawn(async move {
            let sender = Sender { parts: &parts, wrap };
            let ended = tokio::select! {
                ended = survey.run(&sender) => ended,
                _ = draining.wait_for(|draining| *draining) => Err(status::draining()),
            };
            if let Err(status) = ended {
                // Who asked may be gone.
                let _ = parts.try_send(Err(status));
            }
        });
        Ok(ReceiverStream::new(taken))
    }
}

/// Sends parts to whoever asked.
struct Sender<'a, T> {
    parts: &'a mpsc::Sender<Result<T, Status>>,
    wrap: fn(WhatIf) -> T,
}

/// One question on its way through the store.
struct Survey<S> {
    store: S,
    question: Question,
    tally: Tally,
    addresses: u64,
    latest: Progress,
    sent_at: Instant,
    idle_timeout: Duration,
    _room: OwnedSemaphorePermit,
}

impl<S: ListingStore> Survey<S> {
    async fn run<T>(mut self, sender: &Sender<'_, T>) -> Result<(), Status> {
        let mut place: Option<ListingPlace> = None;
        loop {
            let page = self.store.list_records(place.as_ref(), RECORDS_PER_PAGE).await;
            let ListingPage { records, next, progress } = page.map_err(|error: Error| fault(&error, ""))?;
            let mut changes = Vec::new();
            for record in &records {
                let [before, after] =
                    [&self.question.before, &self.question.after].map(|standpoint| standpoint.verdict(record, self.question.now));
                if let Some(change) = VerdictChange::between(&record.address, &before, &after) {
                    self.tally.count(&change);
                    changes.push(change);
                }
            }
            self.addresses += records.len() as u64;
            self.latest = progress;
            let is_last = next.is_none();
            let lists = self.question.list_addresses && !changes.is_empty();
            if is_last || lists || self.sent_at.elapsed() >= PROGRESS_INTERVAL {
                let part = self.part(if lists { &changes } else { &[] }, is_last);
                self.send(part, sender).await?;
            }
            match next {
                Some(next) => place = Some(next),
                None => return Ok(()),
            }
        }
    }

    fn part(&self, changes: &[VerdictChange], is_last: bool) -> WhatIf {
        let Progress { done, total } = self.latest;
        let done_permille = if is_last { 1000 } else { (done.saturating_mul(1000) / total.max(1)).min(999) };
        WhatIf {
            addresses: self.addresses,
            done_permille: u32::try_from(done_permille).unwrap_or(1000),
            changes: changes.iter().map(Into::into).collect(),
            counts: if is_last { self.tally.by_rule().map(Into::into).collect() } else { Vec::new() },
            is_last,
        }
    }

    async fn send<T>(&mut self, part: WhatIf, sender: &Sender<'_, T>) -> Result<(), Status> {
        // A client that takes no parts holds the survey up, but no longer than a stream may be idle.
        let sent = timeout(self.idle_timeout, sender.parts.send(Ok((sender.wrap)(part)))).await;
        self.sent_at = Instant::now();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the client has gone")),
            Err(_) => Err(Status::deadline_exceeded("the answer was not taken for too long; ask again")),
        }
    }
}
