//! A receiving server's reply, unwrapped and folded: the one form in which rules and texts are compared.
//!
//! Folding reads the text once. Letters become lower-case and lose their accents; what stands between words becomes one blank;
//! apostrophes vanish (`doesn't` is `doesnt`); an address becomes `@`, so that nobody's name is taken for a cue; a URL and a host
//! name stay one word each. So `smtp;`, `said:`, continuations (`550-`), joined lines and host names in front need no rules of
//! their own. The codes that the text names are collected on the way.

use std::ops::Range;

use super::codes::Codes;
use super::letters::{self, PLAIN, plain_cyrillic, quoted_letter};

/// Most of a diagnostic that is looked at, in bytes. Replies that say more say it at their beginning (RFC 5321, 4.5.3.1.5, bounds
/// a reply line at 512 bytes).
pub const MAX_DIAGNOSTIC_BYTES: usize = 2048;

/// The folded text: a blank at each end, and no letter folds to more bytes than it has, `@` and blanks included.
const FOLDED_BYTES: usize = MAX_DIAGNOSTIC_BYTES + 8;

/// A folded reply, in a buffer of so many bytes: most replies are short, and a buffer costs time by its length.
pub(super) struct Reply<'t, const BYTES: usize = FOLDED_BYTES> {
    text: &'t str,
    folded: [u8; BYTES],
    len: usize,
    /// Where the current word begins in the folded text, and where it comes from.
    word: usize,
    word_origin: usize,
    in_url: bool,
    codes: Codes,
    /// The folded part whose origin is asked for.
    traced: Option<Range<usize>>,
    origin: Range<usize>,
}

/// Longest text that a [`ShortReply`] has room for, in bytes.
pub(super) const SHORT_DIAGNOSTIC_BYTES: usize = 384;

/// A reply of a common length.
pub(super) type ShortReply<'t> = Reply<'t, { SHORT_DIAGNOSTIC_BYTES + 8 }>;

impl<'t, const BYTES: usize> Reply<'t, BYTES> {
    /// Folds a diagnostic as an event brings it.
    #[inline]
    pub(super) fn read(text: &'t str) -> Self {
        let mut reply = Self::unread(text);
        reply.fold();
        reply
    }

    /// Folds a piece of a URL, as it stands in a rule.
    pub(super) fn read_url_piece(text: &'t str) -> Self {
        let mut reply = Self { in_url: true, ..Self::unread(text) };
        reply.fold();
        reply
    }

    fn unread(text: &'t str) -> Self {
        let text = &text[..text.floor_char_boundary(MAX_DIAGNOSTIC_BYTES.min(BYTES - 8))];
        let codes = Codes::default();
        let folded = [0; BYTES];
        Self { text, folded, len: 0, word: 0, word_origin: 0, in_url: false, codes, traced: None, origin: 0..0 }
    }

    fn fold(&mut self) {
        self.push(b' ', 0);
        self.word = 1;
        let bytes = self.text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            // An address takes back what it began with, so that the origin is known only when its word has ended.
            if self.traced.as_ref().is_some_and(|traced| self.word > traced.end) {
                return;
            }
            at = match PLAIN[usize::from(byte)] {
                0 if byte.is_ascii() => self.ascii(byte, at),
                0 => self.other(at),
                _ => at + self.plain_run(&bytes[at..], at),
            };
        }
        self.blank(bytes.len());
    }

    /// The folded text.
    pub(super) fn folded(&self) -> &[u8] {
        &self.folded[..self.len]
    }

    /// The codes that the text names, placed in the folded text.
    pub(super) fn codes(&self) -> &Codes {
        &self.codes
    }

    /// The part of the text that a part of the folded text comes from, without the blanks at its ends. Folds once more.
    pub(super) fn origin(&self, folded: Range<usize>) -> Range<usize> {
        let mut range = folded.start..folded.end.min(self.len);
        while range.start < range.end && self.folded[range.start] == b' ' {
            range.start += 1;
        }
        while range.start < range.end && self.folded[range.end - 1] == b' ' {
            range.end -= 1;
        }
        if range.is_empty() {
            return 0..0;
        }
        let mut again = Self { traced: Some(range), origin: 0..self.text.len(), ..Self::unread(self.text) };
        again.fold();
        again.origin.start..again.origin.end.max(again.origin.start)
    }

    #[inline]
    fn push(&mut self, byte: u8, origin: usize) {
        if let Some(traced) = &self.traced {
            if self.len == traced.start {
                self.origin.start = origin;
            } else if self.len == traced.end {
                self.origin.end = origin;
            }
        }
        if self.len == self.word {
            self.word_origin = origin;
        }
        if let Some(place) = self.folded.get_mut(self.len) {
            *place = byte;
            self.len += 1;
        }
    }

    /// Folds a run of ASCII letters and digits, which most of a text is, and says how long it was.
    fn plain_run(&mut self, bytes: &[u8], at: usize) -> usize {
        if self.len == self.word {
            self.word_origin = at;
        }
        let mut run = 0;
        for (place, byte) in self.folded[self.len..].iter_mut().zip(bytes) {
            let letter = PLAIN[usize::from(*byte)];
            if letter == 0 {
                break;
            }
            *place = letter;
            run += 1;
        }
        if let Some(traced) = &self.traced {
            let place = |wanted: usize| wanted.checked_sub(self.len).filter(|into| *into < run).map(|into| at + into);
            self.origin.start = place(traced.start).unwrap_or(self.origin.start);
            self.origin.end = place(traced.end).unwrap_or(self.origin.end);
        }
        self.len += run;
        // Where there is no room left, the letter is passed over.
        run.max(1)
    }

    /// Ends a word.
    fn blank(&mut self, at: usize) {
        if self.len > self.word && self.folded[self.word].is_ascii_digit() {
            let before = self.word_origin.checked_sub(1).map(|before| self.text.as_bytes()[before]);
            if self.codes.see(&self.folded[self.word..self.len], self.word, before) {
                // So that a sentence goes on over the end of a line.
                self.len = self.word;
            }
        }
        if self.folded.get(self.len.wrapping_sub(1)) != Some(&b' ') {
            self.push(b' ', at);
        }
        self.word = self.len;
    }

    /// Folds the ASCII letter there and says where the next one is.
    fn ascii(&mut self, byte: u8, at: usize) -> usize {
        match byte {
            b'\'' | b'`' => self.apostrophe(at, at + 1),
            b'@' => return self.address(at),
            b'=' => return self.equals(at),
            b'\\' => {
                self.blank(at);
                // A line's end that somebody wrote out.
                return at + 1 + usize::from(matches!(self.ahead(at), b'n' | b'r' | b't'));
            }
            b'.' => self.within_word(byte, at),
            b'-' | b'_' | b'+' if !self.is_reply_code() => self.within_word(byte, at),
            b':' if self.ahead(at) == b'/' && self.folded[self.word..self.len].starts_with(b"http") => {
                self.in_url = true;
                self.push(byte, at);
            }
            b'/' | b'?' | b'&' | b'#' | b'%' | b':' if self.in_url => self.push(byte, at),
            _ => {
                self.in_url = false;
                self.blank(at);
            }
        }
        at + 1
    }

    /// An apostrophe before a vowel ends a word (`l'adresse`, `n'existe`), any other vanishes (`doesn't`).
    fn apostrophe(&mut self, at: usize, next: usize) {
        let next = self.text.as_bytes().get(next).map_or(b' ', u8::to_ascii_lowercase);
        if matches!(next, b'a' | b'e' | b'h' | b'i' | b'o' | b'u' | 0x80..) {
            self.blank(at);
        }
    }

    /// The byte after this one, 0 at the end.
    fn ahead(&self, at: usize) -> u8 {
        self.text.as_bytes().get(at + 1).copied().unwrap_or(0)
    }

    /// A full stop, a hyphen and their like belong to a word that goes on after them.
    fn within_word(&mut self, byte: u8, at: usize) {
        if self.len > self.word && (self.ahead(at).is_ascii_alphanumeric() || self.in_url && self.ahead(at).is_ascii_graphic()) {
            self.push(byte, at);
        } else {
            self.blank(at);
        }
    }

    /// Whether the word so far is a reply code, so that a hyphen behind it continues the reply (RFC 5321, 4.2.1).
    fn is_reply_code(&self) -> bool {
        matches!(&self.folded[self.word..self.len], [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9'])
    }

    /// An address becomes `@`, whatever stands around the sign.
    fn address(&mut self, at: usize) -> usize {
        let origin = if self.len > self.word { self.word_origin } else { at };
        self.len = self.word;
        self.in_url = false;
        self.push(b'@', origin);
        let rest = self.text.as_bytes()[at + 1..].iter();
        at + 1 + rest.take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')).count()
    }

    /// An equals sign, or what quoted-printable (RFC 2045, 6.7) left behind. Only what cannot be meant as it stands is decoded:
    /// `ip=203.0.113.9` is none.
    fn equals(&mut self, at: usize) -> usize {
        let rest = &self.text.as_bytes()[at + 1..];
        let followed_by_number = matches!(rest.get(2), Some(b'0'..=b'9' | b'.'));
        match rest {
            [b'\r', b'\n', ..] => return at + 3,
            [b'\n', ..] => return at + 2,
            [b'2', b'0', ..] | [b'0', b'A' | b'D' | b'a' | b'd', ..] if !followed_by_number && !self.in_url => {
                self.blank(at);
                return at + 3;
            }
            [b'2', b'7', ..] if !followed_by_number && !self.in_url => return at + 3,
            _ => {}
        }
        if let Some((letter, len)) = quoted_letter(rest) {
            self.letter(letter, at);
            return at + 1 + len;
        }
        self.push(b'=', at);
        at + 1
    }

    /// Folds the letter beyond ASCII there and says where the next one is.
    fn other(&mut self, at: usize) -> usize {
        let letter = self.text[at..].chars().next().unwrap_or(' ');
        self.in_url = false;
        self.letter(letter, at);
        at + letter.len_utf8()
    }

    fn letter(&mut self, letter: char, at: usize) {
        match letter {
            '\u{2019}' | '\u{2018}' => self.apostrophe(at, at + letter.len_utf8()),
            'а'..='я' | 'А'..='Я' | 'ё' | 'Ё' => self.push_letter(plain_cyrillic(letter), at),
            '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}' | '\u{300}'..='\u{36f}' => {}
            '\u{ff10}'..='\u{ff5a}' if letter.is_alphanumeric() => {
                let narrow = u8::try_from(u32::from(letter) - 0xfee0).unwrap_or(b' ');
                self.push(narrow.to_ascii_lowercase(), at);
            }
            // Scripts without blanks: each letter is a word.
            '\u{2e80}'.. if letter.is_alphanumeric() => {
                self.push_letter(letter, at);
                self.word = self.len;
            }
            _ if letter.is_alphanumeric() => self.plain(letter, at),
            _ => self.blank(at),
        }
    }

    /// A letter without its accent and in lower case.
    fn plain(&mut self, letter: char, at: usize) {
        letters::plain(letter, |part| self.push_letter(part, at));
    }

    fn push_letter(&mut self, letter: char, at: usize) {
        letter.encode_utf8(&mut [0; 4]).bytes().for_each(|byte| self.push(byte, at));
    }
}

#[cfg(test)]
mod tests;
