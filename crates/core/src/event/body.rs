//! A webhook's body: one JSON object, an array of them, or one a line. It is taken apart so that a bad event costs no other.

mod scan;

use std::ops::Range;

use super::Event;
use super::wire::{Labels, Layout, Reading, WebhookEvent};
use crate::{Classifier, Error, Letter, UnixSeconds};
use scan::{BYTE_ORDER_MARK, elements};

/// Most letters that one body makes. When more of it is bad, all that is bad goes into one letter, or a body of nothing but
/// bad lines would cost as many files.
pub const MAX_LETTERS_PER_BODY: usize = 64;

/// Most events of one body; one with more is rejected whole. What is bad of a body is held in memory until it is answered, and
/// bad events may be as short as a digit.
pub const MAX_EVENTS_PER_BODY: usize = 65_536;

/// What a body holds, in its order.
#[derive(Debug)]
pub struct Body {
    /// The events to record.
    pub events: Vec<Event>,
    /// How many were of a record type that is accepted and not recorded.
    pub unrecorded: usize,
    /// What could not be read.
    pub rejected: Vec<Rejected>,
    form: Form,
}

/// A part of a body that cannot be read as an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejected {
    /// Where it stands in the body, in bytes.
    pub bytes: Range<usize>,
    /// Its number among the body's events, from 0.
    pub index: usize,
    /// Why.
    pub error: Error,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    Array,
    Lines,
}

impl Body {
    /// Takes a body apart. `received` is the time of receipt, and the classifier forms the second opinions. The content type
    /// is not asked for.
    ///
    /// A body that begins like an array and does not end like one is rejected whole: what was cut off cannot be told from what
    /// was never there.
    #[must_use]
    pub fn read(bytes: &[u8], received: UnixSeconds, classifier: &Classifier) -> Self {
        // Some tools put a byte order mark in front of UTF-8; it belongs to nothing (RFC 8259, section 8.1).
        let whole = if bytes.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len()..bytes.len() } else { 0..bytes.len() };
        let (form, elements) = match elements(bytes, whole.clone()) {
            Ok(found) => found,
            Err(reason) => {
                let error = Error::MalformedJson { reason: reason.into() };
                let rejected = vec![Rejected { bytes: whole, index: 0, error }];
                return Self { events: Vec::new(), unrecorded: 0, rejected, form: Form::Whole };
            }
        };
        let mut body = Self { events: Vec::with_capacity(elements.len()), unrecorded: 0, rejected: Vec::new(), form };
        let (mut layout, mut labels) = (Layout::default(), Labels::default());
        for (index, bytes_of_event) in elements.into_iter().enumerate() {
            let event = WebhookEvent::from_json_after(&bytes[bytes_of_event.clone()], &mut layout);
            match event.and_then(|event| event.read_with(received, classifier, &mut labels)) {
                Ok(Reading::Event(event)) => body.events.push(event),
                Ok(Reading::Unrecorded) => body.unrecorded += 1,
                Err(error) => body.rejected.push(Rejected { bytes: bytes_of_event, index, error }),
            }
        }
        body
    }

    /// Whether the body is to be refused: all that stands in it was rejected.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.events.is_empty() && self.unrecorded == 0 && !self.rejected.is_empty()
    }

    /// The letters that keep what was rejected of `bytes`, the body that was read: one for each part, or one for all of them
    /// if they are more than [`MAX_LETTERS_PER_BODY`].
    #[must_use]
    pub fn letters(&self, bytes: &[u8], received: UnixSeconds) -> Vec<Letter> {
        let parts = self.rejected.iter().map(|rejected| &bytes[rejected.bytes.clone()]);
        if self.rejected.len() <= MAX_LETTERS_PER_BODY {
            let letter = |(part, rejected): (&[u8], &Rejected)| Letter::new(part, rejected.error.to_string(), received);
            return parts.zip(&self.rejected).map(letter).collect();
        }
        let parts: Vec<&[u8]> = parts.collect();
        let content = match self.form {
            Form::Array => [b"[", &parts.join(&b","[..])[..], b"]"].concat(),
            Form::Whole | Form::Lines => parts.join(&b"\n"[..]),
        };
        let reason = self.rejected.first().map_or_else(String::new, |first| first.error.to_string());
        vec![Letter::new(&content, format!("{} events, the first: {reason}", parts.len()), received)]
    }
}

#[cfg(test)]
mod tests;
