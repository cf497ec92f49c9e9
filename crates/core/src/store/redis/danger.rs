//! Settings of a Redis with which it loses or hides what was acknowledged.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use redis::{Pipeline, Value};
use tokio::task::JoinSet;

use super::connection::Connection;
use super::node::Node;
use super::router::Router;
use super::topology::Role;
use super::{fault, reply, within};
use crate::Error;

/// What may be wrong with a Redis. Each has a name by which an operator may allow it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum DangerKind {
    /// There is no log: a restart loses what was acknowledged.
    AppendOnly,
    /// A reply comes before the disk has it.
    AppendFsync,
    /// Records may go for lack of memory.
    MaxmemoryPolicy,
    /// A node that is cut off from its cluster answers reads.
    ClusterAllowReadsWhenDown,
    /// It is a replica of another one.
    Replica,
    /// It does not say how it is set.
    ConfigDenied,
}

impl DangerKind {
    /// All of them.
    pub const ALL: [Self; 6] = [
        Self::AppendOnly,
        Self::AppendFsync,
        Self::MaxmemoryPolicy,
        Self::ClusterAllowReadsWhenDown,
        Self::Replica,
        Self::ConfigDenied,
    ];

    /// Its name, which is that of the setting where there is one.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AppendOnly => "appendonly",
            Self::AppendFsync => "appendfsync",
            Self::MaxmemoryPolicy => "maxmemory-policy",
            Self::ClusterAllowReadsWhenDown => "cluster-allow-reads-when-down",
            Self::Replica => "replica",
            Self::ConfigDenied => "config-denied",
        }
    }

    /// What comes of it, and what to do.
    fn remedy(self) -> &'static str {
        match self {
            Self::AppendOnly => "a restart of Redis loses what was acknowledged; set appendonly to yes",
            Self::AppendFsync => "a loss of power, or a failover, loses what was acknowledged; set appendfsync to always",
            Self::MaxmemoryPolicy => {
                "a record that Redis removes un-suppresses its address in silence; set maxmemory-policy to noeviction"
            }
            Self::ClusterAllowReadsWhenDown => {
                "a node that is cut off answers with what was true before; set cluster-allow-reads-when-down to no"
            }
            Self::Replica => {
                "it lags behind its primary and takes no events; give the primary, a cluster or a Sentinel as the store"
            }
            Self::ConfigDenied => "nobody can tell whether it keeps what it acknowledges; allow +config|get to its user",
        }
    }
}

impl FromStr for DangerKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let names = || Self::ALL.map(Self::as_str).join(", ");
        Self::ALL.into_iter().find(|kind| kind.as_str() == text).ok_or_else(|| format!("must be some of {}", names()))
    }
}

/// A danger, as one server has it. It shows the setting, its value, where, what comes of it and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Danger {
    /// What it is.
    pub kind: DangerKind,
    /// What the server says instead of what it should.
    pub value: String,
    /// Where it listens.
    pub server: String,
    /// Whether it is in use there, and not only might be after a failover.
    pub is_of_primary: bool,
}

impl fmt::Display for Danger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, value, server, is_of_primary: _ } = self;
        match kind {
            DangerKind::Replica => write!(f, "the Redis at {server} is a replica: ")?,
            DangerKind::ConfigDenied => write!(f, "the Redis at {server} does not answer CONFIG GET: ")?,
            DangerKind::AppendOnly
            | DangerKind::AppendFsync
            | DangerKind::MaxmemoryPolicy
            | DangerKind::ClusterAllowReadsWhenDown => write!(f, "{} is {value} in the Redis at {server}: ", kind.as_str())?,
        }
        write!(f, "{}, or allow it with --redis-allow {}", kind.remedy(), kind.as_str())
    }
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dangers {
    /// All of them, by kind and server.
    pub found: Vec<Danger>,
    /// Primaries that did not answer.
    pub silent_primaries: usize,
}

/// The settings that are asked for.
const SETTINGS: [&str; 4] = ["appendonly", "appendfsync", "maxmemory-policy", "cluster-allow-reads-when-down"];

/// Asks every primary, and their replicas where they can be reached: one of them may be the next primary. An error if no primary
/// answers.
pub(super) async fn look(router: &Arc<Router>) -> Result<Dangers, Error> {
    let survey = router.survey();
    let deadline = survey.settings().write_deadline;
    let map = within(deadline, router.map_unchecked()).await?;
    let may_be_replaced = survey.has_others();
    let mut asked = JoinSet::new();
    for node in map.nodes() {
        let node = Arc::clone(node);
        asked.spawn(async move { within(deadline, of_primary(&node, may_be_replaced)).await });
    }
    for replica in map.surveyed().topology.primaries().iter().flat_map(|primary| &primary.replicas) {
        // It is reached anew each time, which is seldom.
        if let Ok(node) = survey.visit(replica) {
            asked.spawn(async move { Ok(within(deadline, of_replica(&node)).await.unwrap_or_default()) });
        }
    }
    let (mut found, mut silent_primaries, mut failed) = (Vec::new(), 0, fault::no_topology());
    while let Some(answer) = asked.join_next().await {
        match answer.map_err(|_| fault::unexpected_reply())? {
            Ok(dangers) => found.extend(dangers),
            Err(error) => {
                silent_primaries += 1;
                failed = error;
            }
        }
    }
    if silent_primaries > 0 {
        router.survey_soon();
    }
    if silent_primaries == map.nodes().len() {
        return Err(failed);
    }
    found.sort_by(|a, b| (a.kind, &a.server).cmp(&(b.kind, &b.server)));
    Ok(Dangers { found, silent_primaries })
}

async fn of_primary(node: &Node, may_be_replaced: bool) -> Result<Vec<Danger>, Error> {
    let (role, settings) = tokio::try_join!(node.ask(&["ROLE"]), settings_of(node.for_reads()))?;
    let server = node.endpoint().to_string();
    let mut dangers = judge(settings, &server, true);
    if Role::read(role)? == Role::Replica {
        if may_be_replaced {
            // Another one is by now, and is looked at when it is known.
            return Err(fault::replaced());
        }
        dangers.push(Danger { kind: DangerKind::Replica, value: "replica".to_owned(), server, is_of_primary: true });
    }
    Ok(dangers)
}

async fn of_replica(node: &Node) -> Result<Vec<Danger>, Error> {
    Ok(judge(settings_of(node.for_reads()).await?, &node.endpoint().to_string(), false))
}

/// Settings with their values; none if they are not told.
type Settings = Option<Vec<(String, String)>>;

async fn settings_of(connection: &Connection) -> Result<Settings, Error> {
    let mut pipeline = Pipeline::new();
    pipeline.cmd("CONFIG").arg("GET").arg(&SETTINGS);
    let reply = reply::only(connection.ask(&pipeline).await.map_err(|fault| fault.error)?)?;
    if let Value::ServerError(error) = &reply {
        // Who hosts it for others may have taken the command away.
        let is_denied = matches!(error.code(), "NOPERM" | "ERR");
        return if is_denied { Ok(None) } else { Err(fault::from_redis(&error.clone().into())) };
    }
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    Ok(Some(reply::fields(reply)?.into_iter().map(|(name, value)| (name, text(value))).collect()))
}

fn judge(settings: Settings, server: &str, is_of_primary: bool) -> Vec<Danger> {
    let danger = |kind, value: &str| Danger { kind, value: value.to_owned(), server: server.to_owned(), is_of_primary };
    let Some(settings) = settings else { return vec![danger(DangerKind::ConfigDenied, "denied")] };
    let value_of = |wanted: &str| settings.iter().find(|(name, _)| name == wanted).map_or("unknown", |(_, value)| value);
    let mut dangers = Vec::new();
    let mut look_at = |kind: DangerKind, safe: &[&str]| {
        let value = value_of(kind.as_str());
        let is_safe = safe.contains(&value);
        if !is_safe {
            dangers.push(danger(kind, value));
        }
        is_safe
    };
    // Without a log it does not matter when it is written.
    if look_at(DangerKind::AppendOnly, &["yes"]) {
        look_at(DangerKind::AppendFsync, &["always"]);
    }
    look_at(DangerKind::MaxmemoryPolicy, &["noeviction"]);
    // One that knows no clusters does not know the setting.
    look_at(DangerKind::ClusterAllowReadsWhenDown, &["no", "unknown"]);
    dangers
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kinds(settings: &[(&str, &str)]) -> Vec<DangerKind> {
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        judge(Some(settings), "h:1", true).into_iter().map(|danger| danger.kind).collect()
    }

    #[test]
    fn settings_are_judged() {
        use DangerKind::{AppendFsync, AppendOnly, ClusterAllowReadsWhenDown, ConfigDenied, MaxmemoryPolicy};
        let safe = [
            ("appendonly", "yes"),
            ("appendfsync", "always"),
            ("maxmemory-policy", "noeviction"),
            ("cluster-allow-reads-when-down", "no"),
        ];
        assert_eq!(kinds(&safe), []);
        assert_eq!(kinds(&safe[..3]), []);
        assert_eq!(kinds(&[]), [AppendOnly, MaxmemoryPolicy]);
        assert_eq!(kinds(&[&[("appendfsync", "everysec")], &safe[..]].concat()), [AppendFsync]);
        assert_eq!(kinds(&[&[("appendonly", "no"), ("appendfsync", "no")], &safe[..]].concat()), [AppendOnly]);
        assert_eq!(kinds(&[&[("maxmemory-policy", "allkeys-lru")], &safe[..]].concat()), [MaxmemoryPolicy]);
        assert_eq!(kinds(&[&[("cluster-allow-reads-when-down", "yes")], &safe[..]].concat()), [ClusterAllowReadsWhenDown]);
        assert_eq!(judge(None, "h:1", true)[0].kind, ConfigDenied);
    }

    #[test]
    fn a_danger_says_what_and_where_and_how_to_go_on() {
        for kind in DangerKind::ALL {
            assert_eq!(kind.as_str().parse(), Ok(kind));
            let said = Danger { kind, value: "everysec".into(), server: "h:1".into(), is_of_primary: true }.to_string();
            assert!(said.contains("h:1") && said.ends_with(&format!("--redis-allow {}", kind.as_str())), "{said}");
        }
        assert!("fsync".parse::<DangerKind>().unwrap_err().contains("appendfsync"));
    }
}
