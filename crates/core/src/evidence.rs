//! What is kept of an event.

mod stored;

use std::sync::Arc;

use crate::{BounceCategory, Class, EnhancedStatusCode, EventId, EventKind, StoredOpinion, UnixSeconds};

/// Evidence of a class that shares room: that of a day of UTC, or all that has no time of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Shelf {
    /// Times of receipt.
    TimeOfReceipt,
    /// The number of the day since 1970.
    Day(i64),
}

/// One kept occurrence: a bounce, a remote bounce or a complaint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The event's identity.
    pub id: EventId,
    /// When it happened.
    pub time: UnixSeconds,
    /// Whether that is the time of receipt, since the provider gave none that could be believed.
    pub is_time_of_receipt: bool,
    /// What happened; never a delivery.
    pub kind: EventKind,
    /// Why, in the provider's words.
    pub category: BounceCategory,
    /// The enhanced status code, if there was one.
    pub status: Option<EnhancedStatusCode>,
    /// The virtual MTA, empty if unknown.
    pub vmta: Arc<str>,
    /// The injecting account, empty if unknown.
    pub account: Arc<str>,
    /// What was thought of the receiving server's words when the event came, if anything was.
    pub second_opinion: Option<StoredOpinion>,
}

impl Evidence {
    /// The class that the provider documents for it. Retention and counters go by it; verdicts go by the policy's class.
    #[must_use]
    pub fn class(&self) -> Class {
        self.kind.class(&self.category)
    }

    /// What the evidence of a record is ordered by.
    #[must_use]
    pub fn order(&self) -> (UnixSeconds, EventId) {
        (self.time, self.id)
    }

    /// With which other evidence of its class it shares the room that there is.
    #[must_use]
    pub fn shelf(&self) -> Shelf {
        if self.is_time_of_receipt { Shelf::TimeOfReceipt } else { Shelf::Day(self.time.utc_day()) }
    }

    /// What decides who stays on a shelf that is full: the greater does.
    ///
    /// A time of receipt is no part of it. It is another one when the same event comes again, and evidence that had to go would
    /// come back with it, and count twice.
    #[must_use]
    pub fn rank(&self) -> (UnixSeconds, EventId) {
        if self.is_time_of_receipt { (UnixSeconds::default(), self.id) } else { self.order() }
    }
}
