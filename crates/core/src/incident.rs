//! Stretches of time whose evidence is not to be believed.

use crate::{Evidence, UnixSeconds};

/// A provider's or a network's fault that made good recipients bounce. While it is open, verdicts leave out what it covers;
/// nothing stored is changed, and late events of it are covered too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incident {
    /// From when, inclusive.
    pub from: UnixSeconds,
    /// To when, inclusive.
    pub to: UnixSeconds,
    /// Only evidence of this virtual MTA.
    pub vmta: Option<Box<str>>,
    /// Only recipients of this domain, in its ASCII form.
    pub domain: Option<Box<str>>,
}

impl Incident {
    /// Whether it covers a piece of evidence about a recipient of that domain.
    #[must_use]
    pub fn covers(&self, domain: &str, evidence: &Evidence) -> bool {
        (self.from..=self.to).contains(&evidence.time)
            && self.vmta.as_ref().is_none_or(|vmta| *vmta == evidence.vmta)
            && self.domain.as_ref().is_none_or(|covered| **covered == *domain)
    }
}

/// The open incidents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Incidents(Vec<Incident>);

impl Incidents {
    /// These incidents.
    #[must_use]
    pub fn new(open: Vec<Incident>) -> Self {
        Self(open)
    }

    /// Whether one of them covers a piece of evidence about a recipient of that domain.
    #[must_use]
    pub fn cover(&self, domain: &str, evidence: &Evidence) -> bool {
        self.0.iter().any(|incident| incident.covers(domain, evidence))
    }
}
