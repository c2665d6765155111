//! Where the host connects: a unix socket in a directory of our own, or loopback.

use std::fs::Permissions;
use std::io;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use tempfile::TempDir;
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_stream::wrappers::ReceiverStream;

use crate::ServeError;
use crate::connection::{Connections, ServerStream, Transport};

/// The kind of a listener. `Display` is go-plugin's spelling: `unix` or `tcp`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Network {
    /// A unix socket; the address is its path.
    Unix,
    /// TCP on loopback; the address is `127.0.0.1:PORT`.
    Tcp,
}

impl std::fmt::Display for Network {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::Unix => "unix",
            Self::Tcp => "tcp",
        })
    }
}

/// Where a server listens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Kind of the listener.
    pub network: Network,
    /// Path, or host and port.
    pub address: String,
}

/// A handshake that takes longer is no host's.
const TLS_HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(10);

/// Pause after a failed accept, which is mostly for want of file descriptors.
const ACCEPT_RETRY_DELAY: Duration = Duration::from_millis(50);

#[derive(Debug)]
enum Socket {
    Unix(UnixListener),
    Tcp(TcpListener),
}

/// An open listener. Dropping it removes the socket.
#[derive(Debug)]
pub(crate) struct Listener {
    socket: Socket,
    address: Address,
    directory: Option<TempDir>,
}

impl Listener {
    /// Opens a unix socket below `directory`, or, where that cannot be done, the first free port
    /// of `ports`. A path of more than about 107 bytes is the usual reason.
    pub(crate) async fn open(
        directory: &Path,
        ports: RangeInclusive<u16>,
    ) -> Result<Self, ServeError> {
        let unix = match Self::open_unix(directory) {
            Ok(listener) => return Ok(listener),
            Err(error) => error,
        };
        tracing::debug!(directory = %directory.display(), error = %unix, "no unix socket can be made, falling back to TCP");
        Self::open_tcp(ports.clone())
            .await
            .map_err(|source| ServeError::Listen {
                directory: directory.display().to_string(),
                unix,
                ports: format!("{}-{}", ports.start(), ports.end()),
                source,
            })
    }

    fn open_unix(directory: &Path) -> io::Result<Self> {
        // The directory keeps other users out from the start; a mode set on the socket itself
        // would come after the bind.
        let directory = tempfile::Builder::new()
            .prefix("plugin")
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(directory)?;
        let path = directory.path().join("socket");
        // The handshake line is text with `|` and line ends as separators.
        let address = path
            .to_str()
            .filter(|text| !text.contains(['|', '\n', '\r']))
            .ok_or(io::ErrorKind::InvalidFilename)?
            .to_owned();
        Ok(Self {
            socket: Socket::Unix(UnixListener::bind(&path)?),
            address: Address {
                network: Network::Unix,
                address,
            },
            directory: Some(directory),
        })
    }

    async fn open_tcp(ports: RangeInclusive<u16>) -> io::Result<Self> {
        let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
        for port in ports {
            match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
                Ok(socket) => {
                    return Ok(Self {
                        address: Address {
                            network: Network::Tcp,
                            address: socket.local_addr()?.to_string(),
                        },
                        socket: Socket::Tcp(socket),
                        directory: None,
                    });
                }
                Err(error) => failure = error,
            }
        }
        Err(failure)
    }

    pub(crate) fn address(&self) -> &Address {
        &self.address
    }

    /// Accepts connections until the stream is dropped. Handshakes run beside each other, so that
    /// a slow or wrong peer holds up nobody.
    pub(crate) fn accept(
        self,
        tls: Option<TlsAcceptor>,
        connections: Connections,
    ) -> (ReceiverStream<io::Result<ServerStream>>, SocketDirectory) {
        let (sender, receiver) = mpsc::channel(1);
        let socket = self.socket;
        tokio::spawn(async move {
            loop {
                let accepted = tokio::select! {
                    () = sender.closed() => return,
                    accepted = accept_one(&socket) => accepted,
                };
                match accepted {
                    Ok(transport) => {
                        let (sender, tls) = (sender.clone(), tls.clone());
                        let connections = connections.clone();
                        tokio::spawn(admit(transport, tls, connections, sender));
                    }
                    Err(error) => {
                        tracing::warn!(%error, "cannot accept a connection of the host");
                        tokio::time::sleep(ACCEPT_RETRY_DELAY).await;
                    }
                }
            }
        });
        (
            ReceiverStream::new(receiver),
            SocketDirectory {
                _directory: self.directory,
            },
        )
    }
}

/// Removes the socket and its directory when dropped.
#[derive(Debug)]
pub(crate) struct SocketDirectory {
    _directory: Option<TempDir>,
}

async fn accept_one(socket: &Socket) -> io::Result<Box<dyn Transport>> {
    Ok(match socket {
        Socket::Unix(listener) => Box::new(listener.accept().await?.0),
        Socket::Tcp(listener) => {
            let (stream, _) = listener.accept().await?;
            stream.set_nodelay(true)?;
            Box::new(stream)
        }
    })
}

async fn admit(
    transport: Box<dyn Transport>,
    tls: Option<TlsAcceptor>,
    connections: Connections,
    sender: mpsc::Sender<io::Result<ServerStream>>,
) {
    let stream = match tls {
        None => connections.add(transport),
        Some(acceptor) => {
            let handshake = acceptor.accept(transport);
            match tokio::time::timeout(TLS_HANDSHAKE_TIMEOUT, handshake).await {
                Ok(Ok(stream)) => connections.add(stream),
                Ok(Err(error)) => {
                    tracing::warn!(%error, "refused a connection: the TLS handshake failed");
                    return;
                }
                Err(_) => {
                    tracing::warn!(
                        seconds = TLS_HANDSHAKE_TIMEOUT.as_secs(),
                        "refused a connection: the peer did not finish the TLS handshake in time"
                    );
                    return;
                }
            }
        }
    };
    // Fails only when the server is ending.
    let _ = sender.send(Ok(stream)).await;
}
