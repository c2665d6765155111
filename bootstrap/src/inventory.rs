//! The inventory: which objects a set has, kept in the cluster, written before the objects.

use std::collections::BTreeMap;

use devopsgenie_kubernetes::{ApplyOptions, Cluster, Error, ObjectReference, Propagation, wait};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::error::EngineError;
use crate::plan::{ADDON_SET_LABEL, DesiredSet, Salt, Stage};

/// The format that this version reads and writes.
const FORMAT: u32 = 1;

/// Label of inventories and of the namespace that was made for them.
const INVENTORY_LABEL: &str = "devopsgenie.dev/inventory";

const DATA_KEY: &str = "inventory.json";

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

    /// Whether a live object carries our label.
    pub(crate) fn has(&self, live: &Value) -> bool {
        set_of(live) == Some(&self.name)
    }
}

/// The set that a live object belongs to.
pub(crate) fn set_of(live: &Value) -> Option<&str> {
    live.pointer("/metadata/labels")?
        .get(ADDON_SET_LABEL)?
        .as_str()
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
        }
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
    let inventory: Inventory =
        serde_json::from_value(value).map_err(|error| broken(error.to_string()))?;
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

pub(crate) async fn write_inventory(
    cluster: &Cluster,
    set: &SetIdentity,
    inventory: &Inventory,
) -> Result<(), EngineError> {
    let text = serde_json::to_string(inventory).unwrap_or_default();
    let object = json!({
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": set.object_name(),
            "namespace": set.namespace,
            "labels": { INVENTORY_LABEL: "true" },
        },
        "data": { DATA_KEY: text },
    });
    let options = ApplyOptions {
        field_manager: &set.field_manager,
        force: true,
        dry_run: false,
    };
    cluster.apply(&object, &options).await?;
    Ok(())
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
        wait::until_gone(cluster, vec![reference], deadline, stop)
            .await
            .map_err(|source| EngineError::Wait {
                what: "the namespace of the inventory is being deleted".to_owned(),
                source,
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

/// Deletes the inventory, and the namespace if it was made for inventories and holds no other.
pub(crate) async fn delete_inventory(
    cluster: &Cluster,
    set: &SetIdentity,
) -> Result<(), EngineError> {
    cluster
        .delete(&set.inventory(), Propagation::Background, None)
        .await?;
    Ok(())
}

/// See [`delete_inventory`]; after the Lease is gone. The end of the deletion is not waited for: the
/// namespace controller takes 5 s and more for each namespace, this one is empty, and [`ensure_namespace`]
/// waits if it is needed again.
pub(crate) async fn delete_empty_namespace(
    cluster: &Cluster,
    set: &SetIdentity,
) -> Result<(), EngineError> {
    let reference = ObjectReference::new("v1", "Namespace", None, &set.namespace);
    let Some(live) = cluster.get(&reference).await? else {
        return Ok(());
    };
    let ours = live
        .pointer("/metadata/labels")
        .and_then(|labels| labels.get(INVENTORY_LABEL))
        .is_some();
    if !ours || live.pointer("/metadata/deletionTimestamp").is_some() {
        return Ok(());
    }
    let options = devopsgenie_kubernetes::ListOptions {
        namespace: Some(&set.namespace),
        ..Default::default()
    };
    // Another set's inventory or its Lease, or anything a person put there, keeps the namespace.
    let others = cluster.list("v1", "ConfigMap", &options).await?;
    let kept = others
        .iter()
        .filter_map(|object| object.pointer("/metadata/name").and_then(Value::as_str))
        .any(|name| name != "kube-root-ca.crt");
    if kept
        || !cluster
            .list("coordination.k8s.io/v1", "Lease", &options)
            .await?
            .is_empty()
    {
        return Ok(());
    }
    let uid = live.pointer("/metadata/uid").and_then(Value::as_str);
    cluster
        .delete(&reference, Propagation::Background, uid)
        .await?;
    Ok(())
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

/// Whether an error says that the cluster's API answered and refused, which an apply reports per
/// object, or that no API answered, which ends it.
pub(crate) fn ends_everything(error: &Error) -> bool {
    error.is_no_answer()
}
