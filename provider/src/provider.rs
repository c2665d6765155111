//! The provider: its configuration and the list of its resources.

use std::collections::BTreeMap;
use std::time::Duration;

use devopsgenie_lifecycle::aws::{AssumeRole, Aws, Endpoints, Settings};
use tfplugin::diagnostics::Diagnostics;
use tfplugin::schema::{Schema, timeouts::parse_duration};
use tfplugin::{
    AttributeValue, ConfigureRequest, DataSourceEntry, Model, Provider, ResourceEntry, cty,
};

use crate::client::{AwsUnavailable, Client, configuration_diagnostics};
use crate::configuration::{self, Configuration};
use crate::owner;

/// The provider `devopsgenie`.
#[derive(Clone, Copy, Debug, Default)]
pub struct DevOpsGenie;

impl Provider for DevOpsGenie {
    type Config = Configuration;
    type Client = Client;

    fn schema(&self) -> Schema {
        configuration::schema()
    }

    async fn configure(
        &self,
        request: ConfigureRequest<Configuration>,
    ) -> Result<(Client, Diagnostics), Diagnostics> {
        let config = request.config;
        let owner = match &config.owner {
            AttributeValue::Known(owner) => owner.clone(),
            _ => default_owner()?,
        };
        let default_tags = default_tags(&config);
        let unknown = unknown_arguments(&config);
        if !unknown.is_empty() {
            let aws = Err(AwsUnavailable::Unknown(unknown));
            return Ok((
                Client::new(aws, None, default_tags, owner),
                Diagnostics::new(),
            ));
        }
        let asked_for = names_aws(&config);
        let aws = match Aws::new(settings(config)).await {
            Ok(aws) => aws,
            Err(error) if asked_for => return Err(configuration_diagnostics(&error)),
            Err(error) => {
                let aws = Err(AwsUnavailable::Failed(error));
                return Ok((
                    Client::new(aws, None, default_tags, owner),
                    Diagnostics::new(),
                ));
            }
        };
        // Whoever configures AWS hears of a wrong account or missing credentials now, in the plan.
        let account_id = if asked_for {
            let identity = aws
                .caller_identity()
                .await
                .map_err(|error| configuration_diagnostics(&error))?;
            Some(identity.account_id.clone())
        } else {
            None
        };
        Ok((
            Client::new(Ok(aws), account_id, default_tags, owner),
            Diagnostics::new(),
        ))
    }

    fn resources(&self) -> Vec<ResourceEntry<Client>> {
        vec![
            ResourceEntry::new("devopsgenie_addon_set", crate::addon_set::AddonSet),
            ResourceEntry::new("devopsgenie_cluster", crate::cluster::Cluster),
            ResourceEntry::new(
                "devopsgenie_workload_role",
                crate::workload_role::WorkloadRole,
            ),
        ]
    }

    fn data_sources(&self) -> Vec<DataSourceEntry<Client>> {
        vec![DataSourceEntry::new(
            "devopsgenie_cluster",
            crate::cluster::ClusterData,
        )]
    }
}

fn default_owner() -> Result<String, Diagnostics> {
    let directory = std::env::current_dir().map_err(|error| {
        Diagnostics::error(
            "The owner cannot be derived",
            format!(
                "The working directory, which is part of the identity of a local state, cannot be read: {error}. \
                 Set `owner` in the provider block."
            ),
        )
    })?;
    let environment: BTreeMap<String, String> = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect();
    Ok(owner::owner(&directory, &environment))
}

/// The arguments that AWS needs and that are unknown, also in part.
fn unknown_arguments(config: &Configuration) -> Vec<String> {
    let cty::Value::Object(arguments) = config.to_value() else {
        return Vec::new();
    };
    arguments
        .into_iter()
        .filter(|(name, value)| {
            name != "owner" && name != "default_tags" && !value.is_wholly_known()
        })
        .map(|(name, _)| name)
        .collect()
}

/// Whether the configuration says anything about AWS.
fn names_aws(config: &Configuration) -> bool {
    match config.to_value() {
        cty::Value::Object(arguments) => arguments
            .iter()
            .any(|(name, value)| name != "owner" && !value.is_null()),
        _ => false,
    }
}

fn default_tags(config: &Configuration) -> Option<BTreeMap<String, String>> {
    let tags = match &config.default_tags {
        AttributeValue::Null => return Some(BTreeMap::new()),
        AttributeValue::Unknown => return None,
        AttributeValue::Known(default_tags) => &default_tags.tags,
    };
    match tags {
        AttributeValue::Null => Some(BTreeMap::new()),
        AttributeValue::Unknown => None,
        AttributeValue::Known(tags) => tags
            .iter()
            .map(|(name, value)| match value {
                AttributeValue::Known(value) => Some((name.clone(), value.clone())),
                AttributeValue::Null => Some((name.clone(), String::new())),
                AttributeValue::Unknown => None,
            })
            .collect(),
    }
}

fn settings(config: Configuration) -> Settings {
    let texts = |list: AttributeValue<Vec<AttributeValue<String>>>| {
        list.into_known()
            .unwrap_or_default()
            .into_iter()
            .filter_map(AttributeValue::into_known)
            .collect()
    };
    let default_tags = default_tags(&config).unwrap_or_default();
    let endpoints = config.endpoints.into_known().unwrap_or_default();
    Settings {
        region: config.region.into_known(),
        profile: config.profile.into_known(),
        access_key: config.access_key.into_known(),
        secret_key: config
            .secret_key
            .into_known()
            .map(|secret| secret.into_inner()),
        token: config.token.into_known().map(|secret| secret.into_inner()),
        shared_config_files: texts(config.shared_config_files),
        shared_credentials_files: texts(config.shared_credentials_files),
        assume_role: config.assume_role.into_known().map(|role| AssumeRole {
            role_arn: role.role_arn.into_known().unwrap_or_default(),
            session_name: role.session_name.into_known(),
            external_id: role.external_id.into_known(),
            duration: role.duration.as_str().and_then(duration),
            policy: role.policy.into_known(),
            policy_arns: set(role.policy_arns),
            tags: role
                .tags
                .into_known()
                .unwrap_or_default()
                .into_iter()
                .map(|(key, value)| (key, value.into_known().unwrap_or_default()))
                .collect(),
            transitive_tag_keys: set(role.transitive_tag_keys),
        }),
        endpoints: Endpoints {
            eks: endpoints.eks.into_known(),
            iam: endpoints.iam.into_known(),
            sts: endpoints.sts.into_known(),
        },
        max_retries: config
            .max_retries
            .into_known()
            .and_then(|retries| u32::try_from(retries).ok()),
        allowed_account_ids: set(config.allowed_account_ids),
        forbidden_account_ids: set(config.forbidden_account_ids),
        default_tags,
    }
}

fn set(texts: AttributeValue<tfplugin::Set<String>>) -> Vec<String> {
    texts
        .into_known()
        .map(|texts| texts.known().cloned().collect())
        .unwrap_or_default()
}

/// The schema has validated the text.
fn duration(text: &str) -> Option<Duration> {
    parse_duration(text).ok()
}
