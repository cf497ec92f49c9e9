//! Tokens that are bound to an account: they may check by its evidence, and nothing else.

use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq as _;
use suppressd_core::event::wire::label;
use tonic::Status;

use super::{Access, Right, holds};
use crate::Error;

/// Most accounts with tokens of their own. A token that is bound to one is compared with those of all.
pub const MAX_ACCOUNTS: usize = 64;

/// The methods that look at what a token is bound to. What others tell is of every account.
const METHODS: [&str; 3] = [
    "/suppression.v1.SuppressionService/IsSuppressed",
    "/suppression.v1.SuppressionService/BatchIsSuppressed",
    "/suppression.v1.SuppressionService/StreamIsSuppressed",
];

/// The tokens of one account; at most [`super::MAX_TOKENS`].
#[derive(Debug, Clone)]
pub struct AccountTokens {
    bound: Bound,
    tokens: Vec<SecretString>,
}

impl AccountTokens {
    /// Who presents one of the tokens may check by the evidence of that account (`rcvSmtpUser`).
    #[must_use]
    pub fn new(account: &str, tokens: Vec<SecretString>) -> Self {
        Self { bound: Bound(label(account).into()), tokens }
    }

    /// The account, as it is kept with events.
    #[must_use]
    pub fn account(&self) -> &str {
        &self.bound.0
    }

    pub(super) fn tokens(&self) -> &Vec<SecretString> {
        &self.tokens
    }
}

/// The account that a call's token is bound to. Goes along with the call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Bound(Arc<str>);

impl Bound {
    pub(super) fn admitted_to(self, path: &str, needed: Right) -> Result<Self, Status> {
        match needed {
            Right::Read if METHODS.contains(&path) => Ok(self),
            Right::Read | Right::Administrate => {
                Err(Status::permission_denied("this token may only check addresses for its account"))
            }
        }
    }
}

/// The account by whose evidence a call is answered, if it is to be of one: the one that it names, and that its token may see.
pub(crate) fn account_of<'a>(bound: Option<&'a Bound>, named: &'a str) -> Result<&'a str, Status> {
    let Some(Bound(account)) = bound else { return Ok(named) };
    let asked_for = label(named);
    if asked_for.is_empty() || *asked_for == **account {
        return Ok(account);
    }
    Err(Status::permission_denied("this token is bound to another account than the request names"))
}

/// Which account the token is of.
pub(super) fn find(accounts: &[AccountTokens], presented: &[u8]) -> Option<Bound> {
    // All are compared, so how long it takes does not tell which one it is.
    let of_all = accounts.iter().map(|account| (bool::from(holds(&account.tokens, presented)), &account.bound));
    of_all.fold(None, |found, (is_held, bound)| if is_held { Some(bound) } else { found }).cloned()
}

/// Refuses what could be meant in two ways.
pub(super) fn validate(access: &Access) -> Result<(), Error> {
    let invalid = |reason: String| Err(Error::InvalidSetting { setting: "account tokens", reason });
    let accounts = &access.account_tokens;
    if accounts.len() > MAX_ACCOUNTS {
        return invalid(format!("are of {} accounts; {MAX_ACCOUNTS} at most", accounts.len()));
    }
    for (number, AccountTokens { bound, tokens }) in accounts.iter().enumerate() {
        if bound.0.is_empty() || tokens.is_empty() {
            return invalid("must each be of an account with a name".to_owned());
        }
        let others = &accounts[..number];
        if others.iter().any(|other| other.bound == *bound) {
            return invalid("name an account twice".to_owned());
        }
        let rights = [&access.read_tokens, &access.admin_tokens].into_iter();
        let mut taken = rights.chain(others.iter().map(AccountTokens::tokens)).flatten();
        let is_one_of_them = |other: &SecretString| {
            let same =
                |token: &SecretString| bool::from(token.expose_secret().as_bytes().ct_eq(other.expose_secret().as_bytes()));
            tokens.iter().any(same)
        };
        if taken.any(is_one_of_them) {
            return invalid("must not be tokens of anything else as well".to_owned());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderMap;
    use http::header::AUTHORIZATION;
    use tonic::Code;

    fn secrets(tokens: &[&str]) -> Vec<SecretString> {
        tokens.iter().map(|token| SecretString::from(*token)).collect()
    }

    fn access(accounts: &[(&str, &[&str])]) -> Access {
        let account_tokens = accounts.iter().map(|(name, tokens)| AccountTokens::new(name, secrets(tokens))).collect();
        Access { read_tokens: secrets(&["reader"]), admin_tokens: secrets(&["root"]), account_tokens }
    }

    fn admit(access: &Access, token: &str, path: &str, needed: Right) -> Result<Option<String>, Code> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, format!("Bearer {token}").parse().unwrap())]);
        let bound = access.admit(&headers, path, needed).map_err(|status| status.code())?;
        Ok(bound.map(|Bound(account)| account.as_ref().to_owned()))
    }

    #[test]
    fn a_token_of_an_account_checks_for_it_and_does_nothing_else() {
        let access = access(&[("shop", &["s1", "s2"]), (" news ", &["n"])]);
        assert!(access.validate().is_ok());
        for method in METHODS {
            assert_eq!(admit(&access, "s2", method, Right::Read), Ok(Some("shop".to_owned())));
            assert_eq!(admit(&access, "n", method, Right::Read), Ok(Some("news".to_owned())));
            assert_eq!(admit(&access, "reader", method, Right::Read), Ok(None));
            assert_eq!(admit(&access, "s", method, Right::Read), Err(Code::Unauthenticated));
        }
        let other = "/suppression.v1.SuppressionService/WhatComesLater";
        assert_eq!(admit(&access, "s1", other, Right::Read), Err(Code::PermissionDenied));
        assert_eq!(admit(&access, "s1", METHODS[0], Right::Administrate), Err(Code::PermissionDenied));
    }

    #[test]
    fn a_call_is_answered_for_the_account_of_its_token() {
        let bound = Bound("shop".into());
        for named in ["", "  ", "shop", " shop "] {
            assert_eq!(account_of(Some(&bound), named).unwrap(), "shop", "{named:?}");
        }
        for named in ["news", "Shop", "shop2"] {
            assert_eq!(account_of(Some(&bound), named).unwrap_err().code(), Code::PermissionDenied, "{named}");
        }
        assert_eq!(account_of(None, "news").unwrap(), "news");
    }

    #[test]
    fn what_could_be_meant_in_two_ways_is_refused() {
        for accounts in [
            &[("shop", &["a", "b", "c"] as &[&str])] as &[(&str, &[&str])],
            &[("shop", &[])],
            &[("shop", &[""])],
            &[(" ", &["a"])],
            &[("shop", &["a"]), ("shop ", &["b"])],
            &[("shop", &["a"]), ("news", &["a"])],
            &[("shop", &["reader"])],
            &[("shop", &["root"])],
        ] {
            assert!(access(accounts).validate().is_err(), "{accounts:?}");
        }
        let names: Vec<String> = (0..=MAX_ACCOUNTS).map(|number| format!("n{number}")).collect();
        let tokens: Vec<[&str; 1]> = names.iter().map(|name| [name.as_str()]).collect();
        let many: Vec<(&str, &[&str])> =
            names.iter().zip(&tokens).map(|(name, token)| (name.as_str(), token.as_slice())).collect();
        assert!(access(&many).validate().is_err() && access(&many[1..]).validate().is_ok());
    }
}
