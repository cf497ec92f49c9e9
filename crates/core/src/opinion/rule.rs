//! What a rule is: data, with the examples that it must hold for.

use thiserror::Error;

use super::Fault;
use crate::Class;

/// Longest id of a rule, in bytes: it is stored with each event that the rule judges.
pub const MAX_RULE_ID_BYTES: usize = 24;

/// A rule of the built-in tables.
#[derive(Debug)]
pub struct Rule {
    /// Its id: lower-case letters, digits and hyphens, at most [`MAX_RULE_ID_BYTES`].
    pub id: &'static str,
    /// Whose words they are; empty if everybody's.
    pub provider: &'static str,
    /// What is thought of a reply that matches; `None` where it says nothing about the recipient.
    pub class: Option<Class>,
    /// Whose fault it is.
    pub fault: Fault,
    /// Phrases, see [`ExtraRule::patterns`]; any of them will do.
    pub patterns: &'static [&'static str],
    /// Replies that this rule decides.
    pub examples: &'static [&'static str],
    /// Replies that look alike and that this rule must not decide.
    pub near_misses: &'static [&'static str],
}

/// A rule by enhanced status code.
#[derive(Debug)]
pub(super) struct CodeRule {
    pub(super) id: &'static str,
    /// The code's class if it must be a certain one, its subject, and a range of details.
    pub(super) codes: &'static [(Option<u8>, u16, std::ops::RangeInclusive<u16>)],
    pub(super) class: Option<Class>,
    pub(super) fault: Fault,
}

/// A rule that an operator adds. It comes before the built-in ones, but no rule makes a reply with a veto cue HARD.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraRule {
    /// Lower-case letters, digits and hyphens, at most [`MAX_RULE_ID_BYTES`]; no built-in rule may have it.
    pub id: String,
    /// What is thought of a reply that matches: hard, soft or expired; `None` where it says nothing about the recipient.
    pub class: Option<Class>,
    /// Whose fault it is.
    pub fault: Fault,
    /// Phrases; any of them will do. They match whole words whatever their case, accents and punctuation. `{full|over quota}` is
    /// one of several, `a ~ b` is `a` and close behind it `b`, `a .. b` is `b` further on, `word*` may go on, `@` is any address.
    pub patterns: Vec<String>,
    /// Replies that this rule must decide.
    pub examples: Vec<String>,
    /// Replies that it must not decide.
    pub near_misses: Vec<String>,
}

/// Why a rule was refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RuleError {
    /// The id is not one, or another rule has it.
    #[error("rule {id:?}: {reason}")]
    Id {
        /// The id as given.
        id: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// A pattern that cannot be read.
    #[error("pattern {pattern:?}: {reason}")]
    Pattern {
        /// The pattern, or the part of it.
        pattern: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A class that no second opinion can have.
    #[error("rule {id:?}: an opinion is hard, soft, expired or none")]
    Class {
        /// The rule.
        id: String,
    },
    /// An example that the rule does not decide, or a near miss that it does.
    #[error("rule {id:?}: {example:?} is decided by {decided_by:?}")]
    Example {
        /// The rule.
        id: String,
        /// The example.
        example: String,
        /// The rule that decides it, if any.
        decided_by: Option<String>,
    },
}

impl RuleError {
    pub(super) fn pattern(pattern: &str, reason: impl Into<String>) -> Self {
        Self::Pattern { pattern: pattern.to_owned(), reason: reason.into() }
    }
}
