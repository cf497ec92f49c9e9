use suppressd_core::store::memory::MemoryStore;
use suppressd_core::store::{AdministrativeStore, EvidenceStore as _};
use suppressd_core::{BounceCategory, Event, EventId, EventKind, Incidents, ManualEntry, Policy};
use tonic::Code;

use super::*;

fn bounce(number: u64, category: &str) -> Event {
    Event {
        id: EventId::from_bits(number),
        recipient: format!("r{number:05}@example.com").parse().unwrap(),
        time: UnixSeconds::clamped(1_700_000_000),
        is_time_of_receipt: false,
        kind: EventKind::Bounce,
        category: BounceCategory::from_wire(category),
        status: None,
        vmta: "".into(),
        account: "".into(),
        second_opinion: None,
    }
}

async fn page(store: &MemoryStore, request: ListSuppressionsRequest) -> Result<ListSuppressionsResponse, Status> {
    let standpoint = Standpoint::new(&Policy::default(), Incidents::default());
    Listing::new(store.clone(), &Limits::default()).page(Wanted::read(request)?, standpoint).await
}

#[tokio::test]
async fn a_page_looks_at_a_bounded_number_of_records_and_says_where_to_go_on() {
    let store = MemoryStore::default();
    // Only the very last one is suppressed.
    let last = (MAX_LOOKS_PER_PAGE * MAX_RECORDS_PER_LOOK) as u64 + 1;
    let events: Vec<_> = (0..=last).map(|number| bounce(number, if number == last { "bad-mailbox" } else { "other" })).collect();
    store.record(&events).await.unwrap();
    let request = ListSuppressionsRequest { page_size: u32::MAX, ..ListSuppressionsRequest::default() };
    let first = page(&store, request.clone()).await.unwrap();
    assert_eq!(first.suppressions, []);
    assert!(!first.next_page_token.is_empty(), "an empty page is not the last one");
    let second = page(&store, ListSuppressionsRequest { page_token: first.next_page_token, ..request }).await.unwrap();
    let emails: Vec<_> = second.suppressions.iter().map(|suppression| suppression.email.clone()).collect();
    assert_eq!((emails, &*second.next_page_token), (vec![format!("r{last:05}@example.com")], ""));
}

#[tokio::test]
async fn a_page_holds_no_more_than_was_asked_for() {
    let store = MemoryStore::default();
    let events: Vec<_> = (0..2500).map(|number| bounce(number, "bad-mailbox")).collect();
    store.record(&events).await.unwrap();
    for (asked, held) in [(0, ADDRESSES_PER_PAGE), (1, 1), (700, 700), (1000, 1000), (1001, 1000), (u32::MAX, 1000)] {
        let request = ListSuppressionsRequest { page_size: asked, ..ListSuppressionsRequest::default() };
        assert_eq!(page(&store, request).await.unwrap().suppressions.len(), held, "{asked}");
    }
}

#[tokio::test]
async fn the_entry_is_shown_of_whom_it_suppresses() {
    let store = MemoryStore::default();
    let entry = |until| ManualEntry {
        since: UnixSeconds::clamped(5),
        until,
        who: "ops".into(),
        note: "asked to".into(),
        request_id: None,
    };
    store.record(&[bounce(1, "bad-mailbox")]).await.unwrap();
    // It has expired, and the bounce suppresses.
    store.suppress(&"r00001@example.com".parse().unwrap(), entry(Some(UnixSeconds::clamped(6)))).await.unwrap();
    store.suppress(&"r00002@example.com".parse().unwrap(), entry(None)).await.unwrap();
    let found = page(&store, ListSuppressionsRequest::default()).await.unwrap().suppressions;
    let shown: Vec<_> =
        found.iter().map(|found| (found.reason(), found.manual_entry.as_ref().map(|entry| &*entry.note))).collect();
    assert_eq!(shown, [(SuppressionReason::HardBounce, None), (SuppressionReason::Manual, Some("asked to"))]);
}

#[tokio::test]
async fn a_token_goes_on_with_what_it_was_given_for_and_nothing_else() {
    let store = MemoryStore::default();
    store.record(&[bounce(1, "bad-mailbox"), bounce(2, "bad-mailbox")]).await.unwrap();
    let first = ListSuppressionsRequest { page_size: 1, domain: "example.com".into(), ..ListSuppressionsRequest::default() };
    let token = page(&store, first.clone()).await.unwrap().next_page_token;
    let next = ListSuppressionsRequest { page_token: token.clone(), ..first };
    assert_eq!(page(&store, next.clone()).await.unwrap().suppressions[0].email, "r00002@example.com");
    let again = ListSuppressionsRequest { page_size: 7, domain: "Example.COM".into(), ..next.clone() };
    assert_eq!(page(&store, again).await.unwrap().suppressions.len(), 1, "the same domain, and a page may have another size");

    let far = "61".repeat(3000);
    for token in ["x", "6", "zz", "ff", "\u{e9}", &token[1..], &token[2..], &format!("{token}+"), &far] {
        let refused = page(&store, ListSuppressionsRequest { page_token: token.into(), ..next.clone() }).await.unwrap_err();
        assert_eq!((refused.code(), refused.message().starts_with("page_token: ")), (Code::InvalidArgument, true), "{refused}");
    }
    for other in [
        ListSuppressionsRequest { domain: "example.org".into(), ..next.clone() },
        ListSuppressionsRequest { reason: SuppressionReason::Manual.into(), ..next.clone() },
        ListSuppressionsRequest { since: Some(Timestamp::default()), ..next.clone() },
        ListSuppressionsRequest { until: Some(Timestamp::default()), ..next.clone() },
    ] {
        assert_eq!(page(&store, other).await.unwrap_err().code(), Code::InvalidArgument);
    }
}

#[test]
fn what_nobody_is_suppressed_for_is_refused() {
    for reason in [SuppressionReason::InvalidAddress.into(), 77] {
        let request = ListSuppressionsRequest { reason, ..ListSuppressionsRequest::default() };
        let refused = Wanted::read(request).err().unwrap();
        assert_eq!((refused.code(), refused.message().starts_with("reason: ")), (Code::InvalidArgument, true), "{refused}");
    }
}
