//! What may be said while the incidents cannot be read, against all that they could be.

use super::super::outdated::may_be_suppressed;
use super::reference::{History, history, hours_ago, policies, record_of};
use super::*;

/// Rules that an incident may be narrowed to.
const RULES: [&str; 6] = ["category:quota-issues", "category:bad-mailbox", "category:other", "opinion:a", "opinion:b", "type:f"];

/// Incidents of few hours and of many, narrowed to a rule or not.
fn incident_sets() -> impl Strategy<Value = Incidents> {
    let rule = prop::option::weighted(0.6, prop::sample::select(&RULES[..]));
    let hours =
        prop_oneof![0_i64..24 * 8, (0_i64..4, prop::sample::select(&[0_i64, 1, 2, 23][..])).prop_map(|(d, h)| d * 24 + h)];
    let length = prop_oneof![Just(0_i64), 0_i64..4, 0_i64..100];
    let scope = (hours, length, rule).prop_map(|(begin, length, rule)| Scope {
        rule: rule.map(Into::into),
        ..Scope::between(hours_ago(begin), hours_ago(begin - length))
    });
    prop::collection::vec(scope, 0..6).prop_map(|scopes| {
        let opened = Act::new(NOW, "ops", "false bounces").unwrap();
        Incidents::new(scopes.into_iter().map(|scope| Incident::opened(scope, Origin::Operator, opened.clone())))
    })
}

/// A record, sometimes with an operator's entry.
fn records() -> impl Strategy<Value = Record> {
    let entry = |hours: i64| ManualEntry {
        since: UnixSeconds::default(),
        until: Some(hours_ago(hours)),
        who: "ops".into(),
        note: String::new(),
        request_id: None,
    };
    (history(), prop::option::weighted(0.1, -5_i64..5)).prop_map(move |(history, entered): (History, Option<i64>)| {
        let mut record = record_of(&history, &history.arrivals);
        record.manual = entered.map(entry);
        record
    })
}

/// A policy by which one soft bounce a day counts, and a few of them on two days or three, about as old as may be to count.
fn daily() -> impl Strategy<Value = (Policy, Record)> {
    let hours = || prop::option::weighted(0.7, 24_u64..60);
    (1_u32..3, hours(), hours(), prop::collection::vec(20_i64..70, 1..6)).prop_map(|(limit, window, expiry, ages)| {
        let policy = Policy {
            soft_bounce_limit: SoftBounceLimit::new(limit).unwrap(),
            one_soft_bounce_a_day: true,
            soft_bounce_window_seconds: window.map(|hours| hours * 3600),
            expiry_seconds: expiry.into_iter().map(|hours| (Reason::SoftBounces, hours * 3600)).collect(),
            ..Policy::default()
        };
        let soft = |(number, age)| Event { time: hours_ago(age), ..bounce("b", "quota-issues", number) };
        (policy, record(&ages.into_iter().enumerate().map(soft).collect::<Vec<_>>()))
    })
}

fn is_suppressed(policy: &Policy, incidents: &Incidents, record: &Record) -> bool {
    verdict(policy, incidents, record, NOW).is_suppressed()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8000))]

    #[test]
    fn incidents_suppress_nobody_who_is_not_suppressed_without_them(
        policy in policies(),
        record in records(),
        incidents in incident_sets(),
    ) {
        // Of that rule see `an_incident_may_let_a_later_soft_bounce_of_its_day_count`.
        let policy = Policy { one_soft_bounce_a_day: false, ..policy };
        if is_suppressed(&policy, &incidents, &record) {
            prop_assert!(is_suppressed(&policy, &Incidents::default(), &record));
        }
        prop_assert_eq!(may_be_suppressed(&policy, &record, NOW), is_suppressed(&policy, &Incidents::default(), &record));
    }

    #[test]
    fn what_is_not_suppressed_in_doubt_is_not_suppressed_by_any_incidents(
        (policy, record) in prop_oneof![(policies(), records()), daily()],
        last_read in prop::option::of(incident_sets()),
        incidents in incident_sets(),
    ) {
        match outdated_verdict(&policy, last_read.as_ref(), &record, NOW) {
            Some(said) if said.is_suppressed() => {
                prop_assert_eq!(Some(said), last_read.map(|last_read| verdict(&policy, &last_read, &record, NOW)));
            }
            Some(_) => prop_assert!(!is_suppressed(&policy, &incidents, &record)),
            None => prop_assert!(may_be_suppressed(&policy, &record, NOW)),
        }
        prop_assert!(may_be_suppressed(&policy, &record, NOW) || !is_suppressed(&policy, &incidents, &record));
    }
}

#[test]
fn without_the_incidents_only_what_none_could_change_is_said() {
    let policy = Policy::default();
    let said = |last_read: Option<&Incidents>, record: &Record| outdated_verdict(&policy, last_read, record, NOW);
    let soft = record(&[bounce("b", "quota-issues", 1)]);
    let hard = record(&[bounce("b", "bad-mailbox", 1)]);
    let covering = opened(Scope::between(UnixSeconds::default(), NOW));
    let elsewhere = opened(Scope { domain: Some("y.example".into()), ..Scope::between(UnixSeconds::default(), NOW) });
    // Not suppressed without any incident: nor with one, read or not. The words are those of the ones that were read.
    assert_eq!(said(None, &soft), Some(judge(&soft)));
    assert_eq!(said(Some(&covering), &soft).map(|verdict| (verdict.soft_bounces, verdict.left_out)), Some((0, 1)));
    // Suppressed by those that were read.
    assert_eq!(said(Some(&elsewhere), &hard), Some(judge(&hard)));
    // One released it, and may be closed by now; or there may be one that nobody has read.
    assert_eq!(said(Some(&covering), &hard), None);
    assert_eq!(said(None, &hard), None);
}

#[test]
fn an_incident_may_let_a_later_soft_bounce_of_its_day_count() {
    let at = |hours| Event { time: hours_ago(hours), ..bounce("b", "quota-issues", usize::try_from(hours).unwrap()) };
    // Of one day, as `NOW` is at 22:13.
    let both = record(&[at(46), at(30)]);
    let of_first = opened(Scope::between(hours_ago(46), hours_ago(46)));
    let one = Policy { soft_bounce_limit: SoftBounceLimit::new(1).unwrap(), one_soft_bounce_a_day: true, ..Policy::default() };
    let forty_hours = 40 * 3600;
    for policy in [
        Policy { soft_bounce_window_seconds: Some(forty_hours), ..one.clone() },
        Policy { expiry_seconds: [(Reason::SoftBounces, forty_hours)].into(), ..one },
    ] {
        assert!(!is_suppressed(&policy, &Incidents::default(), &both));
        assert!(is_suppressed(&policy, &of_first, &both));
        assert_eq!(outdated_verdict(&policy, None, &both, NOW), None);
        assert!(outdated_verdict(&policy, Some(&of_first), &both, NOW).is_some_and(|verdict| verdict.is_suppressed()));
    }
}
