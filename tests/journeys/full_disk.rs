//! The disk takes no more while webhooks come in.

use std::process::Command;

use super::Ground;
use super::webhook::payload;
use crate::servers::suppressd::{Launch, data, executable};

/// Events of one webhook.
const EVENTS: usize = 100;

/// Webhooks that are acknowledged before.
const ACKNOWLEDGED: usize = 5;

fn rcpt(webhook: usize, number: usize) -> String {
    format!("r{webhook}-{number}@example.com")
}

fn batch(webhook: usize) -> String {
    let events: Vec<_> = (0..EVENTS).map(|number| payload("b", &rcpt(webhook, number), "bad-mailbox", number)).collect();
    serde_json::to_string(&events).unwrap()
}

#[test]
fn what_was_acknowledged_is_there_and_the_process_ends_to_be_started_again() {
    let ground = Ground::embedded();
    let Ground::Embedded(directory) = &ground else { panic!("another ground") };
    let mut shell = Command::new("sh");
    // With its signal ignored, a file that would grow too long is an error of the disk like any other.
    shell.args(["-c", "trap '' XFSZ; exec \"$0\" \"$@\""]).arg(executable());
    let server = Launch::by(shell, data(directory.path()).to_str().unwrap()).start();
    for webhook in 0..ACKNOWLEDGED {
        assert_eq!(server.webhook().post(batch(webhook)).counts(), [EVENTS as u64, 0, 0, 0]);
    }
    let limited = Command::new("prlimit").args(["--fsize=0", "--pid", &server.id().to_string()]).status().unwrap();
    assert!(limited.success());
    let answer = server.webhook().post(batch(ACKNOWLEDGED));
    assert_eq!((answer.status, answer.retry_after.is_some()), (503, true), "{answer:?}");
    assert!(!answer.text.contains(directory.path().to_str().unwrap()), "{answer:?}");
    let (status, log) = server.wait();
    assert!(status.code() == Some(1) && log.contains("nothing more can be written"), "{status} {log}");

    let server = ground.start();
    for webhook in 0..ACKNOWLEDGED {
        let recipients: Vec<String> = (0..EVENTS).map(|number| rcpt(webhook, number)).collect();
        let recipients: Vec<&str> = recipients.iter().map(String::as_str).collect();
        let results = server.checks().batch(&recipients).unwrap();
        assert!(results.iter().all(suppressd_service::proto::SuppressionResult::suppressed), "webhook {webhook}");
    }
    // The provider comes back with what it was not answered for.
    let counts = server.webhook().post(batch(ACKNOWLEDGED)).counts();
    assert_eq!(counts[0] + counts[1], EVENTS as u64, "{counts:?}");
}
