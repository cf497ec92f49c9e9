//! Secrets, and the two places in which one may lie: a variable, or a file that a variable names.

use std::collections::BTreeMap;
use std::env::VarError;
use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::{ExposeSecret as _, SecretString};
use suppressd_service::{AccountTokens, MAX_TOKENS};

/// Longest file with a secret, in bytes.
const MAX_SECRET_FILE_BYTES: u64 = 64 << 10;

/// Longest file with certificates, in bytes: all roots of a system fit.
const MAX_CERTIFICATES_FILE_BYTES: u64 = 4 << 20;

/// A secret's text as it stands in a file, without the blanks around it.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<String> {
    read_text(path, MAX_SECRET_FILE_BYTES)
}

/// Certificates, or a key, in PEM.
pub(crate) fn read_certificates(path: &Path) -> anyhow::Result<String> {
    read_text(path, MAX_CERTIFICATES_FILE_BYTES)
}

/// A key's bytes as they stand in a file.
pub(crate) fn read_bytes(path: &Path) -> anyhow::Result<Vec<u8>> {
    refuse_longer(path, MAX_SECRET_FILE_BYTES)?;
    std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))
}

fn refuse_longer(path: &Path, max_bytes: u64) -> anyhow::Result<()> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if size > max_bytes {
        bail!("{} is longer than {max_bytes} bytes", path.display());
    }
    Ok(())
}

fn read_text(path: &Path, max_bytes: u64) -> anyhow::Result<String> {
    refuse_longer(path, max_bytes)?;
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}

/// The tokens in a text: separated by commas, blanks or line ends.
pub(crate) fn tokens(text: &str) -> anyhow::Result<Vec<SecretString>> {
    let tokens: Vec<SecretString> =
        text.split([',', ' ', '\t', '\r', '\n']).filter(|token| !token.is_empty()).map(SecretString::from).collect();
    // It was set, so a token was meant: an open port is the last thing to make of a mistake.
    if tokens.is_empty() {
        bail!("is set, but holds no token");
    }
    Ok(tokens)
}

/// The tokens of accounts in a text, each as `account=token`, separated as tokens are.
pub(crate) fn account_tokens(text: &str) -> anyhow::Result<Vec<AccountTokens>> {
    let mut accounts = BTreeMap::<String, Vec<SecretString>>::new();
    for pair in tokens(text)? {
        // Not shown: what was written down wrong may be a token.
        let Some((account, token)) =
            pair.expose_secret().split_once('=').filter(|(account, token)| ![account, token].contains(&&""))
        else {
            bail!("must hold pairs of the form account=token");
        };
        let of_account = accounts.entry(account.to_owned()).or_default();
        of_account.push(SecretString::from(token));
        if of_account.len() > MAX_TOKENS {
            bail!("holds more than {MAX_TOKENS} tokens of one account");
        }
    }
    Ok(accounts.into_iter().map(|(account, tokens)| AccountTokens::new(&account, tokens)).collect())
}

/// A variable of the environment. One that is no text was meant to be something all the same.
pub(crate) fn variable(name: &str) -> anyhow::Result<Option<String>> {
    match std::env::var(name) {
        Ok(value) => Ok(Some(value)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => bail!("{name}: is not UTF-8"),
    }
}

/// The first token that a client finds in the environment.
pub(crate) fn from_environment(names: &[&str]) -> anyhow::Result<Option<SecretString>> {
    for name in names {
        let text = match (variable(name)?, variable(&format!("{name}_FILE"))?) {
            (Some(text), _) => text,
            (None, Some(path)) => read_file(Path::new(&path)).with_context(|| format!("{name}_FILE"))?,
            (None, None) => continue,
        };
        return Ok(tokens(&text).with_context(|| (*name).to_owned())?.into_iter().next());
    }
    Ok(None)
}
