//! A simulator of the Amazon EKS control plane on the real wire protocol.
//!
//! One HTTP endpoint on loopback serves a whole AWS account: requests signed for `eks` are
//! answered here, with a real state machine whose clusters are made real by a
//! [`ClusterBackend`]; every other service is proxied to a moto server. The rules it keeps and
//! what is known of each are in `RULES.md` beside this crate.
//!
//! Control API (JSON, unsigned) on the same endpoint: `GET /_lab/requests?after=N`,
//! `GET /_lab/counters`, `POST /_lab/reset` (log and counters), `GET|POST|DELETE /_lab/faults`,
//! `DELETE /_lab/faults/{id}`, `GET /_lab/clock`, `POST /_lab/clock` with
//! `{"advance_seconds": N}`. Webhooks for the API servers:
//! `POST /_lab/clusters/{name}/authenticate` (TokenReview v1) and
//! `POST /_lab/clusters/{name}/authorize` (SubjectAccessReview v1).

mod access;
mod addon_catalogue;
mod addon_manifests;
mod addon_updates;
mod addons;
mod auto_mode;
mod aws;
mod backend;
mod clock;
mod cluster_updates;
mod clusters;
mod config;
mod control;
mod core;
mod effects;
mod eks;
mod fargate;
mod faults;
mod identity_providers;
mod insights;
mod launch_templates;
mod listener;
mod log;
mod node_group_updates;
mod node_groups;
mod nodes;
mod pages;
mod pod_identities;
mod policies;
mod principals;
mod proxy;
mod refusals;
mod roles;
mod schema;
mod server;
mod signature;
mod store;
mod tags;
mod versions;
mod webhook;
mod wire;

pub use backend::{
    ApplyOutcome, BackendError, BackendFuture, ClusterBackend, ControlPlane, ControlPlaneSpec,
    DeprecatedUse, DrainOutcome, NodeCapacity, NodeSpec, NodeTaint,
};
pub use clock::{Clock, SteppedClock};
pub use clusters::UNSUPPORTED_ZONE_IDS;
pub use config::{AccessKeyPair, SimulatorConfig, Timings};
pub use effects::{Effect, Effects, Interruption};
pub use faults::{ActiveFault, Fault, FaultKind, Faults};
pub use log::{Counters, LoggedRequest, RequestLog};
pub use server::{Handle, Simulator, StartError};
