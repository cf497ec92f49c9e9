//! Events as nearly all of them come: an object of texts in which nothing is escaped. There each quotation mark is one end of a text,
//! and all between two of them is passed over at once.

use std::borrow::Cow;

use memchr::memchr;

use super::WebhookEvent;
use super::json::{FIELDS, number_of};

/// Reads an object that holds nothing but texts. None says nothing: the reader of all JSON decides then. What is read here it would
/// read alike.
pub(super) fn read(text: &str) -> Option<WebhookEvent<'_>> {
    // Of every byte, so that it is asked of many at once.
    if text.bytes().map(|byte| u8::from(byte < b' ' || byte == b'\\')).fold(0, |found, odd| found | odd) > 0 {
        return None;
    }
    let mut event = WebhookEvent::default();
    let mut seen = [false; FIELDS.len()];
    let mut rest = behind(text, b'{')?;
    loop {
        let (name, colon) = take_text(rest)?;
        let (value, end) = take_text(behind(colon, b':')?)?;
        if let Some(field) = number_of(name) {
            // Who names a field twice is told so.
            if std::mem::replace(&mut seen[field], true) {
                return None;
            }
            *event.slot(field) = Cow::Borrowed(value);
        }
        if end == "}" {
            return Some(event);
        }
        rest = behind(end, b',')?;
    }
}

/// A text, and what follows it.
fn take_text(rest: &str) -> Option<(&str, &str)> {
    let blanks = rest.bytes().take_while(|byte| *byte == b' ').count();
    let inside = behind(&rest[blanks..], b'"')?;
    let end = memchr(b'"', inside.as_bytes())?;
    Some((&inside[..end], &inside[end + 1..]))
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

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]
        #[test]
        fn what_is_read_all_json_reads_alike(
            fields in prop::collection::vec((prop::sample::select(&FIELDS[..]), "[ -~é\t\\\\]{0,3}", " {0,2}"), 0..4),
            other in "[ ,:{}\"a]{0,3}",
        ) {
            let field = |(name, value, blanks): &(&str, String, String)| format!("\"{name}\":{blanks}\"{value}\"{blanks}");
            let fields: Vec<_> = fields.iter().map(field).collect();
            for text in [format!("{{{}}}", fields.join(",")), format!("{{{}{other}}}", fields.join(", "))] {
                if let Some(event) = read(&text) {
                    prop_assert_eq!(&event, &serde_json::from_str::<WebhookEvent<'_>>(&text).unwrap(), "{}", text);
                }
            }
        }
    }
}
