//! `suppressd check`: asks a server.

use std::io::{BufWriter, Write as _};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use serde_json::json;
use suppressd_core::UnixSeconds;
use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use suppressd_service::proto::{BatchIsSuppressedRequest, BatchView, SuppressionReason, SuppressionResult};

use tonic::Code;

use crate::cli::{CheckArguments, QuestionArguments};
use crate::failure::{EXIT_NO_ANSWER, EXIT_SOME, Failure};
use crate::grpc_client::{AuthorizedChannel, block_on, connect, refusal};
use crate::lines::Lines;

/// Addresses that are asked for at a time. A server may take fewer: then it is asked for half as many, and so on.
const ADDRESSES_PER_CALL: usize = 500;

/// What stands for "read the addresses from standard input".
const STANDARD_INPUT: &str = "-";

pub(crate) fn run(arguments: CheckArguments) -> Result<ExitCode, Failure> {
    let seen = block_on(check(arguments))?;
    Ok(match seen {
        // What cannot be an address has no certain answer, whatever the others are.
        Seen { invalid: true, .. } => ExitCode::from(EXIT_NO_ANSWER),
        Seen { suppressed: true, .. } => ExitCode::from(EXIT_SOME),
        Seen { .. } => ExitCode::SUCCESS,
    })
}

#[derive(Default)]
struct Seen {
    suppressed: bool,
    invalid: bool,
}

async fn check(arguments: CheckArguments) -> anyhow::Result<Seen> {
    let CheckArguments { emails, server, question: QuestionArguments { account, strict }, json } = arguments;
    let channel = connect(&server, &["SUPPRESSD_READ_TOKEN", "SUPPRESSD_ADMIN_TOKEN"]).await?;
    let mut client = SuppressionServiceClient::new(channel);
    let mut emails = addresses(emails);
    let mut seen = Seen::default();
    let mut out = BufWriter::new(std::io::stdout().lock());
    loop {
        let batch: Vec<String> = emails.by_ref().take(ADDRESSES_PER_CALL).collect::<anyhow::Result<_>>()?;
        if batch.is_empty() {
            out.flush()?;
            return Ok(seen);
        }
        for (email, result) in batch.iter().zip(ask(&mut client, &batch, &account, strict).await?) {
            // An answer that does not say so is none.
            let suppressed = result.suppressed.context("the server's answer lacks `suppressed`")?;
            seen.invalid |= !result.error.is_empty();
            seen.suppressed |= suppressed;
            if json {
                writeln!(out, "{}", as_json(email, &result))?;
            } else {
                writeln!(out, "{}", as_text(email, &result))?;
            }
        }
    }
}

/// Asks for addresses, in as few calls as the server takes.
async fn ask(client: &mut Client, emails: &[String], account: &str, strict: bool) -> anyhow::Result<Vec<SuppressionResult>> {
    let mut results = Vec::with_capacity(emails.len());
    let mut size = emails.len();
    while let Some(rest) = emails.get(results.len()..).filter(|rest| !rest.is_empty()) {
        size = size.min(rest.len());
        let (emails, account) = (rest[..size].to_vec(), account.to_owned());
        let request = BatchIsSuppressedRequest { emails, account, strict, view: BatchView::Full.into() };
        match client.batch_is_suppressed(request).await {
            Ok(answer) => {
                let answered = answer.into_inner().results;
                ensure!(answered.len() == size, "the server answered for {} of {size} addresses", answered.len());
                results.extend(answered);
            }
            // Nothing else in it can be invalid: an impossible address is marked in its place.
            Err(status) if status.code() == Code::InvalidArgument && size > 1 => size /= 2,
            Err(status) => return Err(refusal(&status)),
        }
    }
    Ok(results)
}

type Client = SuppressionServiceClient<AuthorizedChannel>;

pub(crate) type Emails = Box<dyn Iterator<Item = anyhow::Result<String>>>;

/// Addresses as arguments name them, or those of standard input, one a line.
pub(crate) fn addresses(arguments: Vec<String>) -> Emails {
    if arguments != [STANDARD_INPUT] {
        return Box::new(arguments.into_iter().map(Ok));
    }
    // What is not UTF-8 is nobody's address, and nobody's must not read as one that may be mailed.
    let text = |line: anyhow::Result<Vec<u8>>| {
        let line = String::from_utf8(line?).context("a line of standard input is not UTF-8")?;
        Ok(line.trim_start_matches('\u{feff}').trim().to_owned())
    };
    Box::new(Lines::of_standard_input().map(text).filter(|line| !line.as_ref().is_ok_and(String::is_empty)))
}

/// One address in a line: the verdict and its detail.
pub(crate) fn as_text(email: &str, result: &SuppressionResult) -> String {
    if !result.error.is_empty() {
        return format!("{email}\tinvalid\t{}", result.error);
    }
    verdict_as_text(email, result.suppressed(), &result.detail)
}

/// A verdict as text for people.
pub(crate) fn verdict_as_text(email: &str, is_suppressed: bool, detail: &str) -> String {
    let word = if is_suppressed { "suppressed" } else { "not suppressed" };
    // The detail of a good address begins with the same words.
    let detail = detail.strip_prefix("not suppressed: ").unwrap_or(detail);
    format!("{email}\t{word}\t{detail}")
}

/// One address as a JSON object.
pub(crate) fn as_json(email: &str, result: &SuppressionResult) -> serde_json::Value {
    let mut object = json!({
        "email": email,
        "suppressed": result.suppressed(),
        "soft_bounces": result.soft_bounces,
        "soft_bounce_limit": result.soft_bounce_limit,
        "detail": result.detail,
    });
    if result.suppressed() {
        object["reason"] = reason(result.reason()).into();
    }
    if result.reason() == SuppressionReason::InvalidAddress {
        object["error"] = result.error.clone().into();
    }
    if let Some(at) = &result.suppressed_at {
        object["suppressed_at"] = UnixSeconds::clamped(at.seconds).to_string().into();
    }
    object
}

/// A reason's name, as it is shown.
pub(crate) fn reason(reason: SuppressionReason) -> String {
    let name = reason.as_str_name();
    name.strip_prefix("SUPPRESSION_REASON_").unwrap_or(name).to_ascii_lowercase()
}
