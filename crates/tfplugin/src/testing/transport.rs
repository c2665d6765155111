//! How the test client reaches a provider: in the same process, or a real process over its socket.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::task::{Context, Poll};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use futures::future::BoxFuture;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, PKCS_ECDSA_P521_SHA512};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tonic::codegen::{Service, http};

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

/// Starts a provider as Core does and connects with mutual TLS.
pub(super) async fn spawn(binary: &Path) -> (Transport, Process) {
    let key = KeyPair::generate_for(&PKCS_ECDSA_P521_SHA512).expect("a key can be made");
    let mut parameters = CertificateParams::new(["localhost".to_owned()]).expect("a valid name");
    parameters.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let certificate = parameters
        .self_signed(&key)
        .expect("a certificate can be made");
    let mut child = Command::new(binary)
        .env(COOKIE.0, COOKIE.1)
        .env("PLUGIN_PROTOCOL_VERSIONS", "5,6")
        .env("PLUGIN_MIN_PORT", "10000")
        .env("PLUGIN_MAX_PORT", "25000")
        .env("PLUGIN_CLIENT_CERT", certificate.pem())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{} cannot be started: {error}", binary.display()));
    let stdout = child.stdout.take().expect("stdout is a pipe");
    let process = Process { child };
    let line = tokio::task::spawn_blocking(move || {
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map(|_| line)
    })
    .await
    .expect("the reader does not panic")
    .expect("the handshake line can be read");
    let fields: Vec<&str> = line.trim_end().split('|').collect();
    let [core, protocol, network, address, "grpc", server] = fields[..] else {
        panic!("not a handshake line: {line:?}");
    };
    assert_eq!((core, protocol), ("1", "6"), "versions in {line:?}");
    let server = STANDARD_NO_PAD
        .decode(server)
        .expect("the certificate is base64 without padding");
    let config = tls(
        CertificateDer::from(server),
        certificate.der().clone(),
        key.serialize_der(),
    );
    let sender = match network {
        "unix" => {
            let stream = tokio::net::UnixStream::connect(address)
                .await
                .expect("the socket accepts");
            connect(stream, config).await
        }
        "tcp" => {
            let stream = tokio::net::TcpStream::connect(address)
                .await
                .expect("the port accepts");
            connect(stream, config).await
        }
        other => panic!("unknown network {other:?}"),
    };
    (Transport::Socket(sender), process)
}

fn tls(
    server: CertificateDer<'static>,
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
) -> ClientConfig {
    let mut roots = RootCertStore::empty();
    roots.add(server).expect("a certificate");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("TLS versions")
        .with_root_certificates(roots)
        .with_client_auth_cert(vec![certificate], PrivatePkcs8KeyDer::from(key).into())
        .expect("the key fits the certificate");
    config.alpn_protocols = vec![b"h2".to_vec()];
    config
}

async fn connect(
    stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    config: ClientConfig,
) -> SendRequest<Body> {
    let name = ServerName::try_from("localhost").expect("a valid name");
    let stream = tokio_rustls::TlsConnector::from(Arc::new(config))
        .connect(name, stream)
        .await
        .expect("the TLS handshake succeeds");
    let (sender, connection) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(stream))
            .await
            .expect("the HTTP/2 handshake succeeds");
    tokio::spawn(connection);
    sender
}
