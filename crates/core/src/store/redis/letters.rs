//! Rejected letters in Redis.

use redis::Value;

use super::call::Call;
use super::keys::{LETTER_BYTES, LETTER_CONTENT, LETTER_HEADS, LETTERS_BY_TIME};
use super::{RedisStore, fault, reply};
use crate::store::{LetterStore, MAX_LETTERS_PER_PAGE};
use crate::{Error, Letter, LetterHead, LetterId, LetterLimits, LetterUsage, UnixSeconds};

/// Most letters past their age that are removed when one is kept: Redis does nothing else meanwhile.
const MAX_EXPIRED_PER_CALL: usize = 100;

/// What the script says of a letter that does not fit.
const NO_ROOM: i64 = -1;

impl LetterStore for RedisStore {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        if letters.is_empty() {
            return Ok(Vec::new());
        }
        let replies = self.write(letters.into_iter().map(|letter| self.keeping(letter, now)).collect()).await?;
        let is_new = |reply: &Value| match reply::number(reply)? {
            NO_ROOM => Err(Error::LettersFull),
            kept => Ok(kept == 1),
        };
        replies.iter().map(is_new).collect()
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        let limit = limit.min(MAX_LETTERS_PER_PAGE);
        if limit == 0 {
            return Ok(Vec::new());
        }
        // Letters may be long: they are read on the connection for writes, where they hold up no check.
        let keys = [LETTER_HEADS, LETTERS_BY_TIME];
        let mut call = Call::script(&self.shared.scripts.letter_page, &keys).number(&limit).reading();
        if let Some((received, id)) = after {
            call = call.number(&received.get()).number(&id);
        }
        let mut page = reply::list(self.write_one(call).await?)?.into_iter();
        let mut heads = Vec::with_capacity(page.len() / 2);
        while let (Some(id), Some(head)) = (page.next(), page.next()) {
            let id = reply::bytes(id)?.and_then(|id| String::from_utf8(id).ok()?.parse().ok()).ok_or_else(damaged)?;
            heads.push(read_head(id, reply::bytes(head)?)?);
        }
        Ok(heads)
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        let call = Call::script(&self.shared.scripts.letter_read, &[LETTER_HEADS, LETTER_CONTENT]).number(&id).reading();
        let mut parts = reply::list(self.write_one(call).await?)?.into_iter();
        let (Some(head), Some(content)) = (parts.next(), parts.next()) else { return Err(fault::unexpected_reply()) };
        let head = match reply::bytes(head)? {
            Some(head) => read_head(id, Some(head))?,
            None => return Ok(None),
        };
        let content = reply::bytes(content)?.ok_or_else(damaged)?;
        Ok(Some(Letter { head, content }))
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        let keys = [LETTER_HEADS, LETTERS_BY_TIME, LETTER_CONTENT, LETTER_BYTES];
        let call = Call::script(&self.shared.scripts.letter_remove, &keys).number(&id);
        reply::yes_or_no(&self.write_one(call).await?)
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        let calls = vec![Call::command("HLEN", LETTER_HEADS), Call::command("GET", LETTER_BYTES)];
        let mut replies = self.write(calls).await?.into_iter();
        let (Some(letters), Some(bytes)) = (replies.next(), replies.next()) else { return Err(fault::unexpected_reply()) };
        let letters = u64::try_from(reply::number(&letters)?).map_err(|_| fault::unexpected_reply())?;
        let content_bytes = match reply::bytes(bytes)? {
            Some(text) => String::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or_else(damaged)?,
            None => 0,
        };
        Ok(LetterUsage { letters, content_bytes })
    }
}

impl RedisStore {
    fn keeping(&self, letter: Letter, now: UnixSeconds) -> Call {
        let LetterLimits { max_letters, max_content_bytes, max_age_seconds } = self.shared.letter_limits;
        let Letter { head, content } = letter;
        let oldest = now.get().saturating_sub_unsigned(max_age_seconds);
        Call::script(&self.shared.scripts.letter_keep, &[LETTER_HEADS, LETTERS_BY_TIME, LETTER_CONTENT, LETTER_BYTES])
            .number(&head.id)
            .number(&head.received.get())
            .number(&head.content_bytes)
            .argument(format!("{}|{}|{}", head.received.get(), head.content_bytes, head.reason))
            .argument(content)
            .number(&oldest)
            .number(&max_letters)
            .number(&max_content_bytes)
            .number(&MAX_EXPIRED_PER_CALL)
    }
}

/// `<received>|<bytes>|<reason>`: the reason stands last, so whatever is in it needs no escape.
fn read_head(id: LetterId, head: Option<Vec<u8>>) -> Result<LetterHead, Error> {
    let head = head.and_then(|head| String::from_utf8(head).ok()).ok_or_else(damaged)?;
    let mut parts = head.splitn(3, '|');
    let mut number = || parts.next().and_then(|part| part.parse::<u64>().ok());
    let (Some(received), Some(content_bytes)) = (number(), number()) else { return Err(damaged()) };
    let reason = parts.next().ok_or_else(damaged)?.to_owned();
    let received = UnixSeconds::clamped(i64::try_from(received).map_err(|_| damaged())?);
    Ok(LetterHead { received, id, content_bytes, reason })
}

fn damaged() -> Error {
    Error::StoreDamaged { reason: "a rejected letter cannot be read; see the keys that begin with sup:{letters}".into() }
}
