//! Attribute values: what is planned for them, and plain collections as attributes.

use std::collections::{BTreeMap, BTreeSet};

use tfplugin::{AttributeValue, Set};

/// A map attribute.
pub type Map<T> = AttributeValue<BTreeMap<String, AttributeValue<T>>>;
/// A set of texts.
pub type Texts = AttributeValue<Set<String>>;

/// The configured value, else the one of before, else unknown.
pub fn settle<T: Clone>(
    config: &AttributeValue<T>,
    prior: Option<&AttributeValue<T>>,
) -> AttributeValue<T> {
    match (config, prior) {
        (AttributeValue::Null, Some(AttributeValue::Known(prior))) => {
            AttributeValue::Known(prior.clone())
        }
        (AttributeValue::Null, _) => AttributeValue::Unknown,
        (config, _) => config.clone(),
    }
}

/// The value of before; unknown when there is none.
pub fn keep<T: Clone>(prior: Option<&AttributeValue<T>>) -> AttributeValue<T> {
    settle(&AttributeValue::Null, prior)
}

/// Whether both are known and differ.
pub fn differs<T: PartialEq>(one: &AttributeValue<T>, other: &AttributeValue<T>) -> bool {
    matches!((one, other), (AttributeValue::Known(one), AttributeValue::Known(other)) if one != other)
}

/// The known texts of a set.
pub fn texts(value: &Texts) -> BTreeSet<String> {
    value
        .known()
        .map(|set| set.known().cloned().collect())
        .unwrap_or_default()
}

/// A set attribute; absent when it is empty and was absent.
pub fn set(items: &BTreeSet<String>, was: &Texts) -> Texts {
    if items.is_empty() && was.is_null() {
        AttributeValue::Null
    } else {
        AttributeValue::Known(items.iter().cloned().collect())
    }
}

/// The known entries of a map; a null value counts as empty.
pub fn strings(value: &Map<String>) -> BTreeMap<String, String> {
    value
        .known()
        .into_iter()
        .flatten()
        .map(|(key, value)| (key.clone(), value.as_str().unwrap_or_default().to_owned()))
        .collect()
}

/// A map attribute; absent when it is empty and was absent.
pub fn map(entries: BTreeMap<String, String>, was: &Map<String>) -> Map<String> {
    if entries.is_empty() && was.is_null() {
        AttributeValue::Null
    } else {
        known_map(entries)
    }
}

/// A known map attribute.
pub fn known_map(entries: BTreeMap<String, String>) -> Map<String> {
    AttributeValue::Known(
        entries
            .into_iter()
            .map(|(key, value)| (key, value.into()))
            .collect(),
    )
}
