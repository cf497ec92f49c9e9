//! A sender that asks about many addresses at once.

use std::ops::Range;
use std::sync::Arc;

use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use suppressd_service::proto::{
    BatchIsSuppressedRequest, BatchView, StreamIsSuppressedRequest, SuppressedOnly, SuppressionResult,
};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use crate::asking::{Asked, Flight, connect, share_out};
use crate::rounds::{Cost, cost_of};
use crate::server::Server;

/// Addresses of a batch.
pub(crate) const OF_EACH: usize = 1000;

/// How a batch is asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// By a call of its own.
    Call,
    /// One behind the other on one stream a caller.
    Stream,
}

/// What a server says of a batch that begins with a number.
pub(crate) fn results(runtime: &Runtime, server: &Server, batch: usize, asked: &Asked) -> Vec<SuppressionResult> {
    runtime.block_on(async {
        let channel = connect(server, Flight { connections: 1, on_each: 1 }).await.remove(0);
        let request = BatchIsSuppressedRequest { emails: emails(batch, asked), ..BatchIsSuppressedRequest::default() };
        SuppressionServiceClient::new(channel).batch_is_suppressed(request).await.unwrap().into_inner().results
    })
}

/// Batches of the numbers of a round. With streams, as many batches are in flight on each as calls would be on each connection.
pub(crate) fn ask(
    runtime: &Runtime,
    server: &Server,
    (way, view, flight): (Way, BatchView, Flight),
    batches: usize,
    round: usize,
    asked: &Asked,
) -> Cost {
    let channels = runtime.block_on(connect(server, flight));
    let callers = match way {
        Way::Call => flight,
        Way::Stream => Flight { connections: flight.connections, on_each: 1 },
    };
    cost_of(
        || server.cpu(),
        batches * OF_EACH,
        || {
            runtime.block_on(share_out(callers, batches, round, |caller, numbers| {
                let client = SuppressionServiceClient::new(channels[caller % flight.connections].clone());
                let asked = Arc::clone(asked);
                async move {
                    match way {
                        Way::Call => by_calls(client, view, numbers, &asked).await,
                        Way::Stream => by_stream(client, view, (numbers, flight.on_each), &asked).await,
                    }
                }
            }));
        },
    )
}

type Client = SuppressionServiceClient<tonic::transport::Channel>;

async fn by_calls(mut client: Client, view: BatchView, batches: Range<usize>, asked: &Asked) {
    for batch in batches {
        let (emails, view) = (emails(batch, asked), view.into());
        let request = BatchIsSuppressedRequest { emails, view, ..BatchIsSuppressedRequest::default() };
        let answer = client.batch_is_suppressed(request).await.unwrap().into_inner();
        assert_eq!(judged(&answer.results, answer.suppressed_only.as_ref()), OF_EACH);
    }
}

fn judged(results: &[SuppressionResult], suppressed_only: Option<&SuppressedOnly>) -> usize {
    suppressed_only.map_or(results.len(), |only| only.judged as usize)
}

async fn by_stream(mut client: Client, view: BatchView, (mut batches, in_flight): (Range<usize>, usize), asked: &Asked) {
    let (sender, requests) = mpsc::channel(in_flight);
    let mut unanswered = batches.len();
    let mut send_next = || {
        if let Some(batch) = batches.next() {
            let (emails, view) = (emails(batch, asked), view.into());
            let request = StreamIsSuppressedRequest { emails, view, ..StreamIsSuppressedRequest::default() };
            sender.try_send(request).unwrap();
        }
    };
    (0..in_flight).for_each(|_| send_next());
    let mut answers = client.stream_is_suppressed(ReceiverStream::new(requests)).await.unwrap().into_inner();
    while unanswered > 0 {
        let answer = answers.message().await.unwrap().unwrap();
        assert_eq!(judged(&answer.results, answer.suppressed_only.as_ref()), OF_EACH);
        unanswered -= 1;
        send_next();
    }
}

fn emails(batch: usize, asked: &Asked) -> Vec<String> {
    (batch * OF_EACH..(batch + 1) * OF_EACH).map(|number| asked(number)).collect()
}
