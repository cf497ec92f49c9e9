//! What must hold of the second opinion, whatever the words are.

use suppressd_core::opinion::{Classifier, MAX_DIAGNOSTIC_BYTES, Opinion, StoredOpinion};
use suppressd_core::{BounceCategory, Class, EnhancedStatusCode};

/// A cue that no words around it turn into HARD.
const VETO: &str = "identified as spam";

/// As many blanks as take any text past the length up to which a shorter buffer is used.
const PADDING_BYTES: usize = 400;

/// An input: on its first line the status, as the provider writes it, and behind that the receiving server's words.
pub(crate) fn hold(input: &[u8]) {
    let input = String::from_utf8_lossy(input);
    let (status, words) = input.split_once('\n').unwrap_or(("", &input));
    hold_for(EnhancedStatusCode::from_wire(status), words);
}

/// What must hold of one status and one text.
pub(crate) fn hold_for(status: Option<EnhancedStatusCode>, words: &str) {
    let judge = |words: &str| Classifier::builtin().opinion(status, words);
    let opinion = judge(words);
    if let Some(opinion) = &opinion {
        holds_by_itself(opinion, status, words);
    }

    let looked_at = &words[..words.floor_char_boundary(MAX_DIAGNOSTIC_BYTES)];
    assert_eq!(judge(looked_at), opinion, "what is beyond the bound counts");
    let padded = format!("{words}{}", " ".repeat(PADDING_BYTES));
    assert_eq!(judge(&padded), opinion, "blanks behind the words count, or the length of the buffer does");

    if words.len() + VETO.len() < MAX_DIAGNOSTIC_BYTES {
        for vetoed in [format!("{words} {VETO}"), format!("{VETO} {words}")] {
            let class = judge(&vetoed).map(|opinion| opinion.class);
            assert!(class.is_some(), "the cue was not seen: {vetoed:?}");
            assert_ne!(class, Some(Some(Class::Hard)), "a veto did not hold: {vetoed:?}");
        }
    }
}

fn holds_by_itself(opinion: &Opinion, status: Option<EnhancedStatusCode>, words: &str) {
    let matched = words.get(opinion.matched.clone());
    assert!(matched.is_some(), "{:?} is no part of the words", opinion.matched);
    assert!(opinion.matched.end <= MAX_DIAGNOSTIC_BYTES, "{:?} was not looked at", opinion.matched);
    assert!(status.is_some() || matched != Some(""), "neither a status nor words decided");

    let says_something = |code: EnhancedStatusCode| (code.subject, code.detail) != (0, 0);
    if status.is_some_and(|code| code.class == 4 && says_something(code)) {
        assert_ne!(opinion.class, Some(Class::Hard), "hard under a 4xx status");
    }

    let stored = opinion.to_stored().to_string();
    assert!(stored.len() <= StoredOpinion::MAX_BYTES, "{stored} is too long");
    assert_eq!(StoredOpinion::from_stored(&stored), Some(opinion.to_stored()), "{stored} does not read back");

    for (category, class) in BounceCategory::mapped() {
        let contradiction = opinion.contradicts(&category);
        assert!(contradiction.is_none() || Some(class) != opinion.class, "the class {class:?} contradicts itself");
    }
    assert_eq!(opinion.contradicts(&BounceCategory::from_wire("other")), None, "what is not mapped cannot be contradicted");
}
