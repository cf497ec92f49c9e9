//! The floor: a tonic server that always answers the same.

use suppressd_service::proto::suppression_service_server::{SuppressionService, SuppressionServiceServer};
use suppressd_service::proto::{
    BatchIsSuppressedRequest, BatchIsSuppressedResponse, IsSuppressedRequest, IsSuppressedResponse, StreamIsSuppressedRequest,
    StreamIsSuppressedResponse,
};
use tokio_stream::StreamExt as _;
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request, Response, Status, Streaming};

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
        Ok(Response::new(IsSuppressedResponse {
            suppressed: Some(false),
            soft_bounce_limit: 5,
            detail: "not suppressed: 0 of 5 soft bounces".to_owned(),
            ..IsSuppressedResponse::default()
        }))
    }

    async fn batch_is_suppressed(
        &self,
        _: Request<BatchIsSuppressedRequest>,
    ) -> Result<Response<BatchIsSuppressedResponse>, Status> {
        Err(Status::unimplemented("not measured"))
    }

    type StreamIsSuppressedStream = ReceiverStream<Result<StreamIsSuppressedResponse, Status>>;

    async fn stream_is_suppressed(
        &self,
        _: Request<Streaming<StreamIsSuppressedRequest>>,
    ) -> Result<Response<Self::StreamIsSuppressedStream>, Status> {
        Err(Status::unimplemented("not measured"))
    }
}
