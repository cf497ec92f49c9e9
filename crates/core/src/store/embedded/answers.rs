//! How domains answered, counted in the tree.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use fjall::OwnedWriteBatch;

use super::committer::Work;
use super::tree::Tree;
use super::{EmbeddedStore, keys, read_failed};
use crate::store::{AnswerStore, DomainAnswers};
use crate::{Answers, AnswersBySlot, Error, Slot, UnixSeconds};

/// Most counts that are known beyond a commit; then all of them are read again when they are needed.
const MAX_KNOWN_COUNTS: usize = 131_072;

/// Length of a count.
const COUNT_BYTES: usize = 8;

impl AnswerStore for EmbeddedStore {
    async fn count_answers(&self, counted: &[DomainAnswers], now: UnixSeconds) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        if counted.is_empty() {
            return Ok(Vec::new());
        }
        let owned = counted.to_vec();
        self.submit(counted.len(), |reply| Work::Count { counted: owned, now, reply }).await
    }

    fn shard_of(&self, _: &str) -> usize {
        0
    }
}

/// The answers of domains, with what a commit in the making changed.
///
/// Only the writing thread has it, and ends when a commit fails. So what it knows of a domain stays true from commit to commit,
/// and a domain that is counted all the time is not read all the time.
#[derive(Default)]
pub(super) struct Counting {
    known: HashMap<Box<str>, AnswersBySlot>,
    /// How many counts are known, or somewhat more.
    known_counts: usize,
    /// Counts to write, or to remove if there are none.
    changes: BTreeMap<(Box<str>, Slot), Option<Answers>>,
}

impl Counting {
    /// Adds to the counts of domains; see [`AnswerStore::count_answers`].
    pub(super) fn count(
        &mut self,
        tree: &Tree,
        counted: &[DomainAnswers],
        now: UnixSeconds,
    ) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        let oldest = Slot::oldest_kept(now);
        let mut asked = BTreeSet::new();
        for DomainAnswers { domain, slot, answers } in counted.iter().filter(|counted| counted.slot >= oldest) {
            let of_domain = match self.known.entry(domain.clone()) {
                Entry::Occupied(entry) => entry.into_mut(),
                Entry::Vacant(entry) => {
                    let stored = load(tree, domain)?;
                    self.known_counts += stored.len() + 1;
                    entry.insert(stored)
                }
            };
            while let Some(too_old) = of_domain.first_entry().filter(|entry| *entry.key() < oldest) {
                self.changes.insert((domain.clone(), too_old.remove_entry().0), None);
            }
            let before = of_domain.len();
            let of_slot = of_domain.entry(*slot).or_default();
            *of_slot += *answers;
            self.changes.insert((domain.clone(), *slot), Some(*of_slot));
            self.known_counts += of_domain.len() - before;
            if answers.hard > 0 {
                asked.insert(domain);
            }
        }
        Ok(asked.into_iter().filter_map(|domain| Some((domain.clone(), self.known.get(domain)?.clone()))).collect())
    }

    /// Adds to a batch what was changed.
    pub(super) fn fill(&mut self, tree: &Tree, batch: &mut OwnedWriteBatch) {
        for ((domain, slot), answers) in std::mem::take(&mut self.changes) {
            match answers {
                Some(answers) => batch.insert(&tree.keyspace, keys::answers(&domain, slot), value(answers)),
                None => batch.remove(&tree.keyspace, keys::answers(&domain, slot)),
            }
        }
        if self.known_counts > MAX_KNOWN_COUNTS {
            self.known = HashMap::new();
            self.known_counts = 0;
        }
    }
}

/// Reads the answers of a domain. Only the writing thread does, so nothing is written meanwhile.
fn load(tree: &Tree, domain: &str) -> Result<AnswersBySlot, Error> {
    let prefix = keys::answers_of(domain);
    let read = |pair: fjall::Guard| {
        let (key, value) = pair.into_inner().map_err(|error| read_failed(&error))?;
        read(key.get(prefix.len()..).unwrap_or_default(), &value).ok_or_else(unreadable)
    };
    tree.keyspace.prefix(&prefix).map(read).collect()
}

fn value(answers: Answers) -> [u8; 2 * COUNT_BYTES] {
    let mut value = [0; 2 * COUNT_BYTES];
    value[..COUNT_BYTES].copy_from_slice(&answers.hard.to_be_bytes());
    value[COUNT_BYTES..].copy_from_slice(&answers.all.to_be_bytes());
    value
}

fn read(slot: &[u8], value: &[u8]) -> Option<(Slot, Answers)> {
    let slot = Slot::from_number(i64::from_be_bytes(slot.try_into().ok()?));
    let (hard, all) = value.split_first_chunk()?;
    Some((slot, Answers { hard: u64::from_be_bytes(*hard), all: u64::from_be_bytes(all.try_into().ok()?) }))
}

fn unreadable() -> Error {
    Error::StoreDamaged { reason: "the answers of a domain cannot be read; restore the directory from a backup".into() }
}
