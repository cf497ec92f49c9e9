//! What the supervisor is told, if it listens at `NOTIFY_SOCKET` as systemd does. Without that, nothing.

use std::time::Duration;

use sd_notify::NotifyState;
use tracing::warn;

/// Longest time that telling may take: a supervisor that does not listen holds up nothing.
const DEADLINE: Duration = Duration::from_secs(1);

/// What is going on, in words, before it serves.
pub(crate) async fn starting(status: &'static str) {
    tell(vec![NotifyState::Status(status)]).await;
}

/// It serves; or serves on, after a reload.
pub(crate) async fn ready(status: &'static str) {
    tell(vec![NotifyState::Ready, NotifyState::Status(status)]).await;
}

/// It was told to read its policy again. `ready` has to follow, whatever comes of it.
pub(crate) async fn reloading(status: &'static str) {
    let mut told = vec![NotifyState::Reloading, NotifyState::Status(status)];
    // By the time the supervisor tells which of its requests this answers.
    match NotifyState::monotonic_usec_now() {
        Ok(now) => told.push(now),
        Err(error) => warn!(%error, "the monotonic clock cannot be read"),
    }
    tell(told).await;
}

/// The drain begins.
pub(crate) async fn stopping(status: &'static str) {
    tell(vec![NotifyState::Stopping, NotifyState::Status(status)]).await;
}

/// A supervisor that cannot be told is a pity, and no reason to end.
async fn tell(states: Vec<NotifyState<'static>>) {
    // It blocks while the supervisor's queue is full.
    let telling = tokio::task::spawn_blocking(move || sd_notify::notify(&states));
    match tokio::time::timeout(DEADLINE, telling).await {
        Ok(Ok(Ok(()))) => {}
        Ok(Ok(Err(error))) => warn!(%error, "the supervisor at NOTIFY_SOCKET cannot be told"),
        Ok(Err(error)) => warn!(%error, "the supervisor at NOTIFY_SOCKET was not told"),
        Err(_) => warn!("the supervisor at NOTIFY_SOCKET does not listen"),
    }
}
