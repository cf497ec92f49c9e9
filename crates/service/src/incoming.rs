//! The connections: how many, and how long one may be silent before it has said anything.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Instant, Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::warn;

use crate::Limits;

/// How long no connection is taken after one could not be. Without it a process that is out of file descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A connection that nobody reads yet, and its place among those that there may be.
pub(crate) struct Taken {
    tcp: std::net::TcpStream,
    place: OwnedSemaphorePermit,
}

/// Takes connections until the drain begins. They go to one door after the other.
pub(crate) async fn accept(mut acceptor: Acceptor, doors: Vec<mpsc::Sender<Taken>>) {
    let mut turns = doors.iter().cycle();
    while let (Some((tcp, place)), Some(door)) = (acceptor.next().await, turns.next()) {
        // Whoever takes it up has a runtime of its own.
        if let Ok(tcp) = tcp.into_std()
            && door.send(Taken { tcp, place }).await.is_err()
        {
            return;
        }
    }
}

/// A listener that takes no more connections than there may be, and none once the drain begins.
pub(crate) struct Acceptor {
    listener: TcpListener,
    room: Arc<Semaphore>,
    draining: watch::Receiver<bool>,
}

impl Acceptor {
    pub(crate) fn new(listener: TcpListener, max_connections: usize, draining: watch::Receiver<bool>) -> Self {
        Self { listener, room: Arc::new(Semaphore::new(max_connections)), draining }
    }

    /// The next connection with its place; none once the drain begins.
    pub(crate) async fn next(&mut self) -> Option<(TcpStream, OwnedSemaphorePermit)> {
        let Self { listener, room, draining } = self;
        tokio::select! {
            taken = take(listener, room) => taken,
            _ = draining.wait_for(|draining| *draining) => None,
        }
    }
}

async fn take(listener: &TcpListener, room: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    // The semaphore is never closed.
    let place = Arc::clone(room).acquire_owned().await.ok()?;
    loop {
        match listener.accept().await {
            Ok((tcp, _)) => return Some((tcp, place)),
            Err(error) if is_of_one_connection(&error) => {}
            Err(error) => {
                warn!(%error, "no connection can be taken");
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether it is the connection that failed, and the next one may be taken at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// What every HTTP/2 client says first (RFC 9113, 3.4), in bytes; a TLS client's greeting is longer.
const PREFACE_BYTES: usize = 24;

/// A connection, and its place among those that there may be.
///
/// Its first words have a deadline, and after them it must not be silent for longer than a client that answers pings ever is.
/// HTTP/2 itself would wait for the first words for ever, and its pings begin only after them.
pub(crate) struct Connection {
    tcp: TcpStream,
    preface_bytes_due: usize,
    last_heard: Instant,
    longest_silence: Duration,
    deadline: Pin<Box<Sleep>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    /// To be called on the runtime that is to read it.
    pub(crate) fn new(Taken { tcp, place }: Taken, limits: &Limits) -> io::Result<Self> {
        let tcp = TcpStream::from_std(tcp)?;
        // An answer is one small write: held back for more, it would wait for the client's acknowledgement.
        tcp.set_nodelay(true)?;
        Ok(Self {
            tcp,
            preface_bytes_due: PREFACE_BYTES,
            last_heard: Instant::now(),
            longest_silence: limits.keepalive_interval + limits.keepalive_timeout + limits.handshake_timeout,
            deadline: Box::pin(sleep(limits.handshake_timeout)),
            _place: place,
        })
    }

    fn hear(&mut self, bytes: usize) {
        self.preface_bytes_due = self.preface_bytes_due.saturating_sub(bytes);
        self.last_heard = Instant::now();
    }

    /// Ready when the client has been waited for long enough.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            ready!(self.deadline.as_mut().poll(cx));
            let until = self.last_heard + self.longest_silence;
            if self.preface_bytes_due > 0 || until <= Instant::now() {
                return Poll::Ready(());
            }
            // Put off only when it is due: what is read often would be slowed down by a timer that is set again each time.
            self.deadline.as_mut().reset(until);
        }
    }
}

impl Connected for Connection {
    type ConnectInfo = TcpConnectInfo;

    fn connect_info(&self) -> TcpConnectInfo {
        self.tcp.connect_info()
    }
}

impl AsyncRead for Connection {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        if read.is_pending() {
            return self.poll_deadline(cx).map(|()| Err(io::ErrorKind::TimedOut.into()));
        }
        self.hear(buffer.filled().len() - before);
        read
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.tcp).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.tcp).poll_shutdown(cx)
    }
}
