//! CreateCluster, DescribeCluster, ListClusters, DeleteCluster.

use std::collections::BTreeSet;
use std::net::Ipv4Addr;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::auto_mode::{ComputeRequest, StorageRequest};
use crate::aws::Subnet;
use crate::backend::ControlPlaneSpec;
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::insights::Insights;
use crate::roles;
use crate::store::{Cluster, ClusterStatus, Issue, Store, Tags, VpcConfig, no_cluster};
use crate::wire::{ApiError, Code};
use crate::{access, auto_mode, pages, tags, versions};

/// Quota "Clusters per region". Source: EKS user guide, service quotas.
const MAX_CLUSTERS: usize = 100;
/// Zones where EKS puts no control plane. Source: EKS user guide, network requirements.
pub const UNSUPPORTED_ZONE_IDS: [&str; 3] = ["use1-az3", "usw1-az2", "cac1-az3"];

/// Members that EKS does not have are refused; those it has and the lab has not, too, by
/// [`refuse_not_simulated`]: nothing that is asked for is dropped. Source of the members: botocore
/// model, CreateClusterRequest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    name: Option<String>,
    version: Option<String>,
    role_arn: Option<String>,
    resources_vpc_config: Option<VpcRequest>,
    kubernetes_network_config: Option<NetworkRequest>,
    logging: Option<LoggingRequest>,
    client_request_token: Option<String>,
    #[serde(default)]
    tags: Tags,
    encryption_config: Option<Vec<EncryptionRequest>>,
    outpost_config: Option<Value>,
    access_config: Option<AccessConfigRequest>,
    /// Nothing is installed in either case: see RULES.md.
    bootstrap_self_managed_addons: Option<bool>,
    upgrade_policy: Option<UpgradePolicyRequest>,
    zonal_shift_config: Option<Enabled>,
    remote_network_config: Option<Value>,
    compute_config: Option<ComputeRequest>,
    storage_config: Option<StorageRequest>,
    deletion_protection: Option<bool>,
    control_plane_scaling_config: Option<ScalingRequest>,
    kube_api_server_config: Option<Value>,
    kube_scheduler_config: Option<Value>,
    kube_controller_manager_config: Option<Value>,
}

/// `resourcesVpcConfig` of a request.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct VpcRequest {
    pub subnet_ids: Option<Vec<String>>,
    pub security_group_ids: Option<Vec<String>>,
    pub endpoint_public_access: Option<bool>,
    pub endpoint_private_access: Option<bool>,
    pub public_access_cidrs: Option<Vec<String>>,
    pub control_plane_egress_mode: Option<Value>,
}

/// `kubernetesNetworkConfig` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NetworkRequest {
    pub service_ipv4_cidr: Option<String>,
    pub ip_family: Option<String>,
    pub elastic_load_balancing: Option<LoadBalancingRequest>,
}

/// `elasticLoadBalancing` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoadBalancingRequest {
    #[serde(default)]
    pub enabled: bool,
    pub gateway_api: Option<Value>,
}

/// `encryptionConfig` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct EncryptionRequest {
    #[serde(default)]
    resources: Vec<String>,
    provider: Option<EncryptionProvider>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct EncryptionProvider {
    key_arn: Option<String>,
}

/// `{enabled}`.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Enabled {
    #[serde(default)]
    pub enabled: bool,
}

/// `logging` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct LoggingRequest {
    #[serde(default)]
    pub cluster_logging: Vec<LogSetup>,
}

/// One setup of `logging`.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LogSetup {
    #[serde(default)]
    pub types: Vec<String>,
    #[serde(default)]
    pub enabled: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AccessConfigRequest {
    bootstrap_cluster_creator_admin_permissions: Option<bool>,
    authentication_mode: Option<String>,
}

/// `upgradePolicy` of a request.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct UpgradePolicyRequest {
    pub support_type: Option<String>,
}

/// `controlPlaneScalingConfig` of a request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ScalingRequest {
    pub tier: Option<String>,
}

/// The log types after applying the setups. Source: botocore model, LogType.
pub(crate) fn apply_logging(
    current: &[String],
    request: &LoggingRequest,
) -> Result<Vec<String>, ApiError> {
    const TYPES: [&str; 5] = [
        "api",
        "audit",
        "authenticator",
        "controllerManager",
        "scheduler",
    ];
    let mut on: BTreeSet<String> = current.iter().cloned().collect();
    for setup in &request.cluster_logging {
        for kind in &setup.types {
            if !TYPES.contains(&kind.as_str()) {
                return Err(ApiError::parameter(format!(
                    "The log type {kind} is not valid; valid types are {TYPES:?}"
                )));
            }
            if setup.enabled {
                on.insert(kind.clone());
            } else {
                on.remove(kind);
            }
        }
    }
    Ok(on.into_iter().collect())
}

/// Checks one of the words an enumeration of the model allows.
pub(crate) fn one_of(what: &str, value: &str, allowed: &[&str]) -> Result<(), ApiError> {
    if allowed.contains(&value) {
        return Ok(());
    }
    Err(ApiError::parameter(format!(
        "{what} {value} is not valid; valid values are {allowed:?}"
    )))
}

/// Source: botocore model, ClusterName (1 to 100, pattern).
fn check_name(name: &str) -> Result<(), ApiError> {
    let mut characters = name.chars();
    let good = (1..=100).contains(&name.len())
        && characters
            .next()
            .is_some_and(|first| first.is_ascii_alphanumeric())
        && characters.all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
    if good {
        return Ok(());
    }
    Err(ApiError::parameter(format!(
        "The cluster name {name:?} is not valid: it must match ^[0-9A-Za-z][A-Za-z0-9\\-_]* and have 1 to 100 characters."
    ))
    .cluster(name))
}

/// Checks subnets and security groups against EC2; the result is the subnets.
pub(crate) async fn check_network(
    core: &Core,
    cluster: &str,
    subnet_ids: &[String],
    security_group_ids: &[String],
) -> Result<Vec<Subnet>, ApiError> {
    // Source: botocore model (required) and EKS user guide, network requirements.
    if subnet_ids.is_empty() {
        return Err(ApiError::parameter(
            "Subnets specified must be in at least two different AZs",
        ));
    }
    let subnets = core
        .aws
        .subnets(subnet_ids)
        .await
        .map_err(|error| ec2_refusal(&error).cluster(cluster))?;
    let vpc_id = subnets.first().map_or("", |subnet| &subnet.vpc_id);
    // Source: API reference, VpcConfigRequest.
    if subnets.iter().any(|subnet| subnet.vpc_id != vpc_id) {
        return Err(
            ApiError::parameter("Subnets specified must belong to the same VPC").cluster(cluster),
        );
    }
    // Source: EKS user guide, troubleshooting ("insufficient capacity"); valid zones are named in
    // the message and in validZones.
    if let Some(bad) = subnets
        .iter()
        .find(|subnet| UNSUPPORTED_ZONE_IDS.contains(&subnet.zone_id.as_str()))
    {
        let zones = core
            .aws
            .zones()
            .await
            .map_err(|error| ec2_refusal(&error))?;
        let valid: Vec<String> = zones
            .into_iter()
            .filter(|(_, id)| !UNSUPPORTED_ZONE_IDS.contains(&id.as_str()))
            .map(|(name, _)| name)
            .collect();
        let mut error = ApiError::new(
            Code::UnsupportedAvailabilityZone,
            format!(
                "Cannot create cluster '{cluster}' because {}, the targeted availability zone, does not currently have sufficient capacity to support the cluster. Retry and choose from these availability zones: {}",
                bad.zone,
                valid.join(", ")
            ),
        )
        .cluster(cluster);
        error.valid_zones = valid;
        return Err(error);
    }
    let zones: BTreeSet<&str> = subnets.iter().map(|subnet| subnet.zone.as_str()).collect();
    // Source: EKS user guide, network requirements; text as terraform-aws-eks issues quote it.
    if zones.len() < 2 {
        return Err(
            ApiError::parameter("Subnets specified must be in at least two different AZs")
                .cluster(cluster),
        );
    }
    // Source: botocore model and service quotas (model 5).
    if security_group_ids.len() > 5 {
        return Err(
            ApiError::parameter("No more than 5 security groups can be specified.")
                .cluster(cluster),
        );
    }
    if !security_group_ids.is_empty() {
        let vpcs = core
            .aws
            .security_group_vpcs(security_group_ids)
            .await
            .map_err(|error| ec2_refusal(&error).cluster(cluster))?;
        if vpcs.iter().any(|other| other != vpc_id) {
            return Err(ApiError::parameter(format!(
                "Security group(s) {security_group_ids:?} are not in the same VPC as the subnets."
            ))
            .cluster(cluster));
        }
    }
    Ok(subnets)
}

/// EC2's refusal as EKS passes it on. Source: terraform-aws-eks issues quoting the text.
pub(crate) fn ec2_refusal(error: &crate::aws::CallError) -> ApiError {
    if error.code.contains("NotFound") || error.code.contains("Malformed") {
        ApiError::parameter(format!(
            "{} (Service: AmazonEC2; Status Code: 400; Error Code: {})",
            error.message, error.code
        ))
    } else {
        ApiError::new(
            Code::Server,
            format!("EC2 could not be asked: {} {}", error.code, error.message),
        )
    }
}

/// Checks public and private access and CIDRs. Source: API reference, VpcConfigRequest; quota
/// of 40 CIDRs.
pub(crate) fn check_endpoint_access(
    public: bool,
    private: bool,
    cidrs: &[String],
) -> Result<(), ApiError> {
    if !public && !private {
        return Err(ApiError::parameter(
            "Private and public endpoint access cannot be false.",
        ));
    }
    if cidrs.len() > 40 {
        return Err(ApiError::parameter(
            "No more than 40 public access CIDRs can be specified.",
        ));
    }
    for cidr in cidrs {
        let good = cidr.split_once('/').is_some_and(|(address, prefix)| {
            address.parse::<Ipv4Addr>().is_ok() && prefix.parse::<u8>().is_ok_and(|bits| bits <= 32)
        });
        if !good {
            return Err(ApiError::parameter(format!(
                "The following CIDRs are invalid in publicAccessCidrs: [{cidr}]"
            )));
        }
    }
    Ok(())
}

fn asked_auto_mode(request: &CreateRequest) -> auto_mode::Asked<'_> {
    auto_mode::Asked {
        compute: request.compute_config.as_ref(),
        storage: request.storage_config.as_ref(),
        network: request.kubernetes_network_config.as_ref(),
    }
}

/// What the lab does not simulate but a request may ask for.
fn refuse_not_simulated(request: &CreateRequest) -> Result<(), ApiError> {
    let network = request.kubernetes_network_config.as_ref();
    refuse_asked(&[
        (request.outpost_config.is_some(), "outpostConfig"),
        (
            request.remote_network_config.is_some(),
            "remoteNetworkConfig",
        ),
        auto_mode::gateway_api(&asked_auto_mode(request)),
        (
            network.and_then(|config| config.ip_family.as_deref()) == Some("ipv6"),
            "ipFamily ipv6",
        ),
        (
            request
                .resources_vpc_config
                .as_ref()
                .is_some_and(|vpc| vpc.control_plane_egress_mode.is_some()),
            "controlPlaneEgressMode",
        ),
        (
            request.kube_api_server_config.is_some()
                || request.kube_scheduler_config.is_some()
                || request.kube_controller_manager_config.is_some(),
            COMPONENT_CONFIG,
        ),
    ])
}

/// What the members of a component's configuration are called in refusals.
pub(crate) const COMPONENT_CONFIG: &str = "configuration of control plane components (kubeApiServerConfig, kubeSchedulerConfig, kubeControllerManagerConfig)";

/// Refuses the first that was asked for.
pub(crate) fn refuse_asked(asked: &[(bool, &str)]) -> Result<(), ApiError> {
    match asked.iter().find(|(yes, _)| *yes) {
        Some((_, what)) => Err(ApiError::parameter(format!(
            "{what} exists in EKS but is not simulated by the lab."
        ))),
        None => Ok(()),
    }
}

/// One secrets key at most. Source: botocore model, EncryptionConfigList; API reference,
/// EncryptionConfig ("secrets" is the only supported resource; the key is symmetric and of the
/// cluster's region). A key of another account is not asked for. Texts not verified.
pub(crate) async fn check_encryption(
    core: &Core,
    configs: &[EncryptionRequest],
) -> Result<(), ApiError> {
    let [config] = configs else {
        return if configs.is_empty() {
            Ok(())
        } else {
            Err(ApiError::parameter(
                "encryptionConfig can have at most one member.",
            ))
        };
    };
    if config.resources != ["secrets"] {
        return Err(ApiError::parameter(format!(
            "encryptionConfig resources {:?} are not valid; the only supported value is \"secrets\"",
            config.resources
        )));
    }
    let key = config
        .provider
        .as_ref()
        .and_then(|provider| provider.key_arn.as_deref());
    let Some(arn) = key.filter(|arn| arn.starts_with("arn:aws:kms:")) else {
        return Err(ApiError::parameter(
            "encryptionConfig needs provider.keyArn, the ARN of a KMS key.",
        ));
    };
    let refuse = |why: &str| Err(ApiError::parameter(format!("The KMS key {arn} {why}")));
    let parts: Vec<&str> = arn.split(':').collect();
    if parts.get(3) != Some(&core.config.region.as_str()) {
        return refuse("must be in the region of the cluster");
    }
    if parts.get(4) != Some(&core.config.account_id.as_str()) {
        return Ok(());
    }
    let metadata = core.aws.kms_key(arn).await.map_err(|error| {
        ApiError::new(
            Code::Server,
            format!("KMS could not be asked: {} {}", error.code, error.message),
        )
    })?;
    match metadata {
        None => refuse("does not exist"),
        Some(key) if key["KeySpec"] != "SYMMETRIC_DEFAULT" => refuse("must be symmetric"),
        Some(key) if key["KeyState"] != "Enabled" => refuse("is not enabled"),
        Some(_) => Ok(()),
    }
}

/// The log group of the control plane. Source: EKS user guide, control plane logs.
pub(crate) fn log_group(cluster: &str) -> String {
    format!("/aws/eks/{cluster}/cluster")
}

/// An IPv4 block as its first and last address; `None` if it is not one.
fn range(cidr: &str) -> Option<(u32, u32, u8)> {
    let (address, prefix) = cidr.split_once('/')?;
    let prefix = prefix.parse::<u8>().ok().filter(|prefix| *prefix <= 32)?;
    let size = 1_u64.checked_shl(32 - u32::from(prefix))?;
    let first = u64::from(u32::from(address.parse::<Ipv4Addr>().ok()?)) / size * size;
    Some((
        u32::try_from(first).ok()?,
        u32::try_from(first + size - 1).ok()?,
        prefix,
    ))
}

/// In a private block, /24 to /12, outside the VPC. Source: API reference,
/// KubernetesNetworkConfigRequest; texts not verified.
fn check_service_cidr(cidr: &str, vpc: &[String]) -> Result<(), ApiError> {
    const PRIVATE: [&str; 3] = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"];
    let refuse = |why: &str| {
        Err(ApiError::parameter(format!(
            "serviceIpv4Cidr {cidr} is not valid: it must {why}"
        )))
    };
    let Some((first, last, prefix)) = range(cidr) else {
        return refuse("be an IPv4 CIDR block");
    };
    if !(12..=24).contains(&prefix) {
        return refuse("be between /24 and /12");
    }
    let blocks = |cidrs: &[&str]| -> Vec<(u32, u32, u8)> {
        cidrs.iter().filter_map(|cidr| range(cidr)).collect()
    };
    let inside = blocks(&PRIVATE)
        .iter()
        .any(|(start, end, _)| first >= *start && last <= *end);
    if !inside {
        return refuse("be within 10.0.0.0/8, 172.16.0.0/12 or 192.168.0.0/16");
    }
    let vpc: Vec<&str> = vpc.iter().map(String::as_str).collect();
    if blocks(&vpc)
        .iter()
        .any(|(start, end, _)| first <= *end && last >= *start)
    {
        return refuse("not overlap with a CIDR block of the VPC");
    }
    Ok(())
}

/// Source: API reference, CreateCluster.
pub(crate) async fn create(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (request, raw) = call.body::<CreateRequest>()?;
    let name = request.name.clone().unwrap_or_default();
    let token = request.client_request_token.clone();
    let created = create_once(core, call, request, raw.clone()).await;
    // A call with the same token may have been accepted while this one asked IAM and EC2.
    or_replay(created, || replayed(core, &name, token.as_deref(), &raw))
}

/// The result of an earlier call with the same token in the place of a refusal that is only that
/// call's consequence.
pub(crate) fn or_replay(
    result: Result<Value, ApiError>,
    replay: impl FnOnce() -> Result<Option<Value>, ApiError>,
) -> Result<Value, ApiError> {
    result.or_else(|error| replay()?.ok_or(error))
}

async fn create_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    request: CreateRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    let name = request
        .name
        .clone()
        .ok_or_else(|| ApiError::parameter("name is required"))?;
    check_name(&name)?;
    let role_arn = request
        .role_arn
        .clone()
        .ok_or_else(|| ApiError::parameter("roleArn is required"))?;
    let vpc = request
        .resources_vpc_config
        .as_ref()
        .ok_or_else(|| ApiError::parameter("resourcesVpcConfig is required"))?;
    let token = request.client_request_token.as_deref();
    if let Some(shown) = replayed(core, &name, token, &raw)? {
        return Ok(shown);
    }
    refuse_not_simulated(&request)?;
    let version = request
        .version
        .clone()
        .unwrap_or_else(|| core.default_version.clone());
    // Source of the text: rancher/rancher issue 27777, which quotes it.
    if !versions::available(core, &version) {
        return Err(ApiError::parameter("unsupported Kubernetes version").cluster(&name));
    }
    let public = vpc.endpoint_public_access.unwrap_or(true);
    let private = vpc.endpoint_private_access.unwrap_or(false);
    let cidrs = vpc
        .public_access_cidrs
        .clone()
        .filter(|cidrs| !cidrs.is_empty())
        .unwrap_or_else(|| vec!["0.0.0.0/0".to_owned()]);
    check_endpoint_access(public, private, &cidrs)?;
    tags::check(&request.tags).map_err(ApiError::parameter)?;
    check_encryption(
        core,
        request.encryption_config.as_deref().unwrap_or_default(),
    )
    .await
    .map_err(|error| error.cluster(&name))?;
    if let Some(family) = request
        .kubernetes_network_config
        .as_ref()
        .and_then(|network| network.ip_family.as_deref())
    {
        one_of("ipFamily", family, &["ipv4", "ipv6"])?;
    }
    let access_config = request.access_config.as_ref();
    // Source: API reference, CreateAccessConfigRequest (default CONFIG_MAP).
    let authentication_mode = access_config
        .and_then(|config| config.authentication_mode.clone())
        .unwrap_or_else(|| "CONFIG_MAP".to_owned());
    one_of(
        "authenticationMode",
        &authentication_mode,
        &["CONFIG_MAP", "API_AND_CONFIG_MAP", "API"],
    )?;
    let support_type = request
        .upgrade_policy
        .as_ref()
        .and_then(|policy| policy.support_type.clone())
        .unwrap_or_else(|| "EXTENDED".to_owned());
    one_of("supportType", &support_type, &["STANDARD", "EXTENDED"])?;
    let tier = request
        .control_plane_scaling_config
        .as_ref()
        .and_then(|config| config.tier.clone())
        .unwrap_or_else(|| "standard".to_owned());
    one_of("tier", &tier, &TIERS)?;
    let log_types = match &request.logging {
        Some(logging) => apply_logging(&[], logging)?,
        None => Vec::new(),
    };
    let subnet_ids = vpc.subnet_ids.clone().unwrap_or_default();
    let security_group_ids = vpc.security_group_ids.clone().unwrap_or_default();
    if core.store().clusters.contains_key(&name) {
        return Err(name_taken(&name));
    }
    roles::check_cluster_role(core, call.hits, &role_arn)
        .await
        .map_err(|error| error.cluster(&name))?;
    let auto_mode = auto_mode::of_new_cluster(
        core,
        call,
        &asked_auto_mode(&request),
        &role_arn,
        &authentication_mode,
        request.bootstrap_self_managed_addons.unwrap_or(true),
    )
    .await
    .map_err(|error| error.cluster(&name))?;
    let subnets = check_network(core, &name, &subnet_ids, &security_group_ids).await?;
    let vpc_id = subnets
        .first()
        .map(|subnet| subnet.vpc_id.clone())
        .unwrap_or_default();
    let network = request.kubernetes_network_config.as_ref();
    let service_ipv4_cidr = match network.and_then(|network| network.service_ipv4_cidr.clone()) {
        Some(cidr) => {
            let vpc_cidrs = core
                .aws
                .vpc_cidrs(&vpc_id)
                .await
                .map_err(|error| ec2_refusal(&error).cluster(&name))?;
            check_service_cidr(&cidr, &vpc_cidrs).map_err(|error| error.cluster(&name))?;
            cidr
        }
        None => service_cidr_outside(&subnets),
    };
    let zones: BTreeSet<String> = subnets.iter().map(|subnet| subnet.zone.clone()).collect();
    let bootstrap = access_config
        .and_then(|config| config.bootstrap_cluster_creator_admin_permissions)
        .unwrap_or(true);
    let issuer_id = uuid::Uuid::new_v4().simple().to_string().to_uppercase();
    let mut cluster = Cluster {
        arn: core.arn(&format!("cluster/{name}")),
        created_at: core.now(),
        version: version.clone(),
        upgraded_from: None,
        endpoint: None,
        certificate_authority: None,
        role_arn,
        vpc: VpcConfig {
            subnet_ids,
            security_group_ids,
            cluster_security_group_id: None,
            vpc_id,
            public_access: public,
            private_access: private,
            public_access_cidrs: cidrs,
        },
        interfaces: Vec::new(),
        zones: zones.into_iter().collect(),
        service_ipv4_cidr,
        log_types,
        issuer: format!(
            "https://oidc.eks.{}.amazonaws.com/id/{issuer_id}",
            core.config.region
        ),
        status: ClusterStatus::Creating,
        client_request_token: request.client_request_token.clone(),
        tags: request.tags,
        encryption_config: raw.get("encryptionConfig").cloned().unwrap_or(Value::Null),
        bootstrap_creator_admin: bootstrap,
        authentication_mode,
        support_type,
        auto_mode: None,
        zonal_shift: request.zonal_shift_config.unwrap_or_default().enabled,
        deletion_protection: request.deletion_protection.unwrap_or(false),
        tier,
        issues: Vec::new(),
        creator: call.principal.clone(),
        updates: Vec::new(),
        node_groups: std::collections::BTreeMap::new(),
        access_entries: std::collections::BTreeMap::new(),
        addons: std::collections::BTreeMap::new(),
        fargate_profiles: std::collections::BTreeMap::new(),
        identity_providers: std::collections::BTreeMap::new(),
        insights: Insights::default(),
        pod_identities: std::collections::BTreeMap::new(),
        used_addresses: BTreeSet::new(),
        name: name.clone(),
    };
    if bootstrap && cluster.uses_entries() {
        access::add_creator(core, &mut cluster);
    }
    if let Some(mode) = auto_mode {
        auto_mode::apply(core, &mut cluster, mode);
    }
    let shown = cluster.show(versions::platform(&version));
    {
        let mut store = core.store();
        if store.clusters.contains_key(&name) {
            return Err(name_taken(&name));
        }
        if store.clusters.len() >= MAX_CLUSTERS {
            return Err(ApiError::new(
                Code::ResourceLimitExceeded,
                format!("Cluster limit exceeded: {MAX_CLUSTERS} clusters per region"),
            )
            .cluster(&name));
        }
        store.clusters.insert(name.clone(), cluster);
        store.accept("CreateCluster", &name, token, raw, &name);
    }
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run_create(&transition, &name, &faults).await });
    Ok(json!({ "cluster": shown }))
}

/// The tiers. Source: botocore model, ProvisionedControlPlaneTier.
pub(crate) const TIERS: [&str; 5] = ["standard", "tier-xl", "tier-2xl", "tier-4xl", "tier-8xl"];

fn replayed(
    core: &Core,
    name: &str,
    token: Option<&str>,
    raw: &Value,
) -> Result<Option<Value>, ApiError> {
    let store = core.store();
    match store.replay("CreateCluster", name, token, raw)? {
        Some(_) => Ok(Some(show(&store, name)?)),
        None => Ok(None),
    }
}

fn name_taken(name: &str) -> ApiError {
    ApiError::in_use(format!("Cluster already exists with name: {name}")).cluster(name)
}

/// EKS takes 172.20.0.0/16 inside a VPC of 10.0.0.0/8, else 10.100.0.0/16. Source: API
/// reference, KubernetesNetworkConfigRequest ("either ... whichever does not overlap").
fn service_cidr_outside(subnets: &[Subnet]) -> String {
    if subnets.iter().any(|subnet| subnet.base.octets()[0] == 10) {
        "172.20.0.0/16".to_owned()
    } else {
        "10.100.0.0/16".to_owned()
    }
}

async fn run_create(core: &Core, name: &str, faults: &TransitionFaults) {
    core.config
        .clock
        .sleep(core.config.timings.cluster_create)
        .await;
    faults.wait().await;
    let result = match &faults.fails {
        Some((code, message)) => Err((code.clone(), message.clone())),
        None => start_control_plane(core, name)
            .await
            .map_err(|message| ("InternalFailure".to_owned(), message)),
    };
    let mut store = core.store();
    let Ok(cluster) = store.cluster_mut(name) else {
        return;
    };
    match result {
        Ok(()) => cluster.status = ClusterStatus::Active,
        Err((code, message)) => {
            cluster.status = ClusterStatus::Failed;
            cluster.issues.push(Issue {
                code,
                message,
                resource_ids: Vec::new(),
            });
        }
    }
}

async fn start_control_plane(core: &Core, name: &str) -> Result<(), String> {
    let lock = core.control_plane(name);
    let _held = lock.lock().await;
    let logs;
    let (spec, vpc_id) = {
        let store = core.store();
        let cluster = store.cluster(name).map_err(|error| error.message)?;
        logs = !cluster.log_types.is_empty();
        let spec = ControlPlaneSpec {
            cluster_name: name.to_owned(),
            version: cluster.version.clone(),
            authentication_webhook_url: format!(
                "{}/_lab/clusters/{name}/authenticate",
                core.endpoint
            ),
            authorization_webhook_url: format!("{}/_lab/clusters/{name}/authorize", core.endpoint),
            issuer_url: cluster.issuer.clone(),
            service_ipv4_cidr: cluster.service_ipv4_cidr.clone(),
        };
        (spec, cluster.vpc.vpc_id.clone())
    };
    let suffix = uuid::Uuid::new_v4().as_u128() % 1_000_000_000;
    let group = core
        .aws
        .create_cluster_security_group(name, &suffix.to_string(), &vpc_id)
        .await
        .map_err(|error| format!("{}: {}", error.code, error.message))?;
    let (subnets, groups) = match core.store().cluster_mut(name) {
        Ok(cluster) => {
            let mut groups = vec![group.clone()];
            groups.extend(cluster.vpc.security_group_ids.clone());
            cluster.vpc.cluster_security_group_id = Some(group);
            // Source: EKS user guide, network requirements: 2 to 4 interfaces in the subnets given.
            let subnets = cluster.vpc.subnet_ids.iter().take(2).cloned();
            (subnets.collect::<Vec<_>>(), groups)
        }
        Err(error) => return Err(error.message),
    };
    for subnet in &subnets {
        let interface = core
            .aws
            .create_cluster_interface(name, subnet, &groups)
            .await
            .map_err(|error| format!("{}: {}", error.code, error.message))?;
        if let Ok(cluster) = core.store().cluster_mut(name) {
            cluster.interfaces.push(interface);
        }
    }
    if logs {
        core.aws
            .ensure_log_group(&log_group(name))
            .await
            .map_err(|error| format!("{}: {}", error.code, error.message))?;
    }
    let plane = core
        .config
        .backend
        .create_control_plane(spec)
        .await
        .map_err(|error| with_causes(&error))?;
    if let Ok(cluster) = core.store().cluster_mut(name) {
        cluster.endpoint = Some(plane.endpoint);
        cluster.certificate_authority = Some(STANDARD.encode(plane.certificate_authority_pem));
    }
    Ok(())
}

/// An error and its causes in one line.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}

fn show(store: &Store, name: &str) -> Result<Value, ApiError> {
    let cluster = store.cluster(name)?;
    Ok(json!({ "cluster": cluster.show(versions::platform(&cluster.version)) }))
}

/// Source: API reference, DescribeCluster.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let store = core.store();
    let cluster = store.cluster(name)?;
    if call.hits.stale_read {
        if cluster.status == ClusterStatus::Creating {
            return Err(no_cluster(name));
        }
        let mut before = cluster.clone();
        before.status = ClusterStatus::Active;
        return Ok(json!({ "cluster": before.show(versions::platform(&before.version)) }));
    }
    show(&store, name)
}

/// Source: API reference, ListClusters.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let mut names: Vec<String> = core.store().clusters.keys().cloned().collect();
    let next = pages::cut(&mut names, call, Code::InvalidParameter, String::clone)?;
    Ok(json!({ "clusters": names, "nextToken": next }))
}

/// Source: API reference, DeleteCluster (node groups go first); EKS user guide, delete a cluster
/// (deletion protection).
pub(crate) fn delete(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0).to_owned();
    let shown = {
        let mut store = core.store();
        let cluster = store.cluster_mut(&name)?;
        if cluster.deletion_protection {
            return Err(ApiError::new(
                Code::InvalidRequest,
                format!(
                    "Cluster {name} has deletion protection enabled. Disable it before deleting the cluster."
                ),
            )
            .cluster(&name));
        }
        if !cluster.node_groups.is_empty() {
            return Err(ApiError::in_use("Cluster has nodegroups attached").cluster(&name));
        }
        // Source: API reference, DeleteCluster; the text is not verified.
        if !cluster.fargate_profiles.is_empty() {
            return Err(ApiError::in_use("Cluster has Fargate profiles attached").cluster(&name));
        }
        match cluster.status {
            ClusterStatus::Active | ClusterStatus::Failed => {}
            // Not verified: the text for a cluster that is being created or deleted.
            ClusterStatus::Creating | ClusterStatus::Deleting => {
                return Err(ApiError::in_use(format!(
                    "Cluster {name} cannot be deleted while it is in status {}",
                    cluster.status.name()
                ))
                .cluster(&name));
            }
            ClusterStatus::Updating => {
                let id = cluster
                    .running_update()
                    .map(|update| update.id.clone())
                    .unwrap_or_default();
                return Err(ApiError::in_use(format!(
                    "Cannot delete because cluster {name} currently has update {id} in progress"
                ))
                .cluster(&name));
            }
        }
        call.refuse_if_busy(&name, "delete")?;
        cluster.status = ClusterStatus::Deleting;
        show(&store, &name)?
    };
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run_delete(&transition, &name, &faults).await });
    Ok(shown)
}

async fn run_delete(core: &Core, name: &str, faults: &TransitionFaults) {
    core.config
        .clock
        .sleep(core.config.timings.cluster_delete)
        .await;
    faults.wait().await;
    let lock = core.control_plane(name);
    let _held = lock.lock().await;
    let failure = match &faults.fails {
        Some(failure) => Some(failure.clone()),
        None => match core.config.backend.delete_control_plane(name).await {
            Ok(()) | Err(crate::backend::BackendError::UnknownCluster(_)) => None,
            Err(error) => Some(("InternalFailure".to_owned(), with_causes(&error))),
        },
    };
    if let Some((code, message)) = failure {
        if let Ok(cluster) = core.store().cluster_mut(name) {
            cluster.status = ClusterStatus::Failed;
            cluster.issues.push(Issue {
                code,
                message,
                resource_ids: Vec::new(),
            });
        }
        return;
    }
    let (interfaces, group) = match core.store().cluster(name) {
        Ok(cluster) => (
            cluster.interfaces.clone(),
            cluster.vpc.cluster_security_group_id.clone(),
        ),
        Err(_) => return,
    };
    for interface in interfaces {
        if let Err(error) = core.aws.delete_interface(&interface).await {
            tracing::warn!(
                cluster = name,
                interface,
                code = error.code,
                "the control plane's network interface stays"
            );
        }
    }
    if let Some(group) = group
        && let Err(error) = core.aws.delete_security_group(&group).await
    {
        tracing::warn!(
            cluster = name,
            group,
            code = error.code,
            "the cluster security group stays, as on AWS when something still uses it"
        );
    }
    {
        let mut store = core.store();
        store.clusters.remove(name);
        store.forget_tokens(name);
    }
    // Source: terraform-aws-eks issues 2446 and 2763: what is written late makes the group again.
    if let Some(delay) = faults.late_logs {
        core.config.clock.sleep(delay).await;
        if let Err(error) = core.aws.ensure_log_group(&log_group(name)).await {
            tracing::warn!(
                cluster = name,
                code = error.code,
                "the late write of logs failed"
            );
        }
    }
}
