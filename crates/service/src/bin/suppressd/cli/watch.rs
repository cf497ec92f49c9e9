//! The arguments of `watch`.

use std::path::PathBuf;

use clap::Args;

use super::ServerArguments;

#[derive(Debug, Args)]
#[command(
    after_help = "Goes on by itself when the server ends, drains or cannot be reached, and from where it was when it is started \
                        again: with --output each line is in the file exactly once; with --token-file those that were written \
                        just before it was killed may come again, and none is missing.\n\n\
                        Each line begins with what it is: reset (forget what you have), snapshot (an address that is suppressed), \
                        snapshot-end, change (an address, and how it is now).\n\n\
                        The token is taken from SUPPRESSD_ADMIN_TOKEN or SUPPRESSD_ADMIN_TOKEN_FILE. It never ends by itself; exit \
                        2 it cannot go on.\n\n\
                        Examples:\n  suppressd watch\n  suppressd watch --output changes.ndjson\n  \
                        suppressd watch --json --token-file watch.token | while read -r line; do echo \"$line\"; done"
)]
pub(crate) struct WatchArguments {
    #[command(flatten)]
    pub(crate) server: ServerArguments,
    /// Append JSON lines to this file, and go on behind its last one; one that was cut off is removed
    #[arg(long, value_name = "FILE", conflicts_with = "token_file")]
    pub(crate) output: Option<PathBuf>,
    /// Keep in this file up to where lines were printed, and go on from there
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Leave snapshots out: only what changes from now on
    #[arg(long)]
    pub(crate) skip_snapshot: bool,
    /// Print one JSON object a line, each with the token from which it goes on behind it
    #[arg(long)]
    pub(crate) json: bool,
}
