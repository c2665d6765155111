//! In-cluster delivery: what an add-on set applies, in which order, and how it is taken away.
//!
//! [`plan`] is pure: add-ons become objects, and objects become the texts of a plan. The rest has the
//! effects: [`apply`], [`remove`] and [`observe`] work on one [`SetIdentity`] in one cluster, keep its
//! inventory there, and exclude each other with a Lease.

pub mod plan;

mod apply;
mod error;
mod inventory;
mod lease;
mod observe;
mod remove;

pub use apply::{Applied, ApplyRequest, Generation, apply};
pub use error::EngineError;
pub use inventory::{
    Inventory, InventoryEntry, SetIdentity, find_inventory, new_identifier, new_salt,
    read_inventory,
};
pub use observe::observe;
pub use remove::{RemoveRequest, Removed, remove};
