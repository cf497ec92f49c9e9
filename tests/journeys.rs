//! The executable from end to end: a webhook in, a verdict out.

pub(crate) mod access;
mod bad_input;
mod by_hand;
mod by_hand_listed;
mod by_hand_many;
mod classify;
mod client_certificates;
mod commands;
mod crash;
mod erasure;
mod filter;
mod foreign_clients;
mod fsync_order;
mod full_disk;
mod import;
mod import_killed;
mod incidents;
mod labelled;
mod manual;
mod notify;
mod once;
mod outage;
mod outage_guard;
mod outage_guard_shards;
mod policy;
mod postfix;
mod rest;
mod rest_described;
mod rights;
mod shard_away;
mod shutdown;
mod slow_clients;
mod store_check;
mod store_faults;
mod strict;
mod verdicts;
mod watch;
mod watch_command;
pub(crate) mod webhook;
mod whole_domains;

use tempfile::TempDir;

use crate::servers::redis::RedisServer;
use crate::servers::suppressd::{Launch, Suppressd, data};

/// Makes a test of each journey for each store: a directory, and a Redis that keeps what it acknowledged.
macro_rules! on_both_stores {
    ($($journey:ident),+ $(,)?) => {
        mod embedded {
            $(
                #[test]
                fn $journey() {
                    super::$journey(&$crate::journeys::Ground::embedded());
                }
            )+
        }

        mod redis {
            $(
                #[test]
                fn $journey() {
                    super::$journey(&$crate::journeys::Ground::redis());
                }
            )+
        }
    };
}

use on_both_stores;

/// Where a journey's evidence is kept.
enum Ground {
    Embedded(TempDir),
    Redis(RedisServer),
}

impl Ground {
    fn embedded() -> Self {
        Self::Embedded(tempfile::tempdir().unwrap())
    }

    fn redis() -> Self {
        Self::Redis(RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always", "--enable-debug-command", "yes"]))
    }

    fn launch(&self) -> Launch {
        match self {
            Self::Embedded(directory) => Launch::in_directory(&data(directory.path())),
            Self::Redis(server) => Launch::on(&server.url()),
        }
    }

    fn start(&self) -> Suppressd {
        self.launch().start()
    }
}
