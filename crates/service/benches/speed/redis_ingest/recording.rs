//! What `suppressd` sends to Redis to record events, taken down on its way, to be sent again by a client that does nothing else.
//!
//! It is recorded and not made, so that it is what is sent, whatever the scripts and their arguments are.

use std::io::{Read, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use redis::{ConnectionLike as _, Value};

/// What a connection has sent and nobody has taken yet.
type Sent = Arc<Mutex<Vec<u8>>>;

/// Stands between a client and a Redis, for as long as the benchmark runs.
pub(super) struct Recorder {
    address: SocketAddr,
    connections: Arc<Mutex<Vec<Sent>>>,
}

/// Commands as they were sent.
pub(super) struct Commands(Vec<Vec<u8>>);

impl Recorder {
    /// In front of the Redis on that socket.
    pub(super) fn start(socket: &Path) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let recorder = Self { address: listener.local_addr().unwrap(), connections: Arc::default() };
        let (connections, socket) = (Arc::clone(&recorder.connections), socket.to_path_buf());
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let sent = Sent::default();
                connections.lock().unwrap().push(Arc::clone(&sent));
                pass_on(client.unwrap(), UnixStream::connect(&socket).unwrap(), sent);
            }
        });
        recorder
    }

    /// Where it is reached, as a store's location.
    pub(super) fn url(&self) -> PathBuf {
        format!("redis://{}", self.address).into()
    }

    /// The scripts that were called since the last time. All of them must have been answered.
    pub(super) fn take_scripts(&self) -> Commands {
        let mut scripts = Vec::new();
        for sent in self.connections.lock().unwrap().iter() {
            let sent = std::mem::take(&mut *sent.lock().unwrap());
            let mut rest = &sent[..];
            while let Some((name, command)) = next_command(&mut rest) {
                if [&b"EVAL"[..], b"EVALSHA"].contains(&name) {
                    scripts.push(command.to_vec());
                }
            }
        }
        Commands(scripts)
    }
}

/// Both ways, until one side ends.
fn pass_on(client: TcpStream, server: UnixStream, sent: Sent) {
    client.set_nodelay(true).unwrap();
    let (mut from_client, mut to_client) = (client.try_clone().unwrap(), client);
    let (mut from_server, mut to_server) = (server.try_clone().unwrap(), server);
    std::thread::spawn(move || {
        let _ = std::io::copy(&mut from_server, &mut to_client);
    });
    std::thread::spawn(move || {
        let mut buffer = vec![0; 1 << 16];
        while let Ok(bytes @ 1..) = from_client.read(&mut buffer) {
            sent.lock().unwrap().extend_from_slice(&buffer[..bytes]);
            to_server.write_all(&buffer[..bytes]).unwrap();
        }
        let _ = to_server.shutdown(Shutdown::Both);
    });
}

/// Takes one command off the front: an array of bulk strings. Gives its first word, and all of it.
fn next_command<'a>(rest: &mut &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let begin = *rest;
    let words = number_line(rest, b'*')?;
    let mut name = None;
    for _ in 0..words {
        let bytes = number_line(rest, b'$')?;
        let (word, behind) = rest.split_at_checked(bytes)?;
        name.get_or_insert(word);
        *rest = behind.strip_prefix(b"\r\n")?;
    }
    Some((name?, &begin[..begin.len() - rest.len()]))
}

/// A line of a letter and a number.
fn number_line(rest: &mut &[u8], letter: u8) -> Option<usize> {
    let end = rest.windows(2).position(|bytes| bytes == b"\r\n")?;
    let line = rest[..end].strip_prefix(&[letter])?;
    *rest = &rest[end + 2..];
    std::str::from_utf8(line).ok()?.parse().ok()
}

impl Commands {
    /// Sends them whatever is answered, so that their scripts are known afterwards.
    pub(super) fn load(&self, connection: &mut redis::Connection) {
        for command in &self.0 {
            // Those that are sent by name before any was known are refused.
            let _ = connection.req_packed_command(command);
        }
    }

    /// Sends them, which must all succeed, so many at a time, the next ones when all of these are answered.
    pub(super) fn send(&self, connection: &mut redis::Connection, at_a_time: usize) {
        for commands in self.0.chunks(at_a_time) {
            let replies = connection.req_packed_commands(&commands.concat(), 0, commands.len()).unwrap();
            assert!(!replies.iter().any(|reply| matches!(reply, Value::ServerError(_))), "a script is refused");
        }
    }
}
