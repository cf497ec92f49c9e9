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
use crate::batch::{Answer, Question};
use crate::checks::suppression_service_server::SuppressionService;
use crate::judge::{Judge, Reading};
use crate::proto::{IsSuppressedRequest, IsSuppressedResponse, SuppressionReason, SuppressionResult};
use crate::{Limits, status};

/// Most answers of a stream that wait for the client to take them; no further message of it is read until it does.
const MAX_ANSWERS_WAITING: usize = 2;

/// Answers checks. Clones share what they ask.
pub(crate) struct Suppression<S> {
    judge: Arc<Judge<S>>,
    limits: Limits,
    draining: watch::Receiver<bool>,
}

impl<S> Clone for Suppression<S> {
    fn clone(&self) -> Self {
        Self { judge: Arc::clone(&self.judge), limits: self.limits.clone(), draining: self.draining.clone() }
    }
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
            verdict.map_or_else(|| self.judge.in_force().usual.clone(), |verdict| result(Ok(verdict)));
        Ok(Response::new(IsSuppressedResponse { suppressed, reason, suppressed_at, soft_bounces, soft_bounce_limit, detail }))
    }

    async fn batch_is_suppressed(&self, request: Request<Question>) -> Result<Response<Answer>, Status> {
        let bound = request.extensions().get().cloned();
        let answer = answer(&self.judge, &self.limits, bound.as_ref(), request.get_ref()).await?;
        Ok(Response::new(answer))
    }

    type StreamIsSuppressedStream = ReceiverStream<Result<Answer, Status>>;

    async fn stream_is_suppressed(
        &self,
        request: Request<Streaming<Question>>,
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
    requests: Streaming<Question>,
}

impl<S: EvidenceStore + IncidentStore> Conversation<S> {
    async fn hold(mut self, answers: mpsc::Sender<Result<Answer, Status>>) {
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

    async fn next(&mut self) -> Result<Option<Question>, Status> {
        tokio::select! {
            message = timeout(self.limits.stream_idle_timeout, self.requests.message()) => {
                message.unwrap_or_else(|_| Err(Status::deadline_exceeded("the stream was idle for too long; open another one")))
            }
            _ = self.draining.wait_for(|draining| *draining) => Err(status::draining()),
        }
    }

    async fn answer(&self, question: Question) -> Result<Answer, Status> {
        let answered = answer(&self.judge, &self.limits, self.bound.as_ref(), &question);
        let late = |_| Err(Status::unavailable("the store did not answer in time"));
        timeout(self.limits.call_timeout, answered).await.unwrap_or_else(late)
    }
}

/// Answers about a batch, for whoever may be bound to an account.
async fn answer<S: EvidenceStore + IncidentStore>(
    judge: &Judge<S>,
    limits: &Limits,
    bound: Option<&Bound>,
    question: &Question,
) -> Result<Answer, Status> {
    let account = account_of(bound, &question.account)?;
    let (asked, most) = (question.emails.len(), limits.max_addresses_per_batch);
    if asked > most {
        return Err(status::refused("emails", &format!("{asked} addresses; a batch holds {most} at most")));
    }
    let judged = judge.many(&question.emails, account, Reading::of(question.strict)).await;
    Ok(Answer::new(judged.map_err(|error| status::of(&error, "emails"))?, question.view()))
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
