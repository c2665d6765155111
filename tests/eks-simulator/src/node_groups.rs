//! CreateNodegroup, DescribeNodegroup, ListNodegroups, DeleteNodegroup.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::aws::{InstanceType, Subnet, TemplateVersion};
use crate::clusters::{ec2_refusal, one_of, or_replay, refuse_asked};
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::launch_templates::TemplateReference;
use crate::store::{
    ClusterStatus, Issue, NodeGroup, NodeGroupStatus, NodeUpdateConfig, Scaling, Tags, Taint,
    no_node_group,
};
use crate::wire::{ApiError, Code};
use crate::{access, nodes, pages, roles, tags};

/// Quotas. Source: EKS user guide, service quotas.
const MAX_NODE_GROUPS: usize = 30;
const MAX_NODES: i64 = 450;
/// Source: API reference, CreateNodegroup (taints).
const MAX_TAINTS: usize = 50;

/// Source of the members: botocore model, CreateNodegroupRequest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    nodegroup_name: Option<String>,
    scaling_config: Option<ScalingRequest>,
    disk_size: Option<i64>,
    #[serde(default)]
    subnets: Vec<String>,
    instance_types: Option<Vec<String>>,
    ami_type: Option<String>,
    remote_access: Option<Value>,
    node_role: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    taints: Vec<Taint>,
    #[serde(default)]
    tags: Tags,
    client_request_token: Option<String>,
    launch_template: Option<TemplateReference>,
    update_config: Option<NodeUpdateConfig>,
    node_repair_config: Option<RepairRequest>,
    capacity_type: Option<String>,
    version: Option<String>,
    release_version: Option<String>,
    warm_pool_config: Option<Value>,
}

/// `scalingConfig` of a request.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ScalingRequest {
    min_size: Option<i64>,
    max_size: Option<i64>,
    desired_size: Option<i64>,
}

impl ScalingRequest {
    /// The sizes with what the request leaves out as before. Source: botocore model,
    /// NodegroupScalingConfig (no member is required); wandb/terraform-aws-wandb issue 201, which
    /// sets `desiredSize` alone; texts as terraform-aws-eks issues 2508 and 3306 quote them, where
    /// they do.
    pub(crate) fn over(self, before: Scaling) -> Result<Scaling, ApiError> {
        let min_size = self.min_size.unwrap_or(i64::from(before.min_size));
        let max_size = self.max_size.unwrap_or(i64::from(before.max_size));
        let desired_size = self.desired_size.unwrap_or(i64::from(before.desired_size));
        let refusal = if max_size < 1 {
            "Maximum size must be at least 1".to_owned()
        } else if min_size < 0 {
            "Minimum size must be at least 0".to_owned()
        } else if min_size > max_size {
            format!("Minimum size {min_size} can't be greater than maximum size {max_size}")
        } else if desired_size < min_size {
            format!("Minimum capacity {min_size} can't be greater than desired size {desired_size}")
        } else if desired_size > max_size {
            format!("desired size {desired_size} can't be greater than maximum size {max_size}")
        } else if max_size > MAX_NODES {
            format!("Maximum size {max_size} is over the quota of {MAX_NODES} nodes per node group")
        } else {
            let size = |number: i64| u32::try_from(number).unwrap_or_default();
            return Ok(Scaling {
                min_size: size(min_size),
                max_size: size(max_size),
                desired_size: size(desired_size),
            });
        };
        Err(ApiError::parameter(refusal))
    }
}

/// `nodeRepairConfig` of a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct RepairRequest {
    #[serde(rename = "enabled")]
    _enabled: Option<bool>,
    max_unhealthy_node_threshold_count: Option<i64>,
    max_unhealthy_node_threshold_percentage: Option<i64>,
    max_parallel_nodes_repaired_count: Option<i64>,
    max_parallel_nodes_repaired_percentage: Option<i64>,
    #[serde(default)]
    node_repair_config_overrides: Vec<RepairOverride>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct RepairOverride {
    node_monitoring_condition: Option<String>,
    node_unhealthy_reason: Option<String>,
    min_repair_wait_time_mins: Option<i64>,
    repair_action: Option<String>,
}

impl RepairRequest {
    /// Source: botocore model, NodeRepairConfig and NodeRepairConfigOverrides (limits, and which
    /// members exclude each other or belong together); texts not verified.
    pub(crate) fn check(&self) -> Result<(), ApiError> {
        let pairs = [
            (
                "maxUnhealthyNodeThreshold",
                self.max_unhealthy_node_threshold_count,
                self.max_unhealthy_node_threshold_percentage,
            ),
            (
                "maxParallelNodesRepaired",
                self.max_parallel_nodes_repaired_count,
                self.max_parallel_nodes_repaired_percentage,
            ),
        ];
        for (name, count, percentage) in pairs {
            let refusal = match (count, percentage) {
                (Some(_), Some(_)) => format!(
                    "Only one of {name}Count and {name}Percentage can be specified in nodeRepairConfig."
                ),
                (Some(count), None) if count < 1 => {
                    format!("nodeRepairConfig {name}Count must be at least 1.")
                }
                (None, Some(percentage)) if !(1..=100).contains(&percentage) => {
                    format!("nodeRepairConfig {name}Percentage must be between 1 and 100.")
                }
                _ => continue,
            };
            return Err(ApiError::parameter(refusal));
        }
        for one in &self.node_repair_config_overrides {
            let (Some(_), Some(_), Some(1..), Some(action)) = (
                &one.node_monitoring_condition,
                &one.node_unhealthy_reason,
                one.min_repair_wait_time_mins,
                &one.repair_action,
            ) else {
                return Err(ApiError::parameter(
                    "Each of nodeRepairConfigOverrides must have nodeMonitoringCondition, nodeUnhealthyReason, minRepairWaitTimeMins (at least 1) and repairAction.",
                ));
            };
            one_of("repairAction", action, &["Replace", "Reboot", "NoAction"])?;
        }
        Ok(())
    }
}

/// Source: Kubernetes label syntax; reserved prefixes as the service's message names them in eksctl
/// issue 4006.
pub(crate) fn check_labels(labels: &BTreeMap<String, String>) -> Result<(), ApiError> {
    for (key, value) in labels {
        let (prefix, name) = key.rsplit_once('/').unwrap_or(("", key));
        let reserved = ["kubernetes.io", "k8s.io", "eks.amazonaws.com"]
            .iter()
            .any(|domain| prefix == *domain || prefix.ends_with(&format!(".{domain}")));
        if reserved {
            return Err(ApiError::parameter(format!(
                "Label cannot contain reserved prefixes [kubernetes.io/, k8s.io/, eks.amazonaws.com/]: {key}"
            )));
        }
        if !is_qualified(name, false) || !is_qualified(value, true) || prefix.len() > 253 {
            return Err(ApiError::parameter(format!(
                "Label {key}={value} is not a valid Kubernetes label"
            )));
        }
    }
    Ok(())
}

fn is_qualified(text: &str, may_be_empty: bool) -> bool {
    if text.is_empty() {
        return may_be_empty;
    }
    let inner = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
    let bytes = text.as_bytes();
    text.len() <= 63
        && bytes.iter().all(|b| inner(*b))
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
}

/// Source: API reference, Taint; botocore model, TaintEffect.
pub(crate) fn check_taints(taints: &[Taint]) -> Result<(), ApiError> {
    if taints.len() > MAX_TAINTS {
        return Err(ApiError::parameter(format!(
            "No more than {MAX_TAINTS} taints can be specified."
        )));
    }
    for (index, taint) in taints.iter().enumerate() {
        if taint.kubernetes_effect().is_none() {
            return Err(ApiError::parameter(format!(
                "The taint effect {} is not valid; valid effects are NO_SCHEDULE, NO_EXECUTE, PREFER_NO_SCHEDULE",
                taint.effect
            )));
        }
        if taint.key.is_empty() || taint.key.len() > 63 {
            return Err(ApiError::parameter(format!(
                "The taint key {:?} must have 1 to 63 characters",
                taint.key
            )));
        }
        let twice = taints
            .iter()
            .take(index)
            .any(|other| other.key == taint.key && other.effect == taint.effect);
        if twice {
            return Err(ApiError::parameter(format!(
                "The taint {} with effect {} is given twice",
                taint.key, taint.effect
            )));
        }
    }
    Ok(())
}

/// Source: API reference, NodegroupUpdateConfig.
pub(crate) fn check_update_config(config: &NodeUpdateConfig) -> Result<(), ApiError> {
    let refusal = match (config.max_unavailable, config.max_unavailable_percentage) {
        (Some(_), Some(_)) => {
            "Only one of maxUnavailable and maxUnavailablePercentage can be specified."
        }
        (Some(0), None) => "maxUnavailable must be between 1 and 100.",
        (Some(number), None) if number > 100 => "maxUnavailable must be between 1 and 100.",
        (None, Some(number)) if !(1..=100).contains(&number) => {
            "maxUnavailablePercentage must be between 1 and 100."
        }
        _ => {
            if let Some(strategy) = &config.update_strategy {
                one_of("updateStrategy", strategy, &["DEFAULT", "MINIMAL"])?;
            }
            return Ok(());
        }
    };
    Err(ApiError::parameter(refusal))
}

/// Source: botocore model, AMITypes, without the custom, Amazon Linux 2 and Windows ones.
const AMI_TYPES: [&str; 13] = [
    "AL2023_x86_64_STANDARD",
    "AL2023_ARM_64_STANDARD",
    "AL2023_x86_64_NEURON",
    "AL2023_x86_64_NVIDIA",
    "AL2023_ARM_64_NVIDIA",
    "BOTTLEROCKET_ARM_64",
    "BOTTLEROCKET_x86_64",
    "BOTTLEROCKET_ARM_64_FIPS",
    "BOTTLEROCKET_x86_64_FIPS",
    "BOTTLEROCKET_ARM_64_NVIDIA",
    "BOTTLEROCKET_x86_64_NVIDIA",
    "BOTTLEROCKET_ARM_64_NVIDIA_FIPS",
    "BOTTLEROCKET_x86_64_NVIDIA_FIPS",
];

/// Source: EKS user guide, managed node groups: AL2 ended 26 Nov 2025 and never had 1.33. Texts
/// not verified.
fn check_ami_type(ami_type: &str) -> Result<(), ApiError> {
    if ["AL2_x86_64", "AL2_x86_64_GPU", "AL2_ARM_64"].contains(&ami_type) {
        return Err(ApiError::parameter(format!(
            "{ami_type} is only supported for kubernetes versions 1.32 or earlier"
        )));
    }
    if ami_type == "CUSTOM" || ami_type.starts_with("WINDOWS") {
        return Err(ApiError::parameter(format!(
            "The AMI type {ami_type} exists in EKS but is not simulated by the lab."
        )));
    }
    one_of("amiType", ami_type, &AMI_TYPES)
}

/// Each instance type as EC2 knows it, and the AMI type: CUSTOM where the launch template has the image. Texts of the refusals not verified.
pub(crate) async fn instance_details(
    core: &Core,
    types: &[String],
    ami_type: Option<&str>,
    custom: bool,
) -> Result<(String, Vec<InstanceType>), ApiError> {
    let mut details = Vec::new();
    for name in types {
        let found = core.aws.instance_type(name).await.map_err(|error| {
            if error.code == "InvalidInstanceType" {
                ApiError::parameter(format!(
                    "The following supplied instance types do not exist: [{name}]"
                ))
            } else {
                ec2_refusal(&error)
            }
        })?;
        details.push(found);
    }
    if custom {
        return Ok(("CUSTOM".to_owned(), details));
    }
    let arm = |details: &InstanceType| details.architectures.iter().any(|a| a == "arm64");
    // Source: API reference, CreateNodegroup (default by the instance types' architecture).
    let ami_type = match ami_type {
        Some(ami_type) => ami_type.to_owned(),
        None if details.first().is_some_and(arm) => "AL2023_ARM_64_STANDARD".to_owned(),
        None => "AL2023_x86_64_STANDARD".to_owned(),
    };
    check_ami_type(&ami_type)?;
    for (name, details) in types.iter().zip(&details) {
        if arm(details) != ami_type.contains("ARM_64") {
            return Err(ApiError::parameter(format!(
                "[{name}] is not a valid instance type for requested amiType {ami_type}"
            )));
        }
    }
    Ok((ami_type, details))
}

/// A release version must be one of the minor's. Source: eksctl issue 7976, which quotes "is not valid
/// for kubernetes version".
pub(crate) fn check_release(
    core: &Core,
    release: &str,
    minor: &str,
    ami_type: &str,
) -> Result<(), ApiError> {
    let known = nodes::releases(core, minor, ami_type);
    if known.iter().any(|other| other == release) {
        return Ok(());
    }
    Err(ApiError::parameter(format!(
        "Requested release version {release} is not valid for kubernetes version {minor}. Allowed release versions are {known:?}"
    )))
}

fn check_name(name: &str) -> Result<(), ApiError> {
    // Source: API reference, CreateNodegroup (63 characters, letter or digit first).
    let mut characters = name.chars();
    let good = (1..=63).contains(&name.len())
        && characters.next().is_some_and(|c| c.is_ascii_alphanumeric())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if good {
        Ok(())
    } else {
        Err(ApiError::parameter(format!(
            "The node group name {name:?} is not valid: 1 to 63 letters, digits, hyphens and underscores, the first a letter or digit."
        )))
    }
}

fn not_simulated(request: &CreateRequest) -> Result<(), ApiError> {
    refuse_asked(&[
        (request.remote_access.is_some(), "remoteAccess"),
        (request.warm_pool_config.is_some(), "warmPoolConfig"),
    ])
}

/// What excludes a launch template. Source: API reference, CreateNodegroup; texts of the disk size:
/// crossplane-contrib/provider-upjet-aws issue 866, of the instance types: terraform-aws-eks issue 1386; the
/// others are not verified.
fn check_template(
    request: &CreateRequest,
    template: Option<&TemplateVersion>,
) -> Result<(), ApiError> {
    let block = request.capacity_type.as_deref() == Some("CAPACITY_BLOCK");
    if block
        != template
            .is_some_and(|template| template.market_type.as_deref() == Some("capacity-block"))
    {
        return Err(ApiError::parameter(
            "capacityType CAPACITY_BLOCK and a launch template with the market type capacity-block need each other.",
        ));
    }
    let Some(template) = template else {
        return Ok(());
    };
    if request.disk_size.is_some() {
        return Err(ApiError::parameter(
            "Disk size must be specified within the launch template.",
        ));
    }
    if request.remote_access.is_some() {
        return Err(ApiError::parameter(
            "Remote access configuration must be specified within the launch template.",
        ));
    }
    let types = request.instance_types.as_deref().unwrap_or_default();
    if template.instance_type.is_some() && !types.is_empty() {
        return Err(ApiError::new(
            Code::InvalidRequest,
            "Cannot specify instance types in launch template and API Request",
        ));
    }
    if template.image_id.is_some()
        && (request.ami_type.is_some()
            || request.version.is_some()
            || request.release_version.is_some())
    {
        return Err(ApiError::parameter(
            "You cannot specify amiType, version or releaseVersion when the launch template has an AMI.",
        ));
    }
    Ok(())
}

/// Source: API reference, CreateNodegroup.
pub(crate) async fn create(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let cluster = call.part(0).to_owned();
    let (request, raw) = call.body::<CreateRequest>()?;
    let name = request.nodegroup_name.clone().unwrap_or_default();
    let token = request.client_request_token.clone();
    let created = create_once(core, call, request, raw.clone()).await;
    // A call with the same token may have been accepted while this one asked IAM and EC2.
    or_replay(created, || {
        replayed(core, &cluster, &name, token.as_deref(), &raw)
    })
}

async fn create_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    request: CreateRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    let cluster = call.part(0).to_owned();
    let name = request
        .nodegroup_name
        .clone()
        .ok_or_else(|| ApiError::parameter("nodegroupName is required").cluster(&cluster))?;
    let named = |error: ApiError| error.cluster(&cluster).node_group(&name);
    let scope = format!("{cluster}/{name}");
    let token = request.client_request_token.clone();
    if let Some(shown) = replayed(core, &cluster, &name, token.as_deref(), &raw)? {
        return Ok(shown);
    }
    check_name(&name).map_err(named)?;
    let (cluster_version, vpc_id) = {
        let store = core.store();
        let found = store.cluster(&cluster)?;
        refuse_unless_usable(found).map_err(named)?;
        if found.node_groups.contains_key(&name) {
            return Err(taken(&cluster, &name));
        }
        (found.version.clone(), found.vpc.vpc_id.clone())
    };
    call.refuse_if_busy(&cluster, "CreateNodegroup")
        .map_err(named)?;
    let template = match &request.launch_template {
        Some(reference) => Some(reference.resolve(core).await.map_err(named)?),
        None => None,
    };
    check_template(&request, template.as_ref()).map_err(named)?;
    not_simulated(&request).map_err(named)?;
    // Source: API reference, CreateNodegroup: the cluster's version is the only accepted one.
    let version = request
        .version
        .clone()
        .unwrap_or_else(|| cluster_version.clone());
    if version != cluster_version {
        return Err(named(ApiError::parameter(format!(
            "Nodegroup Kubernetes version {version} must be the cluster's version {cluster_version}"
        ))));
    }
    let default = Scaling {
        min_size: 1,
        max_size: 2,
        desired_size: 2,
    };
    let scaling = match request.scaling_config {
        Some(scaling) => scaling.over(default).map_err(named)?,
        None => default,
    };
    let disk_size = match request.disk_size {
        None if template.is_some() => None,
        None => Some(20),
        // Not verified: the limits of the size and the text.
        Some(size) => u32::try_from(size)
            .ok()
            .filter(|size| *size > 0)
            .map(Some)
            .ok_or_else(|| {
                named(ApiError::parameter(format!(
                    "diskSize {size} is not valid: it must be at least 1 GiB"
                )))
            })?,
    };
    if let Some(repair) = &request.node_repair_config {
        repair.check().map_err(named)?;
    }
    check_labels(&request.labels).map_err(named)?;
    check_taints(&request.taints).map_err(named)?;
    tags::check(&request.tags).map_err(|text| named(ApiError::parameter(text)))?;
    let mut update_config = request.update_config.clone().unwrap_or_default();
    check_update_config(&update_config).map_err(named)?;
    if update_config.max_unavailable.is_none() && update_config.max_unavailable_percentage.is_none()
    {
        update_config.max_unavailable = Some(1);
    }
    let capacity_type = request
        .capacity_type
        .clone()
        .unwrap_or_else(|| "ON_DEMAND".to_owned());
    let capacity_types = ["ON_DEMAND", "SPOT", "CAPACITY_BLOCK"];
    one_of("capacityType", &capacity_type, &capacity_types).map_err(named)?;
    let instance_types = request
        .instance_types
        .clone()
        .filter(|types| !types.is_empty())
        .or_else(|| Some(vec![template.as_ref()?.instance_type.clone()?]))
        .unwrap_or_else(|| vec!["t3.medium".to_owned()]);
    let image = template
        .as_ref()
        .and_then(|template| template.image_id.clone());
    let (ami_type, instance_details) = instance_details(
        core,
        &instance_types,
        request.ami_type.as_deref(),
        image.is_some(),
    )
    .await
    .map_err(named)?;
    let release_version = match (image, &request.release_version) {
        // Source: API reference, Nodegroup (releaseVersion of a custom AMI).
        (Some(image), _) => image,
        (None, Some(release)) => {
            check_release(core, release, &version, &ami_type).map_err(named)?;
            release.clone()
        }
        (None, None) => nodes::releases(core, &version, &ami_type)
            .pop()
            .unwrap_or_default(),
    };
    let node_role = request
        .node_role
        .clone()
        .ok_or_else(|| named(ApiError::parameter("nodeRole is required")))?;
    let subnets = check_subnets(core, &request.subnets, &vpc_id)
        .await
        .map_err(named)?;
    let can_join = roles::check_node_role(core, call.hits, &node_role)
        .await
        .map_err(named)?;
    let now = core.now();
    let group = NodeGroup {
        arn: core.arn(&format!(
            "nodegroup/{cluster}/{name}/{}",
            uuid::Uuid::new_v4()
        )),
        cluster: cluster.clone(),
        version,
        release_version,
        created_at: now,
        modified_at: now,
        status: NodeGroupStatus::Creating,
        capacity_type,
        scaling,
        instance_types,
        instance_details,
        subnets,
        ami_type,
        node_role,
        labels: request.labels,
        taints: request.taints,
        auto_scaling_group: None,
        disk_size,
        launch_template: template,
        issues: Vec::new(),
        update_config,
        node_repair_config: raw.get("nodeRepairConfig").cloned().unwrap_or(Value::Null),
        tags: request.tags,
        nodes: Vec::new(),
        name: name.clone(),
    };
    let shown = json!({ "nodegroup": group.show() });
    {
        let mut store = core.store();
        let found = store.cluster_mut(&cluster)?;
        refuse_unless_usable(found).map_err(named)?;
        if found.node_groups.contains_key(&name) {
            return Err(taken(&cluster, &name));
        }
        if found.node_groups.len() >= MAX_NODE_GROUPS {
            return Err(named(ApiError::new(
                Code::ResourceLimitExceeded,
                format!("Node group limit exceeded: {MAX_NODE_GROUPS} per cluster"),
            )));
        }
        let role = group.node_role.clone();
        found.node_groups.insert(name.clone(), group);
        if found.uses_entries() {
            access::add_role_entry(core, found, &role, "EC2_LINUX");
        }
        store.accept("CreateNodegroup", &scope, token.as_deref(), raw, &name);
    }
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run_create(&transition, &cluster, &name, can_join, &faults).await });
    Ok(shown)
}

fn replayed(
    core: &Core,
    cluster: &str,
    name: &str,
    token: Option<&str>,
    raw: &Value,
) -> Result<Option<Value>, ApiError> {
    let store = core.store();
    let scope = format!("{cluster}/{name}");
    match store.replay("CreateNodegroup", &scope, token, raw)? {
        Some(_) => Ok(Some(
            json!({ "nodegroup": store.node_group(cluster, name)?.show() }),
        )),
        None => Ok(None),
    }
}

fn taken(cluster: &str, name: &str) -> ApiError {
    ApiError::in_use(format!(
        "NodeGroup already exists with name {name} and cluster name {cluster}"
    ))
    .cluster(cluster)
    .node_group(name)
}

/// Not verified: the error and its text.
pub(crate) fn refuse_unless_usable(cluster: &crate::store::Cluster) -> Result<(), ApiError> {
    match cluster.status {
        ClusterStatus::Active | ClusterStatus::Updating if cluster.endpoint.is_some() => Ok(()),
        status => Err(ApiError::new(
            Code::InvalidRequest,
            format!(
                "Cluster '{}' is not in ACTIVE status but in {}",
                cluster.name,
                status.name()
            ),
        )),
    }
}

pub(crate) async fn check_subnets(
    core: &Core,
    ids: &[String],
    vpc_id: &str,
) -> Result<Vec<Subnet>, ApiError> {
    if ids.is_empty() {
        return Err(ApiError::parameter("Subnets are not specified."));
    }
    let subnets = core
        .aws
        .subnets(ids)
        .await
        .map_err(|error| ec2_refusal(&error))?;
    match subnets.iter().find(|subnet| subnet.vpc_id != vpc_id) {
        Some(other) => Err(ApiError::parameter(format!(
            "Subnet {} does not belong to the cluster's VPC {vpc_id}",
            other.id
        ))),
        None => Ok(subnets),
    }
}

async fn run_create(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    can_join: bool,
    faults: &TransitionFaults,
) {
    core.config
        .clock
        .sleep(core.config.timings.node_group_create)
        .await;
    faults.wait().await;
    let result = match (&faults.fails, faults.capacity, can_join) {
        (Some((code, message)), _, _) => Err((code.clone(), message.clone())),
        (None, true, _) => Err((
            "AsgInstanceLaunchFailures".to_owned(),
            "Could not launch On-Demand Instances. InsufficientInstanceCapacity - We currently do not have sufficient capacity in the Availability Zone you requested. Launching EC2 instance failed.".to_owned(),
        )),
        // Source: EKS user guide, troubleshooting; the node role lacks its policies.
        (None, false, false) => Err((
            "NodeCreationFailure".to_owned(),
            "Instances failed to join the kubernetes cluster".to_owned(),
        )),
        (None, false, true) => grow(core, cluster, name).await,
    };
    let mut store = core.store();
    let Ok(group) = store.node_group_mut(cluster, name) else {
        return;
    };
    group.modified_at = core.now();
    group.auto_scaling_group = Some(format!("eks-{name}-{}", uuid::Uuid::new_v4()));
    match result {
        Ok(()) => group.status = NodeGroupStatus::Active,
        Err((code, message)) => {
            group.status = NodeGroupStatus::CreateFailed;
            let asg = group.auto_scaling_group.clone().unwrap_or_default();
            group.issues.push(Issue {
                code,
                message,
                resource_ids: vec![asg],
            });
        }
    }
}

/// Adds nodes up to the desired size; the error is a health issue's code and message.
pub(crate) async fn grow(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
) -> Result<(), (String, String)> {
    let specs = {
        let mut store = core.store();
        let Ok(found) = store.cluster_mut(cluster) else {
            return Ok(());
        };
        let Some(group) = found.node_groups.get(name) else {
            return Ok(());
        };
        let missing = (group.scaling.desired_size as usize).saturating_sub(group.nodes.len());
        let version = group.version.clone();
        let planned = nodes::plan(core, found, name, missing, &version)
            .map_err(|message| ("InsufficientFreeAddresses".to_owned(), message))?;
        let Some(group) = found.node_groups.get_mut(name) else {
            return Ok(());
        };
        let specs = planned
            .iter()
            .map(|node| nodes::spec(core, group, node))
            .collect();
        group.nodes.extend(planned);
        specs
    };
    nodes::apply(core, cluster, specs)
        .await
        .map_err(|message| ("NodeCreationFailure".to_owned(), message))
}

/// Source: API reference, DescribeNodegroup.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0), call.part(1));
    let store = core.store();
    let group = store.node_group(cluster, name)?;
    if call.hits.stale_read {
        if group.status == NodeGroupStatus::Creating {
            return Err(no_node_group(cluster, name));
        }
        let mut before = group.clone();
        before.status = NodeGroupStatus::Active;
        return Ok(json!({ "nodegroup": before.show() }));
    }
    Ok(json!({ "nodegroup": group.show() }))
}

/// Source: API reference, ListNodegroups.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let mut names: Vec<String> = core
        .store()
        .cluster(call.part(0))?
        .node_groups
        .keys()
        .cloned()
        .collect();
    let next = pages::cut(&mut names, call, Code::InvalidParameter, String::clone)?;
    Ok(json!({ "nodegroups": names, "nextToken": next }))
}

/// Source: API reference, DeleteNodegroup; which states refuse it is not verified.
pub(crate) fn delete(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let shown = {
        let mut store = core.store();
        let group = store.node_group_mut(&cluster, &name)?;
        let busy = matches!(
            group.status,
            NodeGroupStatus::Creating | NodeGroupStatus::Updating | NodeGroupStatus::Deleting
        );
        if busy {
            return Err(ApiError::in_use(format!(
                "Nodegroup {name} cannot be deleted while it is in status {}",
                group.status.name()
            ))
            .cluster(&cluster)
            .node_group(&name));
        }
        call.refuse_if_busy(&cluster, "DeleteNodegroup")?;
        group.status = NodeGroupStatus::Deleting;
        group.modified_at = core.now();
        json!({ "nodegroup": group.show() })
    };
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run_delete(&transition, &cluster, &name, &faults).await });
    Ok(shown)
}

async fn run_delete(core: &Arc<Core>, cluster: &str, name: &str, faults: &TransitionFaults) {
    core.config
        .clock
        .sleep(core.config.timings.node_group_delete)
        .await;
    faults.wait().await;
    let all = match core.store().node_group(cluster, name) {
        Ok(group) => group.nodes.clone(),
        Err(_) => return,
    };
    let result = match &faults.fails {
        Some((_, message)) => Err(message.clone()),
        None => nodes::retire(core, cluster, name, &all).await,
    };
    let mut store = core.store();
    let Ok(found) = store.cluster_mut(cluster) else {
        return;
    };
    match result {
        Ok(()) => {
            if let Some(group) = found.node_groups.remove(name) {
                access::remove_role_entry(found, &group.node_role);
            }
            let scope = format!("{cluster}/{name}");
            store
                .tokens
                .retain(|(_, token_scope, _), _| *token_scope != scope);
        }
        Err(message) => {
            if let Some(group) = found.node_groups.get_mut(name) {
                group.status = NodeGroupStatus::DeleteFailed;
                group.issues.push(Issue {
                    code: faults
                        .fails
                        .as_ref()
                        .map_or("InternalFailure", |(code, _)| code)
                        .to_owned(),
                    message,
                    resource_ids: vec![name.to_owned()],
                });
            }
        }
    }
}
