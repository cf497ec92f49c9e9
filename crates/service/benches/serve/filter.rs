//! How long it takes until a process that starts knows ten million addresses, and how much memory each of them takes.

use std::time::{Duration, Instant};

use crate::measure::Measured;
use crate::redis::Redis;

/// Longest time from the start of the process until all of the filter is confirmed.
const TARGET: Duration = Duration::from_secs(30);

/// Most memory for an address, in bytes.
const TARGET_BYTES: f64 = 20.0;

const ADDRESSES: usize = 10_000_000;
const BUCKETS: usize = 256;

/// Longest time for anything that must come to an end.
const PATIENCE: Duration = Duration::from_mins(5);

/// Enters addresses in a feed as the store does, without the records: nobody asks for those here.
const FILL: &str =
    "for n = 1, ARGV[1] do redis.call('XADD', KEYS[1], '*', 'a', 'somebody' .. ARGV[2] .. n .. '@example.com') end";

pub(crate) fn reach_target() -> bool {
    let redis = Redis::start();
    let mut connection = ::redis::Client::open(redis.url().to_str().unwrap()).unwrap().get_connection().unwrap();
    let of_bucket = ADDRESSES / BUCKETS;
    for bucket in 0..BUCKETS {
        let key = format!("sup:{{{bucket:02x}}}:feed");
        let mut fill = ::redis::cmd("EVAL");
        fill.arg(FILL).arg(1).arg(key).arg(of_bucket).arg(bucket * of_bucket * 10);
        fill.query::<()>(&mut connection).unwrap();
    }
    let started = Instant::now();
    let server = Measured::suppressd(&redis.url());
    let agent = ureq::Agent::new_with_defaults();
    let url = format!("http://{}/metrics", server.http());
    let metric = |name: &str| {
        let text = agent.get(&url).call().unwrap().into_body().read_to_string().unwrap();
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse::<f64>().ok());
        value.expect(name)
    };
    while !metric("suppressd_filter_lag_seconds").is_finite() {
        assert!(started.elapsed() < PATIENCE, "the filter is never confirmed");
        std::thread::sleep(Duration::from_millis(20));
    }
    let took = started.elapsed();
    let (addresses, bytes) = (metric("suppressd_filter_entries"), metric("suppressd_filter_bytes"));
    assert!((addresses - (of_bucket * BUCKETS) as f64).abs() < 1.0, "{addresses}");
    println!(
        "filter            {:9.2} s until {addresses} addresses of a Redis are known (target: {TARGET:?})",
        took.as_secs_f64()
    );
    println!("server CPU        {:9.2} us an address", server.cpu().as_secs_f64() * 1e6 / addresses);
    println!("memory            {:9.2} bytes an address (target: {TARGET_BYTES})", bytes / addresses);
    took <= TARGET && bytes / addresses <= TARGET_BYTES
}
