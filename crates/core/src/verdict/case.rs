//! What a verdict is formed on.

use crate::{ManualEntry, Record};

/// What is known of an address when it is judged: its record, and what an operator entered for its whole domain.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    pub(super) record: &'a Record,
    pub(super) domain_entry: Option<&'a ManualEntry>,
}

impl<'a> Case<'a> {
    /// A record, with the entry of its address's whole domain if there is one, also one that has expired.
    #[must_use]
    pub fn new(record: &'a Record, domain_entry: Option<&'a ManualEntry>) -> Self {
        // What a whole domain's own record says holds for the domain.
        let own = record.manual.as_ref().filter(|_| record.address.is_whole_domain());
        Self { record, domain_entry: domain_entry.or(own) }
    }

    /// The same, less what is entered for the whole domain.
    pub(super) fn without_domain(self) -> Self {
        Self { domain_entry: None, ..self }
    }
}

/// A record alone: of the whole domain nothing is known, or nothing is asked.
impl<'a> From<&'a Record> for Case<'a> {
    fn from(record: &'a Record) -> Self {
        Self::new(record, None)
    }
}
