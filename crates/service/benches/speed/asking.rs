//! A sender that asks, over a few connections with several calls in flight on each.

use std::sync::Arc;

use suppressd_service::proto::IsSuppressedRequest;
use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

use crate::rounds::{Cost, cost_of};
use crate::server::Server;

/// How many calls are in flight.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Flight {
    pub(crate) connections: usize,
    pub(crate) on_each: usize,
}

impl Flight {
    pub(crate) fn in_all(self) -> usize {
        self.connections * self.on_each
    }
}

/// Gives the address that a call of a number asks about.
pub(crate) type Asked = Arc<dyn Fn(usize) -> String + Send + Sync>;

/// A runtime on this thread, which is on the clients' core.
pub(crate) fn runtime() -> Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// Calls of `IsSuppressed` for the numbers of a round.
pub(crate) fn unary(runtime: &Runtime, server: &Server, flight: Flight, calls: usize, round: usize, asked: &Asked) -> Cost {
    let channels = runtime.block_on(connect(server, flight));
    cost_of(
        || server.cpu(),
        calls,
        || {
            runtime.block_on(share_out(flight, calls, round, |caller, numbers| {
                let mut client = SuppressionServiceClient::new(channels[caller % flight.connections].clone());
                let asked = Arc::clone(asked);
                async move {
                    for number in numbers {
                        let request = IsSuppressedRequest { email: asked(number), account: String::new(), strict: false };
                        let answer = client.is_suppressed(request).await.unwrap();
                        assert!(answer.get_ref().suppressed.is_some());
                    }
                }
            }));
        },
    )
}

pub(crate) async fn connect(server: &Server, flight: Flight) -> Vec<Channel> {
    let mut channels = Vec::new();
    for _ in 0..flight.connections {
        channels.push(Endpoint::from_shared(format!("http://{}", server.grpc())).unwrap().connect().await.unwrap());
    }
    channels
}

/// Shares the numbers of a round out among as many callers as there are calls in flight, and waits for all of them.
pub(crate) async fn share_out<F>(
    flight: Flight,
    calls: usize,
    round: usize,
    mut caller: impl FnMut(usize, std::ops::Range<usize>) -> F,
) where
    F: Future<Output = ()> + Send + 'static,
{
    let share = calls / flight.in_all();
    assert!(share * flight.in_all() == calls, "{calls} calls cannot be shared out among {}", flight.in_all());
    let mut callers = JoinSet::new();
    for number in 0..flight.in_all() {
        let first = round * calls + number * share;
        callers.spawn(caller(number, first..first + share));
    }
    while let Some(ended) = callers.join_next().await {
        ended.unwrap();
    }
}
