//! Tables of desired and observed clusters beside their steps, and convergence on a model of AWS.

mod convergence;
mod tables;
mod world;

use crate::cluster::model::{
    AccessEntry, Claim, DesiredCluster, DesiredNodeGroup, DesiredVpc, KubernetesVersion,
    Remembered, RoleChoice, StringMap,
};
use std::collections::{BTreeMap, BTreeSet};

pub(in crate::cluster) fn set<const N: usize>(items: [&str; N]) -> BTreeSet<String> {
    items.into_iter().map(str::to_owned).collect()
}

pub(in crate::cluster) fn tags<const N: usize>(items: [(&str, &str); N]) -> StringMap {
    items
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

pub(super) fn version(minor: u32) -> KubernetesVersion {
    KubernetesVersion { major: 1, minor }
}

/// A cluster with one node group and nothing unusual.
pub(in crate::cluster) fn desired() -> DesiredCluster {
    DesiredCluster {
        name: "platform".to_owned(),
        region: "eu-central-1".to_owned(),
        partition: "aws".to_owned(),
        account_id: "123456789012".to_owned(),
        owner: "state-a".to_owned(),
        claim: Claim::Create,
        remembered: Remembered::default(),
        generation: Some("g1".to_owned()),
        version: version(35),
        cluster_role: RoleChoice::Managed,
        node_role: RoleChoice::Managed,
        permissions_boundary: None,
        vpc: DesiredVpc {
            subnet_ids: set(["subnet-a", "subnet-b"]),
            security_group_ids: BTreeSet::new(),
            endpoint_public_access: true,
            endpoint_private_access: true,
            public_access_cidrs: None,
            vpc_id: None,
        },
        service_ipv4_cidr: None,
        ip_family: None,
        authentication_mode: "API".to_owned(),
        bootstrap_cluster_creator_admin_permissions: true,
        access_entries: BTreeMap::new(),
        enabled_log_types: BTreeSet::new(),
        support_type: None,
        irsa: true,
        node_groups: BTreeMap::from([("general".to_owned(), node_group())]),
        tags: StringMap::new(),
        deletion_protection: false,
    }
}

pub(super) fn node_group() -> DesiredNodeGroup {
    DesiredNodeGroup {
        instance_types: Some(vec!["m7i.large".to_owned()]),
        min_size: 1,
        max_size: 3,
        ..DesiredNodeGroup::default()
    }
}

pub(super) fn access_entry() -> AccessEntry {
    AccessEntry {
        entry_type: "STANDARD".to_owned(),
        ..AccessEntry::default()
    }
}
