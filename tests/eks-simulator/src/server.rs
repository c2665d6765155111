//! The endpoint: listens on loopback and serves until the handle is dropped.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::config::SimulatorConfig;
use crate::effects::Effects;
use crate::faults::Faults;
use crate::log::RequestLog;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The listen address is not a loopback address.
    #[error(
        "the simulator listens on loopback only, not on {0}; use 127.0.0.1 with port 0 for a free port"
    )]
    NotLoopback(std::net::SocketAddr),
    /// The socket could not be opened.
    #[error("cannot listen on {address}; choose a free port (0 takes any)")]
    Listen {
        /// The address that was asked for.
        address: std::net::SocketAddr,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// The moto URL is not `http://host:port`.
    #[error("the moto URL {url:?} is not usable: {reason}; give http://127.0.0.1:<port>")]
    MotoUrl {
        /// The URL given.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The configured default version is not one the backend serves.
    #[error(
        "the default Kubernetes version {version:?} cannot be served; this backend and the version table have {served:?}"
    )]
    DefaultVersion {
        /// The version asked for.
        version: String,
        /// What can be served.
        served: Vec<String>,
    },
}

/// Starts simulators.
#[derive(Debug, Clone, Copy)]
pub struct Simulator;

/// A running simulator; dropping it stops the server and all transitions.
pub struct Handle {
    endpoint: String,
    effects: Effects,
    faults: Faults,
    log: RequestLog,
    stop: CancellationToken,
}

impl Simulator {
    /// Opens the socket and serves from a task of the current tokio runtime.
    ///
    /// # Errors
    /// If the address is not loopback or taken, or the configuration cannot be served.
    pub async fn start(config: SimulatorConfig) -> Result<Handle, StartError> {
        if !config.listen.ip().is_loopback() {
            return Err(StartError::NotLoopback(config.listen));
        }
        let listen_error = |source| StartError::Listen {
            address: config.listen,
            source,
        };
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(listen_error)?;
        let address = listener.local_addr().map_err(listen_error)?;
        let stop = CancellationToken::new();
        let core = Arc::new(crate::core::Core::new(
            config,
            format!("http://{address}"),
            stop.clone(),
        )?);
        let handle = Handle {
            endpoint: core.endpoint.clone(),
            effects: core.effects.clone(),
            faults: core.faults.clone(),
            log: core.log.clone(),
            stop: stop.clone(),
        };
        tokio::spawn(crate::listener::serve(listener, core, stop));
        Ok(handle)
    }
}

impl Handle {
    /// `http://127.0.0.1:port`: the value for `AWS_ENDPOINT_URL`.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The log of effects, to read and to interrupt.
    pub fn effects(&self) -> &Effects {
        &self.effects
    }

    /// The faults, to set and clear.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The request log and counters.
    pub fn request_log(&self) -> &RequestLog {
        &self.log
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}
