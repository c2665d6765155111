//! Single calls whose answers are not judged, for comparing providers.

use std::collections::BTreeMap;

use super::core::{Core, complete, dynamic, value};
use super::decode;
use super::proposed::proposed_new;
use crate::cty::{Path, Type, Value};
use crate::diagnostics::Diagnostics;
use crate::function::FunctionError;
use crate::server::proto;

/// The answer to one call. What the call has no such field for is null, empty or false.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// The state, planned state, or result.
    pub value: Value,
    /// The identity.
    pub identity: Value,
    /// The paths of a plan whose change needs a new object, in order.
    pub requires_replace: Vec<Path>,
    /// Private data as the provider encodes them.
    pub private: Vec<u8>,
    /// Whether the provider asks for a renewal.
    pub renewed: bool,
    /// Errors and warnings.
    pub diagnostics: Diagnostics,
    /// What a function says is wrong.
    pub function_error: Option<FunctionError>,
}

/// What is planned and applied.
#[derive(Clone, Copy, Debug)]
pub struct Change<'a> {
    /// The state before, null for a create.
    pub prior: &'a Value,
    /// The configuration, null for a destroy. Attributes that are left out are null.
    pub config: &'a Value,
    /// The private data: beside the state for a plan, of the plan for an apply.
    pub private: &'a [u8],
}

/// Single calls. They keep no state, give whatever the provider answers, and check nothing but its
/// encoding.
impl Core {
    /// The provider's schemas, functions and capabilities, without descriptions, as lines of text
    /// by the name of what they are about.
    pub async fn call_get_provider_schema(&mut self) -> BTreeMap<String, String> {
        let response = self
            .client
            .get_provider_schema(proto::get_provider_schema::Request {})
            .await
            .expect("GetProviderSchema succeeds")
            .into_inner();
        let identities = self
            .client
            .get_resource_identity_schemas(proto::get_resource_identity_schemas::Request {})
            .await
            .expect("GetResourceIdentitySchemas succeeds")
            .into_inner();
        let mut lines = BTreeMap::new();
        lines.insert(
            "capabilities".to_owned(),
            format!("{:?}", response.server_capabilities),
        );
        let kinds = [
            ("resource", response.resource_schemas),
            ("data", response.data_source_schemas),
            ("ephemeral", response.ephemeral_resource_schemas),
            (
                "provider",
                response
                    .provider
                    .map(|schema| (String::new(), schema))
                    .into_iter()
                    .collect(),
            ),
        ];
        for (kind, schemas) in kinds {
            for (name, schema) in schemas {
                let name = format!("{kind} {name}");
                lines.insert(name.clone(), format!("version {}", schema.version));
                describe_block(&mut lines, &name, schema.block.as_ref());
            }
        }
        for (name, schema) in identities.identity_schemas {
            let name = format!("identity {name}");
            lines.insert(name.clone(), format!("version {}", schema.version));
            for attribute in schema.identity_attributes {
                lines.insert(
                    format!("{name}.{}", attribute.name),
                    format!(
                        "{} required {} optional {}",
                        String::from_utf8_lossy(&attribute.r#type),
                        attribute.required_for_import,
                        attribute.optional_for_import
                    ),
                );
            }
        }
        for (name, function) in response.functions {
            let name = format!("function {name}");
            let returned = function.r#return.unwrap_or_default();
            lines.insert(
                name.clone(),
                String::from_utf8_lossy(&returned.r#type).into(),
            );
            for (index, parameter) in function.parameters.iter().enumerate() {
                lines.insert(format!("{name}.{index}"), describe_parameter(parameter));
            }
            if let Some(parameter) = &function.variadic_parameter {
                lines.insert(format!("{name}.variadic"), describe_parameter(parameter));
            }
        }
        lines
    }

    /// ValidateProviderConfig.
    pub async fn call_validate_provider(&mut self, config: Value) -> Answer {
        let ty = self.provider_schema().ty();
        let response = self
            .client
            .validate_provider_config(proto::validate_provider_config::Request {
                config: Some(dynamic(&complete(config, &ty), &ty)),
            })
            .await
            .expect("ValidateProviderConfig succeeds")
            .into_inner();
        Answer::said(response.diagnostics)
    }

    /// ValidateResourceConfig.
    pub async fn call_validate(&mut self, type_name: &str, config: &Value) -> Answer {
        let ty = self.resource_schema(type_name).ty();
        let capabilities = self.capabilities();
        let response = self
            .client
            .validate_resource_config(proto::validate_resource_config::Request {
                type_name: type_name.to_owned(),
                config: Some(dynamic(&complete(config.clone(), &ty), &ty)),
                client_capabilities: Some(capabilities),
            })
            .await
            .expect("ValidateResourceConfig succeeds")
            .into_inner();
        Answer::said(response.diagnostics)
    }

    /// UpgradeResourceState of a state as JSON.
    pub async fn call_upgrade(&mut self, type_name: &str, version: i64, state: &str) -> Answer {
        let ty = self.resource_schema(type_name).ty();
        let response = self
            .client
            .upgrade_resource_state(proto::upgrade_resource_state::Request {
                type_name: type_name.to_owned(),
                version,
                raw_state: Some(raw(state)),
            })
            .await
            .expect("UpgradeResourceState succeeds")
            .into_inner();
        Answer {
            value: value(response.upgraded_state.as_ref(), &ty),
            ..Answer::said(response.diagnostics)
        }
    }

    /// UpgradeResourceIdentity of an identity as JSON.
    pub async fn call_upgrade_identity(
        &mut self,
        type_name: &str,
        version: i64,
        identity: &str,
    ) -> Answer {
        let response = self
            .client
            .upgrade_resource_identity(proto::upgrade_resource_identity::Request {
                type_name: type_name.to_owned(),
                version,
                raw_identity: Some(raw(identity)),
            })
            .await
            .expect("UpgradeResourceIdentity succeeds")
            .into_inner();
        Answer {
            identity: self.identity_of(type_name, response.upgraded_identity.as_ref()),
            ..Answer::said(response.diagnostics)
        }
    }

    /// PlanResourceChange, with the proposed state that Core makes of prior state and
    /// configuration. A null configuration plans a destroy.
    pub async fn call_plan(
        &mut self,
        type_name: &str,
        change: Change<'_>,
        identity: &Value,
    ) -> Answer {
        let schema = self.resource_schema(type_name).clone();
        let ty = schema.ty();
        let config = complete(change.config.clone(), &ty);
        let proposed = if config.is_null() {
            Value::Null
        } else {
            proposed_new(schema.members(), change.prior, &config)
        };
        let request = proto::plan_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(dynamic(change.prior, &ty)),
            proposed_new_state: Some(dynamic(&proposed, &ty)),
            config: Some(dynamic(&config, &ty)),
            prior_private: change.private.to_vec(),
            client_capabilities: Some(self.capabilities()),
            prior_identity: self.identity_data(type_name, identity),
            ..Default::default()
        };
        let response = self
            .client
            .plan_resource_change(request)
            .await
            .expect("PlanResourceChange succeeds")
            .into_inner();
        let mut requires_replace: Vec<Path> =
            response.requires_replace.iter().map(decode::path).collect();
        requires_replace.sort();
        Answer {
            value: value(response.planned_state.as_ref(), &ty),
            identity: self.identity_of(type_name, response.planned_identity.as_ref()),
            requires_replace,
            private: response.planned_private,
            ..Answer::said(response.diagnostics)
        }
    }

    /// ApplyResourceChange.
    pub async fn call_apply(
        &mut self,
        type_name: &str,
        change: Change<'_>,
        planned: &Value,
        identity: &Value,
    ) -> Answer {
        let ty = self.resource_schema(type_name).ty();
        let request = proto::apply_resource_change::Request {
            type_name: type_name.to_owned(),
            prior_state: Some(dynamic(change.prior, &ty)),
            planned_state: Some(dynamic(planned, &ty)),
            config: Some(dynamic(&complete(change.config.clone(), &ty), &ty)),
            planned_private: change.private.to_vec(),
            planned_identity: self.identity_data(type_name, identity),
            ..Default::default()
        };
        let response = self
            .client
            .apply_resource_change(request)
            .await
            .expect("ApplyResourceChange succeeds")
            .into_inner();
        Answer {
            value: value(response.new_state.as_ref(), &ty),
            identity: self.identity_of(type_name, response.new_identity.as_ref()),
            private: response.private,
            ..Answer::said(response.diagnostics)
        }
    }

    /// ReadResource.
    pub async fn call_read(
        &mut self,
        type_name: &str,
        state: &Value,
        private: &[u8],
        identity: &Value,
    ) -> Answer {
        let ty = self.resource_schema(type_name).ty();
        let request = proto::read_resource::Request {
            type_name: type_name.to_owned(),
            current_state: Some(dynamic(state, &ty)),
            private: private.to_vec(),
            current_identity: self.identity_data(type_name, identity),
            client_capabilities: Some(self.capabilities()),
            ..Default::default()
        };
        let response = self
            .client
            .read_resource(request)
            .await
            .expect("ReadResource succeeds")
            .into_inner();
        Answer {
            value: value(response.new_state.as_ref(), &ty),
            identity: self.identity_of(type_name, response.new_identity.as_ref()),
            private: response.private,
            ..Answer::said(response.diagnostics)
        }
    }

    /// ImportResourceState, by id, or by identity when the id is empty. The answers are the
    /// objects; the diagnostics are in the first, which is also there when there is no object.
    pub async fn call_import(
        &mut self,
        type_name: &str,
        id: &str,
        identity: &Value,
    ) -> Vec<Answer> {
        let ty = self.resource_schema(type_name).ty();
        let request = proto::import_resource_state::Request {
            type_name: type_name.to_owned(),
            id: id.to_owned(),
            client_capabilities: Some(self.capabilities()),
            identity: self.identity_data(type_name, identity),
        };
        let response = self
            .client
            .import_resource_state(request)
            .await
            .expect("ImportResourceState succeeds")
            .into_inner();
        let mut answers: Vec<Answer> = response
            .imported_resources
            .iter()
            .map(|imported| Answer {
                value: value(imported.state.as_ref(), &ty),
                identity: self.identity_of(type_name, imported.identity.as_ref()),
                private: imported.private.clone(),
                ..Answer::default()
            })
            .collect();
        if answers.is_empty() {
            answers.push(Answer::default());
        }
        if let Some(first) = answers.first_mut() {
            first.diagnostics = decode::diagnostics(response.diagnostics);
        }
        answers
    }

    /// MoveResourceState of a state as JSON, of the type `source` of a provider, with its version.
    pub async fn call_move(
        &mut self,
        type_name: &str,
        provider_address: &str,
        source: (&str, i64),
        state: &str,
    ) -> Answer {
        let ty = self.resource_schema(type_name).ty();
        let response = self
            .client
            .move_resource_state(proto::move_resource_state::Request {
                source_provider_address: provider_address.to_owned(),
                source_type_name: source.0.to_owned(),
                source_schema_version: source.1,
                source_state: Some(raw(state)),
                target_type_name: type_name.to_owned(),
                ..Default::default()
            })
            .await
            .expect("MoveResourceState succeeds")
            .into_inner();
        Answer {
            value: value(response.target_state.as_ref(), &ty),
            identity: self.identity_of(type_name, response.target_identity.as_ref()),
            private: response.target_private,
            ..Answer::said(response.diagnostics)
        }
    }

    /// ReadDataSource, without ValidateDataResourceConfig.
    pub async fn call_read_data_source(&mut self, type_name: &str, config: Value) -> Answer {
        let ty = self.data_source_schema(type_name).ty();
        let capabilities = self.capabilities();
        let response = self
            .client
            .read_data_source(proto::read_data_source::Request {
                type_name: type_name.to_owned(),
                config: Some(dynamic(&complete(config, &ty), &ty)),
                client_capabilities: Some(capabilities),
                ..Default::default()
            })
            .await
            .expect("ReadDataSource succeeds")
            .into_inner();
        Answer {
            value: value(response.state.as_ref(), &ty),
            ..Answer::said(response.diagnostics)
        }
    }

    /// CallFunction, with whatever arguments, once.
    pub async fn call_function_once(&mut self, name: &str, arguments: &[Value]) -> Answer {
        let function = self
            .function(name)
            .unwrap_or_else(|| panic!("the provider has no function {name}"));
        let encoded = arguments
            .iter()
            .enumerate()
            .map(|(index, argument)| {
                let parameter = function
                    .parameters
                    .get(index)
                    .or(function.variadic_parameter.as_ref())
                    .expect("there is a parameter for each argument");
                let ty = Type::from_json(&parameter.r#type).expect("valid type JSON");
                dynamic(argument, &ty)
            })
            .collect();
        let returned = function.r#return.expect("a function returns something");
        let ty = Type::from_json(&returned.r#type).expect("valid type JSON");
        match self.call_once(name, encoded, &ty).await {
            Ok(value) => Answer {
                value,
                ..Answer::default()
            },
            Err(error) => Answer {
                function_error: Some(error),
                ..Answer::default()
            },
        }
    }

    /// ValidateEphemeralResourceConfig.
    pub async fn call_validate_ephemeral(&mut self, type_name: &str, config: &Value) -> Answer {
        let ty = self.ephemeral_schema(type_name).ty();
        let response = self
            .client
            .validate_ephemeral_resource_config(
                proto::validate_ephemeral_resource_config::Request {
                    type_name: type_name.to_owned(),
                    config: Some(dynamic(&complete(config.clone(), &ty), &ty)),
                },
            )
            .await
            .expect("ValidateEphemeralResourceConfig succeeds")
            .into_inner();
        Answer::said(response.diagnostics)
    }

    /// OpenEphemeralResource.
    pub async fn call_open(&mut self, type_name: &str, config: &Value) -> Answer {
        let ty = self.ephemeral_schema(type_name).ty();
        let capabilities = self.capabilities();
        let response = self
            .client
            .open_ephemeral_resource(proto::open_ephemeral_resource::Request {
                type_name: type_name.to_owned(),
                config: Some(dynamic(&complete(config.clone(), &ty), &ty)),
                client_capabilities: Some(capabilities),
            })
            .await
            .expect("OpenEphemeralResource succeeds")
            .into_inner();
        Answer {
            value: value(response.result.as_ref(), &ty),
            private: response.private.unwrap_or_default(),
            renewed: response.renew_at.is_some(),
            ..Answer::said(response.diagnostics)
        }
    }

    /// RenewEphemeralResource.
    pub async fn call_renew(&mut self, type_name: &str, private: &[u8]) -> Answer {
        let response = self
            .client
            .renew_ephemeral_resource(proto::renew_ephemeral_resource::Request {
                type_name: type_name.to_owned(),
                private: Some(private.to_vec()),
            })
            .await
            .expect("RenewEphemeralResource succeeds")
            .into_inner();
        Answer {
            private: response.private.unwrap_or_default(),
            renewed: response.renew_at.is_some(),
            ..Answer::said(response.diagnostics)
        }
    }

    /// CloseEphemeralResource.
    pub async fn call_close(&mut self, type_name: &str, private: &[u8]) -> Answer {
        let response = self
            .client
            .close_ephemeral_resource(proto::close_ephemeral_resource::Request {
                type_name: type_name.to_owned(),
                private: Some(private.to_vec()),
            })
            .await
            .expect("CloseEphemeralResource succeeds")
            .into_inner();
        Answer::said(response.diagnostics)
    }

    fn identity_data(
        &self,
        type_name: &str,
        identity: &Value,
    ) -> Option<proto::ResourceIdentityData> {
        self.resource(type_name).identity_data(identity)
    }

    fn identity_of(&self, type_name: &str, data: Option<&proto::ResourceIdentityData>) -> Value {
        self.resource(type_name).identity_value(data)
    }
}

impl Default for Answer {
    /// Nothing.
    fn default() -> Self {
        Self {
            value: Value::Null,
            identity: Value::Null,
            requires_replace: Vec::new(),
            private: Vec::new(),
            renewed: false,
            diagnostics: Diagnostics::new(),
            function_error: None,
        }
    }
}

impl Answer {
    fn said(diagnostics: Vec<proto::Diagnostic>) -> Self {
        Self {
            diagnostics: decode::diagnostics(diagnostics),
            ..Self::default()
        }
    }
}

fn raw(json: &str) -> proto::RawState {
    proto::RawState {
        json: json.as_bytes().to_vec(),
        ..Default::default()
    }
}

fn describe_block(
    lines: &mut BTreeMap<String, String>,
    name: &str,
    block: Option<&proto::schema::Block>,
) {
    let block = block.expect("a schema has a block");
    describe_attributes(lines, name, &block.attributes);
    for nested in &block.block_types {
        let name = format!("{name}.{}", nested.type_name);
        let count = (nested.min_items, nested.max_items);
        lines.insert(
            name.clone(),
            format!("block {:?} of {count:?}", nested.nesting()),
        );
        describe_block(lines, &name, nested.block.as_ref());
    }
}

fn describe_attributes(
    lines: &mut BTreeMap<String, String>,
    name: &str,
    attributes: &[proto::schema::Attribute],
) {
    for attribute in attributes {
        let name = format!("{name}.{}", attribute.name);
        let mut text = match &attribute.nested_type {
            Some(object) => format!("{:?}", object.nesting()),
            None => String::from_utf8_lossy(&attribute.r#type).into_owned(),
        };
        let flags = [
            (attribute.required, " required"),
            (attribute.optional, " optional"),
            (attribute.computed, " computed"),
            (attribute.sensitive, " sensitive"),
            (attribute.write_only, " write-only"),
            (attribute.deprecated, " deprecated"),
        ];
        text.extend(flags.iter().filter(|flag| flag.0).map(|flag| flag.1));
        lines.insert(name.clone(), text);
        if let Some(object) = &attribute.nested_type {
            describe_attributes(lines, &name, &object.attributes);
        }
    }
}

fn describe_parameter(parameter: &proto::function::Parameter) -> String {
    format!(
        "{} {} null {} unknown {}",
        parameter.name,
        String::from_utf8_lossy(&parameter.r#type),
        parameter.allow_null_value,
        parameter.allow_unknown_values
    )
}
