use super::*;

fn bulk(text: &str) -> Value {
    Value::BulkString(text.as_bytes().to_vec())
}

/// A member of a shard: host, port, role, health, offset.
fn member(host: &str, port: u16, role: &str, health: &str, offset: i64) -> Value {
    let port = Value::Int(port.into());
    let mut fields = vec![bulk("id"), bulk("e0"), bulk("port"), port.clone(), bulk("ip"), bulk("10.0.0.1")];
    fields.extend([bulk("endpoint"), bulk(host), bulk("tls-port"), Value::Int(7), bulk("role"), bulk(role)]);
    fields.extend([bulk("replication-offset"), Value::Int(offset), bulk("health"), bulk(health)]);
    Value::Array(fields)
}

fn shard(slots: &[i64], members: Vec<Value>) -> Value {
    let slots = slots.iter().map(|slot| Value::Int(*slot)).collect();
    Value::Array(vec![bulk("slots"), Value::Array(slots), bulk("nodes"), Value::Array(members)])
}

fn read(shards: Vec<Value>) -> Result<Topology, Error> {
    Topology::of_shards(Value::Array(shards), &Endpoint::port("asked", 1), false)
}

#[test]
fn shards_are_read() {
    let topology = read(vec![
        shard(&[0, 99, 200, 16_383], vec![member("a", 1, "replica", "fail", 5), member("a", 2, "master", "online", 3)]),
        shard(&[], vec![member("", 3, "master", "online", 0)]),
        shard(&[100, 198], vec![member("?", 4, "master", "fail", 0)]),
    ])
    .unwrap();
    let owner = |slot| topology.owner(slot).map(|owner| topology.primaries()[owner].endpoint.to_string());
    assert_eq!([0, 99, 200, 16_383].map(|slot| owner(slot).unwrap()), ["a:2", "a:2", "a:2", "a:2"]);
    assert_eq!((owner(100).as_deref(), owner(199)), (Some("asked:4"), None));
    assert_eq!((topology.uncovered_slots(), topology.owners()), (1, [0, 2].into()));
    // A replica that is away is still one; a primary without slots may get some.
    assert_eq!(topology.primaries()[0].replicas, [Endpoint::port("a", 1)]);
    assert_eq!(topology.primaries().len(), 3);
}

#[test]
fn of_two_primaries_of_a_shard_the_one_that_is_there_counts() {
    for members in [
        vec![member("a", 1, "master", "fail", 9), member("a", 2, "master", "online", 3), member("a", 3, "replica", "online", 3)],
        vec![
            member("a", 2, "master", "online", 9),
            member("a", 1, "master", "online", 3),
            member("a", 3, "replica", "online", 3),
        ],
    ] {
        let topology = read(vec![shard(&[0, 16_383], members)]).unwrap();
        let expected = Primary { endpoint: Endpoint::port("a", 2), replicas: vec![Endpoint::port("a", 3)] };
        assert_eq!(topology.primaries(), [expected]);
    }
}

#[test]
fn a_store_with_an_old_primary_had_a_replica() {
    let online = |port| member("a", port, "master", "online", 0);
    let gone = |port| member("a", port, "master", "fail", 0);
    let replica = || member("a", 4, "replica", "online", 0);
    for (others, is_replicated, least_replicas) in [
        (shard(&[], vec![]), false, 0),
        // It is new, and is given slots next.
        (shard(&[], vec![online(3)]), false, 0),
        (shard(&[8, 9], vec![gone(3)]), false, 0),
        (shard(&[], vec![gone(3)]), true, 0),
        (shard(&[8, 9], vec![online(3), replica()]), true, 0),
        (shard(&[], vec![gone(3), replica()]), true, 1),
    ] {
        let shards = format!("{others:?}");
        let topology = read(vec![shard(&[0, 7], vec![online(1)]), others]).unwrap();
        assert_eq!((topology.is_replicated(), topology.least_replicas()), (is_replicated, least_replicas), "{shards}");
    }
}

#[test]
fn a_sentinel_knows_replicas_that_are_away() {
    let replica =
        |flags: &str| Value::Array(vec![bulk("name"), bulk("a:2"), bulk("flags"), bulk(flags), bulk("port"), bulk("2")]);
    let replicas = ["slave", "s_down,slave,disconnected", "slave,disconnected"].map(replica);
    assert_eq!(Followers::read(Value::Array(replicas.into())), Ok(Followers { known: 3, online: 1 }));
    assert!(Followers::read(Value::Int(1)).is_err());
}

#[test]
fn with_tls_the_other_port_counts() {
    let shards = Value::Array(vec![shard(&[0, 1], vec![member("a", 1, "master", "online", 0)])]);
    let topology = Topology::of_shards(shards, &Endpoint::port("asked", 1), true).unwrap();
    assert_eq!(topology.primaries()[0].endpoint, Endpoint::port("a", 7));
}

#[test]
fn what_is_no_topology_is_an_error() {
    let of_one = |slots: &[i64]| vec![shard(slots, vec![member("a", 1, "master", "online", 0)])];
    for shards in [vec![], of_one(&[0]), of_one(&[9, 4]), of_one(&[-1, 4]), of_one(&[0, 16_384]), vec![Value::Int(1)]] {
        assert!(read(shards.clone()).is_err(), "{shards:?}");
    }
    assert!(read(vec![shard(&[0, 1], vec![member("a", 1, "replica", "online", 0)])]).is_err());
}

#[test]
fn roles_are_read() {
    let replica = Value::Array(vec![bulk("10.0.0.2"), bulk("6379"), bulk("42")]);
    let primary = Value::Array(vec![bulk("master"), Value::Int(42), Value::Array(vec![replica])]);
    assert_eq!(Role::read(primary), Ok(Role::Primary(vec![Endpoint::port("10.0.0.2", 6379)])));
    assert_eq!(Role::read(Value::Array(vec![bulk("master"), Value::Int(0), Value::Array(vec![])])), Ok(Role::Primary(vec![])));
    let replica = vec![bulk("slave"), bulk("h"), Value::Int(6379), bulk("connected"), Value::Int(1)];
    assert_eq!(Role::read(Value::Array(replica)), Ok(Role::Replica));
    assert!(Role::read(Value::Int(1)).is_err());
}
