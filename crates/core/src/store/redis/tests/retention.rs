use std::sync::atomic::{AtomicU32, Ordering};

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::store::{EvidenceStore as _, Outcome};
use crate::{DAY_SECONDS, Record};

const CATEGORIES: [&str; 7] = ["quota-issues", "bad-mailbox", "message-expired", "other", "", "made|up%", "inactive-mailbox"];

/// Few days with many events, or many days with few, so that both bounds are exceeded; few times of a day, so that identities
/// decide; few categories, so that there are enough of a class.
fn histories() -> impl Strategy<Value = (Vec<Event>, usize)> {
    let event = (0_u64..200, 0_i64..1000, 0_i64..1000, 0..CATEGORIES.len(), 0..20_u8);
    let shape = (1_i64..40, 1_i64..30, 1..=CATEGORIES.len(), 1..90_usize);
    (shape, prop::collection::vec(event, 1..400)).prop_map(|((days, times, categories, batch), seeds)| {
        let event = |(number, day, time, category, kind): (u64, i64, i64, usize, u8)| {
            let seconds = day % days * DAY_SECONDS + time % times * 60;
            // Identities whose texts sort differently by a dictionary's order than by their bytes.
            let id = number.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let event = bounce("replaced@x.example", id, seconds, CATEGORIES[category % categories]);
            let kind = match kind {
                0 => EventKind::Delivered,
                1..=3 => EventKind::Complaint,
                4..=6 => EventKind::RemoteBounce,
                _ => EventKind::Bounce,
            };
            Event { kind, ..event }
        };
        (seeds.into_iter().map(event).collect(), batch)
    })
}

/// What the pure rules make of the events, one by one.
fn by_the_rules(events: &[Event]) -> (Vec<Outcome>, Option<Record>) {
    let mut record = None;
    let mut outcomes = Vec::new();
    for event in events {
        if record.is_none() && event.kind == EventKind::Delivered {
            outcomes.push(Outcome::Recorded);
            continue;
        }
        let record = record.get_or_insert_with(|| Record::new(event.recipient.clone()));
        outcomes.push(record.take(event).0);
    }
    (outcomes, record)
}

#[test]
fn the_script_keeps_what_the_pure_rules_keep() {
    let server = Server::start(&[]);
    let cases = AtomicU32::new(0);
    let ignored = AtomicU32::new(0);
    let config = Config { cases: 256, failure_persistence: None, ..Config::default() };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let store = runtime.block_on(async { server.store() });
    let compare = |(mut events, batch): (Vec<Event>, usize)| {
        let recipient = address(&format!("case{}@x.example", cases.fetch_add(1, Ordering::Relaxed)));
        for event in &mut events {
            event.recipient = recipient.clone();
        }
        let (expected, record) = by_the_rules(&events);
        let count = expected.iter().filter(|outcome| **outcome == Outcome::Ignored).count();
        ignored.fetch_add(u32::try_from(count).unwrap(), Ordering::Relaxed);
        let stored = runtime.block_on(async {
            let mut outcomes = Vec::new();
            for part in events.chunks(batch) {
                outcomes.extend(store.record(part).await.unwrap());
            }
            (outcomes, store.records(&[recipient]).await.unwrap().remove(0))
        });
        prop_assert_eq!(stored, (expected, record));
        Ok(())
    };
    TestRunner::new(config).run(&histories(), compare).unwrap();
    assert!(ignored.into_inner() > 100, "the histories must exceed the bounds");
}
