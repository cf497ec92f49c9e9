//! The suppressed addresses as they change: a snapshot, then every change, told to whoever keeps a copy of them.

mod message;
mod token;
mod watcher;

use std::sync::Arc;

use suppressd_core::Rulebook;
use suppressd_core::store::{ChangeStore, IncidentStore};
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, watch};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Status;

use super::Parts;
use crate::incidents::KnownIncidents;
use crate::proto::{WatchSuppressionsRequest, WatchSuppressionsResponse};
use crate::{Limits, status};
use token::Token;
use watcher::{Told, Watcher};

/// Most messages that wait for one client to take them; none is longer than a token and an address.
const MAX_MESSAGES_WAITING: usize = 64;

/// Tells what changes, to a few clients at a time.
pub(super) struct Watches<S> {
    store: S,
    rules: watch::Receiver<Arc<Rulebook>>,
    incidents: KnownIncidents<S>,
    limits: Limits,
    room: Arc<Semaphore>,
    /// Where checks are not held up by it.
    home: Handle,
    draining: watch::Receiver<bool>,
}

impl<S: ChangeStore + IncidentStore> Watches<S> {
    /// To be called within the runtime on which it is to work.
    pub(super) fn new(
        store: S,
        rules: watch::Receiver<Arc<Rulebook>>,
        incidents: KnownIncidents<S>,
        limits: &Limits,
        draining: watch::Receiver<bool>,
    ) -> Self {
        let room = Arc::new(Semaphore::new(limits.max_watchers));
        Self { store, rules, incidents, limits: limits.clone(), room, home: Handle::current(), draining }
    }

    /// Begins to tell.
    pub(super) fn begin(&self, request: &WatchSuppressionsRequest) -> Result<Parts<WatchSuppressionsResponse>, Status> {
        let from = if request.token.is_empty() { None } else { Some(Token::read(&request.token)?) };
        let room = Arc::clone(&self.room).try_acquire_owned().map_err(|_| {
            Status::resource_exhausted("as many as may watch do so already; try again when one of them has ended")
        })?;
        let (messages, taken) = mpsc::channel(MAX_MESSAGES_WAITING + 1);
        // However slow the client is, there is room to say why it was cut off.
        let last = messages.clone().try_reserve_owned().map_err(|_| Status::internal("there is no room for an answer"))?;
        let watcher = Watcher {
            store: self.store.clone(),
            rules: self.rules.clone(),
            incidents: self.incidents.clone(),
            told: Told::new(messages.clone(), self.limits.watcher_take_timeout),
            standpoint: None,
            skips_snapshots: request.skip_snapshot,
            bookmark_interval: self.limits.watch_bookmark_interval,
        };
        let mut draining = self.draining.clone();
        self.home.spawn(async move {
            let _room = room;
            let ended = tokio::select! {
                ended = watcher.run(from) => ended,
                _ = draining.wait_for(|draining| *draining) => status::draining(),
                // The client has gone, and nobody is there to be told.
                () = messages.closed() => return,
            };
            last.send(Err(ended));
        });
        Ok(ReceiverStream::new(taken))
    }
}

#[cfg(test)]
mod tests;
