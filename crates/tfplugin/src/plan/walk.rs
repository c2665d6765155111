//! A walk over one value of a schema beside the configuration and the prior state it belongs to.

use std::collections::BTreeMap;

use super::pairing::{find_prior, find_source};
use crate::cty::{Path, PathStep, Value};
use crate::schema::{Attribute, BlockNesting, Members, Nesting};

const NULL: &Value = &Value::Null;

/// An attribute and its values on the walk.
pub(crate) struct Place<'a> {
    /// Where it is.
    pub(crate) path: &'a Path,
    /// Its schema.
    pub(crate) attribute: &'a Attribute,
    /// The configured value, null when there is none.
    pub(crate) config: &'a Value,
    /// Whether the object that holds the attribute is configured.
    pub(crate) configured: bool,
    /// The value in the prior state, null when there is none.
    pub(crate) prior: &'a Value,
    /// Whether the object that holds the attribute exists in the prior state.
    pub(crate) prior_exists: bool,
    /// Whether the value is a secret: the attribute, or one around it, is sensitive or write-only.
    pub(crate) secret: bool,
}

/// Whether no value of the attribute may be shown.
pub(crate) fn is_secret(attribute: &Attribute) -> bool {
    attribute.sensitive || attribute.write_only
}

/// Where the walk is.
struct Position {
    path: Path,
    secret: bool,
}

/// The object beside the one being walked, `None` when there is none.
type Beside<'a> = Option<&'a Value>;

/// Replaces attribute values: outer ones first, then those of the objects inside the new value.
///
/// Objects are paired by index in lists, by key in maps and, in sets, by what could have come from
/// the configuration.
pub(crate) fn transform(
    members: Members<'_>,
    config: Beside<'_>,
    prior: Beside<'_>,
    value: Value,
    visit: &mut dyn FnMut(&Place<'_>, Value) -> Value,
) -> Value {
    let mut position = Position {
        path: Path::root(),
        secret: false,
    };
    object(members, &mut position, config, prior, value, visit)
}

fn object(
    members: Members<'_>,
    at: &mut Position,
    config: Beside<'_>,
    prior: Beside<'_>,
    value: Value,
    visit: &mut dyn FnMut(&Place<'_>, Value) -> Value,
) -> Value {
    let Value::Object(mut values) = value else {
        return value;
    };
    for (name, attribute) in members.attributes {
        let old = values.remove(name).unwrap_or(Value::Null);
        at.path.push(PathStep::Attribute(name.clone()));
        let (config_part, prior_part) = (part(config, name), part(prior, name));
        let place = Place {
            path: &at.path,
            attribute,
            config: config_part,
            configured: config.is_some(),
            prior: prior_part,
            prior_exists: prior.is_some(),
            secret: at.secret || is_secret(attribute),
        };
        let place_secret = place.secret;
        let mut new = visit(&place, old);
        if let Some((nesting, attributes)) = attribute.nested_attributes() {
            let (inner_config, inner_prior) = (known(config_part), known(prior_part));
            let members = Members::of_attributes(attributes);
            let kind = match nesting {
                Nesting::Single => Kind::Single,
                Nesting::List => Kind::List,
                Nesting::Set => Kind::Set,
                Nesting::Map => Kind::Map,
            };
            let outer = std::mem::replace(&mut at.secret, place_secret);
            new = nested(kind, members, at, inner_config, inner_prior, new, visit);
            at.secret = outer;
        }
        at.path.pop();
        values.insert(name.clone(), new);
    }
    for (name, block) in members.blocks {
        let old = values.remove(name).unwrap_or(Value::Null);
        at.path.push(PathStep::Attribute(name.clone()));
        let kind = match block.nesting {
            BlockNesting::Single | BlockNesting::Group => Kind::Single,
            BlockNesting::List => Kind::List,
            BlockNesting::Set => Kind::Set,
            BlockNesting::Map => Kind::Map,
        };
        let new = nested(
            kind,
            block.members(),
            at,
            known(part(config, name)),
            known(part(prior, name)),
            old,
            visit,
        );
        at.path.pop();
        values.insert(name.clone(), new);
    }
    Value::Object(values)
}

#[derive(Clone, Copy)]
enum Kind {
    Single,
    List,
    Set,
    Map,
}

fn nested(
    kind: Kind,
    members: Members<'_>,
    at: &mut Position,
    config: Beside<'_>,
    prior: Beside<'_>,
    value: Value,
    visit: &mut dyn FnMut(&Place<'_>, Value) -> Value,
) -> Value {
    match (kind, value) {
        (Kind::Single, value) => object(members, at, config, prior, value, visit),
        (Kind::List, Value::List(elements)) => Value::List(
            elements
                .into_iter()
                .enumerate()
                .map(|(index, element)| {
                    at.path
                        .push(PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX)));
                    let element = object(
                        members,
                        at,
                        element_at(config, index),
                        element_at(prior, index),
                        element,
                        visit,
                    );
                    at.path.pop();
                    element
                })
                .collect(),
        ),
        (Kind::Map, Value::Map(elements)) => Value::Map(
            elements
                .into_iter()
                .map(|(key, element)| {
                    at.path.push(PathStep::Key(key.clone()));
                    let element = object(
                        members,
                        at,
                        entry_at(config, &key),
                        entry_at(prior, &key),
                        element,
                        visit,
                    );
                    at.path.pop();
                    (key, element)
                })
                .collect(),
        ),
        (Kind::Set, Value::Set(elements)) => {
            let mut configured = elements_of(config);
            let mut before = elements_of(prior);
            Value::set(elements.into_iter().map(|element| {
                let config = find_source(members, &mut configured, &element);
                let prior = find_prior(members, &mut before, &element);
                at.path.push(PathStep::Element(element.clone()));
                let element = object(members, at, config, prior, element, visit);
                at.path.pop();
                element
            }))
        }
        (_, value) => value,
    }
}

/// The part of an object, null when the object or the part is missing.
pub(crate) fn part<'a>(object: Beside<'a>, name: &str) -> &'a Value {
    object
        .and_then(Value::as_entries)
        .and_then(|entries| entries.get(name))
        .unwrap_or(NULL)
}

/// A value whose parts can be looked at.
fn known(value: &Value) -> Beside<'_> {
    (!value.is_null() && !value.is_unknown()).then_some(value)
}

fn elements_of(value: Beside<'_>) -> Vec<&Value> {
    value
        .and_then(Value::as_elements)
        .map(|elements| elements.iter().collect())
        .unwrap_or_default()
}

fn element_at<'a>(value: Beside<'a>, index: usize) -> Beside<'a> {
    value
        .and_then(Value::as_elements)
        .and_then(|elements| elements.get(index))
        .and_then(known)
}

fn entry_at<'a>(value: Beside<'a>, key: &str) -> Beside<'a> {
    value
        .and_then(Value::as_entries)
        .and_then(|entries: &BTreeMap<String, Value>| entries.get(key))
        .and_then(known)
}
