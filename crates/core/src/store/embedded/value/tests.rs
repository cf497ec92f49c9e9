use proptest::prelude::*;

use super::*;
use crate::Reason;

prop_compose! {
    fn pieces()(
        bits in any::<u64>(),
        seconds in any::<i64>(),
        is_time_of_receipt in any::<bool>(),
        kind in prop::sample::select(&KINDS[..]),
        category in prop_oneof![Just("bad-mailbox".to_owned()), any::<String>()],
        status in prop::option::of((2_u8..6, 0_u16..1000, 0_u16..1000)),
        (vmta, account) in any::<(String, String)>(),
        rule in prop::option::of("[a-z0-9-]{1,24}"),
    ) -> Evidence {
        Evidence {
            id: EventId::from_bits(bits),
            time: UnixSeconds::clamped(seconds),
            is_time_of_receipt,
            kind,
            category: BounceCategory::from_wire(&category),
            status: status.map(|(class, subject, detail)| EnhancedStatusCode { class, subject, detail }),
            vmta: vmta.into(),
            account: account.into(),
            second_opinion: rule.and_then(|rule| StoredOpinion::from_stored(&format!("hr:{rule}"))),
        }
    }
}

fn record(evidence: Vec<Evidence>, seconds: Option<i64>) -> Record {
    let mut record = Record::new("a@x.example".parse().unwrap()).with_evidence(evidence);
    *record.counters.get_mut(Class::Soft) = u64::MAX;
    *record.counters.get_mut(Class::Complaint) = 300;
    record.last_delivered = seconds.map(UnixSeconds::clamped);
    record
}

fn of_record(record: &Record, form: Form) -> Vec<u8> {
    let mut bytes = Vec::new();
    push_record(&mut bytes, record, form).unwrap();
    bytes
}

fn read(record: &Record, bytes: &[u8]) -> Option<(Form, Record)> {
    let mut again = Record::new(record.address.clone());
    let (form, evidence) = read_record(&mut again, bytes)?;
    Some((form, again.with_evidence(evidence)))
}

#[test]
fn what_operators_did_reads_back() {
    let mut lifted = record(Vec::new(), None);
    lifted.lift(UnixSeconds::clamped(7), "ops", "typo");
    let since = UnixSeconds::clamped(9);
    lifted.suppress(ManualEntry { since, until: None, who: "ops".into(), note: "n\u{e9}".into(), request_id: None });
    let erased = Record::erased(lifted.address.clone(), Tombstone { erased_at: since, reason: Reason::Manual });
    for record in [lifted, erased] {
        let bytes = of_record(&record, Form::Whole);
        assert_eq!(read(&record, &bytes), Some((Form::Whole, record)));
    }
}

#[test]
fn what_was_not_written_here_is_unreadable() {
    let record = record(Vec::new(), None);
    for bytes in [&[][..], b"{\"counters\":[0,0,0,0,0]}", &[0, 0, 0, 0, 0, 0, 0], &[3, 0, 0, 0, 0, 0, 0], &[1, 0, 0, 0, 0, 0, 2]]
    {
        assert_eq!(read(&record, bytes), None, "{bytes:?}");
    }
    // Evidence at keys of its own is not in the record's value as well; a number has 64 bits.
    assert_eq!(read(&record, &[&[2, 0, 0, 0, 0, 0, 0][..], b"AAAAAAAAAAA", &[0, 0, 0, 0, 0]].concat()), None);
    assert_eq!(read(&record, &[&[1][..], &[0xff; 9], &[0x7f, 0, 0, 0, 0, 0]].concat()), None);
}

proptest! {
    #[test]
    fn reads_back_as_it_was(pieces in prop::collection::vec(pieces(), 0..5), seconds in prop::option::of(any::<i64>())) {
        let record = record(pieces, seconds);
        let bytes = of_record(&record, Form::Whole);
        prop_assert_eq!(read(&record, &bytes), Some((Form::Whole, record.clone())));
        for cut in 0..bytes.len() {
            // A value ends where its last part does.
            prop_assert!(read(&record, &bytes[..cut]).is_none_or(|(_, less)| less != record), "{}", cut);
        }
        let head = of_record(&record, Form::Spread);
        prop_assert_eq!(read(&record, &head).map(|(form, head)| (form, head.evidence().len())), Some((Form::Spread, 0)));
        for piece in record.evidence() {
            prop_assert_eq!(read_evidence(&of_evidence(piece)), Some(piece.clone()));
        }
    }

    #[test]
    fn an_event_that_makes_a_record_is_written_as_that_record(piece in pieces()) {
        let Evidence { id, time, is_time_of_receipt, kind, category, status, vmta, account, second_opinion } = piece;
        let recipient = "a@x.example".parse().unwrap();
        let event = Event { id, recipient, time, is_time_of_receipt, kind, category, status, vmta, account, second_opinion };
        let mut record = Record::new(event.recipient.clone());
        record.take(&event);
        let mut bytes = Vec::new();
        push_record_of_one(&mut bytes, &event, event.class().unwrap());
        prop_assert_eq!(bytes, of_record(&record, Form::Whole));
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..80), form in 0_u8..4) {
        let _ = read_evidence(&bytes);
        let _ = read(&record(Vec::new(), None), &[&[form][..], &bytes].concat());
    }
}
