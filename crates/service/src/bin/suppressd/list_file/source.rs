//! The bytes of a list, read piece by piece: as much of them is held as the record that is being read needs.

use std::io::{ErrorKind, Read};

use anyhow::{Context as _, bail};
use memchr::{memchr, memchr_iter};

/// Longest record, in bytes. What is longer is no list of addresses, or a quote in it is not closed.
pub(crate) const MAX_RECORD_BYTES: usize = 1 << 20;

/// How much is read at a time, in bytes, unless a record is longer.
const PIECE_BYTES: usize = 64 << 10;

/// What a text that is not UTF-8 may begin with.
const UTF_16_MARKS: [&[u8]; 2] = [b"\xff\xfe", b"\xfe\xff"];

/// What a UTF-8 text may begin with.
const UTF_8_MARK: &[u8] = b"\xef\xbb\xbf";

/// A list from where it is read next.
pub(crate) struct Source {
    input: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    is_at_end: bool,
    /// The number of the line that the rest begins in.
    line: u64,
}

impl Source {
    pub(crate) fn new(input: Box<dyn Read + Send>) -> Self {
        Self { input, buffer: vec![0; PIECE_BYTES], start: 0, end: 0, is_at_end: false, line: 1 }
    }

    /// What has been read and not been taken.
    pub(crate) fn rest(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The number of the line that the rest begins in.
    pub(crate) fn line_number(&self) -> u64 {
        self.line
    }

    /// Goes on behind so many bytes of the rest.
    pub(crate) fn advance(&mut self, bytes: usize) {
        let taken = &self.rest()[..bytes];
        let breaks = memchr_iter(b'\n', taken).count() as u64;
        // A carriage return alone ends a line, too, if it ends a row.
        self.line += if breaks == 0 { u64::from(taken.ends_with(b"\r")) } else { breaks };
        self.start += bytes;
    }

    /// Makes the rest longer. Gives false if there is no more.
    pub(crate) fn read_on(&mut self) -> anyhow::Result<bool> {
        if self.is_at_end {
            return Ok(false);
        }
        if self.rest().len() > MAX_RECORD_BYTES {
            bail!("longer than {MAX_RECORD_BYTES} bytes; perhaps a quote is not closed");
        }
        if self.start > 0 {
            self.buffer.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        if self.end == self.buffer.len() {
            self.buffer.resize(2 * self.buffer.len(), 0);
        }
        let bytes = loop {
            match self.input.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.context("cannot read on")?,
            }
        };
        self.end += bytes;
        self.is_at_end = bytes == 0;
        Ok(bytes > 0)
    }

    /// How long the next line is, with its line break if it has one. None if there are no more.
    pub(crate) fn line(&mut self) -> anyhow::Result<Option<usize>> {
        let mut searched = 0;
        loop {
            if let Some(place) = memchr(b'\n', &self.rest()[searched..]) {
                return Ok(Some(searched + place + 1));
            }
            searched = self.rest().len();
            if !self.read_on()? {
                return Ok((searched > 0).then_some(searched));
            }
        }
    }

    /// How long the next line is if it is an empty one.
    pub(crate) fn blank_line(&mut self) -> anyhow::Result<Option<usize>> {
        let is_blank = |byte: &u8| b" \r\n".contains(byte);
        if self.rest().is_empty() {
            self.read_on()?;
        }
        if !self.rest().first().is_some_and(is_blank) {
            return Ok(None);
        }
        let Some(length) = self.line()? else { return Ok(None) };
        Ok(self.rest()[..length].iter().all(is_blank).then_some(length))
    }

    /// How long the byte order mark is with which it begins. One that belongs to another encoding is an error.
    pub(crate) fn byte_order_mark(&mut self) -> anyhow::Result<usize> {
        while self.rest().len() < UTF_8_MARK.len() && self.read_on()? {}
        if UTF_16_MARKS.iter().any(|mark| self.rest().starts_with(mark)) {
            bail!("the list is UTF-16; convert it to UTF-8 first");
        }
        Ok(if self.rest().starts_with(UTF_8_MARK) { UTF_8_MARK.len() } else { 0 })
    }
}
