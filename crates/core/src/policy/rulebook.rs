//! A policy together with the rules by which opinions are formed.

use super::{Policy, file};
use crate::{Classifier, Error};

/// A policy, and the classifier with the operator's own rules in it. The default is the provider's policy and the built-in
/// rules.
#[derive(Debug, Default)]
pub struct Rulebook {
    /// How evidence is judged.
    pub policy: Policy,
    /// With the operator's rules; none if there are none.
    classifier: Option<Classifier>,
}

impl Rulebook {
    /// Reads a policy file; see `docs/operations/verdicts.md` for its keys.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidPolicy`], which says what is wrong and in which line: a key that there is none of, a value that cannot
    /// be used, a rule whose examples do not hold.
    pub fn from_toml(text: &str) -> Result<Self, Error> {
        let (policy, rules) = file::read(text)?;
        let classifier = if rules.is_empty() { None } else { Some(file::compile(text, &rules)?) };
        Ok(Self { policy, classifier })
    }

    /// Whether it has rules of the operator's own.
    #[must_use]
    pub fn has_rules(&self) -> bool {
        self.classifier.is_some()
    }

    /// What forms the second opinion on new events.
    #[must_use]
    pub fn classifier(&self) -> &Classifier {
        self.classifier.as_ref().unwrap_or_else(|| Classifier::builtin())
    }
}

impl From<Policy> for Rulebook {
    fn from(policy: Policy) -> Self {
        Self { policy, classifier: None }
    }
}
