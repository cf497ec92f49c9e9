//! Secrets, and the two places in which one may lie: a variable, or a file that a variable names.

use std::path::Path;

use anyhow::{Context as _, bail};
use secrecy::SecretString;

/// Longest file with a secret, in bytes.
const MAX_SECRET_FILE_BYTES: u64 = 64 << 10;

/// A secret's text as it stands in a file, without the blanks around it.
pub(crate) fn read_file(path: &Path) -> anyhow::Result<String> {
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?.len();
    if size > MAX_SECRET_FILE_BYTES {
        bail!("{} is longer than {MAX_SECRET_FILE_BYTES} bytes", path.display());
    }
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

/// The first token that a client finds in the environment.
pub(crate) fn from_environment(names: &[&str]) -> anyhow::Result<Option<SecretString>> {
    for name in names {
        let text = match (std::env::var(name), std::env::var(format!("{name}_FILE"))) {
            (Ok(text), _) => text,
            (Err(_), Ok(path)) => read_file(Path::new(&path)).with_context(|| format!("{name}_FILE"))?,
            (Err(_), Err(_)) => continue,
        };
        return Ok(tokens(&text).with_context(|| (*name).to_owned())?.into_iter().next());
    }
    Ok(None)
}
