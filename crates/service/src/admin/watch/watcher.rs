//! One client that watches: from what it knows on, without an end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use suppressd_core::store::{ChangePage, ChangeStore, IncidentStore, ListingPage, ListingPlace};
use suppressd_core::{Error, Incidents, Policy, Record, Rulebook, Standpoint, UnixSeconds, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tonic::Status;

use super::message;
use super::token::{Known, Token};
use crate::admin::fault;
use crate::incidents::KnownIncidents;
use crate::judge::now;
use crate::proto::watch_suppressions_response::Message;
use crate::proto::{WatchBookmark, WatchSnapshotEnd, WatchSuppressionsResponse};
use crate::status;

/// Records that are read and judged at a time: whatever else the thread has to do waits no longer than that.
const RECORDS_PER_PAGE: usize = 500;

/// How often it is looked whether verdicts are formed in another way, where nothing changes.
const LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// Why a client begins anew.
const NOTHING_KNOWN: &str = "no token was given: this is the beginning";
const NOT_KEPT: &str =
    "what the token stands for is no longer kept, or is that of another store, or of this one before it lost its end";
const JUDGED_OTHERWISE: &str = "the policy or the incidents in force are others than before";

/// One client.
pub(super) struct Watcher<S> {
    pub(super) store: S,
    pub(super) rules: watch::Receiver<Arc<Rulebook>>,
    pub(super) incidents: KnownIncidents<S>,
    pub(super) told: Told,
    pub(super) skips_snapshots: bool,
    pub(super) bookmark_interval: Duration,
    /// As it was when it was looked at last.
    pub(super) standpoint: Option<Arc<Judging>>,
}

/// By what verdicts are formed.
pub(super) struct Judging {
    rulebook: Arc<Rulebook>,
    incidents: Arc<Incidents>,
    standpoint: Standpoint,
    mark: u32,
}

impl Judging {
    fn of(rulebook: Arc<Rulebook>, incidents: Arc<Incidents>) -> Self {
        let standpoint = Standpoint::new(&rulebook.policy, (*incidents).clone());
        Self { mark: standpoint.mark(), rulebook, incidents, standpoint }
    }

    fn verdict(&self, record: Option<&Record>, now: UnixSeconds) -> Verdict {
        let policy: &Policy = &self.rulebook.policy;
        record.map_or_else(|| Verdict::without_evidence(policy), |record| self.standpoint.verdict(record, now))
    }
}

/// What was told to a client.
pub(super) struct Told {
    messages: mpsc::Sender<Result<WatchSuppressionsResponse, Status>>,
    /// How long it may take to take a message.
    deadline: Duration,
    latest: Instant,
}

/// Why it does not go on.
enum End {
    /// What is known is worth nothing any more.
    Reset(&'static str),
    Failed(Status),
}

impl From<Status> for End {
    fn from(status: Status) -> Self {
        Self::Failed(status)
    }
}

impl From<Error> for End {
    fn from(error: Error) -> Self {
        Self::Failed(fault(&error, "token"))
    }
}

impl Told {
    pub(super) fn new(messages: mpsc::Sender<Result<WatchSuppressionsResponse, Status>>, deadline: Duration) -> Self {
        Self { messages, deadline, latest: Instant::now() }
    }

    async fn tell(&mut self, message: Message, token: &Token) -> Result<(), Status> {
        let response = WatchSuppressionsResponse { token: token.write(), message: Some(message) };
        let sent = timeout(self.deadline, self.messages.send(Ok(response))).await;
        self.latest = Instant::now();
        match sent {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Status::cancelled("the client has gone")),
            Err(_) => Err(status::too_slow()),
        }
    }
}

impl<S: ChangeStore + IncidentStore> Watcher<S> {
    /// Tells what there is to tell from behind a token, until that fails.
    pub(super) async fn run(mut self, from: Option<Token>) -> Status {
        let mut from = from.ok_or(NOTHING_KNOWN);
        loop {
            match self.tell_on(from).await {
                Err(End::Reset(why)) => from = Err(why),
                Err(End::Failed(status)) => return status,
                Ok(never) => match never {},
            }
        }
    }

    async fn tell_on(&mut self, from: Result<Token, &'static str>) -> Result<Infallible, End> {
        let token = match from {
            Ok(token) => token,
            Err(why) => self.reset(why).await?,
        };
        let known = match token {
            Token::Snapshot { known, place } => self.snapshot(known, place).await?,
            Token::Live(known) => known,
        };
        self.follow(known).await
    }

    /// Says that what is known is worth nothing.
    async fn reset(&mut self, why: &str) -> Result<Token, End> {
        let standpoint = self.judging().await?.mark;
        let known = Known { position: self.store.end_of_changes().await?, standpoint };
        let token = if self.skips_snapshots { Token::Live(known) } else { Token::Snapshot { known, place: None } };
        self.told.tell(message::reset(why), &token).await?;
        Ok(token)
    }

    /// Names everybody who is suppressed, from a place on. Gives from where on changes follow.
    async fn snapshot(&mut self, known: Known, mut place: Option<ListingPlace>) -> Result<Known, End> {
        if self.store.changes_behind(&known.position).await?.is_none() {
            return Err(End::Reset(NOT_KEPT));
        }
        loop {
            let page = self.store.records_since(&known.position, place.as_ref(), RECORDS_PER_PAGE).await?;
            let ListingPage { records, next, progress: _ } = page;
            let judging = self.judging_as(known.standpoint).await?;
            let now = now();
            // There is no place in the middle of a page: who is cut off there hears what it had of it again.
            let token = Token::Snapshot { known: known.clone(), place };
            for record in &records {
                if let Some(entry) = message::snapshot_entry(record, &judging.verdict(Some(record), now)) {
                    self.told.tell(entry, &token).await?;
                }
            }
            match next {
                Some(next) => place = Some(next),
                None => break,
            }
        }
        self.told.tell(Message::SnapshotEnd(WatchSnapshotEnd {}), &Token::Live(known.clone())).await?;
        Ok(known)
    }

    /// Tells every change behind a position, as long as none can be missing.
    async fn follow(&mut self, mut known: Known) -> Result<Infallible, End> {
        loop {
            let page = self.store.changes_behind(&known.position).await?;
            let ChangePage { changes, has_more } = page.ok_or(End::Reset(NOT_KEPT))?;
            let judging = self.judging_as(known.standpoint).await?;
            let now = now();
            for change in changes {
                known.position.pass(&change);
                let message = message::change(&change, &judging.verdict(change.record.as_ref(), now));
                self.told.tell(message, &Token::Live(known.clone())).await?;
            }
            if !has_more {
                self.wait(&known).await?;
            }
        }
    }

    /// Waits for changes, and lets the client know now and then that there are none.
    async fn wait(&mut self, known: &Known) -> Result<(), End> {
        let rest = self.bookmark_interval.saturating_sub(self.told.latest.elapsed());
        let hears_of_none = timeout(rest.min(LOOK_INTERVAL), self.store.await_changes(&known.position)).await.is_err();
        if hears_of_none && rest <= LOOK_INTERVAL {
            self.told.tell(Message::Bookmark(WatchBookmark {}), &Token::Live(known.clone())).await?;
        }
        Ok(())
    }

    /// By what verdicts are formed now, if that is what formed those before.
    async fn judging_as(&mut self, before: u32) -> Result<Arc<Judging>, End> {
        let judging = self.judging().await?;
        if judging.mark == before { Ok(judging) } else { Err(End::Reset(JUDGED_OTHERWISE)) }
    }

    async fn judging(&mut self) -> Result<Arc<Judging>, Error> {
        let incidents = self.incidents.in_force().await?;
        let rulebook = Arc::clone(&self.rules.borrow());
        let is_same =
            |known: &&Arc<Judging>| Arc::ptr_eq(&known.rulebook, &rulebook) && Arc::ptr_eq(&known.incidents, &incidents);
        if let Some(known) = self.standpoint.as_ref().filter(is_same) {
            return Ok(Arc::clone(known));
        }
        let judging = Arc::new(Judging::of(rulebook, incidents));
        self.standpoint = Some(Arc::clone(&judging));
        Ok(judging)
    }
}
