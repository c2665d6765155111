//! A framework for Terraform and OpenTofu providers in Rust, protocol 6.11.
//!
//! A provider implements [`Provider`], one [`Resource`] for each type it manages and one
//! [`DataSource`] for each it looks up, and hands itself to [`serve`]. Configuration, plan and
//! state are structs declared by [`model!`]; the [`schema`] says what Terraform may expect of each
//! attribute. The framework does the rest: the protocol, the plan (defaults, unknown values,
//! modifiers, replacement), private state, timeouts, stopping, panics, and a lint that checks each
//! answer against Core's own rules and names the attribute that breaks one.
//!
//! A resource answers with a state **and** diagnostics, so that what was made is never lost, and
//! plans without side effects, since Core plans twice and compares.
//!
//! # Example
//!
//! A counter that lives in memory, driven by the test client of the feature `testing`, which plays
//! Core. The README has the way from nothing to `terraform plan`, and `examples/file_provider` is a
//! whole provider to copy from.
//!
//! ```
//! use tfplugin::cty::Value;
//! use tfplugin::schema::{Attribute, Schema, modifiers};
//! use tfplugin::testing::{Action, Core};
//! use tfplugin::*;
//!
//! model! {
//!     /// The provider has nothing to configure.
//!     pub struct Config {}
//!
//!     /// A counter.
//!     pub struct Counter {
//!         /// Its name, which cannot change.
//!         pub name: AttributeValue<String>,
//!         /// By how much it counts.
//!         pub step: AttributeValue<i64>,
//!         /// How far it has counted.
//!         pub value: AttributeValue<i64>,
//!     }
//! }
//!
//! struct CounterResource;
//!
//! impl Resource for CounterResource {
//!     type Model = Counter;
//!     type Client = ();
//!
//!     fn schema(&self) -> Schema {
//!         Schema::new("Counts its changes.")
//!             .attribute(
//!                 "name",
//!                 Attribute::string()
//!                     .required()
//!                     .description("Its name.")
//!                     .plan_modifier(modifiers::requires_replace()),
//!             )
//!             .attribute(
//!                 "step",
//!                 Attribute::number()
//!                     .optional()
//!                     .computed()
//!                     .default(1)
//!                     .description("By how much it counts."),
//!             )
//!             .attribute("value", Attribute::number().computed().description("The count."))
//!     }
//!
//!     async fn read(&self, _: Context<()>, request: ReadRequest<Counter>) -> ReadResponse<Counter> {
//!         ReadResponse::found(request.state, request.private)
//!     }
//!
//!     async fn create(&self, _: Context<()>, planned: PlannedCreate<Counter>) -> Applied<Counter> {
//!         let state = Counter { value: 0.into(), ..planned.planned };
//!         Applied::done(state, planned.private)
//!     }
//!
//!     async fn update(&self, _: Context<()>, planned: PlannedUpdate<Counter>) -> Applied<Counter> {
//!         let step = planned.planned.step.known_or(1);
//!         let value = planned.prior.value.known_or(0) + step;
//!         Applied::done(Counter { value: value.into(), ..planned.planned }, planned.private)
//!     }
//!
//!     async fn delete(&self, _: Context<()>, _: PlannedDelete<Counter>) -> Deleted<Counter> {
//!         Deleted::gone()
//!     }
//! }
//!
//! struct CounterProvider;
//!
//! impl Provider for CounterProvider {
//!     type Config = Config;
//!     type Client = ();
//!
//!     fn schema(&self) -> Schema {
//!         Schema::new("Counters.")
//!     }
//!
//!     async fn configure(
//!         &self,
//!         _: ConfigureRequest<Config>,
//!     ) -> Result<((), Diagnostics), Diagnostics> {
//!         Ok(((), Diagnostics::new()))
//!     }
//!
//!     fn resources(&self) -> Vec<ResourceEntry<()>> {
//!         vec![ResourceEntry::new("counter", CounterResource)]
//!     }
//! }
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let mut core = Core::in_process(CounterProvider).await;
//! core.configure(Value::object::<String>([])).await.unwrap();
//! let mut counter = core.resource("counter");
//!
//! let plan = counter.apply(Value::object([("name", Value::from("a"))])).await.unwrap();
//! assert_eq!(plan.action, Action::Create);
//! let plan = counter
//!     .apply(Value::object([("name", Value::from("a")), ("step", Value::from(5))]))
//!     .await
//!     .unwrap();
//! assert_eq!(plan.action, Action::Update);
//! let state = Counter::from_value(counter.state().clone()).unwrap();
//! assert_eq!(state.value, 5.into());
//! # });
//! ```

pub mod context;
mod data_source;
pub mod diagnostics;
mod ephemeral;
mod erased;
mod function;
mod identity;
mod lint;
mod model;
mod plan;
mod private;
mod provider;
mod raw_state;
mod resource;
pub mod schema;

mod serve;
mod server;
mod state;
#[cfg(feature = "testing")]
pub mod testing;
mod validate;

/// The README's code compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub use tfplugin_cty as cty;

pub use context::{Context, Interruption, Operation};
pub use data_source::{DataRead, DataSource};
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use ephemeral::{EphemeralResource, Opened, Renewed};
pub use function::{Arguments, Function, FunctionDefinition, FunctionError, Parameter};
pub use identity::{Identified, IdentityAttribute, IdentitySchema};
#[doc(hidden)]
pub use model::support as model_support;
pub use model::{AttributeValue, ConversionError, Model, Sensitive, Set};
pub use private::Private;
pub use provider::{
    ConfigureRequest, DataSourceEntry, EphemeralResourceEntry, FunctionEntry, Provider,
    ResourceEntry,
};
pub use raw_state::{RawState, StateUpgrades};
pub use resource::{
    Applied, Deferral, Deleted, Imported, MoveRequest, MoveSource, Moved, PlanInput, Planned,
    PlannedCreate, PlannedDelete, PlannedUpdate, ReadRequest, ReadResponse, Resource,
    UpgradeRequest,
};
pub use schema::timeouts::Timeouts;
pub use serve::{ServeOptions, serve};
