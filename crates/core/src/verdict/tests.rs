mod outdated;
mod reference;
mod whole_domain;
mod words;

use super::*;
use crate::event::body::Body;
use crate::{Act, Address, Classifier, DAY_SECONDS, Event, Incident, Lift, ManualEntry, Origin, Scope, SoftBounceLimit};
use proptest::prelude::*;

const NOW: UnixSeconds = UnixSeconds::clamped(1_700_000_000);

fn events(json: &str) -> Vec<Event> {
    let body = Body::read(json.as_bytes(), NOW, Classifier::builtin());
    assert_eq!(body.rejected, [], "{json}");
    body.events
}

fn bounce(kind: &str, category: &str, number: usize) -> Event {
    let json = format!(
        r#"{{"type":"{kind}","bounceCat":"{category}","rcpt":"a@x.example","header_Message-Id":"<{number}@y>","timeLogged":"{}"}}"#,
        1_600_000_000 + number
    );
    events(&json).remove(0)
}

fn record(events: &[Event]) -> Record {
    let mut record = Record::new(address());
    for event in events {
        record.take(event);
    }
    record
}

fn address() -> Address {
    "a@x.example".parse().unwrap()
}

fn judge(record: &Record) -> Verdict {
    verdict(&Policy::default(), &Incidents::default(), record, NOW)
}

fn judge_with(change: impl FnOnce(&mut Policy), record: &Record) -> Verdict {
    let mut policy = Policy::default();
    change(&mut policy);
    verdict(&policy, &Incidents::default(), record, NOW)
}

#[test]
fn hard_bounces_and_complaints_suppress_at_once() {
    for (kind, category, reason) in [
        ("b", "bad-mailbox", Reason::HardBounce),
        ("rb", "bad-mailbox", Reason::HardBounce),
        ("b", "bad-domain", Reason::HardBounce),
        ("rb", "Bad-Domain ", Reason::HardBounce),
        ("f", "", Reason::Complaint),
        ("f", "other", Reason::Complaint),
    ] {
        let verdict = judge(&record(&[bounce(kind, category, 1)]));
        let suppression = verdict.suppression.expect(category);
        assert_eq!((suppression.reason, suppression.since.get()), (reason, 1_600_000_001), "{kind} {category}");
    }
}

#[test]
fn soft_bounces_suppress_at_the_fifth_and_not_at_the_fourth() {
    let categories = ["quota-issues", "inactive-mailbox", "no-answer-from-host", "relaying-issues", "routing-errors"];
    for kinds in [["b"; 5], ["rb"; 5], ["b", "rb", "b", "rb", "b"]] {
        for shift in 0..5 {
            let events: Vec<_> = (0..5).map(|at| bounce(kinds[at], categories[(at + shift) % 5], at)).collect();
            let fourth = judge(&record(&events[..4]));
            assert_eq!((fourth.is_suppressed(), fourth.soft_bounces), (false, 4));
            let fifth = judge(&record(&events));
            let suppression = fifth.suppression.unwrap();
            assert_eq!((suppression.reason, suppression.since.get()), (Reason::SoftBounces, 1_600_000_004));
        }
    }
}

#[test]
fn everything_else_suppresses_nobody() {
    for category in ["message-expired", "other", "spam-related", "policy-related", "unheard-of", ""] {
        let events: Vec<_> = (0..40).map(|number| bounce("b", category, number)).collect();
        assert!(!judge(&record(&events)).is_suppressed(), "{category}");
    }
}

#[test]
fn the_strongest_reason_is_named() {
    let mut both = record(&[bounce("b", "bad-mailbox", 1), bounce("f", "", 2)]);
    assert_eq!(judge(&both).suppression.unwrap().reason, Reason::Complaint);
    both.manual = Some(ManualEntry { since: NOW, until: None, who: "ops".into(), note: String::new(), request_id: None });
    assert_eq!(judge(&both).suppression.unwrap().reason, Reason::Manual);
}

#[test]
fn an_operator_s_entry_ends_when_it_says() {
    let mut entered = record(&[]);
    let mut entry =
        ManualEntry { since: UnixSeconds::default(), until: Some(NOW), who: "ops".into(), note: String::new(), request_id: None };
    entered.manual = Some(entry.clone());
    assert!(!judge(&entered).is_suppressed());
    entry.until = Some(NOW.plus(1));
    entered.manual = Some(entry);
    assert!(judge(&entered).is_suppressed());
}

#[test]
fn a_lift_leaves_out_what_came_before_it() {
    let mut lifted = record(&[bounce("b", "bad-mailbox", 1)]);
    lifted.lift = Some(Lift { fence: UnixSeconds::clamped(1_600_000_001), at: NOW, who: "ops".into(), why: "typo".into() });
    assert!(!judge(&lifted).is_suppressed());
    lifted.take(&bounce("b", "bad-mailbox", 2));
    assert!(judge(&lifted).is_suppressed());
}

fn opened(scope: Scope) -> Incidents {
    Incidents::new([Incident::opened(scope, Origin::Operator, Act::new(NOW, "ops", "false bounces").unwrap())])
}

#[test]
fn an_incident_leaves_out_what_it_covers() {
    let record = record(&[bounce("b", "bad-mailbox", 1), bounce("b", "bad-mailbox", 9)]);
    let incident = |to: i64, domain: Option<&str>| {
        let scope = Scope::between(UnixSeconds::default(), UnixSeconds::clamped(to));
        opened(Scope { domain: domain.map(Into::into), ..scope })
    };
    let suppressed = |incidents| verdict(&Policy::default(), &incidents, &record, NOW).is_suppressed();
    assert!(!suppressed(incident(1_600_000_009, None)));
    assert!(suppressed(incident(1_600_000_008, None)));
    assert!(!suppressed(incident(1_600_000_009, Some("x.example"))));
    assert!(suppressed(incident(1_600_000_009, Some("y.example"))));
}

#[test]
fn a_line_of_policy_changes_stored_verdicts() {
    let soft: Vec<_> = (0..3).map(|number| bounce("b", "quota-issues", number)).collect();
    let mut three = record(&soft);
    assert!(judge_with(|policy| policy.soft_bounce_limit = SoftBounceLimit::new(3).unwrap(), &three).is_suppressed());
    let one_a_day = judge_with(|policy| policy.one_soft_bounce_a_day = true, &three);
    assert_eq!(one_a_day.soft_bounces, 1);
    let age = u64::try_from(NOW.get() - 1_600_000_002).unwrap();
    assert_eq!(judge_with(|policy| policy.soft_bounce_window_seconds = Some(age), &three).soft_bounces, 0);
    assert_eq!(judge_with(|policy| policy.soft_bounce_window_seconds = Some(age + 1), &three).soft_bounces, 1);
    three.deliver(UnixSeconds::clamped(1_600_000_001));
    assert_eq!(judge_with(|policy| policy.delivery_resets_soft_bounces = true, &three).soft_bounces, 1);
    let classes = |policy: &mut Policy| {
        policy.classes.insert(BounceCategory::from_wire("quota-issues"), Class::Hard);
    };
    assert_eq!(judge_with(classes, &three).suppression.unwrap().reason, Reason::HardBounce);
    let hard = record(&[bounce("b", "bad-mailbox", 2)]);
    assert!(!judge_with(|policy| policy.expiry_seconds = [(Reason::HardBounce, age)].into(), &hard).is_suppressed());
    assert!(judge_with(|policy| policy.expiry_seconds = [(Reason::HardBounce, age + 1)].into(), &hard).is_suppressed());
}

#[test]
fn an_account_sees_its_own_soft_bounces_and_everybody_s_hard_ones() {
    let of = |account: &str, category: &str, number| Event { account: account.into(), ..bounce("b", category, number) };
    let soft: Vec<_> = (0..5).map(|number| of(["acme", "other"][number % 2], "quota-issues", number)).collect();
    let policy = Policy::default();
    assert_eq!(judge(&record(&soft).seen_by(&policy, "acme")).soft_bounces, 3);
    let hard = record(&[of("other", "bad-mailbox", 1)]);
    assert!(judge(&hard.clone().seen_by(&policy, "acme")).is_suppressed());
    let strict = Policy { classes_of_every_account: vec![], ..policy };
    assert!(!judge(&hard.seen_by(&strict, "acme")).is_suppressed());
}

#[test]
fn an_opinion_decides_only_where_it_is_trusted_and_the_category_says_nothing() {
    let of = |category: &str, words: &str| {
        record(&events(&format!(
            r#"{{"type":"b","rcpt":"a@x.example","bounceCat":"{category}","dsnDiag":"{words}","timeLogged":"1600000000"}}"#
        )))
    };
    let judged = |trust, record: &Record| judge_with(|policy| policy.second_opinion = trust, record);
    let unknown = of("other", "smtp;550 no such user here");
    for trust in [Trust::Off, Trust::Advise] {
        assert!(!judged(trust, &unknown).is_suppressed());
    }
    assert_eq!(judged(Trust::Off, &unknown).advice, None);
    let advice = judged(Trust::Advise, &unknown).advice.unwrap();
    let enforced = judged(Trust::Enforce, &unknown);
    assert_eq!((enforced.suppression.as_ref(), &enforced.advice), (Some(&advice), &None));
    assert_eq!((advice.reason, advice.rule.to_string()), (Reason::HardBounce, "opinion:unknown-user".to_owned()));
    // The category says that it is soft, the words that it is hard: told apart, not acted on.
    let contradiction = of("quota-issues", "smtp;550 no such user here");
    assert_eq!((judged(Trust::Enforce, &contradiction).is_suppressed(), judge(&contradiction).advice), (false, None));
    // Unless the operator takes the category's class away.
    let unmapped = |policy: &mut Policy| {
        policy.second_opinion = Trust::Enforce;
        policy.classes.insert(BounceCategory::from_wire("quota-issues"), Class::Unmapped);
    };
    assert!(judge_with(unmapped, &contradiction).is_suppressed());
    // A block of the sender has an opinion, but none about the recipient.
    assert!(!judged(Trust::Enforce, &of("other", "smtp;550 blocked using zen.spamhaus.org")).is_suppressed());
}

prop_compose! {
    /// Events of one address: more than retention keeps, with time stamps that are missing, unreadable or in the future.
    fn histories()(length in 1_usize..600, days in 1_i64..40, seed in any::<u64>()) -> String {
        let mut state = seed | 1;
        let mut draw = |below: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) % below
        };
        let lines: Vec<String> = (0..length).map(|_| {
            let day = i64::try_from(draw(days.unsigned_abs())).unwrap();
            let number = draw(u64::try_from(length).unwrap());
            let logged = match number % 9 {
                0 => String::new(),
                1 => "soon".into(),
                2 => (NOW.get() + 3 * DAY_SECONDS).to_string(),
                3 => (NOW.get() + DAY_SECONDS / 2).to_string(),
                _ => (NOW.get() - day * DAY_SECONDS).to_string(),
            };
            // Which category a message has is fixed by the message, as it is at the provider.
            let category = ["quota-issues", "other", "message-expired", "routing-errors", "quota-issues"][usize::try_from(number % 5).unwrap()];
            let hard = number % 97 == 0;
            format!(
                r#"{{"type":"b","bounceCat":"{}","rcpt":"a@x.example","header_Message-Id":"<{number}@y>","timeLogged":"{logged}"}}"#,
                if hard { "bad-mailbox" } else { category }
            )
        }).collect();
        lines.join("\n")
    }
}

proptest! {
    #[test]
    fn order_and_repetition_change_no_verdict(history in histories(), seed in any::<u64>(), limit in 1_u32..=16, daily in any::<bool>()) {
        let events = events(&history);
        let mut shuffled: Vec<_> = events.iter().chain(&events).cloned().collect();
        let key = |text: &str| text.bytes().fold(seed | 1, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        shuffled.sort_by_key(|event| key(event.id.as_str()));
        let policy = Policy { soft_bounce_limit: SoftBounceLimit::new(limit).unwrap(), one_soft_bounce_a_day: daily, ..Policy::default() };
        let judged = |events: &[Event]| verdict(&policy, &Incidents::default(), &record(events), NOW);
        prop_assert_eq!(judged(&events), judged(&shuffled));
    }
}
