//! One shard of a Redis Cluster is away, that of the incidents: what lies in the others is answered and recorded all the same, and
//! nobody is taken for a good address by a fault.

use std::time::{Duration, Instant};

use tonic::Code;

use super::webhook::body;
use crate::clients::rust_grpc::Checks;
use crate::servers::redis_cluster::RedisCluster;
use crate::servers::suppressd::{Launch, Suppressd, run};

/// Where the incidents lie.
const BOOK: &str = "sup:{incidents}:book";

/// As a cluster must be, of which one shard away is not all away.
const PARTIAL: [&str; 6] = ["--cluster-require-full-coverage", "no", "--appendonly", "yes", "--appendfsync", "always"];

/// Every webhook is counted for the outage guard, too.
const POLICY: &str = "[outage_guard]\nminimum_hard_bounces = 100\nratio = 5\n";

/// A busy machine may take its time.
const READ_DEADLINE_MS: &str = "600";

/// Longest time for a check that waits for no shard that hangs: that would take the 500 ms at least that the incidents have.
const AT_ONCE: Duration = Duration::from_millis(400);

/// A cluster without replicas and a process on it, each with an address of every kind in a shard that stays.
struct Ground {
    cluster: RedisCluster,
    server: Suppressd,
    /// The shard with the incidents.
    shard: usize,
    unknown: String,
    soft: String,
    hard: String,
    /// Suppressed but for an incident.
    released: String,
    /// In that shard: suppressed, and with no record.
    away: [String; 2],
    /// Unknown, and in a shard that stays, of a domain whose entry would lie in the other one: it has none.
    domain_without_entry: String,
    /// The same, of a domain that has one.
    domain_away: String,
    _policy: tempfile::TempDir,
}

impl Ground {
    fn start(arguments: &[&str]) -> Self {
        let cluster = RedisCluster::start(3, 0, arguments);
        let shard = cluster.master_of(BOOK);
        let find = |name: &str, domain: &str, is_there: bool| {
            let mut addresses = (0..).map(|number| format!("{name}{number}@{domain}"));
            addresses.find(|address| (cluster.master_of_address(address) == shard) == is_there).unwrap()
        };
        let [unknown, soft, hard] = ["unknown", "soft", "hard"].map(|name| find(name, "x.example", false));
        let released = find("hard", "pardoned.example", false);
        assert!(
            ["x.example", "pardoned.example"].iter().all(|domain| cluster.master_of_address(&format!("*@{domain}")) != shard)
        );
        let mut domains = (0..).map(|number| format!("domain{number}.example"));
        let [domain_without_entry, domain_away] = [(); 2].map(|()| {
            let domain = domains.find(|domain| cluster.master_of_address(&format!("*@{domain}")) == shard).unwrap();
            find("unknown", &domain, false)
        });
        let away = ["hard", "unknown"].map(|name| find(name, "x.example", true));
        let directory = tempfile::tempdir().unwrap();
        let policy = directory.path().join("policy.toml");
        std::fs::write(&policy, POLICY).unwrap();
        let flags = ["--policy", policy.to_str().unwrap(), "--redis-read-deadline-ms", READ_DEADLINE_MS];
        let server = Launch::on(&cluster.url()).flags(&flags).start();
        let ground = Self {
            cluster,
            server,
            shard,
            unknown,
            soft,
            hard,
            released,
            away,
            domain_without_entry,
            domain_away,
            _policy: directory,
        };
        ground.fill();
        ground
    }

    fn fill(&self) {
        let bounces = [(&self.soft, "quota-issues"), (&self.hard, "bad-mailbox"), (&self.released, "bad-mailbox")];
        for (number, (address, category)) in bounces.into_iter().chain([(&self.away[0], "bad-mailbox")]).enumerate() {
            assert_eq!(self.server.webhook().post(body("b", address, category, number)).counts(), [1, 0, 0, 0]);
        }
        let opened = run(&[
            &["incident", "--server", &self.server.grpc_url(), "open", "--yes", "--why", "false bounces"][..],
            &["--from", "2023-09-20", "--to", "2023-09-21", "--domain", "pardoned.example"],
        ]
        .concat());
        assert!(opened.status.success(), "{opened:?}");
        let domain = self.domain_away.split_once('@').unwrap().1;
        let entered = run(&["suppress", "--server", &self.server.grpc_url(), &format!("*@{domain}"), "--note", "spam traps"]);
        assert!(entered.status.success(), "{entered:?}");
        let checks = self.server.checks();
        let asked = [&*self.unknown, &self.soft, &self.hard, &self.released, &self.away[0], &self.away[1]];
        assert_eq!(suppressed(&checks, &asked), Ok(vec![false, false, true, false, true, false]));
    }

    /// Waits until what is known of the incidents and of who has a record is too old.
    fn await_away(&self) {
        let checks = self.server.checks();
        let asked = [&self.released, &self.away[0], &self.away[1], &self.domain_away];
        checks.await_that("they are missed", |checks| asked.iter().all(|email| checks.one(email).is_err()));
    }

    fn assert_the_others_go_on(&self, number: usize) {
        for checks in [self.server.checks(), self.server.checks().strictly()] {
            assert_eq!(suppressed(&checks, &[&self.unknown, &self.soft, &self.hard]), Ok(vec![false, false, true]));
            for email in [&self.unknown, &self.soft, &self.hard] {
                assert_eq!(checks.is_suppressed(email), *email == self.hard, "{email}");
            }
            for email in [&self.released, &self.away[0], &self.away[1], &self.domain_away] {
                assert_eq!(checks.one(email).unwrap_err().code(), Code::Unavailable, "{email}");
                assert_eq!(suppressed(&checks, &[&self.unknown, email]), Err(Code::Unavailable), "{email}");
            }
        }
        // Every shard tells of whole domains that have an entry; only who wants to be certain asks where it would lie.
        assert!(!self.server.checks().is_suppressed(&self.domain_without_entry));
        let certain = self.server.checks().strictly().one(&self.domain_without_entry);
        assert_eq!(certain.unwrap_err().code(), Code::Unavailable);
        let webhook = self.server.webhook();
        assert_eq!(webhook.post(body("b", &self.soft, "quota-issues", number)).counts(), [1, 0, 0, 0]);
        assert_eq!(self.server.checks().soft_bounces(&self.soft), 2);
        assert_eq!(webhook.post(body("b", &self.away[0], "quota-issues", number)).status, 503);
        assert_eq!(webhook.get("/readyz").status, 200);
    }

    fn assert_all_is_back(&self) {
        let checks = self.server.checks();
        let asked = [&*self.unknown, &self.soft, &self.hard, &self.released, &self.away[0], &self.away[1], &self.domain_away];
        checks.await_that("it recovers", |checks| suppressed(checks, &asked).is_ok());
        assert_eq!(suppressed(&checks, &asked), Ok(vec![false, false, true, false, true, false, true]));
    }
}

fn suppressed(checks: &Checks, emails: &[&str]) -> Result<Vec<bool>, Code> {
    let results = checks.batch(emails).map_err(|status| status.code())?;
    Ok(results.into_iter().map(|result| result.suppressed.unwrap()).collect())
}

#[test]
fn a_shard_with_the_incidents_that_hangs_holds_up_no_other() {
    let ground = Ground::start(&PARTIAL);
    ground.cluster.node(ground.shard).signal("-STOP");
    ground.await_away();
    ground.assert_the_others_go_on(100);
    let checks = ground.server.checks();
    let took = |email: &str| {
        let started = Instant::now();
        checks.one(email).unwrap();
        started.elapsed()
    };
    for email in [&ground.unknown, &ground.soft, &ground.hard] {
        // A busy machine may be slow now and then.
        let least = (0..10).map(|_| took(email)).min().unwrap();
        assert!(least < AT_ONCE, "{email} took {least:?}");
    }
    // Who comes now has never read the incidents.
    let newcomer = Launch::on(&ground.cluster.url()).role("check").flags(&["--redis-read-deadline-ms", READ_DEADLINE_MS]).start();
    let checks = newcomer.checks();
    checks.await_that("it knows the shards", |checks| checks.one(&ground.soft).is_ok());
    assert_eq!(suppressed(&checks, &[&ground.unknown, &ground.soft]), Ok(vec![false, false]));
    for email in [&ground.hard, &ground.released, &ground.away[1]] {
        assert_eq!(checks.one(email).unwrap_err().code(), Code::Unavailable, "{email}");
    }
    ground.cluster.node(ground.shard).signal("-CONT");
    ground.assert_all_is_back();
    checks.await_that("it recovers, too", |checks| checks.one(&ground.hard).is_ok());
    assert!(checks.is_suppressed(&ground.hard) && !checks.is_suppressed(&ground.released));
}

#[test]
fn a_shard_with_the_incidents_that_is_dead_costs_only_what_lies_in_it() {
    let mut ground = Ground::start(&PARTIAL);
    let shard = ground.shard;
    ground.cluster.node_mut(shard).kill();
    ground.await_away();
    ground.assert_the_others_go_on(100);
    let metrics = ground.server.webhook().get("/metrics").text;
    assert!(!metrics.contains("suppressd_checks_total{result=\"unavailable\"} 0\n"), "{metrics}");
    assert!(metrics.contains("suppressd_incidents_outdated 1\n"), "{metrics}");
    ground.cluster.node_mut(shard).start_again();
    ground.assert_all_is_back();
    let metrics = ground.server.webhook().get("/metrics").text;
    assert!(metrics.contains("suppressd_incidents_outdated 0\n"), "{metrics}");
}

#[test]
fn a_cluster_that_wants_all_its_shards_answers_nothing_without_one() {
    let mut ground = Ground::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let shard = ground.shard;
    ground.cluster.node_mut(shard).kill();
    let all = [&ground.unknown, &ground.soft, &ground.hard, &ground.released, &ground.away[0], &ground.away[1]];
    let is_unavailable = |checks: &Checks, email: &str| checks.one(email).is_err_and(|status| status.code() == Code::Unavailable);
    let checks = ground.server.checks();
    checks.await_that("the others refuse to answer", |checks| all.iter().all(|email| is_unavailable(checks, email)));
    assert_eq!(ground.server.webhook().post(body("b", &ground.soft, "quota-issues", 100)).status, 503);
    ground.cluster.node_mut(shard).start_again();
    ground.assert_all_is_back();
}
