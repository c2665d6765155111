//! The functions of Helm that print and read YAML, JSON and TOML.
//!
//! They do not fail: what cannot be printed is an empty string (of `toToml` the error), and what
//! cannot be read is a map with the key `Error`, or a list of the error. Only those whose name begins with `must` (which
//! Helm has since version 4) end the template.

use crate::error::Error;
use crate::function::Functions;
use crate::json;
use crate::string::Str;
use crate::toml;
use crate::types::Type;
use crate::value::{List, Map, Value};
use crate::yaml;

/// `toYaml`: without the line break at the end.
#[must_use]
pub fn to_yaml(value: &Value) -> Str {
    printed(must_to_yaml(value))
}

/// `mustToYaml`: without the line break at the end.
///
/// # Errors
///
/// Those of [`yaml::marshal`].
pub fn must_to_yaml(value: &Value) -> Result<Str, Error> {
    yaml::marshal(value).map(without_line_break)
}

/// `toYamlPretty`: without the line break at the end.
#[must_use]
pub fn to_yaml_pretty(value: &Value) -> Str {
    printed(yaml::marshal_pretty(value).map(without_line_break))
}

/// `toToml`: the text of the error if the value cannot be printed.
///
/// # Errors
///
/// The value is nil, or an execution's bound was reached.
pub fn to_toml(value: &Value) -> Result<Str, Error> {
    match must_to_toml(value) {
        Err(error) if !matches!(value, Value::Nil) && error.reached().is_none() => {
            Ok(error.message().into())
        }
        result => result,
    }
}

/// `mustToToml`
///
/// # Errors
///
/// Those of [`toml::marshal`].
pub fn must_to_toml(value: &Value) -> Result<Str, Error> {
    toml::marshal(value).map(Str::from)
}

/// `fromToml`
#[must_use]
pub fn from_toml(text: &[u8]) -> Map {
    toml::unmarshal(text).unwrap_or_else(|error| Map::new(Type::Any, [error_entry(&error)].into()))
}

/// `toJson`
#[must_use]
pub fn to_json(value: &Value) -> Str {
    printed(must_to_json(value))
}

/// `mustToJson`
///
/// # Errors
///
/// Those of [`json::marshal`].
pub fn must_to_json(value: &Value) -> Result<Str, Error> {
    json::marshal(value).map(Str::from)
}

/// `fromYaml`
#[must_use]
pub fn from_yaml(text: &[u8]) -> Map {
    yaml::unmarshal_map(text)
        .unwrap_or_else(|error| Map::new(Type::Any, [error_entry(&error)].into()))
}

/// `fromYamlArray`
#[must_use]
pub fn from_yaml_array(text: &[u8]) -> List {
    yaml::unmarshal_list(text).unwrap_or_else(|error| error_list(&error))
}

/// `fromJson`
#[must_use]
pub fn from_json(text: &[u8]) -> Map {
    let (map, error) = json::unmarshal_map(text);
    match error {
        None => map,
        Some(error) => Map::new(
            Type::Any,
            map.entries()
                .into_iter()
                .chain([error_entry(&error)])
                .collect(),
        ),
    }
}

/// `fromJsonArray`
#[must_use]
pub fn from_json_array(text: &[u8]) -> List {
    match json::unmarshal_list(text) {
        (list, None) => list,
        (_, Some(error)) => error_list(&error),
    }
}

/// Adds these functions: `toYaml`, `mustToYaml`, `toYamlPretty`, `fromYaml`, `fromYamlArray`,
/// `toJson`, `mustToJson`, `fromJson`, `fromJsonArray`, `toToml`, `mustToToml` and
/// `fromToml`.
pub fn add_to(functions: &mut Functions) {
    type Print = fn(&Value) -> Result<Str, Error>;
    let printers: [(&str, Print); 7] = [
        ("toYaml", |value| Ok(to_yaml(value))),
        ("mustToYaml", must_to_yaml),
        ("toYamlPretty", |value| Ok(to_yaml_pretty(value))),
        ("toJson", |value| Ok(to_json(value))),
        ("mustToJson", must_to_json),
        ("toToml", to_toml),
        ("mustToToml", must_to_toml),
    ];
    for (name, print) in printers {
        functions.add(name, [Type::Any], Type::String, move |_, args| {
            print(args.get(0)).map(Value::String)
        });
    }
    type ReadMap = fn(&[u8]) -> Map;
    let readers = [
        ("fromYaml", from_yaml as ReadMap),
        ("fromJson", from_json),
        ("fromToml", from_toml),
    ];
    for (name, read) in readers {
        functions.add(
            name,
            [Type::String],
            Type::map(Type::Any),
            move |_, args| Ok(Value::Map(read(args.string(0)?))),
        );
    }
    type ReadList = fn(&[u8]) -> List;
    let readers = [
        ("fromYamlArray", from_yaml_array as ReadList),
        ("fromJsonArray", from_json_array),
    ];
    for (name, read) in readers {
        functions.add(
            name,
            [Type::String],
            Type::list(Type::Any),
            move |_, args| Ok(Value::List(read(args.string(0)?))),
        );
    }
}

/// Errors of printing are swallowed.
fn printed(text: Result<Str, Error>) -> Str {
    text.unwrap_or_default()
}

fn without_line_break(text: Vec<u8>) -> Str {
    text.strip_suffix(b"\n").unwrap_or(&text).into()
}

fn error_entry(error: &Error) -> (Str, Value) {
    ("Error".into(), error.message().into())
}

fn error_list(error: &Error) -> List {
    List::new(Type::Any, vec![error.message().into()])
}
