//! The data source `devopsgenie_cluster`: a cluster that was made elsewhere.

use devopsgenie_lifecycle::cluster::Engine;
use devopsgenie_lifecycle::cluster::model::FoundCluster;
use devopsgenie_lifecycle::cluster::names;
use tfplugin::cty::{Path, Type};
use tfplugin::diagnostics::Diagnostics;
use tfplugin::schema::{Attribute, Schema};
use tfplugin::{AttributeValue, Context, DataRead, DataSource};

use super::apply::{from_error, site};
use super::model::{AccessConfig, ClusterDataModel, ClusterModel, UpgradePolicy};
use super::schema::{cluster_name, computed};
use super::state::{created_at, network_config, vpc_config};
use crate::client::Client;
use crate::values::known_map;

/// The data source.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClusterData;

impl DataSource for ClusterData {
    type Model = ClusterDataModel;
    type Client = Client;

    fn schema(&self) -> Schema {
        schema()
    }

    async fn read(
        &self,
        context: Context<Client>,
        config: ClusterDataModel,
    ) -> Result<DataRead<ClusterDataModel>, Diagnostics> {
        let name = config.name.as_str().unwrap_or_default();
        let site = site(&context.client, None).await?;
        let found = Engine::new(site.aws.clone())
            .look_up(name)
            .await
            .map_err(|error| Diagnostics::from(from_error(&error, &ClusterModel::default())))?;
        let Some(found) = found else {
            return Err(Diagnostics::attribute_error(
                Path::root().attribute("name"),
                "No such EKS cluster",
                format!(
                    "There is no EKS cluster {name:?} in region {} of account {}. Check the name, and region and \
                     credentials of the provider. If a resource of this configuration makes the cluster, use that \
                     resource's attributes instead of the data source.",
                    site.place.region, site.place.account_id
                ),
            ));
        };
        Ok(DataRead::new(state_of(name, found)))
    }
}

fn state_of(name: &str, found: FoundCluster) -> ClusterDataModel {
    let cluster = found.cluster;
    let none = AttributeValue::Known(tfplugin::Set::default());
    ClusterDataModel {
        id: name.into(),
        name: name.into(),
        kubernetes_version: cluster.version.to_string().into(),
        status: cluster.status.to_string().into(),
        vpc_config: vpc_config(&cluster, &none).into(),
        kubernetes_network_config: network_config(&cluster).into(),
        created_at: created_at(&cluster),
        tags: known_map(names::user_tags(&cluster.tags)),
        arn: cluster.arn.into(),
        platform_version: cluster.platform_version.into(),
        endpoint: cluster.endpoint.into(),
        certificate_authority_data: cluster.certificate_authority.into(),
        oidc_issuer_url: cluster.oidc_issuer.into(),
        oidc_provider_arn: found.oidc_provider_arn.into(),
        role_arn: cluster.role_arn.into(),
        access_config: AccessConfig {
            authentication_mode: cluster.authentication_mode.into(),
            bootstrap_cluster_creator_admin_permissions: cluster
                .bootstrap_cluster_creator_admin_permissions
                .into(),
        }
        .into(),
        upgrade_policy: UpgradePolicy {
            support_type: cluster.support_type.into(),
        }
        .into(),
        enabled_cluster_log_types: AttributeValue::Known(
            cluster.enabled_log_types.into_iter().collect(),
        ),
        node_group_names: AttributeValue::Known(found.node_group_names.into_iter().collect()),
        deletion_protection: cluster.deletion_protection.into(),
    }
}

fn schema() -> Schema {
    let texts = |description: &str| {
        Attribute::set(Type::String)
            .computed()
            .description(description)
    };
    let flag = |description: &str| Attribute::bool().computed().description(description);
    Schema::new(
        "An EKS cluster that was made elsewhere: by another configuration, another tool or another team.\n\n\
         Nothing is changed. The credentials need `eks:DescribeCluster`, `eks:ListNodegroups` and \
         `iam:GetOpenIDConnectProvider`. There is no token among the attributes, because data sources are \
         written to the state: `devopsgenie_addon_set` takes the cluster's name and makes its own.",
    )
    .attribute(
        "name",
        cluster_name().required().description("Name of the cluster."),
    )
    .attribute("id", computed("Name of the cluster."))
    .attribute("arn", computed("ARN of the cluster."))
    .attribute("kubernetes_version", computed("Kubernetes minor version of the control plane."))
    .attribute("platform_version", computed("EKS platform version."))
    .attribute("status", computed("Status in EKS, such as `ACTIVE`."))
    .attribute("endpoint", computed("URL of the Kubernetes API; absent while the cluster is being made."))
    .attribute(
        "certificate_authority_data",
        computed("Base64 of the certificate authority of the Kubernetes API; absent while the cluster is being made."),
    )
    .attribute("oidc_issuer_url", computed("Issuer of the cluster's service account tokens."))
    .attribute(
        "oidc_provider_arn",
        computed("ARN of the issuer's OIDC provider in IAM; absent when the account has none."),
    )
    .attribute("role_arn", computed("IAM role of the control plane."))
    .attribute(
        "vpc_config",
        Attribute::single_nested([
            ("subnet_ids", texts("Subnets of the control plane.")),
            ("security_group_ids", texts("Additional security groups of the control plane's network interfaces.")),
            ("endpoint_public_access", flag("Whether the Kubernetes API is reachable from the internet.")),
            ("endpoint_private_access", flag("Whether the Kubernetes API is reachable inside the VPC.")),
            ("public_access_cidrs", texts("Ranges that may reach the public endpoint; absent when there are none.")),
            ("vpc_id", computed("The VPC.")),
            ("cluster_security_group_id", computed("Security group that EKS made for the control plane and the nodes.")),
        ])
        .computed()
        .description("Network of the control plane."),
    )
    .attribute(
        "kubernetes_network_config",
        Attribute::single_nested([
            ("service_ipv4_cidr", computed("Range of the addresses of services.")),
            ("ip_family", computed("`ipv4` or `ipv6`.")),
        ])
        .computed()
        .description("Addresses inside the cluster."),
    )
    .attribute(
        "access_config",
        Attribute::single_nested([
            ("authentication_mode", computed("`API`, `API_AND_CONFIG_MAP` or `CONFIG_MAP`.")),
            (
                "bootstrap_cluster_creator_admin_permissions",
                flag("Whether the principal that made the cluster became its administrator; absent when EKS does not say."),
            ),
        ])
        .computed()
        .description("How principals are authenticated."),
    )
    .attribute(
        "upgrade_policy",
        Attribute::single_nested([("support_type", computed("`STANDARD` or `EXTENDED`."))])
            .computed()
            .description("What happens at the end of standard support."),
    )
    .attribute("enabled_cluster_log_types", texts("Control-plane logs that go to CloudWatch Logs."))
    .attribute("node_group_names", texts("AWS names of the managed node groups."))
    .attribute("deletion_protection", flag("Whether EKS refuses to delete the cluster."))
    .attribute("created_at", computed("Time of creation, RFC 3339."))
    .attribute(
        "tags",
        Attribute::map(Type::String)
            .computed()
            .description("Tags of the cluster, without those of AWS and of this provider."),
    )
}
