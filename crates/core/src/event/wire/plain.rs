//! Events as nearly all of them come: an object of texts in which nothing is escaped. There each quotation mark is one end of a text,
//! and all between two of them is passed over at once. What stands before the texts is nearly always the same as in the event before:
//! it is compared with that, and is taken apart only where it differs.

use std::borrow::Cow;

use memchr::memchr;

use super::WebhookEvent;
use super::json::{FIELDS, number_of};

/// Most names that are remembered; an event with more has some that are taken apart each time.
const MAX_NAMES: usize = 64;

/// What stands before each value of the events of a body, as of the last event.
#[derive(Debug, Default)]
pub(in crate::event) struct Layout<'a>(Vec<Named<'a>>);

/// The name of a value.
#[derive(Debug, Clone, Copy)]
struct Named<'a> {
    /// From behind the brace or the comma to the quotation mark that the value begins with.
    written: &'a str,
    /// The number of the field if it is looked at.
    field: Option<usize>,
}

/// Reads an object that holds nothing but texts. None says nothing: the reader of all JSON decides then. What is read here it would
/// read alike.
pub(super) fn read<'a>(text: &'a str, layout: &mut Layout<'a>) -> Option<WebhookEvent<'a>> {
    // Of all bytes, so that it is asked of many at once.
    let least = text.bytes().fold(u8::MAX, u8::min);
    if least < b' ' || memchr(b'\\', text.as_bytes()).is_some() {
        return None;
    }
    let mut event = WebhookEvent::default();
    let mut seen = [false; FIELDS.len()];
    let mut rest = behind(text, b'{')?;
    let mut nth = 0;
    loop {
        let Named { written, field } = layout.name(nth, rest)?;
        let value = &rest[written.len()..];
        let end = memchr(b'"', value.as_bytes())?;
        if let Some(field) = field {
            // Who names a field twice is told so.
            if std::mem::replace(&mut seen[field], true) {
                return None;
            }
            *event.slot(field) = Cow::Borrowed(&value[..end]);
        }
        let after = &value[end + 1..];
        if after == "}" {
            return Some(event);
        }
        rest = behind(after, b',')?;
        nth += 1;
    }
}

impl<'a> Layout<'a> {
    /// What a text begins with, if it is a name and the beginning of a value, the event's `nth`.
    #[inline]
    fn name(&mut self, nth: usize, text: &'a str) -> Option<Named<'a>> {
        if let Some(known) = self.0.get(nth).filter(|known| text.starts_with(known.written)) {
            return Some(*known);
        }
        let read = Named::read(text)?;
        if nth < MAX_NAMES {
            self.0.truncate(nth);
            self.0.push(read);
        }
        Some(read)
    }
}

impl<'a> Named<'a> {
    fn read(text: &'a str) -> Option<Self> {
        let name = behind(text.trim_start_matches(' '), b'"')?;
        let (name, colon) = name.split_once('"')?;
        let value = behind(behind(colon, b':')?.trim_start_matches(' '), b'"')?;
        Some(Self { written: &text[..text.len() - value.len()], field: number_of(name) })
    }
}

/// What follows a sign.
#[inline]
fn behind(text: &str, sign: u8) -> Option<&str> {
    (text.as_bytes().first() == Some(&sign)).then(|| &text[1..])
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<WebhookEvent<'_>> {
        super::read(text, &mut Layout::default())
    }

    #[test]
    fn plain_events_are_read_and_others_left() {
        let event = read(r#"{"type":"b", "rcpt": "a@x.example","no-field":"","dsnDiag":"smtp;550 nein, \u00fcber"}"#);
        assert!(event.is_none());
        let event = read(r#"{"type":"b", "rcpt": "a@x.example","no-field":"","dsnDiag":"smtp;550 über"}"#).unwrap();
        assert_eq!((&*event.kind, &*event.rcpt, &*event.dsn_diag, &*event.vmta), ("b", "a@x.example", "smtp;550 über", ""));
        for text in [
            "",
            "{}",
            "[]",
            r#"{"type":"b""#,
            r#"{"type":"b",}"#,
            r#"{"type":"b"}}"#,
            r#"{"type":1}"#,
            r#"{"type":null}"#,
            r#"{"type":"b","type":"b"}"#,
            r#"{"a":["b"]}"#,
            "{\"type\":\"b\tb\"}",
            "{\"type\":\n\"b\"}",
        ] {
            assert_eq!(read(text), None, "{text:?}");
        }
    }

    /// Objects of texts, most of them, with few names.
    fn objects() -> impl Strategy<Value = Vec<String>> {
        let field = (prop::sample::select(&FIELDS[..4]), "[ -~é\t\\\\]{0,3}", " {0,2}");
        let fields = prop::collection::vec(field, 0..4);
        let object = (fields, "[ ,:{}\"a]{0,3}", any::<bool>()).prop_map(|(fields, other, whole)| {
            let field = |(name, value, blanks): &(&str, String, String)| format!("\"{name}\":{blanks}\"{value}\"{blanks}");
            let fields: Vec<_> = fields.iter().map(field).collect();
            if whole { format!("{{{}}}", fields.join(",")) } else { format!("{{{}{other}}}", fields.join(", ")) }
        });
        prop::collection::vec(object, 1..5)
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_read_all_json_reads_alike(objects in objects()) {
            let mut layout = Layout::default();
            for text in &objects {
                let event = super::read(text, &mut layout);
                // What stood before it in the body changes nothing.
                prop_assert_eq!(&event, &read(text), "{}", text);
                if let Some(event) = event {
                    prop_assert_eq!(&event, &serde_json::from_str::<WebhookEvent<'_>>(text).unwrap(), "{}", text);
                }
            }
        }
    }
}
