//! What stands for an address in the filter.

use std::hash::{BuildHasher, RandomState};

use siphasher::sip::SipHasher13;

/// Makes fingerprints of addresses, alike for those that are equal.
pub trait Fingerprint {
    /// That of an address: 64 bits, each as good as random.
    fn of(&self, address: &str) -> u64;
}

/// Makes those of a key that nobody else has: nobody can find addresses that share one (SipHash-1-3).
#[derive(Debug, Clone)]
pub struct Keyed(SipHasher13);

impl Default for Keyed {
    fn default() -> Self {
        let random = RandomState::new();
        Self(SipHasher13::new_with_keys(random.hash_one(0), random.hash_one(1)))
    }
}

impl Fingerprint for Keyed {
    fn of(&self, address: &str) -> u64 {
        self.0.hash(address.as_bytes())
    }
}
