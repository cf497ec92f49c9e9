//! Clients that keep a connection and say little: closed in time, while others are served.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use super::webhook::body;
use crate::servers::suppressd::{Launch, PATIENCE, data};

/// Longer than any of the server's own limits, shorter than a hang.
const LONGEST: Duration = Duration::from_secs(25);

/// Says something, then nothing more. Gives what came back until the server closed the connection.
fn stall(server: SocketAddr, said: &[u8]) -> (String, Duration) {
    let mut socket = TcpStream::connect(server).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.write_all(said).unwrap();
    let started = Instant::now();
    let mut answer = Vec::new();
    // A reset ends it as well.
    let _ = socket.read_to_end(&mut answer);
    (String::from_utf8_lossy(&answer).into_owned(), started.elapsed())
}

#[test]
fn slow_heads_and_bodies_are_closed_while_others_are_served() {
    let directory = tempfile::tempdir().unwrap();
    let server = Launch::in_directory(&data(directory.path())).start();
    let (http, grpc) = (server.http(), server.grpc());
    let head = b"POST /webhooks/inboxroad HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n";
    let slow_body = [head, &b"\r\n{\"type\""[..]].concat();
    let stalls = [
        (http, Vec::new(), ""),
        (http, b"POST /webh".to_vec(), ""),
        (http, head.to_vec(), ""),
        (http, slow_body, "HTTP/1.1 408"),
        (grpc, Vec::new(), ""),
        (grpc, b"P".to_vec(), ""),
        (grpc, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r".to_vec(), ""),
    ];
    let threads: Vec<_> = stalls
        .into_iter()
        .map(|(door, said, answered)| std::thread::spawn(move || (stall(door, &said), said, answered)))
        .collect();
    let mut answered_others = 0;
    while !threads.iter().all(std::thread::JoinHandle::is_finished) {
        answered_others += 1;
        assert_eq!(server.webhook().post(body("b", "a@example.com", "quota-issues", answered_others)).status, 200);
        assert_eq!(server.checks().one("a@example.com").unwrap().soft_bounce_limit, 5);
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(answered_others > 20, "others were served only {answered_others} times meanwhile");
    for thread in threads {
        let ((answer, time), said, answered) = thread.join().unwrap();
        let said = String::from_utf8_lossy(&said).into_owned();
        assert!(time < LONGEST, "{said:?} was held for {time:?}");
        assert!(answer.starts_with(answered), "{said:?}: {answer:?}");
    }
}
