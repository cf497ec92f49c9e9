use super::*;
use crate::EventKind;
use proptest::prelude::*;

const NOW: i64 = 1_700_000_000;
const GOOD: &str = r#"{"type":"b","rcpt":"a@x.example","bounceCat":"bad-mailbox"}"#;

fn read(bytes: impl AsRef<[u8]>) -> Body {
    Body::read(bytes.as_ref(), UnixSeconds::clamped(NOW), Classifier::builtin())
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
    for bad in
        ["{}", "5", "null", "\"b\"", "[1]", "{\"type\":1}", "{\"a\" 1}", "{]", r#"{"a":"}\",{"}"#, r#"{"type":"b","rcpt":"@"}"#]
    {
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
    let time = |logged: &str| read(format!(r#"{{"type":"b","rcpt":"a@x.example","timeLogged":{logged}}}"#)).events[0].time.get();
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
