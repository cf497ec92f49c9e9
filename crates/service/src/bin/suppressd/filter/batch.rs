//! Records that are asked for together.

use suppressd_service::batch::Emails;

/// Most addresses of a batch: what a server takes in one message by default.
const MAX_ADDRESSES: usize = 1000;

/// Most records of a batch, with those that have no address.
const MAX_RECORDS: usize = 4 * MAX_ADDRESSES;

/// Most bytes of a batch, beyond its last record.
const MAX_BYTES: usize = 128 << 10;

/// Longest text that is asked for, in bytes. An address has 254 at most; one with an international domain is longer before that is
/// encoded.
const MAX_ADDRESS_BYTES: usize = 2 << 10;

/// Records in their order, byte by byte as they stand in the list.
#[derive(Default)]
pub(super) struct Batch {
    bytes: Vec<u8>,
    records: Vec<Record>,
    /// One for each record that is to be asked for.
    emails: Emails,
}

struct Record {
    end: usize,
    line: u64,
    content: Content,
}

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Content {
    /// Nothing that anybody could mail to: a header, an empty line.
    NoAddress,
    /// The next one of the addresses that are asked for.
    Asked,
    /// It has no address where one should be, for this reason.
    Refused(&'static str),
}

/// One record as it is handed on.
pub(super) struct Piece<'a> {
    pub(super) bytes: &'a [u8],
    /// Where it ends within the batch.
    pub(super) end: usize,
    pub(super) line: u64,
    pub(super) content: Content,
}

impl Batch {
    pub(super) fn is_full(&self) -> bool {
        self.emails.len() == MAX_ADDRESSES || self.records.len() == MAX_RECORDS || self.bytes.len() >= MAX_BYTES
    }

    pub(super) fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// Adds a record without an address.
    pub(super) fn push(&mut self, bytes: &[u8], line: u64, content: Content) {
        self.bytes.extend_from_slice(bytes);
        self.records.push(Record { end: self.bytes.len(), line, content });
    }

    /// Adds a record with what should be an address.
    pub(super) fn push_address(&mut self, bytes: &[u8], line: u64, address: &[u8]) {
        let content = match std::str::from_utf8(address).map(str::trim) {
            Err(_) => Content::Refused("it is not UTF-8"),
            Ok("") => Content::Refused("it is empty"),
            Ok(text) if text.len() > MAX_ADDRESS_BYTES => Content::Refused("it is too long"),
            Ok(text) => {
                self.emails.push(text);
                Content::Asked
            }
        };
        self.push(bytes, line, content);
    }

    pub(super) fn emails(&self) -> &Emails {
        &self.emails
    }

    /// All of its records.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(super) fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let mut start = 0;
        self.records.iter().map(move |Record { end, line, content }| {
            let bytes = &self.bytes[start..*end];
            start = *end;
            Piece { bytes, end: *end, line: *line, content: *content }
        })
    }
}
