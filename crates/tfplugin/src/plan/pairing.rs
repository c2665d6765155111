//! Pairs the elements of sets, which have no key: by what could have come from what.

use crate::cty::Value;
use crate::plan::walk::part;
use crate::schema::{Attribute, Members};

/// Takes the first configured element that `element` could come from.
pub(crate) fn find_source<'a>(
    members: Members<'_>,
    configured: &mut Vec<&'a Value>,
    element: &Value,
) -> Option<&'a Value> {
    let index = configured
        .iter()
        .position(|config| could_come_from(members, config, element))?;
    Some(configured.remove(index))
}

/// Takes the first prior element that is the same but for computed values.
pub(crate) fn find_prior<'a>(
    members: Members<'_>,
    before: &mut Vec<&'a Value>,
    element: &Value,
) -> Option<&'a Value> {
    let index = before
        .iter()
        .position(|prior| same_but_computed(members, prior, element))?;
    Some(before.remove(index))
}

/// Whether `value` is `config` with nothing but computed values and defaults filled in, and
/// write-only values taken out.
fn could_come_from(members: Members<'_>, config: &Value, value: &Value) -> bool {
    if config == value {
        return true;
    }
    let (Value::Object(_), Value::Object(_)) = (config, value) else {
        return false;
    };
    members.attributes.iter().all(|(name, attribute)| {
        let (config, value) = (part(Some(config), name), part(Some(value), name));
        attribute_could_come_from(attribute, config, value)
    }) && members
        .blocks
        .keys()
        .all(|name| part(Some(config), name) == part(Some(value), name))
}

fn attribute_could_come_from(attribute: &Attribute, config: &Value, value: &Value) -> bool {
    if config == value {
        return true;
    }
    if attribute.write_only {
        return value.is_null();
    }
    if config.is_null() {
        return attribute.computed;
    }
    let Some((_, attributes)) = attribute.nested_attributes() else {
        return false;
    };
    let members = Members::of_attributes(attributes);
    match (config, value) {
        (Value::Object(_), Value::Object(_)) => could_come_from(members, config, value),
        (Value::List(config), Value::List(value)) => {
            config.len() == value.len()
                && config
                    .iter()
                    .zip(value)
                    .all(|(config, value)| could_come_from(members, config, value))
        }
        (Value::Map(config), Value::Map(value)) => {
            config.len() == value.len()
                && config.iter().all(|(key, config)| {
                    value
                        .get(key)
                        .is_some_and(|value| could_come_from(members, config, value))
                })
        }
        _ => false,
    }
}

/// Whether two objects agree in everything that is not computed.
fn same_but_computed(members: Members<'_>, prior: &Value, value: &Value) -> bool {
    members.attributes.iter().all(|(name, attribute)| {
        attribute.computed && value_is_open(part(Some(value), name))
            || part(Some(prior), name) == part(Some(value), name)
            || attribute.nested_attributes().is_some_and(|(_, nested)| {
                let (prior, value) = (part(Some(prior), name), part(Some(value), name));
                match (prior, value) {
                    (Value::Object(_), Value::Object(_)) => {
                        same_but_computed(Members::of_attributes(nested), prior, value)
                    }
                    _ => false,
                }
            })
    }) && members
        .blocks
        .keys()
        .all(|name| part(Some(prior), name) == part(Some(value), name))
}

/// Whether a computed value has yet to be decided.
fn value_is_open(value: &Value) -> bool {
    value.is_unknown() || value.is_null()
}
