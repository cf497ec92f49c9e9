use super::*;
use crate::store::LetterStore as _;
use crate::store::redis::{RedisSettings, RedisStore};
use crate::{Error, Letter, LetterLimits, LetterUsage};

const LIMITS: LetterLimits = LetterLimits { max_letters: 3, max_content_bytes: 100, max_age_seconds: 1000 };

fn store(server: &Server, letter_limits: LetterLimits) -> RedisStore {
    RedisStore::open(&RedisSettings { letter_limits, ..RedisSettings::new(server.url()) }).unwrap()
}

fn letter(content: &str, seconds: i64) -> Letter {
    Letter::new(content.as_bytes(), "a|b %7C\n\u{e9}".into(), at(seconds))
}

#[test]
fn a_letter_comes_back_byte_by_byte() {
    let server = Server::start(&[]);
    block_on(async {
        let store = store(&server, LIMITS);
        let kept = Letter::new(b"\0\xff\r\n{", "a|b %7C\n\u{e9}".into(), at(7));
        assert_eq!(store.keep_letters(vec![kept.clone(), kept.clone()], at(7)).await, Ok(vec![true, false]));
        assert_eq!(store.letter(kept.head.id).await, Ok(Some(kept.clone())));
        assert_eq!(store.letter_heads(None, 10).await, Ok(vec![kept.head.clone()]));
        assert_eq!(store.letter_usage().await, Ok(LetterUsage { letters: 1, content_bytes: 5 }));
        assert_eq!(store.remove_letter(kept.head.id).await, Ok(true));
        assert_eq!(store.remove_letter(kept.head.id).await, Ok(false));
        assert_eq!(store.letter(kept.head.id).await, Ok(None));
        assert_eq!(store.letter_usage().await, Ok(LetterUsage::default()));
    });
}

#[test]
fn limits_hold_and_age_makes_room() {
    let server = Server::start(&[]);
    block_on(async {
        let store = store(&server, LIMITS);
        let letters = |seconds| vec![letter("a", seconds), letter("b", seconds), letter("c", seconds)];
        assert_eq!(store.keep_letters(letters(1), at(1)).await, Ok(vec![true; 3]));
        assert_eq!(store.keep_letters(vec![letter("d", 2)], at(2)).await, Err(Error::LettersFull));
        assert_eq!(store.keep_letters(letters(3), at(1001)).await, Ok(vec![false; 3]));
        assert_eq!(store.keep_letters(vec![letter("d", 1002)], at(1002)).await, Ok(vec![true]));
        assert_eq!(store.letter_usage().await, Ok(LetterUsage { letters: 1, content_bytes: 1 }));
        assert_eq!(store.keep_letters(vec![letter(&"x".repeat(100), 1002)], at(1002)).await, Err(Error::LettersFull));
        assert_eq!(store.keep_letters(vec![letter(&"x".repeat(99), 1002)], at(1002)).await, Ok(vec![true]));
    });
    assert_eq!(server.cli::<u64>(&["HLEN", "sup:{letters}:heads"]), 2);
    assert_eq!(server.cli::<u64>(&["HLEN", "sup:{letters}:content"]), 2);
    assert_eq!(server.cli::<u64>(&["ZCARD", "sup:{letters}:by-time"]), 2);
    assert_eq!(server.cli::<u64>(&["GET", "sup:{letters}:bytes"]), 100);
}

#[test]
fn a_letter_past_its_age_is_not_taken_for_kept() {
    let server = Server::start(&[]);
    block_on(async {
        let store = store(&server, LetterLimits { max_letters: 1000, ..LetterLimits::default() });
        let old: Vec<_> = (0..500).map(|number| letter(&format!("old {number}"), number)).collect();
        store.keep_letters(old, at(0)).await.unwrap();
        let now = at(100 * crate::DAY_SECONDS);
        let again = Letter { head: crate::LetterHead { received: now, ..letter("old 499", 0).head }, ..letter("old 499", 0) };
        assert_eq!(store.keep_letters(vec![again.clone()], now).await, Ok(vec![true]));
        for number in 0..4 {
            store.keep_letters(vec![letter(&format!("new {number}"), now.get())], now).await.unwrap();
        }
        assert_eq!(store.letter_usage().await.unwrap().letters, 5);
        assert_eq!(store.letter(again.head.id).await, Ok(Some(again)));
    });
}

#[test]
fn pages_follow_time_and_identity() {
    let server = Server::start(&[]);
    block_on(async {
        let store = store(&server, LetterLimits::default());
        let letters: Vec<_> = (0..60).map(|number| letter(&number.to_string(), 10 + number / 20)).collect();
        let mut heads: Vec<_> = letters.iter().map(|letter| letter.head.clone()).collect();
        heads.sort();
        store.keep_letters(letters, at(0)).await.unwrap();
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
    });
}
