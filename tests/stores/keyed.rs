//! A store that keeps addresses under pseudonyms answers as one that keeps them as they are.

use std::sync::Arc;

use proptest::prelude::*;
use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{
    AdministrativeStore, EvidenceStore as _, KeyedStore, LetterStore as _, ListingStore as _, Outcome, Pseudonyms, StoredNames,
};
use suppressd_core::{
    Address, AddressKey, AddressRef, Erasure, Error, Event, EventKind, Incidents, Letter, LetterUsage, Policy, Reason, Record,
    Tombstone, verdict,
};

use super::{block_on, record_of};
use crate::events::{ALICE, BOB, address, at, bounce, complaint, delivery, entry};

const NAMES: [&str; 2] = [ALICE, BOB];

const TOMBSTONE: Tombstone = Tombstone { erased_at: at(9), reason: Reason::Complaint };

fn key() -> AddressKey {
    AddressKey::new(&[7; 32]).unwrap()
}

fn keyed(store: &MemoryStore, names: &StoredNames) -> KeyedStore<MemoryStore> {
    let pseudonyms = Pseudonyms::new(key());
    pseudonyms.settle(names);
    KeyedStore::new(store.clone(), Some(Arc::new(pseudonyms)))
}

fn hashed() -> StoredNames {
    StoredNames::Hashed(key().check().to_owned())
}

fn mixed() -> StoredNames {
    StoredNames::Mixed(key().check().to_owned())
}

#[derive(Debug, Clone)]
enum Step {
    Record(Vec<Event>),
    Suppress(usize, i64),
    Lift(usize, i64),
    Erase(usize, bool),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let event = (0..2_usize, 0..30_u64, 0..4_u8).prop_map(|(who, number, kind)| {
        let seconds = 100 + (number * 37 % 11).cast_signed() * 50;
        match kind {
            0 => delivery(NAMES[who], number, seconds),
            1 => complaint(NAMES[who], number + 100, seconds),
            _ => bounce(NAMES[who], number, seconds, if number % 3 == 0 { "bad-mailbox" } else { "quota-issues" }),
        }
    });
    let step = prop_oneof![
        6 => prop::collection::vec(event, 1..6).prop_map(Step::Record),
        1 => (0..2_usize, 0..800_i64).prop_map(|(who, seconds)| Step::Suppress(who, seconds)),
        1 => (0..2_usize, 0..800_i64).prop_map(|(who, seconds)| Step::Lift(who, seconds)),
        1 => (0..2_usize, any::<bool>()).prop_map(|(who, is_suppressed)| Step::Erase(who, is_suppressed)),
    ];
    prop::collection::vec(step, 0..12)
}

/// An operator's clock does not go back: it begins at that step.
async fn live_through(store: &impl AdministrativeStore, begin: i64, steps: &[Step], may_erase: bool) {
    for (place, step) in (begin..).zip(steps) {
        match step {
            Step::Record(events) => {
                store.record(events).await.unwrap();
            }
            Step::Suppress(who, seconds) => {
                store.suppress(&address(NAMES[*who]), entry(place * 1000 + seconds, "by hand")).await.unwrap();
            }
            Step::Lift(who, seconds) => {
                store.lift(&address(NAMES[*who]), at(*seconds), "ops", "typo").await.unwrap();
            }
            Step::Erase(who, is_suppressed) if may_erase => {
                let seen = record_of(store, &address(NAMES[*who])).await;
                let erased = store.erase(&address(NAMES[*who]), seen.as_ref(), is_suppressed.then_some(TOMBSTONE)).await;
                assert!(matches!(erased, Ok(Erasure::Done(_))), "{erased:?}");
            }
            Step::Erase(..) => {}
        }
    }
}

/// All that a verdict and its explanation go by. What a lift says of itself is of the record that it was said of.
type Known = Option<(
    Address,
    Vec<suppressd_core::Evidence>,
    Option<suppressd_core::ManualEntry>,
    Option<Tombstone>,
    suppressd_core::Verdict,
)>;

fn known(record: Option<Record>) -> Known {
    let record = record?;
    let policy = Policy { delivery_resets_soft_bounces: true, ..Policy::default() };
    let judged = verdict(&policy, &Incidents::default(), &record, at(50_000));
    Some((record.address.clone(), record.evidence().to_vec(), record.manual.clone(), record.tombstone, judged))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_hashed_store_answers_as_a_readable_one(steps in steps()) {
        block_on(async {
            let (plain, inner) = (MemoryStore::default(), MemoryStore::default());
            let store = keyed(&inner, &hashed());
            live_through(&plain, 0, &steps, true).await;
            live_through(&store, 0, &steps, true).await;
            let asked = NAMES.map(address);
            prop_assert_eq!(store.records(&asked).await, plain.records(&asked).await);
            prop_assert_eq!(inner.records(&asked).await, Ok(vec![None, None]), "nothing lies under a name");
            Ok(())
        })?;
    }

    #[test]
    fn a_store_that_was_begun_without_a_key_answers_as_one_that_never_had_one(
        before in steps(), after in steps(), again in any::<prop::sample::Index>(),
    ) {
        block_on(async {
            let (plain, inner) = (MemoryStore::default(), MemoryStore::default());
            live_through(&inner, 0, &before, false).await;
            let names = inner.list_records(None, 10).await.unwrap().records.len();
            let store = keyed(&inner, &mixed());
            live_through(&plain, 0, &before, false).await;
            // What was recorded comes again, as a provider repeats it.
            let repeated = &before[again.index(before.len() + 1).min(before.len())..];
            let repeated: Vec<_> = repeated.iter().filter(|step| matches!(step, Step::Record(_))).cloned().collect();
            for (begin, steps) in [(100, &repeated), (200, &after)] {
                live_through(&plain, begin, steps, true).await;
                live_through(&store, begin, steps, true).await;
            }
            let asked = NAMES.map(address);
            let [answered, expected] = [store.records(&asked).await.unwrap(), plain.records(&asked).await.unwrap()];
            prop_assert_eq!(
                answered.into_iter().map(known).collect::<Vec<_>>(),
                expected.into_iter().map(known).collect::<Vec<_>>()
            );
            let readable = inner.records(&asked).await.unwrap().into_iter().flatten().count();
            prop_assert!(readable <= names, "no new record lies under a name");
            Ok(())
        })?;
    }
}

#[test]
fn without_a_key_nothing_is_erased_and_all_else_is_as_ever() {
    block_on(async {
        let inner = MemoryStore::default();
        let store = KeyedStore::new(inner.clone(), None);
        store.record(&[bounce(ALICE, 1, 100, "other")]).await.unwrap();
        let seen = record_of(&inner, &address(ALICE)).await;
        assert_eq!(store.erase(&address(ALICE), seen.as_ref(), Some(TOMBSTONE)).await, Err(Error::AddressKeyNeeded));
        assert_eq!(record_of(&store, &address(ALICE)).await, seen);
        let letter = Letter::new(ALICE.as_bytes(), "why".into(), at(1));
        store.keep_letters(vec![letter.clone()], at(1)).await.unwrap();
        assert_eq!(inner.letter(letter.head.id).await, Ok(Some(letter)));
    });
}

#[test]
fn an_erasure_that_was_cut_off_between_the_two_records_is_finished_by_the_next() {
    block_on(async {
        let inner = MemoryStore::default();
        inner.record(&[complaint(ALICE, 1, 100)]).await.unwrap();
        let store = keyed(&inner, &mixed());
        let pseudonym = key().pseudonym(&address(ALICE));
        inner.erase(&pseudonym, None, Some(TOMBSTONE)).await.unwrap();
        let cut_off = record_of(&store, &address(ALICE)).await;
        assert_eq!(cut_off, Some(Record::erased(address(ALICE), TOMBSTONE)));
        let Ok(Erasure::Done(erased)) = store.erase(&address(ALICE), cut_off.as_ref(), Some(TOMBSTONE)).await else { panic!() };
        assert!(erased.had_record);
        assert_eq!(record_of(&inner, &address(ALICE)).await, None);
        assert_eq!(record_of(&store, &address(ALICE)).await, cut_off);
    });
}

#[test]
fn whoever_has_a_pseudonym_from_a_list_can_ask_about_it() {
    block_on(async {
        for names in [hashed(), mixed()] {
            let inner = MemoryStore::default();
            let store = keyed(&inner, &names);
            store.record(&[bounce(ALICE, 1, 100, "bad-mailbox"), delivery(ALICE, 2, 200)]).await.unwrap();
            let listed = store.list_records(None, 10).await.unwrap().records.remove(0);
            assert_eq!(record_of(&store, &listed.address).await.as_ref(), Some(&listed));
            assert_eq!(store.lift(&listed.address, at(500), "ops", "typo").await, Ok(true));
            let released = record_of(&store, &address(ALICE)).await.unwrap();
            assert_eq!(released.lift.unwrap().fence, at(500));
            for _ in 0..2 {
                let seen = record_of(&store, &listed.address).await;
                let erased = store.erase(&listed.address, seen.as_ref(), Some(TOMBSTONE)).await;
                assert!(matches!(erased, Ok(Erasure::Done(_))), "{erased:?}");
                assert_eq!(record_of(&store, &address(ALICE)).await.unwrap().tombstone, Some(TOMBSTONE));
            }
        }
    });
}

#[test]
fn a_whole_domain_lies_under_the_hash_of_the_domain() {
    block_on(async {
        let inner = MemoryStore::default();
        inner.suppress(&address("*@example.org"), entry(1, "before")).await.unwrap();
        let store = keyed(&inner, &mixed());
        store.suppress(&address("*@example.com"), entry(2, "after")).await.unwrap();
        let asked = [ALICE, "carol@example.org", "dave@example.net"].map(address);
        let notes = async || {
            let asked = asked.each_ref().map(AddressRef::from);
            let found = store.find(&asked).await.unwrap();
            assert_eq!(found, store.find_strictly(&asked).await.unwrap());
            found.into_all().into_iter().map(|found| found.domain_entry.map(|entry| entry.note.clone())).collect::<Vec<_>>()
        };
        assert_eq!(notes().await, [Some("after".into()), Some("before".into()), None]);
        assert_eq!(inner.records(&[address("*@example.com")]).await, Ok(vec![None]));
        for domain in ["*@example.com", "*@example.org"] {
            assert_eq!(store.lift(&address(domain), at(3), "ops", "enough").await, Ok(true));
        }
        assert_eq!(notes().await, [const { None::<String> }; 3]);
    });
}

#[test]
fn letters_are_sealed_and_those_from_before_are_read_and_erased_too() {
    block_on(async {
        let inner = MemoryStore::default();
        let before = Letter::new(br#"{"rcpt":"alice\u0040example.com"}"#, "why".into(), at(1));
        let after = Letter::new(b"ALICE@example.com again", "why".into(), at(2));
        let of_bob = Letter::new(BOB.as_bytes(), "why".into(), at(3));
        inner.keep_letters(vec![before.clone()], at(1)).await.unwrap();
        let store = keyed(&inner, &mixed());
        assert_eq!(store.keep_letters(vec![after.clone(), of_bob.clone()], at(3)).await, Ok(vec![true, true]));
        assert_eq!(store.keep_letters(vec![after.clone()], at(3)).await, Ok(vec![false]), "a retry is recognised");
        let heads = store.letter_heads(None, 10).await.unwrap();
        let told: Vec<_> = heads.iter().map(|head| (head.received, head.content_bytes, &*head.reason)).collect();
        let expected = [&before, &after, &of_bob].map(|letter| (letter.head.received, letter.head.content_bytes, "why"));
        assert_eq!(told, expected);
        for (head, letter) in heads.iter().zip([&before, &after, &of_bob]) {
            assert_eq!(store.letter(head.id).await.unwrap().unwrap().content, letter.content);
            let stored = inner.letter(head.id).await.unwrap().unwrap();
            assert_eq!(stored.content == letter.content, head.id == before.head.id);
        }
        let Ok(Erasure::Done(erased)) = store.erase(&address(ALICE), None, None).await else { panic!() };
        assert_eq!((erased.had_record, erased.letters), (false, 2));
        assert_eq!(store.letter_heads(None, 10).await, Ok(heads[2..].to_vec()));
        assert_eq!(inner.letter_usage().await.unwrap(), LetterUsage { letters: 1, content_bytes: BOB.len() as u64 + 40 });
    });
}

#[test]
fn in_a_mixed_store_a_delivery_is_noted_in_the_record_that_is_there() {
    block_on(async {
        let inner = MemoryStore::default();
        inner.record(&[bounce(ALICE, 1, 100, "quota-issues")]).await.unwrap();
        let store = keyed(&inner, &mixed());
        let events = [delivery(ALICE, 2, 300), bounce(BOB, 3, 100, "other"), delivery(BOB, 4, 400)];
        assert_eq!(store.record(&events).await, Ok(vec![Outcome::Recorded; 3]));
        let noted = store.records(&NAMES.map(address)).await.unwrap().into_iter().map(|record| record.unwrap().last_delivered);
        assert_eq!(noted.collect::<Vec<_>>(), [Some(at(300)), Some(at(400))]);
        assert_eq!(events[0].kind, EventKind::Delivered);
        let listed = store.list_records(None, 10).await.unwrap().records;
        assert_eq!(listed.iter().filter(|record| record.address == address(ALICE)).count(), 1);
        assert!(listed.iter().all(|record| record.address != address(BOB)), "only its pseudonym");
    });
}
