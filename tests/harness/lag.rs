//! Of two replicas one may lag behind, and each may be kept from being elected.

use std::time::{Duration, Instant};

use crate::servers::redis_cluster::RedisCluster;

/// How much later than the other one the one that lags gets what its master writes.
const LAG: Duration = Duration::from_millis(500);

#[test]
fn one_replica_may_lag_and_the_other_is_never_elected() {
    let mut cluster = RedisCluster::start_behind_proxies(3, 2, &[]);
    let master = cluster.master_of("a");
    let [late, prompt] = cluster.replicas_of(master)[..] else { panic!("it has not two replicas") };
    cluster.delay_replica(late, LAG);
    cluster.node(prompt).cli::<()>(&["CONFIG", "SET", "cluster-replica-no-failover", "yes"]);
    // The time that it takes until so many replicas have a write.
    let time = |replicas: u8| {
        let mut both = redis::pipe();
        both.cmd("SET").arg("a").arg(1).ignore().cmd("WAIT").arg(replicas).arg(20_000);
        let started = Instant::now();
        let (reached,): (u8,) = both.query(&mut cluster.node(master).connection().unwrap()).unwrap();
        assert!(reached >= replicas);
        started.elapsed()
    };
    assert!(time(2) >= LAG);
    let shortest = (0..10).map(|_| time(1)).min().unwrap();
    assert!(shortest < LAG, "both of them lag: {shortest:?}");
    cluster.node_mut(master).kill();
    assert_eq!(cluster.await_failover("a", master), late);
}
