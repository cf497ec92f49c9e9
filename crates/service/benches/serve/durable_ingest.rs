//! Durable events a second on the embedded store with 64 webhooks in flight, against what the disk alone allows.

use std::io::Write as _;
use std::path::Path;
use std::time::Instant;

use crate::measure::{Measured, median};
use crate::webhooks::{self, IN_FLIGHT};

/// Events a second that are enough whatever the disk does.
const TARGET_EVENTS_PER_SECOND: f64 = 20_000.0;

/// Otherwise, the most by which the disk's own bound may be missed.
const TARGET_FACTOR: f64 = 2.0;

const ROUNDS: usize = 5;
const SYNCS_PER_ROUND: usize = 300;

/// What the journal takes for one event.
const JOURNAL_BYTES_PER_EVENT: usize = 250;

pub(crate) fn reach_target() -> bool {
    let directory = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let server = Measured::suppressd(&directory.path().join("data"));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (mut rates, mut costs, mut bounds) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=ROUNDS {
        let bound = events_per_second_of_disk(directory.path());
        let (rate, cost) = runtime.block_on(webhooks::rate_and_cost(&server, round));
        if round > 0 {
            rates.push(rate);
            costs.push(cost);
            bounds.push(bound);
        }
    }
    let (rate, bound) = (median(rates), median(bounds));
    println!("durable events    {rate:9.0} a second, one a webhook, {IN_FLIGHT} in flight (target: {TARGET_EVENTS_PER_SECOND})");
    println!("server CPU        {:9.2} us an event", median(costs));
    println!("disk alone        {bound:9.0} events a second, {IN_FLIGHT} a sync (target: at most {TARGET_FACTOR} times ours)");
    rate >= TARGET_EVENTS_PER_SECOND || rate * TARGET_FACTOR >= bound
}

/// What the disk allows when every sync acknowledges all that is in flight.
fn events_per_second_of_disk(directory: &Path) -> f64 {
    let mut file = std::fs::File::create(directory.join("raw")).unwrap();
    let bytes = vec![b'x'; JOURNAL_BYTES_PER_EVENT * IN_FLIGHT];
    let started = Instant::now();
    for _ in 0..SYNCS_PER_ROUND {
        file.write_all(&bytes).unwrap();
        file.sync_data().unwrap();
    }
    (SYNCS_PER_ROUND * IN_FLIGHT) as f64 / started.elapsed().as_secs_f64()
}
