//! The provider itself.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use crate::data_source::DataSource;
use crate::diagnostics::Diagnostics;
use crate::ephemeral::{EphemeralResource, ErasedEphemeral, TypedEphemeral};
use crate::erased::{
    ErasedDataSource, ErasedResource, ResourceParts, TypedDataSource, TypedResource,
};
use crate::function::{ErasedFunction, Function, TypedFunction};
use crate::identity::{ErasedIdentity, Identified, TypedIdentity};
use crate::model::Model;
use crate::resource::Resource;
use crate::schema::Schema;

/// A provider: its configuration, and the resources and data sources that use it.
pub trait Provider: Send + Sync + 'static {
    /// The provider's configuration: has the type of the schema.
    type Config: Model;
    /// What a configuration makes: shared by all operations of one connection.
    type Client: Send + Sync + 'static;

    /// The attributes of the provider's configuration.
    fn schema(&self) -> Schema;

    /// Checks a configuration beyond the schema's validators. Values may be unknown.
    fn validate(&self, config: &Self::Config) -> Diagnostics {
        let _ = config;
        Diagnostics::new()
    }

    /// Makes the client. Called once per process that plans or applies, and in debug mode once per
    /// connection. In a plan, values may be unknown: accept that and fail when they are needed.
    /// The result carries warnings.
    ///
    /// # Errors
    /// Diagnostics that say what is wrong with the configuration.
    fn configure(
        &self,
        request: ConfigureRequest<Self::Config>,
    ) -> impl Future<Output = Result<(Self::Client, Diagnostics), Diagnostics>> + Send;

    /// The managed resources.
    fn resources(&self) -> Vec<ResourceEntry<Self::Client>>;

    /// The data sources.
    fn data_sources(&self) -> Vec<DataSourceEntry<Self::Client>> {
        Vec::new()
    }

    /// The ephemeral resources.
    fn ephemeral_resources(&self) -> Vec<EphemeralResourceEntry<Self::Client>> {
        Vec::new()
    }

    /// The functions.
    fn functions(&self) -> Vec<FunctionEntry> {
        Vec::new()
    }
}

/// What [`Provider::configure`] gets.
#[derive(Clone, Debug)]
pub struct ConfigureRequest<M> {
    /// The configuration.
    pub config: M,
    /// What Core says its version is. OpenTofu 1.12 says "1.13.0": never branch on it.
    pub terraform_version: String,
    /// Cancelled when the user asks to stop.
    pub stop: CancellationToken,
}

/// A resource under its type name.
pub struct ResourceEntry<C> {
    name: String,
    resource: Arc<dyn ErasedResource>,
    identity: Option<Arc<dyn ErasedIdentity>>,
    client: PhantomData<fn() -> C>,
}

impl<C: Send + Sync + 'static> ResourceEntry<C> {
    /// A resource under its full type name, for example "example_file".
    pub fn new<R: Resource<Client = C>>(name: impl Into<String>, resource: R) -> Self {
        Self {
            name: name.into(),
            resource: Arc::new(TypedResource(Arc::new(resource))),
            identity: None,
            client: PhantomData,
        }
    }

    /// A resource whose objects have an identity.
    pub fn identified<R: Identified<Client = C>>(name: impl Into<String>, resource: R) -> Self {
        let resource = Arc::new(resource);
        Self {
            name: name.into(),
            resource: Arc::new(TypedResource(Arc::clone(&resource))),
            identity: Some(Arc::new(TypedIdentity(resource))),
            client: PhantomData,
        }
    }

    pub(crate) fn into_parts(self) -> ResourceParts {
        ResourceParts {
            name: self.name,
            resource: self.resource,
            identity: self.identity,
        }
    }
}

impl<C> fmt::Debug for ResourceEntry<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("ResourceEntry")
            .field(&self.name)
            .finish()
    }
}

/// A data source under its type name.
pub struct DataSourceEntry<C> {
    name: String,
    data_source: Arc<dyn ErasedDataSource>,
    client: PhantomData<fn() -> C>,
}

impl<C: Send + Sync + 'static> DataSourceEntry<C> {
    /// A data source under its full type name.
    pub fn new<D: DataSource<Client = C>>(name: impl Into<String>, data_source: D) -> Self {
        Self {
            name: name.into(),
            data_source: Arc::new(TypedDataSource(data_source)),
            client: PhantomData,
        }
    }

    pub(crate) fn into_parts(self) -> (String, Arc<dyn ErasedDataSource>) {
        (self.name, self.data_source)
    }
}

impl<C> fmt::Debug for DataSourceEntry<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("DataSourceEntry")
            .field(&self.name)
            .finish()
    }
}

/// An ephemeral resource under its type name.
pub struct EphemeralResourceEntry<C> {
    name: String,
    resource: Arc<dyn ErasedEphemeral>,
    client: PhantomData<fn() -> C>,
}

impl<C: Send + Sync + 'static> EphemeralResourceEntry<C> {
    /// An ephemeral resource under its full type name.
    pub fn new<E: EphemeralResource<Client = C>>(name: impl Into<String>, resource: E) -> Self {
        Self {
            name: name.into(),
            resource: Arc::new(TypedEphemeral(resource)),
            client: PhantomData,
        }
    }

    pub(crate) fn into_parts(self) -> (String, Arc<dyn ErasedEphemeral>) {
        (self.name, self.resource)
    }
}

impl<C> fmt::Debug for EphemeralResourceEntry<C> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("EphemeralResourceEntry")
            .field(&self.name)
            .finish()
    }
}

/// A function under its name.
pub struct FunctionEntry {
    name: String,
    function: Arc<dyn ErasedFunction>,
}

impl FunctionEntry {
    /// A function under its name, without the provider's: `provider::TYPE::NAME` calls it.
    pub fn new(name: impl Into<String>, function: impl Function) -> Self {
        Self {
            name: name.into(),
            function: Arc::new(TypedFunction(function)),
        }
    }

    pub(crate) fn into_parts(self) -> (String, Arc<dyn ErasedFunction>) {
        (self.name, self.function)
    }
}

impl fmt::Debug for FunctionEntry {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_tuple("FunctionEntry")
            .field(&self.name)
            .finish()
    }
}
