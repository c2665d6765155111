//! Serving, under a host and for a debugger.

use std::io::{self, Write};
use std::os::unix::process::parent_id;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use rustls_pki_types::CertificateDer;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tonic::service::Routes;
use tonic::transport::Server;

use crate::config::HostEnvironment;
use crate::connection::Connections;
use crate::listener::{Address, Listener};
use crate::services::{self, OnShutdown};
use crate::{ServeConfig, ServeError, tls};

/// Version of the handshake line (go-plugin `CoreProtocolVersion`).
const CORE_PROTOCOL_VERSION: u32 = 1;

/// How long RPCs may go on after Shutdown. Hosts kill the process after 2 seconds.
const SHUTDOWN_GRACE: Duration = Duration::from_millis(500);

/// How long RPCs may go on after the signal that ends a debugged process, which nobody kills.
const DEBUG_GRACE: Duration = Duration::from_secs(10);

/// How often a process without connections looks whether its parent still lives.
const PARENT_POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Serves `routes` to the host that started this process, until the host calls Shutdown, or is
/// gone, or `shutdown` is cancelled.
///
/// `shutdown` is cancelled by this function as soon as the server is to end, so that the
/// application can stop its work; RPCs that are still running after half a second are dropped. A
/// host counts as gone when the process has another parent than at its start and no connection is
/// open. SIGINT and SIGTERM do nothing, for a terminal sends SIGINT to host and plugin alike and
/// the host says what is to be done.
///
/// The returned code is 1, after a message on stderr, when the process was started by hand. The
/// caller should end the process soon after this returns, without waiting for blocking tasks (for
/// example by `Runtime::shutdown_background`), since the host waits for at most 2 seconds.
///
/// Nothing but the handshake line may be printed on stdout, neither before nor after.
///
/// # Errors
///
/// [`ServeError`] says what stopped the server.
pub async fn serve(
    config: ServeConfig,
    routes: Routes,
    shutdown: CancellationToken,
) -> Result<ExitCode, ServeError> {
    // Ends the application's work also when this future fails or is dropped.
    let _ends_application = shutdown.clone().drop_guard();
    if !config.started_by_host(|name| std::env::var_os(name)) {
        let _ = writeln!(io::stderr(), "{}", config.started_by_hand);
        return Ok(ExitCode::FAILURE);
    }
    let parent = parent_id();
    // A handler that does nothing, and not SIG_IGN, which child processes would inherit.
    let _handlers = Signals::install()?;
    let environment = HostEnvironment::read(|name| std::env::var_os(name))?;
    let listener = Listener::open(&environment.socket_directory, environment.ports).await?;
    let (acceptor, certificate) = if environment.client_certificates.is_empty() {
        (None, None)
    } else {
        let (config, certificate) = tls::server_config(environment.client_certificates)?;
        (Some(TlsAcceptor::from(Arc::new(config))), Some(certificate))
    };
    let line = handshake_line(
        config.protocol_version,
        listener.address(),
        certificate.as_ref(),
    );
    write_handshake(&line).map_err(|source| ServeError::Handshake { source })?;

    let connections = Connections::new();
    let routes = services::add_to(routes, &shutdown, OnShutdown::End);
    let grace = || tokio::time::sleep(SHUTDOWN_GRACE);
    let serving = serve_routes(listener, acceptor, routes, &shutdown, &connections, grace);
    let watching = async {
        host_gone(parent, &connections).await;
        tracing::info!(parent, "the host is gone, ending");
        shutdown.cancel();
        std::future::pending::<()>().await;
    };
    tokio::select! {
        result = serving => result.map(|()| ExitCode::SUCCESS),
        () = watching => Ok(ExitCode::SUCCESS),
    }
}

/// A server that is open but not yet served, see [`serve_debug`].
#[must_use = "a debug server serves only while `run` is polled"]
#[derive(Debug)]
pub struct DebugServer {
    listener: Listener,
    routes: Routes,
    shutdown: CancellationToken,
}

impl DebugServer {
    /// Where the host is to connect.
    pub fn address(&self) -> &Address {
        self.listener.address()
    }

    /// Id of this process.
    pub fn pid(&self) -> u32 {
        std::process::id()
    }

    /// Serves until SIGINT, SIGTERM, or cancellation of the token given to [`serve_debug`], which
    /// this function cancels when it ends. RPCs may go on for ten seconds or until the next
    /// signal, and are dropped then.
    ///
    /// # Errors
    ///
    /// [`ServeError`] says what failed.
    pub async fn run(self) -> Result<(), ServeError> {
        let shutdown = self.shutdown;
        let _ends_application = shutdown.clone().drop_guard();
        let mut signals = Signals::install()?;
        let connections = Connections::new();
        let routes = services::add_to(self.routes, &shutdown, OnShutdown::Ignore);
        let grace = || async {
            let again = async {
                match Signals::install() {
                    Ok(mut signals) => signals.received().await,
                    Err(_) => std::future::pending().await,
                }
            };
            // Elapsed or signalled, it is over.
            let _ = tokio::time::timeout(DEBUG_GRACE, again).await;
        };
        let serving = serve_routes(self.listener, None, routes, &shutdown, &connections, grace);
        let watching = async {
            signals.received().await;
            shutdown.cancel();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            result = serving => result,
            () = watching => Ok(()),
        }
    }
}

/// Opens a server without cookie, handshake and TLS, for hosts that are told the address by other
/// means (`TF_REATTACH_PROVIDERS`, in Terraform's case). It serves any number of connections at
/// once; Shutdown is answered and ignored.
///
/// The socket is open to this user alone. Where no unix socket can be made, the server listens on
/// loopback, which every user of the machine can reach.
///
/// # Errors
///
/// [`ServeError`] says what stopped the server from starting.
pub async fn serve_debug(
    routes: Routes,
    shutdown: CancellationToken,
) -> Result<DebugServer, ServeError> {
    Ok(DebugServer {
        listener: Listener::open(&std::env::temp_dir(), 0..=0).await?,
        routes,
        shutdown,
    })
}

/// Serves until `shutdown` is cancelled and the RPCs have ended, or `grace`, which begins then, is
/// over.
async fn serve_routes<G: Future<Output = ()>>(
    listener: Listener,
    acceptor: Option<TlsAcceptor>,
    routes: Routes,
    shutdown: &CancellationToken,
    connections: &Connections,
    grace: impl FnOnce() -> G,
) -> Result<(), ServeError> {
    let (incoming, _removes_socket) = listener.accept(acceptor, connections.clone());
    let server = Server::builder()
        .add_routes(routes)
        .serve_with_incoming_shutdown(incoming, shutdown.clone().cancelled_owned());
    let mut server = std::pin::pin!(server);
    let grace = async {
        shutdown.cancelled().await;
        grace().await;
    };
    let result = tokio::select! {
        result = &mut server => result,
        () = grace => {
            connections.break_all();
            tokio::time::timeout(SHUTDOWN_GRACE, server).await.unwrap_or(Ok(()))
        }
    };
    result.map_err(|source| ServeError::Transport { source })
}

/// Resolves when the host cannot come back: nobody is connected and our parent is another process.
async fn host_gone(parent: u32, connections: &Connections) {
    loop {
        connections.none_open().await;
        if parent_id() != parent {
            return;
        }
        tokio::time::sleep(PARENT_POLL_INTERVAL).await;
    }
}

/// The line by which a host learns where to connect (go-plugin `server.go`). Hosts decode the
/// certificate as base64 without padding.
fn handshake_line(
    protocol_version: u32,
    address: &Address,
    certificate: Option<&CertificateDer<'_>>,
) -> String {
    let certificate = certificate.map_or_else(String::new, |der| STANDARD_NO_PAD.encode(der));
    format!(
        "{CORE_PROTOCOL_VERSION}|{protocol_version}|{}|{}|grpc|{certificate}\n",
        address.network, address.address
    )
}

fn write_handshake(line: &str) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(line.as_bytes())?;
    stdout.flush()
}

/// Our handlers for the signals that a terminal or a service manager sends.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn install() -> Result<Self, ServeError> {
        let install = |kind| signal(kind).map_err(|source| ServeError::Signals { source });
        Ok(Self {
            interrupt: install(SignalKind::interrupt())?,
            terminate: install(SignalKind::terminate())?,
        })
    }

    async fn received(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::listener::Network;

    #[test]
    fn handshake_lines() {
        let unix = Address {
            network: Network::Unix,
            address: "/tmp/plugin1/socket".to_owned(),
        };
        let tcp = Address {
            network: Network::Tcp,
            address: "127.0.0.1:10000".to_owned(),
        };
        // One certificate for each remainder of a division by three, since padding differs.
        let cases: [(u32, &Address, Option<&[u8]>, &str); 5] = [
            (6, &unix, None, "1|6|unix|/tmp/plugin1/socket|grpc|\n"),
            (5, &tcp, None, "1|5|tcp|127.0.0.1:10000|grpc|\n"),
            (
                6,
                &tcp,
                Some(&[255; 3]),
                "1|6|tcp|127.0.0.1:10000|grpc|////\n",
            ),
            (
                6,
                &tcp,
                Some(&[255; 4]),
                "1|6|tcp|127.0.0.1:10000|grpc|/////w\n",
            ),
            (
                6,
                &tcp,
                Some(&[251; 5]),
                "1|6|tcp|127.0.0.1:10000|grpc|+/v7+/s\n",
            ),
        ];
        for (version, address, certificate, expected) in cases {
            let certificate = certificate.map(CertificateDer::from);
            assert_eq!(
                handshake_line(version, address, certificate.as_ref()),
                expected
            );
        }
    }
}
