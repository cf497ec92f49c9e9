//! The arguments of what an operator does by hand: `suppress`, `lift`, `list`.

use clap::{Args, ValueEnum};

use super::{Act, ServerArguments};

#[derive(Debug, Args)]
#[command(after_help = "An address that is suppressed by hand already gets the new note and the new time.\n\n\
                        *@example.com stands for all addresses of that domain, but not of domains below it. Its note is shown to \
                        whoever checks one of them.\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE. Exit 0 all are \
                        suppressed, 2 not all: those before the one that is named are.\n\n\
                        Examples:\n  suppressd suppress alice@example.com --note 'asked by phone'\n  \
                        suppressd suppress --note 'on leave' --days 30 - < recipients.txt\n  \
                        suppressd suppress '*@bad.example' --note 'spam traps'")]
pub(crate) struct SuppressArguments {
    /// Addresses; - reads them from standard input, one a line
    #[arg(required = true, value_name = "EMAIL")]
    pub(crate) emails: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Why, for those who come later
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: String,
    /// Who does it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown", hide_env_values = true)]
    pub(crate) who: String,
    /// Until when, for good if not given: 2030-12-14T19:00:00Z, or a day, to its end, or seconds since 1970
    #[arg(long, value_name = "TIME", conflicts_with = "days")]
    pub(crate) until: Option<String>,
    /// For how many days from now
    #[arg(long, value_name = "DAYS", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) days: Option<u32>,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Nothing is forgotten: the evidence is kept, and `explain` shows it with the lift.\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE. Exit 0 all are lifted, 1 \
                        nothing is known of some, 2 not all: those before the one that is named are.\n\n\
                        Examples:\n  suppressd lift alice@example.com --why 'her mailbox is there again'\n  \
                        suppressd list --domain example.com | cut -f1 | suppressd lift --why 'the domain is back' -")]
pub(crate) struct LiftArguments {
    /// Addresses; - reads them from standard input, one a line
    #[arg(required = true, value_name = "EMAIL")]
    pub(crate) emails: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) act: Act,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The server needs hashed storage (--address-key-file). Nothing brings back what is erased. Safe to repeat: once \
                        more it says whether the store's files are written anew by now.\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE. Exit 0 all are erased, 2 not \
                        all: those before the one that is named are.\n\n\
                        Examples:\n  suppressd erase alice@example.com\n  suppressd erase - < requests.txt"
)]
pub(crate) struct EraseArguments {
    /// Addresses; - reads them from standard input, one a line
    #[arg(required = true, value_name = "EMAIL")]
    pub(crate) emails: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "The order means nothing. An address that is suppressed all the while is listed once, whatever is recorded \
                        meanwhile. The list is whole only with exit code 0.\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd list > suppressed.tsv\n  \
                        suppressd list --reason manual --since 2030-12-01 --json"
)]
pub(crate) struct ListArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who of those that are suppressed is listed.
#[derive(Debug, Args)]
pub(crate) struct SelectionArguments {
    /// Only those that are suppressed for this reason
    #[arg(long, value_name = "REASON")]
    pub(crate) reason: Option<ReasonName>,
    /// Only those of this domain
    #[arg(long, value_name = "DOMAIN", default_value = "")]
    pub(crate) domain: String,
    /// Only those that are suppressed since then or later: 2030-12-14T19:00:00Z, or a day, or seconds since 1970
    #[arg(long, value_name = "TIME")]
    pub(crate) since: Option<String>,
    /// Only those that are suppressed since then or earlier; a day is meant to its end
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
}

/// A reason as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ReasonName {
    HardBounce,
    SoftBounces,
    Complaint,
    Manual,
}
