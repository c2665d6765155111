//! How the test client reaches a provider: in the same process, or a real process over its socket.

use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures::future::BoxFuture;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P521_SHA512};
use rustls::pki_types::{CertificateDer, ServerName};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncReadExt as _, AsyncWrite, BufReader};
use tokio::process::ChildStdout;
use tonic::body::Body;
use tonic::codegen::{Service, http};

use super::server_certificate::tls;
use super::startup::StartupError;
use crate::server::Server;
use crate::server::proto::provider_server::ProviderServer;

/// A way to send gRPC requests.
#[derive(Clone)]
pub(super) enum Transport {
    InProcess(ProviderServer<Server>),
    Socket(SendRequest<Body>),
}

impl Service<http::Request<Body>> for Transport {
    type Response = http::Response<Body>;
    type Error = Box<dyn std::error::Error + Send + Sync>;
    type Future = BoxFuture<'static, Result<Self::Response, Self::Error>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self {
            Self::InProcess(_) => Poll::Ready(Ok(())),
            Self::Socket(sender) => sender.poll_ready(context).map_err(Into::into),
        }
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        match self {
            Self::InProcess(server) => {
                let answer = server.call(request);
                Box::pin(async move { answer.await.map_err(Into::into) })
            }
            Self::Socket(sender) => {
                let answer = sender.send_request(request);
                Box::pin(async move { Ok(answer.await?.map(Body::new)) })
            }
        }
    }
}

/// A provider's process, killed when dropped.
pub(super) struct Process {
    child: Child,
    /// Where its socket is; a process that is killed removes nothing itself.
    sockets: TempDir,
}

impl Process {
    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for the process to end by itself, as Core does after its Shutdown, and says how it
    /// ended and how many files it left behind.
    pub(super) async fn ended(&mut self, within: Duration) -> std::io::Result<(ExitStatus, usize)> {
        let deadline = Instant::now() + within;
        loop {
            if let Some(status) = self.child.try_wait()? {
                return Ok((status, std::fs::read_dir(self.sockets.path())?.count()));
            }
            if Instant::now() > deadline {
                return Err(std::io::ErrorKind::TimedOut.into());
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

const COOKIE: (&str, &str) = (
    "TF_PLUGIN_MAGIC_COOKIE",
    "d602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2",
);

/// How long a provider may take to write its handshake line, as in go-plugin `client.go`.
const HANDSHAKE_TIMEOUT: Duration = Duration::from_secs(60);

/// Longer than any handshake line, which holds one certificate and one address.
const HANDSHAKE_LIMIT: u64 = 64 * 1024;

/// A provider that was started and has said where it listens.
pub(super) struct Started {
    pub(super) process: Process,
    pub(super) handshake: Handshake,
    /// From before the process was started until its handshake line was read.
    pub(super) elapsed: Duration,
    certificate: CertificateDer<'static>,
    key: KeyPair,
}

/// The line by which a go-plugin server says where and how it is to be reached.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Handshake {
    /// Version of the application's protocol.
    pub(super) protocol: u32,
    network: String,
    address: String,
    /// The server's certificate; none when it serves without TLS.
    pub(super) certificate: Option<CertificateDer<'static>>,
}

impl Handshake {
    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.trim_end().split('|');
        let (core, protocol, network, address, rpc) = (
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
            fields.next()?,
        );
        if (core, rpc) != ("1", "grpc") {
            return None;
        }
        let certificate = match fields.next() {
            None | Some("") => None,
            Some(text) => Some(STANDARD_NO_PAD.decode(text).ok()?.into()),
        };
        Some(Self {
            protocol: protocol.parse().ok()?,
            network: network.to_owned(),
            address: address.to_owned(),
            certificate,
        })
    }
}

/// Starts a provider as Core does and waits for its handshake line.
pub(super) async fn start(binary: &Path, stderr: Stdio) -> Result<Started, StartupError> {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512)?;
    let mut parameters = CertificateParams::new(["localhost".to_owned()])?;
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = parameters.self_signed(&key)?;
    let sockets = tempfile::tempdir().map_err(|source| StartupError::Sockets { source })?;
    let mut command = Command::new(binary);
    command
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        // Core lets the socket go where TMPDIR says.
        .env("TMPDIR", sockets.path())
        .env("PLUGIN_CLIENT_CERT", certificate.pem())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(stderr);
    let no_start = |source| StartupError::Start {
        binary: binary.to_path_buf(),
        source,
    };
    let begin = Instant::now();
    let mut child = command.spawn().map_err(no_start)?;
    let stdout = child.stdout.take();
    let mut process = Process { child, sockets };
    let no_line = |what: String| StartupError::Handshake {
        binary: binary.to_path_buf(),
        what,
    };
    let stdout = stdout.ok_or_else(|| no_line("its stdout is no pipe".to_owned()))?;
    let stdout = ChildStdout::from_std(stdout).map_err(no_start)?;
    let mut line = String::new();
    let mut reader = BufReader::new(stdout.take(HANDSHAKE_LIMIT));
    let read = tokio::time::timeout(HANDSHAKE_TIMEOUT, reader.read_line(&mut line)).await;
    let elapsed = begin.elapsed();
    match read {
        Err(_) => {
            let seconds = HANDSHAKE_TIMEOUT.as_secs();
            return Err(no_line(format!("it wrote nothing in {seconds} seconds")));
        }
        Ok(Err(error)) => return Err(no_line(format!("its stdout cannot be read ({error})"))),
        Ok(Ok(0)) => {
            // Ends a process that closed its stdout and goes on.
            let _ = process.child.kill();
            let status = process.child.wait().map_err(no_start)?;
            return Err(no_line(format!(
                "it closed its stdout and ended with {status}"
            )));
        }
        Ok(Ok(_)) => {}
    }
    let handshake = Handshake::parse(&line).ok_or_else(|| no_line(format!("it wrote {line:?}")))?;
    Ok(Started {
        process,
        handshake,
        elapsed,
        certificate: certificate.der().clone(),
        key,
    })
}

impl Started {
    /// Connects with mutual TLS and HTTP/2.
    pub(super) async fn connect(self) -> Result<(SendRequest<Body>, Process), StartupError> {
        let Handshake {
            network,
            address,
            certificate,
            ..
        } = self.handshake;
        let server = certificate.ok_or(StartupError::NoCertificate)?;
        let config = tls(server, self.certificate, self.key.serialize_der())?;
        let failed = |source| StartupError::Connect {
            address: address.clone(),
            source,
        };
        let sender = match network.as_str() {
            "unix" => {
                let stream = tokio::net::UnixStream::connect(&address).await;
                connect(stream.map_err(failed)?, config, failed).await?
            }
            "tcp" => {
                let stream = tokio::net::TcpStream::connect(&address).await;
                let stream = stream.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
                connect(stream.map_err(failed)?, config, failed).await?
            }
            _ => return Err(StartupError::Network { network }),
        };
        Ok((sender, self.process))
    }
}

/// Connects to a unix socket without TLS.
pub(super) async fn attach(socket: &Path) -> Result<SendRequest<Body>, StartupError> {
    let stream = tokio::net::UnixStream::connect(socket)
        .await
        .map_err(|source| StartupError::Connect {
            address: socket.display().to_string(),
            source,
        })?;
    http2(stream).await
}

async fn connect(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    config: rustls::ClientConfig,
    failed: impl Fn(std::io::Error) -> StartupError,
) -> Result<SendRequest<Body>, StartupError> {
    let name =
        ServerName::try_from("localhost").map_err(|error| failed(std::io::Error::other(error)))?;
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .map_err(failed)?;
    http2(stream).await
}

async fn http2(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
) -> Result<SendRequest<Body>, StartupError> {
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .map_err(|source| StartupError::Http { source })?;
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn handshake_lines() {
        let handshake = |protocol, network: &str, address: &str, certificate: Option<&[u8]>| {
            Some(Handshake {
                protocol,
                network: network.to_owned(),
                address: address.to_owned(),
                certificate: certificate.map(|bytes| bytes.to_vec().into()),
            })
        };
        let cases = [
            (
                "1|6|unix|/tmp/a|grpc|////\n",
                handshake(6, "unix", "/tmp/a", Some(&[255; 3])),
            ),
            // Newer servers of go-plugin add a field for multiplexing.
            (
                "1|5|tcp|127.0.0.1:10000|grpc|/////w|true\n",
                handshake(5, "tcp", "127.0.0.1:10000", Some(&[255; 4])),
            ),
            (
                "1|5|unix|/tmp/a|grpc|\n",
                handshake(5, "unix", "/tmp/a", None),
            ),
            ("1|5|unix|/tmp/a|grpc", handshake(5, "unix", "/tmp/a", None)),
            ("2|6|unix|/tmp/a|grpc|////\n", None),
            ("1|6|unix|/tmp/a|netrpc|\n", None),
            ("1|six|unix|/tmp/a|grpc|\n", None),
            ("1|6|unix|/tmp/a|grpc|not base64\n", None),
            ("1|6|unix|/tmp/a\n", None),
            ("hello\n", None),
        ];
        for (line, expected) in cases {
            assert_eq!(Handshake::parse(line), expected, "{line}");
        }
    }
}
