//! The identity of a connection, as the services see it.

use tokio_util::sync::CancellationToken;

/// Number of a connection, unique within the process and never used again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(u64);

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

    /// Whether the host has closed the connection, or the server is ending it.
    pub fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Waits until the connection is closed.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }
}
