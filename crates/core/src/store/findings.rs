//! What a store finds about addresses that are to be judged: their own records, and what is entered for their whole domains.

use std::collections::HashMap;
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
    /// By their places, in order.
    known: Vec<(usize, Findings)>,
}

impl Found {
    /// Nothing, about so many addresses.
    pub(super) fn nothing(addresses: usize) -> Self {
        Self { addresses, known: Vec::new() }
    }

    /// About so many addresses, what is found about those at some places, which are in order.
    pub(super) fn new(addresses: usize, mut known: Vec<(usize, Findings)>) -> Self {
        known.retain(|(_, findings)| !findings.are_none());
        Self { addresses, known }
    }

    /// About how many addresses it is.
    #[must_use]
    pub fn addresses(&self) -> usize {
        self.addresses
    }

    /// What is known of each address, in their order.
    #[must_use]
    pub fn into_all(self) -> Vec<Findings> {
        let mut all = vec![Findings::default(); self.addresses];
        for (place, findings) in self.known {
            all[place] = findings;
        }
        all
    }

    /// What is known, with the places of the addresses, in their order. Of an address whose place is not there nothing is.
    #[must_use]
    pub fn into_known(self) -> Vec<(usize, Findings)> {
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
    /// that has one. Both are in order.
    pub(super) fn new(addresses: &[AddressRef<'_>], own: Vec<usize>, of_domains: Vec<usize>) -> Self {
        debug_assert!(own.is_sorted() && of_domains.is_sorted(), "places are in order");
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
        let mut of_domains = self.of_domains.into_iter().map(|(place, which)| (place, entries[which].clone())).peekable();
        let of_domain_alone = |(place, domain_entry)| (place, Findings { record: None, domain_entry });
        let mut known = Vec::with_capacity(self.own.len());
        for (place, record) in self.own.into_iter().zip(records) {
            while let Some(before) = of_domains.next_if(|(other, _)| *other < place) {
                known.push(of_domain_alone(before));
            }
            let domain_entry = of_domains.next_if(|(other, _)| *other == place).and_then(|(_, entry)| entry);
            known.push((place, Findings { record, domain_entry }));
        }
        known.extend(of_domains.map(of_domain_alone));
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
        let parts = |(place, found): &(usize, Findings)| (*place, found.record.is_some(), found.domain_entry.is_some());
        assert_eq!(
            known.iter().map(parts).collect::<Vec<_>>(),
            [(0, false, true), (1, true, false), (2, false, true), (3, true, false)]
        );
        // Of the second alone its own record was asked for.
        let inquiry = Inquiry::new(&addresses, vec![1], vec![0, 1, 2, 3]);
        let records = vec![Some(record("b@y.example")), Some(record("*@x.example")), Some(record("*@y.example"))];
        let known = inquiry.found(addresses.len(), records).unwrap().into_known();
        assert_eq!(known.iter().map(parts).collect::<Vec<_>>(), [(0, false, true), (1, true, true), (2, false, true)]);
    }

    #[test]
    fn only_what_is_known_has_a_place() {
        let addresses = ["a@x.example", "b@y.example", "c@x.example"].map(|text| text.parse::<Address>().unwrap());
        let asked = addresses.each_ref().map(AddressRef::from);
        let found = |records| Inquiry::new(&asked, vec![0, 2], vec![2]).found(addresses.len(), records).unwrap();
        assert_eq!(found(vec![None; 3]), Found::nothing(3));
        let known = found(vec![None, Some(Record::new(addresses[2].clone())), None]).into_known();
        assert_eq!(known.into_iter().map(|(place, _)| place).collect::<Vec<_>>(), [2]);
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
