//! From an address as a client writes it to the verdict on it.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use suppressd_core::event::wire::label;
use suppressd_core::store::{EvidenceStore, Findings, IncidentStore};
use suppressd_core::{Address, Case, Error, Explanation, ManualEntry, Policy, Record, Rulebook, UnixSeconds, Verdict, explain};
use tokio::sync::watch;
use tracing::warn;

use crate::Metrics;
use crate::incidents::{Book, KnownIncidents};
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

/// An address, what is known of it, and why the verdict on it is as it is.
pub(crate) struct Explained {
    pub(crate) address: Address,
    pub(crate) record: Option<Record>,
    pub(crate) domain_entry: Option<Arc<ManualEntry>>,
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
        let address = Address::recipient(email)?;
        let findings = self.read(std::slice::from_ref(&address), reading).await?;
        if findings.iter().all(Findings::are_none) {
            return Ok(Verdict::without_evidence(&self.rules.borrow().policy));
        }
        // Boxed, as whatever nearly no check comes to: all would carry the room for it along.
        Box::pin(self.verdicts(&[address], findings, account)).await?.pop().ok_or_else(wrong_number)
    }

    /// Judges one address, or a whole domain, and says why. That takes the incidents themselves: without them it fails, whatever the verdict.
    pub(crate) async fn explain(&self, email: &str, account: &str) -> Result<Explained, Error> {
        let address: Address = email.parse()?;
        let found = self.read(std::slice::from_ref(&address), Reading::Plain).await?.pop();
        let Findings { record, domain_entry } = found.ok_or_else(wrong_number)?;
        let rulebook = self.rulebook();
        let incidents = self.incidents.in_force().await.inspect_err(unreadable)?;
        let record = record.map(|record| seen(record, &rulebook.policy, &label(account)));
        let unknown = Record::new(address.clone());
        let case = Case::new(record.as_ref().unwrap_or(&unknown), domain_entry.as_deref());
        let explanation = explain(&rulebook.policy, &incidents, case, now());
        Ok(Explained { address, record, domain_entry, explanation })
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
            emails.iter().map(|email| Address::recipient(email).map(|address| addresses.push(address))).collect();
        let findings = self.read(&addresses, reading).await?;
        let mut verdicts = self.verdicts(&addresses, findings, account).await?.into_iter();
        Ok(parsed.into_iter().map(|parsed| parsed.and_then(|()| verdicts.next().ok_or_else(wrong_number))).collect())
    }

    /// Judges what was read of addresses, in their order; all of it, or none if one of them is in doubt.
    async fn verdicts(&self, addresses: &[Address], findings: Vec<Findings>, account: &str) -> Result<Vec<Verdict>, Error> {
        let rulebook = self.rulebook();
        let policy = &rulebook.policy;
        // Nothing is known of most addresses, and no incident says anything about those.
        if findings.iter().all(Findings::are_none) {
            return Ok(findings.iter().map(|_| Verdict::without_evidence(policy)).collect());
        }
        let (account, now) = (label(account), now());
        let findings: Vec<_> =
            addresses.iter().zip(findings).map(|(address, found)| as_seen(address, found, policy, &account)).collect();
        let judge_one = |book: &Book, found: &Findings| match &found.record {
            Some(record) => book.verdict(policy, Case::new(record, found.domain_entry.as_deref()), now),
            None => Some(Verdict::without_evidence(policy)),
        };
        let judge = |book: &Book| findings.iter().map(|found| judge_one(book, found)).collect();
        self.incidents.judge(judge).await.inspect_err(unreadable)
    }

    async fn read(&self, addresses: &[Address], reading: Reading) -> Result<Vec<Findings>, Error> {
        let findings = match reading {
            Reading::Plain => self.store.find(addresses).await,
            Reading::Strict => Box::pin(self.store.find_strictly(addresses)).await,
        };
        let findings = findings.inspect_err(|error| warn!(%error, "evidence cannot be read"))?;
        if findings.len() == addresses.len() {
            return Ok(findings);
        }
        Err(wrong_number())
    }

    fn rulebook(&self) -> Arc<Rulebook> {
        Arc::clone(&self.rules.borrow())
    }
}

/// What was found about an address, with a record if anything was, as a check sees it that names an account, or none.
fn as_seen(address: &Address, found: Findings, policy: &Policy, account: &str) -> Findings {
    let Findings { record, domain_entry } = found;
    let record = record.or_else(|| domain_entry.as_ref().map(|_| Record::new(address.clone())));
    Findings { record: record.map(|record| seen(record, policy, account)), domain_entry }
}

/// The record as a check sees it that names an account, or none.
fn seen(record: Record, policy: &Policy, account: &str) -> Record {
    if account.is_empty() { record } else { record.seen_by(policy, account) }
}

/// A store that keeps its contract never comes to this; one that does not must not have an address taken for a good one.
fn wrong_number() -> Error {
    Error::StoreFailed { reason: "the store gave too few or too many records".into() }
}

fn unreadable(error: &Error) {
    warn!(%error, "the incidents cannot be read");
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

#[cfg(test)]
mod tests;
