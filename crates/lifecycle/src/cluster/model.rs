//! The desired and the observed side of a cluster, free of SDK types.

use super::plan::Subject;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

/// Tags or labels by key.
pub type StringMap = BTreeMap<String, String>;

/// A Kubernetes minor version such as `1.36`, the form EKS takes and returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KubernetesVersion {
    /// The major number, 1 in every release so far.
    pub major: u32,
    /// The minor number.
    pub minor: u32,
}

impl KubernetesVersion {
    /// The next minor version: the only one an EKS control plane can be moved to.
    #[must_use]
    pub fn next(self) -> Self {
        Self {
            major: self.major,
            minor: self.minor + 1,
        }
    }
}

impl fmt::Display for KubernetesVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// A text that is not a Kubernetes minor version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{text:?} is not a Kubernetes minor version; write it as in \"1.36\", without \"v\" and without a patch number"
)]
pub struct InvalidVersion {
    /// What was written.
    pub text: String,
}

impl FromStr for KubernetesVersion {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        let number = |part: &str| -> Option<u32> {
            let canonical = !part.is_empty()
                && part.bytes().all(|byte| byte.is_ascii_digit())
                && (part.len() == 1 || !part.starts_with('0'));
            canonical.then(|| part.parse().ok()).flatten()
        };
        text.split_once('.')
            .and_then(|(major, minor)| {
                Some(Self {
                    major: number(major)?,
                    minor: number(minor)?,
                })
            })
            .ok_or_else(|| InvalidVersion {
                text: text.to_owned(),
            })
    }
}

/// What may be taken over when the cluster already exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Claim {
    /// Creation: a half-built cluster that carries this owner's tag is adopted, and a finished one
    /// of the same generation. Every other one is refused: a finished cluster with our owner tag that
    /// is in no state of ours may be in the state of another run with the same owner.
    Create,
    /// The cluster is in the owner's state. Lost ownership tags are written again; another owner's
    /// tag means that somebody took the cluster over, and it is left alone.
    Held,
    /// The cluster was imported by hand: it is taken over from whoever had it.
    Imported,
}

/// What the owner's state knows of a cluster that exists. It identifies things whose ownership tags
/// were lost, and what of an imported cluster the user was shown.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Remembered {
    /// Creation time of the cluster, seconds since the epoch.
    pub created_at: Option<i64>,
    /// The user's keys of its node groups, by AWS name.
    pub node_groups: BTreeMap<String, String>,
}

impl Remembered {
    /// Whether the cluster is the one that the state knows: a name can be used again, the time of
    /// creation cannot.
    #[must_use]
    pub fn is(&self, cluster: &ObservedCluster) -> bool {
        self.created_at.is_some() && self.created_at == cluster.created_at
    }
}

/// An IAM role that is either the user's or made by us.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoleChoice {
    /// The user's role, never changed or deleted by us.
    Given(String),
    /// A role of ours with a deterministic name.
    Managed,
}

/// A cluster as it shall be, with nothing left unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredCluster {
    /// Name of the cluster, unique in its region and account.
    pub name: String,
    /// Region, part of the names of what we make in IAM (IAM is global).
    pub region: String,
    /// Partition of the region: `aws`, `aws-cn`, `aws-us-gov`.
    pub partition: String,
    /// The twelve digits of the account.
    pub account_id: String,
    /// Identity of the Terraform state that owns the cluster.
    pub owner: String,
    /// What may be taken over when the cluster exists.
    pub claim: Claim,
    /// What the owner's state knows of what exists.
    pub remembered: Remembered,
    /// Identity of this creation. `None` keeps the one that the cluster carries.
    pub generation: Option<String>,
    /// Version of the control plane.
    pub version: KubernetesVersion,
    /// Role of the control plane.
    pub cluster_role: RoleChoice,
    /// Role of the nodes.
    pub node_role: RoleChoice,
    /// ARN of the permissions boundary of the roles we make.
    pub permissions_boundary: Option<String>,
    /// Subnets, security groups and endpoint access.
    pub vpc: DesiredVpc,
    /// Range of service addresses, fixed at creation; EKS chooses when absent.
    pub service_ipv4_cidr: Option<String>,
    /// `ipv4` or `ipv6`, fixed at creation; EKS chooses `ipv4` when absent.
    pub ip_family: Option<String>,
    /// `API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`; it can only be moved towards `API`.
    pub authentication_mode: String,
    /// Whether the principal that creates the cluster becomes its administrator; creation only.
    pub bootstrap_cluster_creator_admin_permissions: bool,
    /// Access entries by principal ARN.
    pub access_entries: BTreeMap<String, AccessEntry>,
    /// Control-plane log types sent to CloudWatch Logs.
    pub enabled_log_types: BTreeSet<String>,
    /// `STANDARD` or `EXTENDED`; left alone when absent.
    pub support_type: Option<String>,
    /// Whether the cluster's issuer is an OIDC provider in IAM (IRSA).
    pub irsa: bool,
    /// Managed node groups by the user's key.
    pub node_groups: BTreeMap<String, DesiredNodeGroup>,
    /// Tags of the cluster, without the ownership tags.
    pub tags: StringMap,
    /// EKS's own deletion protection.
    pub deletion_protection: bool,
}

/// The network of a desired control plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DesiredVpc {
    /// Subnets in at least two availability zones.
    pub subnet_ids: BTreeSet<String>,
    /// Additional security groups of the control plane's network interfaces.
    pub security_group_ids: BTreeSet<String>,
    /// Whether the API is reachable from the internet.
    pub endpoint_public_access: bool,
    /// Whether the API is reachable inside the VPC.
    pub endpoint_private_access: bool,
    /// Ranges that may reach the public endpoint; left alone when absent.
    pub public_access_cidrs: Option<BTreeSet<String>>,
    /// The VPC that the subnets must belong to, if the user wrote it.
    pub vpc_id: Option<String>,
}

/// An access entry, desired or observed.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessEntry {
    /// Type such as `STANDARD` or `EC2_LINUX`; fixed at creation.
    pub entry_type: String,
    /// Kubernetes groups of the principal.
    pub kubernetes_groups: BTreeSet<String>,
    /// User name in Kubernetes; EKS derives one when absent.
    pub user_name: Option<String>,
    /// Scope of each associated access policy, by policy ARN.
    pub policies: BTreeMap<String, AccessScope>,
    /// Tags; on the desired side without the ownership tags.
    pub tags: StringMap,
}

/// An access entry as `DescribeAccessEntry` and `ListAssociatedAccessPolicies` show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedAccessEntry {
    /// ARN of the entry itself, which tagging needs.
    pub arn: String,
    /// Creation time, seconds since the epoch.
    pub created_at: Option<i64>,
    /// Its settings, with all tags.
    pub entry: AccessEntry,
}

impl AccessEntry {
    /// Whether groups and user name are the user's. EKS fixes both for every other type, and refuses
    /// them as parameters.
    #[must_use]
    pub fn is_standard(&self) -> bool {
        self.entry_type == "STANDARD"
    }
}

/// Where an access policy acts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccessScope {
    /// In the whole cluster.
    Cluster,
    /// In these namespaces.
    Namespaces(BTreeSet<String>),
}

/// A managed node group as it shall be.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DesiredNodeGroup {
    /// Kubernetes version; follows the control plane when absent.
    pub version: Option<KubernetesVersion>,
    /// AMI release; EKS takes the latest of the version when absent.
    pub release_version: Option<String>,
    /// Instance types in order of preference. A change replaces the group.
    pub instance_types: Option<Vec<String>>,
    /// AMI type such as `AL2023_x86_64_STANDARD`. A change replaces the group.
    pub ami_type: Option<String>,
    /// `ON_DEMAND`, `SPOT` or `CAPACITY_BLOCK`. A change replaces the group.
    pub capacity_type: Option<String>,
    /// Root volume in GiB. A change replaces the group.
    pub disk_size: Option<i32>,
    /// Subnets; the cluster's when absent. A change replaces the group.
    pub subnet_ids: Option<BTreeSet<String>>,
    /// Smallest number of nodes.
    pub min_size: i32,
    /// Largest number of nodes.
    pub max_size: i32,
    /// Number of nodes; left to whoever scales the group when absent.
    pub desired_size: Option<i32>,
    /// How many nodes an update may take out at once; left alone when absent.
    pub max_unavailable: Option<MaxUnavailable>,
    /// Kubernetes labels of the nodes.
    pub labels: StringMap,
    /// Kubernetes taints of the nodes.
    pub taints: BTreeSet<Taint>,
    /// Tags of the node group, without the ownership tags.
    pub tags: StringMap,
}

/// How many nodes an update may take out at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MaxUnavailable {
    /// This many nodes.
    Count(i32),
    /// This share of the nodes.
    Percentage(i32),
}

/// A Kubernetes taint in EKS's spelling.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Taint {
    /// Key.
    pub key: String,
    /// Value, may be empty.
    pub value: String,
    /// `NO_SCHEDULE`, `NO_EXECUTE` or `PREFER_NO_SCHEDULE`.
    pub effect: String,
}

/// All that exists of a cluster at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Observed {
    /// The EKS cluster.
    pub cluster: Option<ObservedCluster>,
    /// Its managed node groups by AWS name.
    pub node_groups: BTreeMap<String, ObservedNodeGroup>,
    /// Its access entries by principal ARN.
    pub access_entries: BTreeMap<String, ObservedAccessEntry>,
    /// The role with the name that we give to the control plane's role.
    pub cluster_role: Option<ObservedRole>,
    /// The role with the name that we give to the nodes' role.
    pub node_role: Option<ObservedRole>,
    /// The OIDC provider of the cluster's issuer.
    pub oidc_provider: Option<ObservedOidcProvider>,
    /// All OIDC providers of issuers of this region that carry the owner's tags for this cluster,
    /// also those of clusters of the same name that are gone. Only an apply and a removal look.
    pub owned_oidc_providers: Vec<ObservedOidcProvider>,
    /// Names of its Fargate profiles. Only a removal looks.
    pub fargate_profiles: BTreeSet<String>,
    /// Updates that were started and are not known to be over.
    pub updates: Vec<PendingUpdate>,
}

/// An update of the cluster or of a node group that is running.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingUpdate {
    /// The update's id.
    pub id: String,
    /// The node group it belongs to, or the cluster when absent.
    pub node_group: Option<String>,
    /// What it changes, for messages.
    pub description: String,
    /// What of the configuration it is about.
    pub subject: Option<Subject>,
}

/// Status of a cluster (`ClusterStatus` of the EKS API).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterStatus {
    /// Being made.
    Creating,
    /// Usable.
    Active,
    /// Being changed.
    Updating,
    /// Being removed.
    Deleting,
    /// Its creation failed; it can only be deleted.
    Failed,
    /// Waiting for something outside EKS.
    Pending,
}

impl fmt::Display for ClusterStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Failed => "FAILED",
            Self::Pending => "PENDING",
        })
    }
}

/// A cluster that was looked up by its name, whoever made it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundCluster {
    /// The control plane.
    pub cluster: ObservedCluster,
    /// The issuer's OIDC provider, when the account has one.
    pub oidc_provider_arn: Option<String>,
    /// AWS names of the managed node groups.
    pub node_group_names: BTreeSet<String>,
}

/// Whether the tokens of a cluster's service accounts are good in IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Issuer {
    /// There is no such cluster.
    NoCluster,
    /// The account has no OIDC provider for the cluster's issuer, whose URL this is.
    NoProvider(Option<String>),
    /// ARN of the issuer's OIDC provider.
    Provider(String),
}

/// An EKS cluster as `DescribeCluster` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedCluster {
    /// ARN.
    pub arn: String,
    /// Status.
    pub status: ClusterStatus,
    /// Version of the control plane.
    pub version: KubernetesVersion,
    /// EKS platform version such as `eks.9`.
    pub platform_version: Option<String>,
    /// URL of the API, absent until ACTIVE.
    pub endpoint: Option<String>,
    /// Base64 of the PEM certificates of the API, absent until ACTIVE.
    pub certificate_authority: Option<String>,
    /// URL of the issuer of service account tokens.
    pub oidc_issuer: Option<String>,
    /// Creation time, seconds since the epoch.
    pub created_at: Option<i64>,
    /// ARN of the control plane's role.
    pub role_arn: String,
    /// Subnets.
    pub subnet_ids: BTreeSet<String>,
    /// Additional security groups.
    pub security_group_ids: BTreeSet<String>,
    /// The security group that EKS made.
    pub cluster_security_group_id: Option<String>,
    /// The VPC of the subnets.
    pub vpc_id: Option<String>,
    /// Whether the API is reachable from the internet.
    pub endpoint_public_access: bool,
    /// Whether the API is reachable inside the VPC.
    pub endpoint_private_access: bool,
    /// Ranges that may reach the public endpoint.
    pub public_access_cidrs: BTreeSet<String>,
    /// Range of service addresses.
    pub service_ipv4_cidr: Option<String>,
    /// `ipv4` or `ipv6`.
    pub ip_family: Option<String>,
    /// Authentication mode; absent from emulators that do not know it.
    pub authentication_mode: Option<String>,
    /// Whether the creator was made an administrator.
    pub bootstrap_cluster_creator_admin_permissions: Option<bool>,
    /// Enabled control-plane log types.
    pub enabled_log_types: BTreeSet<String>,
    /// `STANDARD` or `EXTENDED`.
    pub support_type: Option<String>,
    /// EKS's deletion protection.
    pub deletion_protection: Option<bool>,
    /// Health issues in EKS's words.
    pub issues: Vec<String>,
    /// All tags.
    pub tags: StringMap,
}

/// Status of a node group (`NodegroupStatus` of the EKS API).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeGroupStatus {
    /// Being made.
    Creating,
    /// Usable.
    Active,
    /// Being changed.
    Updating,
    /// Being removed.
    Deleting,
    /// Its creation failed.
    CreateFailed,
    /// Its removal failed.
    DeleteFailed,
    /// Usable in part.
    Degraded,
}

impl fmt::Display for NodeGroupStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::DeleteFailed => "DELETE_FAILED",
            Self::Degraded => "DEGRADED",
        })
    }
}

/// A managed node group as `DescribeNodegroup` shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedNodeGroup {
    /// ARN.
    pub arn: String,
    /// Status.
    pub status: NodeGroupStatus,
    /// Health issues in EKS's words.
    pub issues: Vec<String>,
    /// Creation time, seconds since the epoch.
    pub created_at: Option<i64>,
    /// Kubernetes version; absent for a custom AMI.
    pub version: Option<KubernetesVersion>,
    /// AMI release.
    pub release_version: Option<String>,
    /// Instance types.
    pub instance_types: Vec<String>,
    /// AMI type.
    pub ami_type: Option<String>,
    /// Capacity type.
    pub capacity_type: Option<String>,
    /// Root volume in GiB.
    pub disk_size: Option<i32>,
    /// Subnets.
    pub subnet_ids: BTreeSet<String>,
    /// ARN of the nodes' role.
    pub node_role: String,
    /// Smallest number of nodes.
    pub min_size: i32,
    /// Largest number of nodes.
    pub max_size: i32,
    /// Number of nodes asked for.
    pub desired_size: i32,
    /// How many nodes an update may take out at once.
    pub max_unavailable: Option<MaxUnavailable>,
    /// Labels given through EKS.
    pub labels: StringMap,
    /// Taints given through EKS.
    pub taints: BTreeSet<Taint>,
    /// All tags.
    pub tags: StringMap,
}

/// An IAM role with what we manage of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedRole {
    /// ARN.
    pub arn: String,
    /// Creation time, seconds since the epoch.
    pub created_at: Option<i64>,
    /// Service principals that may assume the role; empty when the trust policy is of another form.
    pub trusted_services: BTreeSet<String>,
    /// ARNs of attached managed policies.
    pub attached_policies: BTreeSet<String>,
    /// Names of inline policies.
    pub inline_policies: BTreeSet<String>,
    /// ARN of the permissions boundary.
    pub permissions_boundary: Option<String>,
    /// All tags.
    pub tags: StringMap,
}

/// An OIDC provider in IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObservedOidcProvider {
    /// ARN.
    pub arn: String,
    /// Audiences.
    pub client_ids: BTreeSet<String>,
    /// All tags.
    pub tags: StringMap,
}

/// What shall be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// Name of the cluster.
    pub name: String,
    /// Region of the cluster.
    pub region: String,
    /// Identity of the Terraform state that asks.
    pub owner: String,
    /// [`Claim::Imported`] permits removal of a cluster that carries no tag of ours.
    pub claim: Claim,
    /// What the owner's state knows of what exists.
    pub remembered: Remembered,
    /// The OIDC provider, if it is known from the state: after the cluster is gone, its issuer can
    /// no longer be asked for.
    pub oidc_provider_arn: Option<String>,
}
