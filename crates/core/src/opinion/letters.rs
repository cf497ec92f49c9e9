//! What single letters fold to: lower-case, without their marks.

use unicode_normalization::char::decompose_canonical;

/// What ASCII letters and digits fold to, whatever stands around them; 0 for all else.
pub(super) const PLAIN: [u8; 256] = {
    let mut plain = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() {
            plain[byte as usize] = byte.to_ascii_lowercase();
        }
        byte += 1;
    }
    plain
};

/// Letters that Unicode does not take apart, and what people write for them.
const UNDECOMPOSED: [(char, &str); 9] = [
    ('ß', "ss"),
    ('ł', "l"),
    ('ø', "o"),
    ('đ', "d"),
    ('æ', "ae"),
    ('œ', "oe"),
    ('ı', "i"),
    // In lower case they have a byte more.
    ('ⱥ', "a"),
    ('ⱦ', "t"),
];

/// A Cyrillic letter in lower case, `й` and `ё` without their marks: what folding comes to, in less time.
pub(super) fn plain_cyrillic(letter: char) -> char {
    match letter {
        'й' | 'Й' => 'и',
        'ё' | 'Ё' => 'е',
        'А'..='Я' => char::from_u32(u32::from(letter) + 32).unwrap_or(letter),
        lower => lower,
    }
}

/// The parts of a letter that are no marks, in lower case, as far as they take no more bytes than the letter. What goes beyond
/// that are the marks of other scripts, such as the hamza of `أ`.
pub(super) fn plain(letter: char, mut push: impl FnMut(char)) {
    let mut room = letter.len_utf8();
    let mut push = |part: char| {
        if let Some(left) = room.checked_sub(part.len_utf8()) {
            room = left;
            push(part);
        }
    };
    for lower in letter.to_lowercase() {
        if let Some((_, plain)) = UNDECOMPOSED.iter().find(|(accented, _)| *accented == lower) {
            plain.chars().for_each(&mut push);
            continue;
        }
        decompose_canonical(lower, |part| {
            if !is_mark(part) {
                push(part);
            }
        });
    }
}

/// Whether a letter is a mark on the one before it.
pub(super) fn is_mark(letter: char) -> bool {
    ('\u{300}'..='\u{36f}').contains(&letter)
}

/// A letter beyond ASCII in quoted-printable behind its first equals sign, and how many bytes it takes there.
pub(super) fn quoted_letter(rest: &[u8]) -> Option<(char, usize)> {
    let hex = |digit: u8| char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let octet = |at: usize| Some(hex(*rest.get(at)?)? << 4 | hex(*rest.get(at + 1)?)?);
    let first = octet(0)?;
    let octets = match first {
        0xc3..=0xdf => 2,
        0xe1..=0xef => 3,
        _ => return None,
    };
    let mut bytes = [first, 0, 0];
    for (place, byte) in bytes.iter_mut().enumerate().take(octets).skip(1) {
        let at = place * 3;
        *byte = (rest.get(at - 1) == Some(&b'=')).then(|| octet(at)).flatten()?;
    }
    let letter = std::str::from_utf8(&bytes[..octets]).ok()?.chars().next()?;
    Some((letter, octets * 3 - 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_short_way_for_cyrillic_comes_to_the_same() {
        for letter in ('а'..='я').chain('А'..='Я').chain(['ё', 'Ё']) {
            let mut parts = Vec::new();
            plain(letter, |part| parts.push(part));
            assert_eq!(parts, [plain_cyrillic(letter)]);
        }
    }

    #[test]
    fn no_letter_folds_to_more_bytes_than_it_has() {
        for letter in ('\0'..=char::MAX).filter(|letter| letter.is_alphanumeric()) {
            let mut bytes = 0;
            plain(letter, |part| bytes += part.len_utf8());
            assert!(bytes <= letter.len_utf8(), "{letter} {letter:?}");
        }
    }

    #[test]
    fn quoted_letters_are_read_to_their_end_only() {
        assert_eq!(quoted_letter(b"C3=A9 et"), Some(('é', 5)));
        for rest in [&b"C3"[..], b"C3=A", b"C3=41", b"C3A9=", b"10.0.0.1", b"E2=80", b""] {
            assert_eq!(quoted_letter(rest), None, "{rest:?}");
        }
    }
}
