//! The book of incidents.

use suppressd_core::store::{BookVersion, IncidentStore, Store, amend_incidents};
use suppressd_core::{Act, Error, Incident, IncidentBook, IncidentState, MAX_INCIDENTS, Origin, Scope};

use crate::events::at;
use crate::stores::over_every_store;

over_every_store!(
    a_book_in_which_nothing_was_written_has_version_0,
    a_book_is_given_only_if_it_is_another_one,
    a_book_is_replaced_only_if_it_is_the_one_that_is_known,
    incidents_come_back_word_by_word_and_in_their_order,
    an_incident_is_closed_and_opened_again,
    as_many_incidents_as_there_may_be_come_back,
    changes_of_incidents_at_once_lose_nothing,
    what_fails_changes_no_incident,
);

fn act(seconds: i64, why: &str) -> Act {
    Act { at: at(seconds), who: "ops".into(), why: why.into() }
}

/// An incident of a time of its own.
fn incident(number: i64) -> Incident {
    Incident::opened(Scope::between(at(number), at(number + 3600)), Origin::Operator, act(number, "why"))
}

fn book(numbers: impl IntoIterator<Item = i64>) -> IncidentBook {
    IncidentBook::new(numbers.into_iter().map(incident).collect())
}

async fn kept(store: &impl IncidentStore) -> (BookVersion, IncidentBook) {
    store.incidents(None).await.unwrap().unwrap()
}

async fn a_book_in_which_nothing_was_written_has_version_0(store: impl Store) {
    assert_eq!(kept(&store).await, (BookVersion(0), IncidentBook::default()));
    assert_eq!(store.incidents(Some(BookVersion(0))).await, Ok(None));
    assert_eq!(store.incidents(Some(BookVersion(7))).await, Ok(Some((BookVersion(0), IncidentBook::default()))));
}

async fn a_book_is_given_only_if_it_is_another_one(store: impl Store) {
    let other = store.clone();
    // An empty one is a book like any other.
    for (known, numbers) in [vec![1], vec![1, 2], vec![], vec![3]].into_iter().enumerate() {
        let known = known as u64;
        assert_eq!(store.replace_incidents(BookVersion(known), &book(numbers.clone())).await, Ok(true));
        let expected = (BookVersion(known + 1), book(numbers));
        assert_eq!(other.incidents(Some(BookVersion(known))).await, Ok(Some(expected.clone())));
        assert_eq!(other.incidents(None).await, Ok(Some(expected)));
        assert_eq!(other.incidents(Some(BookVersion(known + 1))).await, Ok(None));
    }
}

async fn a_book_is_replaced_only_if_it_is_the_one_that_is_known(store: impl Store) {
    assert_eq!(store.replace_incidents(BookVersion(1), &book([9])).await, Ok(false));
    assert_eq!(store.replace_incidents(BookVersion(0), &book([1])).await, Ok(true));
    assert_eq!(store.replace_incidents(BookVersion(1), &book([1, 2])).await, Ok(true));
    for wrong in [0, 1, 3, 20, u64::MAX] {
        assert_eq!(store.replace_incidents(BookVersion(wrong), &book([9])).await, Ok(false));
        assert_eq!(kept(&store).await, (BookVersion(2), book([1, 2])));
    }
}

async fn incidents_come_back_word_by_word_and_in_their_order(store: impl Store) {
    let words = ["\"quoted\": {|}", "a\nb\r\t", "\\", "\u{e9}\u{1f4e7}\u{2028}", "%7C \u{1}", "version", "", &"x".repeat(512)];
    let mut incidents: Vec<_> = (0_i64..)
        .zip(words)
        .map(|(number, word)| Incident {
            // Neither time nor identity tells the order.
            scope: Scope {
                vmta: (number % 2 == 0).then(|| word.into()),
                domain: (number % 3 == 0).then(|| "x.example".into()),
                rule: (number % 4 == 0).then(|| "category:bad-mailbox".into()),
                ..Scope::between(at(1000 - number), at(2000))
            },
            origin: if number % 2 == 0 { Origin::Guard } else { Origin::Operator },
            opened: Act { at: at(500 - number), who: word.into(), why: word.into() },
            kept: (number % 3 == 1).then(|| act(7, word)),
            closed: (number % 3 == 2).then(|| act(8, word)),
        })
        .collect();
    for version in 0..3 {
        let book = IncidentBook::new(incidents.clone());
        assert_eq!(store.replace_incidents(BookVersion(version), &book).await, Ok(true));
        assert_eq!(kept(&store).await, (BookVersion(version + 1), book));
        incidents.rotate_left(3);
    }
}

async fn an_incident_is_closed_and_opened_again(store: impl Store) {
    let by_guard = Incident { origin: Origin::Guard, ..incident(2) };
    let id = by_guard.id();
    let open = async |incident: Incident| amend_incidents(&store, |book| book.open(incident.clone())).await.unwrap();
    open(incident(1)).await;
    open(by_guard.clone()).await;
    open(incident(3)).await;
    let state = async || kept(&store).await.1.get(id).map(Incident::state);
    assert_eq!(state().await, Some(IncidentState::Awaiting));
    amend_incidents(&store, |book| Ok(book.keep(id, act(5, "real")).is_some())).await.unwrap();
    assert_eq!(state().await, Some(IncidentState::Open));
    amend_incidents(&store, |book| Ok(book.close(id, act(6, "over")).is_some())).await.unwrap();
    assert_eq!(state().await, Some(IncidentState::Closed));
    assert_eq!(kept(&store).await.1.get(id).unwrap().closed, Some(act(6, "over")));
    open(by_guard.clone()).await;
    assert_eq!(kept(&store).await, (BookVersion(6), IncidentBook::new(vec![incident(1), by_guard.clone(), incident(3)])));
    // What changes nothing is no new version.
    open(by_guard).await;
    assert_eq!(kept(&store).await.0, BookVersion(6));
}

async fn as_many_incidents_as_there_may_be_come_back(store: impl Store) {
    let most = i64::try_from(MAX_INCIDENTS).unwrap();
    assert_eq!(store.replace_incidents(BookVersion(0), &book(0..most)).await, Ok(true));
    assert_eq!(kept(&store).await, (BookVersion(1), book(0..most)));
    let one_more = amend_incidents(&store, |book| book.open(incident(most))).await;
    assert_eq!(one_more, Err(Error::IncidentsFull));
    amend_incidents(&store, |book| Ok(book.close(incident(100).id(), act(1, "over")).is_some())).await.unwrap();
    amend_incidents(&store, |book| book.open(incident(most))).await.unwrap();
    assert_eq!(kept(&store).await, (BookVersion(3), book((0..100).chain(101..=most))));
}

async fn changes_of_incidents_at_once_lose_nothing(store: impl Store) {
    let open_one = |number| {
        let store = store.clone();
        tokio::spawn(async move { amend_incidents(&store, |book| book.open(incident(number))).await })
    };
    let tasks: Vec<_> = (0..50).map(open_one).collect();
    for task in tasks {
        assert_eq!(task.await.unwrap(), Ok(()));
    }
    let (version, book) = kept(&store).await;
    assert_eq!((version, book.incidents().len()), (BookVersion(50), 50));
    assert!((0..50).all(|number| book.get(incident(number).id()).is_some()));
}

async fn what_fails_changes_no_incident(store: impl Store) {
    assert_eq!(store.replace_incidents(BookVersion(0), &book([1])).await, Ok(true));
    let failed: Result<(), _> = amend_incidents(&store, |book| {
        book.open(incident(2))?;
        Err(Error::StoreOverloaded)
    })
    .await;
    assert_eq!(failed, Err(Error::StoreOverloaded));
    assert_eq!(kept(&store).await, (BookVersion(1), book([1])));
}
