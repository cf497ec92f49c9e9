//! gRPC by the generated client: for tests that need many calls quickly.

use std::time::{Duration, Instant};

use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use suppressd_service::proto::{
    BatchIsSuppressedRequest, BatchIsSuppressedResponse, BatchView, IsSuppressedRequest, IsSuppressedResponse,
    StreamIsSuppressedRequest, SuppressionResult,
};
use tonic::Status;
use tonic::transport::Channel;

use super::rust_caller::Caller;
use crate::servers::suppressd::PATIENCE;

/// A client that waits for each answer.
pub(crate) struct Checks {
    caller: Caller,
    client: SuppressionServiceClient<Channel>,
    strict: bool,
}

impl Checks {
    pub(crate) fn at(url: &str) -> Self {
        let caller = Caller::at(url);
        let client = SuppressionServiceClient::new(caller.channel());
        Self { caller, client, strict: false }
    }

    pub(crate) fn with_token(mut self, token: &str) -> Self {
        self.caller.set_token(token);
        self
    }

    /// Asks that nobody answers who may have been replaced.
    pub(crate) fn strictly(mut self) -> Self {
        self.strict = true;
        self
    }

    pub(crate) fn of_account(&self, email: &str, account: &str) -> Result<IsSuppressedResponse, Status> {
        let request =
            self.caller.request(IsSuppressedRequest { email: email.into(), account: account.into(), strict: self.strict });
        let mut client = self.client.clone();
        self.caller.wait_for(client.is_suppressed(request)).map(tonic::Response::into_inner)
    }

    pub(crate) fn one(&self, email: &str) -> Result<IsSuppressedResponse, Status> {
        self.of_account(email, "")
    }

    pub(crate) fn is_suppressed(&self, email: &str) -> bool {
        self.one(email).unwrap().suppressed.unwrap()
    }

    /// Waits, with a bound, until something is so: what another process recorded is not known here at once.
    pub(crate) fn await_that(&self, what: &str, is_so: impl Fn(&Self) -> bool) {
        let started = Instant::now();
        while !is_so(self) {
            assert!(started.elapsed() < PATIENCE, "never: {what}");
            std::thread::sleep(Duration::from_millis(2));
        }
    }

    pub(crate) fn soft_bounces(&self, email: &str) -> u32 {
        self.one(email).unwrap().soft_bounces
    }

    pub(crate) fn batch(&self, emails: &[&str]) -> Result<Vec<SuppressionResult>, Status> {
        let emails = emails.iter().map(|email| (*email).to_owned()).collect();
        let request = BatchIsSuppressedRequest { emails, strict: self.strict, ..BatchIsSuppressedRequest::default() };
        let request = self.caller.request(request);
        let mut client = self.client.clone();
        self.caller.wait_for(client.batch_is_suppressed(request)).map(|answer| answer.into_inner().results)
    }

    /// Asks only for those who must not be mailed.
    pub(crate) fn suppressed_of(&self, emails: &[&str]) -> BatchIsSuppressedResponse {
        let emails = emails.iter().map(|email| (*email).to_owned()).collect();
        let view = BatchView::SuppressedOnly.into();
        let request = self.caller.request(BatchIsSuppressedRequest { emails, view, ..BatchIsSuppressedRequest::default() });
        let mut client = self.client.clone();
        self.caller.wait_for(client.batch_is_suppressed(request)).unwrap().into_inner()
    }

    /// Sends one message after the other, each when the answer to the one before it is there. Ends with the first fault.
    pub(crate) fn stream(&self, messages: &[&[&str]]) -> Vec<Result<Vec<SuppressionResult>, Status>> {
        let mut client = self.client.clone();
        self.caller.wait_for(async {
            let (sender, receiver) = tokio::sync::mpsc::channel(1);
            let requests = tokio_stream::wrappers::ReceiverStream::new(receiver);
            let mut answers = client.stream_is_suppressed(self.caller.request(requests)).await.unwrap().into_inner();
            let mut seen = Vec::new();
            for emails in messages {
                let emails = emails.iter().map(|email| (*email).to_owned()).collect();
                let request = StreamIsSuppressedRequest { emails, strict: self.strict, ..StreamIsSuppressedRequest::default() };
                let _ = sender.send(request).await;
                match answers.message().await {
                    Ok(answer) => seen.push(Ok(answer.unwrap().results)),
                    Err(status) => {
                        seen.push(Err(status));
                        break;
                    }
                }
            }
            seen
        })
    }
}
