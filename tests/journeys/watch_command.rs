//! `watch` as people and scripts run it.

use std::collections::BTreeSet;

use super::Ground;
use super::watch::is_copy;
use super::webhook::body;
use crate::servers::front::Front;
use crate::servers::redis_cluster::await_condition;
use crate::servers::suppressd::command;
use crate::servers::watcher::Watcher;

super::on_both_stores!(who_is_far_behind_hears_of_everything_once);

/// Addresses that bounce: more than are told, and than are written, in one go.
const ADDRESSES: usize = 2100;

/// A machine that is busy with other tests may still record them within the deadline.
const ADDRESSES_PER_WEBHOOK: usize = 100;

#[test]
fn a_token_file_goes_on_behind_what_was_printed() {
    let server = Ground::embedded().start();
    let directory = tempfile::tempdir().unwrap();
    let token = directory.path().join("watch.token");
    let admin = server.admin();
    admin.suppress("a@example.com", "asked to").unwrap();
    // Prints to a file until it has printed what is waited for and noted that.
    let print_until = |name: &str, what: &str| {
        let file = directory.path().join(name);
        let before = std::fs::read_to_string(&token).unwrap_or_default();
        let watcher = Watcher::print(&server.grpc_url(), &file, &token);
        let printed = await_condition("it does not print that", || {
            let text = std::fs::read_to_string(&file).unwrap();
            let is_noted = std::fs::read_to_string(&token).is_ok_and(|noted| noted != before);
            (text.contains(what) && is_noted).then_some(text)
        });
        watcher.kill();
        printed
    };
    let begun = print_until("first", "snapshot-end\n");
    let kinds: Vec<_> = begun.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(kinds, ["reset", "snapshot", "snapshot-end"]);
    admin.lift("a@example.com", "back").unwrap();
    let line = "change\ta@example.com\tnot suppressed\t0 of 5 soft bounces since the lift";
    let more = print_until("second", line);
    // Lines may come again that were printed just before it was killed, but it does not begin anew.
    assert!(!more.contains("reset") && more.ends_with("\tlifted by hand\n"), "{more}");
}

#[test]
fn what_cannot_be_watched_says_so() {
    let server = Ground::embedded().launch().variable("SUPPRESSD_ADMIN_TOKEN", "let-me-in").start();
    let directory = tempfile::tempdir().unwrap();
    let garbage = directory.path().join("watch.token");
    std::fs::write(&garbage, "garbage\n").unwrap();
    let garbage = garbage.to_str().unwrap();
    let watch = |token: &str, arguments: &[&str]| {
        let mut watching = command();
        watching.env("SUPPRESSD_ADMIN_TOKEN", token).args(["watch", "--server", &server.grpc_url()]).args(arguments);
        watching.output().unwrap()
    };
    for (token, arguments, why) in [
        ("wrong", &[][..], "authentication"),
        ("let-me-in", &["--token-file", garbage], "token: it is none that a message had"),
        ("let-me-in", &["--output", garbage], "its last line is none of watch"),
        ("let-me-in", &["--output", "x", "--token-file", garbage], "cannot be used with"),
    ] {
        let output = watch(token, arguments);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        assert!(String::from_utf8_lossy(&output.stderr).contains(why), "{output:?}");
    }
}

#[test]
fn who_is_asked_to_end_lets_its_watchers_go_on_elsewhere() {
    let ground = Ground::redis();
    let [first, second] = [ground.start(), ground.start()];
    let front = Front::of(first.grpc().port());
    let directory = tempfile::tempdir().unwrap();
    let watcher = Watcher::start(&front.url(), &directory.path().join("changes.ndjson"), &[]);
    watcher.await_that("the beginning", |watched| watched.is_whole);
    front.stand_before(second.grpc().port());
    let (status, _) = first.terminate();
    assert!(status.success());
    second.admin().suppress("a@example.com", "asked to").unwrap();
    let heard = watcher.await_that("the change", |heard| heard.mirror.contains("a@example.com"));
    assert_eq!((heard.resets, heard.changes.len()), (1, 1));
}

fn who_is_far_behind_hears_of_everything_once(ground: &Ground) {
    let server = ground.launch().flags(&["--redis-read-deadline-ms", "10000"]).start();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("changes.ndjson");
    let bounced = |name: &str| -> BTreeSet<String> {
        let emails: Vec<_> = (0..ADDRESSES).map(|number| format!("{name}{number}@example.com")).collect();
        let events: Vec<_> = emails.iter().enumerate().map(|(number, email)| body("b", email, "bad-mailbox", number)).collect();
        for some in events.chunks(ADDRESSES_PER_WEBHOOK) {
            assert_eq!(server.webhook().post(some.join("\n")).counts(), [some.len() as u64, 0, 0, 0]);
        }
        emails.into_iter().collect()
    };
    let first = bounced("a");
    let watcher = Watcher::start(&server.grpc_url(), &file, &[]);
    watcher.await_that("the end of the snapshot", |watched| watched.is_whole);
    assert_eq!(watcher.look_for(|watched| is_copy(watched, 0, &first)).unwrap().changes.len(), 0);
    watcher.kill();
    let both = &first | &bounced("b");
    let watcher = Watcher::start(&server.grpc_url(), &file, &[]);
    let heard = watcher.look_for(|watched| is_copy(watched, ADDRESSES, &both)).unwrap();
    assert_eq!((heard.each_once().len(), heard.resets), (ADDRESSES, 1));
}
