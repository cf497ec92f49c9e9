//! `suppressd completions` and `suppressd man`: what is said of the command line, for shells and for readers.

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::CommandFactory as _;

use crate::cli::{Cli, CompletionsArguments, ManArguments};
use crate::failure::Failure;

pub(crate) fn completions(arguments: &CompletionsArguments) -> Result<ExitCode, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut Cli::command(), "suppressd", &mut script);
    write_out(&script)?;
    Ok(ExitCode::SUCCESS)
}

pub(crate) fn man(arguments: &ManArguments) -> Result<ExitCode, Failure> {
    if let Some(directory) = &arguments.directory {
        write_pages(directory)?;
    } else {
        let mut page = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut page).context("cannot write the page")?;
        write_out(&page)?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A page for each command, and one for each of what that can be told to do.
fn write_pages(directory: &Path) -> anyhow::Result<()> {
    let shown = directory.display();
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {shown}"))?;
    clap_mangen::generate_to(Cli::command(), directory).with_context(|| format!("cannot write into {shown}"))
}

fn write_out(bytes: &[u8]) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).context("cannot write")
}
