use prometheus_client::encoding::text::encode;
use prometheus_client::registry::Registry;
use suppressd_core::event::body::Body;
use suppressd_core::{Classifier, OutageGuard};

use super::*;

const NOW: UnixSeconds = UnixSeconds::clamped(1_700_000_000);

fn slot(number: usize) -> Slot {
    Slot::from_number(i64::try_from(number).unwrap())
}

/// With a guard, whichever.
fn policy() -> Policy {
    let guard = OutageGuard { minimum_hard_bounces: 1, ratio: 5, window_seconds: 3600, past_seconds: 3600, covers_seconds: 3600 };
    Policy { outage_guard: Some(guard), ..Policy::default() }
}

fn counter() -> (Counter, Registry) {
    let mut registry = Registry::default();
    (Counter::new(Metrics::register(&mut registry)), registry)
}

fn uncounted(registry: &Registry) -> String {
    let mut exposition = String::new();
    encode(&mut exposition, registry).unwrap();
    let line = exposition.lines().find_map(|line| line.strip_prefix("suppressd_outage_guard_uncounted_answers_total "));
    line.unwrap().to_owned()
}

/// An event that happened so many seconds ago.
fn event(kind: &str, recipient: &str, category: &str, ago: i64) -> Event {
    let time = NOW.get() - ago;
    let body = format!(r#"{{"type":"{kind}","rcpt":"{recipient}","bounceCat":"{category}","timeLogged":"{time}"}}"#);
    Body::read(body.as_bytes(), NOW, Classifier::builtin()).events.remove(0)
}

fn all(untold: Untold) -> Vec<DomainAnswers> {
    untold.flatten().collect()
}

#[test]
fn answers_are_counted_by_domain_and_by_when_they_were_given() {
    let (counter, _) = counter();
    let events = [
        event("b", "a@x.example", "bad-mailbox", 0),
        event("rb", "b@x.example", "quota-issues", 0),
        event("d", "c@x.example", "", 0),
        event("f", "d@x.example", "", 0),
        event("b", "e@x.example", "bad-mailbox", 3600),
        event("b", "f@y.example", "bad-mailbox", 0),
        event("b", "g@x.example", "bad-mailbox", 0),
        event("b", "h@x.example", "bad-mailbox", 0),
    ];
    let mut outcomes = [Outcome::Recorded; 8];
    outcomes[6] = Outcome::Duplicate;
    outcomes[7] = Outcome::Ignored;
    counter.count(&policy(), &events, &outcomes, NOW);
    let (now, before) = (Slot::of(NOW), Slot::of(UnixSeconds::clamped(NOW.get() - 3600)));
    let expected = [("x.example", before, 1, 1), ("x.example", now, 1, 3), ("y.example", now, 1, 1)];
    let expected = expected.map(|(domain, slot, hard, all)| {
        let answers = Answers { hard, all };
        DomainAnswers { domain: domain.into(), slot, answers }
    });
    assert_eq!(all(counter.take()), expected);
    assert!(all(counter.take()).is_empty());
}

#[test]
fn the_policy_decides_whether_there_is_counting_and_what_is_hard() {
    let (counter, _) = counter();
    let events = [event("b", "a@x.example", "other", 0), event("b", "b@x.example", "bad-mailbox", 0)];
    let outcomes = [Outcome::Recorded; 2];
    counter.count(&Policy::default(), &events, &outcomes, NOW);
    assert!(all(counter.take()).is_empty(), "there is no guard");
    let classes = [("other", Class::Hard), ("bad-mailbox", Class::Soft)];
    let classes = classes.map(|(category, class)| (suppressd_core::BounceCategory::from_wire(category), class)).into();
    counter.count(&Policy { classes, ..policy() }, &events[..1], &outcomes, NOW);
    assert_eq!(all(counter.take())[0].answers, Answers::one(true));
}

#[test]
fn what_is_older_than_is_kept_takes_no_room() {
    let (counter, registry) = counter();
    let kept = suppressd_core::KEPT_ANSWERS_SECONDS;
    let events = [event("b", "a@x.example", "bad-mailbox", kept), event("b", "b@x.example", "bad-mailbox", kept + 600)];
    counter.count(&policy(), &events, &[Outcome::Recorded; 2], NOW);
    let taken = all(counter.take());
    assert_eq!(taken.len(), 1);
    assert_eq!((taken[0].slot, taken[0].answers), (Slot::oldest_kept(NOW), Answers::one(true)));
    assert_eq!(uncounted(&registry), "0");
}

#[test]
fn a_full_table_still_counts_what_it_knows() {
    let (counter, registry) = counter();
    let mut table = Counted::default();
    for number in 0..MAX_COUNTED_SLOTS {
        assert_eq!(table.add(&format!("{}.example", number / 2), slot(number % 2), Answers::one(true)), 0);
    }
    assert_eq!(table.add("0.example", slot(2), Answers { hard: 0, all: 7 }), 7);
    assert_eq!(table.add("new.example", slot(0), Answers::one(true)), 1);
    assert_eq!(table.add("0.example", slot(1), Answers::one(false)), 0);
    assert_eq!(table.slots, MAX_COUNTED_SLOTS);
    assert_eq!(counter.counted().merge(table), 0);
    let events = [event("b", "a@new.example", "bad-mailbox", 0)];
    counter.count(&policy(), &events, &[Outcome::Recorded], NOW);
    assert_eq!(uncounted(&registry), "1");
    let taken = all(counter.take());
    assert_eq!(taken.len(), MAX_COUNTED_SLOTS);
    assert_eq!(taken[1].answers, Answers { hard: 1, all: 2 });
    counter.count(&policy(), &events, &[Outcome::Recorded], NOW);
    assert_eq!(uncounted(&registry), "1", "there is room again");
}

/// One answer in each of so many stretches of time of a domain.
fn untold(of: &[(&str, usize)]) -> Untold {
    let slots = |count| (0..count).map(|number| (slot(number), Answers::one(true))).collect();
    Untold(of.iter().map(|(domain, count)| ((*domain).into(), slots(*count))).collect())
}

#[test]
fn calls_are_bounded_and_never_split_a_domain() {
    let calls = untold(&[("a", MAX_SLOTS_PER_CALL - 1), ("b", 2), ("c", 1000), ("d", 1)]);
    assert_eq!(calls.map(|call| call.len()).collect::<Vec<_>>(), [MAX_SLOTS_PER_CALL - 1, 2, 1000, 1]);
    let names: Vec<_> = (0..=MAX_SLOTS_PER_CALL).map(|number| format!("{number:03}")).collect();
    let calls = untold(&names.iter().map(|name| (&**name, 1)).collect::<Vec<_>>());
    assert_eq!(calls.map(|call| call.len()).collect::<Vec<_>>(), [MAX_SLOTS_PER_CALL, 1]);
}

#[test]
fn no_call_has_domains_of_two_shards() {
    let shards =
        untold(&[("a1", 1), ("b1", 2), ("c2", 1), ("d1", 1), ("e2", 3)]).by_shard(|domain| usize::from(domain.ends_with('2')));
    let domains = |shard| all(shard).into_iter().map(|counted| counted.domain).collect::<Vec<_>>();
    assert_eq!(
        shards.map(domains).collect::<Vec<_>>(),
        [&["a1", "b1", "b1", "d1"].map(Box::from)[..], &["c2", "e2", "e2", "e2"].map(Box::from)]
    );
}
