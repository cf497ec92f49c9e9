//! Entries of the streams that name several addresses.

use suppressd_core::DAY_SECONDS;
use suppressd_core::store::redis::RedisStore;
use suppressd_core::store::{EvidenceStore as _, FeedStore as _, ListingStore as _, Outcome};

use super::{block_on, erase};
use crate::events::{address, bounce};
use crate::servers::redis::RedisServer;

/// A bucket, and its streams.
const BUCKET: u8 = 0x5e;
const FEED: &str = "sup:{5e}:feed";
const CHANGES: &str = "sup:{5e}:changes";

type Entries = Vec<(String, Vec<String>)>;

/// So many addresses of that bucket.
fn names(store: &RedisStore, count: usize) -> Vec<String> {
    let names = (0..).map(|number| format!("n{number}@example.com"));
    names.filter(|name| store.bucket_of((&address(name)).into()) == BUCKET).take(count).collect()
}

#[test]
fn what_comes_at_once_shares_an_entry_of_each_stream() {
    let server = RedisServer::start(&[]);
    let told = |stream: &str, field: usize| -> Vec<Vec<String>> {
        let entries: Entries = server.cli(&["XRANGE", stream, "-", "+"]);
        entries.iter().map(|(_, fields)| fields[field].split('\n').map(str::to_owned).collect()).collect()
    };
    block_on(async {
        let store = server.store();
        let names = names(&store, 40);
        let bounces = |number: u64| -> Vec<_> { names.iter().map(|name| bounce(name, number, 100, "other")).collect() };
        // Some of an entry are there already, one of them with this very event.
        store.record(&[bounce(&names[3], 1, 100, "other")]).await.unwrap();
        store.record(&[bounce(&names[5], 2, 100, "other")]).await.unwrap();
        let outcomes = store.record(&bounces(1)).await.unwrap();
        let duplicates: Vec<_> = (0..40).filter(|place| outcomes[*place] != Outcome::Recorded).collect();
        assert_eq!((duplicates, outcomes[3]), (vec![3], Outcome::Duplicate));
        assert_eq!(told(FEED, 1).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 14, 16, 8]);
        assert_eq!(told(CHANGES, 1).iter().map(Vec::len).collect::<Vec<_>>(), [1, 1, 15, 16, 8]);
        assert_eq!(told(CHANGES, 3)[2], vec!["b|unmapped|AAAAAAAAAAE"; 15]);
        let events = [bounces(1), bounces(3)].concat();
        let outcomes = store.record(&events).await.unwrap();
        assert_eq!(outcomes[..40], vec![Outcome::Duplicate; 40]);
        assert_eq!(outcomes[40..], vec![Outcome::Recorded; 40]);
        // Whatever a page holds, each of them is listed once.
        for limit in [1, 7, 16, 100] {
            let (mut listed, mut place) = (Vec::new(), None);
            loop {
                let page = store.list_records(place.as_ref(), limit).await.unwrap();
                assert!(page.records.len() <= limit);
                listed.extend(page.records.iter().map(|record| record.address.as_str().to_owned()));
                place = page.next;
                if place.is_none() {
                    break;
                }
            }
            listed.sort();
            let mut expected = names.clone();
            expected.sort();
            assert_eq!(listed, expected, "{limit}");
        }
    });
}

#[test]
fn a_listing_goes_on_where_it_was_when_a_name_beside_it_is_erased() {
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        let names = names(&store, 16);
        store.record(&names.iter().map(|name| bounce(name, 1, 100, "other")).collect::<Vec<_>>()).await.unwrap();
        let first = store.list_records(None, 5).await.unwrap();
        for name in [&names[1], &names[9]] {
            erase(&store, name, None).await;
        }
        let rest = store.list_records(first.next.as_ref(), 100).await.unwrap();
        let listed: Vec<_> = first.records.iter().chain(&rest.records).map(|record| record.address.as_str()).collect();
        let expected: Vec<_> = names.iter().map(String::as_str).filter(|name| *name != names[9]).collect();
        assert_eq!(listed, expected);
    });
}

#[test]
fn a_page_ends_where_its_records_hold_much() {
    const EVENTS: u64 = 130;
    let server = RedisServer::start(&[]);
    block_on(async {
        let store = server.store();
        let names = names(&store, 140);
        for number in 0..EVENTS {
            // Of one day and class only so many are kept.
            let time = i64::try_from(number / 10).unwrap() * DAY_SECONDS;
            let events: Vec<_> = names.iter().map(|name| bounce(name, number, time, "other")).collect();
            store.record(&events).await.unwrap();
        }
        let page = store.list_records(None, names.len()).await.unwrap();
        assert_eq!((page.records.len(), page.next.is_some()), (128, true));
        assert!(page.records.iter().all(|record| record.evidence().len() as u64 == EVENTS));
        let rest = store.list_records(page.next.as_ref(), names.len()).await.unwrap();
        assert_eq!(rest.records.len(), names.len() - 128);
    });
}
