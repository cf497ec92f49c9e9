//! Where the events of a body stand in it. Brackets and quotation marks are counted; what is inside them is for the reader of an
//! event.

use std::ops::Range;

use memchr::memchr_iter;

use super::{Form, MAX_EVENTS_PER_BODY};

pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

const CUT_OFF: &str = "the array is cut off or its brackets do not match";
const MORE: &str = "there is more after the array";

/// Where the events of a body stand in it, and in which form.
pub(super) fn elements(bytes: &[u8], whole: Range<usize>) -> Result<(Form, Vec<Range<usize>>), &'static str> {
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
    let ends = memchr_iter(b'\n', &bytes[whole.clone()]).map(|end| whole.start + end);
    for end in ends.chain([whole.end]) {
        let line = &bytes[start..end];
        let first = line.iter().position(|byte| !is_blank(*byte));
        let last = line.iter().rposition(|byte| !is_blank(*byte));
        if let (Some(first), Some(last)) = (first, last) {
            lines.push(start + first..start + last + 1);
        }
        start = end + 1;
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
