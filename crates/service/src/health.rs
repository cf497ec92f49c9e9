//! Health as others see it: it follows the store, and ends with the drain.

use std::time::Duration;

use suppressd_core::store::EvidenceStore;
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;
use tracing::{info, warn};

use crate::Limits;

/// Asks the store again and again, and reports for all services together whether it could answer. Ends when the drain begins.
pub(crate) async fn follow<S: EvidenceStore>(
    store: S,
    mut reporter: HealthReporter,
    services: &[&str],
    limits: &Limits,
    mut draining: watch::Receiver<bool>,
) {
    let mut latest = None;
    loop {
        let is_serving = answers(&store, limits.probe_deadline).await && !*draining.borrow();
        if latest != Some(is_serving) {
            report(&reporter, services, is_serving).await;
            latest = Some(is_serving);
        }
        tokio::select! {
            () = sleep(limits.probe_interval) => {}
            _ = draining.wait_for(|draining| *draining) => break,
        }
    }
    report(&reporter, services, false).await;
    // Who watches has heard that; a watch that went on would hold the drain up to its deadline.
    for service in services {
        reporter.clear_service_status(service).await;
    }
}

async fn answers<S: EvidenceStore>(store: &S, deadline: Duration) -> bool {
    match timeout(deadline, store.probe()).await {
        Ok(Ok(())) => true,
        Ok(Err(error)) => {
            warn!(%error, "the store cannot answer");
            false
        }
        Err(_) => {
            warn!("the store does not answer in time");
            false
        }
    }
}

async fn report(reporter: &HealthReporter, services: &[&str], is_serving: bool) {
    let status = if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
    info!(%status, "health");
    for service in services {
        reporter.set_service_status(service, status).await;
    }
}
