//! The typed form of the configuration, plan and state.

use tfplugin::{AttributeValue, Set, Timeouts, model};

use crate::values::{Map, Texts};

model! {
    /// The resource.
    pub struct ClusterModel {
        /// The name again.
        pub id: AttributeValue<String>,
        /// ARN.
        pub arn: AttributeValue<String>,
        /// Name.
        pub name: AttributeValue<String>,
        /// Version of the control plane.
        pub kubernetes_version: AttributeValue<String>,
        /// Role of the control plane.
        pub role_arn: AttributeValue<String>,
        /// Role of the nodes.
        pub node_role_arn: AttributeValue<String>,
        /// Boundary of the roles we make.
        pub permissions_boundary: AttributeValue<String>,
        /// Network of the control plane.
        pub vpc_config: AttributeValue<VpcConfig>,
        /// Addresses of services.
        pub kubernetes_network_config: AttributeValue<NetworkConfig>,
        /// Authentication.
        pub access_config: AttributeValue<AccessConfig>,
        /// Access entries.
        pub access_entries: Map<AccessEntryModel>,
        /// Control-plane logs.
        pub enabled_cluster_log_types: Texts,
        /// Support policy.
        pub upgrade_policy: AttributeValue<UpgradePolicy>,
        /// Whether the issuer is an OIDC provider in IAM.
        pub enable_irsa: AttributeValue<bool>,
        /// Managed node groups.
        pub node_groups: Map<NodeGroupModel>,
        /// The user's tags.
        pub tags: Map<String>,
        /// Those and the provider's.
        pub tags_all: Map<String>,
        /// Refuses deletion.
        pub deletion_protection: AttributeValue<bool>,
        /// URL of the API.
        pub endpoint: AttributeValue<String>,
        /// Base64 of its certificate authority.
        pub certificate_authority_data: AttributeValue<String>,
        /// Issuer of service account tokens.
        pub oidc_issuer_url: AttributeValue<String>,
        /// Its OIDC provider.
        pub oidc_provider_arn: AttributeValue<String>,
        /// Status.
        pub status: AttributeValue<String>,
        /// EKS platform version.
        pub platform_version: AttributeValue<String>,
        /// Time of creation.
        pub created_at: AttributeValue<String>,
        /// Which creation made the cluster.
        pub creation_id: AttributeValue<String>,
        /// Timeouts.
        pub timeouts: AttributeValue<Timeouts>,
    }

    /// The data source.
    pub struct ClusterDataModel {
        /// The name again.
        pub id: AttributeValue<String>,
        /// Name.
        pub name: AttributeValue<String>,
        /// ARN.
        pub arn: AttributeValue<String>,
        /// Version of the control plane.
        pub kubernetes_version: AttributeValue<String>,
        /// EKS platform version.
        pub platform_version: AttributeValue<String>,
        /// Status.
        pub status: AttributeValue<String>,
        /// URL of the API.
        pub endpoint: AttributeValue<String>,
        /// Base64 of its certificate authority.
        pub certificate_authority_data: AttributeValue<String>,
        /// Issuer of service account tokens.
        pub oidc_issuer_url: AttributeValue<String>,
        /// Its OIDC provider.
        pub oidc_provider_arn: AttributeValue<String>,
        /// Role of the control plane.
        pub role_arn: AttributeValue<String>,
        /// Network of the control plane.
        pub vpc_config: AttributeValue<VpcConfig>,
        /// Addresses of services.
        pub kubernetes_network_config: AttributeValue<NetworkConfig>,
        /// Authentication.
        pub access_config: AttributeValue<AccessConfig>,
        /// Support policy.
        pub upgrade_policy: AttributeValue<UpgradePolicy>,
        /// Control-plane logs.
        pub enabled_cluster_log_types: Texts,
        /// AWS names of the managed node groups.
        pub node_group_names: Texts,
        /// Whether EKS refuses deletion.
        pub deletion_protection: AttributeValue<bool>,
        /// Time of creation.
        pub created_at: AttributeValue<String>,
        /// The user's tags.
        pub tags: Map<String>,
    }

    /// `vpc_config`.
    pub struct VpcConfig {
        /// Subnets.
        pub subnet_ids: Texts,
        /// Additional security groups.
        pub security_group_ids: Texts,
        /// Access from the internet.
        pub endpoint_public_access: AttributeValue<bool>,
        /// Access from the VPC.
        pub endpoint_private_access: AttributeValue<bool>,
        /// Ranges with access from the internet.
        pub public_access_cidrs: Texts,
        /// The VPC.
        pub vpc_id: AttributeValue<String>,
        /// The security group that EKS makes.
        pub cluster_security_group_id: AttributeValue<String>,
    }

    /// `kubernetes_network_config`.
    pub struct NetworkConfig {
        /// Range of service addresses.
        pub service_ipv4_cidr: AttributeValue<String>,
        /// `ipv4` or `ipv6`.
        pub ip_family: AttributeValue<String>,
    }

    /// `access_config`.
    pub struct AccessConfig {
        /// Where principals are looked up.
        pub authentication_mode: AttributeValue<String>,
        /// Whether the creator is an administrator.
        pub bootstrap_cluster_creator_admin_permissions: AttributeValue<bool>,
    }

    /// `upgrade_policy`.
    pub struct UpgradePolicy {
        /// `STANDARD` or `EXTENDED`.
        pub support_type: AttributeValue<String>,
    }

    /// One of `access_entries`.
    pub struct AccessEntryModel {
        /// The principal.
        pub principal_arn: AttributeValue<String>,
        /// Type of the entry.
        pub r#type: AttributeValue<String>,
        /// Groups in Kubernetes.
        pub kubernetes_groups: Texts,
        /// User in Kubernetes.
        pub user_name: AttributeValue<String>,
        /// Access policies.
        pub policy_associations: Map<PolicyAssociation>,
        /// Tags.
        pub tags: Map<String>,
    }

    /// One of `policy_associations`.
    pub struct PolicyAssociation {
        /// The policy.
        pub policy_arn: AttributeValue<String>,
        /// Where it acts.
        pub access_scope: AttributeValue<AccessScopeModel>,
    }

    /// `access_scope`.
    pub struct AccessScopeModel {
        /// `cluster` or `namespace`.
        pub r#type: AttributeValue<String>,
        /// The namespaces.
        pub namespaces: Texts,
    }

    /// One of `node_groups`.
    pub struct NodeGroupModel {
        /// Version of the nodes.
        pub kubernetes_version: AttributeValue<String>,
        /// AMI release.
        pub release_version: AttributeValue<String>,
        /// Instance types.
        pub instance_types: AttributeValue<Vec<AttributeValue<String>>>,
        /// AMI type.
        pub ami_type: AttributeValue<String>,
        /// Capacity type.
        pub capacity_type: AttributeValue<String>,
        /// Root volume in GiB.
        pub disk_size: AttributeValue<i64>,
        /// Sizes.
        pub scaling_config: AttributeValue<ScalingConfig>,
        /// Updates.
        pub update_config: AttributeValue<UpdateConfig>,
        /// Subnets.
        pub subnet_ids: Texts,
        /// Labels.
        pub labels: Map<String>,
        /// Taints.
        pub taints: AttributeValue<Set<TaintModel>>,
        /// Tags.
        pub tags: Map<String>,
        /// Name in AWS.
        pub node_group_name: AttributeValue<String>,
        /// ARN.
        pub arn: AttributeValue<String>,
        /// Status.
        pub status: AttributeValue<String>,
    }

    /// `scaling_config`.
    pub struct ScalingConfig {
        /// Smallest number of nodes.
        pub min_size: AttributeValue<i64>,
        /// Largest number of nodes.
        pub max_size: AttributeValue<i64>,
        /// Number of nodes.
        pub desired_size: AttributeValue<i64>,
    }

    /// `update_config`.
    pub struct UpdateConfig {
        /// So many nodes at once.
        pub max_unavailable: AttributeValue<i64>,
        /// Such a share of the nodes at once.
        pub max_unavailable_percentage: AttributeValue<i64>,
    }

    /// One of `taints`.
    pub struct TaintModel {
        /// Key.
        pub key: AttributeValue<String>,
        /// Value.
        pub value: AttributeValue<String>,
        /// Effect.
        pub effect: AttributeValue<String>,
    }
}

/// `status` of a usable cluster.
pub const ACTIVE: &str = "ACTIVE";
/// `status` of a cluster whose creation is not finished.
pub const INCOMPLETE: &str = "INCOMPLETE";
/// `status` of a cluster that was deleted outside while things that were made for it are left.
pub const DELETED: &str = "DELETED";
/// `status` of a cluster whose IAM roles or ownership tags were changed outside.
pub const DRIFTED: &str = "DRIFTED";

/// The region and account of an ARN.
pub fn region_and_account(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.split(':').skip(3);
    Some((parts.next()?, parts.next()?))
}
