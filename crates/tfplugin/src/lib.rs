//! A framework for Terraform and OpenTofu providers in Rust, protocol 6.11.

pub mod context;
mod data_source;
pub mod diagnostics;
mod erased;
mod lint;
mod model;
mod plan;
mod private;
mod provider;
mod resource;
pub mod schema;

mod serve;
mod server;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
mod validate;

pub use tfplugin_cty as cty;

pub use context::{Context, Interruption, Operation};
pub use data_source::{DataRead, DataSource};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
#[doc(hidden)]
pub use model::support as model_support;
pub use model::{AttributeValue, ConversionError, Model, Sensitive, Set};
pub use private::Private;
pub use provider::{ConfigureRequest, DataSourceEntry, Provider, ResourceEntry};
pub use resource::{
    Applied, Deleted, Imported, PlanInput, Planned, PlannedCreate, PlannedDelete, PlannedUpdate,
    ReadRequest, ReadResponse, Resource, UpgradeRequest,
};
pub use schema::timeouts::Timeouts;
pub use serve::{ServeOptions, serve};
