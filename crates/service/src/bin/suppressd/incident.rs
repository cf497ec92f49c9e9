//! `suppressd incident`: evidence that is not to be believed, left out and counted again.

use std::fmt::Write as _;
use std::io::Write as _;
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{
    CloseIncidentRequest, Incident, IncidentAct, IncidentScope, KeepIncidentRequest, ListIncidentsRequest, OpenIncidentRequest,
    PreviewIncidentRequest,
};

use crate::cli::{Act, IncidentActArguments, IncidentAction, IncidentArguments, OpenIncidentArguments};
use crate::failure::Failure;
use crate::grpc_client::{AuthorizedChannel, block_on, connect, read_time, refusal, time};
use crate::what_if::{self, Addresses, Shown};

/// Addresses that are named without having been asked for.
const ADDRESSES_SHOWN: usize = 20;

type Client = SuppressionAdminServiceClient<AuthorizedChannel>;

pub(crate) fn run(arguments: IncidentArguments) -> Result<ExitCode, Failure> {
    let IncidentArguments { action, server } = arguments;
    block_on(async {
        let mut client = Client::new(connect(&server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
        match action {
            IncidentAction::Open(arguments) if arguments.yes => open(&mut client, arguments).await,
            IncidentAction::Open(arguments) => preview(&mut client, arguments).await,
            IncidentAction::List { json } => list(&mut client, json).await,
            IncidentAction::Keep(arguments) => keep(&mut client, arguments).await,
            IncidentAction::Close(arguments) => close(&mut client, arguments).await,
        }
    })?;
    Ok(ExitCode::SUCCESS)
}

async fn preview(client: &mut Client, arguments: OpenIncidentArguments) -> anyhow::Result<()> {
    let scope = scope(&arguments)?;
    let addresses = if arguments.addresses { Addresses::All } else { Addresses::First(ADDRESSES_SHOWN) };
    let ask = async |list_addresses| {
        let request = PreviewIncidentRequest { scope: Some(scope.clone()), list_addresses };
        let parts = client.clone().preview_incident(request).await.map_err(|status| refusal(&status))?.into_inner();
        Ok(what_if::Parts::new(parts, |part| part.what_if))
    };
    what_if::show(ask, &Shown { addresses, json: arguments.json }).await?;
    eprintln!("suppressd: nothing was changed; with --yes the incident is opened");
    Ok(())
}

async fn open(client: &mut Client, arguments: OpenIncidentArguments) -> anyhow::Result<()> {
    let scope = Some(scope(&arguments)?);
    let Act { who, why } = arguments.act;
    let opened = client.open_incident(OpenIncidentRequest { scope, who, why }).await.map_err(|status| refusal(&status))?;
    show(opened.into_inner().incident.as_ref(), arguments.json)
}

async fn list(client: &mut Client, json: bool) -> anyhow::Result<()> {
    let listed = client.list_incidents(ListIncidentsRequest {}).await.map_err(|status| refusal(&status))?;
    listed.into_inner().incidents.iter().try_for_each(|incident| show(Some(incident), json))
}

async fn keep(client: &mut Client, arguments: IncidentActArguments) -> anyhow::Result<()> {
    let IncidentActArguments { id, act: Act { why, who }, json } = arguments;
    let kept = client.keep_incident(KeepIncidentRequest { id, who, why }).await.map_err(|status| refusal(&status))?;
    show(kept.into_inner().incident.as_ref(), json)
}

async fn close(client: &mut Client, arguments: IncidentActArguments) -> anyhow::Result<()> {
    let IncidentActArguments { id, act: Act { why, who }, json } = arguments;
    let closed = client.close_incident(CloseIncidentRequest { id, who, why }).await.map_err(|status| refusal(&status))?;
    show(closed.into_inner().incident.as_ref(), json)
}

fn scope(arguments: &OpenIncidentArguments) -> anyhow::Result<IncidentScope> {
    let OpenIncidentArguments { from, to, vmta, domain, rule, .. } = arguments;
    Ok(IncidentScope {
        from: Some(read_time(from, "T00:00:00Z").context("--from")?),
        to: Some(read_time(to, "T23:59:59Z").context("--to")?),
        vmta: vmta.clone(),
        domain: domain.clone(),
        rule: rule.clone(),
    })
}

fn show(incident: Option<&Incident>, as_json: bool) -> anyhow::Result<()> {
    let incident = incident.context("the server's answer lacks the incident")?;
    let shown = if as_json { in_json(incident).to_string() } else { in_text(incident) };
    Ok(writeln!(std::io::stdout(), "{shown}")?)
}

fn state(incident: &Incident) -> String {
    let name = incident.state().as_str_name();
    name.strip_prefix("INCIDENT_STATE_").unwrap_or(name).to_ascii_lowercase()
}

fn in_text(incident: &Incident) -> String {
    let scope = incident.scope.clone().unwrap_or_default();
    let mut text = format!("{}\t{}\t{} to {}", incident.id, state(incident), time(scope.from.as_ref()), time(scope.to.as_ref()));
    for (name, part) in [("vmta", &scope.vmta), ("domain", &scope.domain), ("rule", &scope.rule)] {
        if !part.is_empty() {
            let _ = write!(text, ", {name} {part}");
        }
    }
    for (what, act) in [("opened", &incident.opened), ("kept", &incident.kept), ("closed", &incident.closed)] {
        if let Some(IncidentAct { at, who, why }) = act {
            let _ = write!(text, "\t{what} {} by {who}: {why}", time(at.as_ref()));
        }
    }
    text
}

fn in_json(incident: &Incident) -> serde_json::Value {
    let scope = incident.scope.clone().unwrap_or_default();
    let act = |act: &Option<IncidentAct>| {
        act.as_ref().map(|act| json!({ "at": time(act.at.as_ref()), "who": act.who, "why": act.why }))
    };
    json!({
        "id": incident.id,
        "state": state(incident),
        "from": time(scope.from.as_ref()),
        "to": time(scope.to.as_ref()),
        "vmta": scope.vmta,
        "domain": scope.domain,
        "rule": scope.rule,
        "by_guard": incident.by_guard,
        "opened": act(&incident.opened),
        "kept": act(&incident.kept),
        "closed": act(&incident.closed),
    })
}
