//! UpdateAddon.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::addon_catalogue;
use crate::addons::{
    Addon, AddonStatus, IdentityRequest, Resolve, addon, addon_mut, check_identities, check_values,
    finish, install, issue, set_identities, settle,
};
use crate::clusters::or_replay;
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::roles;
use crate::store::{Issue, Owner, Update, UpdateError};
use crate::wire::ApiError;

/// Source of the members: botocore model, UpdateAddonRequest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateRequest {
    addon_version: Option<String>,
    service_account_role_arn: Option<String>,
    resolve_conflicts: Option<String>,
    client_request_token: Option<String>,
    configuration_values: Option<String>,
    pod_identity_associations: Option<Vec<IdentityRequest>>,
}

/// Source: API reference, UpdateAddon.
pub(crate) async fn update(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let (request, raw) = call.body::<UpdateRequest>()?;
    let token = request.client_request_token.clone();
    let replayed = || {
        let store = core.store();
        let scope = format!("{cluster}/{name}");
        let Some(id) = store.replay("UpdateAddon", &scope, token.as_deref(), &raw)? else {
            return Ok(None);
        };
        let updates = &store.cluster(&cluster)?.updates;
        Ok(updates
            .iter()
            .find(|update| update.id == id)
            .map(|update| json!({ "update": update.show() })))
    };
    if let Some(shown) = replayed()? {
        return Ok(shown);
    }
    let updated = update_once(core, call, &cluster, &name, request, raw.clone()).await;
    let named = updated.map_err(|error| error.cluster(&cluster).addon(&name));
    or_replay(named, replayed)
}

/// What is left out stays as it is: so it is documented for podIdentityAssociations, and not verified
/// for the others.
async fn update_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    cluster: &str,
    name: &str,
    request: UpdateRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    let (mut changed, minor) = {
        let store = core.store();
        let (found, addon) = addon(&store, cluster, name)?;
        (addon.clone(), found.version.clone())
    };
    refuse_if_busy(&changed)?;
    call.refuse_if_busy(cluster, "AddonUpdate")?;
    let entry = addon_catalogue::find(name)
        .ok_or_else(|| ApiError::parameter("Addon specified is not supported"))?;
    let resolve = Resolve::of(request.resolve_conflicts.as_deref())?;
    let mut params = Vec::new();
    if let Some(version) = &request.addon_version {
        let known = entry
            .version_for(version, &minor)
            .ok_or_else(|| ApiError::parameter("Addon version specified is not supported"))?;
        known.clone_into(&mut changed.version);
        params.push(("AddonVersion", version.clone()));
    }
    if let Some(role) = &request.service_account_role_arn {
        roles::check_service_account_role(core, call.hits, role).await?;
        changed.service_account_role = Some(role.clone());
        params.push(("ServiceAccountRoleArn", role.clone()));
    }
    if let Some(word) = &request.resolve_conflicts {
        params.push(("ResolveConflicts", word.clone()));
    }
    if let Some(values) = &request.configuration_values {
        changed.configuration_values = Some(values.clone());
        params.push(("ConfigurationValues", values.clone()));
    }
    // Values that stay have to suit the new version, too.
    check_values(entry, changed.configuration_values.as_deref())?;
    let identities = match &request.pod_identity_associations {
        Some(asked) => {
            params.push((
                "PodIdentityAssociations",
                raw["podIdentityAssociations"].to_string(),
            ));
            Some(check_identities(core, call, entry, Some(asked)).await?)
        }
        None => None,
    };
    let update = Update::new(
        "AddonUpdate",
        params,
        core.now(),
        Owner::Addon(name.to_owned()),
    );
    let shown = json!({ "update": update.show() });
    let id = update.id.clone();
    {
        let mut store = core.store();
        let found = store.cluster_mut(cluster)?;
        if let Some(addon) = found.addons.get(name) {
            refuse_if_busy(addon)?;
        }
        if let Some(identities) = &identities {
            set_identities(core, found, &changed.arn, identities)?;
        }
        found.updates.push(update);
        addon_mut(&mut store, cluster, name)?.status = AddonStatus::Updating;
        let scope = format!("{cluster}/{name}");
        let token = request.client_request_token.as_deref();
        store.accept("UpdateAddon", &scope, token, raw, &id);
    }
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run(&transition, changed, &id, resolve, &faults).await });
    Ok(shown)
}

/// Source of the text: terraform-provider-aws issues on add-ons, which quote it.
fn refuse_if_busy(addon: &Addon) -> Result<(), ApiError> {
    if addon.status.is_busy() {
        return Err(ApiError::in_use(format!(
            "Addon {} cannot be updated as it is currently in {} state",
            addon.name,
            addon.status.name()
        )));
    }
    Ok(())
}

async fn run(
    core: &Arc<Core>,
    changed: Addon,
    id: &str,
    resolve: Resolve,
    faults: &TransitionFaults,
) {
    let (cluster, name) = (changed.cluster.as_str(), changed.name.as_str());
    core.config.clock.sleep(core.config.timings.addon).await;
    faults.wait().await;
    let result = match &faults.fails {
        Some((code, message)) => Err(issue(code, message.clone(), name)),
        None => install(core, &changed, resolve).await,
    };
    let (status, issues) = match result {
        Ok(objects) => {
            if let Ok(addon) = addon_mut(&mut core.store(), cluster, name) {
                addon.objects = objects;
                addon.version.clone_from(&changed.version);
                addon
                    .service_account_role
                    .clone_from(&changed.service_account_role);
                addon
                    .configuration_values
                    .clone_from(&changed.configuration_values);
            }
            settle(core, cluster, name).await
        }
        Err(issue) => (AddonStatus::UpdateFailed, vec![issue]),
    };
    let failed = status == AddonStatus::UpdateFailed;
    let errors: Vec<UpdateError> = if failed {
        issues.iter().map(update_error).collect()
    } else {
        Vec::new()
    };
    finish(core, cluster, name, status, issues);
    if let Ok(found) = core.store().cluster_mut(cluster)
        && let Some(update) = found.update_mut(id)
    {
        update.status = if failed { "Failed" } else { "Successful" };
        update.errors = errors;
    }
}

/// InternalFailure is an issue's code and none of an update. Source: botocore model, ErrorCode.
fn update_error(issue: &Issue) -> UpdateError {
    UpdateError {
        code: if issue.code == "InternalFailure" {
            "Unknown".to_owned()
        } else {
            issue.code.clone()
        },
        message: issue.message.clone(),
        resource_ids: issue.resource_ids.clone(),
    }
}
