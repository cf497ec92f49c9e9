//! What the generated clients have in common: a runtime, a channel and a token.

use tokio::runtime::Runtime;
use tonic::Request;
use tonic::transport::{Channel, Endpoint};

use crate::servers::suppressd::PATIENCE;

/// Makes calls, and waits for each answer.
pub(crate) struct Caller {
    runtime: Runtime,
    channel: Channel,
    token: Option<String>,
}

impl Caller {
    pub(crate) fn at(url: &str) -> Self {
        // On a thread of its own it answers pings also while it is asked nothing, and stays connected.
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(url.to_owned()).unwrap().timeout(PATIENCE);
        let channel = runtime.block_on(async { endpoint.connect_lazy() });
        Self { runtime, channel, token: None }
    }

    pub(crate) fn set_token(&mut self, token: &str) {
        self.token = Some(token.to_owned());
    }

    pub(crate) fn channel(&self) -> Channel {
        self.channel.clone()
    }

    pub(crate) fn request<T>(&self, message: T) -> Request<T> {
        let mut request = Request::new(message);
        if let Some(token) = &self.token {
            request.metadata_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
        }
        request
    }

    pub(crate) fn wait_for<T>(&self, answer: impl Future<Output = T>) -> T {
        self.runtime.block_on(answer)
    }
}
