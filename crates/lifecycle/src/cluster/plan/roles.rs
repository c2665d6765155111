//! Steps for the IAM roles we make.

use super::{Action, PlanError, Planner, Step};
use crate::cluster::model::{Claim, Observed, ObservedRole, RoleChoice, StringMap};
use crate::cluster::names::{self, RoleKind};
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Makes the managed roles what they must be.
    pub(super) fn roles(&mut self) -> Result<(), PlanError> {
        for kind in [RoleKind::Cluster, RoleKind::Node] {
            if self.choice(kind) == &RoleChoice::Managed {
                self.role(kind)?;
            }
        }
        Ok(())
    }

    pub(super) fn choice(&self, kind: RoleKind) -> &RoleChoice {
        match kind {
            RoleKind::Cluster => &self.desired.cluster_role,
            RoleKind::Node => &self.desired.node_role,
        }
    }

    /// The ARN of the role that the cluster or its nodes shall have.
    pub(super) fn effective_role(&self, kind: RoleKind) -> String {
        match self.choice(kind) {
            RoleChoice::Given(arn) => arn.clone(),
            RoleChoice::Managed => observed_role(self.observed, kind)
                .map_or_else(|| self.role_arn(kind), |role| role.arn.clone()),
        }
    }

    fn role(&mut self, kind: RoleKind) -> Result<(), PlanError> {
        let desired = self.desired;
        let name = names::role_name(kind, &desired.name, &desired.region);
        let service = kind.service(&desired.partition);
        let boundary = desired.permissions_boundary.clone();
        let tags = self.owned_tags(&desired.tags);
        let ipv6 = desired.ip_family.as_deref() == Some("ipv6");
        let wanted = kind.policies(&desired.partition, ipv6);
        let inline = kind.inline_policies(&desired.partition, ipv6);
        let Some(role) = observed_role(self.observed, kind) else {
            let created = self.add(
                Action::CreateRole {
                    kind,
                    name: name.clone(),
                    service,
                    boundary,
                    tags,
                },
                format!("no {} role is given", kind.word()),
                [],
            );
            for policy_arn in wanted {
                self.attach(kind, &name, policy_arn, [created.as_str()]);
            }
            for (policy, document) in inline {
                self.put_inline(kind, &name, policy, document, [created.as_str()]);
            }
            return Ok(());
        };
        if !self.may_take_role(role) {
            return Err(PlanError::ForeignRole {
                name,
                cluster: desired.name.clone(),
                owner: role.tags.get(names::OWNER).cloned(),
                attribute: match kind {
                    RoleKind::Cluster => "role_arn",
                    RoleKind::Node => "node_role_arn",
                },
            });
        }
        if !role.trusted_services.contains(&service) {
            self.add(
                Action::SetTrust {
                    kind,
                    name: name.clone(),
                    service,
                },
                "its trust policy was changed outside",
                [],
            );
        }
        if role.permissions_boundary != boundary {
            self.add(
                Action::SetBoundary {
                    kind,
                    name: name.clone(),
                    boundary,
                },
                "permissions_boundary differs",
                [],
            );
        }
        let (set, remove) = self.shared_tag_changes(&tags, &role.tags);
        if !set.is_empty() || !remove.is_empty() {
            self.add(
                Action::TagRole {
                    kind,
                    name: name.clone(),
                    set,
                    remove,
                },
                "tags differ",
                [],
            );
        }
        for policy_arn in wanted.difference(&role.attached_policies) {
            self.attach(kind, &name, policy_arn.clone(), []);
        }
        for (policy, document) in inline {
            if !role.inline_policies.contains(&policy) {
                self.put_inline(kind, &name, policy, document, []);
            }
        }
        Ok(())
    }

    pub(super) fn may_take_role(&self, role: &ObservedRole) -> bool {
        let desired = self.desired;
        may_take_role(desired.claim, &desired.owner, &desired.name, &role.tags)
    }

    fn attach<const N: usize>(
        &mut self,
        kind: RoleKind,
        name: &str,
        policy_arn: String,
        after: [&str; N],
    ) {
        let action = Action::AttachPolicy {
            kind,
            name: name.to_owned(),
            policy_arn,
        };
        self.add(action, format!("the {} role needs it", kind.word()), after);
    }

    fn put_inline<const N: usize>(
        &mut self,
        kind: RoleKind,
        name: &str,
        policy: String,
        document: String,
        after: [&str; N],
    ) {
        let action = Action::PutInlinePolicy {
            kind,
            name: name.to_owned(),
            policy,
            document,
        };
        self.add(action, format!("the {} role needs it", kind.word()), after);
    }

    /// Removes a role of ours that nothing uses since the user gave another.
    pub(super) fn unused_roles(&mut self) {
        for kind in [RoleKind::Cluster, RoleKind::Node] {
            let Some(role) = observed_role(self.observed, kind) else {
                continue;
            };
            let used = match kind {
                RoleKind::Cluster => self
                    .observed
                    .cluster
                    .as_ref()
                    .is_some_and(|cluster| cluster.role_arn == role.arn),
                RoleKind::Node => self
                    .observed
                    .node_groups
                    .values()
                    .any(|group| group.node_role == role.arn),
            };
            if matches!(self.choice(kind), RoleChoice::Given(arn) if *arn != role.arn)
                && !used
                && self.may_take_role(role)
            {
                let name = names::role_name(kind, &self.desired.name, &self.desired.region);
                remove_role(
                    &mut self.steps,
                    kind,
                    &name,
                    role,
                    "another role was given and nothing uses this one",
                    &BTreeSet::new(),
                );
            }
        }
    }
}

/// Whether a role that has the name of ours is ours. The name holds a hash of region and cluster, so
/// one without an owner is one that lost its tags, if the cluster is in our state.
pub(super) fn may_take_role(claim: Claim, owner: &str, cluster: &str, tags: &StringMap) -> bool {
    names::is_ours(tags, owner, cluster)
        || match claim {
            Claim::Create => false,
            Claim::Held => !tags.contains_key(names::OWNER),
            Claim::Imported => tags
                .get(names::CLUSTER)
                .is_none_or(|tagged| tagged == cluster),
        }
}

/// The observed role of a kind.
pub(super) fn observed_role(observed: &Observed, kind: RoleKind) -> Option<&ObservedRole> {
    match kind {
        RoleKind::Cluster => observed.cluster_role.as_ref(),
        RoleKind::Node => observed.node_role.as_ref(),
    }
}

/// Detaches what a role has and deletes it: IAM refuses to delete a role that has policies.
pub(super) fn remove_role(
    steps: &mut Vec<Step>,
    kind: RoleKind,
    name: &str,
    role: &ObservedRole,
    reason: &str,
    after: &BTreeSet<String>,
) {
    let mut emptied = after.clone();
    let detach = role
        .attached_policies
        .iter()
        .map(|policy_arn| Action::DetachPolicy {
            kind,
            name: name.to_owned(),
            policy_arn: policy_arn.clone(),
        });
    let inline = role
        .inline_policies
        .iter()
        .map(|policy| Action::DeleteInlinePolicy {
            kind,
            name: name.to_owned(),
            policy: policy.clone(),
        });
    for action in detach.chain(inline) {
        emptied.insert(action.id());
        steps.push(Step {
            action,
            reason: "IAM deletes only roles without policies".to_owned(),
            after: after.clone(),
        });
    }
    steps.push(Step {
        action: Action::DeleteRole {
            kind,
            name: name.to_owned(),
        },
        reason: reason.to_owned(),
        after: emptied,
    });
}
