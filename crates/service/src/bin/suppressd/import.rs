//! `suppressd import`: addresses that are on another service's list, or on an exported one.
//!
//! A list is read twice: once to say what is in it, before anything is written, and once to import it.

mod kind;
mod meaning;
mod preview;
mod rows;
mod sending;
mod state;

use std::fs::{File, TryLockError};
use std::io::{BufWriter, IsTerminal as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use anyhow::{Context as _, bail, ensure};
use suppressd_core::{ManualEntry, UnixSeconds};
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;

use crate::cli::{ImportArguments, ImportFormat, ServerArguments};
use crate::failure::{EXIT_SOME, Failure};
use crate::grpc_client::{block_on, connect};
use crate::list_file::{Progress, Unfinished, unless_interrupted};
use kind::Kind;
use preview::{Preview, error_row};
use rows::Rows;
use sending::Importer;
use state::{Counts, Errand, Identity, State, StateFile};

pub(crate) fn run(arguments: ImportArguments) -> Result<ExitCode, Failure> {
    let ImportArguments { file: path, server, format, preview: is_preview, yes, note, who, errors, json } = arguments;
    let list = List::open(&path, format)?;
    let preview = list.preview(errors.as_ref())?;
    if !json {
        say(&preview.in_text())?;
    }
    let mut some_refused = preview.has_refused();
    let mut counts = None;
    if !is_preview {
        let mut state = list.state(note, who)?;
        if !yes {
            ask(&preview, &state, &server)?;
        }
        list.import(&server, &mut state)?;
        if let Some(errors) = &errors {
            add_errors(errors, &state.refused_by_server)?;
        }
        some_refused = state.counts.refused > 0;
        counts = Some(state.counts);
    }
    if json {
        say(&format!("{}\n", preview.in_json(counts.as_ref())))?;
    } else if let Some(Counts { new, known, refused, skipped }) = counts {
        say(&format!("imported: {new} new, {known} known, {refused} refused, {skipped} skipped\n"))?;
    }
    Ok(if some_refused { ExitCode::from(EXIT_SOME) } else { ExitCode::SUCCESS })
}

fn say(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("cannot write")
}

/// Goes on only if somebody says so.
fn ask(preview: &Preview, state: &State, server: &ServerArguments) -> anyhow::Result<()> {
    ensure!(
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal(),
        "nothing was imported: say --yes for that, or --preview to be content with this"
    );
    if state.done_line > 0 {
        eprintln!("It was begun at {} and goes on behind line {}.", state.begun_at, state.done_line);
    }
    eprint!("Suppress {} addresses at {}? [y/N] ", preview.suppressions(), server.server);
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer).context("cannot read the answer")?;
    ensure!(["y", "yes"].contains(&&*answer.trim().to_ascii_lowercase()), "nothing was imported");
    Ok(())
}

/// A list that nobody else imports meanwhile.
struct List {
    path: PathBuf,
    file: File,
    identity: Identity,
    kind: Kind,
    now: UnixSeconds,
}

impl List {
    fn open(path: &Path, told: Option<ImportFormat>) -> anyhow::Result<Self> {
        let shown = path.display();
        let read = || format!("cannot read {shown}");
        let file = File::open(path).with_context(read)?;
        ensure!(file.metadata().with_context(read)?.is_file(), "{shown} is no file; what is imported is read twice");
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("{shown} is being imported by another process"),
            // Where nothing can be locked, two imports at once are the operator's to avoid.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        let identity = Identity::of(&file).with_context(read)?;
        let now = UnixSeconds::from(SystemTime::now());
        let kind = rows_of(&file, told, now).with_context(|| format!("{shown} cannot be imported"))?.kind();
        Ok(Self { path: path.to_owned(), file, identity, kind, now })
    }

    fn rows(&self) -> anyhow::Result<Rows> {
        rows_of(&self.file, Some(self.kind.format), self.now)
    }

    fn preview(&self, errors: Option<&PathBuf>) -> anyhow::Result<Preview> {
        let shown = self.path.display();
        let cannot = || format!("{shown} cannot be imported");
        let Some(errors) = errors else { return Preview::of(self.rows()?, None).with_context(cannot) };
        let (unfinished, file) = Unfinished::begin(errors)?;
        ensure!(self.path.canonicalize().ok().as_deref() != Some(unfinished.path()), "{shown} is the list itself");
        let mut out = BufWriter::new(file);
        let preview = Preview::of(self.rows()?, Some(&mut out)).with_context(cannot)?;
        out.into_inner().map_err(std::io::IntoInnerError::into_error)?.sync_all().context("cannot write the errors")?;
        unfinished.complete()?;
        Ok(preview)
    }

    /// How far an import of it is.
    fn state(&self, note: Option<String>, who: String) -> anyhow::Result<State> {
        let note = note.unwrap_or_else(|| format!("imported from {}", self.kind.name));
        // What no entry may hold would be refused line by line.
        ManualEntry::new(self.now, None, &who, &note)?;
        let errand = Errand { list: self.identity.clone(), format: self.kind.word.to_owned(), note, who };
        let left = StateFile::beside(&self.path).read(&errand)?;
        Ok(left.unwrap_or_else(|| State::begin(errand, self.now)))
    }

    /// Imports it to its end, from where it is.
    fn import(&self, server: &ServerArguments, state: &mut State) -> anyhow::Result<()> {
        let file = StateFile::beside(&self.path);
        let progress = Progress::new(Some(self.identity.bytes), false)?;
        let done = block_on(unless_interrupted(async {
            let client = SuppressionAdminServiceClient::new(connect(server, &["SUPPRESSD_ADMIN_TOKEN"]).await?);
            // Before the first entry: one that is made without a word of it could not be told from another import's.
            file.write(state)?;
            Importer { rows: self.rows()?, client, state, file: &file, progress: &progress }.run().await
        }));
        progress.clear();
        let left = format!("the same command goes on; {} says where", file.path().display());
        done.with_context(|| format!("it is not imported to its end: {left}"))?;
        let mut list = &self.file;
        list.rewind()?;
        ensure!(Identity::of(list)? == self.identity, "{} has changed while it was imported", self.path.display());
        file.remove()
    }
}

/// The rows of a list, from its first one.
fn rows_of(file: &File, told: Option<ImportFormat>, now: UnixSeconds) -> anyhow::Result<Rows> {
    let mut file = file.try_clone()?;
    file.rewind()?;
    Rows::of(file, told, now)
}

/// Adds lines that only the server has refused.
fn add_errors(path: &Path, refused: &[(u64, String)]) -> anyhow::Result<()> {
    let rows: Vec<u8> = refused.iter().flat_map(|(line, why)| error_row(*line, why)).collect();
    let append = || {
        let mut file = File::options().append(true).open(path)?;
        file.write_all(&rows)?;
        file.sync_all()
    };
    append().with_context(|| format!("cannot write {}", path.display()))
}
