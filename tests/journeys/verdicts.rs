//! What follows from the provider's events.

use suppressd_service::proto::SuppressionReason;
use tonic::Code;

use super::Ground;
use super::webhook::{body, payload};

const SOFT: [&str; 5] = ["quota-issues", "inactive-mailbox", "no-answer-from-host", "relaying-issues", "routing-errors"];

super::on_both_stores!(
    the_provider_s_sample_suppresses_nobody,
    hard_bounces_and_complaints_suppress_at_once,
    soft_bounces_suppress_at_the_fifth,
    mixed_soft_bounces_count_together,
    what_is_not_mapped_never_suppresses,
    spellings_of_one_address_are_one,
    an_account_is_judged_by_its_own_soft_bounces,
    a_batch_answers_in_order_and_marks_the_impossible,
    of_a_batch_only_who_is_suppressed_may_be_asked_for,
    a_stream_answers_batch_after_batch,
);

fn the_provider_s_sample_suppresses_nobody(ground: &Ground) {
    let server = ground.start();
    let sample = r#"{"type":"d","timeLogged":"1695222842","orig":"sender@example.com","rcpt":"recipient@example.com",
        "dsnAction":"relayed","dsnStatus":"2.0.0 (success)","dsnDiag":"smtp;250 2.0.0 OK","bounceCat":"other",
        "rcvSmtpUser":"user","header_Message-Id":"<abc@example.com>","vmta":"mta-1"}"#;
    assert_eq!(server.webhook().post(sample).counts(), [1, 0, 0, 0]);
    assert!(!server.checks().is_suppressed("recipient@example.com"));
}

fn hard_bounces_and_complaints_suppress_at_once(ground: &Ground) {
    let server = ground.start();
    let checks = server.checks();
    let cases = [
        ("b", "bad-mailbox", SuppressionReason::HardBounce),
        ("rb", "bad-mailbox", SuppressionReason::HardBounce),
        ("b", "bad-domain", SuppressionReason::HardBounce),
        ("rb", " Bad-Domain", SuppressionReason::HardBounce),
        ("f", "", SuppressionReason::Complaint),
        ("f", "other", SuppressionReason::Complaint),
    ];
    for (number, (kind, category, reason)) in cases.into_iter().enumerate() {
        let rcpt = format!("r{number}@example.com");
        assert!(!checks.is_suppressed(&rcpt));
        assert_eq!(server.webhook().post(body(kind, &rcpt, category, number)).counts(), [1, 0, 0, 0]);
        let answer = checks.one(&rcpt).unwrap();
        assert_eq!((answer.suppressed, answer.reason()), (Some(true), reason), "{kind} {category}");
        assert_eq!(answer.suppressed_at.unwrap().seconds, 1_695_222_842 + i64::try_from(number).unwrap());
    }
}

fn soft_bounces_suppress_at_the_fifth(ground: &Ground) {
    let server = ground.start();
    let checks = server.checks();
    for kind in ["b", "rb"] {
        for category in SOFT {
            let rcpt = format!("{kind}-{category}@example.com");
            for number in 1..=5 {
                assert!(!checks.is_suppressed(&rcpt), "{category} {number}");
                server.webhook().post(body(kind, &rcpt, category, number)).counts();
            }
            let answer = checks.one(&rcpt).unwrap();
            assert_eq!(answer.reason(), SuppressionReason::SoftBounces);
            assert_eq!((answer.soft_bounces, answer.soft_bounce_limit), (5, 5));
        }
    }
}

fn mixed_soft_bounces_count_together(ground: &Ground) {
    let server = ground.start();
    for (number, category) in SOFT.into_iter().enumerate() {
        assert!(!server.checks().is_suppressed("mixed@example.com"));
        let kind = if number % 2 == 0 { "b" } else { "rb" };
        server.webhook().post(body(kind, "mixed@example.com", category, number)).counts();
    }
    assert!(server.checks().is_suppressed("mixed@example.com"));
}

fn what_is_not_mapped_never_suppresses(ground: &Ground) {
    let server = ground.start();
    let unmapped =
        ["other", "spam-related", "policy-related", "content-related", "virus-related", "protocol-errors", "bad-connection"];
    let more = ["bad-configuration", "invalid-sender", "made-up", "", "message-expired"];
    for category in unmapped.into_iter().chain(more) {
        let rcpt = format!("u-{category}@example.com");
        let events: Vec<_> = (0..40).map(|number| payload("b", &rcpt, category, number * 86_400)).collect();
        let counts = server.webhook().post(serde_json::to_string(&events).unwrap()).counts();
        // More of them than the retention keeps: those that it drops for newer ones were recorded before.
        assert_eq!(counts, [40, 0, 0, 0], "{category}");
        let answer = server.checks().one(&rcpt).unwrap();
        assert_eq!((answer.suppressed, answer.soft_bounces), (Some(false), 0), "{category}");
    }
}

fn spellings_of_one_address_are_one(ground: &Ground) {
    let server = ground.start();
    let checks = server.checks();
    let alice = ["Alice@Example.COM", " <alice@example.com> ", "alice@example.com"];
    let u = ["user@b\u{fc}cher.example", "user@xn--bcher-kva.example", "USER@bu\u{308}cher.EXAMPLE"];
    for spellings in [alice, u] {
        for (number, spelling) in spellings.into_iter().enumerate() {
            assert_eq!(server.webhook().post(body("b", spelling, "quota-issues", number)).counts(), [1, 0, 0, 0]);
        }
        // The same event under another spelling is the same event.
        assert_eq!(server.webhook().post(body("b", spellings[0], "quota-issues", 2)).counts(), [0, 1, 0, 0]);
        for spelling in spellings {
            assert_eq!(checks.soft_bounces(spelling), 3, "{spelling}");
        }
    }
}

fn an_account_is_judged_by_its_own_soft_bounces(ground: &Ground) {
    let server = ground.start();
    for number in 0..5 {
        server.webhook().post(body("b", "soft@example.com", "quota-issues", number)).counts();
    }
    server.webhook().post(body("b", "hard@example.com", "bad-mailbox", 9)).counts();
    let suppressed = |email, account| server.checks().of_account(email, account).unwrap().suppressed.unwrap();
    assert!(suppressed("soft@example.com", "acme") && suppressed("soft@example.com", ""));
    assert!(!suppressed("soft@example.com", "other"));
    assert!(suppressed("hard@example.com", "other"));
}

fn a_batch_answers_in_order_and_marks_the_impossible(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    let results = server.checks().batch(&["ok@example.com", "nonsense", "BAD@example.com", "ok@example.com"]).unwrap();
    let seen: Vec<_> = results.iter().map(|result| (result.suppressed.unwrap(), result.reason())).collect();
    let (none, impossible, hard) =
        (SuppressionReason::Unspecified, SuppressionReason::InvalidAddress, SuppressionReason::HardBounce);
    assert_eq!(seen, [(false, none), (true, impossible), (true, hard), (false, none)]);
    assert!(results[1].error.contains('@') && !results[1].error.contains("nonsense"), "{}", results[1].error);
    assert!(results.iter().enumerate().all(|(place, result)| result.error.is_empty() == (place != 1)));

    assert_eq!(server.checks().batch(&[]).unwrap(), []);
    assert_eq!(server.checks().batch(&["a@example.com"; 1000]).unwrap().len(), 1000);
    let refused = server.checks().batch(&["a@example.com"; 1001]).unwrap_err();
    assert_eq!(refused.code(), Code::InvalidArgument);
    assert!(refused.message().contains("1000"), "{refused}");
}

fn of_a_batch_only_who_is_suppressed_may_be_asked_for(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    server.webhook().post(body("b", "soft@example.com", "quota-issues", 2)).counts();
    let emails = ["ok@example.com", "nonsense", "soft@example.com", "BAD@example.com", "ok@example.com"];
    let in_full = server.checks().batch(&emails).unwrap();
    let answer = server.checks().suppressed_of(&emails);
    let only = answer.suppressed_only.unwrap();
    assert_eq!((answer.results, only.judged), (vec![], 5));
    let named: Vec<_> = only.suppressed.into_iter().map(|one| (one.place, one.result.unwrap())).collect();
    assert_eq!(named, [(1, in_full[1].clone()), (3, in_full[3].clone())]);
    let nobody = server.checks().suppressed_of(&["ok@example.com"]).suppressed_only.unwrap();
    assert_eq!((nobody.judged, nobody.suppressed.len()), (1, 0));
}

fn a_stream_answers_batch_after_batch(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "bad@example.com", "bad-mailbox", 1)).counts();
    let answers = server.checks().stream(&[&["bad@example.com", "ok@example.com"], &[], &["x"]]);
    let suppressed: Vec<Vec<bool>> =
        answers.into_iter().map(|answer| answer.unwrap().iter().map(|result| result.suppressed.unwrap()).collect()).collect();
    assert_eq!(suppressed, [vec![true, false], vec![], vec![true]]);
    let too_many = ["a@example.com"; 1001];
    let answers = server.checks().stream(&[&["ok@example.com"], &too_many, &["ok@example.com"]]);
    assert_eq!(answers.len(), 2);
    assert_eq!(answers[1].as_ref().unwrap_err().code(), Code::InvalidArgument);
}
