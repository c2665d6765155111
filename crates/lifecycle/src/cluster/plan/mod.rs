//! The pure planner: from a desired and an observed cluster to the steps that are missing.
//!
//! [`plan`] and [`plan_removal`] are total, deterministic functions without I/O. The executor calls
//! them again after each step with what it then observes, so a step only has to be right for the
//! state it was planned in; [`Step::after`] says which steps must wait for others.

mod access;
mod control_plane;
mod error;
mod node_groups;
mod removal;
mod roles;
mod step;
#[cfg(test)]
pub(super) mod tests;

pub use error::{PlanError, Subject};
pub use removal::plan_removal;
pub use step::{
    Action, CreateCluster, CreateNodeGroup, EndpointAccess, NodeGroupChange, Part, Scaling, Step,
};

use super::model::{
    Claim, ClusterStatus, DesiredCluster, Observed, ObservedCluster, Remembered, StringMap,
};
use super::names::{self, RoleKind, tag_changes};
use std::collections::BTreeSet;

/// The steps that lead from what is observed to what is desired; empty when nothing is missing.
///
/// # Errors
/// A [`PlanError`] when no sequence of steps that we may take leads there.
pub fn plan(desired: &DesiredCluster, observed: &Observed) -> Result<Vec<Step>, PlanError> {
    check_claim(desired, observed)?;
    let mut planner = Planner::new(desired, observed);
    planner.roles()?;
    planner.stale_oidc_providers();
    match &observed.cluster {
        Some(cluster) if cluster.status == ClusterStatus::Deleting => {
            planner.add(
                Action::WaitCluster {
                    status: cluster.status,
                },
                "it is being deleted and must be gone before it can be made again",
                [],
            );
        }
        Some(cluster) if cluster.status == ClusterStatus::Failed => {
            planner.failed_cluster(cluster)?
        }
        cluster => {
            if let Some(cluster) = cluster
                && let Some(misfit) = planner.misfit(cluster)?
            {
                planner.remove_half_built(cluster, &misfit)?;
                return Ok(planner.steps);
            }
            let exists = planner.cluster_exists();
            let settled = planner.cluster_settings(&exists)?;
            planner.oidc_provider(&exists);
            planner.cluster_tags(&exists);
            let readable = planner.entries_exist(&exists);
            planner.access_entries(&readable)?;
            planner.node_groups(&settled)?;
            planner.unused_roles();
            planner.completion();
        }
    }
    Ok(planner.steps)
}

impl Planner<'_> {
    /// The tag changes of what carries the cluster's tags besides the cluster. Tags that others wrote
    /// there stay; a key goes when the cluster still carries it and shall not, so it is one that the
    /// user has taken out. The cluster itself is untagged last.
    fn shared_tag_changes(
        &self,
        wanted: &StringMap,
        actual: &StringMap,
    ) -> (StringMap, BTreeSet<String>) {
        let (set, remove) = tag_changes(wanted, actual);
        let cluster = self.observed.cluster.as_ref();
        let remove = remove
            .into_iter()
            .filter(|key| cluster.is_some_and(|cluster| cluster.tags.contains_key(key)))
            .collect();
        (set, remove)
    }
}

/// Whether the cluster may be worked on.
fn check_claim(desired: &DesiredCluster, observed: &Observed) -> Result<(), PlanError> {
    let Some(cluster) = &observed.cluster else {
        return Ok(());
    };
    let remembered = &desired.remembered;
    match (desired.claim, cluster.tags.get(names::OWNER)) {
        (Claim::Imported, _) => Ok(()),
        (Claim::Held, None) if remembered.is(cluster) => Ok(()),
        (Claim::Create, Some(owner))
            if *owner == desired.owner
                && !names::is_incomplete(&cluster.tags)
                && cluster.tags.get(names::GENERATION) != desired.generation.as_ref() =>
        {
            Err(PlanError::Finished {
                name: desired.name.clone(),
                owner: owner.clone(),
            })
        }
        (_, Some(owner)) if *owner == desired.owner => Ok(()),
        (_, Some(owner)) => Err(PlanError::ForeignOwner {
            name: desired.name.clone(),
            owner: owner.clone(),
        }),
        (Claim::Create | Claim::Held, None) => Err(PlanError::Unowned {
            name: desired.name.clone(),
        }),
    }
}

/// See [`Planner::manages_group`].
fn manages_group(
    claim: Claim,
    remembered: &Remembered,
    (owner, cluster): (&str, &str),
    name: &str,
    tags: &StringMap,
) -> bool {
    let known = remembered.node_groups.contains_key(name);
    names::is_ours(tags, owner, cluster)
        || match claim {
            Claim::Create => false,
            Claim::Held => known && !tags.contains_key(names::OWNER),
            Claim::Imported => known,
        }
}

/// The steps so far, with what they are planned from.
struct Planner<'a> {
    desired: &'a DesiredCluster,
    observed: &'a Observed,
    /// Tags that every thing we make carries.
    ownership: StringMap,
    steps: Vec<Step>,
}

impl<'a> Planner<'a> {
    fn new(desired: &'a DesiredCluster, observed: &'a Observed) -> Self {
        let observed_generation = observed
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.tags.get(names::GENERATION));
        let generation = desired
            .generation
            .as_ref()
            .or(observed_generation)
            .map_or("", String::as_str);
        let mut ownership = names::ownership(&desired.owner, &desired.name, generation);
        if generation.is_empty() {
            ownership.remove(names::GENERATION);
        }
        Self {
            desired,
            observed,
            ownership,
            steps: Vec::new(),
        }
    }

    fn add<const N: usize>(
        &mut self,
        action: Action,
        reason: impl Into<String>,
        after: [&str; N],
    ) -> String {
        self.add_after(
            action,
            reason,
            after.into_iter().map(str::to_owned).collect(),
        )
    }

    fn add_after(
        &mut self,
        action: Action,
        reason: impl Into<String>,
        after: BTreeSet<String>,
    ) -> String {
        let id = action.id();
        if !self.steps.iter().any(|step| step.action.id() == id) {
            self.steps.push(Step {
                action,
                reason: reason.into(),
                after,
            });
        }
        id
    }

    /// The desired tags of a thing: the user's and ours, ours last.
    fn owned_tags(&self, tags: &StringMap) -> StringMap {
        let mut all = tags.clone();
        all.extend(self.ownership.clone());
        all
    }

    /// Whether the node group may be changed and deleted by us: it is tagged as ours, or the state
    /// knows it and no other owner has tagged it. The state of an imported cluster knows the groups
    /// that the user was shown; one made later stays the maker's.
    fn manages_group(&self, name: &str, tags: &StringMap) -> bool {
        manages_group(
            self.desired.claim,
            &self.desired.remembered,
            (&self.desired.owner, &self.desired.name),
            name,
            tags,
        )
    }

    /// Whether something with these tags may be changed and deleted by us.
    fn may_manage(&self, tags: &StringMap) -> bool {
        names::is_ours(tags, &self.desired.owner, &self.desired.name)
            || self.desired.claim == Claim::Imported
    }

    fn role_arn(&self, kind: RoleKind) -> String {
        let name = names::role_name(kind, &self.desired.name, &self.desired.region);
        format!(
            "arn:{}:iam::{}:role/{name}",
            self.desired.partition, self.desired.account_id
        )
    }

    fn failed_cluster(&mut self, cluster: &ObservedCluster) -> Result<(), PlanError> {
        let issues = if cluster.issues.is_empty() {
            "EKS names no issue".to_owned()
        } else {
            cluster.issues.join("; ")
        };
        if !names::is_incomplete(&cluster.tags) || !self.may_manage(&cluster.tags) {
            return Err(PlanError::ClusterFailed {
                name: self.desired.name.clone(),
                issues,
            });
        }
        self.add(
            Action::DeleteCluster,
            format!("its creation failed ({issues}); it is made again"),
            [],
        );
        Ok(())
    }

    /// The last step of a creation, after all others.
    fn completion(&mut self) {
        let arn = self
            .observed
            .cluster
            .as_ref()
            .map(|cluster| cluster.arn.clone());
        let complete = self
            .observed
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.tags.get(names::CREATION))
            .is_some_and(|tag| tag == names::COMPLETE);
        if complete {
            return;
        }
        let mut tags = self.ownership.clone();
        tags.insert(names::CREATION.to_owned(), names::COMPLETE.to_owned());
        let after = self.steps.iter().map(|step| step.action.id()).collect();
        self.add_after(
            Action::MarkComplete { arn, tags },
            "all that belongs to the cluster exists",
            after,
        );
    }
}
