//! The arguments of `completions` and `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  suppressd completions bash > /etc/bash_completion.d/suppressd\n  \
                        suppressd completions zsh > \"${fpath[1]}/_suppressd\"\n  \
                        suppressd completions fish > ~/.config/fish/completions/suppressd.fish")]
pub(crate) struct CompletionsArguments {
    /// The shell
    #[arg(value_enum)]
    pub(crate) shell: Shell,
}

#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  suppressd man | man -l -\n  suppressd man --directory /usr/local/share/man/man1")]
pub(crate) struct ManArguments {
    /// Where to write the pages of all commands; it is made if it is not there [default: one page, on standard output]
    #[arg(long, value_name = "DIR")]
    pub(crate) directory: Option<PathBuf>,
}
