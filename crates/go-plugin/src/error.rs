//! Why a plugin could not be served.

use std::io;

/// Why a plugin could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No listener could be opened, neither as a unix socket nor on loopback.
    #[error(
        "cannot listen for the host: no unix socket can be made in {directory} ({unix}), and no \
         TCP port on 127.0.0.1 in the range {ports} can be opened; make TMPDIR writable or free a port"
    )]
    Listen {
        /// Directory the socket was to be in.
        directory: String,
        /// Why it could not be made there.
        unix: io::Error,
        /// Ports that were tried; `0` is any free one.
        ports: String,
        /// What the operating system said to the last port.
        source: io::Error,
    },
    /// `PLUGIN_MIN_PORT` or `PLUGIN_MAX_PORT` is not a port.
    #[error("{variable} is {value:?}, but must be a number from 0 to 65535")]
    Port {
        /// Name of the variable.
        variable: &'static str,
        /// Its value.
        value: String,
    },
    /// The host's certificate cannot be read.
    #[error("PLUGIN_CLIENT_CERT, set by the host, holds no certificate in PEM form")]
    ClientCertificate {
        /// What is wrong with it.
        source: rustls_pki_types::pem::Error,
    },
    /// The process could not make its own certificate.
    #[error("cannot make a certificate for the connection to the host")]
    ServerCertificate {
        /// What failed.
        source: rcgen::Error,
    },
    /// The TLS library refused the configuration.
    #[error("cannot set up TLS for the connection to the host")]
    Tls {
        /// What it refused.
        source: rustls::Error,
    },
    /// The handshake line could not be written.
    #[error("cannot write the handshake line to stdout, where the host reads it")]
    Handshake {
        /// What the operating system said.
        source: io::Error,
    },
    /// Signal handlers could not be installed.
    #[error("cannot install the handlers for SIGINT and SIGTERM")]
    Signals {
        /// What the operating system said.
        source: io::Error,
    },
    /// The server stopped by itself.
    #[error("the gRPC server stopped serving")]
    Transport {
        /// Why.
        source: tonic::transport::Error,
    },
}
