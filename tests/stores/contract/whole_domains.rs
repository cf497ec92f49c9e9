//! What every store keeps of whole domains: a record like any other, found with each address of the domain.

use suppressd_core::store::Store;
use suppressd_core::{Address, AddressRef, ManualEntry};

use crate::events::{ALICE, BOB, address, at, bounce, entry};
use crate::stores::{over_every_store, record_of};

over_every_store!(
    a_domain_s_entry_is_found_with_each_address_of_it,
    a_lift_of_an_address_leaves_its_domain_s_entry,
    a_domain_s_entry_is_listed_and_kept_like_a_record,
);

const EVERYBODY: &str = "*@example.com";

/// The notes of the entries that are found: of the address itself, and of its whole domain.
async fn notes(store: &impl Store, asked: &[Address]) -> Vec<(Option<String>, Option<String>)> {
    let note = |entry: &ManualEntry| entry.note.clone();
    let asked: Vec<_> = asked.iter().map(AddressRef::from).collect();
    let plain = store.find(&asked).await.unwrap();
    assert_eq!(store.find_strictly(&asked).await.as_ref(), Ok(&plain));
    let of_one = |found: &suppressd_core::store::Findings| {
        let own = found.record.as_ref().and_then(|record| record.manual.as_ref());
        (own.map(note), found.domain_entry.as_deref().map(note))
    };
    plain.into_all().iter().map(of_one).collect()
}

async fn a_domain_s_entry_is_found_with_each_address_of_it(store: impl Store) {
    store.record(&[bounce(ALICE, 1, 100, "other"), bounce("a@sub.example.com", 2, 100, "other")]).await.unwrap();
    let asked = [ALICE, BOB, "a@sub.example.com", "a@xample.com", ALICE, EVERYBODY].map(address);
    assert_eq!(notes(&store, &asked).await, vec![(None, None); 6]);
    let first = ManualEntry { until: Some(at(900)), ..entry(5, "for a time") };
    store.suppress(&address(EVERYBODY), first).await.unwrap();
    store.suppress(&address(EVERYBODY), entry(6, "for good")).await.unwrap();
    store.suppress(&address(ALICE), entry(7, "asked to")).await.unwrap();
    let of_all = Some("for good".to_owned());
    let expected = [
        (Some("asked to".to_owned()), of_all.clone()),
        (None, of_all.clone()),
        (None, None),
        (None, None),
        (Some("asked to".to_owned()), of_all.clone()),
        (of_all, None),
    ];
    assert_eq!(notes(&store, &asked).await, expected);
    assert_eq!(store.find(&[]).await.unwrap().into_all(), []);
    // Who has no record of their own has none for that.
    let found = store.find(&asked.each_ref().map(AddressRef::from)).await.unwrap().into_all();
    assert_eq!((found[1].record.as_ref(), found[3].are_none()), (None, true));
    assert_eq!(found[2].record.as_ref().unwrap().evidence().len(), 1);
}

async fn a_lift_of_an_address_leaves_its_domain_s_entry(store: impl Store) {
    store.suppress(&address(EVERYBODY), entry(5, "for good")).await.unwrap();
    store.suppress(&address(ALICE), entry(6, "asked to")).await.unwrap();
    assert_eq!(store.lift(&address(ALICE), at(7), "ops", "back").await, Ok(true));
    assert_eq!(store.lift(&address(BOB), at(7), "ops", "back").await, Ok(false));
    let asked = [ALICE, BOB].map(address);
    assert_eq!(notes(&store, &asked).await, vec![(None, Some("for good".to_owned())); 2]);
    assert_eq!(store.lift(&address(EVERYBODY), at(8), "ops", "mended").await, Ok(true));
    assert_eq!(notes(&store, &asked).await, vec![(None, None); 2]);
    assert_eq!(record_of(&store, &address(EVERYBODY)).await.unwrap().lift.unwrap().why, "mended");
    store.suppress(&address(EVERYBODY), entry(9, "again")).await.unwrap();
    assert_eq!(notes(&store, &asked).await, vec![(None, Some("again".to_owned())); 2]);
}

async fn a_domain_s_entry_is_listed_and_kept_like_a_record(store: impl Store) {
    for domain in ["example.com", "xn--bcher-kva.example", "[192.0.2.1]"] {
        store.suppress(&address(&format!("*@{domain}")), entry(5, domain)).await.unwrap();
    }
    store.suppress(&address(ALICE), entry(5, ALICE)).await.unwrap();
    let mut listed: Vec<String> = Vec::new();
    let mut place = None;
    loop {
        let page = store.list_records(place.as_ref(), 1).await.unwrap();
        listed.extend(page.records.iter().map(|record| record.address.as_str().to_owned()));
        place = page.next;
        if place.is_none() {
            break;
        }
    }
    listed.sort_unstable();
    assert_eq!(listed, ["*@[192.0.2.1]", EVERYBODY, "*@xn--bcher-kva.example", ALICE]);
    let found = notes(&store, &[address("a@B\u{fc}cher.example"), address("a@[192.0.2.1]")]).await;
    assert_eq!(found, [(None, Some("xn--bcher-kva.example".to_owned())), (None, Some("[192.0.2.1]".to_owned()))]);
}
