//! Letters that are kept sealed, and those that name an address.

use super::{KeyedStore, Pseudonyms};
use crate::store::{LetterStore, MAX_LETTERS_PER_PAGE};
use crate::{Address, Error, Letter, LetterHead, LetterId, LetterUsage, SEAL_BYTES, UnixSeconds};

/// What the reason of a letter begins with whose content is sealed. No reason of ours begins so by itself.
const SEALED: &str = "sealed|";

impl<S: LetterStore> LetterStore for KeyedStore<S> {
    async fn keep_letters(&self, letters: Vec<Letter>, now: UnixSeconds) -> Result<Vec<bool>, Error> {
        let Some(pseudonyms) = &self.pseudonyms else { return self.store.keep_letters(letters, now).await };
        let sealed = letters.iter().map(|letter| seal(pseudonyms, letter)).collect::<Result<_, _>>()?;
        self.store.keep_letters(sealed, now).await
    }

    async fn letter_heads(&self, after: Option<(UnixSeconds, LetterId)>, limit: usize) -> Result<Vec<LetterHead>, Error> {
        let heads = self.store.letter_heads(after, limit).await?;
        Ok(if self.pseudonyms.is_some() { heads.into_iter().map(|head| opened(head).0).collect() } else { heads })
    }

    async fn letter(&self, id: LetterId) -> Result<Option<Letter>, Error> {
        let letter = self.store.letter(id).await?;
        match (&self.pseudonyms, letter) {
            (Some(pseudonyms), Some(letter)) => unseal(pseudonyms, letter).map(Some),
            (_, letter) => Ok(letter),
        }
    }

    async fn remove_letter(&self, id: LetterId) -> Result<bool, Error> {
        self.store.remove_letter(id).await
    }

    async fn letter_usage(&self) -> Result<LetterUsage, Error> {
        self.store.letter_usage().await
    }
}

impl<S: LetterStore> KeyedStore<S> {
    /// Removes the letters that name an address. Says how many they were.
    pub(super) async fn erase_letters(&self, pseudonyms: &Pseudonyms, address: &Address) -> Result<u64, Error> {
        let mut removed = 0;
        let mut after = None;
        loop {
            let heads = self.store.letter_heads(after, MAX_LETTERS_PER_PAGE).await?;
            let Some(last) = heads.last() else { return Ok(removed) };
            after = Some((last.received, last.id));
            for head in heads {
                // It may have been replayed meanwhile.
                let Some(letter) = self.store.letter(head.id).await? else { continue };
                if names(&unseal(pseudonyms, letter)?, address) {
                    removed += u64::from(self.store.remove_letter(head.id).await?);
                }
            }
        }
    }
}

/// The same content is sealed alike, so that it has the same identity, which tells nothing without the key.
fn seal(pseudonyms: &Pseudonyms, letter: &Letter) -> Result<Letter, Error> {
    let content = pseudonyms.key.seal(&letter.content)?;
    Ok(Letter::new(&content, format!("{SEALED}{}", letter.head.reason), letter.head.received))
}

/// The head as it was before it was sealed, and whether it was.
fn opened(head: LetterHead) -> (LetterHead, bool) {
    let LetterHead { received, id, content_bytes, reason } = head;
    match reason.strip_prefix(SEALED) {
        Some(bare) => {
            let content_bytes = content_bytes.saturating_sub(SEAL_BYTES as u64);
            (LetterHead { received, id, content_bytes, reason: bare.to_owned() }, true)
        }
        None => (LetterHead { received, id, content_bytes, reason }, false),
    }
}

fn unseal(pseudonyms: &Pseudonyms, letter: Letter) -> Result<Letter, Error> {
    let Letter { head, content } = letter;
    let (head, is_sealed) = opened(head);
    Ok(Letter { head, content: if is_sealed { pseudonyms.key.unseal(&content)? } else { content } })
}

/// Whether a letter names an address: in any case, escaped as JSON does it, or percent-encoded. Whatever could be read as a text
/// that holds it counts: rather a letter too many.
fn names(letter: &Letter, address: &Address) -> bool {
    let wanted = address.as_str();
    let content = String::from_utf8_lossy(&letter.content).to_lowercase();
    let plain = unescaped(&content);
    [&*content, &*plain, &*letter.head.reason.to_lowercase()].iter().any(|text| text.contains(wanted))
        || spellings(&plain).any(|spelling| spelling == *address)
}

/// The texts around each @ that can be read as addresses: a domain may be written in its own letters.
fn spellings(text: &str) -> impl Iterator<Item = Address> {
    let is_end = |letter: char| letter.is_whitespace() || letter.is_control() || "\"'<>(),;:[]{}\\".contains(letter);
    text.split(is_end).filter(|word| word.contains('@')).filter_map(|word| word.parse().ok())
}

/// A text in which what JSON or a form has escaped stands for itself.
fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let hexadecimal = |skip: usize, digits: usize| {
            let digits = rest.get(skip..skip + digits)?;
            let code = u32::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))?;
            char::from_u32(code)
        };
        let (letter, length) = match first {
            '\\' if rest.starts_with("\\u") => hexadecimal(2, 4).map_or((first, 1), |letter| (letter, 6)),
            '\\' if rest.starts_with("\\/") => ('/', 2),
            '%' => hexadecimal(1, 2).filter(char::is_ascii).map_or((first, 1), |letter| (letter, 3)),
            letter => (letter, letter.len_utf8()),
        };
        plain.push(letter);
        rest = rest.get(length..).unwrap_or_default();
    }
    plain.to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finds(content: &str, address: &str) -> bool {
        names(&Letter::new(content.as_bytes(), String::new(), UnixSeconds::clamped(1)), &address.parse().unwrap())
    }

    #[test]
    fn an_address_is_found_however_it_is_written() {
        for content in [
            "alice@example.com",
            r#"{"rcpt":"ALICE@Example.com","type":"?"}"#,
            r#"{"rcpt":"alice\u0040example.com"}"#,
            r#"{"rcpt":"\u0041lice@example.com"}"#,
            "rcpt=alice%40example.com&type=x",
            r#"{"dsnDiag":"550 <alice@example.com>: unknown""#,
            "\u{ff}\0 alice@example.com cut",
        ] {
            assert!(finds(content, "alice@example.com"), "{content}");
        }
        assert!(finds(r#"{"rcpt":"user@bücher.example"}"#, "user@xn--bcher-kva.example"));
        assert!(finds(r#"{"rcpt":"user@b\u00fccher.example"}"#, "user@xn--bcher-kva.example"));
        assert!(finds(r#"{"rcpt":"<JOSE\u0301@x.example>"}"#, "jos\u{e9}@x.example"));
        for content in ["", "alice@example.org", "bob@example.com", r"\u00", "%4", "alice @example.com", "%zz\\uzzzz"] {
            assert!(!finds(content, "alice@example.com"), "{content}");
        }
    }
}
