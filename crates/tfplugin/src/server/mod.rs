//! The gRPC service: decodes what Core asks, calls the handlers, encodes what they answer.
//!
//! [`convert`], [`schema`] and the modules of [`rpc`], one for each group of calls, are the only
//! ones that see protobuf types besides the test client.

mod convert;
mod guard;
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
use crate::diagnostics::Diagnostics;
use crate::erased::{ErasedDataSource, ErasedProvider, ErasedResource, TypedProvider};
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
    schema_response: OnceLock<proto::get_provider_schema::Response>,
    sessions: Sessions,
    lifetime: Lifetime,
}

/// A handler with its schema, which is made when it is first needed: most processes use few.
pub(crate) struct Entry<H: ?Sized> {
    pub(crate) handler: Arc<H>,
    described: OnceLock<Described>,
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

impl Entry<dyn ErasedDataSource> {
    pub(crate) fn described(&self) -> &Described {
        self.described
            .get_or_init(|| Described::new(self.handler.schema()))
    }
}

fn entries<H: ?Sized>(handlers: Vec<(String, Arc<H>)>) -> BTreeMap<String, Entry<H>> {
    handlers
        .into_iter()
        .map(|(name, handler)| {
            let entry = Entry {
                handler,
                described: OnceLock::new(),
            };
            (name, entry)
        })
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
        self.resources
            .get_or_init(|| entries(self.provider.resources()))
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
        diagnostics
    }
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
