//! What Core proposes as the new state: `ProposedNew` of hashicorp/terraform
//! `internal/plans/objchange/objchange.go`.

use std::collections::BTreeMap;

use crate::cty::Value;
use crate::plan::walk::part;
use crate::schema::{Attribute, Block, BlockNesting, Members, Nesting};

const NULL: &Value = &Value::Null;

/// Merges the prior state into the configuration: computed values that are not configured keep
/// what they had.
pub(super) fn proposed_new(members: Members<'_>, prior: &Value, config: &Value) -> Value {
    if !matches!(config, Value::Object(_)) {
        return if config.is_null() && prior.is_null() {
            Value::Null
        } else {
            prior.clone()
        };
    }
    let mut values: BTreeMap<String, Value> = attributes(members.attributes, prior, config);
    for (name, block) in members.blocks {
        let (prior, config) = (part(Some(prior), name), part(Some(config), name));
        values.insert(name.clone(), nested_block(block, prior, config));
    }
    Value::Object(values)
}

fn attributes(
    attributes: &BTreeMap<String, Attribute>,
    prior: &Value,
    config: &Value,
) -> BTreeMap<String, Value> {
    attributes
        .iter()
        .map(|(name, attribute)| {
            let (prior, config) = (part(Some(prior), name), part(Some(config), name));
            (name.clone(), one_attribute(attribute, prior, config))
        })
        .collect()
}

fn one_attribute(attribute: &Attribute, prior: &Value, config: &Value) -> Value {
    if attribute.computed && config.is_null() {
        return if was_configured(attribute, prior) {
            config.clone()
        } else {
            prior.clone()
        };
    }
    match attribute.nested_attributes() {
        None => config.clone(),
        Some((nesting, nested)) => {
            let kind = match nesting {
                Nesting::Single => BlockNesting::Single,
                Nesting::List => BlockNesting::List,
                Nesting::Set => BlockNesting::Set,
                Nesting::Map => BlockNesting::Map,
            };
            collection(kind, Members::of_attributes(nested), prior, config)
        }
    }
}

fn nested_block(block: &Block, prior: &Value, config: &Value) -> Value {
    collection(block.nesting, block.members(), prior, config)
}

fn collection(nesting: BlockNesting, members: Members<'_>, prior: &Value, config: &Value) -> Value {
    match (nesting, config) {
        (BlockNesting::Single | BlockNesting::Group, Value::Object(_)) => {
            proposed_new(members, prior, config)
        }
        (BlockNesting::List, Value::List(elements)) => {
            Value::list(elements.iter().enumerate().map(|(index, config)| {
                let prior = prior
                    .as_elements()
                    .and_then(|elements| elements.get(index))
                    .unwrap_or(NULL);
                proposed_new(members, prior, config)
            }))
        }
        (BlockNesting::Map, Value::Map(entries)) => {
            Value::map(entries.iter().map(|(key, config)| {
                let prior = prior
                    .as_entries()
                    .and_then(|entries| entries.get(key))
                    .unwrap_or(NULL);
                (key.as_str(), proposed_new(members, prior, config))
            }))
        }
        (BlockNesting::Set, Value::Set(elements)) => {
            let mut before: Vec<&Value> = prior
                .as_elements()
                .map(|elements| elements.iter().collect())
                .unwrap_or_default();
            Value::set(elements.iter().map(|config| {
                let found = before
                    .iter()
                    .position(|prior| could_be_prior(members, prior, config));
                let prior = found.map_or(NULL, |index| before.remove(index));
                proposed_new(members, prior, config)
            }))
        }
        _ => config.clone(),
    }
}

/// Whether a value of an optional and computed nested attribute holds anything that only a
/// configuration can have set.
fn was_configured(attribute: &Attribute, prior: &Value) -> bool {
    if !attribute.optional {
        return false;
    }
    let Some((_, nested)) = attribute.nested_attributes() else {
        return false;
    };
    objects(prior).into_iter().any(|object| {
        nested.iter().any(|(name, attribute)| {
            let value = part(Some(object), name);
            !value.is_null() && (!attribute.computed || was_configured_within(attribute, value))
        })
    })
}

fn was_configured_within(attribute: &Attribute, value: &Value) -> bool {
    attribute.nested_attributes().is_some_and(|(_, nested)| {
        objects(value).into_iter().any(|object| {
            nested.iter().any(|(name, attribute)| {
                let value = part(Some(object), name);
                !value.is_null() && (!attribute.computed || was_configured_within(attribute, value))
            })
        })
    })
}

/// The objects of a nested attribute.
fn objects(value: &Value) -> Vec<&Value> {
    match value {
        Value::Object(_) => vec![value],
        Value::List(elements) | Value::Set(elements) => elements.iter().collect(),
        Value::Map(entries) => entries.values().collect(),
        _ => Vec::new(),
    }
}

/// Whether a prior set element is the configured one with computed values filled in
/// (`validPriorFromConfig`). Core cannot look into sets inside it: those must be equal.
fn could_be_prior(members: Members<'_>, prior: &Value, config: &Value) -> bool {
    if prior == config {
        return true;
    }
    let (Value::Object(_), Value::Object(_)) = (prior, config) else {
        return false;
    };
    members.attributes.iter().all(|(name, attribute)| {
        let (prior, config) = (part(Some(prior), name), part(Some(config), name));
        match attribute.nested_attributes() {
            _ if prior == config => true,
            Some((_, nested)) => {
                objects_could_be_prior(Members::of_attributes(nested), prior, config)
            }
            None => attribute.computed && config.is_null(),
        }
    }) && members.blocks.iter().all(|(name, block)| {
        let (prior, config) = (part(Some(prior), name), part(Some(config), name));
        prior == config || objects_could_be_prior(block.members(), prior, config)
    })
}

/// Core goes by the prior elements alone, so that it also takes a list or map for the former self
/// of a longer one, and proposes the computed values of another set element. That is left out here,
/// as no provider can do anything about it.
fn objects_could_be_prior(members: Members<'_>, prior: &Value, config: &Value) -> bool {
    match (prior, config) {
        (Value::Object(_), Value::Object(_)) => could_be_prior(members, prior, config),
        (Value::List(prior), Value::List(config)) => {
            prior.len() == config.len()
                && prior
                    .iter()
                    .zip(config)
                    .all(|(prior, config)| could_be_prior(members, prior, config))
        }
        (Value::Map(prior), Value::Map(config)) => {
            prior.len() == config.len()
                && prior.iter().all(|(key, prior)| {
                    config
                        .get(key)
                        .is_some_and(|config| could_be_prior(members, prior, config))
                })
        }
        _ => false,
    }
}
