//! Why a plugin could not be served.

use std::io;

/// Why a plugin could not be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// No listener could be opened, neither as a unix socket nor on loopback.
    #[error("cannot listen for the host, neither on a unix socket in {directory} nor on {tcp}")]
    Listen {
        /// Directory the socket was to be in.
        directory: String,
        /// Loopback address, or range of ports, that was tried last.
        tcp: String,
        /// What the operating system said to the last attempt.
        source: io::Error,
    },
}
