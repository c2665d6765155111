//! What a refused step is about, and what to do about it.
//!
//! EKS names the wrong parameter only in the text of its message, so the text is searched for the
//! words that the messages of that call use (EKS API reference, errors of each operation).

use super::model::Observed;
use super::names;
use super::plan::{Action, Subject};
use crate::aws::{ApiError, ErrorClass};

/// How a refusal is explained.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    /// What of the configuration it is about.
    pub(super) subject: Option<Subject>,
    /// What to do next.
    pub(super) remedy: Option<&'static str>,
}

/// Words of a message, the attribute that they are about, and what to do. The first match counts.
type Rule = (&'static [&'static str], &'static str, Option<&'static str>);

const SUBNETS: &str =
    "Give subnets that exist, of one VPC, in at least two availability zones that EKS supports";
const ROLE: &str = "Check that the role exists, that its trust policy lets eks.amazonaws.com assume it, and that \
                    you may pass it (iam:PassRole); or leave it out, and a role is made";
const NODE_ROLE: &str = "Check that the role exists, that its trust policy lets ec2.amazonaws.com assume it, and that \
                         you may pass it (iam:PassRole); or leave it out, and a role is made";
const QUOTA: &str = "Ask AWS for a higher quota (Service Quotas), or remove what is no longer used, and apply again";

const PUBLIC_ACCESS_CIDRS: Rule = (
    &["publicaccesscidrs", "public access cidr"],
    "vpc_config.public_access_cidrs",
    Some("Give ranges in CIDR notation that EKS takes, such as 203.0.113.0/24"),
);

const CLUSTER: [Rule; 9] = [
    (
        &["kubernetes version", "unsupported version"],
        "kubernetes_version",
        None,
    ),
    (
        &["securitygroup", "security group"],
        "vpc_config.security_group_ids",
        Some("Give security groups of the subnets' VPC"),
    ),
    (
        &["subnet", "availability zone", "availabilityzone"],
        "vpc_config.subnet_ids",
        Some(SUBNETS),
    ),
    PUBLIC_ACCESS_CIDRS,
    (
        &["serviceipv4cidr", "service cidr", "service ipv4"],
        "kubernetes_network_config.service_ipv4_cidr",
        Some(
            "Give a range of /12 to /24 in 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16 that does not overlap the VPC",
        ),
    ),
    (
        &["ipfamily", "ip family"],
        "kubernetes_network_config.ip_family",
        None,
    ),
    (&["role"], "role_arn", Some(ROLE)),
    (&["log type", "logtype"], "enabled_cluster_log_types", None),
    (&["cluster name", "clustername"], "name", None),
];

const NODE_GROUP: [Rule; 10] = [
    (
        &["instance type", "instancetype"],
        "instance_types",
        Some("Give instance types that the region has and that fit ami_type"),
    ),
    (
        &["amitype", "ami type"],
        "ami_type",
        Some("Give an AMI type that fits the architecture of instance_types"),
    ),
    (
        &["release version", "releaseversion"],
        "release_version",
        Some("Leave release_version out to get the latest one"),
    ),
    (
        &["kubernetes version", "version"],
        "kubernetes_version",
        Some("Leave kubernetes_version of the group out: it then follows the control plane"),
    ),
    (&["capacity type", "capacitytype"], "capacity_type", None),
    (&["disk"], "disk_size", None),
    (
        &["subnet"],
        "subnet_ids",
        Some("Give subnets of the cluster's VPC that have free addresses"),
    ),
    (&["label"], "labels", None),
    (&["taint"], "taints", None),
    (
        &[
            "minsize",
            "maxsize",
            "desiredsize",
            "scaling",
            "desired capacity",
        ],
        "scaling_config",
        None,
    ),
];

const ACCESS_ENTRY: [Rule; 5] = [
    (
        &["policyarn", "access policy", "policy"],
        "policy_associations",
        Some(
            "Give the ARN of an EKS access policy, such as arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
        ),
    ),
    (
        &["kubernetesgroups", "kubernetes group", "group"],
        "kubernetes_groups",
        None,
    ),
    (&["username", "user name"], "user_name", None),
    (&["type"], "type", None),
    (
        &["principal"],
        "principal_arn",
        Some("Give the ARN of an IAM user or role that exists"),
    ),
];

fn matching(rules: &[Rule], error: &ApiError) -> Option<Rule> {
    let message = error.message.to_lowercase();
    rules
        .iter()
        .find(|(words, ..)| words.iter().any(|word| message.contains(word)))
        .copied()
}

impl Refusal {
    /// Explains why AWS refused a step.
    pub(super) fn of(action: &Action, error: &ApiError, observed: &Observed) -> Self {
        let quota = error
            .code
            .as_deref()
            .is_some_and(|code| code.contains("LimitExceeded") || code.contains("Quota"));
        if quota {
            return Self {
                subject: None,
                remedy: Some(QUOTA),
            };
        }
        // Neither a missing permission nor an outage is about what is written in the resource.
        if matches!(
            error.class,
            ErrorClass::AccessDenied | ErrorClass::Retryable | ErrorClass::Unreachable
        ) {
            return Self {
                subject: None,
                remedy: None,
            };
        }
        let rules: &[Rule] = match action {
            Action::CreateCluster(_) => &CLUSTER,
            Action::UpdateEndpointAccess(_) => &[PUBLIC_ACCESS_CIDRS],
            Action::CreateNodeGroup(_)
            | Action::UpdateNodeGroupConfig { .. }
            | Action::UpdateNodeGroupVersion { .. }
            | Action::TagNodeGroup { .. }
            | Action::DeleteNodeGroup { .. } => &NODE_GROUP,
            Action::CreateAccessEntry { .. }
            | Action::UpdateAccessEntry { .. }
            | Action::TagAccessEntry { .. }
            | Action::AssociatePolicy { .. }
            | Action::DisassociatePolicy { .. }
            | Action::DeleteAccessEntry { .. } => &ACCESS_ENTRY,
            _ => &[],
        };
        let text = error.message.to_lowercase();
        let rule = match action {
            Action::CreateRole {
                boundary: Some(_), ..
            } if text.contains("boundary") => {
                return Self::attribute("permissions_boundary", None);
            }
            Action::UpdateSubnets { .. } => {
                return Self::attribute("vpc_config.subnet_ids", Some(SUBNETS));
            }
            Action::CreateAccessEntry { .. } if error.class == ErrorClass::RoleNotVisible => {
                ACCESS_ENTRY.last().copied()
            }
            _ => matching(rules, error),
        };
        let subject = match (subject_of(action, observed), rule) {
            // The nodes' role is an attribute of the cluster.
            (Some(Subject::NodeGroup { .. }), None) if text.contains("role") => {
                return Self::attribute("node_role_arn", Some(NODE_ROLE));
            }
            (Some(Subject::NodeGroup { key, .. }), rule) => Some(Subject::NodeGroup {
                key,
                attribute: rule.map(|(_, attribute, _)| attribute),
            }),
            (Some(Subject::AccessEntry { principal, .. }), rule) => Some(Subject::AccessEntry {
                principal,
                attribute: rule.map(|(_, attribute, _)| attribute),
            }),
            (_, Some((_, attribute, _))) => Some(Subject::Attribute(attribute)),
            (subject, None) => subject,
        };
        Self {
            subject,
            remedy: rule.and_then(|(.., remedy)| remedy),
        }
    }

    fn attribute(attribute: &'static str, remedy: Option<&'static str>) -> Self {
        Self {
            subject: Some(Subject::Attribute(attribute)),
            remedy,
        }
    }
}

/// What of the configuration a step changes.
pub(super) fn subject_of(action: &Action, observed: &Observed) -> Option<Subject> {
    let attribute = |attribute| Some(Subject::Attribute(attribute));
    let group = |name: &str| {
        let key = observed
            .node_groups
            .get(name)
            .map_or(name, |group| names::node_group_key(name, group));
        Some(Subject::node_group(key))
    };
    match action {
        Action::UpdateClusterVersion { .. } => attribute("kubernetes_version"),
        Action::UpdateSubnets { .. } => attribute("vpc_config.subnet_ids"),
        Action::UpdateSecurityGroups { .. } => attribute("vpc_config.security_group_ids"),
        Action::UpdateEndpointAccess(_) => attribute("vpc_config"),
        Action::UpdateLogging { .. } => attribute("enabled_cluster_log_types"),
        Action::UpdateSupportType { .. } => attribute("upgrade_policy.support_type"),
        Action::UpdateAuthenticationMode { .. } => attribute("access_config.authentication_mode"),
        Action::UpdateDeletionProtection { .. } => attribute("deletion_protection"),
        Action::TagCluster { .. } => attribute("tags"),
        Action::SetBoundary { .. } => attribute("permissions_boundary"),
        Action::CreateNodeGroup(created) => {
            let key = created.tags.get(names::NODE_GROUP);
            Some(Subject::node_group(key.unwrap_or(&created.name)))
        }
        Action::UpdateNodeGroupConfig { name, .. }
        | Action::UpdateNodeGroupVersion { name, .. }
        | Action::TagNodeGroup { name, .. }
        | Action::DeleteNodeGroup { name }
        | Action::WaitNodeGroup { name, .. } => group(name),
        Action::CreateAccessEntry { principal_arn, .. }
        | Action::UpdateAccessEntry { principal_arn, .. }
        | Action::TagAccessEntry { principal_arn, .. }
        | Action::AssociatePolicy { principal_arn, .. }
        | Action::DisassociatePolicy { principal_arn, .. }
        | Action::DeleteAccessEntry { principal_arn } => Some(Subject::AccessEntry {
            principal: principal_arn.clone(),
            attribute: None,
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;
    use crate::aws::{ApiError, classify};
    use crate::cluster::model::{AccessEntry, Observed};
    use crate::cluster::plan::tests::{desired, tags};
    use crate::cluster::plan::{Action, plan};

    fn subject(action: &Action, code: &str, message: &str) -> String {
        let error = ApiError {
            service: "EKS",
            operation: "Operation",
            resource: "thing".into(),
            code: Some(code.to_owned()),
            message: message.into(),
            request_id: None,
            class: classify(code, message),
        };
        Refusal::of(action, &error, &Observed::default())
            .subject
            .map_or_else(|| "-".to_owned(), |subject| subject.to_string())
    }

    #[test]
    fn subjects_of_refusals() {
        let steps = plan(&desired(), &Observed::default()).unwrap();
        let find = |wanted: fn(&Action) -> bool| {
            steps
                .iter()
                .map(|step| &step.action)
                .find(|action| wanted(action))
                .unwrap()
        };
        let cluster = find(|action| matches!(action, Action::CreateCluster(_)));
        let group = find(|action| matches!(action, Action::CreateNodeGroup(_)));
        let entry = &Action::CreateAccessEntry {
            principal_arn: "arn:aws:iam::1:role/r".to_owned(),
            entry: AccessEntry::default(),
        };
        let tag = &Action::TagCluster {
            arn: "arn".to_owned(),
            set: tags([("a", "b")]),
            remove: Default::default(),
        };
        let invalid = "InvalidParameterException";
        let table = [
            (
                cluster,
                invalid,
                "unsupported Kubernetes version",
                "kubernetes_version",
            ),
            (
                cluster,
                invalid,
                "Subnets specified must be in at least two different AZs",
                "vpc_config.subnet_ids",
            ),
            (
                cluster,
                "UnsupportedAvailabilityZoneException",
                "Cannot create cluster 'x' because us-east-1e, the targeted availability zone, does not currently have sufficient capacity",
                "vpc_config.subnet_ids",
            ),
            (
                cluster,
                invalid,
                "The specified security group does not exist",
                "vpc_config.security_group_ids",
            ),
            (
                cluster,
                invalid,
                "Role with arn: arn:aws:iam::1:role/r, could not be assumed because it does not exist",
                "role_arn",
            ),
            (
                cluster,
                invalid,
                "The following CIDRs are invalid in publicAccessCidrs: [10.0.0.0/8]",
                "vpc_config.public_access_cidrs",
            ),
            (
                cluster,
                "ResourceLimitExceededException",
                "Cluster limit exceeded for account",
                "-",
            ),
            (
                cluster,
                "AccessDeniedException",
                "User is not authorized to perform: eks:CreateCluster on role x",
                "-",
            ),
            (cluster, "ServerException", "subnet trouble", "-"),
            (
                group,
                invalid,
                "The following supplied instance types do not exist: [m9.huge]",
                "node_groups[\"general\"].instance_types",
            ),
            (
                group,
                invalid,
                "Following required service principals [ec2.amazonaws.com] were not found in the trust relationships of nodeRole",
                "node_role_arn",
            ),
            (group, invalid, "Something new", "node_groups[\"general\"]"),
            (
                entry,
                invalid,
                "The specified principalArn is invalid: invalid principal",
                "access_entries[\"arn:aws:iam::1:role/r\"].principal_arn",
            ),
            (
                entry,
                invalid,
                "The kubernetesGroups parameter may not start with system:",
                "access_entries[\"arn:aws:iam::1:role/r\"].kubernetes_groups",
            ),
            (tag, "BadRequestException", "Too many tags", "tags"),
        ];
        for (action, code, message, expected) in table {
            assert_eq!(subject(action, code, message), expected, "{message}");
        }
    }
}
