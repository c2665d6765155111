//! Planning. No I/O: Core plans twice and compares.

use std::collections::BTreeMap;

use devopsgenie_lifecycle::workload_role::model::Workload;
use devopsgenie_lifecycle::workload_role::names;
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{AttributeValue, Planned, Private};

use super::model::WorkloadRoleModel;
use crate::tags;
use crate::values::keep;

pub(super) fn plan(
    config: &WorkloadRoleModel,
    prior: Option<&WorkloadRoleModel>,
    proposed: WorkloadRoleModel,
    prior_private: &Private,
    region: Option<&str>,
    default_tags: Option<&BTreeMap<String, String>>,
) -> Result<Planned<WorkloadRoleModel>, Diagnostics> {
    let mut state = proposed;
    state.name = name(config, prior, region);
    // A new role, so nothing of the one before holds.
    let renamed = prior.is_some_and(|prior| prior.name != state.name);
    let before = prior.filter(|_| !renamed);
    state.id = state.name.clone();
    state.arn = keep(before.map(|before| &before.arn));
    state.unique_id = keep(before.map(|before| &before.unique_id));
    // The issuer is that of the cluster, whichever role trusts it.
    state.oidc_provider_arn = keep(
        before
            .filter(|before| before.cluster_name == state.cluster_name)
            .map(|before| &before.oidc_provider_arn),
    );
    state.assume_role_policy = trust(&state).into();
    if state.assume_role_policy.is_null() {
        state.assume_role_policy = AttributeValue::Unknown;
    }
    state.tags_all = tags::planned_all(&state.tags, default_tags);
    let mut diagnostics = Diagnostics::new();
    let none = BTreeMap::new();
    tags::check_count(
        Path::root(),
        &state.tags,
        default_tags.unwrap_or(&none),
        &mut diagnostics,
    );
    if !diagnostics.is_empty() {
        return Err(diagnostics);
    }
    Ok(Planned {
        state,
        requires_replace: if renamed {
            vec![Path::root().attribute("name")]
        } else {
            Vec::new()
        },
        private: prior_private.clone(),
        diagnostics,
    })
}

/// The configured name, else a derived one. A role that once got a name of the user's choice keeps it.
fn name(
    config: &WorkloadRoleModel,
    prior: Option<&WorkloadRoleModel>,
    region: Option<&str>,
) -> AttributeValue<String> {
    if !config.name.is_null() {
        return config.name.clone();
    }
    let derived = derived(config, region);
    match prior {
        Some(prior)
            if self::derived(prior, region).is_none_or(|name| prior.name != name.into()) =>
        {
            prior.name.clone()
        }
        _ => derived.map_or(AttributeValue::Unknown, AttributeValue::Known),
    }
}

fn derived(model: &WorkloadRoleModel, region: Option<&str>) -> Option<String> {
    Some(names::role_name(&workload(model)?, region?))
}

/// The service account, once it is known.
pub(super) fn workload(model: &WorkloadRoleModel) -> Option<Workload> {
    Some(Workload {
        cluster_name: model.cluster_name.as_str()?.to_owned(),
        namespace: model.namespace.as_str()?.to_owned(),
        service_account: model.service_account.as_str()?.to_owned(),
    })
}

/// The trust policy, once what it says is known.
pub(super) fn trust(model: &WorkloadRoleModel) -> Option<String> {
    Some(names::trust_policy(
        model.oidc_provider_arn.as_str()?,
        model.namespace.as_str()?,
        model.service_account.as_str()?,
    ))
}
