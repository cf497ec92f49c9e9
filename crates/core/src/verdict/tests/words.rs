//! What people read.

use super::*;
use crate::EventId;

fn soft(number: u64, day: i64) -> Event {
    Event {
        id: EventId::from_bits(number),
        time: UnixSeconds::clamped(day * DAY_SECONDS + 3600),
        ..bounce("b", "quota-issues", 0)
    }
}

/// 2020-09-13.
const DAY: i64 = 18_518;

fn now() -> UnixSeconds {
    UnixSeconds::clamped((DAY + 10) * DAY_SECONDS)
}

fn explained(policy: &Policy, record: &Record) -> Explanation {
    explain(policy, &Incidents::default(), record, now())
}

#[test]
fn it_explains_itself() {
    let hard = judge(&record(&events(
        r#"{"type":"b","rcpt":"a@x.example","bounceCat":"bad-mailbox","dsnStatus":"5.1.1 (x)","timeLogged":"0"}"#,
    )));
    assert_eq!(hard.to_string(), "hard bounce, bad-mailbox 5.1.1, since 1970-01-01T00:00:00Z");
    assert_eq!(judge(&record(&[bounce("b", "quota-issues", 1)])).to_string(), "not suppressed: 1 of 5 soft bounces");
}

#[test]
fn it_says_from_when_on_soft_bounces_count() {
    let mut record = record(&[soft(1, DAY), soft(2, DAY + 2), soft(3, DAY + 3), soft(4, DAY + 3)]);
    record.deliver(UnixSeconds::clamped((DAY + 1) * DAY_SECONDS));
    let mut policy = Policy { delivery_resets_soft_bounces: true, ..Policy::default() };
    let verdict = explained(&policy, &record).verdict;
    assert_eq!(verdict.to_string(), "not suppressed: 3 of 5 soft bounces since the delivery of 2020-09-14");
    policy.soft_bounce_window_seconds = Some(90 * DAY_SECONDS.unsigned_abs());
    policy.soft_bounce_limit = SoftBounceLimit::new(3).unwrap();
    let verdict = explained(&policy, &record).verdict;
    assert_eq!(
        verdict.to_string(),
        "3 of 3 soft bounces since the delivery of 2020-09-14 within 90 days, quota-issues, since 2020-09-16T01:00:00Z, \
         until 2020-12-14T01:00:00Z"
    );
    record.lift(UnixSeconds::clamped((DAY + 2) * DAY_SECONDS), "ops", "typo");
    assert!(explained(&policy, &record).verdict.to_string().contains("since the lift of 2020-09-16"));
}

#[test]
fn each_piece_of_evidence_says_what_becomes_of_it() {
    let mut record = record(&[soft(1, DAY), soft(2, DAY + 2), soft(3, DAY + 2), soft(4, DAY + 9)]);
    record.deliver(UnixSeconds::clamped((DAY + 1) * DAY_SECONDS));
    record.take(&Event { kind: crate::EventKind::Complaint, ..soft(9, DAY + 9) });
    let policy = Policy { delivery_resets_soft_bounces: true, one_soft_bounce_a_day: true, ..Policy::default() };
    let explanation = explained(&policy, &record);
    let effects: Vec<_> = explanation.evidence.iter().map(|evidence| (evidence.counts, &*evidence.effect)).collect();
    let expected = [
        (false, "left out: a delivery came after it"),
        (true, "counts as soft"),
        (false, "left out: not the first soft bounce of its day"),
        (true, "counts as soft"),
        (true, "counts as complaint, and suppresses"),
    ];
    assert_eq!(effects, expected);
    let rules: Vec<_> = explanation.evidence.iter().map(|evidence| evidence.rule.to_string()).collect();
    assert_eq!(rules[3..], ["category:quota-issues", "type:f"]);
}

#[test]
fn it_says_what_would_change_it() {
    let said = |policy: &Policy, record: &Record| explained(policy, record).changes.join("; ");
    let four = record(&[soft(1, DAY), soft(2, DAY), soft(3, DAY), soft(4, DAY)]);
    let default = Policy::default();
    let words = said(&default, &four);
    for words_in_it in ["1 more soft bounce suppresses it", "at once", "soft_bounce_limit = 4 or less"] {
        assert!(words.contains(words_in_it), "{words}");
    }
    assert!(said(&default, &record(&[])).contains("5 soft bounces suppress it"));
    let limit = Policy { soft_bounce_limit: SoftBounceLimit::new(4).unwrap(), ..default.clone() };
    assert!(said(&limit, &four).contains("soft_bounce_limit = 5 or more"), "{}", said(&limit, &four));
    let expired = Policy { expiry_seconds: [(Reason::SoftBounces, 60)].into(), ..limit };
    assert!(said(&expired, &four).contains("one more soft bounce"), "{}", said(&expired, &four));
    let hard = record(&[bounce("b", "bad-domain", 1)]);
    assert!(said(&default, &hard).contains("category:bad-domain"), "{}", said(&default, &hard));
}

#[test]
fn it_names_the_incident_and_the_opinion() {
    let unknown = record(&events(
        r#"{"type":"b","rcpt":"a@x.example","bounceCat":"other","dsnDiag":"550 no such user","timeLogged":"1600000000"}"#,
    ));
    let said = explained(&Policy::default(), &unknown);
    assert!(said.verdict.to_string().contains("second opinion unknown-user"), "{}", said.verdict);
    assert!(said.evidence[0].effect.contains("hard, fault of the recipient, unknown-user"), "{}", said.evidence[0].effect);
    assert!(said.changes.join(" ").contains("second_opinion = \"enforce\""), "{:?}", said.changes);
    let contradiction = record(&events(
        r#"{"type":"b","rcpt":"a@x.example","bounceCat":"quota-issues","dsnDiag":"550 no such user","timeLogged":"1600000000"}"#,
    ));
    let effect = &explained(&Policy::default(), &contradiction).evidence[0].effect;
    assert!(effect.ends_with("unknown-user, harder than its category"), "{effect}");
    let off = Policy { second_opinion: Trust::Off, ..Policy::default() };
    let said = explained(&off, &unknown);
    assert!(!format!("{said:?}{}", said.verdict).contains("second opinion:"), "{said:?}");

    let incidents = opened(Scope::between(UnixSeconds::default(), NOW));
    let hard = record(&[bounce("b", "bad-mailbox", 1)]);
    let said = explain(&Policy::default(), &incidents, &hard, NOW);
    assert!(said.verdict.to_string().ends_with("; an incident covers 1 more event"), "{}", said.verdict);
    assert!(said.evidence[0].effect.contains("(false bounces)"), "{}", said.evidence[0].effect);
    assert!(said.changes.join(" ").contains("closing the incidents"), "{:?}", said.changes);
}
