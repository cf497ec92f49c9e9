//! What is answered about a batch.

use bytes::{Buf, BufMut};
use prost::encoding::{self, DecodeContext, WireType, message, skip_field};
use prost::{DecodeError, Message};

use crate::judge::Verdicts;
use crate::proto::{BatchView, SuppressedAddress, SuppressedOnly};
use crate::suppression::result;

/// The numbers of the fields.
const RESULTS: u32 = 1;
const SUPPRESSED_ONLY: u32 = 2;

/// How many usual results are written at once: about as many as stand between two others.
const USUAL_AT_ONCE: usize = 32;

/// What a verdict that has a cause takes, in bytes, with some room.
const RESULT_BYTES: usize = 128;

/// `BatchIsSuppressedResponse` and `StreamIsSuppressedResponse`, which are the same, in their encoded form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    encoded: Vec<u8>,
}

impl Answer {
    pub(crate) fn new(verdicts: Verdicts, view: BatchView) -> Self {
        match view {
            BatchView::Unspecified | BatchView::Full => Self::of_all(verdicts),
            BatchView::SuppressedOnly => Self::of_suppressed(verdicts),
        }
    }

    fn of_all(Verdicts { addresses, usual, others }: Verdicts) -> Self {
        let mut usual_field = Vec::new();
        message::encode(RESULTS, &usual, &mut usual_field);
        let mut encoded = Vec::with_capacity(addresses * usual_field.len() + others.len() * RESULT_BYTES);
        let many_usual = usual_field.repeat(USUAL_AT_ONCE);
        let repeat = |encoded: &mut Vec<u8>, times: usize| {
            for first in (0..times).step_by(USUAL_AT_ONCE) {
                encoded.extend_from_slice(&many_usual[..usual_field.len() * USUAL_AT_ONCE.min(times - first)]);
            }
        };
        let mut next = 0;
        for (place, judged) in others {
            repeat(&mut encoded, place - next);
            message::encode(RESULTS, &result(judged), &mut encoded);
            next = place + 1;
        }
        repeat(&mut encoded, addresses - next);
        Self { encoded }
    }

    fn of_suppressed(Verdicts { addresses, usual: _, others }: Verdicts) -> Self {
        let suppressed = others.into_iter().filter_map(|(place, judged)| {
            let result = result(judged);
            let place = u32::try_from(place).ok()?;
            (result.suppressed != Some(false)).then_some(SuppressedAddress { place, result: Some(result) })
        });
        let only = SuppressedOnly { judged: u32::try_from(addresses).unwrap_or(u32::MAX), suppressed: suppressed.collect() };
        let mut encoded = Vec::new();
        message::encode(SUPPRESSED_ONLY, &only, &mut encoded);
        Self { encoded }
    }
}

impl Message for Answer {
    fn encode_raw(&self, buf: &mut impl BufMut) {
        buf.put_slice(&self.encoded);
    }

    /// Keeps the fields as they are.
    fn merge_field(&mut self, tag: u32, wire_type: WireType, buf: &mut impl Buf, ctx: DecodeContext) -> Result<(), DecodeError> {
        if ![RESULTS, SUPPRESSED_ONLY].contains(&tag) {
            return skip_field(wire_type, tag, buf, ctx);
        }
        let mut field: Vec<u8> = Vec::new();
        encoding::bytes::merge(wire_type, &mut field, buf, ctx)?;
        encoding::bytes::encode(tag, &field, &mut self.encoded);
        Ok(())
    }

    fn encoded_len(&self) -> usize {
        self.encoded.len()
    }

    fn clear(&mut self) {
        self.encoded.clear();
    }
}
