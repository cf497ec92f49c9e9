//! Which of the suppressed addresses are listed.

use crate::address::named_domain;
use crate::{Address, Error, Reason, Suppression, UnixSeconds};

/// Which of the suppressed addresses are listed. What is not given does not narrow it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// Only those that are suppressed for this reason.
    pub reason: Option<Reason>,
    /// Only those of this domain, in its ASCII form.
    pub domain: Option<Box<str>>,
    /// What listed addresses may have in the place of that domain.
    pub listed_domain: Option<Box<str>>,
    /// Only those that are suppressed since then or later.
    pub since: Option<UnixSeconds>,
    /// Only those that are suppressed since then or earlier.
    pub until: Option<UnixSeconds>,
}

impl Selection {
    /// Brings its parts into the form in which addresses have them.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidField`] for a part that no address could ever have.
    pub fn normalised(self) -> Result<Self, Error> {
        if let (Some(since), Some(until)) = (self.since, self.until)
            && until < since
        {
            return Err(Error::InvalidField { field: "until", reason: "is before since".into() });
        }
        let domain = self.domain.filter(|domain| !domain.trim().is_empty());
        Ok(Self { domain: domain.map(|domain| named_domain(&domain)).transpose()?, ..self })
    }

    /// Whether it takes an address that is suppressed.
    #[must_use]
    pub fn takes(&self, address: &Address, suppression: &Suppression) -> bool {
        self.reason.is_none_or(|reason| reason == suppression.reason)
            && (self.domain.as_deref().is_none_or(|domain| domain == address.domain())
                || self.listed_domain.as_deref() == Some(address.domain()))
            && self.since.is_none_or(|since| since <= suppression.since)
            && self.until.is_none_or(|until| suppression.since <= until)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ManualEntry;

    const fn at(seconds: i64) -> UnixSeconds {
        UnixSeconds::clamped(seconds)
    }

    fn takes(selection: Selection) -> bool {
        let entry = ManualEntry { since: at(100), until: None, who: String::new(), note: String::new(), request_id: None };
        let address = "a@b\u{fc}cher.example".parse().unwrap();
        selection.normalised().unwrap().takes(&address, &Suppression::by_hand(&address, &entry))
    }

    #[test]
    fn all_parts_must_fit() {
        let all = Selection::default;
        assert!(takes(all()));
        assert!(takes(Selection { reason: Some(Reason::Manual), ..all() }));
        assert!(!takes(Selection { reason: Some(Reason::Complaint), ..all() }));
        for domain in ["B\u{fc}cher.example", " @xn--bcher-kva.example", "", " "] {
            assert!(takes(Selection { domain: Some(domain.into()), ..all() }), "{domain:?}");
        }
        for domain in ["example", "sub.xn--bcher-kva.example", "other.example"] {
            assert!(!takes(Selection { domain: Some(domain.into()), ..all() }), "{domain:?}");
        }
        assert!(takes(Selection { since: Some(at(100)), until: Some(at(100)), ..all() }));
        assert!(!takes(Selection { since: Some(at(101)), ..all() }));
        assert!(!takes(Selection { until: Some(at(99)), ..all() }));
        assert!(!takes(Selection { reason: Some(Reason::Manual), since: Some(at(101)), ..all() }));
    }

    #[test]
    fn what_nobody_could_fit_is_refused_by_its_field() {
        let refused = |selection: Selection| match selection.normalised() {
            Err(Error::InvalidField { field, .. }) => field,
            other => panic!("{other:?}"),
        };
        assert_eq!(refused(Selection { domain: Some("no domain".into()), ..Selection::default() }), "domain");
        assert_eq!(refused(Selection { since: Some(at(2)), until: Some(at(1)), ..Selection::default() }), "until");
    }
}
