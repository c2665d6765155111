//! Free loopback ports that stay ours.

use std::net::{Ipv4Addr, SocketAddr};

use tokio::net::TcpSocket;

use crate::LabError;

/// A loopback TCP port held by a bound socket that never listens. A server that binds with
/// `SO_REUSEPORT` under the same user (kube-apiserver's `--permit-port-sharing`) can listen on it,
/// as often as it is restarted, and nobody else is ever given the port by the kernel.
#[derive(Debug)]
pub struct ReservedPort {
    port: u16,
    _socket: TcpSocket,
}

impl ReservedPort {
    /// Takes a port that is free now.
    ///
    /// # Errors
    /// When the kernel has none.
    pub fn take() -> Result<Self, LabError> {
        let take = || {
            let socket = TcpSocket::new_v4()?;
            socket.set_reuseport(true)?;
            socket.bind(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)))?;
            let port = socket.local_addr()?.port();
            Ok(Self {
                port,
                _socket: socket,
            })
        };
        take().map_err(LabError::io("reserve a port on 127.0.0.1"))
    }

    /// The port's number.
    #[must_use]
    pub fn number(&self) -> u16 {
        self.port
    }
}
