//! Who may record: the webhook's tokens, and the three ways in which one can be presented.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};

/// The tokens, each of which may record.
pub(crate) struct Tokens(Vec<SecretString>);

impl Tokens {
    pub(crate) fn new(tokens: Vec<SecretString>) -> Self {
        Self(tokens)
    }

    /// Whether any token that the request presents is one of them. With no tokens, every request may.
    ///
    /// All of a request's tokens count: a URL that carries one is often called by a client that adds credentials of its own.
    pub(crate) fn admit(&self, query: Option<&str>, headers: &HeaderMap) -> bool {
        if self.0.is_empty() {
            return true;
        }
        let in_query = query.into_iter().flat_map(in_query);
        let in_headers = headers.get_all(AUTHORIZATION).into_iter().filter_map(|value| in_authorization(value.as_bytes()));
        let admitted = in_query.chain(in_headers).fold(Choice::from(0), |admitted, token| admitted | self.matches(&token));
        admitted.into()
    }

    /// Takes the same time wherever the two differ, and compares with every token. How long a token is may be found out.
    fn matches(&self, presented: &[u8]) -> Choice {
        let matches = |token: &SecretString| token.expose_secret().as_bytes().ct_eq(presented);
        self.0.iter().fold(Choice::from(0), |matched, token| matched | matches(token))
    }
}

/// The values of `token` in a query.
fn in_query(query: &str) -> impl Iterator<Item = Cow<'_, [u8]>> {
    query.split('&').filter_map(|pair| pair.strip_prefix("token=")).map(percent_decoded)
}

/// Of `Bearer` the token, of `Basic` the password.
fn in_authorization(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    let space = value.iter().position(|byte| *byte == b' ')?;
    let (scheme, rest) = value.split_at(space);
    let credentials = rest.trim_ascii();
    if scheme.eq_ignore_ascii_case(b"bearer") {
        return Some(credentials.into());
    }
    if !scheme.eq_ignore_ascii_case(b"basic") {
        return None;
    }
    let pair = STANDARD.decode(credentials).ok()?;
    let colon = pair.iter().position(|byte| *byte == b':')?;
    Some(pair[colon + 1..].to_vec().into())
}

/// What `%41` stands for. A plus sign stays one: a token that was put into a URL as it is has plus signs, not blanks.
fn percent_decoded(text: &str) -> Cow<'_, [u8]> {
    if !text.contains('%') {
        return text.as_bytes().into();
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.get(..2).filter(|_| *first == b'%');
        if let Some(byte) = digits.and_then(byte_of_digits) {
            bytes.push(byte);
            rest = &behind[2..];
        } else {
            bytes.push(*first);
            rest = behind;
        }
    }
    bytes.into()
}

fn byte_of_digits(digits: &[u8]) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digits.iter().try_fold(0, |value, byte| Some(value * 16 + digit(*byte)?))?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hyper::header::HeaderValue;

    fn admit(tokens: &[&str], query: Option<&str>, authorization: &[&str]) -> bool {
        let tokens = Tokens::new(tokens.iter().map(|token| SecretString::from(*token)).collect());
        let mut headers = HeaderMap::new();
        for value in authorization {
            headers.append(AUTHORIZATION, HeaderValue::from_str(value).unwrap());
        }
        tokens.admit(query, &headers)
    }

    fn basic(pair: &str) -> String {
        format!("Basic {}", STANDARD.encode(pair))
    }

    #[test]
    fn any_of_the_three_forms_will_do() {
        let tokens = ["old+1/=", "new:2"];
        for query in ["token=old+1/=", "token=old%2B1%2f%3d", "a=b&token=new:2", "token=wrong&token=new%3A2"] {
            assert!(admit(&tokens, Some(query), &[]), "{query}");
        }
        let basic = basic("any:new:2");
        for value in ["Bearer new:2", "bearer  old+1/=", &basic, &basic.replace("Basic", "BASIC")] {
            assert!(admit(&tokens, None, &[value]), "{value}");
        }
        assert!(admit(&tokens, Some("token=wrong"), &["Bearer new:2"]));
        assert!(admit(&tokens, Some("token=new:2"), &["Basic wrong", "Bearer wrong"]));
    }

    #[test]
    fn nothing_else_will() {
        let tokens = ["secret"];
        for query in ["", "token", "token=", "token=secre", "token=secrets", "token=SECRET", "xtoken=secret", "secret", "token=%"]
        {
            assert!(!admit(&tokens, Some(query), &[]), "{query}");
        }
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "secret",
            "Basic secret",
            "Digest secret",
            &basic("secret"),
            &basic("secret:"),
            &basic(":x"),
        ] {
            assert!(!admit(&tokens, None, &[value]), "{value}");
        }
        assert!(!admit(&tokens, None, &[]));
    }

    #[test]
    fn without_tokens_the_door_is_open() {
        assert!(admit(&[], None, &[]));
        assert!(admit(&[], Some("token=any"), &[]));
    }

    #[test]
    fn a_percent_sign_that_encodes_nothing_stays() {
        for (text, decoded) in [("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%+1", "%+1"), ("%41%", "A%"), ("%2541", "%41")] {
            assert_eq!(*percent_decoded(text), *decoded.as_bytes(), "{text}");
        }
    }
}
