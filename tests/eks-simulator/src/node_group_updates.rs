//! UpdateNodegroupConfig and UpdateNodegroupVersion.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::{InstanceType, TemplateVersion};
use crate::backend::DrainOutcome;
use crate::cluster_updates::can_roll_back_to;
use crate::clusters::{or_replay, with_causes};
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::launch_templates::TemplateReference;
use crate::node_groups::{
    RepairRequest, ScalingRequest, check_labels, check_release, check_taints, check_update_config,
    grow,
};
use crate::store::{
    Cluster, ClusterStatus, Node, NodeGroup, NodeGroupStatus, NodeUpdateConfig, Owner, Store,
    Taint, Update, UpdateError,
};
use crate::wire::ApiError;
use crate::{nodes, versions};

/// The backend's own limit for a drain, far above [`crate::Timings::drain_timeout`], which counts in
/// simulated time.
const PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// Source of the members: botocore model, UpdateNodegroupConfigRequest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ConfigRequest {
    labels: Option<LabelsPayload>,
    taints: Option<TaintsPayload>,
    scaling_config: Option<ScalingRequest>,
    update_config: Option<NodeUpdateConfig>,
    node_repair_config: Option<RepairRequest>,
    warm_pool_config: Option<Value>,
    client_request_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct LabelsPayload {
    #[serde(default)]
    add_or_update_labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    remove_labels: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TaintsPayload {
    #[serde(default)]
    add_or_update_taints: Option<Vec<Taint>>,
    #[serde(default)]
    remove_taints: Option<Vec<Taint>>,
}

/// 409 unless the node group can take an update. Source of the text: karpenter-provider-aws issue 133,
/// which quotes it.
fn refuse_unless_active(store: &Store, cluster: &str, name: &str) -> Result<(), ApiError> {
    let found = store.cluster(cluster)?;
    let group = store.node_group(cluster, name)?;
    let named = |error: ApiError| error.cluster(cluster).node_group(name);
    if group.status != NodeGroupStatus::Active {
        return Err(named(ApiError::in_use(
            "Nodegroup cannot be updated as it is currently not in Active State",
        )));
    }
    if found.status == ClusterStatus::Deleting {
        return Err(named(ApiError::in_use(format!(
            "Cluster {cluster} is in status DELETING"
        ))));
    }
    Ok(())
}

fn replayed(
    core: &Core,
    operation: &str,
    (cluster, name): (&str, &str),
    token: Option<&str>,
    raw: &Value,
) -> Result<Option<Value>, ApiError> {
    let store = core.store();
    let scope = format!("{cluster}/{name}");
    let Some(id) = store.replay(operation, &scope, token, raw)? else {
        return Ok(None);
    };
    let updates = &store.cluster(cluster)?.updates;
    Ok(updates
        .iter()
        .find(|update| update.id == id)
        .map(|update| json!({ "update": update.show() })))
}

/// Source: API reference, UpdateNodegroupConfig. Several kinds may be given at once; whether
/// unchanged values are refused is not verified, so they are accepted; an empty call is not.
pub(crate) fn update_config(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (request, raw) = call.body::<ConfigRequest>()?;
    let token = request.client_request_token.clone();
    let updated = update_config_once(core, call, request, raw.clone());
    replay_of(core, call, "UpdateNodegroupConfig", token, &raw, updated)
}

/// The update of a call with the same token in the place of a refusal: it may have been accepted
/// since this call looked.
fn replay_of(
    core: &Core,
    call: &Call<'_>,
    operation: &str,
    token: Option<String>,
    raw: &Value,
    updated: Result<Value, ApiError>,
) -> Result<Value, ApiError> {
    let group = (call.part(0), call.part(1));
    or_replay(updated, || {
        replayed(core, operation, group, token.as_deref(), raw)
    })
}

fn update_config_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    request: ConfigRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let named = |error: ApiError| error.cluster(&cluster).node_group(&name);
    let token = request.client_request_token.clone();
    if let Some(shown) = replayed(
        core,
        "UpdateNodegroupConfig",
        (&cluster, &name),
        token.as_deref(),
        &raw,
    )? {
        return Ok(shown);
    }
    if request.warm_pool_config.is_some() {
        return Err(named(ApiError::parameter(
            "warmPoolConfig exists in EKS but is not simulated by the lab.",
        )));
    }
    call.refuse_if_busy(&cluster, "UpdateNodegroupConfig")?;
    let mut store = core.store();
    refuse_unless_active(&store, &cluster, &name)?;
    let mut changed = store.node_group(&cluster, &name)?.clone();
    let params = apply_config(&mut changed, &request, &raw).map_err(named)?;
    let update = Update::new(
        "ConfigUpdate",
        params,
        core.now(),
        Owner::NodeGroup(name.clone()),
    );
    let shown = json!({ "update": update.show() });
    let id = update.id.clone();
    store.node_group_mut(&cluster, &name)?.status = NodeGroupStatus::Updating;
    store.cluster_mut(&cluster)?.updates.push(update);
    let scope = format!("{cluster}/{name}");
    store.accept("UpdateNodegroupConfig", &scope, token.as_deref(), raw, &id);
    drop(store);
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move {
        let result = run_config(&transition, &cluster, &name, changed, &faults).await;
        finish(&transition, &cluster, &name, &id, result);
    });
    Ok(shown)
}

type Params = Vec<(&'static str, String)>;

fn apply_config(
    group: &mut NodeGroup,
    request: &ConfigRequest,
    raw: &Value,
) -> Result<Params, ApiError> {
    let mut params = Params::new();
    if let Some(scaling) = request.scaling_config {
        let next = scaling.over(group.scaling)?;
        group.scaling = next;
        params.push(("MinSize", next.min_size.to_string()));
        params.push(("MaxSize", next.max_size.to_string()));
        params.push(("DesiredSize", next.desired_size.to_string()));
    }
    if let Some(labels) = &request.labels {
        let added = labels.add_or_update_labels.clone().unwrap_or_default();
        let removed = labels.remove_labels.clone().unwrap_or_default();
        check_labels(&added)?;
        if let Some(both) = removed.iter().find(|key| added.contains_key(*key)) {
            return Err(ApiError::parameter(format!(
                "Label {both} cannot be both added and removed"
            )));
        }
        for key in &removed {
            group.labels.remove(key);
        }
        if !added.is_empty() {
            params.push(("LabelsToAdd", json!(added).to_string()));
        }
        if !removed.is_empty() {
            params.push(("LabelsToRemove", json!(removed).to_string()));
        }
        group.labels.extend(added);
    }
    if let Some(taints) = &request.taints {
        let added = taints.add_or_update_taints.clone().unwrap_or_default();
        let removed = taints.remove_taints.clone().unwrap_or_default();
        check_taints(&added)?;
        let same = |a: &Taint, b: &Taint| a.key == b.key && a.effect == b.effect;
        group
            .taints
            .retain(|taint| !removed.iter().chain(&added).any(|other| same(taint, other)));
        if !added.is_empty() {
            params.push(("TaintsToAdd", json!(added).to_string()));
        }
        if !removed.is_empty() {
            params.push(("TaintsToRemove", json!(removed).to_string()));
        }
        group.taints.extend(added);
        check_taints(&group.taints)?;
    }
    if let Some(config) = &request.update_config {
        check_update_config(config)?;
        if let Some(number) = config.max_unavailable {
            params.push(("MaxUnavailable", number.to_string()));
        }
        if let Some(number) = config.max_unavailable_percentage {
            params.push(("MaxUnavailablePercentage", number.to_string()));
        }
        if let Some(strategy) = &config.update_strategy {
            params.push(("UpdateStrategy", strategy.clone()));
        }
        let strategy = config
            .update_strategy
            .clone()
            .or_else(|| group.update_config.update_strategy.clone());
        group.update_config = NodeUpdateConfig {
            update_strategy: strategy,
            ..config.clone()
        };
    }
    if let Some(config) = &request.node_repair_config {
        config.check()?;
        let given = raw.get("nodeRepairConfig").cloned().unwrap_or(Value::Null);
        params.push(("NodeRepairConfig", given.to_string()));
        group.node_repair_config = given;
    }
    if params.is_empty() {
        return Err(ApiError::parameter("No updates were requested."));
    }
    Ok(params)
}

type Outcome = Result<(), UpdateError>;

fn failed(code: &str, message: String, resource: &str) -> UpdateError {
    UpdateError {
        code: code.to_owned(),
        message,
        resource_ids: vec![resource.to_owned()],
    }
}

async fn run_config(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    changed: NodeGroup,
    faults: &TransitionFaults,
) -> Outcome {
    core.config
        .clock
        .sleep(core.config.timings.node_group_update)
        .await;
    faults.wait().await;
    injected(faults, name)?;
    let (specs, surplus) = {
        let mut store = core.store();
        let Ok(group) = store.node_group_mut(cluster, name) else {
            return Ok(());
        };
        group.scaling = changed.scaling;
        group.labels = changed.labels;
        group.taints = changed.taints;
        group.update_config = changed.update_config;
        group.node_repair_config = changed.node_repair_config;
        let keep = group.scaling.desired_size as usize;
        let surplus: Vec<Node> = group.nodes.iter().skip(keep).cloned().collect();
        let specs = group
            .nodes
            .iter()
            .take(keep)
            .map(|node| nodes::spec(core, group, node))
            .collect();
        (specs, surplus)
    };
    // A smaller desired size ends instances without regard to disruption budgets. Source: EKS user
    // guide, managed node groups.
    nodes::retire(core, cluster, name, &surplus)
        .await
        .map_err(|message| failed("Unknown", message, name))?;
    nodes::apply(core, cluster, specs)
        .await
        .map_err(|message| failed("NodeCreationFailure", message, name))?;
    grow(core, cluster, name)
        .await
        .map_err(|(code, message)| failed(update_code(&code), message, name))
}

/// Health issue codes that are no update error codes. Source: botocore model, ErrorCode.
fn update_code(issue: &str) -> &str {
    match issue {
        "InsufficientFreeAddresses" | "NodeCreationFailure" => issue,
        _ => "Unknown",
    }
}

fn injected(faults: &TransitionFaults, name: &str) -> Outcome {
    if let Some((code, message)) = &faults.fails {
        return Err(failed(code, message.clone(), name));
    }
    if faults.capacity {
        return Err(failed(
            "NodeCreationFailure",
            "Couldn't proceed with upgrade process as new nodes are not joining node group: InsufficientInstanceCapacity".to_owned(),
            name,
        ));
    }
    Ok(())
}

/// After a failed update the group is ACTIVE again. Source: crossplane-contrib/provider-aws issue 1475.
fn finish(core: &Core, cluster: &str, name: &str, id: &str, result: Outcome) {
    let now = core.now();
    let mut store = core.store();
    let Ok(found) = store.cluster_mut(cluster) else {
        return;
    };
    if let Some(group) = found.node_groups.get_mut(name) {
        group.status = NodeGroupStatus::Active;
        group.modified_at = now;
    }
    if let Some(update) = found.update_mut(id) {
        match result {
            Ok(()) => update.status = "Successful",
            Err(error) => {
                update.status = "Failed";
                update.errors.push(error);
            }
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct VersionRequest {
    version: Option<String>,
    release_version: Option<String>,
    launch_template: Option<TemplateReference>,
    #[serde(default)]
    force: Option<bool>,
    client_request_token: Option<String>,
}

/// Source: API reference, UpdateNodegroupVersion; EKS user guide, update a managed node group. An
/// omitted version keeps the group's own minor (the docs disagree).
pub(crate) async fn update_version(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (request, raw) = call.body::<VersionRequest>()?;
    let token = request.client_request_token.clone();
    let updated = update_version_once(core, call, request, raw.clone()).await;
    replay_of(core, call, "UpdateNodegroupVersion", token, &raw, updated)
}

async fn update_version_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    request: VersionRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let named = |error: ApiError| error.cluster(&cluster).node_group(&name);
    let token = request.client_request_token.clone();
    if let Some(shown) = replayed(
        core,
        "UpdateNodegroupVersion",
        (&cluster, &name),
        token.as_deref(),
        &raw,
    )? {
        return Ok(shown);
    }
    call.refuse_if_busy(&cluster, "UpdateNodegroupVersion")?;
    let before = {
        let store = core.store();
        refuse_unless_active(&store, &cluster, &name)?;
        store.node_group(&cluster, &name)?.clone()
    };
    let template = plan_template(core, &before, &request)
        .await
        .map_err(named)?;
    let mut store = core.store();
    refuse_unless_active(&store, &cluster, &name)?;
    let group = store.node_group(&cluster, &name)?;
    let found = store.cluster(&cluster)?;
    let mut params = Vec::new();
    let image = template
        .as_ref()
        .or(group.launch_template.as_ref())
        .and_then(|template| template.image_id.clone());
    let (version, release) = match image {
        // The AMI decides; the lab takes it for one of the cluster's version.
        Some(image) => (found.version.clone(), image),
        None => {
            let version = request.version.unwrap_or_else(|| group.version.clone());
            let changes = template.is_some() && template != group.launch_template;
            let release = plan_version(
                core,
                group,
                found,
                &version,
                request.release_version,
                changes,
            )
            .map_err(named)?;
            params.push(("Version", version.clone()));
            params.push(("ReleaseVersion", release.clone()));
            (version, release)
        }
    };
    if let Some(template) = &template {
        params.push(("LaunchTemplateName", template.name.clone()));
        params.push(("LaunchTemplateVersion", template.version.clone()));
    }
    let update = Update::new(
        "VersionUpdate",
        params,
        core.now(),
        Owner::NodeGroup(name.clone()),
    );
    let shown = json!({ "update": update.show() });
    let id = update.id.clone();
    store.node_group_mut(&cluster, &name)?.status = NodeGroupStatus::Updating;
    store.cluster_mut(&cluster)?.updates.push(update);
    let scope = format!("{cluster}/{name}");
    store.accept("UpdateNodegroupVersion", &scope, token.as_deref(), raw, &id);
    drop(store);
    let faults = call.hits.transition.clone();
    let force = request.force.unwrap_or(false);
    let transition = core.clone();
    core.spawn(async move {
        let target = Target {
            version,
            release,
            template,
        };
        let result = roll(&transition, &cluster, &name, &target, force, &faults).await;
        finish(&transition, &cluster, &name, &id, result);
    });
    Ok(shown)
}

/// What a node group is updated to.
struct Target {
    version: String,
    release: String,
    template: Option<TemplateVersion>,
}

/// The version of the launch template to move to. Source: API reference, UpdateNodegroupVersion (only a
/// group born with a template, and only that one), and EKS user guide, customize managed nodes with
/// launch templates (no change to or from an AMI of one's own); texts not verified.
async fn plan_template(
    core: &Core,
    group: &NodeGroup,
    request: &VersionRequest,
) -> Result<Option<TemplateVersion>, ApiError> {
    let template = match (&request.launch_template, &group.launch_template) {
        (Some(_), None) => {
            return Err(ApiError::parameter(
                "You cannot specify a launch template for a node group that was not deployed with one.",
            ));
        }
        (Some(reference), Some(own)) => {
            if !reference.means(own) {
                return Err(ApiError::parameter(format!(
                    "The launch template must be the one the node group was deployed with: {} ({})",
                    own.id, own.name
                )));
            }
            let template = reference.resolve(core).await?;
            if template.image_id.is_some() != own.image_id.is_some() {
                return Err(ApiError::parameter(
                    "A node group cannot change between an AMI of its launch template and one of EKS.",
                ));
            }
            Some(template)
        }
        (None, _) => None,
    };
    let custom = group.ami_type == "CUSTOM";
    if custom && (request.version.is_some() || request.release_version.is_some()) {
        return Err(ApiError::parameter(
            "You cannot specify version or releaseVersion when the launch template has an AMI.",
        ));
    }
    if custom && template.is_none() {
        return Err(ApiError::parameter(
            "A node group with an AMI of its launch template is updated by another version of the template.",
        ));
    }
    Ok(template)
}

/// The release version to move to.
fn plan_version(
    core: &Core,
    group: &NodeGroup,
    cluster: &Cluster,
    version: &str,
    release: Option<String>,
    template_changes: bool,
) -> Result<String, ApiError> {
    let numbers = versions::number(version)
        .zip(versions::number(&cluster.version))
        .zip(versions::number(&group.version));
    let Some(((to, cluster_minor), from)) = numbers else {
        return Err(ApiError::parameter("unsupported Kubernetes version"));
    };
    // Not verified: the text for a node group newer than the cluster.
    if to > cluster_minor {
        return Err(ApiError::parameter(format!(
            "Nodegroup version {version} can't be newer than the cluster's version {}",
            cluster.version
        )));
    }
    // Back only as the first step of a rollback of the cluster: to its version before its last
    // upgrade. Source: EKS user guide, roll back a cluster; the API reference knows no way back.
    let back = to < from && !can_roll_back_to(cluster, version, core.now());
    if back || !versions::available(core, version) {
        return Err(ApiError::parameter(format!(
            "Unsupported Kubernetes minor version update from {} to {version}",
            group.version
        )));
    }
    let releases = nodes::releases(core, version, &group.ami_type);
    let release = match release {
        Some(release) => {
            check_release(core, &release, version, &group.ami_type)?;
            release
        }
        None => releases.last().cloned().unwrap_or_default(),
    };
    let place = |release: &str| releases.iter().position(|other| other == release);
    if to == from && place(&release) < place(&group.release_version) {
        return Err(ApiError::parameter(format!(
            "Requested release version {release} is older than the current one. Allowed release version is {}",
            group.release_version
        )));
    }
    if to == from && release == group.release_version && !template_changes {
        return Err(ApiError::parameter(format!(
            "Nodegroup {} is already at version {version} and release version {release}",
            group.name
        )));
    }
    Ok(release)
}

/// How many nodes are replaced at once. Source: API reference, NodegroupUpdateConfig (at most 100).
fn batch_size(group: &NodeGroup) -> usize {
    let count = group.nodes.len();
    match (
        group.update_config.max_unavailable,
        group.update_config.max_unavailable_percentage,
    ) {
        (_, Some(percentage)) => count * percentage as usize / 100,
        (number, None) => number.unwrap_or(1) as usize,
    }
    .clamp(1, 100)
}

/// How many nodes a group grows by for an update. Source: EKS user guide, managed node update
/// behaviour (the larger of twice its zones and the most nodes unavailable).
fn surge(group: &NodeGroup) -> usize {
    let zones: BTreeSet<&str> = group.subnets.iter().map(|s| s.zone.as_str()).collect();
    (2 * zones.len()).max(batch_size(group))
}

/// Replaces all nodes. The group grows by [`surge`], the old nodes go batch by batch and are
/// replaced like instances of an Auto Scaling group, and the group shrinks to its size; MINIMAL
/// ends old nodes first and does not grow. When a step fails, the group goes back to its size and
/// what is left of the old nodes can be scheduled to again. Source: EKS user guide, managed node
/// update behaviour; API reference, NodegroupUpdateConfig (updateStrategy).
async fn roll(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    target: &Target,
    force: bool,
    faults: &TransitionFaults,
) -> Outcome {
    core.config
        .clock
        .sleep(core.config.timings.node_group_update)
        .await;
    faults.wait().await;
    injected(faults, name)?;
    let Ok(before) = core.store().node_group(cluster, name).cloned() else {
        return Ok(());
    };
    let types = match &target.template {
        Some(template) => template_types(core, template)
            .await
            .map_err(|message| failed("Unknown", message, name))?,
        None => None,
    };
    // New nodes are made from the group as it is now.
    if let Ok(group) = core.store().node_group_mut(cluster, name) {
        if let Some(template) = &target.template {
            group.launch_template = Some(template.clone());
        }
        if let Some((name, details)) = types {
            group.instance_types = vec![name];
            group.instance_details = vec![details];
        }
    }
    if let Err(error) = replace_all(core, &before, &target.version, force).await {
        if let Ok(group) = core.store().node_group_mut(cluster, name) {
            group.launch_template.clone_from(&before.launch_template);
            group.instance_types.clone_from(&before.instance_types);
            group.instance_details.clone_from(&before.instance_details);
        }
        undo(core, &before).await;
        return Err(error);
    }
    if let Ok(group) = core.store().node_group_mut(cluster, name) {
        group.version.clone_from(&target.version);
        group.release_version.clone_from(&target.release);
    }
    Ok(())
}

/// The instance type of a template that has one.
async fn template_types(
    core: &Core,
    template: &TemplateVersion,
) -> Result<Option<(String, InstanceType)>, String> {
    let Some(name) = &template.instance_type else {
        return Ok(None);
    };
    let details = core.aws.instance_type(name).await;
    details
        .map(|details| Some((name.clone(), details)))
        .map_err(|error| error.message)
}

async fn replace_all(core: &Arc<Core>, before: &NodeGroup, version: &str, force: bool) -> Outcome {
    let (cluster, name) = (before.cluster.as_str(), before.name.as_str());
    if before.update_config.update_strategy.as_deref() != Some("MINIMAL")
        && !before.nodes.is_empty()
    {
        add(core, cluster, name, version, surge(before)).await?;
    }
    for batch in before.nodes.chunks(batch_size(before)) {
        for node in batch {
            drain(core, cluster, name, node, force).await?;
        }
        core.config
            .clock
            .sleep(core.config.timings.node_termination_wait)
            .await;
        nodes::retire(core, cluster, name, batch)
            .await
            .map_err(|message| failed("Unknown", message, name))?;
        add(core, cluster, name, version, batch.len()).await?;
    }
    shrink(core, before).await
}

/// Ends the newest of the new nodes until the group has its size again. Their pods are evicted
/// first, and after the drain's longest time deleted.
async fn shrink(core: &Arc<Core>, before: &NodeGroup) -> Outcome {
    let (cluster, name) = (before.cluster.as_str(), before.name.as_str());
    let surplus: Vec<Node> = match core.store().node_group(cluster, name) {
        Ok(group) => {
            let count = group.nodes.len().saturating_sub(before.nodes.len());
            let is_new = |node: &&Node| !before.nodes.iter().any(|old| old.name == node.name);
            let new = group.nodes.iter().rev().filter(is_new);
            new.take(count).cloned().collect()
        }
        Err(_) => return Ok(()),
    };
    for node in &surplus {
        drain(core, cluster, name, node, true).await?;
    }
    nodes::retire(core, cluster, name, &surplus)
        .await
        .map_err(|message| failed("Unknown", message, name))
}

async fn add(core: &Arc<Core>, cluster: &str, name: &str, version: &str, count: usize) -> Outcome {
    let (fresh, specs) = {
        let mut store = core.store();
        let Ok(found) = store.cluster_mut(cluster) else {
            return Ok(());
        };
        let fresh = nodes::plan(core, found, name, count, version)
            .map_err(|message| failed("InsufficientFreeAddresses", message, name))?;
        let Some(group) = found.node_groups.get_mut(name) else {
            return Ok(());
        };
        let specs = fresh
            .iter()
            .map(|node| nodes::spec(core, group, node))
            .collect();
        group.nodes.extend(fresh.iter().cloned());
        (fresh, specs)
    };
    let Err(mut message) = nodes::apply(core, cluster, specs).await else {
        return Ok(());
    };
    if let Err(left) = nodes::retire(core, cluster, name, &fresh).await {
        message = format!("{message}; and the new nodes are left: {left}");
    }
    Err(failed("NodeCreationFailure", message, name))
}

/// Evicts the node's pods for at most [`crate::Timings::drain_timeout`] of simulated time.
async fn drain(core: &Arc<Core>, cluster: &str, name: &str, node: &Node, force: bool) -> Outcome {
    let backend = &core.config.backend;
    let unknown = |error| failed("Unknown", with_causes(&error), &node.name);
    let evicted = tokio::select! {
        outcome = backend.drain_node(cluster, &node.name, PATIENCE, false) => {
            outcome.map_err(unknown)? == DrainOutcome::Drained
        }
        () = core.config.clock.sleep(core.config.timings.drain_timeout) => false,
    };
    if evicted {
        return Ok(());
    }
    // The time is over: what is left goes by force, or holds the update back.
    let outcome = backend
        .drain_node(cluster, &node.name, Duration::ZERO, force)
        .await
        .map_err(unknown)?;
    match outcome {
        DrainOutcome::Drained => Ok(()),
        DrainOutcome::Blocked { pods } => Err(failed(
            "PodEvictionFailure",
            format!(
                "Reached max retries while trying to evict pods from nodes in node group {name}: {}",
                pods.join(", ")
            ),
            &node.name,
        )),
    }
}

/// Takes back what a failed update did: the old nodes that are left can be scheduled to again, and
/// the group has its size.
async fn undo(core: &Arc<Core>, before: &NodeGroup) {
    let (cluster, name) = (before.cluster.as_str(), before.name.as_str());
    let specs = match core.store().node_group(cluster, name) {
        Ok(group) => group
            .nodes
            .iter()
            .filter(|node| before.nodes.iter().any(|old| old.name == node.name))
            .map(|node| nodes::spec(core, group, node))
            .collect(),
        Err(_) => return,
    };
    let steps = [
        nodes::apply(core, cluster, specs).await,
        shrink(core, before).await.map_err(|error| error.message),
        grow(core, cluster, name)
            .await
            .map_err(|(_, message)| message),
    ];
    for message in steps.into_iter().filter_map(Result::err) {
        tracing::warn!(
            cluster,
            node_group = name,
            message,
            "the failed update could not be taken back whole"
        );
    }
}
