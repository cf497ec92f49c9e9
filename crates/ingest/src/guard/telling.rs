//! How a flush tells the store what was counted.

use std::sync::Arc;

use suppressd_core::store::{AnswerStore, DomainAnswers};
use suppressd_core::{Act, AnswersBySlot, Incident, Origin, OutageGuard, UnixSeconds};
use tokio::task::JoinSet;
use tokio::time::Instant;
use tracing::error;

use super::counter::Untold;
use crate::Metrics;
use crate::metrics::Operation;
use crate::store::ask;

/// Who opened an incident, in the incident's own words.
const WHO: &str = "outage guard";

/// What it takes to tell, and to look at the answers of the whole fleet that the store gives back.
pub(super) struct Telling<S> {
    pub(super) store: S,
    pub(super) metrics: Metrics,
    /// None if nobody looks any more.
    pub(super) guard: Option<OutageGuard>,
    pub(super) now: UnixSeconds,
    pub(super) deadline: Instant,
}

impl<S: AnswerStore> Telling<S> {
    /// Tells all shards at the same time, so that one which hangs does not take the time of the others. Gives the incidents that
    /// are called for.
    ///
    /// Everything is told once. What the store does not confirm it may have counted, and it would count for more than there was
    /// if it were told again: then the guard released addresses for too few bounces. Too low a count only makes it wait for more.
    pub(super) async fn tell(self, untold: Untold) -> Vec<Incident> {
        let telling = Arc::new(self);
        let mut shards = JoinSet::new();
        for of_shard in untold.by_shard(|domain| telling.store.shard_of(domain)) {
            shards.spawn(Arc::clone(&telling).tell_shard(of_shard));
        }
        let mut risen = Vec::new();
        while let Some(told) = shards.join_next().await {
            match told {
                Ok(of_shard) => risen.extend(of_shard),
                Err(error) => error!(%error, "a task of the outage guard failed"),
            }
        }
        risen
    }

    /// Makes the calls of one shard, each whatever became of the one before.
    async fn tell_shard(self: Arc<Self>, untold: Untold) -> Vec<Incident> {
        let mut risen = Vec::new();
        for call in untold {
            match self.count(&call).await {
                Some(answers) => risen.extend(answers.iter().filter_map(|(domain, answers)| self.rise(domain, answers))),
                None => self.metrics.count_uncounted_answers(call.iter().map(|counted| counted.answers.all).sum()),
            }
        }
        risen
    }

    /// Makes a call; `None` if it was not confirmed, or there was no time left to make it.
    async fn count(&self, call: &[DomainAnswers]) -> Option<Vec<(Box<str>, AnswersBySlot)>> {
        if Instant::now() >= self.deadline {
            return None;
        }
        ask(&self.metrics, Operation::CountAnswers, self.store.count_answers(call, self.now), self.deadline).await.ok()
    }

    /// The incident that a domain's answers call for.
    fn rise(&self, domain: &str, answers: &AnswersBySlot) -> Option<Incident> {
        let (scope, why) = self.guard.as_ref()?.rise(domain, answers, self.now)?;
        // Neither is long or odd, so it is one.
        let opened = Act::new(self.now, WHO, &why).ok()?;
        Some(Incident::opened(scope, Origin::Guard, opened))
    }
}
