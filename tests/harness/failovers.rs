//! A cluster and a sentinel go on without a server that was killed, and take it back.

use crate::servers::redis::RedisServer;
use crate::servers::redis_cluster::RedisCluster;
use crate::servers::redis_sentinel::RedisSentinel;

/// Sets a key, and waits for the replica: on the same connection, since on another one WAIT speaks of what that one wrote.
fn set_on_both(server: &RedisServer) {
    let mut both = redis::pipe();
    both.cmd("SET").arg("a").arg(1).ignore().cmd("WAIT").arg(1).arg(5000);
    assert_eq!(both.query::<(i64,)>(&mut server.connection().unwrap()).unwrap(), (1,));
}

#[test]
fn a_cluster_elects_a_replica_and_takes_the_old_master_back() {
    let mut cluster = RedisCluster::start(3, 1, &[]);
    for node in cluster.nodes() {
        assert!(cluster.url().contains(&format!("127.0.0.1:{}", cluster.node(node).port())), "{}", cluster.url());
    }
    let old = cluster.master_of("a");
    let [replica] = cluster.replicas_of(old)[..] else { panic!("it has not one replica") };
    set_on_both(cluster.node(old));
    cluster.node_mut(old).kill();
    assert_eq!(cluster.await_failover("a", old), replica);
    assert_eq!(cluster.node(replica).cli::<String>(&["GET", "a"]), "1");
    cluster.node_mut(old).start_again();
    cluster.await_settled();
    assert_eq!(cluster.master_of("a"), replica);
    assert_eq!(cluster.replicas_of(replica), [old]);
}

#[test]
fn a_sentinel_makes_the_replica_the_primary() {
    let mut servers = RedisSentinel::start(&[]);
    assert!(servers.url().starts_with("redis+sentinel://127.0.0.1:") && servers.url().ends_with("/main"), "{}", servers.url());
    let old = servers.primary();
    set_on_both(servers.server(old));
    servers.server_mut(old).kill();
    let new = servers.await_failover(old);
    assert_ne!(new, old);
    assert_eq!(servers.server(new).cli::<String>(&["GET", "a"]), "1");
}
