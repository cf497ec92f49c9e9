//! From an address as a client writes it to the verdict on it.

use std::sync::Arc;
use std::time::{Instant, SystemTime};

use arc_swap::Guard;
use suppressd_core::event::wire::label;
use suppressd_core::store::{EvidenceStore, Findings, Found, IncidentStore};
use suppressd_core::{
    Address, AddressList, AddressRef, Case, Error, Explanation, ManualEntry, Policy, Record, Rulebook, UnixSeconds, Verdict,
    explain,
};
use tokio::sync::watch;
use tracing::warn;

use crate::Metrics;
use crate::batch::Emails;
use crate::incidents::{Book, KnownIncidents};
use crate::metrics::Judged;
use crate::proto::SuppressionResult;
use crate::rules::{InForce, Rules};

/// Reads evidence and judges it, by the policy and the incidents that are in force.
pub(crate) struct Judge<S> {
    store: S,
    rules: Rules,
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

/// Verdicts on a batch. Nothing is known of most addresses, so those are not written down one by one.
pub(crate) struct Verdicts {
    /// How many addresses were judged.
    pub(crate) addresses: usize,
    /// The verdict on each that is not named below: that on an address of which nothing is known.
    pub(crate) usual: SuppressionResult,
    /// The others, with their places, in order.
    pub(crate) others: Vec<(usize, Result<Verdict, Error>)>,
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
        Self { store, rules: Rules::new(rules), incidents, metrics }
    }

    /// Judges one address by the evidence of an account, or of every account if it has no name. None if nothing is known of it:
    /// then the verdict is the usual one.
    pub(crate) async fn one(&self, email: &str, account: &str, reading: Reading) -> Result<Option<Verdict>, Error> {
        let started = Instant::now();
        let judged = self.judge_one(email, account, reading).await;
        let kind = match &judged {
            Ok(None) => Judged::NotSuppressed,
            Ok(Some(verdict)) => kind_of_verdict(verdict),
            Err(error) => kind_of_error(error),
        };
        self.metrics.count(kind, 1);
        self.metrics.count_advised(judged.iter().flatten().filter(|verdict| verdict.advice.is_some()).count());
        self.metrics.took_one(started.elapsed());
        judged
    }

    async fn judge_one(&self, email: &str, account: &str, reading: Reading) -> Result<Option<Verdict>, Error> {
        let address = Address::recipient(email)?;
        let addresses = [AddressRef::from(&address)];
        let known = self.read(&addresses, reading).await?.into_known();
        if known.is_empty() {
            return Ok(None);
        }
        // Boxed, as whatever nearly no check comes to: all would carry the room for it along.
        let (_, verdict) = Box::pin(self.verdicts(&addresses, known, account)).await?.pop().ok_or_else(wrong_number)?;
        Ok(Some(verdict))
    }

    /// The rules in force, and the usual verdict by them.
    pub(crate) fn in_force(&self) -> Guard<Arc<InForce>> {
        self.rules.in_force()
    }

    /// Judges one address, or a whole domain, and says why. That takes the incidents themselves: without them it fails, whatever the verdict.
    pub(crate) async fn explain(&self, email: &str, account: &str) -> Result<Explained, Error> {
        let address: Address = email.parse()?;
        let found = self.read(&[(&address).into()], Reading::Plain).await?;
        let Findings { record, domain_entry } = found.into_all().pop().unwrap_or_default();
        let rulebook = Arc::clone(&self.rules.in_force().rulebook);
        let incidents = self.incidents.in_force().await.inspect_err(unreadable)?;
        let record = record.map(|record| seen(record, &rulebook.policy, &label(account)));
        let unknown = Record::new(address.clone());
        let case = Case::new(record.as_ref().unwrap_or(&unknown), domain_entry.as_deref());
        let explanation = explain(&rulebook.policy, &incidents, case, now());
        Ok(Explained { address, record, domain_entry, explanation })
    }

    /// Judges many addresses. What cannot be an address costs no other; a fault of the store fails all.
    pub(crate) async fn many(&self, emails: &Emails, account: &str, reading: Reading) -> Result<Verdicts, Error> {
        let started = Instant::now();
        let judged = self.judge_many(emails, account, reading).await;
        match &judged {
            Ok(Verdicts { addresses, usual: _, others }) => {
                let advised = others.iter().flat_map(|(_, judged)| judged).filter(|verdict| verdict.advice.is_some());
                self.metrics.count_advised(advised.count());
                let mut counts =
                    [(Judged::NotSuppressed, addresses - others.len()), (Judged::Suppressed, 0), (Judged::Invalid, 0)];
                for (_, judged) in others {
                    let kind = judged.as_ref().map_or_else(kind_of_error, kind_of_verdict);
                    counts.iter_mut().filter(|(of, _)| *of == kind).for_each(|(_, count)| *count += 1);
                }
                for (kind, count) in counts {
                    self.metrics.count(kind, count);
                }
            }
            Err(_) => self.metrics.count(Judged::Unavailable, emails.len()),
        }
        self.metrics.took_batch(started.elapsed());
        judged
    }

    async fn judge_many(&self, emails: &Emails, account: &str, reading: Reading) -> Result<Verdicts, Error> {
        let (addresses, refused) = AddressList::recipients(emails.iter());
        let addresses: Vec<_> = addresses.iter().collect();
        let known = self.read(&addresses, reading).await?.into_known();
        let verdicts = if known.is_empty() { Vec::new() } else { Box::pin(self.verdicts(&addresses, known, account)).await? };
        Ok(Verdicts { addresses: emails.len(), usual: self.rules.in_force().usual.clone(), others: among_all(verdicts, refused) })
    }

    /// Judges the addresses of which something is known; all of them, or none if one is in doubt.
    async fn verdicts(
        &self,
        addresses: &[AddressRef<'_>],
        known: Vec<(usize, Findings)>,
        account: &str,
    ) -> Result<Vec<(usize, Verdict)>, Error> {
        let rulebook = Arc::clone(&self.rules.in_force().rulebook);
        let policy = &rulebook.policy;
        let (account, now) = (label(account), now());
        let seen = |(number, findings)| (number, as_seen(addresses[number], findings, policy, &account));
        let known: Vec<(usize, Seen)> = known.into_iter().map(seen).collect();
        let judge_one = |book: &Book, Seen { record, domain_entry }: &Seen| {
            book.verdict(policy, Case::new(record, domain_entry.as_deref()), now)
        };
        let judge = |book: &Book| known.iter().map(|(number, seen)| Some((*number, judge_one(book, seen)?))).collect();
        self.incidents.judge(judge).await.inspect_err(unreadable)
    }

    async fn read(&self, addresses: &[AddressRef<'_>], reading: Reading) -> Result<Found, Error> {
        let found = match reading {
            Reading::Plain => self.store.find(addresses).await,
            Reading::Strict => Box::pin(self.store.find_strictly(addresses)).await,
        };
        let found = found.inspect_err(|error| warn!(%error, "evidence cannot be read"))?;
        if found.addresses() == addresses.len() {
            return Ok(found);
        }
        Err(wrong_number())
    }
}

/// What is known of an address, as a check sees it.
struct Seen {
    record: Record,
    domain_entry: Option<Arc<ManualEntry>>,
}

/// Verdicts, with the numbers of their addresses among those that were not refused, and with their places what was refused: both with
/// their places among all, in order.
fn among_all(verdicts: Vec<(usize, Verdict)>, refused: Vec<(usize, Error)>) -> Vec<(usize, Result<Verdict, Error>)> {
    let mut others = Vec::with_capacity(verdicts.len() + refused.len());
    let mut refused = refused.into_iter().map(|(place, error)| (place, Err(error))).peekable();
    let mut refused_before = 0;
    for (number, verdict) in verdicts {
        while let Some(before) = refused.next_if(|(place, _)| *place <= number + refused_before) {
            others.push(before);
            refused_before += 1;
        }
        others.push((number + refused_before, Ok(verdict)));
    }
    others.extend(refused);
    others
}

/// What was found about an address, as a check sees it that names an account, or none.
fn as_seen(address: AddressRef<'_>, Findings { record, domain_entry }: Findings, policy: &Policy, account: &str) -> Seen {
    Seen { record: seen(record.unwrap_or_else(|| Record::new(address.to_address())), policy, account), domain_entry }
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
