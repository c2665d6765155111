//! The account's EKS objects and how each is shown on the wire.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::addons::Addon;
use crate::aws::{InstanceType, Subnet, TemplateVersion};
use crate::backend::NodeTaint;
use crate::fargate::FargateProfile;
use crate::identity_providers::IdentityProvider;
use crate::insights::Insights;
use crate::pod_identities::PodIdentity;
use crate::principals::Principal;
use crate::wire::{ApiError, Code, epoch};

pub(crate) type Tags = BTreeMap<String, String>;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClusterStatus {
    Creating,
    Active,
    Updating,
    Deleting,
    Failed,
}

impl ClusterStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::Failed => "FAILED",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NodeGroupStatus {
    Creating,
    Active,
    Updating,
    Deleting,
    CreateFailed,
    DeleteFailed,
}

impl NodeGroupStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::DeleteFailed => "DELETE_FAILED",
        }
    }
}

/// A health issue of a cluster, node group or add-on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Issue {
    pub code: String,
    pub message: String,
    pub resource_ids: Vec<String>,
}

impl Issue {
    pub(crate) fn show(&self) -> Value {
        json!({ "code": self.code, "message": self.message, "resourceIds": self.resource_ids })
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct VpcConfig {
    pub subnet_ids: Vec<String>,
    pub security_group_ids: Vec<String>,
    pub cluster_security_group_id: Option<String>,
    pub vpc_id: String,
    pub public_access: bool,
    pub private_access: bool,
    pub public_access_cidrs: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct UpdateError {
    pub code: String,
    pub message: String,
    pub resource_ids: Vec<String>,
}

/// What an update belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Owner {
    Cluster,
    NodeGroup(String),
    Addon(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Update {
    pub id: String,
    pub status: &'static str,
    pub kind: &'static str,
    pub params: Vec<(&'static str, String)>,
    pub created_at: Timestamp,
    pub errors: Vec<UpdateError>,
    pub owner: Owner,
}

impl Update {
    pub(crate) fn new(
        kind: &'static str,
        params: Vec<(&'static str, String)>,
        created_at: Timestamp,
        owner: Owner,
    ) -> Self {
        Self {
            id: uuid::Uuid::new_v4().to_string(),
            status: "InProgress",
            kind,
            params,
            created_at,
            errors: Vec::new(),
            owner,
        }
    }

    pub(crate) fn show(&self) -> Value {
        let params: Vec<Value> = self
            .params
            .iter()
            .map(|(kind, value)| json!({ "type": kind, "value": value }))
            .collect();
        let errors: Vec<Value> = self
            .errors
            .iter()
            .map(|error| {
                json!({
                    "errorCode": error.code,
                    "errorMessage": error.message,
                    "resourceIds": error.resource_ids,
                })
            })
            .collect();
        json!({
            "id": self.id,
            "status": self.status,
            "type": self.kind,
            "params": params,
            "createdAt": epoch(self.created_at),
            "errors": errors,
        })
    }
}

/// One cluster and all that goes with it.
#[derive(Debug, Clone)]
pub(crate) struct Cluster {
    pub name: String,
    pub arn: String,
    pub created_at: Timestamp,
    pub version: String,
    /// The version before the last upgrade in place and when that ended, for a rollback.
    pub upgraded_from: Option<(String, Timestamp)>,
    pub endpoint: Option<String>,
    pub certificate_authority: Option<String>,
    pub role_arn: String,
    pub vpc: VpcConfig,
    /// Network interfaces of the control plane.
    pub interfaces: Vec<String>,
    /// Zones of the subnets it was created with.
    pub zones: Vec<String>,
    pub service_ipv4_cidr: String,
    pub log_types: Vec<String>,
    pub issuer: String,
    pub status: ClusterStatus,
    pub client_request_token: Option<String>,
    pub tags: Tags,
    pub encryption_config: Value,
    pub bootstrap_creator_admin: bool,
    pub authentication_mode: String,
    pub support_type: String,
    pub auto_mode: Option<AutoMode>,
    pub zonal_shift: bool,
    pub deletion_protection: bool,
    pub tier: String,
    pub issues: Vec<Issue>,
    /// The principal that created it.
    pub creator: Principal,
    pub updates: Vec<Update>,
    pub node_groups: BTreeMap<String, NodeGroup>,
    pub access_entries: BTreeMap<String, AccessEntry>,
    pub addons: BTreeMap<String, Addon>,
    pub identity_providers: BTreeMap<String, IdentityProvider>,
    pub insights: Insights,
    pub fargate_profiles: BTreeMap<String, FargateProfile>,
    /// By association id.
    pub pod_identities: BTreeMap<String, PodIdentity>,
    /// Addresses handed out to nodes, so that none is used twice.
    pub used_addresses: std::collections::BTreeSet<std::net::Ipv4Addr>,
}

impl Cluster {
    /// The cluster's own update that is running.
    pub(crate) fn running_update(&self) -> Option<&Update> {
        self.updates
            .iter()
            .find(|update| update.owner == Owner::Cluster && update.status == "InProgress")
    }

    pub(crate) fn update_mut(&mut self, id: &str) -> Option<&mut Update> {
        self.updates.iter_mut().find(|update| update.id == id)
    }

    pub(crate) fn uses_entries(&self) -> bool {
        self.authentication_mode != "CONFIG_MAP"
    }

    pub(crate) fn logging(&self) -> Value {
        let all = [
            "api",
            "audit",
            "authenticator",
            "controllerManager",
            "scheduler",
        ];
        let (on, off): (Vec<&str>, Vec<&str>) = all
            .iter()
            .partition(|kind| self.log_types.iter().any(|on| on == *kind));
        let mut setups = Vec::new();
        if !on.is_empty() {
            setups.push(json!({ "types": on, "enabled": true }));
        }
        if !off.is_empty() {
            setups.push(json!({ "types": off, "enabled": false }));
        }
        json!({ "clusterLogging": setups })
    }

    /// Source of the members: botocore model, Cluster; members without a value are null, as
    /// answers of the service quoted in issues of terraform-provider-aws have them.
    pub(crate) fn show(&self, platform_version: &str) -> Value {
        let issues: Vec<Value> = self.issues.iter().map(Issue::show).collect();
        let auto_mode = self
            .auto_mode
            .as_ref()
            .is_some_and(|auto_mode| auto_mode.enabled);
        json!({
            "name": self.name,
            "arn": self.arn,
            "createdAt": epoch(self.created_at),
            "version": self.version,
            "endpoint": self.endpoint,
            "roleArn": self.role_arn,
            "resourcesVpcConfig": {
                "subnetIds": self.vpc.subnet_ids,
                "securityGroupIds": self.vpc.security_group_ids,
                "clusterSecurityGroupId": self.vpc.cluster_security_group_id,
                "vpcId": self.vpc.vpc_id,
                "endpointPublicAccess": self.vpc.public_access,
                "endpointPrivateAccess": self.vpc.private_access,
                "publicAccessCidrs": self.vpc.public_access_cidrs,
            },
            "kubernetesNetworkConfig": {
                "serviceIpv4Cidr": self.service_ipv4_cidr,
                "serviceIpv6Cidr": null,
                "ipFamily": "ipv4",
                "elasticLoadBalancing": { "enabled": auto_mode },
            },
            "logging": self.logging(),
            "identity": if self.endpoint.is_some() {
                json!({ "oidc": { "issuer": self.issuer } })
            } else {
                Value::Null
            },
            "status": self.status.name(),
            "certificateAuthority": { "data": self.certificate_authority },
            "clientRequestToken": self.client_request_token,
            "platformVersion": platform_version,
            "tags": self.tags,
            "encryptionConfig": self.encryption_config,
            "connectorConfig": null,
            "id": null,
            "health": { "issues": issues },
            "outpostConfig": null,
            "accessConfig": {
                "bootstrapClusterCreatorAdminPermissions": self.bootstrap_creator_admin,
                "authenticationMode": self.authentication_mode,
            },
            "upgradePolicy": { "supportType": self.support_type },
            "zonalShiftConfig": { "enabled": self.zonal_shift },
            "remoteNetworkConfig": null,
            "computeConfig": self.auto_mode.as_ref().map(|auto_mode| json!({
                "enabled": auto_mode.enabled,
                "nodePools": auto_mode.node_pools,
                "nodeRoleArn": auto_mode.node_role_arn,
            })),
            "storageConfig": self.auto_mode.as_ref().map(|auto_mode| json!({
                "blockStorage": { "enabled": auto_mode.enabled },
            })),
            "deletionProtection": self.deletion_protection,
            "controlPlaneScalingConfig": { "tier": self.tier },
        })
    }
}

/// Auto Mode of a cluster, once it was ever on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AutoMode {
    pub enabled: bool,
    pub node_pools: Vec<String>,
    pub node_role_arn: Option<String>,
}

/// Sizes of a node group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Scaling {
    pub min_size: u32,
    pub max_size: u32,
    pub desired_size: u32,
}

/// A taint as EKS spells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Taint {
    pub key: String,
    #[serde(default)]
    pub value: Option<String>,
    pub effect: String,
}

impl Taint {
    /// The Kubernetes effect; `None` for a word the API does not know.
    pub(crate) fn kubernetes_effect(&self) -> Option<&'static str> {
        match self.effect.as_str() {
            "NO_SCHEDULE" => Some("NoSchedule"),
            "NO_EXECUTE" => Some("NoExecute"),
            "PREFER_NO_SCHEDULE" => Some("PreferNoSchedule"),
            _ => None,
        }
    }

    pub(crate) fn to_node_taint(&self) -> NodeTaint {
        NodeTaint {
            key: self.key.clone(),
            value: self.value.clone().unwrap_or_default(),
            effect: self.kubernetes_effect().unwrap_or_default().to_owned(),
        }
    }
}

/// `updateConfig`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NodeUpdateConfig {
    #[serde(default)]
    pub max_unavailable: Option<u32>,
    #[serde(default)]
    pub max_unavailable_percentage: Option<u32>,
    #[serde(default)]
    pub update_strategy: Option<String>,
}

/// A node that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Node {
    pub name: String,
    pub instance_id: String,
    pub address: std::net::Ipv4Addr,
    pub zone: String,
    pub zone_id: String,
    pub instance_type: String,
    pub kubelet_version: String,
}

/// A managed node group.
#[derive(Debug, Clone)]
pub(crate) struct NodeGroup {
    pub name: String,
    pub arn: String,
    pub cluster: String,
    pub version: String,
    pub release_version: String,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub status: NodeGroupStatus,
    pub capacity_type: String,
    pub scaling: Scaling,
    pub instance_types: Vec<String>,
    /// What EC2 says of each instance type.
    pub instance_details: Vec<InstanceType>,
    pub subnets: Vec<Subnet>,
    pub ami_type: String,
    pub node_role: String,
    pub labels: BTreeMap<String, String>,
    pub taints: Vec<Taint>,
    pub auto_scaling_group: Option<String>,
    /// `None` with a launch template, which has it.
    pub disk_size: Option<u32>,
    pub launch_template: Option<TemplateVersion>,
    pub issues: Vec<Issue>,
    pub update_config: NodeUpdateConfig,
    pub node_repair_config: Value,
    pub tags: Tags,
    pub nodes: Vec<Node>,
}

impl NodeGroup {
    /// Source of the members: botocore model, Nodegroup.
    pub(crate) fn show(&self) -> Value {
        let issues: Vec<Value> = self.issues.iter().map(Issue::show).collect();
        let subnets: Vec<&str> = self.subnets.iter().map(|s| s.id.as_str()).collect();
        let in_template = self
            .launch_template
            .as_ref()
            .is_some_and(|template| template.instance_type.is_some());
        let groups: Vec<Value> = self
            .auto_scaling_group
            .iter()
            .map(|name| json!({ "name": name }))
            .collect();
        json!({
            "nodegroupName": self.name,
            "nodegroupArn": self.arn,
            "clusterName": self.cluster,
            "version": self.version,
            "releaseVersion": self.release_version,
            "createdAt": epoch(self.created_at),
            "modifiedAt": epoch(self.modified_at),
            "status": self.status.name(),
            "capacityType": self.capacity_type,
            "scalingConfig": self.scaling,
            "instanceTypes": (!in_template).then_some(&self.instance_types),
            "subnets": subnets,
            "remoteAccess": null,
            "amiType": self.ami_type,
            "nodeRole": self.node_role,
            "labels": self.labels,
            "taints": if self.taints.is_empty() { Value::Null } else { json!(self.taints) },
            "resources": { "autoScalingGroups": groups, "remoteAccessSecurityGroup": null },
            "diskSize": self.disk_size,
            "health": { "issues": issues },
            "updateConfig": self.update_config,
            "nodeRepairConfig": self.node_repair_config,
            "launchTemplate": self.launch_template.as_ref().map(TemplateVersion::reference),
            "tags": self.tags,
        })
    }
}

/// An access policy on an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Association {
    pub policy_arn: String,
    /// Empty for cluster scope.
    pub namespaces: Vec<String>,
    pub associated_at: Timestamp,
    pub modified_at: Timestamp,
}

impl Association {
    pub(crate) fn show(&self) -> Value {
        json!({
            "policyArn": self.policy_arn,
            "accessScope": {
                "type": if self.namespaces.is_empty() { "cluster" } else { "namespace" },
                "namespaces": self.namespaces,
            },
            "associatedAt": epoch(self.associated_at),
            "modifiedAt": epoch(self.modified_at),
        })
    }
}

/// An access entry.
#[derive(Debug, Clone)]
pub(crate) struct AccessEntry {
    pub cluster: String,
    pub principal_arn: String,
    /// The principal's unique id when the entry was made; a re-created role has another.
    pub principal_id: Option<String>,
    pub groups: Vec<String>,
    pub arn: String,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub tags: Tags,
    pub username: String,
    pub kind: String,
    pub associations: Vec<Association>,
    /// Made by EKS for a node or pod execution role; goes with the last that has the role.
    pub managed: bool,
}

impl AccessEntry {
    /// Source of the members: botocore model, AccessEntry.
    pub(crate) fn show(&self) -> Value {
        json!({
            "clusterName": self.cluster,
            "principalArn": self.principal_arn,
            "kubernetesGroups": self.groups,
            "accessEntryArn": self.arn,
            "createdAt": epoch(self.created_at),
            "modifiedAt": epoch(self.modified_at),
            "tags": self.tags,
            "username": self.username,
            "type": self.kind,
        })
    }
}

/// A call that was accepted with a clientRequestToken.
#[derive(Debug, Clone)]
pub(crate) struct Accepted {
    /// The request without its token.
    pub parameters: Value,
    /// What it made: a name or an update id.
    pub result: String,
}

/// All objects.
#[derive(Debug, Default)]
pub(crate) struct Store {
    pub clusters: BTreeMap<String, Cluster>,
    /// By operation, scope and token.
    pub tokens: BTreeMap<(String, String, String), Accepted>,
}

impl Store {
    /// Source of the text: issues of terraform-provider-aws and eksctl, which quote it.
    pub(crate) fn cluster(&self, name: &str) -> Result<&Cluster, ApiError> {
        self.clusters.get(name).ok_or_else(|| no_cluster(name))
    }

    pub(crate) fn cluster_mut(&mut self, name: &str) -> Result<&mut Cluster, ApiError> {
        self.clusters.get_mut(name).ok_or_else(|| no_cluster(name))
    }

    pub(crate) fn node_group(&self, cluster: &str, name: &str) -> Result<&NodeGroup, ApiError> {
        self.cluster(cluster)?
            .node_groups
            .get(name)
            .ok_or_else(|| no_node_group(cluster, name))
    }

    pub(crate) fn node_group_mut(
        &mut self,
        cluster: &str,
        name: &str,
    ) -> Result<&mut NodeGroup, ApiError> {
        self.cluster_mut(cluster)?
            .node_groups
            .get_mut(name)
            .ok_or_else(|| no_node_group(cluster, name))
    }

    /// The result of an earlier call with the same token, if there was one. The same token with
    /// other parameters is an error. Source: API reference, clientRequestToken; which error is
    /// not verified.
    pub(crate) fn replay(
        &self,
        operation: &str,
        scope: &str,
        token: Option<&str>,
        parameters: &Value,
    ) -> Result<Option<String>, ApiError> {
        let Some(token) = token else {
            return Ok(None);
        };
        let key = (operation.to_owned(), scope.to_owned(), token.to_owned());
        match self.tokens.get(&key) {
            None => Ok(None),
            Some(accepted) if accepted.parameters == *parameters => {
                Ok(Some(accepted.result.clone()))
            }
            Some(_) => Err(ApiError::parameter(
                "The clientRequestToken was already used with different parameters.",
            )),
        }
    }

    pub(crate) fn accept(
        &mut self,
        operation: &str,
        scope: &str,
        token: Option<&str>,
        parameters: Value,
        result: &str,
    ) {
        if let Some(token) = token {
            self.tokens.insert(
                (operation.to_owned(), scope.to_owned(), token.to_owned()),
                Accepted {
                    parameters,
                    result: result.to_owned(),
                },
            );
        }
    }

    /// Forgets the tokens of a cluster that is gone, so that its name can be made again.
    pub(crate) fn forget_tokens(&mut self, cluster: &str) {
        let inside = format!("{cluster}/");
        self.tokens
            .retain(|(_, scope, _), _| scope != cluster && !scope.starts_with(&inside));
    }
}

pub(crate) fn no_cluster(name: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("No cluster found for name: {name}."),
    )
    .cluster(name)
}

/// Source of the text: terraform-provider-aws issues quoting the service.
pub(crate) fn no_node_group(cluster: &str, name: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("No node group found for name: {name}."),
    )
    .cluster(cluster)
    .node_group(name)
}
