//! Incidents and answers of a data directory: there again after an end of any kind, and refused when they cannot be read.

use std::path::Path;

use suppressd_core::store::embedded::EmbeddedStore;
use suppressd_core::store::{AnswerStore as _, BookVersion, DomainAnswers, IncidentStore as _};
use suppressd_core::{Act, Answers, AnswersBySlot, Error, Incident, IncidentBook, Origin, Scope, Slot};

use super::embedded_crash::image_of;
use super::{block_on, in_directory};
use crate::events::at;

const FILE: &str = "incidents.json";

const NOW: i64 = 1_700_000_000;

fn open(directory: &Path) -> Result<EmbeddedStore, Error> {
    EmbeddedStore::open(&in_directory(directory))
}

fn book(numbers: impl IntoIterator<Item = i64>) -> IncidentBook {
    let act = Act { at: at(7), who: "ops".into(), why: "\"why\"\n\u{e9}".into() };
    let incident = |number| Incident::opened(Scope::between(at(number), at(number + 1)), Origin::Operator, act.clone());
    IncidentBook::new(numbers.into_iter().map(incident).collect())
}

/// Counts one HARD answer of a domain, and gives all that is counted.
async fn count(store: &EmbeddedStore) -> AnswersBySlot {
    let one = DomainAnswers { domain: "x.example".into(), slot: Slot::of(at(NOW)), answers: Answers::one(true) };
    store.count_answers(&[one], at(NOW)).await.unwrap().remove(0).1
}

fn counted(times: u64) -> AnswersBySlot {
    AnswersBySlot::from([(Slot::of(at(NOW)), Answers { hard: times, all: times })])
}

#[test]
fn incidents_and_answers_are_there_when_it_is_opened_again() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        assert_eq!(store.replace_incidents(BookVersion(0), &book([1])).await, Ok(true));
        assert_eq!(store.replace_incidents(BookVersion(1), &book([2, 1])).await, Ok(true));
        assert_eq!(count(&store).await, counted(1));
        // As a kill would leave it, also one amid a write.
        let killed = image_of(directory.path());
        std::fs::write(killed.path().join(FILE).with_extension("new"), "{\"version\": 3, \"sha").unwrap();
        drop(store);
        for directory in [directory.path(), killed.path()] {
            let store = open(directory).unwrap();
            assert_eq!(store.incidents(None).await, Ok(Some((BookVersion(2), book([2, 1])))));
            assert_eq!(count(&store).await, counted(2));
            assert_eq!(store.replace_incidents(BookVersion(2), &book([])).await, Ok(true));
            drop(store);
            let store = open(directory).unwrap();
            assert_eq!(store.incidents(None).await, Ok(Some((BookVersion(3), book([])))));
        }
    });
}

#[test]
fn an_operator_can_read_the_incidents() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        let path = directory.path().join(FILE);
        assert!(!path.exists(), "nothing was written yet");
        store.replace_incidents(BookVersion(0), &book([5])).await.unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!((&json["version"], &json["incidents"][0]["from"]), (&1.into(), &5.into()));
        assert_eq!(json["incidents"][0]["opened"]["why"], "\"why\"\n\u{e9}");
        assert!(text.lines().count() > 5, "all in one line: {text}");
    });
}

/// What an opening makes of a file: the book, or a refusal by name.
async fn opened_with(directory: &Path, bytes: &[u8]) -> Option<(BookVersion, IncidentBook)> {
    let path = directory.join(FILE);
    std::fs::write(&path, bytes).unwrap();
    match open(directory) {
        Ok(store) => store.incidents(None).await.unwrap(),
        Err(Error::StoreDamaged { reason }) => {
            assert!(reason.contains(path.to_str().unwrap()), "{reason}");
            None
        }
        Err(other) => panic!("{other:?}"),
    }
}

#[test]
fn incidents_that_cannot_be_read_refuse_the_opening() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let kept = book([1_699_999_999, 2]);
        open(directory.path()).unwrap().replace_incidents(BookVersion(0), &kept).await.unwrap();
        let path = directory.path().join(FILE);
        let whole = std::fs::read(&path).unwrap();
        let expected = Some((BookVersion(1), kept));
        assert_eq!(opened_with(directory.path(), &whole).await, expected);
        // Without the line's end it is whole.
        for cut in (0..whole.len() - 1).step_by(13) {
            assert_eq!(opened_with(directory.path(), &whole[..cut]).await, None, "cut at {cut}");
        }
        let mut tells_nothing = 0;
        for place in (0..whole.len()).step_by(5) {
            let mut flipped = whole.clone();
            flipped[place] ^= 1;
            let found = opened_with(directory.path(), &flipped).await;
            assert!(found.is_none() || found == expected, "flipped at {place}: {found:?}");
            tells_nothing += usize::from(found.is_some());
        }
        assert!(tells_nothing < 5, "{tells_nothing}");
        let text = String::from_utf8(whole.clone()).unwrap();
        // What is JSON all the same.
        for (from, to) in [("1699999999", "1699999998"), ("\"version\": 1", "\"version\": 2"), ("\"ops\"", "\"opt\"")] {
            assert!(text.contains(from));
            assert_eq!(opened_with(directory.path(), text.replace(from, to).as_bytes()).await, None, "{to}");
        }
        assert_eq!(opened_with(directory.path(), b"{\"version\": 1, \"incidents\": []}").await, None);
        assert_eq!(opened_with(directory.path(), &whole).await, expected);
    });
}

#[test]
fn incidents_that_the_disk_does_not_give_refuse_the_opening() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join(FILE);
    std::fs::create_dir(&path).unwrap();
    let error = open(directory.path()).err().unwrap();
    assert!(matches!(&error, Error::StoreFailed { reason } if reason.contains(path.to_str().unwrap())), "{error:?}");
}

#[test]
fn incidents_that_cannot_be_written_stay_as_they_were() {
    block_on(async {
        let directory = tempfile::tempdir().unwrap();
        let store = open(directory.path()).unwrap();
        assert_eq!(store.replace_incidents(BookVersion(0), &book([1])).await, Ok(true));
        let in_the_way = directory.path().join(FILE).with_extension("new");
        std::fs::create_dir(&in_the_way).unwrap();
        let error = store.replace_incidents(BookVersion(1), &book([1, 2])).await.unwrap_err();
        assert!(matches!(error, Error::StoreFailed { .. }), "{error:?}");
        assert_eq!(store.incidents(None).await, Ok(Some((BookVersion(1), book([1])))));
        std::fs::remove_dir(&in_the_way).unwrap();
        assert_eq!(store.replace_incidents(BookVersion(1), &book([1, 2])).await, Ok(true));
        assert_eq!(store.incidents(None).await, Ok(Some((BookVersion(2), book([1, 2])))));
    });
}
