//! How records come into memory at a start: behind everybody's back, piece by piece, when checks are answered already.

use super::listing::read_address;
use super::tree::Tree;
use super::{EmbeddedStore, keys, read_failed, value};
use crate::{Address, Error};

/// Keys that are read at once. The more they are, the more of them are written to meanwhile, and left out.
const KEYS_PER_PIECE: usize = 1024;

/// How far it has come.
enum Progress {
    /// To this record.
    UpTo(Address),
    /// All that there is, or all that there is room for.
    Done,
}

impl EmbeddedStore {
    /// Brings all records into memory that there is room for. Whoever stops it waits for one piece at most.
    pub(super) async fn bring_into_memory(&self) {
        let mut behind = None;
        loop {
            let piece = self.on_waiting_thread(move |shared| bring_piece(&shared.tree, behind.as_ref())).await;
            match piece {
                Ok(Progress::UpTo(last)) => behind = Some(last),
                Ok(Progress::Done) => {
                    tracing::info!(bytes = self.records_in_memory_bytes(), "records are in memory, as far as there is room");
                    return;
                }
                Err(error) => {
                    // Each is read when somebody asks for it.
                    tracing::warn!(%error, "records could not be brought into memory");
                    return;
                }
            }
        }
    }
}

fn bring_piece(tree: &Tree, behind: Option<&Address>) -> Result<Progress, Error> {
    let as_of = tree.resident.as_of_all();
    let mut last = None;
    for pair in tree.moment().range(keys::records(behind)).take(KEYS_PER_PIECE) {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        // The evidence of a record that is not one value.
        if !keys::parts_of_record(&key).1.is_empty() {
            continue;
        }
        if value::is_whole(&value) && !tree.resident.offer(&as_of, &key, &value) {
            return Ok(Progress::Done);
        }
        last = Some(key);
    }
    last.map_or(Ok(Progress::Done), |last| read_address(&last).map(Progress::UpTo))
}
