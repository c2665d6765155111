//! The calls of the service, one module each; families without a use yet share one.

mod actions;
mod apply_resource_change;
mod configure_provider;
mod ephemeral_resources;
mod functions;
mod generate_resource_config;
mod get_metadata;
mod get_provider_schema;
mod identity;
mod import_resource_state;
mod list_resources;
mod move_resource_state;
mod plan_resource_change;
mod read_data_source;
mod read_resource;
mod state_stores;
mod stop_provider;
mod upgrade_resource_state;
mod validate_data_resource_config;
mod validate_provider_config;
mod validate_resource_config;

#[cfg(all(test, feature = "testing"))]
#[allow(clippy::panic, reason = "test code")]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use futures::stream::Iter;
use tonic::{Request, Response, Status, Streaming};

use super::convert::encode_diagnostics;
use super::guard::{Aftermath, Panicked, guard, guard_async};
use super::proto::{self, provider_server::Provider};
use super::session::Session;
use super::{Described, Server};
use crate::context::{Context, Operation};
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::erased::AnyContext;

/// A stream whose events are all there.
type Events<T> = Iter<std::vec::IntoIter<Result<T, Status>>>;

/// The context of one operation, or why the provider cannot do it yet.
fn context(
    session: &Session,
    described: &Described,
    operation: Operation,
    resource: Option<&Value>,
) -> Result<AnyContext, Diagnostics> {
    let client = session.client().ok_or_else(|| {
        Diagnostics::error(
            "The provider is not configured",
            "Terraform asked for an operation that needs the provider's configuration before it \
             sent one. This is a bug in Terraform or in the program that drives this provider, \
             unless an earlier error says why the configuration failed.",
        )
    })?;
    let timeout: Duration = described
        .schema
        .timeouts
        .unwrap_or_default()
        .resolve(operation, resource);
    let context = Context::new(Arc::new(()), session.stop.clone(), operation, timeout);
    Ok(AnyContext { client, context })
}

/// The answer to a call whose function panicked.
fn answer_of_panic<T: Failed>(call: &str, panicked: Panicked) -> T {
    let during = format!("answering {call}");
    T::failed(panicked.into_diagnostics(&during, Aftermath::NothingChanged))
}

/// The events of a stream; a panic becomes the only one.
fn guarded_events<T: Failed>(call: &str, events: impl FnOnce() -> Vec<T>) -> Vec<T> {
    guard(events).unwrap_or_else(|panicked| vec![answer_of_panic(call, panicked)])
}

/// Implements the generated trait: each method forwards to a function of its module, and a panic
/// in that, such as one in a handler's schema, becomes the answer.
macro_rules! service {
    (
        calls { $($call:ident => $module:ident::$function:ident: $rpc:ident;)* }
        streams { $($stream:ident as $stream_type:ident => $stream_module:ident::$stream_function:ident: $stream_rpc:ident -> $event:ty;)* }
    ) => {
        #[tonic::async_trait]
        impl Provider for Server {
            $(
                async fn $call(
                    &self,
                    request: Request<proto::$rpc::Request>,
                ) -> Result<Response<proto::$rpc::Response>, Status> {
                    let session = self.sessions.of(request.extensions());
                    let request = request.into_inner();
                    let response =
                        guard_async(|| Box::pin($module::$function(self, &session, request)))
                            .await
                            .unwrap_or_else(|panicked| {
                                answer_of_panic(stringify!($call), panicked)
                            });
                    Ok(Response::new(response))
                }
            )*

            $(
                type $stream_type = Events<$event>;

                async fn $stream(
                    &self,
                    request: Request<proto::$stream_rpc::Request>,
                ) -> Result<Response<Self::$stream_type>, Status> {
                    let request = request.into_inner();
                    let events = guarded_events(stringify!($stream), || {
                        $stream_module::$stream_function(request)
                    });
                    let events: Vec<_> = events.into_iter().map(Ok).collect();
                    Ok(Response::new(futures::stream::iter(events)))
                }
            )*

            async fn write_state_bytes(
                &self,
                request: Request<Streaming<proto::write_state_bytes::RequestChunk>>,
            ) -> Result<Response<proto::write_state_bytes::Response>, Status> {
                let chunks = request.into_inner();
                let response = guard_async(|| Box::pin(state_stores::write(chunks)))
                    .await
                    .unwrap_or_else(|panicked| Ok(answer_of_panic("write_state_bytes", panicked)))?;
                Ok(Response::new(response))
            }
        }
    };
}

service! {
    calls {
        get_metadata => get_metadata::handle: get_metadata;
        get_provider_schema => get_provider_schema::handle: get_provider_schema;
        get_resource_identity_schemas => identity::schemas: get_resource_identity_schemas;
        get_functions => functions::get: get_functions;
        validate_provider_config => validate_provider_config::handle: validate_provider_config;
        configure_provider => configure_provider::handle: configure_provider;
        stop_provider => stop_provider::handle: stop_provider;
        validate_resource_config => validate_resource_config::handle: validate_resource_config;
        upgrade_resource_state => upgrade_resource_state::handle: upgrade_resource_state;
        upgrade_resource_identity => identity::upgrade: upgrade_resource_identity;
        read_resource => read_resource::handle: read_resource;
        plan_resource_change => plan_resource_change::handle: plan_resource_change;
        apply_resource_change => apply_resource_change::handle: apply_resource_change;
        import_resource_state => import_resource_state::handle: import_resource_state;
        move_resource_state => move_resource_state::handle: move_resource_state;
        generate_resource_config => generate_resource_config::handle: generate_resource_config;
        validate_data_resource_config => validate_data_resource_config::handle: validate_data_resource_config;
        read_data_source => read_data_source::handle: read_data_source;
        validate_ephemeral_resource_config => ephemeral_resources::validate: validate_ephemeral_resource_config;
        open_ephemeral_resource => ephemeral_resources::open: open_ephemeral_resource;
        renew_ephemeral_resource => ephemeral_resources::renew: renew_ephemeral_resource;
        close_ephemeral_resource => ephemeral_resources::close: close_ephemeral_resource;
        call_function => functions::call: call_function;
        validate_list_resource_config => list_resources::validate: validate_list_resource_config;
        validate_action_config => actions::validate: validate_action_config;
        plan_action => actions::plan: plan_action;
        validate_state_store_config => state_stores::validate: validate_state_store;
        configure_state_store => state_stores::configure: configure_state_store;
        lock_state => state_stores::lock: lock_state;
        unlock_state => state_stores::unlock: unlock_state;
        get_states => state_stores::list: get_states;
        delete_state => state_stores::delete: delete_state;
    }
    streams {
        list_resource as ListResourceStream => list_resources::list: list_resource -> proto::list_resource::Event;
        invoke_action as InvokeActionStream => actions::invoke: invoke_action -> proto::invoke_action::Event;
        read_state_bytes as ReadStateBytesStream => state_stores::read: read_state_bytes -> proto::read_state_bytes::Response;
    }
}

/// An answer that holds nothing but what went wrong.
trait Failed {
    fn failed(diagnostics: Diagnostics) -> Self;
}

macro_rules! failed_by_diagnostics {
    ($($rpc:ident),* $(,)?) => {$(
        impl Failed for proto::$rpc::Response {
            #[allow(clippy::needless_update, reason = "some answers have no other field")]
            fn failed(diagnostics: Diagnostics) -> Self {
                Self {
                    diagnostics: encode_diagnostics(diagnostics),
                    ..Self::default()
                }
            }
        }
    )*};
}

failed_by_diagnostics!(
    apply_resource_change,
    close_ephemeral_resource,
    configure_provider,
    delete_state,
    generate_resource_config,
    get_functions,
    get_metadata,
    get_provider_schema,
    get_resource_identity_schemas,
    get_states,
    import_resource_state,
    lock_state,
    move_resource_state,
    open_ephemeral_resource,
    plan_action,
    plan_resource_change,
    read_data_source,
    read_resource,
    renew_ephemeral_resource,
    unlock_state,
    upgrade_resource_identity,
    upgrade_resource_state,
    validate_action_config,
    validate_data_resource_config,
    validate_ephemeral_resource_config,
    validate_list_resource_config,
    validate_provider_config,
    validate_resource_config,
    validate_state_store,
    write_state_bytes,
);

impl Failed for proto::list_resource::Event {
    fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            diagnostic: encode_diagnostics(diagnostics),
            ..Self::default()
        }
    }
}

impl Failed for proto::invoke_action::Event {
    fn failed(diagnostics: Diagnostics) -> Self {
        use proto::invoke_action::event::{Completed, Type};
        Self {
            r#type: Some(Type::Completed(Completed {
                diagnostics: encode_diagnostics(diagnostics),
            })),
        }
    }
}

impl Failed for proto::read_state_bytes::Response {
    fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            // Core reads the range of every answer, also of one that only says what is wrong.
            range: Some(proto::StateRange::default()),
            diagnostics: encode_diagnostics(diagnostics),
            ..Self::default()
        }
    }
}

impl Failed for proto::configure_state_store::Response {
    fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            // Core reads the size of every answer.
            capabilities: Some(proto::StateStoreServerCapabilities::default()),
            diagnostics: encode_diagnostics(diagnostics),
        }
    }
}

impl Failed for proto::stop_provider::Response {
    fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            error: diagnostics.to_string(),
        }
    }
}

impl Failed for proto::call_function::Response {
    fn failed(diagnostics: Diagnostics) -> Self {
        Self {
            result: None,
            error: Some(proto::FunctionError {
                text: diagnostics.to_string(),
                function_argument: None,
            }),
        }
    }
}

/// The answer for a type name of a kind that this provider has none of.
fn no_such<T: Failed>(kind: &str, name: &str) -> T {
    T::failed(Diagnostics::error(
        format!("Unknown {kind} type"),
        format!("This provider has no {kind} {name:?}: it has none at all."),
    ))
}
