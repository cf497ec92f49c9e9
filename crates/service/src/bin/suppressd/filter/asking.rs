//! Asks a server for batch after batch. Nothing is handed on that it has not answered for.

use std::time::Duration;

use anyhow::{Context as _, anyhow};
use http::uri::PathAndQuery;
use suppressd_service::batch::Question;
use suppressd_service::proto::{BatchView, StreamIsSuppressedResponse};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::client::Grpc;
use tonic::{Code, Request, Status, Streaming};
use tonic_prost::ProstCodec;

use super::batch::Batch;
use super::window::{Answered, Window};
use crate::attempts::Attempts;
use crate::cli::QuestionArguments;
use crate::grpc_client::{AuthorizedChannel, refusal};

/// The method that is called.
const METHOD: &str = "/suppression.v1.SuppressionService/StreamIsSuppressed";

/// Most addresses of one message. A server may take fewer: then it is asked for half as many, and so on.
const ADDRESSES_PER_MESSAGE: usize = 1000;

/// Most messages that wait to be sent.
const MESSAGES_WAITING: usize = 2;

/// Longest wait for an answer, and for a stream.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(20);

/// What of the list is read, and where it goes once it is answered.
pub(super) struct Ends {
    pub(super) batches: mpsc::Receiver<anyhow::Result<Option<Batch>>>,
    pub(super) answered: mpsc::Sender<Answered>,
}

/// Why a stream ended.
enum Broken {
    /// The same may be answered later.
    Transient(Status),
    /// The server takes fewer addresses in a message.
    TooMany(Status),
    Final(anyhow::Error),
}

impl From<anyhow::Error> for Broken {
    fn from(error: anyhow::Error) -> Self {
        Self::Final(error)
    }
}

impl From<Status> for Broken {
    fn from(status: Status) -> Self {
        if [Code::InvalidArgument, Code::OutOfRange].contains(&status.code()) {
            Self::TooMany(status)
        } else if Attempts::is_final(&status) {
            Self::Final(refusal(&status))
        } else {
            Self::Transient(status)
        }
    }
}

/// Asks until all of the list is answered for. In the end, `answered` is closed.
pub(super) async fn ask_all(channel: AuthorizedChannel, question: &QuestionArguments, ends: Ends) -> anyhow::Result<()> {
    let mut asker = Asker {
        client: Grpc::new(channel),
        question,
        ends,
        window: Window::default(),
        addresses_per_message: ADDRESSES_PER_MESSAGE,
        attempts: Attempts::default(),
    };
    loop {
        let Err(broken) = asker.converse().await else { return Ok(()) };
        asker.window.forget_sent();
        match broken {
            Broken::Final(error) => return Err(error),
            Broken::TooMany(status) if asker.addresses_per_message == 1 => return Err(refusal(&status)),
            Broken::TooMany(_) => asker.addresses_per_message /= 2,
            Broken::Transient(status) => asker.attempts.failed(&status).await?,
        }
    }
}

struct Asker<'a> {
    client: Grpc<AuthorizedChannel>,
    question: &'a QuestionArguments,
    ends: Ends,
    window: Window,
    addresses_per_message: usize,
    /// Streams in a row that have failed without an answer.
    attempts: Attempts,
}

impl Asker<'_> {
    /// Holds one stream, until all is answered or it fails.
    async fn converse(&mut self) -> Result<(), Broken> {
        let (messages, queue) = mpsc::channel(MESSAGES_WAITING);
        let opened = timeout(ANSWER_TIMEOUT, self.open(ReceiverStream::new(queue))).await;
        let mut answers = opened.unwrap_or_else(|_| Err(too_late()))?;
        loop {
            self.hand_on().await?;
            if self.window.is_over() {
                return Ok(());
            }
            tokio::select! {
                permit = messages.reserve(), if self.window.has_unsent() => match permit {
                    Ok(permit) => permit.send(self.next_message()),
                    Err(_) => return Err(end_of(answers.message().await)),
                },
                read = self.ends.batches.recv(), if self.window.has_room() => {
                    self.window.take(read.context("the list was not read to its end")??);
                }
                answer = timeout(ANSWER_TIMEOUT, answers.message()), if self.window.awaits_answers() => {
                    match answer.unwrap_or_else(|_| Err(too_late())) {
                        Ok(Some(answer)) => self.window.answer(answer)?,
                        ended => return Err(end_of(ended)),
                    }
                    self.attempts.succeeded();
                }
            }
        }
    }

    /// Not by the generated client, whose messages hold each address as a text of its own.
    async fn open(&mut self, questions: ReceiverStream<Question>) -> Result<Streaming<StreamIsSuppressedResponse>, Status> {
        self.client.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        let answers = self.client.streaming(Request::new(questions), PathAndQuery::from_static(METHOD), ProstCodec::default());
        Ok(answers.await?.into_inner())
    }

    fn next_message(&mut self) -> Question {
        Question {
            emails: self.window.next_message(self.addresses_per_message),
            account: self.question.account.clone(),
            strict: self.question.strict,
            view: BatchView::SuppressedOnly.into(),
        }
    }

    async fn hand_on(&mut self) -> anyhow::Result<()> {
        while let Some(answered) = self.window.release() {
            self.ends.answered.send(answered).await.map_err(|_| anyhow!("nothing more can be written"))?;
        }
        Ok(())
    }
}

/// Why the server ended a stream, by what it said last.
fn end_of<T>(last: Result<T, Status>) -> Broken {
    last.err().unwrap_or_else(|| Status::unavailable("the server ended the stream")).into()
}

fn too_late() -> Status {
    Status::deadline_exceeded("no answer in time")
}
