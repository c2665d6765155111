//! The identity of a connection, as the services see it, and the connections that are open.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::watch;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::transport::server::Connected;

/// Number of a connection, unique within the process and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

static NEXT_ID: AtomicU64 = AtomicU64::new(1);

impl ConnectionId {
    fn next() -> Self {
        Self(NEXT_ID.fetch_add(1, Ordering::Relaxed))
    }
}

impl std::fmt::Display for ConnectionId {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(formatter)
    }
}

/// The connection a request came over. It is in the extensions of every request:
/// `request.extensions().get::<Connection>()`.
///
/// A host that was given a debug server's address opens one connection for each of its plugin
/// instances, so state that belongs to an instance is kept by [`ConnectionId`], and dropped when
/// the connection has closed.
#[derive(Debug, Clone)]
pub struct Connection {
    id: ConnectionId,
    closed: CancellationToken,
}

impl Connection {
    /// The connection's number.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// Whether the connection is closed, by either side.
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Waits until the connection is closed.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }
}

pub(crate) trait Transport: AsyncRead + AsyncWrite + Send + Unpin + 'static {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for T {}

/// Counts the open connections and can break them all.
#[derive(Debug, Clone)]
pub(crate) struct Connections {
    open: Arc<watch::Sender<usize>>,
    broken: CancellationToken,
}

impl Connections {
    pub(crate) fn new() -> Self {
        Self {
            open: Arc::new(watch::Sender::new(0)),
            broken: CancellationToken::new(),
        }
    }

    pub(crate) fn add(&self, transport: impl Transport) -> ServerStream {
        self.open.send_modify(|open| *open += 1);
        ServerStream {
            transport: Box::new(transport),
            connection: Connection {
                id: ConnectionId::next(),
                closed: CancellationToken::new(),
            },
            connections: self.clone(),
            broken: Box::pin(self.broken.clone().cancelled_owned()),
        }
    }

    /// Makes every connection fail, so that the RPCs on them are dropped.
    pub(crate) fn break_all(&self) {
        self.broken.cancel();
    }

    /// Waits until no connection is open.
    pub(crate) async fn none_open(&self) {
        // The sender lives as long as self, so waiting cannot fail.
        let _ = self.open.subscribe().wait_for(|open| *open == 0).await;
    }
}

/// The bytes of one connection, after TLS.
pub(crate) struct ServerStream {
    transport: Box<dyn Transport>,
    connection: Connection,
    connections: Connections,
    broken: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Drop for ServerStream {
    fn drop(&mut self) {
        self.connection.closed.cancel();
        self.connections.open.send_modify(|open| *open -= 1);
    }
}

impl Connected for ServerStream {
    type ConnectInfo = Connection;

    fn connect_info(&self) -> Connection {
        self.connection.clone()
    }
}

impl AsyncRead for ServerStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        // HTTP/2 always has a read pending, so this is where breaking is noticed.
        if self.broken.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.transport).poll_read(context, buffer)
    }
}

impl AsyncWrite for ServerStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.transport).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.transport.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.transport).poll_shutdown(context)
    }
}
