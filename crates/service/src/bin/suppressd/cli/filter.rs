//! The arguments of `filter`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::{QuestionArguments, ServerArguments};

#[derive(Debug, Args)]
#[command(
    after_help = "What is kept stands in the output byte by byte and in its order; what cannot be an address is dropped. A file \
                        appears under its name only when all of the list is answered for. Exit 0 done, whoever was dropped; 2 an \
                        error, and what is on standard output is incomplete.\n\n\
                        The token is taken from SUPPRESSD_READ_TOKEN or SUPPRESSD_READ_TOKEN_FILE.\n\n\
                        Examples:\n  suppressd filter list.csv --output clean.csv --rejects dropped.csv\n  \
                        suppressd filter --format csv --column Kontakt < list.csv > clean.csv"
)]
pub(crate) struct FilterArguments {
    /// The list; standard input if not given, or -
    #[arg(value_name = "FILE")]
    pub(crate) file: Option<PathBuf>,
    /// What the list is [default: told by its first line]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FilterFormat>,
    /// The column that holds the addresses, for CSV [default: email, or a name like it]
    #[arg(long, value_name = "NAME", conflicts_with = "field")]
    pub(crate) column: Option<String>,
    /// The field that holds the addresses, for NDJSON [default: email, or a name like it]
    #[arg(long, value_name = "NAME")]
    pub(crate) field: Option<String>,
    /// Where to write those who are kept [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Where to write who was dropped and why, as CSV: line, address, reason, detail
    #[arg(long, value_name = "FILE")]
    pub(crate) rejects: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    #[command(flatten)]
    pub(crate) question: QuestionArguments,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilterFormat {
    /// Rows under a header
    Csv,
    /// One address a line
    Plain,
    /// One JSON object a line
    Ndjson,
}
