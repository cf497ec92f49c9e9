//! A store that fails or waits when it is told to.

use std::sync::{Arc, Mutex};

use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{EvidenceStore, LetterStore, Outcome};
use suppressd_core::{Address, Error, Event, Letter, LetterHead, LetterId, LetterUsage, Record, UnixSeconds};
use tokio::sync::Semaphore;

#[derive(Clone)]
pub(crate) struct FickleStore {
    pub(crate) memory: MemoryStore,
    fault: Arc<Mutex<Option<Error>>>,
    /// One permit for each call that has come in.
    entered: Arc<Semaphore>,
    /// One permit for each call that may go on.
    gate: Arc<Semaphore>,
}

impl FickleStore {
    /// A store that does what it is asked.
    pub(crate) fn willing() -> Self {
        let store = Self::waiting();
        store.release();
        store
    }

    /// A store that does nothing until it is released.
    pub(crate) fn waiting() -> Self {
        Self {
            memory: MemoryStore::default(),
            fault: Arc::default(),
            entered: Arc::new(Semaphore::new(0)),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    pub(crate) fn fail(&self, fault: impl Into<Option<Error>>) {
        *self.fault.lock().unwrap() = fault.into();
    }

    pub(crate) fn release(&self) {
        self.gate.add_permits(1000);
    }

    pub(crate) async fn entered(&self) {
        self.entered.acquire().await.unwrap().forget();
    }

    async fn pass(&self) -> Result<(), Error> {
        self.entered.add_permits(1);
        self.gate.acquire().await.unwrap().forget();
        self.fault.lock().unwrap().clone().map_or(Ok(()), Err)
    }
}

impl EvidenceStore for FickleStore {
    async fn record(&self, events: &[Event]) -> Result<Vec<Outcome>, Error> {
        self.pass().await?;
        self.memory.record(events).await
    }

    async fn records(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        self.pass().await?;
        self.memory.records(addresses).await
    }

    async fn probe(&self) -> Result<(), Error> {
        self.pass().await
    }
}

impl LetterStore for FickleStore {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        self.pass().await?;
        self.memory.keep_letters(letters, now).await
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        self.pass().await?;
        self.memory.letter_heads(after, limit).await
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        self.pass().await?;
        self.memory.letter(id).await
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        self.pass().await?;
        self.memory.remove_letter(id).await
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        self.pass().await?;
        self.memory.letter_usage().await
    }
}

/// How many pieces of evidence the store has of an address.
pub(crate) async fn evidence(store: &MemoryStore, address: &str) -> usize {
    let records = store.records(&[address.parse().unwrap()]).await.unwrap();
    records[0].as_ref().map_or(0, |record| record.evidence().len())
}

pub(crate) async fn letters(store: &MemoryStore) -> Vec<String> {
    let heads = store.letter_heads(None, 1000).await.unwrap();
    heads.into_iter().map(|head| head.id.to_string()).collect()
}
