//! The gRPC service: decodes what Core asks, calls the handlers, encodes what they answer.
//!
//! [`convert`], [`schema`] and the modules of [`rpc`], one for each group of calls, are the only
//! ones that see protobuf types besides the test client.

mod convert;
mod guard;
mod identity;
mod lifetime;
pub(crate) mod proto;
mod rpc;
mod schema;
mod session;
pub(crate) mod upgrade;

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use proto::provider_server::ProviderServer;
use tonic::service::Routes;

use crate::cty::Type;
use crate::diagnostics::{Diagnostic, Diagnostics};
use crate::ephemeral::ErasedEphemeral;
use crate::erased::{ErasedDataSource, ErasedProvider, ErasedResource, TypedProvider};
use crate::function::{ErasedFunction, is_identifier};
use crate::identity::{ErasedIdentity, IdentitySchema};
use crate::provider::Provider;
use crate::schema::{Schema, SchemaRole};
pub(crate) use lifetime::Lifetime;
use session::Sessions;

/// The largest message in either direction, as most providers have it. tonic's own limit of 4 MiB
/// is too small for configurations that hold a large text.
const MAXIMUM_MESSAGE: usize = 256 * 1024 * 1024;

/// One provider, ready to be asked.
pub(crate) struct Server {
    provider: Box<dyn ErasedProvider>,
    provider_schema: OnceLock<Described>,
    resources: OnceLock<BTreeMap<String, Entry<dyn ErasedResource>>>,
    data_sources: OnceLock<BTreeMap<String, Entry<dyn ErasedDataSource>>>,
    ephemeral_resources: OnceLock<BTreeMap<String, Entry<dyn ErasedEphemeral>>>,
    functions: OnceLock<BTreeMap<String, Arc<dyn ErasedFunction>>>,
    schema_response: OnceLock<proto::get_provider_schema::Response>,
    sessions: Sessions,
    lifetime: Lifetime,
}

/// A handler with its schema, which is made when it is first needed: most processes use few.
pub(crate) struct Entry<H: ?Sized> {
    pub(crate) handler: Arc<H>,
    described: OnceLock<Described>,
    identity: Option<Arc<dyn ErasedIdentity>>,
    described_identity: OnceLock<DescribedIdentity>,
}

/// An identity with its schema and the type that implies.
pub(crate) struct DescribedIdentity {
    pub(crate) handler: Arc<dyn ErasedIdentity>,
    pub(crate) schema: IdentitySchema,
    pub(crate) ty: Type,
}

/// A schema with the type it implies.
pub(crate) struct Described {
    pub(crate) schema: Schema,
    pub(crate) ty: Type,
}

impl Described {
    fn new(schema: Schema) -> Self {
        let ty = schema.ty();
        Self { schema, ty }
    }
}

impl Entry<dyn ErasedResource> {
    pub(crate) fn described(&self) -> &Described {
        self.described
            .get_or_init(|| Described::new(self.handler.schema()))
    }
}

impl Entry<dyn ErasedResource> {
    /// The identity of the resource's objects, if they have one.
    pub(crate) fn identity(&self) -> Option<&DescribedIdentity> {
        let handler = self.identity.as_ref()?;
        Some(self.described_identity.get_or_init(|| {
            let schema = handler.schema();
            DescribedIdentity {
                handler: Arc::clone(handler),
                ty: schema.ty(),
                schema,
            }
        }))
    }
}

impl Entry<dyn ErasedEphemeral> {
    pub(crate) fn described(&self) -> &Described {
        self.described
            .get_or_init(|| Described::new(self.handler.schema()))
    }
}

impl Entry<dyn ErasedDataSource> {
    pub(crate) fn described(&self) -> &Described {
        self.described
            .get_or_init(|| Described::new(self.handler.schema()))
    }
}

impl<H: ?Sized> Entry<H> {
    fn new(handler: Arc<H>, identity: Option<Arc<dyn ErasedIdentity>>) -> Self {
        Self {
            handler,
            described: OnceLock::new(),
            identity,
            described_identity: OnceLock::new(),
        }
    }
}

fn entries<H: ?Sized>(handlers: Vec<(String, Arc<H>)>) -> BTreeMap<String, Entry<H>> {
    handlers
        .into_iter()
        .map(|(name, handler)| (name, Entry::new(handler, None)))
        .collect()
}

impl Server {
    pub(crate) fn new<P: Provider>(provider: P) -> Self {
        guard::install_hook();
        let lifetime = Lifetime::default();
        Self {
            provider: Box::new(TypedProvider(provider)),
            provider_schema: OnceLock::new(),
            resources: OnceLock::new(),
            data_sources: OnceLock::new(),
            ephemeral_resources: OnceLock::new(),
            functions: OnceLock::new(),
            schema_response: OnceLock::new(),
            sessions: Sessions::new(lifetime.clone()),
            lifetime,
        }
    }

    pub(crate) fn lifetime(&self) -> Lifetime {
        self.lifetime.clone()
    }

    pub(crate) fn into_routes(self) -> Routes {
        Routes::new(
            ProviderServer::new(self)
                .max_decoding_message_size(MAXIMUM_MESSAGE)
                .max_encoding_message_size(MAXIMUM_MESSAGE),
        )
    }

    fn provider_described(&self) -> &Described {
        self.provider_schema
            .get_or_init(|| Described::new(self.provider.schema()))
    }

    fn resources(&self) -> &BTreeMap<String, Entry<dyn ErasedResource>> {
        self.resources.get_or_init(|| {
            let parts = self.provider.resources().into_iter();
            parts
                .map(|parts| (parts.name, Entry::new(parts.resource, parts.identity)))
                .collect()
        })
    }

    fn ephemeral_resources(&self) -> &BTreeMap<String, Entry<dyn ErasedEphemeral>> {
        self.ephemeral_resources
            .get_or_init(|| entries(self.provider.ephemeral_resources()))
    }

    fn functions(&self) -> &BTreeMap<String, Arc<dyn ErasedFunction>> {
        self.functions
            .get_or_init(|| self.provider.functions().into_iter().collect())
    }

    fn data_sources(&self) -> &BTreeMap<String, Entry<dyn ErasedDataSource>> {
        self.data_sources
            .get_or_init(|| entries(self.provider.data_sources()))
    }

    fn resource(&self, name: &str) -> Result<&Entry<dyn ErasedResource>, Diagnostics> {
        self.resources()
            .get(name)
            .ok_or_else(|| unknown_type("resource", name, self.resources().keys()))
    }

    fn data_source(&self, name: &str) -> Result<&Entry<dyn ErasedDataSource>, Diagnostics> {
        self.data_sources()
            .get(name)
            .ok_or_else(|| unknown_type("data source", name, self.data_sources().keys()))
    }

    fn ephemeral_resource(&self, name: &str) -> Result<&Entry<dyn ErasedEphemeral>, Diagnostics> {
        let all = self.ephemeral_resources();
        all.get(name)
            .ok_or_else(|| unknown_type("ephemeral resource", name, all.keys()))
    }

    /// Checks all schemas, and that each model has the type of its schema.
    pub(crate) fn check_schemas(&self) -> Diagnostics {
        let described = self.provider_described();
        let mut diagnostics = check_schema(
            "the provider",
            described,
            SchemaRole::Provider,
            &self.provider.model_type(),
        );
        for (name, entry) in self.resources() {
            diagnostics.extend(check_schema(
                &format!("the resource {name}"),
                entry.described(),
                SchemaRole::Resource,
                &entry.handler.model_type(),
            ));
        }
        for (name, entry) in self.data_sources() {
            diagnostics.extend(check_schema(
                &format!("the data source {name}"),
                entry.described(),
                SchemaRole::DataSource,
                &entry.handler.model_type(),
            ));
        }
        for (name, entry) in self.ephemeral_resources() {
            diagnostics.extend(check_schema(
                &format!("the ephemeral resource {name}"),
                entry.described(),
                SchemaRole::EphemeralResource,
                &entry.handler.model_type(),
            ));
        }
        for (name, entry) in self.resources() {
            if let Some(identity) = entry.identity() {
                diagnostics.extend(check_identity(name, identity));
            }
        }
        for (name, function) in self.functions() {
            let mut problems = function.definition().problems();
            if !is_identifier(name) {
                problems.push("the name is not one that a configuration can write".to_owned());
            }
            for problem in problems {
                diagnostics.add_error(
                    format!("Provider bug: invalid function {name}"),
                    format!("{problem}. Please report this to the provider's developers."),
                );
            }
        }
        diagnostics
    }
}

fn check_identity(name: &str, identity: &DescribedIdentity) -> Diagnostics {
    let mut problems = identity.schema.problems();
    let model = identity.handler.model_type();
    problems.extend(crate::schema::model_matches(&identity.ty, &model).err());
    problems
        .into_iter()
        .map(|problem| {
            Diagnostic::error(
                format!("Provider bug: invalid identity of the resource {name}"),
                format!("{problem}. Please report this to the provider's developers."),
            )
        })
        .collect()
}

fn check_schema(what: &str, described: &Described, role: SchemaRole, model: &Type) -> Diagnostics {
    let mut diagnostics = Diagnostics::new();
    if let Err(error) = described.schema.check(role) {
        for problem in error.problems {
            diagnostics.add_error(
                format!("Provider bug: invalid schema of {what}"),
                format!("{problem}. Please report this to the provider's developers."),
            );
        }
    }
    if let Err(mismatch) = crate::schema::model_matches(&described.ty, model) {
        diagnostics.add_error(
            format!("Provider bug: the model of {what} does not fit its schema"),
            format!("{mismatch}. Please report this to the provider's developers."),
        );
    }
    diagnostics
}

fn unknown_type<'a>(
    what: &str,
    name: &str,
    known: impl Iterator<Item = &'a String>,
) -> Diagnostics {
    let known: Vec<&str> = known.map(String::as_str).collect();
    let list = if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    };
    Diagnostics::error(
        format!("Unknown {what} type"),
        format!("This provider has no {what} {name:?}. It has: {list}."),
    )
}
