//! Steps for the control plane and its OIDC provider.

use super::{Action, CreateCluster, EndpointAccess, PlanError, Planner, tag_changes};
use crate::cluster::model::{ClusterStatus, KubernetesVersion, ObservedCluster};
use crate::cluster::names::{self, RoleKind};
use std::collections::BTreeSet;

/// How many minor versions a kubelet may be older than the control plane
/// (Kubernetes version skew policy).
pub(super) const KUBELET_SKEW: u32 = 3;

impl Planner<'_> {
    /// Refuses what AWS fixes at creation.
    pub(super) fn check_immutable(&self, cluster: &ObservedCluster) -> Result<(), PlanError> {
        let desired = self.desired;
        let name = || desired.name.clone();
        let immutable = |attribute, actual: &str, wanted: &str| PlanError::Immutable {
            name: name(),
            attribute,
            actual: actual.to_owned(),
            desired: wanted.to_owned(),
        };
        let role = self.effective_role(RoleKind::Cluster);
        if cluster.role_arn != role {
            return Err(immutable("role_arn", &cluster.role_arn, &role));
        }
        let fixed = [
            (
                "kubernetes_network_config.service_ipv4_cidr",
                &cluster.service_ipv4_cidr,
                &desired.service_ipv4_cidr,
            ),
            (
                "kubernetes_network_config.ip_family",
                &cluster.ip_family,
                &desired.ip_family,
            ),
        ];
        for (attribute, actual, wanted) in fixed {
            if let (Some(actual), Some(wanted)) = (actual, wanted)
                && actual != wanted
            {
                return Err(immutable(attribute, actual, wanted));
            }
        }
        if let (Some(actual), Some(wanted)) = (&cluster.vpc_id, &desired.vpc.vpc_id)
            && actual != wanted
        {
            return Err(PlanError::WrongVpc {
                name: name(),
                actual: actual.clone(),
                desired: wanted.clone(),
            });
        }
        if desired.version < cluster.version {
            return Err(PlanError::Downgrade {
                name: name(),
                actual: cluster.version,
                desired: desired.version,
            });
        }
        Ok(())
    }

    /// Creates the cluster or waits for it; returns what must be done before anything inside it.
    pub(super) fn cluster_exists(&mut self) -> BTreeSet<String> {
        let desired = self.desired;
        let Some(cluster) = &self.observed.cluster else {
            let mut tags = self.owned_tags(&desired.tags);
            tags.insert(names::CREATION.to_owned(), names::INCOMPLETE.to_owned());
            let create = CreateCluster {
                version: desired.version,
                role_arn: self.effective_role(RoleKind::Cluster),
                subnet_ids: desired.vpc.subnet_ids.clone(),
                security_group_ids: desired.vpc.security_group_ids.clone(),
                endpoint: self.desired_endpoint(),
                service_ipv4_cidr: desired.service_ipv4_cidr.clone(),
                ip_family: desired.ip_family.clone(),
                authentication_mode: desired.authentication_mode.clone(),
                bootstrap_cluster_creator_admin_permissions: desired
                    .bootstrap_cluster_creator_admin_permissions,
                log_types: desired.enabled_log_types.clone(),
                support_type: desired.support_type.clone(),
                deletion_protection: desired.deletion_protection,
                tags,
            };
            let after = self.steps.iter().map(|step| step.action.id()).collect();
            let id = self.add_after(
                Action::CreateCluster(Box::new(create)),
                "no cluster of this name exists",
                after,
            );
            return BTreeSet::from([id]);
        };
        let mut gate = BTreeSet::new();
        if cluster.status != ClusterStatus::Active {
            gate.insert(self.add(
                Action::WaitCluster {
                    status: cluster.status,
                },
                "EKS changes a cluster only while it is ACTIVE",
                [],
            ));
        }
        for update in &self.observed.updates {
            if update.node_group.is_none() {
                gate.insert(self.add(
                    Action::WaitUpdate {
                        id: update.id.clone(),
                        node_group: None,
                        description: update.description.clone(),
                    },
                    "EKS makes one update of a cluster at a time",
                    [],
                ));
            }
        }
        gate
    }

    fn desired_endpoint(&self) -> EndpointAccess {
        let vpc = &self.desired.vpc;
        EndpointAccess {
            public: vpc.endpoint_public_access,
            private: vpc.endpoint_private_access,
            public_cidrs: vpc
                .public_access_cidrs
                .clone()
                .filter(|_| vpc.endpoint_public_access),
        }
    }

    /// Changes settings and version of an existing cluster, one after another: EKS takes one kind of
    /// change per call and one update at a time. Returns what must be done before node groups.
    pub(super) fn cluster_settings(
        &mut self,
        exists: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, PlanError> {
        let desired = self.desired;
        let entries_need_api =
            desired.authentication_mode == "CONFIG_MAP" && !desired.access_entries.is_empty();
        if entries_need_api {
            return Err(PlanError::AccessEntriesNeedApi {
                name: desired.name.clone(),
            });
        }
        let Some(cluster) = &self.observed.cluster else {
            return Ok(exists.clone());
        };
        let (set, remove) = tag_changes(&self.owned_tags(&desired.tags), &cluster.tags);
        if !set.is_empty() || !remove.is_empty() {
            self.add_after(
                Action::TagCluster {
                    arn: cluster.arn.clone(),
                    set,
                    remove,
                },
                "tags differ",
                exists.clone(),
            );
        }
        let mut last = exists.clone();
        for (action, reason) in self.setting_updates(cluster)? {
            last = BTreeSet::from([self.add_after(action, reason, last)]);
        }
        self.versions(cluster, last)
    }

    fn setting_updates(
        &self,
        cluster: &ObservedCluster,
    ) -> Result<Vec<(Action, &'static str)>, PlanError> {
        let desired = self.desired;
        let mut updates = Vec::new();
        if let Some(actual) = &cluster.authentication_mode
            && let Some(mode) = self.next_authentication_mode(actual)?
        {
            updates.push((
                Action::UpdateAuthenticationMode { mode },
                "authentication_mode differs",
            ));
        }
        let wanted = self.desired_endpoint();
        let cidrs_differ = wanted
            .public_cidrs
            .as_ref()
            .is_some_and(|cidrs| *cidrs != cluster.public_access_cidrs);
        if wanted.public != cluster.endpoint_public_access
            || wanted.private != cluster.endpoint_private_access
            || cidrs_differ
        {
            updates.push((
                Action::UpdateEndpointAccess(wanted),
                "endpoint access differs",
            ));
        }
        if desired.vpc.subnet_ids != cluster.subnet_ids {
            updates.push((
                Action::UpdateSubnets {
                    subnet_ids: desired.vpc.subnet_ids.clone(),
                },
                "subnet_ids differ",
            ));
        }
        if desired.vpc.security_group_ids != cluster.security_group_ids {
            updates.push((
                Action::UpdateSecurityGroups {
                    security_group_ids: desired.vpc.security_group_ids.clone(),
                },
                "security_group_ids differ",
            ));
        }
        if desired.enabled_log_types != cluster.enabled_log_types {
            let difference = |left: &BTreeSet<String>, right: &BTreeSet<String>| {
                left.difference(right).cloned().collect()
            };
            updates.push((
                Action::UpdateLogging {
                    enable: difference(&desired.enabled_log_types, &cluster.enabled_log_types),
                    disable: difference(&cluster.enabled_log_types, &desired.enabled_log_types),
                },
                "enabled_cluster_log_types differ",
            ));
        }
        if let (Some(wanted), Some(actual)) = (&desired.support_type, &cluster.support_type)
            && wanted != actual
        {
            updates.push((
                Action::UpdateSupportType {
                    support_type: wanted.clone(),
                },
                "support_type differs",
            ));
        }
        if cluster
            .deletion_protection
            .is_some_and(|actual| actual != desired.deletion_protection)
        {
            updates.push((
                Action::UpdateDeletionProtection {
                    enabled: desired.deletion_protection,
                },
                "deletion_protection differs",
            ));
        }
        Ok(updates)
    }

    /// The next mode on the way: `CONFIG_MAP`, `API_AND_CONFIG_MAP`, `API`, each from the one before.
    fn next_authentication_mode(&self, actual: &str) -> Result<Option<String>, PlanError> {
        const ORDER: [&str; 3] = ["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"];
        let desired = &self.desired.authentication_mode;
        let rank = |mode: &str| ORDER.iter().position(|known| *known == mode);
        let (Some(from), Some(to)) = (rank(actual), rank(desired)) else {
            return Ok((actual != desired).then(|| desired.clone()));
        };
        if to < from {
            return Err(PlanError::AuthenticationModeIsOneWay {
                name: self.desired.name.clone(),
                actual: actual.to_owned(),
                desired: desired.clone(),
            });
        }
        Ok((to > from).then(|| {
            ORDER
                .get(from + 1)
                .map_or_else(|| desired.clone(), |mode| (*mode).to_owned())
        }))
    }

    /// Upgrades the control plane minor by minor. A node group that would become too old for the
    /// next version is first brought to the present one.
    fn versions(
        &mut self,
        cluster: &ObservedCluster,
        mut last: BTreeSet<String>,
    ) -> Result<BTreeSet<String>, PlanError> {
        if cluster.version >= self.desired.version {
            return Ok(last);
        }
        let next = cluster.version.next();
        for step in self.too_old_node_groups(cluster.version, next)? {
            last = BTreeSet::from([self.add_after(
                step,
                format!("a control plane of {next} works with nodes of at most {KUBELET_SKEW} minor versions less"),
                last,
            )]);
        }
        let mut version: KubernetesVersion = cluster.version;
        while version < self.desired.version {
            version = version.next();
            last = BTreeSet::from([self.add_after(
                Action::UpdateClusterVersion { to: version },
                "EKS moves a control plane one minor version at a time",
                last,
            )]);
        }
        Ok(last)
    }

    /// Removes our OIDC providers of earlier clusters of this name: whoever deleted the cluster left
    /// them, and nobody else knows of them. While the issuer of an existing cluster is not known,
    /// it is not known either which provider is the present one.
    pub(super) fn stale_oidc_providers(&mut self) {
        let cluster = self.observed.cluster.as_ref();
        let issuer = cluster.and_then(|cluster| cluster.oidc_issuer.as_deref());
        if cluster.is_some() && issuer.is_none() {
            return;
        }
        let observed = self.observed;
        for provider in &observed.owned_oidc_providers {
            if !issuer.is_some_and(|issuer| names::is_provider_of(&provider.arn, issuer)) {
                self.add(
                    Action::DeleteOidcProvider {
                        arn: provider.arn.clone(),
                    },
                    "its issuer was an earlier cluster of this name",
                    [],
                );
            }
        }
    }

    /// Makes, repairs or removes the OIDC provider of the cluster's issuer.
    pub(super) fn oidc_provider(&mut self, exists: &BTreeSet<String>) {
        let desired = self.desired;
        let tags = self.owned_tags(&desired.tags);
        let issuer = self
            .observed
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.oidc_issuer.clone());
        match (&self.observed.oidc_provider, desired.irsa) {
            (None, true) => {
                self.add_after(
                    Action::CreateOidcProvider { issuer, tags },
                    "IRSA is enabled",
                    exists.clone(),
                );
            }
            (Some(provider), true) => {
                if !provider.client_ids.contains(names::IRSA_AUDIENCE) {
                    self.add(
                        Action::AddAudience {
                            arn: provider.arn.clone(),
                        },
                        "IRSA tokens have this audience",
                        [],
                    );
                }
                // One that others made serves as well, and stays theirs.
                if names::is_ours(&provider.tags, &desired.owner, &desired.name) {
                    let missing: crate::cluster::model::StringMap = tags
                        .into_iter()
                        .filter(|(key, value)| provider.tags.get(key) != Some(value))
                        .collect();
                    if !missing.is_empty() {
                        self.add(
                            Action::TagOidcProvider {
                                arn: provider.arn.clone(),
                                tags: missing,
                            },
                            "tags differ",
                            [],
                        );
                    }
                }
            }
            (Some(provider), false)
                if names::is_ours(&provider.tags, &desired.owner, &desired.name) =>
            {
                self.add(
                    Action::DeleteOidcProvider {
                        arn: provider.arn.clone(),
                    },
                    "IRSA is disabled",
                    [],
                );
            }
            _ => {}
        }
    }
}
