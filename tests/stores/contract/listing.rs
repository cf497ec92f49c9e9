//! All records, page after page.

use std::collections::BTreeMap;

use suppressd_core::store::{ListingPage, ListingPlace, MAX_RECORDS_PER_PAGE, Progress, Store};
use suppressd_core::{Address, DAY_SECONDS, Error, Event, EventKind, Record, StoredOpinion};

use crate::events::{ALICE, BOB, address, at, bounce, complaint, delivery, entry};
use crate::stores::{over_every_store, record_of};

over_every_store!(
    every_record_is_listed_once,
    a_page_is_no_longer_than_it_may_be,
    nothing_is_listed_of_an_empty_store,
    what_is_listed_comes_back_word_by_word,
    what_changes_meanwhile_is_listed_once,
    a_place_that_no_page_gave_is_refused,
    odd_addresses_are_listed,
    large_records_are_listed,
);

/// Pages of at most so many records, and what happens between them.
async fn pages(store: &impl Store, limit: usize, mut meanwhile: impl AsyncFnMut()) -> Vec<ListingPage> {
    let mut pages: Vec<ListingPage> = Vec::new();
    loop {
        let after = pages.last().and_then(|page| page.next.as_ref());
        let page = store.list_records(after, limit).await.unwrap();
        assert!(page.records.len() <= limit.clamp(1, MAX_RECORDS_PER_PAGE), "{} for {limit}", page.records.len());
        let Progress { done, total } = page.progress;
        assert!(done <= total && pages.last().is_none_or(|before| before.progress.done <= done), "{done} of {total}");
        assert_eq!(page.next.is_none(), done == total, "{done} of {total}");
        pages.push(page);
        if pages.last().is_some_and(|page| page.next.is_none()) {
            return pages;
        }
        meanwhile().await;
    }
}

/// All records that pages of at most so many hold, each once.
async fn listed(store: &impl Store, limit: usize) -> BTreeMap<Address, Record> {
    once_each(pages(store, limit, async || {}).await)
}

fn once_each(pages: Vec<ListingPage>) -> BTreeMap<Address, Record> {
    let mut found = BTreeMap::new();
    for record in pages.into_iter().flat_map(|page| page.records) {
        let before = found.insert(record.address.clone(), record);
        assert!(before.is_none(), "{:?} is listed twice", before.unwrap().address);
    }
    found
}

/// Records something of so many addresses, and gives their records.
async fn record_many(store: &impl Store, count: u64) -> BTreeMap<Address, Record> {
    let names: Vec<_> = (0..count).map(|number| format!("a{number}@x{}.example", number % 7)).collect();
    let events: Vec<_> = names.iter().map(|name| bounce(name, 1, 100, "quota-issues")).collect();
    store.record(&events).await.unwrap();
    let addresses: Vec<_> = names.iter().map(|name| address(name)).collect();
    let records = store.records(&addresses).await.unwrap();
    addresses.into_iter().zip(records.into_iter().flatten()).collect()
}

async fn every_record_is_listed_once(store: impl Store) {
    let kept = record_many(&store, 300).await;
    // Beside the records lie other things.
    store.keep_letters(vec![suppressd_core::Letter::new(b"{", String::new(), at(1))], at(1)).await.unwrap();
    assert_eq!(kept.len(), 300);
    for limit in [0, 1, 2, 7, 100, 299, 300, 301, 5000, usize::MAX] {
        assert!(listed(&store, limit).await == kept, "by {limit}");
    }
}

async fn a_page_is_no_longer_than_it_may_be(store: impl Store) {
    let kept = record_many(&store, MAX_RECORDS_PER_PAGE as u64 + 100).await;
    let pages = pages(&store, usize::MAX, async || {}).await;
    assert!(pages.len() > 1);
    assert!(once_each(pages) == kept);
}

async fn nothing_is_listed_of_an_empty_store(store: impl Store) {
    assert!(listed(&store, 10).await.is_empty());
    // A delivery makes no record.
    store.record(&[delivery(ALICE, 1, 100)]).await.unwrap();
    assert!(listed(&store, 10).await.is_empty());
}

async fn what_is_listed_comes_back_word_by_word(store: impl Store) {
    let odd = Event {
        vmta: "a|b\n%7C\u{1f4e7}".into(),
        account: "\"quoted\"\\".into(),
        kind: EventKind::RemoteBounce,
        second_opinion: StoredOpinion::from_stored("hr:unknown-user"),
        is_time_of_receipt: true,
        ..bounce(ALICE, u64::MAX, 100, "made|up%")
    };
    store.record(&[odd, complaint(ALICE, 2, 200), delivery(ALICE, 3, 300)]).await.unwrap();
    store.suppress(&address(ALICE), entry(5, "\"asked\" to\n\u{e9}")).await.unwrap();
    store.record(&[bounce(BOB, 1, 900, "other")]).await.unwrap();
    store.lift(&address(BOB), at(800), "\"fence\":2", "{|}\u{e9}").await.unwrap();
    store.suppress(&address("by-hand@x.example"), entry(5, "")).await.unwrap();
    let found = listed(&store, 10).await;
    assert_eq!(found.len(), 3);
    for (address, record) in found {
        assert_eq!(Some(record), record_of(&store, &address).await);
    }
}

async fn what_changes_meanwhile_is_listed_once(store: impl Store) {
    let kept = record_many(&store, 200).await;
    let mut round = 0_u32;
    let pages = pages(&store, 10, async || {
        round += 1;
        assert!(round < 500, "it does not come to an end");
        // Some that are there, listed and not listed yet, and one that is new.
        let mut events: Vec<_> =
            kept.keys().step_by(17).map(|address| bounce(address.as_str(), u64::from(round) + 1, 200, "other")).collect();
        if round < 50 {
            events.push(bounce(&format!("new{round}@x.example"), 1, 100, "other"));
        }
        store.record(&events).await.unwrap();
        store.suppress(kept.keys().nth(3).unwrap(), entry(round.into(), "again")).await.unwrap();
    })
    .await;
    let found = once_each(pages);
    assert!(kept.keys().all(|address| found.contains_key(address)));
    assert!(found.keys().all(|address| kept.contains_key(address) || address.as_str().starts_with("new")));
    assert!(found.values().any(|record| record.evidence().len() > 2), "none was changed before it was listed");
}

async fn a_place_that_no_page_gave_is_refused(store: impl Store) {
    record_many(&store, 3).await;
    let far = "a".repeat(3000);
    let texts = [
        "",
        " ",
        "x",
        "1",
        "1 nobody",
        "5e",
        "5e ",
        "5e 1",
        "5e 1-",
        "5e +1-2",
        "zz 1-1",
        "100 1-1",
        "5e 1-99999999999999999999",
    ];
    for text in texts.into_iter().chain(["\u{e9} \u{e9}", "\0", "1 @", "-1 a", &far]) {
        let refused = store.list_records(Some(&ListingPlace(text.to_owned())), 10).await;
        assert!(matches!(refused, Err(Error::InvalidField { field: "page_token", .. })), "{text:?}: {refused:?}");
    }
}

async fn odd_addresses_are_listed(store: impl Store) {
    let longest = format!("{}@{}.example", "a".repeat(64), ["b".repeat(60), "c".repeat(60), "d".repeat(58)].join("."));
    let names = [
        "\"a b\"@x.example",
        "\"a\\\"b\"@x.example",
        "\"a\\\\b\"@x.example",
        "\"a@b\"@x.example",
        "\" \"@x.example",
        "o'brien+{tag}|%@x.example",
        "\u{e9}\u{1f4e7}@x.example",
        "a@[192.0.2.1]",
        "a@x.example",
        "a@x.example.org",
        "a@x.example-y.org",
        "aa@x.example",
        "!@x.example",
        "~@x.example",
        &longest,
    ];
    let events: Vec<_> = names.iter().map(|name| bounce(name, 1, 100, "other")).collect();
    store.record(&events).await.unwrap();
    for limit in [1, 2, 1000] {
        let found: Vec<_> = listed(&store, limit).await.into_keys().collect();
        let mut expected: Vec<_> = names.iter().map(|name| address(name)).collect();
        expected.sort();
        assert_eq!(
            found.iter().map(Address::as_str).collect::<Vec<_>>(),
            expected.iter().map(Address::as_str).collect::<Vec<_>>()
        );
    }
}

/// Together more than one page takes, however few they are.
async fn large_records_are_listed(store: impl Store) {
    let names: Vec<_> = (0..150).map(|number| format!("a{number}@x.example")).collect();
    let events: Vec<_> = names
        .iter()
        .flat_map(|name| (0..128).map(move |number| bounce(name, number, number.cast_signed() % 8 * DAY_SECONDS, "other")))
        .collect();
    store.record(&events).await.unwrap();
    let found = listed(&store, MAX_RECORDS_PER_PAGE).await;
    assert_eq!(found.len(), names.len());
    assert!(found.values().all(|record| record.evidence().len() == 128));
}
