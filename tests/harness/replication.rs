//! A master that is killed takes along what its replica has not got: acknowledged writes are lost, unless somebody waited.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use redis::{Connection, RedisResult};

use crate::servers::redis_cluster::{RedisCluster, await_condition};

/// How much later a replica gets what its master acknowledges.
const DELAY: Duration = Duration::from_millis(200);

/// Connections that write at the same time, and how many writes each sends at once.
const WRITERS: usize = 8;
const BATCH: usize = 10;

/// Acknowledged batches before the kill, at least.
const LEAST_ACKNOWLEDGED: usize = 40;

/// Keys in one slot, so of one master.
fn key(writer: usize, number: usize) -> String {
    format!("{{a}}:{writer}:{number}")
}

/// Writes a batch. It is acknowledged when all of its replies are there, and says that so many replicas have it.
fn write(connection: &mut Connection, writer: usize, batch: usize, replicas: u8) -> RedisResult<bool> {
    let mut commands = redis::pipe();
    for number in batch * BATCH..(batch + 1) * BATCH {
        commands.cmd("SET").arg(key(writer, number)).arg(number).ignore();
    }
    if replicas == 0 {
        return commands.exec(connection).map(|()| true);
    }
    let (reached,): (u8,) = commands.cmd("WAIT").arg(replicas).arg(10_000).query(connection)?;
    Ok(reached >= replicas)
}

/// Kills a master under load. Gives how many writes were acknowledged, and how many of them its successor does not have.
fn kill_a_master(wait_for_replicas: u8) -> (usize, usize) {
    let mut cluster = RedisCluster::start_behind_proxies(3, 1, &[]);
    cluster.delay_replication(DELAY);
    let old = cluster.master_of("{a}");
    let [replica] = cluster.replicas_of(old)[..] else { panic!("it has not one replica") };
    let url = format!("redis://127.0.0.1:{}", cluster.door(old));
    let acknowledged = AtomicUsize::new(0);
    let batches: Vec<usize> = thread::scope(|scope| {
        let write_until_killed = |writer| {
            let mut connection = redis::Client::open(url.as_str()).unwrap().get_connection().unwrap();
            let batches = (0..).take_while(|batch| {
                let is_written = write(&mut connection, writer, *batch, wait_for_replicas).is_ok_and(|is_enough| is_enough);
                acknowledged.fetch_add(usize::from(is_written), Ordering::Relaxed);
                is_written
            });
            batches.count()
        };
        let writers: Vec<_> = (0..WRITERS).map(|writer| scope.spawn(move || write_until_killed(writer))).collect();
        await_condition("too little was acknowledged", || {
            // What arrives in time is not lost either way.
            let has_some = cluster.node(replica).cli::<usize>(&["DBSIZE"]) > 0;
            (has_some && acknowledged.load(Ordering::Relaxed) >= LEAST_ACKNOWLEDGED).then_some(())
        });
        cluster.node_mut(old).kill();
        writers.into_iter().map(|writer| writer.join().unwrap()).collect()
    });
    let new = cluster.await_failover("{a}", old);
    let mut connection = cluster.node(new).connection().unwrap();
    let mut lost = 0;
    for (writer, batches) in batches.iter().enumerate() {
        let keys: Vec<_> = (0..batches * BATCH).map(|number| key(writer, number)).collect();
        for keys in keys.chunks(1000) {
            let there: usize = redis::cmd("EXISTS").arg(keys).query(&mut connection).unwrap();
            lost += keys.len() - there;
        }
    }
    (batches.iter().sum::<usize>() * BATCH, lost)
}

#[test]
fn a_master_that_nobody_waited_for_loses_what_it_acknowledged() {
    let (acknowledged, lost) = kill_a_master(0);
    println!("{lost} of {acknowledged} acknowledged writes are lost");
    assert!(lost < acknowledged, "the replica had nothing: no test can pass");
    assert!(lost > 0, "none of {acknowledged} acknowledged writes is lost: no test can fail by a kill");
}

#[test]
fn a_master_that_was_waited_for_loses_nothing() {
    let (acknowledged, lost) = kill_a_master(1);
    println!("{lost} of {acknowledged} acknowledged writes are lost");
    assert_eq!(lost, 0, "of {acknowledged} acknowledged writes");
}
