//! Lists in files: what `filter`, `import` and `export` read and write.

mod csv;
mod progress;
mod sink;
mod source;

use anyhow::anyhow;
use tokio::signal::unix::{SignalKind, signal};

pub(crate) use csv::{Csv, DELIMITERS, push_row};
pub(crate) use progress::Progress;
pub(crate) use sink::{Sink, Unfinished, sync_directory_of};
pub(crate) use source::{MAX_RECORD_BYTES, Source};

/// What is given up removes what it began. A hangup is left to whoever ignores it, as `nohup` does.
pub(crate) async fn unless_interrupted<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = work => done,
        _ = interrupt.recv() => Err(anyhow!("interrupted")),
        _ = terminate.recv() => Err(anyhow!("asked to end")),
    }
}
