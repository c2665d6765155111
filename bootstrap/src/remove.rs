//! Taking objects away: in the opposite order, only what is ours, each wait naming what blocks it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use devopsgenie_kubernetes::wait::{Targets, until_gone};
use devopsgenie_kubernetes::{
    Cluster, Deletion, Error, ListOptions, ObjectReference, Preconditions, Propagation,
};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::apply::some_of;
use crate::error::EngineError;
use crate::inventory::{
    Inventory, InventoryEntry, SetIdentity, delete_empty_namespace, delete_inventory,
    find_inventory, write_inventory,
};
use crate::lease::{self, unless_over};
use crate::plan::{Records, Stage};

const PARALLEL: usize = 8;

/// How long custom resources that a controller or the garbage collector still removes are waited for.
const CUSTOM_RESOURCES_WITHIN: Duration = Duration::from_secs(20);

/// What a removal did.
#[derive(Debug, Default)]
pub struct Removed {
    /// Keys of objects that do not exist any more, or are not ours.
    pub removed: BTreeSet<String>,
    /// Empty when nothing is left.
    pub errors: Vec<EngineError>,
}

impl Removed {
    fn failed(error: EngineError) -> Self {
        Self {
            removed: BTreeSet::new(),
            errors: vec![error],
        }
    }
}

/// What to remove.
#[derive(Clone, Debug)]
pub struct RemoveRequest<'a> {
    /// Which set.
    pub set: &'a SetIdentity,
    /// Only the set of that generation: one made later under the same name stays.
    pub generation: Option<&'a str>,
    /// What the last apply left behind: it stands in for an inventory that is lost.
    pub records: &'a Records,
    /// When the waits end.
    pub deadline: Instant,
    /// The user's wish to stop.
    pub stop: CancellationToken,
}

/// Deletes all objects of a set and then its inventory. A set of which nothing is left is gone already.
pub async fn remove(cluster: &Cluster, request: RemoveRequest<'_>) -> Removed {
    let set = request.set;
    match find(cluster, &request).await {
        Ok(Some(_)) => {}
        Ok(None) => return Removed::default(),
        Err(error) => return Removed::failed(error),
    }
    let held = match lease::acquire(cluster, set, request.deadline, &request.stop).await {
        Ok(held) => held,
        Err(error) => return Removed::failed(error),
    };
    let mut removed = match work(cluster, &request, &held.work).await {
        Ok(removed) => removed,
        Err(error) => Removed::failed(error),
    };
    if held.is_lost() {
        removed
            .errors
            .retain(|error| !matches!(error, EngineError::Cancelled | EngineError::LeaseLost));
        removed.errors.push(EngineError::LeaseLost);
    }
    held.release().await;
    if removed.errors.is_empty()
        && let Err(error) = delete_empty_namespace(cluster, set).await
    {
        removed.errors.push(error);
    }
    removed
}

/// The inventory of the set that is to be removed. A removal that was killed after its last object may have
/// left the namespace.
async fn find(
    cluster: &Cluster,
    request: &RemoveRequest<'_>,
) -> Result<Option<Inventory>, EngineError> {
    let set = request.set;
    let found = find_inventory(cluster, set, request.records, request.generation).await?;
    match found {
        Some(inventory)
            if request
                .generation
                .is_some_and(|wanted| wanted != inventory.generation) =>
        {
            tracing::info!(set = %set.name, "the set was made again since; it stays");
            Ok(None)
        }
        Some(inventory) => Ok(Some(inventory)),
        None => {
            delete_empty_namespace(cluster, set).await?;
            Ok(None)
        }
    }
}

async fn work(
    cluster: &Cluster,
    request: &RemoveRequest<'_>,
    stop: &CancellationToken,
) -> Result<Removed, EngineError> {
    // Another apply may have ended while the Lease was waited for.
    let Some(mut inventory) = find(cluster, request).await? else {
        return Ok(Removed::default());
    };
    let removal = Removal {
        cluster,
        set: request.set,
        kept: &BTreeSet::new(),
        deadline: request.deadline,
        stop,
    };
    let mut removed = delete_entries(&removal, inventory.objects.clone()).await;
    if removed.errors.is_empty() {
        delete_inventory(cluster, request.set).await?;
    } else {
        inventory.complete = false;
        inventory
            .objects
            .retain(|key, _| !removed.removed.contains(key));
        if let Err(error) = write_inventory(cluster, request.set, &mut inventory).await {
            removed.errors.push(error);
        }
    }
    Ok(removed)
}

/// The frame of a deletion.
pub(crate) struct Removal<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) set: &'a SetIdentity,
    /// UIDs of objects that stay, whatever an entry says.
    pub(crate) kept: &'a BTreeSet<String>,
    pub(crate) deadline: Instant,
    pub(crate) stop: &'a CancellationToken,
}

/// Deletes entries of the inventory, last stage first, and waits for each stage.
pub(crate) async fn delete_entries(
    removal: &Removal<'_>,
    entries: BTreeMap<String, InventoryEntry>,
) -> Removed {
    let mut removed = Removed::default();
    for stage in Stage::ALL.into_iter().rev() {
        let of_stage: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| entry.stage == stage)
            .collect();
        if of_stage.is_empty() {
            continue;
        }
        tracing::info!(set = %removal.set.name, ?stage, objects = of_stage.len(), "deleting");
        let work: Vec<_> = of_stage
            .into_iter()
            .map(|(key, entry)| async move {
                let deletion = delete_one(removal, key, entry);
                let outcome = unless_over(removal.deadline, removal.stop, deletion).await;
                (key, outcome.and_then(|outcome| outcome))
            })
            .collect();
        let results: Vec<_> = futures::stream::iter(work)
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        let mut waiting = BTreeMap::new();
        let mut targets = Targets::new();
        let mut end = None;
        for (key, result) in results {
            match result {
                Ok(None) => {
                    removed.removed.insert(key.clone());
                }
                Ok(Some((reference, uid))) => {
                    targets.insert(reference.clone(), uid);
                    waiting.insert(reference, key.clone());
                }
                Err(EngineError::Object { source, .. }) if source.is_no_answer() => {
                    end = Some(EngineError::Cluster(*source));
                }
                Err(error) if error.is_end_of_run() => end = Some(error),
                Err(error) => removed.errors.push(error),
            }
        }
        if let Some(error) = end {
            removed.errors.push(error);
            return removed;
        }
        match until_gone(removal.cluster, targets, removal.deadline, removal.stop).await {
            Ok(()) => removed.removed.extend(waiting.into_values()),
            Err(source) => {
                removed
                    .errors
                    .push(EngineError::wait("objects are not gone", None, source))
            }
        }
        if !removed.errors.is_empty() {
            return removed;
        }
        if stage == Stage::Definitions {
            removal.cluster.forget_discovery().await;
        }
    }
    removed
}

/// Deletes an object if it is ours: one that lost our label or annotation belongs to somebody else now.
/// Returns what has to be waited for.
async fn delete_one(
    removal: &Removal<'_>,
    key: &str,
    entry: &InventoryEntry,
) -> Result<Option<(ObjectReference, Option<String>)>, EngineError> {
    let cluster = removal.cluster;
    let failed = |source: Error| EngineError::Object {
        key: key.to_owned(),
        addon: entry.addon.clone(),
        source: Box::new(source),
    };
    let reference = match cluster.resolve(&entry.reference).await {
        Err(Error::KindNotServed { .. }) => return Ok(None),
        other => other.map_err(failed)?,
    };
    let Some(live) = cluster.get(&reference).await.map_err(failed)? else {
        return Ok(None);
    };
    if !removal.set.has(&live) {
        tracing::warn!(object = %reference, "it does not carry the marks of the set any more and is left alone");
        return Ok(None);
    }
    let preconditions = Preconditions::same(&live);
    if preconditions
        .uid
        .is_some_and(|uid| removal.kept.contains(uid))
    {
        return Ok(None);
    }
    if entry.stage == Stage::Definitions {
        let objects = custom_resources(removal, &live).await.map_err(failed)?;
        if !objects.is_empty() {
            let names: Vec<_> = objects.iter().map(String::as_str).collect();
            return Err(EngineError::DefinitionInUse {
                key: key.to_owned(),
                addon: entry.addon.clone(),
                objects: some_of(&names),
            });
        }
    }
    let deletion = cluster
        .delete(&reference, propagation(entry.stage), preconditions)
        .await
        .map_err(failed)?;
    Ok(match deletion {
        Deletion::Gone => None,
        Deletion::Started => Some((reference, preconditions.uid.map(str::to_owned))),
    })
}

/// Workloads take their pods with them before whatever the pods need goes.
pub(crate) fn propagation(stage: Stage) -> Propagation {
    match stage {
        Stage::Workloads => Propagation::Foreground,
        _ => Propagation::Background,
    }
}

/// The objects of a definition's kind that are still there after those that the set has were deleted, and
/// after a moment for what goes by itself.
async fn custom_resources(removal: &Removal<'_>, definition: &Value) -> Result<Vec<String>, Error> {
    let text = |pointer: &str| definition.pointer(pointer).and_then(Value::as_str);
    let versions = definition
        .pointer("/spec/versions")
        .and_then(Value::as_array);
    let version = versions
        .into_iter()
        .flatten()
        .find(|version| version.get("served") == Some(&Value::Bool(true)))
        .and_then(|version| version.get("name")?.as_str());
    let (Some(group), Some(kind), Some(version)) =
        (text("/spec/group"), text("/spec/names/kind"), version)
    else {
        return Ok(Vec::new());
    };
    let api_version = format!("{group}/{version}");
    let give_up = removal
        .deadline
        .min(Instant::now() + CUSTOM_RESOURCES_WITHIN);
    loop {
        let options = ListOptions::default();
        let found = match removal.cluster.list(&api_version, kind, &options).await {
            // The definition was never Established.
            Err(Error::KindNotServed { .. } | Error::Api { code: 404, .. }) => Vec::new(),
            other => other?,
        };
        let names: Vec<_> = found
            .iter()
            .filter_map(ObjectReference::of)
            .map(|object| object.to_string())
            .collect();
        if names.is_empty() || Instant::now() >= give_up {
            return Ok(names);
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}
