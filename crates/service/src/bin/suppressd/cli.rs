//! The command line.

mod by_hand;
mod filter;
mod import;
mod manual;
mod operate;
mod serve;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::failure::{EXIT_NO_ANSWER, EXIT_USAGE};
pub(crate) use by_hand::{EraseArguments, LiftArguments, ListArguments, ReasonName, SelectionArguments, SuppressArguments};
pub(crate) use filter::{FilterArguments, FilterFormat};
pub(crate) use import::{ExportArguments, ExportFormat, ImportArguments, ImportFormat};
pub(crate) use manual::{CompletionsArguments, ManArguments};
pub(crate) use operate::{
    Act, DiffArguments, ExplainArguments, IncidentActArguments, IncidentAction, IncidentArguments, OpenIncidentArguments,
    PolicyAction, PolicyArguments,
};
pub(crate) use serve::ServeArguments;
pub(crate) use watch::WatchArguments;

/// Where a `serve` with its defaults answers gRPC.
const DEFAULT_GRPC_URL: &str = "http://127.0.0.1:50051";

/// Where a `serve` with its defaults takes webhooks.
const DEFAULT_HTTP_URL: &str = "http://127.0.0.1:8080";

#[derive(Debug, Parser)]
#[command(
    name = "suppressd",
    version,
    about = "E-mail suppression: a provider's webhooks in, evidence kept, verdicts out",
    after_help = "Examples:\n  suppressd serve\n  suppressd check alice@example.com && echo may be mailed\n  \
                  suppressd filter list.csv --output clean.csv --rejects dropped.csv\n  \
                  suppressd explain alice@example.com\n  \
                  suppressd suppress alice@example.com --note 'asked by phone'\n  suppressd classify events.ndjson\n  suppressd rejected list"
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run: take webhooks over HTTP, answer checks over gRPC
    Serve(Box<ServeArguments>),
    /// Ask a server whether addresses are suppressed; exit 0 none is, 1 some are, 2 there is no certain answer
    Check(CheckArguments),
    /// Write a list without those who are suppressed
    Filter(FilterArguments),
    /// Say why an address is suppressed or not, by which evidence, and what would change it
    #[command(visible_alias = "show")]
    Explain(ExplainArguments),
    /// Suppress addresses by hand, for good or for a time
    Suppress(SuppressArguments),
    /// Release addresses: what is known of them by now no longer counts, what comes later counts anew
    Lift(LiftArguments),
    /// Erase all that is kept of addresses, on request of their owners; who is suppressed stays so
    Erase(EraseArguments),
    /// List the addresses that are suppressed now
    List(ListArguments),
    /// Suppress who is on another service's list, or on an exported one
    Import(ImportArguments),
    /// Write down who is suppressed now, and all that is known of it
    Export(ExportArguments),
    /// Follow who is suppressed: a snapshot, then every change as it comes
    Watch(WatchArguments),
    /// Try a policy before it is used
    Policy(PolicyArguments),
    /// Leave out evidence that is not to be believed, and let it count again
    Incident(IncidentArguments),
    /// Say what each event of a file would count as; offline
    Classify(ClassifyArguments),
    /// Send the events of a file to a server's webhook
    Replay(ReplayArguments),
    /// Look at what the webhook refused, and record it once its cause is mended
    Rejected(RejectedArguments),
    /// Write what a shell needs to complete this command line
    Completions(CompletionsArguments),
    /// Write the manual
    Man(ManArguments),
}

/// How a gRPC server is reached.
#[derive(Debug, Args)]
pub(crate) struct ServerArguments {
    /// The server's gRPC address
    #[arg(long, global = true, value_name = "URL", env = "SUPPRESSD_SERVER", default_value = DEFAULT_GRPC_URL)]
    pub(crate) server: String,
    /// Roots that the server's certificate must lead to, in PEM; needed for https
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca: Option<PathBuf>,
    /// The client's own certificate, in PEM, for mutual TLS
    #[arg(long, global = true, value_name = "FILE", requires = "client_key")]
    pub(crate) client_certificate: Option<PathBuf>,
    /// Private key of the client's certificate, in PEM
    #[arg(long, global = true, value_name = "FILE", requires = "client_certificate")]
    pub(crate) client_key: Option<PathBuf>,
}

/// How addresses are asked about.
#[derive(Debug, Args)]
pub(crate) struct QuestionArguments {
    /// Count only evidence of this injecting account
    #[arg(long, default_value = "")]
    pub(crate) account: String,
    /// Make sure that no stale replica answers
    #[arg(long)]
    pub(crate) strict: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "The token is taken from SUPPRESSD_READ_TOKEN or SUPPRESSD_READ_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd check alice@example.com bob@example.com\n  suppressd check --json - < recipients.txt")]
pub(crate) struct CheckArguments {
    /// Addresses; - reads them from standard input, one a line
    #[arg(required = true, value_name = "EMAIL")]
    pub(crate) emails: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) question: QuestionArguments,
    /// Print one JSON object a line
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  suppressd classify events.ndjson\n  \
                        {\"line\":1,\"rcpt\":\"a@example.com\",\"kind\":\"bounce\",\"class\":\"hard\",\"rule\":\"category:bad-mailbox\",\
                        \"second_opinion\":null}\n  suppressd classify --labelled labelled.ndjson\n\n\
                        second_opinion is what the status and the receiving server's words say of a bounce, and contradicts says \
                        whether that is harder or milder than the category.\n\n\
                        A labelled file has one JSON object a line:\n  \
                        {\"event\":{\"dsnDiag\":\"550 no such user\"},\"expected\":\"HARD\",\"reason\":\"userunknown\"}\n  \
                        event      the fields of a webhook; only dsnStatus and dsnDiag are looked at\n  \
                        expected   HARD, SOFT, EXPIRED or OTHER\n  \
                        reason     not needed; each has its row in the table, and trap: in front marks a mistake to expect\n  \
                        ambiguous  not needed; true leaves the row out\n  \
                        source     not needed; where the row is from, to be named by\n\
                        Other keys are passed over. Exit 0 every line was read, 2 some could not be.")]
pub(crate) struct ClassifyArguments {
    /// Events, one JSON object a line; standard input if not given
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// Go by this policy: its classes, its trust in the second opinion, its rules
    #[arg(long, value_name = "FILE")]
    pub(crate) policy: Option<PathBuf>,
    /// Measure the second opinion by events whose class is known, see below; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "file")]
    pub(crate) labelled: Option<PathBuf>,
    /// Count the ambiguous rows too
    #[arg(long, requires = "labelled")]
    pub(crate) with_ambiguous: bool,
    /// Print the figures as a JSON object
    #[arg(long, requires = "labelled")]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "The token is taken from SUPPRESSD_WEBHOOK_TOKEN or SUPPRESSD_WEBHOOK_TOKEN_FILE. Sending a file twice \
                        counts nothing twice. Exit 0 all was taken, 1 some was rejected, 2 not all could be sent.\n\n\
                        Example:\n  suppressd replay events.ndjson")]
pub(crate) struct ReplayArguments {
    /// Events, one JSON object a line; - is standard input
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The server's HTTP address
    #[arg(long, value_name = "URL", env = "SUPPRESSD_HTTP_SERVER", default_value = DEFAULT_HTTP_URL)]
    pub(crate) server: String,
    /// Print the counts as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
#[command(after_help = "The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd rejected list\n  suppressd rejected show ID > mended.json\n  \
                        suppressd rejected replay ID --body mended.json")]
pub(crate) struct RejectedArguments {
    #[command(subcommand)]
    pub(crate) action: RejectedAction,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RejectedAction {
    /// List the letters, oldest first
    List {
        /// Print one JSON object a line
        #[arg(long)]
        json: bool,
    },
    /// Write a letter's content to standard output, byte by byte; when and why it was rejected goes to standard error
    Show {
        /// The letter, as `rejected list` names it
        id: String,
    },
    /// Read letters again, record their events, and remove those of which nothing is rejected any more
    Replay {
        /// The letters
        #[arg(required = true, value_name = "ID")]
        ids: Vec<String>,
        /// What to read in the letter's place: its content, mended; for one letter only
        #[arg(long, value_name = "FILE")]
        body: Option<PathBuf>,
    },
}

/// The commands that ask a server: they say "no answer" by one code, whatever the cause is.
const ASKING: [&str; 15] = [
    "check", "erase", "explain", "export", "filter", "import", "incident", "lift", "list", "policy", "rejected", "replay",
    "show", "suppress", "watch",
];

/// What is said and returned when the command line cannot be used, or asks for help.
pub(crate) fn answer(error: &clap::Error) -> ExitCode {
    // If even that cannot be written, the code still tells.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let command = std::env::args_os().nth(1).unwrap_or_default();
    let asks = ASKING.iter().any(|asking| command == *asking);
    ExitCode::from(if asks { EXIT_NO_ANSWER } else { EXIT_USAGE })
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
