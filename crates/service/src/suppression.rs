//! `SuppressionService`: verdicts, one by one, in batches, and batch after batch.

use std::sync::Arc;

use prost_types::Timestamp;
use suppressd_core::store::{EvidenceStore, IncidentStore};
use suppressd_core::{Error, Reason, UnixSeconds, Verdict};
use tokio::sync::{mpsc, watch};
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use crate::access::{Bound, account_of};
use crate::judge::{Judge, Reading};
use crate::proto::suppression_service_server::SuppressionService;
use crate::proto::{
    BatchIsSuppressedRequest, BatchIsSuppressedResponse, IsSuppressedRequest, IsSuppressedResponse, StreamIsSuppressedRequest,
    StreamIsSuppressedResponse, SuppressionReason, SuppressionResult,
};
use crate::{Limits, status};

/// Most answers of a stream that wait for the client to take them; no further message of it is read until it does.
const MAX_ANSWERS_WAITING: usize = 2;

/// Answers checks.
pub(crate) struct Suppression<S> {
    judge: Arc<Judge<S>>,
    limits: Limits,
    draining: watch::Receiver<bool>,
}

impl<S: EvidenceStore + IncidentStore> Suppression<S> {
    pub(crate) fn new(judge: Arc<Judge<S>>, limits: Limits, draining: watch::Receiver<bool>) -> Self {
        Self { judge, limits, draining }
    }
}

#[tonic::async_trait]
impl<S: EvidenceStore + IncidentStore> SuppressionService for Suppression<S> {
    async fn is_suppressed(&self, request: Request<IsSuppressedRequest>) -> Result<Response<IsSuppressedResponse>, Status> {
        let (_, extensions, IsSuppressedRequest { email, account, strict }) = request.into_parts();
        let account = account_of(extensions.get(), &account)?;
        let verdict = self.judge.one(&email, account, Reading::of(strict)).await.map_err(|error| status::of(&error, "email"))?;
        // The same as of one among others, less the error that it cannot have here.
        let SuppressionResult { suppressed, reason, suppressed_at, soft_bounces, soft_bounce_limit, detail, error: _ } =
            result(Ok(verdict));
        Ok(Response::new(IsSuppressedResponse { suppressed, reason, suppressed_at, soft_bounces, soft_bounce_limit, detail }))
    }

    async fn batch_is_suppressed(
        &self,
        request: Request<BatchIsSuppressedRequest>,
    ) -> Result<Response<BatchIsSuppressedResponse>, Status> {
        let (_, extensions, BatchIsSuppressedRequest { emails, account, strict }) = request.into_parts();
        let account = account_of(extensions.get(), &account)?;
        let results = batch(&self.judge, &self.limits, &emails, account, Reading::of(strict)).await?;
        Ok(Response::new(BatchIsSuppressedResponse { results }))
    }

    type StreamIsSuppressedStream = ReceiverStream<Result<StreamIsSuppressedResponse, Status>>;

    async fn stream_is_suppressed(
        &self,
        request: Request<Streaming<StreamIsSuppressedRequest>>,
    ) -> Result<Response<Self::StreamIsSuppressedStream>, Status> {
        let (answers, taken) = mpsc::channel(MAX_ANSWERS_WAITING);
        let conversation = Conversation {
            judge: Arc::clone(&self.judge),
            limits: self.limits.clone(),
            draining: self.draining.clone(),
            bound: request.extensions().get().cloned(),
            requests: request.into_inner(),
        };
        tokio::spawn(conversation.hold(answers));
        Ok(Response::new(ReceiverStream::new(taken)))
    }
}

/// One stream, from its first message to its end.
struct Conversation<S> {
    judge: Arc<Judge<S>>,
    limits: Limits,
    draining: watch::Receiver<bool>,
    bound: Option<Bound>,
    requests: Streaming<StreamIsSuppressedRequest>,
}

impl<S: EvidenceStore + IncidentStore> Conversation<S> {
    async fn hold(mut self, answers: mpsc::Sender<Result<StreamIsSuppressedResponse, Status>>) {
        loop {
            let answer = match self.next().await {
                Ok(Some(request)) => self.answer(request).await,
                Ok(None) => return,
                Err(status) => Err(status),
            };
            let is_last = answer.is_err();
            // A client that takes no answers holds the stream up, but no longer than it may be idle.
            let sent = timeout(self.limits.stream_idle_timeout, answers.send(answer)).await;
            if is_last || !matches!(sent, Ok(Ok(()))) {
                return;
            }
        }
    }

    async fn next(&mut self) -> Result<Option<StreamIsSuppressedRequest>, Status> {
        tokio::select! {
            message = timeout(self.limits.stream_idle_timeout, self.requests.message()) => {
                message.unwrap_or_else(|_| Err(Status::deadline_exceeded("the stream was idle for too long; open another one")))
            }
            _ = self.draining.wait_for(|draining| *draining) => Err(status::draining()),
        }
    }

    async fn answer(&self, request: StreamIsSuppressedRequest) -> Result<StreamIsSuppressedResponse, Status> {
        let StreamIsSuppressedRequest { emails, account, strict } = request;
        let account = account_of(self.bound.as_ref(), &account)?;
        let answered = batch(&self.judge, &self.limits, &emails, account, Reading::of(strict));
        let results = timeout(self.limits.call_timeout, answered)
            .await
            .unwrap_or_else(|_| Err(Status::unavailable("the store did not answer in time")))?;
        Ok(StreamIsSuppressedResponse { results })
    }
}

async fn batch<S: EvidenceStore + IncidentStore>(
    judge: &Judge<S>,
    limits: &Limits,
    emails: &[String],
    account: &str,
    reading: Reading,
) -> Result<Vec<SuppressionResult>, Status> {
    let most = limits.max_addresses_per_batch;
    if emails.len() > most {
        return Err(status::refused("emails", &format!("{} addresses; a batch holds {most} at most", emails.len())));
    }
    let judged = judge.many(emails, account, reading).await.map_err(|error| status::of(&error, "emails"))?;
    Ok(judged.into_iter().map(result).collect())
}

/// A verdict as one among others is answered.
pub(crate) fn result(judged: Result<Verdict, Error>) -> SuppressionResult {
    match judged {
        Ok(verdict) => SuppressionResult {
            suppressed: Some(verdict.is_suppressed()),
            reason: reason(&verdict).into(),
            suppressed_at: suppressed_at(&verdict),
            soft_bounces: verdict.soft_bounces,
            soft_bounce_limit: verdict.soft_bounce_limit,
            detail: verdict.to_string(),
            error: String::new(),
        },
        // A client that looks at `suppressed` alone must not mail to it: a field that is not set reads as false.
        Err(error) => SuppressionResult {
            suppressed: Some(true),
            reason: SuppressionReason::InvalidAddress.into(),
            detail: "no mail can be sent to it".to_owned(),
            error: error.to_string(),
            ..SuppressionResult::default()
        },
    }
}

/// Why, as it is answered.
pub(crate) fn reason(verdict: &Verdict) -> SuppressionReason {
    match verdict.suppression.as_ref().map(|suppression| suppression.reason) {
        None => SuppressionReason::Unspecified,
        Some(Reason::Manual) => SuppressionReason::Manual,
        Some(Reason::Complaint) => SuppressionReason::Complaint,
        Some(Reason::HardBounce) => SuppressionReason::HardBounce,
        Some(Reason::SoftBounces) => SuppressionReason::SoftBounces,
    }
}

fn suppressed_at(verdict: &Verdict) -> Option<Timestamp> {
    verdict.suppression.as_ref().map(|suppression| timestamp(suppression.since))
}

/// A time as protobuf's well-known type has it.
pub(crate) fn timestamp(time: UnixSeconds) -> Timestamp {
    Timestamp { seconds: time.get(), nanos: 0 }
}
