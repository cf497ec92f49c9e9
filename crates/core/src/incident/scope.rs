//! What an incident covers.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::IncidentId;
use crate::address::named_domain;
use crate::event::wire::label;
use crate::{BounceCategory, Error, EventKind, Evidence, UnixSeconds};

/// Which evidence an incident covers. What is not given does not narrow it.
///
/// It is about bounces: a complaint is covered only by the rule `type:f`, since no fault of a server makes people complain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// From when, inclusive.
    pub from: UnixSeconds,
    /// To when, inclusive.
    pub to: UnixSeconds,
    /// Only evidence of this virtual MTA.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vmta: Option<Box<str>>,
    /// Only recipients of this domain, in its ASCII form.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub domain: Option<Box<str>>,
    /// Only evidence of this rule: `category:<bounce category>`, `opinion:<rule of the second opinion>`, or `type:f`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule: Option<Box<str>>,
}

impl Scope {
    /// Everything between two points in time, both inclusive.
    #[must_use]
    pub fn between(from: UnixSeconds, to: UnixSeconds) -> Self {
        Self { from, to, vmta: None, domain: None, rule: None }
    }

    /// Brings its parts into the form in which evidence has them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] for a part that could never cover anything.
    pub fn normalised(self) -> Result<Self, Error> {
        let invalid = |field, reason: &str| Err(Error::InvalidField { field, reason: reason.into() });
        if self.to < self.from {
            return invalid("to", "is before from");
        }
        let vmta = self.vmta.map(|vmta| label(&vmta)).filter(|vmta| !vmta.is_empty());
        let given = |part: Option<Box<str>>| part.filter(|part| !part.trim().is_empty());
        let domain = given(self.domain).map(|domain| named_domain(&domain)).transpose()?;
        let rule = match given(self.rule) {
            None => None,
            Some(rule) => match normal_rule(rule.trim()) {
                Some(rule) => Some(rule.into()),
                None => return invalid("rule", "must be category:<bounce category>, opinion:<rule>, a rule's id, or type:f"),
            },
        };
        Ok(Self { vmta, domain, rule, ..self })
    }

    /// What it is known by.
    #[must_use]
    pub fn id(&self) -> IncidentId {
        let mut parts = Sha256::new();
        let texts = [&self.vmta, &self.domain, &self.rule].map(|part| part.as_deref().unwrap_or_default());
        for part in [&self.from.get().to_string(), &self.to.get().to_string()].map(String::as_str).into_iter().chain(texts) {
            parts.update((part.len() as u64).to_be_bytes());
            parts.update(part.as_bytes());
        }
        let digest = parts.finalize();
        IncidentId(digest[..8].iter().fold(0, |bits, byte| bits << 8 | u64::from(*byte)))
    }

    /// Whether it covers a piece of evidence about a recipient of that domain.
    #[must_use]
    pub fn covers(&self, domain: &str, evidence: &Evidence) -> bool {
        (self.from..=self.to).contains(&evidence.time)
            && self.vmta.as_ref().is_none_or(|vmta| **vmta == *evidence.vmta)
            && self.domain.as_ref().is_none_or(|covered| **covered == *domain)
            && match &self.rule {
                Some(rule) => is_of_rule(evidence, rule),
                None => evidence.kind != EventKind::Complaint,
            }
    }
}

/// What stands before the name of a bounce category in a rule's name.
const CATEGORY: &str = "category:";

/// What stands before the id of a rule of the second opinion.
const OPINION: &str = "opinion:";

/// The rule of complaints.
const COMPLAINTS: &str = "type:f";

fn normal_rule(rule: &str) -> Option<String> {
    if rule == COMPLAINTS {
        return Some(rule.to_owned());
    }
    if let Some(category) = rule.strip_prefix(CATEGORY) {
        return Some(format!("{CATEGORY}{}", BounceCategory::from_wire(category).as_str()));
    }
    let id = rule.strip_prefix(OPINION).unwrap_or(rule);
    crate::opinion::is_rule_id(id).then(|| format!("{OPINION}{id}"))
}

fn is_of_rule(evidence: &Evidence, rule: &str) -> bool {
    let is_bounce = evidence.kind != EventKind::Complaint;
    if let Some(category) = rule.strip_prefix(CATEGORY) {
        return is_bounce && evidence.category.as_str() == category;
    }
    match rule.strip_prefix(OPINION) {
        Some(id) => evidence.second_opinion.as_ref().is_some_and(|opinion| *opinion.rule == *id),
        None => rule == COMPLAINTS && !is_bounce,
    }
}
