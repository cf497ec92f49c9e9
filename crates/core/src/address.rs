//! An e-mail address in the one form under which evidence is kept and asked for.

mod borrowed;
mod plain;

use std::fmt;
use std::str::FromStr;

use email_address::{EmailAddress, Options};
use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};
use unicode_normalization::UnicodeNormalization;

use crate::Error;

pub use borrowed::{AddressList, AddressRef};

/// Longest address, in bytes of its normal form: a path of 256 octets less its angle brackets (RFC 5321, 4.5.3.1.3).
pub const MAX_ADDRESS_BYTES: usize = 254;

/// The local part that stands for everybody of a domain.
const EVERYBODY: &str = "*";

/// Longest text that is looked at at all, in bytes; anything longer cannot become an address.
const MAX_INPUT_BYTES: usize = 4 * MAX_ADDRESS_BYTES;

/// A recipient's address, normalised: equal addresses are equal texts.
///
/// Blanks around it and one pair of angle brackets are removed, local part and domain are lower-cased, the local part is in
/// Unicode's NFC, the domain in its ASCII form (UTS-46). Plus tags and dots are kept: they are different mailboxes for all but
/// a few providers. Parsing a normalised address gives the same address.
///
/// `*@<domain>` is an address like any other, under which a store keeps what is said of a whole domain; but it is no recipient's.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    text: Box<str>,
    at: usize,
}

impl Address {
    /// Reads the address of a recipient: any that does not stand for a whole domain.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidAddress`] for whatever no mail could be sent to.
    pub fn recipient(input: &str) -> Result<Self, Error> {
        let address: Self = input.parse()?;
        if address.is_whole_domain() {
            return Err(Error::InvalidAddress { reason: "it stands for a whole domain, and for no recipient" });
        }
        Ok(address)
    }

    /// The address that stands for everybody of this one's domain, and of no domain below it: `*@<domain>`.
    #[must_use]
    pub fn whole_domain(&self) -> Self {
        AddressRef::from(self).whole_domain()
    }

    /// Whether it stands for a whole domain.
    #[must_use]
    pub fn is_whole_domain(&self) -> bool {
        AddressRef::from(self).is_whole_domain()
    }

    /// The whole address. Not for logs, metrics or errors.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// An address of parts that are normal already.
    pub(crate) fn of_parts(local: &str, domain: &str) -> Self {
        Self { at: local.len(), text: [local, "@", domain].concat().into() }
    }

    /// What stands before the domain. Not for logs, metrics or errors.
    pub(crate) fn local_part(&self) -> &str {
        AddressRef::from(self).local_part()
    }

    /// The domain, in lower-case ASCII.
    #[must_use]
    pub fn domain(&self) -> &str {
        AddressRef::from(self).domain()
    }
}

impl FromStr for Address {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidAddress`] for whatever no mail could be sent to.
    fn from_str(input: &str) -> Result<Self, Error> {
        plain::read(input).map_or_else(|| by_all_rules(input), Ok)
    }
}

/// The domain for all of which an address stands, given by its name as a store has it; none if it stands for one mailbox.
pub(crate) fn domain_of_everybody(name: &str) -> Option<&str> {
    name.strip_prefix(EVERYBODY)?.strip_prefix('@')
}

fn by_all_rules(input: &str) -> Result<Address, Error> {
    let invalid = |reason| Error::InvalidAddress { reason };
    if input.len() > MAX_INPUT_BYTES {
        return Err(invalid("it is longer than an address can be"));
    }
    let bare = without_brackets(input.trim());
    if bare.is_empty() {
        return Err(invalid("it is empty"));
    }
    if bare.chars().any(char::is_control) {
        return Err(invalid("it holds a control character"));
    }
    let (local, domain) = bare.rsplit_once('@').ok_or_else(|| invalid("it has no @"))?;
    if !local.is_ascii() && local.chars().any(is_unseen) {
        return Err(invalid("it holds a character that cannot be seen"));
    }
    let local = normal_local_part(without_needless_quotes(local));
    let domain = ascii_domain(domain)?;
    let text = format!("{local}@{domain}");
    if text.len() > MAX_ADDRESS_BYTES {
        return Err(invalid("it is longer than 254 bytes"));
    }
    let options = Options::default().without_display_text().with_domain_literal().with_no_minimum_sub_domains();
    EmailAddress::parse_with_options(&text, options).map_err(|_| invalid("its syntax is not that of local-part@domain"))?;
    Ok(Address { at: local.len(), text: text.into() })
}

/// Removes one pair of angle brackets, and the blanks just inside it.
fn without_brackets(text: &str) -> &str {
    text.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')).map_or(text, str::trim)
}

/// Characters that nothing shows, as first and last of each range: Unicode's `Default_Ignorable_Code_Point`
/// (`DerivedCoreProperties.txt`) and what stands for a byte that could not be read. A domain loses them in UTS-46; in a local
/// part they would make another address of one that looks the same, and that one would have no evidence.
const UNSEEN: [(char, char); 18] = [
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{202a}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fff8}'),
    ('\u{fffd}', '\u{fffd}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

fn is_unseen(letter: char) -> bool {
    UNSEEN.iter().any(|(first, last)| (*first..=*last).contains(&letter))
}

/// A local part in quotation marks that needs none is the same mailbox without them (RFC 5321, 4.1.2).
fn without_needless_quotes(local: &str) -> &str {
    let is_atom =
        |atom: &str| !atom.is_empty() && atom.chars().all(|letter| letter.is_alphanumeric() || ATOM_SIGNS.contains(letter));
    let bare = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    bare.filter(|bare| bare.split('.').all(is_atom)).unwrap_or(local)
}

/// What an atom may hold beside letters and digits (RFC 5322, 3.2.3).
const ATOM_SIGNS: &str = "!#$%&'*+-/=?^_`{|}~";

/// The local part in lower case and NFC. Nearly all of them are ASCII, where the latter is nothing to do.
fn normal_local_part(local: &str) -> String {
    if local.is_ascii() { local.to_ascii_lowercase() } else { local.nfc().collect::<String>().to_lowercase().nfc().collect() }
}

/// The domain's ASCII form; an address literal (`[192.0.2.1]`) is only lower-cased.
fn ascii_domain(domain: &str) -> Result<String, Error> {
    if domain.starts_with('[') {
        return Ok(domain.to_ascii_lowercase());
    }
    Uts46::new()
        .to_ascii(domain.as_bytes(), AsciiDenyList::STD3, Hyphens::Allow, DnsLength::Verify)
        .map(std::borrow::Cow::into_owned)
        .map_err(|_| Error::InvalidAddress { reason: "its domain is not a domain name" })
}

/// A domain as an operator names it, with or without an @ before it: its ASCII form.
///
/// # Errors
///
/// [`Error::InvalidField`] if it is none.
pub(crate) fn named_domain(text: &str) -> Result<Box<str>, Error> {
    let invalid = |_| Error::InvalidField { field: "domain", reason: "is not a domain name".into() };
    ascii_domain(text.trim().trim_start_matches('@')).map(Into::into).map_err(invalid)
}

/// As an [`AddressRef`] is shown.
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        AddressRef::from(self).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Address, Error> {
        text.parse()
    }

    #[test]
    fn spellings_of_one_mailbox_are_one_address() {
        for spelling in ["Alice@Example.COM", " <alice@example.com> ", "\"alice\"@example.com", "<alice@EXAMPLE.com>\n"] {
            assert_eq!(parse(spelling).unwrap().as_str(), "alice@example.com", "{spelling:?}");
        }
        let unicode = parse("user@bücher.example").unwrap();
        assert_eq!(unicode, parse("USER@xn--bcher-kva.example").unwrap());
        assert_eq!(unicode.domain(), "xn--bcher-kva.example");
        assert_eq!(parse("jos\u{e9}@x.example").unwrap(), parse("JOSE\u{301}@x.example").unwrap());
    }

    #[test]
    fn everybody_of_a_domain_is_no_recipient() {
        let whole = parse("\"*\"@B\u{fc}cher.example").unwrap();
        assert_eq!((whole.as_str(), whole.is_whole_domain()), ("*@xn--bcher-kva.example", true));
        assert_eq!(parse("a@b\u{fc}cher.example").unwrap().whole_domain(), whole);
        assert_eq!(whole.whole_domain(), whole);
        assert_eq!(domain_of_everybody(whole.as_str()), Some(whole.domain()));
        assert!(matches!(Address::recipient(" <*@x.example>"), Err(Error::InvalidAddress { .. })));
        for one in ["a@x.example", "**@x.example", "*a@x.example", "\"*@y\"@x.example"] {
            let recipient = Address::recipient(one).unwrap();
            assert_eq!((recipient.is_whole_domain(), domain_of_everybody(recipient.as_str())), (false, None), "{one}");
            assert_eq!(recipient.whole_domain().as_str(), "*@x.example");
        }
        let longest = format!("a@{}.example", [&*"d".repeat(60); 4].join("."));
        assert_eq!(parse(parse(&longest).unwrap().whole_domain().as_str()), Ok(parse(&longest).unwrap().whole_domain()));
    }

    #[test]
    fn different_mailboxes_stay_different() {
        assert_ne!(parse("a.b@x.example").unwrap(), parse("ab@x.example").unwrap());
        assert_ne!(parse("a+news@x.example").unwrap(), parse("a@x.example").unwrap());
    }

    #[test]
    fn what_cannot_be_an_address_is_an_error() {
        let long = format!("{}@x.example", "a".repeat(65));
        for text in [
            "",
            "  ",
            "<>",
            "a",
            "@",
            "a@",
            "@x.example",
            "a b@x.example",
            "Foo <a@x.example>",
            "a@x..example",
            "a@b@x.example",
            "a\0@x.example",
            "a@x_y.example",
            "<<a@x.example>>",
            "a@-",
            "a@x.example\u{0}",
            "a@ x.example",
            "\u{feff}a@x.example",
            "a\u{200b}@x.example",
            "a\u{ad}b@x.example",
            "a\u{200f}@x.example",
            "jos\u{fffd}@x.example",
            "\"a..b@x.example",
            &long,
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn unusual_addresses_are_addresses() {
        for text in
            ["a@localhost", "\"a b\"@x.example", "a@[192.0.2.1]", "用户@例え.jp", "a@r3---sn.example", "o'neil=x/y@x.example"]
        {
            assert!(parse(text).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn debug_does_not_show_the_local_part() {
        let shown = format!("{:?}", parse("secret.person@x.example").unwrap());
        assert_eq!(shown, "s***@x.example");
    }

    proptest! {
        #[test]
        fn parsing_twice_changes_nothing(text in "\\PC{1,12}@\\PC{1,12}") {
            if let Ok(once) = parse(&text) {
                prop_assert_eq!(parse(once.as_str()).unwrap(), once);
            }
        }

        #[test]
        fn plain_addresses_always_parse(text in "[A-Za-z0-9+_-]{1,20}@[A-Za-z0-9]{1,10}\\.[a-z]{2,6}") {
            let once = parse(&text).unwrap();
            prop_assert_eq!(once.as_str(), text.to_lowercase());
        }

        #[test]
        fn no_text_panics(text in any::<String>()) {
            let _ = parse(&text);
        }
    }
}
