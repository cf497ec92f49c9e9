//! Erasure: all that is kept of an address goes, and what suppressed it stays.

use suppressd_core::store::Outcome::{Duplicate, Ignored, Recorded};
use suppressd_core::store::Store;
use suppressd_core::{Erasure, Reason, Record, Tombstone};

use crate::events::{ALICE, BOB, address, at, bounce, complaint, delivery, entry};
use crate::stores::{erase, over_every_store, record_of};

over_every_store!(
    a_tombstone_is_all_that_is_left_and_nothing_undoes_it,
    without_a_tombstone_nothing_is_left_and_a_later_event_begins_anew,
    what_is_another_record_than_was_seen_is_not_erased,
    what_was_never_there_gets_a_tombstone,
    others_keep_what_they_have,
    what_was_erased_is_not_listed_twice,
);

const TOMBSTONE: Tombstone = Tombstone { erased_at: at(5000), reason: Reason::Complaint };

async fn a_tombstone_is_all_that_is_left_and_nothing_undoes_it(store: impl Store) {
    let events = [bounce(ALICE, 1, 100, "bad-mailbox"), complaint(ALICE, 2, 200), delivery(ALICE, 3, 300)];
    store.record(&events).await.unwrap();
    store.suppress(&address(ALICE), entry(5, "asked by phone")).await.unwrap();
    assert!(erase(&store, ALICE, Some(TOMBSTONE)).await);
    let left = Some(Record::erased(address(ALICE), TOMBSTONE));
    assert_eq!(record_of(&store, &address(ALICE)).await, left);

    let later = [bounce(ALICE, 9, 9000, "quota-issues"), delivery(ALICE, 10, 9000), complaint(BOB, 11, 9000)];
    assert_eq!(store.record(&later).await, Ok(vec![Ignored, Ignored, Recorded]));
    assert_eq!(store.record(&later).await, Ok(vec![Ignored, Ignored, Duplicate]));
    assert_eq!(store.record(&events[..1]).await, Ok(vec![Ignored]));
    store.suppress(&address(ALICE), entry(9000, "asked again")).await.unwrap();
    assert_eq!(store.lift(&address(ALICE), at(9000), "ops", "wants it back").await, Ok(true));
    assert_eq!(record_of(&store, &address(ALICE)).await, left);
    // Once more changes nothing: it stays the first one.
    assert!(!erase(&store, ALICE, Some(Tombstone { erased_at: at(9999), reason: Reason::Manual })).await);
    assert_eq!(record_of(&store, &address(ALICE)).await, left);
    assert_eq!(store.compact().await, store.compact().await);
    assert_eq!(record_of(&store, &address(ALICE)).await, left);
}

async fn without_a_tombstone_nothing_is_left_and_a_later_event_begins_anew(store: impl Store) {
    let event = bounce(ALICE, 1, 100, "other");
    store.record(std::slice::from_ref(&event)).await.unwrap();
    store.lift(&address(ALICE), at(200), "ops", "typo").await.unwrap();
    assert!(erase(&store, ALICE, None).await);
    assert_eq!(record_of(&store, &address(ALICE)).await, None);
    assert!(!erase(&store, ALICE, None).await);
    assert_eq!(store.record(&[delivery(ALICE, 2, 300)]).await, Ok(vec![Recorded]));
    assert_eq!(record_of(&store, &address(ALICE)).await, None);
    // It is unknown: not even that the same event was there before is.
    assert_eq!(store.record(&[event]).await, Ok(vec![Recorded]));
    let record = record_of(&store, &address(ALICE)).await.unwrap();
    assert_eq!((record.evidence().len(), record.lift, record.last_delivered), (1, None, None));
}

async fn what_is_another_record_than_was_seen_is_not_erased(store: impl Store) {
    let unchanged = async |seen: Option<&Record>| {
        let before = record_of(&store, &address(ALICE)).await;
        for tombstone in [None, Some(TOMBSTONE)] {
            assert_eq!(store.erase(&address(ALICE), seen, tombstone).await, Ok(Erasure::Changed));
        }
        assert_eq!(record_of(&store, &address(ALICE)).await, before);
        before
    };
    unchanged(Some(&Record::new(address(ALICE)))).await;
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    let first = unchanged(None).await;
    store.record(&[bounce(ALICE, 2, 100, "other")]).await.unwrap();
    let second = unchanged(first.as_ref()).await;
    store.record(&[delivery(ALICE, 3, 100)]).await.unwrap();
    let third = unchanged(second.as_ref()).await;
    store.suppress(&address(ALICE), entry(5, "asked by phone")).await.unwrap();
    let fourth = unchanged(third.as_ref()).await;
    store.lift(&address(ALICE), at(9), "ops", "typo").await.unwrap();
    let fifth = unchanged(fourth.as_ref()).await;
    assert!(erase(&store, ALICE, Some(TOMBSTONE)).await);
    unchanged(fifth.as_ref()).await;
}

async fn what_was_never_there_gets_a_tombstone(store: impl Store) {
    assert!(!erase(&store, ALICE, Some(TOMBSTONE)).await);
    assert_eq!(record_of(&store, &address(ALICE)).await, Some(Record::erased(address(ALICE), TOMBSTONE)));
    assert_eq!(store.record(&[bounce(ALICE, 1, 100, "other")]).await, Ok(vec![Ignored]));
    // Whoever wants even that to go may have it.
    assert!(!erase(&store, ALICE, None).await);
    assert_eq!(record_of(&store, &address(ALICE)).await, None);
}

async fn others_keep_what_they_have(store: impl Store) {
    // One that begins like it, and one of each of many buckets.
    let names: Vec<_> = (0..40).map(|n| format!("alice{n}@example.com")).chain(["alice@example.com.example".into()]).collect();
    let all: Vec<_> = names.iter().map(String::as_str).chain([ALICE]).collect();
    store.record(&all.iter().map(|name| bounce(name, 1, 100, "bad-mailbox")).collect::<Vec<_>>()).await.unwrap();
    let others: Vec<_> = names.iter().map(|name| address(name)).collect();
    let before = store.records(&others).await.unwrap();
    erase(&store, ALICE, None).await;
    assert_eq!(store.records(&others).await.unwrap(), before);
    store.compact().await.unwrap();
    assert_eq!(store.records(&others).await.unwrap(), before);
    assert_eq!(record_of(&store, &address(ALICE)).await, None);
}

async fn what_was_erased_is_not_listed_twice(store: impl Store) {
    let listed = async || {
        let (mut names, mut place) = (Vec::new(), None);
        loop {
            let page = store.list_records(place.as_ref(), 10).await.unwrap();
            names.extend(page.records.iter().map(|record| record.address.as_str().to_owned()));
            place = page.next;
            if place.is_none() {
                names.sort();
                return names;
            }
        }
    };
    store.record(&[bounce(ALICE, 1, 100, "other"), bounce(BOB, 2, 100, "other")]).await.unwrap();
    erase(&store, ALICE, Some(TOMBSTONE)).await;
    assert_eq!(listed().await, [ALICE, BOB]);
    erase(&store, ALICE, None).await;
    assert_eq!(listed().await, [BOB]);
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    assert_eq!(listed().await, [ALICE, BOB]);
}
