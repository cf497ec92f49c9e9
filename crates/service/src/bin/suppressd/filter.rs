//! `suppressd filter`: a list without those who are suppressed.
//!
//! One thread reads, one asks, one writes; between them are queues of few batches, so a list of any length takes the same memory.

mod answer;
mod asking;
mod batch;
mod layout;
mod names;
mod ndjson;
mod reading;
mod window;
mod writing;

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use tokio::sync::mpsc;

use crate::cli::FilterArguments;
use crate::failure::Failure;
use crate::grpc_client::{block_on, connect};
use crate::list_file::{Progress, Sink, Source, Unfinished, unless_interrupted};
use asking::Ends;
use layout::Told;
use writing::Tally;

/// Most batches that wait between two threads.
const BATCHES_WAITING: usize = 2;

/// What stands for standard input.
const STANDARD_INPUT: &str = "-";

pub(crate) fn run(arguments: FilterArguments) -> Result<ExitCode, Failure> {
    let left = match &arguments.output {
        Some(output) => format!("{} was not written", output.display()),
        None => "the list on standard output is incomplete".to_owned(),
    };
    let tally = block_on(unless_interrupted(filter(arguments))).context(left)?;
    tell(&tally);
    Ok(ExitCode::SUCCESS)
}

async fn filter(arguments: FilterArguments) -> anyhow::Result<Tally> {
    let FilterArguments { file, format, column, field, output, rejects, server, question } = arguments;
    let (source, bytes) = open(file.as_deref())?;
    let channel = connect(&server, &["SUPPRESSD_READ_TOKEN", "SUPPRESSD_ADMIN_TOKEN"]).await?;
    let Lists { clean, rejects, unfinished } = Lists::begin(output.as_ref(), rejects.as_ref())?;
    let progress = Progress::new(bytes, output.is_none())?;
    let (read, batches) = mpsc::channel(BATCHES_WAITING);
    let (answered, to_write) = mpsc::channel(BATCHES_WAITING);
    reading::spawn(source, Told { format, column, field }, read);
    let mut written = writing::spawn(clean, rejects, progress.clone(), to_write);
    let asked = asking::ask_all(channel, &question, Ends { batches, answered });
    let done = tokio::select! {
        biased;
        // It ends before the questions do only if it cannot write on.
        early = &mut written => early.context("cannot write on").flatten(),
        asked = asked => match asked {
            Ok(()) => written.await.context("cannot write on").flatten(),
            // It may be the writer's fault: then its own words say more.
            Err(error) => match written.try_recv() {
                Ok(Err(of_writer)) => Err(of_writer),
                Ok(Ok(_)) | Err(_) => Err(error),
            },
        },
    };
    progress.clear();
    let tally = done?;
    unfinished.into_iter().try_for_each(Unfinished::complete)?;
    Ok(tally)
}

/// A list, and how long it is if that is known.
fn open(file: Option<&Path>) -> anyhow::Result<(Source, Option<u64>)> {
    let Some(path) = file.filter(|path| path.as_os_str() != STANDARD_INPUT) else {
        return Ok((Source::new(Box::new(std::io::stdin())), None));
    };
    let opened = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(opened)?;
    let metadata = file.metadata().with_context(opened)?;
    Ok((Source::new(Box::new(file)), metadata.is_file().then_some(metadata.len())))
}

/// Where the lists go.
struct Lists {
    clean: Sink,
    rejects: Option<Sink>,
    /// In the order in which they are to appear: who finds the clean list finds the rejects, too.
    unfinished: Vec<Unfinished>,
}

impl Lists {
    fn begin(output: Option<&PathBuf>, rejects: Option<&PathBuf>) -> anyhow::Result<Self> {
        let mut unfinished = Vec::new();
        let mut begin = |path: &PathBuf| {
            let (begun, file) = Unfinished::begin(path)?;
            ensure!(unfinished.iter().all(|other: &Unfinished| other.path() != begun.path()), "two lists cannot be one file");
            unfinished.push(begun);
            Ok(Sink::File(file))
        };
        let rejects = rejects.map(&mut begin).transpose()?;
        let clean = output.map(&mut begin).transpose()?.unwrap_or_else(|| Sink::StandardOutput(std::io::stdout()));
        Ok(Self { clean, rejects, unfinished })
    }
}

fn tell(tally: &Tally) {
    let dropped: u64 = tally.dropped.values().sum();
    let reasons: Vec<String> = tally.dropped.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
    let reasons = if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) };
    eprintln!("suppressd: {} kept, {dropped} dropped{reasons}", tally.kept);
}
