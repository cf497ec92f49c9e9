//! What the disk alone allows: a write and an fdatasync for every group of events that is in flight, one after the other.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use crate::process::cpu_of_own_thread;
use crate::rounds::{Cost, cost_of};

/// What the journal takes for one event.
const JOURNAL_BYTES_PER_EVENT: usize = 250;

/// Appends `groups` groups of `events_per_group` events to a new file in that directory.
pub(crate) fn cost(directory: &Path, groups: usize, events_per_group: usize) -> Cost {
    let mut file = File::create(directory.join("raw")).unwrap();
    let group = vec![b'x'; JOURNAL_BYTES_PER_EVENT * events_per_group];
    cost_of(cpu_of_own_thread, groups * events_per_group, || {
        for _ in 0..groups {
            file.write_all(&group).unwrap();
            file.sync_data().unwrap();
        }
    })
}
