//! What the door is told when it is opened.

use secrecy::{ExposeSecret, SecretString};

use crate::{Error, Further, Limits};

/// Most tokens of the webhook: two, so that one can be replaced by the next without a gap.
pub const MAX_TOKENS: usize = 2;

/// What the door is told when it is opened.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// The webhook; without it only health, readiness and metrics are served, and its path is answered 404.
    pub webhook: Option<WebhookSettings>,
    /// What answers all other paths; without it they are answered 404.
    pub further: Option<Further>,
    /// The bounds.
    pub limits: Limits,
}

/// What the webhook is told.
#[derive(Debug, Clone, Default)]
pub struct WebhookSettings {
    /// The tokens, each of which may record; at most [`MAX_TOKENS`]. With none of them anybody may.
    pub tokens: Vec<SecretString>,
}

impl Settings {
    /// Checks the settings, before anything is bound.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidSetting`] for the first one with which nothing should be served.
    pub fn validate(&self) -> Result<(), Error> {
        let invalid = |reason| Err(Error::InvalidSetting { setting: "tokens", reason });
        if let Some(webhook) = &self.webhook {
            if webhook.tokens.len() > MAX_TOKENS {
                return invalid("may hold two at most");
            }
            // Somebody meant to set it: neither open to all nor closed to all is what they wanted.
            if webhook.tokens.iter().any(|token| token.expose_secret().is_empty()) {
                return invalid("must not hold an empty one");
            }
        }
        self.limits.validate()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_tokens_or_an_empty_one_are_refused() {
        let with = |tokens: &[&str]| {
            let tokens = tokens.iter().map(|token| SecretString::from(*token)).collect();
            Settings { webhook: Some(WebhookSettings { tokens }), ..Settings::default() }.validate()
        };
        assert_eq!(with(&[]), Ok(()));
        assert_eq!(with(&["a", "b"]), Ok(()));
        assert!(with(&["a", "b", "c"]).is_err());
        assert!(with(&["a", ""]).is_err());
    }
}
