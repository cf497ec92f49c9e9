//! One client that watches: from what it knows on, without an end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use suppressd_core::store::{ChangePage, ChangePosition, ChangeStore, IncidentStore, ListingPage, ListingPlace};
use suppressd_core::{Error, Rulebook, Standpoint, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tonic::Status;

use super::message;
use super::token::Token;
use crate::admin::fault;
use crate::incidents::KnownIncidents;
use crate::judge::now;
use crate::proto::watch_suppressions_response::Message;
use crate::proto::{WatchBookmark, WatchSnapshotEnd, WatchSuppressionsResponse};
use crate::status;

/// Records that are read and judged at a time: whatever else the thread has to do waits no longer than that.
const RECORDS_PER_PAGE: usize = 500;

/// Why what a client knows is worth nothing.
const NOTHING_KNOWN: &str = "no token was given: this is the beginning";
const TOO_OLD: &str =
    "what the token stands for is no longer kept, or is that of another store, or of this one before it lost its end";

/// One client.
pub(super) struct Watcher<S> {
    pub(super) store: S,
    pub(super) rules: watch::Receiver<Arc<Rulebook>>,
    pub(super) incidents: KnownIncidents<S>,
    pub(super) told: Told,
    pub(super) skips_snapshots: bool,
    pub(super) bookmark_interval: Duration,
}

/// What was told to it.
pub(super) struct Told {
    messages: mpsc::Sender<Result<WatchSuppressionsResponse, Status>>,
    /// How long it may take to take a message.
    deadline: Duration,
    latest: Instant,
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
        let Err(status) = self.tell_on(from).await;
        status
    }

    async fn tell_on(&mut self, from: Option<Token>) -> Result<Infallible, Status> {
        let mut known = match from {
            None => self.reset(NOTHING_KNOWN).await?,
            Some(token) => token,
        };
        loop {
            let is_kept = match known {
                Token::Snapshot { position, place } => self.snapshot(position, place).await?,
                Token::Live(position) => Some(position),
            };
            if let Some(position) = is_kept {
                self.follow(position).await?;
            }
            known = self.reset(TOO_OLD).await?;
        }
    }

    /// Says that what is known is worth nothing.
    async fn reset(&mut self, why: &str) -> Result<Token, Status> {
        let position = self.store.end_of_changes().await.map_err(|error| fault(&error, ""))?;
        let token = if self.skips_snapshots { Token::Live(position) } else { Token::Snapshot { position, place: None } };
        self.told.tell(message::reset(why), &token).await?;
        Ok(token)
    }

    /// Names everybody who is suppressed, from a place on. Gives the position from which on changes follow; none if they are no
    /// longer kept from there on.
    async fn snapshot(
        &mut self,
        position: ChangePosition,
        mut place: Option<ListingPlace>,
    ) -> Result<Option<ChangePosition>, Status> {
        let behind = self.store.changes_behind(&position).await.map_err(|error| fault(&error, ""))?;
        if behind.is_none() {
            return Ok(None);
        }
        loop {
            let page = self.store.records_since(&position, place.as_ref(), RECORDS_PER_PAGE).await;
            let ListingPage { records, next, progress: _ } = page.map_err(|error| fault(&error, "token"))?;
            let standpoint = self.standpoint().await?;
            let now = now();
            // There is no place in the middle of a page: who is cut off there hears what it had of it again.
            let token = Token::Snapshot { position: position.clone(), place };
            for record in &records {
                if let Some(entry) = message::snapshot_entry(record, &standpoint.verdict(record, now)) {
                    self.told.tell(entry, &token).await?;
                }
            }
            match next {
                Some(next) => place = Some(next),
                None => break,
            }
        }
        self.told.tell(Message::SnapshotEnd(WatchSnapshotEnd {}), &Token::Live(position.clone())).await?;
        Ok(Some(position))
    }

    /// Tells every change behind a position, until it cannot be shown that none is missing.
    async fn follow(&mut self, mut position: ChangePosition) -> Result<(), Status> {
        loop {
            let page = self.store.changes_behind(&position).await.map_err(|error| fault(&error, ""))?;
            let Some(ChangePage { changes, has_more }) = page else { return Ok(()) };
            if !changes.is_empty() {
                let standpoint = self.standpoint().await?;
                let unknown = Verdict::without_evidence(&self.rules.borrow().policy);
                let now = now();
                for change in changes {
                    position.pass(&change);
                    let verdict = change.record.as_ref().map(|record| standpoint.verdict(record, now));
                    let message = message::change(&change, verdict.as_ref().unwrap_or(&unknown));
                    self.told.tell(message, &Token::Live(position.clone())).await?;
                }
            }
            if !has_more {
                self.wait(&position).await?;
            }
        }
    }

    /// Waits for changes, and lets the client know now and then that there are none.
    async fn wait(&mut self, position: &ChangePosition) -> Result<(), Status> {
        let rest = self.bookmark_interval.saturating_sub(self.told.latest.elapsed());
        if timeout(rest, self.store.await_changes(position)).await.is_err() {
            self.told.tell(Message::Bookmark(WatchBookmark {}), &Token::Live(position.clone())).await?;
        }
        Ok(())
    }

    async fn standpoint(&self) -> Result<Standpoint, Status> {
        let incidents = self.incidents.in_force().await.map_err(|error: Error| fault(&error, ""))?;
        let rulebook = Arc::clone(&self.rules.borrow());
        Ok(Standpoint::new(&rulebook.policy, (*incidents).clone()))
    }
}
