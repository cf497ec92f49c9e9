//! Whether the primaries answer.

use std::sync::atomic::Ordering;

use tokio::task::JoinSet;
use tracing::{info, warn};

use super::{Shared, within};
use crate::Error;

/// Asks every primary that has slots. As long as one of them answers the store does: what lies with the others fails by itself, and a process
/// that said it could do nothing would take from its clients what it can. The log says how many there are.
pub(super) async fn run(shared: &Shared) -> Result<(), Error> {
    let deadline = shared.router.survey().settings().read_deadline;
    let map = within(deadline, shared.router.map()).await?;
    let mut probing = JoinSet::new();
    let owners = map.surveyed().topology.owners();
    for owner in &owners {
        if let Some(node) = map.nodes().get(*owner).cloned() {
            probing.spawn(async move { node.probe(deadline).await });
        }
    }
    let (mut silent, mut failed) = (0, None);
    while let Some(probed) = probing.join_next().await {
        if let Ok(Err(error)) = probed {
            silent += 1;
            failed = Some(error);
        }
    }
    let primaries = owners.len();
    tell(shared, silent, primaries, map.surveyed().topology.uncovered_slots());
    match failed {
        Some(error) if silent == primaries => {
            // It may be another one by now.
            shared.router.survey_soon();
            Err(error)
        }
        _ => Ok(()),
    }
}

fn tell(shared: &Shared, silent: usize, primaries: usize, uncovered_slots: usize) {
    if shared.silent_primaries.swap(silent, Ordering::Relaxed) == silent || primaries == 1 {
        return;
    }
    if silent == 0 {
        info!(primaries, uncovered_slots, "every primary of Redis answers again");
    } else {
        warn!(silent, primaries, uncovered_slots, "some primaries of Redis do not answer");
    }
}
