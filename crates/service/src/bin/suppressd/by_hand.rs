//! `suppressd suppress` and `suppressd lift`: addresses that an operator suppresses and releases.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::Context as _;
use prost_types::Timestamp;
use serde_json::json;
use suppressd_core::{DAY_SECONDS, UnixSeconds};
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{CreateSuppressionRequest, DeleteSuppressionRequest, DeleteSuppressionResponse};
use tonic::Code;

use crate::check::addresses;
use crate::cli::{Act, LiftArguments, SuppressArguments};
use crate::failure::{EXIT_SOME, Failure};
use crate::grpc_client::{block_on, connect, read_time, refusal, time};
use crate::list;

pub(crate) fn suppress(arguments: SuppressArguments) -> Result<ExitCode, Failure> {
    block_on(suppress_all(arguments))?;
    Ok(ExitCode::SUCCESS)
}

async fn suppress_all(arguments: SuppressArguments) -> anyhow::Result<()> {
    let SuppressArguments { emails, server, note, who, until, days, json } = arguments;
    let expire_time = expiry(until.as_deref(), days)?;
    let mut client = SuppressionAdminServiceClient::new(connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
    let mut out = std::io::stdout().lock();
    for email in addresses(emails) {
        let email = email?;
        let request = CreateSuppressionRequest { email: email.clone(), note: note.clone(), who: who.clone(), expire_time };
        let answer = client.create_suppression(request).await.map_err(|status| refusal(&status).context(email))?.into_inner();
        let suppression = answer.suppression.context("the server's answer lacks the suppression")?;
        list::write(&mut out, &suppression, json)?;
    }
    Ok(())
}

fn expiry(until: Option<&str>, days: Option<u32>) -> anyhow::Result<Option<Timestamp>> {
    if let Some(until) = until {
        return read_time(until, "T23:59:59Z").context("--until").map(Some);
    }
    let end = |days| UnixSeconds::from(SystemTime::now()).plus(u64::from(days) * DAY_SECONDS.unsigned_abs());
    Ok(days.map(|days| Timestamp { seconds: end(days).get(), nanos: 0 }))
}

pub(crate) fn lift(arguments: LiftArguments) -> Result<ExitCode, Failure> {
    let all_were_known = block_on(lift_all(arguments))?;
    Ok(if all_were_known { ExitCode::SUCCESS } else { ExitCode::from(EXIT_SOME) })
}

/// Says whether something was known of each of them.
async fn lift_all(arguments: LiftArguments) -> anyhow::Result<bool> {
    let LiftArguments { emails, server, act: Act { why, who }, json } = arguments;
    let mut client = SuppressionAdminServiceClient::new(connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
    let mut out = std::io::stdout().lock();
    let mut all_were_known = true;
    for email in addresses(emails) {
        let email = email?;
        let request = DeleteSuppressionRequest { email: email.clone(), who: who.clone(), why: why.clone() };
        let line = match client.delete_suppression(request).await {
            Ok(lifted) if json => lifted_in_json(&lifted.into_inner())?.to_string(),
            Ok(lifted) => lifted_in_text(&lifted.into_inner())?,
            // Whatever else is amiss, nothing of it is suppressed: the others are lifted all the same.
            Err(status) if status.code() == Code::NotFound => {
                all_were_known = false;
                if json {
                    json!({ "email": email, "lifted": false }).to_string()
                } else {
                    format!("{email}\tunknown\t{}", status.message())
                }
            }
            Err(status) => return Err(refusal(&status).context(email)),
        };
        writeln!(out, "{line}")?;
    }
    Ok(all_were_known)
}

fn lifted_in_text(lifted: &DeleteSuppressionResponse) -> anyhow::Result<String> {
    let lift = lifted.lift.as_ref().context("the server's answer lacks the lift")?;
    let still = lifted.still_suppressed.as_ref().map(|by| format!("; still suppressed: {}", by.detail)).unwrap_or_default();
    Ok(format!("{}\tlifted\tevidence up to {} no longer counts{still}", lifted.email, time(lift.fence.as_ref())))
}

fn lifted_in_json(lifted: &DeleteSuppressionResponse) -> anyhow::Result<serde_json::Value> {
    let lift = lifted.lift.as_ref().context("the server's answer lacks the lift")?;
    let mut object = json!({
        "email": lifted.email,
        "lifted": true,
        "at": time(lift.at.as_ref()),
        "fence": time(lift.fence.as_ref()),
        "who": lift.who,
        "why": lift.why,
    });
    if let Some(suppression) = &lifted.still_suppressed {
        object["still_suppressed"] = list::in_json(suppression);
    }
    Ok(object)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_is_a_time_a_day_or_a_number_of_days() {
        let seconds = |until, days| expiry(until, days).unwrap().map(|end| end.seconds);
        assert_eq!(seconds(None, None), None);
        assert_eq!(seconds(Some("2030-12-14T19:00:00Z"), None), Some(1_923_505_200));
        assert_eq!(seconds(Some("2030-12-14"), None), Some(1_923_523_199));
        let now = UnixSeconds::from(SystemTime::now()).get();
        let end = seconds(None, Some(30)).unwrap();
        assert!((now + 30 * DAY_SECONDS..now + 31 * DAY_SECONDS).contains(&end), "{end}");
        assert_eq!(seconds(None, Some(u32::MAX)), Some(UnixSeconds::MAX.get()));
        assert!(expiry(Some("tomorrow"), None).is_err());
    }
}
