//! What is asked about a batch.

use std::str::Utf8Error;

use bytes::{Buf, BufMut};
use prost::encoding::{DecodeContext, WireType, bool, encode_key, encode_varint, encoded_len_varint, int32, skip_field, string};
use prost::{DecodeError, Message};

use super::Emails;
use crate::proto::BatchView;

/// The numbers of the fields.
const EMAILS: u32 = 1;
const ACCOUNT: u32 = 2;
const STRICT: u32 = 3;
const VIEW: u32 = 4;

/// What stands before each address: the number of the field, and that a length follows.
const EMAILS_KEY: u8 = 1 << 3 | 2;

/// Longest length that is written in one byte.
const MAX_SHORT_BYTES: u8 = 0x7f;

/// `BatchIsSuppressedRequest` and `StreamIsSuppressedRequest`, which are the same.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The addresses.
    pub emails: Emails,
    /// The account whose evidence counts; that of every account if it is empty.
    pub account: String,
    /// Whether to make sure that no stale replica answers.
    pub strict: bool,
    /// What is to be answered, as the number of a [`BatchView`].
    pub view: i32,
}

impl Question {
    /// What is to be answered; everything if the number is not known.
    pub(crate) fn view(&self) -> BatchView {
        BatchView::try_from(self.view).unwrap_or_default()
    }

    /// Reads the addresses that stand at the beginning, if they are short and lie in one piece. Before each stand a key and a length,
    /// both of which are ASCII: so where all is UTF-8, each address is.
    fn read_short_emails(&mut self, buf: &mut impl Buf) {
        let text = valid_part(buf.chunk());
        self.emails.reserve(text.len());
        let mut read = 0;
        while let [EMAILS_KEY, length @ 0..=MAX_SHORT_BYTES, ..] = text.as_bytes()[read..] {
            let begin = read + 2;
            let Some(email) = text.get(begin..begin + usize::from(length)) else { break };
            self.emails.push(email);
            read = begin + email.len();
        }
        buf.advance(read);
    }

    fn merge_email(&mut self, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Result<(), DecodeError> {
        let mut email = String::new();
        string::merge(wire_type, &mut email, buf, ctx)?;
        self.emails.push(&email);
        Ok(())
    }
}

/// The text with which bytes begin.
fn valid_part(bytes: &[u8]) -> &str {
    let valid = |error: Utf8Error| std::str::from_utf8(&bytes[..error.valid_up_to()]).unwrap_or_default();
    std::str::from_utf8(bytes).unwrap_or_else(valid)
}

impl Message for Question {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        for email in self.emails.iter() {
            encode_key(EMAILS, WireType::LengthDelimited, buf);
            encode_varint(email.len() as u64, buf);
            buf.put_slice(email.as_bytes());
        }
        if !self.account.is_empty() {
            string::encode(ACCOUNT, &self.account, buf);
        }
        if self.strict {
            bool::encode(STRICT, &self.strict, buf);
        }
        if self.view != 0 {
            int32::encode(VIEW, &self.view, buf);
        }
    }

    fn decode(mut buf: impl Buf) -> Result<Self, DecodeError> {
        let mut question = Self::default();
        question.read_short_emails(&mut buf);
        question.merge(buf)?;
        Ok(question)
    }

    fn merge_field(&mut self, tag: u32, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Result<(), DecodeError> {
        match tag {
            EMAILS => self.merge_email(wire_type, buf, ctx),
            ACCOUNT => string::merge(wire_type, &mut self.account, buf, ctx),
            STRICT => bool::merge(wire_type, &mut self.strict, buf, ctx),
            VIEW => int32::merge(wire_type, &mut self.view, buf, ctx),
            _ => skip_field(wire_type, tag, buf, ctx),
        }
    }

    fn encoded_len(&self) -> usize {
        // A key is one byte.
        let of_email = |email: &str| 1 + encoded_len_varint(email.len() as u64) + email.len();
        let mut len = self.emails.iter().map(of_email).sum();
        if !self.account.is_empty() {
            len += string::encoded_len(ACCOUNT, &self.account);
        }
        if self.strict {
            len += bool::encoded_len(STRICT, &self.strict);
        }
        if self.view != 0 {
            len += int32::encoded_len(VIEW, &self.view);
        }
        len
    }

    fn clear(&mut self) {
        *self = Self::default();
    }
}
