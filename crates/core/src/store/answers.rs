//! How domains answered, counted over all processes: what the outage guard looks at.

use std::future::Future;

use crate::{Answers, AnswersBySlot, Error, Slot, UnixSeconds};

/// Answers of a domain in a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DomainAnswers {
    /// The recipients' domain, in its ASCII form.
    pub domain: Box<str>,
    /// When.
    pub slot: Slot,
    /// How many.
    pub answers: Answers,
}

/// Counts answers.
pub trait AnswerStore: Clone + Send + Sync + 'static {
    /// Adds to the counts of domains, and gives for each domain of which HARD answers were added all that is counted, those
    /// just added with them; no domain twice. What is older than [`Slot::oldest_kept`] is neither added nor given.
    ///
    /// # Errors
    ///
    /// Any error leaves open what was added. So it is not to be told again: it might count twice. It is not evidence, and nobody
    /// is suppressed or released by it alone.
    fn count_answers(
        &self,
        counted: &[DomainAnswers],
        now: UnixSeconds,
    ) -> impl Future<Output = Result<Vec<(Box<str>, AnswersBySlot)>, Error>> + Send;

    /// A number for what counts the answers of a domain: what keeps it from counting need not keep those with another number, if
    /// they are told in calls of their own. As far as is known without asking; it may be another one next time.
    fn shard_of(&self, domain: &str) -> usize;
}
