//! Whole domains that an operator suppresses: what every door says of their addresses.

use std::collections::BTreeMap;

use prost_types::Timestamp;
use serde_json::{Value, json};
use suppressd_service::proto::{CreateSuppressionRequest, ListSuppressionsRequest, SuppressionReason, SuppressionResult};
use tonic::Code;

use super::Ground;
use super::by_hand::{by_command, now};
use super::commands::{text, with_input};
use super::postfix::MailServer;
use super::webhook::body;
use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd};

super::on_both_stores!(
    a_whole_domain_is_suppressed_at_every_door_until_it_is_lifted,
    a_whole_domain_s_entry_ends_when_it_says,
    the_commands_suppress_show_list_and_lift_a_whole_domain,
    a_whole_domain_is_no_recipient,
);

/// What is said of an address of the domain.
const WORDS: &str = "entered by an operator for *@bad.example (spam traps), since ";

/// Addresses of the domain, and others. Of some something is known.
const ASKED: [(&str, bool); 6] = [
    ("unknown@bad.example", true),
    ("Known@BAD.example", true),
    ("lifted@bad.example", true),
    ("a@sub.bad.example", false),
    ("a@worse-bad.example", false),
    ("a@example", false),
];

fn with_evidence(ground: &Ground) -> Suppressd {
    let server = ground.launch().socketmap().start();
    server.webhook().post(body("b", "known@bad.example", "quota-issues", 1)).counts();
    server.webhook().post(body("b", "lifted@bad.example", "bad-mailbox", 2)).counts();
    server.admin().lift("lifted@bad.example", "a mistake").unwrap();
    server
}

/// Which of the addresses are suppressed, by every kind of check, which must agree.
fn suppressed(server: &Suppressd) -> Vec<&'static str> {
    let emails = ASKED.map(|(email, _)| email);
    let checks = [server.checks(), server.checks().strictly()];
    let found: Vec<_> = emails.into_iter().filter(|email| checks[0].is_suppressed(email)).collect();
    let is_said = |email: &str, suppressed: Option<bool>, reason: SuppressionReason, detail: &str| {
        assert_eq!(suppressed, Some(found.contains(&email)), "{email}: {detail}");
        if suppressed == Some(true) {
            assert!(reason == SuppressionReason::Manual && detail.starts_with(WORDS), "{email}: {reason:?}, {detail}");
        }
    };
    let are_said = |results: Vec<SuppressionResult>| {
        for (email, result) in emails.iter().zip(&results) {
            is_said(email, result.suppressed, result.reason(), &result.detail);
        }
        assert_eq!(results.len(), emails.len());
    };
    for checks in &checks {
        for (email, account) in emails.iter().flat_map(|email| ["", "acme", "other"].map(|account| (email, account))) {
            let answer = checks.of_account(email, account).unwrap();
            is_said(email, answer.suppressed, answer.reason(), &answer.detail);
        }
        are_said(checks.batch(&emails).unwrap());
        are_said(checks.stream(&[&emails]).remove(0).unwrap());
    }
    let mut postfix = MailServer::at(server.socketmap());
    for email in emails {
        let reply = postfix.ask(&format!("suppressed {email}"));
        let refuses = reply.starts_with(&format!("OK 550 5.7.1 recipient is suppressed: {WORDS}"));
        assert!(refuses == found.contains(&email) && (refuses || reply == "NOTFOUND "), "{email}: {reply}");
    }
    let kept = with_input(&["filter", "--server", &server.grpc_url()], emails.join("\n").as_bytes());
    let kept: Vec<_> = text(&kept).lines().collect();
    assert_eq!(kept, emails.into_iter().filter(|email| !found.contains(email)).collect::<Vec<_>>());
    found
}

fn a_whole_domain_is_suppressed_at_every_door_until_it_is_lifted(ground: &Ground) {
    let server = with_evidence(ground);
    assert_eq!(suppressed(&server), [""; 0]);
    let created = server.admin().suppress("*@Bad.Example", "spam traps").unwrap();
    assert_eq!((&*created.email, created.reason(), &*created.rule), ("*@bad.example", SuppressionReason::Manual, "whole-domain"));
    assert!(created.detail.starts_with(WORDS), "{}", created.detail);
    let expected: Vec<_> = ASKED.iter().filter(|(_, is_of_domain)| *is_of_domain).map(|(email, _)| *email).collect();
    assert_eq!(suppressed(&server), expected);
    // It is durable, and whoever starts knows it from the beginning.
    server.kill();
    let server = ground.launch().socketmap().start();
    assert_eq!(suppressed(&server), expected);

    // Of one of its addresses there is something to lift; of another one there is nothing. Neither is released.
    let lifted = server.admin().lift("known@bad.example", "it is emptied").unwrap();
    let still = lifted.still_suppressed.unwrap();
    assert_eq!((&*still.email, &*still.rule, still.manual_entry), ("known@bad.example", "whole-domain", created.manual_entry));
    let refused = server.admin().lift("unknown@bad.example", "x").unwrap_err();
    assert_eq!((refused.code(), refused.message().contains("whole domain is suppressed")), (Code::NotFound, true), "{refused}");
    assert_eq!(suppressed(&server), expected);
    let shown = server.admin().explained("known@bad.example");
    assert_eq!((&*shown.rule, shown.domain_entry.unwrap().note), ("whole-domain", "spam traps".into()));
    assert!(shown.record.unwrap().manual_entry.is_none());
    let alone = "a lift of the address alone does not release it";
    assert!(shown.changes.iter().any(|change| change == alone), "{:?}", shown.changes);

    server.admin().suppress("unknown@bad.example", "asked to").unwrap();
    assert_eq!(server.admin().lift("*@bad.example", "they have mended it").unwrap().still_suppressed, None);
    assert_eq!(server.checks().one("unknown@bad.example").unwrap().detail.find("for *@"), None);
    server.admin().lift("unknown@bad.example", "x").unwrap();
    assert_eq!(suppressed(&server), [""; 0]);
    assert_eq!(server.admin().explained("known@bad.example").domain_entry, None);
    assert_eq!(server.admin().lift("*@never.example", "x").unwrap_err().code(), Code::NotFound);

    // However the domain is spelled.
    server.admin().suppress("*@B\u{fc}cher.example", "spam traps").unwrap();
    for spelling in ["a@b\u{fc}cher.example", "A@xn--bcher-kva.EXAMPLE"] {
        assert!(server.checks().is_suppressed(spelling), "{spelling}");
    }
    let (status, log) = server.terminate();
    assert!(status.success() && !log.contains("spam traps"), "{log}");
}

fn a_whole_domain_s_entry_ends_when_it_says(ground: &Ground) {
    let server = ground.start();
    let end = Timestamp { seconds: now() + 3, nanos: 0 };
    let email = "*@bad.example".to_owned();
    let request = CreateSuppressionRequest { email, note: "spam traps".into(), who: "ops".into(), expire_time: Some(end) };
    server.admin().create(request).unwrap();
    let checks = server.checks();
    let detail = checks.one("a@bad.example").unwrap().detail;
    assert!(detail.starts_with(WORDS) && detail.contains(", until "), "{detail}");
    checks.await_that("it ends", |checks| !checks.is_suppressed("a@bad.example"));
    assert!(now() >= end.seconds, "it ended too early");
    assert_eq!(server.admin().list(ListSuppressionsRequest::default(), || {}), []);
    assert!(server.admin().explained("a@bad.example").domain_entry.is_some(), "what has expired is shown");
}

fn the_commands_suppress_show_list_and_lift_a_whole_domain(ground: &Ground) {
    let server = with_evidence(ground);
    let said = by_command(&server, &["suppress", "*@bad.example", "--note", "spam traps", "--who", "alex"]);
    let shown = text(&said);
    assert!(
        shown.starts_with(&format!("*@bad.example\tmanual\t{WORDS}")) && shown.ends_with("\tby alex: spam traps\n"),
        "{shown}"
    );
    let said = by_command(&server, &["check", "unknown@bad.example"]);
    assert!(said.status.code() == Some(1) && text(&said).starts_with(&format!("unknown@bad.example\tsuppressed\t{WORDS}")));
    let said = by_command(&server, &["show", "known@bad.example", "unknown@bad.example"]);
    for words in [
        "  rule: whole-domain\n",
        "  evidence: 20",
        "  entry of its whole domain: 20",
        "Z by alex: spam traps\n",
        "  change: a lift of *@bad.example releases it\n",
        "  change: a lift of the address alone does not release it\n",
    ] {
        assert!(text(&said).contains(words), "{words}: {}", text(&said));
    }
    let said = by_command(&server, &["show", "known@bad.example", "--json"]);
    let shown: Value = serde_json::from_str(text(&said)).unwrap();
    assert_eq!((&shown["domain_entry"]["note"], &shown["rule"]), (&json!("spam traps"), &json!("whole-domain")));
    let said = by_command(&server, &["show", "*@bad.example"]);
    assert!(text(&said).starts_with("*@bad.example\tsuppressed\t") && text(&said).contains("  entry: 20"), "{}", text(&said));
    assert!(!text(&said).contains("entry of its whole domain"), "{}", text(&said));

    let listed = |arguments: &[&str]| {
        let said = by_command(&server, &[&["list"], arguments].concat());
        text(&said).lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for arguments in [&[][..], &["--domain", "bad.example"], &["--reason", "manual"]] {
        assert_eq!(listed(arguments), ["*@bad.example"], "{arguments:?}");
    }
    assert_eq!(listed(&["--domain", "sub.bad.example"]), [""; 0]);
    let said = by_command(&server, &["lift", "known@bad.example", "unknown@bad.example", "--why", "x"]);
    let lines: Vec<_> = text(&said).lines().collect();
    assert!(lines[0].contains(&format!("no longer counts; still suppressed: {WORDS}")), "{lines:?}");
    assert_eq!(lines[1], "unknown@bad.example\tunknown\tnothing is known of it, and its whole domain is suppressed");
    let said = by_command(&server, &["lift", "known@bad.example", "--why", "x", "--json"]);
    let shown: Value = serde_json::from_str(text(&said)).unwrap();
    assert_eq!(shown["still_suppressed"]["rule"], "whole-domain");
    let said = by_command(&server, &["lift", "*@bad.example", "--why", "mended"]);
    assert!(said.status.success() && text(&said).starts_with("*@bad.example\tlifted\t"), "{said:?}");
    assert_eq!(by_command(&server, &["check", "unknown@bad.example"]).status.code(), Some(0));
    let said = by_command(&server, &["show", "*@bad.example"]);
    assert!(text(&said).contains("  change: only an entry by hand suppresses all of a domain\n"), "{}", text(&said));
}

fn a_whole_domain_is_no_recipient(ground: &Ground) {
    let server = ground.launch().socketmap().start();
    for number in 0..2 {
        let answer = server.webhook().post(body("b", "*@bad.example", "bad-mailbox", number));
        let error = &answer.json()["errors"][0];
        assert_eq!((answer.status, &error["field"]), (422, &json!("rcpt")), "{answer:?}");
        assert!(server.admin().record("*@bad.example").is_none());
        // Nor is it one when it is suppressed.
        let refused = server.checks().one("*@bad.example").unwrap_err();
        assert_eq!(refused.code(), Code::InvalidArgument, "{refused}");
        let marked = server.checks().batch(&["*@bad.example", "a@good.example"]).unwrap();
        assert_eq!((marked[0].suppressed, marked[0].reason()), (Some(true), SuppressionReason::InvalidAddress));
        assert_eq!(marked[1].suppressed, Some(false));
        let reply = MailServer::at(server.socketmap()).ask("suppressed *@bad.example");
        assert!(reply.starts_with("OK 550 5.1.3 "), "{reply}");
        server.admin().suppress("*@good.example", "no matter").unwrap();
        server.admin().lift("*@good.example", "no matter").unwrap();
    }
    assert!(!server.checks().is_suppressed("a@bad.example"));
}

/// What the filter of a process answered, and what it asked the store for.
fn counted(server: &Suppressd) -> BTreeMap<String, u64> {
    let text = server.webhook().get("/metrics").text;
    let count = |line: &str| {
        let (name, value) = line.split_once(' ')?;
        Some((name.strip_prefix("suppressd_filter_")?.to_owned(), value.parse().ok()?))
    };
    text.lines().filter_map(count).collect()
}

#[test]
fn a_whole_domain_suppressed_at_one_process_holds_at_the_others_within_the_bound() {
    let mut redis = RedisServer::start(&[]);
    let nodes = [0, 1].map(|_| Launch::on(&redis.url()).role("check").start());
    let checks = nodes[1].checks();
    checks.await_that("the filter answers", |checks| {
        let before = counted(&nodes[1])["hits_total"];
        !checks.is_suppressed("a@bad.example") && counted(&nodes[1])["hits_total"] > before
    });
    nodes[0].admin().suppress("*@bad.example", "spam traps").unwrap();
    assert!(nodes[0].checks().is_suppressed("a@bad.example"), "who enters it knows it at once");
    checks.await_that("the other one knows it", |checks| checks.is_suppressed("a@bad.example"));
    // Addresses of other domains cost no look into the store for that.
    checks.await_that("the filter answers for others", |checks| {
        let before = counted(&nodes[1])["hits_total"];
        !checks.is_suppressed("a@good.example") && counted(&nodes[1])["hits_total"] > before
    });
    nodes[0].admin().lift("*@bad.example", "a mistake").unwrap();
    assert!(!checks.is_suppressed("a@bad.example"), "of a domain with a record the store is asked");
    nodes[0].admin().suppress("*@bad.example", "after all").unwrap();
    assert!(checks.is_suppressed("a@bad.example"));
    // The store is away: of the domain it is never known, and of others as long as what is known is confirmed.
    redis.kill();
    for node in &nodes {
        let status = node.checks().one("a@bad.example").unwrap_err();
        assert_eq!(status.code(), Code::Unavailable, "{status}");
        node.checks().await_that("nobody is taken for a good one", |checks| {
            checks.one("a@good.example").is_err_and(|status| status.code() == Code::Unavailable)
        });
        assert_eq!(node.checks().batch(&["a@bad.example"]).unwrap_err().code(), Code::Unavailable);
    }
}
