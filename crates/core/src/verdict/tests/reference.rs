//! The verdict against a plain reading of the rules: no orders, no indices, every question asked anew of the whole history.

use super::*;
use crate::{BounceCategory, EventId, EventKind};

/// What happens to one address, in the order in which it arrives. Fewer events than are kept, so that all of them are.
#[derive(Debug, Clone)]
pub(super) struct History {
    pub(super) arrivals: Vec<Event>,
    lift: Option<i64>,
    incident: Option<(i64, i64)>,
}

/// Hours before now, so that days are crossed, and bounds are met exactly.
pub(super) fn hours_ago(hours: i64) -> UnixSeconds {
    UnixSeconds::clamped(NOW.get() - hours * 3600)
}

fn arrival() -> impl Strategy<Value = (u8, i64, u8)> {
    // Mostly few hours of few days, so that bounds are met and days are shared.
    let hours =
        prop_oneof![0_i64..24 * 8, (0_i64..4, prop::sample::select(&[0_i64, 1, 2, 23][..])).prop_map(|(d, h)| d * 24 + h)];
    (0_u8..10, hours, 0_u8..4)
}

pub(super) fn history() -> impl Strategy<Value = History> {
    let arrivals = prop::collection::vec(arrival(), 0..14);
    let incident = prop::option::of((0_i64..200, 0_i64..60).prop_map(|(begin, length)| (begin, begin - length)));
    (arrivals, prop::option::weighted(0.2, 0_i64..200), incident).prop_map(|(arrivals, lift, incident)| {
        let arrivals = (0_u64..).zip(arrivals).map(|(number, (what, hours, opinion))| event(number, what, hours, opinion));
        History { arrivals: arrivals.collect(), lift, incident }
    })
}

fn event(number: u64, what: u8, hours: i64, opinion: u8) -> Event {
    let categories = ["quota-issues", "other", "routing-errors", "message-expired", "bad-mailbox", "other", "quota-issues"];
    let kind = match what {
        7 | 8 => EventKind::Delivered,
        9 => EventKind::Complaint,
        other if other % 2 == 0 => EventKind::Bounce,
        _ => EventKind::RemoteBounce,
    };
    let category = categories[usize::from(what) % categories.len()];
    let opinion = ["", "hr:a", "sr:b", "ns:c"][usize::from(opinion)];
    Event {
        // Identities in no order of arrival.
        id: EventId::from_bits(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
        time: hours_ago(hours),
        kind,
        category: BounceCategory::from_wire(category),
        second_opinion: crate::StoredOpinion::from_stored(opinion),
        ..bounce("b", "other", 0)
    }
}

pub(super) fn policies() -> impl Strategy<Value = Policy> {
    let days = |most| prop::option::of((1_u64..most).prop_map(|days| days * 86_400));
    let trust = prop::sample::select(&[Trust::Off, Trust::Advise, Trust::Enforce][..]);
    let expiry = prop::array::uniform3(prop::option::weighted(0.3, 1_u64..200));
    (1_u32..5, days(4), any::<bool>(), any::<bool>(), trust, any::<bool>(), expiry).prop_map(
        |(limit, window, reset, daily, trust, other_is_soft, expiry)| {
            let reasons = [Reason::Complaint, Reason::HardBounce, Reason::SoftBounces];
            let classes = other_is_soft.then(|| (BounceCategory::from_wire("other"), Class::Soft));
            Policy {
                soft_bounce_limit: SoftBounceLimit::new(limit).unwrap(),
                soft_bounce_window_seconds: window,
                delivery_resets_soft_bounces: reset,
                one_soft_bounce_a_day: daily,
                second_opinion: trust,
                classes: classes.into_iter().collect(),
                expiry_seconds: reasons.into_iter().zip(expiry).filter_map(|(r, hours)| Some((r, hours? * 3600))).collect(),
                ..Policy::default()
            }
        },
    )
}

/// The class that an event counts as.
fn class(policy: &Policy, event: &Event) -> &'static str {
    let category = event.category.as_str();
    match (event.kind, category) {
        (EventKind::Delivered, _) => "delivery",
        (EventKind::Complaint, _) => "complaint",
        (_, "bad-mailbox") => "hard",
        (_, "quota-issues" | "routing-errors") => "soft",
        (_, "message-expired") => "none",
        (_, _) if !policy.classes.is_empty() => "soft",
        (_, _) if policy.second_opinion == Trust::Enforce => match event.second_opinion.as_ref().map(|opinion| &*opinion.rule) {
            Some("a") => "hard",
            Some("b") => "soft",
            _ => "none",
        },
        (_, _) => "none",
    }
}

/// The time of the latest delivery that came when there was a record already.
fn last_delivery(history: &History) -> Option<UnixSeconds> {
    let is_delivery = |event: &&Event| event.kind == EventKind::Delivered;
    let first_bounce = history.arrivals.iter().position(|event| event.kind != EventKind::Delivered)?;
    history.arrivals[first_bounce..].iter().filter(is_delivery).map(|event| event.time).max()
}

/// Whether an event of a class counts, all others being looked at for it.
fn counts(policy: &Policy, history: &History, event: &Event) -> bool {
    let age = NOW.get() - event.time.get();
    let is_lifted = history.lift.is_some_and(|hours| event.time <= hours_ago(hours));
    let is_covered = event.kind != EventKind::Complaint
        && history.incident.is_some_and(|(from, to)| hours_ago(from) <= event.time && event.time <= hours_ago(to));
    if is_lifted || is_covered {
        return false;
    }
    if class(policy, event) != "soft" {
        return true;
    }
    let is_old = policy.soft_bounce_window_seconds.is_some_and(|window| age >= i64::try_from(window).unwrap());
    let is_reset = policy.delivery_resets_soft_bounces && last_delivery(history).is_some_and(|time| event.time <= time);
    if is_old || is_reset {
        return false;
    }
    let any_age_and_number = Policy { one_soft_bounce_a_day: false, soft_bounce_window_seconds: None, ..policy.clone() };
    let is_earlier = |other: &&Event| {
        class(policy, other) == "soft"
            && counts(&any_age_and_number, history, other)
            && other.time.utc_day() == event.time.utc_day()
            && (other.time, other.id) < (event.time, event.id)
    };
    !policy.one_soft_bounce_a_day || !history.arrivals.iter().any(|other| is_earlier(&other))
}

/// Reason and number of soft bounces.
fn reference(policy: &Policy, history: &History) -> (Option<Reason>, usize) {
    let of = |wanted: &str| -> Vec<i64> {
        let of_class = history.arrivals.iter().filter(|event| class(policy, event) == wanted);
        of_class.filter(|event| counts(policy, history, event)).map(|event| event.time.get()).collect()
    };
    let holds = |reason: Reason, class: &str, limit: usize| {
        let times = of(class);
        let expiry = policy.expiry_seconds.get(&reason).map(|seconds| i64::try_from(*seconds).unwrap());
        times.len() >= limit && expiry.is_none_or(|seconds| times.iter().max().unwrap() + seconds > NOW.get())
    };
    let limit = policy.soft_bounce_limit.get() as usize;
    let order = [(Reason::Complaint, "complaint", 1), (Reason::HardBounce, "hard", 1), (Reason::SoftBounces, "soft", limit)];
    let reason = order.into_iter().find(|(reason, class, limit)| holds(*reason, class, *limit)).map(|(reason, ..)| reason);
    (reason, of("soft").len())
}

/// What is known after those arrivals.
pub(super) fn record_of(history: &History, arrivals: &[Event]) -> Record {
    let mut record = record(&[]);
    let mut is_there = false;
    for event in arrivals {
        // A delivery makes no record.
        is_there |= event.kind != EventKind::Delivered;
        if is_there {
            record.take(event);
        }
    }
    record.lift = history.lift.map(|hours| Lift { fence: hours_ago(hours), at: NOW, who: String::new(), why: String::new() });
    record
}

fn judged(policy: &Policy, history: &History, arrivals: &[Event]) -> Verdict {
    let scope = history.incident.map(|(from, to)| Scope::between(hours_ago(from), hours_ago(to)));
    verdict(policy, &scope.map(opened).unwrap_or_default(), &record_of(history, arrivals), NOW)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4000))]

    #[test]
    fn window_reset_daily_cap_and_late_events_are_as_the_rules_say(policy in policies(), history in history()) {
        let verdict = judged(&policy, &history, &history.arrivals);
        let (reason, soft_bounces) = reference(&policy, &history);
        prop_assert_eq!(verdict.suppression.as_ref().map(|suppression| suppression.reason), reason);
        prop_assert_eq!(verdict.soft_bounces as usize, soft_bounces);
        let advised = policy.second_opinion == Trust::Advise && reason.is_none();
        let advice = if advised { reference(&policy.enforcing(), &history).0 } else { None };
        prop_assert_eq!(verdict.advice.map(|suppression| suppression.reason), advice);
    }

    #[test]
    fn bounces_that_come_late_change_nothing_but_their_time_does(policy in policies(), history in history()) {
        // With the deliveries where they are, bounces and complaints may come in any order.
        let mut late = history.clone();
        let mut bounces: Vec<_> = late.arrivals.iter().filter(|event| event.kind != EventKind::Delivered).cloned().collect();
        bounces.sort_by_key(|event| event.id);
        let mut bounces = bounces.into_iter();
        for event in late.arrivals.iter_mut().filter(|event| event.kind != EventKind::Delivered) {
            *event = bounces.next().unwrap();
        }
        prop_assert_eq!(judged(&policy, &history, &history.arrivals), judged(&policy, &history, &late.arrivals));
    }

    #[test]
    fn it_holds_until_it_says(policy in policies(), history in history()) {
        let record = |now| {
            let mut record = record(&history.arrivals);
            record.lift = None;
            verdict(&policy, &Incidents::default(), &record, now)
        };
        if let Some(Suppression { until: Some(until), reason, .. }) = record(NOW).suppression {
            let reason_at = |now: i64| record(UnixSeconds::clamped(now)).suppression.map(|suppression| suppression.reason);
            prop_assert_eq!(reason_at(until.get() - 1), Some(reason));
            prop_assert_ne!(reason_at(until.get()), Some(reason));
        }
    }
}
