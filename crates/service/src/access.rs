//! Who may ask what: bearer tokens, and the rights they give.

mod bound;

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::{ExposeSecret, SecretString};
use subtle::{Choice, ConstantTimeEq};
use tonic::Status;
use tonic::body::Body;
use tonic::server::NamedService;
use tower::Service;

use crate::Error;
use crate::proto::suppression_service_server::SERVICE_NAME as CHECKS;

pub use bound::{AccountTokens, MAX_ACCOUNTS};
pub(crate) use bound::{Bound, account_of};

/// Most tokens of one right, or of one account: two, so that one can be replaced by the next without a gap.
pub const MAX_TOKENS: usize = 2;

/// The tokens. With none at all, everybody may do everything.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Who presents one of them may check addresses.
    pub read_tokens: Vec<SecretString>,
    /// Who presents one of them may administrate, and check.
    pub admin_tokens: Vec<SecretString>,
    /// Who presents one of them may check by the evidence of its account, and nothing else; at most [`MAX_ACCOUNTS`].
    pub account_tokens: Vec<AccountTokens>,
}

/// What a call needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Right {
    Read,
    Administrate,
}

impl Right {
    /// What calls of a service need. What is not known to be for readers is for administrators.
    pub(crate) fn needed_by(service: &str) -> Self {
        if service == CHECKS { Self::Read } else { Self::Administrate }
    }
}

impl Access {
    /// Whether no token is asked for.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.read_tokens.is_empty() && self.admin_tokens.is_empty() && self.account_tokens.is_empty()
    }

    /// Checks the tokens, before anything is bound.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] if one of them is empty, there are more than [`MAX_TOKENS`] of a right or of an account, or one
    /// stands for two things.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |reason: &str| Err(Error::InvalidSetting { setting: "tokens", reason: reason.to_owned() });
        for tokens in
            [&self.read_tokens, &self.admin_tokens].into_iter().chain(self.account_tokens.iter().map(AccountTokens::tokens))
        {
            if tokens.len() > MAX_TOKENS {
                return invalid("may hold two at most");
            }
            // Somebody meant to set it: neither open to all nor closed to all is what they wanted.
            if tokens.iter().any(|token| token.expose_secret().is_empty()) {
                return invalid("must not hold an empty one");
            }
        }
        bound::validate(self)
    }

    /// Lets only those in who have the right.
    pub(crate) fn guard<T: NamedService>(self: &Arc<Self>, service: T) -> Gated<T> {
        Gated { service, access: Arc::clone(self), needed: Right::needed_by(T::NAME) }
    }

    /// Lets a call of the method with that path in, or says why not. Gives the account that the token is bound to, if it is.
    pub(crate) fn admit(&self, headers: &HeaderMap, path: &str, needed: Right) -> Result<Option<Bound>, Status> {
        if self.is_open() {
            return Ok(None);
        }
        let presented = bearer(headers)
            .ok_or_else(|| Status::unauthenticated("a token is needed: send the metadata `authorization: Bearer <token>`"))?;
        let may_administrate = holds(&self.admin_tokens, presented);
        let may_read = may_administrate | holds(&self.read_tokens, presented);
        match needed {
            Right::Read | Right::Administrate if !bool::from(may_read) => {
                let bound = bound::find(&self.account_tokens, presented);
                bound.ok_or_else(|| Status::unauthenticated("the token is wrong"))?.admitted_to(path, needed).map(Some)
            }
            Right::Administrate if !bool::from(may_administrate) => {
                Err(Status::permission_denied("this token may check addresses; an admin token is needed here"))
            }
            Right::Read | Right::Administrate => Ok(None),
        }
    }
}

/// The token of the scheme `Bearer`, whose name may be in any case (RFC 9110, 11.1).
fn bearer(headers: &HeaderMap) -> Option<&[u8]> {
    let value = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, token) = value.split_at_checked("bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"bearer ").then(|| token.trim_ascii())
}

/// Takes the same time wherever the two differ, and compares with every token. How long a token is may be found out.
fn holds(tokens: &[SecretString], presented: &[u8]) -> Choice {
    tokens.iter().fold(Choice::from(0), |held, token| held | token.expose_secret().as_bytes().ct_eq(presented))
}

/// Stands before a service.
///
/// Not tonic's interceptor, which takes each request apart and puts it together again.
#[derive(Debug, Clone)]
pub(crate) struct Gated<T> {
    service: T,
    access: Arc<Access>,
    needed: Right,
}

impl<T: NamedService> NamedService for Gated<T> {
    const NAME: &'static str = T::NAME;
}

impl<T, B> Service<http::Request<B>> for Gated<T>
where
    T: Service<http::Request<B>, Response = http::Response<Body>>,
    T::Future: Unpin,
{
    type Response = T::Response;
    type Error = T::Error;
    type Future = Answer<T::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), T::Error>> {
        self.service.poll_ready(cx)
    }

    fn call(&mut self, mut request: http::Request<B>) -> Self::Future {
        match self.access.admit(request.headers(), request.uri().path(), self.needed) {
            Ok(None) => Answer::Asked(self.service.call(request)),
            Ok(Some(bound)) => {
                request.extensions_mut().insert(bound);
                Answer::Asked(self.service.call(request))
            }
            Err(status) => Answer::Refused(Some(status.into_http())),
        }
    }
}

/// The answer of a service, or of the gate before it.
pub(crate) enum Answer<F> {
    Refused(Option<http::Response<Body>>),
    Asked(F),
}

impl<F, E> Future for Answer<F>
where
    F: Future<Output = Result<http::Response<Body>, E>> + Unpin,
{
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        match self.get_mut() {
            // A future that has been ready is not polled again.
            Self::Refused(refusal) => refusal.take().map_or(Poll::Pending, |refusal| Poll::Ready(Ok(refusal))),
            Self::Asked(answer) => Pin::new(answer).poll(cx),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tonic::Code;

    fn access(read: &[&str], admin: &[&str]) -> Access {
        let secrets = |tokens: &[&str]| tokens.iter().map(|token| SecretString::from(*token)).collect();
        Access { read_tokens: secrets(read), admin_tokens: secrets(admin), account_tokens: Vec::new() }
    }

    fn admit(access: &Access, authorization: &str, needed: Right) -> Result<(), Code> {
        let headers = HeaderMap::from_iter([(AUTHORIZATION, authorization.parse().unwrap())]);
        access.admit(&headers, "/any/Method", needed).map(|bound| assert!(bound.is_none())).map_err(|status| status.code())
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
        assert!(access.admit(&HeaderMap::new(), "/any/Method", Right::Read).is_err());
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
