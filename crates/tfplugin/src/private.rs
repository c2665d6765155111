//! Data a resource keeps beside its state, opaque to Terraform.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;
use serde_json::value::RawValue;

use crate::diagnostics::Diagnostics;

/// What a resource remembers between calls without showing it in plan or state output.
///
/// It travels through Core as bytes and is stored in the state file **unencrypted**: no secrets.
/// Every answer with a state replaces it, so a handler returns the private data it was given
/// unless it means to change them. Values are kept as JSON text, so that no number loses a digit.
#[derive(Clone, Debug, Default)]
pub struct Private(BTreeMap<String, Box<RawValue>>);

impl Private {
    /// No private data.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The JSON text under `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(|value| value.get())
    }

    /// The value under `key`, read as `T`; `None` when it is absent or has another shape, which is
    /// how data of an older provider version look.
    pub fn get_as<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.get(key)
            .and_then(|text| serde_json::from_str(text).ok())
    }

    /// Keeps a JSON value under `key`.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Json>) {
        // Parsed JSON can always be written.
        let _ = self.insert_as(key, &value.into());
    }

    /// Keeps any serializable value under `key`.
    ///
    /// # Errors
    /// The serializer's, for example for a map whose keys are not strings.
    pub fn insert_as<T: Serialize>(
        &mut self,
        key: impl Into<String>,
        value: &T,
    ) -> Result<(), serde_json::Error> {
        self.0
            .insert(key.into(), serde_json::value::to_raw_value(value)?);
        Ok(())
    }

    /// Forgets what is under `key`; says whether there was something.
    pub fn remove(&mut self, key: &str) -> bool {
        self.0.remove(key).is_some()
    }

    /// The entries in key order, as JSON text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0
            .iter()
            .map(|(key, value)| (key.as_str(), value.get()))
    }

    /// Reads the bytes that Core kept. Empty bytes are no data.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Diagnostics> {
        if bytes.is_empty() {
            return Ok(Self::new());
        }
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            Diagnostics::error(
                "The provider's private data cannot be read",
                format!(
                    "The private data stored beside this object's state are not the JSON object \
                     this provider writes ({error}). The state was written by another provider or \
                     changed by hand. Import the object anew, or remove the object's \"private\" \
                     entry from a copy of the state and push it."
                ),
            )
        })
    }

    /// The bytes for Core: nothing for no data.
    pub(crate) fn encode(&self) -> Vec<u8> {
        if self.is_empty() {
            return Vec::new();
        }
        // A map with string keys and JSON values has no way to fail.
        serde_json::to_vec(&self.0).unwrap_or_else(|_| b"{}".to_vec())
    }
}

impl PartialEq for Private {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        let huge = 123_456_789_012_345_678_901_234_567_890_u128;
        let mut private = Private::new();
        private.insert_as("count", &huge).unwrap();
        private.insert("note", "text");
        let bytes = private.encode();
        let text = r#"{"count":123456789012345678901234567890,"note":"text"}"#;
        assert_eq!(String::from_utf8(bytes.clone()).unwrap(), text);
        let read = Private::decode(&bytes).unwrap();
        assert_eq!(read, private);
        assert_eq!(read.get_as::<u128>("count"), Some(huge));
        assert_eq!(read.get("note"), Some("\"text\""));
        assert_eq!(read.get_as::<u64>("count"), None, "another shape");
    }
}
