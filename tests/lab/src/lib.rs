//! The lab: real Kubernetes control planes and a simulated AWS account on loopback.
//!
//! [`Toolbox`] builds the pinned programs on first use, [`Cluster`] is one real Kubernetes cluster,
//! [`Lab`] is a simulated AWS account whose EKS clusters are such clusters, and [`command`] has what
//! `cargo xtask lab` does. README.md beside this crate says what is real and what is not.

mod backend;
mod certificates;
mod cluster;
pub mod command;
mod error;
mod gate;
mod lab;
mod moto;
mod port;
mod process;
mod tools;

pub use backend::KubernetesBackend;
pub use cluster::{Cluster, ClusterSpec, ProcessReport, served_versions};
pub use error::LabError;
pub use lab::{Lab, Subnet, clear_account};
pub use moto::Moto;
pub use tools::{KubernetesTools, PythonTools, Toolbox, kubernetes_version};
