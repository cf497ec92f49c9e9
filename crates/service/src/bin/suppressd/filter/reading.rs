//! From the bytes of a list to batches of records.

use anyhow::{Context as _, ensure};
use tokio::sync::mpsc;

use super::batch::{Batch, Content};
use super::layout::{Layout, Told};
use super::ndjson::{self, Found};
use crate::list_file::{MAX_RECORD_BYTES, Source};

/// Reads a list to its end on a thread of its own, since a file or a pipe may keep it waiting.
///
/// The end is told by `None`: a reader that is gone without a word must not look like the end of the list.
pub(super) fn spawn(source: Source, told: Told, batches: mpsc::Sender<anyhow::Result<Option<Batch>>>) {
    std::thread::spawn(move || {
        let mut list = List { source, layout: Layout::Plain };
        let mut next = list.begin(&told);
        loop {
            let is_over = !matches!(next, Ok(Some(_)));
            // Nobody may be listening any more.
            if batches.blocking_send(next).is_err() || is_over {
                return;
            }
            next = list.batch();
        }
    });
}

struct List {
    source: Source,
    layout: Layout,
}

impl List {
    /// What stands before the first address, and is kept whatever becomes of the others: a byte order mark, a header.
    fn begin(&mut self, told: &Told) -> anyhow::Result<Option<Batch>> {
        let mut head = Batch::default();
        let mark = self.source.byte_order_mark()?;
        self.keep(&mut head, mark);
        while let Some(length) = self.source.blank_line()? {
            ensure!(head.len_bytes() <= MAX_RECORD_BYTES, "more than {MAX_RECORD_BYTES} bytes of empty lines");
            self.keep(&mut head, length);
        }
        self.layout = Layout::of(&mut self.source, told).with_context(|| format!("line {}", self.source.line_number()))?;
        if let Layout::Csv { csv, .. } = &mut self.layout
            && let Some(length) = csv.record(&mut self.source)?
        {
            self.keep(&mut head, length);
        }
        Ok(Some(head))
    }

    /// None at the end.
    fn batch(&mut self) -> anyhow::Result<Option<Batch>> {
        let mut batch = Batch::default();
        while !batch.is_full() && self.record(&mut batch).with_context(|| format!("line {}", self.source.line_number()))? {}
        Ok((!batch.is_empty()).then_some(batch))
    }

    /// Adds the next record. Gives false if there is none.
    fn record(&mut self, batch: &mut Batch) -> anyhow::Result<bool> {
        if let Some(length) = self.source.blank_line()? {
            self.keep(batch, length);
            return Ok(true);
        }
        let length = match &mut self.layout {
            Layout::Plain | Layout::Ndjson { .. } => self.source.line()?,
            Layout::Csv { csv, .. } => csv.record(&mut self.source)?,
        };
        let Some(length) = length else { return Ok(false) };
        let line = self.source.line_number();
        let bytes = &self.source.rest()[..length];
        match &self.layout {
            Layout::Plain => batch.push_address(bytes, line, bytes),
            Layout::Csv { csv, column } => match csv.field(*column) {
                Some(address) => batch.push_address(bytes, line, address),
                None => batch.push(bytes, line, Content::Refused("the row has no such column")),
            },
            Layout::Ndjson { field } => match ndjson::find(bytes, field) {
                Ok(Found::Text(address)) => batch.push_address(bytes, line, address.as_bytes()),
                Ok(Found::Twice) => batch.push(bytes, line, Content::Refused("the field stands there twice")),
                Ok(Found::NoText) => batch.push(bytes, line, Content::Refused("the field is no text")),
                Ok(Found::Nothing) => batch.push(bytes, line, Content::Refused("there is no such field")),
                Err(_) => batch.push(bytes, line, Content::Refused("it is no JSON object")),
            },
        }
        self.source.advance(length);
        Ok(true)
    }

    /// Takes so many bytes in which there is no address.
    fn keep(&mut self, batch: &mut Batch, length: usize) {
        if length > 0 {
            batch.push(&self.source.rest()[..length], self.source.line_number(), Content::NoAddress);
            self.source.advance(length);
        }
    }
}

#[cfg(test)]
mod tests;
