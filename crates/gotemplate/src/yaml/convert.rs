//! From trees to values and back, as sigs.k8s.io/yaml and go-yaml do.

use std::collections::BTreeMap;

use crate::error::{Error, Limit};
use crate::string::Str;
use crate::text::float::append_float;
use crate::types::{FloatKind, Kind};
use crate::value::{JsonView, List, Map, Object, Value};

use super::tree::{Node, Tree};

/// How many collections may stand in one another, as in encoding/json.
const MAX_DEPTH: usize = 10_000;

/// What stands in the way of making JSON of a tree.
pub(super) enum Refusal {
    /// It cannot be made.
    Converting(String),
    /// It can be made, but not read.
    Reading(String),
}

/// The value that a tree is when it is made JSON and read again: keys are strings, numbers float64.
pub(super) fn to_value(tree: &Tree) -> Result<Value, Refusal> {
    let mut values: Vec<Value> = Vec::with_capacity(tree.nodes.len());
    values.resize(tree.nodes.len(), Value::Nil);
    let depths = tree.depths();
    let mut too_deep = false;
    // What a collection holds comes after it.
    for (id, node) in tree.nodes.iter().enumerate().rev() {
        let Some(depth) = depths[id] else {
            continue;
        };
        too_deep |= depth >= MAX_DEPTH && matches!(node, Node::Sequence(_) | Node::Mapping(_));
        values[id] = match node {
            Node::Null => Value::Nil,
            Node::Bool(truth) => Value::Bool(*truth),
            Node::Int(number) => Value::float64(*number as f64),
            Node::Uint(number) => Value::float64(*number as f64),
            Node::Float(_, number) => Value::float64(*number),
            Node::String(string) | Node::Plain(string) => Value::String(valid(string)),
            Node::Sequence(items) => {
                Value::list(items.iter().map(|&item| take(&mut values, item)).collect())
            }
            Node::Mapping(entries) => {
                let mut map = BTreeMap::new();
                for &(key, value) in entries {
                    map.insert(key_text(tree, key, value)?, take(&mut values, value));
                }
                Value::map(map)
            }
        };
    }
    let root = values.swap_remove(0);
    // The errors are those of what comes first in the JSON.
    if let Some(number) = first_not_finite(tree, &root) {
        return Err(Refusal::Converting(format!(
            "json: unsupported value: {number}"
        )));
    }
    if too_deep {
        let bracket = first_too_deep(&root);
        return Err(Refusal::Reading(format!(
            "invalid character '{bracket}' exceeded max depth"
        )));
    }
    Ok(root)
}

fn take(values: &mut [Value], id: usize) -> Value {
    values.get_mut(id).map(std::mem::take).unwrap_or_default()
}

/// The string with U+FFFD for each byte that is not UTF-8.
fn valid(string: &Str) -> Str {
    if string.to_utf8().is_some() {
        return string.clone();
    }
    let mut text = Vec::new();
    let mut rest: &[u8] = string;
    while !rest.is_empty() {
        let (character, length) = crate::text::decode(rest);
        crate::text::push(&mut text, character);
        rest = &rest[length..];
    }
    text.into()
}

fn general(kind: FloatKind, number: f64) -> String {
    let mut text = Vec::new();
    append_float(&mut text, number, b'g', None, kind);
    String::from_utf8_lossy(&text).into_owned()
}

/// A key as the string that JSON needs.
fn key_text(tree: &Tree, key: usize, value: usize) -> Result<Str, Refusal> {
    let kind = match &tree.nodes[key] {
        Node::String(string) | Node::Plain(string) => return Ok(valid(string)),
        Node::Bool(truth) => return Ok(truth.to_string().into()),
        Node::Int(number) => return Ok(number.to_string().into()),
        Node::Float(_, number) if number.is_nan() => return Ok(".nan".into()),
        Node::Float(_, f64::INFINITY) => return Ok(".inf".into()),
        Node::Float(_, f64::NEG_INFINITY) => return Ok("-.inf".into()),
        // In the digits of a float32.
        Node::Float(_, number) => {
            let single = f64::from(*number as f32);
            return Ok(general(FloatKind::Float32, single).into());
        }
        Node::Uint(_) => "uint64",
        Node::Null | Node::Sequence(_) | Node::Mapping(_) => "%!s(<nil>)",
    };
    Err(Refusal::Converting(format!(
        "unsupported map key of type: {kind}, key: {}, value: {}",
        tree.go_syntax(key),
        tree.go_syntax(value)
    )))
}

/// The first number in the JSON of the value that JSON does not have.
fn first_not_finite(tree: &Tree, root: &Value) -> Option<String> {
    let finite = |node: &Node| !matches!(node, Node::Float(_, number) if !number.is_finite());
    if tree.nodes.iter().all(finite) {
        return None;
    }
    walk(root, |value, _| match value {
        Value::Float(kind, number) if !number.is_finite() => Some(general(*kind, *number)),
        _ => None,
    })
}

/// The bracket of the first collection in the JSON of the value that is nested too deeply.
fn first_too_deep(root: &Value) -> char {
    let bracket = walk(root, |value, depth| match value {
        Value::List(_) if depth >= MAX_DEPTH => Some('['),
        Value::Map(_) if depth >= MAX_DEPTH => Some('{'),
        _ => None,
    });
    bracket.unwrap_or('[')
}

/// Visits the values in the order of their JSON, until something is found.
fn walk<T>(root: &Value, find: impl Fn(&Value, usize) -> Option<T>) -> Option<T> {
    let mut next = vec![(root.clone(), 0)];
    while let Some((value, depth)) = next.pop() {
        if let Some(found) = find(&value, depth) {
            return Some(found);
        }
        let inner: Vec<Value> = match &value {
            Value::List(list) => list.to_vec(),
            Value::Map(map) => map.borrow().values().cloned().collect(),
            _ => continue,
        };
        next.extend(inner.into_iter().rev().map(|value| (value, depth + 1)));
    }
    None
}

/// The longest key, in bytes, whose JSON is surely short enough for a key of YAML.
const SHORT_KEY: usize = 160;

/// How many collections may stand in one another for the detour to be left out.
const SHALLOW: usize = 1_000;

/// The tree that go-yaml reads from the JSON of a value; nothing if it takes the detour to know it.
pub(super) fn through_json(value: &Value) -> Option<Tree> {
    let mut tree = Tree { nodes: Vec::new() };
    add_json(&mut tree, value, 0)?;
    Some(tree)
}

fn add_json(tree: &mut Tree, value: &Value, depth: usize) -> Option<usize> {
    if depth > SHALLOW {
        return None;
    }
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || {
        let node = match value {
            Value::Nil => Node::Null,
            Value::Bool(truth) => Node::Bool(*truth),
            Value::Int(_, number) => Node::Int(*number),
            Value::Uint(_, number) => match i64::try_from(*number) {
                Ok(number) => Node::Int(number),
                Err(_) => Node::Uint(*number),
            },
            Value::Float(FloatKind::Float64, number) => json_number(*number)?,
            Value::String(string) => Node::String(unchanged(string)?),
            Value::List(list) if list.is_nil() => Node::Null,
            Value::Map(map) if map.is_nil() => Node::Null,
            Value::List(list) if list.as_bytes().is_none() => {
                let sequence = tree.add(Node::Sequence(Vec::new()));
                let mut items = Vec::with_capacity(list.len());
                for item in list.iter() {
                    items.push(add_json(tree, &item, depth + 1)?);
                }
                tree.nodes[sequence] = Node::Sequence(items);
                return Some(sequence);
            }
            Value::Map(map) => {
                let mapping = tree.add(Node::Mapping(Vec::new()));
                let mut entries = Vec::with_capacity(map.len());
                for (name, value) in map.borrow().iter() {
                    if name.len() > SHORT_KEY {
                        return None;
                    }
                    let key = tree.add(Node::String(unchanged(name)?));
                    entries.push((key, add_json(tree, value, depth + 1)?));
                }
                tree.nodes[mapping] = Node::Mapping(entries);
                return Some(mapping);
            }
            _ => return None,
        };
        Some(tree.add(node))
    })
}

/// A number as go-yaml reads its JSON: the fewest digits that tell it apart, without fraction and
/// exponent if it is whole.
fn json_number(number: f64) -> Option<Node> {
    if !number.is_finite() {
        return None;
    }
    if number.fract() == 0.0 && number.abs() < 1e21 {
        let mut digits = Vec::new();
        append_float(&mut digits, number, b'f', None, FloatKind::Float64);
        let digits = String::from_utf8(digits).ok()?;
        if let Ok(number) = digits.parse() {
            return Some(Node::Int(number));
        }
        if let Ok(number) = digits.parse() {
            return Some(Node::Uint(number));
        }
    }
    Some(Node::Float(FloatKind::Float64, number))
}

/// The string, if JSON and YAML have it as it is.
fn unchanged(string: &Str) -> Option<Str> {
    let odd = |character| matches!(character, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    let text = string.to_utf8()?;
    (!text.contains(odd)).then(|| string.clone())
}

/// The tree of a value as yaml.v3 sees it.
pub(super) fn to_tree(value: &Value) -> Result<Tree, Error> {
    let mut tree = Tree { nodes: Vec::new() };
    add(&mut tree, value, 0)?;
    Ok(tree)
}

fn add(tree: &mut Tree, value: &Value, depth: usize) -> Result<usize, Error> {
    // A map may hold itself, which ends Go with its stack.
    if depth > MAX_DEPTH {
        return Err(Error::limit(
            Limit::Depth,
            format!("yaml: value is nested in more than {MAX_DEPTH} levels"),
        ));
    }
    stacker::maybe_grow(32 * 1024, 1024 * 1024, || add_on_stack(tree, value, depth))
}

fn add_on_stack(tree: &mut Tree, value: &Value, depth: usize) -> Result<usize, Error> {
    let node = match value {
        Value::Nil => Node::Null,
        Value::Bool(truth) => Node::Bool(*truth),
        Value::Int(_, number) => Node::Int(*number),
        Value::Uint(_, number) => Node::Uint(*number),
        Value::Float(kind, number) => Node::Float(*kind, *number),
        Value::String(string) => Node::String(string.clone()),
        Value::List(list) => return add_list(tree, list, depth),
        Value::Map(map) => return add_map(tree, map, depth),
        Value::Object(object) if object.type_name() == "time.Time" => match object.json()? {
            JsonView::Value(Value::String(time)) => Node::Plain(time),
            JsonView::Value(other) => return add(tree, &other, depth),
            JsonView::Members(members) => return add_members(tree, members, depth),
        },
        Value::Object(object) if object.type_name() == "time.Duration" => {
            Node::String(object.text().unwrap_or_default())
        }
        Value::Object(object) => {
            if object.is_nil() {
                Node::Null
            } else if let Some(text) = marshaled_text(object.as_ref())? {
                Node::String(text)
            } else if let Some(value) = object.underlying() {
                return add(tree, &value, depth);
            } else {
                let fields = object.fields().into_iter();
                let members = fields.map(|(name, value)| (name.to_lowercase().into(), value));
                return add_members(tree, members.collect(), depth);
            }
        }
        Value::Complex(..) | Value::Function(_) => {
            return Err(format!("cannot marshal type: {}", value.type_name()).into());
        }
    };
    Ok(tree.add(node))
}

/// The text of an object that has one of its own in JSON, which it has in YAML as well.
fn marshaled_text(object: &dyn Object) -> Result<Option<Str>, Error> {
    Ok(match object.json()? {
        JsonView::Value(Value::String(text)) if object.kind() != Kind::String => Some(text),
        _ => None,
    })
}

fn add_list(tree: &mut Tree, list: &List, depth: usize) -> Result<usize, Error> {
    let sequence = tree.add(Node::Sequence(Vec::new()));
    let mut items = Vec::with_capacity(list.len());
    for item in list.iter() {
        items.push(add(tree, &item, depth + 1)?);
    }
    tree.nodes[sequence] = Node::Sequence(items);
    Ok(sequence)
}

fn add_map(tree: &mut Tree, map: &Map, depth: usize) -> Result<usize, Error> {
    add_members(tree, map.entries(), depth)
}

fn add_members(tree: &mut Tree, members: Vec<(Str, Value)>, depth: usize) -> Result<usize, Error> {
    let mapping = tree.add(Node::Mapping(Vec::new()));
    let mut entries = Vec::with_capacity(members.len());
    for (name, value) in members {
        let key = tree.add(Node::String(name));
        entries.push((key, add(tree, &value, depth + 1)?));
    }
    tree.nodes[mapping] = Node::Mapping(entries);
    Ok(mapping)
}
