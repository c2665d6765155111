//! What a plan refuses.

use crate::cluster::model::KubernetesVersion;
use std::fmt;

/// Why no plan leads to what is desired.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// A cluster of the name exists and carries no ownership tag.
    #[error(
        "EKS cluster {name} exists and is not managed by this provider (it has no tag devopsgenie.dev/owner); \
         choose another name, or take it over with: terraform import <address> {name}"
    )]
    Unowned {
        /// Name of the cluster.
        name: String,
    },
    /// A finished cluster of the name has this owner and is not in the state.
    #[error(
        "EKS cluster {name} exists, is finished and carries this configuration's owner, {owner:?} \
         (tag devopsgenie.dev/owner), but it is not in this state; it was left alone. If no other state \
         manages it, take it over with: terraform import <address> {name}. Otherwise (terraform test, for \
         example, has a state of its own) choose another name"
    )]
    Finished {
        /// Name of the cluster.
        name: String,
        /// The owner.
        owner: String,
    },
    /// A cluster of the name exists and belongs to another Terraform state.
    #[error(
        "EKS cluster {name} belongs to another owner, {owner:?} (tag devopsgenie.dev/owner); it was left alone. \
         If this state is that owner's and was moved to another backend, directory or workspace, write \
         owner = {owner:?} in the provider block. Otherwise choose another name, or, if this configuration \
         shall take it over, remove it from the other state and run: terraform import <address> {name}"
    )]
    ForeignOwner {
        /// Name of the cluster.
        name: String,
        /// The other owner.
        owner: String,
    },
    /// A role of the name we need exists and is not ours.
    #[error(
        "IAM role {name} exists and does not belong to cluster {cluster} of this configuration \
         ({}); delete it, or give another role in {attribute}",
        foreign_role(.owner.as_deref())
    )]
    ForeignRole {
        /// Name of the role.
        name: String,
        /// Name of the cluster.
        cluster: String,
        /// Its owner tag.
        owner: Option<String>,
        /// The attribute that names a role.
        attribute: &'static str,
    },
    /// AWS cannot change this in place.
    #[error(
        "{attribute} of EKS cluster {name} is {actual} and cannot be changed to {desired}: AWS fixes it at creation; \
         replace the cluster, or write {attribute} = {actual:?}"
    )]
    Immutable {
        /// Name of the cluster.
        name: String,
        /// The attribute.
        attribute: &'static str,
        /// What the cluster has.
        actual: String,
        /// What is configured.
        desired: String,
    },
    /// The control plane is newer than configured.
    #[error(
        "EKS cluster {name} runs Kubernetes {actual} and cannot go back to {desired}; \
         write kubernetes_version = \"{actual}\" or newer"
    )]
    Downgrade {
        /// Name of the cluster.
        name: String,
        /// What runs.
        actual: KubernetesVersion,
        /// What is configured.
        desired: KubernetesVersion,
    },
    /// A node group is newer than configured.
    #[error(
        "node group {key:?} of EKS cluster {name} runs Kubernetes {actual} and cannot go back to {desired}; \
         write kubernetes_version = \"{actual}\" for it, or rename it so that a new group is made"
    )]
    NodeGroupDowngrade {
        /// Name of the cluster.
        name: String,
        /// The user's key.
        key: String,
        /// What runs.
        actual: KubernetesVersion,
        /// What is configured.
        desired: KubernetesVersion,
    },
    /// A node group would be newer than the control plane, or too old for it.
    #[error(
        "node group {key:?} of EKS cluster {name} cannot have Kubernetes {desired} with a control plane of {cluster}: \
         nodes may not be newer than the control plane nor more than three minor versions older; \
         write a version from {oldest} to {cluster}, or leave kubernetes_version of the group out"
    )]
    NodeGroupSkew {
        /// Name of the cluster.
        name: String,
        /// The user's key.
        key: String,
        /// What is configured for the group.
        desired: KubernetesVersion,
        /// What is configured for the control plane.
        cluster: KubernetesVersion,
        /// The oldest permitted.
        oldest: KubernetesVersion,
    },
    /// A node group of someone else is too old for the next version of the control plane.
    #[error(
        "node group {group} of EKS cluster {name} is not managed here and runs Kubernetes {actual}, \
         too old for a control plane of {next}; upgrade that group first"
    )]
    ForeignNodeGroupTooOld {
        /// Name of the cluster.
        name: String,
        /// AWS name of the group.
        group: String,
        /// What it runs.
        actual: KubernetesVersion,
        /// The control plane's next version.
        next: KubernetesVersion,
    },
    /// The subnets are in another VPC than the one that was written.
    #[error(
        "the subnets of EKS cluster {name} are in VPC {actual}, but vpc_config.vpc_id says {desired}; \
         correct vpc_id, or write subnets of {desired}"
    )]
    WrongVpc {
        /// Name of the cluster.
        name: String,
        /// The subnets' VPC.
        actual: String,
        /// The written VPC.
        desired: String,
    },
    /// Authentication modes only move towards `API`.
    #[error(
        "the authentication mode of EKS cluster {name} is {actual} and cannot go back to {desired}; \
         write access_config.authentication_mode = \"{actual}\""
    )]
    AuthenticationModeIsOneWay {
        /// Name of the cluster.
        name: String,
        /// What the cluster has.
        actual: String,
        /// What is configured.
        desired: String,
    },
    /// Access entries do not exist in `CONFIG_MAP` mode.
    #[error(
        "EKS cluster {name} has access_entries but its authentication mode is CONFIG_MAP, which knows none; \
         write access_config.authentication_mode = \"API\" or \"API_AND_CONFIG_MAP\""
    )]
    AccessEntriesNeedApi {
        /// Name of the cluster.
        name: String,
    },
    /// The access entry of a principal is someone else's.
    #[error(
        "the access entry of {principal} in EKS cluster {name} was not made here ({detail}); \
         delete it, or take it out of access_entries"
    )]
    ForeignAccessEntry {
        /// Name of the cluster.
        name: String,
        /// The principal.
        principal: String,
        /// What is known of it.
        detail: String,
    },
    /// A finished cluster has failed.
    #[error(
        "EKS cluster {name} is FAILED and AWS cannot repair it ({issues}); \
         replace it with: terraform apply -replace=<address>"
    )]
    ClusterFailed {
        /// Name of the cluster.
        name: String,
        /// Health issues.
        issues: String,
    },
    /// EKS refuses to delete a protected cluster.
    #[error(
        "EKS cluster {name} has deletion protection; set deletion_protection = false, apply, and then destroy"
    )]
    DeletionProtected {
        /// Name of the cluster.
        name: String,
    },
    /// Node groups of someone else keep the cluster.
    #[error(
        "EKS cluster {name} has node groups that are not managed here and were left alone: {groups}; \
         delete them, then destroy again"
    )]
    ForeignNodeGroups {
        /// Name of the cluster.
        name: String,
        /// AWS names, comma separated.
        groups: String,
    },
    /// Fargate profiles keep the cluster.
    #[error(
        "EKS cluster {name} has Fargate profiles, which are not managed here, and EKS does not delete a cluster \
         that has some: {profiles}; nothing was deleted. Delete them (aws eks delete-fargate-profile), then \
         destroy again"
    )]
    FargateProfiles {
        /// Name of the cluster.
        name: String,
        /// Their names, comma separated.
        profiles: String,
    },
    /// A cluster without our tag, and not the one that the state knows, is not deleted.
    #[error(
        "EKS cluster {name} carries no tag devopsgenie.dev/owner and was not made at the time that the state \
         knows: it is another cluster of this name, and was left alone. Forget the old one with: \
         terraform state rm <address>"
    )]
    NotOursToDelete {
        /// Name of the cluster.
        name: String,
    },
}

fn foreign_role(owner: Option<&str>) -> String {
    match owner {
        Some(owner) => format!(
            "its tag devopsgenie.dev/owner is {owner:?}; if that is this state before it was moved, write \
             owner = {owner:?} in the provider block"
        ),
        None => "it has no tag devopsgenie.dev/owner".to_owned(),
    }
}

/// What of a cluster resource's configuration an error is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An attribute, dots between the parts.
    Attribute(&'static str),
    /// A node group.
    NodeGroup {
        /// The user's key.
        key: String,
        /// An attribute of it, dots between the parts.
        attribute: Option<&'static str>,
    },
    /// An access entry.
    AccessEntry {
        /// ARN of its principal.
        principal: String,
        /// An attribute of it.
        attribute: Option<&'static str>,
    },
}

impl Subject {
    /// A node group as a whole.
    #[must_use]
    pub fn node_group(key: &str) -> Self {
        Self::NodeGroup {
            key: key.to_owned(),
            attribute: None,
        }
    }
}

impl fmt::Display for Subject {
    /// As Terraform writes it; a principal stands for the key of its access entry.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (map, key, attribute) = match self {
            Self::Attribute(attribute) => return f.write_str(attribute),
            Self::NodeGroup { key, attribute } => ("node_groups", key, attribute),
            Self::AccessEntry {
                principal,
                attribute,
            } => ("access_entries", principal, attribute),
        };
        write!(f, "{map}[{key:?}]")?;
        attribute.map_or(Ok(()), |attribute| write!(f, ".{attribute}"))
    }
}

impl PlanError {
    /// What of the cluster resource's configuration the error is about.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        Some(match self {
            Self::Unowned { .. }
            | Self::Finished { .. }
            | Self::ForeignOwner { .. }
            | Self::NotOursToDelete { .. } => Subject::Attribute("name"),
            Self::ForeignRole { attribute, .. } | Self::Immutable { attribute, .. } => {
                Subject::Attribute(attribute)
            }
            Self::Downgrade { .. } | Self::ForeignNodeGroupTooOld { .. } => {
                Subject::Attribute("kubernetes_version")
            }
            Self::NodeGroupDowngrade { key, .. } | Self::NodeGroupSkew { key, .. } => {
                Subject::NodeGroup {
                    key: key.clone(),
                    attribute: Some("kubernetes_version"),
                }
            }
            Self::WrongVpc { .. } => Subject::Attribute("vpc_config.vpc_id"),
            Self::AuthenticationModeIsOneWay { .. } => {
                Subject::Attribute("access_config.authentication_mode")
            }
            Self::AccessEntriesNeedApi { .. } => Subject::Attribute("access_entries"),
            Self::ForeignAccessEntry { principal, .. } => Subject::AccessEntry {
                principal: principal.clone(),
                attribute: None,
            },
            Self::DeletionProtected { .. } => Subject::Attribute("deletion_protection"),
            Self::ClusterFailed { .. }
            | Self::ForeignNodeGroups { .. }
            | Self::FargateProfiles { .. } => return None,
        })
    }
}
