//! From the rules' patterns to one automaton.

use std::collections::HashMap;

use aho_corasick::nfa::contiguous::NFA;

use super::RuleError;
use super::classifier::{Classifier, Compiled, MAX_CHAINED_PARTS, Phrase, Use};
use super::pattern::{self, Part};

/// Gathers the phrases of all rules.
#[derive(Default)]
pub(super) struct Compiler {
    phrases: HashMap<Vec<u8>, Vec<Use>>,
    rules: Vec<Compiled>,
    chained_parts: usize,
}

impl Compiler {
    pub(super) fn add<'p>(&mut self, rule: Compiled, patterns: impl Iterator<Item = &'p str>) -> Result<(), RuleError> {
        let number = u16::try_from(self.rules.len()).map_err(|_| RuleError::pattern(&rule.id, "too many rules"))?;
        let stage = rule.stage;
        self.rules.push(rule);
        for text in patterns {
            let parts = pattern::parts(text)?;
            let last = parts.len().saturating_sub(1);
            let first_chained = self.chained_parts;
            self.chained_parts += last;
            if self.chained_parts > MAX_CHAINED_PARTS {
                return Err(RuleError::pattern(text, "too many patterns with gaps"));
            }
            for (nth, Part { gap, phrases }) in parts.into_iter().enumerate() {
                let chained = |nth: usize| u16::try_from(first_chained + nth).ok();
                let gap = u16::try_from(gap + 2).unwrap_or(u16::MAX);
                let after = nth.checked_sub(1).and_then(chained).map(|part| (part, gap));
                let then = if nth == last { None } else { chained(nth) };
                for phrase in phrases {
                    self.phrases.entry(phrase).or_default().push(Use { rule: number, stage, after, then });
                }
            }
        }
        Ok(())
    }

    pub(super) fn finish(self) -> Result<Classifier, RuleError> {
        let mut phrases: Vec<_> = self.phrases.into_iter().collect();
        phrases.sort_unstable_by(|one, other| one.0.cmp(&other.0));
        let automaton = NFA::builder()
            .dense_depth(3)
            .build(phrases.iter().map(|(phrase, _)| phrase))
            .map_err(|error| RuleError::pattern("", error.to_string()))?;
        let mut uses = Vec::new();
        let mut places = Vec::new();
        for (phrase, found) in phrases {
            let first_use = uses.len();
            uses.extend(found);
            places.push(Phrase { len: phrase.len(), first_use, last_use: uses.len() });
        }
        Ok(Classifier { automaton, phrases: places, uses, rules: self.rules })
    }
}
