//! Clients that check addresses all the time: one of which an event was acknowledged longer ago than the bound is suppressed, or
//! nobody can say.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tonic::Code;

use super::ledger::LAG_BOUND;
use super::load::{Load, Shared};
use super::nodes::{Doors, Role};
use crate::clients::rust_grpc::Checks;

/// Clients at the same time, and how long each rests between two questions: the machine has more to do.
const CLIENTS: usize = 2;
const PAUSE: Duration = Duration::from_millis(2);

/// Of the addresses that are suppressed, so many of the latest are asked for as often as all the others.
const LATEST: usize = 100;

/// One of so many questions is for an address that nobody has heard of.
const UNKNOWN_EVERY: usize = 8;

/// Clients under way.
pub(super) struct Watch {
    is_over: Arc<AtomicBool>,
    clients: Vec<JoinHandle<Checked>>,
}

/// What they were answered.
#[derive(Debug, Default)]
pub(super) struct Checked {
    pub(super) right: usize,
    pub(super) wrong: usize,
    /// What one of the wrong answers was.
    pub(super) such_as: Option<String>,
    pub(super) unavailable: usize,
    /// The connection was lost, or there was none.
    pub(super) cut_off: usize,
}

impl Watch {
    /// Of what a load delivers.
    pub(super) fn start(doors: &Arc<Doors>, load: &Load) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let start = |number| {
            let (doors, of_load, is_over) = (Arc::clone(doors), load.shared(), Arc::clone(&is_over));
            thread::spawn(move || check(number, &doors, &of_load, &is_over))
        };
        Self { clients: (0..CLIENTS).map(start).collect(), is_over }
    }

    pub(super) fn stop(self) -> Checked {
        self.is_over.store(true, Ordering::Relaxed);
        let mut all = Checked::default();
        for client in self.clients {
            let checked = client.join().unwrap();
            all.right += checked.right;
            all.wrong += checked.wrong;
            all.such_as = all.such_as.or(checked.such_as);
            all.unavailable += checked.unavailable;
            all.cut_off += checked.cut_off;
        }
        println!("checks: {all:?}");
        all
    }
}

impl Checked {
    fn is_wrong(&mut self, how: impl FnOnce() -> String) {
        self.wrong += 1;
        self.such_as.get_or_insert_with(how);
    }

    pub(super) fn assert_right(&self) {
        assert!(self.right > 0 && self.wrong == 0, "{self:?}");
    }
}

fn check(client: usize, doors: &Doors, of_load: &Shared, is_over: &AtomicBool) -> Checked {
    let mut checked = Checked::default();
    let mut clients: Option<(SocketAddr, Checks)> = None;
    let mut random = client as u64 + 1;
    for number in 0.. {
        if is_over.load(Ordering::Relaxed) {
            break;
        }
        thread::sleep(PAUSE);
        let door = doors.door(Role::Check, client + number / 16);
        if clients.as_ref().is_none_or(|(known, _)| *known != door) {
            clients = Some((door, Checks::at(&format!("http://{door}"))));
        }
        let Some((_, checks)) = &clients else { continue };
        let known = if number % UNKNOWN_EVERY == 0 { None } else { some_suppressed(of_load, &mut random) };
        let email = known.as_ref().map_or_else(|| format!("unknown-{client}-{number}@d0.example"), |(_, email)| email.clone());
        match checks.one(&email) {
            Ok(answer) if answer.suppressed() == known.is_some() => checked.right += 1,
            Ok(answer) => {
                let since = known.map(|(at, _)| at.elapsed());
                checked.is_wrong(|| format!("{email}, acknowledged {since:?} ago: {answer:?}"));
            }
            // Such a status was made here, and not by the server.
            Err(status) if std::error::Error::source(&status).is_some() => checked.cut_off += 1,
            Err(status) if status.code() == Code::Unavailable => checked.unavailable += 1,
            Err(status) => checked.is_wrong(|| format!("{email}: {status}")),
        }
    }
    checked
}

/// An address of which a hard bounce was acknowledged before the bound, often one of the latest.
fn some_suppressed(of_load: &Shared, random: &mut u64) -> Option<(Instant, String)> {
    // Xorshift: what is asked need not be unforeseeable.
    for shift in [13_i32, -7, 17] {
        *random ^= if shift > 0 { *random << shift } else { *random >> -shift };
    }
    let all = of_load.suppressed.lock().unwrap();
    let due = all.partition_point(|(at, _)| at.elapsed() > LAG_BOUND);
    let begin = if random.is_multiple_of(2) { due.saturating_sub(LATEST) } else { 0 };
    let place = begin + usize::try_from(*random >> 1).unwrap() % (due - begin).max(1);
    all[..due].get(place).cloned()
}
