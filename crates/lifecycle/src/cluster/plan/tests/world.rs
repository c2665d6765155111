//! A model of AWS that does what steps say, with the refusals that matter to a planner.

use super::{set, tags};
use crate::cluster::model::{
    ClusterStatus, NodeGroupStatus, Observed, ObservedAccessEntry, ObservedCluster,
    ObservedNodeGroup, ObservedOidcProvider, ObservedRole, StringMap,
};
use crate::cluster::names::{self, RoleKind};
use crate::cluster::plan::{Action, Step};
use std::collections::BTreeSet;

/// The observed side, changed by steps.
#[derive(Debug, Clone, Default)]
pub struct World {
    pub observed: Observed,
    /// How many calls changed something.
    pub writes: usize,
}

fn retag(tags: &mut StringMap, set: &StringMap, remove: &BTreeSet<String>) {
    tags.extend(set.clone());
    tags.retain(|key, _| !remove.contains(key));
}

impl World {
    fn role(&mut self, kind: RoleKind) -> &mut Option<ObservedRole> {
        match kind {
            RoleKind::Cluster => &mut self.observed.cluster_role,
            RoleKind::Node => &mut self.observed.node_role,
        }
    }

    fn cluster(&mut self) -> &mut ObservedCluster {
        self.observed
            .cluster
            .as_mut()
            .expect("the step needs a cluster")
    }

    fn active_cluster(&mut self) -> &mut ObservedCluster {
        let cluster = self.cluster();
        assert_eq!(
            cluster.status,
            ClusterStatus::Active,
            "EKS refuses while the cluster is busy"
        );
        cluster
    }

    fn group(&mut self, name: &str) -> &mut ObservedNodeGroup {
        self.observed
            .node_groups
            .get_mut(name)
            .expect("the step needs the node group")
    }

    /// Lets what is in progress finish.
    pub fn settle(&mut self) {
        if let Some(cluster) = &mut self.observed.cluster {
            match cluster.status {
                ClusterStatus::Creating | ClusterStatus::Updating | ClusterStatus::Pending => {
                    cluster.status = ClusterStatus::Active;
                    cluster.oidc_issuer = Some("https://oidc.example/id/1".to_owned());
                }
                ClusterStatus::Deleting => {
                    self.observed.cluster = None;
                    self.observed.access_entries.clear();
                }
                _ => {}
            }
        }
        self.observed
            .node_groups
            .retain(|_, group| group.status != NodeGroupStatus::Deleting);
        for group in self.observed.node_groups.values_mut() {
            if matches!(
                group.status,
                NodeGroupStatus::Creating | NodeGroupStatus::Updating
            ) {
                group.status = NodeGroupStatus::Active;
            }
        }
        self.observed.updates.clear();
    }

    /// Does a step.
    pub fn apply(&mut self, step: &Step) {
        if step.action.is_wait() {
            self.settle();
            return;
        }
        self.writes += 1;
        // The number of the call is the time.
        let writes = self.writes as i64;
        match step.action.clone() {
            Action::WaitCluster { .. }
            | Action::WaitNodeGroup { .. }
            | Action::WaitUpdate { .. } => {}
            Action::CreateRole {
                kind,
                name,
                service,
                boundary,
                tags,
            } => {
                let role = self.role(kind);
                assert!(role.is_none(), "IAM refuses a second role {name}");
                *role = Some(ObservedRole {
                    arn: format!("arn:aws:iam::123456789012:role/{name}"),
                    created_at: Some(writes),
                    trusted_services: set([service.as_str()]),
                    attached_policies: BTreeSet::new(),
                    inline_policies: BTreeSet::new(),
                    permissions_boundary: boundary,
                    tags,
                });
            }
            Action::SetTrust { kind, service, .. } => {
                self.role(kind).as_mut().unwrap().trusted_services = set([service.as_str()]);
            }
            Action::SetBoundary { kind, boundary, .. } => {
                self.role(kind).as_mut().unwrap().permissions_boundary = boundary;
            }
            Action::TagRole {
                kind, set, remove, ..
            } => retag(&mut self.role(kind).as_mut().unwrap().tags, &set, &remove),
            Action::AttachPolicy {
                kind, policy_arn, ..
            } => {
                self.role(kind)
                    .as_mut()
                    .unwrap()
                    .attached_policies
                    .insert(policy_arn);
            }
            Action::DetachPolicy {
                kind, policy_arn, ..
            } => {
                self.role(kind)
                    .as_mut()
                    .unwrap()
                    .attached_policies
                    .remove(&policy_arn);
            }
            Action::PutInlinePolicy { kind, policy, .. } => {
                self.role(kind)
                    .as_mut()
                    .unwrap()
                    .inline_policies
                    .insert(policy);
            }
            Action::DeleteInlinePolicy { kind, policy, .. } => {
                self.role(kind)
                    .as_mut()
                    .unwrap()
                    .inline_policies
                    .remove(&policy);
            }
            Action::DeleteRole { kind, .. } => {
                let role = self.role(kind).take().unwrap();
                assert!(role.attached_policies.is_empty() && role.inline_policies.is_empty());
            }
            Action::CreateCluster(cluster) => {
                assert!(
                    self.observed.cluster.is_none(),
                    "EKS refuses a second cluster of the name"
                );
                let elsewhere = cluster.subnet_ids.contains("subnet-x");
                let vpc = if elsewhere { "vpc-2" } else { "vpc-1" }.to_owned();
                self.observed.cluster = Some(ObservedCluster {
                    arn: "arn:aws:eks:eu-central-1:123456789012:cluster/platform".to_owned(),
                    status: ClusterStatus::Creating,
                    version: cluster.version,
                    platform_version: None,
                    endpoint: None,
                    certificate_authority: None,
                    oidc_issuer: None,
                    created_at: Some(writes),
                    role_arn: cluster.role_arn,
                    subnet_ids: cluster.subnet_ids,
                    security_group_ids: cluster.security_group_ids,
                    cluster_security_group_id: None,
                    vpc_id: Some(vpc),
                    endpoint_public_access: cluster.endpoint.public,
                    endpoint_private_access: cluster.endpoint.private,
                    public_access_cidrs: cluster
                        .endpoint
                        .public_cidrs
                        .unwrap_or_else(|| set(["0.0.0.0/0"]))
                        .into_iter()
                        .filter(|_| cluster.endpoint.public)
                        .collect(),
                    service_ipv4_cidr: cluster
                        .service_ipv4_cidr
                        .or(Some("10.100.0.0/16".to_owned())),
                    ip_family: cluster.ip_family.or(Some("ipv4".to_owned())),
                    authentication_mode: Some(cluster.authentication_mode),
                    bootstrap_cluster_creator_admin_permissions: Some(
                        cluster.bootstrap_cluster_creator_admin_permissions,
                    ),
                    enabled_log_types: cluster.log_types,
                    support_type: cluster.support_type.or(Some("EXTENDED".to_owned())),
                    deletion_protection: Some(cluster.deletion_protection),
                    issues: Vec::new(),
                    tags: cluster.tags,
                });
            }
            Action::DeleteCluster => {
                assert!(
                    self.observed.node_groups.is_empty(),
                    "EKS refuses while node groups are attached"
                );
                self.cluster().status = ClusterStatus::Deleting;
            }
            Action::TagCluster { set, remove, .. } => {
                retag(&mut self.cluster().tags, &set, &remove)
            }
            Action::MarkComplete { arn, tags } => {
                assert!(arn.is_some());
                self.cluster().tags.extend(tags);
            }
            Action::UpdateAuthenticationMode { mode } => {
                self.active_cluster().authentication_mode = Some(mode);
                self.cluster().status = ClusterStatus::Updating;
            }
            Action::UpdateEndpointAccess(access) => {
                let cluster = self.active_cluster();
                cluster.endpoint_public_access = access.public;
                cluster.endpoint_private_access = access.private;
                if let Some(cidrs) = access.public_cidrs {
                    cluster.public_access_cidrs = cidrs;
                }
                cluster.status = ClusterStatus::Updating;
            }
            Action::UpdateSubnets { subnet_ids } => {
                self.active_cluster().subnet_ids = subnet_ids;
                self.cluster().status = ClusterStatus::Updating;
            }
            Action::UpdateSecurityGroups { security_group_ids } => {
                self.active_cluster().security_group_ids = security_group_ids;
                self.cluster().status = ClusterStatus::Updating;
            }
            Action::UpdateLogging { enable, disable } => {
                let cluster = self.active_cluster();
                cluster.enabled_log_types.extend(enable);
                cluster
                    .enabled_log_types
                    .retain(|name| !disable.contains(name));
                cluster.status = ClusterStatus::Updating;
            }
            Action::UpdateSupportType { support_type } => {
                self.active_cluster().support_type = Some(support_type);
                self.cluster().status = ClusterStatus::Updating;
            }
            Action::UpdateDeletionProtection { enabled } => {
                self.active_cluster().deletion_protection = Some(enabled);
                self.cluster().status = ClusterStatus::Updating;
            }
            Action::UpdateClusterVersion { to } => {
                for group in self.observed.node_groups.values() {
                    assert!(
                        group.version.unwrap().minor + 3 >= to.minor,
                        "nodes would be too old"
                    );
                }
                let cluster = self.active_cluster();
                assert_eq!(
                    cluster.version.next(),
                    to,
                    "EKS moves one minor version at a time"
                );
                cluster.version = to;
                cluster.status = ClusterStatus::Updating;
            }
            Action::CreateOidcProvider { issuer, tags } => {
                let issuer = issuer.expect("the issuer is known once the cluster exists");
                let host = issuer.trim_start_matches("https://");
                self.observed.oidc_provider = Some(ObservedOidcProvider {
                    arn: format!("arn:aws:iam::123456789012:oidc-provider/{host}"),
                    client_ids: set([names::IRSA_AUDIENCE]),
                    tags,
                });
            }
            Action::AddAudience { .. } => {
                let provider = self.observed.oidc_provider.as_mut().unwrap();
                provider.client_ids.insert(names::IRSA_AUDIENCE.to_owned());
            }
            Action::TagOidcProvider { set, remove, .. } => {
                let provider = self.observed.oidc_provider.as_mut().unwrap();
                retag(&mut provider.tags, &set, &remove);
            }
            Action::DeleteOidcProvider { arn } => {
                self.observed
                    .owned_oidc_providers
                    .retain(|provider| provider.arn != arn);
                self.observed
                    .oidc_provider
                    .take_if(|provider| provider.arn == arn);
            }
            Action::CreateAccessEntry {
                principal_arn,
                mut entry,
            } => {
                assert_ne!(
                    self.cluster().authentication_mode.as_deref(),
                    Some("CONFIG_MAP"),
                    "EKS has no access entries in this mode"
                );
                assert!(!self.observed.access_entries.contains_key(&principal_arn));
                entry.policies.clear();
                let arn = format!("arn:aws:eks:entry/{principal_arn}");
                self.observed.access_entries.insert(
                    principal_arn,
                    ObservedAccessEntry {
                        arn,
                        created_at: Some(writes),
                        entry,
                    },
                );
            }
            Action::UpdateAccessEntry {
                principal_arn,
                kubernetes_groups,
                user_name,
            } => {
                let actual = self
                    .observed
                    .access_entries
                    .get_mut(&principal_arn)
                    .unwrap();
                actual.entry.kubernetes_groups = kubernetes_groups;
                if user_name.is_some() {
                    actual.entry.user_name = user_name;
                }
            }
            Action::TagAccessEntry {
                principal_arn,
                set,
                remove,
                ..
            } => {
                let actual = self
                    .observed
                    .access_entries
                    .get_mut(&principal_arn)
                    .unwrap();
                retag(&mut actual.entry.tags, &set, &remove);
            }
            Action::AssociatePolicy {
                principal_arn,
                policy_arn,
                scope,
            } => {
                let actual = self
                    .observed
                    .access_entries
                    .get_mut(&principal_arn)
                    .unwrap();
                actual.entry.policies.insert(policy_arn, scope);
            }
            Action::DisassociatePolicy {
                principal_arn,
                policy_arn,
            } => {
                let actual = self
                    .observed
                    .access_entries
                    .get_mut(&principal_arn)
                    .unwrap();
                actual.entry.policies.remove(&policy_arn);
            }
            Action::DeleteAccessEntry { principal_arn } => {
                self.observed.access_entries.remove(&principal_arn);
            }
            Action::CreateNodeGroup(group) => {
                let cluster = self.active_cluster();
                assert!(
                    group.version <= cluster.version,
                    "nodes may not be newer than the control plane"
                );
                assert!(!self.observed.node_groups.contains_key(&group.name));
                self.observed.node_groups.insert(
                    group.name.clone(),
                    ObservedNodeGroup {
                        arn: format!("arn:aws:eks:nodegroup/{}", group.name),
                        status: NodeGroupStatus::Creating,
                        issues: Vec::new(),
                        created_at: Some(writes),
                        version: Some(group.version),
                        release_version: group.release_version,
                        instance_types: group
                            .instance_types
                            .unwrap_or_else(|| vec!["t3.medium".to_owned()]),
                        ami_type: group.ami_type.or(Some("AL2023_x86_64_STANDARD".to_owned())),
                        capacity_type: group.capacity_type.or(Some("ON_DEMAND".to_owned())),
                        disk_size: group.disk_size.or(Some(20)),
                        subnet_ids: group.subnet_ids,
                        node_role: group.node_role,
                        min_size: group.scaling.min,
                        max_size: group.scaling.max,
                        desired_size: group.scaling.desired,
                        max_unavailable: group.max_unavailable,
                        labels: group.labels,
                        taints: group.taints,
                        tags: group.tags,
                    },
                );
            }
            Action::UpdateNodeGroupConfig { name, change } => {
                let group = self.group(&name);
                retag(&mut group.labels, &change.set_labels, &change.remove_labels);
                for taint in &change.set_taints {
                    group
                        .taints
                        .retain(|other| (&other.key, &other.effect) != (&taint.key, &taint.effect));
                }
                group.taints.extend(change.set_taints.clone());
                group
                    .taints
                    .retain(|taint| !change.remove_taints.contains(taint));
                if let Some(scaling) = change.scaling {
                    group.min_size = scaling.min;
                    group.max_size = scaling.max;
                    group.desired_size = scaling.desired;
                }
                if change.max_unavailable.is_some() {
                    group.max_unavailable = change.max_unavailable;
                }
                group.status = NodeGroupStatus::Updating;
            }
            Action::UpdateNodeGroupVersion {
                name,
                to,
                release_version,
            } => {
                assert!(
                    self.cluster().version >= to,
                    "nodes may not be newer than the control plane"
                );
                let group = self.group(&name);
                assert_eq!(group.status, NodeGroupStatus::Active);
                group.version = Some(to);
                if release_version.is_some() {
                    group.release_version = release_version;
                }
                group.status = NodeGroupStatus::Updating;
            }
            Action::TagNodeGroup {
                name, set, remove, ..
            } => retag(&mut self.group(&name).tags, &set, &remove),
            Action::DeleteNodeGroup { name } => {
                self.group(&name).status = NodeGroupStatus::Deleting
            }
        }
    }
}

#[test]
fn the_model_refuses_what_aws_refuses() {
    let mut world = World::default();
    let create = Step {
        action: Action::CreateRole {
            kind: RoleKind::Node,
            name: "n".to_owned(),
            service: "ec2.amazonaws.com".to_owned(),
            boundary: None,
            tags: tags([("a", "b")]),
        },
        reason: String::new(),
        after: BTreeSet::new(),
    };
    world.apply(&create);
    assert!(std::panic::catch_unwind(move || world.apply(&create)).is_err());
}
