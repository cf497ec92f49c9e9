//! The latest changes, for whoever follows them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use suppressd_core::store::{Change, ChangeKind, ChangePage, ChangePosition, Store};
use suppressd_core::{Address, Class, EventId, EventKind, KEPT_PER_DAY, Reason, Tombstone};

use crate::events::{ALICE, BOB, address, at, bounce, complaint, delivery, entry};
use crate::servers::suppressd::PATIENCE;
use crate::stores::{CHANGES_KEPT, erase, over_every_store, record_of};

over_every_store!(
    every_change_is_told_once_and_in_its_order,
    what_changes_nothing_is_no_change,
    a_position_outlives_whoever_had_it,
    a_change_comes_with_the_record_as_it_is_by_then,
    what_was_not_kept_is_lost_and_not_left_out,
    a_position_of_another_store_is_lost,
    records_since_a_position_are_all_records,
    whoever_waits_hears_of_a_change,
    changes_made_at_once_are_told_once,
    a_tombstone_is_told_and_nothing_that_comes_after_it,
    whoever_hears_of_an_address_that_is_gone_begins_anew,
);

/// Everything behind a position, which is then behind all of it.
async fn all_behind(store: &impl Store, position: &mut ChangePosition) -> Vec<Change> {
    let mut all = Vec::new();
    loop {
        let ChangePage { changes, has_more } = store.changes_behind(position).await.unwrap().expect("nothing is lost");
        for change in &changes {
            position.pass(change);
        }
        all.extend(changes);
        if !has_more {
            return all;
        }
    }
}

fn kinds_of(changes: &[Change], name: &str) -> Vec<ChangeKind> {
    changes.iter().filter(|change| change.address == address(name)).map(|change| change.kind).collect()
}

fn recorded(kind: EventKind, class: Class, number: u64) -> ChangeKind {
    ChangeKind::Event { kind, class, id: EventId::from_bits(number) }
}

async fn every_change_is_told_once_and_in_its_order(store: impl Store) {
    let mut position = store.end_of_changes().await.unwrap();
    assert!(all_behind(&store, &mut position).await.is_empty());
    let events = [
        bounce(ALICE, 1, 100, "bad-mailbox"),
        bounce(BOB, 1, 100, "quota-issues"),
        complaint(ALICE, 2, 200),
        bounce(ALICE, 3, 300, "message-expired"),
    ];
    store.record(&events).await.unwrap();
    store.suppress(&address(ALICE), entry(5, "asked to")).await.unwrap();
    store.lift(&address(ALICE), at(900), "ops", "x").await.unwrap();
    store.record(&[bounce(ALICE, 4, 1000, "made-up")]).await.unwrap();
    store.enter(&[(address(ALICE), entry(6, "many")), (address(ALICE), entry(6, "many"))]).await.unwrap();
    let changes = all_behind(&store, &mut position).await;
    let (bounced, complained) = (EventKind::Bounce, EventKind::Complaint);
    let of_alice = [
        recorded(bounced, Class::Hard, 1),
        recorded(complained, Class::Complaint, 2),
        recorded(bounced, Class::Expired, 3),
        ChangeKind::Suppressed,
        ChangeKind::Lifted,
        recorded(bounced, Class::Unmapped, 4),
        // The second of the two changes nothing.
        ChangeKind::Suppressed,
    ];
    assert_eq!(kinds_of(&changes, ALICE), of_alice);
    assert_eq!(kinds_of(&changes, BOB), [recorded(bounced, Class::Soft, 1)]);
    let ids: BTreeSet<_> = changes.iter().map(|change| &change.id).collect();
    assert_eq!((ids.len(), changes.len()), (8, 8));
    assert!(all_behind(&store, &mut position).await.is_empty());
    assert_eq!(store.end_of_changes().await, Ok(position));
}

async fn what_changes_nothing_is_no_change(store: impl Store) {
    let of_a_day: Vec<_> = (0..KEPT_PER_DAY as u64).map(|number| bounce(ALICE, number, 900, "other")).collect();
    store.record(&of_a_day).await.unwrap();
    let mut position = store.end_of_changes().await.unwrap();
    // Duplicates, what is older than what is kept, deliveries, and a lift where there is nothing to lift.
    store.record(&of_a_day).await.unwrap();
    store.record(&[bounce(ALICE, 99, 1, "other"), delivery(ALICE, 100, 5000), delivery(BOB, 101, 5000)]).await.unwrap();
    assert_eq!(store.lift(&address(BOB), at(1), "ops", "").await, Ok(false));
    assert!(all_behind(&store, &mut position).await.is_empty());
}

async fn a_position_outlives_whoever_had_it(store: impl Store) {
    let begin = store.end_of_changes().await.unwrap();
    let names: Vec<_> = (0..40).map(|number| format!("a{}@x.example", number % 7)).collect();
    let events: Vec<_> = (0..).zip(&names).map(|(number, name)| bounce(name, number, 100, "other")).collect();
    store.record(&events).await.unwrap();
    let all = all_behind(&store, &mut begin.clone()).await;
    assert_eq!(all.len(), 40);
    // Cut off behind each of them, and gone on from the bytes that were kept.
    let mut position = begin;
    let mut told = Vec::new();
    while let Some(change) = store.changes_behind(&position).await.unwrap().unwrap().changes.into_iter().next() {
        position.pass(&change);
        told.push(change.id);
        let bytes = position.to_bytes();
        position = ChangePosition::from_bytes(&bytes).unwrap().0;
    }
    let [told, expected]: [BTreeSet<_>; 2] = [told, all.into_iter().map(|change| change.id).collect()].map(BTreeSet::from_iter);
    assert_eq!(told, expected);
}

async fn a_tombstone_is_told_and_nothing_that_comes_after_it(store: impl Store) {
    store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await.unwrap();
    let mut position = store.end_of_changes().await.unwrap();
    let tombstone = Tombstone { erased_at: at(700), reason: Reason::HardBounce };
    assert!(erase(&store, ALICE, Some(tombstone)).await);
    store.suppress(&address(ALICE), entry(5, "asked to")).await.unwrap();
    store.lift(&address(ALICE), at(900), "ops", "x").await.unwrap();
    store.record(&[bounce(ALICE, 2, 1000, "bad-mailbox")]).await.unwrap();
    let changes = all_behind(&store, &mut position).await;
    assert_eq!(kinds_of(&changes, ALICE), [ChangeKind::Erased]);
    assert_eq!(changes[0].time(), Some(at(700)));
}

async fn whoever_hears_of_an_address_that_is_gone_begins_anew(store: impl Store) {
    let before_all = store.end_of_changes().await.unwrap();
    store.record(&[bounce(ALICE, 1, 100, "bad-mailbox"), bounce(BOB, 1, 100, "bad-mailbox")]).await.unwrap();
    let behind_it = store.end_of_changes().await.unwrap();
    assert!(erase(&store, ALICE, None).await);
    for position in [before_all, behind_it] {
        assert_eq!(store.changes_behind(&position).await, Ok(None));
    }
    // Whoever does so hears of all that follows.
    let mut position = store.end_of_changes().await.unwrap();
    store.record(&[bounce(ALICE, 2, 200, "bad-mailbox")]).await.unwrap();
    let changes = all_behind(&store, &mut position).await;
    assert_eq!(kinds_of(&changes, ALICE), [recorded(EventKind::Bounce, Class::Hard, 2)]);
}

async fn a_change_comes_with_the_record_as_it_is_by_then(store: impl Store) {
    let mut position = store.end_of_changes().await.unwrap();
    store.record(&[bounce(ALICE, 1, 100, "bad-mailbox"), bounce(ALICE, 2, 200, "other")]).await.unwrap();
    store.suppress(&address(ALICE), entry(5, "asked to")).await.unwrap();
    let changes = all_behind(&store, &mut position).await;
    let record = record_of(&store, &address(ALICE)).await;
    assert!(changes.len() == 3 && changes.iter().all(|change| change.record == record), "{changes:?}");
    assert_eq!(changes.iter().map(Change::time).collect::<Vec<_>>(), [Some(at(100)), Some(at(200)), Some(at(5))]);
    store.lift(&address(ALICE), at(900), "ops", "x").await.unwrap();
    let lifted = all_behind(&store, &mut position).await;
    assert_eq!(lifted.iter().map(Change::time).collect::<Vec<_>>(), [Some(at(900))]);
    assert_eq!(lifted[0].record, record_of(&store, &address(ALICE)).await);
}

async fn what_was_not_kept_is_lost_and_not_left_out(store: impl Store) {
    let empty = store.end_of_changes().await.unwrap();
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    let early = store.end_of_changes().await.unwrap();
    for round in 0..=CHANGES_KEPT as u64 / 64 {
        let events: Vec<_> = (0..64).map(|number| bounce(&format!("{number}@x.example"), round, 100, "other")).collect();
        store.record(&events).await.unwrap();
        // All of them in one bucket: others do not push it out.
        for number in 0..16 {
            store.suppress(&address(ALICE), entry(number, "again")).await.unwrap();
        }
    }
    for position in [empty, early] {
        assert_eq!(store.changes_behind(&position).await, Ok(None));
    }
    let mut end = store.end_of_changes().await.unwrap();
    assert!(all_behind(&store, &mut end).await.is_empty());
    store.record(&[bounce(ALICE, 2, 100, "other")]).await.unwrap();
    assert_eq!(all_behind(&store, &mut end).await.len(), 1);
}

async fn a_position_of_another_store_is_lost(store: impl Store) {
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    let position = store.end_of_changes().await.unwrap();
    let bytes = position.to_bytes();
    // Another number of parts; and the mark of another change at the end, or a bit of it anywhere.
    assert_eq!(store.changes_behind(&ChangePosition::from_bytes(&[3, 0, 0, 0, 0]).unwrap().0).await, Ok(None));
    for place in 2..bytes.len() {
        let mut other = bytes.clone();
        other[place] ^= 1;
        let Some((other, [])) = ChangePosition::from_bytes(&other) else { continue };
        let behind = store.changes_behind(&other).await.unwrap();
        assert!(behind.is_none(), "byte {place} of {bytes:?}");
    }
}

async fn records_since_a_position_are_all_records(store: impl Store) {
    let names: Vec<_> = (0..300).map(|number| format!("a{number}@x.example")).collect();
    let events: Vec<_> = names.iter().map(|name| bounce(name, 1, 100, "other")).collect();
    store.record(&events).await.unwrap();
    let position = store.end_of_changes().await.unwrap();
    store.suppress(&address(ALICE), entry(1, "")).await.unwrap();
    let mut found = BTreeSet::new();
    let mut place = None;
    loop {
        let page = store.records_since(&position, place.as_ref(), 70).await.unwrap();
        assert!(page.records.iter().all(|record| found.insert(record.address.clone())));
        place = page.next;
        if place.is_none() {
            break;
        }
    }
    assert_eq!(found, names.iter().map(|name| address(name)).chain([address(ALICE)]).collect());
}

async fn whoever_waits_hears_of_a_change(store: impl Store) {
    store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
    let mut position = store.end_of_changes().await.unwrap();
    let watching = {
        let store = store.clone();
        tokio::spawn(async move {
            loop {
                let changes = all_behind(&store, &mut position).await;
                if !changes.is_empty() {
                    return changes;
                }
                store.await_changes(&position).await;
            }
        })
    };
    tokio::time::sleep(Duration::from_millis(20)).await;
    assert!(!watching.is_finished());
    store.suppress(&address(BOB), entry(1, "")).await.unwrap();
    let heard = tokio::time::timeout(PATIENCE, watching).await.unwrap().unwrap();
    assert_eq!(heard.into_iter().map(|change| change.address).collect::<Vec<_>>(), [address(BOB)]);
}

async fn changes_made_at_once_are_told_once(store: impl Store) {
    let mut position = store.end_of_changes().await.unwrap();
    let write = |task: u64| {
        let store = store.clone();
        tokio::spawn(async move {
            for number in 0..8 {
                let name = format!("a{number}@x.example");
                store
                    .record(&[bounce(&name, 100 * task + number, 100, "bad-mailbox"), complaint(&name, 1000 + task, 7)])
                    .await
                    .unwrap();
                store.suppress(&address(&name), entry(1, "")).await.unwrap();
            }
        })
    };
    let writing: Vec<_> = (0..8).map(write).collect();
    let mut told: Vec<Change> = Vec::new();
    loop {
        let is_written = writing.iter().all(tokio::task::JoinHandle::is_finished);
        told.extend(all_behind(&store, &mut position).await);
        if is_written {
            break;
        }
    }
    let ids: BTreeSet<_> = told.iter().map(|change| &change.id).collect();
    assert_eq!((told.len(), ids.len()), (8 * 8 * 3, 8 * 8 * 3));
    let mut of_address: BTreeMap<&Address, Vec<ChangeKind>> = BTreeMap::new();
    for change in &told {
        of_address.entry(&change.address).or_default().push(change.kind);
    }
    for (address, kinds) in of_address {
        let acts = kinds.iter().filter(|kind| **kind == ChangeKind::Suppressed).count();
        assert_eq!((kinds.len(), acts), (24, 8), "{address:?}");
        // Whoever follows ends with what is there.
        let latest = told.iter().rev().find(|change| change.address == *address).unwrap();
        assert_eq!(latest.record, record_of(&store, address).await);
    }
}
