//! The outage guard's work at the door: how domains answer is counted, put together with what the other processes count, and
//! looked at.

mod counter;
mod telling;

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use suppressd_core::store::{AnswerStore, IncidentStore, amend_incidents};
use suppressd_core::{Incident, MAX_INCIDENTS, Rulebook, UnixSeconds};
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, sleep};
use tracing::warn;

pub(crate) use counter::Counter;
use telling::Telling;

use crate::metrics::Operation;
use crate::store::ask;
use crate::{Limits, Metrics};

/// Most incidents that wait for a store which could not be told of them: more do not fit into its book.
const MAX_WAITING_INCIDENTS: usize = MAX_INCIDENTS;

/// What tells the store of what was counted, and opens incidents.
pub(crate) struct Guard<S> {
    store: S,
    rules: watch::Receiver<Arc<Rulebook>>,
    counter: Arc<Counter>,
    interval: Duration,
    deadline: Duration,
    metrics: Metrics,
    /// Incidents to be opened, by domain. One stays until the store has answered: the domain may never bounce again, and would
    /// not be looked at.
    waiting: BTreeMap<Box<str>, Incident>,
}

impl<S: IncidentStore + AnswerStore> Guard<S> {
    pub(crate) fn new(
        store: S,
        rules: watch::Receiver<Arc<Rulebook>>,
        counter: Arc<Counter>,
        limits: &Limits,
        metrics: Metrics,
    ) -> Self {
        let Limits { guard_interval: interval, guard_deadline: deadline, .. } = *limits;
        Self { store, rules, counter, interval, deadline, metrics, waiting: BTreeMap::new() }
    }

    /// Flushes again and again; once `stopped` is done or its sender is gone, one last time.
    pub(crate) async fn run(mut self, stopped: oneshot::Receiver<()>) {
        let mut stopped = pin!(stopped);
        loop {
            tokio::select! {
                _ = &mut stopped => break,
                () = sleep(self.interval) => self.flush().await,
            }
        }
        self.flush().await;
    }

    /// Tells the store of all that was counted, and opens what incidents that calls for. Each half has the deadline, so that a
    /// slow first one leaves time for the second.
    async fn flush(&mut self) {
        let now = UnixSeconds::from(SystemTime::now());
        let guard = self.rules.borrow().policy.outage_guard.clone();
        if guard.is_none() {
            self.waiting.clear();
        }
        // Told is what was counted while there was a guard, even if there is none now.
        let (store, metrics) = (self.store.clone(), self.metrics.clone());
        let telling = Telling { store, metrics, guard, now, deadline: Instant::now() + self.deadline };
        let risen = telling.tell(self.counter.take()).await;
        for incident in risen {
            if self.waiting.len() < MAX_WAITING_INCIDENTS
                && let Some(domain) = incident.scope.domain.clone()
            {
                self.waiting.entry(domain).or_insert(incident);
            }
        }
        self.open().await;
    }

    /// Opens the incidents that wait. The book decides whether they are there already, opened by whomever.
    async fn open(&mut self) {
        if self.waiting.is_empty() {
            return;
        }
        let deadline = Instant::now() + self.deadline;
        let opening = amend_incidents(&self.store, |book| {
            Ok(self.waiting.values().map(|incident| book.open_by_guard(incident.clone())).collect::<Vec<_>>())
        });
        let Ok(opened) = ask(&self.metrics, Operation::OpenIncident, opening, deadline).await else { return };
        for ((domain, incident), opened) in std::mem::take(&mut self.waiting).into_iter().zip(opened) {
            match opened {
                Ok(true) => {
                    self.metrics.count_guard_incident();
                    let (id, why) = (incident.id(), &incident.opened.why);
                    warn!(%domain, %id, why, "the outage guard opened an incident; it awaits the operator");
                }
                Ok(false) => {}
                Err(error) => {
                    self.metrics.count_store_error(Operation::OpenIncident);
                    warn!(%domain, %error, "the outage guard cannot open an incident");
                }
            }
        }
    }
}
