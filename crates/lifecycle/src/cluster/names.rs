//! Deterministic names and the ownership tags.

use super::model::{DesiredNodeGroup, ObservedNodeGroup, RoleChoice, StringMap};
use sha2::{Digest, Sha256};
use std::collections::BTreeSet;
use std::fmt::Write as _;

/// Tag: identity of the Terraform state that owns a thing.
pub const OWNER: &str = "devopsgenie.dev/owner";
/// Tag: name of the cluster a thing belongs to.
pub const CLUSTER: &str = "devopsgenie.dev/cluster";
/// Tag: identity of the creation a thing belongs to.
pub const GENERATION: &str = "devopsgenie.dev/generation";
/// Tag of the cluster: [`INCOMPLETE`] until the last step of its creation is done.
pub const CREATION: &str = "devopsgenie.dev/creation";
/// Tag of a node group: the user's key.
pub const NODE_GROUP: &str = "devopsgenie.dev/node-group";
/// Tag of an access entry: the user's key.
pub const ACCESS_ENTRY: &str = "devopsgenie.dev/access-entry";
/// Value of [`CREATION`] while a cluster is being made.
pub const INCOMPLETE: &str = "incomplete";
/// Value of [`CREATION`] of a finished cluster.
pub const COMPLETE: &str = "complete";
/// Prefix of all ownership tags.
pub const TAG_PREFIX: &str = "devopsgenie.dev/";

/// The audience of IRSA tokens.
pub const IRSA_AUDIENCE: &str = "sts.amazonaws.com";

/// Longest name of an IAM role.
const ROLE_NAME_LIMIT: usize = 64;
/// Longest key of a node group: EKS permits 63 characters, nine are for the hash.
pub const NODE_GROUP_KEY_LIMIT: usize = 54;

/// Eight hex digits that identify the parts.
#[must_use]
pub fn short_hash<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut digest = Sha256::new();
    for part in parts {
        // A length before each part, so that ("ab", "c") and ("a", "bc") differ.
        digest.update((part.len() as u64).to_be_bytes());
        digest.update(part.as_bytes());
    }
    digest
        .finalize()
        .iter()
        .take(4)
        .fold(String::with_capacity(8), |mut text, byte| {
            // Writing to a String cannot fail.
            let _ = write!(text, "{byte:02x}");
            text
        })
}

/// The two roles that a cluster needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RoleKind {
    /// The control plane's.
    Cluster,
    /// The nodes'.
    Node,
}

impl RoleKind {
    /// The word for it in names and messages.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Cluster => "cluster",
            Self::Node => "node",
        }
    }

    /// The service that assumes the role.
    #[must_use]
    pub fn service(self, partition: &str) -> String {
        match self {
            Self::Cluster => "eks.amazonaws.com".to_owned(),
            Self::Node if partition == "aws-cn" => "ec2.amazonaws.com.cn".to_owned(),
            Self::Node => "ec2.amazonaws.com".to_owned(),
        }
    }

    /// ARNs of the AWS managed policies that the role needs.
    ///
    /// The nodes hold `AmazonEKS_CNI_Policy` because the self-managed VPC CNI that EKS installs into
    /// a new cluster runs with the node's role: without it no pod gets an address. It covers IPv4 only;
    /// see [`Self::inline_policies`] for IPv6.
    #[must_use]
    pub fn policies(self, partition: &str, ipv6: bool) -> BTreeSet<String> {
        let names: &[&str] = match self {
            Self::Cluster => &["AmazonEKSClusterPolicy"],
            Self::Node if ipv6 => &[
                "AmazonEKSWorkerNodePolicy",
                "AmazonEC2ContainerRegistryPullOnly",
            ],
            Self::Node => &[
                "AmazonEKSWorkerNodePolicy",
                "AmazonEKS_CNI_Policy",
                "AmazonEC2ContainerRegistryPullOnly",
            ],
        };
        names
            .iter()
            .map(|name| format!("arn:{partition}:iam::aws:policy/{name}"))
            .collect()
    }
}

impl RoleKind {
    /// Names and documents of the inline policies that the role needs.
    ///
    /// AWS has no managed policy for the VPC CNI of an IPv6 cluster; this is the one that its guide
    /// gives (EKS user guide, "Configure Amazon VPC CNI plugin to use IRSA", IPv6).
    #[must_use]
    pub fn inline_policies(self, partition: &str, ipv6: bool) -> StringMap {
        if self == Self::Cluster || !ipv6 {
            return StringMap::new();
        }
        let document = serde_json::json!({
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": [
                        "ec2:AssignIpv6Addresses",
                        "ec2:DescribeInstances",
                        "ec2:DescribeTags",
                        "ec2:DescribeNetworkInterfaces",
                        "ec2:DescribeInstanceTypes",
                    ],
                    "Resource": "*",
                },
                {
                    "Effect": "Allow",
                    "Action": ["ec2:CreateTags"],
                    "Resource": [format!("arn:{partition}:ec2:*:*:network-interface/*")],
                },
            ],
        });
        StringMap::from([("AmazonEKS_CNI_IPv6_Policy".to_owned(), document.to_string())])
    }
}

/// Name of a role we make: unique in the account for a cluster name and region, stable over time.
#[must_use]
pub fn role_name(kind: RoleKind, cluster: &str, region: &str) -> String {
    let suffix = format!("-{}-{}", kind.word(), short_hash([region, cluster]));
    let prefix: String = cluster
        .chars()
        .take(ROLE_NAME_LIMIT - suffix.len())
        .collect();
    format!("{prefix}{suffix}")
}

/// AWS name of the node group of a key: it changes when something changes that AWS cannot change in
/// place, so that the new group can stand beside the old one.
#[must_use]
pub fn node_group_name(
    key: &str,
    group: &DesiredNodeGroup,
    cluster_subnets: &BTreeSet<String>,
    node_role: &RoleChoice,
) -> String {
    let disk_size = group.disk_size.map(|size| size.to_string());
    let mut parts: Vec<&str> = vec!["instance_types"];
    parts.extend(group.instance_types.iter().flatten().map(String::as_str));
    parts.extend(["ami_type", group.ami_type.as_deref().unwrap_or_default()]);
    parts.extend([
        "capacity_type",
        group.capacity_type.as_deref().unwrap_or_default(),
    ]);
    parts.extend(["disk_size", disk_size.as_deref().unwrap_or_default()]);
    parts.push("subnet_ids");
    parts.extend(
        group
            .subnet_ids
            .as_ref()
            .unwrap_or(cluster_subnets)
            .iter()
            .map(String::as_str),
    );
    parts.push("node_role");
    parts.push(match node_role {
        RoleChoice::Given(arn) => arn,
        RoleChoice::Managed => "managed",
    });
    format!("{key}-{}", short_hash(parts))
}

/// The user's key of an observed node group: its tag if it has this owner, else its AWS name.
#[must_use]
pub fn node_group_key<'a>(aws_name: &'a str, group: &'a ObservedNodeGroup) -> &'a str {
    group.tags.get(NODE_GROUP).map_or(aws_name, String::as_str)
}

/// The tags that mark a thing as ours.
#[must_use]
pub fn ownership(owner: &str, cluster: &str, generation: &str) -> StringMap {
    StringMap::from([
        (OWNER.to_owned(), owner.to_owned()),
        (CLUSTER.to_owned(), cluster.to_owned()),
        (GENERATION.to_owned(), generation.to_owned()),
    ])
}

/// The tags without those that AWS or we write for our own use: what a user sees.
#[must_use]
pub fn user_tags(tags: &StringMap) -> StringMap {
    tags.iter()
        .filter(|(key, _)| !key.starts_with(TAG_PREFIX) && !key.starts_with("aws:"))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// The tag keys to set and to remove so that the tags become the desired ones. AWS's own tags and,
/// for removal, ours are left alone.
#[must_use]
pub(crate) fn tag_changes(
    desired: &StringMap,
    observed: &StringMap,
) -> (StringMap, BTreeSet<String>) {
    let set = desired
        .iter()
        .filter(|(key, value)| observed.get(*key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let remove = user_tags(observed)
        .into_keys()
        .filter(|key| !desired.contains_key(key))
        .collect();
    (set, remove)
}

/// Whether the tags say that this owner has this cluster.
#[must_use]
pub fn is_ours(tags: &StringMap, owner: &str, cluster: &str) -> bool {
    tags.get(OWNER).is_some_and(|tag| tag == owner)
        && tags.get(CLUSTER).is_some_and(|tag| tag == cluster)
}

/// Whether the OIDC provider of the ARN is that of the issuer: IAM names it after the issuer's URL.
#[must_use]
pub fn is_provider_of(provider_arn: &str, issuer: &str) -> bool {
    provider_arn
        .split_once(":oidc-provider/")
        .is_some_and(|(_, name)| name == issuer.trim_start_matches("https://"))
}

/// Whether the OIDC provider of the ARN is of an EKS issuer in the region. IAM is global and the
/// ownership tags name no region, but the host of EKS's issuers does (`oidc.eks.<region>.amazonaws.com`,
/// `oidc-eks.<region>.api.aws`).
#[must_use]
pub fn is_provider_in(provider_arn: &str, region: &str) -> bool {
    provider_arn
        .split_once(":oidc-provider/")
        .and_then(|(_, name)| name.split('/').next())
        .is_some_and(|host| {
            host.split('.')
                .nth(if host.starts_with("oidc.eks.") { 2 } else { 1 })
                == Some(region)
        })
}

/// Whether the cluster's tags say that its creation is not finished.
#[must_use]
pub fn is_incomplete(tags: &StringMap) -> bool {
    tags.get(CREATION).is_some_and(|tag| tag == INCOMPLETE)
}

#[cfg(test)]
mod tests {
    use super::{is_provider_in, is_provider_of};

    #[test]
    fn oidc_providers_of_regions_and_issuers() {
        let table = [
            ("oidc.eks.eu-west-1.amazonaws.com/id/A", "eu-west-1", true),
            ("oidc.eks.eu-west-1.amazonaws.com/id/A", "us-east-1", false),
            ("oidc-eks.eu-west-1.api.aws/id/A", "eu-west-1", true),
            (
                "oidc.eks.cn-north-1.amazonaws.com.cn/id/A",
                "cn-north-1",
                true,
            ),
            ("token.actions.githubusercontent.com", "eu-west-1", false),
            ("eu-west-1.example.com/eu-west-1", "eu-west-1", false),
        ];
        for (name, region, expected) in table {
            let arn = format!("arn:aws:iam::123456789012:oidc-provider/{name}");
            assert_eq!(is_provider_in(&arn, region), expected, "{name} {region}");
            assert!(is_provider_of(&arn, &format!("https://{name}")), "{name}");
            assert!(!is_provider_of(&arn, &format!("https://{name}B")), "{name}");
        }
        assert!(!is_provider_in("not an ARN", "eu-west-1"));
    }
}
