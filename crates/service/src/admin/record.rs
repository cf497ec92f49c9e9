//! Records, explained ones and suppressed addresses, as messages.

use suppressd_core::{Address, Class, ExplainedEvidence, Lift, ManualEntry, Reason, StoredOpinion, Verdict};

use crate::judge::Explained;
use crate::proto;
use crate::proto::{ClassCounter, GetRecordResponse, Record, RecordedEvent, SecondOpinion};
use crate::suppression::{reason, result, timestamp};

pub(super) fn response(explained: Explained) -> GetRecordResponse {
    let Explained { address, record, domain_entry, explanation } = explained;
    let rule = explanation.verdict.suppression.as_ref().map(|suppression| suppression.rule.to_string());
    let record = record.map(|record| Record {
        events: explanation.evidence.into_iter().map(event).collect(),
        counters: Class::ALL
            .into_iter()
            .map(|class| ClassCounter { class: class.as_str().to_owned(), events: record.counters.get(class) })
            .collect(),
        last_delivered_at: record.last_delivered.map(timestamp),
        manual_entry: record.manual.as_ref().map(manual_entry),
        lift: record.lift.as_ref().map(lift),
        erased_at: record.tombstone.map(|tombstone| timestamp(tombstone.erased_at)),
    });
    GetRecordResponse {
        email: address.as_str().to_owned(),
        verdict: Some(result(Ok(explanation.verdict))),
        rule: rule.unwrap_or_default(),
        record,
        changes: explanation.changes,
        domain_entry: domain_entry.as_deref().map(manual_entry),
    }
}

fn event(explained: ExplainedEvidence) -> RecordedEvent {
    let ExplainedEvidence { evidence, class, rule, counts, effect } = explained;
    RecordedEvent {
        id: evidence.id.as_str().to_owned(),
        at: Some(timestamp(evidence.time)),
        r#type: evidence.kind.as_wire().to_owned(),
        category: evidence.category.as_str().to_owned(),
        status: evidence.status.map(|status| status.to_string()).unwrap_or_default(),
        vmta: (*evidence.vmta).into(),
        account: (*evidence.account).into(),
        class: class.as_str().to_owned(),
        rule: rule.to_string(),
        counts,
        effect,
        second_opinion: evidence.second_opinion.map(second_opinion),
    }
}

fn second_opinion(opinion: StoredOpinion) -> SecondOpinion {
    SecondOpinion {
        class: opinion.class.map(Class::as_str).unwrap_or_default().to_owned(),
        fault: opinion.fault.as_str().to_owned(),
        rule: opinion.rule.into(),
    }
}

/// An address that is suppressed; `None` if it is not. `entry` is what its record holds of an operator.
pub(super) fn suppression(address: &Address, verdict: &Verdict, entry: Option<&ManualEntry>) -> Option<proto::Suppression> {
    let suppression = verdict.suppression.as_ref()?;
    Some(proto::Suppression {
        email: address.as_str().to_owned(),
        reason: reason(verdict).into(),
        suppressed_at: Some(timestamp(suppression.since)),
        expire_time: suppression.until.map(timestamp),
        rule: suppression.rule.to_string(),
        detail: verdict.to_string(),
        manual_entry: entry.filter(|_| suppression.reason == Reason::Manual).map(manual_entry),
    })
}

fn manual_entry(entry: &ManualEntry) -> proto::ManualEntry {
    let ManualEntry { since, until, who, note, request_id: _ } = entry;
    proto::ManualEntry { at: Some(timestamp(*since)), expire_time: until.map(timestamp), who: who.clone(), note: note.clone() }
}

pub(super) fn lift(lift: &Lift) -> proto::Lift {
    let Lift { fence, at, who, why } = lift;
    proto::Lift { at: Some(timestamp(*at)), fence: Some(timestamp(*fence)), who: who.clone(), why: why.clone() }
}
