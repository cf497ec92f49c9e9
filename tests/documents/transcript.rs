//! Whether a command's output is what a document shows. In a document, `...` stands for any characters.

use serde_json::{Deserializer, Value};

/// Says what differs.
pub(super) fn compare_text(shown: &str, found: &str) -> Result<(), String> {
    let (shown, found): (Vec<_>, Vec<_>) = (shown.trim_end().lines().collect(), found.trim_end().lines().collect());
    if shown.len() != found.len() {
        return Err(format!("{} lines are shown, there are {}", shown.len(), found.len()));
    }
    let differs = shown.iter().zip(&found).find(|(shown, found)| !is_like(shown, found));
    differs.map_or(Ok(()), |(shown, found)| Err(format!("shown: {shown}\nfound: {found}")))
}

/// As values: how they are broken into lines does not matter.
pub(super) fn compare_json(shown: &str, found: &str) -> Result<(), String> {
    let read = |text: &str| Deserializer::from_str(text).into_iter::<Value>().collect::<Result<Vec<_>, _>>();
    let (shown, found) = (read(shown).map_err(|error| error.to_string())?, read(found).map_err(|error| error.to_string())?);
    if is_like_value(&shown.clone().into(), &found.clone().into()) {
        Ok(())
    } else {
        Err(format!("shown: {shown:?}\nfound: {found:?}"))
    }
}

fn is_like_value(shown: &Value, found: &Value) -> bool {
    match (shown, found) {
        (Value::String(shown), Value::String(found)) => is_like(shown, found),
        (Value::Array(shown), Value::Array(found)) => {
            shown.len() == found.len() && shown.iter().zip(found).all(|(shown, found)| is_like_value(shown, found))
        }
        (Value::Object(shown), Value::Object(found)) => {
            let is_there = |(name, shown)| found.get(name).is_some_and(|found| is_like_value(shown, found));
            shown.len() == found.len() && shown.iter().all(is_there)
        }
        (shown, found) => shown == found,
    }
}

fn is_like(shown: &str, found: &str) -> bool {
    let mut parts = shown.split("...");
    let Some(mut rest) = parts.next().and_then(|first| found.strip_prefix(first)) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    for part in middle {
        let Some((_, behind)) = rest.split_once(part) else { return false };
        rest = behind;
    }
    rest.ends_with(last)
}

#[test]
fn dots_stand_for_anything_and_nothing_else_does() {
    for (shown, found) in [("a", "a"), ("a...", "a"), ("...Z b", "12Z b"), ("a...b...c", "a1b2bc"), ("...", "x")] {
        assert_eq!(compare_text(shown, found), Ok(()), "{shown} {found}");
    }
    for (shown, found) in [("a", "b"), ("a", "ab"), ("a...b", "a"), ("ab...ba", "aba"), ("a", "a\nb"), ("a\nb", "a")] {
        assert!(compare_text(shown, found).is_err(), "{shown} {found}");
    }
    assert_eq!(compare_json(r#"{"a": "x...", "b": [1]} {}"#, "{\"b\":[1],\n\"a\":\"xy\"}\n{}"), Ok(()));
    for (shown, found) in [("{}", "{} {}"), (r#"{"a":1}"#, r#"{"a":1,"b":2}"#), ("[1]", "[1,2]"), ("{", "{}"), (r#""1""#, "1")] {
        assert!(compare_json(shown, found).is_err(), "{shown} {found}");
    }
}
