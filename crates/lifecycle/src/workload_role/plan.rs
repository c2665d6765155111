//! What is missing between the observed and the desired role. Pure.

use super::model::{Claim, DesiredRole, ObservedRole, StringMap};
use super::names;
use crate::cluster::names::{COMPLETE, CREATION, GENERATION, INCOMPLETE, OWNER, tag_changes};
use crate::policy_document::equivalent;
use std::collections::BTreeSet;

/// One call of IAM.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// Makes the role without policies.
    Create {
        /// Trust policy.
        assume_role_policy: String,
        /// Permissions boundary.
        permissions_boundary: Option<String>,
        /// Longest session in seconds.
        max_session_duration: i32,
        /// Tags.
        tags: StringMap,
    },
    /// Sets the trust policy.
    SetTrust {
        /// Trust policy.
        assume_role_policy: String,
    },
    /// Sets the permissions boundary, or takes it away.
    SetBoundary {
        /// Permissions boundary.
        permissions_boundary: Option<String>,
    },
    /// Sets the longest session.
    SetMaxSessionDuration {
        /// In seconds.
        max_session_duration: i32,
    },
    /// Sets tags and removes others.
    Tag {
        /// To set.
        set: StringMap,
        /// To remove.
        remove: BTreeSet<String>,
    },
    /// Attaches a managed policy.
    Attach {
        /// The policy.
        policy_arn: String,
    },
    /// Detaches a managed policy.
    Detach {
        /// The policy.
        policy_arn: String,
    },
    /// Writes an inline policy.
    PutInline {
        /// Name of the policy.
        policy: String,
        /// JSON.
        document: String,
    },
    /// Deletes an inline policy.
    DeleteInline {
        /// Name of the policy.
        policy: String,
    },
    /// Writes that the creation is finished: the last step of one.
    MarkComplete,
    /// Deletes the role.
    Delete,
}

/// What of the configuration an action or a refusal is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// An attribute.
    Attribute(&'static str),
    /// An inline policy, by its name.
    InlinePolicy(String),
}

impl Action {
    /// The action in words.
    #[must_use]
    pub fn description(&self) -> String {
        match self {
            Self::Create { .. } => "make the role".to_owned(),
            Self::SetTrust { .. } => "set its trust policy".to_owned(),
            Self::SetBoundary {
                permissions_boundary: Some(arn),
            } => format!("set the permissions boundary {arn}"),
            Self::SetBoundary { .. } => "take the permissions boundary away".to_owned(),
            Self::SetMaxSessionDuration {
                max_session_duration,
            } => format!("set the longest session to {max_session_duration} s"),
            Self::Tag { .. } => "write its tags".to_owned(),
            Self::Attach { policy_arn } => format!("attach {policy_arn}"),
            Self::Detach { policy_arn } => format!("detach {policy_arn}"),
            Self::PutInline { policy, .. } => format!("write the inline policy {policy}"),
            Self::DeleteInline { policy } => format!("delete the inline policy {policy}"),
            Self::MarkComplete => "mark it as complete".to_owned(),
            Self::Delete => "delete the role".to_owned(),
        }
    }

    /// What of the configuration it changes.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        Some(match self {
            Self::Create { .. } => Subject::Attribute("name"),
            Self::SetTrust { .. } => Subject::Attribute("service_account"),
            Self::SetBoundary { .. } => Subject::Attribute("permissions_boundary"),
            Self::SetMaxSessionDuration { .. } => Subject::Attribute("max_session_duration"),
            Self::Tag { .. } => Subject::Attribute("tags"),
            Self::Attach { .. } | Self::Detach { .. } => Subject::Attribute("policy_arns"),
            Self::PutInline { policy, .. } => Subject::InlinePolicy(policy.clone()),
            Self::DeleteInline { .. } => Subject::Attribute("inline_policies"),
            Self::MarkComplete | Self::Delete => return None,
        })
    }

    /// Whether it takes something away, so that its absence is the effect.
    #[must_use]
    pub fn removes(&self) -> bool {
        matches!(
            self,
            Self::Detach { .. } | Self::DeleteInline { .. } | Self::Delete
        )
    }
}

/// Why a role is not changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    /// Another state has it.
    #[error(
        "the IAM role {name} belongs to another owner ({owner}) and is not touched. If its state was moved here \
         from another backend, directory or workspace, write owner = {owner:?} in the provider block; otherwise \
         give this role another name"
    )]
    Foreign {
        /// Name of the role.
        name: String,
        /// Its owner tag.
        owner: String,
    },
    /// It exists and is in no state.
    #[error(
        "the IAM role {name} exists already and was not made by this creation. Give another name, or take it over: \
         terraform import <address> {name}"
    )]
    Exists {
        /// Name of the role.
        name: String,
    },
    /// It was deleted and made again by somebody.
    #[error(
        "the IAM role {name} is another one than the state knows: it was deleted and made again without the tags of \
         this state. It is left alone; give another name, or take it over: terraform state rm, then terraform import \
         <address> {name}"
    )]
    Another {
        /// Name of the role.
        name: String,
    },
}

/// The actions, in order, that make the role what is desired.
///
/// # Errors
/// When the role that is there may not be changed.
pub fn plan(
    desired: &DesiredRole,
    observed: Option<&ObservedRole>,
) -> Result<Vec<Action>, PlanError> {
    let trust = names::trust_policy(
        &desired.oidc_provider_arn,
        &desired.workload.namespace,
        &desired.workload.service_account,
    );
    let mut tags = desired.tags.clone();
    tags.insert(OWNER.to_owned(), desired.owner.clone());
    tags.insert(
        names::WORKLOAD.to_owned(),
        names::workload_tag(&desired.workload),
    );
    let Some(role) = observed else {
        tags.insert(CREATION.to_owned(), INCOMPLETE.to_owned());
        if let Claim::Create { generation } = &desired.claim {
            tags.insert(GENERATION.to_owned(), generation.clone());
        }
        // The rest follows when the role is seen: one look tells what a killed run had done.
        return Ok(vec![Action::Create {
            assume_role_policy: trust,
            permissions_boundary: desired.permissions_boundary.clone(),
            max_session_duration: desired.max_session_duration,
            tags,
        }]);
    };
    may_change(&desired.name, &desired.owner, &desired.claim, role)?;
    let mut actions = Vec::new();
    // What a creation found half-built is its own from now on.
    if let Claim::Create { generation } = &desired.claim {
        tags.insert(GENERATION.to_owned(), generation.clone());
    }
    let (set, remove) = tag_changes(&tags, &role.tags);
    if !set.is_empty() || !remove.is_empty() {
        actions.push(Action::Tag { set, remove });
    }
    if role.permissions_boundary != desired.permissions_boundary {
        actions.push(Action::SetBoundary {
            permissions_boundary: desired.permissions_boundary.clone(),
        });
    }
    // Rights that are too many go before others may use the role, and before new ones come.
    let detach = role.policy_arns.difference(&desired.policy_arns);
    actions.extend(detach.map(|policy_arn| Action::Detach {
        policy_arn: policy_arn.clone(),
    }));
    actions.extend(
        role.inline_policies
            .keys()
            .filter(|policy| !desired.inline_policies.contains_key(*policy))
            .map(|policy| Action::DeleteInline {
                policy: policy.clone(),
            }),
    );
    if !equivalent(&role.assume_role_policy, &trust) {
        actions.push(Action::SetTrust {
            assume_role_policy: trust,
        });
    }
    if role.max_session_duration != desired.max_session_duration {
        actions.push(Action::SetMaxSessionDuration {
            max_session_duration: desired.max_session_duration,
        });
    }
    let attach = desired.policy_arns.difference(&role.policy_arns);
    actions.extend(attach.map(|policy_arn| Action::Attach {
        policy_arn: policy_arn.clone(),
    }));
    for (policy, document) in &desired.inline_policies {
        let same = role
            .inline_policies
            .get(policy)
            .is_some_and(|actual| equivalent(actual, document));
        if !same {
            actions.push(Action::PutInline {
                policy: policy.clone(),
                document: document.clone(),
            });
        }
    }
    if actions.is_empty() && role.tags.get(CREATION).is_none_or(|tag| tag != COMPLETE) {
        actions.push(Action::MarkComplete);
    }
    Ok(actions)
}

/// The actions, in order, that remove the role: IAM deletes only one without policies.
///
/// # Errors
/// When the role that is there may not be removed.
pub fn plan_removal(
    name: &str,
    owner: &str,
    claim: &Claim,
    observed: Option<&ObservedRole>,
) -> Result<Vec<Action>, PlanError> {
    let Some(role) = observed else {
        return Ok(Vec::new());
    };
    match may_change(name, owner, claim, role) {
        // The one that the state knew is gone.
        Err(PlanError::Another { .. }) => return Ok(Vec::new()),
        other => other?,
    }
    let detach = role.policy_arns.iter().map(|policy_arn| Action::Detach {
        policy_arn: policy_arn.clone(),
    });
    let inline = role
        .inline_policies
        .keys()
        .map(|policy| Action::DeleteInline {
            policy: policy.clone(),
        });
    Ok(detach.chain(inline).chain([Action::Delete]).collect())
}

/// Whether the role is another one than the state knows: it has no owner, and another unique id.
#[must_use]
pub fn is_another(unique_id: Option<&str>, role: &ObservedRole) -> bool {
    !role.tags.contains_key(OWNER) && unique_id.is_some_and(|known| known != role.unique_id)
}

fn may_change(
    name: &str,
    owner: &str,
    claim: &Claim,
    role: &ObservedRole,
) -> Result<(), PlanError> {
    let tagged = role.tags.get(OWNER);
    match claim {
        Claim::Imported => Ok(()),
        Claim::Create { generation } => {
            let ours = names::is_made_by(&role.tags, owner, generation)
                || names::is_half_built(&role.tags, owner);
            match tagged.filter(|tag| *tag != owner) {
                Some(tag) => Err(PlanError::Foreign {
                    name: name.to_owned(),
                    owner: tag.clone(),
                }),
                None if ours => Ok(()),
                None => Err(PlanError::Exists {
                    name: name.to_owned(),
                }),
            }
        }
        Claim::Held { unique_id } => match tagged {
            Some(tag) if tag != owner => Err(PlanError::Foreign {
                name: name.to_owned(),
                owner: tag.clone(),
            }),
            _ if is_another(unique_id.as_deref(), role) => Err(PlanError::Another {
                name: name.to_owned(),
            }),
            _ => Ok(()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload_role::model::Workload;

    const PROVIDER: &str = "arn:aws:iam::1:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/A";

    fn desired() -> DesiredRole {
        DesiredRole {
            name: "payments-api".to_owned(),
            owner: "state-a".to_owned(),
            claim: Claim::Held {
                unique_id: Some("AROA1".to_owned()),
            },
            workload: Workload {
                cluster_name: "main".to_owned(),
                namespace: "payments".to_owned(),
                service_account: "api".to_owned(),
            },
            oidc_provider_arn: PROVIDER.to_owned(),
            policy_arns: ["arn:p1".to_owned()].into(),
            inline_policies: [("q".to_owned(), r#"{"Statement":[]}"#.to_owned())].into(),
            permissions_boundary: None,
            max_session_duration: 3600,
            tags: [("team".to_owned(), "a".to_owned())].into(),
        }
    }

    /// The role that `desired` is.
    fn observed() -> ObservedRole {
        let desired = desired();
        let ownership = [
            (OWNER, "state-a"),
            (names::WORKLOAD, "main/payments/api"),
            (GENERATION, "g1"),
            (CREATION, COMPLETE),
            ("team", "a"),
        ];
        ObservedRole {
            arn: "arn:aws:iam::1:role/payments-api".to_owned(),
            unique_id: "AROA1".to_owned(),
            assume_role_policy: names::trust_policy(PROVIDER, "payments", "api"),
            policy_arns: desired.policy_arns,
            inline_policies: desired.inline_policies,
            permissions_boundary: None,
            max_session_duration: 3600,
            tags: ownership
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
        }
    }

    fn words(actions: Result<Vec<Action>, PlanError>) -> String {
        match actions {
            Ok(actions) => {
                let words: Vec<String> = actions.iter().map(Action::description).collect();
                words.join("; ")
            }
            Err(error) => format!("{error:?}"),
        }
    }

    fn create() -> Claim {
        Claim::Create {
            generation: "g2".to_owned(),
        }
    }

    #[test]
    fn steps_of_differences() {
        type Change = fn(&mut DesiredRole, &mut ObservedRole);
        let table: [(&str, Change, &str); 14] = [
            ("nothing", |_, _| {}, ""),
            (
                "another spelling of a document",
                |_, role| {
                    role.inline_policies
                        .insert("q".to_owned(), "{ \"Statement\": [ ] }".to_owned());
                },
                "",
            ),
            (
                "another document",
                |_, role| {
                    role.inline_policies
                        .insert("q".to_owned(), r#"{"Statement":[{}]}"#.to_owned());
                },
                "write the inline policy q",
            ),
            (
                "more rights than wanted go before the trust is set",
                |desired, role| {
                    desired.workload.service_account = "web".to_owned();
                    role.policy_arns.insert("arn:p2".to_owned());
                    role.inline_policies.insert("r".to_owned(), "{}".to_owned());
                },
                "write its tags; detach arn:p2; delete the inline policy r; set its trust policy",
            ),
            (
                "another issuer",
                |desired, _| desired.oidc_provider_arn.push('B'),
                "set its trust policy",
            ),
            (
                "a policy and a boundary",
                |desired, _| {
                    desired.policy_arns.insert("arn:p0".to_owned());
                    desired.permissions_boundary = Some("arn:b".to_owned());
                },
                "set the permissions boundary arn:b; attach arn:p0",
            ),
            (
                "a boundary too many, another session",
                |desired, role| {
                    role.permissions_boundary = Some("arn:b".to_owned());
                    desired.max_session_duration = 7200;
                },
                "take the permissions boundary away; set the longest session to 7200 s",
            ),
            (
                "a foreign tag",
                |_, role| {
                    role.tags.insert("x".to_owned(), "y".to_owned());
                },
                "write its tags",
            ),
            (
                "tags of AWS",
                |_, role| {
                    role.tags.insert("aws:x".to_owned(), "y".to_owned());
                },
                "",
            ),
            (
                "all tags lost",
                |_, role| role.tags.clear(),
                "write its tags",
            ),
            (
                "half-built by a creation of this state",
                |desired, role| {
                    desired.claim = create();
                    role.tags.insert(CREATION.to_owned(), INCOMPLETE.to_owned());
                    role.policy_arns.clear();
                },
                "write its tags; attach arn:p1",
            ),
            (
                "finished, in no state",
                |desired, _| desired.claim = create(),
                "Exists { name: \"payments-api\" }",
            ),
            (
                "of another owner",
                |_, role| {
                    role.tags.insert(OWNER.to_owned(), "state-b".to_owned());
                },
                "Foreign { name: \"payments-api\", owner: \"state-b\" }",
            ),
            (
                "made again by somebody",
                |_, role| {
                    role.tags.clear();
                    role.unique_id = "AROA2".to_owned();
                },
                "Another { name: \"payments-api\" }",
            ),
        ];
        for (what, change, expected) in table {
            let (mut desired, mut role) = (desired(), observed());
            change(&mut desired, &mut role);
            assert_eq!(words(plan(&desired, Some(&role))), expected, "{what}");
        }
    }

    #[test]
    fn a_creation_marks_the_role_until_its_last_step() {
        let mut desired = desired();
        desired.claim = create();
        let steps = plan(&desired, None).unwrap();
        let [Action::Create { tags, .. }] = steps.as_slice() else {
            panic!("{steps:?}");
        };
        assert!(names::is_half_built(tags, "state-a"));
        let mut role = observed();
        role.tags = tags.clone();
        assert_eq!(words(plan(&desired, Some(&role))), "mark it as complete");
    }

    #[test]
    fn removals() {
        type Change = fn(&mut ObservedRole);
        let held = desired().claim;
        let all = "detach arn:p1; delete the inline policy q; delete the role";
        let table: [(&str, &Claim, Change, &str); 4] = [
            ("ours", &held, |_| {}, all),
            (
                "of another owner",
                &held,
                |role| {
                    role.tags.insert(OWNER.to_owned(), "state-b".to_owned());
                },
                "Foreign { name: \"n\", owner: \"state-b\" }",
            ),
            (
                "made again by somebody",
                &held,
                |role| {
                    role.tags.clear();
                    role.unique_id = "AROA2".to_owned();
                },
                "",
            ),
            ("imported", &Claim::Imported, |role| role.tags.clear(), all),
        ];
        for (what, claim, change, expected) in table {
            let mut role = observed();
            change(&mut role);
            let found = words(plan_removal("n", "state-a", claim, Some(&role)));
            assert_eq!(found, expected, "{what}");
        }
        assert_eq!(words(plan_removal("n", "state-a", &held, None)), "");
    }
}
