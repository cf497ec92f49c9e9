//! What a request says of its body's form, and of the answer's.

use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_ENCODING, CONTENT_TYPE};

use super::problem::Problem;
use super::routes::Route;
use super::{JSON, LINES};

/// Refuses a body that is not said to be JSON, and a client that takes no JSON.
///
/// A body must be named: what a browser sends for a foreign page without asking first is never named JSON.
pub(super) fn check(headers: &HeaderMap, route: &Route) -> Result<(), Box<Problem>> {
    let content_type = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if route.has_body() && !essence(content_type).eq_ignore_ascii_case(JSON) {
        return Err(Box::new(Problem::unsupported_media_type("the body must be JSON, with `content-type: application/json`")));
    }
    if route.has_body()
        && headers.get(CONTENT_ENCODING).is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"identity"))
    {
        return Err(Box::new(Problem::unsupported_media_type("the body has a content encoding; send it as it is")));
    }
    let produced = if route.rpc.is_server_streaming() { LINES } else { JSON };
    if accepts(headers, produced) { Ok(()) } else { Err(Box::new(Problem::not_acceptable(produced))) }
}

fn accepts(headers: &HeaderMap, produced: &str) -> bool {
    let mut ranges = headers.get_all(ACCEPT).iter().flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).peekable();
    let takes = |range: &[u8]| {
        let range = std::str::from_utf8(range).map(essence).unwrap_or_default();
        ["*/*", "application/*", produced].iter().any(|taken| range.eq_ignore_ascii_case(taken))
    };
    ranges.peek().is_none() || ranges.any(takes)
}

/// A media type without its parameters.
fn essence(media_type: &str) -> &str {
    media_type.split_once(';').map_or(media_type, |(essence, _)| essence).trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_accepted_is_in_one_of_the_ranges() {
        let accepts = |accept: &str| accepts(&HeaderMap::from_iter([(ACCEPT, accept.parse().unwrap())]), JSON);
        for accept in ["*/*", "application/json", "text/html, APPLICATION/*;q=0.8", "application/json; charset=utf-8"] {
            assert!(accepts(accept), "{accept}");
        }
        for accept in ["text/html", "application/xml", "application/jsonp", ""] {
            assert!(!accepts(accept), "{accept}");
        }
        assert!(super::accepts(&HeaderMap::new(), JSON));
    }
}
