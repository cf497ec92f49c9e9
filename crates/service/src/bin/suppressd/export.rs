//! `suppressd export`: the addresses that are suppressed now, in a form that `import` reads.

use std::io::{BufWriter, Write};
use std::process::ExitCode;

use anyhow::Context as _;
use suppressd_service::proto::{ManualEntry, Suppression};

use crate::check;
use crate::cli::{ExportArguments, ExportFormat};
use crate::failure::Failure;
use crate::grpc_client::{block_on, time};
use crate::list::{self, Pages};
use crate::list_file::{Progress, Sink, Unfinished, push_row, unless_interrupted};

/// The columns, which `import` knows an export by.
const COLUMNS: [&str; 8] = ["email", "reason", "suppressed_at", "expire_time", "rule", "detail", "who", "note"];

pub(crate) fn run(arguments: ExportArguments) -> Result<ExitCode, Failure> {
    let left = match &arguments.output {
        Some(output) => format!("{} was not written", output.display()),
        None => "the list on standard output is incomplete".to_owned(),
    };
    let exported = block_on(unless_interrupted(export(arguments))).context(left)?;
    eprintln!("suppressd: {exported} exported");
    Ok(ExitCode::SUCCESS)
}

/// Says how many there are.
async fn export(arguments: ExportArguments) -> anyhow::Result<u64> {
    let ExportArguments { server, format, output, selection } = arguments;
    let mut pages = Pages::of(&server, selection).await?;
    let (unfinished, sink) = match &output {
        Some(path) => {
            let (unfinished, file) = Unfinished::begin(path)?;
            (Some(unfinished), Sink::File(file))
        }
        None => (None, Sink::StandardOutput(std::io::stdout())),
    };
    let progress = Progress::new(None, output.is_none())?;
    let mut out = BufWriter::new(sink);
    let exported = write_all(&mut pages, format, &mut out, &progress).await;
    progress.clear();
    let exported = exported?;
    let mut sink = out.into_inner().map_err(std::io::IntoInnerError::into_error).context("cannot write")?;
    sink.sync().context("cannot write")?;
    unfinished.map_or(Ok(()), Unfinished::complete)?;
    Ok(exported)
}

async fn write_all(pages: &mut Pages, format: ExportFormat, out: &mut impl Write, progress: &Progress) -> anyhow::Result<u64> {
    let mut lines = Vec::new();
    if format == ExportFormat::Csv {
        push_row(&mut lines, &COLUMNS.map(str::as_bytes));
    }
    let mut exported = 0;
    while let Some(suppressions) = pages.next().await? {
        for suppression in &suppressions {
            match format {
                ExportFormat::Csv => push_suppression(&mut lines, suppression),
                ExportFormat::Ndjson => writeln!(lines, "{}", list::in_json(suppression))?,
            }
        }
        out.write_all(&lines).context("cannot write")?;
        progress.advance(lines.len(), suppressions.len());
        exported += suppressions.len() as u64;
        lines.clear();
    }
    // If there was no page at all, there still is a header.
    out.write_all(&lines).context("cannot write")?;
    Ok(exported)
}

fn push_suppression(rows: &mut Vec<u8>, suppression: &Suppression) {
    let Suppression { email, reason: _, suppressed_at, expire_time, rule, detail, manual_entry } = suppression;
    let (who, note) = manual_entry.as_ref().map_or(("", ""), |ManualEntry { who, note, .. }| (who, note));
    let reason = check::reason(suppression.reason());
    let [since, until] = [suppressed_at, expire_time].map(|at| time(at.as_ref()));
    let fields: [&str; COLUMNS.len()] = [email, &reason, &since, &until, rule, detail, who, note];
    push_row(rows, &fields.map(str::as_bytes));
}
