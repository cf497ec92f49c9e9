//! From an address as a client writes it to the verdict on it.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use suppressd_core::event::wire::label;
use suppressd_core::store::{EvidenceStore, IncidentStore};
use suppressd_core::{Address, Error, Explanation, Incidents, Policy, Record, Rulebook, UnixSeconds, Verdict, explain, verdict};
use tokio::sync::watch;
use tracing::warn;

use crate::Metrics;
use crate::incidents::KnownIncidents;
use crate::metrics::Judged;

/// Reads evidence and judges it, by the policy and the incidents that are in force.
pub(crate) struct Judge<S> {
    store: S,
    rules: watch::Receiver<Arc<Rulebook>>,
    incidents: KnownIncidents<S>,
    metrics: Metrics,
}

/// How evidence is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    Plain,
    /// By nobody who may have been replaced.
    Strict,
}

impl Reading {
    /// As a request says it.
    pub(crate) fn of(is_strict: bool) -> Self {
        if is_strict { Self::Strict } else { Self::Plain }
    }
}

/// By what the addresses of one call are judged.
struct Standard<'a> {
    policy: &'a Policy,
    incidents: Arc<Incidents>,
    account: Box<str>,
    now: UnixSeconds,
}

/// An address, what is known of it, and why the verdict on it is as it is.
pub(crate) struct Explained {
    pub(crate) address: Address,
    pub(crate) record: Option<Record>,
    pub(crate) explanation: Explanation,
}

impl<S: EvidenceStore + IncidentStore> Judge<S> {
    pub(crate) fn new(store: S, rules: watch::Receiver<Arc<Rulebook>>, incidents: KnownIncidents<S>, metrics: Metrics) -> Self {
        Self { store, rules, incidents, metrics }
    }

    /// Judges one address by the evidence of an account, or of every account if it has no name.
    pub(crate) async fn one(&self, email: &str, account: &str, reading: Reading) -> Result<Verdict, Error> {
        let started = Instant::now();
        let judged = self.judge_one(email, account, reading).await;
        self.metrics.count(judged.as_ref().map_or_else(kind_of_error, kind_of_verdict), 1);
        self.metrics.count_advised(judged.iter().filter(|verdict| verdict.advice.is_some()).count());
        self.metrics.took_one(started.elapsed());
        judged
    }

    async fn judge_one(&self, email: &str, account: &str, reading: Reading) -> Result<Verdict, Error> {
        let address: Address = email.parse()?;
        let record = self.read(std::slice::from_ref(&address), reading).await?.pop().flatten();
        let rulebook = self.rulebook();
        Ok(self.standard(&rulebook.policy, account).await?.verdict(record))
    }

    /// Judges one address, and says why.
    pub(crate) async fn explain(&self, email: &str, account: &str) -> Result<Explained, Error> {
        let address: Address = email.parse()?;
        let record = self.read(std::slice::from_ref(&address), Reading::Plain).await?.pop().flatten();
        let rulebook = self.rulebook();
        let standard = self.standard(&rulebook.policy, account).await?;
        let record = record.map(|record| standard.seen(record));
        let unknown = Record::new(address.clone());
        let explanation = explain(standard.policy, &standard.incidents, record.as_ref().unwrap_or(&unknown), standard.now);
        Ok(Explained { address, record, explanation })
    }

    /// Judges many addresses, in their order. What cannot be an address costs no other; a fault of the store fails all.
    pub(crate) async fn many(
        &self,
        emails: &[String],
        account: &str,
        reading: Reading,
    ) -> Result<Vec<Result<Verdict, Error>>, Error> {
        let started = Instant::now();
        let judged = self.judge_many(emails, account, reading).await;
        match &judged {
            Ok(results) => {
                self.metrics.count_advised(results.iter().flatten().filter(|verdict| verdict.advice.is_some()).count());
                for kind in [Judged::Suppressed, Judged::NotSuppressed, Judged::Invalid] {
                    let of_kind =
                        |result: &&Result<Verdict, Error>| result.as_ref().map_or_else(kind_of_error, kind_of_verdict) == kind;
                    self.metrics.count(kind, results.iter().filter(of_kind).count());
                }
            }
            Err(_) => self.metrics.count(Judged::Unavailable, emails.len()),
        }
        self.metrics.took_batch(started.elapsed());
        judged
    }

    async fn judge_many(&self, emails: &[String], account: &str, reading: Reading) -> Result<Vec<Result<Verdict, Error>>, Error> {
        let mut addresses: Vec<Address> = Vec::with_capacity(emails.len());
        let parsed: Vec<Result<(), Error>> =
            emails.iter().map(|email| email.parse().map(|address| addresses.push(address))).collect();
        let mut records = self.read(&addresses, reading).await?.into_iter();
        let rulebook = self.rulebook();
        let standard = self.standard(&rulebook.policy, account).await?;
        let judge = |parsed: Result<(), Error>| parsed.map(|()| standard.verdict(records.next().flatten()));
        Ok(parsed.into_iter().map(judge).collect())
    }

    async fn read(&self, addresses: &[Address], reading: Reading) -> Result<Vec<Option<Record>>, Error> {
        let records = match reading {
            Reading::Plain => self.store.records(addresses).await,
            Reading::Strict => self.store.records_strictly(addresses).await,
        };
        let records = records.inspect_err(|error| warn!(%error, "evidence cannot be read"))?;
        if records.len() == addresses.len() {
            return Ok(records);
        }
        // A store that keeps its contract never comes here; one that does not must not have an address taken for a good one.
        Err(Error::StoreFailed { reason: "the store gave too few or too many records".into() })
    }

    fn rulebook(&self) -> Arc<Rulebook> {
        Arc::clone(&self.rules.borrow())
    }

    async fn standard<'a>(&self, policy: &'a Policy, account: &str) -> Result<Standard<'a>, Error> {
        let incidents = self.incidents.in_force().await.inspect_err(|error| warn!(%error, "the incidents cannot be read"))?;
        Ok(Standard { policy, incidents, account: label(account), now: now() })
    }
}

impl Standard<'_> {
    fn verdict(&self, record: Option<Record>) -> Verdict {
        let Some(record) = record else { return Verdict::without_evidence(self.policy) };
        verdict(self.policy, &self.incidents, &self.seen(record), self.now)
    }

    fn seen(&self, record: Record) -> Record {
        if self.account.is_empty() { record } else { record.seen_by(self.policy, &self.account) }
    }
}

fn kind_of_verdict(verdict: &Verdict) -> Judged {
    if verdict.is_suppressed() { Judged::Suppressed } else { Judged::NotSuppressed }
}

fn kind_of_error(error: &Error) -> Judged {
    if error.is_callers_fault() { Judged::Invalid } else { Judged::Unavailable }
}

/// The one look at the clock that a call gets.
pub(crate) fn now() -> UnixSeconds {
    SystemTime::now().into()
}
