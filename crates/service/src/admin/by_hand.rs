//! What an operator does by hand to an address, or to a whole domain: suppress it, lift it.

use std::sync::Arc;

use suppressd_core::store::{AdministrativeStore, Findings};
use suppressd_core::{Act, Address, ManualEntry, Rulebook, Suppression, UnixSeconds, Verdict};
use tokio::sync::watch;
use tonic::Status;
use tracing::info;

use super::{fault, record};
use crate::judge::now;
use crate::proto;
use crate::proto::{CreateSuppressionRequest, CreateSuppressionResponse, DeleteSuppressionRequest, DeleteSuppressionResponse};

/// Where addresses are suppressed and lifted.
pub(super) struct Hands<S> {
    store: S,
    rules: watch::Receiver<Arc<Rulebook>>,
}

impl<S: AdministrativeStore> Hands<S> {
    pub(super) fn new(store: S, rules: watch::Receiver<Arc<Rulebook>>) -> Self {
        Self { store, rules }
    }

    pub(super) async fn suppress(&self, request: CreateSuppressionRequest) -> Result<CreateSuppressionResponse, Status> {
        let CreateSuppressionRequest { email, note, who, expire_time } = request;
        let address = address(&email)?;
        let until = expire_time.map(|time| UnixSeconds::clamped(time.seconds));
        let entry = ManualEntry::new(now(), until, &who, &note).map_err(|error| fault(&error, ""))?;
        self.store.suppress(&address, entry.clone()).await.map_err(|error| fault(&error, "email"))?;
        info!(?address, "an address was suppressed by hand");
        Ok(CreateSuppressionResponse { suppression: self.suppression(&address, &address, &entry) })
    }

    pub(super) async fn lift(&self, request: DeleteSuppressionRequest) -> Result<DeleteSuppressionResponse, Status> {
        let DeleteSuppressionRequest { email, who, why } = request;
        let address = address(&email)?;
        let Act { at, who, why } = Act::new(now(), &who, &why).map_err(|error| fault(&error, ""))?;
        let was_there = self.store.lift(&address, at, &who, &why).await.map_err(|error| fault(&error, "email"))?;
        // Only the store knows where the fence is: behind the newest evidence.
        let found = self.store.find(std::slice::from_ref(&address)).await.map_err(|error| fault(&error, "email"))?;
        let Findings { record, domain_entry } = found.into_iter().next().unwrap_or_default();
        let domain_entry = domain_entry.filter(|entry| entry.is_in_force(at));
        if !was_there {
            return Err(Status::not_found(match domain_entry {
                Some(_) => "nothing is known of it, and its whole domain is suppressed",
                None => "nothing is known of it",
            }));
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
