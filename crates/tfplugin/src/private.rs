//! Data a resource keeps beside its state, opaque to Terraform.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::diagnostics::Diagnostics;

/// What a resource remembers between calls without showing it in plan or state output.
///
/// It travels through Core as bytes and is stored in the state file **unencrypted**: no secrets.
/// Every answer with a state replaces it, so a handler returns the private data it was given
/// unless it means to change them. Integers beyond 64 bits lose precision; store them as text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Private(BTreeMap<String, Json>);

impl Private {
    /// No private data.
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The raw JSON under `key`.
    pub fn get(&self, key: &str) -> Option<&Json> {
        self.0.get(key)
    }

    /// The value under `key`, read as `T`; `None` when it is absent or has another shape, which is
    /// how data of an older provider version look.
    pub fn get_as<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.0.get(key).and_then(|value| T::deserialize(value).ok())
    }

    /// Keeps raw JSON under `key`.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<Json>) {
        self.0.insert(key.into(), value.into());
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
        self.0.insert(key.into(), serde_json::to_value(value)?);
        Ok(())
    }

    /// Forgets what is under `key` and returns it.
    pub fn remove(&mut self, key: &str) -> Option<Json> {
        self.0.remove(key)
    }

    /// The entries in key order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value))
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
