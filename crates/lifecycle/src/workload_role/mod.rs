//! IAM roles of workloads: a service account of one cluster may assume the role, and nobody else.
//!
//! [`model`] holds the desired and the observed side, [`names`] the derived name, the ownership tags
//! and the trust policy, [`plan`] the pure planner. [`Engine`] observes and executes.

mod error;
mod execute;
pub mod model;
pub mod names;
pub mod plan;

pub use error::RoleError;
pub use execute::{Engine, Outcome};
