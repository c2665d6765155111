//! In which order objects are applied.

use serde::{Deserialize, Serialize};

use super::scope::is_built_in;

/// One step of an apply. Each is ready before the next begins; deletion goes the other way round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Namespaces.
    Namespaces,
    /// CustomResourceDefinitions, until they are Established.
    Definitions,
    /// What others refer to: roles, accounts, configuration, quotas, classes, network policies.
    Foundations,
    /// What runs, and how it is reached.
    Workloads,
    /// Webhooks and aggregated APIs, which need running pods.
    Extensions,
    /// Objects of kinds that Kubernetes does not have by itself.
    CustomResources,
}

impl Stage {
    /// All stages in the order of an apply.
    pub const ALL: [Stage; 6] = [
        Stage::Namespaces,
        Stage::Definitions,
        Stage::Foundations,
        Stage::Workloads,
        Stage::Extensions,
        Stage::CustomResources,
    ];

    /// The stage of a kind.
    pub fn of(group: &str, kind: &str) -> Stage {
        match (group, kind) {
            ("", "Namespace") => Stage::Namespaces,
            ("apiextensions.k8s.io", "CustomResourceDefinition") => Stage::Definitions,
            // A claim may wait for its first pod, so it is waited for together with the pods.
            ("", "Pod" | "ReplicationController" | "Service" | "PersistentVolumeClaim")
            | ("apps" | "batch" | "autoscaling" | "policy" | "discovery.k8s.io", _)
            | ("networking.k8s.io", "Ingress") => Stage::Workloads,
            ("apiregistration.k8s.io" | "admissionregistration.k8s.io", _) => Stage::Extensions,
            (group, _) if is_built_in(group) => Stage::Foundations,
            _ => Stage::CustomResources,
        }
    }
}
