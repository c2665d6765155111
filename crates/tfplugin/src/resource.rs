//! Managed resources.

use std::fmt;
use std::future::Future;

use crate::context::Context;
use crate::cty::{Path, Value};
use crate::diagnostics::Diagnostics;
use crate::model::Model;
use crate::private::Private;
use crate::raw_state::RawState;
use crate::schema::Schema;

/// A managed resource: what Terraform creates, reads, updates and deletes.
///
/// Planning is pure and plain; the rest is asynchronous and answers with a state **and**
/// diagnostics, so that nothing made is ever lost. A handler that panics becomes an error
/// diagnostic, and the state known before is kept; after a create that is the planned one, which
/// Core marks as tainted.
pub trait Resource: Send + Sync + 'static {
    /// Configuration, plan and state: has the type of the schema.
    type Model: Model;
    /// What the provider's configuration makes.
    type Client: Send + Sync + 'static;

    /// The attributes.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema's validators. Values may be unknown.
    fn validate(&self, config: &Self::Model) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }

    /// Whether planning or reading an object has to wait until more is known. It is asked only when
    /// Core allows that, which experimental builds of Terraform do, and OpenTofu does not. Core also
    /// allows it in every apply and then refuses it, so only unknown values count as a reason: in
    /// an apply there are none.
    ///
    /// Tested with this crate's own client alone, for want of a released Core that defers.
    fn defer(
        &self,
        config: Option<&Self::Model>,
        client: Option<&Self::Client>,
    ) -> Option<Deferral> {
        let _ = (config, client);
        None
    }

    /// Decides what a create or update will do. Pure: Core plans twice and compares.
    ///
    /// # Errors
    /// Diagnostics that stop the plan.
    fn plan(
        &self,
        input: PlanInput<'_, Self::Model, Self::Client>,
    ) -> Result<Planned<Self::Model>, Diagnostics> {
        Ok(Planned {
            private: input.prior_private.clone(),
            state: input.proposed,
            requires_replace: Vec::new(),
            diagnostics: Diagnostics::new(),
        })
    }

    /// Decides what a destroy will do: the private data the delete gets, and warnings. It is not
    /// called for the delete half of a replacement, which gets the private data of the planned create.
    ///
    /// # Errors
    /// Diagnostics that stop the plan, for example because deletion is protected.
    fn plan_destroy(
        &self,
        prior: &Self::Model,
        prior_private: &Private,
    ) -> Result<(Private, Diagnostics), Diagnostics> {
        let _ = prior;
        Ok((prior_private.clone(), Diagnostics::new()))
    }

    /// Looks at the real object.
    fn read(
        &self,
        context: Context<Self::Client>,
        request: ReadRequest<Self::Model>,
    ) -> impl Future<Output = ReadResponse<Self::Model>> + Send;

    /// Makes the object.
    fn create(
        &self,
        context: Context<Self::Client>,
        planned: PlannedCreate<Self::Model>,
    ) -> impl Future<Output = Applied<Self::Model>> + Send;

    /// Changes the object.
    fn update(
        &self,
        context: Context<Self::Client>,
        planned: PlannedUpdate<Self::Model>,
    ) -> impl Future<Output = Applied<Self::Model>> + Send;

    /// Removes the object.
    fn delete(
        &self,
        context: Context<Self::Client>,
        planned: PlannedDelete<Self::Model>,
    ) -> impl Future<Output = Deleted<Self::Model>> + Send;

    /// Finds an existing object by its id. Core reads it afterwards, so only what
    /// [`Resource::read`] needs has to be filled in.
    ///
    /// # Errors
    /// Diagnostics that say what the id must look like, or that there is no such object.
    fn import(
        &self,
        context: Context<Self::Client>,
        id: &str,
    ) -> impl Future<Output = Result<Imported<Self::Model>, Diagnostics>> + Send {
        let _ = (context, id);
        async {
            Err(Diagnostics::error(
                "Import is not supported",
                "This resource cannot be imported. Remove the import block or command and let \
                 Terraform create the object.",
            ))
        }
    }

    /// Reads a state written with an older schema version.
    ///
    /// # Errors
    /// Diagnostics that say why the state cannot be read.
    fn upgrade_state(&self, request: UpgradeRequest) -> Result<Self::Model, Diagnostics> {
        Err(request.too_old())
    }

    /// The resource types whose state this one can take over, when a `moved` block says so:
    /// Terraform 1.8 and newer, OpenTofu 1.10 and newer.
    fn move_sources(&self) -> Vec<MoveSource> {
        Vec::new()
    }

    /// Turns the state of an object of one of [`Resource::move_sources`] into one of this type.
    /// Core reads the object afterwards.
    ///
    /// # Errors
    /// Diagnostics that say why the state cannot be taken over.
    fn move_state(&self, request: MoveRequest) -> Result<Moved<Self::Model>, Diagnostics> {
        Err(Diagnostics::error(
            "Provider bug: the state cannot be moved",
            format!(
                "The resource names {} as a type whose state it takes over, and does not do it. \
                 Please report this to the provider's developers.",
                request.type_name
            ),
        ))
    }
}

/// Why an object is dealt with later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deferral {
    /// The resource's configuration is not known well enough.
    ResourceConfigUnknown,
    /// The provider's configuration is not known well enough.
    ProviderConfigUnknown,
}

/// What [`Resource::plan`] sees.
#[derive(Debug)]
pub struct PlanInput<'a, M, C> {
    /// The configuration. The only place with write-only values.
    pub config: &'a M,
    /// The state before, `None` for a create.
    pub prior: Option<&'a M>,
    /// What the framework proposes: configuration and defaults, computed values unknown where
    /// something changes, modifiers applied, write-only values null.
    pub proposed: M,
    /// The private data beside the prior state, empty for a create.
    ///
    /// A replacement is planned as a change first and then as a create, with the private data of
    /// the first plan. Its apply deletes with those of the second plan, and only then plans the
    /// create once more, **without** private data (seen in Terraform 1.11 and OpenTofu 1.12), so
    /// the planned values of a create must not depend on them.
    pub prior_private: &'a Private,
    /// What the provider's configuration made; `None` when the provider is not configured.
    pub client: Option<&'a C>,
}

/// What [`Resource::plan`] decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Planned<M> {
    /// The state after apply, as far as known. Must agree with the configuration where that has a
    /// value and, in the attributes that are not computed, where it has none.
    pub state: M,
    /// Attributes whose change needs a new object, besides those of the schema's modifiers. Where
    /// the value does not change they are left out.
    pub requires_replace: Vec<Path>,
    /// What apply gets as private data.
    pub private: Private,
    /// Warnings. An error stops the plan.
    pub diagnostics: Diagnostics,
}

/// What [`Resource::read`] gets.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadRequest<M> {
    /// The state before. After an import, only what the import filled in.
    pub state: M,
    /// The private data beside it.
    pub private: Private,
}

/// What [`Resource::read`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct ReadResponse<M> {
    /// The state now, wholly known; `None` when the object is gone. With an error, Core keeps the
    /// state before: an unreachable object is not gone.
    pub state: Option<M>,
    /// The private data to keep: replaces what was there.
    pub private: Private,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl<M> ReadResponse<M> {
    /// The object exists.
    pub const fn found(state: M, private: Private) -> Self {
        Self {
            state: Some(state),
            private,
            diagnostics: Diagnostics::new(),
        }
    }

    /// The object does not exist any more.
    pub const fn gone() -> Self {
        Self {
            state: None,
            private: Private::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// The object could not be read: the state before is kept.
    pub fn failed(request: ReadRequest<M>, diagnostics: Diagnostics) -> Self {
        Self {
            state: Some(request.state),
            private: request.private,
            diagnostics,
        }
    }
}

/// What [`Resource::create`] gets.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedCreate<M> {
    /// The configuration, wholly known. The only place with write-only values.
    pub config: M,
    /// The planned state, with unknown values where the create finds them out.
    pub planned: M,
    /// The private data of the plan.
    pub private: Private,
}

/// What [`Resource::update`] gets.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedUpdate<M> {
    /// The configuration, wholly known. The only place with write-only values.
    pub config: M,
    /// The state before.
    pub prior: M,
    /// The planned state, with unknown values where the update finds them out.
    pub planned: M,
    /// The private data of the plan.
    pub private: Private,
}

/// What [`Resource::delete`] gets.
#[derive(Clone, Debug, PartialEq)]
pub struct PlannedDelete<M> {
    /// The state before.
    pub prior: M,
    /// The private data of the destroy plan; in a replacement, those of its create as it was
    /// planned before the apply.
    pub private: Private,
}

/// How a create or update ended.
///
/// On success the state is what was planned, with every unknown value found out. With an error it
/// is what really exists (unknown values in it become null); Core then marks a created object as
/// tainted and keeps an updated one as given. `None` with an error keeps the state before, which
/// for a create is nothing.
#[derive(Clone, Debug, PartialEq)]
pub struct Applied<M> {
    /// The state now.
    pub state: Option<M>,
    /// The private data to keep: replaces what was there.
    pub private: Private,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl<M> Applied<M> {
    /// The work is done.
    pub const fn done(state: M, private: Private) -> Self {
        Self {
            state: Some(state),
            private,
            diagnostics: Diagnostics::new(),
        }
    }

    /// Nothing was done: the state before is kept.
    pub const fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            state: None,
            private: Private::new(),
            diagnostics,
        }
    }

    /// Part of the work is done, this is the state that was reached.
    pub const fn partial(state: M, private: Private, diagnostics: Diagnostics) -> Self {
        Self {
            state: Some(state),
            private,
            diagnostics,
        }
    }
}

/// How a delete ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Deleted<M> {
    /// What is left, `None` when all is gone. `None` with an error keeps the whole state before.
    pub remaining: Option<M>,
    /// The private data to keep beside what is left.
    pub private: Private,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
}

impl<M> Deleted<M> {
    /// All is gone.
    pub const fn gone() -> Self {
        Self {
            remaining: None,
            private: Private::new(),
            diagnostics: Diagnostics::new(),
        }
    }

    /// Nothing was removed: the state before is kept.
    pub const fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            remaining: None,
            private: Private::new(),
            diagnostics,
        }
    }

    /// Part of the object is left.
    pub const fn partial(remaining: M, private: Private, diagnostics: Diagnostics) -> Self {
        Self {
            remaining: Some(remaining),
            private,
            diagnostics,
        }
    }
}

/// What [`Resource::import`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct Imported<M> {
    /// As much of the state as [`Resource::read`] needs, the rest null.
    pub state: M,
    /// The private data to keep.
    pub private: Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl<M> Imported<M> {
    /// An import without private data and warnings.
    pub const fn new(state: M) -> Self {
        Self {
            state,
            private: Private::new(),
            diagnostics: Diagnostics::new(),
        }
    }
}

impl<M: Model> Imported<M> {
    pub(crate) fn into_value(self) -> Imported<Value> {
        Imported {
            state: self.state.to_value(),
            private: self.private,
            diagnostics: self.diagnostics,
        }
    }
}

/// What [`Resource::upgrade_state`] gets.
///
/// [`StateUpgrades`](crate::StateUpgrades) goes from version to version.
#[derive(Clone, Debug, PartialEq)]
pub struct UpgradeRequest {
    /// The schema version the state was written with, older than the schema's.
    pub version: i64,
    /// The state as it was written.
    pub state: RawState,
}

impl UpgradeRequest {
    /// The error for a version that is not supported any more.
    pub fn too_old(&self) -> Diagnostics {
        Diagnostics::error(
            "The state is too old for this provider version",
            format!(
                "The state has schema version {}, which this provider cannot read any more. Apply \
                 once with an older version of the provider that still can, then come back.",
                self.version
            ),
        )
    }
}

/// A resource type of this or another provider.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MoveSource {
    provider: String,
    type_name: String,
}

impl MoveSource {
    /// The type `type_name` of the provider `NAMESPACE/TYPE`, in whichever registry it is.
    pub fn new(provider: impl Into<String>, type_name: impl Into<String>) -> Self {
        Self {
            provider: provider.into(),
            type_name: type_name.into(),
        }
    }

    /// Whether it is the type of the provider with this address, `HOST/NAMESPACE/TYPE`.
    pub(crate) fn is(&self, provider_address: &str, type_name: &str) -> bool {
        let provider = provider_address
            .split_once('/')
            .map_or(provider_address, |(_, provider)| provider);
        self.provider == provider && self.type_name == type_name
    }
}

impl fmt::Display for MoveSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} ({})", self.type_name, self.provider)
    }
}

/// What [`Resource::move_state`] gets.
#[derive(Clone, Debug, PartialEq)]
pub struct MoveRequest {
    /// The address of the provider that wrote the state: `HOST/NAMESPACE/TYPE`.
    pub provider_address: String,
    /// The type the object had.
    pub type_name: String,
    /// The version of that type's schema.
    pub schema_version: i64,
    /// The state as it was written.
    pub state: RawState,
    /// The private data of that provider, in its own form.
    pub private: Vec<u8>,
}

/// What [`Resource::move_state`] made.
#[derive(Clone, Debug, PartialEq)]
pub struct Moved<M> {
    /// The state, wholly known.
    pub state: M,
    /// The private data to keep.
    pub private: Private,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl<M> Moved<M> {
    /// A move without private data and warnings.
    pub const fn new(state: M) -> Self {
        Self {
            state,
            private: Private::new(),
            diagnostics: Diagnostics::new(),
        }
    }
}
