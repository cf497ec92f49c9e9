//! Byte by byte, these messages are what is generated from `proto`.

use proptest::prelude::*;
use prost::Message;
use suppressd_core::{Error, Policy, Verdict};

use super::*;
use crate::judge::Verdicts;
use crate::proto::{
    BatchIsSuppressedRequest, BatchIsSuppressedResponse, BatchView, StreamIsSuppressedRequest, StreamIsSuppressedResponse,
    SuppressedAddress, SuppressedOnly, SuppressionResult,
};
use crate::suppression::result;

fn request() -> impl Strategy<Value = BatchIsSuppressedRequest> {
    let email = prop_oneof!["[a-z.]{0,30}@[a-z.]{0,10}", "\\PC{0,60}", "[a-z]{120,140}"];
    (prop::collection::vec(email, 0..20), "[a-z]{0,5}", any::<bool>(), prop_oneof![0..3, any::<i32>()])
        .prop_map(|(emails, account, strict, view)| BatchIsSuppressedRequest { emails, account, strict, view })
}

proptest! {
    #[test]
    fn a_question_is_read_and_written_as_the_message_is(request in request()) {
        let BatchIsSuppressedRequest { emails, account, strict, view } = request.clone();
        let question = Question { emails: emails.iter().collect(), account: account.clone(), strict, view };
        let encoded = request.encode_to_vec();
        prop_assert_eq!(question.encode_to_vec(), encoded.clone());
        prop_assert_eq!(question.encoded_len(), encoded.len());
        prop_assert_eq!(StreamIsSuppressedRequest { emails: emails.clone(), account, strict, view }.encode_to_vec(), encoded.clone());
        prop_assert_eq!(Question::decode(&*encoded), Ok(question.clone()));
        // As it may lie in pieces.
        let (first, second) = encoded.split_at(encoded.len() / 2);
        prop_assert_eq!(Question::decode(bytes::Buf::chain(first, second)), Ok(question.clone()));
        prop_assert_eq!(question.emails.len(), emails.len());
        prop_assert!(question.emails.iter().eq(emails.iter().map(String::as_str)));
        prop_assert!((0..=emails.len()).all(|place| question.emails.get(place) == emails.get(place).map(String::as_str)));
    }

    #[test]
    fn whatever_the_bytes_are_both_read_them_or_neither(bytes in prop::collection::vec(any::<u8>(), 0..80), cut in 0_usize..80) {
        let mut request = BatchIsSuppressedRequest { emails: vec!["a@x.example".into(), "b".repeat(130)], ..Default::default() }.encode_to_vec();
        request.truncate(cut);
        request.extend(bytes);
        let read = Question::decode(&*request).map(|question| question.encode_to_vec()).ok();
        prop_assert_eq!(read, BatchIsSuppressedRequest::decode(&*request).map(|message| message.encode_to_vec()).ok());
    }
}

/// So many addresses, of which something is known of those at the places.
fn verdicts(addresses: usize, known: &[usize]) -> Verdicts {
    let usual = result(Ok(Verdict::without_evidence(&Policy::default())));
    let judged = |place: &usize| {
        let verdict = Verdict { soft_bounces: 2, ..Verdict::without_evidence(&Policy::default()) };
        (*place, if place.is_multiple_of(2) { Ok(verdict) } else { Err(Error::InvalidAddress { reason: "it is empty" }) })
    };
    Verdicts { addresses, usual, others: known.iter().map(judged).collect() }
}

fn one_by_one(verdicts: Verdicts) -> Vec<SuppressionResult> {
    let Verdicts { addresses, usual, others } = verdicts;
    let mut results = vec![usual; addresses];
    for (place, judged) in others {
        results[place] = result(judged);
    }
    results
}

#[test]
fn an_answer_is_written_as_the_message_is() {
    for (addresses, known) in [(0, &[] as &[usize]), (1, &[]), (1, &[0]), (5, &[]), (5, &[0, 1, 4]), (300, &[7, 8, 299])] {
        for view in [BatchView::Unspecified, BatchView::Full] {
            let answer = Answer::new(verdicts(addresses, known), view);
            let results = one_by_one(verdicts(addresses, known));
            let encoded = answer.encode_to_vec();
            assert_eq!(answer.encoded_len(), encoded.len());
            let stream = StreamIsSuppressedResponse { results: results.clone(), suppressed_only: None };
            assert_eq!(stream.encode_to_vec(), encoded);
            assert_eq!(BatchIsSuppressedResponse { results, suppressed_only: None }.encode_to_vec(), encoded);
            assert_eq!(Answer::decode(&*encoded), Ok(answer));
        }
    }
}

#[test]
fn where_only_who_is_suppressed_is_asked_for_they_are_named_with_their_places() {
    let answer = Answer::new(verdicts(10, &[2, 3, 9]), BatchView::SuppressedOnly);
    let results = one_by_one(verdicts(10, &[2, 3, 9]));
    let suppressed = [3, 9].map(|place: u32| SuppressedAddress { place, result: Some(results[place as usize].clone()) });
    let only = SuppressedOnly { judged: 10, suppressed: suppressed.into() };
    let message = BatchIsSuppressedResponse { results: Vec::new(), suppressed_only: Some(only) };
    assert_eq!(answer.encode_to_vec(), message.encode_to_vec());
    assert_eq!(Answer::decode(&*message.encode_to_vec()), Ok(answer));
}
