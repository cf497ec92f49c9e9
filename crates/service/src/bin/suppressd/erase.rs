//! `suppressd erase`: addresses whose owners want nothing to be kept of them.

use std::io::Write as _;
use std::process::ExitCode;

use serde_json::json;
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{EraseAddressRequest, EraseAddressResponse};

use crate::check::addresses;
use crate::cli::EraseArguments;
use crate::failure::Failure;
use crate::grpc_client::{block_on, connect, refusal};

pub(crate) fn run(arguments: EraseArguments) -> Result<ExitCode, Failure> {
    block_on(erase_all(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn erase_all(arguments: EraseArguments) -> anyhow::Result<()> {
    let EraseArguments { emails, server, json } = arguments;
    let mut client = SuppressionAdminServiceClient::new(connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
    let mut out = std::io::stdout().lock();
    for email in addresses(emails) {
        let email = email?;
        let request = EraseAddressRequest { email: email.clone() };
        let erased = client.erase_address(request).await.map_err(|status| refusal(&status).context(email.clone()))?.into_inner();
        writeln!(out, "{}", if json { in_json(&email, &erased).to_string() } else { in_text(&email, &erased) })?;
    }
    Ok(())
}

fn in_text(email: &str, erased: &EraseAddressResponse) -> String {
    let verdict = if erased.suppressed { "stays suppressed" } else { "was not suppressed" };
    let record = if erased.had_record { "a record" } else { "no record" };
    let plural = if erased.letters == 1 { "" } else { "s" };
    let files = if erased.compacted { "no file of the store holds it" } else { "the store's files are still to be written anew" };
    format!("{email}\terased\t{verdict}; {record} and {} letter{plural} were there; {files}", erased.letters)
}

fn in_json(email: &str, erased: &EraseAddressResponse) -> serde_json::Value {
    json!({
        "email": email,
        "suppressed": erased.suppressed,
        "reason": erased.reason().as_str_name(),
        "had_record": erased.had_record,
        "letters": erased.letters,
        "compacted": erased.compacted,
    })
}
