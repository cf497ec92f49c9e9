//! A method of gRPC, called from within the process.

use std::convert::Infallible;

use bytes::{Buf as _, Bytes};
use http::HeaderMap;
use http::header::AUTHORIZATION;
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tokio_stream::StreamExt as _;
use tonic::client::Grpc as Client;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Request, Status};

use super::problem::Problem;
use super::routes::Route;
use super::{Grpc, RestBody, message};

/// Calls a method that has one answer, and gives it as JSON.
pub(super) async fn unary(grpc: Grpc, route: &Route, headers: &HeaderMap, request: DynamicMessage) -> Result<Vec<u8>, Status> {
    let answer = client(grpc).unary(with_token(request, headers), route.path.clone(), Messages::of(route)).await?;
    message::to_json(answer.get_ref())
}

/// Calls a method whose answer comes in parts, and gives each as a line of JSON. A fault on the way is the last line.
pub(super) async fn streaming(
    grpc: Grpc,
    route: &Route,
    headers: &HeaderMap,
    request: DynamicMessage,
) -> Result<RestBody, Status> {
    let answer = client(grpc).server_streaming(with_token(request, headers), route.path.clone(), Messages::of(route)).await?;
    let lines = answer.into_inner().map(|part| {
        let mut line = part.and_then(|part| message::to_json(&part)).unwrap_or_else(|status| fault(&status));
        line.push(b'\n');
        Ok::<_, Infallible>(Frame::data(Bytes::from(line)))
    });
    Ok(StreamBody::new(lines).boxed_unsync())
}

/// A line that no message looks like.
fn fault(status: &Status) -> Vec<u8> {
    let mut line = br#"{"problem":"#.to_vec();
    line.extend(Problem::from(status).to_json());
    line.push(b'}');
    line
}

/// A client that takes what its own server says, however long it is.
fn client(grpc: Grpc) -> Client<Grpc> {
    Client::new(grpc).max_decoding_message_size(usize::MAX)
}

/// The message with what a gate before the service goes by, and nothing else of the HTTP request.
fn with_token(request: DynamicMessage, headers: &HeaderMap) -> Request<DynamicMessage> {
    let token = headers.get(AUTHORIZATION).map(|token| (AUTHORIZATION, token.clone()));
    Request::from_parts(MetadataMap::from_headers(token.into_iter().collect()), Extensions::new(), request)
}

/// Messages that are known by their descriptors only.
struct Messages {
    output: MessageDescriptor,
}

impl Messages {
    fn of(route: &Route) -> Self {
        Self { output: route.rpc.output() }
    }
}

impl Codec for Messages {
    type Encode = DynamicMessage;
    type Decode = DynamicMessage;
    type Encoder = Writing;
    type Decoder = Reading;

    fn encoder(&mut self) -> Writing {
        Writing
    }

    fn decoder(&mut self) -> Reading {
        Reading { output: self.output.clone() }
    }
}

struct Writing;

impl Encoder for Writing {
    type Item = DynamicMessage;
    type Error = Status;

    fn encode(&mut self, message: DynamicMessage, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        message.encode(buffer).map_err(|_| Status::internal("the request cannot be encoded"))
    }
}

struct Reading {
    output: MessageDescriptor,
}

impl Decoder for Reading {
    type Item = DynamicMessage;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<DynamicMessage>, Status> {
        let bytes = buffer.copy_to_bytes(buffer.remaining());
        let message = DynamicMessage::decode(self.output.clone(), bytes);
        message.map(Some).map_err(|_| Status::internal("the answer cannot be decoded"))
    }
}
