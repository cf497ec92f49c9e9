//! A store behind a filter: an address that surely has no record is answered from memory, and so is a whole domain.

mod confirmations;
mod whole_domains;

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::findings::Inquiry;
use super::{
    AdministrativeStore, AnswerStore, BookVersion, ChangePage, ChangePosition, ChangeStore, DomainAnswers, EvidenceStore,
    FeedSink, FeedStore, Found, IncidentStore, LetterStore, ListingPage, ListingPlace, ListingStore, Outcome,
};
use crate::address::domain_of_everybody;
use crate::{
    Address, AddressRef, AnswersBySlot, Entered, Erasure, Error, Event, EventKind, Filter, IncidentBook, Letter, LetterHead,
    LetterId, LetterUsage, ManualEntry, Record, Striped, Tombstone, UnixSeconds,
};
use confirmations::Confirmations;
use whole_domains::{MAX_WHOLE_DOMAINS, WholeDomains};

/// A store, and what is known of the addresses that have a record in it. Clones share both.
#[derive(Clone)]
pub struct FilteredStore<S> {
    store: S,
    /// None if every question is to go to the store.
    known: Option<Arc<Known>>,
}

/// The filter, and how far it can be believed.
struct Known {
    filter: Filter,
    domains: WholeDomains,
    confirmations: Confirmations,
    counts: Striped<Counts>,
}

#[derive(Default)]
struct Counts {
    answered: AtomicU64,
    passed_on: AtomicU64,
    unconfirmed: AtomicU64,
}

/// What a filter has done, and how it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterState {
    /// Addresses that the filter answered: neither they nor their whole domains have a record.
    pub answered: u64,
    /// Addresses for which the store was asked, since they or their whole domains may have a record.
    pub passed_on: u64,
    /// Addresses for which the store was asked, since the filter could not be believed.
    pub unconfirmed: u64,
    /// Fingerprints in it.
    pub addresses: usize,
    /// Memory that they take, in bytes.
    pub bytes: usize,
    /// How long ago the bucket was confirmed whose confirmation is the oldest; none if one of them is not confirmed at all.
    pub lag: Option<Duration>,
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
        let known = self.known.as_ref()?;
        let Known { filter, domains, confirmations, counts } = &**known;
        let sum = |of: fn(&Counts) -> &AtomicU64| counts.all().map(|counts| of(counts).load(Ordering::Relaxed)).sum();
        Some(FilterState {
            answered: sum(|counts| &counts.answered),
            passed_on: sum(|counts| &counts.passed_on),
            unconfirmed: sum(|counts| &counts.unconfirmed),
            addresses: filter.len(),
            bytes: filter.bytes() + domains.bytes(),
            lag: confirmations.lag(Instant::now()),
        })
    }
}

impl<S: FeedStore> FilteredStore<S> {
    /// Adds an address that is about to have a record.
    fn insert(&self, address: &Address) {
        if let Some(known) = self.known.as_ref().filter(|_| !S::TELLS_BEFORE_ANSWERING) {
            known.add(address.as_str());
        }
    }

    /// Adds the recipients of events that are about to have a record, all at once.
    fn insert_all(&self, events: &[Event]) {
        if let Some(known) = self.known.as_ref().filter(|_| !S::TELLS_BEFORE_ANSWERING) {
            let kept = events.iter().filter(|event| event.kind != EventKind::Delivered);
            known.add_all(&kept.map(|event| event.recipient.as_str()).collect::<Vec<_>>());
        }
    }

    /// Follows the store's feed. Never ends.
    pub async fn follow(&self) -> Infallible {
        match &self.known {
            Some(known) => self.store.follow(Arc::clone(known)).await,
            None => std::future::pending().await,
        }
    }

    /// What the store has to be asked for addresses, and for their whole domains if those matter; none if memory answers for all.
    fn inquiry(&self, known: &Known, addresses: &[AddressRef<'_>], with_domains: bool) -> Option<Inquiry> {
        let now = known.confirmations.nanoseconds(Instant::now());
        // One look for all of them; when some bucket lags behind, a look for each. Before the filter is looked at: what a bucket
        // is confirmed of is in it by then.
        let lagging: Vec<usize> = if known.confirmations.are_all_confirmed(now) {
            Vec::new()
        } else {
            let lags = |address: AddressRef<'_>| !known.confirmations.is_confirmed(self.store.bucket_of(address), now);
            (0..addresses.len()).filter(|place| lags(addresses[*place])).collect()
        };
        let held = known.filter.held(addresses.iter().map(|address| address.as_str()));
        let own = in_either(held, &lagging);
        let of_domains = if with_domains {
            // Whole domains are told in every bucket: what is known of the address's own includes its domain.
            in_either(known.domains.held(addresses.iter().map(|address| address.domain())), &lagging)
        } else {
            Vec::new()
        };
        let unconfirmed = lagging.len() as u64;
        let asked = in_either(own.clone(), &of_domains).len() as u64;
        let counts = known.counts.mine();
        counts.answered.fetch_add(addresses.len() as u64 - asked, Ordering::Relaxed);
        if asked > 0 {
            counts.unconfirmed.fetch_add(unconfirmed, Ordering::Relaxed);
            counts.passed_on.fetch_add(asked - unconfirmed, Ordering::Relaxed);
        }
        (asked > 0).then(|| Inquiry::new(addresses, own, of_domains))
    }
}

/// All places that are among some or among others, in order.
fn in_either(mut some: Vec<usize>, others: &[usize]) -> Vec<usize> {
    if !others.is_empty() {
        some.extend_from_slice(others);
        some.sort_unstable();
        some.dedup();
    }
    some
}

impl<S: EvidenceStore> FilteredStore<S> {
    async fn make(&self, inquiry: Inquiry, addresses: usize) -> Result<Found, Error> {
        let records = self.store.records(inquiry.asked()).await?;
        inquiry.found(addresses, records)
    }
}

impl Known {
    fn new(bound: Duration, max_whole_domains: usize) -> Self {
        Self {
            filter: Filter::default(),
            domains: WholeDomains::new(max_whole_domains),
            confirmations: Confirmations::new(bound),
            counts: Striped::default(),
        }
    }

    fn add_domain(&self, address: &str) {
        if let Some(domain) = domain_of_everybody(address) {
            self.domains.insert(domain);
        }
    }
}

impl FeedSink for Known {
    fn add(&self, address: &str) {
        self.filter.insert(address);
        self.add_domain(address);
    }

    fn add_all(&self, addresses: &[&str]) -> Vec<bool> {
        for address in addresses {
            self.add_domain(address);
        }
        self.filter.insert_all(addresses.iter().copied())
    }

    fn may_hold(&self, address: &str) -> bool {
        self.filter.may_hold(address)
    }

    fn confirm(&self, bucket: u8, asked_at: Instant) {
        self.confirmations.confirm(bucket, asked_at);
    }

    fn doubt(&self, bucket: u8) {
        self.confirmations.doubt(bucket);
    }
}

impl<S: EvidenceStore + FeedStore> EvidenceStore for FilteredStore<S> {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        // Before it is asked for, and not after: who asks may be gone by then, and the record is there all the same.
        self.insert_all(events);
        self.store.record(events).await
    }

    async fn record_shared(&self, events: Arc<Vec<Event>>) -> Result<Vec<Outcome>, Error> {
        self.insert_all(&events);
        self.store.record_shared(events).await
    }

    /// What goes to the store is boxed: a question that memory answers would carry the room for it along.
    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        let Some(known) = &self.known else { return Box::pin(self.store.records(addresses)).await };
        let asked: Vec<_> = addresses.iter().map(AddressRef::from).collect();
        let Some(inquiry) = self.inquiry(known, &asked, false) else { return Ok(vec![None; addresses.len()]) };
        let mut records = vec![None; addresses.len()];
        for (place, findings) in Box::pin(self.make(inquiry, addresses.len())).await?.into_known() {
            records[place] = findings.record;
        }
        Ok(records)
    }

    async fn find(&self, addresses: &[AddressRef<'_>]) -> Result<Found, Error> {
        let Some(known) = &self.known else { return Box::pin(self.store.find(addresses)).await };
        let Some(inquiry) = self.inquiry(known, addresses, true) else { return Ok(Found::nothing(addresses.len())) };
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
        self.insert(address);
        self.store.suppress(address, entry).await
    }

    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        for (address, _) in entries {
            self.insert(address);
        }
        self.store.enter(entries).await
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        self.store.lift(address, now, who, why).await
    }

    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        // Of a record that goes its fingerprint stays: it costs a question.
        if tombstone.is_some() {
            self.insert(address);
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
