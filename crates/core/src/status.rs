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
        let mut rest = text.trim_start().as_bytes();
        let [class @ (b'2' | b'4' | b'5'), b'.', behind @ ..] = rest else { return None };
        rest = behind;
        let subject = number(&mut rest)?;
        let [b'.', behind @ ..] = rest else { return None };
        rest = behind;
        let detail = number(&mut rest)?;
        // A fourth part would make it an IP address, a version, anything but a status code; a full stop after it is prose.
        let is_longer = matches!(rest, [b'.', b'0'..=b'9', ..]);
        (!is_longer).then_some(Self { class: class - b'0', subject, detail })
    }
}

/// Takes a number of one to three digits from the front.
fn number(rest: &mut &[u8]) -> Option<u16> {
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (number, behind) = rest.split_at(digits);
    *rest = behind;
    (1..=3).contains(&digits).then(|| number.iter().fold(0, |number, digit| 10 * number + u16::from(digit - b'0')))
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
        for prose in ["5.1.1.", "5.1.1..1", "5.1.1x", "5.01.001"] {
            assert_eq!(EnhancedStatusCode::from_wire(prose).map(|code| code.to_string()).as_deref(), Some("5.1.1"), "{prose}");
        }
    }

    #[test]
    fn anything_else_is_no_code() {
        for text in ["", "5.1", "3.1.1", "5.1.1.1", "5.1234.1", "5.1.1234", "55.1.1", "x5.1.1", "5..1", "5.1.", "550 5.1.1"] {
            assert_eq!(EnhancedStatusCode::from_wire(text), None, "{text:?}");
        }
    }
}
