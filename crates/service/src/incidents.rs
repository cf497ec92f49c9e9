//! The incidents as this process knows them: followed in the store, and never older than their bound.

use std::sync::{Arc, PoisonError, RwLock};
use std::time::{Duration, Instant};

use suppressd_core::store::{BookVersion, IncidentStore};
use suppressd_core::{Error, Incidents};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tracing::{info, warn};

use crate::{Limits, Metrics};

/// What is known, and how well.
#[derive(Clone)]
pub(crate) struct KnownIncidents<S> {
    store: S,
    known: Arc<RwLock<Known>>,
    metrics: Metrics,
    freshness: Duration,
    poll_interval: Duration,
    deadline: Duration,
}

#[derive(Default)]
struct Known {
    in_force: Arc<Incidents>,
    version: Option<BookVersion>,
    /// When the store was asked that said so: whatever was opened or closed before is in it.
    confirmed_at: Option<Instant>,
}

impl<S: IncidentStore> KnownIncidents<S> {
    pub(crate) fn new(store: S, metrics: Metrics, limits: &Limits) -> Self {
        Self {
            store,
            known: Arc::default(),
            metrics,
            freshness: limits.incidents_freshness,
            poll_interval: limits.incidents_poll_interval,
            deadline: limits.incidents_deadline,
        }
    }

    /// The incidents in force, as they were no longer ago than the bound. If that cannot be said, the store is asked: with an
    /// incident that is closed by now, a suppressed address would read as a good one.
    pub(crate) async fn in_force(&self) -> Result<Arc<Incidents>, Error> {
        if let Some(in_force) = self.fresh() {
            return Ok(in_force);
        }
        self.refresh().await
    }

    fn fresh(&self) -> Option<Arc<Incidents>> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let is_fresh = known.confirmed_at.is_some_and(|at| at.elapsed() < self.freshness);
        is_fresh.then(|| Arc::clone(&known.in_force))
    }

    /// Asks the store.
    pub(crate) async fn refresh(&self) -> Result<Arc<Incidents>, Error> {
        let version = self.known.read().unwrap_or_else(PoisonError::into_inner).version;
        let asked_at = Instant::now();
        let late = |_| Err(Error::StoreUnavailable { reason: "no answer within its deadline".into() });
        let changed = timeout(self.deadline, self.store.incidents(version)).await.unwrap_or_else(late)?;
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        // An answer to an earlier question may come later than that to a later one.
        if known.confirmed_at.is_none_or(|at| at <= asked_at) {
            known.confirmed_at = Some(asked_at);
            if let Some((version, book)) = changed {
                known.version = Some(version);
                known.in_force = Arc::new(book.in_force());
                self.metrics.set_incidents(&known.in_force);
            }
        }
        Ok(Arc::clone(&known.in_force))
    }

    /// Asks again and again. Ends when the drain begins; what is asked for after that is asked of the store.
    pub(crate) async fn follow(self, mut draining: watch::Receiver<bool>) {
        let mut is_following = true;
        loop {
            let refreshed = self.refresh().await;
            match (&refreshed, is_following) {
                (Err(error), true) => warn!(%error, "the incidents cannot be read"),
                (Ok(_), false) => info!("the incidents can be read again"),
                (Ok(_), true) | (Err(_), false) => {}
            }
            is_following = refreshed.is_ok();
            tokio::select! {
                () = sleep(self.poll_interval) => {}
                _ = draining.wait_for(|draining| *draining) => return,
            }
        }
    }
}
