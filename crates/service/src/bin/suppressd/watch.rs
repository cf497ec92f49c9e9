//! `suppressd watch`: who is suppressed, and every change of that, line by line.

mod line;
mod sink;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{WatchSuppressionsRequest, WatchSuppressionsResponse};
use tokio::time::{sleep, timeout};
use tonic::{Code, Status, Streaming};

use crate::cli::WatchArguments;
use crate::failure::Failure;
use crate::grpc_client::{AuthorizedChannel, block_on, connect, refusal};
use sink::Sink;

/// How long the server may be silent: it says something every few seconds, even where nothing changes.
const SILENCE_DEADLINE: Duration = Duration::from_mins(1);

/// How long it is waited before the server is asked again, at first; twice as long each time that it is in vain.
const FIRST_RETRY_DELAY: Duration = Duration::from_millis(50);

/// Longest wait before the server is asked again.
const MAX_RETRY_DELAY: Duration = Duration::from_secs(5);

/// Most messages that are written before the token of the last one is.
const MAX_MESSAGES_TOGETHER: usize = 256;

/// What may be over when the server is asked again: it ended, drains, is behind another one by now, or serves as many as it can.
const PASSING: [Code; 7] = [
    Code::Unavailable,
    Code::ResourceExhausted,
    Code::Aborted,
    Code::Cancelled,
    Code::DeadlineExceeded,
    Code::Internal,
    Code::Unknown,
];

pub(crate) fn run(arguments: WatchArguments) -> Result<ExitCode, Failure> {
    match block_on(watch(arguments))? {}
}

async fn watch(arguments: WatchArguments) -> anyhow::Result<Infallible> {
    let WatchArguments { server, output, token_file, skip_snapshot, json } = arguments;
    let mut sink = Sink::open(output, token_file, json)?;
    // A server that cannot be reached at first is likely named wrongly.
    let mut channel = Some(connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
    let mut delay = FIRST_RETRY_DELAY;
    loop {
        let connected = match channel.take() {
            Some(channel) => Ok(channel),
            None => connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await,
        };
        let why = match connected {
            Ok(channel) => {
                let mut following = Following { sink: &mut sink, has_heard: false };
                let status = following.follow(channel, skip_snapshot).await?;
                if following.has_heard {
                    delay = FIRST_RETRY_DELAY;
                }
                if !PASSING.contains(&status.code()) {
                    return Err(refusal(&status));
                }
                refusal(&status)
            }
            Err(error) => error,
        };
        eprintln!("suppressd: {why:#}; going on in {} ms", delay.as_millis());
        sleep(delay).await;
        delay = (2 * delay).min(MAX_RETRY_DELAY);
    }
}

/// One connection's worth of messages.
struct Following<'a> {
    sink: &'a mut Sink,
    has_heard: bool,
}

impl Following<'_> {
    /// Writes down what is told until that ends, and says how it did.
    async fn follow(&mut self, channel: AuthorizedChannel, skip_snapshot: bool) -> anyhow::Result<Status> {
        let request = WatchSuppressionsRequest { token: self.sink.token().to_owned(), skip_snapshot };
        let mut client = SuppressionAdminServiceClient::new(channel);
        let mut messages = match client.watch_suppressions(request).await {
            Ok(answer) => answer.into_inner(),
            Err(status) => return Ok(status),
        };
        loop {
            let Ok(mut next) = timeout(SILENCE_DEADLINE, heard(&mut messages)).await else {
                return Ok(Status::deadline_exceeded("the server has been silent for too long"));
            };
            for _ in 0..MAX_MESSAGES_TOGETHER {
                match next {
                    Ok(message) => self.sink.write(message)?,
                    Err(status) => {
                        self.sink.settle()?;
                        return Ok(status);
                    }
                }
                self.has_heard = true;
                // What is there already is written together.
                match timeout(Duration::ZERO, heard(&mut messages)).await {
                    Ok(more) => next = more,
                    Err(_) => break,
                }
            }
            self.sink.settle()?;
        }
    }
}

async fn heard(messages: &mut Streaming<WatchSuppressionsResponse>) -> Result<WatchSuppressionsResponse, Status> {
    let ended = || Status::unavailable("the server has ended the stream");
    messages.message().await?.ok_or_else(ended)
}
