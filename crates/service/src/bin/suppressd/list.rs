//! `suppressd list`: the addresses that are suppressed now.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use prost_types::Timestamp;
use serde_json::{Value, json};
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{ListSuppressionsRequest, ManualEntry, Suppression, SuppressionReason};

use crate::check;
use crate::cli::{ListArguments, ReasonName};
use crate::failure::Failure;
use crate::grpc_client::{block_on, connect, read_time, refusal, time};

/// Addresses that are asked for at a time.
const ADDRESSES_PER_PAGE: u32 = 1000;

pub(crate) fn run(arguments: ListArguments) -> Result<ExitCode, Failure> {
    block_on(list(arguments))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes page after page: no more of them is held than one.
async fn list(arguments: ListArguments) -> anyhow::Result<()> {
    let ListArguments { server, reason, domain, since, until, json } = arguments;
    let mut request = ListSuppressionsRequest {
        page_size: ADDRESSES_PER_PAGE,
        page_token: String::new(),
        reason: reason.map_or(SuppressionReason::Unspecified, wanted).into(),
        domain,
        since: given(since.as_deref(), "T00:00:00Z").context("--since")?,
        until: given(until.as_deref(), "T23:59:59Z").context("--until")?,
    };
    let mut client = SuppressionAdminServiceClient::new(connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
    let mut out = BufWriter::new(std::io::stdout().lock());
    loop {
        let page = client.list_suppressions(request.clone()).await.map_err(|status| refusal(&status))?.into_inner();
        page.suppressions.iter().try_for_each(|suppression| write(&mut out, suppression, json))?;
        // A page may hold little; whoever reads along does not have to wait for more.
        out.flush()?;
        if page.next_page_token.is_empty() {
            return Ok(());
        }
        ensure!(page.next_page_token != request.page_token, "the server lists one page without an end");
        request.page_token = page.next_page_token;
    }
}

fn given(text: Option<&str>, time_of_day: &str) -> anyhow::Result<Option<Timestamp>> {
    text.map(|text| read_time(text, time_of_day)).transpose()
}

fn wanted(reason: ReasonName) -> SuppressionReason {
    match reason {
        ReasonName::HardBounce => SuppressionReason::HardBounce,
        ReasonName::SoftBounces => SuppressionReason::SoftBounces,
        ReasonName::Complaint => SuppressionReason::Complaint,
        ReasonName::Manual => SuppressionReason::Manual,
    }
}

/// Writes an address that is suppressed, in a line.
pub(crate) fn write(out: &mut impl Write, suppression: &Suppression, as_json: bool) -> anyhow::Result<()> {
    let line = if as_json { in_json(suppression).to_string() } else { in_text(suppression) };
    Ok(writeln!(out, "{line}")?)
}

fn in_text(suppression: &Suppression) -> String {
    let mut text = format!("{}\t{}\t{}", suppression.email, check::reason(suppression.reason()), suppression.detail);
    if let Some(ManualEntry { who, note, .. }) = &suppression.manual_entry {
        let _ = write!(text, "\tby {who}: {note}");
    }
    text
}

/// An address that is suppressed as a JSON object.
pub(crate) fn in_json(suppression: &Suppression) -> Value {
    let mut object = json!({
        "email": suppression.email,
        "reason": check::reason(suppression.reason()),
        "suppressed_at": time(suppression.suppressed_at.as_ref()),
        "rule": suppression.rule,
        "detail": suppression.detail,
    });
    if let Some(end) = &suppression.expire_time {
        object["expire_time"] = time(Some(end)).into();
    }
    if let Some(entry) = &suppression.manual_entry {
        object["manual_entry"] = entry_in_json(entry);
    }
    object
}

/// An operator's entry as a JSON object.
pub(crate) fn entry_in_json(entry: &ManualEntry) -> Value {
    let ManualEntry { at, expire_time, who, note } = entry;
    let mut object = json!({ "at": time(at.as_ref()), "who": who, "note": note });
    if let Some(end) = expire_time {
        object["expire_time"] = time(Some(end)).into();
    }
    object
}
