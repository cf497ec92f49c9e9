//! The reference store: plain maps, by which the others are measured. Nothing in it outlives the process.

mod changes;

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use super::listing::no_place;
use super::{
    AdministrativeStore, AnswerStore, BookVersion, CHANGES_KEPT, ChangeKind, DomainAnswers, EvidenceStore, FeedSink, FeedStore,
    IncidentStore, LetterStore, ListingPage, ListingPlace, ListingStore, MAX_LETTERS_PER_PAGE, MAX_RECORDS_PER_PAGE, Outcome,
    Progress,
};
use crate::{
    Address, AddressRef, AnswersBySlot, Entered, Erased, Erasure, Error, Event, EventKind, IncidentBook, Letter, LetterHead,
    LetterId, LetterLimits, LetterUsage, ManualEntry, Record, Slot, Tombstone, UnixSeconds,
};
use changes::ChangeLog;

/// An in-memory store. Clones share what they keep.
#[derive(Debug, Clone)]
pub struct MemoryStore {
    kept: Arc<Mutex<Kept>>,
    limits: LetterLimits,
    changes_kept: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new(LetterLimits::default())
    }
}

#[derive(Debug, Default)]
struct Kept {
    records: BTreeMap<Address, Record>,
    incidents: (BookVersion, IncidentBook),
    answers: BTreeMap<Box<str>, AnswersBySlot>,
    letters: BTreeMap<(UnixSeconds, LetterId), Letter>,
    changes: ChangeLog,
}

impl MemoryStore {
    /// An empty store with these limits.
    #[must_use]
    pub fn new(limits: LetterLimits) -> Self {
        Self { kept: Arc::default(), limits, changes_kept: CHANGES_KEPT }
    }

    /// The same store, in which this handle keeps so many changes.
    #[must_use]
    pub fn keeping_changes(self, changes_kept: usize) -> Self {
        Self { changes_kept, ..self }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl EvidenceStore for MemoryStore {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        let kept = &mut *self.kept();
        let outcome = |event: &Event| {
            if event.kind == EventKind::Delivered && !kept.records.contains_key(&event.recipient) {
                return Outcome::Recorded;
            }
            let record = kept.records.entry(event.recipient.clone());
            let outcome = record.or_insert_with_key(|address| Record::new(address.clone())).take(event).0;
            if let Some(change) = ChangeKind::of_event(event).filter(|_| outcome == Outcome::Recorded) {
                kept.changes.add(&event.recipient, change, self.changes_kept);
            }
            outcome
        };
        Ok(events.iter().map(outcome).collect())
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        let kept = self.kept();
        Ok(addresses.iter().map(|address| kept.records.get(address).cloned()).collect())
    }

    async fn probe(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl AdministrativeStore for MemoryStore {
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        let mut kept = self.kept();
        if kept.records.entry(address.clone()).or_insert_with(|| Record::new(address.clone())).suppress(entry) {
            kept.changes.add(address, ChangeKind::Suppressed, self.changes_kept);
        }
        Ok(())
    }

    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        let kept = &mut *self.kept();
        let mut enter = |(address, entry): &(Address, ManualEntry)| {
            let record = kept.records.entry(address.clone()).or_insert_with(|| Record::new(address.clone()));
            let (entered, has_changed) = record.enter(entry);
            if has_changed {
                kept.changes.add(address, ChangeKind::Suppressed, self.changes_kept);
            }
            entered
        };
        Ok(entries.iter().map(&mut enter).collect())
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let mut kept = self.kept();
        let Some(record) = kept.records.get_mut(address) else { return Ok(false) };
        if record.lift(now, who, why) {
            kept.changes.add(address, ChangeKind::Lifted, self.changes_kept);
        }
        Ok(true)
    }

    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        let mut kept = self.kept();
        if kept.records.get(address) != seen {
            return Ok(Erasure::Changed);
        }
        let had_record = seen.is_some_and(|record| record.tombstone.is_none());
        match tombstone {
            Some(tombstone) if seen.is_none() || had_record => {
                kept.records.insert(address.clone(), Record::erased(address.clone(), tombstone));
                kept.changes.add(address, ChangeKind::Erased, self.changes_kept);
            }
            Some(_) => {}
            None => {
                if kept.records.remove(address).is_some() {
                    kept.changes.forget(address, self.changes_kept);
                }
            }
        }
        Ok(Erasure::Done(Erased { had_record, ..Erased::default() }))
    }

    async fn compact(&self) -> Result<bool, Error> {
        Ok(true)
    }
}

/// Confirmed once, when it is followed: it knows of no time in which it could fall behind.
impl FeedStore for MemoryStore {
    fn bucket_of(&self, _: AddressRef<'_>) -> u8 {
        0
    }

    async fn follow<S: FeedSink>(&self, sink: Arc<S>) -> Infallible {
        let asked_at = Instant::now();
        for address in self.kept().records.keys() {
            sink.add(address.as_str());
        }
        sink.confirm(0, asked_at);
        std::future::pending().await
    }
}

impl ListingStore for MemoryStore {
    /// A place is the address before it.
    async fn list_records(&self, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        let kept = self.kept();
        let after: Option<Address> = after.map(|place| place.0.parse().map_err(|_| no_place())).transpose()?;
        let behind = after.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
        let limit = limit.clamp(1, MAX_RECORDS_PER_PAGE);
        let records: Vec<Record> =
            kept.records.range::<Address, _>((behind, Bound::Unbounded)).take(limit).map(|(_, record)| record.clone()).collect();
        let last = records.last().or(after.as_ref().and_then(|after| kept.records.get(after)));
        let done = last.map_or(0, |last| kept.records.range(..=&last.address).count());
        let next = last.filter(|_| done < kept.records.len()).map(|last| ListingPlace(last.address.as_str().to_owned()));
        let progress = Progress { done: done as u64, total: kept.records.len() as u64 };
        Ok(ListingPage { records, next, progress })
    }
}

impl IncidentStore for MemoryStore {
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        let kept = self.kept();
        Ok((known != Some(kept.incidents.0)).then(|| kept.incidents.clone()))
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        let mut kept = self.kept();
        let is_known = kept.incidents.0 == known;
        if is_known {
            kept.incidents = (BookVersion(known.0 + 1), book.clone());
        }
        Ok(is_known)
    }
}

impl AnswerStore for MemoryStore {
    async fn count_answers(&self, counted: &[DomainAnswers], now: UnixSeconds) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        let mut kept = self.kept();
        let oldest = Slot::oldest_kept(now);
        let mut asked = BTreeSet::new();
        for DomainAnswers { domain, slot, answers } in counted.iter().filter(|counted| counted.slot >= oldest) {
            let of_domain = kept.answers.entry(domain.clone()).or_default();
            of_domain.retain(|slot, _| *slot >= oldest);
            *of_domain.entry(*slot).or_default() += *answers;
            if answers.hard > 0 {
                asked.insert(domain.clone());
            }
        }
        let given = |domain: Box<str>| {
            let answers = kept.answers.get(&domain).cloned().unwrap_or_default();
            (domain, answers)
        };
        Ok(asked.into_iter().map(given).collect())
    }

    fn shard_of(&self, _: &str) -> usize {
        0
    }
}

impl Kept {
    fn letter_usage(&self) -> LetterUsage {
        let content_bytes = self.letters.values().map(|letter| letter.head.content_bytes).sum();
        LetterUsage { letters: self.letters.len() as u64, content_bytes }
    }

    fn find(&self, id: LetterId) -> Option<&Letter> {
        self.letters.values().find(|letter| letter.head.id == id)
    }
}

impl LetterStore for MemoryStore {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        let mut kept = self.kept();
        kept.letters.retain(|_, letter| !self.limits.is_expired(&letter.head, now));
        let mut keep = |letter: Letter| {
            if kept.find(letter.head.id).is_some() {
                return Ok(false);
            }
            if !self.limits.have_room(kept.letter_usage(), letter.head.content_bytes) {
                return Err(Error::LettersFull);
            }
            kept.letters.insert((letter.head.received, letter.head.id), letter);
            Ok(true)
        };
        letters.into_iter().map(&mut keep).collect()
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        let kept = self.kept();
        let behind = kept.letters.iter().filter(|(place, _)| after.is_none_or(|after| after < **place));
        Ok(behind.take(limit.min(MAX_LETTERS_PER_PAGE)).map(|(_, letter)| letter.head.clone()).collect())
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        Ok(self.kept().find(id).cloned())
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        let mut kept = self.kept();
        let before = kept.letters.len();
        kept.letters.retain(|_, letter| letter.head.id != id);
        Ok(kept.letters.len() < before)
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        Ok(self.kept().letter_usage())
    }
}
