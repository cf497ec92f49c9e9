//! The connections: how many, and how long one may be silent before it has said anything.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::{Sleep, sleep};
use tonic::transport::server::{Connected, TcpConnectInfo};
use tracing::warn;

use crate::Limits;

/// How long no connection is taken after one could not be. Without it a process that is out of file descriptors would spin.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Takes connections until the drain begins, then closes the listener.
pub(crate) async fn accept(
    listener: TcpListener,
    connections: mpsc::Sender<Connection>,
    limits: &Limits,
    mut draining: watch::Receiver<bool>,
) {
    let room = Arc::new(Semaphore::new(limits.max_connections));
    let accepting = async {
        // The semaphore is never closed.
        while let Ok(permit) = Arc::clone(&room).acquire_owned().await {
            match listener.accept().await {
                Ok((tcp, _)) => {
                    if let Ok(connection) = Connection::new(tcp, permit, limits.handshake_timeout)
                        && connections.send(connection).await.is_err()
                    {
                        return;
                    }
                }
                Err(error) if is_of_one_connection(&error) => {}
                Err(error) => {
                    warn!(%error, "no connection can be taken");
                    sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    };
    tokio::select! {
        () = accepting => {}
        _ = draining.wait_for(|draining| *draining) => {}
    }
}

/// Whether it is the connection that failed, and the next one may be taken at once.
fn is_of_one_connection(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    [ConnectionAborted, ConnectionRefused, ConnectionReset].contains(&error.kind())
}

/// A connection, and its place among those that there may be.
///
/// Until its first byte it has a deadline: HTTP/2 itself would wait for ever, and its keepalive begins only after that.
pub(crate) struct Connection {
    tcp: TcpStream,
    first_byte: Option<Pin<Box<Sleep>>>,
    _place: OwnedSemaphorePermit,
}

impl Connection {
    fn new(tcp: TcpStream, place: OwnedSemaphorePermit, first_byte_timeout: Duration) -> io::Result<Self> {
        // An answer is one small write: held back for more, it would wait for the client's acknowledgement.
        tcp.set_nodelay(true)?;
        Ok(Self { tcp, first_byte: Some(Box::pin(sleep(first_byte_timeout))), _place: place })
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
        let read = Pin::new(&mut self.tcp).poll_read(cx, buffer);
        let Some(deadline) = &mut self.first_byte else { return read };
        if read.is_ready() {
            self.first_byte = None;
            return read;
        }
        deadline.as_mut().poll(cx).map(|()| Err(io::ErrorKind::TimedOut.into()))
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
