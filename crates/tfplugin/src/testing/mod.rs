//! A client that plays Terraform Core, for tests of providers.
//!
//! [`Core`] speaks the real protocol to a provider, in the same process or started as a process of
//! its own; a [`Managed`] resource goes through the calls of plan, apply, refresh, import and
//! destroy in Core's order and keeps the state between them as the state file does. Core's rules
//! are checked on the way: a provider that breaks one makes the test panic with the attribute's
//! name.
//!
//! The functions here panic instead of returning errors, except for the diagnostics of the
//! provider, which a test may expect, and for [`measure_startup`], which takes any binary.
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "test code: a broken rule ends the test"
)]

mod adopted;
mod calls;
mod core;
mod decode;
mod ephemeral;
mod functions;
mod managed;
mod proposed;
mod server_certificate;
mod startup;
mod transport;

pub use self::core::Core;
pub use calls::{Answer, Change};
pub use ephemeral::Ephemeral;
pub use managed::{Action, Managed, Plan, Stored};
pub use startup::{Memory, SchemaCall, Startup, StartupError, measure_startup};

use crate::model::Model;
use crate::provider::Provider;
use crate::resource::Resource;
use crate::schema::{Schema, SchemaRole};

/// Asserts that a schema keeps Core's rules.
///
/// # Panics
/// With every broken rule and the attribute that breaks it.
#[track_caller]
pub fn assert_valid_schema(schema: &Schema, role: SchemaRole) {
    if let Err(error) = schema.check(role) {
        panic!("invalid schema: {error}");
    }
}

/// Asserts that a resource's schema is valid and that its model has the schema's type.
///
/// # Panics
/// With the first attribute that differs, or every broken rule.
#[track_caller]
pub fn assert_valid_resource<R: Resource>(resource: &R) {
    let schema = resource.schema();
    assert_valid_schema(&schema, SchemaRole::Resource);
    if let Err(mismatch) = crate::schema::model_matches(&schema.ty(), &R::Model::ty()) {
        panic!("the model does not fit the schema: {mismatch}");
    }
}

/// Asserts that all schemas of a provider are valid and fit their models.
///
/// # Panics
/// With every problem.
#[track_caller]
pub fn assert_valid_provider<P: Provider>(provider: P) {
    let diagnostics = crate::server::Server::new(provider).check_schemas();
    assert!(!diagnostics.has_errors(), "{diagnostics}");
}

/// What Core proposes, for the tests of the plan.
#[cfg(test)]
pub(crate) fn proposed_new(
    schema: &Schema,
    prior: &crate::cty::Value,
    config: &crate::cty::Value,
) -> crate::cty::Value {
    proposed::proposed_new(schema.members(), prior, config)
}
