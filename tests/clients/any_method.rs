//! Calls of any method by its name.

use prost::Message as _;
use prost::bytes::{Buf as _, BufMut as _};
use prost_types::FileDescriptorSet;
use suppressd_service::proto::FILE_DESCRIPTOR_SET;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::transport::Endpoint;
use tonic::{Code, Request, Status};

/// A method, as the descriptors have it.
pub(crate) struct Method {
    pub(crate) path: String,
    /// The number of its request's field `account`, if it has one.
    account: Option<i32>,
}

impl Method {
    /// A message that names an account and nothing else, if the method takes one.
    pub(crate) fn naming(&self, account: &str) -> Option<Vec<u8>> {
        let mut message = Vec::new();
        prost::encoding::string::encode(u32::try_from(self.account?).unwrap(), &account.to_owned(), &mut message);
        Some(message)
    }
}

/// Every method of every service of ours.
pub(crate) fn all_methods() -> Vec<Method> {
    let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap().file;
    let account_of = |input: &str| {
        let mut messages = files.iter().flat_map(|file| file.message_type.iter().map(move |message| (file.package(), message)));
        let (_, message) = messages.find(|(package, message)| input == format!(".{package}.{}", message.name())).unwrap();
        message.field.iter().find(|field| field.name() == "account").map(prost_types::FieldDescriptorProto::number)
    };
    let of_file = |file: &prost_types::FileDescriptorProto| {
        let services = file.service.iter().map(|service| (format!("/{}.{}", file.package(), service.name()), &service.method));
        let of_service = |(service, methods): (String, &Vec<prost_types::MethodDescriptorProto>)| {
            let method = |method: &prost_types::MethodDescriptorProto| Method {
                path: format!("{service}/{}", method.name()),
                account: account_of(method.input_type()),
            };
            methods.iter().map(method).collect::<Vec<_>>()
        };
        services.flat_map(of_service).collect::<Vec<_>>()
    };
    files.iter().flat_map(of_file).collect()
}

/// What comes of a call with that token, or none. A stream is asked for its beginning.
pub(crate) async fn code_of(url: &str, method: &str, message: &[u8], token: Option<&str>) -> Code {
    let channel = Endpoint::from_shared(url.to_owned()).unwrap().connect().await.unwrap();
    let mut client = tonic::client::Grpc::new(channel);
    client.ready().await.unwrap();
    let mut request = Request::new(tokio_stream::once(message.to_vec()));
    if let Some(token) = token {
        request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    }
    match client.streaming(request, method.parse().unwrap(), Bytes).await {
        Err(status) => status.code(),
        Ok(mut answers) => answers.get_mut().message().await.err().map_or(Code::Ok, |status: Status| status.code()),
    }
}

/// Messages as they are on the wire.
struct Bytes;

impl Codec for Bytes {
    type Encode = Vec<u8>;
    type Decode = Vec<u8>;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn encode(&mut self, message: Vec<u8>, buffer: &mut EncodeBuf<'_>) -> Result<(), Status> {
        buffer.put_slice(&message);
        Ok(())
    }
}

impl Decoder for Bytes {
    type Item = Vec<u8>;
    type Error = Status;

    fn decode(&mut self, buffer: &mut DecodeBuf<'_>) -> Result<Option<Vec<u8>>, Status> {
        let bytes = buffer.remaining();
        Ok(Some(buffer.copy_to_bytes(bytes).to_vec()))
    }
}
