//! From answered batches to the lists.

use std::collections::BTreeMap;
use std::io::{BufWriter, Write};
use std::ops::Range;

use anyhow::{Context as _, ensure};
use suppressd_service::proto::{SuppressionReason, SuppressionResult};
use tokio::sync::{mpsc, oneshot};

use super::batch::{Batch, Content, Piece};
use super::window::Answered;
use crate::list_file::{Progress, Sink, push_row};

/// What is gathered before it is written, in bytes.
const BUFFER_BYTES: usize = 64 << 10;

/// The first line of what was dropped.
const REJECTS_HEADER: &[u8] = b"line,address,reason,detail\n";

/// What became of a list.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) kept: u64,
    /// By their reasons.
    pub(super) dropped: BTreeMap<&'static str, u64>,
}

/// Writes on a thread of its own, since a pipe or a disk may keep it waiting. Once `answered` is closed, and all that came before is
/// where it should be, it tells the tally. Whether that was all of the list is not known here.
pub(super) fn spawn(
    clean: Sink,
    rejects: Option<Sink>,
    progress: Progress,
    mut answered: mpsc::Receiver<Answered>,
) -> oneshot::Receiver<anyhow::Result<Tally>> {
    let (done, told) = oneshot::channel();
    std::thread::spawn(move || {
        let clean = BufWriter::with_capacity(BUFFER_BYTES, clean);
        let rejects = rejects.map(|rejects| BufWriter::with_capacity(BUFFER_BYTES, rejects));
        let writer = Writer { clean, rejects, tally: Tally::default() };
        let written = writer.write_all(&mut answered, &progress);
        // Before `answered` goes: whoever finds it gone looks here for the reason. Nobody may be listening any more.
        let _ = done.send(written);
        drop(answered);
    });
    told
}

struct Writer<W: Write> {
    clean: W,
    rejects: Option<W>,
    tally: Tally,
}

impl Writer<BufWriter<Sink>> {
    fn write_all(mut self, answered: &mut mpsc::Receiver<Answered>, progress: &Progress) -> anyhow::Result<Tally> {
        self.begin()?;
        while let Some(Answered { batch, suppressed }) = answered.blocking_recv() {
            self.batch(&batch, suppressed)?;
            progress.advance(batch.len_bytes(), batch.emails().len());
        }
        let Self { clean, rejects, tally } = self;
        for written in [Some(clean), rejects].into_iter().flatten() {
            let mut sink = written.into_inner().map_err(std::io::IntoInnerError::into_error).context("cannot write")?;
            sink.sync().context("cannot write")?;
        }
        Ok(tally)
    }
}

impl<W: Write> Writer<W> {
    fn begin(&mut self) -> anyhow::Result<()> {
        self.rejects.as_mut().map_or(Ok(()), |rejects| rejects.write_all(REJECTS_HEADER)).context("cannot write the rejects")
    }

    fn batch(&mut self, batch: &Batch, suppressed: Vec<(usize, SuppressionResult)>) -> anyhow::Result<()> {
        let mut suppressed = suppressed.into_iter().peekable();
        let mut place = 0;
        // Nearly everybody is kept: those who stand one behind the other are written together.
        let mut kept = 0..0;
        for piece in batch.pieces() {
            match piece.content {
                Content::NoAddress => kept.end = piece.end,
                Content::Refused(why) => {
                    self.keep(batch, &mut kept, piece.end)?;
                    let whole = piece.bytes.trim_ascii();
                    self.drop(&piece, whole, SuppressionReason::InvalidAddress, why)?;
                }
                Content::Asked => {
                    match suppressed.next_if(|(of, _)| *of == place) {
                        None => {
                            self.tally.kept += 1;
                            kept.end = piece.end;
                        }
                        Some((_, result)) => {
                            self.keep(batch, &mut kept, piece.end)?;
                            let email = batch.emails().get(place).unwrap_or_default();
                            let detail = if result.error.is_empty() { &result.detail } else { &result.error };
                            self.drop(&piece, email.as_bytes(), result.reason(), detail)?;
                        }
                    }
                    place += 1;
                }
            }
        }
        ensure!(suppressed.next().is_none(), "an answer names an address that was not asked for");
        let end = kept.end;
        self.keep(batch, &mut kept, end)
    }

    /// Writes what is kept so far. The next that is kept stands behind `next`.
    fn keep(&mut self, batch: &Batch, kept: &mut Range<usize>, next: usize) -> anyhow::Result<()> {
        let bytes = std::mem::replace(kept, next..next);
        self.clean.write_all(&batch.bytes()[bytes]).context("cannot write")
    }

    fn drop(&mut self, piece: &Piece<'_>, what: &[u8], reason: SuppressionReason, detail: &str) -> anyhow::Result<()> {
        let name = reason.as_str_name();
        let name = name.strip_prefix("SUPPRESSION_REASON_").unwrap_or(name);
        *self.tally.dropped.entry(name).or_default() += 1;
        let Some(rejects) = &mut self.rejects else { return Ok(()) };
        let mut row = Vec::new();
        push_row(&mut row, &[piece.line.to_string().as_bytes(), what, name.as_bytes(), detail.as_bytes()]);
        rejects.write_all(&row).context("cannot write the rejects")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_kept_is_kept_as_it_is_and_what_is_dropped_has_its_reason() {
        let mut batch = Batch::default();
        batch.push(b"email,note\r\n", 1, Content::NoAddress);
        batch.push_address(b"a@x,1\r\n", 2, b"a@x");
        batch.push_address(b"b@x,2\r\n", 3, b"b@x");
        batch.push(b"\"c\"\r\n", 4, Content::Refused("the row has no such column"));
        batch.push_address(b"d,5", 5, b"d");
        let hard = SuppressionResult {
            suppressed: Some(true),
            reason: SuppressionReason::HardBounce.into(),
            detail: "hard bounce, 5.1.1".into(),
            ..SuppressionResult::default()
        };
        let invalid =
            SuppressionResult { reason: SuppressionReason::InvalidAddress.into(), error: "no @".into(), ..hard.clone() };
        let mut writer = Writer { clean: Vec::new(), rejects: Some(Vec::new()), tally: Tally::default() };
        writer.begin().unwrap();
        writer.batch(&batch, vec![(0, hard), (2, invalid)]).unwrap();
        assert_eq!(writer.clean, b"email,note\r\nb@x,2\r\n");
        let rejects = String::from_utf8(writer.rejects.unwrap()).unwrap();
        assert_eq!(
            rejects,
            "line,address,reason,detail\n2,a@x,HARD_BOUNCE,\"hard bounce, 5.1.1\"\n\
             4,\"\"\"c\"\"\",INVALID_ADDRESS,the row has no such column\n5,d,INVALID_ADDRESS,no @\n"
        );
        assert_eq!(writer.tally, Tally { kept: 1, dropped: [("HARD_BOUNCE", 1), ("INVALID_ADDRESS", 2)].into() });
    }

    #[test]
    fn nobody_is_kept_by_an_answer_that_names_others() {
        let mut batch = Batch::default();
        batch.push_address(b"a@x\n", 1, b"a@x");
        let mut writer = Writer { clean: Vec::new(), rejects: None, tally: Tally::default() };
        assert!(writer.batch(&batch, vec![(1, SuppressionResult::default())]).is_err());
        let mut writer = Writer { clean: Vec::new(), rejects: None, tally: Tally::default() };
        writer.batch(&batch, vec![(0, SuppressionResult::default())]).unwrap();
        assert!(writer.clean.is_empty());
    }
}
