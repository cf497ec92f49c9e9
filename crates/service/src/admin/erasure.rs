//! The erasure of an address: all that is kept of it goes, and what suppressed it stays.

use std::sync::Arc;
use std::time::Duration;

use suppressd_core::store::{AdministrativeStore, IncidentStore};
use suppressd_core::{Address, Erased, Erasure, Error, Record, Tombstone, Verdict};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tonic::Status;
use tracing::info;

use super::fault;
use crate::judge::{Explained, Judge, now};
use crate::proto::{EraseAddressRequest, EraseAddressResponse};
use crate::suppression::reason;
use crate::{Limits, status};

/// How often a verdict is formed anew because something of the address was recorded meanwhile.
const MAX_ATTEMPTS: usize = 16;

/// Where addresses are erased.
pub(super) struct Eraser<S> {
    store: S,
    judge: Arc<Judge<S>>,
    /// How long a call waits for the store's files.
    patience: Duration,
    /// Where it goes on when who asked is gone.
    home: Handle,
}

impl<S: AdministrativeStore + IncidentStore> Eraser<S> {
    /// To be called within the runtime on which it is to work.
    pub(super) fn new(store: S, judge: Arc<Judge<S>>, limits: &Limits) -> Self {
        Self { store, judge, patience: limits.call_timeout / 2, home: Handle::current() }
    }

    /// What was begun is finished, whether or not somebody waits for it.
    pub(super) async fn erase(&self, request: EraseAddressRequest) -> Result<EraseAddressResponse, Status> {
        let EraseAddressRequest { email } = request;
        if email.parse::<Address>().is_ok_and(|address| address.is_whole_domain()) {
            return Err(status::refused("email", "names a whole domain, which is nobody to be erased"));
        }
        let (store, judge) = (self.store.clone(), Arc::clone(&self.judge));
        let ended_early = |_| Status::internal("the erasure ended early; it is safe to repeat");
        let erasing = self.home.spawn(async move { erase(&store, &judge, &email).await });
        let (erased, verdict) = erasing.await.map_err(ended_early)?.map_err(|error| fault(&error, "email"))?;
        let store = self.store.clone();
        let compacting = self.home.spawn(async move { store.compact().await });
        let compacted = match timeout(self.patience, compacting).await {
            Ok(compacted) => compacted.map_err(ended_early)?.map_err(|error| fault(&error, "email"))?,
            Err(_) => false,
        };
        Ok(EraseAddressResponse {
            suppressed: verdict.is_suppressed(),
            reason: reason(&verdict).into(),
            had_record: erased.had_record,
            letters: erased.letters,
            compacted,
        })
    }
}

/// Erases an address as it is judged: if it is another record by then, it is judged anew.
async fn erase<S: AdministrativeStore + IncidentStore>(
    store: &S,
    judge: &Judge<S>,
    email: &str,
) -> Result<(Erased, Verdict), Error> {
    for _ in 0..MAX_ATTEMPTS {
        let Explained { address, record, explanation, .. } = judge.explain(email, "").await?;
        let verdict = explanation.verdict;
        let tombstone = tombstone(record.as_ref(), &verdict);
        if let Erasure::Done(erased) = store.erase(&address, record.as_ref(), tombstone).await? {
            info!(suppressed = verdict.is_suppressed(), letters = erased.letters, "an address was erased");
            return Ok((erased, verdict));
        }
    }
    Err(Error::StoreUnavailable { reason: "something of the address is recorded again and again".into() })
}

/// What is left of it: the tombstone there is, or one if it is suppressed.
fn tombstone(record: Option<&Record>, verdict: &Verdict) -> Option<Tombstone> {
    let known = record.and_then(|record| record.tombstone);
    known.or_else(|| verdict.suppression.as_ref().map(|of| Tombstone { erased_at: now(), reason: of.reason }))
}
