//! How long it takes until a process that starts knows ten million addresses of a Redis, and how much memory each of them takes.

use std::time::Instant;

use crate::form::Form;
use crate::limits;
use crate::process::ALL_CORES;
use crate::recipients::wait_for_filter;
use crate::redis::OwnRedis;
use crate::report::Report;
use crate::server::Server;

const BUCKETS: usize = 256;

/// Enters addresses in a feed as the store does, without the records: nobody asks for those here.
const FILL: &str =
    "for n = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'a', 'somebody' .. ARGV[2] .. n .. '@example.com') end";

pub(crate) fn run(form: &Form, report: &mut Report) {
    let of_bucket = form.pick(1_000_000, 10_000_000) / BUCKETS;
    let addresses = of_bucket * BUCKETS;
    let redis = OwnRedis::start();
    fill(&redis, of_bucket);
    let started = Instant::now();
    let server = Server::suppressd_on(ALL_CORES, &redis.url(), &[]);
    wait_for_filter(&server, addresses);
    let took = started.elapsed();
    let bytes = server.metric("suppressd_filter_bytes") / addresses as f64;
    let work = format!("a start on {:.0} M addresses of a Redis", addresses as f64 / 1e6);
    report.figure(&work, "until all are known", took.as_secs_f64(), "s");
    report.figure(&work, "server CPU an address", server.cpu().as_secs_f64() * 1e6 / addresses as f64, "us");
    report.figure(&work, "memory of the filter an address", bytes, "bytes");
    report.limit(&format!("{work}: seconds"), took.as_secs_f64(), limits::START_ON_REDIS_SECONDS);
    report.limit(&format!("{work}: bytes an address"), bytes, limits::FILTER_BYTES);
}

fn fill(redis: &OwnRedis, of_bucket: usize) {
    let mut connection = redis.connect();
    for bucket in 0..BUCKETS {
        let key = format!("sup:{{{bucket:02x}}}:feed");
        let mut fill = ::redis::cmd("EVAL");
        fill.arg(FILL).arg(1).arg(key).arg(of_bucket).arg(bucket * of_bucket * 10);
        fill.exec(&mut connection).unwrap();
    }
}
