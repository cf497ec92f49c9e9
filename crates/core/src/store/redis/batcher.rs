//! What goes to one primary is put together: all that has queued up while the last group was on its way goes out as the next one,
//! and waits for the replicas once.

use std::sync::{Arc, OnceLock};

use redis::Value;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::call::Call;
use super::fault::{self, Fault};
use super::line::{Line, Sent};
use crate::Error;

/// Most events, entries, answers and letters that wait for one primary or are on their way to it.
const MAX_PARTS: usize = 65_536;

/// Most requests that wait for one primary.
const MAX_QUEUED_REQUESTS: usize = 4096;

/// No request is added to a group that has so many parts: Redis answers others between groups.
const MAX_PARTS_PER_GROUP: usize = 2048;

/// Most groups that are on their way to one primary. One that waits for replicas holds up what is behind it, so it goes alone.
const MAX_GROUPS_IN_FLIGHT: u32 = 4;

/// What became of the calls of a request, in their order.
pub(super) type Made = Vec<Result<Value, Fault>>;

/// The queue to one primary.
pub(super) struct Batcher {
    line: Arc<Line>,
    room: Arc<Semaphore>,
    queue: OnceLock<mpsc::Sender<Request>>,
}

/// Some of the calls that were asked for at once.
pub(super) struct Part {
    pub(super) calls: Arc<[Call]>,
    /// Which of them.
    pub(super) places: Vec<usize>,
    pub(super) is_asking: bool,
}

impl Part {
    pub(super) fn sent(&self) -> impl Iterator<Item = Sent<'_>> {
        self.places.iter().map(|place| Sent { call: &self.calls[*place], is_asking: self.is_asking })
    }

    fn parts(&self) -> usize {
        self.sent().map(|sent| sent.call.parts()).sum()
    }
}

struct Request {
    part: Part,
    made: oneshot::Sender<Made>,
    _room: OwnedSemaphorePermit,
}

/// Room for a request: in the queue, and for its parts. Nothing is sent before there is room at every primary.
pub(super) struct Room {
    place: mpsc::OwnedPermit<Request>,
    parts: OwnedSemaphorePermit,
}

impl Room {
    /// Puts the request in the queue. What comes back may be dropped: a request that nobody waits for any more is not sent.
    pub(super) fn enqueue(self, part: Part) -> oneshot::Receiver<Made> {
        let (made, is_made) = oneshot::channel();
        self.place.send(Request { part, made, _room: self.parts });
        is_made
    }
}

impl Batcher {
    pub(super) fn new(line: Line) -> Self {
        Self { line: Arc::new(line), room: Arc::new(Semaphore::new(MAX_PARTS)), queue: OnceLock::new() }
    }

    pub(super) fn line(&self) -> &Line {
        &self.line
    }

    /// Room for a request. Alone, one that is larger than all the room is let in.
    ///
    /// The first one starts the task that sends, on the runtime on which it is asked for. It ends with the batcher.
    pub(super) fn room_for(&self, part: &Part) -> Result<Room, Error> {
        let parts = u32::try_from(part.parts().clamp(1, MAX_PARTS)).unwrap_or(u32::MAX);
        let parts = Arc::clone(&self.room).try_acquire_many_owned(parts).map_err(|_| Error::StoreOverloaded)?;
        let queue = self.queue.get_or_init(|| {
            let (queue, queued) = mpsc::channel(MAX_QUEUED_REQUESTS);
            tokio::spawn(send_all(Arc::clone(&self.line), queued));
            queue
        });
        match queue.clone().try_reserve_owned() {
            Ok(place) => Ok(Room { place, parts }),
            Err(mpsc::error::TrySendError::Full(_)) => Err(Error::StoreOverloaded),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(fault::nobody_writes()),
        }
    }
}

async fn send_all(line: Arc<Line>, mut queued: mpsc::Receiver<Request>) {
    let in_flight = Arc::new(Semaphore::new(MAX_GROUPS_IN_FLIGHT as usize));
    while let Some(first) = queued.recv().await {
        let share = if line.waits() { MAX_GROUPS_IN_FLIGHT } else { 1 };
        // The semaphore is never closed.
        let Ok(turn) = Arc::clone(&in_flight).acquire_many_owned(share).await else { return };
        let group = gather(first, &mut queued);
        let line = Arc::clone(&line);
        tokio::spawn(async move {
            send(&line, group).await;
            drop(turn);
        });
    }
}

/// What has queued up, in its order, up to the size of a group.
fn gather(first: Request, queued: &mut mpsc::Receiver<Request>) -> Vec<Request> {
    let mut parts = first.part.parts();
    let mut group = vec![first];
    while parts < MAX_PARTS_PER_GROUP
        && let Ok(request) = queued.try_recv()
    {
        parts += request.part.parts();
        group.push(request);
    }
    group
}

async fn send(line: &Line, mut group: Vec<Request>) {
    // Whoever asked has been told by now that it was too late.
    group.retain(|request| !request.made.is_closed());
    let sent: Vec<Sent<'_>> = group.iter().flat_map(|request| request.part.sent()).collect();
    if sent.is_empty() {
        return;
    }
    let mut made = line.make(&sent).await;
    drop(sent);
    for request in group {
        let rest = made.split_off(request.part.places.len().min(made.len()));
        // Whoever asked may have stopped waiting meanwhile.
        let _ = request.made.send(std::mem::replace(&mut made, rest));
    }
}

#[cfg(test)]
mod tests;
