//! Objects as nearly all of them are: texts without an escape, and nothing within each other. They are most of what a webhook
//! costs, and the parser for all of JSON looks at each letter of theirs more than once.

use memchr::memchr;

use super::WebhookEvent;
use super::json::number_of;

/// Reads an object of texts that stand there as they are meant. None says nothing: the parser of all JSON decides then. What is
/// read here it would read alike.
pub(super) fn read(text: &str) -> Option<WebhookEvent<'_>> {
    // A control character in a text is an error; between texts it is a blank, or one as well.
    if text.bytes().any(|byte| byte < b' ') || memchr(b'\\', text.as_bytes()).is_some() {
        return None;
    }
    let mut event = WebhookEvent::default();
    let mut seen = 0_u16;
    let mut rest = text.trim_start_matches(' ').strip_prefix('{')?;
    loop {
        let (name, behind) = quoted(rest)?;
        let (value, behind) = quoted(behind.trim_start_matches(' ').strip_prefix(':')?)?;
        if let Some(field) = number_of(name) {
            let bit = 1 << field;
            if seen & bit != 0 {
                return None;
            }
            seen |= bit;
            *event.slot(field) = value.into();
        }
        rest = behind.trim_start_matches(' ');
        match rest.split_at_checked(1)? {
            (",", behind) => rest = behind,
            ("}", behind) => return behind.bytes().all(|byte| byte == b' ').then_some(event),
            _ => return None,
        }
    }
}

/// The text between the quotation marks that come next, and what stands behind them.
fn quoted(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ').strip_prefix('"')?;
    let end = memchr(b'"', text.as_bytes())?;
    Some((&text[..end], &text[end + 1..]))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_all_rules(text: &str) -> Option<WebhookEvent<'_>> {
        serde_json::from_str(text).ok()
    }

    #[test]
    fn plain_objects_are_read_and_others_left() {
        let text = r#" { "type" : "b", "rcpt":"a@x.example","vmta":"", "more" :"bücher"} "#;
        let read = read(text).unwrap();
        assert_eq!((&*read.kind, &*read.rcpt, &*read.orig), ("b", "a@x.example", ""));
        assert_eq!(Some(read), by_all_rules(text));
        for text in [
            "",
            "{}",
            "{",
            r#"{"type":"b""#,
            r#"{"type":"b"},"#,
            r#"{"type":"b"}}"#,
            r#"{"type":"b",}"#,
            r#"{"type":"b" "rcpt":"a"}"#,
            r#"{"type" "b"}"#,
            r#"{"type":"b","type":"b"}"#,
            r#"{"type":1}"#,
            r#"{"type":null}"#,
            r#"{"type":"\u0062"}"#,
            "{\"type\":\t\"b\"}",
            "{\"type\":\"b\n\"}",
            r#"["type"]"#,
            r#"{"more":{"type":"b"}}"#,
        ] {
            assert_eq!(super::read(text), None, "{text:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4000))]
        #[test]
        fn what_is_read_the_parser_reads_alike(
            text in r#" ?\{( ?"(type|rcpt|timeLogged|header_Message-Id|x|[a-c"\\]?)" ?: ?("[^"]{0,4}"|1|null|\{\}),?){0,4} ?[}\]]? ?"#,
        ) {
            if let Some(event) = read(&text) {
                prop_assert_eq!(Some(event), by_all_rules(&text));
            }
        }

        #[test]
        fn what_a_program_writes_is_read_alike(fields in prop::collection::btree_map("[a-z_]{1,4}|type|rcpt|vmta", any::<String>(), 1..6)) {
            let text = serde_json::to_string(&fields).unwrap();
            let read = read(&text);
            prop_assert!(read.is_some() || text.contains('\\'), "{}", text);
            prop_assert!(read.is_none() || read == by_all_rules(&text));
        }
    }
}
