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
    take_first(configured, |config| {
        could_come_from(members, config, element)
    })
}

/// Takes the first prior element that is the same but for computed values.
pub(crate) fn find_prior<'a>(
    members: Members<'_>,
    before: &mut Vec<&'a Value>,
    element: &Value,
) -> Option<&'a Value> {
    take_first(before, |prior| same_but_computed(members, prior, element))
}

fn take_first<'a>(
    candidates: &mut Vec<&'a Value>,
    fits: impl Fn(&Value) -> bool,
) -> Option<&'a Value> {
    let index = candidates.iter().position(|candidate| fits(candidate))?;
    Some(candidates.remove(index))
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
    }) && members.blocks.iter().all(|(name, block)| {
        let (config, value) = (part(Some(config), name), part(Some(value), name));
        objects_agree(config, value, &|config, value| {
            could_come_from(block.members(), config, value)
        })
    })
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
    attribute
        .nested_attributes()
        .is_some_and(|(_, attributes)| {
            let members = Members::of_attributes(attributes);
            objects_agree(config, value, &|config, value| {
                could_come_from(members, config, value)
            })
        })
}

/// Whether two objects agree in everything that is not computed.
fn same_but_computed(members: Members<'_>, prior: &Value, value: &Value) -> bool {
    if prior == value {
        return true;
    }
    let (Value::Object(_), Value::Object(_)) = (prior, value) else {
        return false;
    };
    members.attributes.iter().all(|(name, attribute)| {
        let (prior, value) = (part(Some(prior), name), part(Some(value), name));
        attribute.computed && value_is_open(value)
            || prior == value
            || attribute
                .nested_attributes()
                .is_some_and(|(_, attributes)| {
                    let members = Members::of_attributes(attributes);
                    objects_agree(prior, value, &|prior, value| {
                        same_but_computed(members, prior, value)
                    })
                })
    }) && members.blocks.iter().all(|(name, block)| {
        let (prior, value) = (part(Some(prior), name), part(Some(value), name));
        objects_agree(prior, value, &|prior, value| {
            same_but_computed(block.members(), prior, value)
        })
    })
}

/// Whether two values that hold objects, of one block or nested attribute, hold as many and pair
/// by pair such that agree: by index, by key or, in sets, in any order.
fn objects_agree(left: &Value, right: &Value, agree: &dyn Fn(&Value, &Value) -> bool) -> bool {
    match (left, right) {
        (Value::Object(_), Value::Object(_)) => agree(left, right),
        (Value::List(left), Value::List(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .zip(right)
                    .all(|(left, right)| agree(left, right))
        }
        (Value::Map(left), Value::Map(right)) => {
            left.len() == right.len()
                && left
                    .iter()
                    .all(|(key, left)| right.get(key).is_some_and(|right| agree(left, right)))
        }
        (Value::Set(left), Value::Set(right)) => {
            let mut left: Vec<&Value> = left.iter().collect();
            left.len() == right.len()
                && right
                    .iter()
                    .all(|right| take_first(&mut left, |left| agree(left, right)).is_some())
        }
        (left, right) => left == right,
    }
}

/// Whether a computed value has yet to be decided.
fn value_is_open(value: &Value) -> bool {
    value.is_unknown() || value.is_null()
}
