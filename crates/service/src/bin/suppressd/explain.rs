//! `suppressd explain`: the verdict on an address, the evidence that made it, and what would change it.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use suppressd_core::UnixSeconds;
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{GetRecordRequest, GetRecordResponse, Lift, ManualEntry, Record, RecordedEvent, SecondOpinion};

use crate::check;
use crate::cli::ExplainArguments;
use crate::failure::Failure;
use crate::grpc_client::{block_on, connect, refusal, time};
use crate::list;

pub(crate) fn run(arguments: ExplainArguments) -> Result<ExitCode, Failure> {
    block_on(explain(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn explain(arguments: ExplainArguments) -> anyhow::Result<()> {
    let ExplainArguments { emails, server, account, json } = arguments;
    let channel = connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?;
    let mut client = SuppressionAdminServiceClient::new(channel);
    let mut out = std::io::stdout().lock();
    for email in emails {
        let request = GetRecordRequest { email: email.clone(), account: account.clone() };
        let answer = client.get_record(request).await.map_err(|status| refusal(&status).context(email))?.into_inner();
        if json {
            writeln!(out, "{}", as_json(&answer)?)?;
        } else {
            write_text(&mut out, &answer)?;
        }
    }
    Ok(())
}

fn write_text(out: &mut impl Write, answer: &GetRecordResponse) -> anyhow::Result<()> {
    let verdict = answer.verdict.as_ref().context("the server's answer lacks the verdict")?;
    writeln!(out, "{}", check::as_text(&answer.email, verdict))?;
    if !answer.rule.is_empty() {
        writeln!(out, "  rule: {}", answer.rule)?;
    }
    match &answer.record {
        None => writeln!(out, "  evidence: none, nothing is known of it")?,
        Some(record) => write_record(out, record)?,
    }
    if let Some(entry) = &answer.domain_entry {
        write_entry(out, "entry of its whole domain", entry)?;
    }
    for change in &answer.changes {
        writeln!(out, "  change: {change}")?;
    }
    Ok(())
}

fn write_record(out: &mut impl Write, record: &Record) -> anyhow::Result<()> {
    for event in &record.events {
        let RecordedEvent { at, r#type, category, status, vmta, account, effect, .. } = event;
        let parts = [r#type, category, status, vmta, account].map(|part| if part.is_empty() { "-" } else { part });
        writeln!(out, "  evidence: {} {} {effect}", time(at.as_ref()), parts.join(" "))?;
    }
    if record.last_delivered_at.is_some() {
        writeln!(out, "  last delivery: {}", time(record.last_delivered_at.as_ref()))?;
    }
    if let Some(entry) = &record.manual_entry {
        write_entry(out, "entry", entry)?;
    }
    if record.erased_at.is_some() {
        writeln!(out, "  erased: {}; nothing else is kept of it", time(record.erased_at.as_ref()))?;
    }
    if let Some(Lift { at, fence, who, why }) = &record.lift {
        let fence = time(fence.as_ref());
        writeln!(out, "  lift: {} by {who}: {why}; evidence up to {fence} no longer counts", time(at.as_ref()))?;
    }
    Ok(())
}

fn write_entry(out: &mut impl Write, name: &str, entry: &ManualEntry) -> anyhow::Result<()> {
    let ManualEntry { at, expire_time, who, note } = entry;
    let until = expire_time.as_ref().map(|end| format!(" until {}", time(Some(end)))).unwrap_or_default();
    Ok(writeln!(out, "  {name}: {}{until} by {who}: {note}", time(at.as_ref()))?)
}

fn as_json(answer: &GetRecordResponse) -> anyhow::Result<serde_json::Value> {
    let verdict = answer.verdict.as_ref().context("the server's answer lacks the verdict")?;
    let mut object = check::as_json(&answer.email, verdict);
    if !answer.rule.is_empty() {
        object["rule"] = answer.rule.clone().into();
    }
    if let Some(entry) = &answer.domain_entry {
        object["domain_entry"] = list::entry_in_json(entry);
    }
    object["changes"] = answer.changes.clone().into();
    object["evidence"] = answer.record.iter().flat_map(|record| &record.events).map(event).collect();
    if let Some(record) = &answer.record {
        object["counters"] = record.counters.iter().map(|counter| (counter.class.clone(), counter.events)).collect();
        if let Some(at) = &record.last_delivered_at {
            object["last_delivered_at"] = UnixSeconds::clamped(at.seconds).to_string().into();
        }
        if let Some(entry) = &record.manual_entry {
            object["manual_entry"] = list::entry_in_json(entry);
        }
        if let Some(at) = &record.erased_at {
            object["erased_at"] = UnixSeconds::clamped(at.seconds).to_string().into();
        }
        if let Some(Lift { at, fence, who, why }) = &record.lift {
            object["lift"] = json!({ "at": time(at.as_ref()), "fence": time(fence.as_ref()), "who": who, "why": why });
        }
    }
    Ok(object)
}

fn event(event: &RecordedEvent) -> serde_json::Value {
    json!({
        "id": event.id,
        "at": time(event.at.as_ref()),
        "type": event.r#type,
        "category": event.category,
        "status": event.status,
        "vmta": event.vmta,
        "account": event.account,
        "class": event.class,
        "rule": event.rule,
        "counts": event.counts,
        "effect": event.effect,
        "second_opinion": event.second_opinion.as_ref().map(second_opinion),
    })
}

fn second_opinion(opinion: &SecondOpinion) -> serde_json::Value {
    let class = Some(&opinion.class).filter(|class| !class.is_empty());
    json!({ "class": class, "fault": opinion.fault, "rule": opinion.rule })
}
