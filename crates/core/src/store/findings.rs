//! What a store finds about addresses that are to be judged: their own records, and what is entered for their whole domains.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::{Address, AddressRef, Error, ManualEntry, Record};

/// What is found about one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Findings {
    /// Its own record, if it has one.
    pub record: Option<Record>,
    /// What an operator entered for its whole domain, also if that has expired; none for an address that itself stands for one.
    pub domain_entry: Option<Arc<ManualEntry>>,
}

impl Findings {
    /// Whether nothing is known of it.
    #[must_use]
    pub fn are_none(&self) -> bool {
        self.record.is_none() && self.domain_entry.is_none()
    }
}

/// What is found about some addresses: of most of them nothing is known, and only what is known of the others stands here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    addresses: usize,
    known: BTreeMap<usize, Findings>,
}

impl Found {
    /// Nothing, about so many addresses.
    pub(super) fn nothing(addresses: usize) -> Self {
        Self { addresses, known: BTreeMap::new() }
    }

    /// About so many addresses, what is found about those at some places.
    pub(super) fn new(addresses: usize, mut known: BTreeMap<usize, Findings>) -> Self {
        known.retain(|_, findings| !findings.are_none());
        Self { addresses, known }
    }

    /// About how many addresses it is.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.addresses
    }

    /// What is known of each address, in their order.
    #[must_use]
    pub fn into_all(mut self) -> Vec<Findings> {
        (0..self.addresses).map(|place| self.known.remove(&place).unwrap_or_default()).collect()
    }

    /// What is known, by the places of the addresses. Of an address whose place is not there nothing is.
    #[must_use]
    pub fn into_known(self) -> BTreeMap<usize, Findings> {
        self.known
    }
}

/// Which records have to be read for the findings about some addresses: all of them in one call, and each whole domain's once.
pub(super) struct Inquiry {
    /// Addresses whose own records are read, and behind them the whole domains.
    asked: Vec<Address>,
    /// The places of those addresses.
    own: Vec<usize>,
    /// Places of addresses whose whole domains' records are read, and which of those.
    of_domains: Vec<(usize, usize)>,
}

impl Inquiry {
    /// About addresses whose own records and whose whole domains' records may be there.
    pub(super) fn about_all(addresses: &[AddressRef<'_>]) -> Self {
        Self::new(addresses, (0..addresses.len()).collect(), (0..addresses.len()).collect())
    }

    /// About addresses of which those at the places `own` may have a record, and those at the places `of_domains` a whole domain
    /// that has one.
    pub(super) fn new(addresses: &[AddressRef<'_>], own: Vec<usize>, of_domains: Vec<usize>) -> Self {
        let mut asked: Vec<Address> = own.iter().map(|place| addresses[*place].to_address()).collect();
        let mut domains: HashMap<&str, usize> = HashMap::new();
        // The record of an address that stands for a whole domain is its own.
        let of_recipients = of_domains.into_iter().filter(|place| !addresses[*place].is_whole_domain());
        let which = |place: usize| {
            let next = domains.len();
            let which = *domains.entry(addresses[place].domain()).or_insert(next);
            if which == next {
                asked.push(addresses[place].whole_domain());
            }
            (place, which)
        };
        let of_domains = of_recipients.map(which).collect();
        Self { asked, own, of_domains }
    }

    /// Whose records are to be read.
    pub(super) fn asked(&self) -> &[Address] {
        &self.asked
    }

    /// What is found about so many addresses, from the records that were read.
    ///
    /// # Errors
    ///
    /// If there are not as many records as were asked for.
    pub(super) fn found(self, addresses: usize, mut records: Vec<Option<Record>>) -> Result<Found, Error> {
        if records.len() != self.asked.len() {
            return Err(Error::StoreFailed { reason: "the store gave too few or too many records".into() });
        }
        let of_domains = records.split_off(self.own.len());
        let entries: Vec<Option<Arc<ManualEntry>>> =
            of_domains.into_iter().map(|record| record.and_then(|record| record.manual).map(Arc::new)).collect();
        let own = self.own.into_iter().zip(records).map(|(place, record)| (place, Findings { record, domain_entry: None }));
        let mut known: BTreeMap<usize, Findings> = own.collect();
        for (place, which) in self.of_domains {
            known.entry(place).or_default().domain_entry.clone_from(&entries[which]);
        }
        Ok(Found::new(addresses, known))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::UnixSeconds;

    #[test]
    fn each_address_gets_its_own_record_and_its_domain_s_entry() {
        let addresses = ["a@x.example", "b@y.example", "c@x.example", "*@x.example"].map(|text| text.parse::<Address>().unwrap());
        let addresses = addresses.each_ref().map(AddressRef::from);
        let inquiry = Inquiry::about_all(&addresses);
        let asked: Vec<_> = inquiry.asked().iter().map(Address::as_str).collect();
        assert_eq!(asked, ["a@x.example", "b@y.example", "c@x.example", "*@x.example", "*@x.example", "*@y.example"]);
        let entry = ManualEntry {
            since: UnixSeconds::default(),
            until: None,
            who: "ops".into(),
            note: "asked to".into(),
            request_id: None,
        };
        let record = |text: &str| {
            let mut record = Record::new(text.parse().unwrap());
            record.manual = Some(entry.clone());
            record
        };
        let records =
            vec![None, Some(record("b@y.example")), None, Some(record("*@x.example")), Some(record("*@x.example")), None];
        let found = inquiry.found(addresses.len(), records).unwrap();
        assert_eq!(found.addresses(), 4);
        let known = found.into_known();
        let known: Vec<_> = known.values().map(|found| (found.record.is_some(), found.domain_entry.is_some())).collect();
        assert_eq!(known, [(false, true), (true, false), (false, true), (true, false)]);
    }

    #[test]
    fn only_what_is_known_has_a_place() {
        let addresses = ["a@x.example", "b@y.example", "c@x.example"].map(|text| text.parse::<Address>().unwrap());
        let asked = addresses.each_ref().map(AddressRef::from);
        let found = |records| Inquiry::new(&asked, vec![0, 2], vec![2]).found(addresses.len(), records).unwrap();
        assert_eq!(found(vec![None; 3]), Found::nothing(3));
        let known = found(vec![None, Some(Record::new(addresses[2].clone())), None]).into_known();
        assert_eq!(known.into_keys().collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn what_does_not_fit_the_question_is_an_error() {
        let address = "a@x.example".parse().unwrap();
        let addresses = [AddressRef::from(&address)];
        for records in [vec![], vec![None], vec![None; 3]] {
            assert!(Inquiry::about_all(&addresses).found(1, records).is_err());
        }
    }
}
