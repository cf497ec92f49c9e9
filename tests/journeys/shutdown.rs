//! How a process ends.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use super::Ground;
use super::webhook::body;
use crate::servers::suppressd::{Launch, PATIENCE, data};

super::on_both_stores!(the_request_in_flight_is_answered_and_the_status_is_zero);

fn the_request_in_flight_is_answered_and_the_status_is_zero(ground: &Ground) {
    let server = ground.start();
    server.webhook().post(body("b", "first@example.com", "bad-mailbox", 1)).counts();
    let bounce = body("b", "last@example.com", "bad-mailbox", 2);
    let mut socket = TcpStream::connect(server.http()).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /webhooks/inboxroad HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        bounce.len()
    );
    socket.write_all(head.as_bytes()).unwrap();
    // It asks for the body: the request is in flight.
    let mut interim = [0; 25];
    socket.read_exact(&mut interim).unwrap();
    assert_eq!(&interim, b"HTTP/1.1 100 Continue\r\n\r\n");
    let (http, grpc) = (server.http(), server.grpc());
    server.signal("-TERM");
    await_refusal(http);
    await_refusal(grpc);
    socket.write_all(bounce.as_bytes()).unwrap();
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.contains(r#""recorded":1"#), "{answer}");
    let (status, log) = server.wait();
    assert!(status.success(), "{status}: {log}");
    assert!(log.contains(r#""message":"drained""#), "{log}");
    assert!(ground.start().checks().is_suppressed("last@example.com"));
}

/// Waits, with a bound, until nobody listens there any more.
fn await_refusal(address: std::net::SocketAddr) {
    let started = std::time::Instant::now();
    while TcpStream::connect(address).is_ok() {
        assert!(started.elapsed() < PATIENCE, "it still takes connections");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[test]
fn who_holds_a_connection_open_does_not_hold_the_process() {
    let directory = tempfile::tempdir().unwrap();
    let server = Launch::in_directory(&data(directory.path())).flags(&["--drain-deadline-seconds", "1"]).start();
    let mut socket = TcpStream::connect(server.http()).unwrap();
    socket.write_all(b"POST /webhooks/inboxroad HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n{").unwrap();
    server.webhook().post(body("b", "a@example.com", "bad-mailbox", 1)).counts();
    let (status, log) = server.terminate();
    assert!(status.success(), "{status}: {log}");
}

#[test]
fn a_second_process_in_one_directory_is_refused_by_name() {
    let directory = tempfile::tempdir().unwrap();
    let first = Launch::in_directory(&data(directory.path())).start();
    let output = Launch::in_directory(&data(directory.path())).fail();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("another process is using") && said.contains(data(directory.path()).to_str().unwrap()), "{said}");
    assert!(!first.checks().is_suppressed("a@example.com"));
}
