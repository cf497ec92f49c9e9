//! A store that keeps addresses under pseudonyms: whoever has its data and not the key can read none.
//!
//! Whoever asks names addresses as ever, and gets records with the addresses that were asked about. Only a listing shows
//! pseudonyms, since nothing leads back from one.
//!
//! A store that was begun without a key is mixed from then on: what is new goes to the pseudonym, and what was there before counts
//! on under the name. Both are read and made one, in which an event counts once.

mod erasure;
mod letters;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    AdministrativeStore, AnswerStore, BookVersion, ChangePage, ChangePosition, ChangeStore, DomainAnswers, EvidenceStore,
    Findings, Found, IncidentStore, LetterStore, ListingPage, ListingPlace, ListingStore, Outcome, StoredNames,
};
use crate::{
    Address, AddressKey, AddressRef, AnswersBySlot, Entered, Erasure, Error, Event, EventKind, IncidentBook, ManualEntry, Record,
    Tombstone, UnixSeconds,
};

/// The key of a store, and what is known of the names in it. Shared by whoever opens the store and whoever uses it.
#[derive(Debug)]
pub struct Pseudonyms {
    key: AddressKey,
    /// Whether there may be records under readable names.
    is_mixed: AtomicBool,
}

impl Pseudonyms {
    /// Until the store has said how it names addresses, it may hold readable names.
    #[must_use]
    pub fn new(key: AddressKey) -> Self {
        Self { key, is_mixed: AtomicBool::new(true) }
    }

    /// What tells the key from another.
    #[must_use]
    pub fn check(&self) -> &str {
        self.key.check()
    }

    /// Goes by what the store says of its names.
    pub fn settle(&self, names: &StoredNames) {
        let is_mixed = match names {
            StoredNames::Hashed(_) => false,
            StoredNames::Readable | StoredNames::Mixed(_) => true,
        };
        self.is_mixed.store(is_mixed, Ordering::Relaxed);
    }

    fn is_mixed(&self) -> bool {
        self.is_mixed.load(Ordering::Relaxed)
    }

    /// Whether there may be a record under the name itself, beside that under its pseudonym.
    fn may_be_readable(&self, address: &Address) -> bool {
        self.is_mixed() && !AddressKey::is_pseudonym(address)
    }

    /// Under which names records of addresses may lie: the pseudonyms of all, and behind them the addresses themselves if the store
    /// is mixed.
    fn names_of(&self, addresses: &[Address]) -> Vec<Address> {
        let pseudonyms = addresses.iter().map(|address| self.key.pseudonym(address));
        let readable = if self.is_mixed() { addresses } else { &[] };
        pseudonyms.chain(readable.iter().cloned()).collect()
    }
}

/// A store that keeps addresses under pseudonyms, if there is a key. Clones share it.
#[derive(Clone)]
pub struct KeyedStore<S> {
    store: S,
    pseudonyms: Option<Arc<Pseudonyms>>,
}

impl<S> KeyedStore<S> {
    /// A store that keeps addresses by that key; without one, as they are.
    pub fn new(store: S, pseudonyms: Option<Arc<Pseudonyms>>) -> Self {
        Self { store, pseudonyms }
    }
}

/// A store that keeps its contract never comes to this.
fn wrong_number() -> Error {
    Error::StoreFailed { reason: "the store gave too few or too many records".into() }
}

/// How records are read.
#[derive(Clone, Copy)]
enum Reading {
    Plain,
    Strict,
}

impl<S: EvidenceStore> KeyedStore<S> {
    async fn read(&self, names: &[Address], reading: Reading) -> Result<Vec<Option<Record>>, Error> {
        match reading {
            Reading::Plain => self.store.records(names).await,
            Reading::Strict => self.store.records_strictly(names).await,
        }
    }

    /// What is found about addresses, with these addresses.
    async fn find_both(&self, pseudonyms: &Pseudonyms, addresses: &[AddressRef<'_>], reading: Reading) -> Result<Found, Error> {
        let addresses: Vec<_> = addresses.iter().map(|address| address.to_address()).collect();
        let names = pseudonyms.names_of(&addresses);
        let names: Vec<_> = names.iter().map(AddressRef::from).collect();
        let found = match reading {
            Reading::Plain => self.store.find(&names).await?,
            Reading::Strict => self.store.find_strictly(&names).await?,
        };
        if found.addresses() != names.len() {
            return Err(wrong_number());
        }
        let mut known: BTreeMap<_, _> = found.into_known().into_iter().collect();
        for (place, readable) in known.split_off(&addresses.len()) {
            let hashed = known.entry(place - addresses.len()).or_default();
            *hashed = found_together(std::mem::take(hashed), readable);
        }
        for (place, findings) in &mut known {
            findings.record = findings.record.take().map(|record| record.named(&addresses[*place]));
        }
        Ok(Found::new(addresses.len(), known.into_iter().collect()))
    }

    /// The records of addresses, with these addresses.
    async fn read_both(
        &self,
        pseudonyms: &Pseudonyms,
        addresses: &[Address],
        reading: Reading,
    ) -> Result<Vec<Option<Record>>, Error> {
        let names = pseudonyms.names_of(addresses);
        let mut found = self.read(&names, reading).await?;
        if found.len() != names.len() {
            return Err(wrong_number());
        }
        let mut readable = found.split_off(addresses.len()).into_iter();
        let one = |(address, hashed): (&Address, Option<Record>)| {
            merged(hashed, readable.next().flatten()).map(|record| record.named(address))
        };
        Ok(addresses.iter().zip(found).map(one).collect())
    }
}

/// What is found under two names of the same address.
fn found_together(one: Findings, other: Findings) -> Findings {
    let record = merged(one.record, other.record);
    let domain_entry = [one.domain_entry, other.domain_entry].into_iter().flatten().max_by_key(|entry| entry.since);
    Findings { record, domain_entry }
}

/// One record of two of the same address.
fn merged(one: Option<Record>, other: Option<Record>) -> Option<Record> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.merged_with(other)),
        (one, other) => one.or(other),
    }
}

impl<S: EvidenceStore> EvidenceStore for KeyedStore<S> {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        let Some(pseudonyms) = &self.pseudonyms else { return self.store.record(events).await };
        let under = |event: &Event| Event { recipient: pseudonyms.key.pseudonym(&event.recipient), ..event.clone() };
        let mut hashed: Vec<Event> = events.iter().map(under).collect();
        if pseudonyms.is_mixed() {
            // A delivery makes no record, and is noted in the one that is there: that may be the readable one.
            hashed.extend(events.iter().filter(|event| event.kind == EventKind::Delivered).cloned());
        }
        let mut outcomes = self.store.record(&hashed).await?;
        outcomes.truncate(events.len());
        Ok(outcomes)
    }

    async fn record_shared(&self, events: Arc<Vec<Event>>) -> Result<Vec<Outcome>, Error> {
        match &self.pseudonyms {
            Some(_) => self.record(&events).await,
            None => self.store.record_shared(events).await,
        }
    }

    /// What goes by a key is boxed: a question without one would carry the room for it along.
    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        match &self.pseudonyms {
            Some(pseudonyms) => Box::pin(self.read_both(pseudonyms, addresses, Reading::Plain)).await,
            None => self.store.records(addresses).await,
        }
    }

    async fn records_strictly(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        match &self.pseudonyms {
            Some(pseudonyms) => Box::pin(self.read_both(pseudonyms, addresses, Reading::Strict)).await,
            None => self.store.records_strictly(addresses).await,
        }
    }

    /// A whole domain's entry lies under the domain's hash, as do the pseudonyms of its recipients.
    async fn find(&self, addresses: &[AddressRef<'_>]) -> Result<Found, Error> {
        match &self.pseudonyms {
            Some(pseudonyms) => Box::pin(self.find_both(pseudonyms, addresses, Reading::Plain)).await,
            None => self.store.find(addresses).await,
        }
    }

    async fn find_strictly(&self, addresses: &[AddressRef<'_>]) -> Result<Found, Error> {
        match &self.pseudonyms {
            Some(pseudonyms) => Box::pin(self.find_both(pseudonyms, addresses, Reading::Strict)).await,
            None => self.store.find_strictly(addresses).await,
        }
    }

    async fn probe(&self) -> Result<(), Error> {
        self.store.probe().await
    }
}

impl<S: AdministrativeStore + LetterStore> AdministrativeStore for KeyedStore<S> {
    /// Under the pseudonym alone: it is newer than what may stand under the name.
    async fn suppress(&self, address: &Address, entry: ManualEntry) -> Result<(), Error> {
        match &self.pseudonyms {
            Some(pseudonyms) => self.store.suppress(&pseudonyms.key.pseudonym(address), entry).await,
            None => self.store.suppress(address, entry).await,
        }
    }

    /// Under the pseudonyms alone: an entry of before under the name does not keep one from being made.
    async fn enter(&self, entries: &[(Address, ManualEntry)]) -> Result<Vec<Entered>, Error> {
        let Some(pseudonyms) = &self.pseudonyms else { return self.store.enter(entries).await };
        let under = |(address, entry): &(Address, ManualEntry)| (pseudonyms.key.pseudonym(address), entry.clone());
        self.store.enter(&entries.iter().map(under).collect::<Vec<_>>()).await
    }

    async fn lift(&self, address: &Address, now: UnixSeconds, who: &str, why: &str) -> Result<bool, Error> {
        let Some(pseudonyms) = &self.pseudonyms else { return self.store.lift(address, now, who, why).await };
        let mut was_there = self.store.lift(&pseudonyms.key.pseudonym(address), now, who, why).await?;
        if pseudonyms.may_be_readable(address) {
            was_there |= self.store.lift(address, now, who, why).await?;
        }
        Ok(was_there)
    }

    /// Of a record under the name nothing is left; a tombstone stands under the pseudonym. Letters that name the address go, too.
    ///
    /// # Errors
    ///
    /// Those of the store; [`Error::AddressKeyNeeded`] without a key: a tombstone would name the address for ever.
    async fn erase(&self, address: &Address, seen: Option<&Record>, tombstone: Option<Tombstone>) -> Result<Erasure, Error> {
        let pseudonyms = self.pseudonyms.as_ref().ok_or(Error::AddressKeyNeeded)?;
        self.erase_everywhere(pseudonyms, address, seen, tombstone).await
    }

    async fn compact(&self) -> Result<bool, Error> {
        self.store.compact().await
    }
}

impl<S: ListingStore + EvidenceStore> ListingStore for KeyedStore<S> {
    /// By pseudonyms, which nothing leads back from. A record under a readable name has with it what stands under its pseudonym,
    /// which is listed by itself, too.
    async fn list_records(&self, after: Option<&ListingPlace>, limit: usize) -> Result<ListingPage, Error> {
        let mut page = self.store.list_records(after, limit).await?;
        self.add_hashed(page.records.iter_mut()).await?;
        Ok(page)
    }

    fn listed_domain(&self, domain: &str) -> Option<Box<str>> {
        self.pseudonyms.as_ref().map(|pseudonyms| pseudonyms.key.domain_pseudonym(domain))
    }
}

impl<S: EvidenceStore> KeyedStore<S> {
    /// Adds to records under readable names what stands under their pseudonyms.
    async fn add_hashed(&self, records: impl Iterator<Item = &mut Record>) -> Result<(), Error> {
        let Some(pseudonyms) = self.pseudonyms.as_ref().filter(|pseudonyms| pseudonyms.is_mixed()) else { return Ok(()) };
        let readable: Vec<&mut Record> = records.filter(|record| !AddressKey::is_pseudonym(&record.address)).collect();
        let names: Vec<Address> = readable.iter().map(|record| pseudonyms.key.pseudonym(&record.address)).collect();
        for (record, hashed) in readable.into_iter().zip(self.store.records(&names).await?) {
            if let Some(hashed) = hashed {
                *record = record.clone().merged_with(hashed);
            }
        }
        Ok(())
    }
}

/// By pseudonyms, as records are listed.
impl<S: ChangeStore + EvidenceStore> ChangeStore for KeyedStore<S> {
    async fn end_of_changes(&self) -> Result<ChangePosition, Error> {
        self.store.end_of_changes().await
    }

    async fn changes_behind(&self, position: &ChangePosition) -> Result<Option<ChangePage>, Error> {
        let mut page = self.store.changes_behind(position).await?;
        if let Some(page) = &mut page {
            self.add_hashed(page.changes.iter_mut().filter_map(|change| change.record.as_mut())).await?;
        }
        Ok(page)
    }

    async fn records_since(
        &self,
        position: &ChangePosition,
        after: Option<&ListingPlace>,
        limit: usize,
    ) -> Result<ListingPage, Error> {
        let mut page = self.store.records_since(position, after, limit).await?;
        self.add_hashed(page.records.iter_mut()).await?;
        Ok(page)
    }

    async fn await_changes(&self, position: &ChangePosition) {
        self.store.await_changes(position).await;
    }
}

impl<S: IncidentStore> IncidentStore for KeyedStore<S> {
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        self.store.incidents(known).await
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        self.store.replace_incidents(known, book).await
    }
}

/// By the names of domains: they say who answered, and nothing of any recipient.
impl<S: AnswerStore> AnswerStore for KeyedStore<S> {
    async fn count_answers(&self, counted: &[DomainAnswers], now: UnixSeconds) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        self.store.count_answers(counted, now).await
    }

    fn shard_of(&self, domain: &str) -> usize {
        self.store.shard_of(domain)
    }
}
