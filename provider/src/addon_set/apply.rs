//! Create, update and delete.

use std::collections::BTreeMap;

use devopsgenie_bootstrap::plan::{DesiredSet, changes, render};
use devopsgenie_bootstrap::{
    ApplyRequest, Generation, RemoveRequest, apply, new_identifier, new_salt, read_inventory,
    remove,
};
use devopsgenie_kubernetes::Cluster;
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{Applied, Context, Deleted, PlannedCreate, PlannedDelete, PlannedUpdate, Private};

use super::connection::{cluster_uid, connect, require_same_cluster};
use super::diagnostics::from_errors;
use super::memory::{Intent, Memory, intent, keep, recall};
use super::model::{AddonSetModel, COMPLETE, INCOMPLETE, map, text, texts};
use super::plan::{cluster_identity, render_diagnostic};
use crate::client::Client;

pub(super) async fn create(
    context: &Context<Client>,
    planned: PlannedCreate<AddonSetModel>,
) -> Applied<AddonSetModel> {
    let mut model = planned.planned;
    let prepared = async {
        let desired = desired(&planned.config)?;
        // The cluster may have been made a moment ago, in the same apply.
        let cluster = reach(context, &model, Some(context.deadline)).await?;
        let generation = new_identifier().map_err(|error| from_errors(&[error]))?;
        let salt = new_salt().map_err(|error| from_errors(&[error]))?;
        Ok::<_, Diagnostics>((desired, cluster, generation, salt))
    };
    let (desired, cluster, generation, salt) = match prepared.await {
        Ok(prepared) => prepared,
        Err(diagnostics) => return Applied::failed(diagnostics),
    };
    model.cluster_uid = cluster_uid(&cluster).await.into();
    let memory = Memory {
        salt,
        records: BTreeMap::new(),
        digests: BTreeMap::new(),
        half_built: true,
    };
    run(
        context,
        &cluster,
        model,
        &desired,
        Generation::New(generation),
        memory,
        BTreeMap::new(),
    )
    .await
}

pub(super) async fn update(
    context: &Context<Client>,
    planned: PlannedUpdate<AddonSetModel>,
) -> Applied<AddonSetModel> {
    let model = planned.planned;
    let prepared = async {
        let desired = desired(&planned.config)?;
        let cluster = reach(context, &model, None).await?;
        require_same_cluster(&planned.prior, cluster_uid(&cluster).await.as_deref())?;
        let memory = match recall(&planned.private) {
            Some(memory) => memory,
            None => Memory {
                salt: new_salt().map_err(|error| from_errors(&[error]))?,
                records: BTreeMap::new(),
                digests: BTreeMap::new(),
                half_built: false,
            },
        };
        Ok::<_, Diagnostics>((desired, cluster, memory))
    };
    let (desired, cluster, memory) = match prepared.await {
        Ok(prepared) => prepared,
        Err(diagnostics) => return Applied::failed(diagnostics),
    };
    let generation = Generation::Keep(text(&planned.prior.creation_id));
    let before = texts(&planned.prior.objects).unwrap_or_default();
    run(
        context, &cluster, model, &desired, generation, memory, before,
    )
    .await
}

async fn run(
    context: &Context<Client>,
    cluster: &Cluster,
    mut model: AddonSetModel,
    desired: &DesiredSet,
    generation: Generation,
    mut memory: Memory,
    before: BTreeMap<String, String>,
) -> Applied<AddonSetModel> {
    let set = model.identity(context.client.owner());
    let applied = apply(
        cluster,
        ApplyRequest {
            set: &set,
            desired,
            generation,
            salt: &memory.salt,
            records: &memory.records,
            take_ownership: model.take_ownership.known() == Some(&true),
            deadline: context.deadline,
            stop: context.stop.clone(),
        },
    )
    .await;
    let Some(generation) = applied.generation.clone() else {
        return Applied::failed(from_errors(&applied.errors));
    };
    if model.changes.is_unknown() {
        model.changes = map(changes(
            &before,
            &memory.records,
            Some(&memory.salt),
            desired,
        ));
    }
    let is_complete = applied.is_complete();
    let mut objects = before;
    for (key, record) in applied.records {
        if let Some(object) = desired.get(&key) {
            objects.insert(key.clone(), object.digest.clone());
            memory.digests.insert(key.clone(), object.digest.clone());
        }
        memory.records.insert(key, record);
    }
    for key in &applied.removed {
        objects.remove(key);
        memory.digests.remove(key);
        memory.records.remove(key);
    }
    if is_complete {
        objects = desired.digests();
        memory.digests = desired.digests();
        memory.records.retain(|key, _| desired.get(key).is_some());
        memory.half_built = false;
    }
    model.objects = map(objects);
    model.status = if is_complete { COMPLETE } else { INCOMPLETE }.into();
    model.creation_id = generation.into();
    model.id = format!("{}/{}", set.namespace, set.name).into();
    let mut diagnostics = from_errors(&applied.errors);
    let private = keep(&memory).unwrap_or_else(|more| {
        diagnostics.extend(more);
        Private::new()
    });
    Applied::partial(model, private, diagnostics)
}

pub(super) async fn delete(
    context: &Context<Client>,
    planned: PlannedDelete<AddonSetModel>,
) -> Deleted<AddonSetModel> {
    let prior = planned.prior;
    let cluster = match connect(
        &*context.client,
        prior.kubernetes.known(),
        None,
        &context.stop,
    )
    .await
    {
        Ok(Some(cluster)) => cluster,
        Ok(None) => return Deleted::gone(),
        Err(diagnostics) => return Deleted::failed(diagnostics),
    };
    let found = cluster_uid(&cluster).await;
    if let Err(diagnostics) = require_same_cluster(&prior, found.as_deref()) {
        return Deleted::failed(diagnostics);
    }
    let set = prior.identity(context.client.owner());
    let generation = prior.creation_id.as_str();
    if is_resumed(&prior, &planned.private, context.client.region()) {
        match read_inventory(&cluster, &set).await {
            Ok(Some(inventory))
                if !inventory.complete && generation == Some(inventory.generation.as_str()) =>
            {
                tracing::info!(set = %set.name, "the half-built set is kept; the creation carries on with it");
                return Deleted::gone();
            }
            Ok(_) => {}
            Err(error) => return Deleted::failed(from_errors(&[error])),
        }
    }
    let memory = recall(&planned.private);
    let request = RemoveRequest {
        set: &set,
        generation,
        records: &memory
            .as_ref()
            .map_or_else(BTreeMap::new, |memory| memory.records.clone()),
        deadline: context.deadline,
        stop: context.stop.clone(),
    };
    let removed = remove(&cluster, request).await;
    if removed.errors.is_empty() {
        return Deleted::gone();
    }
    // What is gone leaves the state; the inventory in the cluster knows the rest.
    let mut remaining = prior;
    let mut objects = texts(&remaining.objects).unwrap_or_default();
    objects.retain(|key, _| !removed.removed.contains(key));
    let has_begun = !removed.removed.is_empty();
    remaining.objects = map(objects);
    if has_begun {
        remaining.status = INCOMPLETE.into();
    }
    let private = match memory {
        Some(mut memory) => {
            memory
                .records
                .retain(|key, _| !removed.removed.contains(key));
            memory
                .digests
                .retain(|key, _| !removed.removed.contains(key));
            keep(&memory).unwrap_or(planned.private)
        }
        None => planned.private,
    };
    Deleted::partial(remaining, private, from_errors(&removed.errors))
}

/// Whether this is the delete half of a replacement that makes the same set in the same cluster again:
/// what Core plans for a set whose creation failed.
fn is_resumed(prior: &AddonSetModel, private: &Private, region: Option<&str>) -> bool {
    let Some(Intent::Create {
        name,
        namespace,
        cluster,
    }) = intent(private)
    else {
        return false;
    };
    let before = prior
        .kubernetes
        .known()
        .and_then(|connection| cluster_identity(connection, region))
        .map(|(kind, identity)| format!("{kind}:{identity}"));
    before.is_some()
        && before == cluster
        && name == text(&prior.name)
        && namespace == text(&prior.namespace)
}

fn desired(config: &AddonSetModel) -> Result<DesiredSet, Diagnostics> {
    let inputs = config.inputs().ok_or_else(|| {
        Diagnostics::error(
            "The add-ons are not known",
            "Something in addons is still unknown during apply. This is a bug in the provider; please report it.",
        )
    })?;
    render(&text(&config.name), &inputs)
        .map_err(|errors| errors.iter().map(render_diagnostic).collect())
}

async fn reach(
    context: &Context<Client>,
    model: &AddonSetModel,
    patient_until: Option<tokio::time::Instant>,
) -> Result<Cluster, Diagnostics> {
    let connection = model.kubernetes.known();
    match connect(&*context.client, connection, patient_until, &context.stop).await? {
        Some(cluster) => Ok(cluster),
        None => Err(Diagnostics::attribute_error(
            Path::root()
                .attribute("kubernetes")
                .attribute("eks")
                .attribute("cluster_name"),
            "The EKS cluster does not exist",
            "There is no cluster with this name in this region and account. Correct cluster_name or region, or \
             create the cluster first; a reference to devopsgenie_cluster.NAME.name does both in one apply.",
        )),
    }
}
