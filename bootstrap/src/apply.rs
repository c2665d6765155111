//! Applying a set: inventory first, then stage by stage, then what left the set is deleted.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use devopsgenie_kubernetes::readiness::{Readiness, readiness};
use devopsgenie_kubernetes::wait::{Targets, WaitError, until_gone, until_ready};
use devopsgenie_kubernetes::{ApplyOptions, Cluster, Error, ObjectReference, Preconditions, Scope};
use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::inventory::{Holder, Inventory, SetIdentity, find_inventory, write_inventory};
use crate::lease::{self, unless_over};
use crate::plan::{DesiredObject, DesiredSet, ObjectRecord, Records, Salt, Stage, is_replaced};
use crate::remove::{Removal, delete_entries, propagation};

/// Objects of one stage that are applied at the same time.
const PARALLEL: usize = 8;

/// How long a kind may take to be served after its CustomResourceDefinition is Established, which may have
/// been a moment ago and in another set: by discovery, and by each of several API servers.
const SERVED_WITHIN: Duration = Duration::from_secs(20);

/// How long a webhook may take to answer: its pods are ready before their endpoints are known everywhere.
const WEBHOOKS_WITHIN: Duration = Duration::from_secs(60);

const ASK_AGAIN: Duration = Duration::from_secs(1);

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
    /// What the last apply left behind; empty when nothing is known.
    pub records: &'a Records,
    /// Whether objects that no set has, and fields that others manage, are taken over.
    pub take_ownership: bool,
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
    /// UIDs of the objects in `records`.
    uids: BTreeSet<String>,
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
    let state_generation = match &request.generation {
        Generation::New(_) => None,
        Generation::Keep(generation) => Some(generation.as_str()),
    };
    let before = find_inventory(cluster, set, request.records, state_generation).await?;
    let generation = match (&request.generation, &before) {
        (Generation::New(new), before) => {
            refuse_complete(set, request.desired, before.as_ref())?;
            new.clone()
        }
        (Generation::Keep(_), Some(before)) => before.generation.clone(),
        (Generation::Keep(old), None) => old.clone(),
    };
    // Objects of an inventory that was completed are known to be ours; others are looked at first.
    let known: BTreeSet<String> = match &before {
        Some(before) if before.complete => before.objects.keys().cloned().collect(),
        _ => BTreeSet::new(),
    };
    let mut inventory = Inventory::after(before.as_ref(), &set.owner, &generation);
    inventory.add(request.desired);
    for (key, object) in request.desired.iter().filter(|(_, o)| o.scope.is_none()) {
        if let Some(entry) = inventory.objects.get_mut(key) {
            match cluster.resolve(&object.reference).await {
                Ok(resolved) => entry.reference = resolved,
                // It comes with this very apply; whoever deletes the object asks again.
                Err(Error::KindNotServed { .. } | Error::GroupUnavailable { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    write_inventory(cluster, set, &mut inventory).await?;
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
        apply_stage(cluster, request, stage, objects, &known, stop, applied).await?;
        if !applied.errors.is_empty() {
            return Ok(());
        }
    }
    for (key, record) in &applied.records {
        if let Some(entry) = inventory.objects.get_mut(key) {
            entry.reference = record.reference.clone();
        }
    }

    let leaving: BTreeMap<_, _> = inventory
        .objects
        .iter()
        .filter(|(key, _)| request.desired.get(key).is_none())
        .map(|(key, entry)| (key.clone(), entry.clone()))
        .collect();
    if !leaving.is_empty() {
        let removal = Removal {
            cluster,
            set,
            // An object whose key alone has changed was applied a moment ago.
            kept: &applied.uids,
            deadline: request.deadline,
            stop,
        };
        let removed = delete_entries(&removal, leaving).await;
        for key in &removed.removed {
            inventory.objects.remove(key);
        }
        applied.removed = removed.removed;
        if !removed.errors.is_empty() {
            applied.errors.extend(removed.errors);
            return Ok(());
        }
    }
    inventory.complete = true;
    write_inventory(cluster, set, &mut inventory).await
}

/// A creation may find a set that was completed when it was killed after its last write; with other objects
/// it is another resource's, and applying would delete them.
fn refuse_complete(
    set: &SetIdentity,
    desired: &DesiredSet,
    before: Option<&Inventory>,
) -> Result<(), EngineError> {
    let Some(before) = before.filter(|before| before.complete) else {
        return Ok(());
    };
    let wanted = desired.iter().map(|(key, _)| key);
    let only_before = before
        .objects
        .keys()
        .filter(|key| desired.get(key).is_none());
    let only_now = wanted.filter(|key| !before.objects.contains_key(*key));
    let different: Vec<_> = only_before.chain(only_now).map(String::as_str).collect();
    if different.is_empty() {
        return Ok(());
    }
    Err(EngineError::SetExists {
        name: set.name.clone(),
        namespace: set.namespace.clone(),
        config_map: set.object_name(),
        difference: some_of(&different),
    })
}

/// The first names of a list, and how many more there are.
pub(crate) fn some_of(names: &[&str]) -> String {
    let shown = names.iter().take(5).copied().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
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
    let work: Vec<_> = objects
        .into_iter()
        .map(|object| {
            let step = Step {
                cluster,
                request,
                object,
                is_known: known.contains(&object.key),
                stop,
            };
            async move { (object, step.run().await) }
        })
        .collect();
    let results: Vec<_> = futures::stream::iter(work)
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    let mut waiting: BTreeMap<ObjectReference, &str> = BTreeMap::new();
    let mut end = None;
    for (object, outcome) in results {
        match outcome {
            Ok(Accepted {
                reference,
                sent,
                live,
            }) => {
                tracing::debug!(key = %object.key, "applied");
                if !readiness(&live).is_ready() {
                    waiting.insert(reference.clone(), &object.addon);
                }
                if let Some(uid) = live.pointer("/metadata/uid").and_then(Value::as_str) {
                    applied.uids.insert(uid.to_owned());
                }
                let record = ObjectRecord::new(reference, &sent, &live, request.salt);
                applied.records.insert(object.key.clone(), record);
            }
            Err(EngineError::Object { source, .. }) if source.is_no_answer() => {
                end = Some(EngineError::Cluster(*source));
            }
            Err(error) if error.is_end_of_run() => end = Some(error),
            Err(error) => applied.errors.push(error),
        }
    }
    if let Some(error) = end {
        return Err(error);
    }
    if !applied.errors.is_empty() || waiting.is_empty() {
        return Ok(());
    }
    let objects = waiting.keys().cloned().collect();
    let outcome = until_ready(cluster, objects, request.deadline, stop).await;
    if stage == Stage::Definitions {
        cluster.forget_discovery().await;
    }
    outcome.map_err(|source| {
        let addon = only_addon(&waiting, &source);
        let what = format!("objects of the stage {} are not ready", stage_name(stage));
        EngineError::wait(what, addon, source)
    })
}

/// The add-on of all culprits, if they have only one.
fn only_addon(addons: &BTreeMap<ObjectReference, &str>, error: &WaitError) -> Option<String> {
    let WaitError::NotReady { culprits, .. } = error else {
        return None;
    };
    let mut found: Vec<_> = culprits
        .iter()
        .filter_map(|culprit| addons.get(&culprit.object).copied())
        .collect();
    found.dedup();
    match found.as_slice() {
        [addon] => Some((*addon).to_owned()),
        _ => None,
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

/// What the API server took.
struct Accepted {
    /// The object's real address.
    reference: ObjectReference,
    /// What was asked for.
    sent: Value,
    /// What the server stored.
    live: Value,
}

/// One object's way into the cluster.
struct Step<'a> {
    cluster: &'a Cluster,
    request: &'a ApplyRequest<'a>,
    object: &'a DesiredObject,
    is_known: bool,
    stop: &'a CancellationToken,
}

impl Step<'_> {
    fn failed(&self, source: Error) -> EngineError {
        EngineError::Object {
            key: self.object.key.clone(),
            addon: self.object.addon.clone(),
            source: Box::new(source),
        }
    }

    /// Applies the object, as often as what is in the way may pass by itself.
    async fn run(&self) -> Result<Accepted, EngineError> {
        let started = Instant::now();
        loop {
            let attempt = self.attempt();
            let outcome = unless_over(self.request.deadline, self.stop, attempt).await?;
            match &outcome {
                Err(EngineError::Object { source, .. })
                    if started.elapsed() < self.patience(source) =>
                {
                    tracing::info!(key = %self.object.key, error = %source, "trying again");
                }
                _ => return outcome,
            }
            let pause = tokio::time::sleep(ASK_AGAIN);
            unless_over(self.request.deadline, self.stop, pause).await?;
        }
    }

    fn patience(&self, error: &Error) -> Duration {
        match error {
            Error::KindNotServed { .. }
            | Error::GroupUnavailable { .. }
            | Error::Api { code: 404, .. }
                if self.object.stage == Stage::CustomResources =>
            {
                SERVED_WITHIN
            }
            error if error.is_webhook_silent() => WEBHOOKS_WITHIN,
            _ => Duration::ZERO,
        }
    }

    async fn attempt(&self) -> Result<Accepted, EngineError> {
        let set = self.request.set;
        let (reference, sent) = self
            .at_its_scope()
            .await
            .map_err(|error| self.failed(error))?;
        let mut signed = sent.clone();
        set.sign(&mut signed);
        if !self.is_known
            && let Some(live) = self.read(&reference).await?
        {
            self.refuse_foreign(&live)?;
        }
        let mut outcome = self.send(&signed, self.request.take_ownership).await;
        if let Err(conflict @ Error::Conflict { .. }) = outcome {
            // On our own objects the configuration wins: this is how drift is repaired.
            match self.read(&reference).await? {
                Some(live) if set.has(&live) => {
                    tracing::info!(key = %self.object.key, conflict = %conflict, "taking fields back");
                    outcome = self.send(&signed, true).await;
                }
                Some(live) => {
                    self.refuse_foreign(&live)?;
                    return Err(self.failed(conflict));
                }
                None => return Err(self.failed(conflict)),
            }
        }
        let live = match outcome {
            Err(Error::Rejected { message, .. }) if self.needs_new_object(&message) => {
                self.replace(&reference, &signed, &message).await?
            }
            // A Job does not run twice.
            Ok(live) if is_failed_job(&reference, &live) => {
                self.replace(&reference, &signed, "the Job has failed")
                    .await?
            }
            other => other.map_err(|error| self.failed(error))?,
        };
        Ok(Accepted {
            reference,
            sent,
            live,
        })
    }

    async fn read(&self, reference: &ObjectReference) -> Result<Option<Value>, EngineError> {
        let live = self.cluster.get(reference).await;
        live.map_err(|error| self.failed(error))
    }

    async fn send(&self, object: &Value, force: bool) -> Result<Value, Error> {
        let options = ApplyOptions {
            field_manager: &self.request.set.field_manager,
            force,
            dry_run: false,
        };
        self.cluster.apply(object, &options).await
    }

    fn refuse_foreign(&self, live: &Value) -> Result<(), EngineError> {
        let (key, addon) = (self.object.key.clone(), self.object.addon.clone());
        match self.request.set.holder(live) {
            Holder::Us => Ok(()),
            Holder::Other(set) => Err(EngineError::OtherSet { key, addon, set }),
            // Adopted, it would be deleted with the set one day, and everything in it.
            Holder::Nobody if self.object.stage == Stage::Namespaces => {
                Err(EngineError::NamespaceExists { key, addon })
            }
            Holder::Nobody if self.request.take_ownership => Ok(()),
            Holder::Nobody => Err(EngineError::ObjectExists { key, addon }),
        }
    }

    /// Whether the server refuses a change as one of a field that cannot change, and the plan has said so.
    fn needs_new_object(&self, message: &str) -> bool {
        const WORDS: [&str; 5] = [
            "immutable",
            "may not be changed",
            "may not change",
            "cannot change",
            "updates to ",
        ];
        let record = self.request.records.get(&self.object.key);
        WORDS.iter().any(|words| message.contains(words))
            && is_replaced(record, self.object, Some(self.request.salt))
    }

    async fn replace(
        &self,
        reference: &ObjectReference,
        signed: &Value,
        reason: &str,
    ) -> Result<Value, EngineError> {
        if let Some(live) = self.read(reference).await? {
            if !self.is_known {
                self.refuse_foreign(&live)?;
            }
            tracing::info!(key = %self.object.key, reason, "made anew");
            let preconditions = Preconditions::same(&live);
            self.cluster
                .delete(reference, propagation(self.object.stage), preconditions)
                .await
                .map_err(|error| self.failed(error))?;
            let targets =
                Targets::from([(reference.clone(), preconditions.uid.map(str::to_owned))]);
            until_gone(self.cluster, targets, self.request.deadline, self.stop)
                .await
                .map_err(|source| {
                    let key = &self.object.key;
                    let addon = Some(self.object.addon.clone());
                    EngineError::wait(format!("{key} is made anew and not gone"), addon, source)
                })?;
        }
        let live = self.send(signed, false).await;
        live.map_err(|error| self.failed(error))
    }

    /// Where the kind's scope was not known at plan time, the server says it now.
    async fn at_its_scope(&self) -> Result<(ObjectReference, Value), Error> {
        let mut reference = self.object.reference.clone();
        let mut sent = self.object.object.clone();
        let scope = self.cluster.scope(&reference.api_version, &reference.kind);
        let metadata = sent.get_mut("metadata").and_then(Value::as_object_mut);
        match scope.await? {
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
}

fn is_failed_job(reference: &ObjectReference, live: &Value) -> bool {
    (reference.group(), reference.kind.as_str()) == ("batch", "Job")
        && matches!(readiness(live), Readiness::Failed(_))
}
