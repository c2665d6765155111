//! Taking objects away: in the opposite order, only what is ours, each wait naming what blocks it.

use std::collections::{BTreeMap, BTreeSet};

use devopsgenie_kubernetes::wait::{WaitError, until_gone};
use devopsgenie_kubernetes::{Cluster, Deletion, Error, Propagation};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::inventory::{
    InventoryEntry, SetIdentity, delete_empty_namespace, delete_inventory, ends_everything,
    read_inventory, write_inventory,
};
use crate::lease;
use crate::plan::Stage;

const PARALLEL: usize = 8;

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

/// Deletes all objects of a set and then its inventory. A set without inventory is gone already.
///
/// With `generation`, only the set of that generation: one made later under the same name stays.
pub async fn remove(
    cluster: &Cluster,
    set: &SetIdentity,
    generation: Option<&str>,
    deadline: Instant,
    stop: &CancellationToken,
) -> Removed {
    match read_inventory(cluster, set).await {
        Ok(None) => {
            return match delete_empty_namespace(cluster, set).await {
                Ok(()) => Removed::default(),
                Err(error) => Removed::failed(error),
            };
        }
        Ok(Some(inventory)) if generation.is_some_and(|wanted| wanted != inventory.generation) => {
            tracing::info!(set = %set.name, "the set was made again since; it stays");
            return Removed::default();
        }
        Ok(Some(_)) => {}
        Err(error) => return Removed::failed(error),
    }
    let held = match lease::acquire(cluster, set, deadline, stop).await {
        Ok(held) => held,
        Err(error) => return Removed::failed(error),
    };
    let mut removed = match work(cluster, set, deadline, &held.work).await {
        Ok(removed) => removed,
        Err(error) => Removed::failed(error),
    };
    if held.is_lost() {
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

async fn work(
    cluster: &Cluster,
    set: &SetIdentity,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<Removed, EngineError> {
    let Some(mut inventory) = read_inventory(cluster, set).await? else {
        return Ok(Removed::default());
    };
    let removed = delete_entries(cluster, set, inventory.objects.clone(), deadline, stop).await;
    if removed.errors.is_empty() {
        delete_inventory(cluster, set).await?;
    } else {
        inventory.complete = false;
        inventory
            .objects
            .retain(|key, _| !removed.removed.contains(key));
        write_inventory(cluster, set, &inventory).await?;
    }
    Ok(removed)
}

/// Deletes entries of the inventory, last stage first, and waits for each stage.
pub(crate) async fn delete_entries(
    cluster: &Cluster,
    set: &SetIdentity,
    entries: BTreeMap<String, InventoryEntry>,
    deadline: Instant,
    stop: &CancellationToken,
) -> Removed {
    let mut removal = Removed::default();
    for stage in Stage::ALL.into_iter().rev() {
        let of_stage: Vec<_> = entries
            .iter()
            .filter(|(_, entry)| entry.stage == stage)
            .collect();
        if of_stage.is_empty() {
            continue;
        }
        if stop.is_cancelled() {
            removal.errors.push(EngineError::Cancelled);
            return removal;
        }
        tracing::info!(set = %set.name, ?stage, objects = of_stage.len(), "deleting");
        let work: Vec<_> = of_stage
            .into_iter()
            .map(|(key, entry)| async move { (key, entry, delete_one(cluster, set, entry).await) })
            .collect();
        let results: Vec<_> = futures::stream::iter(work)
            .buffer_unordered(PARALLEL)
            .collect()
            .await;
        let mut waiting = BTreeMap::new();
        for (key, entry, result) in results {
            match result {
                Ok(Deletion::Gone) => {
                    removal.removed.insert(key.clone());
                }
                Ok(Deletion::Started) => {
                    waiting.insert(entry.reference.clone(), key.clone());
                }
                Err(source) if ends_everything(&source) => {
                    removal.errors.push(EngineError::Cluster(source));
                    return removal;
                }
                Err(source) => removal.errors.push(EngineError::Object {
                    key: key.clone(),
                    addon: entry.addon.clone(),
                    source: Box::new(source),
                }),
            }
        }
        let references = waiting.keys().cloned().collect();
        match until_gone(cluster, references, deadline, stop).await {
            Ok(()) => removal.removed.extend(waiting.into_values()),
            Err(WaitError::Cancelled { .. }) => removal.errors.push(EngineError::Cancelled),
            Err(source) => removal.errors.push(EngineError::Wait {
                what: "objects are not gone".to_owned(),
                source,
            }),
        }
        if !removal.errors.is_empty() {
            return removal;
        }
        if stage == Stage::Definitions {
            cluster.forget_discovery().await;
        }
    }
    removal
}

/// Deletes an object if it is ours. One that lost our label belongs to somebody else now.
async fn delete_one(
    cluster: &Cluster,
    set: &SetIdentity,
    entry: &InventoryEntry,
) -> Result<Deletion, Error> {
    let Some(live) = cluster.get(&entry.reference).await? else {
        return Ok(Deletion::Gone);
    };
    if !set.has(&live) {
        tracing::warn!(object = %entry.reference, "it does not carry the label of the set any more and is left alone");
        return Ok(Deletion::Gone);
    }
    let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
    // Workloads take their pods with them before whatever the pods need goes.
    let propagation = match entry.stage {
        Stage::Workloads => Propagation::Foreground,
        _ => Propagation::Background,
    };
    cluster.delete(&entry.reference, propagation, uid).await
}
