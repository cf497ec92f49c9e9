//! From rows to entries. The state is kept after each batch that is answered; a batch that was answered and not kept goes out again,
//! and each of its entries is answered as it was.

use anyhow::{bail, ensure};
use prost_types::Timestamp;
use suppressd_core::{MAX_NOTE_BYTES, UnixSeconds};
use suppressd_service::proto::suppression_admin_service_client::SuppressionAdminServiceClient;
use suppressd_service::proto::{
    BatchCreateSuppressionsRequest, SuppressionEntry, SuppressionEntryOutcome, SuppressionEntryResult,
};
use tonic::Code;

use super::meaning::{Meaning, Suppressed};
use super::rows::{Row, Rows};
use super::state::{State, StateFile};
use crate::attempts::Attempts;
use crate::grpc_client::{AuthorizedChannel, refusal};
use crate::list_file::Progress;

/// Most entries of one message. A server may take fewer: then it gets half as many, and so on.
const ENTRIES_PER_MESSAGE: usize = 1000;

/// Most bytes of the texts of one message, beyond its last entry.
const MAX_BATCH_BYTES: usize = 256 << 10;

/// Most rows that only the server refuses. More of them means that it has other rules than this command.
const MAX_REFUSED_BY_SERVER: usize = 1000;

/// Rows that are answered for together.
#[derive(Default)]
struct Batch {
    entries: Vec<SuppressionEntry>,
    /// The line of each entry.
    lines: Vec<u64>,
    /// The line in which the last row begins.
    last_line: u64,
    /// What its rows are in the list, in bytes.
    list_bytes: usize,
    text_bytes: usize,
    refused: u64,
    skipped: u64,
}

impl Batch {
    fn is_full(&self) -> bool {
        self.entries.len() == ENTRIES_PER_MESSAGE || self.text_bytes >= MAX_BATCH_BYTES
    }

    fn push(&mut self, row: Row, state: &State) {
        self.last_line = row.line;
        match row.meaning {
            Meaning::Refused(_) => self.refused += 1,
            Meaning::Skipped(_) => self.skipped += 1,
            Meaning::Suppressed(suppressed) => {
                let entry = entry(&suppressed, row.line, state);
                self.text_bytes += entry.email.len() + entry.note.len();
                self.lines.push(row.line);
                self.entries.push(entry);
            }
        }
    }
}

fn entry(suppressed: &Suppressed, line: u64, state: &State) -> SuppressionEntry {
    let time = |time: UnixSeconds| Timestamp { seconds: time.get(), nanos: 0 };
    SuppressionEntry {
        email: suppressed.address.as_str().to_owned(),
        note: note(&state.errand.note, suppressed),
        since: suppressed.since.map(time),
        expire_time: suppressed.until.map(time),
        request_id: state.request_id(line),
    }
}

/// Why, in as many words as an entry holds.
fn note(of_all: &str, Suppressed { cause, words, .. }: &Suppressed) -> String {
    let comma = if words.is_empty() { "" } else { ", " };
    let mut note: String = format!("{of_all}: {cause}{comma}{words}").replace(char::is_control, " ");
    note.truncate(note.floor_char_boundary(MAX_NOTE_BYTES));
    note
}

/// Imports what of a list is not imported yet.
pub(super) struct Importer<'a> {
    pub(super) rows: Rows,
    pub(super) client: SuppressionAdminServiceClient<AuthorizedChannel>,
    pub(super) state: &'a mut State,
    pub(super) file: &'a StateFile,
    pub(super) progress: &'a Progress,
}

impl Importer<'_> {
    pub(super) async fn run(mut self) -> anyhow::Result<()> {
        let mut entries_per_message = ENTRIES_PER_MESSAGE;
        while let Some(batch) = self.next_batch()? {
            let results = self.enter(&batch.entries, &mut entries_per_message).await?;
            self.count(&batch, results)?;
            self.file.write(self.state)?;
            self.progress.advance(batch.list_bytes, batch.entries.len());
        }
        Ok(())
    }

    fn next_batch(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while !batch.is_full()
            && let Some(row) = self.rows.next()?
        {
            if row.line <= self.state.done_line {
                self.progress.advance(row.bytes, 0);
                continue;
            }
            batch.list_bytes += row.bytes;
            batch.push(row, self.state);
        }
        Ok((batch.last_line > 0).then_some(batch))
    }

    /// Makes entries, in as many messages as the server wants.
    async fn enter(
        &mut self,
        entries: &[SuppressionEntry],
        entries_per_message: &mut usize,
    ) -> anyhow::Result<Vec<SuppressionEntryResult>> {
        let mut results = Vec::with_capacity(entries.len());
        let mut attempts = Attempts::default();
        while let Some(rest) = entries.get(results.len()..).filter(|rest| !rest.is_empty()) {
            let part = &rest[..rest.len().min(*entries_per_message)];
            let request = BatchCreateSuppressionsRequest { entries: part.to_vec(), who: self.state.errand.who.clone() };
            match self.client.batch_create_suppressions(request).await {
                Ok(answer) => {
                    let answered = answer.into_inner().results;
                    ensure!(answered.len() == part.len(), "the server gave too few or too many answers");
                    results.extend(answered);
                    attempts.succeeded();
                }
                Err(status) if is_too_much(status.code()) && part.len() > 1 => *entries_per_message = part.len() / 2,
                Err(status) if Attempts::is_final(&status) => return Err(refusal(&status)),
                Err(status) => attempts.failed(&status).await?,
            }
        }
        Ok(results)
    }

    fn count(&mut self, batch: &Batch, results: Vec<SuppressionEntryResult>) -> anyhow::Result<()> {
        let State { counts, refused_by_server, done_line, .. } = self.state;
        for (line, result) in batch.lines.iter().zip(results) {
            match result.outcome() {
                SuppressionEntryOutcome::Created => counts.new += 1,
                SuppressionEntryOutcome::Known => counts.known += 1,
                SuppressionEntryOutcome::Refused => {
                    counts.refused += 1;
                    refused_by_server.push((*line, result.error));
                }
                SuppressionEntryOutcome::Unspecified => bail!("line {line}: the server's answer is none that is known"),
            }
        }
        if let Some((line, why)) = refused_by_server.get(MAX_REFUSED_BY_SERVER) {
            bail!("the server refuses more than {MAX_REFUSED_BY_SERVER} lines that are good here; the last one is {line}: {why}");
        }
        counts.refused += batch.refused;
        counts.skipped += batch.skipped;
        *done_line = batch.last_line;
        Ok(())
    }
}

fn is_too_much(code: Code) -> bool {
    [Code::InvalidArgument, Code::OutOfRange, Code::ResourceExhausted].contains(&code)
}
