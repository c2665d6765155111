//! The inventory: which objects a set has, kept in the cluster, written before the objects.

use std::collections::BTreeMap;

use devopsgenie_kubernetes::{
    ApplyOptions, Cluster, Error, ListOptions, ObjectReference, Preconditions, Propagation, wait,
};
use futures::{StreamExt as _, TryStreamExt as _};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::plan::{
    ADDON_LABEL, ADDON_SET_LABEL, DesiredSet, OWNER_ANNOTATION, Records, Salt, Stage,
};

/// The format that this version reads and writes.
const FORMAT: u32 = 1;

/// Label of inventories and of the namespace that was made for them.
const INVENTORY_LABEL: &str = "devopsgenie.dev/inventory";

/// Annotation of that namespace: who used it last. See [`claim_namespace`].
const USED_BY: &str = "devopsgenie.dev/used-by";

const DATA_KEY: &str = "inventory.json";

const PARALLEL: usize = 8;

/// Which set, and on whose behalf.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SetIdentity {
    /// Name of the set, unique in the cluster.
    pub name: String,
    /// Namespace of the inventory.
    pub namespace: String,
    /// Identity of the Terraform state that has the set.
    pub owner: String,
    /// Field manager of the set's objects.
    pub field_manager: String,
}

impl SetIdentity {
    /// Name of the inventory's ConfigMap and of the Lease.
    pub fn object_name(&self) -> String {
        format!("devopsgenie-addon-set-{}", self.name)
    }

    fn inventory(&self) -> ObjectReference {
        ObjectReference::new(
            "v1",
            "ConfigMap",
            Some(&self.namespace),
            &self.object_name(),
        )
    }

    /// What [`OWNER_ANNOTATION`] says on our objects. The label alone is not enough: two states may have
    /// sets of one name, and so may one state in two inventory namespaces.
    fn ownership(&self) -> String {
        format!("{}/{} {}", self.namespace, self.name, self.owner)
    }

    /// Writes on an object whose it is.
    pub(crate) fn sign(&self, object: &mut Value) {
        let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
            return;
        };
        let annotations = metadata.entry("annotations").or_insert(Value::Null);
        if annotations.is_null() {
            *annotations = json!({});
        }
        annotations[OWNER_ANNOTATION] = json!(self.ownership());
    }

    /// Who has a live object.
    pub(crate) fn holder(&self, live: &Value) -> Holder {
        let text = |pointer: &str, key: &str| live.pointer(pointer)?.get(key)?.as_str();
        let annotation = text("/metadata/annotations", OWNER_ANNOTATION);
        let label = text("/metadata/labels", ADDON_SET_LABEL);
        match (annotation, label) {
            (Some(written), Some(label)) if written == self.ownership() && label == self.name => {
                Holder::Us
            }
            (Some(written), _) if written != self.ownership() => {
                Holder::Other(match written.split_once(' ') {
                    Some((set, owner)) => format!("{set} of {owner:?}"),
                    None => format!("{written:?}"),
                })
            }
            (_, Some(label)) if label != self.name => Holder::Other(format!("{label:?}")),
            _ => Holder::Nobody,
        }
    }

    /// Whether a live object is ours.
    pub(crate) fn has(&self, live: &Value) -> bool {
        self.holder(live) == Holder::Us
    }
}

/// Who has an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Holder {
    /// This set.
    Us,
    /// Another set, as messages name it.
    Other(String),
    /// No set.
    Nobody,
}

/// One object of the inventory.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InventoryEntry {
    /// Its address.
    #[serde(flatten)]
    pub reference: ObjectReference,
    /// The add-on that brought it.
    pub addon: String,
    /// When it is applied; deletion goes the other way round.
    pub stage: Stage,
}

/// What the cluster knows about a set.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// Format of this document.
    format: u32,
    /// Identity of the Terraform state that has the set.
    pub owner: String,
    /// Differs between a set and one made later under its name.
    pub generation: String,
    /// Whether the last apply went through.
    pub complete: bool,
    /// Version of the provider that wrote it.
    provider_version: String,
    /// Every object that exists or may exist, by key.
    pub objects: BTreeMap<String, InventoryEntry>,
    /// `metadata.resourceVersion` of the ConfigMap it was read from: a write by somebody else is noticed.
    #[serde(skip)]
    version: Option<String>,
}

impl Inventory {
    pub(crate) fn new(owner: &str, generation: &str) -> Self {
        Self {
            format: FORMAT,
            owner: owner.to_owned(),
            generation: generation.to_owned(),
            complete: false,
            provider_version: env!("CARGO_PKG_VERSION").to_owned(),
            objects: BTreeMap::new(),
            version: None,
        }
    }

    /// An inventory that takes the place of `before`, with all its objects.
    pub(crate) fn after(before: Option<&Inventory>, owner: &str, generation: &str) -> Self {
        let mut inventory = Self::new(owner, generation);
        if let Some(before) = before {
            inventory.objects.clone_from(&before.objects);
            inventory.version.clone_from(&before.version);
        }
        inventory
    }

    pub(crate) fn add(&mut self, desired: &DesiredSet) {
        for (key, object) in desired.iter() {
            self.objects.insert(
                key.clone(),
                InventoryEntry {
                    reference: object.reference.clone(),
                    addon: object.addon.clone(),
                    stage: object.stage,
                },
            );
        }
    }
}

/// Reads the inventory of a set; `None` when the cluster has none.
///
/// # Errors
/// Another owner's inventory, one of a newer provider, or one that cannot be understood.
pub async fn read_inventory(
    cluster: &Cluster,
    set: &SetIdentity,
) -> Result<Option<Inventory>, EngineError> {
    let Some(live) = cluster.get(&set.inventory()).await? else {
        return Ok(None);
    };
    let broken = |reason: String| EngineError::BrokenInventory {
        namespace: set.namespace.clone(),
        config_map: set.object_name(),
        set: set.name.clone(),
        reason,
    };
    let text = live
        .pointer("/data")
        .and_then(|data| data.get(DATA_KEY))
        .and_then(Value::as_str)
        .ok_or_else(|| broken(format!("it has no key {DATA_KEY}")))?;
    let value: Value = serde_json::from_str(text).map_err(|error| broken(error.to_string()))?;
    let found = value
        .get("format")
        .and_then(Value::as_u64)
        .and_then(|format| u32::try_from(format).ok());
    match found {
        Some(found) if found > FORMAT => {
            return Err(EngineError::NewerInventory {
                config_map: set.object_name(),
                found,
                known: FORMAT,
            });
        }
        _ => {}
    }
    let mut inventory: Inventory =
        serde_json::from_value(value).map_err(|error| broken(error.to_string()))?;
    inventory.version = resource_version(&live);
    if inventory.owner != set.owner {
        return Err(EngineError::OtherOwner {
            name: set.name.clone(),
            namespace: set.namespace.clone(),
            config_map: set.object_name(),
            owner: inventory.owner,
            expected: set.owner.clone(),
        });
    }
    Ok(Some(inventory))
}

/// Reads the inventory of a set, or makes one of the recorded objects that still exist and are ours: a lost
/// ConfigMap must not mean that nobody knows them any more. `None` when there are neither.
///
/// `generation` is that of the state; a recovered inventory is incomplete.
///
/// # Errors
/// Those of [`read_inventory`], and those of reading the objects.
pub async fn find_inventory(
    cluster: &Cluster,
    set: &SetIdentity,
    records: &Records,
    generation: Option<&str>,
) -> Result<Option<Inventory>, EngineError> {
    if let Some(inventory) = read_inventory(cluster, set).await? {
        return Ok(Some(inventory));
    }
    let calls: Vec<_> = records
        .iter()
        .map(|(key, record)| async move {
            let live = cluster.get(&record.reference).await?;
            let entry = live
                .filter(|live| set.has(live))
                .map(|live| InventoryEntry {
                    reference: record.reference.clone(),
                    addon: live
                        .pointer("/metadata/labels")
                        .and_then(|labels| labels.get(ADDON_LABEL))
                        .and_then(Value::as_str)
                        .unwrap_or_default()
                        .to_owned(),
                    stage: Stage::of(record.reference.group(), &record.reference.kind),
                });
            Ok::<_, Error>(entry.map(|entry| (key.clone(), entry)))
        })
        .collect();
    let found: Vec<_> = futures::stream::iter(calls)
        .buffer_unordered(PARALLEL)
        .try_collect()
        .await?;
    let mut inventory = Inventory::new(&set.owner, generation.unwrap_or_default());
    inventory.objects = found.into_iter().flatten().collect();
    if inventory.objects.is_empty() {
        return Ok(None);
    }
    tracing::warn!(set = %set.name, objects = inventory.objects.len(), "the inventory is lost; objects of the set exist");
    Ok(Some(inventory))
}

/// Writes the inventory, if nobody else has since it was read.
pub(crate) async fn write_inventory(
    cluster: &Cluster,
    set: &SetIdentity,
    inventory: &mut Inventory,
) -> Result<(), EngineError> {
    let text = serde_json::to_string(inventory).unwrap_or_default();
    let mut object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": set.object_name(),
            "namespace": set.namespace,
            "labels": { INVENTORY_LABEL: "true" },
        },
        "data": { DATA_KEY: text },
    });
    if let Some(version) = &inventory.version {
        object["metadata"]["resourceVersion"] = json!(version);
    }
    let options = ApplyOptions {
        field_manager: &set.field_manager,
        force: true,
        dry_run: false,
    };
    let written = match cluster.apply(&object, &options).await {
        // A repeated call finds what the first one wrote, if only its answer was lost.
        Err(Error::Changed { .. }) => cluster
            .get(&set.inventory())
            .await?
            .filter(|live| live.get("data") == object.get("data"))
            .ok_or(EngineError::LeaseLost)?,
        other => other?,
    };
    inventory.version = resource_version(&written);
    Ok(())
}

fn resource_version(live: &Value) -> Option<String> {
    live.pointer("/metadata/resourceVersion")
        .and_then(Value::as_str)
        .map(str::to_owned)
}

/// Makes the namespace of the inventory if it is not there; waits for one that is being deleted.
pub(crate) async fn ensure_namespace(
    cluster: &Cluster,
    set: &SetIdentity,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<(), EngineError> {
    let reference = ObjectReference::new("v1", "Namespace", None, &set.namespace);
    if let Some(live) = cluster.get(&reference).await? {
        if live.pointer("/metadata/deletionTimestamp").is_none() {
            return Ok(());
        }
        let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
        let targets = wait::Targets::from([(reference, uid.map(str::to_owned))]);
        wait::until_gone(cluster, targets, deadline, stop)
            .await
            .map_err(|source| {
                EngineError::wait(
                    "the namespace of the inventory is being deleted",
                    None,
                    source,
                )
            })?;
    }
    let object = json!({
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": { "name": set.namespace, "labels": { INVENTORY_LABEL: "true" } },
    });
    // Two sets may come at the same moment; that it exists already is what is wanted.
    cluster.create(&object, &set.field_manager).await?;
    Ok(())
}

/// Writes into a namespace that was made for inventories that it is in use, after the Lease is taken:
/// whoever has found it empty just before can then not delete it. False when its deletion has begun.
pub(crate) async fn claim_namespace(
    cluster: &Cluster,
    set: &SetIdentity,
    holder: &str,
) -> Result<bool, EngineError> {
    let reference = ObjectReference::new("v1", "Namespace", None, &set.namespace);
    loop {
        let Some(mut live) = cluster.get(&reference).await? else {
            return Ok(false);
        };
        if live.pointer("/metadata/deletionTimestamp").is_some() {
            return Ok(false);
        }
        if !is_made_for_inventories(&live) {
            return Ok(true);
        }
        let metadata = &mut live["metadata"];
        if metadata["annotations"].is_null() {
            metadata["annotations"] = json!({});
        }
        metadata["annotations"][USED_BY] = json!(holder);
        match cluster.replace(&live, &set.field_manager).await {
            Ok(_) => return Ok(true),
            Err(Error::Changed { .. }) => {}
            Err(error @ Error::Forbidden { .. }) => {
                tracing::warn!(error = %error, "the namespace of the inventory is not marked as in use");
                return Ok(true);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

fn is_made_for_inventories(namespace: &Value) -> bool {
    namespace
        .pointer("/metadata/labels")
        .and_then(|labels| labels.get(INVENTORY_LABEL))
        .is_some()
}

/// Deletes the inventory.
pub(crate) async fn delete_inventory(
    cluster: &Cluster,
    set: &SetIdentity,
) -> Result<(), EngineError> {
    cluster
        .delete(
            &set.inventory(),
            Propagation::Background,
            Preconditions::default(),
        )
        .await?;
    Ok(())
}

/// Deletes the namespace of inventories, after the Lease is gone, if it was made for them and holds nothing
/// but what Kubernetes puts there. What cannot be listed may be there, and keeps it.
///
/// The end of the deletion is not waited for: the namespace controller takes 5 s and more for each
/// namespace, this one is empty, and [`ensure_namespace`] waits if it is needed again.
pub(crate) async fn delete_empty_namespace(
    cluster: &Cluster,
    set: &SetIdentity,
) -> Result<(), EngineError> {
    let reference = ObjectReference::new("v1", "Namespace", None, &set.namespace);
    let Some(live) = cluster.get(&reference).await? else {
        return Ok(());
    };
    if !is_made_for_inventories(&live) || live.pointer("/metadata/deletionTimestamp").is_some() {
        return Ok(());
    }
    match first_object(cluster, &set.namespace).await {
        Ok(None) => {}
        Ok(Some(object)) => {
            tracing::warn!(namespace = %set.namespace, object = %object, "the namespace of the inventory is kept: it is not empty");
            return Ok(());
        }
        Err(error) if error.is_no_answer() => return Err(error.into()),
        Err(error) => {
            tracing::warn!(namespace = %set.namespace, error = %error, "the namespace of the inventory is kept: what it holds cannot be listed");
            return Ok(());
        }
    }
    match cluster
        .delete(
            &reference,
            Propagation::Background,
            Preconditions::unchanged(&live),
        )
        .await
    {
        // Another set has come.
        Ok(_) | Err(Error::Changed { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// An object in a namespace that Kubernetes itself did not put there.
async fn first_object(
    cluster: &Cluster,
    namespace: &str,
) -> Result<Option<ObjectReference>, Error> {
    let kinds = cluster.namespaced_kinds().await?;
    let calls: Vec<_> = kinds
        .into_iter()
        // Events tell of other objects.
        .filter(|(_, kind)| kind != "Event")
        .map(|(api_version, kind)| async move {
            let options = ListOptions {
                namespace: Some(namespace),
                ..ListOptions::default()
            };
            cluster.list(&api_version, &kind, &options).await
        })
        .collect();
    let mut lists = futures::stream::iter(calls).buffer_unordered(PARALLEL);
    while let Some(objects) = lists.try_next().await? {
        let found = objects
            .iter()
            .filter_map(ObjectReference::of)
            .find(|object| {
                !matches!(
                    (object.kind.as_str(), object.name.as_str()),
                    ("ConfigMap", "kube-root-ca.crt") | ("ServiceAccount", "default")
                )
            });
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// A random identifier of 16 hexadecimal digits.
///
/// # Errors
/// The system gives no randomness.
pub fn new_identifier() -> Result<String, EngineError> {
    let bytes: [u8; 8] = random()?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A salt for the digests of secrets.
///
/// # Errors
/// The system gives no randomness.
pub fn new_salt() -> Result<Salt, EngineError> {
    Ok(Salt::new(random()?))
}

fn random<const N: usize>() -> Result<[u8; N], EngineError> {
    let mut bytes = [0; N];
    aws_lc_rs::rand::fill(&mut bytes).map_err(|_| EngineError::NoRandomness)?;
    Ok(bytes)
}
