//! The host's side of go-plugin, as far as the tests need it.

#![allow(dead_code, reason = "each test binary uses its own part")]

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::{Arc, OnceLock};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName};
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use tokio::io::{AsyncRead, AsyncWrite};
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

pub const COOKIE: (&str, &str) = ("EXAMPLE_COOKIE", "a-cookie");

#[derive(Clone, PartialEq, prost::Message)]
pub struct Empty {}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HealthRequest {
    #[prost(string, tag = "1")]
    pub service: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct HealthResponse {
    #[prost(int32, tag = "1")]
    pub status: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct Knock {
    #[prost(bool, tag = "1")]
    pub knock: bool,
    #[prost(bool, tag = "2")]
    pub ack: bool,
    #[prost(string, tag = "3")]
    pub error: String,
}

#[derive(Clone, PartialEq, prost::Message)]
pub struct ConnInfo {
    #[prost(uint32, tag = "1")]
    pub service_id: u32,
    #[prost(string, tag = "2")]
    pub network: String,
    #[prost(string, tag = "3")]
    pub address: String,
    #[prost(message, optional, tag = "4")]
    pub knock: Option<Knock>,
}

/// Path of the example plugin, which cargo builds unless it is fresh.
pub fn plugin_path() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").expect("the tests run under cargo");
        let output = Command::new(cargo)
            .args(["build", "--quiet", "--package", "go-plugin"])
            .args(["--example", "plugin", "--message-format=json"])
            .stderr(Stdio::inherit())
            .output()
            .expect("cargo starts");
        assert!(output.status.success(), "the example plugin does not build");
        let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
        let executable = messages.lines().rev().find_map(|line| {
            let message: serde_json::Value = serde_json::from_str(line).ok()?;
            Some(PathBuf::from(message["executable"].as_str()?))
        });
        executable.expect("cargo names the executable")
    })
}

/// A plugin's process, killed when dropped.
pub struct Plugin {
    pub child: Child,
    stdout: BufReader<ChildStdout>,
}

impl Drop for Plugin {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Plugin {
    /// Starts the example plugin with this environment and nothing else in it.
    pub fn start(environment: &[(&str, &str)], arguments: &[&str]) -> Self {
        let mut child = Command::new(plugin_path())
            .args(arguments)
            .env_clear()
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the plugin starts");
        let stdout = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        Self { child, stdout }
    }

    /// The next line on stdout, without its end; empty at the end of the stream.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.read_line(&mut line).expect("stdout is text");
        assert!(line.is_empty() || line.pop() == Some('\n'));
        line
    }

    pub fn signal(&self, name: &str) {
        let status = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(status.expect("kill starts").success());
    }

    /// Waits for the end: status, the rest of stdout, and stderr.
    pub fn finish(mut self) -> (ExitStatus, String, String) {
        let (mut stdout, mut stderr) = (String::new(), String::new());
        self.stdout.read_to_string(&mut stdout).expect("stdout");
        let mut pipe = self.child.stderr.take().expect("stderr is a pipe");
        pipe.read_to_string(&mut stderr).expect("stderr");
        (self.child.wait().expect("the plugin ends"), stdout, stderr)
    }
}

/// The handshake line, taken apart.
#[derive(Debug, Clone)]
pub struct Handshake {
    pub fields: Vec<String>,
}

impl Handshake {
    pub fn parse(line: &str) -> Self {
        let fields: Vec<_> = line.split('|').map(str::to_owned).collect();
        assert_eq!(fields.len(), 6, "{line:?}");
        assert_eq!((&*fields[0], &*fields[1], &*fields[4]), ("1", "6", "grpc"));
        Self { fields }
    }

    pub fn network(&self) -> &str {
        &self.fields[2]
    }

    pub fn address(&self) -> &str {
        &self.fields[3]
    }

    pub fn certificate(&self) -> CertificateDer<'static> {
        let der = STANDARD_NO_PAD.decode(&self.fields[5]);
        der.expect("base64 without padding").into()
    }
}

/// A certificate such as go-plugin's `mtls.go` makes: P-521, self-signed, a CA.
pub struct Identity {
    certificate: CertificateDer<'static>,
    key: Vec<u8>,
    pub pem: String,
}

impl Identity {
    pub fn new() -> Self {
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P521_SHA512).expect("a key");
        let mut params = CertificateParams::new(["localhost".to_owned()]).expect("a name");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).expect("a certificate");
        Self {
            pem: certificate.pem(),
            certificate: certificate.der().clone(),
            key: key.serialize_der(),
        }
    }
}

/// How a client connects.
pub struct Tls<'a> {
    pub identity: Option<&'a Identity>,
    pub versions: &'a [&'static SupportedProtocolVersion],
}

impl Tls<'_> {
    fn config(&self, server: CertificateDer<'static>) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(server).expect("a certificate that rustls reads");
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(self.versions)
            .expect("known versions")
            .with_root_certificates(roots);
        let mut config = match self.identity {
            None => builder.with_no_client_auth(),
            Some(identity) => builder
                .with_client_auth_cert(
                    vec![identity.certificate.clone()],
                    PrivatePkcs8KeyDer::from(identity.key.clone()).into(),
                )
                .expect("the key fits the certificate"),
        };
        config.alpn_protocols = vec![b"h2".to_vec()];
        config
    }
}

/// A gRPC client on one connection.
#[derive(Clone)]
pub struct Client {
    sender: SendRequest<Body>,
}

impl Service<http::Request<Body>> for Client {
    type Response = http::Response<hyper::body::Incoming>;
    type Error = hyper::Error;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(
        &mut self,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Result<(), hyper::Error>> {
        self.sender.poll_ready(context)
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(self.sender.send_request(request))
    }
}

impl Client {
    /// Connects with TLS, or in plaintext without it. An error of any step is text.
    pub async fn connect(handshake: &Handshake, tls: Option<Tls<'_>>) -> Result<Self, String> {
        match handshake.network() {
            "unix" => {
                let stream = tokio::net::UnixStream::connect(handshake.address()).await;
                Self::over(stream.map_err(|e| e.to_string())?, handshake, tls).await
            }
            "tcp" => {
                let stream = tokio::net::TcpStream::connect(handshake.address()).await;
                Self::over(stream.map_err(|e| e.to_string())?, handshake, tls).await
            }
            other => panic!("unknown network {other}"),
        }
    }

    async fn over(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        handshake: &Handshake,
        tls: Option<Tls<'_>>,
    ) -> Result<Self, String> {
        let Some(tls) = tls else {
            return Self::http2(stream).await;
        };
        let config = Arc::new(tls.config(handshake.certificate()));
        let name = ServerName::try_from("localhost").expect("a name");
        let stream = tokio_rustls::TlsConnector::from(config)
            .connect(name, stream)
            .await
            .map_err(|error| error.to_string())?;
        assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        Self::http2(stream).await
    }

    async fn http2(
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
    ) -> Result<Self, String> {
        let io = TokioIo::new(stream);
        let (sender, connection) = hyper::client::conn::http2::handshake(TokioExecutor::new(), io)
            .await
            .map_err(|error| error.to_string())?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    async fn grpc(&self) -> Result<tonic::client::Grpc<Self>, Status> {
        let origin = http::Uri::from_static("http://localhost");
        let mut client = tonic::client::Grpc::with_origin(self.clone(), origin);
        let ready = client.ready().await;
        ready.map_err(|error| Status::unavailable(format!("{error:?}")))?;
        Ok(client)
    }

    pub async fn call<M, R>(&self, path: &'static str, message: M) -> Result<Response<R>, Status>
    where
        M: prost::Message + 'static,
        R: prost::Message + Default + 'static,
    {
        let path = http::uri::PathAndQuery::from_static(path);
        let codec = ProstCodec::<M, R>::default();
        let mut client = self.grpc().await?;
        client.unary(Request::new(message), path, codec).await
    }

    /// A call in which both sides may stream.
    pub async fn stream<M, R>(
        &self,
        path: &'static str,
        messages: impl tokio_stream::Stream<Item = M> + Send + 'static,
    ) -> Result<tonic::Streaming<R>, Status>
    where
        M: prost::Message + 'static,
        R: prost::Message + Default + 'static,
    {
        let path = http::uri::PathAndQuery::from_static(path);
        let codec = ProstCodec::<M, R>::default();
        let mut client = self.grpc().await?;
        let response = client
            .streaming(Request::new(messages), path, codec)
            .await?;
        Ok(response.into_inner())
    }

    /// The health of a service: its status, or the code of the refusal.
    pub async fn health(&self, service: &str) -> Result<i32, Status> {
        let request = HealthRequest {
            service: service.to_owned(),
        };
        let response: Response<HealthResponse> =
            self.call("/grpc.health.v1.Health/Check", request).await?;
        Ok(response.into_inner().status)
    }

    pub async fn shut_down(&self) -> Result<Response<Empty>, Status> {
        self.call("/plugin.GRPCController/Shutdown", Empty {}).await
    }
}
