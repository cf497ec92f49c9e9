//! The codes in a reply: reply codes (RFC 5321, 4.2) and enhanced status codes (RFC 3463), each with its place.

use std::ops::Range;

use crate::EnhancedStatusCode;

/// Most codes of one reply that are kept; what joins more lines says nothing new.
const MAX_CODES: usize = 16;

/// A code and where it stands in the folded text.
#[derive(Clone, Copy)]
struct Placed {
    at: u16,
    len: u16,
    code: Code,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Code {
    Reply(u16),
    Enhanced(EnhancedStatusCode),
}

/// The codes of one reply, in the order of the text.
#[derive(Default)]
pub(super) struct Codes {
    placed: [Option<Placed>; MAX_CODES],
    len: usize,
}

/// The codes that a part of a reply stands under.
#[derive(Default, Clone, Copy)]
struct Governing {
    reply: Option<u16>,
    enhanced: Option<EnhancedStatusCode>,
}

impl Codes {
    /// Looks at a word that begins with a digit, and says whether it just repeats the code before it, as each line of a reply
    /// does. `before` is the letter in front of the word: a number in brackets is no reply code.
    pub(super) fn see(&mut self, word: &[u8], at: usize, before: Option<u8>) -> bool {
        let bracketed = matches!(before, Some(b'[' | b'(' | b'=' | b'/' | b'+'));
        let code = match word {
            [b'4' | b'5', b'0'..=b'7', b'0'..=b'9'] if !bracketed => {
                word.iter().try_fold(0_u16, |number, digit| (number * 10).checked_add(u16::from(digit - b'0'))).map(Code::Reply)
            }
            // The subjects of RFC 3463 end at 7: what is beyond is a version.
            [b'4' | b'5', b'.', b'0'..=b'7', b'.', ..] if word.len() <= 7 => {
                std::str::from_utf8(word).ok().and_then(EnhancedStatusCode::from_wire).map(Code::Enhanced)
            }
            _ => None,
        };
        if code.is_some_and(|code| self.is_repeated(code)) {
            return true;
        }
        if let (Some(code), Some(slot)) = (code, self.placed.get_mut(self.len)) {
            let place = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
            *slot = Some(Placed { at: place(at), len: place(word.len()), code });
            self.len += 1;
        }
        false
    }

    /// Whether the last code of that kind is the same.
    fn is_repeated(&self, code: Code) -> bool {
        let kind = std::mem::discriminant(&code);
        let last = self.placed.iter().flatten().rev().find(|placed| std::mem::discriminant(&placed.code) == kind);
        last.is_some_and(|placed| placed.code == code)
    }

    /// Whether what stands there is said for the time being only: under a 4xx code of its own, or of the whole event.
    ///
    /// A code governs the words up to the next one, since joined replies answer different commands; words before the first code
    /// stand under that. A code in the text beats `x.0.0` in the status, which says nothing.
    pub(super) fn is_transient(&self, at: usize, status: Option<EnhancedStatusCode>) -> bool {
        let governing = self.governing(at);
        let reply = governing.reply.is_some_and(|reply| reply < 500);
        let enhanced = governing.enhanced.is_some_and(|code| code.class == 4);
        let silent = governing.reply.is_none() && governing.enhanced.is_none();
        reply || enhanced || status.is_some_and(|code| code.class == 4 && (silent || is_specific(code)))
    }

    /// The codes that say something: of the text, with their places in it, and then the status, without one. Answers to commands
    /// that came too early (`503 5.5.1 RCPT first`) say nothing.
    pub(super) fn specific(
        &self,
        status: Option<EnhancedStatusCode>,
    ) -> impl Iterator<Item = (EnhancedStatusCode, Range<usize>)> {
        let placed = self.placed.iter().flatten().filter_map(|placed| match placed.code {
            Code::Enhanced(code) => Some((code, usize::from(placed.at)..usize::from(placed.at) + usize::from(placed.len))),
            Code::Reply(_) => None,
        });
        let said = placed.filter(|(code, range)| is_specific(*code) && self.governing(range.end).reply != Some(503));
        said.chain(status.filter(|code| is_specific(*code)).map(|code| (code, 0..0)))
    }

    fn governing(&self, at: usize) -> Governing {
        let mut governing = Governing::default();
        for placed in self.placed.iter().flatten() {
            let begun = governing.reply.is_some() || governing.enhanced.is_some();
            if usize::from(placed.at) >= at && begun {
                break;
            }
            match placed.code {
                Code::Reply(reply) => governing = Governing { reply: Some(reply), enhanced: None },
                Code::Enhanced(code) => governing.enhanced = Some(code),
            }
        }
        governing
    }
}

/// Whether a code says more than its class.
fn is_specific(code: EnhancedStatusCode) -> bool {
    (code.subject, code.detail) != (0, 0)
}

#[cfg(test)]
mod tests {
    use super::super::reply::Reply as AnyReply;
    type Reply<'t> = AnyReply<'t>;
    use super::*;

    fn transient(status: &str, text: &str) -> bool {
        let reply = Reply::read(text);
        let at = std::str::from_utf8(reply.folded()).unwrap().find("here").unwrap();
        reply.codes().is_transient(at, EnhancedStatusCode::from_wire(status))
    }

    #[test]
    fn a_code_governs_the_words_after_it() {
        for (status, text) in [
            ("4.1.1", "550 here"),
            ("4.0.0", "here"),
            ("5.1.1", "450 here"),
            ("", "450 4.1.1 here"),
            ("", "550 no 450 here"),
            ("", "here (#4.4.1)"),
            ("", "550 4.1.1 here"),
        ] {
            assert!(transient(status, text), "{status} {text}");
        }
        for (status, text) in [
            ("", "here"),
            ("4.0.0", "550 here"),
            ("5.1.6", "450 busy 551 here 503 first"),
            ("", "550 [450] here"),
            ("", "550 exim 4.94.2 here"),
        ] {
            assert!(!transient(status, text), "{status} {text}");
        }
    }

    #[test]
    fn codes_that_say_something_are_told_from_the_rest() {
        let reply = Reply::read("smtp;550 5.1.1 no (#5.2.2) 503 5.5.1 first 550 5.0.0 from 5.1.1.1");
        let codes = reply.codes().specific(EnhancedStatusCode::from_wire("5.1.0"));
        let codes: Vec<_> = codes.map(|(code, _)| code.to_string()).collect();
        assert_eq!(codes, ["5.1.1", "5.2.2", "5.1.0"]);
    }
}
