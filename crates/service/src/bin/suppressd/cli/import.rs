//! The arguments of `import` and `export`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{SelectionArguments, ServerArguments};

#[derive(Debug, Args)]
#[command(
    after_help = "The list is read to its end first, and what is found in it is shown. Only then, and if it is wanted, addresses are \
                        suppressed by hand: each where no entry is that lasts as long. One that was lifted before is suppressed again.\n\n\
                        An import that was cut off goes on where it was when the same command is given again; FILE.suppressd-import \
                        says where. The counts are those of the whole list, however often it was cut off.\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE. Exit 0 all of it is imported, 1 \
                        all but the lines that were refused, 2 it is not imported, or not to its end.\n\n\
                        Examples:\n  suppressd import suppression_bounces.csv --preview\n  \
                        suppressd import suppression_bounces.csv --yes --errors refused.csv"
)]
pub(crate) struct ImportArguments {
    /// The list: a file, since it is read twice
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Who made the list [default: told by its header]
    #[arg(long, value_enum)]
    pub(crate) format: Option<ImportFormat>,
    /// Only show what is in the list; needs no server
    #[arg(long, conflicts_with = "yes")]
    pub(crate) preview: bool,
    /// Do not ask whether to go on after the preview
    #[arg(long)]
    pub(crate) yes: bool,
    /// Why they are suppressed, in front of what the list says of each [default: imported from ...]
    #[arg(long, value_name = "TEXT")]
    pub(crate) note: Option<String>,
    /// Who does it
    #[arg(long, value_name = "NAME", env = "USER", default_value = "unknown", hide_env_values = true)]
    pub(crate) who: String,
    /// Where to write every line that is refused, as CSV: line, reason
    #[arg(long, value_name = "FILE")]
    pub(crate) errors: Option<PathBuf>,
    /// Print the counts as a JSON object
    #[arg(long)]
    pub(crate) json: bool,
}

/// Who makes lists that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ImportFormat {
    #[value(help = "suppressd export, CSV or NDJSON")]
    Suppressd,
    #[value(help = "Twilio SendGrid: bounces, spam reports, invalid emails, unsubscribes")]
    Sendgrid,
    #[value(help = "Mailgun: bounces, complaints, unsubscribes")]
    Mailgun,
    #[value(help = "Amazon SES: the suppression list of an account")]
    Ses,
    #[value(help = "Postmark: the suppressions of a message stream")]
    Postmark,
    #[value(help = "Mailchimp: unsubscribed and cleaned contacts")]
    Mailchimp,
    #[value(help = "SparkPost: the suppression list")]
    Sparkpost,
}

#[derive(Debug, Args)]
#[command(
    after_help = "As `list`, with all that is known of each, in a form that `import` reads. A file appears under its name only when \
                        all of the list is in it; what is on standard output is whole only with exit code 0.\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd export --output suppressed.csv\n  \
                        suppressd export --format ndjson --reason complaint | gzip > complaints.ndjson.gz"
)]
pub(crate) struct ExportArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// The form
    #[arg(long, value_enum, default_value_t = ExportFormat::Csv)]
    pub(crate) format: ExportFormat,
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) selection: SelectionArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum ExportFormat {
    /// Rows under a header
    Csv,
    /// One JSON object a line, as of `list --json`
    Ndjson,
}
