//! YAML as Helm prints and reads it: by sigs.k8s.io/yaml 1.6, which goes through JSON and go-yaml
//! 2.4, and for `toYamlPretty` by go-yaml 3.
//!
//! ```
//! use gotemplate::yaml;
//!
//! let value = yaml::unmarshal(b"on: [0o17, 1_000, 2001-12-14, ~]")?;
//! assert_eq!(
//!     yaml::marshal(&value)?,
//!     b"\"true\":\n- 15\n- 1000\n- \"2001-12-14\"\n- null\n"
//! );
//! let error = yaml::unmarshal(b"a: b\nc: d: e").err().map(|error| error.to_string());
//! assert_eq!(
//!     error.as_deref(),
//!     Some("error converting YAML to JSON: yaml: line 2: mapping values are not allowed in this context")
//! );
//! # Ok::<(), gotemplate::Error>(())
//! ```

use crate::error::Error;
use crate::json;
use crate::types::Type;
use crate::value::{List, Map, Value};

mod convert;
mod decode;
mod document;
mod emitter;
mod input;
mod parser;
mod problem;
mod resolve;
mod scanner;
mod tree;

use convert::Refusal;
use tree::Tree;

/// The version of go-yaml.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    V2,
    V3,
}

/// sigs.k8s.io/yaml's `Unmarshal` into an `interface {}`: the first document of the text. Numbers
/// are float64, keys of other types become strings, and of equal keys the last one is taken.
///
/// # Errors
///
/// The text is not YAML, or holds what JSON cannot: null as a key, or numbers that are not finite.
pub fn unmarshal(text: &[u8]) -> Result<Value, Error> {
    unmarshal_with(text, false)
}

/// The same, with equal keys of a mapping as an error.
///
/// # Errors
///
/// Those of [`unmarshal`], and equal keys.
pub fn unmarshal_strict(text: &[u8]) -> Result<Value, Error> {
    unmarshal_with(text, true)
}

fn unmarshal_with(text: &[u8], strict: bool) -> Result<Value, Error> {
    let tree = decode::decode(text, strict)
        .map_err(|error| Error::new(format!("error converting YAML to JSON: {error}")))?;
    convert::to_value(&tree).map_err(|refusal| {
        Error::new(match refusal {
            Refusal::Converting(error) => format!("error converting YAML to JSON: {error}"),
            Refusal::Reading(error) => reading(&error),
        })
    })
}

fn reading(error: &str) -> String {
    format!("error unmarshaling JSON: while decoding JSON: {error}")
}

/// [`unmarshal`] into a `map[string]interface {}`. An empty text is an empty map.
///
/// # Errors
///
/// Those of [`unmarshal`], and that the text holds something else.
pub fn unmarshal_map(text: &[u8]) -> Result<Map, Error> {
    match unmarshal(text)? {
        Value::Map(map) => Ok(map),
        Value::Nil => Ok(Map::new(Type::Any, [].into())),
        other => Err(mismatch(&other, "map[string]interface {}")),
    }
}

/// [`unmarshal`] into a `[]interface {}`. An empty text is an empty list.
///
/// # Errors
///
/// Those of [`unmarshal`], and that the text holds something else.
pub fn unmarshal_list(text: &[u8]) -> Result<List, Error> {
    match unmarshal(text)? {
        Value::List(list) => Ok(list),
        Value::Nil => Ok(List::new(Type::Any, Vec::new())),
        other => Err(mismatch(&other, "[]interface {}")),
    }
}

fn mismatch(value: &Value, wanted: &str) -> Error {
    Error::new(reading(json::mismatch(value, wanted).message()))
}

/// sigs.k8s.io/yaml's `Marshal`: keys in their natural order, lists in maps not indented, long
/// lines folded. Ends in a line break.
///
/// # Errors
///
/// JSON cannot be made of the value, or go-yaml cannot read that JSON: strings with control
/// characters that JSON does not escape (U+007F to U+009F), and keys of more than about a thousand
/// characters.
pub fn marshal(value: &Value) -> Result<Vec<u8>, Error> {
    let tree = match convert::through_json(value) {
        Some(tree) => tree,
        None => read_json(value)?,
    };
    Ok(emitter::emit(&tree, Version::V2))
}

/// What go-yaml reads of the JSON of a value.
fn read_json(value: &Value) -> Result<Tree, Error> {
    let json = json::marshal(value).map_err(|error| {
        error.with_message(|text| format!("error marshaling into JSON: {text}"))
    })?;
    Ok(decode::decode(&json, false)?)
}

/// yaml.v3's `Encoder` with an indentation of 2: lists indented, lines not folded, numbers as the
/// template prints them. Ends in a line break.
///
/// # Errors
///
/// The value holds a complex number or a function, or is nested in more than 10,000 levels.
pub fn marshal_pretty(value: &Value) -> Result<Vec<u8>, Error> {
    Ok(emitter::emit(&convert::to_tree(value)?, Version::V3))
}

#[cfg(all(test, feature = "conformance"))]
mod tests {
    use crate::conformance::{FAMILIES, Random, value};

    use super::*;

    #[test]
    fn the_detour_through_json_can_be_left_out() {
        let family = FAMILIES.iter().find(|family| family.name == "printed");
        let cases = (family.map(|family| family.generate)).map(|make| make(&mut Random::new(1)));
        let mut compared = 0;
        for case in cases.unwrap_or_default() {
            let value = value(&case["write"]);
            let Some(tree) = convert::through_json(&value) else {
                continue;
            };
            let long_way = read_json(&value).map(|tree| emitter::emit(&tree, Version::V2));
            assert_eq!(long_way, Ok(emitter::emit(&tree, Version::V2)), "{case}");
            compared += 1;
        }
        assert!(compared > 5_000, "{compared} values");
    }
}
