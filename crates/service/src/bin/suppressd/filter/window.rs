//! Batches on their way: read, asked for in part or in whole, and handed on in their order once all of their answers are there.

use std::collections::VecDeque;

use anyhow::{Context as _, ensure};
use suppressd_service::proto::SuppressionResult;

use super::batch::Batch;

/// Most batches that are on their way.
const MAX_BATCHES: usize = 8;

/// A batch with one answer for each of its addresses.
pub(super) struct Answered {
    pub(super) batch: Batch,
    pub(super) results: Vec<SuppressionResult>,
}

#[derive(Default)]
pub(super) struct Window {
    batches: VecDeque<Pending>,
    /// How many addresses each message has that is not answered yet.
    unanswered: VecDeque<usize>,
    has_read_all: bool,
}

struct Pending {
    answered: Answered,
    sent: usize,
}

impl Pending {
    fn is_complete(&self) -> bool {
        self.answered.results.len() == self.answered.batch.emails().len()
    }

    fn is_sent(&self) -> bool {
        self.sent == self.answered.batch.emails().len()
    }
}

impl Window {
    pub(super) fn has_room(&self) -> bool {
        !self.has_read_all && self.batches.len() < MAX_BATCHES
    }

    /// Takes the next batch, or that there are no more.
    pub(super) fn take(&mut self, read: Option<Batch>) {
        match read {
            Some(batch) => {
                let results = Vec::with_capacity(batch.emails().len());
                self.batches.push_back(Pending { answered: Answered { batch, results }, sent: 0 });
            }
            None => self.has_read_all = true,
        }
    }

    pub(super) fn is_over(&self) -> bool {
        self.has_read_all && self.batches.is_empty()
    }

    pub(super) fn has_unsent(&self) -> bool {
        self.batches.iter().any(|pending| !pending.is_sent())
    }

    pub(super) fn awaits_answers(&self) -> bool {
        !self.unanswered.is_empty()
    }

    /// The addresses of the next message: so many at most, and all of one batch.
    pub(super) fn next_message(&mut self, most: usize) -> Vec<String> {
        let Some(pending) = self.batches.iter_mut().find(|pending| !pending.is_sent()) else { return Vec::new() };
        let rest = &pending.answered.batch.emails()[pending.sent..];
        let message = rest[..rest.len().min(most)].to_vec();
        pending.sent += message.len();
        self.unanswered.push_back(message.len());
        message
    }

    /// Takes the answer to the oldest message that has none. One that does not fit it is an error: nobody may be let through by
    /// another's answer, or by one that does not say whether.
    pub(super) fn answer(&mut self, results: Vec<SuppressionResult>) -> anyhow::Result<()> {
        let asked = self.unanswered.pop_front().context("the server answered what was not asked")?;
        ensure!(results.len() == asked, "the server answered for {} of {asked} addresses", results.len());
        ensure!(results.iter().all(|result| result.suppressed.is_some()), "the server's answer lacks `suppressed`");
        let pending = self.batches.iter_mut().find(|pending| !pending.is_complete()).context("an answer to nothing")?;
        pending.answered.results.extend(results);
        Ok(())
    }

    /// The oldest batch, if it is complete.
    pub(super) fn release(&mut self) -> Option<Answered> {
        if self.batches.front()?.is_complete() { Some(self.batches.pop_front()?.answered) } else { None }
    }

    /// What is not answered has to be sent again.
    pub(super) fn forget_sent(&mut self) {
        self.unanswered.clear();
        for pending in &mut self.batches {
            pending.sent = pending.answered.results.len();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(addresses: usize) -> Batch {
        let mut batch = Batch::default();
        for number in 0..addresses {
            let line = format!("{number}@example.com\n");
            batch.push_address(line.as_bytes(), 1, line.as_bytes());
        }
        batch
    }

    fn results(count: usize) -> Vec<SuppressionResult> {
        vec![SuppressionResult { suppressed: Some(false), ..SuppressionResult::default() }; count]
    }

    #[test]
    fn batches_leave_in_order_and_only_when_all_of_their_answers_are_there() {
        let mut window = Window::default();
        for addresses in [0, 5, 2] {
            window.take(Some(batch(addresses)));
        }
        window.take(None);
        assert_eq!(window.release().unwrap().results.len(), 0);
        assert_eq!((window.next_message(3).len(), window.next_message(3).len(), window.next_message(3).len()), (3, 2, 2));
        assert!(!window.has_unsent() && window.awaits_answers());
        window.answer(results(3)).unwrap();
        assert!(window.release().is_none());
        window.forget_sent();
        assert_eq!(window.next_message(9), ["3@example.com", "4@example.com"]);
        window.answer(results(2)).unwrap();
        assert_eq!(window.release().unwrap().results.len(), 5);
        assert!(window.release().is_none() && !window.is_over());
        window.next_message(9);
        window.answer(results(2)).unwrap();
        assert!(window.release().is_some() && window.is_over());
    }

    #[test]
    fn an_answer_that_does_not_fit_is_an_error() {
        let mut window = Window::default();
        window.take(Some(batch(2)));
        assert!(window.answer(results(2)).is_err(), "nothing was asked");
        window.next_message(2);
        assert!(window.answer(results(1)).is_err());
        window.forget_sent();
        window.next_message(2);
        assert!(window.answer(vec![SuppressionResult::default(); 2]).is_err(), "it does not say whether");
        assert!(window.release().is_none());
    }
}
