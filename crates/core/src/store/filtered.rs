//! A store behind a filter: an address that surely has no record is answered from memory, and so is a whole domain.

mod confirmations;
mod known;
mod whole_domains;

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use super::findings::Inquiry;
use super::{
    AdministrativeStore, AnswerStore, BookVersion, ChangePage, ChangePosition, ChangeStore, DomainAnswers, EvidenceStore,
    FeedSink, FeedStore, Found, IncidentStore, LetterStore, ListingPage, ListingPlace, ListingStore, Outcome,
};
use crate::{
    Address, AddressRef, AnswersBySlot, Entered, Erasure, Error, Event, EventKind, IncidentBook, Letter, LetterHead, LetterId,
    LetterUsage, ManualEntry, Record, Tombstone, UnixSeconds,
};
pub use known::FilterState;
use known::Known;
use whole_domains::MAX_WHOLE_DOMAINS;

/// A store, and what is known of the addresses that have a record in it. Clones share both.
#[derive(Clone)]
pub struct FilteredStore<S> {
    store: S,
    /// None if every question is to go to the store.
    known: Option<Arc<Known>>,
}

impl<S> FilteredStore<S> {
    /// A store behind an empty filter, of which nothing is confirmed: until it is followed, every question goes to the store.
    pub fn new(store: S, bound: Duration) -> Self {
        Self { store, known: Some(Arc::new(Known::new(bound, MAX_WHOLE_DOMAINS))) }
    }

    /// A store without a filter: for who records and answers nothing.
    pub fn unfiltered(store: S) -> Self {
        Self { store, known: None }
    }

    /// What the filter has done, and how it is; none if there is no filter.
    #[must_use]
    pub fn filter_state(&self) -> Option<FilterState> {
        self.known.as_deref().map(Known::state)
    }
}

impl<S: FeedStore> FilteredStore<S> {
    /// Adds addresses that are about to have a record, all at once.
    fn insert<'a>(&self, addresses: impl IntoIterator<Item = &'a Address>) {
        if let Some(known) = self.known.as_ref().filter(|_| !S::TELLS_BEFORE_ANSWERING) {
            known.add_all(&addresses.into_iter().map(Address::as_str).collect::<Vec<_>>());
        }
    }

    /// Follows the store's feed. Never ends.
    pub async fn follow(&self) -> Infallible {
        match &self.known {
            Some(known) => self.store.follow(Arc::clone(known)).await,
            None => std::future::pending().await,
        }
    }
}

/// The recipients of those events of which something is kept.
fn kept(events: &[Event]) -> impl Iterator<Item = &Address> {
    events.iter().filter(|event| event.kind != EventKind::Delivered).map(|event| &event.recipient)
}

impl<S: EvidenceStore> FilteredStore<S> {
    async fn make(&self, inquiry: Inquiry, addresses: usize) -> Result<Found, Error> {
        let records = self.store.records(inquiry.asked()).await?;
        inquiry.found(addresses, records)
    }
}

impl<S: EvidenceStore + FeedStore> EvidenceStore for FilteredStore<S> {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        // Before it is asked for, and not after: who asks may be gone by then, and the record is there all the same.
        self.insert(kept(events));
        self.store.record(events).await
    }

    async fn record_shared(&self, events: Arc<Vec<Event>>) -> Result<Vec<Outcome>, Error> {
        self.insert(kept(&events));
        self.store.record_shared(events).await
    }

    /// What goes to the store is boxed: a question that memory answers would carry the room for it along.
    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        let Some(known) = &self.known else { return Box::pin(self.store.records(addresses)).await };
        let asked: Vec<_> = addresses.iter().map(AddressRef::from).collect();
        let Some(inquiry) = known.inquiry(&asked, false, |address| self.store.bucket_of(address)) else {
            return Ok(vec![None; addresses.len()]);
        };
        let mut records = vec![None; addresses.len()];
        for (place, findings) in Box::pin(self.make(inquiry, addresses.len())).await?.into_known() {
            records[place] = findings.record;
        }
        Ok(records)
    }

    async fn find(&self, addresses: &[AddressRef<'_>]) -> Result<Found, Error> {
        let Some(known) = &self.known else { return Box::pin(self.store.find(addresses)).await };
        let Some(inquiry) = known.inquiry(addresses, true, |address| self.store.bucket_of(address)) else {
            return Ok(Found::nothing(addresses.len()));
        };
        Box::pin(self.make(inquiry, addresses.len())).await
    }

    /// Never from memory: what is asked for is what the store is certain of.
    async fn records_strictly(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        self.store.records_strictly(addresses).await
    }

    async fn find_strictly(&self, addresses: &[AddressRef<'_>]) -> Result<Found, Error> {
        self.store.find_strictly(addresses).await
    }

    async fn probe(&self) -> Result<(), Error> {
        self.store.probe().await
    }
}

impl<S: AdministrativeStore + FeedStore> AdministrativeStore for FilteredStore<S> {
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        self.insert([address]);
        self.store.suppress(address, entry).await
    }

    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        self.insert(entries.iter().map(|(address, _)| address));
        self.store.enter(entries).await
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        self.store.lift(address, now, who, why).await
    }

    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        // Of a record that goes its fingerprint stays: it costs a question.
        if tombstone.is_some() {
            self.insert([address]);
        }
        self.store.erase(address, seen, tombstone).await
    }

    async fn compact(&self) -> Result<bool, Error> {
        self.store.compact().await
    }
}

impl<S: ListingStore> ListingStore for FilteredStore<S> {
    async fn list_records(&self, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        self.store.list_records(after, limit).await
    }
}

impl<S: ChangeStore> ChangeStore for FilteredStore<S> {
    async fn end_of_changes(&self) -> Result<ChangePosition, Error> {
        self.store.end_of_changes().await
    }

    async fn changes_behind(&self, position: &ChangePosition) -> Result<Option<ChangePage>, Error> {
        self.store.changes_behind(position).await
    }

    async fn records_since(
        &self,
        position: &ChangePosition,
        after: Option<&ListingPlace>,
        limit: usize,
    ) -> Result<ListingPage, Error> {
        self.store.records_since(position, after, limit).await
    }

    async fn await_changes(&self, position: &ChangePosition) {
        self.store.await_changes(position).await;
    }
}

impl<S: IncidentStore> IncidentStore for FilteredStore<S> {
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        self.store.incidents(known).await
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        self.store.replace_incidents(known, book).await
    }
}

impl<S: AnswerStore> AnswerStore for FilteredStore<S> {
    async fn count_answers(&self, counted: &[DomainAnswers], now: UnixSeconds) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        self.store.count_answers(counted, now).await
    }

    fn shard_of(&self, domain: &str) -> usize {
        self.store.shard_of(domain)
    }
}

impl<S: LetterStore> LetterStore for FilteredStore<S> {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        self.store.keep_letters(letters, now).await
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        self.store.letter_heads(after, limit).await
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        self.store.letter(id).await
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        self.store.remove_letter(id).await
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        self.store.letter_usage().await
    }
}

#[cfg(test)]
mod tests;
