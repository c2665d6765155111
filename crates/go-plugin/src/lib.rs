//! The plugin's side of HashiCorp go-plugin over gRPC, for any application service: magic cookie,
//! handshake, automatic mutual TLS, controller, stdio, broker, health, and logs as hclog JSON.
//!
//! A plugin builds its services as [`tonic::service::Routes`] and hands them to [`serve`], or to
//! [`serve_debug`] when a developer starts the process under a debugger.
//!
//! Behaviour follows `client.go`, `server.go` and `mtls.go` of github.com/hashicorp/go-plugin.

mod config;
mod connection;
mod error;
mod listener;
pub mod logging;
mod panic_hook;
mod server;
mod services;
mod tls;

pub use config::ServeConfig;
pub use connection::{Connection, ConnectionId};
pub use error::ServeError;
pub use listener::{Address, Network};
pub use panic_hook::install_panic_hook;
pub use server::{DebugServer, serve, serve_debug};
