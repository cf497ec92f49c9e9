//! A port that stays while the server behind it is killed and comes back elsewhere, and that can cut connections.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

/// A port of loopback with a server behind it.
pub(crate) struct Front {
    port: u16,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    server: AtomicU16,
    open: Mutex<Vec<TcpStream>>,
    is_over: AtomicBool,
}

impl Front {
    pub(crate) fn of(server: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared { server: server.into(), ..Shared::default() });
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if of_listener.is_over.load(Ordering::Relaxed) {
                    return;
                }
                // Nobody is there while the server is away: then the client's connection ends at once.
                if let Ok(server) = TcpStream::connect(("127.0.0.1", of_listener.server.load(Ordering::Relaxed))) {
                    of_listener.join(&client, &server);
                }
            }
        });
        Self { port, shared }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// From now on another one is behind it.
    pub(crate) fn stand_before(&self, server: u16) {
        self.shared.server.store(server, Ordering::Relaxed);
    }

    /// Ends every connection there is.
    pub(crate) fn cut(&self) {
        for open in self.shared.open.lock().unwrap().drain(..) {
            // It may have ended by itself.
            let _ = open.shutdown(Shutdown::Both);
        }
    }
}

impl Shared {
    fn join(&self, client: &TcpStream, server: &TcpStream) {
        let clone = |stream: &TcpStream| stream.try_clone().unwrap();
        self.open.lock().unwrap().extend([clone(client), clone(server)]);
        for (mut from, mut to) in [(clone(client), clone(server)), (clone(server), clone(client))] {
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Both);
                let _ = from.shutdown(Shutdown::Both);
            });
        }
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Relaxed);
        self.cut();
        // So that the listener looks.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
