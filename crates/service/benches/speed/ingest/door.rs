//! The least that takes a webhook: hyper, on one thread, and an answer of the same form as `suppressd`'s.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;

/// Serves for ever on the runtime that costs least. `take` says how many events there were in a body when it is done with them.
pub(super) fn serve<F>(take: impl Fn(Bytes) -> F + Clone + Send + 'static)
where
    F: Future<Output = usize> + Send + 'static,
{
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        eprintln!("{}", serde_json::json!({"message": "listening", "door": "http", "address": address.to_string()}));
        loop {
            let (connection, _) = listener.accept().await.unwrap();
            connection.set_nodelay(true).unwrap();
            let take = take.clone();
            let service = service_fn(move |request| answer(request, take.clone()));
            tokio::spawn(hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(connection), service));
        }
    });
}

async fn answer<F>(request: Request<Incoming>, take: impl Fn(Bytes) -> F) -> Result<Response<Full<Bytes>>, Infallible>
where
    F: Future<Output = usize>,
{
    let body = request.into_body().collect().await.unwrap().to_bytes();
    let events = take(body).await;
    let counts = format!("{{\"recorded\":{events},\"duplicate\":0,\"ignored\":0,\"rejected\":0}}");
    let mut response = Response::new(Full::from(counts));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    Ok(response)
}

/// The lines of a body.
pub(super) fn lines(body: &[u8]) -> impl Iterator<Item = &[u8]> {
    body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}
