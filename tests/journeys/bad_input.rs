//! What cannot be read: refused with a reason, kept byte by byte, and recorded once it is mended.

use std::process::Output;

use serde_json::Value;

use super::Ground;
use super::webhook::{body, payload};
use crate::servers::suppressd::{Suppressd, run};

super::on_both_stores!(
    what_cannot_be_read_is_refused_with_a_reason_and_kept,
    a_bad_event_among_good_ones_is_kept_and_costs_no_other,
    a_letter_is_replayed_once_it_is_mended,
    the_longest_letter_can_be_shown_and_mended,
    what_is_too_long_is_refused_and_not_kept,
    full_letters_are_no_answer,
);

/// Bodies with the status and a word of the reason.
fn bad_bodies() -> Vec<(&'static str, Vec<u8>, u16, &'static str)> {
    let with = |name: &str, value: Value| {
        let mut event = payload("b", "a@example.com", "bad-mailbox", 1);
        event[name] = value;
        event.to_string().into_bytes()
    };
    let without = |name: &str| {
        let mut event = payload("b", "a@example.com", "bad-mailbox", 1);
        event.as_object_mut().unwrap().remove(name);
        event.to_string().into_bytes()
    };
    let whole = body("b", "a@example.com", "bad-mailbox", 1).into_bytes();
    let cut = |bytes: usize| whole[..bytes].to_vec();
    let deep = |open: &str, close: &str| [open.repeat(10_000), close.repeat(10_000)].concat();
    let deep_field =
        whole[..whole.len() - 1].iter().copied().chain(format!(",\"x\":{}}}", deep("[", "]")).into_bytes()).collect();
    let raw = |from: &str, to: &[u8]| {
        let text = body("b", "PLACE@example.com", "bad-mailbox", 1);
        let (before, after) = text.split_once(from).unwrap();
        [before.as_bytes(), to, after.as_bytes()].concat()
    };
    vec![
        ("cut off in the middle", cut(100), 400, "JSON"),
        ("cut off at the end", cut(whole.len() - 1), 400, "JSON"),
        ("an array cut off", [b"[", &*whole].concat(), 400, "JSON"),
        ("deep arrays", deep("[", "]").into_bytes(), 400, "object"),
        ("deep objects", deep("{\"a\":", "}").replacen('}', "1}", 1).into_bytes(), 400, "recursion"),
        ("depth in an unknown field", deep_field, 400, "recursion"),
        ("a bare NUL", b"\0".to_vec(), 400, "JSON"),
        ("a NUL in a text", raw("PLACE", b"a\0b"), 400, "JSON"),
        ("a NUL as an escape", with("rcpt", "a\0b@example.com".into()), 422, "rcpt"),
        ("bad UTF-8", raw("PLACE", b"\xff\xfe"), 400, "unicode"),
        ("no rcpt", without("rcpt"), 422, "rcpt"),
        ("an empty rcpt", with("rcpt", "".into()), 422, "rcpt"),
        ("a rcpt without @", with("rcpt", "example.com".into()), 422, "rcpt"),
        ("a rcpt that is no text", with("rcpt", 5.into()), 422, "rcpt"),
        ("an unknown type", with("type", "x".into()), 422, "type"),
        ("no type", without("type"), 422, "type"),
        ("a type that is a number", with("type", 5.into()), 422, "type"),
        ("nothing", Vec::new(), 400, "empty"),
        ("blanks", b" \n ".to_vec(), 400, "empty"),
        ("a text", b"\"b\"".to_vec(), 400, "object"),
        ("a long text", format!("\"{}\"", "a@example.com".repeat(1000)).into_bytes(), 400, "object"),
        ("not JSON", b"type=b&rcpt=a@example.com".to_vec(), 400, "JSON"),
    ]
}

/// Runs `suppressd rejected`.
fn rejected(server: &Suppressd, arguments: &[&str]) -> Output {
    let url = server.grpc_url();
    let arguments: Vec<&str> = ["rejected"].into_iter().chain(arguments.iter().copied()).chain(["--server", &url]).collect();
    run(&arguments)
}

fn letters(server: &Suppressd) -> Vec<Value> {
    let output = rejected(server, &["list", "--json"]);
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn content(server: &Suppressd, id: &str) -> Vec<u8> {
    let output = rejected(server, &["show", id]);
    assert!(output.status.success(), "{output:?}");
    output.stdout
}

fn what_cannot_be_read_is_refused_with_a_reason_and_kept(ground: &Ground) {
    let server = ground.start();
    let mut kept = 0;
    for (case, bytes, status, word) in bad_bodies() {
        // A provider sends it again and again; it is one letter.
        for _ in 0..3 {
            let answer = server.webhook().post(&bytes);
            assert_eq!((answer.status, &*answer.content_type), (status, "application/problem+json"), "{case}: {answer:?}");
            let problem = answer.json();
            let first = &problem["errors"][0];
            let told = format!("{} {}", first["field"].as_str().unwrap_or_default(), first["reason"].as_str().unwrap());
            assert!(told.contains(word), "{case}: {told}");
            assert!(!answer.text.contains("a@example.com"), "{case}: an answer names the recipient");
            let kept = content(&server, first["letter"].as_str().unwrap());
            // Of an array it is the element that was rejected.
            let element = if case == "deep arrays" { &bytes[1..bytes.len() - 1] } else { &bytes };
            assert!(kept == element, "{case}: {} of {} bytes were kept", kept.len(), bytes.len());
        }
        kept += 1;
        assert_eq!(letters(&server).len(), kept, "{case}");
    }
    assert!(!server.checks().is_suppressed("a@example.com"));
    assert_eq!(server.webhook().post(body("b", "a@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
}

fn a_bad_event_among_good_ones_is_kept_and_costs_no_other(ground: &Ground) {
    let server = ground.start();
    let good = |number| body("b", &format!("good{number}@example.com"), "bad-mailbox", number);
    let bad = r#"{"type":"b" , "rcpt":"nobody"}"#;
    let array = format!("[{},{bad},{}]", good(1), good(2));
    assert_eq!(server.webhook().post(&array).counts(), [2, 0, 0, 1]);
    assert_eq!(server.webhook().post(&array).counts(), [0, 2, 0, 1]);
    let lines = format!("{}\n{bad}\n\n{{\"cut\n{}\n", good(3), good(4));
    assert_eq!(server.webhook().post(&lines).counts(), [2, 0, 0, 2]);
    for number in 1..5 {
        assert!(server.checks().is_suppressed(&format!("good{number}@example.com")));
    }
    // Each bad element by itself, as it stood, and none of its neighbours; the one that came thrice is one letter.
    let ids: Vec<Value> = letters(&server).iter().map(|letter| letter["id"].clone()).collect();
    let mut contents: Vec<_> = ids.iter().map(|id| String::from_utf8(content(&server, id.as_str().unwrap())).unwrap()).collect();
    contents.sort();
    assert_eq!(contents, ["{\"cut", bad]);
}

fn a_letter_is_replayed_once_it_is_mended(ground: &Ground) {
    let server = ground.start();
    let directory = tempfile::tempdir().unwrap();
    let bad = r#"{"type":"bounce","rcpt":"mended@example.com","bounceCat":"bad-mailbox"}"#;
    assert_eq!(server.webhook().post(bad).status, 422);
    let id = letters(&server)[0]["id"].as_str().unwrap().to_owned();
    let received = letters(&server)[0]["received_at"].as_str().unwrap().to_owned();

    let still_bad = rejected(&server, &["replay", &id]);
    let said = String::from_utf8(still_bad.stdout).unwrap();
    assert_eq!(still_bad.status.code(), Some(1), "{said}");
    assert!(said.contains("still rejected") && said.contains("type"), "{said}");
    assert_eq!(letters(&server).len(), 1);

    let mended = directory.path().join("mended.json");
    std::fs::write(&mended, bad.replace("bounce\"", "b\"")).unwrap();
    let replayed = rejected(&server, &["replay", &id, "--body", mended.to_str().unwrap()]);
    let said = String::from_utf8(replayed.stdout).unwrap();
    assert!(replayed.status.success() && said.contains("1 recorded"), "{said}");
    assert_eq!(letters(&server), [] as [Value; 0]);
    // It happened when it was received first, not when it was mended.
    let answer = server.checks().one("mended@example.com").unwrap();
    assert!(answer.suppressed() && answer.detail.contains(&received), "{} {received}", answer.detail);

    let gone = rejected(&server, &["replay", &id]);
    assert_eq!(gone.status.code(), Some(2));
    assert!(String::from_utf8(gone.stderr).unwrap().contains(&id));
    assert_eq!(rejected(&server, &["show", "no-letter"]).status.code(), Some(2));
}

fn the_longest_letter_can_be_shown_and_mended(ground: &Ground) {
    const MAX_BODY_BYTES: usize = 6 << 20;
    let server = ground.launch().flags(&["--max-body-bytes", &MAX_BODY_BYTES.to_string()]).start();
    let longest = "x".repeat(MAX_BODY_BYTES);
    let answer = server.webhook().post(&longest);
    assert_eq!(answer.status, 400, "{answer:?}");
    let id = letters(&server)[0]["id"].as_str().unwrap().to_owned();
    assert!(content(&server, &id) == longest.as_bytes());
    let event = body("b", "mended@example.com", "bad-mailbox", 1);
    let mended = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(mended.path(), format!("{event}{}", " ".repeat(MAX_BODY_BYTES - event.len()))).unwrap();
    let output = rejected(&server, &["replay", &id, "--body", mended.path().to_str().unwrap()]);
    assert!(output.status.success(), "{output:?}");
    assert!(server.checks().is_suppressed("mended@example.com"));
}

fn what_is_too_long_is_refused_and_not_kept(ground: &Ground) {
    let server = ground.start();
    let long = format!("[{}{}]", body("b", "long@example.com", "bad-mailbox", 1), " ".repeat(2 << 20));
    let answer = server.webhook().post(&long);
    assert_eq!((answer.status, &*answer.content_type), (413, "application/problem+json"), "{answer:?}");
    assert!(answer.text.contains("1048576"), "{answer:?}");
    assert_eq!(letters(&server), [] as [Value; 0]);
    assert!(!server.checks().is_suppressed("long@example.com"));
    assert_eq!(server.webhook().post(body("b", "long@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
}

fn full_letters_are_no_answer(ground: &Ground) {
    let server = ground.launch().flags(&["--max-letters", "2"]).start();
    for number in 0..2 {
        assert_eq!(server.webhook().post(format!("bad {number}")).status, 400);
    }
    let answer = server.webhook().post("bad 2");
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert_eq!(server.webhook().post("bad 1").status, 400, "it has its letter already");
    assert_eq!(server.webhook().post(body("b", "a@example.com", "bad-mailbox", 1)).counts(), [1, 0, 0, 0]);
    let id = letters(&server)[0]["id"].as_str().unwrap().to_owned();
    let good = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(good.path(), body("b", "b@example.com", "bad-mailbox", 2)).unwrap();
    assert!(rejected(&server, &["replay", &id, "--body", good.path().to_str().unwrap()]).status.success());
    assert_eq!(server.webhook().post("bad 2").status, 400);
}
