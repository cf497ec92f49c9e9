//! Where a setting is looked for: flag, then environment, then file. Every setting has one name in all of them.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, anyhow, bail};

use suppressd_service::{AccountTokens, MAX_TOKENS};

use crate::secret;

/// Longest configuration file, in bytes.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// Settings that may hold a secret: each may also lie in a file, which `<name>_file` gives.
const SECRETS: [&str; 5] = ["account_tokens", "admin_token", "read_token", "store", "webhook_token"];

/// All other settings.
const PLAIN: [&str; 30] = [
    "address_key_file",
    "changes_kept",
    "drain_deadline_seconds",
    "filter",
    "filter_bound_ms",
    "grpc",
    "grpc_plaintext",
    "http",
    "log",
    "log_format",
    "max_addresses_per_batch",
    "max_body_bytes",
    "max_letter_age_days",
    "max_letters",
    "max_letters_bytes",
    "max_records_in_memory_bytes",
    "policy",
    "redis_allow",
    "redis_ca",
    "redis_read_deadline_ms",
    "redis_wait_replicas",
    "redis_write_deadline_ms",
    "reflection",
    "rest",
    "role",
    "socketmap",
    "tls_certificate",
    "tls_client_roots",
    "tls_key",
    "unsafe_no_fsync",
];

/// The places, each with what stands there by a setting's name.
pub(crate) struct Sources<'a> {
    flags: BTreeMap<&'static str, String>,
    environment: &'a Environment,
    file: BTreeMap<String, String>,
    file_path: PathBuf,
}

/// Gives a variable's value, if it is set; an error if it is not text.
pub(crate) type Environment = dyn Fn(&str) -> anyhow::Result<Option<String>>;

/// What a setting is, and where that stands.
struct Found {
    value: String,
    place: String,
}

impl<'a> Sources<'a> {
    /// Reads the file, if there is one.
    pub(crate) fn new(
        flags: BTreeMap<&'static str, String>,
        environment: &'a Environment,
        file_path: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let file = file_path.map(read_file).transpose()?.unwrap_or_default();
        Ok(Self { flags, environment, file, file_path: file_path.unwrap_or(Path::new("")).to_path_buf() })
    }

    /// What stands in each place by that name, the place that counts most first.
    fn places(&self, name: &str) -> anyhow::Result<[Option<Found>; 3]> {
        let found = |value: Option<String>, place: String| value.map(|value| Found { value, place });
        let variable = format!("SUPPRESSD_{}", name.to_ascii_uppercase());
        Ok([
            found(self.flags.get(name).cloned(), format!("--{}", name.replace('_', "-"))),
            found((self.environment)(&variable)?, variable),
            found(self.file.get(name).cloned(), format!("{name} in {}", self.file_path.display())),
        ])
    }

    fn find(&self, name: &str) -> anyhow::Result<Option<Found>> {
        Ok(self.places(name)?.into_iter().flatten().next())
    }

    /// A setting that may hold a secret: itself, or a file's path.
    fn find_secret(&self, name: &str) -> anyhow::Result<Option<Found>> {
        let paths = self.places(&format!("{name}_file"))?;
        for pair in self.places(name)?.into_iter().zip(paths) {
            match pair {
                (Some(itself), Some(path)) => bail!("{} and {} are both given; one is enough", itself.place, path.place),
                (Some(itself), None) => return Ok(Some(itself)),
                (None, Some(Found { value: path, place })) => {
                    let value = secret::read_file(Path::new(&path)).with_context(|| place.clone())?;
                    return Ok(Some(Found { value, place }));
                }
                (None, None) => {}
            }
        }
        Ok(None)
    }

    /// A setting, if it stands anywhere.
    pub(crate) fn parsed<T: FromStr<Err: Display>>(&self, name: &str) -> anyhow::Result<Option<T>> {
        let found = if SECRETS.contains(&name) { self.find_secret(name)? } else { self.find(name)? };
        let parse = |found: Found| found.value.parse().map_err(|error| anyhow!("{}: {error}", found.place));
        found.map(parse).transpose()
    }

    /// Where a setting was found, for what is said of it.
    pub(crate) fn place_of(&self, name: &str) -> String {
        self.find(name).ok().flatten().map_or_else(|| name.to_owned(), |found| found.place)
    }

    /// A setting that is a number of something, at least 1.
    pub(crate) fn positive(&self, name: &str, default: u64) -> anyhow::Result<u64> {
        let Some(found) = self.find(name)? else { return Ok(default) };
        match found.value.parse() {
            Ok(0) | Err(_) => bail!("{}: must be a whole number, 1 or more", found.place),
            Ok(number) => Ok(number),
        }
    }

    /// A setting that is true or false.
    pub(crate) fn flag(&self, name: &str, default: bool) -> anyhow::Result<bool> {
        match self.find(name)? {
            None => Ok(default),
            Some(found) => match &*found.value {
                "true" | "1" => Ok(true),
                "false" | "0" => Ok(false),
                _ => bail!("{}: must be true or false", found.place),
            },
        }
    }

    /// A setting that is the path of a text file; gives the text.
    pub(crate) fn text_of_file(&self, name: &str) -> anyhow::Result<Option<String>> {
        let read = |found: Found| secret::read_certificates(Path::new(&found.value)).with_context(|| found.place);
        self.find(name)?.map(read).transpose()
    }

    /// A setting that is the path of a file with a key; gives its bytes.
    pub(crate) fn bytes_of_file(&self, name: &str) -> anyhow::Result<Option<Vec<u8>>> {
        let read = |found: Found| secret::read_bytes(Path::new(&found.value)).with_context(|| found.place);
        self.find(name)?.map(read).transpose()
    }

    /// A setting that holds tokens.
    pub(crate) fn tokens(&self, name: &str) -> anyhow::Result<Vec<secrecy::SecretString>> {
        match self.find_secret(name)? {
            None => Ok(Vec::new()),
            Some(found) => {
                let tokens = secret::tokens(&found.value).with_context(|| found.place.clone())?;
                if tokens.len() > MAX_TOKENS {
                    bail!("{}: holds {} tokens; {MAX_TOKENS} at most", found.place, tokens.len());
                }
                Ok(tokens)
            }
        }
    }

    /// A setting that holds tokens of accounts.
    pub(crate) fn account_tokens(&self, name: &str) -> anyhow::Result<Vec<AccountTokens>> {
        let read = |found: Found| secret::account_tokens(&found.value).with_context(|| found.place);
        Ok(self.find_secret(name)?.map(read).transpose()?.unwrap_or_default())
    }
}

/// Reads a TOML file of settings. Values may be text, whole numbers, and true or false.
fn read_file(path: &Path) -> anyhow::Result<BTreeMap<String, String>> {
    let shown = path.display();
    let size = std::fs::metadata(path).with_context(|| format!("cannot read {shown}"))?.len();
    if size > MAX_FILE_BYTES {
        bail!("{shown} is longer than {MAX_FILE_BYTES} bytes");
    }
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let table: toml::Table = text.parse().with_context(|| format!("{shown} is not TOML"))?;
    table.into_iter().map(|(name, value)| read_setting(name, value).with_context(|| format!("{shown}"))).collect()
}

fn read_setting(name: String, value: toml::Value) -> anyhow::Result<(String, String)> {
    let is_known = PLAIN.contains(&&*name)
        || SECRETS.contains(&&*name)
        || name.strip_suffix("_file").is_some_and(|secret| SECRETS.contains(&secret));
    if !is_known {
        bail!("there is no setting {name}");
    }
    let text = match value {
        toml::Value::String(text) => text,
        toml::Value::Integer(number) => number.to_string(),
        toml::Value::Boolean(is_true) => is_true.to_string(),
        toml::Value::Float(_) | toml::Value::Datetime(_) | toml::Value::Array(_) | toml::Value::Table(_) => {
            bail!("{name} must be a text, a whole number, or true or false")
        }
    };
    Ok((name, text))
}
