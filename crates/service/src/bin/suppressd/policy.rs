//! `suppressd policy`: tries a policy on what happened, before it is used.

mod history;

use std::path::Path;
use std::process::ExitCode;

use suppressd_core::Rulebook;
use suppressd_service::proto::DiffPolicyRequest;
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;

use crate::cli::{DiffArguments, PolicyAction, PolicyArguments, ServerArguments};
use crate::failure::Failure;
use crate::grpc_client::{block_on, connect, refusal};
use crate::policy_file;
use crate::what_if::{self, Addresses, Shown};

pub(crate) fn run(arguments: PolicyArguments) -> Result<ExitCode, Failure> {
    let PolicyArguments { action: PolicyAction::Diff(arguments), server } = arguments;
    let proposed = policy_file::read(&arguments.policy)?;
    match &arguments.history {
        Some(history) => history::diff(&proposed, history, &arguments)?,
        None => block_on(diff(&proposed, &arguments, &server))?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Over all that a server has stored.
async fn diff(proposed: &Rulebook, arguments: &DiffArguments, server: &ServerArguments) -> anyhow::Result<()> {
    let policy_toml = policy_file::text(&arguments.policy)?;
    let client = SuppressionAdminServiceClient::new(connect(server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
    if proposed.has_rules() {
        eprintln!(
            "suppressd: the rules in {} are not tried: on stored evidence the second opinions count that were formed when it came; \
             --history tries them",
            arguments.policy.display()
        );
    }
    let ask = async |list_addresses| {
        let request = DiffPolicyRequest { policy_toml: policy_toml.clone(), list_addresses };
        let parts = client.clone().diff_policy(request).await.map_err(|status| refusal(&status))?.into_inner();
        Ok(what_if::Parts::new(parts, |part| part.what_if))
    };
    let addresses = if arguments.addresses { Addresses::All } else { Addresses::None };
    what_if::show(ask, &Shown { addresses, json: arguments.json }).await
}

/// The policy that is compared with.
fn against(path: Option<&Path>) -> anyhow::Result<Rulebook> {
    path.map_or_else(|| Ok(Rulebook::default()), policy_file::read)
}
