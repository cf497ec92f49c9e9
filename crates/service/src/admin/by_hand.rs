//! What an operator does to an address by hand: suppress it, lift it.

use std::sync::Arc;

use suppressd_core::store::AdministrativeStore;
use suppressd_core::{Act, Address, ManualEntry, Rulebook, Suppression, UnixSeconds, Verdict};
use tokio::sync::watch;
use tonic::Status;
use tracing::info;

use super::{fault, record};
use crate::judge::now;
use crate::proto::{CreateSuppressionRequest, CreateSuppressionResponse, DeleteSuppressionRequest, DeleteSuppressionResponse};
use crate::status;

/// What would stand for everybody of a domain, and is an address like any other.
const EVERYBODY: &str = "*@";

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
        // Whatever else is known of it, the entry comes first: there is nothing to read for that.
        let without = Verdict::without_evidence(&self.rules.borrow().policy);
        let verdict = Verdict { suppression: Some(Suppression::by_hand(&address, &entry)), ..without };
        Ok(CreateSuppressionResponse { suppression: record::suppression(&address, &verdict, Some(&entry)) })
    }

    pub(super) async fn lift(&self, request: DeleteSuppressionRequest) -> Result<DeleteSuppressionResponse, Status> {
        let DeleteSuppressionRequest { email, who, why } = request;
        let address = address(&email)?;
        let Act { at, who, why } = Act::new(now(), &who, &why).map_err(|error| fault(&error, ""))?;
        let was_there = self.store.lift(&address, at, &who, &why).await.map_err(|error| fault(&error, "email"))?;
        if !was_there {
            return Err(Status::not_found("nothing is known of this address, so there is nothing to lift"));
        }
        info!(?address, "an address was lifted by hand");
        // Only the store knows where the fence is: behind the newest evidence.
        let records = self.store.records(std::slice::from_ref(&address)).await.map_err(|error| fault(&error, "email"))?;
        let lift = records.into_iter().flatten().find_map(|record| record.lift);
        Ok(DeleteSuppressionResponse { email: address.as_str().to_owned(), lift: lift.as_ref().map(record::lift) })
    }
}

fn address(email: &str) -> Result<Address, Status> {
    let address: Address = email.parse().map_err(|error| fault(&error, "email"))?;
    // Somebody who writes it means a whole domain, and would find nobody of it suppressed.
    if address.as_str().starts_with(EVERYBODY) {
        return Err(status::refused("email", "names one address; there is no sign for all of a domain"));
    }
    Ok(address)
}
