//! From one JSON object to the fields of an event.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::WebhookEvent;

/// The first whole number next to which there is one that a float cannot tell from it: 2^53.
const FIRST_INEXACT_NUMBER: f64 = 9_007_199_254_740_992.0;

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
pub(super) const FIELDS: [&str; 11] = [
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

/// The number of a name in [`FIELDS`]. Spelt out, so that each comparison is one of a known length.
pub(super) fn number_of(name: &str) -> Option<usize> {
    Some(match name {
        "type" => 0,
        "timeLogged" => 1,
        "orig" => 2,
        "rcpt" => 3,
        "dsnAction" => 4,
        "dsnStatus" => 5,
        "dsnDiag" => 6,
        "bounceCat" => 7,
        "rcvSmtpUser" => 8,
        "header_Message-Id" => 9,
        "vmta" => 10,
        _ => return None,
    })
}

const MUST_BE_TEXT: [&str; 2] = ["type", "rcpt"];

impl<'a> WebhookEvent<'a> {
    /// The field of that number in [`FIELDS`].
    pub(super) fn slot(&mut self, field: usize) -> &mut Cow<'a, str> {
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
                Ok(FieldName(number_of(name)))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_field_has_its_own_number() {
        for (number, field) in FIELDS.into_iter().enumerate() {
            assert_eq!(number_of(field), Some(number), "{field}");
        }
        assert_eq!([number_of(""), number_of("Type"), number_of("header_message-id")], [None; 3]);
    }
}
