//! What it costs to start a provider, ours or any other.

use std::io;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http2::SendRequest;
use tonic::body::Body;
use tonic::codegen::{Bytes, http};

use super::transport;

/// The compression flag and length that precede a gRPC message, here of an empty one.
const EMPTY_MESSAGE: &[u8] = &[0; 5];

/// What it cost to start a provider once.
#[derive(Clone, Debug)]
pub struct Startup {
    /// Major version of Terraform's plugin protocol that the provider chose, of 5 and 6.
    pub protocol: u32,
    /// From before the process was started until its handshake line was read.
    pub handshake: Duration,
    /// Memory right after the handshake line.
    pub memory: Memory,
    /// The call for the schema. None when the provider speaks another protocol than 5 and 6, or
    /// serves without TLS.
    pub schema: Option<SchemaCall>,
}

/// `GetProviderSchema` (protocol 5: `GetSchema`), the first call of Core.
#[derive(Clone, Debug)]
pub struct SchemaCall {
    /// From the request until the last byte of the answer, over a connection that is open already.
    pub duration: Duration,
    /// Length of the answer in bytes, without gRPC's framing.
    pub length: usize,
    /// Memory right after the answer.
    pub memory: Memory,
}

/// Memory of a process, in bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Memory {
    /// What is resident now: `VmRSS` of proc_pid_status(5).
    pub resident: u64,
    /// The most that was resident since the start: `VmHWM`.
    pub peak: u64,
}

/// Why a provider could not be started and measured.
#[derive(Debug, thiserror::Error)]
pub enum StartupError {
    /// The client's certificate could not be made.
    #[error("cannot make a certificate for the client")]
    Certificate {
        /// Why.
        #[from]
        source: rcgen::Error,
    },
    /// No temporary directory could be made.
    #[error("cannot make a temporary directory for the provider's socket; make TMPDIR writable")]
    Sockets {
        /// Why.
        source: io::Error,
    },
    /// The binary could not be started.
    #[error("{} cannot be started; is it an executable for this machine?", .binary.display())]
    Start {
        /// Path of the binary.
        binary: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The process wrote no handshake line.
    #[error(
        "{} wrote no handshake line of a go-plugin server with gRPC on its stdout: {what}; is it a \
         Terraform provider?",
        .binary.display()
    )]
    Handshake {
        /// Path of the binary.
        binary: PathBuf,
        /// What it did instead.
        what: String,
    },
    /// The handshake line names a network that is neither `unix` nor `tcp`.
    #[error("the handshake line names the network {network:?}, which is neither unix nor tcp")]
    Network {
        /// The name.
        network: String,
    },
    /// The handshake line holds no certificate.
    #[error("the handshake line holds no certificate: the provider ignored PLUGIN_CLIENT_CERT")]
    NoCertificate,
    /// TLS could not be set up with the certificate of the handshake line.
    #[error("cannot set up TLS with the certificate of the handshake line")]
    Tls {
        /// Why.
        #[from]
        source: rustls::Error,
    },
    /// The connection failed, or the TLS handshake on it.
    #[error("cannot connect with TLS to {address}, where the provider says it listens")]
    Connect {
        /// The address of the handshake line.
        address: String,
        /// Why.
        source: io::Error,
    },
    /// HTTP/2 failed.
    #[error("the HTTP/2 connection to the provider failed")]
    Http {
        /// Why.
        source: hyper::Error,
    },
    /// The provider refused the call for its schema, or broke gRPC's framing.
    #[error("the provider did not answer {path} with a schema: {what}")]
    Schema {
        /// The gRPC method.
        path: &'static str,
        /// What it answered.
        what: String,
    },
    /// The memory of the process is not known.
    #[error("cannot read {}, which says how much memory the provider uses (Linux only)", .file.display())]
    Memory {
        /// The file of procfs.
        file: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Starts a provider's executable once as Core does, asks for its schema over mutual TLS, and kills
/// it. What it writes on stderr is dropped.
///
/// It runs in a Tokio runtime with I/O and time enabled.
///
/// # Errors
/// [`StartupError`] says what the binary did wrong, or what this machine cannot do.
pub async fn measure_startup(binary: &Path) -> Result<Startup, StartupError> {
    let started = transport::start(binary, Stdio::null()).await?;
    let memory = Memory::of(started.process.id())?;
    let protocol = started.handshake.protocol;
    let handshake = started.elapsed;
    let path = match (protocol, &started.handshake.certificate) {
        (5, Some(_)) => Some("/tfplugin5.Provider/GetSchema"),
        (6, Some(_)) => Some("/tfplugin6.Provider/GetProviderSchema"),
        _ => None,
    };
    let schema = match path {
        None => None,
        Some(path) => {
            let (sender, process) = started.connect().await?;
            let begin = Instant::now();
            let length = call_schema(sender, path).await?;
            Some(SchemaCall {
                duration: begin.elapsed(),
                length,
                memory: Memory::of(process.id())?,
            })
        }
    };
    Ok(Startup {
        protocol,
        handshake,
        memory,
        schema,
    })
}

/// Calls a method with an empty message, and returns the length of the answer's message.
async fn call_schema(
    mut sender: SendRequest<Body>,
    path: &'static str,
) -> Result<usize, StartupError> {
    let failed = |source| StartupError::Http { source };
    let refused = |what: String| StartupError::Schema { path, what };
    let request = http::Request::post(format!("https://localhost{path}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers")
        .body(Body::new(Full::new(Bytes::from_static(EMPTY_MESSAGE))))
        .map_err(|error| refused(error.to_string()))?;
    sender.ready().await.map_err(failed)?;
    let (head, body) = sender
        .send_request(request)
        .await
        .map_err(failed)?
        .into_parts();
    if head.status != http::StatusCode::OK {
        return Err(refused(format!("HTTP status {}", head.status)));
    }
    let body = body.collect().await.map_err(failed)?;
    // A call that fails at once has its trailers in the head.
    let trailers = body.trailers().unwrap_or(&head.headers);
    let text = |name| {
        trailers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    };
    if text("grpc-status") != "0" {
        return Err(refused(format!(
            "gRPC status {:?} {:?}",
            text("grpc-status"),
            text("grpc-message")
        )));
    }
    let bytes = body.to_bytes();
    let length = bytes.len().saturating_sub(EMPTY_MESSAGE.len());
    let announced = match bytes.get(..EMPTY_MESSAGE.len()) {
        Some(&[0, a, b, c, d]) => u32::from_be_bytes([a, b, c, d]),
        _ => return Err(refused("no uncompressed message".to_owned())),
    };
    if usize::try_from(announced) != Ok(length) {
        return Err(refused(format!(
            "{length} bytes, where {announced} are announced"
        )));
    }
    Ok(length)
}

impl Memory {
    /// Memory of the process with this id.
    fn of(process: u32) -> Result<Self, StartupError> {
        let file = PathBuf::from(format!("/proc/{process}/status"));
        std::fs::read_to_string(&file)
            .and_then(|status| {
                Self::parse(&status).ok_or_else(|| {
                    io::Error::new(io::ErrorKind::InvalidData, "it holds no VmRSS and VmHWM")
                })
            })
            .map_err(|source| StartupError::Memory { file, source })
    }

    fn parse(status: &str) -> Option<Self> {
        let bytes = |name: &str| {
            let value = status.lines().find_map(|line| line.strip_prefix(name))?;
            let kibibytes = value
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse::<u64>()
                .ok()?;
            kibibytes.checked_mul(1024)
        };
        Some(Self {
            resident: bytes("VmRSS:")?,
            peak: bytes("VmHWM:")?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_of_a_status() {
        let memory = |resident, peak| Some(Memory { resident, peak });
        let cases = [
            (
                "Name:\ta\nVmHWM:\t   10 kB\nVmRSS:\t    8 kB\n",
                memory(8192, 10240),
            ),
            ("VmHWM:\t10 kB\n", None),
            ("VmHWM:\t10 MB\nVmRSS:\t8 kB\n", None),
            // The status of a process that has ended.
            ("Name:\ta\nState:\tZ (zombie)\n", None),
        ];
        for (status, expected) in cases {
            assert_eq!(Memory::parse(status), expected, "{status}");
        }
    }

    #[tokio::test]
    async fn foreign_binaries_are_errors() {
        let cases = [
            (
                "/bin/true",
                "it closed its stdout and ended with exit status: 0",
            ),
            (
                "/bin/false",
                "it closed its stdout and ended with exit status: 1",
            ),
            ("/bin/echo", "it wrote \"\\n\""),
            ("/nowhere", "/nowhere cannot be started"),
        ];
        for (binary, expected) in cases {
            match measure_startup(Path::new(binary)).await {
                Err(error) => assert!(error.to_string().contains(expected), "{binary}: {error}"),
                Ok(startup) => panic!("{binary} was measured: {startup:?}"),
            }
        }
    }
}
