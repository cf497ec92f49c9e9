//! The commands, as people and scripts run them.

use std::io::Write as _;
use std::process::{Output, Stdio};

use serde_json::{Value, json};

use super::Ground;
use super::webhook::body;
use crate::servers::suppressd::{command, run};

pub(super) fn text(output: &Output) -> &str {
    std::str::from_utf8(&output.stdout).unwrap()
}

pub(super) fn with_input(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = command().args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn check_answers_by_its_status_and_by_text_and_json() {
    let ground = Ground::embedded();
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    let url = server.grpc_url();
    let check = |emails: &[&str]| run(&[&["check", "--server", &url], emails].concat());
    let none = check(&["ok@example.com", "Fine@example.com"]);
    assert_eq!((none.status.code(), text(&none).lines().count()), (Some(0), 2));
    let some = check(&["ok@example.com", "bad@example.com"]);
    assert_eq!(some.status.code(), Some(1));
    assert_eq!(
        text(&some).lines().nth(1).unwrap(),
        "bad@example.com\tsuppressed\thard bounce, bad-mailbox 5.1.1, since 2023-09-20T15:14:03Z"
    );
    assert_eq!(check(&["bad@example.com", "nonsense"]).status.code(), Some(2));
    assert_eq!(run(&["check"]).status.code(), Some(2));
    assert_eq!(run(&["check", "a@example.com", "--server", "http://127.0.0.1:1"]).status.code(), Some(2));

    let marked = with_input(&["check", "--server", &url, "-"], "\u{feff}bad@example.com\n".as_bytes());
    assert_eq!(marked.status.code(), Some(1), "a byte order mark hides nobody");
    assert_eq!(with_input(&["check", "--server", &url, "-"], b"jos\xe9@example.com\n").status.code(), Some(2));

    let many = format!("{}\nbad@example.com\n", "ok@example.com\n".repeat(1200));
    let output = with_input(&["check", "--json", "--server", &url, "-"], many.as_bytes());
    assert_eq!((output.status.code(), text(&output).lines().count()), (Some(1), 1201));
    let last: Value = serde_json::from_str(text(&output).lines().last().unwrap()).unwrap();
    assert_eq!(last["suppressed"], true);
    assert_eq!(last["reason"], "hard_bounce");
    assert_eq!(last["suppressed_at"], "2023-09-20T15:14:03Z");
}

#[test]
fn check_asks_a_server_for_no_more_than_it_takes() {
    let ground = Ground::embedded();
    let server = ground.launch().flags(&["--max-addresses-per-batch", "7"]).start();
    let many = "ok@example.com\n".repeat(600);
    let output = with_input(&["check", "--server", &server.grpc_url(), "-"], many.as_bytes());
    assert_eq!((output.status.code(), text(&output).lines().count()), (Some(0), 600), "{output:?}");
}

#[test]
fn replay_sends_a_file_once_or_again() {
    let ground = Ground::embedded();
    let server = ground.launch().variable("SUPPRESSD_WEBHOOK_TOKEN", "may-record").start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("events.ndjson");
    let events: String =
        (0..1234).map(|number| body("b", &format!("r{number}@example.com"), "bad-mailbox", number) + "\n").collect();
    std::fs::write(&file, format!("{events}\n{{\"type\":\"b\",\"rcpt\":\"nobody\"}}\n")).unwrap();
    let url = format!("http://{}", server.http());
    let replay = |token: &str| {
        let arguments = ["replay", file.to_str().unwrap(), "--server", &url, "--json"];
        command().env("SUPPRESSD_WEBHOOK_TOKEN", token).args(arguments).output().unwrap()
    };
    let counts = |output: &Output| serde_json::from_slice::<Value>(&output.stdout).unwrap();
    assert_eq!(replay("wrong").status.code(), Some(2));
    let first = replay("may-record");
    assert_eq!(first.status.code(), Some(1), "one line of it was rejected: {first:?}");
    assert_eq!(counts(&first), json!({"recorded":1234,"duplicate":0,"ignored":0,"rejected":1}));
    assert_eq!(counts(&replay("may-record")), json!({"recorded":0,"duplicate":1234,"ignored":0,"rejected":1}));
    assert!(server.checks().is_suppressed("r1233@example.com"));
}

#[test]
fn help_has_examples_and_every_flag_of_serve() {
    for arguments in [
        &["--help"][..],
        &["serve", "--help"],
        &["check", "--help"],
        &["filter", "--help"],
        &["replay", "--help"],
        &["rejected", "--help"],
        &["explain", "--help"],
        &["suppress", "--help"],
        &["lift", "--help"],
        &["list", "--help"],
        &["import", "--help"],
        &["export", "--help"],
        &["completions", "--help"],
        &["man", "--help"],
        &["classify", "--help"],
    ] {
        let output = run(arguments);
        assert!(output.status.success() && text(&output).contains("Example"), "{arguments:?}: {}", text(&output));
    }
    assert_eq!(run(&["serve", "--nonsense"]).status.code(), Some(64));
    assert!(text(&run(&["--version"])).starts_with("suppressd "));
}
