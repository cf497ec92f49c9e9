//! How domains answered, counted in Redis.

use std::collections::BTreeMap;

use redis::Value;

use super::call::Call;
use super::fault::damaged_field;
use super::{RedisStore, keys, reply};
use crate::store::{AnswerStore, DomainAnswers};
use crate::{Answers, AnswersBySlot, Error, KEPT_ANSWERS_SECONDS, Slot, UnixSeconds};

impl AnswerStore for RedisStore {
    async fn count_answers(&self, counted: &[DomainAnswers], now: UnixSeconds) -> Result<Vec<(Box<str>, AnswersBySlot)>, Error> {
        let oldest = Slot::oldest_kept(now);
        let mut by_domain: BTreeMap<&str, AnswersBySlot> = BTreeMap::new();
        for DomainAnswers { domain, slot, answers } in counted.iter().filter(|counted| counted.slot >= oldest) {
            *by_domain.entry(domain).or_default().entry(*slot).or_default() += *answers;
        }
        if by_domain.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<String> = by_domain.keys().map(|domain| keys::answers(domain)).collect();
        let calls = keys.iter().zip(by_domain.values()).map(|(key, answers)| self.counting(key, answers, oldest));
        let replies = self.write(calls.collect()).await?;
        let mut given = Vec::new();
        for (((domain, answers), key), reply) in by_domain.into_iter().zip(&keys).zip(replies) {
            if is_asked(&answers) {
                given.push((domain.into(), read(key, reply, oldest)?));
            }
        }
        Ok(given)
    }

    fn shard_of(&self, domain: &str) -> usize {
        self.shared.router.known_owner(keys::slot(&keys::answers(domain)))
    }
}

impl RedisStore {
    /// The call that adds to the counts of one domain.
    fn counting(&self, key: &str, answers: &AnswersBySlot, oldest: Slot) -> Call {
        let call = Call::script(&self.shared.scripts.answers_count, &[key])
            .of_parts(answers.len())
            .number(&oldest.number())
            .number(&KEPT_ANSWERS_SECONDS)
            .number(&u8::from(is_asked(answers)));
        answers.iter().fold(call, |call, (slot, Answers { hard, all })| call.number(&slot.number()).number(hard).number(all))
    }
}

/// Whether HARD answers were added, so that all that is counted is to be given.
fn is_asked(added: &AnswersBySlot) -> bool {
    added.values().any(|answers| answers.hard > 0)
}

/// Reads the counts of one domain that are kept. What a later version may have put there is left alone.
fn read(key: &str, value: Value, oldest: Slot) -> Result<AnswersBySlot, Error> {
    let mut answers = AnswersBySlot::new();
    for (name, text) in reply::fields(value)? {
        let Some((kind, slot)) = name.split_once(':') else { continue };
        let damaged = || damaged_field(key, &name);
        let count = |answers: &mut AnswersBySlot, of: fn(&mut Answers) -> &mut u64| {
            let slot = Slot::from_number(slot.parse().map_err(|_| damaged())?);
            *of(answers.entry(slot).or_default()) = reply::parsed(&text).ok_or_else(damaged)?;
            Ok(())
        };
        match kind {
            "hard" => count(&mut answers, |answers| &mut answers.hard)?,
            "all" => count(&mut answers, |answers| &mut answers.all)?,
            _ => {}
        }
    }
    Ok(answers.split_off(&oldest))
}
