//! Whom the benchmarks ask about, and the evidence there is of some of them.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use crate::form::Form;
use crate::process::SERVER_CORES;
use crate::server::Server;

/// One in so many checks asks for an address with evidence: 3 %.
pub(crate) const ONE_HIT_IN: usize = 33;

/// A number without a divisor in common with any count of addresses here: its multiples visit all of them, far from each other.
const STRIDE: usize = 7_368_787;

const EVENTS_PER_WEBHOOK: usize = 1000;

/// Memory for records, as one would set it who has the most that is measured here, fifty million, and memory for them.
const ROOM_FOR_ALL_BYTES: &str = "8589934592";

/// Longest time until a filter is confirmed.
const PATIENCE: Duration = Duration::from_mins(5);

/// Webhooks in flight while a store is filled. They share syncs.
const FILLING: usize = 8;

/// The address with evidence of a number.
pub(crate) fn stored(number: usize) -> String {
    format!("stored{number}@example.com")
}

/// The address that a check of a number asks about, where so many addresses have evidence. Capitals are what lists have, too.
pub(crate) fn asked(number: usize, with_evidence: usize) -> String {
    if number.is_multiple_of(ONE_HIT_IN) {
        stored((number / ONE_HIT_IN).wrapping_mul(STRIDE) % with_evidence)
    } else {
        healthy(number)
    }
}

/// An address without evidence.
pub(crate) fn healthy(number: usize) -> String {
    format!("Healthy.{number}@example{}.com", number % 997)
}

/// `suppressd` on a directory with evidence of so many addresses, a hard bounce of each. It is filled at its first use, over the
/// webhook, and stays.
pub(crate) fn serving(form: &Form, addresses: usize) -> Rc<Server> {
    let mut serving = form.serving.borrow_mut();
    let server = || Rc::new(serve(&place(form, addresses), addresses, SERVER_CORES));
    Rc::clone(serving.entry(addresses).or_insert_with(server))
}

/// The directory of that server, which is ended.
pub(crate) fn directory(form: &Form, addresses: usize) -> PathBuf {
    drop(serving(form, addresses));
    form.stages.borrow_mut().remove(&addresses);
    let server = form.serving.borrow_mut().remove(&addresses).and_then(Rc::into_inner);
    assert!(server.is_some(), "somebody asks it");
    place(form, addresses)
}

fn place(form: &Form, addresses: usize) -> PathBuf {
    form.place(&format!("evidence-of-{addresses}"))
}

/// A server as [`serving`] has it, on a directory and cores of its own. It starts once more when it is filled, so that it is as one
/// that starts on what it finds.
pub(crate) fn serve(directory: &Path, addresses: usize, cores: &str) -> Server {
    eprintln!("recording evidence of {addresses} addresses ...");
    record(&Server::suppressd(directory, &[]), addresses);
    let server = Server::suppressd_on(cores, directory, &["--max-records-in-memory-bytes", ROOM_FOR_ALL_BYTES]);
    wait_for_filter(&server, addresses);
    server.settle();
    server
}

/// Records evidence of addresses over the webhook.
pub(crate) fn record(server: &Server, addresses: usize) {
    let url = format!("http://{}/webhooks/inboxroad", server.http());
    std::thread::scope(|scope| {
        for worker in 0..FILLING {
            let url = &url;
            scope.spawn(move || {
                let agent = ureq::Agent::new_with_defaults();
                for first in (worker * EVENTS_PER_WEBHOOK..addresses).step_by(FILLING * EVENTS_PER_WEBHOOK) {
                    let body: String = (first..addresses.min(first + EVENTS_PER_WEBHOOK)).map(event).collect();
                    let answer = agent.post(url).send(body.as_bytes()).unwrap().body_mut().read_to_string().unwrap();
                    assert!(answer.contains("\"duplicate\":0,\"ignored\":0,\"rejected\":0"), "{answer}");
                }
            });
        }
    });
}

fn event(number: usize) -> String {
    format!(
        "{{\"type\":\"b\",\"timeLogged\":\"1695222842\",\"rcpt\":\"{}\",\"bounceCat\":\"bad-mailbox\",\
         \"header_Message-Id\":\"<{number}@sender.example>\"}}\n",
        stored(number)
    )
}

/// Waits until all addresses with evidence are known in memory.
pub(crate) fn wait_for_filter(server: &Server, addresses: usize) {
    let started = Instant::now();
    while !server.metric("suppressd_filter_lag_seconds").is_finite() {
        assert!(started.elapsed() < PATIENCE, "the filter is never confirmed");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!((server.metric("suppressd_filter_entries") - addresses as f64).abs() < 0.5, "the filter is not what was recorded");
}
