//! A webhook's body: one JSON object, an array of them, or one a line. It is taken apart so that a bad event costs no other.

use std::ops::Range;

use super::Event;
use super::wire::{Reading, WebhookEvent};
use crate::{Error, Letter, UnixSeconds};

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
    /// Takes a body apart. `received` is the time of receipt. The content type is not asked for.
    ///
    /// A body that begins like an array and does not end like one is rejected whole: what was cut off cannot be told from what
    /// was never there.
    #[must_use]
    pub fn read(bytes: &[u8], received: UnixSeconds) -> Self {
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
        for (index, bytes_of_event) in elements.into_iter().enumerate() {
            match WebhookEvent::from_json(&bytes[bytes_of_event.clone()]).and_then(|event| event.read(received)) {
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

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const CUT_OFF: &str = "the array is cut off or its brackets do not match";
const MORE: &str = "there is more after the array";

/// Where the events of a body stand in it, and in which form.
fn elements(bytes: &[u8], whole: Range<usize>) -> Result<(Form, Vec<Range<usize>>), &'static str> {
    let start = skip_blanks(bytes, whole.start);
    if start == whole.end {
        return Err("the body is empty");
    }
    let end = bytes.iter().rposition(|byte| !is_blank(*byte)).map_or(start, |last| last + 1);
    let found = match value_end(bytes, start..end) {
        // A first value with more behind it, or one that does not end: lines, or spoilt.
        first if first != Some(end) => match lines(bytes, start..end) {
            lines if are_events(bytes, start..end, first, &lines) => (Form::Lines, lines),
            _ if bytes[start] == b'[' => return Err(if first.is_some() { MORE } else { CUT_OFF }),
            _ => (Form::Whole, std::iter::once(start..end).collect()),
        },
        _ if bytes[start] == b'[' => (Form::Array, array(bytes, start..end)?),
        _ => (Form::Whole, std::iter::once(start..end).collect()),
    };
    if found.1.len() > MAX_EVENTS_PER_BODY { Err("it holds more than 65536 events; send fewer at a time") } else { Ok(found) }
}

/// Whether the lines are one event each: there is more than one, and one of them is an object by itself, which tells NDJSON from
/// an object that was cut off or spoilt. Lines of an array that was cut off are not: what is missing cannot be told.
fn are_events(bytes: &[u8], whole: Range<usize>, first_value: Option<usize>, lines: &[Range<usize>]) -> bool {
    let is_object = |line: &Range<usize>| bytes[line.start] == b'{' && value_end(bytes, line.clone()) == Some(line.end);
    let ends_in_its_line = || lines.first().is_some_and(|line| first_value == Some(line.end));
    let is_cut_off_array = bytes[whole.start] == b'[' && !ends_in_its_line();
    lines.len() > 1 && !is_cut_off_array && lines.iter().any(is_object)
}

/// The lines that are not blank, without the blanks around them.
fn lines(bytes: &[u8], whole: Range<usize>) -> Vec<Range<usize>> {
    let mut lines = Vec::new();
    let mut start = whole.start;
    for line in bytes[whole].split(|byte| *byte == b'\n') {
        let first = line.iter().position(|byte| !is_blank(*byte));
        let last = line.iter().rposition(|byte| !is_blank(*byte));
        if let (Some(first), Some(last)) = (first, last) {
            lines.push(start + first..start + last + 1);
        }
        start += line.len() + 1;
    }
    lines
}

/// The elements of an array, each with its brackets in balance; what is inside them is not looked at.
fn array(bytes: &[u8], whole: Range<usize>) -> Result<Vec<Range<usize>>, &'static str> {
    let mut elements = Vec::new();
    let mut at = skip_blanks(bytes, whole.start + 1);
    if bytes.get(at) == Some(&b']') {
        return if at + 1 == whole.end { Ok(elements) } else { Err(MORE) };
    }
    loop {
        let end = value_end(bytes, at..whole.end).ok_or(CUT_OFF)?;
        elements.push(at..end);
        at = skip_blanks(bytes, end);
        match bytes.get(at) {
            Some(b',') => at = skip_blanks(bytes, at + 1).min(whole.end),
            Some(b']') if at + 1 == whole.end => return Ok(elements),
            Some(b']') => return Err(MORE),
            Some(_) | None => return Err(CUT_OFF),
        }
    }
}

/// Where the value that begins at the start of the range ends: at its last bracket or quotation mark, or before what follows a
/// bare word. It is not checked any further: its reader does that. `None` if it does not end in the range.
fn value_end(bytes: &[u8], range: Range<usize>) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_text = false;
    let mut at = range.start;
    while at < range.end {
        match (in_text, bytes[at]) {
            (true, b'\\') => at += 1,
            (true, b'"') if depth == 0 => return Some(at + 1),
            (_, b'"') => in_text = !in_text,
            (false, b'{' | b'[') => depth += 1,
            (false, b'}' | b']') if depth > 1 => depth -= 1,
            (false, b'}' | b']') if depth == 1 => return Some(at + 1),
            (false, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') if depth == 0 => return (at > range.start).then_some(at),
            (true | false, _) => {}
        }
        at += 1;
    }
    (depth == 0 && !in_text && range.end > range.start).then_some(range.end)
}

fn skip_blanks(bytes: &[u8], from: usize) -> usize {
    bytes[from..].iter().position(|byte| !is_blank(*byte)).map_or(bytes.len(), |offset| from + offset)
}

/// What JSON calls whitespace (RFC 8259, section 2).
fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::EventKind;
    use proptest::prelude::*;

    const NOW: i64 = 1_700_000_000;
    const GOOD: &str = r#"{"type":"b","rcpt":"a@x.example","bounceCat":"bad-mailbox"}"#;

    fn read(bytes: impl AsRef<[u8]>) -> Body {
        Body::read(bytes.as_ref(), UnixSeconds::clamped(NOW))
    }

    fn counts(bytes: impl AsRef<[u8]>) -> (usize, usize, usize) {
        let body = read(bytes);
        (body.events.len(), body.unrecorded, body.rejected.len())
    }

    #[test]
    fn one_object_an_array_or_lines() {
        assert_eq!(counts(GOOD), (1, 0, 0));
        assert_eq!(counts(GOOD.replace(',', ",\n  ")), (1, 0, 0));
        assert_eq!(counts(format!("\n [{GOOD} , {GOOD},\n{GOOD}]\n")), (3, 0, 0));
        assert_eq!(counts(format!("{GOOD}\r\n\n  {GOOD}\n{GOOD}")), (3, 0, 0));
        assert_eq!(counts("[]"), (0, 0, 0));
        assert_eq!(counts(format!("\u{feff}{GOOD}\n{GOOD}")), (2, 0, 0));
        assert_eq!(counts(format!("\u{feff}[{GOOD}]")), (1, 0, 0));
        assert_eq!(counts(r#"{"type":"tq"}"#), (0, 1, 0));
    }

    #[test]
    fn a_bad_event_costs_no_other() {
        for bad in [
            "{}",
            "5",
            "null",
            "\"b\"",
            "[1]",
            "{\"type\":1}",
            "{\"a\" 1}",
            "{]",
            r#"{"a":"}\",{"}"#,
            r#"{"type":"b","rcpt":"@"}"#,
        ] {
            assert_eq!(counts(format!("[{GOOD},{bad},{GOOD}]")), (2, 0, 1), "array with {bad}");
            assert_eq!(counts(format!("{GOOD}\n{bad}\n{GOOD}\n")), (2, 0, 1), "lines with {bad}");
            assert_eq!(counts(format!("{bad}\n{GOOD}\n{GOOD}\n")), (2, 0, 1), "lines behind {bad}");
            assert_eq!(counts(bad), (0, 0, 1), "{bad} alone");
        }
        let mut bytes = format!("[{GOOD},{{\"type\":\"b\",\"rcpt\":\"").into_bytes();
        bytes.extend(b"\xff@x.example\"}]");
        assert_eq!(counts(bytes), (1, 0, 1), "bad UTF-8");
    }

    #[test]
    fn what_is_cut_off_is_refused_whole() {
        let pretty = GOOD.replace(',', ",\n  ");
        let bodies = [
            "",
            " \n",
            &GOOD[..20],
            &pretty[..30],
            "[",
            "[{",
            &format!("[{GOOD}"),
            &format!("[{GOOD},"),
            &format!("[{GOOD},]"),
            &format!("[\n{GOOD},\n{GOOD}\n"),
            &format!("[{GOOD}] x"),
            &format!("[{GOOD},\n{GOOD}\n{GOOD}"),
            &format!("[{}1]", "1,".repeat(MAX_EVENTS_PER_BODY)),
        ];
        for body in bodies {
            let read = read(body);
            assert!(read.is_refused(), "{body:?}");
            assert_eq!(read.rejected.len(), 1, "{body:?}");
        }
    }

    #[test]
    fn ten_thousand_levels_are_refused_wherever_they_hide() {
        let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
        for body in [deep.clone(), format!(r#"{{"type":"b","rcpt":"a@x.example","x":{deep}}}"#), "{\"a\":".repeat(10_000)] {
            assert!(read(&body).is_refused());
        }
    }

    #[test]
    fn a_type_or_recipient_that_is_no_text_is_named() {
        for (body, field) in [
            (r#"{"type":1,"rcpt":"a@x.example"}"#, "type"),
            (r#"{"rcpt":"a@x.example"}"#, "type"),
            (r#"{"type":"B","rcpt":"a@x.example"}"#, "type"),
            (r#"{"type":"b"}"#, "rcpt"),
            (r#"{"type":"b","rcpt":""}"#, "rcpt"),
            (r#"{"type":"b","rcpt":null}"#, "rcpt"),
            (r#"{"type":"b","rcpt":["a@x.example"]}"#, "rcpt"),
            (r#"{"type":"b","rcpt":"a.x.example"}"#, "rcpt"),
            (r#"{"type":"b","rcpt":"a\u0000@x.example"}"#, "rcpt"),
            (r#"{"type":"b","rcpt":"a@x.example","vmta":{}}"#, "vmta"),
        ] {
            let rejected = read(body).rejected;
            assert!(
                matches!(&rejected[0].error, Error::InvalidField { field: named, .. } if *named == field),
                "{body}: {rejected:?}"
            );
        }
    }

    #[test]
    fn the_time_of_receipt_stands_in_for_what_cannot_be_believed() {
        let time =
            |logged: &str| read(format!(r#"{{"type":"b","rcpt":"a@x.example","timeLogged":{logged}}}"#)).events[0].time.get();
        assert_eq!(time("\"1695222842\""), 1_695_222_842);
        assert_eq!(time("1695222842"), 1_695_222_842);
        assert_eq!(time(&format!("{}", NOW + 86_400)), NOW + 86_400);
        for logged in ["\"\"", "null", "\"soon\"", "-1", "1695222842000", &format!("{}", NOW + 86_401)] {
            assert_eq!(time(logged), NOW, "{logged}");
        }
    }

    #[test]
    fn the_provider_s_sample_is_a_delivery() {
        let body = read(
            r#"{"type":"d","timeLogged":"1695222842","orig":"s@y.example","rcpt":"a@x.example","dsnAction":"relayed",
            "dsnStatus":"2.0.0 (success)","dsnDiag":"smtp;250 OK","bounceCat":"other","rcvSmtpUser":"acme",
            "header_Message-Id":"<1@y.example>","vmta":"mta1","unheard-of":[1,{"a":null}]}"#,
        );
        assert_eq!(body.events[0].kind, EventKind::Delivered);
        assert_eq!(&*body.events[0].account, "acme");
        assert_eq!(body.events[0].status.unwrap().to_string(), "2.0.0");
    }

    #[test]
    fn letters_hold_what_was_rejected_and_nothing_else() {
        let bytes = format!("[{GOOD}, {{\"type\":\"zz\"}} ,{GOOD}]");
        let letters = read(&bytes).letters(bytes.as_bytes(), UnixSeconds::clamped(NOW));
        assert_eq!(letters.len(), 1);
        assert_eq!(letters[0].content, b"{\"type\":\"zz\"}");
        assert_eq!(letters[0].head.reason, "type: unknown record type");
    }

    #[test]
    fn many_bad_events_make_one_letter_that_reads_as_they_did() {
        for bytes in [format!("[{GOOD},{}{{}}]", "{\"a\":\n1},".repeat(99)), format!("{GOOD}\n{}", "{}\n".repeat(100))] {
            let letters = read(&bytes).letters(bytes.as_bytes(), UnixSeconds::clamped(NOW));
            assert_eq!(letters.len(), 1);
            assert_eq!(counts(&letters[0].content), (0, 0, 100));
        }
    }

    proptest! {
        #[test]
        fn no_bytes_panic_the_parser(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let body = read(&bytes);
            let _ = body.letters(&bytes, UnixSeconds::clamped(NOW));
        }

        #[test]
        fn no_spoilt_body_panics_the_parser(at in 0_usize..200, byte in any::<u8>(), cut in 0_usize..300) {
            let mut bytes = format!("[{GOOD},\n{GOOD},{{\"a\":[1,2,\"\\\"\"]}}]").into_bytes();
            if let Some(spoilt) = bytes.get_mut(at) {
                *spoilt = byte;
            }
            bytes.truncate(cut);
            let body = read(&bytes);
            let _ = body.letters(&bytes, UnixSeconds::clamped(NOW));
        }
    }
}
