//! From add-ons to the objects of a set.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devopsgenie_kubernetes::{ObjectReference, Scope};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use super::baseline::{BaselineInputs, render_baseline};
use super::leaves::{canonical, hex};
use super::manifest::{ManifestError, Parsed, parse};
use super::scope::{defined_by, scope};
use super::stage::Stage;

/// Label with the name of the set, on every object of it.
pub const ADDON_SET_LABEL: &str = "devopsgenie.dev/addon-set";

/// Label with the name of the add-on.
pub const ADDON_LABEL: &str = "devopsgenie.dev/addon";

/// Annotation that says whose an object is. The apply writes it; see
/// [`SetIdentity`](crate::SetIdentity).
pub const OWNER_ANNOTATION: &str = "devopsgenie.dev/owner";

/// Where an add-on's objects come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddonSource {
    /// YAML texts.
    Manifests(Vec<String>),
    /// The built-in baseline.
    Baseline(BaselineInputs),
}

/// One add-on of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddonInput {
    /// Its name in the set.
    pub name: String,
    /// Namespace of objects that name none.
    pub namespace: Option<String>,
    /// Its objects.
    pub source: AddonSource,
}

/// One object that the set wants in the cluster.
#[derive(Clone, Debug, PartialEq)]
pub struct DesiredObject {
    /// `apps/Deployment/team-a/web`; the core group is left out.
    pub key: String,
    /// Its address.
    pub reference: ObjectReference,
    /// The add-on that brings it.
    pub addon: String,
    /// Whether the kind lives in namespaces; `None` when only the server knows.
    pub scope: Option<Scope>,
    /// When it is applied.
    pub stage: Stage,
    /// What is sent to the API server.
    pub object: Value,
    /// Digest of the object. The values of a Secret are not part of it, only their names: a digest in
    /// the state must not help to guess them.
    pub digest: String,
}

/// All objects of a set, by key.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DesiredSet {
    objects: BTreeMap<String, DesiredObject>,
}

impl DesiredSet {
    /// The objects in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&String, &DesiredObject)> {
        self.objects.iter()
    }

    /// The object of a key.
    pub fn get(&self, key: &str) -> Option<&DesiredObject> {
        self.objects.get(key)
    }

    /// Key to digest.
    pub fn digests(&self) -> BTreeMap<String, String> {
        self.objects
            .iter()
            .map(|(key, object)| (key.clone(), object.digest.clone()))
            .collect()
    }
}

/// Why an add-on cannot be rendered, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}")]
pub struct RenderError {
    /// The add-on.
    pub addon: String,
    /// Index of the manifest in the add-on's list, if one is to blame.
    pub manifest: Option<usize>,
    /// What is wrong and what to do, with document and line.
    pub problem: String,
}

/// Renders all add-ons of a set.
///
/// # Errors
/// Every problem of every add-on, not only the first.
pub fn render(set_name: &str, addons: &[AddonInput]) -> Result<DesiredSet, Vec<RenderError>> {
    let mut errors = Vec::new();
    let mut found: Vec<(&AddonInput, Option<usize>, Parsed)> = Vec::new();
    for addon in addons {
        if let Err(problem) = validate_name(&addon.name) {
            errors.push(error(addon, None, format!("the add-on's name {problem}")));
        }
        match &addon.source {
            AddonSource::Baseline(inputs) => {
                let objects = render_baseline(inputs);
                found.extend(objects.into_iter().map(|object| {
                    let parsed = Parsed {
                        document: 0,
                        line: 0,
                        object,
                    };
                    (addon, None, parsed)
                }));
            }
            AddonSource::Manifests(manifests) => {
                for (index, text) in manifests.iter().enumerate() {
                    match parse(text) {
                        Ok(objects) => found.extend(
                            objects
                                .into_iter()
                                .map(|object| (addon, Some(index), object)),
                        ),
                        Err(problem) => errors.push(error(addon, Some(index), problem.to_string())),
                    }
                }
            }
        }
    }
    let defined = defined_by(found.iter().map(|(_, _, parsed)| &parsed.object));
    let mut set = DesiredSet::default();
    let mut origins: BTreeMap<String, String> = BTreeMap::new();
    for (addon, manifest, parsed) in found {
        let origin = match manifest {
            Some(index) => format!(
                "add-on {}, manifest {index}, document {}",
                addon.name, parsed.document
            ),
            None => format!("add-on {}", addon.name),
        };
        let (document, line) = (parsed.document, parsed.line);
        let located = |problem: String| match manifest {
            Some(_) => ManifestError {
                document,
                line,
                problem,
            }
            .to_string(),
            // What the project renders itself has no line.
            None => problem,
        };
        let object = desired(set_name, addon, parsed.object, &defined)
            .map_err(|problem| error(addon, manifest, located(problem)));
        match object {
            Ok(object) => {
                if let Some(first) = origins.get(&object.key) {
                    errors.push(error(
                        addon,
                        manifest,
                        located(format!(
                            "{} is in the set already ({first}); an object can come from one place only",
                            object.key
                        )),
                    ));
                } else {
                    origins.insert(object.key.clone(), origin);
                    set.objects.insert(object.key.clone(), object);
                }
            }
            Err(problem) => errors.push(problem),
        }
    }
    if errors.is_empty() {
        Ok(set)
    } else {
        Err(errors)
    }
}

fn error(addon: &AddonInput, manifest: Option<usize>, problem: String) -> RenderError {
    RenderError {
        addon: addon.name.clone(),
        manifest,
        problem,
    }
}

/// Checks the name of a set or an add-on: a DNS label, as Kubernetes names are, of at most 40
/// characters, so that names made from it stay within 63.
///
/// # Errors
/// What is wrong, as the end of a sentence that begins with the name's role.
pub fn validate_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() || name.len() > 40 {
        return Err(format!("{name:?} must have 1 to 40 characters"));
    }
    if !name.bytes().all(allowed) || name.starts_with('-') || name.ends_with('-') {
        return Err(format!(
            "{name:?} may have lower-case letters, digits and hyphens only, with a letter or digit at both ends"
        ));
    }
    Ok(())
}

fn desired(
    set_name: &str,
    addon: &AddonInput,
    mut object: Value,
    defined: &BTreeMap<(String, String), Scope>,
) -> Result<DesiredObject, String> {
    let text = |object: &Value, pointer: &str| {
        object
            .pointer(pointer)
            .and_then(Value::as_str)
            .filter(|text| !text.is_empty())
            .map(str::to_owned)
    };
    let kind = text(&object, "/kind")
        .ok_or("kind is missing; every object needs apiVersion, kind and metadata.name")?;
    let api_version = text(&object, "/apiVersion")
        .ok_or_else(|| format!("apiVersion is missing in this {kind}"))?;
    if object.pointer("/metadata/generateName").is_some() {
        return Err(format!(
            "this {kind} uses metadata.generateName, which makes a new object on every apply; give it metadata.name"
        ));
    }
    let name = text(&object, "/metadata/name").ok_or_else(|| {
        format!("metadata.name is missing in this {kind}, or is not a string (quote names that look like numbers)")
    })?;
    let group = api_version
        .split_once('/')
        .map_or("", |(group, _)| group)
        .to_owned();
    let known = scope(&group, &kind, defined);
    let written = text(&object, "/metadata/namespace");
    let namespace = match known {
        Some(Scope::Cluster) => None,
        Some(Scope::Namespaced) => Some(
            written
                .or_else(|| addon.namespace.clone())
                .unwrap_or_else(|| "default".to_owned()),
        ),
        // Most custom resources are namespaced. If the server says otherwise the apply drops it.
        None => written.or_else(|| addon.namespace.clone()),
    };
    check_metadata(&object, &kind, &name)?;
    check_secret(&object, &name)?;
    normalise(&mut object);
    let Some(metadata) = object.get_mut("metadata").and_then(Value::as_object_mut) else {
        return Err(format!("metadata of {kind} {name} is no mapping"));
    };
    match &namespace {
        Some(namespace) => {
            metadata.insert("namespace".to_owned(), json!(namespace));
        }
        None => {
            metadata.remove("namespace");
        }
    }
    let labels = metadata.entry("labels").or_insert_with(|| json!({}));
    if labels.is_null() {
        *labels = json!({});
    }
    let Some(labels) = labels.as_object_mut() else {
        return Err(format!("metadata.labels of {kind} {name} is no mapping"));
    };
    labels.insert(ADDON_SET_LABEL.to_owned(), json!(set_name));
    labels.insert(ADDON_LABEL.to_owned(), json!(addon.name));

    let parts = [
        Some(group.as_str()).filter(|group| !group.is_empty()),
        Some(&kind),
        namespace.as_deref(),
        Some(&name),
    ];
    let key = parts.into_iter().flatten().collect::<Vec<_>>().join("/");
    let digest = digest(&object);
    Ok(DesiredObject {
        key,
        reference: ObjectReference {
            api_version,
            kind: kind.clone(),
            namespace,
            name,
        },
        addon: addon.name.clone(),
        scope: known,
        stage: Stage::of(&group, &kind),
        object,
        digest,
    })
}

fn check_metadata(object: &Value, kind: &str, name: &str) -> Result<(), String> {
    for field in ["labels", "annotations"] {
        let Some(values) = object
            .pointer(&format!("/metadata/{field}"))
            .and_then(Value::as_object)
        else {
            continue;
        };
        if let Some((key, _)) = values.iter().find(|(_, value)| !value.is_string()) {
            return Err(format!(
                "metadata.{field}[{key:?}] of {kind} {name} is not a string; put it in quotes"
            ));
        }
    }
    Ok(())
}

/// The API server quotes the value of a Secret that has the wrong type in its answer; it must never get
/// one.
fn check_secret(object: &Value, name: &str) -> Result<(), String> {
    if !is_secret(object) {
        return Ok(());
    }
    for field in ["data", "stringData"] {
        if object
            .get(field)
            .is_some_and(|data| !data.is_object() && !data.is_null())
        {
            return Err(format!("{field} of Secret {name} is no mapping"));
        }
    }
    let data = object.get("data").and_then(Value::as_object);
    for (key, value) in data.into_iter().flatten() {
        let Some(text) = value.as_str() else {
            return Err(format!(
                "data[{key:?}] of Secret {name} is not a string; put base64 in quotes there, or the plain value \
                 in stringData"
            ));
        };
        // Line breaks are what the API server skips.
        let text: String = text.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
        if STANDARD.decode(text).is_err() {
            return Err(format!(
                "data[{key:?}] of Secret {name} is not base64; plain values belong in stringData"
            ));
        }
    }
    Ok(())
}

fn is_secret(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Secret")
        && object.get("apiVersion").and_then(Value::as_str) == Some("v1")
}

/// Takes out what a manifest copied from a cluster carries and an apply must not send, and puts
/// `stringData` where the API server puts it.
fn normalise(object: &mut Value) {
    let is_secret = is_secret(object);
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    fields.remove("status");
    if let Some(metadata) = fields.get_mut("metadata").and_then(Value::as_object_mut) {
        for server_side in [
            "creationTimestamp",
            "deletionTimestamp",
            "generation",
            "managedFields",
            "resourceVersion",
            "selfLink",
            "uid",
        ] {
            metadata.remove(server_side);
        }
        if let Some(annotations) = metadata
            .get_mut("annotations")
            .and_then(Value::as_object_mut)
        {
            annotations.remove("kubectl.kubernetes.io/last-applied-configuration");
            annotations.remove(OWNER_ANNOTATION);
        }
    }
    if is_secret && let Some(Value::Object(clear)) = fields.remove("stringData") {
        let data = fields
            .entry("data")
            .or_insert_with(|| Value::Object(Map::new()));
        if data.is_null() {
            *data = Value::Object(Map::new());
        }
        if let Some(data) = data.as_object_mut() {
            for (name, value) in clear {
                let text = match value {
                    Value::String(text) => text,
                    other => other.to_string(),
                };
                data.insert(name, Value::String(STANDARD.encode(text)));
            }
        }
    }
}

/// `sha256:…` of the object's canonical JSON; of a Secret without its values.
pub fn digest(object: &Value) -> String {
    let mut object = object.clone();
    if is_secret(&object)
        && let Some(data) = object.get_mut("data").and_then(Value::as_object_mut)
    {
        for value in data.values_mut() {
            *value = Value::Null;
        }
    }
    let hash = Sha256::digest(canonical(&object).as_bytes());
    format!("sha256:{}", hex(&hash[..16]))
}
