//! The arguments of what an operator asks and does: `explain`, `policy`, `incident`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::ServerArguments;

#[derive(Debug, Args)]
#[command(after_help = "The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE.\n\n\
                        Example:\n  suppressd explain alice@example.com")]
pub(crate) struct ExplainArguments {
    /// Addresses
    #[arg(required = true, value_name = "EMAIL")]
    pub(crate) emails: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Show only the evidence that a check of this injecting account sees
    #[arg(long, default_value = "")]
    pub(crate) account: String,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct PolicyArguments {
    #[command(subcommand)]
    pub(crate) action: PolicyAction,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyAction {
    /// Say who would be suppressed or released under another policy. Changes nothing
    #[command(after_help = "Over a server's evidence, the second opinions count that were formed when the events came: their \
                            words are not kept, so rules of the new policy are not tried on them. Over a history they are.\n\n\
                            The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE.\n\n\
                            Examples:\n  suppressd policy diff --policy new.toml\n  \
                            suppressd policy diff --policy new.toml --history events.ndjson --against old.toml --addresses")]
    Diff(DiffArguments),
}

#[derive(Debug, Args)]
pub(crate) struct DiffArguments {
    /// The policy to try, a TOML file
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: PathBuf,
    /// Try it on these events, one JSON object a line, instead of on a server's evidence; - is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) history: Option<PathBuf>,
    /// With --history: the policy to compare with [default: the provider's rules]
    #[arg(long, value_name = "FILE", requires = "history")]
    pub(crate) against: Option<PathBuf>,
    /// Name the addresses, behind the counts
    #[arg(long)]
    pub(crate) addresses: bool,
    /// Print JSON: an object with the counts, then one object for each address
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd incident open --from 2020-12-14T19:00:00Z --to 2020-12-15T23:30:00Z \
                        --domain gmail.com --rule category:bad-mailbox --why 'Gmail refused good recipients'\n  \
                        suppressd incident list\n  suppressd incident close ID --why 'all is well'")]
pub(crate) struct IncidentArguments {
    #[command(subcommand)]
    pub(crate) action: IncidentAction,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum IncidentAction {
    /// Say whom an incident would release, and with --yes open it: verdicts leave out what it covers
    Open(OpenIncidentArguments),
    /// List all incidents, the closed ones too
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Keep what the outage guard has opened: it no longer awaits anybody
    Keep(IncidentActArguments),
    /// Close an incident: what it covered counts again
    Close(IncidentActArguments),
}

#[derive(Debug, Args)]
pub(crate) struct OpenIncidentArguments {
    /// From when, inclusive: 2020-12-14T19:00:00Z, or a day, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    pub(crate) from: String,
    /// To when, inclusive; a day is meant to its end
    #[arg(long, value_name = "TIME")]
    pub(crate) to: String,
    /// Only what this virtual MTA sent
    #[arg(long, value_name = "VMTA", default_value = "")]
    pub(crate) vmta: String,
    /// Only recipients of this domain
    #[arg(long, value_name = "DOMAIN", default_value = "")]
    pub(crate) domain: String,
    /// Only evidence of this rule: category:bad-mailbox, opinion:unknown-user or, for complaints, type:f
    #[arg(long, value_name = "RULE", default_value = "")]
    pub(crate) rule: String,
    #[command(flatten)]
    pub(crate) act: Act,
    /// Open it
    #[arg(long)]
    pub(crate) yes: bool,
    /// Name all addresses that it would release, not only the first ones
    #[arg(long)]
    pub(crate) addresses: bool,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct IncidentActArguments {
    /// The incident, as `incident list` names it
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) act: Act,
    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who does something, and why.
#[derive(Debug, Args)]
pub(crate) struct Act {
    /// Why, for those who come later
    #[arg(long, value_name = "TEXT")]
    pub(crate) why: String,
    /// Who does it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown", hide_env_values = true)]
    pub(crate) who: String,
}
