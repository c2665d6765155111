//! From what is observed in AWS to a state, and from a plan to what is desired in AWS.

use std::collections::BTreeMap;

use devopsgenie_lifecycle::policy_document::equivalent;
use devopsgenie_lifecycle::workload_role::model::{Claim, DesiredRole, ObservedRole};
use devopsgenie_lifecycle::workload_role::names;
use tfplugin::AttributeValue;

use super::model::WorkloadRoleModel;
use super::plan::{trust, workload};
use crate::tags;
use crate::values::{known_map, map, set, strings, texts};

/// What AWS shall become; `None` when the plan lacks what says who may assume the role.
pub(super) fn desired(
    planned: &WorkloadRoleModel,
    oidc_provider_arn: String,
    owner: &str,
    claim: Claim,
    default_tags: &BTreeMap<String, String>,
) -> Option<DesiredRole> {
    Some(DesiredRole {
        name: planned.name.as_str()?.to_owned(),
        owner: owner.to_owned(),
        claim,
        workload: workload(planned)?,
        oidc_provider_arn,
        policy_arns: texts(&planned.policy_arns),
        inline_policies: strings(&planned.inline_policies),
        permissions_boundary: planned.permissions_boundary.as_str().map(str::to_owned),
        max_session_duration: planned
            .max_session_duration
            .known()
            .and_then(|seconds| i32::try_from(*seconds).ok())
            .unwrap_or(3600),
        tags: tags::with_defaults(&planned.tags, default_tags),
    })
}

/// The state of what is observed. `base` is the state or plan before: it tells what the user left
/// out from what is empty, and keeps what AWS does not know.
pub(super) fn state_from(
    base: &WorkloadRoleModel,
    role: &ObservedRole,
    default_tags: &BTreeMap<String, String>,
) -> WorkloadRoleModel {
    let mut state = base.clone();
    if let Some(workload) = names::workload_of(&role.tags)
        && state.cluster_name.is_null()
    {
        state.cluster_name = workload.cluster_name.into();
    }
    if let Some((provider, namespace, service_account)) = names::trusted(&role.assume_role_policy)
        && state.namespace.is_null()
    {
        state.namespace = namespace.into();
        state.service_account = service_account.into();
        state.oidc_provider_arn = provider.into();
    }
    let written = strings(&base.inline_policies);
    let documents = role.inline_policies.iter().map(|(name, actual)| {
        let document = match written.get(name) {
            Some(before) if equivalent(before, actual) => before,
            _ => actual,
        };
        (name.clone(), document.clone())
    });
    state.inline_policies = map(documents.collect(), &base.inline_policies);
    state.policy_arns = set(&role.policy_arns, &base.policy_arns);
    state.permissions_boundary = role.permissions_boundary.clone().into();
    state.max_session_duration = i64::from(role.max_session_duration).into();
    state.assume_role_policy = match trust(&state) {
        Some(ours) if equivalent(&ours, &role.assume_role_policy) => ours.into(),
        _ => role.assume_role_policy.clone().into(),
    };
    state.arn = role.arn.clone().into();
    state.unique_id = role.unique_id.clone().into();
    state.id = state.name.clone();
    state.tags = tags::own(&role.tags, &base.tags, default_tags);
    state.tags_all = known_map(devopsgenie_lifecycle::cluster::names::user_tags(&role.tags));
    without_unknowns(&mut state);
    state
}

/// Unknown is what a creation that ended early has not found out.
fn without_unknowns(state: &mut WorkloadRoleModel) {
    for value in [&mut state.oidc_provider_arn, &mut state.assume_role_policy] {
        if value.is_unknown() {
            *value = AttributeValue::Null;
        }
    }
}
