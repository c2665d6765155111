//! Data sources: values that are looked up and not managed.

use std::future::Future;

use crate::context::Context;
use crate::diagnostics::Diagnostics;
use crate::model::Model;
use crate::schema::Schema;

/// A data source.
pub trait DataSource: Send + Sync + 'static {
    /// Configuration and result: has the type of the schema.
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

    /// Looks the values up. `config` is wholly known and has the schema's defaults filled in.
    ///
    /// # Errors
    /// Diagnostics that say what was not found, and where.
    fn read(
        &self,
        context: Context<Self::Client>,
        config: Self::Model,
    ) -> impl Future<Output = Result<DataRead<Self::Model>, Diagnostics>> + Send;
}

/// What [`DataSource::read`] found.
#[derive(Clone, Debug, PartialEq)]
pub struct DataRead<M> {
    /// The configuration with every computed value filled in, wholly known.
    pub state: M,
    /// Warnings.
    pub diagnostics: Diagnostics,
}

impl<M> DataRead<M> {
    /// A result without warnings.
    pub const fn new(state: M) -> Self {
        Self {
            state,
            diagnostics: Diagnostics::new(),
        }
    }
}
