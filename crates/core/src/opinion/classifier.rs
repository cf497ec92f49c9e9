//! The rules compiled, and how one reply is judged.

use std::borrow::Cow;
use std::collections::HashSet;
use std::ops::Range;

use aho_corasick::Anchored;
use aho_corasick::automaton::Automaton as _;
use aho_corasick::nfa::contiguous::NFA;

use super::compiler::Compiler;
use super::reply::{Reply, SHORT_DIAGNOSTIC_BYTES, ShortReply};
use super::rule::{CodeRule, Rule};
use super::rules;
use super::stored::{CLASSES, StoredOpinion, is_rule_id};
use super::{ExtraRule, Fault, Opinion, RuleError};
use crate::{Class, EnhancedStatusCode};

/// The groups of rules, in the order in which they decide. Within a group the first rule decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// An operator's or a provider's rule that does not say HARD.
    Special,
    Veto,
    /// An operator's or a provider's rule that says HARD.
    SpecialHard,
    Passing,
    BadDomain,
    UnknownUser,
}

const STAGES: usize = Stage::UnknownUser as usize + 1;

/// Most parts that follow another one, over all patterns: how far each has come is kept on the stack.
pub(super) const MAX_CHAINED_PARTS: usize = 256;

/// A rule as it is looked up when one of its phrases is found.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) id: Cow<'static, str>,
    pub(super) stage: Stage,
    pub(super) class: Option<Class>,
    pub(super) fault: Fault,
}

/// What follows when a phrase is found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Use {
    pub(super) rule: u16,
    pub(super) stage: Stage,
    /// The chained part that this one completes, and how near it must be; none for the first part of a pattern.
    pub(super) after: Option<(u16, u16)>,
    /// The chained part that comes next; none for the last part of a pattern.
    pub(super) then: Option<u16>,
}

/// Where the parts of a pattern were found so far.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    start: u16,
    /// 0 while it was not found.
    end: u16,
}

/// A rule that was found, and where.
#[derive(Debug, Clone, Copy)]
struct Hit {
    rule: u16,
    start: u16,
    end: u16,
}

/// A phrase: how long it is, and which of the uses are its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Phrase {
    pub(super) len: usize,
    pub(super) first_use: usize,
    pub(super) last_use: usize,
}

/// What decided, and where it stands in the folded text.
struct Decision<'r> {
    class: Option<Class>,
    fault: Fault,
    rule: Id<'r>,
    folded: Range<usize>,
}

/// The id of a rule.
struct Id<'r> {
    text: &'r str,
    /// The same, if it is one of the built-in rules, which nobody has to copy.
    builtin: Option<&'static str>,
}

impl<'r> Id<'r> {
    fn of(rule: &'r Compiled) -> Self {
        match &rule.id {
            Cow::Borrowed(id) => Self::builtin(id),
            Cow::Owned(id) => Self { text: id, builtin: None },
        }
    }

    fn builtin(id: &'static str) -> Self {
        Self { text: id, builtin: Some(id) }
    }

    fn to_stored(&self) -> Cow<'static, str> {
        self.builtin.map_or_else(|| self.text.to_owned().into(), Cow::Borrowed)
    }
}

/// A set of rules, compiled.
#[derive(Debug)]
pub struct Classifier {
    pub(super) automaton: NFA,
    pub(super) phrases: Vec<Phrase>,
    pub(super) uses: Vec<Use>,
    pub(super) rules: Vec<Compiled>,
}

impl Classifier {
    /// The built-in rules behind an operator's own.
    ///
    /// # Errors
    ///
    /// [`RuleError`] for a rule that cannot be read, and for one whose examples do not hold.
    pub fn with_extra(extra: &[ExtraRule]) -> Result<Self, RuleError> {
        let mut ids: HashSet<&str> = rules::all().map(|(_, rule)| rule.id).chain(rules::codes().map(|rule| rule.id)).collect();
        for rule in extra {
            let wrong = |reason| Err(RuleError::Id { id: rule.id.clone(), reason });
            if !is_rule_id(&rule.id) {
                return wrong("an id is 1 to 24 lower-case letters, digits and hyphens");
            }
            if !ids.insert(&rule.id) {
                return wrong("another rule has this id");
            }
            if rule.class.is_some_and(|class| !CLASSES.contains(&class)) {
                return Err(RuleError::Class { id: rule.id.clone() });
            }
        }
        let classifier = Self::compile(extra)?;
        extra.iter().try_for_each(|rule| classifier.prove(rule))?;
        Ok(classifier)
    }

    /// Shows that a rule decides its examples, and no near miss.
    fn prove(&self, rule: &ExtraRule) -> Result<(), RuleError> {
        let examples = rule.examples.iter().map(|example| (example, true));
        for (example, expected) in examples.chain(rule.near_misses.iter().map(|example| (example, false))) {
            let decided_by = self.opinion(None, example).map(|opinion| opinion.rule);
            if (decided_by == Some(&*rule.id)) != expected {
                let decided_by = decided_by.map(str::to_owned);
                return Err(RuleError::Example { id: rule.id.clone(), example: example.clone(), decided_by });
            }
        }
        Ok(())
    }

    /// Compiles the rules, without a look at their examples.
    pub(super) fn compile(extra: &[ExtraRule]) -> Result<Self, RuleError> {
        let mut compiler = Compiler::default();
        for rule in extra {
            let stage = if rule.class == Some(Class::Hard) { Stage::SpecialHard } else { Stage::Special };
            let decided = Compiled { id: rule.id.clone().into(), stage, class: rule.class, fault: rule.fault };
            compiler.add(decided, rule.patterns.iter().map(String::as_str))?;
        }
        for (group, rule) in rules::all() {
            let stage = stage(group, rule);
            let decided = Compiled { id: rule.id.into(), stage, class: rule.class, fault: rule.fault };
            compiler.add(decided, rule.patterns.iter().copied())?;
        }
        compiler.finish()
    }

    /// What is thought of a reply, by its words and by the event's status; `None` if nothing.
    ///
    /// Takes time in proportion to the first [`super::MAX_DIAGNOSTIC_BYTES`] of the text at most, and allocates nothing.
    #[must_use]
    pub fn opinion(&self, status: Option<EnhancedStatusCode>, diagnostic: &str) -> Option<Opinion<'_>> {
        if diagnostic.len() <= SHORT_DIAGNOSTIC_BYTES {
            self.opinion_on(&ShortReply::read(diagnostic), status)
        } else {
            self.opinion_on(&<Reply<'_>>::read(diagnostic), status)
        }
    }

    /// As [`opinion`](Self::opinion), as it is kept: without the words that decided, which it takes time to find again.
    #[must_use]
    pub fn stored_opinion(&self, status: Option<EnhancedStatusCode>, diagnostic: &str) -> Option<StoredOpinion> {
        let decision = if diagnostic.len() <= SHORT_DIAGNOSTIC_BYTES {
            self.judge(&ShortReply::read(diagnostic), status)
        } else {
            self.judge(&<Reply<'_>>::read(diagnostic), status)
        };
        decision.map(|Decision { class, fault, rule, .. }| StoredOpinion { class, fault, rule: rule.to_stored() })
    }

    fn opinion_on<const BYTES: usize>(
        &self,
        reply: &Reply<'_, BYTES>,
        status: Option<EnhancedStatusCode>,
    ) -> Option<Opinion<'_>> {
        let Decision { class, fault, rule, folded } = self.judge(reply, status)?;
        Some(Opinion { class, fault, rule: rule.text, matched: reply.origin(folded) })
    }

    fn judge<const BYTES: usize>(&self, reply: &Reply<'_, BYTES>, status: Option<EnhancedStatusCode>) -> Option<Decision<'_>> {
        let hits = self.hits(reply.folded());
        let by_words = |stages: Range<usize>| {
            let hit = hits[stages].iter().flatten().next()?;
            let rule = &self.rules[usize::from(hit.rule)];
            let transient = rule.class == Some(Class::Hard) && reply.codes().is_transient(usize::from(hit.start) + 1, status);
            Some(Decision {
                class: if transient { Some(Class::Soft) } else { rule.class },
                fault: rule.fault,
                rule: Id::of(rule),
                folded: usize::from(hit.start)..usize::from(hit.end),
            })
        };
        by_words(0..Stage::SpecialHard as usize)
            .or_else(|| by_code(reply, status, rules::VETO_CODES))
            .or_else(|| by_words(Stage::SpecialHard as usize..STAGES))
            .or_else(|| hard_by_code(reply, status))
            .or_else(|| by_code(reply, status, rules::OTHER_CODES))
    }

    /// The first rule of each stage that the text holds a phrase of.
    fn hits(&self, folded: &[u8]) -> [Option<Hit>; STAGES] {
        let mut hits = [None; STAGES];
        let mut progress = [Progress::default(); MAX_CHAINED_PARTS];
        let Ok(mut state) = self.automaton.start_state(Anchored::No) else { return hits };
        for (at, &byte) in folded.iter().enumerate() {
            state = self.automaton.next_state(Anchored::No, state, byte);
            if !self.automaton.is_special(state) || !self.automaton.is_match(state) {
                continue;
            }
            for nth in 0..self.automaton.match_len(state) {
                let phrase = self.phrases[self.automaton.match_pattern(state, nth).as_usize()];
                let start = at + 1 - phrase.len;
                for found in &self.uses[phrase.first_use..phrase.last_use] {
                    follow(*found, start..at + 1, &mut progress, &mut hits);
                }
            }
        }
        hits
    }
}

/// A phrase was found: the pattern that it belongs to has come one part further, or is complete.
fn follow(found: Use, place: Range<usize>, progress: &mut [Progress], hits: &mut [Option<Hit>; STAGES]) {
    let short = |place: usize| u16::try_from(place).unwrap_or(u16::MAX);
    let mut start = short(place.start);
    if let Some((part, gap)) = found.after {
        let before = progress[usize::from(part)];
        // Two phrases may share the blank between them.
        let passed_over = (start + 1).checked_sub(before.end).filter(|_| before.end > 0);
        if passed_over.is_none_or(|bytes| bytes > gap) {
            return;
        }
        start = before.start;
    }
    if let Some(part) = found.then {
        progress[usize::from(part)] = Progress { start, end: short(place.end) };
        return;
    }
    let hit = &mut hits[found.stage as usize];
    if hit.is_none_or(|first| found.rule < first.rule) {
        *hit = Some(Hit { rule: found.rule, start, end: short(place.end) });
    }
}

fn stage(group: rules::Group, rule: &Rule) -> Stage {
    match group {
        rules::Group::Provider if rule.class == Some(Class::Hard) => Stage::SpecialHard,
        rules::Group::Provider => Stage::Special,
        rules::Group::Veto => Stage::Veto,
        rules::Group::Passing => Stage::Passing,
        rules::Group::BadDomain => Stage::BadDomain,
        rules::Group::UnknownUser => Stage::UnknownUser,
    }
}

/// The first rule that any code falls under; a code in the text decides before the status.
fn by_code<const BYTES: usize>(
    reply: &Reply<'_, BYTES>,
    status: Option<EnhancedStatusCode>,
    rules: &'static [CodeRule],
) -> Option<Decision<'static>> {
    reply.codes().specific(status).find_map(|(code, place)| {
        let rule = rules.iter().find(|rule| rule.holds_for(code))?;
        Some(Decision { class: rule.class, fault: rule.fault, rule: Id::builtin(rule.id), folded: place })
    })
}

/// HARD by code alone: only if all codes that say something say so, and none is for the time being.
fn hard_by_code<const BYTES: usize>(reply: &Reply<'_, BYTES>, status: Option<EnhancedStatusCode>) -> Option<Decision<'static>> {
    let rule = &rules::HARD_CODES;
    let mut place = None;
    for (code, range) in reply.codes().specific(status) {
        if !rule.holds_for(code) || reply.codes().is_transient(range.end, status) {
            return None;
        }
        place = place.or(Some(range));
    }
    Some(Decision { class: rule.class, fault: rule.fault, rule: Id::builtin(rule.id), folded: place? })
}

impl CodeRule {
    fn holds_for(&self, code: EnhancedStatusCode) -> bool {
        self.codes.iter().any(|(class, subject, details)| {
            class.is_none_or(|class| class == code.class) && *subject == code.subject && details.contains(&code.detail)
        })
    }
}
