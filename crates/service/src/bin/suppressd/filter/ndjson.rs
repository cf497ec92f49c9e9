//! The address in a JSON object.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;

/// What an object has under the field's name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Text(String),
    /// Which of them another reader takes is a guess.
    Twice,
    NoText,
    Nothing,
}

/// Looks it up. The other fields are passed over.
pub(super) fn find(line: &[u8], field: &str) -> serde_json::Result<Found> {
    let mut reader = serde_json::Deserializer::from_slice(line);
    let found = Object(field).deserialize(&mut reader)?;
    reader.end()?;
    Ok(found)
}

struct Object<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for Object<'_> {
    type Value = Found;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Found, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Object<'_> {
    type Value = Found;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut object: A) -> Result<Found, A::Error> {
        let mut found = Found::Nothing;
        while let Some(is_meant) = object.next_key_seed(IsName(self.0))? {
            if !is_meant {
                object.next_value::<IgnoredAny>()?;
                continue;
            }
            let value = object.next_value::<Value>()?;
            found = match found {
                Found::Nothing => {
                    if let Value::String(text) = value {
                        Found::Text(text)
                    } else {
                        Found::NoText
                    }
                }
                Found::Text(_) | Found::Twice | Found::NoText => Found::Twice,
            };
        }
        Ok(found)
    }
}

/// Compares a name with no copy of it.
struct IsName<'a>(&'a str);

impl<'de> DeserializeSeed<'de> for IsName<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName<'_> {
    type Value = bool;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_only_where_it_is_certain() {
        let find = |line: &str| find(line.as_bytes(), "email").ok();
        let text = |text: &str| Some(Found::Text(text.to_owned()));
        assert_eq!(find(r#"{"id":{"email":"x"},"email":"a@example.com","n":[1]}"#), text("a@example.com"));
        assert_eq!(find(r#"{"\u0065mail":"\u0061@example.com"}"#), text("a@example.com"));
        assert_eq!(find(r#"{"email":"a","\u0065mail":"b"}"#), Some(Found::Twice));
        assert_eq!(find(r#"{"email":["a"]}"#), Some(Found::NoText));
        assert_eq!(find("{}"), Some(Found::Nothing));
        for line in ["[]", "{}{}", "{", "\"a@example.com\"", ""] {
            assert_eq!(find(line), None, "{line}");
        }
    }
}
