//! From an address as a client writes it to the verdict on it.

use std::time::{Instant, SystemTime};

use suppressd_core::event::wire::label;
use suppressd_core::store::EvidenceStore;
use suppressd_core::{Address, Error, Incidents, Policy, Record, UnixSeconds, Verdict, verdict};
use tracing::warn;

use crate::Metrics;
use crate::metrics::Judged;

/// Reads evidence and judges it.
pub(crate) struct Judge<S> {
    store: S,
    policy: Policy,
    incidents: Incidents,
    metrics: Metrics,
}

impl<S: EvidenceStore> Judge<S> {
    pub(crate) fn new(store: S, policy: Policy, metrics: Metrics) -> Self {
        Self { store, policy, incidents: Incidents::default(), metrics }
    }

    /// Judges one address by the evidence of an account, or of every account if it has no name.
    pub(crate) async fn one(&self, email: &str, account: &str) -> Result<Verdict, Error> {
        let started = Instant::now();
        let judged = self.judge_one(email, account).await;
        self.metrics.count(judged.as_ref().map_or_else(kind_of_error, kind_of_verdict), 1);
        self.metrics.took_one(started.elapsed());
        judged
    }

    async fn judge_one(&self, email: &str, account: &str) -> Result<Verdict, Error> {
        let address: Address = email.parse()?;
        let record = self.read(std::slice::from_ref(&address)).await?.pop().flatten();
        Ok(self.verdict(record, &label(account), now()))
    }

    /// Judges many addresses, in their order. What cannot be an address costs no other; a fault of the store fails all.
    pub(crate) async fn many(&self, emails: &[String], account: &str) -> Result<Vec<Result<Verdict, Error>>, Error> {
        let started = Instant::now();
        let judged = self.judge_many(emails, account).await;
        match &judged {
            Ok(results) => {
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

    async fn judge_many(&self, emails: &[String], account: &str) -> Result<Vec<Result<Verdict, Error>>, Error> {
        let mut addresses: Vec<Address> = Vec::with_capacity(emails.len());
        let parsed: Vec<Result<(), Error>> =
            emails.iter().map(|email| email.parse().map(|address| addresses.push(address))).collect();
        let mut records = self.read(&addresses).await?.into_iter();
        let (account, now) = (label(account), now());
        let judge = |parsed: Result<(), Error>| parsed.map(|()| self.verdict(records.next().flatten(), &account, now));
        Ok(parsed.into_iter().map(judge).collect())
    }

    async fn read(&self, addresses: &[Address]) -> Result<Vec<Option<Record>>, Error> {
        let records = self.store.records(addresses).await.inspect_err(|error| warn!(%error, "evidence cannot be read"))?;
        if records.len() == addresses.len() {
            return Ok(records);
        }
        // A store that keeps its contract never comes here; one that does not must not have an address taken for a good one.
        Err(Error::StoreFailed { reason: "the store gave too few or too many records".into() })
    }

    fn verdict(&self, record: Option<Record>, account: &str, now: UnixSeconds) -> Verdict {
        let Some(record) = record else { return Verdict::without_evidence(&self.policy) };
        let record = if account.is_empty() { record } else { record.seen_by(&self.policy, account) };
        verdict(&self.policy, &self.incidents, &record, now)
    }
}

fn kind_of_verdict(verdict: &Verdict) -> Judged {
    if verdict.is_suppressed() { Judged::Suppressed } else { Judged::NotSuppressed }
}

fn kind_of_error(error: &Error) -> Judged {
    if error.is_callers_fault() { Judged::Invalid } else { Judged::Unavailable }
}

fn now() -> UnixSeconds {
    SystemTime::now().into()
}
