//! One event as the provider sends it: a JSON object with eleven fields that matter.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::{Event, EventId, EventKind};
use crate::time::DAY_SECONDS;
use crate::{BounceCategory, EnhancedStatusCode, Error, UnixSeconds};

/// Longest `vmta` and `rcvSmtpUser` that are kept, in bytes; what is longer is cut.
pub const MAX_LABEL_BYTES: usize = 128;

/// How far ahead of the time of receipt `timeLogged` may be, in seconds, before it is not believed.
pub const MAX_AHEAD_SECONDS: i64 = DAY_SECONDS;

/// Record types of `PowerMTA`'s accounting files that say nothing about a recipient: transient failures, queue events, and the
/// source-related ones.
const UNRECORDED_KINDS: [&str; 4] = ["t", "tq", "r", "rs"];

/// The fields of one event, unread. A field that is missing, `null` or empty is empty.
#[derive(Debug, Clone, Default)]
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
        serde_json::from_slice(bytes).map_err(|error| Error::MalformedJson { reason: without_content(&error) })
    }

    /// Reads the fields. `received` is the time of receipt, which stands in for a `timeLogged` that cannot be believed.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] for a missing or unknown `type`, for a `rcpt` that cannot be an address, and for a value that is
    /// not text where it must be.
    pub fn read(&self, received: UnixSeconds) -> Result<Reading, Error> {
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
        let recipient =
            self.rcpt.parse().map_err(|error: Error| Error::InvalidField { field: "rcpt", reason: error.to_string() })?;
        let own_time = self.own_time(received);
        Ok(Reading::Event(Event {
            id: EventId::of(self, &recipient),
            recipient,
            time: own_time.unwrap_or(received),
            is_time_of_receipt: own_time.is_none(),
            kind,
            category: BounceCategory::from_wire(&self.bounce_cat),
            status: EnhancedStatusCode::from_wire(&self.dsn_status),
            vmta: label(&self.vmta),
            account: label(&self.rcv_smtp_user),
        }))
    }

    /// The time that the provider gives, if it can be believed.
    fn own_time(&self, received: UnixSeconds) -> Option<UnixSeconds> {
        let latest = received.get().saturating_add(MAX_AHEAD_SECONDS);
        UnixSeconds::from_wire(&self.time_logged).filter(|time| time.get() <= latest)
    }
}

/// The first whole number next to which there is one that a float cannot tell from it: 2^53.
const FIRST_INEXACT_NUMBER: f64 = 9_007_199_254_740_992.0;

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
    let text = text.trim();
    text[..text.floor_char_boundary(MAX_LABEL_BYTES)].into()
}

impl<'de> Deserialize<'de> for WebhookEvent<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(EventVisitor)
    }
}

struct EventVisitor;

impl<'de> Visitor<'de> for EventVisitor {
    type Value = WebhookEvent<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an event as a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut event = WebhookEvent::default();
        let mut seen = [false; FIELDS.len()];
        while let Some(FieldName(known)) = map.next_key()? {
            let Some(field) = known else {
                map.next_value::<Skipped>()?;
                continue;
            };
            // Which of the two would count is anybody's guess, and a wrong guess suppresses the wrong recipient.
            if std::mem::replace(&mut seen[field], true) {
                return Err(A::Error::custom(format_args!("the field `{}` stands there twice", FIELDS[field])));
            }
            match map.next_value()? {
                FieldValue::Text(text) => *event.slot(field) = text,
                // A number is as good as text, but not as a record type or an address.
                FieldValue::Number(text) if !MUST_BE_TEXT.contains(&FIELDS[field]) => *event.slot(field) = text.into(),
                FieldValue::Null => {}
                FieldValue::Number(_) | FieldValue::Other => {
                    event.mistyped.get_or_insert(FIELDS[field]);
                }
            }
        }
        Ok(event)
    }
}

/// The names of the fields on the wire, in the order of [`WebhookEvent::slot`].
const FIELDS: [&str; 11] = [
    "type",
    "timeLogged",
    "orig",
    "rcpt",
    "dsnAction",
    "dsnStatus",
    "dsnDiag",
    "bounceCat",
    "rcvSmtpUser",
    "header_Message-Id",
    "vmta",
];

const MUST_BE_TEXT: [&str; 2] = ["type", "rcpt"];

impl<'a> WebhookEvent<'a> {
    /// The field of that number in [`FIELDS`].
    fn slot(&mut self, field: usize) -> &mut Cow<'a, str> {
        match field {
            0 => &mut self.kind,
            1 => &mut self.time_logged,
            2 => &mut self.orig,
            3 => &mut self.rcpt,
            4 => &mut self.dsn_action,
            5 => &mut self.dsn_status,
            6 => &mut self.dsn_diag,
            7 => &mut self.bounce_cat,
            8 => &mut self.rcv_smtp_user,
            9 => &mut self.message_id,
            _ => &mut self.vmta,
        }
    }
}

/// The number of a field in [`FIELDS`], or none for a field that is not looked at.
struct FieldName(Option<usize>);

impl<'de> Deserialize<'de> for FieldName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NameVisitor;
        impl Visitor<'_> for NameVisitor {
            type Value = FieldName;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a field's name")
            }

            fn visit_str<E>(self, name: &str) -> Result<FieldName, E> {
                Ok(FieldName(FIELDS.iter().position(|field| *field == name)))
            }
        }
        deserializer.deserialize_identifier(NameVisitor)
    }
}

/// A field's value, as far as it can be one.
enum FieldValue<'a> {
    Text(Cow<'a, str>),
    Number(String),
    Null,
    Other,
}

impl<'de> Deserialize<'de> for FieldValue<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ValueVisitor)
    }
}

struct ValueVisitor;

impl<'de> Visitor<'de> for ValueVisitor {
    type Value = FieldValue<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(FieldValue::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(FieldValue::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(FieldValue::Number(number.to_string()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(FieldValue::Number(number.to_string()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Self::Value, E> {
        // Beyond that, numbers that differ on the wire are one number here, and would be one event.
        if number.abs() >= FIRST_INEXACT_NUMBER { Ok(FieldValue::Other) } else { Ok(FieldValue::Number(number.to_string())) }
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(FieldValue::Number(truth.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(FieldValue::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, seq: A) -> Result<Self::Value, A::Error> {
        Skipped.visit_seq(seq).map(|_| FieldValue::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        Skipped.visit_map(map).map(|_| FieldValue::Other)
    }
}

/// A value that is read over. Unlike serde's own `IgnoredAny` it is read through the parser's limit of depth, so that a body
/// nested ten thousand deep is refused whichever field it hides in.
struct Skipped;

impl<'de> Deserialize<'de> for Skipped {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Skipped {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON value")
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self, A::Error> {
        while seq.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }
}
