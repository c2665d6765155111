//! Steps for the control plane and its OIDC provider.

use super::removal::remove_node_groups;
use super::{Action, CreateCluster, EndpointAccess, PlanError, Planner, tag_changes};
use crate::cluster::model::{Claim, ClusterStatus, KubernetesVersion, ObservedCluster};
use crate::cluster::names::{self, RoleKind};
use std::collections::BTreeSet;

/// How many minor versions a kubelet may be older than the control plane
/// (Kubernetes version skew policy).
pub(super) const KUBELET_SKEW: u32 = 3;

impl Planner<'_> {
    /// Refuses what AWS fixes at creation.
    fn check_immutable(&self, cluster: &ObservedCluster) -> Result<(), PlanError> {
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

    /// Why a half-built cluster cannot become the desired one and is made again instead; nothing
    /// when it can. A half-built cluster holds nothing yet that anybody uses.
    ///
    /// # Errors
    /// What AWS fixes at creation and differs, when the cluster is not ours to make again, or when
    /// making it again from this configuration would lead to the same.
    pub(super) fn misfit(&self, cluster: &ObservedCluster) -> Result<Option<String>, PlanError> {
        let desired = self.desired;
        let half_built = desired.claim == Claim::Create
            && names::is_incomplete(&cluster.tags)
            && self.may_manage(&cluster.tags);
        let same_vpc = !desired.vpc.subnet_ids.is_disjoint(&cluster.subnet_ids);
        match self.check_immutable(cluster) {
            Err(error) if !half_built => return Err(error),
            // The written VPC is not that of the written subnets.
            Err(error @ PlanError::WrongVpc { .. }) if same_vpc => return Err(error),
            Err(PlanError::Immutable {
                attribute,
                actual,
                desired,
                ..
            }) => {
                return Ok(Some(format!(
                    "its {attribute} is {actual} and not {desired}"
                )));
            }
            Err(PlanError::Downgrade {
                actual, desired, ..
            }) => return Ok(Some(format!("its version is {actual} and not {desired}"))),
            Err(PlanError::WrongVpc {
                actual, desired, ..
            }) => return Ok(Some(format!("it is in VPC {actual} and not {desired}"))),
            Err(error) => return Err(error),
            Ok(()) if !half_built => return Ok(None),
            Ok(()) => {}
        }
        let creator = desired.bootstrap_cluster_creator_admin_permissions;
        Ok(match cluster.bootstrap_cluster_creator_admin_permissions {
            Some(actual) if actual != creator => Some(format!(
                "bootstrap_cluster_creator_admin_permissions is {actual} and not {creator}"
            )),
            // EKS takes other subnets of the same VPC only, and these have none in common.
            _ if !same_vpc => Some("none of its subnets is desired".to_owned()),
            _ => None,
        })
    }

    /// Removes a half-built cluster, so that it is made again.
    pub(super) fn remove_half_built(
        &mut self,
        cluster: &ObservedCluster,
        misfit: &str,
    ) -> Result<(), PlanError> {
        let observed = self.observed;
        let foreign: Vec<&str> = observed
            .node_groups
            .iter()
            .filter(|(name, group)| !self.manages_group(name, &group.tags))
            .map(|(name, _)| name.as_str())
            .collect();
        if !foreign.is_empty() {
            return Err(PlanError::ForeignNodeGroups {
                name: self.desired.name.clone(),
                groups: foreign.join(", "),
            });
        }
        let mut before = self.cluster_exists();
        if cluster.deletion_protection == Some(true) {
            before = BTreeSet::from([self.add_after(
                Action::UpdateDeletionProtection { enabled: false },
                "EKS deletes no protected cluster",
                before,
            )]);
        }
        before.extend(remove_node_groups(&mut self.steps, observed));
        self.add_after(
            Action::DeleteCluster,
            format!("{misfit}, which AWS fixes at creation; it is made again"),
            before,
        );
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
        let mut last = exists.clone();
        for (action, reason) in self.setting_updates(cluster)? {
            last = BTreeSet::from([self.add_after(action, reason, last)]);
        }
        self.versions(cluster, last)
    }

    /// Makes the cluster's tags the desired ones, after those of what shares them: which tags were
    /// taken out can only be told while the cluster still has them.
    pub(super) fn cluster_tags(&mut self, exists: &BTreeSet<String>) {
        let desired = self.desired;
        let Some(cluster) = &self.observed.cluster else {
            return;
        };
        let (set, remove) = tag_changes(&self.owned_tags(&desired.tags), &cluster.tags);
        if set.is_empty() && remove.is_empty() {
            return;
        }
        let mut after = exists.clone();
        if !remove.is_empty() {
            after.extend(
                self.steps
                    .iter()
                    .filter(|step| {
                        matches!(
                            step.action,
                            Action::TagRole { .. } | Action::TagOidcProvider { .. }
                        )
                    })
                    .map(|step| step.action.id()),
            );
        }
        self.add_after(
            Action::TagCluster {
                arn: cluster.arn.clone(),
                set,
                remove,
            },
            "tags differ",
            after,
        );
    }

    /// What must be done before access entries: in the mode `CONFIG_MAP` EKS refuses them, so the
    /// change of the mode comes first.
    pub(super) fn entries_exist(&self, exists: &BTreeSet<String>) -> BTreeSet<String> {
        let mut ready = exists.clone();
        let mode = self
            .observed
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.authentication_mode.as_deref());
        if mode == Some("CONFIG_MAP") {
            ready.extend(
                self.steps
                    .iter()
                    .filter(|step| matches!(step.action, Action::UpdateAuthenticationMode { .. }))
                    .map(|step| step.action.id()),
            );
        }
        ready
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
        // A cluster that was made private has no ranges at all.
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
                    let (set, remove) = self.shared_tag_changes(&tags, &provider.tags);
                    if !set.is_empty() || !remove.is_empty() {
                        self.add(
                            Action::TagOidcProvider {
                                arn: provider.arn.clone(),
                                set,
                                remove,
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
