//! The store contract, and the stores that keep it.
//!
//! One suite of tests holds every store against the in-memory one.

mod answers;
mod changes;
#[cfg(feature = "embedded")]
pub mod embedded;
mod feed;
mod filtered;
mod findings;
mod incidents;
mod keyed;
mod listing;
pub mod memory;
mod names;
#[cfg(feature = "redis")]
pub mod redis;

use std::future::Future;
use std::sync::Arc;

use findings::Inquiry;

use crate::{
    Address, AddressRef, Entered, Erasure, Error, Event, Letter, LetterHead, LetterId, LetterUsage, ManualEntry, Record,
    Tombstone, UnixSeconds,
};

pub use answers::{AnswerStore, DomainAnswers};
pub use changes::{
    CHANGES_KEPT, Change, ChangeKind, ChangePage, ChangePosition, ChangeStore, MAX_CHANGES_PER_PAGE, MAX_POSITION_BYTES,
};
pub use feed::{FeedSink, FeedStore};
pub use filtered::{FilterState, FilteredStore};
pub use findings::{Findings, Found};
pub use incidents::{BookVersion, IncidentStore, amend_incidents};
pub use keyed::{KeyedStore, Pseudonyms};
pub use listing::{ListingPage, ListingPlace, ListingStore, MAX_RECORDS_PER_PAGE, Progress};
pub use names::StoredNames;

/// Most heads that one page of letters holds.
pub const MAX_LETTERS_PER_PAGE: usize = 1000;

/// What became of one event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Outcome {
    /// It counts from now on. Of a delivery: its time was noted, or there is no record to note it in.
    Recorded,
    /// The same event is there already.
    Duplicate,
    /// It changed nothing: it is older than what is kept, or its recipient was erased.
    Ignored,
}

impl Outcome {
    /// All outcomes.
    pub const ALL: [Self; 3] = [Self::Recorded, Self::Duplicate, Self::Ignored];

    /// The lower-case name: in answers and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recorded => "recorded",
            Self::Duplicate => "duplicate",
            Self::Ignored => "ignored",
        }
    }
}

/// Events in, records out.
pub trait EvidenceStore: Clone + Send + Sync + 'static {
    /// Records events. `Ok` means that every one of them is durable, and tells what became of each, in their order.
    ///
    /// # Errors
    ///
    /// Any error leaves open which of the events are recorded; recording them again is safe.
    fn record(&self, events: &[Event]) -> impl Future<Output = Result<Vec<Outcome>, Error>> + Send;

    /// As [`record`](Self::record), for a caller that lets the store share the events: one that hands them to another thread need
    /// not copy them.
    ///
    /// # Errors
    ///
    /// As there.
    fn record_shared(&self, events: Arc<Vec<Event>>) -> impl Future<Output = Result<Vec<Outcome>, Error>> + Send {
        async move { self.record(&events).await }
    }

    /// What is known of addresses, in their order; `None` for one of which nothing is.
    ///
    /// # Errors
    ///
    /// If any of them could not be read for certain, the whole call fails.
    fn records(&self, addresses: &[Address]) -> impl Future<Output = Result<Vec<Option<Record>>, Error>> + Send;

    /// As [`records`](Self::records), and certain that nobody else has taken over meanwhile: not even a primary that was cut off
    /// or asleep answers with what was true before. A store without replicas has nothing to add.
    ///
    /// # Errors
    ///
    /// As there; and if too few replicas say in time that they still follow.
    fn records_strictly(&self, addresses: &[Address]) -> impl Future<Output = Result<Vec<Option<Record>>, Error>> + Send {
        self.records(addresses)
    }

    /// What is known of addresses and of their whole domains.
    ///
    /// # Errors
    ///
    /// If any of it could not be read for certain, the whole call fails.
    fn find(&self, addresses: &[AddressRef<'_>]) -> impl Future<Output = Result<Found, Error>> + Send {
        async move {
            let inquiry = Inquiry::about_all(addresses);
            let records = self.records(inquiry.asked()).await?;
            inquiry.found(addresses.len(), records)
        }
    }

    /// As [`find`](Self::find), and as certain as [`records_strictly`](Self::records_strictly).
    ///
    /// # Errors
    ///
    /// As there.
    fn find_strictly(&self, addresses: &[AddressRef<'_>]) -> impl Future<Output = Result<Found, Error>> + Send {
        async move {
            let inquiry = Inquiry::about_all(addresses);
            let records = self.records_strictly(inquiry.asked()).await?;
            inquiry.found(addresses.len(), records)
        }
    }

    /// Asks whether the store could record and read just now.
    ///
    /// # Errors
    ///
    /// Why it could not.
    fn probe(&self) -> impl Future<Output = Result<(), Error>> + Send;
}

/// What an operator does by hand.
pub trait AdministrativeStore: EvidenceStore {
    /// Suppresses an address.
    ///
    /// # Errors
    ///
    /// Any error leaves open whether it is entered; doing it again is safe.
    fn suppress(&self, address: &Address, entry: ManualEntry) -> impl Future<Output = Result<(), Error>> + Send;

    /// Suppresses addresses where no entry is that lasts as long, and tells what became of each, in their order. Each is decided
    /// and entered at once, whoever else enters the same address. Entries that are made again by the same requests are answered
    /// as they were, and change nothing.
    ///
    /// # Errors
    ///
    /// Any error leaves open which of them are entered; doing it again is safe.
    fn enter(&self, entries: &[(Address, ManualEntry)]) -> impl Future<Output = Result<Vec<Entered>, Error>> + Send;

    /// Lifts an address's suppression; see [`Record::lift`]. Says whether there was a record.
    ///
    /// # Errors
    ///
    /// Any error leaves open whether it is lifted; doing it again is safe.
    fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str)
    -> impl Future<Output = Result<bool, Error>> + Send;

    /// Removes all that is kept of an address, if that is still what was seen. A tombstone takes its place; if none is given,
    /// nothing that the store goes by names the address any more.
    ///
    /// # Errors
    ///
    /// Any error leaves open how much of it is gone; doing it again is safe, and finishes it.
    fn erase(
        &self,
        address: &Address,
        seen: Option<&Record>,
        tombstone: Option<Tombstone>,
    ) -> impl Future<Output = Result<Erasure, Error>> + Send;

    /// Writes the store's own files anew, so that none of them holds what was erased before. Says whether that is so; a store
    /// that does not write its files itself leaves it to who does.
    ///
    /// # Errors
    ///
    /// If the files cannot be written. It goes on when the store is opened the next time.
    fn compact(&self) -> impl Future<Output = Result<bool, Error>> + Send;
}

/// The rejected letters, within the limits that the store was opened with.
pub trait LetterStore: Clone + Send + Sync + 'static {
    /// Keeps letters. `Ok` means that every one of them is durable, and tells of each whether it is new. Letters past their
    /// age, as of `now`, make room.
    ///
    /// # Errors
    ///
    /// [`Error::LettersFull`] if one of them does not fit; others of them may have been kept.
    fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> impl Future<Output = Result<Vec<bool>, Error>> + Send;

    /// Heads of letters, oldest first, at most `limit` and [`MAX_LETTERS_PER_PAGE`], from behind the head `after`.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn letter_heads(
        &self,
        after: Option<(UnixSeconds, LetterId)>,
        limit: usize,
    ) -> impl Future<Output = Result<Vec<LetterHead>, Error>> + Send;

    /// One letter, if it is there.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn letter(&self, id: LetterId) -> impl Future<Output = Result<Option<Letter>, Error>> + Send;

    /// Removes a letter. Says whether it was there.
    ///
    /// # Errors
    ///
    /// Any error leaves open whether it is gone.
    fn remove_letter(&self, id: LetterId) -> impl Future<Output = Result<bool, Error>> + Send;

    /// How much the letters take up.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    fn letter_usage(&self) -> impl Future<Output = Result<LetterUsage, Error>> + Send;
}

/// The whole contract.
pub trait Store:
    AdministrativeStore + FeedStore + ChangeStore + ListingStore + IncidentStore + AnswerStore + LetterStore
{
}

impl<S: AdministrativeStore + FeedStore + ChangeStore + ListingStore + IncidentStore + AnswerStore + LetterStore> Store for S {}

impl Record {
    /// Records one event in a record that is there. Says what became of it, and which evidence had to make room.
    pub fn take(&mut self, event: &Event) -> (Outcome, Vec<crate::EventId>) {
        use crate::Admission;
        if self.tombstone.is_some() {
            return (Outcome::Ignored, Vec::new());
        }
        let time = event.time;
        let Some(evidence) = event.evidence() else {
            let latest = self.last_delivered;
            let outcome = match (self.deliver(time), latest == Some(time)) {
                (true, _) => Outcome::Recorded,
                (false, true) => Outcome::Duplicate,
                (false, false) => Outcome::Ignored,
            };
            return (outcome, Vec::new());
        };
        match self.admit(evidence) {
            Admission::Kept { evicted } => (Outcome::Recorded, evicted),
            Admission::Duplicate => (Outcome::Duplicate, Vec::new()),
            Admission::Ignored => (Outcome::Ignored, Vec::new()),
        }
    }
}
