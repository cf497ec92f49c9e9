//! Records that do not fit in one value, and changes that lie together.

use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore};
use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{ChangeStore as _, EvidenceStore as _, Store};
use suppressd_core::{Event, Record};

use super::{LIMITS, block_on, erase, in_directory, record_of};
use crate::events::{ALICE, BOB, address, bounce};

/// More than a value holds.
const MANY: u64 = 100;

/// Days with a few events each, some of which are driven out.
fn history(name: &str) -> Vec<Event> {
    (0..MANY).map(|number| bounce(name, number, i64::try_from(number / 4 * 86_400 + number).unwrap(), "quota-issues")).collect()
}

async fn listed(store: &impl Store) -> Vec<Record> {
    store.list_records(None, 10).await.unwrap().records
}

#[test]
fn a_record_that_outgrows_its_value_is_as_it_would_be_in_memory() {
    let directory = tempfile::tempdir().unwrap();
    let whole = MemoryStore::new(LIMITS);
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(directory.path())).unwrap();
        for one_by_one in history(ALICE) {
            let event = std::slice::from_ref(&one_by_one);
            assert_eq!(store.record(event).await, whole.record(event).await);
            assert_eq!(record_of(&store, &address(ALICE)).await, record_of(&whole, &address(ALICE)).await);
        }
        // All at once, and then once more.
        for _ in 0..2 {
            assert_eq!(store.record(&history(BOB)).await, whole.record(&history(BOB)).await);
        }
        assert_eq!(listed(&store).await, listed(&whole).await);
    });
    block_on(async {
        let store = EmbeddedStore::open(&in_directory(directory.path())).unwrap();
        assert_eq!(listed(&store).await, listed(&whole).await);
        erase(&store, ALICE, None).await;
        erase(&whole, ALICE, None).await;
        assert_eq!(listed(&store).await, listed(&whole).await);
        // What was erased is no part of what comes again.
        let again = &history(ALICE)[..2];
        assert_eq!(store.record(again).await, whole.record(again).await);
        assert_eq!(listed(&store).await, listed(&whole).await);
        assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().evidence().len(), 2);
    });
}

#[test]
fn the_latest_changes_are_kept_however_many_a_commit_has() {
    let directory = tempfile::tempdir().unwrap();
    let settings = EmbeddedSettings { changes_kept: 64, ..in_directory(directory.path()) };
    block_on(async {
        let store = EmbeddedStore::open(&settings).unwrap();
        let mut known = store.end_of_changes().await.unwrap();
        let begin = known.clone();
        let events: Vec<_> = (0..600).map(|number| bounce(&format!("r{number}@x.example"), number, 100, "bad-mailbox")).collect();
        for commit in events.chunks(50) {
            store.record(commit).await.unwrap();
            let page = store.changes_behind(&known).await.unwrap().unwrap();
            assert!(page.changes.iter().map(|change| &change.address).eq(commit.iter().map(|event| &event.recipient)));
            known = store.end_of_changes().await.unwrap();
        }
        assert_eq!(store.changes_behind(&begin).await, Ok(None));
        // More than are kept at all: the last of them are.
        store
            .record(
                &(0..300)
                    .map(|number| bounce(BOB, number, 100 + 86_400 * i64::try_from(number).unwrap(), "other"))
                    .collect::<Vec<_>>(),
            )
            .await
            .unwrap();
        assert_eq!(store.changes_behind(&known).await, Ok(None));
        known = store.end_of_changes().await.unwrap();
        erase(&store, BOB, None).await;
        assert_eq!(store.changes_behind(&known).await, Ok(None));
    });
    block_on(async {
        let store = EmbeddedStore::open(&settings).unwrap();
        let known = store.end_of_changes().await.unwrap();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await.unwrap();
        let page = store.changes_behind(&known).await.unwrap().unwrap();
        assert_eq!((page.changes.len(), &page.changes[0].address, page.has_more), (1, &address(ALICE), false));
    });
}
