//! What a plan says about each object.

use std::collections::BTreeMap;

use super::immutable::{is_immutable, may_be_replaced};
use super::leaves::{Leaves, ObjectRecord, Salt, leaves_to};
use super::set::{DesiredObject, DesiredSet};

/// Fields that a text names before it says "and N more".
const FIELDS_TOLD: usize = 8;

/// Characters of one value in a text.
const VALUE_TOLD: usize = 60;

/// Key to record, as kept in the private state.
pub type Records = BTreeMap<String, ObjectRecord>;

/// Key to text for every object that an apply would create, change or delete. Empty when nothing would
/// change.
///
/// `previous` are the digests in the state, which Read has taken the drifted and missing objects out
/// of; `records` and `salt` come from the private state and may be missing (after an import), in which
/// case a change is told without its fields.
pub fn changes(
    previous: &BTreeMap<String, String>,
    records: &Records,
    salt: Option<&Salt>,
    desired: &DesiredSet,
) -> BTreeMap<String, String> {
    let mut changes = BTreeMap::new();
    for (key, object) in desired.iter() {
        let record = records.get(key);
        match (previous.get(key), record) {
            (_, Some(record)) if record.missing => {
                changes.insert(
                    key.clone(),
                    "create (it was deleted outside of Terraform)".to_owned(),
                );
            }
            (None, _) => {
                changes.insert(key.clone(), "create".to_owned());
            }
            (Some(digest), record) => {
                let fields = record.map(|record| field_changes(record, object, salt));
                match fields {
                    Some(fields) if !fields.is_empty() => {
                        changes.insert(key.clone(), told(&fields));
                    }
                    _ if *digest != object.digest => {
                        changes.insert(key.clone(), "update".to_owned());
                    }
                    _ => {}
                }
            }
        }
    }
    for key in previous.keys().filter(|key| desired.get(key).is_none()) {
        changes.insert(key.clone(), "delete".to_owned());
    }
    changes
}

/// Whether the object has to be made anew, because a field changes that the API server does not let
/// change. Without a record only the kind tells whether that may be.
pub fn is_replaced(
    record: Option<&ObjectRecord>,
    object: &DesiredObject,
    salt: Option<&Salt>,
) -> bool {
    match record {
        Some(record) => field_changes(record, object, salt)
            .iter()
            .any(|change| change.is_immutable),
        None => may_be_replaced(object.reference.group(), &object.reference.kind),
    }
}

struct FieldChange {
    text: String,
    is_immutable: bool,
}

fn told(fields: &[FieldChange]) -> String {
    let (fixed, free): (Vec<_>, Vec<_>) = fields.iter().partition(|change| change.is_immutable);
    let is_replaced = !fixed.is_empty();
    let texts: Vec<_> = fixed
        .into_iter()
        .chain(free)
        .map(|change| change.text.as_str())
        .collect();
    let mut text = bounded(&texts);
    if is_replaced {
        text.insert_str(0, "replace: ");
    }
    text
}

fn field_changes(
    record: &ObjectRecord,
    object: &DesiredObject,
    salt: Option<&Salt>,
) -> Vec<FieldChange> {
    let (group, kind) = (object.reference.group(), object.reference.kind.as_str());
    let wanted: Leaves = leaves_to(&object.object, record.depth, salt);
    let current = record.current();
    let mut changes = Vec::new();
    let paths: std::collections::BTreeSet<_> = current.keys().chain(wanted.keys()).collect();
    for path in paths {
        let (old, new) = (current.get(path), wanted.get(path));
        if old == new {
            continue;
        }
        let is_secret = [old, new]
            .into_iter()
            .flatten()
            .any(|value| value.starts_with('!'));
        let is_digest = [old, new]
            .into_iter()
            .flatten()
            .any(|value| value.starts_with('#'));
        let mut text = match (old, new) {
            _ if is_secret => format!("{path}: (sensitive value {})", verb(old, new)),
            _ if is_digest => format!("{path}: (long value {})", verb(old, new)),
            (Some(old), Some(new)) => format!("{path}: {} -> {}", shown(old), shown(new)),
            (None, Some(new)) => format!("{path}: added {}", shown(new)),
            (Some(old), None) => format!("{path}: removed (was {})", shown(old)),
            (None, None) => continue,
        };
        if record.drift.contains_key(path) {
            text.push_str(" (changed outside of Terraform)");
        }
        changes.push(FieldChange {
            text,
            is_immutable: is_immutable(group, kind, path, &current),
        });
    }
    changes
}

fn verb(old: Option<&String>, new: Option<&String>) -> &'static str {
    match (old, new) {
        (None, _) => "added",
        (_, None) => "removed",
        _ => "changed",
    }
}

fn shown(value: &str) -> String {
    if value.chars().count() <= VALUE_TOLD {
        return value.to_owned();
    }
    let mut text: String = value.chars().take(VALUE_TOLD).collect();
    text.push('…');
    text
}

fn bounded(fields: &[&str]) -> String {
    let mut text = fields
        .iter()
        .take(FIELDS_TOLD)
        .copied()
        .collect::<Vec<_>>()
        .join("; ");
    if fields.len() > FIELDS_TOLD {
        text.push_str(&format!("; and {} more fields", fields.len() - FIELDS_TOLD));
    }
    text
}
