//! Batches on their way: read, asked for in part or in whole, and handed on in their order once all of their answers are there.

use std::collections::VecDeque;

use anyhow::Context as _;
use suppressd_service::batch::Emails;
use suppressd_service::proto::{StreamIsSuppressedResponse, SuppressionResult};

use super::answer::suppressed;
use super::batch::Batch;

/// Most batches that are on their way.
const MAX_BATCHES: usize = 8;

/// A batch, all of whose addresses were answered for.
pub(super) struct Answered {
    pub(super) batch: Batch,
    /// Who must not be mailed, by their places and in their order. Everybody else may be.
    pub(super) suppressed: Vec<(usize, SuppressionResult)>,
}

#[derive(Default)]
pub(super) struct Window {
    batches: VecDeque<Pending>,
    /// How many addresses each message has that is not answered yet.
    unanswered: VecDeque<usize>,
    has_read_all: bool,
}

struct Pending {
    batch: Batch,
    suppressed: Vec<(usize, SuppressionResult)>,
    /// For how many of its addresses, from the first, there is an answer.
    answered: usize,
    sent: usize,
}

impl Pending {
    fn is_complete(&self) -> bool {
        self.answered == self.batch.emails().len()
    }

    fn is_sent(&self) -> bool {
        self.sent == self.batch.emails().len()
    }
}

impl Window {
    pub(super) fn has_room(&self) -> bool {
        !self.has_read_all && self.batches.len() < MAX_BATCHES
    }

    /// Takes the next batch, or that there are no more.
    pub(super) fn take(&mut self, read: Option<Batch>) {
        match read {
            Some(batch) => self.batches.push_back(Pending { batch, suppressed: Vec::new(), answered: 0, sent: 0 }),
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
    pub(super) fn next_message(&mut self, most: usize) -> Emails {
        let Some(pending) = self.batches.iter_mut().find(|pending| !pending.is_sent()) else { return Emails::default() };
        let message = pending.batch.emails().part(pending.sent, most);
        pending.sent += message.len();
        self.unanswered.push_back(message.len());
        message
    }

    /// Takes the answer to the oldest message that has none. One that does not fit it is an error: nobody may be let through by
    /// another's answer, or by one that does not say whether.
    pub(super) fn answer(&mut self, answer: StreamIsSuppressedResponse) -> anyhow::Result<()> {
        let asked = self.unanswered.pop_front().context("the server answered what was not asked")?;
        let suppressed = suppressed(answer, asked)?;
        let pending = self.batches.iter_mut().find(|pending| !pending.is_complete()).context("an answer to nothing")?;
        let first = pending.answered;
        pending.suppressed.extend(suppressed.into_iter().map(|(place, result)| (first + place, result)));
        pending.answered += asked;
        Ok(())
    }

    /// The oldest batch, if it is complete.
    pub(super) fn release(&mut self) -> Option<Answered> {
        if !self.batches.front()?.is_complete() {
            return None;
        }
        self.batches.pop_front().map(|Pending { batch, suppressed, .. }| Answered { batch, suppressed })
    }

    /// What is not answered has to be sent again.
    pub(super) fn forget_sent(&mut self) {
        self.unanswered.clear();
        for pending in &mut self.batches {
            pending.sent = pending.answered;
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

    /// Of so many, of whom none or the last one is suppressed.
    fn answer(count: usize, is_last_suppressed: bool) -> StreamIsSuppressedResponse {
        let result = |place| SuppressionResult {
            suppressed: Some(is_last_suppressed && place + 1 == count),
            ..SuppressionResult::default()
        };
        StreamIsSuppressedResponse { results: (0..count).map(result).collect(), suppressed_only: None }
    }

    #[test]
    fn batches_leave_in_order_and_only_when_all_of_their_answers_are_there() {
        let mut window = Window::default();
        for addresses in [0, 5, 2] {
            window.take(Some(batch(addresses)));
        }
        window.take(None);
        assert_eq!(window.release().unwrap().batch.emails().len(), 0);
        assert_eq!((window.next_message(3).len(), window.next_message(3).len(), window.next_message(3).len()), (3, 2, 2));
        assert!(!window.has_unsent() && window.awaits_answers());
        window.answer(answer(3, true)).unwrap();
        assert!(window.release().is_none());
        window.forget_sent();
        assert_eq!(window.next_message(9), ["3@example.com", "4@example.com"].iter().collect());
        window.answer(answer(2, true)).unwrap();
        let Answered { batch, suppressed } = window.release().unwrap();
        let places: Vec<usize> = suppressed.into_iter().map(|(place, _)| place).collect();
        assert_eq!((batch.emails().len(), places), (5, vec![2, 4]));
        assert!(window.release().is_none() && !window.is_over());
        window.next_message(9);
        window.answer(answer(2, false)).unwrap();
        assert!(window.release().is_some() && window.is_over());
    }

    #[test]
    fn an_answer_that_does_not_fit_is_an_error() {
        let mut window = Window::default();
        window.take(Some(batch(2)));
        assert!(window.answer(answer(2, false)).is_err(), "nothing was asked");
        window.next_message(2);
        assert!(window.answer(answer(1, false)).is_err());
        window.forget_sent();
        window.next_message(2);
        assert!(window.answer(StreamIsSuppressedResponse::default()).is_err());
        assert!(window.release().is_none());
    }
}
