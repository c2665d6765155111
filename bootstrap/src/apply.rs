//! Applying a set: inventory first, then stage by stage, then what left the set is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use devopsgenie_kubernetes::readiness::readiness;
use devopsgenie_kubernetes::wait::{WaitError, until_ready};
use devopsgenie_kubernetes::{ApplyOptions, Cluster, Error, ObjectReference, Scope};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::inventory::{
    Inventory, SetIdentity, ends_everything, ensure_namespace, read_inventory, set_of,
    write_inventory,
};
use crate::lease;
use crate::plan::{DesiredObject, DesiredSet, ObjectRecord, Records, Salt, Stage};
use crate::remove::delete_entries;

/// Objects of one stage that are applied at the same time.
const PARALLEL: usize = 8;

/// How long a kind may take to be served after its CustomResourceDefinition is Established.
const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// Which generation the inventory gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Generation {
    /// A creation: the inventory, whether new or left by a creation that was cut short, gets this one.
    New(String),
    /// An update: the inventory keeps its own; one that is gone is made again with this one.
    Keep(String),
}

/// What to apply.
#[derive(Clone, Debug)]
pub struct ApplyRequest<'a> {
    /// Which set.
    pub set: &'a SetIdentity,
    /// Its objects.
    pub desired: &'a DesiredSet,
    /// The inventory's generation.
    pub generation: Generation,
    /// For the digests of secrets.
    pub salt: &'a Salt,
    /// When the waits end.
    pub deadline: Instant,
    /// The user's wish to stop: no new step begins, and what was reached is returned.
    pub stop: CancellationToken,
}

/// What an apply did. Objects that are in neither collection were not reached.
#[derive(Debug, Default)]
pub struct Applied {
    /// Generation of the inventory in the cluster; `None` when it was not written.
    pub generation: Option<String>,
    /// Objects that the API server accepted.
    pub records: Records,
    /// Keys of objects that were deleted because they left the set.
    pub removed: BTreeSet<String>,
    /// Empty when everything is applied, ready and pruned.
    pub errors: Vec<EngineError>,
}

impl Applied {
    /// Whether nothing is left to do.
    pub fn is_complete(&self) -> bool {
        self.errors.is_empty()
    }

    fn failed(error: EngineError) -> Self {
        Self {
            errors: vec![error],
            ..Self::default()
        }
    }
}

/// Brings the cluster to the desired state. Starting again after a failure, or after a kill at any
/// point, carries on.
pub async fn apply(cluster: &Cluster, request: ApplyRequest<'_>) -> Applied {
    let set = request.set;
    if let Err(error) = ensure_namespace(cluster, set, request.deadline, &request.stop).await {
        return Applied::failed(error);
    }
    let held = match lease::acquire(cluster, set, request.deadline, &request.stop).await {
        Ok(held) => held,
        Err(error) => return Applied::failed(error),
    };
    let mut applied = Applied::default();
    let mut outcome = work(cluster, &request, &held.work, &mut applied).await;
    if held.is_lost() && matches!(outcome, Ok(()) | Err(EngineError::Cancelled)) {
        outcome = Err(EngineError::LeaseLost);
    }
    if let Err(error) = outcome {
        applied.errors.push(error);
    }
    held.release().await;
    applied
}

async fn work(
    cluster: &Cluster,
    request: &ApplyRequest<'_>,
    stop: &CancellationToken,
    applied: &mut Applied,
) -> Result<(), EngineError> {
    let set = request.set;
    let before = read_inventory(cluster, set).await?;
    let generation = match (&request.generation, &before) {
        (Generation::New(new), _) => new.clone(),
        (Generation::Keep(_), Some(before)) => before.generation.clone(),
        (Generation::Keep(old), None) => old.clone(),
    };
    // Objects of an inventory that was completed are known to be ours; others are looked at first.
    let known: BTreeSet<String> = match &before {
        Some(before) if before.complete => before.objects.keys().cloned().collect(),
        _ => BTreeSet::new(),
    };
    let mut inventory = Inventory::new(&set.owner, &generation);
    if let Some(before) = &before {
        inventory.objects.clone_from(&before.objects);
    }
    inventory.add(request.desired);
    write_inventory(cluster, set, &inventory).await?;
    applied.generation = Some(generation);

    for stage in Stage::ALL {
        let objects: Vec<_> = request
            .desired
            .iter()
            .filter(|(_, object)| object.stage == stage)
            .map(|(_, object)| object)
            .collect();
        if objects.is_empty() {
            continue;
        }
        if stop.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        apply_stage(cluster, request, stage, objects, &known, stop, applied).await?;
        if !applied.errors.is_empty() {
            return Ok(());
        }
    }

    let leaving: BTreeMap<_, _> = inventory
        .objects
        .iter()
        .filter(|(key, _)| request.desired.get(key).is_none())
        .map(|(key, entry)| (key.clone(), entry.clone()))
        .collect();
    if !leaving.is_empty() {
        if stop.is_cancelled() {
            return Err(EngineError::Cancelled);
        }
        let removal = delete_entries(cluster, set, leaving, request.deadline, stop).await;
        for key in &removal.removed {
            inventory.objects.remove(key);
        }
        applied.removed = removal.removed;
        if !removal.errors.is_empty() {
            applied.errors.extend(removal.errors);
            return Ok(());
        }
    }
    inventory.complete = true;
    write_inventory(cluster, set, &inventory).await
}

async fn apply_stage(
    cluster: &Cluster,
    request: &ApplyRequest<'_>,
    stage: Stage,
    objects: Vec<&DesiredObject>,
    known: &BTreeSet<String>,
    stop: &CancellationToken,
    applied: &mut Applied,
) -> Result<(), EngineError> {
    tracing::info!(set = %request.set.name, ?stage, objects = objects.len(), "applying");
    let has_definitions = request
        .desired
        .iter()
        .any(|(_, object)| object.stage == Stage::Definitions);
    let patience = if stage == Stage::CustomResources && has_definitions {
        SERVED_WITHIN
    } else {
        Duration::ZERO
    };
    let work: Vec<_> = objects
        .into_iter()
        .map(|object| async move {
            let is_known = known.contains(&object.key);
            let outcome = apply_object(cluster, request.set, object, is_known, patience).await;
            (object, outcome)
        })
        .collect();
    let results: Vec<_> = futures::stream::iter(work)
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    let mut waiting: Vec<ObjectReference> = Vec::new();
    let mut no_answer = None;
    for (object, outcome) in results {
        match outcome {
            Ok((reference, sent, live)) => {
                tracing::debug!(key = %object.key, "applied");
                if !readiness(&live).is_ready() {
                    waiting.push(reference.clone());
                }
                let record = ObjectRecord::new(reference, &sent, &live, request.salt);
                applied.records.insert(object.key.clone(), record);
            }
            Err(EngineError::Object { source, .. }) if ends_everything(&source) => {
                no_answer = Some(EngineError::Cluster(*source));
            }
            Err(error) => applied.errors.push(error),
        }
    }
    if let Some(error) = no_answer {
        return Err(error);
    }
    if !applied.errors.is_empty() || waiting.is_empty() {
        return Ok(());
    }
    let outcome = until_ready(cluster, waiting, request.deadline, stop).await;
    if stage == Stage::Definitions {
        cluster.forget_discovery().await;
    }
    match outcome {
        Ok(()) => Ok(()),
        Err(WaitError::Cancelled { .. }) => Err(EngineError::Cancelled),
        Err(source) => Err(EngineError::Wait {
            what: format!("objects of the stage {} are not ready", stage_name(stage)),
            source,
        }),
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Namespaces => "namespaces",
        Stage::Definitions => "custom resource definitions",
        Stage::Foundations => "foundations",
        Stage::Workloads => "workloads",
        Stage::Extensions => "webhooks and aggregated APIs",
        Stage::CustomResources => "custom resources",
    }
}

/// Applies one object. Returns its real address, what was sent, and what the server stored.
async fn apply_object(
    cluster: &Cluster,
    set: &SetIdentity,
    object: &DesiredObject,
    is_known: bool,
    patience: Duration,
) -> Result<(ObjectReference, Value, Value), EngineError> {
    let failed = |source: Error| EngineError::Object {
        key: object.key.clone(),
        addon: object.addon.clone(),
        source: Box::new(source),
    };
    let (reference, sent) = resolve_scope(cluster, object, patience)
        .await
        .map_err(failed)?;
    if !is_known && let Some(live) = cluster.get(&reference).await.map_err(failed)? {
        refuse_foreign(set, object, &live)?;
        if object.stage == Stage::Namespaces && !set.has(&live) {
            return Err(EngineError::NamespaceExists {
                key: object.key.clone(),
                addon: object.addon.clone(),
            });
        }
    }
    let mut options = ApplyOptions {
        field_manager: &set.field_manager,
        force: false,
        dry_run: false,
    };
    let live = match cluster.apply(&sent, &options).await {
        Err(conflict @ Error::Conflict { .. }) => {
            // On our own objects the configuration wins: this is how drift is repaired.
            let live = cluster.get(&reference).await.map_err(failed)?;
            match live {
                Some(live) if set.has(&live) => {
                    tracing::info!(key = %object.key, conflict = %conflict, "taking fields back");
                    options.force = true;
                    cluster.apply(&sent, &options).await.map_err(failed)?
                }
                Some(live) => {
                    refuse_foreign(set, object, &live)?;
                    return Err(failed(conflict));
                }
                None => return Err(failed(conflict)),
            }
        }
        other => other.map_err(failed)?,
    };
    Ok((reference, sent, live))
}

fn refuse_foreign(
    set: &SetIdentity,
    object: &DesiredObject,
    live: &Value,
) -> Result<(), EngineError> {
    match set_of(live) {
        Some(other) if other != set.name => Err(EngineError::OtherSet {
            key: object.key.clone(),
            addon: object.addon.clone(),
            set: other.to_owned(),
        }),
        _ => Ok(()),
    }
}

/// Where the kind's scope was not known at plan time, the server says it now.
async fn resolve_scope(
    cluster: &Cluster,
    object: &DesiredObject,
    patience: Duration,
) -> Result<(ObjectReference, Value), Error> {
    let started = Instant::now();
    let scope = loop {
        match cluster
            .scope(&object.reference.api_version, &object.reference.kind)
            .await
        {
            Err(Error::KindNotServed { .. } | Error::GroupUnavailable { .. })
                if started.elapsed() < patience =>
            {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            other => break other?,
        }
    };
    let mut reference = object.reference.clone();
    let mut sent = object.object.clone();
    let metadata = sent.get_mut("metadata").and_then(Value::as_object_mut);
    match scope {
        Scope::Cluster => {
            reference.namespace = None;
            if let Some(metadata) = metadata {
                metadata.remove("namespace");
            }
        }
        Scope::Namespaced if reference.namespace.is_none() => {
            reference.namespace = Some("default".to_owned());
            if let Some(metadata) = metadata {
                metadata.insert("namespace".to_owned(), Value::String("default".to_owned()));
            }
        }
        Scope::Namespaced => {}
    }
    Ok((reference, sent))
}
