//! How the store is asked: within a deadline, and with a note of what fails.

use suppressd_core::Error;
use tokio::time::{Instant, timeout_at};
use tracing::warn;

use crate::Metrics;
use crate::metrics::Operation;

/// Asks the store something, and takes note of it if it fails or is late.
pub(crate) async fn ask<T>(
    metrics: &Metrics,
    operation: Operation,
    asked: impl Future<Output = Result<T, Error>>,
    deadline: Instant,
) -> Result<T, Error> {
    let late = |_| Err(Error::StoreUnavailable { reason: "no answer within its deadline".into() });
    timeout_at(deadline, asked).await.unwrap_or_else(late).inspect_err(|error| {
        metrics.count_store_error(operation);
        warn!(operation = operation.as_str(), %error, "the store failed");
    })
}
