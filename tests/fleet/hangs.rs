//! A master that hangs: nobody can say within the deadline, the other shards go on, and what it says when it goes on itself, after
//! it was replaced, is not believed by who asks strictly.

use std::time::{Duration, Instant};

use suppressd_service::proto::suppression_service_client::SuppressionServiceClient;
use suppressd_service::proto::{IsSuppressedRequest, IsSuppressedResponse};
use tonic::{Code, Status};

use super::SAFE;
use super::nodes::{Fleet, PATIENT, Role};
use crate::journeys::webhook::body;
use crate::servers::redis_cluster::{RedisCluster, await_condition};
use crate::stores::block_on;

/// Whose master hangs.
const HERE: &str = "alice@example.com";

/// What a deadline may be exceeded by on a busy machine.
const LENIENCY: Duration = Duration::from_secs(2);

/// Questions that wait at the master while it hangs, of each kind.
const QUEUED: usize = 100;

/// An address of another shard.
fn elsewhere(cluster: &RedisCluster) -> String {
    let here = cluster.master_of_address(HERE);
    let mut all = (0..).map(|number| format!("a{number}@x.example"));
    all.find(|email| cluster.master_of_address(email) != here).unwrap()
}

/// Posts a bounce until it is acknowledged.
fn post(fleet: &Fleet, email: &str, category: &str, number: usize) {
    let webhook = fleet.nodes(Role::Ingest)[0].webhook();
    await_condition("it is not acknowledged", || {
        let answer = webhook.post(body("b", email, category, number));
        assert!([200, 503].contains(&answer.status), "{answer:?}");
        (answer.status == 200).then_some(())
    });
}

#[test]
fn a_master_that_hangs_is_unavailable_in_time_and_the_other_shards_go_on() {
    let fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &["--redis-allow", "none"]);
    let elsewhere = elsewhere(&fleet.cluster);
    for email in [HERE, &elsewhere] {
        post(&fleet, email, "bad-mailbox", 1);
    }
    let checks = fleet.nodes(Role::Check)[0].checks();
    for email in [HERE, &elsewhere] {
        checks.await_that("it is known", |checks| checks.one(email).is_ok_and(|answer| answer.suppressed()));
    }
    let old = fleet.cluster.master_of_address(HERE);
    fleet.cluster.node(old).signal("-STOP");
    let asked = Instant::now();
    assert_eq!(checks.one(HERE).unwrap_err().code(), Code::Unavailable);
    assert!(asked.elapsed() < Duration::from_millis(300) + LENIENCY, "{:?}", asked.elapsed());
    let posted = Instant::now();
    let webhook = fleet.nodes(Role::Ingest)[0].webhook();
    assert_eq!(webhook.post(body("b", HERE, "bad-mailbox", 2)).status, 503);
    assert!(posted.elapsed() < Duration::from_secs(2) + LENIENCY, "{:?}", posted.elapsed());
    // A busy machine may be too late for one, too; none may be wrong.
    checks.await_that("the other shards answer", |checks| checks.one(&elsewhere).is_ok_and(|answer| answer.suppressed()));
    post(&fleet, &elsewhere, "bad-mailbox", 2);

    fleet.cluster.await_failover(&fleet.cluster.key_of(HERE), old);
    checks.await_that("its successor answers", |checks| match checks.one(HERE) {
        Ok(answer) => answer.suppressed() || panic!("{answer:?}"),
        Err(status) => status.code() != Code::Unavailable && panic!("{status}"),
    });
    fleet.cluster.node(old).signal("-CONT");
    fleet.cluster.await_settled();
    post(&fleet, HERE, "bad-mailbox", 3);
    assert!(checks.is_suppressed(HERE));
}

/// Asks a check node many times at once, while the master hangs, does something, and gives the answers.
async fn queued(server: &str, meanwhile: impl FnOnce() + Send + 'static) -> [Vec<Result<IsSuppressedResponse, Status>>; 2] {
    let client = SuppressionServiceClient::connect(server.to_owned()).await.unwrap();
    let ask = |strict| {
        let mut client = client.clone();
        let request = IsSuppressedRequest { email: HERE.into(), account: String::new(), strict };
        tokio::spawn(async move { client.is_suppressed(request).await.map(tonic::Response::into_inner) })
    };
    let asked: Vec<_> = (0..2 * QUEUED).map(|number| ask(number % 2 == 0)).collect();
    tokio::task::spawn_blocking(meanwhile).await.unwrap();
    let mut answers = [Vec::new(), Vec::new()];
    for (number, answer) in asked.into_iter().enumerate() {
        answers[number % 2].push(answer.await.unwrap());
    }
    answers
}

#[test]
fn what_a_replaced_master_says_is_believed_by_nobody_who_asks_strictly() {
    let fleet = Fleet::start(RedisCluster::start(3, 1, &SAFE), &PATIENT);
    post(&fleet, HERE, "quota-issues", 1);
    let checks = fleet.nodes(Role::Check)[0].checks();
    checks.await_that("it is known", |checks| checks.one(HERE).is_ok_and(|answer| answer.soft_bounces == 1));
    let old = fleet.cluster.master_of_address(HERE);
    fleet.cluster.node(old).signal("-STOP");
    let server = fleet.nodes(Role::Check)[0].grpc_url();
    let fleet = std::sync::Arc::new(fleet);
    let of_fleet = std::sync::Arc::clone(&fleet);
    let [strict, plain] = block_on(queued(&server, move || {
        of_fleet.cluster.await_failover(&of_fleet.cluster.key_of(HERE), old);
        post(&of_fleet, HERE, "bad-mailbox", 2);
        of_fleet.cluster.node(old).signal("-CONT");
    }));
    let stale = |answers: &[Result<IsSuppressedResponse, Status>]| {
        let of_old = |answer: &&Result<IsSuppressedResponse, Status>| answer.as_ref().is_ok_and(|answer| !answer.suppressed());
        answers.iter().filter(of_old).count()
    };
    println!("{} strict and {} plain answers of {QUEUED} each are stale", stale(&strict), stale(&plain));
    assert_eq!(stale(&strict), 0);
    for status in strict.iter().filter_map(|answer| answer.as_ref().err()) {
        assert_eq!(status.code(), Code::Unavailable, "{status}");
    }
    assert!(stale(&plain) > 0, "none was answered by the old master: no test can fail by it");
}
