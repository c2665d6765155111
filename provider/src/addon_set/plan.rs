//! Validation and planning. No I/O: Core plans twice and compares.

use std::collections::BTreeMap;

use devopsgenie_bootstrap::plan::{RenderError, changes, render};
use tfplugin::cty::Path;
use tfplugin::diagnostics::{Diagnostic, Diagnostics};
use tfplugin::{AttributeValue, Planned, Private};

use super::memory::{Intent, recall, with_intent};
use super::model::{AddonSetModel, COMPLETE, ConnectionModel, map, text, texts};

pub(super) fn validate(config: &AddonSetModel) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for (name, addon) in config.addons.known().into_iter().flatten() {
        let path = Path::root().attribute("addons").key(name.clone());
        let Some(addon) = addon.known() else {
            if addon.is_null() {
                diagnostics.add_attribute_error(
                    path,
                    "The add-on is null",
                    format!("Take {name:?} out of the map, or set enabled = false in it."),
                );
            }
            continue;
        };
        match (&addon.manifests, &addon.baseline) {
            (AttributeValue::Known(_), AttributeValue::Known(_)) => diagnostics
                .add_attribute_error(
                    path.attribute("baseline"),
                    "Conflicting arguments",
                    format!(
                        "The add-on {name:?} has manifests and baseline. Make two add-ons of it."
                    ),
                ),
            (AttributeValue::Null, AttributeValue::Null) => diagnostics.add_attribute_error(
                path,
                "A required argument is missing",
                format!("The add-on {name:?} needs manifests or baseline."),
            ),
            _ => {}
        }
    }
    validate_credentials(config, &mut diagnostics);
    // What can be rendered already is rendered, so that `terraform validate` finds wrong manifests.
    if !diagnostics.has_errors()
        && let Some(inputs) = config.inputs()
        && let Err(errors) = render(&text(&config.name), &inputs)
    {
        diagnostics.extend(errors.iter().map(render_diagnostic));
    }
    diagnostics
}

fn validate_credentials(config: &AddonSetModel, diagnostics: &mut Diagnostics) {
    let Some(cluster) = config
        .kubernetes
        .known()
        .and_then(|connection| connection.cluster.known())
    else {
        return;
    };
    let path = Path::root().attribute("kubernetes").attribute("cluster");
    let given = [
        ("token", !cluster.token.is_null()),
        ("client_certificate", !cluster.client_certificate.is_null()),
        ("exec", !cluster.exec.is_null()),
    ];
    let given: Vec<_> = given
        .into_iter()
        .filter(|(_, is_given)| *is_given)
        .map(|(name, _)| name)
        .collect();
    if given.len() > 1 {
        diagnostics.add_attribute_error(
            path.clone().attribute(given[1]),
            "Conflicting arguments",
            format!(
                "{} are given; the API server takes one way to authenticate.",
                given.join(" and ")
            ),
        );
    }
    if cluster.client_certificate.is_null() != cluster.client_key.is_null() {
        diagnostics.add_attribute_error(
            path.attribute("client_certificate"),
            "Arguments that belong together are incomplete",
            "Set client_certificate and client_key together.",
        );
    }
}

/// Plans a set. The manifests are write-only: only `config` holds them, and a change of theirs is found
/// by comparing what they render to with the digests in the state and the records in the private data.
pub(super) fn plan(
    config: &AddonSetModel,
    prior: Option<&AddonSetModel>,
    proposed: AddonSetModel,
    prior_private: &Private,
    region: Option<&str>,
) -> Result<Planned<AddonSetModel>, Diagnostics> {
    let mut state = proposed;
    let mut requires_replace = Vec::new();
    let cluster = |model: &AddonSetModel| {
        model
            .kubernetes
            .known()
            .and_then(|known| cluster_identity(known, region))
    };

    state.status = COMPLETE.into();
    state.id = match (state.name.as_str(), state.namespace.as_str()) {
        (Some(name), Some(namespace)) => format!("{namespace}/{name}").into(),
        _ => AttributeValue::Unknown,
    };
    state.creation_id = match prior {
        Some(prior) if prior.creation_id.is_known() => prior.creation_id.clone(),
        _ => AttributeValue::Unknown,
    };
    if let Some(prior) = prior
        && let (Some((old_kind, old)), Some((new_kind, new))) = (cluster(prior), cluster(&state))
        && old_kind == new_kind
        && old != new
    {
        requires_replace.push(connection_path(old_kind));
    }

    match config.inputs() {
        None => {
            state.objects = AttributeValue::Unknown;
            state.changes = AttributeValue::Unknown;
        }
        Some(inputs) => {
            let desired = render(&text(&config.name), &inputs).map_err(|errors| {
                errors
                    .iter()
                    .map(render_diagnostic)
                    .collect::<Diagnostics>()
            })?;
            let previous = prior
                .and_then(|prior| texts(&prior.objects))
                .unwrap_or_default();
            let memory = prior.and_then(|_| recall(prior_private));
            let (records, salt) = match &memory {
                Some(memory) => (memory.records.clone(), Some(&memory.salt)),
                None => (BTreeMap::new(), None),
            };
            let told = changes(&previous, &records, salt, &desired);
            state.objects = map(desired.digests());
            state.changes = match prior {
                // Nothing happens to any object: what is in the state stays, to keep the plan small.
                Some(prior) if told.is_empty() && prior.changes.is_known() => prior.changes.clone(),
                // Core compares the state with the plan and would skip an update that repeats the last one
                // word by word, as that of a Secret's value does when nothing was refreshed in between.
                Some(prior)
                    if prior.changes == map(told.clone()) && prior.objects == state.objects =>
                {
                    AttributeValue::Unknown
                }
                _ => map(told),
            };
        }
    }

    let intent = match prior {
        None => Intent::Create {
            name: text(&state.name),
            namespace: text(&state.namespace),
            cluster: cluster(&state).map(|(kind, identity)| format!("{kind}:{identity}")),
        },
        Some(_) => Intent::Update,
    };
    Ok(Planned {
        state,
        requires_replace,
        private: with_intent(prior_private, &intent)?,
        diagnostics: Diagnostics::new(),
    })
}

/// The kind of a connection and which cluster it leads to, as far as its text tells. Between two
/// connections of different kinds nothing can be told; an update then compares the clusters
/// themselves.
pub(super) fn cluster_identity(
    connection: &ConnectionModel,
    region: Option<&str>,
) -> Option<(&'static str, String)> {
    if let Some(eks) = connection.eks.known() {
        if eks.region.is_unknown() {
            return None;
        }
        let region = eks.region.as_str().or(region).unwrap_or("");
        return Some(("eks", format!("{region}/{}", eks.cluster_name.as_str()?)));
    }
    if let Some(file) = connection.kubeconfig.known() {
        return match &file.config_context {
            AttributeValue::Unknown => None,
            context => Some(("kubeconfig", text(context))),
        };
    }
    let cluster = connection.cluster.known()?;
    Some((
        "cluster",
        cluster.host.as_str()?.trim_end_matches('/').to_owned(),
    ))
}

/// The attribute whose change means another cluster.
fn connection_path(kind: &str) -> Path {
    let path = Path::root().attribute("kubernetes").attribute(kind);
    match kind {
        "eks" => path,
        "kubeconfig" => path.attribute("config_context"),
        _ => path.attribute("host"),
    }
}

fn render_diagnostic(error: &RenderError) -> Diagnostic {
    let mut path = Path::root().attribute("addons").key(error.addon.clone());
    if let Some(index) = error.manifest.and_then(|index| i64::try_from(index).ok()) {
        path = path.attribute("manifests").index(index);
    }
    let mut detail = match error.manifest {
        Some(index) => format!(
            "Add-on {}, manifest {index}: {}",
            error.addon, error.problem
        ),
        None => format!("Add-on {}: {}", error.addon, error.problem),
    };
    if !detail.ends_with('.') {
        detail.push('.');
    }
    Diagnostic::error("The add-on cannot be rendered", detail).at(path)
}
