//! What an operator does by hand to an address, or to a whole domain: suppress it, lift it.

use std::sync::Arc;

use prost_types::Timestamp;
use suppressd_core::store::{AdministrativeStore, Findings};
use suppressd_core::{Act, Address, Entered, Error, ManualEntry, Rulebook, Suppression, UnixSeconds, Verdict};
use tokio::sync::watch;
use tonic::Status;
use tracing::info;

use super::{fault, record};
use crate::judge::now;
use crate::proto::{
    self, BatchCreateSuppressionsRequest, BatchCreateSuppressionsResponse, CreateSuppressionRequest, CreateSuppressionResponse,
    DeleteSuppressionRequest, DeleteSuppressionResponse, SuppressionEntry, SuppressionEntryOutcome, SuppressionEntryResult,
};
use crate::{Limits, status};

/// Where addresses are suppressed and lifted.
pub(super) struct Hands<S> {
    store: S,
    rules: watch::Receiver<Arc<Rulebook>>,
    max_entries: usize,
}

impl<S: AdministrativeStore> Hands<S> {
    pub(super) fn new(store: S, rules: watch::Receiver<Arc<Rulebook>>, limits: &Limits) -> Self {
        Self { store, rules, max_entries: limits.max_addresses_per_batch }
    }

    pub(super) async fn suppress(&self, request: CreateSuppressionRequest) -> Result<CreateSuppressionResponse, Status> {
        let CreateSuppressionRequest { email, note, who, expire_time } = request;
        let address = address(&email)?;
        let entry = ManualEntry::new(now(), expire_time.map(seconds), &who, &note).map_err(|error| fault(&error, ""))?;
        self.store.suppress(&address, entry.clone()).await.map_err(|error| fault(&error, "email"))?;
        info!(?address, "an address was suppressed by hand");
        Ok(CreateSuppressionResponse { suppression: self.suppression(&address, &address, &entry) })
    }

    /// Makes many entries. What none can be made of costs no other.
    pub(super) async fn enter(&self, request: BatchCreateSuppressionsRequest) -> Result<BatchCreateSuppressionsResponse, Status> {
        let BatchCreateSuppressionsRequest { entries, who } = request;
        let most = self.max_entries;
        if entries.len() > most {
            return Err(status::refused("entries", &format!("{} entries; a batch holds {most} at most", entries.len())));
        }
        let now = now();
        let mut good = Vec::with_capacity(entries.len());
        let read: Vec<Result<(), Error>> =
            entries.iter().map(|entry| read(entry, now, &who).map(|entry| good.push(entry))).collect();
        let entered = self.store.enter(&good).await.map_err(|error| fault(&error, "entries"))?;
        if entered.len() != good.len() {
            return Err(Status::internal("the store gave too few or too many answers"));
        }
        let created = entered.iter().filter(|entered| **entered == Entered::Created).count();
        info!(entries = entries.len(), created, "addresses were suppressed by hand");
        let mut entered = entered.into_iter();
        let results = read.into_iter().map(|read| result(read.map(|()| entered.next()))).collect();
        Ok(BatchCreateSuppressionsResponse { results })
    }

    pub(super) async fn lift(&self, request: DeleteSuppressionRequest) -> Result<DeleteSuppressionResponse, Status> {
        let DeleteSuppressionRequest { email, who, why } = request;
        let address = address(&email)?;
        let Act { at, who, why } = Act::new(now(), &who, &why).map_err(|error| fault(&error, ""))?;
        let was_there = self.store.lift(&address, at, &who, &why).await.map_err(|error| fault(&error, "email"))?;
        // Only the store knows where the fence is: behind the newest evidence.
        let found = self.store.find(&[(&address).into()]).await.map_err(|error| fault(&error, "email"))?;
        let Findings { record, domain_entry } = found.into_all().pop().unwrap_or_default();
        let domain_entry = domain_entry.filter(|entry| entry.is_in_force(at));
        if !was_there {
            return Err(Status::not_found(match domain_entry {
                Some(_) => "nothing is known of it, and its whole domain is suppressed",
                None => "nothing is known of it",
            }));
        }
        if record.as_ref().is_some_and(|record| record.tombstone.is_some()) {
            return Err(Status::failed_precondition(
                "it was erased on request while it was suppressed, and stays so: no lift releases it",
            ));
        }
        info!(?address, "an address was lifted by hand");
        let still_suppressed = domain_entry.and_then(|entry| self.suppression(&address, &address.whole_domain(), &entry));
        let lift = record.and_then(|record| record.lift).as_ref().map(record::lift);
        Ok(DeleteSuppressionResponse { email: address.as_str().to_owned(), lift, still_suppressed })
    }

    /// What an entry does to an address, which comes before whatever else is known: there is nothing to read for that. `entered` is
    /// the address or the whole domain for which it was entered.
    fn suppression(&self, address: &Address, entered: &Address, entry: &ManualEntry) -> Option<proto::Suppression> {
        let without = Verdict::without_evidence(&self.rules.borrow().policy);
        let verdict = Verdict { suppression: Some(Suppression::by_hand(entered, entry)), ..without };
        record::suppression(address, &verdict, Some(entry))
    }
}

fn address(email: &str) -> Result<Address, Status> {
    email.parse().map_err(|error| fault(&error, "email"))
}

fn seconds(time: Timestamp) -> UnixSeconds {
    UnixSeconds::clamped(time.seconds)
}

fn read(entry: &SuppressionEntry, now: UnixSeconds, who: &str) -> Result<(Address, ManualEntry), Error> {
    let SuppressionEntry { email, note, since, expire_time, request_id } = entry;
    let address = email.parse()?;
    let entry = ManualEntry::new(now, expire_time.map(seconds), who, note)?.backdated(since.map_or(now, seconds));
    let entry = if request_id.is_empty() { entry } else { entry.requested_by(request_id)? };
    Ok((address, entry))
}

fn result(entered: Result<Option<Entered>, Error>) -> SuppressionEntryResult {
    let (outcome, error) = match entered {
        Ok(Some(Entered::Created)) => (SuppressionEntryOutcome::Created, String::new()),
        Ok(Some(Entered::Known)) => (SuppressionEntryOutcome::Known, String::new()),
        Ok(None) => (SuppressionEntryOutcome::Unspecified, String::new()),
        Err(error) => (SuppressionEntryOutcome::Refused, error.to_string()),
    };
    SuppressionEntryResult { outcome: outcome.into(), error }
}
