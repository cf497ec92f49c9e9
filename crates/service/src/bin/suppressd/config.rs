//! The configuration of `serve`: what the settings are, and which of them do not go together.

mod redis;
mod rest;

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use anyhow::{Context as _, bail};
use suppressd_core::store::CHANGES_KEPT;
use suppressd_core::store::embedded::MAX_RECORDS_IN_MEMORY_BYTES;
use suppressd_core::{AddressKey, DAY_SECONDS, LetterLimits, Rulebook};
use suppressd_service::{Access, Tls};

use crate::cli::ServeArguments;
use crate::logging::{LogFilter, LogFormat, LogSettings};
use crate::policy_file::PolicyFile;
use crate::sources::{Environment, Sources};
use crate::store_location::StoreLocation;

pub(crate) use redis::RedisConfig;
use rest::RestSwitch;

/// What a process serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    All,
    Ingest,
    Check,
}

impl FromStr for Role {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "all" => Ok(Self::All),
            "ingest" => Ok(Self::Ingest),
            "check" => Ok(Self::Check),
            _ => bail!("must be all, ingest or check"),
        }
    }
}

impl Role {
    /// Whether webhooks are taken.
    pub(crate) fn ingests(self) -> bool {
        match self {
            Self::All | Self::Ingest => true,
            Self::Check => false,
        }
    }

    /// Whether checks are answered.
    pub(crate) fn checks(self) -> bool {
        match self {
            Self::All | Self::Check => true,
            Self::Ingest => false,
        }
    }
}

/// All that `serve` needs to know.
#[derive(Debug)]
pub(crate) struct Config {
    pub(crate) role: Role,
    pub(crate) store: StoreLocation,
    pub(crate) waits_for_disk: bool,
    /// By which addresses are hashed, if they are.
    pub(crate) address_key: Option<AddressKey>,
    pub(crate) redis: RedisConfig,
    pub(crate) letter_limits: LetterLimits,
    pub(crate) changes_kept: usize,
    /// Of the embedded store.
    pub(crate) max_records_in_memory_bytes: usize,
    pub(crate) http: SocketAddr,
    pub(crate) ingest: suppressd_ingest::Settings,
    pub(crate) grpc: SocketAddr,
    pub(crate) service: suppressd_service::Settings,
    /// Whether HTTP answers checks and administration, too.
    pub(crate) has_rest: bool,
    /// Where mail servers ask, if they do.
    pub(crate) socketmap: Option<SocketAddr>,
    /// How long the filter may be believed; none if there is to be no filter.
    pub(crate) filter_bound: Option<Duration>,
    pub(crate) rulebook: Rulebook,
    pub(crate) policy_file: Option<PolicyFile>,
    pub(crate) drain_deadline: Duration,
    pub(crate) log: LogSettings,
}

impl Config {
    /// Reads the configuration. `environment` gives a variable's value.
    pub(crate) fn read(arguments: &ServeArguments, environment: &Environment) -> anyhow::Result<Self> {
        let sources = Sources::new(flags(arguments), environment, arguments.config.as_deref())?;
        let role = sources.parsed("role")?.unwrap_or(Role::All);
        let has_filter = sources.flag("filter", true)?;
        let policy_file = sources.parsed::<PolicyFile>("policy")?;
        let rulebook = match &policy_file {
            Some(file) => file.read().with_context(|| sources.place_of("policy"))?,
            None => Rulebook::default(),
        };
        let rest = sources.parsed("rest")?.unwrap_or(RestSwitch::Auto);
        let mut config = Self {
            role,
            store: sources.parsed("store")?.unwrap_or_else(|| StoreLocation::Directory("suppressd-data".into())),
            address_key: address_key(&sources)?,
            waits_for_disk: !sources.flag("unsafe_no_fsync", false)?,
            redis: RedisConfig::read(&sources)?,
            letter_limits: letter_limits(&sources)?,
            changes_kept: size(&sources, "changes_kept", CHANGES_KEPT)?,
            max_records_in_memory_bytes: size(&sources, "max_records_in_memory_bytes", MAX_RECORDS_IN_MEMORY_BYTES)?,
            http: address(&sources, "http", 8080)?,
            ingest: ingest_settings(&sources, role)?,
            grpc: address(&sources, "grpc", 50051)?,
            service: service_settings(&sources)?,
            has_rest: false,
            socketmap: sources.parsed::<ListenAddress>("socketmap")?.map(|address| address.0),
            filter_bound: Some(Duration::from_millis(sources.positive("filter_bound_ms", 250)?))
                .filter(|_| role.checks())
                .filter(|_| has_filter),
            rulebook,
            policy_file,
            drain_deadline: Duration::from_secs(sources.positive("drain_deadline_seconds", 10)?),
            log: LogSettings {
                filter: sources.parsed("log")?.unwrap_or_else(LogFilter::info),
                format: sources.parsed("log_format")?.unwrap_or(LogFormat::Text),
            },
        };
        config.has_rest = rest.decide(&config)?;
        if let StoreLocation::Redis(url) = &config.store {
            config.redis.settings(url, config.letter_limits, config.changes_kept).validate()?;
        }
        config.ingest.validate()?;
        config.service.validate()?;
        config.refuse_exposure(sources.flag("grpc_plaintext", false)?)?;
        Ok(config)
    }

    /// Refuses what would let strangers record, read or listen without anybody having said so.
    fn refuse_exposure(&self, is_plaintext_on_purpose: bool) -> anyhow::Result<()> {
        let is_open_to_recording = self.ingest.webhook.as_ref().is_some_and(|webhook| webhook.tokens.is_empty());
        if is_open_to_recording && !self.http.ip().is_loopback() {
            bail!("http {} is not loopback, so it needs a token: set SUPPRESSD_WEBHOOK_TOKEN", self.http);
        }
        if self.socketmap.is_some() && !self.role.checks() {
            bail!("socketmap answers checks, and the role {:?} does not", self.role);
        }
        if let Some(address) = self.socketmap.filter(|address| !address.ip().is_loopback()) {
            bail!("socketmap {address} is not loopback, and it knows no tokens: run a process beside the mail server");
        }
        if !self.role.checks() || self.grpc.ip().is_loopback() {
            return Ok(());
        }
        if self.service.access.is_open() {
            bail!("grpc {} is not loopback, so it needs a token: set SUPPRESSD_READ_TOKEN", self.grpc);
        }
        if self.service.tls.is_none() && !is_plaintext_on_purpose {
            bail!(
                "grpc {} is not loopback, so it needs TLS: set tls_certificate and tls_key, or grpc_plaintext if something in \
                 front of it speaks TLS",
                self.grpc
            );
        }
        Ok(())
    }
}

/// The flags that were given, by the names of their settings.
fn flags(arguments: &ServeArguments) -> BTreeMap<&'static str, String> {
    let all = [
        ("role", &arguments.role),
        ("store", &arguments.store),
        ("address_key_file", &arguments.address_key_file),
        ("http", &arguments.http),
        ("grpc", &arguments.grpc),
        ("grpc_plaintext", &arguments.grpc_plaintext),
        ("socketmap", &arguments.socketmap),
        ("tls_certificate", &arguments.tls_certificate),
        ("tls_key", &arguments.tls_key),
        ("tls_client_roots", &arguments.tls_client_roots),
        ("rest", &arguments.rest),
        ("reflection", &arguments.reflection),
        ("filter", &arguments.filter),
        ("filter_bound_ms", &arguments.filter_bound_ms),
        ("policy", &arguments.policy),
        ("max_addresses_per_batch", &arguments.max_addresses_per_batch),
        ("max_body_bytes", &arguments.max_body_bytes),
        ("max_letters", &arguments.max_letters),
        ("max_letters_bytes", &arguments.max_letters_bytes),
        ("max_records_in_memory_bytes", &arguments.max_records_in_memory_bytes),
        ("max_letter_age_days", &arguments.max_letter_age_days),
        ("changes_kept", &arguments.changes_kept),
        ("redis_allow", &arguments.redis_allow),
        ("redis_ca", &arguments.redis_ca),
        ("redis_wait_replicas", &arguments.redis_wait_replicas),
        ("redis_read_deadline_ms", &arguments.redis_read_deadline_ms),
        ("redis_write_deadline_ms", &arguments.redis_write_deadline_ms),
        ("drain_deadline_seconds", &arguments.drain_deadline_seconds),
        ("log", &arguments.log),
        ("log_format", &arguments.log_format),
        ("unsafe_no_fsync", &arguments.unsafe_no_fsync),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect()
}

/// An address to listen on; loopback if it is not given.
fn address(sources: &Sources<'_>, name: &str, default_port: u16) -> anyhow::Result<SocketAddr> {
    let default = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), default_port);
    Ok(sources.parsed::<ListenAddress>(name)?.map_or(default, |address| address.0))
}

struct ListenAddress(SocketAddr);

impl FromStr for ListenAddress {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        // The one name that means the same everywhere. Any other would have to be looked up, and may move.
        let text = text.strip_prefix("localhost:").map_or_else(|| text.to_owned(), |port| format!("127.0.0.1:{port}"));
        text.parse()
            .map(Self)
            .context("must be an IP address and a port, like 127.0.0.1:8080 or [::]:8080")
            .map_err(|error| anyhow::anyhow!("{error}"))
    }
}

fn address_key(sources: &Sources<'_>) -> anyhow::Result<Option<AddressKey>> {
    let name = "address_key_file";
    let bytes = sources.bytes_of_file(name)?;
    bytes.map(|bytes| AddressKey::new(&bytes).with_context(|| sources.place_of(name))).transpose()
}

fn letter_limits(sources: &Sources<'_>) -> anyhow::Result<LetterLimits> {
    let default = LetterLimits::default();
    let day = DAY_SECONDS.unsigned_abs();
    let max_age_days = sources.positive("max_letter_age_days", default.max_age_seconds / day)?;
    Ok(LetterLimits {
        max_letters: sources.positive("max_letters", default.max_letters)?,
        max_content_bytes: sources.positive("max_letters_bytes", default.max_content_bytes)?,
        max_age_seconds: max_age_days.saturating_mul(day),
    })
}

fn ingest_settings(sources: &Sources<'_>, role: Role) -> anyhow::Result<suppressd_ingest::Settings> {
    let default = suppressd_ingest::Limits::default();
    let max_body_bytes = size(sources, "max_body_bytes", default.max_body_bytes)?;
    let tokens = sources.tokens("webhook_token")?;
    let webhook = role.ingests().then_some(suppressd_ingest::WebhookSettings { tokens });
    // What else the port serves is known when that is there.
    let further = None;
    Ok(suppressd_ingest::Settings { webhook, further, limits: suppressd_ingest::Limits { max_body_bytes, ..default } })
}

fn service_settings(sources: &Sources<'_>) -> anyhow::Result<suppressd_service::Settings> {
    let default = suppressd_service::Limits::default();
    let max_addresses_per_batch = size(sources, "max_addresses_per_batch", default.max_addresses_per_batch)?;
    let max_letter_bytes = size(sources, "max_body_bytes", default.max_letter_bytes)?;
    // An address and what stands around it never take more than this, so the larger batches need no limit of their own.
    let max_request_bytes = default.max_request_bytes.max(max_addresses_per_batch.saturating_mul(1024));
    Ok(suppressd_service::Settings {
        access: Access {
            read_tokens: sources.tokens("read_token")?,
            admin_tokens: sources.tokens("admin_token")?,
            account_tokens: sources.account_tokens("account_tokens")?,
        },
        tls: tls(sources)?,
        reflection: sources.flag("reflection", true)?,
        limits: suppressd_service::Limits { max_addresses_per_batch, max_request_bytes, max_letter_bytes, ..default },
    })
}

fn tls(sources: &Sources<'_>) -> anyhow::Result<Option<Tls>> {
    let certificate = sources.text_of_file("tls_certificate")?;
    let key = sources.text_of_file("tls_key")?;
    let client_roots = sources.text_of_file("tls_client_roots")?;
    match (certificate, key, client_roots) {
        (Some(certificate), Some(key), client_roots) => Ok(Some(Tls { certificate, key, client_roots })),
        (None, None, None) => Ok(None),
        (None, None, Some(_)) => bail!("tls_client_roots needs tls_certificate and tls_key beside it"),
        (Some(_), None, _) | (None, Some(_), _) => bail!("tls_certificate and tls_key need each other"),
    }
}

fn size(sources: &Sources<'_>, name: &str, default: usize) -> anyhow::Result<usize> {
    Ok(usize::try_from(sources.positive(name, default as u64)?).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests;
