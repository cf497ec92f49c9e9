//! What must hold of reading a webhook's body, whatever its bytes are.

use suppressd_core::event::body::{Body, MAX_EVENTS_PER_BODY, MAX_LETTERS_PER_BODY};
use suppressd_core::event::wire::{MAX_AHEAD_SECONDS, MAX_LABEL_BYTES};
use suppressd_core::{
    Address, Classifier, Event, EventKind, Evidence, LetterId, MAX_ADDRESS_BYTES, MAX_CATEGORY_BYTES, MAX_REASON_BYTES,
    UnixSeconds,
};

const RECEIVED: UnixSeconds = UnixSeconds::clamped(1_700_000_000);

/// A later delivery of the same body, by so much that other times are believed.
const RECEIVED_AGAIN: UnixSeconds = UnixSeconds::clamped(1_700_500_000);

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// An input: a body as it comes.
pub(crate) fn hold(bytes: &[u8]) {
    let body = read(bytes);
    parts_are_in_their_order(bytes, &body);
    what_was_rejected_is_kept(bytes, &body);
    what_was_rejected_alone_is_rejected(bytes, &body);
    body.events.iter().for_each(is_normal);
    comes_again_as_the_same(bytes, &body);
    company_changes_nothing(bytes, &body);
}

fn read(bytes: &[u8]) -> Body {
    read_at(bytes, RECEIVED)
}

fn read_at(bytes: &[u8], received: UnixSeconds) -> Body {
    Body::read(bytes, received, Classifier::builtin())
}

fn parts_are_in_their_order(bytes: &[u8], body: &Body) {
    let parts = body.events.len() + body.unrecorded + body.rejected.len();
    assert!(parts <= MAX_EVENTS_PER_BODY, "{parts} parts");
    let mut index = 0;
    let mut end = 0;
    for rejected in &body.rejected {
        assert!(rejected.index >= index && rejected.index < parts, "the number {} is out of order", rejected.index);
        assert!(rejected.bytes.start >= end && rejected.bytes.end <= bytes.len(), "{:?} is out of place", rejected.bytes);
        assert!(!rejected.bytes.is_empty() || parts == 1, "nothing stands at {:?}", rejected.bytes);
        index = rejected.index + 1;
        end = rejected.bytes.end;
    }
}

fn what_was_rejected_is_kept(bytes: &[u8], body: &Body) {
    let letters = body.letters(bytes, RECEIVED);
    let parts: Vec<&[u8]> = body.rejected.iter().map(|rejected| &bytes[rejected.bytes.clone()]).collect();
    for letter in &letters {
        assert_eq!(letter.head.id, LetterId::of(&letter.content));
        assert_eq!(letter.head.content_bytes, letter.content.len() as u64);
        assert_eq!(letter.head.received, RECEIVED);
        assert!(letter.head.reason.len() <= MAX_REASON_BYTES && !letter.head.reason.is_empty(), "{:?}", letter.head.reason);
    }
    if parts.len() <= MAX_LETTERS_PER_BODY {
        let kept: Vec<&[u8]> = letters.iter().map(|letter| &letter.content[..]).collect();
        assert_eq!(kept, parts, "the letters hold something else than what was rejected");
        return;
    }
    assert_eq!(letters.len(), 1, "more than one letter for many parts");
    let content = &letters[0].content;
    if content.starts_with(b"[") && content.ends_with(b"]") && *content == [b"[", &parts.join(&b","[..])[..], b"]"].concat() {
        let again = read(content);
        assert_eq!(
            (again.events.len(), again.unrecorded, again.rejected.len()),
            (0, 0, parts.len()),
            "it reads as something else"
        );
    } else {
        assert_eq!(*content, parts.join(&b"\n"[..]), "the letter holds something else than what was rejected");
    }
}

/// A letter is mended and posted by itself; as it is, it is no event. But an array in an array is one by itself, and so is what
/// stands behind a byte order mark.
fn what_was_rejected_alone_is_rejected(bytes: &[u8], body: &Body) {
    for rejected in &body.rejected {
        let part = &bytes[rejected.bytes.clone()];
        if !part.starts_with(b"[") && !part.starts_with(BYTE_ORDER_MARK) {
            let alone = read(part);
            assert!(alone.is_refused(), "{:?} is good alone", String::from_utf8_lossy(part));
            assert_eq!(alone.rejected.len(), 1);
        }
    }
}

fn is_normal(event: &Event) {
    assert!(event.recipient.as_str().len() <= MAX_ADDRESS_BYTES);
    assert_eq!(event.recipient.as_str().parse::<Address>(), Ok(event.recipient.clone()), "an address that is not normal");
    assert!(event.vmta.len() <= MAX_LABEL_BYTES && event.account.len() <= MAX_LABEL_BYTES, "a label is too long");
    assert!(event.category.as_str().len() <= MAX_CATEGORY_BYTES, "a category is too long");
    assert!(event.time <= RECEIVED.plus(MAX_AHEAD_SECONDS.unsigned_abs()), "a time that cannot be believed");
    assert!(!event.is_time_of_receipt || event.time == RECEIVED);
    let evidence = event.evidence();
    assert_eq!(evidence.is_none(), event.kind == EventKind::Delivered);
    if let Some(evidence) = evidence {
        assert_eq!(Evidence::from_stored(event.id, &evidence.to_stored()), Ok(evidence), "evidence does not read back");
    }
}

/// The provider repeats a body until it is answered.
fn comes_again_as_the_same(bytes: &[u8], body: &Body) {
    let again = read_at(bytes, RECEIVED_AGAIN);
    let ids = |body: &Body| body.events.iter().map(|event| event.id).collect::<Vec<_>>();
    assert_eq!(ids(&again), ids(body), "the time of receipt made another event");
    assert_eq!((again.unrecorded, &again.rejected), (body.unrecorded, &body.rejected));
}

fn company_changes_nothing(bytes: &[u8], body: &Body) {
    if !bytes.starts_with(BYTE_ORDER_MARK) {
        let marked = read(&[BYTE_ORDER_MARK, bytes].concat());
        assert_eq!((&marked.events, marked.unrecorded), (&body.events, body.unrecorded), "a byte order mark counts");
        let place = |range: &std::ops::Range<usize>| range.start + BYTE_ORDER_MARK.len()..range.end + BYTE_ORDER_MARK.len();
        let moved = body.rejected.iter().map(|rejected| (place(&rejected.bytes), rejected.index));
        assert!(moved.eq(marked.rejected.iter().map(|rejected| (rejected.bytes.clone(), rejected.index))));
    }
    let is_object = bytes.trim_ascii_start().starts_with(b"{");
    if let ([event], 0, []) = (&body.events[..], body.unrecorded, &body.rejected[..])
        && is_object
    {
        let thrice = read(&[b"[", bytes, b",{},", bytes, b"]"].concat());
        assert_eq!(thrice.events, [event.clone(), event.clone()], "a bad event costs its neighbours");
        assert_eq!(thrice.rejected.len(), 1);
    }
}
