//! One event as the provider sends it: a JSON object with eleven fields that matter.

mod json;
mod plain;

use std::borrow::Cow;
use std::sync::Arc;

pub(super) use plain::Layout;

use super::{Event, EventId, EventKind};
use crate::time::DAY_SECONDS;
use crate::{Address, BounceCategory, Classifier, EnhancedStatusCode, Error, StoredOpinion, UnixSeconds};

/// Longest `vmta` and `rcvSmtpUser` that are kept, in bytes; what is longer is cut.
pub const MAX_LABEL_BYTES: usize = 128;

/// How far ahead of the time of receipt `timeLogged` may be, in seconds, before it is not believed.
pub const MAX_AHEAD_SECONDS: i64 = DAY_SECONDS;

/// Record types of `PowerMTA`'s accounting files that say nothing about a recipient: transient failures, queue events, and the
/// source-related ones.
const UNRECORDED_KINDS: [&str; 4] = ["t", "tq", "r", "rs"];

/// The fields of one event, unread. A field that is missing, `null` or empty is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WebhookEvent<'a> {
    /// `type`: the record type.
    pub kind: Cow<'a, str>,
    /// `timeLogged`: when it happened.
    pub time_logged: Cow<'a, str>,
    /// `orig`: the sender's address.
    pub orig: Cow<'a, str>,
    /// `rcpt`: the recipient's address.
    pub rcpt: Cow<'a, str>,
    /// `dsnAction` (RFC 3464, 2.3.3).
    pub dsn_action: Cow<'a, str>,
    /// `dsnStatus`, often with text behind the code.
    pub dsn_status: Cow<'a, str>,
    /// `dsnDiag`: the receiving server's own words.
    pub dsn_diag: Cow<'a, str>,
    /// `bounceCat`: the bounce category.
    pub bounce_cat: Cow<'a, str>,
    /// `rcvSmtpUser`: the injecting account.
    pub rcv_smtp_user: Cow<'a, str>,
    /// `header_Message-Id`.
    pub message_id: Cow<'a, str>,
    /// `vmta`: the virtual MTA.
    pub vmta: Cow<'a, str>,
    /// The first field whose value is of a type that it cannot have.
    pub(super) mistyped: Option<&'static str>,
}

/// What became of reading an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// An event to record.
    Event(Event),
    /// A record type that is accepted and says nothing about a recipient.
    Unrecorded,
}

impl WebhookEvent<'_> {
    /// Reads one JSON object.
    ///
    /// # Errors
    ///
    /// [`Error::MalformedJson`] if the bytes are not one JSON object, name a field twice, or are nested more than 127 deep.
    pub fn from_json(bytes: &[u8]) -> Result<WebhookEvent<'_>, Error> {
        Self::from_json_after(bytes, &mut Layout::default())
    }

    /// As [`from_json`](Self::from_json), one event of many that are likely to be laid out alike.
    pub(super) fn from_json_after<'a>(bytes: &'a [u8], layout: &mut Layout<'a>) -> Result<WebhookEvent<'a>, Error> {
        // What is UTF-8 as a whole is not looked at again text by text.
        let read = match std::str::from_utf8(bytes) {
            Ok(text) => plain::read(text, layout).map_or_else(|| serde_json::from_str(text), Ok),
            Err(_) => serde_json::from_slice(bytes),
        };
        read.map_err(|error| Error::MalformedJson { reason: without_content(&error) })
    }

    /// Reads the fields. `received` is the time of receipt, which stands in for a `timeLogged` that cannot be believed; the
    /// classifier forms the second opinion on a bounce.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] for a missing or unknown `type`, for a `rcpt` that cannot be an address, and for a value that is
    /// not text where it must be.
    pub fn read(&self, received: UnixSeconds, classifier: &Classifier) -> Result<Reading, Error> {
        self.read_with(received, classifier, &mut Labels::default())
    }

    /// As [`read`](Self::read), with the labels of other events.
    pub(super) fn read_with(
        &self,
        received: UnixSeconds,
        classifier: &Classifier,
        labels: &mut Labels,
    ) -> Result<Reading, Error> {
        if UNRECORDED_KINDS.contains(&self.kind.as_ref()) {
            return Ok(Reading::Unrecorded);
        }
        if let Some(field) = self.mistyped {
            return Err(Error::InvalidField { field, reason: "must be text".into() });
        }
        let kind = EventKind::from_wire(&self.kind).ok_or_else(|| Error::InvalidField {
            field: "type",
            reason: if self.kind.is_empty() { "missing or empty" } else { "unknown record type" }.into(),
        })?;
        if self.rcpt.is_empty() {
            return Err(Error::InvalidField { field: "rcpt", reason: "missing or empty".into() });
        }
        let invalid = |error: Error| Error::InvalidField { field: "rcpt", reason: error.to_string() };
        let recipient = Address::recipient(&self.rcpt).map_err(invalid)?;
        let own_time = self.own_time(received);
        let status = EnhancedStatusCode::from_wire(&self.dsn_status);
        Ok(Reading::Event(Event {
            id: EventId::of(self, &recipient),
            recipient,
            time: own_time.unwrap_or(received),
            is_time_of_receipt: own_time.is_none(),
            kind,
            category: BounceCategory::from_wire(&self.bounce_cat),
            status,
            vmta: labels.shared(&self.vmta),
            account: labels.shared(&self.rcv_smtp_user),
            second_opinion: self.second_opinion(kind, status, classifier),
        }))
    }

    fn second_opinion(
        &self,
        kind: EventKind,
        status: Option<EnhancedStatusCode>,
        classifier: &Classifier,
    ) -> Option<StoredOpinion> {
        match kind {
            EventKind::Bounce | EventKind::RemoteBounce => classifier.stored_opinion(status, &self.dsn_diag),
            EventKind::Delivered | EventKind::Complaint => None,
        }
    }

    /// The time that the provider gives, if it can be believed.
    fn own_time(&self, received: UnixSeconds) -> Option<UnixSeconds> {
        let latest = received.get().saturating_add(MAX_AHEAD_SECONDS);
        UnixSeconds::from_wire(&self.time_logged).filter(|time| time.get() <= latest)
    }
}

/// What is wrong and where. The parser's own words would quote what stands there: it may be long, and it may be an address.
fn without_content(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let is_data = error.classify() == serde_json::error::Category::Data;
    let (line, column) = (error.line(), error.column());
    match words.rsplit_once(", expected ") {
        Some((_, expected)) if is_data => format!("not {expected}"),
        Some(_) | None if words.len() > MAX_PARSER_WORDS_BYTES => format!("it cannot be read at line {line} column {column}"),
        Some(_) | None => words,
    }
}

/// Longest words of the parser that are passed on, in bytes.
const MAX_PARSER_WORDS_BYTES: usize = 200;

/// A label as it is kept and compared: trimmed, and cut to [`MAX_LABEL_BYTES`] at a character's boundary.
#[must_use]
pub fn label(text: &str) -> Box<str> {
    cut(text).into()
}

fn cut(text: &str) -> &str {
    let text = text.trim();
    &text[..text.floor_char_boundary(MAX_LABEL_BYTES)]
}

/// Labels of the events of a body: they are few, and the events share them.
#[derive(Debug, Default)]
pub(super) struct Labels(Vec<Arc<str>>);

impl Labels {
    /// Among so many a label is looked for; a body with more has some that are not shared.
    const MAX_SHARED: usize = 16;

    fn shared(&mut self, text: &str) -> Arc<str> {
        let text = cut(text);
        if let Some(known) = self.0.iter().find(|known| ***known == *text) {
            return Arc::clone(known);
        }
        let new = Arc::from(text);
        if self.0.len() < Self::MAX_SHARED {
            self.0.push(Arc::clone(&new));
        }
        new
    }
}
