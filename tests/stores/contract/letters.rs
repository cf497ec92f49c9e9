//! Rejected letters.

use suppressd_core::store::{MAX_LETTERS_PER_PAGE, Store};
use suppressd_core::{Error, Letter, LetterHead, LetterUsage};

use crate::events::at;
use crate::stores::{LIMITS, over_every_store};

over_every_store!(
    a_letter_comes_back_byte_by_byte,
    a_letter_is_known_by_its_content,
    letters_are_limited_in_number,
    letters_are_limited_in_bytes,
    age_makes_room_for_letters,
    pages_of_letters_follow_time_and_identity,
    a_letter_at_once_is_kept_once,
);

fn letter(content: &str, seconds: i64) -> Letter {
    Letter::new(content.as_bytes(), "why".into(), at(seconds))
}

async fn a_letter_comes_back_byte_by_byte(store: impl Store) {
    let every_byte: Vec<u8> = (0..=255).collect();
    for content in [&b""[..], b"\0\xff\r\n{", b"\n\n", &every_byte] {
        let kept = Letter::new(content, "a|b %7C\n\u{e9} \"".into(), at(7));
        assert_eq!(store.keep_letters(vec![kept.clone()], at(7)).await, Ok(vec![true]));
        assert_eq!(store.letter(kept.head.id).await, Ok(Some(kept.clone())));
        assert_eq!(store.letter_heads(None, 10).await, Ok(vec![kept.head.clone()]));
        assert_eq!(store.remove_letter(kept.head.id).await, Ok(true));
        assert_eq!(store.remove_letter(kept.head.id).await, Ok(false));
        assert_eq!(store.letter(kept.head.id).await, Ok(None));
    }
    assert_eq!(store.letter_usage().await, Ok(LetterUsage::default()));
}

async fn a_letter_is_known_by_its_content(store: impl Store) {
    let first = letter("same", 7);
    let again = Letter { head: LetterHead { received: at(8), reason: "another".into(), ..first.head.clone() }, ..first.clone() };
    assert_eq!(store.keep_letters(vec![first.clone(), again.clone()], at(8)).await, Ok(vec![true, false]));
    assert_eq!(store.keep_letters(vec![again], at(8)).await, Ok(vec![false]));
    // The first refusal is the one that is kept.
    assert_eq!(store.letter(first.head.id).await, Ok(Some(first)));
    assert_eq!(store.letter_usage().await, Ok(LetterUsage { letters: 1, content_bytes: 4 }));
}

async fn letters_are_limited_in_number(store: impl Store) {
    let letters: Vec<_> = (0..LIMITS.max_letters).map(|number| letter(&number.to_string(), 1)).collect();
    assert_eq!(store.keep_letters(letters.clone(), at(1)).await, Ok(vec![true; letters.len()]));
    assert_eq!(store.keep_letters(vec![letter("one more", 1)], at(1)).await, Err(Error::LettersFull));
    // What is there already needs no room.
    assert_eq!(store.keep_letters(vec![letters[3].clone()], at(1)).await, Ok(vec![false]));
    assert_eq!(store.remove_letter(letters[3].head.id).await, Ok(true));
    assert_eq!(store.keep_letters(vec![letter("one more", 1)], at(1)).await, Ok(vec![true]));
}

async fn letters_are_limited_in_bytes(store: impl Store) {
    let largest = letter(&"x".repeat(1000), 1);
    assert_eq!(store.keep_letters(vec![letter(&"x".repeat(1001), 1)], at(1)).await, Err(Error::LettersFull));
    assert_eq!(store.letter_usage().await, Ok(LetterUsage::default()));
    assert_eq!(store.keep_letters(vec![largest.clone()], at(1)).await, Ok(vec![true]));
    assert_eq!(store.keep_letters(vec![letter("x", 1)], at(1)).await, Err(Error::LettersFull));
    assert_eq!(store.keep_letters(vec![letter("", 1)], at(1)).await, Ok(vec![true]));
    assert_eq!(store.remove_letter(largest.head.id).await, Ok(true));
    assert_eq!(store.keep_letters(vec![letter("x", 1)], at(1)).await, Ok(vec![true]));
}

async fn age_makes_room_for_letters(store: impl Store) {
    let old: Vec<_> = (0..LIMITS.max_letters).map(|number| letter(&number.to_string(), 1)).collect();
    store.keep_letters(old, at(1)).await.unwrap();
    assert_eq!(store.keep_letters(vec![letter("new", 1001)], at(1001)).await, Err(Error::LettersFull));
    // One that is past its age is not taken for kept.
    let again = letter("0", 1002);
    assert_eq!(store.keep_letters(vec![again.clone(), letter("new", 1002)], at(1002)).await, Ok(vec![true, true]));
    assert_eq!(store.letter_usage().await, Ok(LetterUsage { letters: 2, content_bytes: 4 }));
    assert_eq!(store.letter(again.head.id).await, Ok(Some(again)));
}

async fn pages_of_letters_follow_time_and_identity(store: impl Store) {
    let letters: Vec<_> = (0..60).map(|number| letter(&number.to_string(), 10 + number / 20)).collect();
    let mut heads: Vec<_> = letters.iter().map(|letter| letter.head.clone()).collect();
    heads.sort();
    store.keep_letters(letters, at(0)).await.unwrap();
    assert_eq!(store.letter_heads(None, MAX_LETTERS_PER_PAGE + 1).await.as_ref(), Ok(&heads));
    let mut found = Vec::new();
    let mut after = None;
    loop {
        let page = store.letter_heads(after, 7).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some((last.received, last.id));
        // It goes on behind the place of a letter that is gone.
        assert_eq!(store.remove_letter(last.id).await, Ok(true));
        found.extend(page);
    }
    assert_eq!(found, heads);
    assert_eq!(store.letter_heads(None, 0).await, Ok(vec![]));
}

async fn a_letter_at_once_is_kept_once(store: impl Store) {
    let keep_it = |_| {
        let store = store.clone();
        tokio::spawn(async move { store.keep_letters(vec![letter("same", 1)], at(1)).await })
    };
    let tasks: Vec<_> = (0..20).map(keep_it).collect();
    let mut new = 0;
    for task in tasks {
        new += usize::from(task.await.unwrap() == Ok(vec![true]));
    }
    assert_eq!(new, 1);
}
