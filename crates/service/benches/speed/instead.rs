//! What a sender would use who had no suppressd: keys or a set of a Redis, or an indexed table of a PostgreSQL, with the same
//! addresses.

use std::path::PathBuf;
use std::sync::Arc;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use tokio::runtime::Runtime;

use crate::asking::{Asked, Flight, share_out};
use crate::form::Form;
use crate::postgres::{self, OwnPostgres};
use crate::recipients::{ONE_HIT_IN, asked};
use crate::redis::OwnRedis;
use crate::rounds::{Cost, cost_of};

/// The set of all addresses.
pub(crate) const SET: &str = "suppressed";

/// Enters addresses as keys, and in the set.
const FILL: &str = "for n = ARGV[1], ARGV[2] do
    local address = 'stored' .. n .. '@example.com'
    redis.call('SET', address, 1)
    redis.call('SADD', KEYS[1], address)
end";

const ADDRESSES_PER_SCRIPT: usize = 10_000;

/// Another address of the table for each transaction, of which one in so many is in it. `pgbench` cannot put words together itself.
const SELECT: &str = "SELECT 1 FROM suppressed WHERE email = 'stored' || :number || '@example.com';";

const ANY: &str = "PREPARE batch (text[]) AS SELECT email FROM suppressed WHERE email = ANY ($1);";

/// Forgets what a Redis held, and enters addresses.
pub(crate) fn fill_redis(redis: &OwnRedis, addresses: usize) {
    redis.flush().unwrap();
    let mut connection = redis.connect();
    for first in (0..addresses).step_by(ADDRESSES_PER_SCRIPT) {
        let mut fill = ::redis::cmd("EVAL");
        fill.arg(FILL).arg(1).arg(SET).arg(first).arg(addresses.min(first + ADDRESSES_PER_SCRIPT) - 1);
        fill.exec(&mut connection).unwrap();
    }
    let entered: usize = ::redis::cmd("SCARD").arg(SET).query(&mut connection).unwrap();
    assert_eq!(entered, addresses);
}

/// A PostgreSQL with a table of addresses.
pub(crate) fn fill_postgres(addresses: usize) -> OwnPostgres {
    let postgres = OwnPostgres::start(&["fsync=off", "max_connections=200", "max_wal_size=4GB", "maintenance_work_mem=1GB"]);
    postgres.sql("CREATE TABLE suppressed (email text NOT NULL)");
    let last = addresses - 1;
    postgres.sql(&format!("INSERT INTO suppressed SELECT 'stored' || n || '@example.com' FROM generate_series(0, {last}) AS n"));
    postgres.sql("ALTER TABLE suppressed ADD PRIMARY KEY (email)");
    postgres.sql("VACUUM ANALYZE suppressed");
    postgres.sql("CHECKPOINT");
    postgres
}

/// `EXISTS` of one address a call.
pub(crate) fn exists(runtime: &Runtime, redis: &OwnRedis, flight: Flight, calls: usize, round: usize, asked: &Asked) -> Cost {
    let connections = runtime.block_on(connect(redis, flight.connections));
    cost_of(
        || redis.cpu(),
        calls,
        || {
            runtime.block_on(share_out(flight, calls, round, |caller, numbers| {
                let mut connection = connections[caller % flight.connections].clone();
                let asked = Arc::clone(asked);
                async move {
                    for number in numbers {
                        let _: bool = ::redis::cmd("EXISTS").arg(asked(number)).query_async(&mut connection).await.unwrap();
                    }
                }
            }));
        },
    )
}

/// `SMISMEMBER` of many addresses a call. Calls in flight on one connection are a pipeline.
pub(crate) fn smismember(
    runtime: &Runtime,
    redis: &OwnRedis,
    flight: Flight,
    (batches, of_each): (usize, usize),
    round: usize,
    asked: &Asked,
) -> Cost {
    let connections = runtime.block_on(connect(redis, flight.connections));
    cost_of(
        || redis.cpu(),
        batches * of_each,
        || {
            runtime.block_on(share_out(flight, batches, round, |caller, numbers| {
                let mut connection = connections[caller % flight.connections].clone();
                let asked = Arc::clone(asked);
                async move {
                    for batch in numbers {
                        let mut command = ::redis::cmd("SMISMEMBER");
                        command.arg(SET);
                        for number in batch * of_each..(batch + 1) * of_each {
                            command.arg(asked(number));
                        }
                        let found: Vec<bool> = command.query_async(&mut connection).await.unwrap();
                        assert_eq!(found.len(), of_each);
                    }
                }
            }));
        },
    )
}

async fn connect(redis: &OwnRedis, connections: usize) -> Vec<MultiplexedConnection> {
    let client = redis.client_over_tcp();
    // A busy machine makes a round slow, and no failure of Redis.
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let mut connected = Vec::new();
    for _ in 0..connections {
        connected.push(client.get_multiplexed_async_connection_with_config(&config).await.unwrap());
    }
    connected
}

/// A transaction about one of `ONE_HIT_IN` times as many addresses as the table has.
pub(crate) fn select_script(form: &Form, addresses: usize) -> PathBuf {
    let path = form.place(&format!("select-of-{addresses}.sql"));
    postgres::script(&path, &format!("\\set number random(0, {})\n{SELECT}\n", addresses * ONE_HIT_IN - 1));
    path
}

/// `= ANY` of many addresses a statement, in one session.
pub(crate) fn any(postgres: &OwnPostgres, (batches, of_each): (usize, usize), round: usize, with_evidence: usize) -> Cost {
    let statement = |batch: usize| {
        let numbers = batch * of_each..(batch + 1) * of_each;
        let addresses: Vec<_> = numbers.map(|number| asked(number, with_evidence)).collect();
        format!("EXECUTE batch ('{{{}}}');\n", addresses.join(","))
    };
    let statements: Vec<_> = (round * batches..=(round + 1) * batches).map(statement).collect();
    postgres.statements(ANY, &statements, of_each)
}
