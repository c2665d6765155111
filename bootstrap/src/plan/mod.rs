//! What an add-on set consists of, and what changes. Pure: no client, no clock, no randomness.
//!
//! [`render`] turns add-ons into a [`DesiredSet`]: every object with its key, stage and digest.
//! [`changes`] says what differs from what was applied before, in words that hold no secret.

mod baseline;
mod changes;
mod immutable;
mod leaves;
mod manifest;
mod scope;
mod set;
mod stage;

pub use baseline::{BaselineInputs, LimitRangeInputs};
pub use changes::{Records, changes, is_replaced};
pub use leaves::{Drift, Leaves, ObjectRecord, Salt};
pub use manifest::ManifestError;
pub use set::{
    ADDON_LABEL, ADDON_SET_LABEL, AddonInput, AddonSource, DesiredObject, DesiredSet,
    OWNER_ANNOTATION, RenderError, digest, render, validate_name,
};
pub use stage::Stage;
