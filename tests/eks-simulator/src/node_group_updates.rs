//! UpdateNodegroupConfig and UpdateNodegroupVersion.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::backend::DrainOutcome;
use crate::clusters::with_causes;
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::node_groups::{
    check_labels, check_release, check_scaling, check_taints, check_update_config, grow,
};
use crate::store::{
    ClusterStatus, Node, NodeGroup, NodeGroupStatus, NodeUpdateConfig, Scaling, Store, Taint,
    Update, UpdateError,
};
use crate::wire::ApiError;
use crate::{nodes, versions};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct ConfigRequest {
    labels: Option<LabelsPayload>,
    taints: Option<TaintsPayload>,
    scaling_config: Option<PartialScaling>,
    update_config: Option<NodeUpdateConfig>,
    node_repair_config: Option<Value>,
    warm_pool_config: Option<Value>,
    client_request_token: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PartialScaling {
    min_size: Option<u32>,
    max_size: Option<u32>,
    desired_size: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LabelsPayload {
    #[serde(default)]
    add_or_update_labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    remove_labels: Option<Vec<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct TaintsPayload {
    #[serde(default)]
    add_or_update_taints: Option<Vec<Taint>>,
    #[serde(default)]
    remove_taints: Option<Vec<Taint>>,
}

/// 409 unless the node group can take an update. Source: eks-facts section 2.
fn refuse_unless_active(store: &Store, cluster: &str, name: &str) -> Result<(), ApiError> {
    let found = store.cluster(cluster)?;
    let group = store.node_group(cluster, name)?;
    let named = |error: ApiError| error.cluster(cluster).node_group(name);
    if group.status != NodeGroupStatus::Active {
        return Err(named(ApiError::in_use(format!(
            "Nodegroup cannot be updated as it is currently not in Active State but in {}",
            group.status.name()
        ))));
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
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let named = |error: ApiError| error.cluster(&cluster).node_group(&name);
    let (request, raw) = call.body::<ConfigRequest>()?;
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
    let params = apply_config(&mut changed, &request).map_err(named)?;
    let update = Update::new("ConfigUpdate", params, core.now(), Some(&name));
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

fn apply_config(group: &mut NodeGroup, request: &ConfigRequest) -> Result<Params, ApiError> {
    let mut params = Params::new();
    if let Some(scaling) = request.scaling_config {
        let next = Scaling {
            min_size: scaling.min_size.unwrap_or(group.scaling.min_size),
            max_size: scaling.max_size.unwrap_or(group.scaling.max_size),
            desired_size: scaling.desired_size.unwrap_or(group.scaling.desired_size),
        };
        check_scaling(&next)?;
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
        params.push(("NodeRepairConfig", config.to_string()));
        group.node_repair_config = config.clone();
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
        let surplus: Vec<Node> = if group.nodes.len() > keep {
            group.nodes.split_off(keep)
        } else {
            Vec::new()
        };
        let specs = group
            .nodes
            .iter()
            .map(|node| nodes::spec(core, group, node))
            .collect();
        (specs, surplus)
    };
    // A smaller desired size ends instances without regard to disruption budgets.
    // Source: eks-facts section 6.
    let names = surplus.iter().map(|node| node.name.clone()).collect();
    nodes::remove(core, cluster, names)
        .await
        .map_err(|message| failed("Unknown", message, name))?;
    release(core, cluster, &surplus);
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

fn release(core: &Core, cluster: &str, gone: &[Node]) {
    if let Ok(found) = core.store().cluster_mut(cluster) {
        for node in gone {
            found.used_addresses.remove(&node.address);
        }
    }
}

/// After a failed update the group is ACTIVE again. Source: eks-facts section 2.
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
#[serde(rename_all = "camelCase")]
struct VersionRequest {
    version: Option<String>,
    release_version: Option<String>,
    launch_template: Option<Value>,
    #[serde(default)]
    force: Option<bool>,
    client_request_token: Option<String>,
}

/// Source: API reference, UpdateNodegroupVersion; eks-facts sections 2 and 6. An omitted version
/// keeps the group's own minor (the docs disagree).
pub(crate) fn update_version(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let named = |error: ApiError| error.cluster(&cluster).node_group(&name);
    let (request, raw) = call.body::<VersionRequest>()?;
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
    if request.launch_template.is_some() {
        // Source: API reference: a group born without its own template never gets one.
        return Err(named(ApiError::parameter(
            "You cannot specify a launch template for a node group that was not deployed with one.",
        )));
    }
    call.refuse_if_busy(&cluster, "UpdateNodegroupVersion")?;
    let mut store = core.store();
    refuse_unless_active(&store, &cluster, &name)?;
    let cluster_version = store.cluster(&cluster)?.version.clone();
    let group = store.node_group(&cluster, &name)?;
    let version = request.version.unwrap_or_else(|| group.version.clone());
    let release = plan_version(
        core,
        group,
        &cluster_version,
        &version,
        request.release_version,
    )
    .map_err(named)?;
    let params = vec![
        ("Version", version.clone()),
        ("ReleaseVersion", release.clone()),
    ];
    let update = Update::new("VersionUpdate", params, core.now(), Some(&name));
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
        let target = (version.as_str(), release.as_str());
        let result = roll(&transition, &cluster, &name, target, force, &faults).await;
        finish(&transition, &cluster, &name, &id, result);
    });
    Ok(shown)
}

/// The release version to move to.
fn plan_version(
    core: &Core,
    group: &NodeGroup,
    cluster_version: &str,
    version: &str,
    release: Option<String>,
) -> Result<String, ApiError> {
    let numbers = versions::number(version)
        .zip(versions::number(cluster_version))
        .zip(versions::number(&group.version));
    let Some(((to, cluster_minor), from)) = numbers else {
        return Err(ApiError::parameter("unsupported Kubernetes version"));
    };
    // Not verified: the text for a node group newer than the cluster.
    if to > cluster_minor {
        return Err(ApiError::parameter(format!(
            "Nodegroup version {version} can't be newer than the cluster's version {cluster_version}"
        )));
    }
    // One minor back is the first step of a cluster rollback. Source: EKS user guide, rollback.
    if to + 1 < from || !versions::available(core, version) {
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
    if to == from && release == group.release_version {
        return Err(ApiError::parameter(format!(
            "Nodegroup {} is already at version {version} and release version {release}",
            group.name
        )));
    }
    Ok(release)
}

fn batch_size(group: &NodeGroup) -> usize {
    let count = group.nodes.len();
    match (
        group.update_config.max_unavailable,
        group.update_config.max_unavailable_percentage,
    ) {
        (_, Some(percentage)) => count * percentage as usize / 100,
        (number, None) => number.unwrap_or(1) as usize,
    }
    .max(1)
}

/// Replaces the nodes batch by batch: new ones Ready, old ones drained and removed (MINIMAL: the
/// other way round). Source: EKS user guide, managed node update behaviour.
async fn roll(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    (version, release_version): (&str, &str),
    force: bool,
    faults: &TransitionFaults,
) -> Outcome {
    core.config
        .clock
        .sleep(core.config.timings.node_group_update)
        .await;
    faults.wait().await;
    injected(faults, name)?;
    let (old, batch, minimal) = match core.store().node_group(cluster, name) {
        Ok(group) => (
            group.nodes.clone(),
            batch_size(group),
            group.update_config.update_strategy.as_deref() == Some("MINIMAL"),
        ),
        Err(_) => return Ok(()),
    };
    for replaced in old.chunks(batch) {
        if minimal {
            drain(core, cluster, name, replaced, force).await?;
        }
        let fresh = add(core, cluster, name, version, replaced.len()).await?;
        if !minimal && let Err(error) = drain(core, cluster, name, replaced, force).await {
            undo(core, cluster, name, replaced, &fresh).await;
            return Err(error);
        }
    }
    if let Ok(group) = core.store().node_group_mut(cluster, name) {
        group.version = version.to_owned();
        group.release_version = release_version.to_owned();
    }
    Ok(())
}

async fn add(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    version: &str,
    count: usize,
) -> Result<Vec<Node>, UpdateError> {
    let (fresh, specs) = {
        let mut store = core.store();
        let Ok(found) = store.cluster_mut(cluster) else {
            return Ok(Vec::new());
        };
        let fresh = nodes::plan(core, found, name, count, version)
            .map_err(|message| failed("InsufficientFreeAddresses", message, name))?;
        let Some(group) = found.node_groups.get_mut(name) else {
            return Ok(Vec::new());
        };
        let specs = fresh
            .iter()
            .map(|node| nodes::spec(core, group, node))
            .collect();
        group.nodes.extend(fresh.iter().cloned());
        (fresh, specs)
    };
    nodes::apply(core, cluster, specs)
        .await
        .map_err(|message| failed("NodeCreationFailure", message, name))?;
    Ok(fresh)
}

async fn drain(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    batch: &[Node],
    force: bool,
) -> Outcome {
    let timeout = core.config.timings.drain_timeout;
    for node in batch {
        let outcome = core
            .config
            .backend
            .drain_node(cluster, &node.name, timeout, force)
            .await
            .map_err(|error| failed("Unknown", with_causes(&error), &node.name))?;
        if let DrainOutcome::Blocked { pods } = outcome {
            return Err(failed(
                "PodEvictionFailure",
                format!(
                    "Reached max retries while trying to evict pods from nodes in node group {name}: {}",
                    pods.join(", ")
                ),
                &node.name,
            ));
        }
    }
    let names = batch.iter().map(|node| node.name.clone()).collect();
    nodes::remove(core, cluster, names)
        .await
        .map_err(|message| failed("Unknown", message, name))?;
    if let Ok(group) = core.store().node_group_mut(cluster, name) {
        group
            .nodes
            .retain(|node| !batch.iter().any(|gone| gone.name == node.name));
    }
    release(core, cluster, batch);
    Ok(())
}

/// Takes the surge back after a failed batch: old nodes schedulable again, new ones removed.
async fn undo(core: &Arc<Core>, cluster: &str, name: &str, old: &[Node], fresh: &[Node]) {
    let specs = match core.store().node_group(cluster, name) {
        Ok(group) => group
            .nodes
            .iter()
            .filter(|node| old.iter().any(|kept| kept.name == node.name))
            .map(|node| nodes::spec(core, group, node))
            .collect(),
        Err(_) => return,
    };
    let names = fresh.iter().map(|node| node.name.clone()).collect();
    let kept = nodes::apply(core, cluster, specs).await;
    let removed = nodes::remove(core, cluster, names).await;
    if let Err(message) = kept.and(removed) {
        tracing::warn!(
            cluster,
            node_group = name,
            message,
            "the failed update could not be taken back whole"
        );
    }
    if let Ok(group) = core.store().node_group_mut(cluster, name) {
        group
            .nodes
            .retain(|node| !fresh.iter().any(|gone| gone.name == node.name));
    }
    release(core, cluster, fresh);
}
