//! `suppressd list`: the addresses that are suppressed now.

use std::fmt::Write as _;
use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use prost_types::Timestamp;
use serde_json::{Value, json};
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{ListSuppressionsRequest, ManualEntry, Suppression, SuppressionReason};

use crate::attempts::Attempts;
use crate::check;
use crate::cli::{ListArguments, ReasonName, SelectionArguments, ServerArguments};
use crate::failure::Failure;
use crate::grpc_client::{AuthorizedChannel, block_on, connect, read_time, refusal, time};

/// Addresses that are asked for at a time.
const ADDRESSES_PER_PAGE: u32 = 1000;

pub(crate) fn run(arguments: ListArguments) -> Result<ExitCode, Failure> {
    block_on(list(arguments))?;
    Ok(ExitCode::SUCCESS)
}

/// Writes page after page: no more of them is held than one.
async fn list(arguments: ListArguments) -> anyhow::Result<()> {
    let ListArguments { server, selection, json } = arguments;
    let mut pages = Pages::of(&server, selection).await?;
    let mut out = BufWriter::new(std::io::stdout().lock());
    while let Some(suppressions) = pages.next().await? {
        suppressions.iter().try_for_each(|suppression| write(&mut out, suppression, json))?;
        // A page may hold little; whoever reads along does not have to wait for more.
        out.flush()?;
    }
    Ok(())
}

/// What a server lists, page after page.
pub(crate) struct Pages {
    client: SuppressionAdminServiceClient<AuthorizedChannel>,
    /// None if the last page was given.
    next: Option<ListSuppressionsRequest>,
}

impl Pages {
    pub(crate) async fn of(server: &ServerArguments, selection: SelectionArguments) -> anyhow::Result<Self> {
        let SelectionArguments { reason, domain, since, until } = selection;
        let request = ListSuppressionsRequest {
            page_size: ADDRESSES_PER_PAGE,
            page_token: String::new(),
            reason: reason.map_or(SuppressionReason::Unspecified, wanted).into(),
            domain,
            since: given(since.as_deref(), "T00:00:00Z").context("--since")?,
            until: given(until.as_deref(), "T23:59:59Z").context("--until")?,
        };
        let client = SuppressionAdminServiceClient::new(connect(server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
        Ok(Self { client, next: Some(request) })
    }

    /// The next page; none if there are no more. What fails by a fault that may pass is asked for again: a token stays good, at any
    /// process.
    pub(crate) async fn next(&mut self) -> anyhow::Result<Option<Vec<Suppression>>> {
        let Some(request) = &self.next else { return Ok(None) };
        let mut attempts = Attempts::default();
        let page = loop {
            match self.client.list_suppressions(request.clone()).await {
                Ok(page) => break page.into_inner(),
                Err(status) if Attempts::is_final(&status) => return Err(refusal(&status)),
                Err(status) => attempts.failed(&status).await?,
            }
        };
        let is_last = page.next_page_token.is_empty();
        ensure!(is_last || page.next_page_token != request.page_token, "the server lists one page without an end");
        let next = ListSuppressionsRequest { page_token: page.next_page_token, ..request.clone() };
        self.next = (!is_last).then_some(next);
        Ok(Some(page.suppressions))
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
