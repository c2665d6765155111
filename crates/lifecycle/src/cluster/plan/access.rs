//! Steps for access entries.

use super::{Action, PlanError, Planner, tag_changes};
use crate::cluster::model::{AccessEntry, ObservedAccessEntry};
use crate::cluster::names;
use std::collections::BTreeSet;

impl Planner<'_> {
    /// Makes the desired entries what they must be and removes ours that are no longer desired.
    ///
    /// An entry without our tag that the user lists is adopted: EKS makes such entries itself (for
    /// the cluster's creator), and listing the principal is the user's wish to manage it.
    pub(super) fn access_entries(&mut self, exists: &BTreeSet<String>) -> Result<(), PlanError> {
        let desired = self.desired;
        for (principal_arn, entry) in &desired.access_entries {
            match self.observed.access_entries.get(principal_arn) {
                None => self.new_entry(principal_arn, entry, exists),
                Some(actual) => self.existing_entry(principal_arn, entry, actual, exists)?,
            }
        }
        self.node_role_entry(exists);
        for (principal_arn, actual) in &self.observed.access_entries {
            if !desired.access_entries.contains_key(principal_arn)
                && names::is_ours(&actual.entry.tags, &desired.owner, &desired.name)
            {
                self.add_after(
                    Action::DeleteAccessEntry {
                        principal_arn: principal_arn.clone(),
                    },
                    "it is no longer in access_entries",
                    exists.clone(),
                );
            }
        }
        Ok(())
    }

    /// Makes the entry of the nodes again when their role was deleted outside and made anew: EKS binds
    /// an entry to the unique id of its principal, so that of the old role lets nobody in. A group
    /// that is older than its role tells that this has happened.
    fn node_role_entry(&mut self, exists: &BTreeSet<String>) {
        let observed = self.observed;
        let Some(role) = observed
            .node_role
            .as_ref()
            .filter(|role| self.may_take_role(role))
        else {
            return;
        };
        let before = |time: Option<i64>| matches!((time, role.created_at), (Some(time), Some(role)) if time < role);
        let older = observed
            .node_groups
            .values()
            .find(|group| group.node_role == role.arn && before(group.created_at));
        let Some(group) = older else { return };
        match observed.access_entries.get(&role.arn) {
            Some(entry) if before(entry.created_at) => {
                self.add_after(
                    Action::DeleteAccessEntry {
                        principal_arn: role.arn.clone(),
                    },
                    "it is bound to a deleted role of this name; it is made again",
                    exists.clone(),
                );
            }
            None if !self.desired.access_entries.contains_key(&role.arn)
                && self.desired.authentication_mode != "CONFIG_MAP" =>
            {
                let windows = group
                    .ami_type
                    .as_deref()
                    .is_some_and(|ami| ami.starts_with("WINDOWS"));
                // Like the one that EKS makes itself, it carries no tags.
                let entry = AccessEntry {
                    entry_type: if windows { "EC2_WINDOWS" } else { "EC2_LINUX" }.to_owned(),
                    ..AccessEntry::default()
                };
                self.add_after(
                    Action::CreateAccessEntry {
                        principal_arn: role.arn.clone(),
                        entry,
                    },
                    "the nodes' role was made again",
                    exists.clone(),
                );
            }
            _ => {}
        }
    }

    fn new_entry(&mut self, principal_arn: &str, entry: &AccessEntry, exists: &BTreeSet<String>) {
        let mut wanted = entry.clone();
        wanted.tags = self.owned_tags(&entry.tags);
        if !entry.is_standard() {
            wanted.kubernetes_groups.clear();
            wanted.user_name = None;
        }
        let created = self.add_after(
            Action::CreateAccessEntry {
                principal_arn: principal_arn.to_owned(),
                entry: wanted,
            },
            "the principal has none",
            exists.clone(),
        );
        for (policy_arn, scope) in &entry.policies {
            self.add(
                Action::AssociatePolicy {
                    principal_arn: principal_arn.to_owned(),
                    policy_arn: policy_arn.clone(),
                    scope: scope.clone(),
                },
                "the entry needs it",
                [created.as_str()],
            );
        }
    }

    fn existing_entry(
        &mut self,
        principal_arn: &str,
        entry: &AccessEntry,
        actual: &ObservedAccessEntry,
        exists: &BTreeSet<String>,
    ) -> Result<(), PlanError> {
        let desired = self.desired;
        let owner = actual.entry.tags.get(names::OWNER);
        let foreign = |detail: String| PlanError::ForeignAccessEntry {
            name: desired.name.clone(),
            principal: principal_arn.to_owned(),
            detail,
        };
        if let Some(owner) = owner
            && !self.may_manage(&actual.entry.tags)
        {
            return Err(foreign(format!("its owner tag is {owner:?}")));
        }
        if actual.entry.entry_type != entry.entry_type {
            if !self.may_manage(&actual.entry.tags) {
                return Err(foreign(format!(
                    "its type is {}, not {}, and EKS cannot change it",
                    actual.entry.entry_type, entry.entry_type
                )));
            }
            self.add_after(
                Action::DeleteAccessEntry {
                    principal_arn: principal_arn.to_owned(),
                },
                format!(
                    "its type is {} and EKS cannot change it to {}; it is made again",
                    actual.entry.entry_type, entry.entry_type
                ),
                exists.clone(),
            );
            return Ok(());
        }
        let (set, remove) = tag_changes(&self.owned_tags(&entry.tags), &actual.entry.tags);
        if !set.is_empty() || !remove.is_empty() {
            self.add_after(
                Action::TagAccessEntry {
                    principal_arn: principal_arn.to_owned(),
                    arn: actual.arn.clone(),
                    set,
                    remove,
                },
                "tags differ",
                exists.clone(),
            );
        }
        let user_differs = entry.user_name.is_some() && entry.user_name != actual.entry.user_name;
        let groups_differ = entry.kubernetes_groups != actual.entry.kubernetes_groups;
        if entry.is_standard() && (user_differs || groups_differ) {
            self.add_after(
                Action::UpdateAccessEntry {
                    principal_arn: principal_arn.to_owned(),
                    kubernetes_groups: entry.kubernetes_groups.clone(),
                    user_name: entry.user_name.clone(),
                },
                "groups or user name differ",
                exists.clone(),
            );
        }
        for (policy_arn, scope) in &entry.policies {
            if actual.entry.policies.get(policy_arn) != Some(scope) {
                self.add_after(
                    Action::AssociatePolicy {
                        principal_arn: principal_arn.to_owned(),
                        policy_arn: policy_arn.clone(),
                        scope: scope.clone(),
                    },
                    "the association is missing or has another scope",
                    exists.clone(),
                );
            }
        }
        for policy_arn in actual.entry.policies.keys() {
            if !entry.policies.contains_key(policy_arn) {
                self.add_after(
                    Action::DisassociatePolicy {
                        principal_arn: principal_arn.to_owned(),
                        policy_arn: policy_arn.clone(),
                    },
                    "it is no longer in policy_associations",
                    exists.clone(),
                );
            }
        }
        Ok(())
    }
}
