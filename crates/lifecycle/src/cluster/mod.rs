//! EKS clusters with their roles, OIDC provider, access entries and node groups.
//!
//! [`model`] holds the desired and the observed side, [`names`] the deterministic names and the
//! ownership tags, [`plan`] the pure planner. [`Engine`] observes and executes.

mod api;
mod endpoint;
mod error;
mod execute;
pub mod model;
pub mod names;
mod observe;
pub mod plan;
mod refusal;

pub use endpoint::{ClusterEndpoint, endpoint};
pub use error::{ClusterError, StepContext};
pub use execute::{Engine, Options, Outcome, Pace, Progress, Watcher};
