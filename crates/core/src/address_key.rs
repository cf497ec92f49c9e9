//! Pseudonyms: keyed hashes under which addresses are kept, so that what is stored cannot be read.

mod seal;

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use crate::{Address, Error};
use seal::Sealer;

pub use seal::SEAL_BYTES;

/// Shortest key, in bytes: as long as what HMAC-SHA-256 gives.
pub const MIN_ADDRESS_KEY_BYTES: usize = 32;

/// Bytes of a domain's hash: 128 bits.
const DOMAIN_HASH_BYTES: usize = 16;

/// Letters of a domain's hash.
const DOMAIN_HASH_LETTERS: usize = 26;

/// Letters of an address's hash.
const ADDRESS_HASH_LETTERS: usize = 52;

/// Bytes of what tells one key from another.
const CHECK_BYTES: usize = 10;

/// What stands before a domain's hash: a domain begins with a letter, and a hash may begin with a digit.
const DOMAIN_PREFIX: char = 'h';

type HmacSha256 = Hmac<Sha256>;

/// The key by which addresses are hashed. Whoever has it can test whether an address is kept, and nobody else can.
///
/// From it come keys of their own for each use. Their inner states are computed once: a hash takes no more than what is hashed.
#[derive(Clone)]
pub struct AddressKey {
    addresses: HmacSha256,
    domains: HmacSha256,
    letters: Sealer,
    check: Box<str>,
}

impl AddressKey {
    /// The key of these bytes, without the end of a line behind them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if they are fewer than [`MIN_ADDRESS_KEY_BYTES`].
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
        let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
        if bytes.len() < MIN_ADDRESS_KEY_BYTES {
            let reason = format!("holds fewer than {MIN_ADDRESS_KEY_BYTES} bytes, so it could be guessed");
            return Err(Error::InvalidField { field: "address_key_file", reason });
        }
        let root = keyed(bytes)?;
        let derived = |label: &str| keyed(&hash(&root, label));
        Ok(Self {
            addresses: derived("suppressd addresses")?,
            domains: derived("suppressd domains")?,
            letters: Sealer::new(&hash(&root, "suppressd letters"), derived("suppressd letters' nonces")?),
            check: base32(&hash(&root, "suppressd check of the key")[..CHECK_BYTES]).into(),
        })
    }

    /// What tells this key from another. It may be known to anybody.
    #[must_use]
    pub fn check(&self) -> &str {
        &self.check
    }

    /// The address under which one is kept: `<hash of the address>@<hash of its domain>`; for a whole domain
    /// `*@<hash of the domain>`. The same one for all spellings, since those are one [`Address`]. A pseudonym is its own: whoever has
    /// it from a list can ask about it.
    #[must_use]
    pub fn pseudonym(&self, address: &Address) -> Address {
        if Self::is_pseudonym(address) {
            return address.clone();
        }
        let domain = self.domain_pseudonym(address.domain());
        let pseudonym = Address::of_parts(&base32(&hash(&self.addresses, address.as_str())), &domain);
        if address.is_whole_domain() { pseudonym.whole_domain() } else { pseudonym }
    }

    /// The domain that stands for one, in its ASCII form.
    #[must_use]
    pub fn domain_pseudonym(&self, domain: &str) -> Box<str> {
        let mut pseudonym = String::from(DOMAIN_PREFIX);
        pseudonym.push_str(&base32(&hash(&self.domains, domain)[..DOMAIN_HASH_BYTES]));
        pseudonym.into()
    }

    /// Whether it looks like a pseudonym, as no address in use does: its domain has one label.
    pub(crate) fn is_pseudonym(address: &Address) -> bool {
        let is_hash = |text: &str, letters| text.len() == letters && text.bytes().all(|letter| ALPHABET.contains(&letter));
        let is_of_domain =
            |domain: &str| domain.strip_prefix(DOMAIN_PREFIX).is_some_and(|hash| is_hash(hash, DOMAIN_HASH_LETTERS));
        let is_of_address = |local: &str| is_hash(local, ADDRESS_HASH_LETTERS);
        (address.is_whole_domain() || is_of_address(address.local_part())) && is_of_domain(address.domain())
    }

    /// Makes bytes unreadable for whoever has not the key. The same bytes are sealed alike, so that a retry is recognised.
    ///
    /// # Errors
    ///
    /// [`Error::StoreFailed`] if they are too long to be sealed, which nothing is that this program takes.
    pub fn seal(&self, content: &[u8]) -> Result<Vec<u8>, Error> {
        self.letters.seal(content)
    }

    /// The bytes that were sealed.
    ///
    /// # Errors
    ///
    /// [`Error::StoreDamaged`] if they were sealed with another key, or changed.
    pub fn unseal(&self, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        self.letters.unseal(sealed)
    }
}

/// Shows nothing of the key.
impl fmt::Debug for AddressKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AddressKey").finish_non_exhaustive()
    }
}

/// The hash's state behind the key.
fn keyed(key: &[u8]) -> Result<HmacSha256, Error> {
    let impossible = |_| Error::InvalidField { field: "address_key_file", reason: "cannot be used as a key".into() };
    HmacSha256::new_from_slice(key).map_err(impossible)
}

/// The hash of a text, which its length precedes.
fn hash(keyed: &HmacSha256, text: &str) -> [u8; 32] {
    let mut mac = keyed.clone();
    mac.update(&(text.len() as u64).to_be_bytes());
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().into()
}

/// The alphabet of RFC 4648, 6, in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// Base32 in lower case and without padding: of all encodings the shortest that survives a change of case.
fn base32(bytes: &[u8]) -> String {
    let mut text = String::with_capacity((bytes.len() * 8).div_ceil(5));
    let (mut bits, mut count) = (0_u32, 0);
    for byte in bytes {
        bits = bits << 8 | u32::from(*byte);
        count += 8;
        while count >= 5 {
            count -= 5;
            text.push(char::from(ALPHABET[(bits >> count & 31) as usize]));
        }
        bits &= (1 << count) - 1;
    }
    if count > 0 {
        text.push(char::from(ALPHABET[(bits << (5 - count) & 31) as usize]));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn key(seed: &str) -> AddressKey {
        AddressKey::new(seed.repeat(32).as_bytes()).unwrap()
    }

    fn address(text: &str) -> Address {
        text.parse().unwrap()
    }

    #[test]
    fn base32_is_that_of_the_standard() {
        // RFC 4648, 10.
        let expected = ["", "my", "mzxq", "mzxw6", "mzxw6yq", "mzxw6ytb", "mzxw6ytboi"];
        for (length, expected) in expected.into_iter().enumerate() {
            assert_eq!(base32(&b"foobar"[..length]), expected);
        }
    }

    #[test]
    fn a_pseudonym_is_stable_across_versions() {
        // A change here would make every stored record a stranger to its address.
        let pseudonym = key("k").pseudonym(&address("alice@example.com"));
        assert_eq!(pseudonym.as_str(), "p5cnhpoyu35usdsza7x35txlfo6hivouadwpoledfazb5jrauhla@hwofdho7nlm3cyivxtpwoy4wpsa");
        assert_eq!(key("k").check(), "yiytryy3bcnka3hh");
    }

    #[test]
    fn a_short_key_is_refused_and_no_end_of_a_line_counts() {
        assert!(AddressKey::new(&[7; 31]).is_err());
        assert!(AddressKey::new(&[&[7; 31][..], b"\n"].concat()).is_err());
        let bare = AddressKey::new(&[7; 32]).unwrap();
        for end in ["\n", "\r\n"] {
            assert_eq!(AddressKey::new(&[&[7; 32][..], end.as_bytes()].concat()).unwrap().check(), bare.check());
        }
        assert_ne!(AddressKey::new(&[8; 32]).unwrap().check(), bare.check());
    }

    #[test]
    fn a_key_is_never_shown() {
        assert_eq!(format!("{:?}", key("k")), "AddressKey { .. }");
    }

    #[test]
    fn a_domain_has_one_pseudonym_whoever_is_of_it() {
        let key = key("k");
        let domain = key.domain_pseudonym("x.example");
        for name in ["a@x.example", "b@x.example", "*@x.example"] {
            assert_eq!(key.pseudonym(&address(name)).domain(), &*domain);
        }
        assert_eq!(key.pseudonym(&address("*@x.example")).as_str(), format!("*@{domain}"));
        assert_ne!(key.pseudonym(&address("a@y.example")).domain(), &*domain);
    }

    proptest! {
        #[test]
        fn a_pseudonym_is_an_address_and_tells_nothing(text in "[A-Za-z0-9+_-]{1,20}@[A-Za-z0-9]{4,10}\\.[a-z]{2,6}") {
            let known = address(&text);
            let pseudonym = key("k").pseudonym(&known);
            prop_assert_eq!(&address(pseudonym.as_str()), &pseudonym);
            prop_assert_eq!(address(&pseudonym.as_str().to_uppercase()), pseudonym.clone());
            prop_assert!(!pseudonym.as_str().contains(known.domain()));
            prop_assert!(AddressKey::is_pseudonym(&pseudonym) && !AddressKey::is_pseudonym(&known));
            prop_assert_ne!(pseudonym.clone(), key("l").pseudonym(&known));
            prop_assert_eq!(key("k").pseudonym(&pseudonym), pseudonym);
        }

        #[test]
        fn what_is_sealed_opens_with_its_own_key_alone(content in prop::collection::vec(any::<u8>(), 0..300), place in any::<prop::sample::Index>()) {
            let sealed = key("k").seal(&content).unwrap();
            prop_assert_eq!(sealed.len(), content.len() + SEAL_BYTES);
            prop_assert_eq!(&key("k").seal(&content).unwrap(), &sealed);
            prop_assert_eq!(&key("k").unseal(&sealed).unwrap(), &content);
            prop_assert!(key("l").unseal(&sealed).is_err());
            let mut changed = sealed.clone();
            changed[place.index(sealed.len())] ^= 1;
            prop_assert!(key("k").unseal(&changed).is_err());
            prop_assert!(key("k").unseal(&sealed[..SEAL_BYTES - 1]).is_err());
        }
    }
}
