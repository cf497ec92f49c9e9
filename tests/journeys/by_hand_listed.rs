//! The addresses that are suppressed, listed.

use std::collections::BTreeSet;

use prost_types::Timestamp;
use serde_json::Value;
use suppressd_service::proto::{ListSuppressionsRequest, Suppression, SuppressionReason};

use super::Ground;
use super::commands::text;
use super::webhook::{body, payload};
use crate::servers::suppressd::{Suppressd, run};

super::on_both_stores!(what_is_suppressed_now_is_listed_and_narrowed, paging_while_events_are_recorded_lists_each_address_once,);

/// When the payload of number 0 happened.
const BEGIN: i64 = 1_695_222_842;

fn emails(listed: Vec<Suppression>) -> Vec<String> {
    let mut emails: Vec<_> = listed.into_iter().map(|suppression| suppression.email).collect();
    emails.sort_unstable();
    emails
}

fn listed(server: &Suppressd, request: ListSuppressionsRequest) -> Vec<String> {
    emails(server.admin().list(request, || {}))
}

fn by_command(server: &Suppressd, arguments: &[&str]) -> Vec<String> {
    let output = run(&[&["list", "--server", &server.grpc_url()], arguments].concat());
    assert!(output.status.success(), "{output:?}");
    let mut emails: Vec<_> = text(&output).lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect();
    emails.sort_unstable();
    emails
}

fn what_is_suppressed_now_is_listed_and_narrowed(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "hard@one.example", "bad-mailbox", 0)).counts();
    server.webhook().post(body("f", "angry@two.example", "", 10)).counts();
    for number in 20..25 {
        server.webhook().post(body("b", "soft@two.example", "quota-issues", number)).counts();
    }
    server.webhook().post(body("b", "mild@two.example", "quota-issues", 30)).counts();
    server.webhook().post(body("b", "lifted@one.example", "bad-mailbox", 31)).counts();
    server.admin().lift("lifted@one.example", "x").unwrap();
    server.admin().suppress("hand@b\u{fc}cher.example", "asked to").unwrap();
    let hand = "hand@xn--bcher-kva.example";
    let all = || ListSuppressionsRequest::default();
    let at = |number: i64| Some(Timestamp { seconds: BEGIN + number, nanos: 0 });
    let reason = |reason: SuppressionReason| ListSuppressionsRequest { reason: reason.into(), ..all() };
    let domain = |domain: &str| ListSuppressionsRequest { domain: domain.into(), ..all() };
    let cases: [(_, &[&str], &[&str]); 10] = [
        (all(), &[], &["angry@two.example", hand, "hard@one.example", "soft@two.example"]),
        (reason(SuppressionReason::HardBounce), &["--reason", "hard_bounce"], &["hard@one.example"]),
        (reason(SuppressionReason::SoftBounces), &["--reason", "soft_bounces"], &["soft@two.example"]),
        (reason(SuppressionReason::Complaint), &["--reason", "complaint"], &["angry@two.example"]),
        (reason(SuppressionReason::Manual), &["--reason", "manual"], &[hand]),
        (domain("Two.Example"), &["--domain", "Two.Example"], &["angry@two.example", "soft@two.example"]),
        (domain("b\u{fc}cher.example"), &["--domain", "@b\u{fc}cher.example"], &[hand]),
        (
            ListSuppressionsRequest { since: at(10), ..domain("two.example") },
            &["--domain", "two.example", "--since", "1695222852"],
            &["angry@two.example", "soft@two.example"],
        ),
        (
            ListSuppressionsRequest { since: at(11), until: at(24), ..all() },
            &["--since", "1695222853", "--until", "2023-09-20"],
            &["soft@two.example"],
        ),
        (ListSuppressionsRequest { until: at(9), ..all() }, &["--until", "1695222851"], &["hard@one.example"]),
    ];
    for (request, arguments, expected) in cases {
        assert_eq!(listed(&server, request.clone()), expected, "{request:?}");
        assert_eq!(by_command(&server, arguments), expected, "{arguments:?}");
        // However small the pages are.
        assert_eq!(listed(&server, ListSuppressionsRequest { page_size: 1, ..request }), expected);
    }
    let output = run(&["list", "--json", "--reason", "manual", "--server", &server.grpc_url()]);
    let shown: Value = serde_json::from_str(text(&output)).unwrap();
    let entry = &shown["manual_entry"];
    assert_eq!((&shown["email"], &shown["rule"], &entry["note"]), (&hand.into(), &"manual".into(), &"asked to".into()));
    for bad in [&["--reason", "nonsense"][..], &["--domain", "no domain"], &["--since", "x"], &["--since", "1", "--until", "0"]] {
        let output = run(&[&["list", "--server", &server.grpc_url()], bad].concat());
        assert_eq!((output.status.code(), text(&output)), (Some(2), ""), "{bad:?}");
    }
    // An incident releases whom it covers.
    let scope = ["--from", "2023-09-20", "--to", "2023-09-20", "--domain", "one.example", "--why", "x", "--yes"];
    let opened = run(&[&["incident", "open", "--server", &server.grpc_url()], &scope[..]].concat());
    assert!(opened.status.success(), "{opened:?}");
    assert_eq!(listed(&server, all()), ["angry@two.example", hand, "soft@two.example"]);
}

fn paging_while_events_are_recorded_lists_each_address_once(ground: &Ground) {
    let server = ground.start();
    let events: Vec<_> = (0..600)
        .map(|number| payload("b", &format!("r{number}@example.com"), ["bad-mailbox", "other"][number % 2], number))
        .collect();
    assert_eq!(server.webhook().post(serde_json::to_string(&events).unwrap()).counts(), [600, 0, 0, 0]);
    let mut round = 0;
    let found = server.admin().list(ListSuppressionsRequest { page_size: 20, ..ListSuppressionsRequest::default() }, || {
        round += 1;
        // Of one that is suppressed, of one that is not, of one that is new.
        for rcpt in [format!("r{}@example.com", 2 * round), "r1@example.com".to_owned(), format!("new{round}@example.com")] {
            server.webhook().post(body("rb", &rcpt, "quota-issues", 1000 + round)).counts();
        }
        if round < 20 {
            server.webhook().post(body("b", &format!("also{round}@example.com"), "bad-mailbox", 1)).counts();
        }
    });
    assert!(round > 10, "all was in one page");
    let found = emails(found);
    let once: BTreeSet<_> = found.iter().map(String::as_str).collect();
    assert_eq!(once.len(), found.len(), "an address is listed twice");
    for number in 0..600 {
        let email = format!("r{number}@example.com");
        // The fifth soft bounce suppresses that one, maybe when its place was passed.
        if email != "r1@example.com" {
            assert_eq!(once.contains(&*email), number % 2 == 0, "{email}");
        }
    }
}
