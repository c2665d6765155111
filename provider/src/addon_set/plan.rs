//! Validation and planning. No I/O: Core plans twice and compares.

use std::collections::BTreeMap;

use devopsgenie_bootstrap::plan::{RenderError, changes, render};
use tfplugin::cty::Path;
use tfplugin::diagnostics::{Diagnostic, Diagnostics};
use tfplugin::{AttributeValue, Planned, Private};

use super::memory::{Intent, recall, with_intent};
use super::model::{AddonSetModel, COMPLETE, ConnectionModel, EksModel, map, text, texts};

pub(super) fn validate(config: &AddonSetModel) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    for (name, addon) in config.addons.known().into_iter().flatten() {
        let path = path_of(name);
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
        for (index, manifest) in addon.manifests.known().into_iter().flatten().enumerate() {
            if manifest.is_null() {
                let index = i64::try_from(index).unwrap_or(i64::MAX);
                diagnostics.add_attribute_error(
                    path_of(name).attribute("manifests").index(index),
                    "The manifest is null",
                    format!(
                        "Manifest {index} of the add-on {name:?} is null, which would drop its objects. Take it out of \
                         the list, or give an empty text."
                    ),
                );
            }
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

fn path_of(addon: &str) -> Path {
    Path::root().attribute("addons").key(addon)
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
    // Which cluster it is, no configuration tells; an update never changes it.
    state.cluster_uid = match prior {
        Some(prior) => prior.cluster_uid.clone(),
        None => AttributeValue::Unknown,
    };
    let moved = prior
        .and_then(|prior| prior.kubernetes.known())
        .and_then(|old| may_move(old, &state.kubernetes, region));
    requires_replace.extend(moved);

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
            let mut told = changes(&previous, &records, salt, &desired);
            if prior.is_some() && memory.is_none() {
                // After an import, and when the provider was killed in an update: Core keeps the values of
                // before then and erases the private data.
                for (key, _) in desired.iter() {
                    told.entry(key.clone()).or_insert_with(|| {
                        "apply again (what was applied last is not known)".to_owned()
                    });
                }
            }
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

/// The kind of a connection and which cluster it leads to, as far as its text tells.
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

/// Whether a new connection may lead to another cluster than the old one, and the attribute that says so.
///
/// It does not when anything that only one cluster has is known to be the same: its name, its URL, its
/// certificate authority. What is unknown may become anything, and Core takes no replacement that was not
/// planned the first time; so an unknown counts as another cluster, unless something else tells.
/// Between connections of different kinds nothing can be told; an update compares the clusters themselves.
fn may_move(
    old: &ConnectionModel,
    new: &AttributeValue<ConnectionModel>,
    region: Option<&str>,
) -> Option<Path> {
    let path = Path::root().attribute("kubernetes");
    let Some(new) = new.known() else {
        return new.is_unknown().then_some(path);
    };
    let known_same = |old: &AttributeValue<String>, new: &AttributeValue<String>| {
        let text = |value: &AttributeValue<String>| {
            Some(value.as_str()?.trim().trim_end_matches('/').to_owned())
        };
        text(old).is_some() && text(old) == text(new)
    };
    let (path, is_same) = if let Some(old) = old.eks.known() {
        let in_region = |eks: &EksModel| match &eks.region {
            AttributeValue::Unknown => None,
            own => Some(own.as_str().or(region).unwrap_or("").to_owned()),
        };
        let path = path.attribute("eks");
        match &new.eks {
            AttributeValue::Null => return None,
            AttributeValue::Unknown => (path, false),
            AttributeValue::Known(new) => (
                path,
                known_same(&old.cluster_name, &new.cluster_name)
                    && in_region(new).is_some()
                    && in_region(old) == in_region(new)
                    || known_same(&old.endpoint, &new.endpoint)
                    || known_same(
                        &old.certificate_authority_data,
                        &new.certificate_authority_data,
                    ),
            ),
        }
    } else if let Some(old) = old.kubeconfig.known() {
        let path = path.attribute("kubeconfig");
        match &new.kubeconfig {
            AttributeValue::Null => return None,
            AttributeValue::Unknown => (path, false),
            AttributeValue::Known(new) => (
                path.attribute("config_context"),
                !new.config_context.is_unknown()
                    && text(&old.config_context) == text(&new.config_context),
            ),
        }
    } else {
        let old = old.cluster.known()?;
        let path = path.attribute("cluster");
        match &new.cluster {
            AttributeValue::Null => return None,
            AttributeValue::Unknown => (path, false),
            AttributeValue::Known(new) => (
                path.attribute("host"),
                known_same(&old.host, &new.host)
                    || known_same(&old.cluster_ca_certificate, &new.cluster_ca_certificate),
            ),
        }
    };
    (!is_same).then_some(path)
}

pub(super) fn render_diagnostic(error: &RenderError) -> Diagnostic {
    let mut path = path_of(&error.addon);
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
