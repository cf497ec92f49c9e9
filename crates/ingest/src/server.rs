//! The listener, its connections, and how they end.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use prometheus_client::registry::Registry;
use suppressd_core::Rulebook;
use suppressd_core::store::{AnswerStore, EvidenceStore, IncidentStore, LetterStore};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::{JoinError, JoinSet};
use tokio::time::sleep;
use tracing::{debug, error, warn};

use crate::guard::{Counter, Guard};
use crate::routes::Door;
use crate::stream::Stream;
use crate::{Error, Limits, Metrics, Settings};

/// How long no connection is taken after one could not be. Without it a process that is out of file descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Serves HTTP until `shutdown` is done, then takes no more connections, finishes the requests that are in flight, and returns.
/// Each body is read by the rulebook that is in force when it has come.
///
/// The drain takes no longer than the limits let a request take, and then two flushes of the outage guard; a shorter deadline is
/// the caller's to set, and dropping the future cuts the connections that are left.
///
/// # Errors
///
/// [`Error::InvalidSetting`] before anything is served. Nothing that happens to a connection ends the server.
pub async fn serve<S>(
    listener: TcpListener,
    store: S,
    settings: Settings,
    rules: watch::Receiver<Arc<Rulebook>>,
    metrics: Metrics,
    registry: Arc<Registry>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error>
where
    S: EvidenceStore + LetterStore + IncidentStore + AnswerStore,
{
    settings.validate()?;
    let http = http(&settings.limits);
    let max_connections = settings.limits.max_connections;
    let counter = Arc::new(Counter::new(metrics.clone()));
    let guard = Guard::new(store.clone(), rules.clone(), Arc::clone(&counter), &settings.limits, metrics.clone());
    let door = Arc::new(Door::new(store, settings, rules, counter, metrics, registry));
    let graceful = GracefulShutdown::new();
    // The tasks are owned here, so none of them outlives this future.
    let mut connections = JoinSet::new();
    let mut guarding = JoinSet::new();
    let (stop_guard, stopped) = oneshot::channel();
    guarding.spawn(guard.run(stopped));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let accepted = tokio::select! {
            () = &mut shutdown => break,
            Some(ended) = connections.join_next() => {
                note_end(ended, "connection");
                continue;
            }
            Some(ended) = guarding.join_next() => {
                note_end(ended, "outage guard");
                continue;
            }
            accepted = listener.accept(), if connections.len() < max_connections => accepted,
        };
        match accepted {
            Ok((tcp, _)) => {
                connections.spawn(connection(tcp, http.clone(), Arc::clone(&door), graceful.watcher()));
            }
            Err(error) if is_of_one_connection(&error) => debug!(%error, "a connection was gone before it was taken"),
            Err(error) => {
                warn!(%error, "no connection can be taken");
                tokio::select! {
                    () = &mut shutdown => break,
                    () = sleep(ACCEPT_PAUSE) => {}
                }
            }
        }
    }
    door.drain();
    drop(listener);
    graceful.shutdown().await;
    while let Some(ended) = connections.join_next().await {
        note_end(ended, "connection");
    }
    // Not before: what the last webhooks brought is to be counted, too.
    drop(stop_guard);
    while let Some(ended) = guarding.join_next().await {
        note_end(ended, "outage guard");
    }
    Ok(())
}

fn http(limits: &Limits) -> http1::Builder {
    let mut http = http1::Builder::new();
    // Without a timer the timeout would not be kept.
    http.timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_header_size(limits.max_header_bytes)
        .max_buf_size(limits.max_buffer_bytes);
    http
}

async fn connection<S>(tcp: TcpStream, http: http1::Builder, door: Arc<Door<S>>, watcher: Watcher)
where
    S: EvidenceStore + LetterStore,
{
    // An answer is one small write: held back for more, it would wait for the client's acknowledgement.
    if let Err(error) = tcp.set_nodelay(true) {
        debug!(%error, "a connection was gone before it was served");
        return;
    }
    let stream = TokioIo::new(Stream::new(tcp, door.limits()));
    let service = service_fn(move |request| {
        let door = Arc::clone(&door);
        async move { Ok::<_, Infallible>(door.answer(request).await) }
    });
    if let Err(error) = watcher.watch(http.serve_connection(stream, service)).await {
        debug!(%error, "a connection ended early");
    }
}

/// Whether it is the connection that failed, and the next one may be taken at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

fn note_end(ended: Result<(), JoinError>, of: &str) {
    if let Err(error) = ended {
        error!(%error, of, "a task failed");
    }
}
