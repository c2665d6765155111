//! The AWS side: observed and desired clusters, the pure plan between them, and its executor.
//!
//! [`aws`] turns provider settings and the standard AWS environment into clients, a verified
//! account and EKS bearer tokens. [`cluster`] makes, changes and removes EKS clusters: it observes
//! what exists, plans the steps that are missing ([`cluster::plan`], pure), does them, and repeats
//! until nothing is missing. Resuming after a crash is therefore the same code path as creating.
//! [`workload_role`] does the same for the IAM roles of workloads. [`policy_document`] says when two
//! IAM policies mean the same, [`permissions`] which ones all this needs.

pub mod aws;
pub mod cluster;
mod iam;
pub mod permissions;
pub mod policy_document;
pub mod workload_role;
