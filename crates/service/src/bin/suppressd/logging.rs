//! The log: on standard error, and nothing else goes there in a line of its form.

use std::io::IsTerminal as _;
use std::str::FromStr;

use anyhow::bail;
use tracing_subscriber::EnvFilter;

/// What is logged and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogSettings {
    /// By level, or by module and level.
    pub(crate) filter: LogFilter,
    /// For people or for programs.
    pub(crate) format: LogFormat,
}

/// By level, or by module and level: `info`, `warn,suppressd_ingest=debug`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LogFilter(String);

impl LogFilter {
    /// What is logged if nothing is said: what an operator acts on, and not the store's own housekeeping.
    pub(crate) fn info() -> Self {
        Self("info,fjall=warn,lsm_tree=warn".to_owned())
    }
}

impl FromStr for LogFilter {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        EnvFilter::try_new(text).map_err(|error| anyhow::anyhow!("is no filter of the log: {error}"))?;
        Ok(Self(text.to_owned()))
    }
}

/// For people or for programs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

impl FromStr for LogFormat {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        match text {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => bail!("must be text or json"),
        }
    }
}

/// Starts it, once a process.
pub(crate) fn start(settings: &LogSettings) -> anyhow::Result<()> {
    let filter = EnvFilter::try_new(&settings.filter.0)?;
    let is_coloured = std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(is_coloured);
    let started = match settings.format {
        LogFormat::Text => log.try_init(),
        LogFormat::Json => log.json().flatten_event(true).try_init(),
    };
    started.map_err(|error| anyhow::anyhow!("the log cannot be started: {error}"))
}
