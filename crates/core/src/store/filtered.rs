//! A store behind a filter: an address that surely has no record is answered from memory.

use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::feed::BUCKETS;
use super::{
    AdministrativeStore, AnswerStore, BookVersion, DomainAnswers, EvidenceStore, FeedSink, FeedStore, IncidentStore, LetterStore,
    ListingPage, ListingPlace, ListingStore, Outcome,
};
use crate::{
    Address, AnswersBySlot, Error, Event, EventKind, Filter, IncidentBook, Letter, LetterHead, LetterId, LetterUsage,
    ManualEntry, Record, UnixSeconds,
};

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
    /// How long what was confirmed of a bucket may be believed.
    bound: Duration,
    /// Confirmations are counted in nanoseconds from here, and from 1.
    beginning: Instant,
    confirmed: [AtomicU64; BUCKETS],
    counts: Counts,
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
    /// Addresses that the filter answered: they have no record.
    pub answered: u64,
    /// Addresses for which the store was asked, since they may have a record.
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
        let known = Known {
            filter: Filter::default(),
            bound,
            beginning: Instant::now(),
            confirmed: [const { AtomicU64::new(0) }; BUCKETS],
            counts: Counts::default(),
        };
        Self { store, known: Some(Arc::new(known)) }
    }

    /// A store without a filter: for who records and answers nothing.
    pub fn unfiltered(store: S) -> Self {
        Self { store, known: None }
    }

    /// What the filter has done, and how it is; none if there is no filter.
    #[must_use]
    pub fn filter_state(&self) -> Option<FilterState> {
        let known = self.known.as_ref()?;
        let Known { filter, counts, .. } = &**known;
        Some(FilterState {
            answered: counts.answered.load(Ordering::Relaxed),
            passed_on: counts.passed_on.load(Ordering::Relaxed),
            unconfirmed: counts.unconfirmed.load(Ordering::Relaxed),
            addresses: filter.len(),
            bytes: filter.bytes(),
            lag: known.lag(Instant::now()),
        })
    }

    fn insert(&self, address: &Address) {
        if let Some(known) = &self.known {
            known.filter.insert(address.as_str());
        }
    }
}

impl<S: FeedStore> FilteredStore<S> {
    /// Follows the store's feed. Never ends.
    pub async fn follow(&self) -> Infallible {
        match &self.known {
            Some(known) => self.store.follow(Arc::clone(known)).await,
            None => std::future::pending().await,
        }
    }

    /// The places of the addresses that the store has to be asked for.
    fn not_answered(&self, known: &Known, addresses: &[Address]) -> Vec<usize> {
        let now = known.nanoseconds(Instant::now());
        let mut asked = Vec::new();
        let mut unconfirmed = 0;
        for (place, address) in addresses.iter().enumerate() {
            let is_confirmed = known.is_confirmed(self.store.bucket_of(address), now);
            unconfirmed += u64::from(!is_confirmed);
            if !is_confirmed || known.filter.may_hold(address.as_str()) {
                asked.push(place);
            }
        }
        let counts = &known.counts;
        counts.answered.fetch_add((addresses.len() - asked.len()) as u64, Ordering::Relaxed);
        counts.unconfirmed.fetch_add(unconfirmed, Ordering::Relaxed);
        counts.passed_on.fetch_add(asked.len() as u64 - unconfirmed, Ordering::Relaxed);
        asked
    }
}

impl Known {
    /// When that is, in nanoseconds; never 0, which stands for "not confirmed".
    fn nanoseconds(&self, time: Instant) -> u64 {
        let since = time.saturating_duration_since(self.beginning).as_nanos();
        u64::try_from(since).unwrap_or(u64::MAX).saturating_add(1)
    }

    fn is_confirmed(&self, bucket: u8, now: u64) -> bool {
        // What was added before the confirmation is seen by whoever sees the confirmation.
        let confirmed = self.confirmed[usize::from(bucket)].load(Ordering::Acquire);
        let bound = u64::try_from(self.bound.as_nanos()).unwrap_or(u64::MAX);
        confirmed != 0 && now.saturating_sub(confirmed) <= bound
    }

    fn lag(&self, now: Instant) -> Option<Duration> {
        let oldest = self.confirmed.iter().map(|confirmed| confirmed.load(Ordering::Acquire)).min().unwrap_or(0);
        (oldest != 0).then(|| Duration::from_nanos(self.nanoseconds(now).saturating_sub(oldest)))
    }
}

impl FeedSink for Known {
    fn add(&self, address: &str) {
        self.filter.insert(address);
    }

    fn confirm(&self, bucket: u8, asked_at: Instant) {
        self.confirmed[usize::from(bucket)].store(self.nanoseconds(asked_at), Ordering::Release);
    }

    fn doubt(&self, bucket: u8) {
        self.confirmed[usize::from(bucket)].store(0, Ordering::Release);
    }
}

impl<S: EvidenceStore + FeedStore> EvidenceStore for FilteredStore<S> {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        // Before it is asked for, and not after: who asks may be gone by then, and the record is there all the same.
        for event in events.iter().filter(|event| event.kind != EventKind::Delivered) {
            self.insert(&event.recipient);
        }
        self.store.record(events).await
    }

    /// What goes to the store is boxed: a question that memory answers would carry the room for it along.
    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        let Some(known) = &self.known else { return Box::pin(self.store.records(addresses)).await };
        let asked = self.not_answered(known, addresses);
        if asked.len() == addresses.len() {
            return Box::pin(self.store.records(addresses)).await;
        }
        let mut records = vec![None; addresses.len()];
        if !asked.is_empty() {
            let some: Vec<Address> = asked.iter().map(|place| addresses[*place].clone()).collect();
            let found = Box::pin(self.store.records(&some)).await?;
            if found.len() != some.len() {
                return Err(Error::StoreFailed { reason: "the store gave too few or too many records".into() });
            }
            for (place, record) in asked.into_iter().zip(found) {
                records[place] = record;
            }
        }
        Ok(records)
    }

    /// Never from memory: what is asked for is what the store is certain of.
    async fn records_strictly(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        self.store.records_strictly(addresses).await
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

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        self.store.lift(address, now, who, why).await
    }
}

impl<S: ListingStore> ListingStore for FilteredStore<S> {
    async fn list_records(&self, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        self.store.list_records(after, limit).await
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
