//! Objects as flat maps from path to value: what drift and change texts compare.
//!
//! A path reads like the manifest: `spec.template.spec.containers[name=web].image`,
//! `metadata.labels["app.kubernetes.io/name"]`, `args[0]`. Elements of a list are addressed by the
//! field that tells them apart where there is one, so that an injected sidecar moves nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use devopsgenie_kubernetes::ObjectReference;

/// Values longer than this (JSON text, bytes) are kept as digests.
const LONGEST_VALUE: usize = 160;

/// Objects with more leaves than this are compared in larger pieces.
const MOST_LEAVES: usize = 800;

/// The depth at which a large object is cut into pieces.
const CUT_DEPTH: usize = 4;

/// Fields that tell the elements of a list apart, in the order in which they are tried. They are the
/// merge keys of the built-in types.
const LIST_KEYS: [&str; 8] = [
    "name",
    "containerPort",
    "port",
    "mountPath",
    "devicePath",
    "topologyKey",
    "ip",
    "uid",
];

/// Random bytes that go into the digests of secrets, so that equal secrets have different digests
/// elsewhere and no table made before fits them. It is stored beside the digests: who can read both can
/// still test guesses, and a short secret can be guessed. The digests are there to notice a change; the
/// state has to be protected like the secrets themselves.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Salt(String);

impl Salt {
    /// A salt from random bytes, which the caller gets from the system.
    pub fn new(random: [u8; 16]) -> Self {
        Self(hex(&random))
    }
}

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("(salt)")
    }
}

/// Path to value. A value is JSON text, or `#digest` of a long one, or `!digest` of a secret one
/// (JSON text begins with neither).
pub type Leaves = BTreeMap<String, String>;

/// Path to the live value where it is not the applied one; `None` where the field is gone.
pub type Drift = BTreeMap<String, Option<String>>;

/// What is remembered about an object that was applied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ObjectRecord {
    /// Its address in the cluster.
    pub reference: ObjectReference,
    /// What we asked for.
    pub leaves: Leaves,
    /// Depth at which the object was cut; 0 when it was not.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub depth: usize,
    /// Where the API server stores another value than the one sent (`cpu: 1000m` becomes `1`).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stored: Drift,
    /// What the last Read found changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub drift: Drift,
    /// The last Read did not find the object.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub missing: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes a reference"
)]
fn is_zero(depth: &usize) -> bool {
    *depth == 0
}

impl ObjectRecord {
    /// The record of an object that was just applied; `live` is the API server's answer.
    pub fn new(reference: ObjectReference, desired: &Value, live: &Value, salt: &Salt) -> Self {
        let (leaves, depth) = leaves(desired, Some(salt));
        let mut record = Self {
            reference,
            leaves,
            depth,
            stored: Drift::new(),
            drift: Drift::new(),
            missing: false,
        };
        record.stored = record.differences(live, salt);
        record
    }

    /// The record after a Read. `None`: the object does not exist.
    pub fn observe(&mut self, live: Option<&Value>, salt: &Salt) {
        self.missing = live.is_none();
        self.drift = match live {
            Some(live) => self.differences(live, salt),
            None => Drift::new(),
        };
    }

    /// Whether the cluster differs from what was applied.
    pub fn has_drifted(&self) -> bool {
        self.missing || !self.drift.is_empty()
    }

    /// What the cluster holds now, as far as we own it.
    pub(super) fn current(&self) -> Leaves {
        let mut current = self.leaves.clone();
        for (path, live) in &self.drift {
            match live {
                Some(value) => {
                    current.insert(path.clone(), value.clone());
                }
                None => {
                    current.remove(path);
                }
            }
        }
        current
    }

    fn differences(&self, live: &Value, salt: &Salt) -> Drift {
        let secret = is_secret(live);
        let mut differences = Drift::new();
        for (path, wanted) in &self.leaves {
            let found = lookup(live, path);
            if is_satisfied(wanted, found) {
                continue;
            }
            let found = found.map(|value| leaf(value, path, secret, Some(salt)));
            if found.as_ref() == Some(wanted) || self.stored.get(path) == Some(&found) {
                continue;
            }
            differences.insert(path.clone(), found);
        }
        differences
    }
}

/// An empty map or list asks for nothing: the API server leaves it out, and controllers fill it (`rules` of
/// a ClusterRole with an `aggregationRule`).
fn is_satisfied(wanted: &str, found: Option<&Value>) -> bool {
    matches!(
        (wanted, found),
        ("{}", Some(Value::Object(_) | Value::Null) | None)
            | ("[]", Some(Value::Array(_) | Value::Null) | None)
    )
}

/// The leaves of an object and the depth at which it was cut (0: not). Without a salt the values of a
/// Secret are all alike.
pub(super) fn leaves(object: &Value, salt: Option<&Salt>) -> (Leaves, usize) {
    let whole = leaves_to(object, 0, salt);
    if whole.len() <= MOST_LEAVES {
        (whole, 0)
    } else {
        (leaves_to(object, CUT_DEPTH, salt), CUT_DEPTH)
    }
}

/// The leaves of an object cut at a given depth.
pub(super) fn leaves_to(object: &Value, depth: usize, salt: Option<&Salt>) -> Leaves {
    let mut leaves = Leaves::new();
    let walk = Walk {
        secret: is_secret(object),
        depth,
        salt,
    };
    walk.visit(object, &mut String::new(), 0, &mut leaves);
    // The address is in the key, and never changes.
    for path in ["apiVersion", "kind", "metadata.name", "metadata.namespace"] {
        leaves.remove(path);
    }
    leaves
}

fn is_secret(object: &Value) -> bool {
    object.get("kind").and_then(Value::as_str) == Some("Secret")
        && object.get("apiVersion").and_then(Value::as_str) == Some("v1")
}

struct Walk<'a> {
    secret: bool,
    depth: usize,
    salt: Option<&'a Salt>,
}

impl Walk<'_> {
    fn visit(&self, value: &Value, path: &mut String, level: usize, leaves: &mut Leaves) {
        let cut = self.depth != 0 && level >= self.depth;
        let length = path.len();
        match value {
            // Sent as "no opinion": the API server drops it.
            Value::Null => {}
            Value::Object(fields) if !fields.is_empty() && !cut => {
                for (name, field) in fields {
                    push_name(path, name);
                    self.visit(field, path, level + 1, leaves);
                    path.truncate(length);
                }
            }
            Value::Array(items) if !items.is_empty() && !cut => {
                let key = list_key(items);
                for (index, item) in items.iter().enumerate() {
                    match key.and_then(|key| item.get(key).map(|value| (key, value))) {
                        Some((key, value)) => {
                            path.push_str(&format!("[{key}={}]", selector_text(value)));
                        }
                        None => path.push_str(&format!("[{index}]")),
                    }
                    self.visit(item, path, level + 1, leaves);
                    path.truncate(length);
                }
            }
            // An empty map of labels asks for nothing, and others may add theirs.
            Value::Object(_) if path.starts_with("metadata.") => {}
            _ => {
                leaves.insert(path.clone(), leaf(value, path, self.secret, self.salt));
            }
        }
    }
}

fn leaf(value: &Value, path: &str, secret: bool, salt: Option<&Salt>) -> String {
    let text = canonical(value);
    if secret && (path.starts_with("data") || path.starts_with("stringData")) {
        return match salt {
            Some(Salt(salt)) => format!("!{}", short_digest(&[salt, path, &text])),
            None => "!".to_owned(),
        };
    }
    if text.len() > LONGEST_VALUE {
        return format!("#{}", short_digest(&[&text]));
    }
    text
}

fn short_digest(parts: &[&str]) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part.len().to_be_bytes());
        hasher.update(part.as_bytes());
    }
    hex(&hasher.finalize()[..12])
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// JSON text with sorted keys and without spaces, whatever map type serde_json was built with.
pub(super) fn canonical(value: &Value) -> String {
    match value {
        Value::Object(fields) => {
            let sorted: BTreeMap<_, _> = fields.iter().collect();
            let fields: Vec<_> = sorted
                .into_iter()
                .map(|(name, field)| {
                    format!("{}:{}", Value::String(name.clone()), canonical(field))
                })
                .collect();
            format!("{{{}}}", fields.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(canonical).collect();
            format!("[{}]", items.join(","))
        }
        scalar => scalar.to_string(),
    }
}

/// The first key that all elements have, with values that tell them apart.
fn list_key(items: &[Value]) -> Option<&'static str> {
    LIST_KEYS.into_iter().find(|key| {
        let mut seen = Vec::with_capacity(items.len());
        items.iter().all(|item| match item.get(*key) {
            Some(value @ (Value::String(_) | Value::Number(_))) if !seen.contains(&value) => {
                seen.push(value);
                true
            }
            _ => false,
        })
    })
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && name.bytes().all(|byte| {
            byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-' || byte == b'$'
        })
}

fn push_name(path: &mut String, name: &str) {
    if is_plain(name) {
        if !path.is_empty() {
            path.push('.');
        }
        path.push_str(name);
    } else {
        path.push_str(&format!("[{}]", Value::String(name.to_owned())));
    }
}

/// A selector's value: plain words as they are, others as JSON text.
fn selector_text(value: &Value) -> String {
    match value {
        Value::String(text) if is_plain(text) && text.parse::<i64>().is_err() => text.clone(),
        other => other.to_string(),
    }
}

/// The value at a path in another object.
fn lookup<'a>(object: &'a Value, path: &str) -> Option<&'a Value> {
    let mut current = object;
    let mut rest = path;
    while !rest.is_empty() {
        if let Some(inside) = rest.strip_prefix('[') {
            let end = closing_bracket(inside)?;
            let (step, after) = (&inside[..end], &inside[end + 1..]);
            current = bracket_step(current, step)?;
            rest = after;
        } else {
            let from = rest.strip_prefix('.').unwrap_or(rest);
            let end = from.find(['.', '[']).unwrap_or(from.len());
            current = current.get(&from[..end])?;
            rest = &from[end..];
        }
    }
    Some(current)
}

/// Position of the `]` that ends a step; brackets inside JSON strings do not count.
pub(super) fn closing_bracket(text: &str) -> Option<usize> {
    let mut quoted = false;
    let mut escaped = false;
    for (position, character) in text.char_indices() {
        match character {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ']' if !quoted => return Some(position),
            _ => {}
        }
    }
    None
}

fn bracket_step<'a>(current: &'a Value, step: &str) -> Option<&'a Value> {
    if step.starts_with('"') {
        let name: String = serde_json::from_str(step).ok()?;
        return current.get(&name);
    }
    if let Ok(index) = step.parse::<usize>() {
        return current.get(index);
    }
    let (key, wanted) = step.split_once('=')?;
    current.as_array()?.iter().find(|item| {
        item.get(key)
            .is_some_and(|value| selector_text(value) == wanted)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn salt() -> Salt {
        Salt::new([7; 16])
    }

    #[test]
    fn paths_read_like_the_manifest_and_find_their_value_again() {
        let object = json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "labels": {"app.kubernetes.io/name": "web"}, "annotations": {}},
            "spec": {"replicas": 2, "paused": null, "selector": {}, "template": {"spec": {"containers": [
                {"name": "web", "args": ["a", "b]\""], "ports": [{"containerPort": 80}, {"containerPort": 81}], "env": [{"name": "A.B", "value": "1"}]},
                {"name": "80", "image": "x"},
            ]}}},
        });
        let (leaves, depth) = leaves(&object, None);
        assert_eq!(depth, 0);
        let expected = [
            (r#"metadata.labels["app.kubernetes.io/name"]"#, r#""web""#),
            ("spec.replicas", "2"),
            ("spec.selector", "{}"),
            (
                r#"spec.template.spec.containers[name="80"].image"#,
                r#""x""#,
            ),
            (
                r#"spec.template.spec.containers[name="80"].name"#,
                r#""80""#,
            ),
            ("spec.template.spec.containers[name=web].args[0]", r#""a""#),
            (
                "spec.template.spec.containers[name=web].args[1]",
                r#""b]\"""#,
            ),
            (
                r#"spec.template.spec.containers[name=web].env[name="A.B"].name"#,
                r#""A.B""#,
            ),
            (
                r#"spec.template.spec.containers[name=web].env[name="A.B"].value"#,
                r#""1""#,
            ),
            ("spec.template.spec.containers[name=web].name", r#""web""#),
            (
                "spec.template.spec.containers[name=web].ports[containerPort=80].containerPort",
                "80",
            ),
            (
                "spec.template.spec.containers[name=web].ports[containerPort=81].containerPort",
                "81",
            ),
        ];
        let found: Vec<_> = leaves
            .iter()
            .map(|(path, value)| (path.as_str(), value.as_str()))
            .collect();
        assert_eq!(found, expected);
        for (path, value) in &leaves {
            assert_eq!(
                lookup(&object, path).map(canonical).as_ref(),
                Some(value),
                "{path}"
            );
        }
    }

    #[test]
    fn drift_is_what_differs_from_what_was_stored() {
        let reference = ObjectReference::new("apps/v1", "Deployment", Some("a"), "web");
        let desired = json!({"spec": {"replicas": 2, "cpu": "1000m", "containers": [{"name": "web", "image": "x"}]}});
        let stored = json!({"spec": {"replicas": 2, "cpu": "1", "containers": [{"name": "web", "image": "x", "pull": "Always"}]}});
        let mut record = ObjectRecord::new(reference, &desired, &stored, &salt());

        record.observe(Some(&stored), &salt());
        assert!(!record.has_drifted());

        // A sidecar put in front, as injectors do, is not ours.
        let injected = json!({"spec": {"replicas": 2, "cpu": "1", "containers": [{"name": "proxy"}, {"name": "web", "image": "x"}]}});
        record.observe(Some(&injected), &salt());
        assert_eq!(record.drift, Drift::new());

        let changed = json!({"spec": {"replicas": 5, "cpu": "1", "containers": [{"name": "web"}]}});
        record.observe(Some(&changed), &salt());
        let expected: Drift = [
            ("spec.containers[name=web].image".to_owned(), None),
            ("spec.replicas".to_owned(), Some("5".to_owned())),
        ]
        .into();
        assert_eq!(record.drift, expected);

        record.observe(None, &salt());
        assert!(record.missing && record.has_drifted());
    }

    #[test]
    fn what_is_asked_for_empty_may_be_filled_or_left_out() {
        let desired = json!({"aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]}, "rules": [], "data": {}});
        let reference = ObjectReference::new("v1", "X", None, "x");
        let mut record = ObjectRecord::new(reference, &desired, &desired, &salt());
        let mut live = desired.clone();
        let cases = [
            (json!([{"verbs": ["get"]}]), json!({"k": "v"}), false),
            (Value::Null, Value::Null, false),
            (json!("a text"), json!({}), true),
        ];
        for (rules, data, expected) in cases {
            live["rules"] = rules;
            live["data"] = data;
            record.observe(Some(&live), &salt());
            assert_eq!(record.has_drifted(), expected, "{live}");
        }
    }

    #[test]
    fn secrets_leave_only_salted_digests() {
        let secret = json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "data": {"password": "aHVudGVyMg=="}});
        let reference = ObjectReference::new("v1", "Secret", Some("a"), "s");
        let record = ObjectRecord::new(reference, &secret, &secret, &salt());
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains("aHVudGVyMg"), "{text}");
        let value = &record.leaves["data.password"];
        assert!(value.starts_with('!') && value.len() > 20, "{value}");
        let other = leaves(&secret, Some(&Salt::new([8; 16]))).0;
        assert_ne!(&other["data.password"], value);
    }

    #[test]
    fn large_objects_are_cut() {
        let versions: serde_json::Map<_, _> = (0..1000)
            .map(|n| (format!("p{n}"), json!({"type": "string"})))
            .collect();
        let object = json!({"spec": {"versions": [{"name": "v1", "schema": versions}], "scope": "Namespaced"}});
        let (leaves, depth) = leaves(&object, None);
        assert_eq!(depth, CUT_DEPTH);
        let paths: Vec<_> = leaves.keys().map(String::as_str).collect();
        assert_eq!(
            paths,
            [
                "spec.scope",
                "spec.versions[name=v1].name",
                "spec.versions[name=v1].schema"
            ]
        );
        assert!(leaves["spec.versions[name=v1].schema"].starts_with('#'));
    }
}
