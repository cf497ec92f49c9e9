//! Stands before a server, and makes its death mean as much as the death of its machine.
//!
//! A master acknowledges a write before its replicas have it. What it has written to their sockets by then is the kernel's, and
//! the kernel still delivers it when the master alone is killed: on plain loopback a replica that is elected after a `kill -9`
//! has almost everything, whether anybody waited for it or not. The death of a machine takes what is on its way along.
//!
//! So whoever talks to the server comes in here: a server that `--cluster-announce-port` or `--replicaof` makes known by this
//! port. What it sends to its replicas arrives later, by a time that can be set for all of them or for one; when its connection
//! ends, what has not arrived never does. Everything else passes at once: what replicas say, and both directions of clients. A
//! replica is told from a client, and from other replicas, by the port that its greeting names as its own.

use std::collections::HashMap;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// Most bytes that pass at once.
const CHUNK_BYTES: usize = 64 << 10;

/// A replica introduces itself within so many bytes.
const GREETING_BYTES: usize = 1 << 10;

/// What only a replica says: the length and the digits of its port follow.
const GREETING: &[u8] = b"$8\r\nREPLCONF\r\n$14\r\nlistening-port\r\n$";

/// In the place of a replica's port.
const NOT_A_REPLICA: u16 = 0;

/// A port of loopback with a server behind it.
pub(crate) struct ReplicationProxy {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    server: AtomicU16,
    delays: Mutex<Delays>,
    is_over: AtomicBool,
}

/// How much later than sent what is sent from now on arrives.
#[derive(Default)]
struct Delays {
    of_all: Duration,
    /// Replicas with one of their own, by their ports.
    of_one: HashMap<u16, Duration>,
}

impl ReplicationProxy {
    /// A port that is known before the server's is. Until that is told, nobody gets through.
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared::default());
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming() {
                if of_listener.is_over.load(Ordering::Relaxed) {
                    break;
                }
                // Without a server the client is turned away.
                let Ok(server) = TcpStream::connect(("127.0.0.1", of_listener.server.load(Ordering::Relaxed))) else { continue };
                join(&client.unwrap(), &server, &of_listener);
            }
        });
        Self { port, shared }
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    pub(crate) fn stand_before(&self, server: u16) {
        self.shared.server.store(server, Ordering::Relaxed);
    }

    /// How much later than sent what is sent from now on arrives at a replica.
    pub(crate) fn delay(&self, delay: Duration) {
        self.shared.delays.lock().unwrap().of_all = delay;
    }

    /// As `delay`, for the replica that listens at that port.
    pub(crate) fn delay_one(&self, replica: u16, delay: Duration) {
        self.shared.delays.lock().unwrap().of_one.insert(replica, delay);
    }
}

impl Shared {
    fn delay(&self, replica: u16) -> Duration {
        let delays = self.delays.lock().unwrap();
        delays.of_one.get(&replica).copied().unwrap_or(delays.of_all)
    }
}

impl Drop for ReplicationProxy {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        // The listener looks up.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Passes on what both say, until either ends.
fn join(client: &TcpStream, server: &TcpStream, shared: &Arc<Shared>) {
    for socket in [client, server] {
        socket.set_nodelay(true).unwrap();
    }
    let replica = Arc::new(AtomicU16::new(NOT_A_REPLICA));
    let (up, down) = ((client.try_clone().unwrap(), server.try_clone().unwrap()), (server.try_clone(), client.try_clone()));
    let (from, to) = (down.0.unwrap(), down.1.unwrap());
    let (of_up, of_down, shared) = (Arc::clone(&replica), replica, Arc::clone(shared));
    thread::spawn(move || pass_up(up.0, up.1, &of_up));
    thread::spawn(move || pass_down(from, to, &of_down, &shared));
}

/// From a client or a replica to the server.
fn pass_up(mut client: TcpStream, mut server: TcpStream, replica: &AtomicU16) {
    let mut greeting = Vec::new();
    pass(&mut client, |chunk| {
        if greeting.len() < GREETING_BYTES {
            greeting.extend_from_slice(chunk);
            replica.store(port_in(&greeting).unwrap_or(NOT_A_REPLICA), Ordering::Relaxed);
        }
        server.write_all(chunk).is_ok()
    });
    end(&client, &server);
}

/// The port at which a replica listens, by its greeting.
fn port_in(greeting: &[u8]) -> Option<u16> {
    let begin = greeting.windows(GREETING.len()).position(|part| part == GREETING)? + GREETING.len();
    // Its length, and what is cut off still.
    let mut lines = greeting[begin..].split(|byte| *byte == b'\r').skip(1);
    let (digits, _) = (lines.next()?, lines.next()?);
    std::str::from_utf8(digits).ok()?.trim_start().parse().ok()
}

/// From the server to a client, or later to a replica.
fn pass_down(mut server: TcpStream, mut client: TcpStream, replica: &AtomicU16, shared: &Shared) {
    let mut later = None;
    let both = (server.try_clone().unwrap(), client.try_clone().unwrap());
    pass(&mut server, |chunk| {
        let replica = replica.load(Ordering::Relaxed);
        if replica == NOT_A_REPLICA {
            return client.write_all(chunk).is_ok();
        }
        let later = later.get_or_insert_with(|| Later::to(client.try_clone().unwrap()));
        later.chunks.send((Instant::now() + shared.delay(replica), chunk.to_vec())).is_ok()
    });
    // Dropped first: what is on its way is lost.
    drop(later);
    end(&both.0, &both.1);
}

/// Gives each chunk that is read, until there are no more or nobody wants them.
fn pass(from: &mut TcpStream, mut to: impl FnMut(&[u8]) -> bool) {
    let mut buffer = vec![0; CHUNK_BYTES];
    while let Ok(bytes @ 1..) = from.read(&mut buffer) {
        if !to(&buffer[..bytes]) {
            break;
        }
    }
}

fn end(client: &TcpStream, server: &TcpStream) {
    for socket in [client, server] {
        // It may have ended already.
        let _ = socket.shutdown(Shutdown::Both);
    }
}

/// What arrives at a replica later. Dropped, it takes along what has not arrived.
struct Later {
    chunks: Sender<(Instant, Vec<u8>)>,
    /// Says by its end that the server is gone.
    _life: Sender<()>,
}

impl Later {
    fn to(replica: TcpStream) -> Self {
        let (chunks, due) = channel();
        let (life, end) = channel();
        thread::spawn(move || deliver(replica, &due, &end));
        Self { chunks, _life: life }
    }
}

/// Delivers each chunk when it is due, unless the server is gone by then.
fn deliver(mut replica: TcpStream, chunks: &Receiver<(Instant, Vec<u8>)>, end: &Receiver<()>) {
    for (due, chunk) in chunks {
        let is_due = end.recv_timeout(due.saturating_duration_since(Instant::now())) == Err(RecvTimeoutError::Timeout);
        if !is_due || replica.write_all(&chunk).is_err() {
            break;
        }
    }
}
