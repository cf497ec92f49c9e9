//! The names of the keys. All about an address lies in one slot of a cluster; a fleet has 256 groups to spread.

use crate::Address;

/// The rejected letters lie in one slot: whether one more fits is decided over all of them.
pub(super) const LETTER_HEADS: &str = "sup:{letters}:heads";
/// Letters by the time at which they were received.
pub(super) const LETTERS_BY_TIME: &str = "sup:{letters}:by-time";
/// The letters' bytes.
pub(super) const LETTER_CONTENT: &str = "sup:{letters}:content";
/// How many bytes the letters have.
pub(super) const LETTER_BYTES: &str = "sup:{letters}:bytes";

/// The book of incidents is replaced as a whole.
pub(super) const INCIDENTS: &str = "sup:{incidents}:book";

/// How records name addresses.
pub(super) const NAMES: &str = "sup:{00}:addresses";

/// Stands between the bucket of a record and its address.
const RECORD: &str = "a:";

/// Buckets that addresses and domains are spread over.
pub(super) const BUCKETS: u16 = 256;

/// The keys of one address.
pub(super) struct AddressKeys {
    /// The text with all that is known of it.
    pub(super) record: String,
    /// The stream that names each record of its bucket.
    pub(super) feed: String,
    /// The stream with the latest changes in its bucket.
    pub(super) changes: String,
}

impl AddressKeys {
    pub(super) fn of(address: &Address) -> Self {
        let bucket = bucket(address.as_str());
        Self { record: record(address), feed: feed(bucket), changes: changes(bucket) }
    }
}

/// The key of an address's record.
pub(super) fn record(address: &Address) -> String {
    Bucket::of_number(bucket(address.as_str())).record(address).concat()
}

/// A bucket as keys name it: two hexadecimal digits. An event has several keys, and `format!` takes its time.
pub(super) struct Bucket([u8; 2]);

impl Bucket {
    pub(super) fn of_number(number: u16) -> Self {
        let digit = |digit: u16| HEXADECIMAL[usize::from(digit & 0xf)];
        Self([digit(number >> 4), digit(number)])
    }

    fn name(&self) -> &str {
        // Only hexadecimal digits are ever put in.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }

    /// The key of a record, in pieces.
    pub(super) fn record<'a>(&'a self, address: &'a Address) -> [&'a str; 5] {
        self.record_of(address.as_str())
    }

    fn record_of<'a>(&'a self, name: &'a str) -> [&'a str; 5] {
        [BEFORE_BUCKET, self.name(), BEHIND_BUCKET, RECORD, name]
    }

    /// The key of the feed, in pieces.
    pub(super) fn feed(&self) -> [&str; 4] {
        [BEFORE_BUCKET, self.name(), BEHIND_BUCKET, "feed"]
    }

    /// The key of the changes, in pieces.
    pub(super) fn changes(&self) -> [&str; 4] {
        [BEFORE_BUCKET, self.name(), BEHIND_BUCKET, "changes"]
    }
}

const HEXADECIMAL: [u8; 16] = *b"0123456789abcdef";
const BEFORE_BUCKET: &str = "sup:{";
const BEHIND_BUCKET: &str = "}:";

/// The key of the feed of a bucket.
pub(super) fn feed(bucket: u16) -> String {
    Bucket::of_number(bucket).feed().concat()
}

/// The key of the changes of a bucket.
pub(super) fn changes(bucket: u16) -> String {
    Bucket::of_number(bucket).changes().concat()
}

/// The key under which a stream is written anew, in the same slot.
pub(super) fn renewed(stream: &str) -> String {
    format!("{stream}:renewed")
}

/// The key of the names that are left out when a feed is written anew.
pub(super) fn left_out(feed: &str) -> String {
    format!("{feed}:left-out")
}

/// How the keys of the records of a bucket begin.
pub(super) fn records_of(bucket: u16) -> String {
    Bucket::of_number(bucket).record_of("").concat()
}

/// The key of the counts of a domain's answers.
pub(super) fn answers(domain: &str) -> String {
    format!("sup:{{{:02x}}}:answers:{domain}", bucket(domain))
}

/// The key that a strict read writes to, in the slot of an address's bucket.
pub(super) fn fence(address: &Address) -> String {
    format!("sup:{{{:02x}}}:fence", bucket(address.as_str()))
}

/// Slots of a cluster.
pub(super) const SLOTS: u16 = 16_384;

/// The slot in which a key lies: that of what stands between its first braces, if anything does.
pub(super) fn slot(key: &str) -> u16 {
    let tag = key.split_once('{').and_then(|(_, behind)| behind.split_once('}')).map(|(tag, _)| tag);
    crc16(tag.filter(|tag| !tag.is_empty()).unwrap_or(key).as_bytes()) % SLOTS
}

/// The bucket of an address or a domain.
pub(super) fn bucket(name: &str) -> u16 {
    crc16(name.as_bytes()) % BUCKETS
}

/// The CRC-16 that Redis Cluster computes slots with (XMODEM: polynomial 0x1021, from 0, neither reflected nor inverted).
fn crc16(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0, |crc, byte| crc << 8 ^ CRC16_OF_BYTE[usize::from(crc.to_be_bytes()[0] ^ byte)])
}

static CRC16_OF_BYTE: [u16; 256] = crc16_of_bytes();

const fn crc16_of_bytes() -> [u16; 256] {
    let mut table = [0; 256];
    let mut byte = 0;
    let mut seed: u16 = 0;
    while byte < table.len() {
        let mut crc = seed << 8;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc & 0x8000 == 0 { crc << 1 } else { crc << 1 ^ 0x1021 };
            bit += 1;
        }
        table[byte] = crc;
        byte += 1;
        seed += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_that_of_redis_cluster() {
        // The example of the Redis Cluster specification, and what CLUSTER KEYSLOT says of "foo".
        assert_eq!(crc16(b"123456789"), 0x31c3);
        assert_eq!(crc16(b"foo"), 44_950);
        assert_eq!(crc16(b""), 0);
    }

    #[test]
    fn slots_are_those_of_redis_cluster() {
        // What CLUSTER KEYSLOT says.
        for (key, expected) in
            [("foo", 12_182), ("{foo}bar", 12_182), ("x{foo}{bar}", 12_182), ("{}foo", 9_500), ("sup:{foo}:feed", 12_182)]
        {
            assert_eq!(slot(key), expected, "{key}");
        }
        let address = "alice@example.com".parse().unwrap();
        let keys = AddressKeys::of(&address);
        let of_address = [&keys.record, &keys.feed, &keys.changes, &fence(&address)].map(|key| slot(key));
        assert!(of_address.iter().all(|slot| *slot == of_address[0]), "{of_address:?}");
    }

    #[test]
    fn keys_are_stable_across_versions() {
        // A change here would lose sight of all that is stored.
        let keys = AddressKeys::of(&"alice@example.com".parse().unwrap());
        let bucket = format!("{:02x}", crc16(b"alice@example.com") % 256);
        assert_eq!(keys.record, format!("sup:{{{bucket}}}:a:alice@example.com"));
        assert_eq!(keys.feed, format!("sup:{{{bucket}}}:feed"));
        assert_eq!(keys.changes, format!("sup:{{{bucket}}}:changes"));
        assert_eq!(answers("example.com"), format!("sup:{{{:02x}}}:answers:example.com", crc16(b"example.com") % 256));
    }
}
