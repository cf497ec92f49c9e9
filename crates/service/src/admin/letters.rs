//! The rejected letters: listed, shown and read again.

use std::sync::Arc;

use suppressd_core::event::body::Body;
use suppressd_core::store::{EvidenceStore, LetterStore, MAX_LETTERS_PER_PAGE, Outcome};
use suppressd_core::{Error, LetterHead, LetterId, Rulebook, UnixSeconds};
use tokio::sync::watch;
use tonic::Status;

use super::fault;
use crate::proto::{
    GetRejectedLetterRequest, GetRejectedLetterResponse, ListRejectedLettersRequest, ListRejectedLettersResponse, RejectedLetter,
    ReplayRejectedLetterRequest, ReplayRejectedLetterResponse,
};
use crate::status;
use crate::suppression::timestamp;

/// Letters in a page whose size is not given.
const LETTERS_PER_PAGE: usize = 100;

/// The letters of a store, and the rulebook by which they are read again.
pub(super) struct Letters<S> {
    store: S,
    rules: watch::Receiver<Arc<Rulebook>>,
}

impl<S: EvidenceStore + LetterStore> Letters<S> {
    pub(super) fn new(store: S, rules: watch::Receiver<Arc<Rulebook>>) -> Self {
        Self { store, rules }
    }

    /// Records what can be read now. The letter goes when nothing of it is rejected any more, and not before its events are
    /// durable.
    async fn replay(&self, id: LetterId, mended_content: Option<Vec<u8>>) -> Result<ReplayRejectedLetterResponse, Status> {
        let failed = |error: Error| fault(&error, "id");
        let letter = self.store.letter(id).await.map_err(failed)?.ok_or_else(|| not_found(id))?;
        let content = mended_content.unwrap_or(letter.content);
        // What gives no time of its own happened when it was received first, not now.
        let rulebook = Arc::clone(&self.rules.borrow());
        let body = Body::read(&content, letter.head.received, rulebook.classifier());
        let outcomes = if body.events.is_empty() { Vec::new() } else { self.store.record(&body.events).await.map_err(failed)? };
        if body.rejected.is_empty() {
            self.store.remove_letter(id).await.map_err(failed)?;
        }
        let count = |counted: Outcome| outcomes.iter().filter(|outcome| **outcome == counted).count();
        tracing::info!(%id, recorded = count(Outcome::Recorded), rejected = body.rejected.len(), "a rejected letter was replayed");
        Ok(ReplayRejectedLetterResponse {
            recorded: number(count(Outcome::Recorded)),
            duplicate: number(count(Outcome::Duplicate)),
            ignored: number(count(Outcome::Ignored) + body.unrecorded),
            rejected: number(body.rejected.len()),
            reason: body.rejected.first().map(|rejected| rejected.error.to_string()).unwrap_or_default(),
        })
    }

    pub(super) async fn list_rejected_letters(
        &self,
        request: ListRejectedLettersRequest,
    ) -> Result<ListRejectedLettersResponse, Status> {
        let ListRejectedLettersRequest { page_size, page_token } = request;
        let size = match page_size as usize {
            0 => LETTERS_PER_PAGE,
            size => size.min(MAX_LETTERS_PER_PAGE),
        };
        let after = if page_token.is_empty() { None } else { Some(place(&page_token)?) };
        let heads = self.store.letter_heads(after, size).await.map_err(|error| fault(&error, "page_token"))?;
        // A full page may be the last one: the next is then empty, which costs one call and no rule.
        let next_page_token = match heads.last() {
            Some(last) if heads.len() == size => format!("{}-{}", last.received.get(), last.id),
            Some(_) | None => String::new(),
        };
        Ok(ListRejectedLettersResponse { letters: heads.into_iter().map(rejected_letter).collect(), next_page_token })
    }

    pub(super) async fn get_rejected_letter(
        &self,
        request: GetRejectedLetterRequest,
    ) -> Result<GetRejectedLetterResponse, Status> {
        let id = letter_id(&request.id)?;
        let letter = self.store.letter(id).await.map_err(|error| fault(&error, "id"))?.ok_or_else(|| not_found(id))?;
        Ok(GetRejectedLetterResponse { letter: Some(rejected_letter(letter.head)), content: letter.content })
    }

    pub(super) async fn replay_rejected_letter(
        &self,
        request: ReplayRejectedLetterRequest,
    ) -> Result<ReplayRejectedLetterResponse, Status> {
        let ReplayRejectedLetterRequest { id, mended_content } = request;
        let id = letter_id(&id)?;
        self.replay(id, mended_content).await
    }
}

fn letter_id(text: &str) -> Result<LetterId, Status> {
    text.parse().map_err(|error| status::of(&error, "id"))
}

/// Reads a page's token: the time and id of the letter before it.
fn place(token: &str) -> Result<(UnixSeconds, LetterId), Status> {
    let read = || {
        let (received, id) = token.split_once('-')?;
        Some((UnixSeconds::clamped(received.parse().ok()?), id.parse().ok()?))
    };
    read().ok_or_else(|| status::refused("page_token", "it is not one that a page gave"))
}

fn not_found(id: LetterId) -> Status {
    Status::not_found(format!("there is no rejected letter {id}"))
}

fn rejected_letter(head: LetterHead) -> RejectedLetter {
    RejectedLetter {
        id: head.id.to_string(),
        received_at: Some(timestamp(head.received)),
        reason: head.reason,
        content_bytes: head.content_bytes,
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
