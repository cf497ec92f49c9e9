//! What was erased is in no file of the embedded store's.

use std::time::{Duration, Instant};

use suppressd_core::store::embedded::EmbeddedStore;
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore as _, ListingStore as _};
use suppressd_core::{Error, Reason, Record, Tombstone};

use super::{block_on, erase, in_directory, record_of};
use crate::events::{address, at, bounce, entry};
use crate::servers::files::files_with;

// Local parts that no compression hides: nothing else is like them.
const ALICE: &str = "alice-qxzvkw@example.com";
const BOB: &str = "bob-wkvzxq@example.com";

const TOMBSTONE: Tombstone = Tombstone { erased_at: at(5000), reason: Reason::HardBounce };

/// Longest time for an erasure to be finished that was found unfinished.
const PATIENCE: Duration = Duration::from_mins(1);

/// The files that hold the local part of an address. Of its domain, which others have too, the tables hold no more than a
/// reference.
fn files_naming(path: &std::path::Path, address: &str) -> Vec<std::path::PathBuf> {
    files_with(path, address.split_once('@').unwrap().0)
}

#[test]
fn no_file_holds_what_was_erased_when_the_call_returns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(path)).unwrap();
        let names: Vec<_> = (0..2000).map(|n| format!("person{n}@example.com")).collect();
        let events: Vec<_> = names.iter().map(|name| bounce(name, 1, 100, "bad-mailbox")).collect();
        store.record(&events).await.unwrap();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox"), bounce(BOB, 1, 100, "bad-mailbox")]).await.unwrap();
        store.suppress(&address(ALICE), entry(5, "asked by phone, as alice-qxzvkw@example.com")).await.unwrap();
        assert_eq!(files_naming(path, ALICE).len(), 1, "in the journal");

        // With him it goes from the journal into a table.
        erase(&store, BOB, None).await;
        assert_eq!(store.compact().await, Ok(true));
        assert_eq!(files_naming(path, BOB), [] as [&std::path::Path; 0]);
        assert!(files_naming(path, ALICE).iter().all(|file| file.extension().is_none()), "in a table");
        assert_eq!(files_naming(path, ALICE).len(), 1);
        store.record(&[bounce(ALICE, 2, 100, "quota-issues")]).await.unwrap();
        assert_eq!(files_naming(path, ALICE).len(), 2, "in a table and in the journal");

        // Somebody who reads meanwhile from before holds it up, and no more than that.
        let reading = {
            let store = store.clone();
            tokio::spawn(async move {
                let mut place = None;
                loop {
                    let page = store.list_records(place.as_ref(), 10).await.unwrap();
                    place = page.next;
                    if place.is_none() {
                        break;
                    }
                }
            })
        };
        erase(&store, ALICE, None).await;
        let started = Instant::now();
        assert_eq!(store.compact().await, Ok(true));
        println!("the files were written anew in {:?}", started.elapsed());
        reading.await.unwrap();
        assert_eq!(files_naming(path, ALICE), [] as [&std::path::Path; 0]);
        assert!(!path.join("erasing").exists());
        assert_eq!(record_of(&store, &address("person7@example.com")).await.unwrap().evidence().len(), 1);
    });
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(path)).unwrap();
        assert_eq!(record_of(&store, &address(ALICE)).await, None);
        assert_eq!(store.records(&[address(BOB)]).await, Ok(vec![None]));
        assert!(record_of(&store, &address("person1999@example.com")).await.is_some());
    });
}

#[test]
fn an_erasure_that_was_cut_off_is_finished_behind_the_next_opening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(path)).unwrap();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await.unwrap();
        erase(&store, ALICE, None).await;
    });
    assert!(
        path.join("erasing").exists() && !files_naming(path, ALICE).is_empty(),
        "it is erased, and nobody asked for the files"
    );
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(path)).unwrap();
        assert_eq!(record_of(&store, &address(ALICE)).await, None);
        let started = Instant::now();
        while path.join("erasing").exists() {
            assert!(started.elapsed() < PATIENCE, "it is not finished");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(files_naming(path, ALICE), [] as [&std::path::Path; 0]);
    });
}

#[test]
fn a_tombstone_outlives_its_store() {
    let directory = tempfile::tempdir().unwrap();
    let left = Some(Record::erased(address(ALICE), TOMBSTONE));
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(directory.path())).unwrap();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await.unwrap();
        erase(&store, ALICE, Some(TOMBSTONE)).await;
        assert_eq!(store.compact().await, Ok(true));
        assert_eq!(record_of(&store, &address(ALICE)).await, left);
    });
    block_on(async {
        let store = loop {
            match EmbeddedStore::open(&in_directory(directory.path())) {
                Err(Error::DirectoryInUse { .. }) => tokio::time::sleep(Duration::from_millis(5)).await,
                opened => break opened.unwrap(),
            }
        };
        assert_eq!(record_of(&store, &address(ALICE)).await, left);
    });
}
