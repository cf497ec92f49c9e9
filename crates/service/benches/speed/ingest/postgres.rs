//! The same events into a table of PostgreSQL, one a transaction, by `pgbench` with prepared statements.

use std::path::PathBuf;

use crate::form::Form;
use crate::postgres::{self, OwnPostgres};
use crate::rounds::Cost;

const TABLE: &str = "CREATE TABLE evidence (email text NOT NULL, id bigint NOT NULL, time bigint NOT NULL, kind text NOT NULL, \
                     category text NOT NULL, status text NOT NULL, vmta text NOT NULL, account text NOT NULL, \
                     PRIMARY KEY (email, id))";

/// What each client sends again and again. `pgbench` makes no texts, so PostgreSQL puts the address together, for next to nothing.
const SCRIPT: &str = "\
\\set recipient random(1, 1000000000000)
\\set id hash_murmur2(:recipient)
\\set domain :recipient % 997
\\set time 1700000000 + :recipient % 86400
INSERT INTO evidence VALUES ('reader.' || :recipient || '@example' || :domain || '.com', :id, :time, 'b', 'quota-issues', \
'4.2.2', 'mta1', 'acme') ON CONFLICT DO NOTHING;
";

/// No checkpoint falls into a round.
const SETTINGS: [&str; 2] = ["max_wal_size=8GB", "checkpoint_timeout=1h"];

/// A server with the table. `fsync` and `synchronous_commit` are on, as they come.
pub(super) struct Inserting {
    server: OwnPostgres,
    script: PathBuf,
}

impl Inserting {
    pub(super) fn start(form: &Form) -> Self {
        let server = OwnPostgres::start(&SETTINGS);
        server.sql(TABLE);
        let script = form.place("insert.sql");
        postgres::script(&script, SCRIPT);
        Self { server, script }
    }

    /// So many events by each of so many clients.
    pub(super) fn cost(&self, clients: usize, events_of_each: usize) -> Cost {
        self.server.transactions(&self.script, clients, events_of_each)
    }
}
