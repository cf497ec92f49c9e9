//! The command line.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::failure::{EXIT_NO_ANSWER, EXIT_USAGE};

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
                  suppressd classify events.ndjson\n  suppressd rejected list"
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
    /// Say what each event of a file would count as; offline
    Classify(ClassifyArguments),
    /// Send the events of a file to a server's webhook
    Replay(ReplayArguments),
    /// Look at what the webhook refused, and record it once its cause is mended
    Rejected(RejectedArguments),
}

#[derive(Debug, Args, Default)]
#[command(
    after_help = "Each setting is looked for as a flag, then in the environment (--tls-key is SUPPRESSD_TLS_KEY), then in \
                        the file given by --config (tls_key = \"...\").\n\n\
                        Secrets have no flag: SUPPRESSD_WEBHOOK_TOKEN (may only record), SUPPRESSD_READ_TOKEN, \
                        SUPPRESSD_ADMIN_TOKEN, each with up to two tokens, separated by a comma. A secret in a file is \
                        given as SUPPRESSD_READ_TOKEN_FILE and so on.\n\n\
                        Examples:\n  suppressd serve\n  suppressd serve --store redis://127.0.0.1:6379 --role ingest\n  \
                        SUPPRESSD_READ_TOKEN=... suppressd serve --grpc 0.0.0.0:50051 --tls-certificate c.pem --tls-key k.pem"
)]
pub(crate) struct ServeArguments {
    /// What to serve: all, ingest (webhooks only) or check (gRPC only) [default: all]
    #[arg(long, value_name = "ROLE")]
    pub(crate) role: Option<String>,
    /// Where evidence is kept: a directory, or redis://user:password@host:port [default: suppressd-data]
    #[arg(long, value_name = "DIR|URL")]
    pub(crate) store: Option<String>,
    /// Where HTTP is served [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) http: Option<String>,
    /// Where gRPC is served [default: 127.0.0.1:50051]
    #[arg(long, value_name = "ADDR")]
    pub(crate) grpc: Option<String>,
    /// Serve gRPC without TLS beyond loopback
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true")]
    pub(crate) grpc_plaintext: Option<String>,
    /// Certificate of the gRPC server, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_certificate: Option<String>,
    /// Private key of that certificate, in PEM
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_key: Option<String>,
    /// Roots that clients' certificates must lead to, in PEM (mutual TLS)
    #[arg(long, value_name = "FILE")]
    pub(crate) tls_client_roots: Option<String>,
    /// Whether clients may ask which gRPC services there are [default: true]
    #[arg(long, value_name = "true|false")]
    pub(crate) reflection: Option<String>,
    /// Most addresses in a batch check [default: 1000]
    #[arg(long, value_name = "ADDRESSES")]
    pub(crate) max_addresses_per_batch: Option<String>,
    /// Longest webhook body [default: 1048576]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_body_bytes: Option<String>,
    /// Most rejected letters that are kept [default: 10000]
    #[arg(long, value_name = "LETTERS")]
    pub(crate) max_letters: Option<String>,
    /// Most bytes of rejected letters that are kept [default: 67108864]
    #[arg(long, value_name = "BYTES")]
    pub(crate) max_letters_bytes: Option<String>,
    /// How long a rejected letter is kept [default: 30]
    #[arg(long, value_name = "DAYS")]
    pub(crate) max_letter_age_days: Option<String>,
    /// Time that Redis has for a read [default: 300]
    #[arg(long, value_name = "MS")]
    pub(crate) redis_read_deadline_ms: Option<String>,
    /// Time that Redis has for a write [default: 2000]
    #[arg(long, value_name = "MS")]
    pub(crate) redis_write_deadline_ms: Option<String>,
    /// Time to finish what is in flight after SIGTERM [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub(crate) drain_deadline_seconds: Option<String>,
    /// What is logged: off, error, warn, info, debug, trace, or a filter by module [default: info]
    #[arg(long, value_name = "FILTER")]
    pub(crate) log: Option<String>,
    /// How it is logged: text or json [default: text]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) log_format: Option<String>,
    /// Acknowledge webhooks before the disk has them: a loss of power then loses what was acknowledged. For experiments
    #[arg(long, value_name = "true|false", num_args = 0..=1, default_missing_value = "true", hide = true)]
    pub(crate) unsafe_no_fsync: Option<String>,
    /// A TOML file with settings
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Read the configuration, say whether it can be used, and end
    #[arg(long)]
    pub(crate) check_config: bool,
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

#[derive(Debug, Args)]
#[command(after_help = "The token is taken from SUPPRESSD_READ_TOKEN or SUPPRESSD_READ_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd check alice@example.com bob@example.com\n  suppressd check --json - < recipients.txt")]
pub(crate) struct CheckArguments {
    /// Addresses; - reads them from standard input, one a line
    #[arg(required = true, value_name = "EMAIL")]
    pub(crate) emails: Vec<String>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Count only evidence of this injecting account
    #[arg(long, default_value = "")]
    pub(crate) account: String,
    /// Make sure that no stale replica answers
    #[arg(long)]
    pub(crate) strict: bool,
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

/// What is said and returned when the command line cannot be used, or asks for help.
pub(crate) fn answer(error: &clap::Error) -> ExitCode {
    // If even that cannot be written, the code still tells.
    let _ = error.print();
    if !error.use_stderr() {
        return ExitCode::SUCCESS;
    }
    let command = std::env::args_os().nth(1).unwrap_or_default();
    // Those that answer a question say "no answer" by one code whatever the cause is.
    let asks = ["check", "replay", "rejected"].iter().any(|asking| command == *asking);
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
