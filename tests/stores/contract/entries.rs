//! Entries that are made only where they are missing.

use suppressd_core::Entered::{Created, Known};
use suppressd_core::ManualEntry;
use suppressd_core::store::Store;

use super::super::{over_every_store, record_of};
use crate::events::{address, at, bounce, entry};

over_every_store!(entries_are_made_only_where_none_lasts_as_long, the_same_entries_at_once_are_made_once);

async fn entries_are_made_only_where_none_lasts_as_long(store: impl Store) {
    let by = |id: &str, entry: ManualEntry| entry.requested_by(id).unwrap();
    let until = |end: i64, entry: ManualEntry| ManualEntry { until: Some(at(end)), ..entry };
    let name = |number: usize| address(&format!("a{number}@x.example"));
    assert_eq!(store.enter(&[]).await, Ok(vec![]));
    store.record(&[bounce("a0@x.example", 1, 100, "bad-mailbox")]).await.unwrap();
    store.suppress(&name(1), entry(1, "for good")).await.unwrap();
    store.suppress(&name(2), until(900, entry(1, "\"until\":null"))).await.unwrap();
    store.suppress(&name(3), until(900, entry(1, "for a time"))).await.unwrap();
    // Evidence is no entry. One that lasts as long is left as it is, one that ends earlier is replaced.
    let entries = [
        (name(0), by("run:2", entry(5, "imported"))),
        (name(1), by("run:3", entry(5, "imported"))),
        (name(2), by("run:4", entry(5, "imported \u{e9} \"until\":1"))),
        (name(3), by("run:5", until(900, entry(5, "imported")))),
        (name(4), by("run:6", until(900, entry(5, "imported")))),
        (name(4), by("run:7", until(900, entry(5, "once more")))),
        (name(4), by("run:8", until(901, entry(5, "for longer")))),
        (name(5), entry(5, "by no request")),
        (name(5), entry(5, "by no request")),
    ];
    let answers = [Created, Known, Created, Known, Created, Known, Created, Created, Known];
    assert_eq!(store.enter(&entries).await, Ok(answers.to_vec()));
    let kept = [Some(0), None, Some(2), None, Some(6), Some(7)];
    for (number, from) in kept.into_iter().enumerate().filter_map(|(number, from)| Some((number, from?))) {
        assert_eq!(record_of(&store, &name(number)).await.unwrap().manual.as_ref(), Some(&entries[from].1), "{number}");
    }
    assert_eq!(record_of(&store, &name(1)).await.unwrap().manual.unwrap().note, "for good");
    assert_eq!(record_of(&store, &name(0)).await.unwrap().evidence().len(), 1);
    // What was entered by the same request is answered as it was then, and what others did meanwhile stays.
    assert_eq!(store.enter(&entries[..4]).await, Ok(answers[..4].to_vec()));
    let other_run = entries.clone().map(|(address, entry)| (address, by("other:1", entry)));
    assert_eq!(store.enter(&other_run).await, Ok(vec![Known; entries.len()]));
    // After a lift it is missing again.
    assert_eq!(store.lift(&name(0), at(7), "ops", "").await, Ok(true));
    assert_eq!(store.enter(&other_run[..1]).await, Ok(vec![Created]));
}

async fn the_same_entries_at_once_are_made_once(store: impl Store) {
    let entries: Vec<_> = (0..50).map(|number| (address(&format!("a{number}@x.example")), entry(5, "imported"))).collect();
    let enter = |run: usize| {
        let (store, entries) = (store.clone(), entries.clone());
        let by = move |(address, entry): (_, ManualEntry)| (address, entry.requested_by(&format!("{run}")).unwrap());
        tokio::spawn(async move { store.enter(&entries.into_iter().map(by).collect::<Vec<_>>()).await })
    };
    let runs: Vec<_> = (0..8).map(enter).collect();
    let mut created = 0;
    for run in runs {
        created += run.await.unwrap().unwrap().iter().filter(|answer| **answer == Created).count();
    }
    assert_eq!(created, entries.len());
}
