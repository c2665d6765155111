//! Reading and importing.

use std::collections::BTreeMap;

use devopsgenie_bootstrap::{find_inventory, observe};
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;
use tfplugin::{AttributeValue, Context, Imported, ReadRequest, ReadResponse};

use super::connection::{cluster_uid, connect, require_same_cluster};
use super::diagnostics::{from_cluster_error, from_errors};
use super::memory::{keep, recall};
use super::model::{
    AddonSetModel, COMPLETE, ConnectionModel, DEFAULT_FIELD_MANAGER, DEFAULT_NAMESPACE, DRIFTED,
    EksModel, INCOMPLETE, KubeconfigModel, map, texts,
};
use crate::client::Client;

pub(super) async fn read(
    context: &Context<Client>,
    request: ReadRequest<AddonSetModel>,
) -> ReadResponse<AddonSetModel> {
    let mut state = request.state.clone();
    let cluster = match connect(
        &*context.client,
        state.kubernetes.known(),
        None,
        &context.stop,
    )
    .await
    {
        Ok(Some(cluster)) => cluster,
        // What was in a cluster that does not exist any more is gone with it.
        Ok(None) => return ReadResponse::gone(),
        Err(diagnostics) => return ReadResponse::failed(request, diagnostics),
    };
    let found = cluster_uid(&cluster).await;
    if let Err(diagnostics) = require_same_cluster(&state, found.as_deref()) {
        return ReadResponse::failed(request, diagnostics);
    }
    let set = state.identity(context.client.owner());
    let memory = recall(&request.private);
    let records = memory
        .as_ref()
        .map_or_else(BTreeMap::new, |memory| memory.records.clone());
    let generation = state.creation_id.as_str();
    let inventory = match find_inventory(&cluster, &set, &records, generation).await {
        Ok(Some(inventory)) => inventory,
        Ok(None) => return ReadResponse::gone(),
        Err(error) => return ReadResponse::failed(request, from_errors(&[error])),
    };
    let mut diagnostics = Diagnostics::new();
    let mut private = request.private.clone();
    if let Some(mut memory) = memory {
        if let Err(error) = observe(&cluster, &mut memory.records, &memory.salt).await {
            return ReadResponse::failed(request, from_cluster_error(&error).into());
        }
        let mut objects = memory.digests.clone();
        for (key, record) in &memory.records {
            if record.missing {
                objects.remove(key);
            } else if record.has_drifted() {
                objects.insert(key.clone(), DRIFTED.to_owned());
            }
        }
        state.objects = map(objects);
        if inventory.complete {
            memory.half_built = false;
        } else if memory.half_built {
            diagnostics.add_warning(
                format!("The add-on set {} is half-built and will be completed", set.name),
                "Its creation failed, so the plan says that it must be replaced. Nothing that exists is deleted: \
                 the apply keeps it and carries on where the last one ended. (Changing the name or the cluster does \
                 replace it.)",
            );
        }
        match keep(&memory) {
            Ok(kept) => private = kept,
            Err(more) => diagnostics.extend(more),
        }
    } else {
        // After an import, or with a state from elsewhere: what exists is known, its content is not.
        let known = texts(&state.objects).unwrap_or_default();
        let objects: BTreeMap<String, String> = inventory
            .objects
            .keys()
            .map(|key| {
                (
                    key.clone(),
                    known
                        .get(key)
                        .cloned()
                        .unwrap_or_else(|| "imported".to_owned()),
                )
            })
            .collect();
        state.objects = map(objects);
    }
    state.id = format!("{}/{}", set.namespace, set.name).into();
    state.namespace = set.namespace.into();
    state.field_manager = set.field_manager.into();
    state.status = if inventory.complete {
        COMPLETE
    } else {
        INCOMPLETE
    }
    .into();
    state.creation_id = inventory.generation.into();
    if state.cluster_uid.is_null() {
        state.cluster_uid = found.into();
    }
    // The old side of a change prints too, so nothing old is left here.
    state.changes = map(BTreeMap::new());
    if state.addons.is_null() {
        state.addons = AttributeValue::Known(BTreeMap::new());
    }
    ReadResponse {
        state: Some(state),
        private,
        diagnostics,
    }
}

/// `eks/CLUSTER/NAME` or `kubeconfig/CONTEXT/NAME`; a context may hold slashes.
pub(super) fn import(id: &str) -> Result<Imported<AddonSetModel>, Diagnostics> {
    let parts = id
        .split_once('/')
        .and_then(|(kind, rest)| {
            rest.rsplit_once('/')
                .map(|(cluster, name)| (kind, cluster, name))
        })
        .filter(|(_, cluster, name)| !cluster.is_empty() && !name.is_empty());
    let connection = match parts {
        Some(("eks", cluster, _)) => ConnectionModel {
            eks: AttributeValue::Known(EksModel {
                cluster_name: cluster.into(),
                ..EksModel::default()
            }),
            ..ConnectionModel::default()
        },
        Some(("kubeconfig", context, _)) => ConnectionModel {
            kubeconfig: AttributeValue::Known(KubeconfigModel {
                config_context: context.into(),
                ..KubeconfigModel::default()
            }),
            ..ConnectionModel::default()
        },
        _ => {
            return Err(Diagnostics::attribute_error(
                Path::root().attribute("id"),
                "The import id is not understood",
                format!(
                    "{id:?} is neither eks/CLUSTER_NAME/SET_NAME nor kubeconfig/CONTEXT/SET_NAME, such as \
                     eks/platform/base. The set's inventory must be in the namespace {DEFAULT_NAMESPACE}."
                ),
            ));
        }
    };
    Ok(Imported::new(AddonSetModel {
        name: parts.map_or("", |(_, _, name)| name).into(),
        namespace: DEFAULT_NAMESPACE.into(),
        field_manager: DEFAULT_FIELD_MANAGER.into(),
        kubernetes: AttributeValue::Known(connection),
        ..AddonSetModel::default()
    }))
}
