//! Calls that the test client does not make, through the gRPC service.

use tonic::codegen::http::Uri;

use super::guarded_events;
use crate::cty::{Value, msgpack};
use crate::diagnostics::Diagnostics;
use crate::provider::{ConfigureRequest, Provider, ResourceEntry};
use crate::resource::{
    Applied, Deleted, PlannedCreate, PlannedDelete, PlannedUpdate, ReadRequest, ReadResponse,
    Resource,
};
use crate::schema::{Attribute, Schema};
use crate::server::proto::provider_client::ProviderClient;
use crate::server::proto::provider_server::ProviderServer;
use crate::server::{Server, proto};
use crate::{AttributeValue, Context, model};

model! {
    pub struct Config {}

    pub struct Group {
        pub token: AttributeValue<String>,
    }

    pub struct Thing {
        pub name: AttributeValue<String>,
        pub secret: AttributeValue<String>,
        pub group: AttributeValue<Group>,
    }
}

struct Example;

impl Provider for Example {
    type Config = Config;
    type Client = ();

    fn schema(&self) -> Schema {
        Schema::new("An example.")
    }

    async fn configure(
        &self,
        _: ConfigureRequest<Config>,
    ) -> Result<((), Diagnostics), Diagnostics> {
        Ok(((), Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<()>> {
        vec![ResourceEntry::new("example_thing", Self)]
    }
}

impl Resource for Example {
    type Model = Thing;
    type Client = ();

    fn schema(&self) -> Schema {
        let secret = || {
            Attribute::string()
                .optional()
                .write_only()
                .description("Secret.")
        };
        Schema::new("A thing.")
            .attribute("name", Attribute::string().required().description("Name."))
            .attribute("secret", secret())
            .attribute(
                "group",
                Attribute::single_nested([("token", secret())])
                    .optional()
                    .description("Group."),
            )
    }

    async fn read(&self, _: Context<()>, request: ReadRequest<Thing>) -> ReadResponse<Thing> {
        ReadResponse::found(request.state, request.private)
    }

    async fn create(&self, _: Context<()>, planned: PlannedCreate<Thing>) -> Applied<Thing> {
        Applied::done(planned.planned, planned.private)
    }

    async fn update(&self, _: Context<()>, planned: PlannedUpdate<Thing>) -> Applied<Thing> {
        Applied::done(planned.planned, planned.private)
    }

    async fn delete(&self, _: Context<()>, _: PlannedDelete<Thing>) -> Deleted<Thing> {
        Deleted::gone()
    }
}

fn client() -> ProviderClient<ProviderServer<Server>> {
    let server = ProviderServer::new(Server::new(Example));
    ProviderClient::with_origin(server, Uri::from_static("http://localhost"))
}

/// Diagnostics as a table shows them.
fn show(diagnostics: &[proto::Diagnostic]) -> String {
    let lines: Vec<String> = diagnostics
        .iter()
        .map(|diagnostic| {
            let severity = diagnostic.severity().as_str_name();
            format!("{severity} {}: {}", diagnostic.summary, diagnostic.detail)
        })
        .collect();
    lines.join("\n")
}

/// Calls with a request, and shows the diagnostics and, after a `|`, the rest of the answer.
macro_rules! answer {
    ($call:ident, $request:ident { $($field:ident: $value:expr),* $(,)? }) => {{
        #[allow(clippy::needless_update, reason = "some requests have no other field")]
        let request = proto::$request::Request { $($field: $value,)* ..Default::default() };
        let mut answer = client().$call(request).await.unwrap().into_inner();
        let shown = show(&std::mem::take(&mut answer.diagnostics));
        let rest = if answer == Default::default() {
            String::new()
        } else {
            format!(" | {answer:?}")
        };
        (stringify!($call), format!("{shown}{rest}"))
    }};
}

fn named(name: &str) -> String {
    name.to_owned()
}

#[tokio::test]
async fn calls_for_what_the_provider_does_not_have() {
    let none = |kind: &str| {
        format!(
            "ERROR Unknown {kind} type: This provider has no {kind} \"x_y\": it has none at all."
        )
    };
    let x = || named("x_y");
    let thing = || named("example_thing");
    let ephemeral = "ERROR Unknown ephemeral resource type: This provider has no ephemeral \
                     resource \"x_y\". It has: none.";
    let (action, list, store) = (none("action"), none("list resource"), none("state store"));
    let unknown_resource = "ERROR Unknown resource type: This provider has no resource \"x_y\". \
                            It has: example_thing.";
    let cases: Vec<((&str, String), &str)> = vec![
        (
            answer!(
                validate_ephemeral_resource_config,
                validate_ephemeral_resource_config { type_name: x() }
            ),
            ephemeral,
        ),
        (
            answer!(
                open_ephemeral_resource,
                open_ephemeral_resource { type_name: x() }
            ),
            ephemeral,
        ),
        (
            answer!(
                renew_ephemeral_resource,
                renew_ephemeral_resource { type_name: x() }
            ),
            ephemeral,
        ),
        (
            answer!(
                close_ephemeral_resource,
                close_ephemeral_resource { type_name: x() }
            ),
            ephemeral,
        ),
        (
            answer!(
                validate_list_resource_config,
                validate_list_resource_config { type_name: x() }
            ),
            &list,
        ),
        (
            answer!(
                validate_action_config,
                validate_action_config { type_name: x() }
            ),
            &action,
        ),
        (
            answer!(plan_action, plan_action { action_type: x() }),
            &action,
        ),
        (
            answer!(
                validate_state_store_config,
                validate_state_store { type_name: x() }
            ),
            &store,
        ),
        (answer!(lock_state, lock_state { type_name: x() }), &store),
        (
            answer!(unlock_state, unlock_state { type_name: x() }),
            &store,
        ),
        (answer!(get_states, get_states { type_name: x() }), &store),
        (
            answer!(delete_state, delete_state { type_name: x() }),
            &store,
        ),
        (answer!(get_functions, get_functions {}), ""),
        (
            answer!(
                get_resource_identity_schemas,
                get_resource_identity_schemas {}
            ),
            "",
        ),
        (
            answer!(
                upgrade_resource_identity,
                upgrade_resource_identity { type_name: thing() }
            ),
            "ERROR The resource has no identity: The state holds an identity for example_thing, \
             which this provider version does not know. Use the provider version that wrote the \
             state, or a newer one.",
        ),
        (
            answer!(
                upgrade_resource_identity,
                upgrade_resource_identity { type_name: x() }
            ),
            unknown_resource,
        ),
        (
            answer!(
                generate_resource_config,
                generate_resource_config { type_name: thing() }
            ),
            "ERROR Configuration is not generated by this provider: This provider does not \
             generate configuration for example_thing; Terraform does it from the schema.",
        ),
        (
            answer!(
                generate_resource_config,
                generate_resource_config { type_name: x() }
            ),
            unknown_resource,
        ),
        (
            answer!(
                move_resource_state,
                move_resource_state {
                    source_provider_address: named("registry.terraform.io/hashicorp/null"),
                    source_type_name: named("null_resource"),
                    target_type_name: thing(),
                }
            ),
            "ERROR The state cannot be moved between these types: example_thing cannot take over \
             the state of null_resource (registry.terraform.io/hashicorp/null). Remove the moved \
             block; to keep the real object, take it out of the state with a removed block with \
             destroy = false and import it as example_thing.",
        ),
    ];
    for ((call, found), expected) in cases {
        assert_eq!(found, expected, "{call}");
    }

    let function = client()
        .call_function(proto::call_function::Request {
            name: x(),
            arguments: Vec::new(),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(
        function.error.map(|error| error.text).as_deref(),
        Some("This provider has no function \"x_y\". It has: none.")
    );

    // Core reads the capabilities of every answer without asking whether they are there.
    let configured = client()
        .configure_state_store(proto::configure_state_store::Request {
            type_name: x(),
            config: None,
            capabilities: Some(proto::StateStoreClientCapabilities {
                chunk_size: 8 << 20,
            }),
        })
        .await
        .unwrap()
        .into_inner();
    assert_eq!(show(&configured.diagnostics), store);
    assert_eq!(configured.capabilities.unwrap().chunk_size, 8 << 20);
}

#[tokio::test]
async fn streams_for_what_the_provider_does_not_have() {
    let x = || named("x_y");
    let expected = |kind: &str| {
        format!(
            "ERROR Unknown {kind} type: This provider has no {kind} \"x_y\": it has none at all."
        )
    };

    let mut listed = client()
        .list_resource(proto::list_resource::Request {
            type_name: x(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    let event = listed.message().await.unwrap().unwrap();
    assert_eq!(show(&event.diagnostic), expected("list resource"));
    assert_eq!(listed.message().await.unwrap(), None);

    let mut invoked = client()
        .invoke_action(proto::invoke_action::Request {
            action_type: x(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    let event = invoked.message().await.unwrap().unwrap();
    let Some(proto::invoke_action::event::Type::Completed(completed)) = event.r#type else {
        panic!("an event without a type makes Core panic: {event:?}");
    };
    assert_eq!(show(&completed.diagnostics), expected("action"));
    assert_eq!(invoked.message().await.unwrap(), None);

    let mut read = client()
        .read_state_bytes(proto::read_state_bytes::Request {
            type_name: x(),
            ..Default::default()
        })
        .await
        .unwrap()
        .into_inner();
    let part = read.message().await.unwrap().unwrap();
    assert_eq!(show(&part.diagnostics), expected("state store"));
    assert!(part.range.is_some(), "Core reads the range of every answer");
    assert_eq!(read.message().await.unwrap(), None);

    let chunk = |name: Option<String>| proto::write_state_bytes::RequestChunk {
        meta: name.map(|type_name| proto::RequestChunkMeta {
            type_name,
            ..Default::default()
        }),
        bytes: vec![0; 100],
        ..Default::default()
    };
    let chunks = futures::stream::iter([chunk(Some(x())), chunk(None)]);
    let written = client()
        .write_state_bytes(chunks)
        .await
        .unwrap()
        .into_inner();
    assert_eq!(show(&written.diagnostics), expected("state store"));
}

#[tokio::test]
async fn write_only_values_need_a_core_that_knows_them() {
    const NEEDS: &str = "ERROR Write-only attributes are not supported by this Terraform version: ";
    const VERSION: &str = " is write-only, which needs Terraform or OpenTofu 1.11 or newer. \
                           Upgrade, or leave the attribute out.";
    let ty = Resource::schema(&Example).ty();
    let group = |token: Value| Value::object([("token", token)]);
    let cases = [
        ("none set", None, Value::Null, Value::Null, String::new()),
        (
            "set, no capabilities",
            None,
            Value::from("x"),
            Value::Null,
            format!("{NEEDS}`secret`{VERSION}"),
        ),
        (
            "set, not allowed",
            Some(false),
            Value::from("x"),
            group(Value::Null),
            format!("{NEEDS}`secret`{VERSION}"),
        ),
        (
            "nested and unknown, not allowed",
            Some(false),
            Value::Null,
            group(Value::Unknown),
            format!("{NEEDS}`group.token`{VERSION}"),
        ),
        (
            "set, allowed",
            Some(true),
            Value::from("x"),
            group(Value::from("y")),
            String::new(),
        ),
    ];
    for (name, allowed, secret, group, expected) in cases {
        let config = Value::object([
            ("name", Value::from("a")),
            ("secret", secret),
            ("group", group),
        ]);
        let request = proto::validate_resource_config::Request {
            type_name: named("example_thing"),
            config: Some(proto::DynamicValue {
                msgpack: msgpack::encode(&config, &ty).unwrap(),
                json: Vec::new(),
            }),
            client_capabilities: allowed.map(|allowed| proto::ClientCapabilities {
                write_only_attributes_allowed: allowed,
                ..Default::default()
            }),
        };
        let answer = client().validate_resource_config(request).await.unwrap();
        assert_eq!(show(&answer.into_inner().diagnostics), expected, "{name}");
    }
}

/// A provider with a bug outside its handlers' own work.
struct Broken;

impl Provider for Broken {
    type Config = Config;
    type Client = ();

    fn schema(&self) -> Schema {
        Schema::new("Broken.")
    }

    async fn configure(
        &self,
        _: ConfigureRequest<Config>,
    ) -> Result<((), Diagnostics), Diagnostics> {
        Ok(((), Diagnostics::new()))
    }

    fn resources(&self) -> Vec<ResourceEntry<()>> {
        panic!("no resources today")
    }
}

#[tokio::test]
async fn a_panic_outside_a_handler_is_a_diagnostic_too() {
    let client = || {
        let server = ProviderServer::new(Server::new(Broken));
        ProviderClient::with_origin(server, Uri::from_static("http://localhost"))
    };
    let thing = || named("example_thing");
    macro_rules! broken {
        ($call:ident, $request:expr) => {{
            let answer = client().$call($request).await.unwrap().into_inner();
            (stringify!($call), show(&answer.diagnostics))
        }};
    }
    let answers = [
        broken!(
            get_provider_schema,
            proto::get_provider_schema::Request::default()
        ),
        broken!(get_metadata, proto::get_metadata::Request::default()),
        broken!(
            validate_resource_config,
            proto::validate_resource_config::Request {
                type_name: thing(),
                ..Default::default()
            }
        ),
        broken!(
            upgrade_resource_state,
            proto::upgrade_resource_state::Request {
                type_name: thing(),
                ..Default::default()
            }
        ),
        broken!(
            plan_resource_change,
            proto::plan_resource_change::Request {
                type_name: thing(),
                ..Default::default()
            }
        ),
        broken!(
            apply_resource_change,
            proto::apply_resource_change::Request {
                type_name: thing(),
                ..Default::default()
            }
        ),
        broken!(
            read_resource,
            proto::read_resource::Request {
                type_name: thing(),
                ..Default::default()
            }
        ),
    ];
    for (call, found) in answers {
        let expected = format!("while answering {call}: no resources today (");
        assert!(
            found.contains(&expected) && found.ends_with("Nothing was changed."),
            "{call}: {found}"
        );
    }
}

#[tokio::test]
async fn metadata_lists_what_there_is() {
    let answer = client()
        .get_metadata(proto::get_metadata::Request {})
        .await
        .unwrap()
        .into_inner();
    let names: Vec<String> = answer
        .resources
        .into_iter()
        .map(|resource| resource.type_name)
        .collect();
    assert_eq!(names, ["example_thing"]);
    assert!(answer.data_sources.is_empty() && answer.diagnostics.is_empty());
    let capabilities = answer.server_capabilities.unwrap();
    assert!(capabilities.plan_destroy && capabilities.get_provider_schema_optional);
}

#[test]
fn panics_before_streams() {
    crate::server::guard::install_hook();
    let told: fn() = || panic!("told to panic");
    let assert_told = |diagnostics: &[proto::Diagnostic]| {
        let text = show(diagnostics);
        let begin = "ERROR Provider bug: the provider panicked: The provider stopped at a bug of \
                     its own while answering a_call: told to panic (";
        assert!(text.starts_with(begin), "{text}");
        assert!(text.ends_with("Nothing was changed."), "{text}");
    };

    let listed = guarded_events::<proto::list_resource::Event>("a_call", || {
        told();
        Vec::new()
    });
    let invoked = guarded_events::<proto::invoke_action::Event>("a_call", || {
        told();
        Vec::new()
    });
    let read = guarded_events::<proto::read_state_bytes::Response>("a_call", || {
        told();
        Vec::new()
    });

    assert_eq!((listed.len(), invoked.len(), read.len()), (1, 1, 1));
    assert_told(&listed[0].diagnostic);
    match &invoked[0].r#type {
        Some(proto::invoke_action::event::Type::Completed(completed)) => {
            assert_told(&completed.diagnostics);
        }
        other => panic!("{other:?} does not end the action"),
    }
    assert_told(&read[0].diagnostics);
    assert!(read[0].range.is_some(), "Core reads the range");
}
