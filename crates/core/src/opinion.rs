//! The second opinion: what the receiving server's own words say, where the provider's category says nothing.
//!
//! Many real bounces come as `other` or `policy-related` and can be told only by their status (RFC 3463) and their text. The
//! rules are data (the tables under `opinion/rules`, each with examples that run as tests), and their order is fixed:
//!
//! 1. the reply is unwrapped: relays' prefixes, continuation lines, host names, remains of encodings (`reply`)
//! 2. rules of an operator, then of single providers
//! 3. the **veto**: cues of reputation, authentication, sender, content and rate never give HARD, whatever the code; a
//!    provider's rule that would say HARD waits behind it
//! 4. a full or inactive mailbox, relaying, time and trouble on the way
//! 5. a bad domain, then an unknown user; under a 4xx code never above SOFT
//! 6. enhanced status codes: just 5.1.1, 5.1.2, 5.1.3, 5.1.6 and 5.1.10 are HARD
//! 7. else nothing
//!
//! All phrases of all rules are looked for at once, in one pass over at most [`MAX_DIAGNOSTIC_BYTES`], without an allocation.

mod classifier;
mod codes;
mod compiler;
mod letters;
mod pattern;
mod reply;
mod rule;
mod rules;
mod stored;

use std::ops::Range;
use std::sync::LazyLock;

pub use classifier::Classifier;
pub use reply::MAX_DIAGNOSTIC_BYTES;
pub use rule::{ExtraRule, MAX_RULE_ID_BYTES, Rule, RuleError};
pub use stored::StoredOpinion;
pub(crate) use stored::is_rule_id;

use crate::{BounceCategory, Class, EnhancedStatusCode};

/// Whose fault a bounce is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Fault {
    /// The mailbox or its domain.
    Recipient,
    /// The sender: its reputation, authentication, address, volume.
    Sender,
    /// The message.
    Content,
    /// Something between the two, or the receiving system.
    Infrastructure,
}

impl Fault {
    /// All faults.
    pub const ALL: [Self; 4] = [Self::Recipient, Self::Sender, Self::Content, Self::Infrastructure];

    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Recipient => "recipient",
            Self::Sender => "sender",
            Self::Content => "content",
            Self::Infrastructure => "infrastructure",
        }
    }

    /// The letter with which it is stored, where bytes count.
    fn as_letter(self) -> u8 {
        match self {
            Self::Recipient => b'r',
            Self::Sender => b's',
            Self::Content => b'c',
            Self::Infrastructure => b'i',
        }
    }
}

/// What is thought of a bounce by its own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opinion<'r> {
    /// Hard, soft or expired; `None` where the words say nothing about the recipient, as a block of the sender does.
    pub class: Option<Class>,
    /// Whose fault it is.
    pub fault: Fault,
    /// The id of the rule that decided.
    pub rule: &'r str,
    /// The words that decided, in the diagnostic; empty if it was the status.
    pub matched: Range<usize>,
}

/// How an opinion differs from a category that the provider did map.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contradiction {
    /// The words say that the recipient does not exist, the category that it may pass.
    Harder,
    /// The category weighs on the recipient, and the words say less, or speak of somebody else's fault.
    Milder,
}

impl Opinion<'_> {
    /// Whether it contradicts the class that the provider documents for a category; never for a category that it does not map.
    /// Nothing follows from it by itself.
    #[must_use]
    pub fn contradicts(&self, category: &BounceCategory) -> Option<Contradiction> {
        self.to_stored().contradicts(category)
    }

    /// How it is kept with its event.
    #[must_use]
    pub fn to_stored(&self) -> StoredOpinion {
        self.into()
    }
}

/// The opinion of the built-in rules: of the status (`dsnStatus`) and the receiving server's words (`dsnDiag`).
///
/// ```
/// use suppressd_core::{Class, EnhancedStatusCode, opinion::{Fault, opinion}};
///
/// let words = "smtp;550 Sorry, there is no such user here.";
/// let opinion = opinion(EnhancedStatusCode::from_wire("5.0.0"), words).unwrap();
/// assert_eq!((opinion.class, opinion.fault), (Some(Class::Hard), Fault::Recipient));
/// assert_eq!(&words[opinion.matched.clone()], "no such user");
/// assert_eq!(opinion.to_stored().to_string(), "hr:unknown-user");
/// ```
#[must_use]
pub fn opinion(status: Option<EnhancedStatusCode>, diagnostic: &str) -> Option<Opinion<'static>> {
    Classifier::builtin().opinion(status, diagnostic)
}

/// The built-in rules by words, in the order in which they decide: to show and to explain them.
pub fn builtin_rules() -> impl Iterator<Item = &'static Rule> {
    rules::all().map(|(_, rule)| rule)
}

static BUILTIN: LazyLock<Classifier> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "the tables are constants, and the tests compile them")]
    Classifier::compile(&[]).expect("the built-in rules compile")
});

impl Classifier {
    /// The built-in rules, compiled at first use.
    #[must_use]
    pub fn builtin() -> &'static Self {
        &BUILTIN
    }
}

#[cfg(test)]
mod tests;
