//! Addresses that lie in a text together: who asks about thousands need not have memory for each.

use std::fmt;

use super::{Address, EVERYBODY, plain};
use crate::Error;

/// An [`Address`] in somebody else's text.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct AddressRef<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> AddressRef<'a> {
    /// The whole address. Not for logs, metrics or errors.
    #[must_use]
    pub fn as_str(self) -> &'a str {
        self.text
    }

    /// The address that stands for its whole domain.
    #[must_use]
    pub fn whole_domain(self) -> Address {
        Address::of_parts(EVERYBODY, self.domain())
    }

    /// Whether it stands for a whole domain.
    #[must_use]
    pub fn is_whole_domain(self) -> bool {
        self.local_part() == EVERYBODY
    }

    /// What stands before the domain. Not for logs, metrics or errors.
    pub(crate) fn local_part(self) -> &'a str {
        &self.text[..self.at]
    }

    /// The domain, in lower-case ASCII.
    #[must_use]
    pub fn domain(self) -> &'a str {
        &self.text[self.at + 1..]
    }

    /// The same with a text of its own.
    #[must_use]
    pub fn to_address(self) -> Address {
        Address { text: self.text.into(), at: self.at }
    }
}

impl<'a> From<&'a Address> for AddressRef<'a> {
    fn from(address: &'a Address) -> Self {
        Self { text: &address.text, at: address.at }
    }
}

/// Shows the first character and the domain: enough to follow a case in a log, too little to mail to.
impl fmt::Debug for AddressRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let first = self.text.chars().next().unwrap_or('?');
        write!(f, "{first}***@{}", self.domain())
    }
}

/// Addresses, one behind the other in one text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddressList {
    text: String,
    /// Of each address, where its @ is in the text, and where it ends.
    places: Vec<(usize, usize)>,
}

impl AddressList {
    /// Reads addresses that mail can be sent to, each as [`Address::recipient`] reads it. Gives those that are, and of the others their
    /// places among all, in order, and what is wrong with them.
    #[must_use]
    pub fn recipients<'a>(inputs: impl ExactSizeIterator<Item = &'a str> + Clone) -> (Self, Vec<(usize, Error)>) {
        let mut text = String::with_capacity(inputs.clone().map(str::len).sum());
        let mut places = Vec::with_capacity(inputs.len());
        let mut refused = Vec::new();
        for (place, input) in inputs.enumerate() {
            let begin = text.len();
            let at = if let Some(at) = plain::at_of(input) {
                text.push_str(input);
                Ok(at)
            } else {
                Address::recipient(input).map(|address| {
                    text.push_str(&address.text);
                    address.at
                })
            };
            match at {
                Ok(at) => places.push((begin + at, text.len())),
                Err(error) => refused.push((place, error)),
            }
        }
        // All at once, which is quicker; those that were read by all rules have small letters already.
        text.make_ascii_lowercase();
        (Self { text, places }, refused)
    }

    /// All of them, in their order.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = AddressRef<'_>> {
        let mut begin = 0;
        self.places.iter().map(move |(at, end)| {
            let address = AddressRef { text: &self.text[begin..*end], at: at - begin };
            begin = *end;
            address
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn a_list_holds_what_its_addresses_are_one_by_one(
            inputs in prop::collection::vec(prop_oneof!["[A-Za-z.]{1,6}@[A-Za-z]{1,4}\\.[A-Z]{2}", "\\PC{0,6}@\\PC{0,6}", "[*]@x.example"], 0..12),
        ) {
            let (list, refused) = AddressList::recipients(inputs.iter().map(String::as_str));
            let (mut alone, mut refused_alone) = (Vec::new(), Vec::new());
            for (place, input) in inputs.iter().enumerate() {
                match Address::recipient(input) {
                    Ok(address) => alone.push(address),
                    Err(error) => refused_alone.push((place, error)),
                }
            }
            prop_assert_eq!(refused, refused_alone);
            prop_assert_eq!(list.iter().map(AddressRef::to_address).collect::<Vec<_>>(), alone.clone());
            for (listed, address) in list.iter().zip(&alone) {
                prop_assert_eq!(listed, AddressRef::from(address));
                prop_assert_eq!((listed.domain(), listed.is_whole_domain()), (address.domain(), false));
                prop_assert_eq!(format!("{listed:?}"), format!("{address:?}"));
            }
        }
    }
}
