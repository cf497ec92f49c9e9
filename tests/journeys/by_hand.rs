//! What an operator does by hand: addresses are suppressed and lifted.

use std::process::Output;
use std::time::SystemTime;

use prost_types::Timestamp;
use serde_json::{Value, json};
use suppressd_core::{MAX_NOTE_BYTES, UnixSeconds};
use suppressd_service::proto::{CreateSuppressionRequest, ListSuppressionsRequest, SuppressionReason};
use tonic::Code;
use tonic_types::StatusExt as _;

use super::Ground;
use super::commands::{text, with_input};
use super::webhook::{body, payload};
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd, run};

super::on_both_stores!(
    what_is_suppressed_by_hand_is_manual_until_it_is_lifted,
    an_entry_ends_when_it_says,
    after_a_lift_later_evidence_counts_anew,
    what_no_entry_and_no_lift_can_be_is_refused,
    who_may_not_administrate_changes_and_sees_nothing,
    the_commands_suppress_show_and_lift,
);

pub(super) fn now() -> i64 {
    UnixSeconds::from(SystemTime::now()).get()
}

pub(super) fn by_command(server: &Suppressd, arguments: &[&str]) -> Output {
    run(&[arguments, &["--server", &server.grpc_url()]].concat())
}

fn what_is_suppressed_by_hand_is_manual_until_it_is_lifted(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "known@example.com", "bad-mailbox", 1)).counts();
    for email in ["known@example.com", "unknown@example.com"] {
        let before = now();
        let created = server.admin().suppress(&email.to_uppercase(), "asked by phone").unwrap();
        assert_eq!((&*created.email, created.reason(), &*created.rule), (email, SuppressionReason::Manual, "manual"));
        let answer = server.checks().one(email).unwrap();
        assert_eq!((answer.suppressed, answer.reason()), (Some(true), SuppressionReason::Manual));
        assert_eq!((&answer.detail, answer.suppressed_at), (&created.detail, created.suppressed_at));
        assert!(answer.detail.starts_with("entered by an operator, since ") && answer.suppressed_at.unwrap().seconds >= before);
        // Who may only check is not told what operators note.
        assert!(!answer.detail.contains("phone"), "{}", answer.detail);
        let entry = server.admin().record(email).unwrap().manual_entry;
        assert_eq!(entry, created.manual_entry);
        assert_eq!(entry.map(|entry| (entry.who, entry.note)), Some(("ops".into(), "asked by phone".into())));
    }
    // Once more is safe, and the newest counts. It is durable.
    server.admin().suppress("unknown@example.com", "asked again").unwrap();
    server.kill();
    let server = ground.start();
    assert!(server.checks().is_suppressed("unknown@example.com"));
    assert_eq!(server.admin().record("unknown@example.com").unwrap().manual_entry.unwrap().note, "asked again");

    for email in ["known@example.com", "unknown@example.com"] {
        let lifted = server.admin().lift(email, "it was a mistake").unwrap();
        assert_eq!(lifted.email, email);
        assert!(!server.checks().is_suppressed(email), "neither the entry nor the bounce of before counts");
        let record = server.admin().record(email).unwrap();
        assert_eq!((record.manual_entry, &record.lift), (None, &lifted.lift));
        let lift = lifted.lift.unwrap();
        assert_eq!((&*lift.who, &*lift.why), ("ops", "it was a mistake"));
        // An entry after a lift is one.
        server.admin().suppress(email, "after all").unwrap();
        assert!(server.checks().is_suppressed(email));
    }
}

fn an_entry_ends_when_it_says(ground: &Ground) {
    let server = ground.start();
    let end = Timestamp { seconds: now() + 5, nanos: 999_999_999 };
    let request = |email: &str, expire_time| CreateSuppressionRequest {
        email: email.into(),
        note: "on leave".into(),
        who: String::new(),
        expire_time: Some(expire_time),
    };
    let created = server.admin().create(request("a@example.com", end)).unwrap();
    assert_eq!(created.expire_time.unwrap().seconds, end.seconds);
    assert!(created.detail.contains(", until "), "{}", created.detail);
    let checks = server.checks();
    assert!(checks.is_suppressed("a@example.com"));
    checks.await_that("it ends", |checks| !checks.is_suppressed("a@example.com"));
    assert!(now() >= end.seconds, "it ended too early");
    assert_eq!(server.admin().list(ListSuppressionsRequest::default(), || {}), []);
    for past in [0, -1, i64::MIN, end.seconds] {
        let refused = server.admin().create(request("b@example.com", Timestamp { seconds: past, nanos: 0 })).unwrap_err();
        let violations = refused.get_details_bad_request().unwrap().field_violations;
        assert_eq!((refused.code(), &*violations[0].field), (Code::InvalidArgument, "expire_time"), "{past}");
    }
    assert!(server.admin().record("b@example.com").is_none());
}

fn after_a_lift_later_evidence_counts_anew(ground: &Ground) {
    let server = ground.start();
    let (admin, checks) = (server.admin(), server.checks());
    let post = |number: usize, seconds: i64| {
        let mut event = payload("b", "full@example.com", "quota-issues", number);
        event["timeLogged"] = seconds.to_string().into();
        assert_eq!(server.webhook().post(event.to_string()).counts(), [1, 0, 0, 0]);
    };
    (0..5).for_each(|number| post(number, now() - 3600));
    assert!(checks.is_suppressed("full@example.com"));
    let lift = admin.lift("full@example.com", "it is emptied").unwrap().lift.unwrap();
    assert_eq!(checks.soft_bounces("full@example.com"), 0);
    // What happened before and comes late is of before.
    post(5, now() - 1800);
    assert_eq!(checks.soft_bounces("full@example.com"), 0);
    // The provider's clock may be ahead of ours: no need to wait until it is later.
    let later = lift.fence.unwrap().seconds + 60;
    (6..10).for_each(|number| post(number, later));
    assert!(!checks.is_suppressed("full@example.com"));
    post(10, later);
    let answer = checks.one("full@example.com").unwrap();
    assert_eq!((answer.reason(), answer.soft_bounces), (SuppressionReason::SoftBounces, 5));
    // What is ahead already is lifted, too.
    let lift = admin.lift("full@example.com", "again").unwrap().lift.unwrap();
    assert_eq!(lift.fence.unwrap().seconds, later);
    assert!(!checks.is_suppressed("full@example.com"));
    assert_eq!(admin.lift("nobody@example.com", "x").unwrap_err().code(), Code::NotFound);
    assert!(admin.record("nobody@example.com").is_none());
}

fn what_no_entry_and_no_lift_can_be_is_refused(ground: &Ground) {
    let server = ground.start();
    let admin = server.admin();
    let longest = "n".repeat(MAX_NOTE_BYTES);
    assert_eq!(admin.suppress("a@example.com", &longest).unwrap().manual_entry.unwrap().note, longest);
    assert_eq!(admin.lift("a@example.com", &longest).unwrap().lift.unwrap().why, longest);
    let too_long = format!("{longest}n");
    for (email, words, field) in [
        ("nonsense", "x", "email"),
        ("b@example.com", "", "words"),
        ("b@example.com", " ", "words"),
        ("b@example.com", "a\nb", "words"),
        ("b@example.com", &too_long, "words"),
    ] {
        let refused = [(admin.suppress(email, words).unwrap_err(), "note"), (admin.lift(email, words).unwrap_err(), "why")];
        for (refused, of_words) in refused {
            let violations = refused.get_details_bad_request().unwrap().field_violations;
            let named = if field == "words" { of_words } else { field };
            assert_eq!((refused.code(), &*violations[0].field), (Code::InvalidArgument, named), "{email} {words:?}");
            assert!(!refused.message().contains("nonsense"), "{refused}");
        }
    }
    assert!(admin.record("b@example.com").is_none());
}

fn who_may_not_administrate_changes_and_sees_nothing(ground: &Ground) {
    let server = ground.launch().variable("SUPPRESSD_READ_TOKEN", "reader").variable("SUPPRESSD_ADMIN_TOKEN", "root").start();
    let root = || server.admin().with_token("root");
    root().suppress("kept@example.com", "asked to").unwrap();
    for (admin, code) in [
        (server.admin(), Code::Unauthenticated),
        (server.admin().with_token("wrong"), Code::Unauthenticated),
        (server.admin().with_token("reader"), Code::PermissionDenied),
    ] {
        let refused = [
            admin.suppress("other@example.com", "x").unwrap_err(),
            admin.lift("kept@example.com", "x").unwrap_err(),
            admin.page(ListSuppressionsRequest::default()).unwrap_err(),
        ];
        assert_eq!(refused.map(|status| status.code()), [code; 3]);
    }
    let checks = server.checks().with_token("reader");
    assert!(checks.is_suppressed("kept@example.com") && !checks.is_suppressed("other@example.com"));
    let (status, log) = server.terminate();
    assert!(status.success() && log.contains("suppressed by hand"), "{log}");
    assert!(!log.contains("kept@example.com") && !log.contains("asked to"), "{log}");
}

fn the_commands_suppress_show_and_lift(ground: &Ground) {
    let server = ground.start();
    let said =
        by_command(&server, &["suppress", "A@example.com", "b@example.com", "--note", "asked", "--who", "alex", "--days", "2"]);
    assert_eq!((said.status.code(), text(&said).lines().count()), (Some(0), 2), "{said:?}");
    let first = text(&said).lines().next().unwrap();
    assert!(first.starts_with("a@example.com\tmanual\tentered by an operator, since "), "{first}");
    assert!(first.contains(", until ") && first.ends_with("\tby alex: asked"), "{first}");
    let server_at = server.grpc_url();
    let many = ["suppress", "--note", "x", "--until", "2999-01-01", "--json", "--server", &server_at, "-"];
    let said = with_input(&many, b"c@example.com\n\nd@example.com\n");
    let shown: Vec<Value> = text(&said).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(
        (shown.len(), &shown[1]["email"], &shown[1]["expire_time"]),
        (2, &json!("d@example.com"), &json!("2999-01-01T23:59:59Z"))
    );
    assert_eq!(shown[1]["manual_entry"]["note"], "x");

    // Show is another name for explain.
    for command in ["show", "explain"] {
        let said = by_command(&server, &[command, "a@example.com"]);
        for words in ["  rule: manual\n", "  entry: 20", "Z by alex: asked\n", "  change: a lift releases it\n"] {
            assert!(text(&said).contains(words), "{words}: {}", text(&said));
        }
    }
    let said =
        by_command(&server, &["lift", "a@example.com", "nobody@example.com", "b@example.com", "--why", "back", "--who", "alex"]);
    assert_eq!(said.status.code(), Some(1), "{said:?}");
    let lines: Vec<_> = text(&said).lines().collect();
    assert!(lines[0].starts_with("a@example.com\tlifted\tevidence up to 20"), "{lines:?}");
    assert_eq!((lines[1], lines.len()), ("nobody@example.com\tunknown\tnothing is known of it", 3));
    let said = by_command(&server, &["show", "a@example.com", "--json"]);
    let shown: Value = serde_json::from_str(text(&said)).unwrap();
    assert_eq!(
        (&shown["suppressed"], &shown["lift"]["who"], &shown["lift"]["why"]),
        (&json!(false), &json!("alex"), &json!("back"))
    );
    assert_eq!(shown.get("manual_entry"), None);
    let said = by_command(&server, &["lift", "c@example.com", "--why", "back", "--json"]);
    let shown: Value = serde_json::from_str(text(&said)).unwrap();
    assert_eq!((said.status.code(), &shown["lifted"], &shown["why"]), (Some(0), &json!(true), &json!("back")));

    for bad in [
        &["suppress", "a@example.com"][..],
        &["suppress", "a@example.com", "--note", ""],
        &["suppress", "nonsense", "--note", "x"],
        &["suppress", "a@example.com", "--note", "x", "--days", "0"],
        &["suppress", "a@example.com", "--note", "x", "--days", "1", "--until", "2999-01-01"],
        &["suppress", "a@example.com", "--note", "x", "--until", "2000-01-01"],
        &["lift", "d@example.com"],
        &["lift", "nonsense", "--why", "x"],
        &["show", "nonsense"],
    ] {
        assert_eq!(by_command(&server, bad).status.code(), Some(2), "{bad:?}");
    }
    assert!(!server.checks().is_suppressed("a@example.com") && server.checks().is_suppressed("d@example.com"));
}

#[test]
fn what_is_done_by_hand_at_one_process_holds_at_the_others_within_the_bound() {
    let redis = RedisServer::start(&[]);
    let nodes = [0, 1].map(|_| Launch::on(&redis.url()).role("check").start());
    let checks = nodes[1].checks();
    // It is known there that this one has no record.
    checks.await_that("the filter answers", |checks| {
        let is_from_memory = !nodes[1].webhook().get("/metrics").text.contains("suppressd_filter_hits_total 0\n");
        !checks.is_suppressed("a@example.com") && is_from_memory
    });
    nodes[0].admin().suppress("a@example.com", "asked to").unwrap();
    assert!(nodes[0].checks().is_suppressed("a@example.com"), "who enters it knows it at once");
    checks.await_that("the other one knows it", |checks| checks.is_suppressed("a@example.com"));
    nodes[0].admin().lift("a@example.com", "a mistake").unwrap();
    assert!(!checks.is_suppressed("a@example.com"), "of an address with a record the store is asked");
}
