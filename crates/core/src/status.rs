//! Enhanced status codes.

use std::fmt;

/// An enhanced mail system status code, `class.subject.detail` (RFC 3463, section 2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EnhancedStatusCode {
    /// 2 success, 4 persistent transient failure, 5 permanent failure.
    pub class: u8,
    /// 0 to 999: what the status is about.
    pub subject: u16,
    /// 0 to 999: what exactly.
    pub detail: u16,
}

impl EnhancedStatusCode {
    /// The code at the start of a text such as `5.1.1 (bad destination mailbox address)`; `None` if there is none.
    #[must_use]
    pub fn from_wire(text: &str) -> Option<Self> {
        let text = text.trim_start();
        let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(text.len());
        let mut parts = text[..end].split('.');
        let (class, subject, detail) = (parts.next()?, parts.next()?, parts.next()?);
        let number = |part: &str| (1..=3).contains(&part.len()).then(|| part.parse::<u16>().ok()).flatten();
        let class = match class {
            "2" => 2,
            "4" => 4,
            "5" => 5,
            _ => return None,
        };
        // A fourth part would make it an IP address, a version, anything but a status code; a full stop after it is prose.
        if parts.next().is_some_and(|rest| !rest.is_empty()) {
            return None;
        }
        Some(Self { class, subject: number(subject)?, detail: number(detail)? })
    }
}

impl fmt::Display for EnhancedStatusCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.class, self.subject, self.detail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_code_before_its_text() {
        let code = EnhancedStatusCode::from_wire("5.1.1 (bad destination mailbox address)").unwrap();
        assert_eq!(code.to_string(), "5.1.1");
        assert_eq!(EnhancedStatusCode::from_wire(" 4.7.650").unwrap().to_string(), "4.7.650");
    }

    #[test]
    fn anything_else_is_no_code() {
        for text in ["", "5.1", "3.1.1", "5.1.1.1", "5.1234.1", "x5.1.1", "5..1", "550 5.1.1"] {
            assert_eq!(EnhancedStatusCode::from_wire(text), None, "{text:?}");
        }
    }
}
