//! One AWS call per step.

use super::model::{
    AccessScope, KubernetesVersion, MaxUnavailable, PendingUpdate, StringMap, Taint,
};
use super::names;
use super::plan::{Action, CreateCluster, CreateNodeGroup, EndpointAccess, Scaling};
use crate::aws::{ApiError, Aws, ErrorClass};
use crate::iam::{self, iam_call};
use aws_sdk_eks::types as eks;
use std::collections::BTreeSet;

/// An EKS call with its errors named.
macro_rules! eks_call {
    ($operation:literal, $resource:expr, $call:expr) => {
        $call
            .send()
            .await
            .map_err(|error| ApiError::new("EKS", $operation, $resource, error))
    };
}

/// The calls of one cluster.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) aws: Aws,
    pub(super) cluster: String,
}

impl Api {
    /// Makes the call of a step. The answer is an update to wait for, if the call started one.
    pub(super) async fn call(&self, action: &Action) -> Result<Option<PendingUpdate>, ApiError> {
        let description = action.description();
        let pending = |node_group: Option<&str>, update: Option<eks::Update>| {
            update.and_then(|update| update.id).map(|id| PendingUpdate {
                id,
                node_group: node_group.map(str::to_owned),
                description: description.clone(),
                subject: None,
            })
        };
        match action {
            Action::WaitCluster { .. }
            | Action::WaitNodeGroup { .. }
            | Action::WaitUpdate { .. } => Ok(None),
            Action::CreateRole { .. }
            | Action::SetTrust { .. }
            | Action::SetBoundary { .. }
            | Action::TagRole { .. }
            | Action::AttachPolicy { .. }
            | Action::DetachPolicy { .. }
            | Action::PutInlinePolicy { .. }
            | Action::DeleteInlinePolicy { .. }
            | Action::DeleteRole { .. }
            | Action::CreateOidcProvider { .. }
            | Action::AddAudience { .. }
            | Action::TagOidcProvider { .. }
            | Action::DeleteOidcProvider { .. } => self.iam(action).await.map(|()| None),
            Action::CreateCluster(cluster) => self.create_cluster(cluster).await.map(|()| None),
            Action::DeleteCluster => {
                let call = self.aws.eks().delete_cluster().name(&self.cluster);
                eks_call!("DeleteCluster", self.cluster_resource(), call).map(|_| None)
            }
            Action::TagCluster { arn, set, remove } => {
                self.tag(arn, set, remove).await.map(|()| None)
            }
            Action::MarkComplete { arn, tags } => {
                let arn = arn
                    .as_deref()
                    .ok_or_else(|| self.unusable("TagResource", "the cluster has no ARN yet"))?;
                self.tag(arn, tags, &BTreeSet::new()).await.map(|()| None)
            }
            Action::UpdateClusterVersion { to } => {
                let call = self
                    .aws
                    .eks()
                    .update_cluster_version()
                    .name(&self.cluster)
                    .version(to.to_string());
                eks_call!("UpdateClusterVersion", self.cluster_resource(), call)
                    .map(|answer| pending(None, answer.update))
            }
            Action::UpdateAuthenticationMode { .. }
            | Action::UpdateEndpointAccess(_)
            | Action::UpdateSubnets { .. }
            | Action::UpdateSecurityGroups { .. }
            | Action::UpdateLogging { .. }
            | Action::UpdateSupportType { .. }
            | Action::UpdateDeletionProtection { .. } => {
                let update = self.update_cluster_config(action).await?;
                Ok(pending(None, update))
            }
            Action::CreateAccessEntry { .. }
            | Action::UpdateAccessEntry { .. }
            | Action::TagAccessEntry { .. }
            | Action::AssociatePolicy { .. }
            | Action::DisassociatePolicy { .. }
            | Action::DeleteAccessEntry { .. } => self.access_entry(action).await.map(|()| None),
            Action::CreateNodeGroup(group) => self.create_node_group(group).await.map(|()| None),
            Action::UpdateNodeGroupConfig { name, change } => {
                let labels = (!change.set_labels.is_empty() || !change.remove_labels.is_empty())
                    .then(|| {
                        eks::UpdateLabelsPayload::builder()
                            .set_add_or_update_labels(hash_map(&change.set_labels))
                            .set_remove_labels(list(&change.remove_labels))
                            .build()
                    });
                let taints = (!change.set_taints.is_empty() || !change.remove_taints.is_empty())
                    .then(|| {
                        eks::UpdateTaintsPayload::builder()
                            .set_add_or_update_taints(taints(&change.set_taints))
                            .set_remove_taints(taints(&change.remove_taints))
                            .build()
                    });
                let call = self
                    .aws
                    .eks()
                    .update_nodegroup_config()
                    .cluster_name(&self.cluster)
                    .nodegroup_name(name)
                    .set_labels(labels)
                    .set_taints(taints)
                    .set_scaling_config(change.scaling.map(scaling))
                    .set_update_config(change.max_unavailable.map(update_config));
                eks_call!(
                    "UpdateNodegroupConfig",
                    self.node_group_resource(name),
                    call
                )
                .map(|answer| pending(Some(name), answer.update))
            }
            Action::UpdateNodeGroupVersion {
                name,
                to,
                release_version,
            } => {
                let call = self
                    .aws
                    .eks()
                    .update_nodegroup_version()
                    .cluster_name(&self.cluster)
                    .nodegroup_name(name)
                    .version(to.to_string())
                    .set_release_version(release_version.clone());
                eks_call!(
                    "UpdateNodegroupVersion",
                    self.node_group_resource(name),
                    call
                )
                .map(|answer| pending(Some(name), answer.update))
            }
            Action::TagNodeGroup {
                arn, set, remove, ..
            } => self.tag(arn, set, remove).await.map(|()| None),
            Action::DeleteNodeGroup { name } => {
                let call = self
                    .aws
                    .eks()
                    .delete_nodegroup()
                    .cluster_name(&self.cluster)
                    .nodegroup_name(name);
                eks_call!("DeleteNodegroup", self.node_group_resource(name), call).map(|_| None)
            }
        }
    }

    /// Whether an update is over, and the errors it ended with.
    pub(super) async fn update_state(
        &self,
        update: &PendingUpdate,
    ) -> Result<UpdateState, ApiError> {
        let resource = format!("update {} of {}", update.id, self.cluster_resource());
        let call = self
            .aws
            .eks()
            .describe_update()
            .name(&self.cluster)
            .update_id(&update.id)
            .set_nodegroup_name(update.node_group.clone());
        let answer = match eks_call!("DescribeUpdate", resource, call) {
            // EKS forgets updates, and an emulator may not know them: the thing's status remains.
            Err(error) if error.class == ErrorClass::NotFound => return Ok(UpdateState::Over),
            other => other?,
        };
        let update = answer.update;
        let status = update.as_ref().and_then(|update| update.status.clone());
        let errors: Vec<String> = update
            .and_then(|update| update.errors)
            .unwrap_or_default()
            .into_iter()
            .map(|error| {
                super::observe::issue_text(
                    error.error_code.as_ref().map(|code| code.as_str()),
                    error.error_message.as_deref(),
                    error.resource_ids.as_deref(),
                )
            })
            .collect();
        Ok(match status {
            Some(eks::UpdateStatus::InProgress) => UpdateState::Running,
            Some(eks::UpdateStatus::Failed) => UpdateState::Failed(errors),
            Some(eks::UpdateStatus::Cancelled) => {
                UpdateState::Failed(vec!["it was cancelled".to_owned()])
            }
            _ => UpdateState::Over,
        })
    }

    /// The Kubernetes versions that a cluster can have now, in standard and extended support.
    pub(super) async fn offered_versions(&self) -> Result<BTreeSet<KubernetesVersion>, ApiError> {
        let mut versions = BTreeSet::new();
        let mut pages = self
            .aws
            .eks()
            .describe_cluster_versions()
            .into_paginator()
            .send();
        while let Some(page) = pages.next().await {
            let page = page.map_err(|error| {
                ApiError::new("EKS", "DescribeClusterVersions", "the region", error)
            })?;
            versions.extend(
                page.cluster_versions
                    .unwrap_or_default()
                    .into_iter()
                    .filter_map(|version| {
                        version.cluster_version?.parse::<KubernetesVersion>().ok()
                    }),
            );
        }
        Ok(versions)
    }

    fn cluster_resource(&self) -> String {
        format!("cluster {}", self.cluster)
    }

    fn node_group_resource(&self, name: &str) -> String {
        format!("node group {name} of cluster {}", self.cluster)
    }

    fn unusable(&self, operation: &'static str, message: &str) -> ApiError {
        ApiError {
            service: "EKS",
            operation,
            resource: self.cluster_resource().into(),
            code: None,
            message: message.into(),
            request_id: None,
            class: ErrorClass::Other,
        }
    }

    async fn tag(
        &self,
        arn: &str,
        set: &StringMap,
        remove: &BTreeSet<String>,
    ) -> Result<(), ApiError> {
        if !set.is_empty() {
            let call = self
                .aws
                .eks()
                .tag_resource()
                .resource_arn(arn)
                .set_tags(hash_map(set));
            eks_call!("TagResource", arn, call)?;
        }
        if !remove.is_empty() {
            let call = self
                .aws
                .eks()
                .untag_resource()
                .resource_arn(arn)
                .set_tag_keys(list(remove));
            eks_call!("UntagResource", arn, call)?;
        }
        Ok(())
    }

    async fn create_cluster(&self, cluster: &CreateCluster) -> Result<(), ApiError> {
        let vpc = endpoint(&cluster.endpoint)
            .set_subnet_ids(list(&cluster.subnet_ids))
            .set_security_group_ids(list(&cluster.security_group_ids));
        let network =
            (cluster.service_ipv4_cidr.is_some() || cluster.ip_family.is_some()).then(|| {
                eks::KubernetesNetworkConfigRequest::builder()
                    .set_service_ipv4_cidr(cluster.service_ipv4_cidr.clone())
                    .set_ip_family(cluster.ip_family.as_deref().map(Into::into))
                    .build()
            });
        let logging =
            (!cluster.log_types.is_empty()).then(|| logging(&cluster.log_types, &BTreeSet::new()));
        let call = self
            .aws
            .eks()
            .create_cluster()
            .name(&self.cluster)
            .version(cluster.version.to_string())
            .role_arn(&cluster.role_arn)
            .resources_vpc_config(vpc.build())
            .set_kubernetes_network_config(network)
            .set_logging(logging)
            .access_config(
                eks::CreateAccessConfigRequest::builder()
                    .authentication_mode(cluster.authentication_mode.as_str().into())
                    .bootstrap_cluster_creator_admin_permissions(
                        cluster.bootstrap_cluster_creator_admin_permissions,
                    )
                    .build(),
            )
            .set_upgrade_policy(cluster.support_type.as_deref().map(|support| {
                eks::UpgradePolicyRequest::builder()
                    .support_type(support.into())
                    .build()
            }))
            // Off is EKS's default; saying it would only fail where the parameter is not known.
            .set_deletion_protection(cluster.deletion_protection.then_some(true))
            .set_tags(hash_map(&cluster.tags));
        eks_call!("CreateCluster", self.cluster_resource(), call).map(|_| ())
    }

    async fn update_cluster_config(
        &self,
        action: &Action,
    ) -> Result<Option<eks::Update>, ApiError> {
        let call = self.aws.eks().update_cluster_config().name(&self.cluster);
        let call = match action {
            Action::UpdateAuthenticationMode { mode } => call.access_config(
                eks::UpdateAccessConfigRequest::builder()
                    .authentication_mode(mode.as_str().into())
                    .build(),
            ),
            Action::UpdateEndpointAccess(access) => {
                call.resources_vpc_config(endpoint(access).build())
            }
            Action::UpdateSubnets { subnet_ids } => call.resources_vpc_config(
                eks::VpcConfigRequest::builder()
                    .set_subnet_ids(list(subnet_ids))
                    .build(),
            ),
            Action::UpdateSecurityGroups { security_group_ids } => call.resources_vpc_config(
                eks::VpcConfigRequest::builder()
                    // An empty list is meant: it takes all away.
                    .set_security_group_ids(Some(security_group_ids.iter().cloned().collect()))
                    .build(),
            ),
            Action::UpdateLogging { enable, disable } => call.logging(logging(enable, disable)),
            Action::UpdateSupportType { support_type } => call.upgrade_policy(
                eks::UpgradePolicyRequest::builder()
                    .support_type(support_type.as_str().into())
                    .build(),
            ),
            Action::UpdateDeletionProtection { enabled } => call.deletion_protection(*enabled),
            _ => return Err(self.unusable("UpdateClusterConfig", "the step is not a setting")),
        };
        eks_call!("UpdateClusterConfig", self.cluster_resource(), call).map(|answer| answer.update)
    }

    async fn access_entry(&self, action: &Action) -> Result<(), ApiError> {
        let eks_client = self.aws.eks();
        let resource =
            |principal: &str| format!("access entry {principal} of cluster {}", self.cluster);
        match action {
            Action::CreateAccessEntry {
                principal_arn,
                entry,
            } => {
                let call = eks_client
                    .create_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal_arn)
                    .r#type(&entry.entry_type)
                    .set_kubernetes_groups(list(&entry.kubernetes_groups))
                    .set_username(entry.user_name.clone())
                    .set_tags(hash_map(&entry.tags));
                eks_call!("CreateAccessEntry", resource(principal_arn), call).map(|_| ())
            }
            Action::UpdateAccessEntry {
                principal_arn,
                kubernetes_groups,
                user_name,
            } => {
                let call = eks_client
                    .update_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal_arn)
                    .set_kubernetes_groups(Some(kubernetes_groups.iter().cloned().collect()))
                    .set_username(user_name.clone());
                eks_call!("UpdateAccessEntry", resource(principal_arn), call).map(|_| ())
            }
            Action::TagAccessEntry {
                arn, set, remove, ..
            } => self.tag(arn, set, remove).await,
            Action::AssociatePolicy {
                principal_arn,
                policy_arn,
                scope,
            } => {
                let call = eks_client
                    .associate_access_policy()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal_arn)
                    .policy_arn(policy_arn)
                    .access_scope(access_scope(scope));
                eks_call!("AssociateAccessPolicy", resource(principal_arn), call).map(|_| ())
            }
            Action::DisassociatePolicy {
                principal_arn,
                policy_arn,
            } => {
                let call = eks_client
                    .disassociate_access_policy()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal_arn)
                    .policy_arn(policy_arn);
                eks_call!("DisassociateAccessPolicy", resource(principal_arn), call).map(|_| ())
            }
            Action::DeleteAccessEntry { principal_arn } => {
                let call = eks_client
                    .delete_access_entry()
                    .cluster_name(&self.cluster)
                    .principal_arn(principal_arn);
                eks_call!("DeleteAccessEntry", resource(principal_arn), call).map(|_| ())
            }
            _ => Err(self.unusable("CreateAccessEntry", "the step is not about an access entry")),
        }
    }

    async fn create_node_group(&self, group: &CreateNodeGroup) -> Result<(), ApiError> {
        let custom_ami = group.ami_type.as_deref() == Some("CUSTOM");
        let call = self
            .aws
            .eks()
            .create_nodegroup()
            .cluster_name(&self.cluster)
            .nodegroup_name(&group.name)
            .node_role(&group.node_role)
            .set_subnets(list(&group.subnet_ids))
            .set_instance_types(group.instance_types.clone())
            .set_ami_type(group.ami_type.as_deref().map(Into::into))
            .set_capacity_type(group.capacity_type.as_deref().map(Into::into))
            .set_disk_size(group.disk_size)
            .scaling_config(scaling(group.scaling))
            .set_update_config(group.max_unavailable.map(update_config))
            .set_labels(
                (!group.labels.is_empty())
                    .then(|| hash_map(&group.labels))
                    .flatten(),
            )
            .set_taints(
                (!group.taints.is_empty())
                    .then(|| taints(&group.taints))
                    .flatten(),
            )
            .set_tags(hash_map(&group.tags))
            // A custom AMI has its own kubelet: EKS refuses a version beside it.
            .set_version((!custom_ami).then(|| group.version.to_string()))
            .set_release_version(group.release_version.clone());
        eks_call!(
            "CreateNodegroup",
            self.node_group_resource(&group.name),
            call
        )
        .map(|_| ())
    }

    async fn iam(&self, action: &Action) -> Result<(), ApiError> {
        let client = self.aws.iam();
        let role = |name: &str| format!("role {name}");
        match action {
            Action::CreateRole {
                kind,
                name,
                service,
                boundary,
                tags,
            } => {
                let call = client
                    .create_role()
                    .role_name(name)
                    .assume_role_policy_document(trust_policy(service))
                    .description(format!(
                        "The {} role of EKS cluster {}",
                        kind.word(),
                        self.cluster
                    ))
                    .set_permissions_boundary(boundary.clone())
                    .set_tags(Some(iam::tags(tags)?));
                iam_call!("CreateRole", role(name), call).map(|_| ())
            }
            Action::SetTrust { name, service, .. } => {
                let call = client
                    .update_assume_role_policy()
                    .role_name(name)
                    .policy_document(trust_policy(service));
                iam_call!("UpdateAssumeRolePolicy", role(name), call).map(|_| ())
            }
            Action::SetBoundary {
                name,
                boundary: Some(arn),
                ..
            } => {
                let call = client
                    .put_role_permissions_boundary()
                    .role_name(name)
                    .permissions_boundary(arn);
                iam_call!("PutRolePermissionsBoundary", role(name), call).map(|_| ())
            }
            Action::SetBoundary { name, .. } => {
                let call = client.delete_role_permissions_boundary().role_name(name);
                iam_call!("DeleteRolePermissionsBoundary", role(name), call).map(|_| ())
            }
            Action::TagRole {
                name, set, remove, ..
            } => {
                if !set.is_empty() {
                    let call = client
                        .tag_role()
                        .role_name(name)
                        .set_tags(Some(iam::tags(set)?));
                    iam_call!("TagRole", role(name), call)?;
                }
                if !remove.is_empty() {
                    let call = client
                        .untag_role()
                        .role_name(name)
                        .set_tag_keys(list(remove));
                    iam_call!("UntagRole", role(name), call)?;
                }
                Ok(())
            }
            Action::AttachPolicy {
                name, policy_arn, ..
            } => {
                let call = client
                    .attach_role_policy()
                    .role_name(name)
                    .policy_arn(policy_arn);
                iam_call!("AttachRolePolicy", role(name), call).map(|_| ())
            }
            Action::DetachPolicy {
                name, policy_arn, ..
            } => {
                let call = client
                    .detach_role_policy()
                    .role_name(name)
                    .policy_arn(policy_arn);
                iam_call!("DetachRolePolicy", role(name), call).map(|_| ())
            }
            Action::PutInlinePolicy {
                name,
                policy,
                document,
                ..
            } => {
                let call = client
                    .put_role_policy()
                    .role_name(name)
                    .policy_name(policy)
                    .policy_document(document);
                iam_call!("PutRolePolicy", role(name), call).map(|_| ())
            }
            Action::DeleteInlinePolicy { name, policy, .. } => {
                let call = client
                    .delete_role_policy()
                    .role_name(name)
                    .policy_name(policy);
                iam_call!("DeleteRolePolicy", role(name), call).map(|_| ())
            }
            Action::DeleteRole { name, .. } => {
                let call = client.delete_role().role_name(name);
                iam_call!("DeleteRole", role(name), call).map(|_| ())
            }
            Action::CreateOidcProvider { issuer, tags } => {
                let issuer = issuer.as_deref().ok_or_else(|| {
                    self.unusable(
                        "CreateOpenIDConnectProvider",
                        "EKS names no issuer for the cluster",
                    )
                })?;
                let call = client
                    .create_open_id_connect_provider()
                    .url(issuer)
                    .client_id_list(names::IRSA_AUDIENCE)
                    .set_tags(Some(iam::tags(tags)?));
                iam_call!("CreateOpenIDConnectProvider", issuer, call).map(|_| ())
            }
            Action::AddAudience { arn } => {
                let call = client
                    .add_client_id_to_open_id_connect_provider()
                    .open_id_connect_provider_arn(arn)
                    .client_id(names::IRSA_AUDIENCE);
                iam_call!("AddClientIDToOpenIDConnectProvider", arn.as_str(), call).map(|_| ())
            }
            Action::TagOidcProvider { arn, set, remove } => {
                if !set.is_empty() {
                    let call = client
                        .tag_open_id_connect_provider()
                        .open_id_connect_provider_arn(arn)
                        .set_tags(Some(iam::tags(set)?));
                    iam_call!("TagOpenIDConnectProvider", arn.as_str(), call)?;
                }
                if !remove.is_empty() {
                    let call = client
                        .untag_open_id_connect_provider()
                        .open_id_connect_provider_arn(arn)
                        .set_tag_keys(list(remove));
                    iam_call!("UntagOpenIDConnectProvider", arn.as_str(), call)?;
                }
                Ok(())
            }
            Action::DeleteOidcProvider { arn } => {
                let call = client
                    .delete_open_id_connect_provider()
                    .open_id_connect_provider_arn(arn);
                iam_call!("DeleteOpenIDConnectProvider", arn.as_str(), call).map(|_| ())
            }
            _ => Err(self.unusable("GetRole", "the step is not about IAM")),
        }
    }
}

/// What became of an update.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum UpdateState {
    /// Still running.
    Running,
    /// Over, with success as far as is known.
    Over,
    /// Over, without effect, for these reasons.
    Failed(Vec<String>),
}

/// The trust policy that lets a service assume a role.
fn trust_policy(service: &str) -> String {
    serde_json::json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Effect": "Allow",
            "Principal": { "Service": service },
            "Action": "sts:AssumeRole",
        }],
    })
    .to_string()
}

fn hash_map(map: &StringMap) -> Option<std::collections::HashMap<String, String>> {
    Some(
        map.iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect(),
    )
}

/// A list of the elements, absent when there are none.
fn list(set: &BTreeSet<String>) -> Option<Vec<String>> {
    (!set.is_empty()).then(|| set.iter().cloned().collect())
}

fn endpoint(access: &EndpointAccess) -> eks::builders::VpcConfigRequestBuilder {
    eks::VpcConfigRequest::builder()
        .endpoint_public_access(access.public)
        .endpoint_private_access(access.private)
        .set_public_access_cidrs(access.public_cidrs.as_ref().and_then(list))
}

fn logging(enable: &BTreeSet<String>, disable: &BTreeSet<String>) -> eks::Logging {
    let setup = |types: &BTreeSet<String>, enabled: bool| {
        (!types.is_empty()).then(|| {
            eks::LogSetup::builder()
                .set_types(Some(
                    types.iter().map(|name| name.as_str().into()).collect(),
                ))
                .enabled(enabled)
                .build()
        })
    };
    eks::Logging::builder()
        .set_cluster_logging(Some(
            [setup(enable, true), setup(disable, false)]
                .into_iter()
                .flatten()
                .collect(),
        ))
        .build()
}

fn scaling(scaling: Scaling) -> eks::NodegroupScalingConfig {
    eks::NodegroupScalingConfig::builder()
        .min_size(scaling.min)
        .max_size(scaling.max)
        .desired_size(scaling.desired)
        .build()
}

fn update_config(max: MaxUnavailable) -> eks::NodegroupUpdateConfig {
    let builder = eks::NodegroupUpdateConfig::builder();
    match max {
        MaxUnavailable::Count(count) => builder.max_unavailable(count),
        MaxUnavailable::Percentage(share) => builder.max_unavailable_percentage(share),
    }
    .build()
}

fn taints(taints: &BTreeSet<Taint>) -> Option<Vec<eks::Taint>> {
    (!taints.is_empty()).then(|| {
        taints
            .iter()
            .map(|taint| {
                eks::Taint::builder()
                    .key(&taint.key)
                    .value(&taint.value)
                    .effect(taint.effect.as_str().into())
                    .build()
            })
            .collect()
    })
}

fn access_scope(scope: &AccessScope) -> eks::AccessScope {
    match scope {
        AccessScope::Cluster => eks::AccessScope::builder()
            .r#type(eks::AccessScopeType::Cluster)
            .build(),
        AccessScope::Namespaces(namespaces) => eks::AccessScope::builder()
            .r#type(eks::AccessScopeType::Namespace)
            .set_namespaces(list(namespaces))
            .build(),
    }
}
