//! The steps of a plan: each is one AWS call, or a wait.

use crate::cluster::model::{
    AccessEntry, AccessScope, ClusterStatus, KubernetesVersion, MaxUnavailable, NodeGroupStatus,
    StringMap, Taint,
};
use crate::cluster::names::RoleKind;
use std::collections::BTreeSet;

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// What is done, with all that the call needs.
    pub action: Action,
    /// Why it is done.
    pub reason: String,
    /// Ids of the steps of the same plan that must be done before.
    pub after: BTreeSet<String>,
}

/// What a step reads or changes: the part that is observed again after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Part {
    /// A role of ours.
    Role(RoleKind),
    /// The cluster itself.
    Cluster,
    /// The OIDC provider.
    OidcProvider,
    /// The access entry of a principal.
    AccessEntry(String),
    /// The node group of an AWS name.
    NodeGroup(String),
}

/// The settings of a cluster at its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateCluster {
    /// Version of the control plane.
    pub version: KubernetesVersion,
    /// Role of the control plane.
    pub role_arn: String,
    /// Subnets.
    pub subnet_ids: BTreeSet<String>,
    /// Additional security groups.
    pub security_group_ids: BTreeSet<String>,
    /// Endpoint access.
    pub endpoint: EndpointAccess,
    /// Range of service addresses.
    pub service_ipv4_cidr: Option<String>,
    /// `ipv4` or `ipv6`.
    pub ip_family: Option<String>,
    /// Authentication mode.
    pub authentication_mode: String,
    /// Whether the creator becomes an administrator.
    pub bootstrap_cluster_creator_admin_permissions: bool,
    /// Control-plane log types.
    pub log_types: BTreeSet<String>,
    /// `STANDARD` or `EXTENDED`.
    pub support_type: Option<String>,
    /// EKS's deletion protection.
    pub deletion_protection: bool,
    /// All tags.
    pub tags: StringMap,
}

/// Who reaches the API.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EndpointAccess {
    /// From the internet.
    pub public: bool,
    /// From inside the VPC.
    pub private: bool,
    /// Ranges that may reach the public endpoint; left alone when absent.
    pub public_cidrs: Option<BTreeSet<String>>,
}

/// The settings of a node group at its creation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateNodeGroup {
    /// AWS name.
    pub name: String,
    /// Kubernetes version; AWS takes the cluster's with a custom AMI.
    pub version: KubernetesVersion,
    /// AMI release.
    pub release_version: Option<String>,
    /// Role of the nodes.
    pub node_role: String,
    /// Subnets.
    pub subnet_ids: BTreeSet<String>,
    /// Instance types.
    pub instance_types: Option<Vec<String>>,
    /// AMI type.
    pub ami_type: Option<String>,
    /// Capacity type.
    pub capacity_type: Option<String>,
    /// Root volume in GiB.
    pub disk_size: Option<i32>,
    /// Sizes.
    pub scaling: Scaling,
    /// How many nodes an update may take out.
    pub max_unavailable: Option<MaxUnavailable>,
    /// Labels.
    pub labels: StringMap,
    /// Taints.
    pub taints: BTreeSet<Taint>,
    /// All tags.
    pub tags: StringMap,
}

/// Sizes of a node group: EKS takes them whole or not at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Scaling {
    /// Smallest number of nodes.
    pub min: i32,
    /// Largest number of nodes.
    pub max: i32,
    /// Number of nodes asked for.
    pub desired: i32,
}

/// What of a node group changes in place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NodeGroupChange {
    /// Labels to add or change.
    pub set_labels: StringMap,
    /// Labels to take away.
    pub remove_labels: BTreeSet<String>,
    /// Taints to add or change.
    pub set_taints: BTreeSet<Taint>,
    /// Taints to take away.
    pub remove_taints: BTreeSet<Taint>,
    /// Sizes.
    pub scaling: Option<Scaling>,
    /// How many nodes an update may take out.
    pub max_unavailable: Option<MaxUnavailable>,
}

/// One AWS call, or a wait.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(
    missing_docs,
    reason = "the fields are the parameters of the AWS call each variant names"
)]
pub enum Action {
    /// The cluster is busy; nothing is called.
    WaitCluster { status: ClusterStatus },
    /// The node group is busy; nothing is called.
    WaitNodeGroup {
        name: String,
        status: NodeGroupStatus,
    },
    /// An update runs; nothing is called.
    WaitUpdate {
        id: String,
        node_group: Option<String>,
        description: String,
    },

    /// IAM `CreateRole`.
    CreateRole {
        kind: RoleKind,
        name: String,
        service: String,
        boundary: Option<String>,
        tags: StringMap,
    },
    /// IAM `UpdateAssumeRolePolicy`.
    SetTrust {
        kind: RoleKind,
        name: String,
        service: String,
    },
    /// IAM `PutRolePermissionsBoundary` or `DeleteRolePermissionsBoundary`.
    SetBoundary {
        kind: RoleKind,
        name: String,
        boundary: Option<String>,
    },
    /// IAM `TagRole` and `UntagRole`.
    TagRole {
        kind: RoleKind,
        name: String,
        set: StringMap,
        remove: BTreeSet<String>,
    },
    /// IAM `AttachRolePolicy`.
    AttachPolicy {
        kind: RoleKind,
        name: String,
        policy_arn: String,
    },
    /// IAM `DetachRolePolicy`.
    DetachPolicy {
        kind: RoleKind,
        name: String,
        policy_arn: String,
    },
    /// IAM `PutRolePolicy`.
    PutInlinePolicy {
        kind: RoleKind,
        name: String,
        policy: String,
        document: String,
    },
    /// IAM `DeleteRolePolicy`.
    DeleteInlinePolicy {
        kind: RoleKind,
        name: String,
        policy: String,
    },
    /// IAM `DeleteRole`.
    DeleteRole { kind: RoleKind, name: String },

    /// EKS `CreateCluster`.
    CreateCluster(Box<CreateCluster>),
    /// EKS `DeleteCluster`.
    DeleteCluster,
    /// EKS `TagResource` and `UntagResource` on the cluster.
    TagCluster {
        arn: String,
        set: StringMap,
        remove: BTreeSet<String>,
    },
    /// EKS `TagResource`: the last step of a creation.
    MarkComplete {
        arn: Option<String>,
        tags: StringMap,
    },
    /// EKS `UpdateClusterConfig`, access configuration.
    UpdateAuthenticationMode { mode: String },
    /// EKS `UpdateClusterConfig`, endpoints.
    UpdateEndpointAccess(EndpointAccess),
    /// EKS `UpdateClusterConfig`, subnets.
    UpdateSubnets { subnet_ids: BTreeSet<String> },
    /// EKS `UpdateClusterConfig`, security groups.
    UpdateSecurityGroups {
        security_group_ids: BTreeSet<String>,
    },
    /// EKS `UpdateClusterConfig`, logging.
    UpdateLogging {
        enable: BTreeSet<String>,
        disable: BTreeSet<String>,
    },
    /// EKS `UpdateClusterConfig`, upgrade policy.
    UpdateSupportType { support_type: String },
    /// EKS `UpdateClusterConfig`, deletion protection.
    UpdateDeletionProtection { enabled: bool },
    /// EKS `UpdateClusterVersion`, one minor up.
    UpdateClusterVersion { to: KubernetesVersion },

    /// IAM `CreateOpenIDConnectProvider`. The issuer is known once the cluster exists.
    CreateOidcProvider {
        issuer: Option<String>,
        tags: StringMap,
    },
    /// IAM `AddClientIDToOpenIDConnectProvider`.
    AddAudience { arn: String },
    /// IAM `TagOpenIDConnectProvider` and `UntagOpenIDConnectProvider`.
    TagOidcProvider {
        arn: String,
        set: StringMap,
        remove: BTreeSet<String>,
    },
    /// IAM `DeleteOpenIDConnectProvider`.
    DeleteOidcProvider { arn: String },

    /// EKS `CreateAccessEntry`.
    CreateAccessEntry {
        principal_arn: String,
        entry: AccessEntry,
    },
    /// EKS `UpdateAccessEntry`.
    UpdateAccessEntry {
        principal_arn: String,
        kubernetes_groups: BTreeSet<String>,
        user_name: Option<String>,
    },
    /// EKS `TagResource` and `UntagResource` on an access entry.
    TagAccessEntry {
        principal_arn: String,
        arn: String,
        set: StringMap,
        remove: BTreeSet<String>,
    },
    /// EKS `AssociateAccessPolicy`, which also changes the scope of an association.
    AssociatePolicy {
        principal_arn: String,
        policy_arn: String,
        scope: AccessScope,
    },
    /// EKS `DisassociateAccessPolicy`.
    DisassociatePolicy {
        principal_arn: String,
        policy_arn: String,
    },
    /// EKS `DeleteAccessEntry`.
    DeleteAccessEntry { principal_arn: String },

    /// EKS `CreateNodegroup`.
    CreateNodeGroup(Box<CreateNodeGroup>),
    /// EKS `UpdateNodegroupConfig`.
    UpdateNodeGroupConfig {
        name: String,
        change: Box<NodeGroupChange>,
    },
    /// EKS `UpdateNodegroupVersion`.
    UpdateNodeGroupVersion {
        name: String,
        to: KubernetesVersion,
        release_version: Option<String>,
    },
    /// EKS `TagResource` and `UntagResource` on a node group.
    TagNodeGroup {
        name: String,
        arn: String,
        set: StringMap,
        remove: BTreeSet<String>,
    },
    /// EKS `DeleteNodegroup`.
    DeleteNodeGroup { name: String },
}

impl Action {
    /// Identifies the step in its plan, and the same step in a later plan.
    #[must_use]
    pub fn id(&self) -> String {
        match self {
            Self::WaitCluster { .. } => "wait/cluster".to_owned(),
            Self::WaitNodeGroup { name, .. } => format!("wait/node-group/{name}"),
            Self::WaitUpdate { id, .. } => format!("wait/update/{id}"),
            Self::CreateRole { name, .. } => format!("role/{name}/create"),
            Self::SetTrust { name, .. } => format!("role/{name}/trust"),
            Self::SetBoundary { name, .. } => format!("role/{name}/boundary"),
            Self::TagRole { name, .. } => format!("role/{name}/tag"),
            Self::AttachPolicy {
                name, policy_arn, ..
            } => format!("role/{name}/attach/{policy_arn}"),
            Self::DetachPolicy {
                name, policy_arn, ..
            } => format!("role/{name}/detach/{policy_arn}"),
            Self::PutInlinePolicy { name, policy, .. } => {
                format!("role/{name}/put-inline/{policy}")
            }
            Self::DeleteInlinePolicy { name, policy, .. } => format!("role/{name}/inline/{policy}"),
            Self::DeleteRole { name, .. } => format!("role/{name}/delete"),
            Self::CreateCluster(_) => "cluster/create".to_owned(),
            Self::DeleteCluster => "cluster/delete".to_owned(),
            Self::TagCluster { .. } => "cluster/tag".to_owned(),
            Self::MarkComplete { .. } => "cluster/complete".to_owned(),
            Self::UpdateAuthenticationMode { mode } => {
                format!("cluster/authentication-mode/{mode}")
            }
            Self::UpdateEndpointAccess(_) => "cluster/endpoint-access".to_owned(),
            Self::UpdateSubnets { .. } => "cluster/subnets".to_owned(),
            Self::UpdateSecurityGroups { .. } => "cluster/security-groups".to_owned(),
            Self::UpdateLogging { .. } => "cluster/logging".to_owned(),
            Self::UpdateSupportType { .. } => "cluster/support-type".to_owned(),
            Self::UpdateDeletionProtection { .. } => "cluster/deletion-protection".to_owned(),
            Self::UpdateClusterVersion { to } => format!("cluster/version/{to}"),
            Self::CreateOidcProvider { .. } => "oidc-provider/create".to_owned(),
            Self::AddAudience { .. } => "oidc-provider/audience".to_owned(),
            Self::TagOidcProvider { .. } => "oidc-provider/tag".to_owned(),
            Self::DeleteOidcProvider { arn } => format!("oidc-provider/{arn}/delete"),
            Self::CreateAccessEntry { principal_arn, .. } => {
                format!("access-entry/{principal_arn}/create")
            }
            Self::UpdateAccessEntry { principal_arn, .. } => {
                format!("access-entry/{principal_arn}/update")
            }
            Self::TagAccessEntry { principal_arn, .. } => {
                format!("access-entry/{principal_arn}/tag")
            }
            Self::AssociatePolicy {
                principal_arn,
                policy_arn,
                ..
            } => {
                format!("access-entry/{principal_arn}/associate/{policy_arn}")
            }
            Self::DisassociatePolicy {
                principal_arn,
                policy_arn,
            } => {
                format!("access-entry/{principal_arn}/disassociate/{policy_arn}")
            }
            Self::DeleteAccessEntry { principal_arn } => {
                format!("access-entry/{principal_arn}/delete")
            }
            Self::CreateNodeGroup(group) => format!("node-group/{}/create", group.name),
            Self::UpdateNodeGroupConfig { name, .. } => format!("node-group/{name}/config"),
            Self::UpdateNodeGroupVersion { name, to, .. } => {
                format!("node-group/{name}/version/{to}")
            }
            Self::TagNodeGroup { name, .. } => format!("node-group/{name}/tag"),
            Self::DeleteNodeGroup { name } => format!("node-group/{name}/delete"),
        }
    }

    /// What is done, as a phrase that a person reads.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::WaitCluster { status } => format!("wait for the cluster, which is {status}"),
            Self::WaitNodeGroup { name, status } => {
                format!("wait for node group {name}, which is {status}")
            }
            Self::WaitUpdate {
                node_group: Some(name),
                description,
                ..
            } => {
                format!("wait for the update of node group {name}: {description}")
            }
            Self::WaitUpdate { description, .. } => {
                format!("wait for the update of the cluster: {description}")
            }
            Self::CreateRole { kind, name, .. } => {
                format!("create the {} role {name}", kind.word())
            }
            Self::SetTrust { name, service, .. } => format!("let {service} assume role {name}"),
            Self::SetBoundary {
                name,
                boundary: Some(arn),
                ..
            } => {
                format!("set the permissions boundary of role {name} to {arn}")
            }
            Self::SetBoundary { name, .. } => {
                format!("remove the permissions boundary of role {name}")
            }
            Self::TagRole { name, .. } => format!("tag role {name}"),
            Self::AttachPolicy {
                name, policy_arn, ..
            } => format!("attach {policy_arn} to role {name}"),
            Self::DetachPolicy {
                name, policy_arn, ..
            } => format!("detach {policy_arn} from role {name}"),
            Self::PutInlinePolicy { name, policy, .. } => {
                format!("write inline policy {policy} of role {name}")
            }
            Self::DeleteInlinePolicy { name, policy, .. } => {
                format!("delete inline policy {policy} of role {name}")
            }
            Self::DeleteRole { kind, name } => format!("delete the {} role {name}", kind.word()),
            Self::CreateCluster(cluster) => {
                format!("create the cluster with Kubernetes {}", cluster.version)
            }
            Self::DeleteCluster => "delete the cluster".to_owned(),
            Self::TagCluster { .. } => "tag the cluster".to_owned(),
            Self::MarkComplete { .. } => "mark the cluster as complete".to_owned(),
            Self::UpdateAuthenticationMode { mode } => {
                format!("set the cluster's authentication mode to {mode}")
            }
            Self::UpdateEndpointAccess(_) => {
                "change the access to the cluster's endpoint".to_owned()
            }
            Self::UpdateSubnets { .. } => "change the cluster's subnets".to_owned(),
            Self::UpdateSecurityGroups { .. } => "change the cluster's security groups".to_owned(),
            Self::UpdateLogging { .. } => "change the cluster's log types".to_owned(),
            Self::UpdateSupportType { support_type } => {
                format!("set the cluster's support type to {support_type}")
            }
            Self::UpdateDeletionProtection { enabled: true } => {
                "switch deletion protection on".to_owned()
            }
            Self::UpdateDeletionProtection { enabled: false } => {
                "switch deletion protection off".to_owned()
            }
            Self::UpdateClusterVersion { to } => {
                format!("upgrade the control plane to Kubernetes {to}")
            }
            Self::CreateOidcProvider { .. } => {
                "create the OIDC provider of the cluster's issuer".to_owned()
            }
            Self::AddAudience { arn } => format!("add the IRSA audience to {arn}"),
            Self::TagOidcProvider { arn, .. } => format!("tag {arn}"),
            Self::DeleteOidcProvider { arn } => format!("delete {arn}"),
            Self::CreateAccessEntry { principal_arn, .. } => {
                format!("create the access entry of {principal_arn}")
            }
            Self::UpdateAccessEntry { principal_arn, .. } => {
                format!("change the access entry of {principal_arn}")
            }
            Self::TagAccessEntry { principal_arn, .. } => {
                format!("tag the access entry of {principal_arn}")
            }
            Self::AssociatePolicy {
                principal_arn,
                policy_arn,
                ..
            } => {
                format!("associate {policy_arn} with {principal_arn}")
            }
            Self::DisassociatePolicy {
                principal_arn,
                policy_arn,
            } => {
                format!("disassociate {policy_arn} from {principal_arn}")
            }
            Self::DeleteAccessEntry { principal_arn } => {
                format!("delete the access entry of {principal_arn}")
            }
            Self::CreateNodeGroup(group) => {
                format!(
                    "create node group {} with Kubernetes {}",
                    group.name, group.version
                )
            }
            Self::UpdateNodeGroupConfig { name, .. } => format!("change node group {name}"),
            Self::UpdateNodeGroupVersion { name, to, .. } => {
                format!("upgrade node group {name} to Kubernetes {to}")
            }
            Self::TagNodeGroup { name, .. } => format!("tag node group {name}"),
            Self::DeleteNodeGroup { name } => format!("delete node group {name}"),
        }
    }

    /// Whether nothing is called.
    #[must_use]
    pub fn is_wait(&self) -> bool {
        matches!(
            self,
            Self::WaitCluster { .. } | Self::WaitNodeGroup { .. } | Self::WaitUpdate { .. }
        )
    }

    /// The part that is observed again after the step.
    #[must_use]
    pub fn part(&self) -> Part {
        match self {
            Self::CreateRole { kind, .. }
            | Self::SetTrust { kind, .. }
            | Self::SetBoundary { kind, .. }
            | Self::TagRole { kind, .. }
            | Self::AttachPolicy { kind, .. }
            | Self::DetachPolicy { kind, .. }
            | Self::PutInlinePolicy { kind, .. }
            | Self::DeleteInlinePolicy { kind, .. }
            | Self::DeleteRole { kind, .. } => Part::Role(*kind),
            Self::CreateOidcProvider { .. }
            | Self::AddAudience { .. }
            | Self::TagOidcProvider { .. }
            | Self::DeleteOidcProvider { .. } => Part::OidcProvider,
            Self::CreateAccessEntry { principal_arn, .. }
            | Self::UpdateAccessEntry { principal_arn, .. }
            | Self::TagAccessEntry { principal_arn, .. }
            | Self::AssociatePolicy { principal_arn, .. }
            | Self::DisassociatePolicy { principal_arn, .. }
            | Self::DeleteAccessEntry { principal_arn } => Part::AccessEntry(principal_arn.clone()),
            Self::CreateNodeGroup(group) => Part::NodeGroup(group.name.clone()),
            Self::WaitNodeGroup { name, .. }
            | Self::WaitUpdate {
                node_group: Some(name),
                ..
            }
            | Self::UpdateNodeGroupConfig { name, .. }
            | Self::UpdateNodeGroupVersion { name, .. }
            | Self::TagNodeGroup { name, .. }
            | Self::DeleteNodeGroup { name } => Part::NodeGroup(name.clone()),
            _ => Part::Cluster,
        }
    }
}
