//! What is asked about a batch.

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

    /// Reads the next address. All but a few are short, lie in one piece, and need no text of their own.
    fn merge_email(&mut self, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Result<(), DecodeError> {
        let rest = buf.chunk();
        let short = rest.first().filter(|length| wire_type == WireType::LengthDelimited && **length <= MAX_SHORT_BYTES);
        let email = short.and_then(|length| rest.get(1..=usize::from(*length)));
        if let Some(email) = email.and_then(|bytes| std::str::from_utf8(bytes).ok()) {
            if self.emails.is_empty() {
                // What follows is addresses for the most part.
                self.emails.reserve(rest.len());
            }
            self.emails.push(email);
            let read = 1 + email.len();
            buf.advance(read);
            return Ok(());
        }
        let mut email = String::new();
        string::merge(wire_type, &mut email, buf, ctx)?;
        self.emails.push(&email);
        Ok(())
    }
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
