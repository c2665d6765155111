//! Serving, under a host and for a debugger.

use std::process::ExitCode;

use tokio_util::sync::CancellationToken;
use tonic::service::Routes;

use crate::{ServeConfig, ServeError};

/// The kind of a listener, as go-plugin spells it in its `Display` form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A unix socket; the address is its path.
    Unix,
    /// TCP on loopback; the address is `127.0.0.1:PORT`.
    Tcp,
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Kind of the listener.
    pub network: Network,
    /// Path, or host and port.
    pub address: String,
}

/// Serves `routes` to the host that started this process, until the host says Shutdown, or is
/// gone, or `shutdown` is cancelled.
///
/// `shutdown` is also cancelled by this function when the server ends, so that the application
/// can stop its work. The returned code is 1, after a message on stderr, when the process was
/// started by hand.
///
/// # Errors
///
/// [`ServeError`] says what stopped the server from starting.
pub async fn serve(
    config: ServeConfig,
    routes: Routes,
    shutdown: CancellationToken,
) -> Result<ExitCode, ServeError> {
    let _ = (config, routes, shutdown);
    Ok(ExitCode::SUCCESS)
}

/// A server for a host that was told where to connect, see [`serve_debug`].
#[derive(Debug)]
pub struct DebugServer {
    address: Address,
}

impl DebugServer {
    /// Where the host is to connect.
    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Id of this process.
    pub fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Serves until SIGINT, SIGTERM, or `shutdown` is cancelled.
    ///
    /// # Errors
    ///
    /// [`ServeError`] says what failed.
    pub async fn run(self) -> Result<(), ServeError> {
        Ok(())
    }
}

/// Opens a server without cookie, handshake and TLS, for a host that is told the address by
/// other means. Several connections are served at once; Shutdown is answered and ignored.
///
/// # Errors
///
/// [`ServeError`] says what stopped the server from starting.
pub async fn serve_debug(
    routes: Routes,
    shutdown: CancellationToken,
) -> Result<DebugServer, ServeError> {
    let _ = (routes, shutdown);
    Ok(DebugServer {
        address: Address {
            network: Network::Tcp,
            address: String::new(),
        },
    })
}
