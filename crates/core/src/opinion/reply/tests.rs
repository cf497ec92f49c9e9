use super::*;
use proptest::prelude::*;

fn folded(text: &str) -> String {
    String::from_utf8_lossy(Reply::<FOLDED_BYTES>::read(text).folded()).into_owned()
}

#[test]
fn a_reply_is_unwrapped() {
    for (text, plain) in [
        ("smtp;550-5.1.1  <Some.One@x.example>... User\r\n550 UNKNOWN.", " smtp 550 5.1.1 @ user unknown "),
        ("host mx-1.spam.example[192.0.2.1] said: No", " host mx-1.spam.example 192.0.2.1 said no "),
        ("doesn't doesn’t doesn=27t doesn=E2=80=99t l'adresse l’été", " doesnt doesnt doesnt doesnt l adresse l ete "),
        ("Bo=C3=AEte=20pleine, Boîte PLEINE", " boite pleine boite pleine "),
        ("see https://x.example/?p=NoSuchUser, ip=203.0.113.9.", " see https://x.example/?p=nosuchuser ip=203.0.113.9 "),
        ("用户user@x.example不存在。", " 用户@不存在 "),
        ("Ящик переполнён", " ящик переполнен "),
        ("skrzynka PEŁNA\\nStraße", " skrzynka pelna strasse "),
    ] {
        // Both sides are what folding leaves of them: `й` loses its breve like every accent.
        let plain: String = plain.replace('й', "и");
        assert_eq!(folded(text), plain, "{text:?}");
    }
}

#[test]
fn folded_words_lead_back_to_the_text() {
    let text = "smtp;550 <Some.One@x.example>: Boîte  pleine!";
    let reply = Reply::<FOLDED_BYTES>::read(text);
    let find = |word: &str| {
        let folded = std::str::from_utf8(reply.folded()).unwrap();
        let start = folded.find(word).unwrap();
        &text[reply.origin(start..start + word.len())]
    };
    assert_eq!(find(" boite pleine "), "Boîte  pleine");
    assert_eq!(find("550"), "550");
}

proptest! {
    #[test]
    fn any_text_folds(text in any::<String>()) {
        let reply = Reply::<FOLDED_BYTES>::read(&text);
        prop_assert!(std::str::from_utf8(reply.folded()).is_ok());
        for start in 0..reply.folded().len() {
            let range = reply.origin(start..reply.folded().len());
            prop_assert!(range.end <= text.len());
        }
    }

    #[test]
    fn accented_text_folds(text in "[a-zéßŁ用=C3A9@. '\u{3b0}\u{390}ﬁ-]{0,3000}") {
        prop_assert!(std::str::from_utf8(Reply::<FOLDED_BYTES>::read(&text).folded()).is_ok() || text.len() > MAX_DIAGNOSTIC_BYTES);
    }
}
