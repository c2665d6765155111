//! Steps that remove a cluster and all that was made for it.

use super::roles::{may_take_role, observed_role, remove_role};
use super::{Action, PlanError, Step, manages_group};
use crate::cluster::model::{Claim, ClusterStatus, NodeGroupStatus, Observed, Removal, StringMap};
use crate::cluster::names::{self, RoleKind};
use std::collections::BTreeSet;

/// The steps that remove what is observed, in the order AWS demands: node groups, cluster (its
/// access entries go with it), OIDC provider, roles. Empty when nothing of ours is left.
///
/// # Errors
/// A [`PlanError`] when the cluster is not ours to delete, is protected, or has node groups of
/// someone else.
pub fn plan_removal(removal: &Removal, observed: &Observed) -> Result<Vec<Step>, PlanError> {
    let ours = |tags: &StringMap| names::is_ours(tags, &removal.owner, &removal.name);
    let mut steps = Vec::new();
    let mut before_roles = BTreeSet::new();

    if let Some(cluster) = &observed.cluster {
        match (removal.claim, cluster.tags.get(names::OWNER)) {
            (Claim::Imported, _) => {}
            (_, Some(owner)) if *owner == removal.owner => {}
            (_, Some(owner)) => {
                return Err(PlanError::ForeignOwner {
                    name: removal.name.clone(),
                    owner: owner.clone(),
                });
            }
            (_, None) if removal.remembered.is(cluster) => {}
            (_, None) => {
                return Err(PlanError::NotOursToDelete {
                    name: removal.name.clone(),
                });
            }
        }
        if cluster.deletion_protection == Some(true) {
            return Err(PlanError::DeletionProtected {
                name: removal.name.clone(),
            });
        }
        let foreign: Vec<&str> = observed
            .node_groups
            .iter()
            .filter(|(name, group)| {
                !manages_group(
                    removal.claim,
                    &removal.remembered,
                    (&removal.owner, &removal.name),
                    name,
                    &group.tags,
                )
            })
            .map(|(name, _)| name.as_str())
            .collect();
        if !foreign.is_empty() {
            return Err(PlanError::ForeignNodeGroups {
                name: removal.name.clone(),
                groups: foreign.join(", "),
            });
        }
        // Before the node groups: a refused destroy leaves a cluster that still works.
        if !observed.fargate_profiles.is_empty() {
            let profiles: Vec<&str> = observed
                .fargate_profiles
                .iter()
                .map(String::as_str)
                .collect();
            return Err(PlanError::FargateProfiles {
                name: removal.name.clone(),
                profiles: profiles.join(", "),
            });
        }
        let before_cluster = remove_node_groups(&mut steps, observed);
        let action = if cluster.status == ClusterStatus::Deleting {
            Action::WaitCluster {
                status: cluster.status,
            }
        } else {
            Action::DeleteCluster
        };
        before_roles.insert(action.id());
        steps.push(Step {
            action,
            reason: "the cluster is destroyed".to_owned(),
            after: before_cluster,
        });
    }
    // Those of earlier clusters of this name as well: nobody else would ever remove them.
    let providers: BTreeSet<&str> = observed
        .oidc_provider
        .iter()
        .chain(&observed.owned_oidc_providers)
        .filter(|provider| ours(&provider.tags))
        .map(|provider| provider.arn.as_str())
        .collect();
    for arn in providers {
        steps.push(Step {
            action: Action::DeleteOidcProvider {
                arn: arn.to_owned(),
            },
            reason: "its issuer is destroyed".to_owned(),
            after: before_roles.clone(),
        });
    }
    for kind in [RoleKind::Node, RoleKind::Cluster] {
        if let Some(role) = observed_role(observed, kind)
            && may_take_role(removal.claim, &removal.owner, &removal.name, &role.tags)
        {
            let name = names::role_name(kind, &removal.name, &removal.region);
            remove_role(
                &mut steps,
                kind,
                &name,
                role,
                "it was made for the cluster",
                &before_roles,
            );
        }
    }
    Ok(steps)
}

/// Removes all node groups, as EKS demands it before it deletes a cluster. Returns the steps' ids.
pub(super) fn remove_node_groups(steps: &mut Vec<Step>, observed: &Observed) -> BTreeSet<String> {
    let mut ids = BTreeSet::new();
    for (name, group) in &observed.node_groups {
        let action = if group.status == NodeGroupStatus::Deleting {
            Action::WaitNodeGroup {
                name: name.clone(),
                status: group.status,
            }
        } else {
            Action::DeleteNodeGroup { name: name.clone() }
        };
        ids.insert(action.id());
        steps.push(Step {
            action,
            reason: "EKS deletes only clusters without node groups".to_owned(),
            after: BTreeSet::new(),
        });
    }
    ids
}
