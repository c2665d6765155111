use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tonic::codegen::http;

use super::decode;
use super::managed::Managed;
use super::transport::{self, Process, Transport};
use crate::cty::{Type, Value, msgpack};
use crate::diagnostics::Diagnostics;
use crate::provider::Provider;
use crate::schema::Schema;
use crate::server::Server;
use crate::server::proto;
use crate::server::proto::provider_client::ProviderClient;
use crate::server::proto::provider_server::ProviderServer;

const MAXIMUM_MESSAGE: usize = 256 * 1024 * 1024;

/// How long Core waits for the end of a process (go-plugin `client.go`).
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);

/// The version this client claims, as Terraform does in `ConfigureProvider`.
const TERRAFORM_VERSION: &str = "1.11.4";

/// Terraform Core, connected to one provider.
///
/// Clones use the same connection.
#[derive(Clone)]
pub struct Core {
    pub(super) client: ProviderClient<Transport>,
    transport: Transport,
    deferral_allowed: bool,
    schemas: Arc<Schemas>,
    process: Option<Arc<Process>>,
}

struct Schemas {
    provider: Schema,
    resources: BTreeMap<String, Schema>,
    data_sources: BTreeMap<String, Schema>,
    ephemeral_resources: BTreeMap<String, Schema>,
    functions: BTreeMap<String, proto::Function>,
    identities: BTreeMap<String, IdentityType>,
}

/// What this client knows of an identity's schema.
#[derive(Clone)]
pub(super) struct IdentityType {
    pub(super) version: i64,
    pub(super) ty: Type,
}

impl Core {
    /// Connects to a provider in this process, not yet configured. Requests are encoded and
    /// decoded as on a socket.
    pub async fn in_process<P: Provider>(provider: P) -> Self {
        let server = ProviderServer::new(Server::new(provider))
            .max_decoding_message_size(MAXIMUM_MESSAGE)
            .max_encoding_message_size(MAXIMUM_MESSAGE);
        Self::connect(Transport::InProcess(server), None).await
    }

    /// Starts a provider's executable as Core does, with the handshake and mutual TLS, and
    /// connects over its socket. The process is killed when the last clone is dropped.
    pub async fn spawn(binary: impl AsRef<Path>) -> Self {
        let started = transport::start(binary.as_ref(), Stdio::inherit())
            .await
            .expect("the provider starts");
        let protocol = started.handshake.protocol;
        assert_eq!(protocol, 6, "the protocol of the handshake line");
        let (sender, process) = started.connect().await.expect("the provider accepts");
        Self::connect(Transport::Socket(sender), Some(Arc::new(process))).await
    }

    /// Connects to a provider that a developer started with `--debug`, at the unix socket it
    /// printed. Each call makes a connection of its own, as Core makes one for each provider
    /// instance.
    pub async fn attach(socket: impl AsRef<Path>) -> Self {
        let sender = transport::attach(socket.as_ref())
            .await
            .expect("the provider accepts");
        Self::connect(Transport::Socket(sender), None).await
    }

    async fn connect(transport: Transport, process: Option<Arc<Process>>) -> Self {
        let origin = http::Uri::from_static("http://localhost");
        let mut client = ProviderClient::with_origin(transport.clone(), origin)
            .max_decoding_message_size(MAXIMUM_MESSAGE)
            .max_encoding_message_size(MAXIMUM_MESSAGE);
        let response = client
            .get_provider_schema(proto::get_provider_schema::Request {})
            .await
            .expect("GetProviderSchema succeeds")
            .into_inner();
        let diagnostics = decode::diagnostics(response.diagnostics);
        assert!(!diagnostics.has_errors(), "{diagnostics}");
        let decode_all = |schemas: std::collections::HashMap<String, proto::Schema>| {
            schemas
                .iter()
                .map(|(name, schema)| (name.clone(), decode::schema(schema)))
                .collect()
        };
        let identities = client
            .get_resource_identity_schemas(proto::get_resource_identity_schemas::Request {})
            .await
            .expect("GetResourceIdentitySchemas succeeds")
            .into_inner();
        let diagnostics = decode::diagnostics(identities.diagnostics);
        assert!(!diagnostics.has_errors(), "{diagnostics}");
        let provider = response.provider.expect("the provider has a schema");
        Self {
            client,
            transport,
            deferral_allowed: false,
            schemas: Arc::new(Schemas {
                provider: decode::schema(&provider),
                resources: decode_all(response.resource_schemas),
                data_sources: decode_all(response.data_source_schemas),
                ephemeral_resources: decode_all(response.ephemeral_resource_schemas),
                functions: response.functions.into_iter().collect(),
                identities: identities
                    .identity_schemas
                    .iter()
                    .map(|(name, schema)| (name.clone(), decode::identity(schema)))
                    .collect(),
            }),
            process,
        }
    }

    /// The same connection, on which plans and reads may be deferred, as in experimental builds of
    /// Terraform. Resources made by [`Core::resource`] before do not notice.
    #[must_use]
    pub fn allow_deferral(mut self) -> Self {
        self.deferral_allowed = true;
        self
    }

    /// What this client accepts, as Terraform 1.11 does.
    pub(super) fn capabilities(&self) -> proto::ClientCapabilities {
        proto::ClientCapabilities {
            write_only_attributes_allowed: true,
            deferral_allowed: self.deferral_allowed,
            ..Default::default()
        }
    }

    /// Validates and configures the provider. Attributes that are left out of `config` are null.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the warnings otherwise.
    pub async fn configure(&mut self, config: Value) -> Result<Diagnostics, Diagnostics> {
        let ty = self.schemas.provider.ty();
        let config = dynamic(&complete(config, &ty), &ty);
        let validated = self
            .client
            .validate_provider_config(proto::validate_provider_config::Request {
                config: Some(config.clone()),
            })
            .await
            .expect("ValidateProviderConfig succeeds")
            .into_inner();
        let mut diagnostics = warnings(validated.diagnostics)?;
        let configured = self
            .client
            .configure_provider(proto::configure_provider::Request {
                terraform_version: TERRAFORM_VERSION.to_owned(),
                config: Some(config),
                client_capabilities: Some(self.capabilities()),
            })
            .await
            .expect("ConfigureProvider succeeds")
            .into_inner();
        diagnostics.extend(warnings(configured.diagnostics)?);
        Ok(diagnostics)
    }

    /// A resource instance of the given type, without a state.
    pub fn resource(&self, type_name: &str) -> Managed {
        let schema = self.resource_schema(type_name).clone();
        let identity = self.schemas.identities.get(type_name).cloned();
        Managed::new(self.clone(), type_name, schema, identity)
    }

    pub(super) fn provider_schema(&self) -> &Schema {
        &self.schemas.provider
    }

    pub(super) fn resource_schema(&self, type_name: &str) -> &Schema {
        self.schemas
            .resources
            .get(type_name)
            .unwrap_or_else(|| panic!("the provider has no resource {type_name}"))
    }

    pub(super) fn data_source_schema(&self, type_name: &str) -> &Schema {
        self.schemas
            .data_sources
            .get(type_name)
            .unwrap_or_else(|| panic!("the provider has no data source {type_name}"))
    }

    pub(super) fn function(&self, name: &str) -> Option<proto::Function> {
        self.schemas.functions.get(name).cloned()
    }

    pub(super) fn ephemeral_schema(&self, type_name: &str) -> Schema {
        self.schemas
            .ephemeral_resources
            .get(type_name)
            .unwrap_or_else(|| panic!("the provider has no ephemeral resource {type_name}"))
            .clone()
    }

    /// Validates and reads a data source.
    ///
    /// # Errors
    /// The provider's diagnostics when one is an error; the value and the warnings otherwise.
    pub async fn read_data_source(
        &mut self,
        type_name: &str,
        config: Value,
    ) -> Result<(Value, Diagnostics), Diagnostics> {
        let ty = self.data_source_schema(type_name).ty();
        let config = dynamic(&complete(config, &ty), &ty);
        let validated = self
            .client
            .validate_data_resource_config(proto::validate_data_resource_config::Request {
                type_name: type_name.to_owned(),
                config: Some(config.clone()),
            })
            .await
            .expect("ValidateDataResourceConfig succeeds")
            .into_inner();
        let mut diagnostics = warnings(validated.diagnostics)?;
        let read = self
            .client
            .read_data_source(proto::read_data_source::Request {
                type_name: type_name.to_owned(),
                config: Some(config),
                provider_meta: None,
                client_capabilities: Some(self.capabilities()),
            })
            .await
            .expect("ReadDataSource succeeds")
            .into_inner();
        diagnostics.extend(warnings(read.diagnostics)?);
        let state = value(read.state.as_ref(), &ty);
        assert!(!state.is_null(), "a data source must not be null");
        assert!(state.is_wholly_known(), "a data source must be known");
        Ok((state, diagnostics))
    }

    /// Asks the provider to stop, as the first Ctrl-C does. Running calls go on.
    pub async fn stop(&self) {
        self.client
            .clone()
            .stop_provider(proto::stop_provider::Request {})
            .await
            .expect("StopProvider succeeds");
    }

    /// Ends the provider's process as Core does: by Shutdown, after which it has two seconds.
    ///
    /// # Panics
    /// When this is not the only clone, or no process of its own; when the process does not end by
    /// itself and well, or leaves its socket behind.
    pub async fn shut_down(self) {
        let process = self.process.expect("a process of its own");
        let mut process = Arc::into_inner(process).expect("no other clone is in use");
        let mut client = tonic::client::Grpc::with_origin(
            self.transport,
            http::Uri::from_static("http://localhost"),
        );
        client.ready().await.expect("the provider is there");
        let path = http::uri::PathAndQuery::from_static("/plugin.GRPCController/Shutdown");
        let codec = tonic_prost::ProstCodec::<(), ()>::default();
        client
            .unary(tonic::Request::new(()), path, codec)
            .await
            .expect("Shutdown is answered");
        let (status, left) = process
            .ended(SHUTDOWN_TIMEOUT)
            .await
            .expect("the provider ends in time");
        assert!(status.success(), "the provider ended with {status}");
        assert_eq!(left, 0, "the provider left its socket behind");
    }

    /// Whether this is a process of its own.
    pub fn is_process(&self) -> bool {
        self.process.is_some()
    }
}

/// The warnings, or all diagnostics when one is an error.
pub(super) fn warnings(diagnostics: Vec<proto::Diagnostic>) -> Result<Diagnostics, Diagnostics> {
    let diagnostics = decode::diagnostics(diagnostics);
    if diagnostics.has_errors() {
        Err(diagnostics)
    } else {
        Ok(diagnostics)
    }
}

pub(super) fn dynamic(value: &Value, ty: &Type) -> proto::DynamicValue {
    proto::DynamicValue {
        msgpack: msgpack::encode(value, ty).expect("the value has the type of the schema"),
        json: Vec::new(),
    }
}

pub(super) fn value(dynamic: Option<&proto::DynamicValue>, ty: &Type) -> Value {
    match dynamic {
        Some(dynamic) if !dynamic.msgpack.is_empty() => {
            msgpack::decode(&dynamic.msgpack, ty).expect("the answer has the type of the schema")
        }
        _ => Value::Null,
    }
}

/// Adds null for every attribute that an object of the configuration leaves out.
pub(super) fn complete(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (Value::Object(mut values), Type::Object(object)) => {
            for (name, ty) in object.attributes() {
                let value = values.remove(name).unwrap_or(Value::Null);
                values.insert(name.clone(), complete(value, ty));
            }
            Value::Object(values)
        }
        (Value::List(elements), Type::List(ty)) => {
            Value::list(elements.into_iter().map(|element| complete(element, ty)))
        }
        (Value::Set(elements), Type::Set(ty)) => {
            Value::set(elements.into_iter().map(|element| complete(element, ty)))
        }
        (Value::Map(entries), Type::Map(ty)) => Value::map(
            entries
                .into_iter()
                .map(|(key, element)| (key, complete(element, ty))),
        ),
        (value, _) => value,
    }
}
