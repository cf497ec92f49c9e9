//! `suppressd watch`: who is suppressed, and every change of that, line by line.

mod line;
mod sink;

use std::convert::Infallible;
use std::process::ExitCode;
use std::time::Duration;

use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{WatchSuppressionsRequest, WatchSuppressionsResponse};
use tokio::time::{sleep, timeout};
use tokio_stream::{Stream, StreamExt as _};
use tonic::{Code, Status};

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

/// What the server says next, or how the stream ended.
type Heard = Result<WatchSuppressionsResponse, Status>;

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
        self.write_all(&mut messages).await
    }

    async fn write_all(&mut self, messages: &mut (impl Stream<Item = Heard> + Unpin)) -> anyhow::Result<Status> {
        loop {
            let Ok(first) = timeout(SILENCE_DEADLINE, heard(messages)).await else {
                return Ok(Status::deadline_exceeded("the server has been silent for too long"));
            };
            if let Some(ended) = self.write_together(first, messages).await? {
                return Ok(ended);
            }
        }
    }

    /// Writes a message, and with it those that are there already. Says how they ended, if they did.
    async fn write_together(
        &mut self,
        first: Heard,
        messages: &mut (impl Stream<Item = Heard> + Unpin),
    ) -> anyhow::Result<Option<Status>> {
        let mut next = Some(first);
        let mut written = 0;
        while let Some(heard_next) = next.take() {
            match heard_next {
                Ok(message) => self.sink.write(message)?,
                Err(status) => {
                    self.sink.settle()?;
                    return Ok(Some(status));
                }
            }
            self.has_heard = true;
            written += 1;
            // No more are taken than are written: the stream does not tell again what was taken from it.
            if written < MAX_MESSAGES_TOGETHER {
                next = timeout(Duration::ZERO, heard(messages)).await.ok();
            }
        }
        self.sink.settle()?;
        Ok(None)
    }
}

async fn heard(messages: &mut (impl Stream<Item = Heard> + Unpin)) -> Heard {
    messages.next().await.unwrap_or_else(|| Err(Status::unavailable("the server has ended the stream")))
}

#[cfg(test)]
mod tests {
    use serde_json::Value;
    use suppressd_service::proto::WatchedChange;
    use suppressd_service::proto::watch_suppressions_response::Message;

    use super::*;

    /// Has that many changes written that are there at once. Gives the ids in the file.
    async fn written(changes: usize) -> Vec<String> {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("changes.ndjson");
        let mut sink = Sink::open(Some(file.clone()), None, true).unwrap();
        let change = |number: usize| Message::Change(WatchedChange { id: number.to_string(), ..WatchedChange::default() });
        let said = |number| Ok(WatchSuppressionsResponse { token: "t".into(), message: Some(change(number)) });
        let mut following = Following { sink: &mut sink, has_heard: false };
        let ended = following.write_all(&mut tokio_stream::iter((0..changes).map(said))).await.unwrap();
        assert_eq!((ended.code(), following.has_heard), (Code::Unavailable, changes > 0));
        let id = |line| serde_json::from_str::<Value>(line).unwrap()["id"].as_str().unwrap().to_owned();
        std::fs::read_to_string(file).unwrap().lines().map(id).collect()
    }

    #[tokio::test]
    async fn each_of_many_messages_at_once_is_written_once() {
        let most = MAX_MESSAGES_TOGETHER;
        for changes in [0, 1, most - 1, most, most + 1, 2 * most, 2 * most + 1, 5 * most + 7] {
            let ids: Vec<_> = (0..changes).map(|number| number.to_string()).collect();
            assert_eq!(written(changes).await, ids);
        }
    }
}
