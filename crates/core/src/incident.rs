//! Stretches of time whose evidence is not to be believed.

mod book;
mod scope;

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::by_hand::{reason, words};
use crate::{Error, Evidence, UnixSeconds};

pub use book::{IncidentBook, MAX_INCIDENTS};
pub use scope::Scope;

/// What an incident is known by: 16 hexadecimal digits, made of what it covers. The same thing opened twice is one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct IncidentId(u64);

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for IncidentId {
    type Err = Error;

    /// # Errors
    ///
    /// [`Error::InvalidField`] if it is not 16 hexadecimal digits.
    fn from_str(text: &str) -> Result<Self, Error> {
        let is_id = text.len() == 16 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let bits = u64::from_str_radix(text, 16).ok().filter(|_| is_id);
        bits.map(Self).ok_or_else(|| Error::InvalidField { field: "id", reason: "must be 16 hexadecimal digits".into() })
    }
}

impl TryFrom<String> for IncidentId {
    type Error = Error;

    fn try_from(text: String) -> Result<Self, Error> {
        text.parse()
    }
}

impl From<IncidentId> for String {
    fn from(id: IncidentId) -> Self {
        id.to_string()
    }
}

/// Something that was done to an incident.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Act {
    /// When.
    pub at: UnixSeconds,
    /// Who did it; at most [`MAX_NOTE_BYTES`](crate::MAX_NOTE_BYTES).
    pub who: String,
    /// Why; at most [`MAX_NOTE_BYTES`](crate::MAX_NOTE_BYTES).
    pub why: String,
}

impl Act {
    /// Something that was done.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] if who or why is longer than [`MAX_NOTE_BYTES`](crate::MAX_NOTE_BYTES) or holds a control character, or why is empty.
    pub fn new(at: UnixSeconds, who: &str, why: &str) -> Result<Self, Error> {
        Ok(Self { at, who: words("who", who)?, why: reason("why", why)? })
    }
}

/// Who opened an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Origin {
    /// A person.
    Operator,
    /// The outage guard.
    Guard,
}

/// Where an incident stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum IncidentState {
    /// In force, and nobody has looked at it yet: the guard opened it.
    Awaiting,
    /// In force.
    Open,
    /// Of no effect.
    Closed,
}

impl IncidentState {
    /// All states.
    pub const ALL: [Self; 3] = [Self::Awaiting, Self::Open, Self::Closed];

    /// The lower-case name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Awaiting => "awaiting",
            Self::Open => "open",
            Self::Closed => "closed",
        }
    }
}

/// A provider's or a network's fault that made good recipients bounce. While it is in force, verdicts leave out what it covers;
/// nothing stored is changed, and late events of it are covered too.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// What it covers.
    #[serde(flatten)]
    pub scope: Scope,
    /// Who opened it.
    pub origin: Origin,
    /// When and why it was opened, latest.
    pub opened: Act,
    /// When and why an operator kept what the guard had opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kept: Option<Act>,
    /// When and why it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Act>,
}

impl Incident {
    /// An incident that is opened now. The scope is to be normal.
    #[must_use]
    pub fn opened(scope: Scope, origin: Origin, opened: Act) -> Self {
        Self { scope, origin, opened, kept: None, closed: None }
    }

    /// What it is known by.
    #[must_use]
    pub fn id(&self) -> IncidentId {
        self.scope.id()
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self) -> IncidentState {
        match (self.origin, &self.kept, &self.closed) {
            (_, _, Some(_)) => IncidentState::Closed,
            (Origin::Guard, None, None) => IncidentState::Awaiting,
            (Origin::Guard | Origin::Operator, _, None) => IncidentState::Open,
        }
    }

    /// Whether verdicts leave out what it covers.
    #[must_use]
    pub fn is_in_force(&self) -> bool {
        self.closed.is_none()
    }
}

/// The incidents that are in force.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incidents {
    in_force: Vec<Incident>,
    /// Domains that records have in the place of those that incidents name.
    domains: BTreeMap<Box<str>, Box<str>>,
}

impl Incidents {
    /// Those of these incidents that are in force.
    #[must_use]
    pub fn new(incidents: impl IntoIterator<Item = Incident>) -> Self {
        Self { in_force: incidents.into_iter().filter(Incident::is_in_force).collect(), domains: BTreeMap::new() }
    }

    /// These, and one more.
    #[must_use]
    pub fn with(mut self, incident: Incident) -> Self {
        self.in_force.extend(Some(incident).filter(Incident::is_in_force));
        self
    }

    /// These, going by what `listed` gives in the place of a domain, too, if it gives anything: where domains are hashed, records
    /// that are listed do not have those that incidents name.
    #[must_use]
    pub fn with_listed_domains(mut self, listed: impl Fn(&str) -> Option<Box<str>>) -> Self {
        let named = self.in_force.iter().filter_map(|incident| incident.scope.domain.clone());
        self.domains = named.filter_map(|domain| Some((listed(&domain)?, domain))).collect();
        self
    }

    /// The first of them that covers a piece of evidence about a recipient of that domain.
    #[must_use]
    pub fn covering(&self, domain: &str, evidence: &Evidence) -> Option<&Incident> {
        let domain = self.domains.get(domain).map_or(domain, |named| named);
        self.in_force.iter().find(|incident| incident.scope.covers(domain, evidence))
    }

    /// What they cover, in the order in which they were opened first.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        self.in_force.iter().map(|incident| &incident.scope)
    }

    /// How many of them are in a state.
    #[must_use]
    pub fn count(&self, state: IncidentState) -> usize {
        self.in_force.iter().filter(|incident| incident.state() == state).count()
    }
}

#[cfg(test)]
mod tests;
