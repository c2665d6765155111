//! TOML as Helm prints and reads it: by BurntSushi/toml 1.6.
//!
//! ```
//! use gotemplate::{json, toml};
//!
//! let value = json::unmarshal(br#"{"a": {"b": 1, "c": {"d": [true]}}, "e": "f"}"#)?;
//! assert_eq!(
//!     toml::marshal(&value)?,
//!     b"e = \"f\"\n\n[a]\n  b = 1.0\n  [a.c]\n    d = [true]\n"
//! );
//! # Ok::<(), gotemplate::Error>(())
//! ```

use crate::error::Error;
use crate::value::{Map, Value};

mod decode;
mod encode;
mod time;

/// `toml.Encoder`: tables after the keys that are not tables, each sorted by bytes, and indented.
/// Keys of nil are left out.
///
/// # Errors
///
/// A list holds nil, or the value or one within it is of a type that TOML does not have.
pub fn marshal(value: &Value) -> Result<Vec<u8>, Error> {
    if let Value::Nil = value {
        return Err("reflect: call of reflect.Value.Type on zero Value".into());
    }
    let mut encoder = encode::Encoder::default();
    encoder.value(&[], value)?;
    Ok(encoder.finish())
}

/// `toml.Unmarshal` into a `map[string]interface {}`. Numbers are int64 and float64; dates and times
/// are `time.Time`, without its methods.
///
/// # Errors
///
/// The text is not TOML.
pub fn unmarshal(text: &[u8]) -> Result<Map, Error> {
    decode::decode(text)
}
