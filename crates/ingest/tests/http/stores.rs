//! A store that fails or waits when it is told to.

use std::sync::{Arc, Mutex};

use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{AnswerStore, BookVersion, DomainAnswers, EvidenceStore, IncidentStore, LetterStore, Outcome};
use suppressd_core::{
    Address, Answers, AnswersBySlot, Error, Event, Incident, IncidentBook, Letter, LetterHead, LetterId, LetterUsage, Record,
    Slot, UnixSeconds,
};
use tokio::sync::{Semaphore, watch};

use crate::client::PATIENCE;

/// How domains begin whose answers are counted by a shard of their own.
pub(crate) const FAR: &str = "far.";

#[derive(Clone)]
pub(crate) struct FickleStore {
    pub(crate) memory: MemoryStore,
    /// What events, records and letters go through.
    evidence: Gate,
    /// What the counts of answers go through.
    pub(crate) answers: Gate,
    /// What those go through in which a domain of [`FAR`] is.
    pub(crate) far_answers: Gate,
    /// What the counts of answers go through once they are added.
    pub(crate) confirmation: Gate,
    /// What the book of incidents goes through, once it is read and before it is replaced.
    pub(crate) book: Gate,
}

impl FickleStore {
    /// A store that does what it is asked.
    pub(crate) fn willing() -> Self {
        let store = Self::waiting();
        store.release();
        store
    }

    /// A store that records and reads nothing until it is released.
    pub(crate) fn waiting() -> Self {
        let store = Self {
            memory: MemoryStore::default(),
            evidence: Gate::default(),
            answers: Gate::default(),
            far_answers: Gate::default(),
            confirmation: Gate::default(),
            book: Gate::default(),
        };
        for gate in [&store.answers, &store.far_answers, &store.confirmation, &store.book] {
            gate.open();
        }
        store
    }

    pub(crate) fn fail(&self, fault: impl Into<Option<Error>>) {
        self.evidence.fail(fault);
    }

    pub(crate) fn release(&self) {
        self.evidence.open();
    }

    pub(crate) async fn entered(&self) {
        self.evidence.entered().await;
    }

    /// How many hold this store, the test with it.
    pub(crate) fn holders(&self) -> usize {
        Arc::strong_count(&self.evidence.entered)
    }

    async fn pass(&self) -> Result<(), Error> {
        self.evidence.pass().await
    }
}

/// Where calls wait while it is shut, and fail while there is a fault. It is made shut.
#[derive(Clone)]
pub(crate) struct Gate {
    fault: Arc<Mutex<Option<Error>>>,
    /// A fault of the next call alone.
    fault_once: Arc<Mutex<Option<Error>>>,
    /// One permit for each call that has come in since it was last shut.
    entered: Arc<Semaphore>,
    is_open: Arc<watch::Sender<bool>>,
}

impl Default for Gate {
    fn default() -> Self {
        let (fault, fault_once) = (Arc::default(), Arc::default());
        Self { fault, fault_once, entered: Arc::new(Semaphore::new(0)), is_open: Arc::new(watch::Sender::new(false)) }
    }
}

impl Gate {
    pub(crate) fn fail(&self, fault: impl Into<Option<Error>>) {
        *self.fault.lock().unwrap() = fault.into();
    }

    pub(crate) fn fail_once(&self, fault: Error) {
        *self.fault_once.lock().unwrap() = Some(fault);
    }

    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }

    pub(crate) fn shut(&self) {
        self.entered.forget_permits(Semaphore::MAX_PERMITS);
        self.is_open.send_replace(false);
    }

    pub(crate) async fn entered(&self) {
        let entered = tokio::time::timeout(PATIENCE, self.entered.acquire()).await;
        entered.expect("nobody comes in").unwrap().forget();
    }

    async fn pass(&self) -> Result<(), Error> {
        self.entered.add_permits(1);
        self.is_open.subscribe().wait_for(|is_open| *is_open).await.unwrap();
        let of_this_call = self.fault_once.lock().unwrap().take();
        of_this_call.or_else(|| self.fault.lock().unwrap().clone()).map_or(Ok(()), Err)
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

impl AnswerStore for FickleStore {
    async fn count_answers(&self, counted: &[DomainAnswers], now: UnixSeconds) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        self.answers.pass().await?;
        if counted.iter().any(|counted| counted.domain.starts_with(FAR)) {
            self.far_answers.pass().await?;
        }
        let given = self.memory.count_answers(counted, now).await;
        self.confirmation.pass().await?;
        given
    }

    fn shard_of(&self, domain: &str) -> usize {
        usize::from(domain.starts_with(FAR))
    }
}

impl IncidentStore for FickleStore {
    /// The book as it was before the call had to wait: somebody else may have replaced it since.
    async fn incidents(&self, known: Option<BookVersion>) -> Result<Option<(BookVersion, IncidentBook)>, Error> {
        let book = self.memory.incidents(known).await;
        self.book.pass().await?;
        book
    }

    async fn replace_incidents(&self, known: BookVersion, book: &IncidentBook) -> Result<bool, Error> {
        self.book.pass().await?;
        self.memory.replace_incidents(known, book).await
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

/// All answers of a domain that were ever counted.
pub(crate) async fn answers(store: &MemoryStore, domain: &str) -> Answers {
    // A store gives a domain's answers to who adds a hard one: here in a stretch of time so late that nothing else is in it.
    let late = Slot::of(UnixSeconds::MAX);
    let asked = DomainAnswers { domain: domain.into(), slot: late, answers: Answers { hard: 1, all: 0 } };
    let given = store.count_answers(&[asked], UnixSeconds::default()).await.unwrap();
    let mut sum = Answers::default();
    for (_, answers) in given[0].1.range(..late) {
        sum += *answers;
    }
    sum
}

pub(crate) async fn incidents(store: &MemoryStore) -> Vec<Incident> {
    let (_, book) = store.incidents(None).await.unwrap().unwrap();
    book.incidents().to_vec()
}
