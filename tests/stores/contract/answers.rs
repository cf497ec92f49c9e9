//! How domains answered.

use std::collections::BTreeMap;

use suppressd_core::store::{AnswerStore, DomainAnswers, Store};
use suppressd_core::{Answers, AnswersBySlot, KEPT_ANSWERS_SECONDS, SLOT_SECONDS, Slot, UnixSeconds};

use crate::events::at;
use crate::stores::over_every_store;

over_every_store!(
    answers_add_up,
    only_domains_with_hard_answers_are_given_and_once_each,
    domains_do_not_share_answers,
    answers_that_are_too_old_are_neither_added_nor_given,
    answers_at_once_lose_nothing,
);

const NOW: i64 = 1_700_000_000;

/// Answers of a domain in the stretch of time that is so many before that of `NOW`.
fn answers(domain: &str, back: i64, hard: u64, all: u64) -> DomainAnswers {
    DomainAnswers { domain: domain.into(), slot: slot(back), answers: Answers { hard, all } }
}

fn slot(back: i64) -> Slot {
    Slot::from_number(Slot::of(at(NOW)).number() - back)
}

async fn count(store: &impl AnswerStore, counted: &[DomainAnswers], now: UnixSeconds) -> BTreeMap<Box<str>, AnswersBySlot> {
    let given = store.count_answers(counted, now).await.unwrap();
    let count = given.len();
    let by_domain: BTreeMap<_, _> = given.into_iter().collect();
    assert_eq!(by_domain.len(), count, "a domain is given twice");
    by_domain
}

/// What is given of one domain.
fn given(domain: &str, of: &[(i64, u64, u64)]) -> BTreeMap<Box<str>, AnswersBySlot> {
    let by_slot = of.iter().map(|(back, hard, all)| (slot(*back), Answers { hard: *hard, all: *all })).collect();
    BTreeMap::from([(domain.into(), by_slot)])
}

async fn answers_add_up(store: impl Store) {
    let now = at(NOW);
    let first = [answers("x.example", 0, 1, 1), answers("x.example", 3, 0, 5), answers("x.example", 0, 2, 7)];
    assert_eq!(count(&store, &first, now).await, given("x.example", &[(0, 3, 8), (3, 0, 5)]));
    // A time that is ahead is one like others.
    let second = [answers("x.example", 3, 1, 1), answers("x.example", -2, 0, 9)];
    assert_eq!(count(&store.clone(), &second, now).await, given("x.example", &[(0, 3, 8), (3, 1, 6), (-2, 0, 9)]));
    let many = [answers("x.example", 0, 1_000_000_000_000, 1_000_000_000_000)];
    let expected = given("x.example", &[(0, 1_000_000_000_003, 1_000_000_000_008), (3, 1, 6), (-2, 0, 9)]);
    assert_eq!(count(&store, &many, now).await, expected);
}

async fn only_domains_with_hard_answers_are_given_and_once_each(store: impl Store) {
    let now = at(NOW);
    assert_eq!(store.count_answers(&[], now).await, Ok(vec![]));
    assert!(count(&store, &[answers("x.example", 0, 0, 4), answers("y.example", 0, 0, 1)], now).await.is_empty());
    let both = [answers("y.example", 0, 0, 1), answers("x.example", 1, 1, 1), answers("x.example", 0, 1, 1)];
    assert_eq!(count(&store, &both, now).await, given("x.example", &[(0, 1, 5), (1, 1, 1)]));
    // That there were some before does not make it one that is asked for.
    assert!(count(&store, &[answers("x.example", 0, 0, 1)], now).await.is_empty());
    assert_eq!(count(&store, &[answers("y.example", 0, 1, 1)], now).await, given("y.example", &[(0, 1, 3)]));
}

async fn domains_do_not_share_answers(store: impl Store) {
    let names = ["x", "x.example", "x.example.org", "x.exampl", "xn--bcher-kva.example", "[192.0.2.1]", "[ipv6:2001:db8::1]"];
    let counted: Vec<_> = (1..).zip(names).map(|(number, name)| answers(name, 0, number, 2 * number)).collect();
    let found = count(&store, &counted, at(NOW)).await;
    assert_eq!(found.len(), names.len());
    for (number, name) in (1..).zip(names) {
        assert_eq!(found.get(name), given(name, &[(0, number, 2 * number)]).get(name));
    }
}

async fn answers_that_are_too_old_are_neither_added_nor_given(store: impl Store) {
    let now = at(NOW);
    let kept = KEPT_ANSWERS_SECONDS / SLOT_SECONDS;
    assert_eq!(Slot::oldest_kept(now), slot(kept));
    assert!(count(&store, &[answers("x.example", kept + 1, 5, 5)], now).await.is_empty());
    let around = [answers("x.example", kept + 1, 5, 5), answers("x.example", kept, 1, 2), answers("x.example", kept - 1, 3, 4)];
    assert_eq!(count(&store, &around, now).await, given("x.example", &[(kept, 1, 2), (kept - 1, 3, 4)]));
    // Ten minutes later the oldest is too old, in whatever stretch of time the next answer is.
    let later = now.plus(SLOT_SECONDS.unsigned_abs());
    assert_eq!(count(&store, &[answers("x.example", kept - 1, 1, 1)], later).await, given("x.example", &[(kept - 1, 4, 5)]));
    let much_later = now.plus(KEPT_ANSWERS_SECONDS.unsigned_abs());
    assert_eq!(count(&store, &[answers("x.example", -1, 1, 1)], much_later).await, given("x.example", &[(-1, 1, 1)]));
    // They are gone, and not only hidden.
    assert_eq!(count(&store, &[answers("x.example", kept, 1, 1)], now).await, given("x.example", &[(-1, 1, 1), (kept, 1, 1)]));
}

async fn answers_at_once_lose_nothing(store: impl Store) {
    let count_some = |task: i64| {
        let store = store.clone();
        tokio::spawn(async move {
            for back in 0..5 {
                let both = [answers("x.example", back, 1, 2), answers(&format!("y{}.example", task % 3), 0, 0, 1)];
                store.count_answers(&both, at(NOW)).await.unwrap();
            }
        })
    };
    let tasks: Vec<_> = (0..30).map(count_some).collect();
    for task in tasks {
        task.await.unwrap();
    }
    let of_x = [(0, 31, 61), (1, 30, 60), (2, 30, 60), (3, 30, 60), (4, 30, 60)];
    assert_eq!(count(&store, &[answers("x.example", 0, 1, 1)], at(NOW)).await, given("x.example", &of_x));
    for number in 0..3 {
        let name = format!("y{number}.example");
        assert_eq!(count(&store, &[answers(&name, 0, 1, 1)], at(NOW)).await, given(&name, &[(0, 1, 51)]));
    }
}
