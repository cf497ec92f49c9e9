//! The floor: a tonic server that always answers the same, in the messages that suppressd answers in.

use std::pin::Pin;

use suppressd_service::proto::suppression_service_server::{SuppressionService, SuppressionServiceServer};
use suppressd_service::proto::{
    BatchIsSuppressedRequest, BatchIsSuppressedResponse, IsSuppressedRequest, IsSuppressedResponse, StreamIsSuppressedRequest,
    StreamIsSuppressedResponse, SuppressionReason, SuppressionResult,
};
use tokio_stream::wrappers::TcpListenerStream;
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use crate::recipients::ONE_HIT_IN;

/// What makes the benchmark's executable this server.
pub(crate) const FLAG: &str = "--serve-constant";

/// A bare tonic server with an answer of the same size, on the runtime that costs least: one thread, which nobody has to wake.
pub(crate) fn serve() {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run());
}

async fn run() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    eprintln!("{}", serde_json::json!({"message": "listening", "door": "grpc", "address": address.to_string()}));
    let incoming = TcpListenerStream::new(listener).map(|socket| {
        let socket = socket?;
        socket.set_nodelay(true).map(|()| socket)
    });
    let service = SuppressionServiceServer::new(Constant);
    tonic::transport::Server::builder().add_service(service).serve_with_incoming(incoming).await.unwrap();
}

/// Answers every check with the same words.
struct Constant;

#[tonic::async_trait]
impl SuppressionService for Constant {
    async fn is_suppressed(&self, _: Request<IsSuppressedRequest>) -> Result<Response<IsSuppressedResponse>, Status> {
        let SuppressionResult { suppressed, soft_bounce_limit, detail, .. } = healthy();
        Ok(Response::new(IsSuppressedResponse { suppressed, soft_bounce_limit, detail, ..IsSuppressedResponse::default() }))
    }

    async fn batch_is_suppressed(
        &self,
        request: Request<BatchIsSuppressedRequest>,
    ) -> Result<Response<BatchIsSuppressedResponse>, Status> {
        Ok(Response::new(BatchIsSuppressedResponse { results: results(request.get_ref().emails.len()), suppressed_only: None }))
    }

    type StreamIsSuppressedStream = Pin<Box<dyn Stream<Item = Result<StreamIsSuppressedResponse, Status>> + Send>>;

    async fn stream_is_suppressed(
        &self,
        request: Request<Streaming<StreamIsSuppressedRequest>>,
    ) -> Result<Response<Self::StreamIsSuppressedStream>, Status> {
        let answer = |batch: Result<StreamIsSuppressedRequest, Status>| {
            Ok(StreamIsSuppressedResponse { results: results(batch?.emails.len()), suppressed_only: None })
        };
        Ok(Response::new(Box::pin(request.into_inner().map(answer))))
    }
}

/// For a batch in which every so many addresses have evidence.
fn results(addresses: usize) -> Vec<SuppressionResult> {
    (0..addresses).map(|number| if number.is_multiple_of(ONE_HIT_IN) { suppressed() } else { healthy() }).collect()
}

/// What suppressd says of an address without evidence.
pub(crate) fn healthy() -> SuppressionResult {
    SuppressionResult {
        suppressed: Some(false),
        soft_bounce_limit: 5,
        detail: "not suppressed: 0 of 5 soft bounces".to_owned(),
        ..SuppressionResult::default()
    }
}

/// What suppressd says of an address with evidence, of the kind that the benchmarks record.
pub(crate) fn suppressed() -> SuppressionResult {
    SuppressionResult {
        suppressed: Some(true),
        reason: SuppressionReason::HardBounce.into(),
        suppressed_at: Some(prost_types::Timestamp { seconds: 1_695_222_842, nanos: 0 }),
        soft_bounce_limit: 5,
        detail: "hard bounce, bad-mailbox, since 2023-09-20T15:14:02Z".to_owned(),
        ..SuppressionResult::default()
    }
}
