//! Kubernetes access shared by the engines: connection, discovery, server-side apply, readiness.
//!
//! [`Connection`] describes how to reach a cluster and does no I/O. [`Cluster::connect`] makes a
//! handle from it. Objects are plain JSON ([`serde_json::Value`]), because what is applied comes from
//! users and charts and must not pass through types that would drop fields they do not know.
//!
//! An API that cannot be reached is never reported as "not found": only the API server's own
//! `NotFound` status is.

pub mod connection;
pub mod error;
pub mod readiness;
pub mod wait;

mod client;
mod discovery;
mod object;

pub use client::{ApplyOptions, Cluster, Deletion, ListOptions, Preconditions, Propagation};
pub use connection::{
    Connection, Credentials, Endpoint, ExecPlugin, KubeconfigFile, Sensitive, Token, TokenError,
    TokenSource,
};
pub use discovery::Scope;
pub use error::{Error, FieldConflict, describe};
pub use object::ObjectReference;
