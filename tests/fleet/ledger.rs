//! What was sent, and what has come of it: every address is compared.

use std::fmt;
use std::time::{Duration, Instant};

use serde_json::Value;
use suppressd_core::store::EvidenceStore as _;
use suppressd_core::store::redis::RedisStore;

use super::nodes::{Fleet, Role};
use crate::clients::rust_grpc::Checks;
use crate::events::address;
use crate::journeys::webhook::payload;
use crate::servers::redis::patient_settings;
use crate::servers::redis_cluster::await_condition;
use crate::servers::suppressd::PATIENCE;
use crate::stores::block_on;

/// How long a check node may take to know of an event after its acknowledgement.
pub(super) const LAG_BOUND: Duration = Duration::from_millis(250);

/// Batches that go to the same soft bouncing addresses: the last of them suppresses.
const BATCHES_PER_GROUP: usize = 5;

/// Of so many events of a batch one is a hard bounce of an address of its own.
const HARD_EVERY: usize = 4;

/// Most addresses in one question.
const CHUNK: usize = 1000;

/// A batch of events, all of them distinct. It is known by its numbers what is in it.
#[derive(Clone, Copy)]
pub(super) struct Batch {
    pub(super) client: usize,
    pub(super) number: usize,
    pub(super) size: usize,
}

impl Batch {
    fn is_hard(place: usize) -> bool {
        place.is_multiple_of(HARD_EVERY)
    }

    fn email(&self, place: usize) -> String {
        let Self { client, number, .. } = self;
        let group = number / BATCHES_PER_GROUP;
        // Some domains, so that not all is in a few of them.
        let domain = format!("d{}.example", place % 7);
        if Self::is_hard(place) {
            format!("hard-{client}-{number}-{place}@{domain}")
        } else {
            format!("soft-{client}-{group}-{place}@{domain}")
        }
    }

    pub(super) fn body(&self) -> String {
        let event = |place| {
            let category = if Self::is_hard(place) { "bad-mailbox" } else { "quota-issues" };
            payload("b", &self.email(place), category, self.number % BATCHES_PER_GROUP)
        };
        (0..self.size).map(event).collect::<Value>().to_string()
    }

    /// Addresses that are suppressed as soon as it is recorded.
    pub(super) fn hard(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.size).filter(|place| Self::is_hard(*place)).map(|place| self.email(place))
    }
}

/// How many batches of each client were acknowledged. Each one was sent until it was.
pub(super) struct Ledger {
    pub(super) batches: Vec<usize>,
    pub(super) size: usize,
    pub(super) ended: Instant,
}

impl Ledger {
    pub(super) fn events(&self) -> usize {
        self.batches.iter().sum::<usize>() * self.size
    }

    /// Every address, and how many events of it were acknowledged.
    fn expected(&self) -> Vec<(String, usize)> {
        let mut all = Vec::new();
        for (client, batches) in self.batches.iter().enumerate() {
            for number in 0..*batches {
                let batch = Batch { client, number, size: self.size };
                // A group's addresses stand with its first batch.
                let of_group = if number % BATCHES_PER_GROUP == 0 { BATCHES_PER_GROUP.min(batches - number) } else { 0 };
                for place in 0..self.size {
                    let events = if Batch::is_hard(place) { 1 } else { of_group };
                    if events > 0 {
                        all.push((batch.email(place), events));
                    }
                }
            }
        }
        all
    }

    /// Compares every address, first in the store and then as a check node sees it.
    pub(super) fn compare(&self, fleet: &Fleet) -> Comparison {
        let expected = self.expected();
        let mut comparison = Comparison { events: self.events(), addresses: expected.len(), ..Comparison::default() };
        block_on(async {
            let store = RedisStore::open(&patient_settings(fleet.cluster.url())).unwrap();
            for chunk in expected.chunks(CHUNK) {
                let addresses: Vec<_> = chunk.iter().map(|(email, _)| address(email)).collect();
                let records = store.records(&addresses).await.unwrap();
                for ((_, events), record) in chunk.iter().zip(records) {
                    let found = record.map_or(0, |record| record.evidence().len());
                    comparison.lost += events.saturating_sub(found);
                    comparison.twice += found.saturating_sub(*events);
                }
            }
        });
        await_condition("the bound does not pass", || (self.ended.elapsed() > LAG_BOUND).then_some(()));
        for node in fleet.nodes(Role::Check) {
            comparison.wrong_verdicts += wrong_verdicts(&node.checks(), &expected);
        }
        println!("{comparison}");
        comparison
    }
}

/// How many addresses are judged otherwise than by what was acknowledged of them.
fn wrong_verdicts(checks: &Checks, expected: &[(String, usize)]) -> usize {
    let is_right = |(email, events): &(String, usize), result: &suppressd_service::proto::SuppressionResult| {
        let is_hard = email.starts_with("hard");
        let soft_bounces = if is_hard { 0 } else { *events };
        result.suppressed() == (is_hard || *events >= 5) && result.soft_bounces as usize == soft_bounces
    };
    let verdicts = |chunk: &[(String, usize)]| {
        let emails: Vec<_> = chunk.iter().map(|(email, _)| email.as_str()).collect();
        let started = Instant::now();
        loop {
            // After a fault it may take its time until it answers; what it answers must be right.
            match checks.batch(&emails) {
                Ok(results) => return results,
                Err(status) => assert!(status.code() == tonic::Code::Unavailable && started.elapsed() < PATIENCE, "{status}"),
            }
        }
    };
    let wrong =
        |chunk: &[(String, usize)]| chunk.iter().zip(verdicts(chunk)).filter(|(one, result)| !is_right(one, result)).count();
    expected.chunks(CHUNK).map(wrong).sum()
}

/// What became of what was acknowledged.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) events: usize,
    pub(super) addresses: usize,
    pub(super) lost: usize,
    pub(super) twice: usize,
    /// On all check nodes together.
    pub(super) wrong_verdicts: usize,
}

impl Comparison {
    pub(super) fn assert_exact(&self) {
        assert_eq!((self.lost, self.twice, self.wrong_verdicts), (0, 0, 0), "{self}");
    }
}

impl fmt::Display for Comparison {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { events, addresses, lost, twice, wrong_verdicts } = self;
        write!(
            formatter,
            "{events} acknowledged events of {addresses} addresses: {lost} lost, {twice} too many, {wrong_verdicts} wrong verdicts"
        )
    }
}
