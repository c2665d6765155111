//! JSON as Go's encoding/json prints and reads it.
//!
//! ```
//! use gotemplate::{Value, json};
//!
//! let value = json::unmarshal(br#"{"b": 1e6, "a": "<&>"}"#)?;
//! assert_eq!(json::marshal(&value)?, br#"{"a":"\u003c\u0026\u003e","b":1000000}"#);
//! assert_eq!(
//!     json::unmarshal(b"{a: 1}").map_err(|error| error.to_string()).err().as_deref(),
//!     Some("invalid character 'a' looking for beginning of object key string")
//! );
//! # Ok::<(), gotemplate::Error>(())
//! ```

use crate::error::Error;
use crate::types::Type;
use crate::value::{List, Map, Value};

pub(crate) mod base64;
mod decode;
mod encode;
mod text;

use decode::Decoded;
pub use encode::Style;

/// `json.Marshal`: on one line, with `<`, `>` and `&` escaped.
///
/// # Errors
///
/// The value holds NaN, an infinite number, a complex number, a function or a map within itself.
pub fn marshal(value: &Value) -> Result<Vec<u8>, Error> {
    marshal_with(value, Style::default())
}

/// JSON of another [`Style`].
///
/// # Errors
///
/// Those of [`marshal`].
pub fn marshal_with(value: &Value, style: Style<'_>) -> Result<Vec<u8>, Error> {
    let mut encoder = encode::Encoder::new(style);
    encoder.value(value)?;
    Ok(encoder.finish())
}

/// `json.Unmarshal` into an `interface {}`: numbers are float64.
///
/// # Errors
///
/// The text is not JSON, or holds a number that is too large for float64.
pub fn unmarshal(text: &[u8]) -> Result<Value, Error> {
    match unmarshal_all(text) {
        (_, Some(error)) => Err(error),
        (value, None) => Ok(value),
    }
}

/// Like [`unmarshal`], with the value that Go leaves behind beside the error: nil if the text is
/// not JSON, and nil for numbers that are too large.
#[must_use]
pub fn unmarshal_all(text: &[u8]) -> (Value, Option<Error>) {
    match decode::decode(text) {
        Ok(decoded) => (decoded.value, decoded.error),
        Err(error) => (Value::Nil, Some(error)),
    }
}

/// `json.Unmarshal` into an empty `map[string]interface {}`, with what Go leaves behind beside the
/// error. `null` makes a nil map.
#[must_use]
pub fn unmarshal_map(text: &[u8]) -> (Map, Option<Error>) {
    let empty = || Map::new(Type::Any, [].into());
    match decode::decode(text) {
        Ok(Decoded {
            value: Value::Map(map),
            error,
        }) => (map, error),
        Ok(decoded) if decoded.is_null() => (Map::nil(Type::Any), None),
        Ok(decoded) => (
            empty(),
            Some(mismatch(&decoded.value, "map[string]interface {}")),
        ),
        Err(error) => (empty(), Some(error)),
    }
}

/// `json.Unmarshal` into an empty `[]interface {}`, with what Go leaves behind beside the error.
/// `null` makes a nil slice.
#[must_use]
pub fn unmarshal_list(text: &[u8]) -> (List, Option<Error>) {
    let empty = || List::new(Type::Any, Vec::new());
    match decode::decode(text) {
        Ok(Decoded {
            value: Value::List(list),
            error,
        }) => (list, error),
        Ok(decoded) if decoded.is_null() => (List::nil(Type::Any), None),
        Ok(decoded) => (empty(), Some(mismatch(&decoded.value, "[]interface {}"))),
        Err(error) => (empty(), Some(error)),
    }
}

/// The error of decoding such a value, which is not null, into something of another type.
pub(crate) fn mismatch(value: &Value, wanted: &str) -> Error {
    let found = match value {
        Value::Bool(_) => "bool",
        Value::String(_) => "string",
        Value::List(_) => "array",
        Value::Map(_) => "object",
        // Nil stands for a number that is too large.
        _ => "number",
    };
    format!("json: cannot unmarshal {found} into Go value of type {wanted}").into()
}
