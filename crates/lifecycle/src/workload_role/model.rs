//! The desired and the observed side of a workload's role.

use std::collections::{BTreeMap, BTreeSet};

/// Names and texts.
pub type StringMap = BTreeMap<String, String>;

/// A service account in a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workload {
    /// Name of the cluster.
    pub cluster_name: String,
    /// Namespace of the service account.
    pub namespace: String,
    /// The service account.
    pub service_account: String,
}

/// On what ground a role of the name may be changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// It is to be made: only one that this creation left half-built may be there.
    Create {
        /// Identity of the creation, for the tag of the role.
        generation: String,
    },
    /// The state holds it. Its unique id, so that another one of the name is told from it.
    Held {
        /// IAM's unique id of the role.
        unique_id: Option<String>,
    },
    /// It was imported, whoever made it.
    Imported,
}

/// What a role shall be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredRole {
    /// Name of the role.
    pub name: String,
    /// Identity of the Terraform state.
    pub owner: String,
    /// Why the role may be changed.
    pub claim: Claim,
    /// Who may assume it.
    pub workload: Workload,
    /// OIDC provider of the cluster's issuer.
    pub oidc_provider_arn: String,
    /// Managed policies, and no others.
    pub policy_arns: BTreeSet<String>,
    /// Inline policies by name, and no others.
    pub inline_policies: StringMap,
    /// Permissions boundary.
    pub permissions_boundary: Option<String>,
    /// Longest session in seconds.
    pub max_session_duration: i32,
    /// The user's tags with the provider's.
    pub tags: StringMap,
}

/// A role as IAM shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRole {
    /// ARN.
    pub arn: String,
    /// IAM's unique id: another one when a role is made again under its name.
    pub unique_id: String,
    /// Trust policy, JSON.
    pub assume_role_policy: String,
    /// ARNs of the attached managed policies.
    pub policy_arns: BTreeSet<String>,
    /// Inline policies by name, JSON.
    pub inline_policies: StringMap,
    /// Permissions boundary.
    pub permissions_boundary: Option<String>,
    /// Longest session in seconds.
    pub max_session_duration: i32,
    /// Tags.
    pub tags: StringMap,
}
