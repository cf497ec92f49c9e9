//! What every store does, whatever it keeps its data in.

mod answers;
mod changes;
mod entries;
mod erasure;
mod incidents;
mod letters;
mod listing;
mod whole_domains;

use suppressd_core::store::Outcome::{Duplicate, Ignored, Recorded};
use suppressd_core::store::Store;
use suppressd_core::{Class, DAY_SECONDS, KEPT_DAYS, KEPT_PER_DAY, Letter, LetterUsage, Lift, ManualEntry, UnixSeconds};

use super::{over_every_store, record_of};
use crate::events::{ALICE, BOB, address, at, bounce, complaint, delivery, entry};

over_every_store!(
    an_event_counts_once,
    what_is_older_than_all_that_is_kept_is_ignored,
    answers_come_in_the_order_of_the_questions,
    nothing_asked_is_nothing_answered,
    an_unknown_address_has_no_record,
    a_delivery_is_kept_only_beside_a_record,
    what_is_recorded_comes_back_word_by_word,
    the_same_event_at_once_counts_once,
    many_addresses_at_once_lose_nothing,
    a_record_is_read_as_it_was_at_one_moment,
    clones_share_what_they_keep,
    an_entry_by_hand_is_kept_and_replaced,
    a_lift_fences_off_the_evidence_there_is,
);

pub(super) async fn an_event_counts_once(store: impl Store) {
    let event = bounce(ALICE, 1, 100, "quota-issues");
    // Within one call, in a later one, and in the company of others.
    assert_eq!(store.record(&[event.clone(), event.clone()]).await, Ok(vec![Recorded, Duplicate]));
    assert_eq!(store.record(std::slice::from_ref(&event)).await, Ok(vec![Duplicate]));
    let others = [bounce(ALICE, 2, 100, "quota-issues"), event, complaint(ALICE, 3, 100)];
    assert_eq!(store.record(&others).await, Ok(vec![Recorded, Duplicate, Recorded]));
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    assert_eq!(record.evidence().len(), 3);
    assert_eq!(Class::ALL.map(|class| record.counters.get(class)), [0, 2, 0, 0, 1]);
}

async fn what_is_older_than_all_that_is_kept_is_ignored(store: impl Store) {
    let of_a_day: Vec<_> = (0_u32..).take(KEPT_PER_DAY).map(|n| bounce(ALICE, n.into(), 100 + i64::from(n), "other")).collect();
    assert_eq!(store.record(&of_a_day).await, Ok(vec![Recorded; KEPT_PER_DAY]));
    let before = record_of(&store, &address(ALICE)).await;
    assert_eq!(store.record(&[bounce(ALICE, 99, 99, "other")]).await, Ok(vec![Ignored]));
    assert_eq!(record_of(&store, &address(ALICE)).await, before);
    // A newer one is kept in the place of the oldest, which is then as unknown as if it had never been kept.
    assert_eq!(store.record(&[bounce(ALICE, 99, 900, "other"), of_a_day[0].clone()]).await, Ok(vec![Recorded, Ignored]));
    // Neither another day nor another class is in its way.
    let elsewhere = [bounce(ALICE, 100, 99 + DAY_SECONDS, "other"), bounce(ALICE, 101, 99, "quota-issues")];
    assert_eq!(store.record(&elsewhere).await, Ok(vec![Recorded, Recorded]));
}

async fn answers_come_in_the_order_of_the_questions(store: impl Store) {
    let names: Vec<_> = (0_u32..40).map(|number| format!("a{}@x{}.example", number % 8, number % 8)).collect();
    let events: Vec<_> = (0_u64..).zip(&names).map(|(number, name)| bounce(name, number % 16, 100, "other")).collect();
    let outcomes = store.record(&events).await.unwrap();
    // Of each address, numbers 0 to 7 come with another number every time but the third.
    let expected: Vec<_> = (0..40).map(|place| if place < 16 { Recorded } else { Duplicate }).collect();
    assert_eq!(outcomes, expected);
    let mut asked: Vec<_> = names.iter().rev().map(|name| address(name)).collect();
    asked.insert(5, address("nobody@x.example"));
    let records = store.records(&asked).await.unwrap();
    let answered: Vec<_> = records.iter().map(|record| record.as_ref().map(|record| record.address.clone())).collect();
    let expected: Vec<_> = asked.into_iter().map(|asked| (asked.as_str() != "nobody@x.example").then_some(asked)).collect();
    assert_eq!(answered, expected);
}

async fn nothing_asked_is_nothing_answered(store: impl Store) {
    assert_eq!(store.record(&[]).await, Ok(vec![]));
    assert_eq!(store.records(&[]).await, Ok(vec![]));
    assert_eq!(store.keep_letters(vec![], at(1)).await, Ok(vec![]));
    assert_eq!(store.letter_heads(None, 10).await, Ok(vec![]));
    assert_eq!(store.letter_usage().await, Ok(LetterUsage::default()));
    assert_eq!(store.probe().await, Ok(()));
}

async fn an_unknown_address_has_no_record(store: impl Store) {
    store.record(&[bounce("alice@example.com.example", 1, 1, "other")]).await.unwrap();
    let near = ["alice@example.com", "lice@example.com.example", "a@x.example"].map(address);
    assert_eq!(store.records(&near).await, Ok(vec![None, None, None]));
    assert_eq!(store.lift(&near[0], at(1), "ops", "").await, Ok(false));
    assert_eq!(store.records(&near).await, Ok(vec![None, None, None]));
}

async fn a_delivery_is_kept_only_beside_a_record(store: impl Store) {
    assert_eq!(store.record(&[delivery(ALICE, 1, 300), delivery(ALICE, 1, 300)]).await, Ok(vec![Recorded, Recorded]));
    assert_eq!(record_of(&store, &address(ALICE)).await, None);
    // Within one call the record is there from the bounce on.
    let events = [delivery(ALICE, 2, 900), bounce(ALICE, 3, 100, "other"), delivery(ALICE, 4, 500), delivery(ALICE, 4, 500)];
    assert_eq!(store.record(&events).await, Ok(vec![Recorded, Recorded, Recorded, Duplicate]));
    assert_eq!(store.record(&[delivery(ALICE, 5, 400), delivery(ALICE, 6, 501)]).await, Ok(vec![Ignored, Recorded]));
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    assert_eq!((record.last_delivered, record.evidence().len()), (Some(at(501)), 1));
}

async fn what_is_recorded_comes_back_word_by_word(store: impl Store) {
    let words = ["", "a|b", "100%", "%7C%25", "\u{e9}\u{1f4e7}", "a\nb", "\"quoted\"\\", "e:x", "\u{0}"];
    let mut events: Vec<_> = (0_u32..)
        .zip(words)
        .map(|(number, word)| suppressd_core::Event {
            vmta: word.into(),
            account: word.into(),
            ..bounce(ALICE, u64::MAX - u64::from(number), i64::from(number), word)
        })
        .collect();
    events.push(suppressd_core::Event { time: UnixSeconds::MAX, status: None, ..complaint(ALICE, 7, 0) });
    assert_eq!(store.record(&events).await, Ok(vec![Recorded; events.len()]));
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    let expected: Vec<_> = events.iter().filter_map(suppressd_core::Event::evidence).collect();
    assert_eq!(record.evidence(), expected);
}

async fn the_same_event_at_once_counts_once(store: impl Store) {
    let record_it = |_| {
        let store = store.clone();
        tokio::spawn(async move { store.record(&[bounce(ALICE, 1, 100, "quota-issues")]).await })
    };
    let tasks: Vec<_> = (0..100).map(record_it).collect();
    let mut outcomes = Vec::new();
    for task in tasks {
        outcomes.extend(task.await.unwrap().unwrap());
    }
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Recorded).count(), 1);
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Duplicate).count(), 99);
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    assert_eq!((record.evidence().len(), record.counters.get(Class::Soft)), (1, 1));
}

pub(super) async fn many_addresses_at_once_lose_nothing(store: impl Store) {
    // Each task records for all addresses, so every record is written by all of them.
    let names: Vec<_> = (0..10).map(|number| format!("a{number}@x.example")).collect();
    let record_some = |task: u64| {
        let (store, names) = (store.clone(), names.clone());
        tokio::spawn(async move {
            let events: Vec<_> = names.iter().map(|name| bounce(name, task, 100, "bad-mailbox")).collect();
            store.record(&events).await
        })
    };
    let tasks: Vec<_> = (0..16).map(record_some).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(vec![Recorded; 10]));
    }
    for name in &names {
        let record = record_of(&store, &address(name)).await.unwrap();
        assert_eq!((record.evidence().len(), record.counters.get(Class::Hard)), (16, 16));
    }
}

async fn a_record_is_read_as_it_was_at_one_moment(store: impl Store) {
    // Each call fills a day: what is kept and what was counted differ only while it is half written.
    let fill_days = {
        let store = store.clone();
        tokio::spawn(async move {
            for day in 0..KEPT_DAYS as u64 {
                let number = |number| bounce(ALICE, day * 1000 + number, day.cast_signed() * DAY_SECONDS, "quota-issues");
                store.record(&(0..KEPT_PER_DAY as u64).map(number).collect::<Vec<_>>()).await.unwrap();
            }
        })
    };
    loop {
        let is_filled = fill_days.is_finished();
        let by_address = record_of(&store, &address(ALICE)).await;
        let listed = store.list_records(None, 1).await.unwrap().records.pop();
        for record in [by_address, listed].into_iter().flatten() {
            let counted = record.counters.get(Class::Soft);
            assert_eq!(record.evidence().len() as u64, counted);
            assert!(counted.is_multiple_of(KEPT_PER_DAY as u64), "{counted}");
        }
        if is_filled {
            return fill_days.await.unwrap();
        }
    }
}

pub(super) async fn clones_share_what_they_keep(store: impl Store) {
    let other = store.clone();
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    assert_eq!(other.record(&[bounce(ALICE, 1, 100, "other")]).await, Ok(vec![Duplicate]));
    other.suppress(&address(BOB), entry(1, "")).await.unwrap();
    other.keep_letters(vec![Letter::new(b"{", String::new(), at(1))], at(1)).await.unwrap();
    drop(other);
    assert!(record_of(&store, &address(BOB)).await.is_some());
    assert_eq!(store.letter_usage().await, Ok(LetterUsage { letters: 1, content_bytes: 1 }));
}

pub(super) async fn an_entry_by_hand_is_kept_and_replaced(store: impl Store) {
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    store.suppress(&address(ALICE), entry(5, "first")).await.unwrap();
    let second = ManualEntry { until: Some(at(900)), ..entry(6, "\"second\": {|}\n\u{e9}") };
    for name in [ALICE, BOB] {
        store.suppress(&address(name), second.clone()).await.unwrap();
        assert_eq!(record_of(&store, &address(name)).await.unwrap().manual, Some(second.clone()));
    }
    assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 1);
    assert_eq!(store.lift(&address(BOB), at(7), "ops", "").await, Ok(true));
    assert_eq!(record_of(&store, &address(BOB)).await.unwrap().manual, None);
}

async fn a_lift_fences_off_the_evidence_there_is(store: impl Store) {
    store.record(&[bounce(ALICE, 1, 900, "other"), bounce(ALICE, 2, 700, "bad-mailbox")]).await.unwrap();
    // Evidence later than now, and words that look like the field that is set.
    let why = "\"fence\":1, %1 |\u{e9}";
    assert_eq!(store.lift(&address(ALICE), at(800), "\"fence\":2", why).await, Ok(true));
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    assert_eq!(record.lift, Some(Lift { fence: at(900), at: at(800), who: "\"fence\":2".into(), why: why.into() }));
    assert_eq!(record.evidence().len(), 2);
    // A later lift is the one that holds, and later evidence is taken as ever.
    assert_eq!(store.lift(&address(ALICE), at(950), "ops", "again").await, Ok(true));
    assert_eq!(store.record(&[bounce(ALICE, 3, 951, "other")]).await, Ok(vec![Recorded]));
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    assert_eq!(record.lift, Some(Lift { fence: at(950), at: at(950), who: "ops".into(), why: "again".into() }));
    assert_eq!(store.lift(&address(ALICE), UnixSeconds::MAX, "ops", "").await, Ok(true));
    assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().lift.unwrap().fence, UnixSeconds::MAX);
}
