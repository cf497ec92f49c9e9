//! The threads that serve: one a core, each with a runtime of its own. A call is read, judged and answered where its connection
//! is; threads that share one runtime wake each other for every call, which costs more than the call.

use std::convert::Infallible;
use std::io;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::ReceiverStream;
use tonic::body::Body;
use tonic::transport::Server;
use tower::Service;

use crate::incoming::{Connection, Taken};
use crate::{Error, Limits};

/// Most connections that wait for one thread to take them up.
const MAX_CONNECTIONS_WAITING: usize = 16;

/// What can be served on a thread of its own.
pub(crate) trait Serve:
    Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<T> Serve for T where
    T: Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

/// What every thread serves with. The service is its own: a call counts who holds parts of it, which threads that share one would
/// wait for each other to do.
#[derive(Clone)]
pub(crate) struct Terms {
    pub(crate) server: Server,
    pub(crate) limits: Arc<Limits>,
    pub(crate) draining: watch::Receiver<bool>,
}

/// The threads. They are cut off when this is dropped.
pub(crate) struct Workers {
    ended: JoinSet<Result<(), Error>>,
    _cut: watch::Sender<()>,
}

impl Workers {
    /// Starts a thread for each core, with a service of its own. Gives, beside them, where each takes connections.
    pub(crate) fn start<T: Serve>(terms: &Terms, service: impl Fn() -> T) -> Result<(Self, Vec<mpsc::Sender<Taken>>), Error> {
        let (cut, is_cut) = watch::channel(());
        let mut ended = JoinSet::new();
        let mut doors = Vec::new();
        for number in 0..thread::available_parallelism().map_or(1, NonZero::get) {
            let (door, connections) = mpsc::channel(MAX_CONNECTIONS_WAITING);
            let (end, is_ended) = oneshot::channel();
            let (terms, service, is_cut) = (terms.clone(), service(), is_cut.clone());
            thread::Builder::new().name(format!("grpc-{number}")).spawn(move || {
                // Whoever waited for it may be gone.
                let _ = end.send(terms.serve(service, connections, is_cut));
            })?;
            // A thread that panicked has sent nothing.
            ended.spawn(async { is_ended.await.unwrap_or_else(|_| Err(io::Error::other("a thread ended by itself").into())) });
            doors.push(door);
        }
        Ok((Self { ended, _cut: cut }, doors))
    }

    /// Waits until all of them have ended, or one has failed.
    pub(crate) async fn join(mut self) -> Result<(), Error> {
        while let Some(ended) = self.ended.join_next().await {
            ended.map_err(io::Error::other)??;
        }
        Ok(())
    }
}

impl Terms {
    /// Serves connections until the drain is done. Nothing of the store is left here when it returns.
    fn serve(
        self,
        service: impl Serve,
        connections: mpsc::Receiver<Taken>,
        mut is_cut: watch::Receiver<()>,
    ) -> Result<(), Error> {
        let Self { server, limits, mut draining } = self;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        runtime.block_on(async move {
            // One that is gone already is nobody's fault.
            let take_up = move |taken| Connection::new(taken, &limits).ok().map(Ok::<_, Infallible>);
            let incoming = ReceiverStream::new(connections).filter_map(take_up);
            let begin_of_drain = async move {
                // The sender outlives this future.
                let _ = draining.wait_for(|draining| *draining).await;
            };
            tokio::select! {
                served = server.serve_with_incoming_shutdown(service, incoming, begin_of_drain) => Ok(served?),
                // Nothing is ever sent: it is the sender's end that is waited for.
                _ = is_cut.changed() => Ok(()),
            }
        })
    }
}
