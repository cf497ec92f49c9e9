//! Who may ask what: bearer tokens, and the two rights they give.

use std::sync::Arc;

use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use tonic::metadata::MetadataMap;
use tonic::service::Interceptor;
use tonic::{Request, Status};

use crate::Error;

/// Most tokens of one right: two, so that one can be replaced by the next without a gap.
pub const MAX_TOKENS: usize = 2;

/// The tokens. With none at all, everybody may do everything.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who presents one of them may check addresses.
    pub read_tokens: Vec<SecretString>,
    /// Who presents one of them may administrate, and check.
    pub admin_tokens: Vec<SecretString>,
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Read,
    Administrate,
}

impl Access {
    /// Whether no token is asked for.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.read_tokens.is_empty() && self.admin_tokens.is_empty()
    }

    /// Checks the tokens, before anything is bound.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if one of them is empty, or there are more than [`MAX_TOKENS`] of a right.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |reason: &str| Err(Error::InvalidSetting { setting: "tokens", reason: reason.to_owned() });
        for tokens in [&self.read_tokens, &self.admin_tokens] {
            if tokens.len() > MAX_TOKENS {
                return invalid("may hold two at most");
            }
            // Somebody meant to set it: neither open to all nor closed to all is what they wanted.
            if tokens.iter().any(|token| token.expose_secret().is_empty()) {
                return invalid("must not hold an empty one");
            }
        }
        Ok(())
    }

    /// Lets only those in who have the right.
    pub(crate) fn gate(self: &Arc<Self>, needed: Right) -> Gate {
        Gate { access: Arc::clone(self), needed }
    }

    fn admit(&self, metadata: &MetadataMap, needed: Right) -> Result<(), Status> {
        if self.is_open() {
            return Ok(());
        }
        let presented = bearer(metadata)
            .ok_or_else(|| Status::unauthenticated("a token is needed: send the metadata `authorization: Bearer <token>`"))?;
        let may_administrate = holds(&self.admin_tokens, presented);
        let may_read = may_administrate | holds(&self.read_tokens, presented);
        match needed {
            Right::Read | Right::Administrate if !bool::from(may_read) => Err(Status::unauthenticated("the token is wrong")),
            Right::Administrate if !bool::from(may_administrate) => {
                Err(Status::permission_denied("this token may check addresses; an admin token is needed here"))
            }
            Right::Read | Right::Administrate => Ok(()),
        }
    }
}

/// The token of the scheme `Bearer`, whose name may be in any case (RFC 9110, 11.1).
fn bearer(metadata: &MetadataMap) -> Option<&[u8]> {
    let value = metadata.get("authorization")?.as_bytes();
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Takes the same time wherever the two differ, and compares with every token. How long a token is may be found out.
fn holds(tokens: &[SecretString], presented: &[u8]) -> Choice {
    tokens.iter().fold(Choice::from(0), |held, token| held | token.expose_secret().as_bytes().ct_eq(presented))
}

/// Stands before a service.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    access: Arc<Access>,
    needed: Right,
}

impl Interceptor for Gate {
    fn call(&mut self, request: Request<()>) -> Result<Request<()>, Status> {
        self.access.admit(request.metadata(), self.needed)?;
        Ok(request)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    fn access(read: &[&str], admin: &[&str]) -> Access {
        let secrets = |tokens: &[&str]| tokens.iter().map(|token| SecretString::from(*token)).collect();
        Access { read_tokens: secrets(read), admin_tokens: secrets(admin) }
    }

    fn admit(access: &Access, authorization: &str, needed: Right) -> Result<(), Code> {
        let mut metadata = MetadataMap::new();
        metadata.insert("authorization", authorization.parse().unwrap());
        access.admit(&metadata, needed).map_err(|status| status.code())
    }

    #[test]
    fn a_right_needs_its_token() {
        let access = access(&["old", "new"], &["root"]);
        for token in ["Bearer old", "bearer new", "BEARER root"] {
            assert_eq!(admit(&access, token, Right::Read), Ok(()), "{token}");
        }
        assert_eq!(admit(&access, "Bearer root", Right::Administrate), Ok(()));
        assert_eq!(admit(&access, "Bearer old", Right::Administrate), Err(Code::PermissionDenied));
        for wrong in ["", "old", "Bearer", "Bearer ", "Bearer ol", "Bearer oldx", "Basic old"] {
            assert_eq!(admit(&access, wrong, Right::Read), Err(Code::Unauthenticated), "{wrong}");
            assert_eq!(admit(&access, wrong, Right::Administrate), Err(Code::Unauthenticated), "{wrong}");
        }
        assert!(access.admit(&MetadataMap::new(), Right::Read).is_err());
    }

    #[test]
    fn one_kind_of_token_closes_both_halves() {
        assert_eq!(admit(&access(&["r"], &[]), "Bearer r", Right::Administrate), Err(Code::PermissionDenied));
        assert_eq!(admit(&access(&[], &["a"]), "Bearer x", Right::Read), Err(Code::Unauthenticated));
        assert_eq!(admit(&access(&[], &[]), "", Right::Administrate), Ok(()));
    }

    #[test]
    fn three_tokens_or_an_empty_one_are_refused() {
        assert!(access(&["a", "b"], &["c", "d"]).validate().is_ok());
        assert!(access(&["a", "b", "c"], &[]).validate().is_err());
        assert!(access(&[], &[""]).validate().is_err());
    }
}
