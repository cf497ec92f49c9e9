//! What the embedded store finds when it is opened again, and who may open it.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use suppressd_core::store::embedded::{EmbeddedSettings, EmbeddedStore};
use suppressd_core::store::{AdministrativeStore as _, EvidenceStore as _, LetterStore as _, Outcome};
use suppressd_core::{Error, Event, Letter, LetterUsage};

use super::embedded_crash::{files_under, image_of};
use super::{block_on, in_directory, record_of};
use crate::events::{ALICE, BOB, address, at, bounce, delivery, entry};

/// Longest time until the tree writes its first table.
const FLUSH_DEADLINE: Duration = Duration::from_mins(1);

fn letter(content: &str) -> Letter {
    Letter::new(content.as_bytes(), "why".into(), at(7))
}

/// A file that the letter of that content lies in.
fn file_of(directory: &Path, content: &str) -> PathBuf {
    directory.join("letters").join(letter(content).head.id.to_string())
}

fn open(directory: &Path) -> Result<EmbeddedStore, Error> {
    EmbeddedStore::open(&in_directory(directory))
}

#[test]
fn everything_is_there_when_it_is_opened_again() {
    block_on(async {
        let parent = tempfile::tempdir().unwrap();
        // It makes the directory, and what is missing above it.
        let directory = parent.path().join("of/its/own");
        let store = open(&directory).unwrap();
        store.record(&[bounce(ALICE, 1, 100, "bad-mailbox"), delivery(ALICE, 2, 300)]).await.unwrap();
        store.suppress(&address(ALICE), entry(5, "asked to")).await.unwrap();
        store.record(&[bounce(BOB, 1, 100, "other")]).await.unwrap();
        store.lift(&address(BOB), at(50), "ops", "typo").await.unwrap();
        store.keep_letters(vec![letter("one"), letter("two")], at(7)).await.unwrap();
        store.remove_letter(letter("two").head.id).await.unwrap();
        let asked = [address(ALICE), address(BOB), address("nobody@x.example")];
        let before = store.records(&asked).await.unwrap();
        assert!(before[0].is_some() && before[1].is_some());
        let crashed = image_of(&directory);
        drop(store);

        for directory in [directory.as_path(), crashed.path()] {
            let store = open(directory).unwrap();
            assert_eq!(store.records(&asked).await.as_ref(), Ok(&before));
            assert_eq!(store.letter(letter("one").head.id).await, Ok(Some(letter("one"))));
            assert_eq!(store.letter_usage().await, Ok(LetterUsage { letters: 1, content_bytes: 3 }));
            // It goes on where it was.
            assert_eq!(store.record(&[bounce(ALICE, 1, 100, "bad-mailbox")]).await, Ok(vec![Outcome::Duplicate]));
            assert_eq!(store.record(&[bounce(ALICE, 3, 100, "bad-mailbox")]).await, Ok(vec![Outcome::Recorded]));
            drop(store);
            let store = open(directory).unwrap();
            assert_eq!(record_of(&store, &asked[0]).await.unwrap().evidence().len(), 2);
        }
    });
}

/// More than the tree keeps in memory, so that most of it moves from the journal into tables.
#[test]
fn what_has_moved_into_tables_is_there_too() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let settings = EmbeddedSettings { waits_for_disk: false, ..in_directory(directory.path()) };
        let store = EmbeddedStore::open(&settings).unwrap();
        let tables = || files_under(&directory.path().join("evidence/keyspaces/1/tables"));
        let sealed_journal = directory.path().join("evidence/0.jnl");
        let next_journal = directory.path().join("evidence/1.jnl");
        let started = Instant::now();
        let mut recorded = 0;
        while !next_journal.exists() {
            assert!(recorded < 100_000, "all of it is still in memory");
            let event =
                |number| Event { vmta: "x".repeat(3000).into(), ..bounce(&format!("a{number}@x.example"), 1, 100, "other") };
            store.record(&(recorded..recorded + 1000).map(event).collect::<Vec<_>>()).await.unwrap();
            recorded += 1000;
        }
        while sealed_journal.exists() {
            assert!(started.elapsed() < FLUSH_DEADLINE, "no table after {recorded} events");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(!tables().is_empty());
        drop(store);
        let store = open(directory.path()).unwrap();
        let addresses: Vec<_> = (0..recorded).map(|number| address(&format!("a{number}@x.example"))).collect();
        let found = store.records(&addresses).await.unwrap();
        assert!(found.iter().all(|record| record.as_ref().is_some_and(|record| record.evidence().len() == 1)));
        drop(store);
        // A table without which there is a gap.
        for table in tables() {
            std::fs::remove_file(table).unwrap();
        }
        assert!(matches!(open(directory.path()).err(), Some(Error::StoreDamaged { .. })));
    });
}

#[test]
fn a_directory_has_one_owner_until_it_is_released() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path()).unwrap();
    let in_use = Error::DirectoryInUse { directory: directory.path().display().to_string() };
    assert_eq!(open(directory.path()).err(), Some(in_use));
    let clone = store.clone();
    drop(store);
    assert!(matches!(open(directory.path()).err(), Some(Error::DirectoryInUse { .. })), "a clone still has it");
    drop(clone);
    assert!(open(directory.path()).is_ok());
}

#[test]
fn what_cannot_be_a_directory_is_told_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "x").unwrap();
    let error = open(&file).err().unwrap();
    assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains(file.to_str().unwrap())), "{error:?}");
}

#[test]
fn a_letter_that_was_being_written_is_dropped() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        store.keep_letters(vec![letter("whole")], at(7)).await.unwrap();
        drop(store);
        let unfinished = file_of(directory.path(), "unfinished").with_extension("new");
        std::fs::write(&unfinished, "{\"received\":7,\"rea").unwrap();
        let foreign = directory.path().join("letters/notes.txt");
        std::fs::write(&foreign, "an operator's").unwrap();

        let store = open(directory.path()).unwrap();
        assert!(!unfinished.exists() && foreign.exists());
        assert_eq!(store.letter_heads(None, 10).await, Ok(vec![letter("whole").head]));
        // It was never acknowledged, so it comes again, and is new.
        assert_eq!(store.keep_letters(vec![letter("unfinished")], at(7)).await, Ok(vec![true]));
    });
}

#[test]
fn a_damaged_letter_costs_nothing_else_and_is_kept_again() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        store.keep_letters(vec![letter("content"), letter("other")], at(7)).await.unwrap();
        drop(store);
        let file = file_of(directory.path(), "content");
        let whole = std::fs::read(&file).unwrap();
        let mut damaged: Vec<_> = (0..whole.len()).map(|cut| whole[..cut].to_vec()).collect();
        damaged.extend((0..whole.len()).map(|place| {
            let mut flipped = whole.clone();
            flipped[place] ^= 0x80;
            flipped
        }));
        for bytes in damaged {
            std::fs::write(&file, &bytes).unwrap();
            let store = open(directory.path()).unwrap();
            assert_eq!(
                store.letter_heads(None, 10).await,
                Ok(vec![letter("other").head]),
                "{:?}",
                String::from_utf8_lossy(&bytes)
            );
            assert_eq!(store.keep_letters(vec![letter("content")], at(7)).await, Ok(vec![true]));
            assert_eq!(store.letter(letter("content").head.id).await, Ok(Some(letter("content"))));
        }
    });
}

#[test]
fn a_reason_of_any_length_is_kept_as_far_as_it_can_be() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let long = Letter::new(b"content", "\u{1}".repeat(5000), at(7));
        open(directory.path()).unwrap().keep_letters(vec![long.clone()], at(7)).await.unwrap();
        assert_eq!(open(directory.path()).unwrap().letter(long.head.id).await, Ok(Some(long)));
    });
}
