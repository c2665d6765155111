//! EKS clusters with their roles, OIDC provider, access entries and node groups.
//!
//! [`model`] holds the desired and the observed side, [`names`] the deterministic names and the
//! ownership tags, [`plan`] the pure planner. [`Engine`] observes and executes.

mod api;
mod endpoint;
mod execute;
pub mod model;
pub mod names;
mod observe;
pub mod plan;

pub use endpoint::{ClusterEndpoint, endpoint};
pub use execute::{ClusterError, Engine, Options, Outcome, Pace, Progress, StepContext, Watcher};
