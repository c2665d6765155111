//! Reads what exists of a cluster.

use super::model::{
    AccessEntry, AccessScope, ClusterStatus, FoundCluster, Issuer, KubernetesVersion,
    MaxUnavailable, NodeGroupStatus, Observed, ObservedAccessEntry, ObservedCluster,
    ObservedNodeGroup, ObservedOidcProvider, ObservedRole, StringMap, Taint,
};
use super::names::{self, RoleKind};
use super::plan::Part;
use crate::aws::{ApiError, Aws, ErrorClass};
use crate::iam::{self, absent};
use crate::policy_document::percent_decode;
use aws_sdk_eks::types as eks;
use futures::{StreamExt as _, TryStreamExt as _};
use std::collections::{BTreeMap, BTreeSet};

/// Reads the parts of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Observer {
    pub(super) aws: Aws,
    pub(super) cluster: String,
    pub(super) region: String,
    pub(super) partition: String,
    pub(super) account_id: String,
    /// Owner whose OIDC providers are looked for by tag.
    pub(super) owner: String,
    /// The OIDC provider, once known.
    pub(super) oidc_provider_arn: Option<String>,
    /// Whether to look through the account's OIDC providers for ours: reading alone does not.
    pub(super) search_oidc_providers: bool,
    /// Whether to look for Fargate profiles, which keep a cluster from being deleted.
    pub(super) list_fargate_profiles: bool,
    /// ARNs of OIDC providers that were seen not to be ours, so that they are asked for only once.
    pub(super) foreign_oidc_providers: BTreeSet<String>,
}

/// How many things are read at the same time: more would only be throttled.
const CONCURRENT_READS: usize = 8;

/// Reads one thing after its name, several at a time, without those that are gone.
async fn each<'a, T, F>(
    names: &'a [String],
    read: impl Fn(&'a str) -> F,
) -> Result<BTreeMap<String, T>, ApiError>
where
    F: Future<Output = Result<Option<T>, ApiError>>,
{
    let mut reads = Vec::with_capacity(names.len());
    for name in names {
        let reading = read(name);
        reads.push(async move { Ok(reading.await?.map(|thing| (name.clone(), thing))) });
    }
    let found: Vec<Option<(String, T)>> = futures::stream::iter(reads)
        .buffer_unordered(CONCURRENT_READS)
        .try_collect()
        .await?;
    Ok(found.into_iter().flatten().collect())
}

impl Observer {
    /// Reads everything.
    pub(super) async fn all(&mut self) -> Result<Observed, ApiError> {
        let mut observed = Observed {
            cluster: self.cluster().await?,
            ..Observed::default()
        };
        (observed.cluster_role, observed.node_role) =
            tokio::try_join!(self.role(RoleKind::Cluster), self.role(RoleKind::Node))?;
        observed.oidc_provider = self.oidc_provider(&observed).await?;
        observed.owned_oidc_providers = self.owned_oidc_providers().await?;
        if observed.cluster.is_some() {
            let names = self.node_group_names().await?;
            observed.node_groups = each(&names, |name| self.node_group(name)).await?;
            if readable_entries(&observed) {
                observed.access_entries = self.access_entries().await?;
            }
            if self.list_fargate_profiles {
                observed.fargate_profiles = self.fargate_profiles().await?;
            }
        }
        Ok(observed)
    }

    /// Reads the cluster with what is named after it, whoever made them.
    pub(super) async fn found(&mut self) -> Result<Option<FoundCluster>, ApiError> {
        let observed = Observed {
            cluster: self.cluster().await?,
            ..Observed::default()
        };
        if observed.cluster.is_none() {
            return Ok(None);
        }
        let oidc_provider = self.oidc_provider(&observed).await?;
        let node_group_names = self.node_group_names().await?.into_iter().collect();
        Ok(observed.cluster.map(|cluster| FoundCluster {
            cluster,
            oidc_provider_arn: oidc_provider.map(|provider| provider.arn),
            node_group_names,
        }))
    }

    /// Looks for the OIDC provider of the cluster's issuer, whoever made them.
    pub(super) async fn issuer(&mut self) -> Result<Issuer, ApiError> {
        let observed = Observed {
            cluster: self.cluster().await?,
            ..Observed::default()
        };
        let Some(cluster) = &observed.cluster else {
            return Ok(Issuer::NoCluster);
        };
        let url = cluster.oidc_issuer.clone();
        Ok(match self.oidc_provider(&observed).await? {
            Some(provider) => Issuer::Provider(provider.arn),
            None => Issuer::NoProvider(url),
        })
    }

    async fn access_entries(&self) -> Result<BTreeMap<String, ObservedAccessEntry>, ApiError> {
        let principals = self.access_entry_principals().await?;
        each(&principals, |principal| self.access_entry(principal)).await
    }

    /// The names of the Fargate profiles; none when the credentials may not list them, since EKS's own
    /// refusal to delete the cluster then tells.
    async fn fargate_profiles(&self) -> Result<BTreeSet<String>, ApiError> {
        let mut names = BTreeSet::new();
        let mut pages = self
            .aws
            .eks()
            .list_fargate_profiles()
            .cluster_name(&self.cluster)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                ApiError::new(
                    "EKS",
                    "ListFargateProfiles",
                    format!("cluster {}", self.cluster),
                    error,
                )
            });
            match page {
                Ok(page) => names.extend(page.fargate_profile_names.unwrap_or_default()),
                Err(error) if error.class == ErrorClass::NotFound => break,
                Err(error) if error.class == ErrorClass::AccessDenied => {
                    tracing::debug!(cluster = %self.cluster, %error, "Fargate profiles are not looked for");
                    break;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(names)
    }

    /// Reads one part again.
    pub(super) async fn part(
        &mut self,
        observed: &mut Observed,
        part: &Part,
    ) -> Result<(), ApiError> {
        match part {
            Part::Role(RoleKind::Cluster) => {
                observed.cluster_role = self.role(RoleKind::Cluster).await?;
            }
            Part::Role(RoleKind::Node) => observed.node_role = self.role(RoleKind::Node).await?,
            Part::Cluster => {
                let issuer = |observed: &Observed| {
                    observed
                        .cluster
                        .as_ref()
                        .and_then(|cluster| cluster.oidc_issuer.clone())
                };
                let before = issuer(observed);
                let were_readable = readable_entries(observed);
                observed.cluster = self.cluster().await?;
                if observed.cluster.is_none() {
                    observed.node_groups.clear();
                    observed.access_entries.clear();
                    observed.updates.clear();
                } else if issuer(observed) != before {
                    observed.oidc_provider = self.oidc_provider(observed).await?;
                }
                if readable_entries(observed) && !were_readable {
                    observed.access_entries = self.access_entries().await?;
                }
            }
            Part::OidcProvider => {
                observed.oidc_provider = self.oidc_provider(observed).await?;
                observed.owned_oidc_providers = self.owned_oidc_providers().await?;
            }
            Part::AccessEntry(principal) => match self.access_entry(principal).await? {
                Some(entry) => {
                    observed.access_entries.insert(principal.clone(), entry);
                }
                None => {
                    observed.access_entries.remove(principal);
                }
            },
            Part::NodeGroup(name) => match self.node_group(name).await? {
                Some(group) => {
                    observed.node_groups.insert(name.clone(), group);
                }
                None => {
                    observed.node_groups.remove(name);
                }
            },
        }
        Ok(())
    }

    pub(super) async fn cluster(&self) -> Result<Option<ObservedCluster>, ApiError> {
        let resource = format!("cluster {}", self.cluster);
        let answer = self
            .aws
            .eks()
            .describe_cluster()
            .name(&self.cluster)
            .send()
            .await
            .map_err(|error| ApiError::new("EKS", "DescribeCluster", resource.as_str(), error));
        let Some(answer) = absent(answer)? else {
            return Ok(None);
        };
        let cluster = answer
            .cluster
            .ok_or_else(|| incomplete("DescribeCluster", &resource, "cluster"))?;
        cluster_from(cluster, &resource).map(Some)
    }

    async fn node_group_names(&self) -> Result<Vec<String>, ApiError> {
        let mut names = Vec::new();
        let mut pages = self
            .aws
            .eks()
            .list_nodegroups()
            .cluster_name(&self.cluster)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                ApiError::new(
                    "EKS",
                    "ListNodegroups",
                    format!("cluster {}", self.cluster),
                    error,
                )
            });
            match absent(page)? {
                Some(page) => names.extend(page.nodegroups.unwrap_or_default()),
                None => break,
            }
        }
        Ok(names)
    }

    async fn node_group(&self, name: &str) -> Result<Option<ObservedNodeGroup>, ApiError> {
        let resource = format!("node group {name} of cluster {}", self.cluster);
        let answer = self
            .aws
            .eks()
            .describe_nodegroup()
            .cluster_name(&self.cluster)
            .nodegroup_name(name)
            .send()
            .await
            .map_err(|error| ApiError::new("EKS", "DescribeNodegroup", resource.as_str(), error));
        let Some(answer) = absent(answer)? else {
            return Ok(None);
        };
        let group = answer
            .nodegroup
            .ok_or_else(|| incomplete("DescribeNodegroup", &resource, "nodegroup"))?;
        node_group_from(group, &resource).map(Some)
    }

    async fn access_entry_principals(&self) -> Result<Vec<String>, ApiError> {
        let mut principals = Vec::new();
        let mut pages = self
            .aws
            .eks()
            .list_access_entries()
            .cluster_name(&self.cluster)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                ApiError::new(
                    "EKS",
                    "ListAccessEntries",
                    format!("cluster {}", self.cluster),
                    error,
                )
            });
            match absent(page)? {
                Some(page) => principals.extend(page.access_entries.unwrap_or_default()),
                None => break,
            }
        }
        Ok(principals)
    }

    async fn access_entry(&self, principal: &str) -> Result<Option<ObservedAccessEntry>, ApiError> {
        let resource = format!("access entry {principal} of cluster {}", self.cluster);
        let answer = self
            .aws
            .eks()
            .describe_access_entry()
            .cluster_name(&self.cluster)
            .principal_arn(principal)
            .send()
            .await
            .map_err(|error| ApiError::new("EKS", "DescribeAccessEntry", resource.as_str(), error));
        let Some(answer) = absent(answer)? else {
            return Ok(None);
        };
        let entry = answer
            .access_entry
            .ok_or_else(|| incomplete("DescribeAccessEntry", &resource, "accessEntry"))?;
        let mut policies = BTreeMap::new();
        let mut pages = self
            .aws
            .eks()
            .list_associated_access_policies()
            .cluster_name(&self.cluster)
            .principal_arn(principal)
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                ApiError::new(
                    "EKS",
                    "ListAssociatedAccessPolicies",
                    resource.as_str(),
                    error,
                )
            });
            // The entry may have gone in between.
            let Some(page) = absent(page)? else {
                return Ok(None);
            };
            for policy in page.associated_access_policies.unwrap_or_default() {
                if let Some(arn) = policy.policy_arn {
                    policies.insert(arn, scope_from(policy.access_scope));
                }
            }
        }
        Ok(Some(ObservedAccessEntry {
            arn: entry.access_entry_arn.unwrap_or_default(),
            created_at: entry.created_at.map(|time| time.secs()),
            entry: AccessEntry {
                entry_type: entry.r#type.unwrap_or_default(),
                kubernetes_groups: set(entry.kubernetes_groups),
                user_name: entry.username,
                policies,
                tags: map(entry.tags),
            },
        }))
    }

    async fn role(&self, kind: RoleKind) -> Result<Option<ObservedRole>, ApiError> {
        let name = names::role_name(kind, &self.cluster, &self.region);
        let role = iam::role(&self.aws, &name).await?;
        Ok(role.map(|role| ObservedRole {
            permissions_boundary: role.permissions_boundary(),
            tags: role.tags(),
            created_at: Some(role.role.create_date.secs()),
            trusted_services: role
                .role
                .assume_role_policy_document
                .as_deref()
                .map(trusted_services)
                .unwrap_or_default(),
            arn: role.role.arn,
            attached_policies: role.attached_policies,
            inline_policies: role.inline_policies,
        }))
    }

    async fn oidc_provider(
        &mut self,
        observed: &Observed,
    ) -> Result<Option<ObservedOidcProvider>, ApiError> {
        let issuer = observed
            .cluster
            .as_ref()
            .and_then(|cluster| cluster.oidc_issuer.as_deref());
        if let Some(issuer) = issuer {
            let host_and_path = issuer.trim_start_matches("https://");
            self.oidc_provider_arn = Some(format!(
                "arn:{}:iam::{}:oidc-provider/{host_and_path}",
                self.partition, self.account_id
            ));
        }
        match self.oidc_provider_arn.clone() {
            Some(arn) => self.get_oidc_provider(&arn).await,
            None => Ok(None),
        }
    }

    async fn get_oidc_provider(&self, arn: &str) -> Result<Option<ObservedOidcProvider>, ApiError> {
        let answer = self
            .aws
            .iam()
            .get_open_id_connect_provider()
            .open_id_connect_provider_arn(arn)
            .send()
            .await
            .map_err(|error| ApiError::new("IAM", "GetOpenIDConnectProvider", arn, error));
        Ok(absent(answer)?.map(|answer| ObservedOidcProvider {
            arn: arn.to_owned(),
            client_ids: set(answer.client_id_list),
            tags: answer
                .tags
                .unwrap_or_default()
                .into_iter()
                .map(|tag| (tag.key, tag.value))
                .collect(),
        }))
    }

    /// The providers with this cluster's tags: the only way to those of a cluster that was deleted by
    /// someone else, or by a process that was killed before it deleted the provider.
    async fn owned_oidc_providers(&mut self) -> Result<Vec<ObservedOidcProvider>, ApiError> {
        let mut owned = Vec::new();
        if !self.search_oidc_providers {
            return Ok(owned);
        }
        let list = self
            .aws
            .iam()
            .list_open_id_connect_providers()
            .send()
            .await
            .map_err(|error| {
                ApiError::new("IAM", "ListOpenIDConnectProviders", "the account", error)
            })?;
        for entry in list.open_id_connect_provider_list.unwrap_or_default() {
            let Some(arn) = entry.arn else { continue };
            if !names::is_provider_in(&arn, &self.region)
                || self.foreign_oidc_providers.contains(&arn)
            {
                continue;
            }
            match self.get_oidc_provider(&arn).await? {
                Some(provider) if names::is_ours(&provider.tags, &self.owner, &self.cluster) => {
                    owned.push(provider);
                }
                _ => {
                    self.foreign_oidc_providers.insert(arn);
                }
            }
        }
        Ok(owned)
    }
}

/// Whether EKS answers questions about access entries: it refuses them in `CONFIG_MAP` mode.
fn readable_entries(observed: &Observed) -> bool {
    observed.cluster.as_ref().is_some_and(|cluster| {
        cluster
            .authentication_mode
            .as_deref()
            .is_some_and(|mode| mode != "CONFIG_MAP")
            && cluster.status != ClusterStatus::Failed
    })
}

/// The service principals of a trust policy. IAM returns the document URL-encoded.
fn trusted_services(document: &str) -> BTreeSet<String> {
    let decoded = percent_decode(document);
    let Ok(policy) = serde_json::from_str::<serde_json::Value>(&decoded) else {
        return BTreeSet::new();
    };
    let statements = match policy.get("Statement") {
        Some(serde_json::Value::Array(statements)) => statements.clone(),
        Some(statement) => vec![statement.clone()],
        None => Vec::new(),
    };
    let mut services = BTreeSet::new();
    for statement in statements {
        if statement.get("Effect").and_then(serde_json::Value::as_str) != Some("Allow") {
            continue;
        }
        match statement.pointer("/Principal/Service") {
            Some(serde_json::Value::String(service)) => {
                services.insert(service.clone());
            }
            Some(serde_json::Value::Array(list)) => services.extend(
                list.iter()
                    .filter_map(|service| service.as_str().map(str::to_owned)),
            ),
            _ => {}
        }
    }
    services
}

fn incomplete(operation: &'static str, resource: &str, field: &str) -> ApiError {
    ApiError {
        service: "EKS",
        operation,
        resource: resource.into(),
        code: None,
        message: format!("the answer lacks a usable {field}").into(),
        request_id: None,
        class: ErrorClass::Other,
    }
}

fn set(list: Option<Vec<String>>) -> BTreeSet<String> {
    list.unwrap_or_default().into_iter().collect()
}

fn map(map: Option<std::collections::HashMap<String, String>>) -> StringMap {
    map.unwrap_or_default().into_iter().collect()
}

fn version(
    text: Option<&str>,
    operation: &'static str,
    resource: &str,
) -> Result<Option<KubernetesVersion>, ApiError> {
    text.map(|text| {
        text.parse()
            .map_err(|_| incomplete(operation, resource, &format!("version ({text:?})")))
    })
    .transpose()
}

fn cluster_from(cluster: eks::Cluster, resource: &str) -> Result<ObservedCluster, ApiError> {
    const OPERATION: &str = "DescribeCluster";
    let status = match cluster.status {
        Some(eks::ClusterStatus::Creating) => ClusterStatus::Creating,
        Some(eks::ClusterStatus::Active) => ClusterStatus::Active,
        Some(eks::ClusterStatus::Updating) => ClusterStatus::Updating,
        Some(eks::ClusterStatus::Deleting) => ClusterStatus::Deleting,
        Some(eks::ClusterStatus::Failed) => ClusterStatus::Failed,
        Some(eks::ClusterStatus::Pending) => ClusterStatus::Pending,
        _ => return Err(incomplete(OPERATION, resource, "status")),
    };
    let version = version(cluster.version.as_deref(), OPERATION, resource)?
        .ok_or_else(|| incomplete(OPERATION, resource, "version"))?;
    let vpc = cluster
        .resources_vpc_config
        .ok_or_else(|| incomplete(OPERATION, resource, "resourcesVpcConfig"))?;
    let network = cluster.kubernetes_network_config;
    let access = cluster.access_config;
    let enabled_log_types = cluster
        .logging
        .and_then(|logging| logging.cluster_logging)
        .unwrap_or_default()
        .into_iter()
        .filter(|setup| setup.enabled == Some(true))
        .flat_map(|setup| setup.types.unwrap_or_default())
        .map(|log_type| log_type.as_str().to_owned())
        .collect();
    Ok(ObservedCluster {
        arn: cluster.arn.unwrap_or_default(),
        status,
        version,
        platform_version: cluster.platform_version,
        endpoint: cluster.endpoint,
        certificate_authority: cluster.certificate_authority.and_then(|ca| ca.data),
        oidc_issuer: cluster
            .identity
            .and_then(|identity| identity.oidc)
            .and_then(|oidc| oidc.issuer),
        created_at: cluster.created_at.map(|time| time.secs()),
        role_arn: cluster.role_arn.unwrap_or_default(),
        subnet_ids: set(vpc.subnet_ids),
        security_group_ids: set(vpc.security_group_ids),
        cluster_security_group_id: vpc.cluster_security_group_id,
        vpc_id: vpc.vpc_id,
        endpoint_public_access: vpc.endpoint_public_access,
        endpoint_private_access: vpc.endpoint_private_access,
        public_access_cidrs: set(vpc.public_access_cidrs),
        service_ipv4_cidr: network
            .as_ref()
            .and_then(|network| network.service_ipv4_cidr.clone()),
        ip_family: network
            .and_then(|network| network.ip_family)
            .map(|family| family.as_str().to_owned()),
        authentication_mode: access
            .as_ref()
            .and_then(|access| access.authentication_mode.as_ref())
            .map(|mode| mode.as_str().to_owned()),
        bootstrap_cluster_creator_admin_permissions: access
            .and_then(|access| access.bootstrap_cluster_creator_admin_permissions),
        enabled_log_types,
        support_type: cluster
            .upgrade_policy
            .and_then(|policy| policy.support_type)
            .map(|support| support.as_str().to_owned()),
        deletion_protection: cluster.deletion_protection,
        issues: cluster
            .health
            .and_then(|health| health.issues)
            .unwrap_or_default()
            .into_iter()
            .map(|issue| {
                issue_text(
                    issue.code.as_ref().map(|code| code.as_str()),
                    issue.message.as_deref(),
                    issue.resource_ids.as_deref(),
                )
            })
            .collect(),
        tags: map(cluster.tags),
    })
}

fn node_group_from(group: eks::Nodegroup, resource: &str) -> Result<ObservedNodeGroup, ApiError> {
    const OPERATION: &str = "DescribeNodegroup";
    let status = match group.status {
        Some(eks::NodegroupStatus::Creating) => NodeGroupStatus::Creating,
        Some(eks::NodegroupStatus::Active) => NodeGroupStatus::Active,
        Some(eks::NodegroupStatus::Updating) => NodeGroupStatus::Updating,
        Some(eks::NodegroupStatus::Deleting) => NodeGroupStatus::Deleting,
        Some(eks::NodegroupStatus::CreateFailed) => NodeGroupStatus::CreateFailed,
        Some(eks::NodegroupStatus::DeleteFailed) => NodeGroupStatus::DeleteFailed,
        Some(eks::NodegroupStatus::Degraded) => NodeGroupStatus::Degraded,
        _ => return Err(incomplete(OPERATION, resource, "status")),
    };
    let scaling = group.scaling_config;
    let size = |read: fn(&eks::NodegroupScalingConfig) -> Option<i32>| {
        scaling.as_ref().and_then(read).unwrap_or_default()
    };
    Ok(ObservedNodeGroup {
        arn: group.nodegroup_arn.unwrap_or_default(),
        status,
        issues: group
            .health
            .and_then(|health| health.issues)
            .unwrap_or_default()
            .into_iter()
            .map(|issue| {
                issue_text(
                    issue.code.as_ref().map(|code| code.as_str()),
                    issue.message.as_deref(),
                    issue.resource_ids.as_deref(),
                )
            })
            .collect(),
        created_at: group.created_at.map(|time| time.secs()),
        version: version(group.version.as_deref(), OPERATION, resource)?,
        release_version: group.release_version,
        instance_types: group.instance_types.unwrap_or_default(),
        ami_type: group.ami_type.map(|ami| ami.as_str().to_owned()),
        capacity_type: group
            .capacity_type
            .map(|capacity| capacity.as_str().to_owned()),
        disk_size: group.disk_size,
        subnet_ids: set(group.subnets),
        node_role: group.node_role.unwrap_or_default(),
        min_size: size(|scaling| scaling.min_size),
        max_size: size(|scaling| scaling.max_size),
        desired_size: size(|scaling| scaling.desired_size),
        max_unavailable: group.update_config.and_then(|update| {
            update.max_unavailable.map(MaxUnavailable::Count).or(update
                .max_unavailable_percentage
                .map(MaxUnavailable::Percentage))
        }),
        labels: map(group.labels),
        taints: group
            .taints
            .unwrap_or_default()
            .into_iter()
            .map(|taint| Taint {
                key: taint.key.unwrap_or_default(),
                value: taint.value.unwrap_or_default(),
                effect: taint
                    .effect
                    .map(|effect| effect.as_str().to_owned())
                    .unwrap_or_default(),
            })
            .collect(),
        tags: map(group.tags),
    })
}

fn scope_from(scope: Option<eks::AccessScope>) -> AccessScope {
    match scope {
        Some(scope) if scope.r#type == Some(eks::AccessScopeType::Namespace) => {
            AccessScope::Namespaces(set(scope.namespaces))
        }
        _ => AccessScope::Cluster,
    }
}

/// A health issue or update error in one line.
pub(super) fn issue_text(
    code: Option<&str>,
    message: Option<&str>,
    resources: Option<&[String]>,
) -> String {
    let mut text = code.unwrap_or("Unknown").to_owned();
    if let Some(message) = message.filter(|message| !message.is_empty()) {
        text.push_str(": ");
        text.push_str(message);
    }
    if let Some(resources) = resources.filter(|resources| !resources.is_empty()) {
        text.push_str(" (");
        text.push_str(&resources.join(", "));
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{issue_text, trusted_services};
    use std::collections::BTreeSet;

    #[test]
    fn trusted_services_of_documents() {
        let table = [
            (
                r#"{"Statement":[{"Effect":"Allow","Principal":{"Service":"eks.amazonaws.com"},"Action":"sts:AssumeRole"}]}"#,
                vec!["eks.amazonaws.com"],
            ),
            (
                "%7B%22Statement%22%3A%7B%22Effect%22%3A%22Allow%22%2C%22Principal%22%3A%7B%22Service%22%3A%5B%22a%22%2C%22b%22%5D%7D%7D%7D",
                vec!["a", "b"],
            ),
            (
                r#"{"Statement":[{"Effect":"Deny","Principal":{"Service":"eks.amazonaws.com"}}]}"#,
                vec![],
            ),
            (
                r#"{"Statement":[{"Effect":"Allow","Principal":{"AWS":"*"}}]}"#,
                vec![],
            ),
            ("100% not JSON", vec![]),
        ];
        for (document, expected) in table {
            let expected: BTreeSet<String> = expected.into_iter().map(str::to_owned).collect();
            assert_eq!(trusted_services(document), expected, "{document}");
        }
    }

    #[test]
    fn issue_texts() {
        assert_eq!(
            issue_text(
                Some("NodeCreationFailure"),
                Some("Instances failed to join"),
                Some(&["i-1".to_owned(), "i-2".to_owned()])
            ),
            "NodeCreationFailure: Instances failed to join (i-1, i-2)"
        );
        assert_eq!(issue_text(None, None, None), "Unknown");
    }
}
