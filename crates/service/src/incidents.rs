//! The incidents as this process knows them: followed in the store, and believed no longer than their bound.

use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};
use std::time::{Duration, Instant};

use suppressd_core::store::{BookVersion, IncidentStore};
use suppressd_core::{Case, Error, Incidents, Policy, UnixSeconds, Verdict, outdated_verdict, verdict};
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
    /// When the store, asked again, could not say so, if that was the last that was heard of it.
    failed_at: Option<Instant>,
}

impl Known {
    /// Those that were in force when the store said so last, if it ever did.
    fn last_read(&self) -> Option<Arc<Incidents>> {
        self.confirmed_at.map(|_| Arc::clone(&self.in_force))
    }
}

/// The incidents by which addresses are judged.
pub(crate) enum Book {
    /// As they were no longer ago than the bound.
    Fresh(Arc<Incidents>),
    /// They cannot be read. These are the ones that were in force when they could be, if they ever could.
    Outdated(Option<Arc<Incidents>>),
}

impl Book {
    /// The verdict on a case; `None` if it depends on incidents that cannot be read.
    pub(crate) fn verdict(&self, policy: &Policy, case: Case<'_>, now: UnixSeconds) -> Option<Verdict> {
        match self {
            Self::Fresh(incidents) => Some(verdict(policy, incidents, case, now)),
            Self::Outdated(last_read) => outdated_verdict(policy, last_read.as_deref(), case, now),
        }
    }
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

    /// The incidents in force, as they were no longer ago than the bound. If that cannot be said, the store is asked.
    pub(crate) async fn in_force(&self) -> Result<Arc<Incidents>, Error> {
        match self.at_hand() {
            Some(Book::Fresh(in_force)) => Ok(in_force),
            Some(Book::Outdated(_)) | None => self.refresh().await,
        }
    }

    /// Judges by the incidents, fresh if they can be read. `judge` says `None` where it is in doubt.
    ///
    /// The store is asked, and waited for, if nothing is known of it, or in doubt: while it hangs, nobody else is to be held up.
    /// If it does not help either, its error is the answer: with an incident that is closed by now, a suppressed address would
    /// read as a good one.
    pub(crate) async fn judge<T>(&self, judge: impl Fn(&Book) -> Option<T>) -> Result<T, Error> {
        if let Some(judged) = self.at_hand().and_then(|book| judge(&book)) {
            return Ok(judged);
        }
        let (book, in_doubt) = match self.refresh().await {
            Ok(in_force) => (Book::Fresh(in_force), Error::StoreFailed { reason: "the incidents decide nothing".into() }),
            Err(error) => (Book::Outdated(self.known().last_read()), error),
        };
        judge(&book).ok_or(in_doubt)
    }

    /// What can be said without asking the store, unless nothing was heard of it for as long as the bound.
    fn at_hand(&self) -> Option<Book> {
        let known = self.known();
        if self.is_recent(known.confirmed_at) {
            return Some(Book::Fresh(Arc::clone(&known.in_force)));
        }
        self.is_recent(known.failed_at).then(|| Book::Outdated(known.last_read()))
    }

    fn is_recent(&self, at: Option<Instant>) -> bool {
        at.is_some_and(|at| at.elapsed() < self.freshness)
    }

    /// Asks the store.
    pub(crate) async fn refresh(&self) -> Result<Arc<Incidents>, Error> {
        let version = self.known().version;
        let asked_at = Instant::now();
        let late = |_| Err(Error::StoreUnavailable { reason: "no answer within its deadline".into() });
        let answered = timeout(self.deadline, self.store.incidents(version)).await.unwrap_or_else(late);
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.failed_at = answered.is_err().then(Instant::now);
        // One failure within the bound leaves them as good as they were.
        self.metrics.set_incidents_outdated(answered.is_err() && !self.is_recent(known.confirmed_at));
        let changed = answered?;
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

    fn known(&self) -> RwLockReadGuard<'_, Known> {
        self.known.read().unwrap_or_else(PoisonError::into_inner)
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
