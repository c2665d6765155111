//! Steps for managed node groups.

use super::control_plane::KUBELET_SKEW;
use super::{Action, CreateNodeGroup, NodeGroupChange, PlanError, Planner, Scaling, tag_changes};
use crate::cluster::model::{
    Claim, DesiredNodeGroup, KubernetesVersion, NodeGroupStatus, ObservedNodeGroup,
};
use crate::cluster::names::{self, RoleKind};
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Makes new groups, changes existing ones, and only when every desired group is there removes
    /// those that are no longer desired: what replaces a group stands before the old one goes.
    pub(super) fn node_groups(&mut self, settled: &BTreeSet<String>) -> Result<(), PlanError> {
        let desired = self.desired;
        let mut kept = BTreeSet::new();
        let mut standing = settled.clone();
        for (key, group) in &desired.node_groups {
            let target = self.node_group_version(key, group)?;
            match self.current_node_group(key, group) {
                None => {
                    standing.insert(self.new_node_group(key, group, target, settled));
                }
                Some((name, actual)) => {
                    kept.insert(name.clone());
                    let ids =
                        self.existing_node_group(key, group, target, name, &actual, settled)?;
                    standing.extend(ids);
                }
            }
        }
        for (name, actual) in &self.observed.node_groups {
            if !kept.contains(name) && self.manages_group(name, &actual.tags) {
                self.leftover_node_group(name, actual, &standing);
            }
        }
        Ok(())
    }

    /// The version a group shall have: its own, or the control plane's.
    fn node_group_version(
        &self,
        key: &str,
        group: &DesiredNodeGroup,
    ) -> Result<KubernetesVersion, PlanError> {
        let cluster = self.desired.version;
        let version = group.version.unwrap_or(cluster);
        let oldest = KubernetesVersion {
            major: cluster.major,
            minor: cluster.minor.saturating_sub(KUBELET_SKEW),
        };
        if version > cluster || version < oldest {
            return Err(PlanError::NodeGroupSkew {
                name: self.desired.name.clone(),
                key: key.to_owned(),
                desired: version,
                cluster,
                oldest,
            });
        }
        Ok(version)
    }

    /// The observed group that is the desired one of a key: of that key, and equal in all that AWS
    /// cannot change.
    fn current_node_group(
        &self,
        key: &str,
        group: &DesiredNodeGroup,
    ) -> Option<(String, ObservedNodeGroup)> {
        let usual = self.usual_name(key, group);
        self.observed
            .node_groups
            .iter()
            .filter(|(name, actual)| {
                self.belongs_to(key, group, name, actual) && self.same_immutable(group, actual)
            })
            // Prefer the usual name, so that two matching groups have one answer.
            .max_by_key(|(name, _)| **name == usual)
            .map(|(name, actual)| (name.clone(), actual.clone()))
    }

    /// Whether an observed group is of this key: by its tags, or, when they were lost, by what the
    /// state knows of it or by its name, which holds a hash of its settings.
    fn belongs_to(
        &self,
        key: &str,
        group: &DesiredNodeGroup,
        name: &str,
        actual: &ObservedNodeGroup,
    ) -> bool {
        let desired = self.desired;
        if desired.claim == Claim::Held && !actual.tags.contains_key(names::OWNER) {
            let known = desired.remembered.node_groups.get(name);
            return match known {
                Some(known) => known == key,
                None => name == self.usual_name(key, group),
            };
        }
        self.may_manage(&actual.tags) && names::node_group_key(name, actual) == key
    }

    fn usual_name(&self, key: &str, group: &DesiredNodeGroup) -> String {
        names::node_group_name(
            key,
            group,
            &self.desired.vpc.subnet_ids,
            &self.desired.node_role,
        )
    }

    fn same_immutable(&self, group: &DesiredNodeGroup, actual: &ObservedNodeGroup) -> bool {
        let same = |wanted: &Option<String>, actual: &Option<String>| {
            wanted.is_none() || actual.is_none() || wanted == actual
        };
        let subnets = group
            .subnet_ids
            .as_ref()
            .unwrap_or(&self.desired.vpc.subnet_ids);
        group
            .instance_types
            .as_ref()
            .is_none_or(|types| *types == actual.instance_types)
            && same(&group.ami_type, &actual.ami_type)
            && same(&group.capacity_type, &actual.capacity_type)
            && (group.disk_size.is_none()
                || actual.disk_size.is_none()
                || group.disk_size == actual.disk_size)
            && *subnets == actual.subnet_ids
            && self.effective_role(RoleKind::Node) == actual.node_role
    }

    fn node_group_tags(
        &self,
        key: &str,
        group: &DesiredNodeGroup,
    ) -> crate::cluster::model::StringMap {
        let mut tags = self.owned_tags(&group.tags);
        tags.insert(names::NODE_GROUP.to_owned(), key.to_owned());
        tags
    }

    fn new_node_group(
        &mut self,
        key: &str,
        group: &DesiredNodeGroup,
        version: KubernetesVersion,
        settled: &BTreeSet<String>,
    ) -> String {
        let replaces = self
            .observed
            .node_groups
            .iter()
            .find(|(name, actual)| self.belongs_to(key, group, name, actual));
        let reason = replaces.map_or_else(
            || "no node group of this key exists".to_owned(),
            |(old, _)| format!("it replaces {old}: AWS cannot change in place what differs"),
        );
        let create = CreateNodeGroup {
            name: self.usual_name(key, group),
            version,
            release_version: group.release_version.clone(),
            node_role: self.effective_role(RoleKind::Node),
            subnet_ids: group
                .subnet_ids
                .clone()
                .unwrap_or_else(|| self.desired.vpc.subnet_ids.clone()),
            instance_types: group.instance_types.clone(),
            ami_type: group.ami_type.clone(),
            capacity_type: group.capacity_type.clone(),
            disk_size: group.disk_size,
            scaling: Scaling {
                min: group.min_size,
                max: group.max_size,
                desired: group
                    .desired_size
                    .or(replaces.map(|(_, old)| old.desired_size))
                    .unwrap_or(group.min_size)
                    .clamp(group.min_size, group.max_size.max(group.min_size)),
            },
            max_unavailable: group.max_unavailable,
            labels: group.labels.clone(),
            taints: group.taints.clone(),
            tags: self.node_group_tags(key, group),
        };
        let mut after = settled.clone();
        after.extend(
            self.steps
                .iter()
                .map(|step| step.action.id())
                .filter(|id| id.starts_with("role/")),
        );
        self.add_after(Action::CreateNodeGroup(Box::new(create)), reason, after)
    }

    /// Steps for a group that exists; returns the ids that must be done before it counts as
    /// standing.
    fn existing_node_group(
        &mut self,
        key: &str,
        group: &DesiredNodeGroup,
        target: KubernetesVersion,
        name: String,
        actual: &ObservedNodeGroup,
        settled: &BTreeSet<String>,
    ) -> Result<BTreeSet<String>, PlanError> {
        match actual.status {
            NodeGroupStatus::CreateFailed | NodeGroupStatus::DeleteFailed => {
                let issues = issues(actual);
                return Ok(BTreeSet::from([self.add(
                    Action::DeleteNodeGroup { name },
                    format!("it is {} ({issues}); it is made again", actual.status),
                    [],
                )]));
            }
            NodeGroupStatus::Deleting => {
                return Ok(BTreeSet::from([self.wait_node_group(
                    name,
                    actual.status,
                    "it must be gone before it can be made again",
                )]));
            }
            NodeGroupStatus::Creating
            | NodeGroupStatus::Active
            | NodeGroupStatus::Updating
            | NodeGroupStatus::Degraded => {}
        }
        if let Some(version) = actual.version
            && version > target
        {
            return Err(PlanError::NodeGroupDowngrade {
                name: self.desired.name.clone(),
                key: key.to_owned(),
                actual: version,
                desired: target,
            });
        }
        let mut last = BTreeSet::new();
        if matches!(
            actual.status,
            NodeGroupStatus::Creating | NodeGroupStatus::Updating
        ) {
            last.insert(self.wait_node_group(
                name.clone(),
                actual.status,
                "EKS changes a node group only when it is ready",
            ));
        }
        // Its nodes are not all there: what it replaces carries the load until they are.
        let replaces =
            self.observed.node_groups.iter().any(|(other, actual)| {
                *other != name && self.belongs_to(key, group, other, actual)
            });
        if actual.status == NodeGroupStatus::Degraded && replaces {
            last.insert(self.wait_node_group(
                name.clone(),
                actual.status,
                "the group that it replaces stays until it is ACTIVE",
            ));
        }
        for update in &self.observed.updates {
            if update.node_group.as_ref() == Some(&name) {
                last.insert(self.add(
                    Action::WaitUpdate {
                        id: update.id.clone(),
                        node_group: Some(name.clone()),
                        description: update.description.clone(),
                    },
                    "EKS makes one update of a node group at a time",
                    [],
                ));
            }
        }
        let (set, remove) = tag_changes(&self.node_group_tags(key, group), &actual.tags);
        if !set.is_empty() || !remove.is_empty() {
            let id = self.add_after(
                Action::TagNodeGroup {
                    name: name.clone(),
                    arn: actual.arn.clone(),
                    set,
                    remove,
                },
                "tags differ",
                last.clone(),
            );
            last.insert(id);
        }
        if let Some(change) = change(group, actual) {
            last = BTreeSet::from([self.add_after(
                Action::UpdateNodeGroupConfig {
                    name: name.clone(),
                    change: Box::new(change),
                },
                "its settings differ",
                last,
            )]);
        }
        let version_differs = actual.version.is_some_and(|version| version < target);
        let release_differs = group.release_version.is_some()
            && actual.release_version.is_some()
            && group.release_version != actual.release_version;
        if version_differs || release_differs {
            last.extend(settled.iter().cloned());
            last = BTreeSet::from([self.add_after(
                Action::UpdateNodeGroupVersion {
                    name,
                    to: target,
                    release_version: group.release_version.clone(),
                },
                if version_differs {
                    "nodes follow the control plane"
                } else {
                    "release_version differs"
                },
                last,
            )]);
        }
        Ok(last)
    }

    fn wait_node_group(&mut self, name: String, status: NodeGroupStatus, reason: &str) -> String {
        self.add(Action::WaitNodeGroup { name, status }, reason, [])
    }

    fn leftover_node_group(
        &mut self,
        name: &str,
        actual: &ObservedNodeGroup,
        standing: &BTreeSet<String>,
    ) {
        let name = name.to_owned();
        match actual.status {
            NodeGroupStatus::Deleting => {
                self.wait_node_group(name, actual.status, "it is no longer desired");
            }
            NodeGroupStatus::Creating | NodeGroupStatus::Updating => {
                let wait =
                    self.wait_node_group(name.clone(), actual.status, "it is busy and goes next");
                let mut after = standing.clone();
                after.insert(wait);
                self.add_after(
                    Action::DeleteNodeGroup { name },
                    "it is no longer desired",
                    after,
                );
            }
            _ => {
                self.add_after(
                    Action::DeleteNodeGroup { name },
                    "it is no longer desired",
                    standing.clone(),
                );
            }
        }
    }

    /// Version updates of our groups without which the control plane cannot move to `next`.
    pub(super) fn too_old_node_groups(
        &self,
        current: KubernetesVersion,
        next: KubernetesVersion,
    ) -> Result<Vec<Action>, PlanError> {
        let mut updates = Vec::new();
        for (name, actual) in &self.observed.node_groups {
            let Some(version) = actual.version else {
                continue;
            };
            if next.minor.saturating_sub(version.minor) <= KUBELET_SKEW {
                continue;
            }
            // Also one that is no longer desired: it stays until what replaces it stands.
            if !self.manages_group(name, &actual.tags) {
                return Err(PlanError::ForeignNodeGroupTooOld {
                    name: self.desired.name.clone(),
                    group: name.clone(),
                    actual: version,
                    next,
                });
            }
            let name = name.clone();
            updates.push(match actual.status {
                NodeGroupStatus::Creating
                | NodeGroupStatus::Updating
                | NodeGroupStatus::Deleting => Action::WaitNodeGroup {
                    name,
                    status: actual.status,
                },
                NodeGroupStatus::CreateFailed | NodeGroupStatus::DeleteFailed => {
                    Action::DeleteNodeGroup { name }
                }
                NodeGroupStatus::Active | NodeGroupStatus::Degraded => {
                    Action::UpdateNodeGroupVersion {
                        name,
                        to: current,
                        release_version: None,
                    }
                }
            });
        }
        Ok(updates)
    }
}

/// The health issues as one text.
pub(crate) fn issues(group: &ObservedNodeGroup) -> String {
    if group.issues.is_empty() {
        "EKS names no issue".to_owned()
    } else {
        group.issues.join("; ")
    }
}

/// What of a group differs that AWS changes in place.
fn change(group: &DesiredNodeGroup, actual: &ObservedNodeGroup) -> Option<NodeGroupChange> {
    let mut change = NodeGroupChange {
        set_labels: group
            .labels
            .iter()
            .filter(|(key, value)| actual.labels.get(*key) != Some(value))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
        remove_labels: actual
            .labels
            .keys()
            .filter(|key| !group.labels.contains_key(*key))
            .cloned()
            .collect(),
        set_taints: group.taints.difference(&actual.taints).cloned().collect(),
        remove_taints: BTreeSet::new(),
        scaling: None,
        max_unavailable: None,
    };
    // A taint is identified by key and effect: one with another value is changed, not removed.
    let identity = |taint: &crate::cluster::model::Taint| (taint.key.clone(), taint.effect.clone());
    let wanted: BTreeSet<_> = group.taints.iter().map(identity).collect();
    change.remove_taints = actual
        .taints
        .iter()
        .filter(|taint| !wanted.contains(&identity(taint)))
        .cloned()
        .collect();
    let desired = group
        .desired_size
        .unwrap_or(actual.desired_size)
        .clamp(group.min_size, group.max_size.max(group.min_size));
    let scaling = Scaling {
        min: group.min_size,
        max: group.max_size,
        desired,
    };
    let actual_scaling = Scaling {
        min: actual.min_size,
        max: actual.max_size,
        desired: actual.desired_size,
    };
    if scaling != actual_scaling {
        change.scaling = Some(scaling);
    }
    if group.max_unavailable.is_some() && group.max_unavailable != actual.max_unavailable {
        change.max_unavailable = group.max_unavailable;
    }
    (change != NodeGroupChange::default()).then_some(change)
}
