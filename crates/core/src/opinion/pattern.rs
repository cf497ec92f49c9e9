//! The language of the rules: phrases, written as people write them.
//!
//! - A phrase matches whole words, however they are accented, spaced, cased and punctuated: it is folded as the reply is.
//! - `{full|over quota|}` is one of several, one of which may be nothing; `{who}` is one of [`WORDS`].
//! - `a ~ b` is `a` and close behind it `b`, with at most [`NEAR_BYTES`] between: a name, a verb.
//! - `a .. b` is `a` and further on `b`, with at most [`FAR_BYTES`] between.
//! - `*` at an end lets the word go on there: `blacklist*`. A `*` in front of a piece with a slash finds it in a URL.
//! - `@` stands for any address. Scripts without blanks need no word ends.

use super::RuleError;
use super::reply::Reply;

/// Most bytes of folded text that `~` passes over.
pub(super) const NEAR_BYTES: usize = 28;

/// Most bytes of folded text that `..` passes over.
pub(super) const FAR_BYTES: usize = 100;

/// Most phrases that the alternatives of one part may come to.
const MAX_PHRASES_PER_PART: usize = 1024;

/// Words that many rules share.
const WORDS: [(&str, &str); 4] = [
    (
        "who",
        "user|userid|user id|username|user name|recipient|recipients|addressee|mailbox|mail box|mailaccount|account\
         |address|alias|inbox|userbox|e-mail|email|rcpt|customer|subscriber|employee|adress|recepient|recipent|local part\
         |localpart|local-part|person",
    ),
    ("box", "mailbox|mailboxes|mail box|mailfolder|mail folder|inbox|mailaccount|account|maildir|maildrop|user|recipient|@"),
    (
        "gone",
        "unknown|not found|not known|does not exist|doesnt exist|do not exist|did not exist|not exist|not exists|not \
         existing|nonexistent|non-existent|non existent|non-existing|nonexisting|inexistent|unexistent|no longer exists\
         |does no longer exist|cannot be found|could not be found|couldnt be found|can not be found|cant be found|not \
         recognized|not recognised|unrecognized|not listed|not here|is unavailable user not found|isnt known|isnt found\
         |wasnt found|not been found|isnt recognized|isnt listed|not existent|no exist|no exists|dont exist|doesnot exist\
         |does not exists|doesnt exists|didnt exist|nonexistant|non-existant|unknow|unkown|not reside here|not reside on\
         |not currently exist|not seem to exist|not appear to exist|doesnt seem to exist|doesnt appear to exist|not be \
         located|couldnt be located|cant be located|dosnt exist",
    ),
    ("off", "disabled|inactive|deactivated|suspended|locked|frozen|expired|inactivated|not active|not activated|disactivated"),
];

/// One part of a pattern: any of its phrases.
#[derive(Debug)]
pub(super) struct Part {
    /// How far behind the part before it may begin; 0 for the first.
    pub(super) gap: usize,
    /// The phrases, folded.
    pub(super) phrases: Vec<Vec<u8>>,
}

/// Reads a pattern.
pub(super) fn parts(pattern: &str) -> Result<Vec<Part>, RuleError> {
    let mut parts = Vec::new();
    let mut gap = 0;
    let mut words = String::new();
    for word in pattern.split_whitespace().chain([".."]) {
        let next = match word {
            ".." => FAR_BYTES,
            "~" => NEAR_BYTES,
            word => {
                words.push_str(word);
                words.push(' ');
                continue;
            }
        };
        parts.push(Part { gap, phrases: phrases(words.trim_end())? });
        words.clear();
        gap = next;
    }
    Ok(parts)
}

/// All phrases that one part stands for.
fn phrases(part: &str) -> Result<Vec<Vec<u8>>, RuleError> {
    let mut written = vec![String::new()];
    let mut rest = part;
    while let Some((plain, tail)) = rest.split_once('{') {
        let (inside, tail) = tail.split_once('}').ok_or_else(|| RuleError::pattern(part, "a brace is not closed"))?;
        let alternatives = WORDS.iter().find(|(name, _)| *name == inside).map_or(inside, |(_, words)| words);
        written =
            written.iter().flat_map(|head| alternatives.split('|').map(move |word| format!("{head}{plain}{word}"))).collect();
        if written.len() > MAX_PHRASES_PER_PART {
            return Err(RuleError::pattern(part, "too many alternatives"));
        }
        rest = tail;
    }
    written.iter().map(|head| phrase(&format!("{head}{rest}"))).collect()
}

/// One phrase, folded, with a blank where a word must end.
fn phrase(text: &str) -> Result<Vec<u8>, RuleError> {
    let (open_front, open_back) = (text.starts_with('*'), text.ends_with('*'));
    let plain = text.trim_matches('*');
    let reply: Reply<'_> = if open_front && plain.contains('/') { Reply::read_url_piece(plain) } else { Reply::read(plain) };
    let mut folded = reply.folded();
    let letters = folded.trim_ascii();
    if letters.len() < 2 && letters != b"@" {
        return Err(RuleError::pattern(text, "a phrase needs two letters at least"));
    }
    if open_front || !ends_words(letters.first()) {
        folded = folded.trim_ascii_start();
    }
    if open_back || !ends_words(letters.last()) {
        folded = folded.trim_ascii_end();
    }
    Ok(folded.to_vec())
}

/// Whether a letter belongs to a script that has blanks between its words; told by the first or last byte of UTF-8.
fn ends_words(byte: Option<&u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii() || matches!(byte, 0xc3..=0xd4))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pattern: &str) -> Vec<(usize, Vec<String>)> {
        let text = |phrase: Vec<u8>| String::from_utf8(phrase).unwrap();
        parts(pattern).unwrap().into_iter().map(|part| (part.gap, part.phrases.into_iter().map(text).collect())).collect()
    }

    #[test]
    fn a_pattern_is_read_as_it_is_written() {
        let phrases = |phrases: &[&str]| phrases.iter().map(|phrase| (*phrase).to_owned()).collect::<Vec<_>>();
        assert_eq!(read("Boîte {pleine|}"), [(0, phrases(&[" boite pleine ", " boite "]))]);
        assert_eq!(read("blacklist* .. *x.example/y"), [(0, phrases(&[" blacklist"])), (FAR_BYTES, phrases(&["x.example/y "]))]);
        assert_eq!(read("邮箱 ~ 已满"), [(0, phrases(&["邮箱"])), (NEAR_BYTES, phrases(&["已满"]))]);
    }

    #[test]
    fn what_is_no_pattern_is_refused() {
        for pattern in ["", "*", "a", "{user", "x .. .. y", "user .."] {
            assert!(parts(pattern).is_err(), "{pattern:?}");
        }
    }
}
