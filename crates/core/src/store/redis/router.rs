//! Brings each call to the primary of its slot, and again to whoever has the slot then, if it was refused.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use redis::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::batcher::{Made, Part};
use super::call::Call;
use super::fault;
use super::location::Endpoint;
use super::node::{Door, Node};
use super::redirection::{Asked, Next, judge};
use super::survey::{Survey, Surveyed};
use crate::Error;

/// How old what is known of the servers may become while it is used.
const SURVEY_INTERVAL: Duration = Duration::from_secs(5);

/// How long nobody asks again who has what, whatever happens.
const MIN_SURVEY_INTERVAL: Duration = Duration::from_millis(50);

/// How often a call goes out at most: a slot may move while it is looked for.
const MAX_ROUNDS: usize = 4;

/// Who has which slot, as it was found out at some time.
pub(super) struct Map {
    number: u64,
    made: Instant,
    surveyed: Surveyed,
}

impl Map {
    pub(super) fn owner(&self, slot: u16) -> Result<&Arc<Node>, Error> {
        let owner = self.surveyed.topology.owner(slot).and_then(|owner| self.surveyed.nodes.get(owner));
        owner.ok_or_else(fault::uncovered)
    }

    fn named(&self, endpoint: &Endpoint) -> Option<&Arc<Node>> {
        self.nodes().iter().find(|node| node.endpoint() == endpoint)
    }

    pub(super) fn nodes(&self) -> &[Arc<Node>] {
        &self.surveyed.nodes
    }

    pub(super) fn surveyed(&self) -> &Surveyed {
        &self.surveyed
    }
}

/// Finds the way.
pub(super) struct Router {
    survey: Survey,
    /// Whether calls are made.
    is_open: AtomicBool,
    known: Mutex<Known>,
    /// One asks at a time.
    turn: Semaphore,
}

#[derive(Default)]
struct Known {
    map: Option<Arc<Map>>,
    surveys: u64,
    latest_survey: Option<Instant>,
    latest_error: Option<Error>,
}

/// A call that has no reply yet, and where it goes.
struct Open {
    place: usize,
    node: Arc<Node>,
    is_asking: bool,
}

impl Router {
    pub(super) fn new(survey: Survey, is_open: bool) -> Self {
        Self { survey, is_open: AtomicBool::new(is_open), known: Mutex::default(), turn: Semaphore::new(1) }
    }

    pub(super) fn survey(&self) -> &Survey {
        &self.survey
    }

    /// Makes calls from now on, or none.
    pub(super) fn set_open(&self, is_open: bool) {
        self.is_open.store(is_open, Ordering::Relaxed);
    }

    /// Makes calls, each at the primary of its slot. `Ok` means that each has its reply, none of them is an error, and those that
    /// had to be replicated are. Not bounded in time by itself.
    pub(super) async fn make(self: &Arc<Self>, door: Door, calls: Vec<Call>) -> Result<Vec<Value>, Error> {
        let map = self.map().await?;
        self.make_by(map, door, calls).await
    }

    /// As `make`, also when no calls are made yet.
    pub(super) async fn make_unchecked(self: &Arc<Self>, door: Door, calls: Vec<Call>) -> Result<Vec<Value>, Error> {
        let map = self.map_unchecked().await?;
        self.make_by(map, door, calls).await
    }

    async fn make_by(self: &Arc<Self>, mut map: Arc<Map>, door: Door, calls: Vec<Call>) -> Result<Vec<Value>, Error> {
        let calls: Arc<[Call]> = calls.into();
        let mut replies = vec![Value::Nil; calls.len()];
        let mut open = Vec::with_capacity(calls.len());
        for (place, call) in calls.iter().enumerate() {
            open.push(Open { place, node: Arc::clone(map.owner(call.slot())?), is_asking: false });
        }
        for round in 1..=MAX_ROUNDS {
            let mut refused = Vec::new();
            for (open, answer) in send(door, &calls, open).await? {
                let (server, may_repeat) = (open.node.endpoint(), door != Door::Writes);
                match judge(answer, Asked { server, is_in_a_cluster: self.survey.is_cluster(), may_repeat }) {
                    Next::Take(reply) => replies[open.place] = reply,
                    next @ (Next::Fail(_) | Next::AskOwner(_) | Next::AskThere(..)) => refused.push((open, next)),
                }
            }
            if refused.is_empty() {
                return Ok(replies);
            }
            if round == MAX_ROUNDS {
                return Err(first_error(refused));
            }
            (map, open) = self.redirect(&map, &calls, refused).await?;
        }
        Err(fault::uncovered())
    }

    /// Where what was refused goes next. If that is nowhere else, the refusal is the answer.
    async fn redirect(
        self: &Arc<Self>,
        map: &Arc<Map>,
        calls: &[Call],
        refused: Vec<(Open, Next)>,
    ) -> Result<(Arc<Map>, Vec<Open>), Error> {
        let may_go_on = |next: &Next| matches!(next, Next::AskOwner(_) | Next::AskThere(..));
        let may_be_elsewhere = self.survey.has_others() && refused.iter().all(|(_, next)| may_go_on(next));
        if !may_be_elsewhere {
            self.survey_soon();
            return Err(first_error(refused));
        }
        // What was refused says more than that nobody could be asked.
        let Ok(newer) = self.newer_than(map.number).await else { return Err(first_error(refused)) };
        let mut open = Vec::with_capacity(refused.len());
        for (Open { place, node, .. }, next) in refused {
            let (goes_to, is_asking, error) = match next {
                Next::AskThere(there, error) => (newer.named(&there).cloned(), true, error),
                Next::AskOwner(error) | Next::Fail(error) => {
                    let owner = calls.get(place).and_then(|call| newer.owner(call.slot()).ok());
                    (owner.filter(|owner| owner.endpoint() != node.endpoint()).cloned(), false, error)
                }
                Next::Take(_) => (None, false, fault::unexpected_reply()),
            };
            let node = goes_to.ok_or(error)?;
            open.push(Open { place, node, is_asking });
        }
        Ok((newer, open))
    }

    /// A number for the primary of a slot as far as is known, the same for all that it has; nobody is asked.
    pub(super) fn known_owner(&self, slot: u16) -> usize {
        let owner = self.known().map.as_ref().and_then(|map| map.surveyed.topology.owner(slot));
        owner.unwrap_or(usize::MAX)
    }

    /// Who has what, if calls are made.
    pub(super) async fn map(self: &Arc<Self>) -> Result<Arc<Map>, Error> {
        if self.is_open.load(Ordering::Relaxed) { self.map_unchecked().await } else { Err(fault::unchecked()) }
    }

    /// Who has what, as it is known. Asked for first if nothing is, and behind the caller's back if it is old.
    pub(super) async fn map_unchecked(self: &Arc<Self>) -> Result<Arc<Map>, Error> {
        let map = self.known().map.clone();
        let Some(map) = map else { return self.newer_than(0).await };
        if map.made.elapsed() >= SURVEY_INTERVAL {
            self.survey_soon();
        }
        Ok(map)
    }

    /// Asks who has what, without anybody waiting for it, unless somebody is asking.
    pub(super) fn survey_soon(self: &Arc<Self>) {
        if self.turn.available_permits() > 0 {
            let router = Arc::clone(self);
            let number = router.known().map.as_ref().map_or(0, |map| map.number);
            // Who comes next hears of a failure.
            tokio::spawn(async move { router.newer_than(number).await.is_ok() });
        }
    }

    /// Who has what, found out after that map, whose number was that; 0 for none.
    async fn newer_than(&self, number: u64) -> Result<Arc<Map>, Error> {
        let surveys = self.known().surveys;
        let _turn = self.turn.acquire().await.map_err(|_| fault::no_topology())?;
        let wait = {
            let known = self.known();
            if let Some(map) = known.map.as_ref().filter(|map| map.number > number) {
                return Ok(Arc::clone(map));
            }
            if let Some(error) = known.latest_error.as_ref().filter(|_| known.surveys > surveys) {
                return Err(error.clone());
            }
            known.latest_survey.map_or(Duration::ZERO, |latest| MIN_SURVEY_INTERVAL.saturating_sub(latest.elapsed()))
        };
        tokio::time::sleep(wait).await;
        let made = Instant::now();
        let surveyed = self.survey.make().await;
        let mut known = self.known();
        known.surveys += 1;
        known.latest_survey = Some(Instant::now());
        match surveyed {
            Ok(surveyed) => {
                let map = Arc::new(Map { number: known.surveys, made, surveyed });
                known.latest_error = None;
                known.map = Some(Arc::clone(&map));
                Ok(map)
            }
            Err(error) => {
                known.latest_error = Some(error.clone());
                Err(error)
            }
        }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What an operator must mend is not to be hidden by what passes.
fn first_error(refused: Vec<(Open, Next)>) -> Error {
    let errors = refused.into_iter().filter_map(|(_, next)| match next {
        Next::Fail(error) | Next::AskOwner(error) | Next::AskThere(_, error) => Some(error),
        Next::Take(_) => None,
    });
    let error = errors.reduce(|first, other| if first.is_transient() && !other.is_transient() { other } else { first });
    error.unwrap_or_else(fault::unexpected_reply)
}

/// Sends what goes to one server together, to all of them at the same time, and gives the answers.
async fn send(
    door: Door,
    calls: &Arc<[Call]>,
    open: Vec<Open>,
) -> Result<impl Iterator<Item = (Open, Result<Value, fault::Fault>)>, Error> {
    let mut parts: Vec<(Arc<Node>, Part)> = Vec::new();
    for Open { place, node, is_asking } in open {
        let same = parts.iter_mut().find(|(of, part)| Arc::ptr_eq(of, &node) && part.is_asking == is_asking);
        if let Some((_, part)) = same {
            part.places.push(place);
        } else {
            parts.push((node, Part { calls: Arc::clone(calls), places: vec![place], is_asking }));
        }
    }
    let opened: Vec<_> = parts.iter().map(|(node, part)| (Arc::clone(node), part.places.clone(), part.is_asking)).collect();
    let made = if door == Door::Reads { read(parts).await } else { enqueue(door, parts).await? };
    Ok(opened.into_iter().zip(made).flat_map(|((node, places, is_asking), made)| {
        places.into_iter().zip(made).map(move |(place, answer)| (Open { place, node: Arc::clone(&node), is_asking }, answer))
    }))
}

/// Reads from each server at the same time.
async fn read(parts: Vec<(Arc<Node>, Part)>) -> Vec<Made> {
    if let [(node, part)] = &*parts {
        return vec![node.read(part).await];
    }
    let places: Vec<usize> = parts.iter().map(|(_, part)| part.places.len()).collect();
    let mut reading = JoinSet::new();
    for (place, (node, part)) in parts.into_iter().enumerate() {
        reading.spawn(async move { (place, node.read(&part).await) });
    }
    // A task that panicked has read nothing.
    let mut made: Vec<Made> = places.into_iter().map(|calls| vec![Err(fault::unexpected_reply().into()); calls]).collect();
    while let Some(read) = reading.join_next().await {
        if let Ok((place, of_part)) = read {
            made[place] = of_part;
        }
    }
    made
}

/// Puts each part in the queue of its server, or none if there is no room for one of them.
async fn enqueue(door: Door, parts: Vec<(Arc<Node>, Part)>) -> Result<Vec<Made>, Error> {
    let mut rooms = Vec::with_capacity(parts.len());
    for (node, part) in &parts {
        rooms.push(node.batcher(door).ok_or_else(fault::nobody_writes)?.room_for(part)?);
    }
    let mut queued = Vec::with_capacity(parts.len());
    for ((_, part), room) in parts.into_iter().zip(rooms) {
        queued.push((part.places.len(), room.enqueue(part)));
    }
    let mut made = Vec::with_capacity(queued.len());
    for (calls, is_made) in queued {
        made.push(is_made.await.unwrap_or_else(|_| vec![Err(fault::nobody_writes().into()); calls]));
    }
    Ok(made)
}
