//! Auto Mode: the rules of computeConfig, storageConfig and elasticLoadBalancing.

use serde::Deserialize;
use serde_json::{Value, json};

use crate::access;
use crate::clusters::{Enabled, LoadBalancingRequest, NetworkRequest, one_of};
use crate::core::Core;
use crate::eks::Call;
use crate::roles;
use crate::store::{AutoMode, Cluster};
use crate::wire::{ApiError, Code};

/// `computeConfig` of a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct ComputeRequest {
    #[serde(default)]
    enabled: bool,
    node_pools: Option<Vec<String>>,
    node_role_arn: Option<String>,
}

/// `storageConfig` of a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct StorageRequest {
    block_storage: Option<Enabled>,
}

/// What a request says of Auto Mode.
pub(crate) struct Asked<'a> {
    pub compute: Option<&'a ComputeRequest>,
    pub storage: Option<&'a StorageRequest>,
    pub network: Option<&'a NetworkRequest>,
}

impl Asked<'_> {
    fn balancing(&self) -> Option<&LoadBalancingRequest> {
        self.network
            .and_then(|network| network.elastic_load_balancing.as_ref())
    }

    /// All on or all off. Source of the text: cluster-api-provider-aws issue 5278, which quotes it.
    fn enabled(&self) -> Result<bool, ApiError> {
        let flags = [
            self.compute.is_some_and(|compute| compute.enabled),
            self.storage
                .and_then(|storage| storage.block_storage)
                .is_some_and(|storage| storage.enabled),
            self.balancing().is_some_and(|balancing| balancing.enabled),
        ];
        if flags.iter().all(|flag| *flag == flags[0]) {
            return Ok(flags[0]);
        }
        Err(ApiError::parameter(
            "For EKS Auto Mode, please ensure that all required configs, including computeConfig, kubernetesNetworkConfig, and blockStorage are all either fully enabled or fully disabled.",
        ))
    }

    fn has_compute_members(&self) -> bool {
        self.compute.is_some_and(|compute| {
            compute.node_role_arn.is_some()
                || compute.node_pools.iter().any(|pools| !pools.is_empty())
        })
    }

    /// Auto Mode as asked for. Source: API reference, ComputeConfigRequest (node pools and their role
    /// together); EKS user guide, Auto Mode (policies, trust, authentication mode); texts not verified.
    async fn wanted(
        &self,
        core: &Core,
        call: &Call<'_>,
        role_arn: &str,
        authentication_mode: &str,
    ) -> Result<AutoMode, ApiError> {
        if authentication_mode == "CONFIG_MAP" {
            return Err(ApiError::parameter(
                "EKS Auto Mode needs the authentication mode API or API_AND_CONFIG_MAP.",
            ));
        }
        let node_pools = self
            .compute
            .and_then(|compute| compute.node_pools.clone())
            .unwrap_or_default();
        let node_role_arn = self
            .compute
            .and_then(|compute| compute.node_role_arn.clone());
        for pool in &node_pools {
            one_of("nodePools", pool, &["general-purpose", "system"])?;
        }
        if node_pools.is_empty() != node_role_arn.is_none() {
            return Err(ApiError::parameter(
                "computeConfig needs nodePools and nodeRoleArn together.",
            ));
        }
        roles::check_auto_mode_role(core, call.hits, role_arn).await?;
        if let Some(role) = &node_role_arn {
            roles::check_node_role(core, call.hits, role).await?;
        }
        Ok(AutoMode {
            enabled: true,
            node_pools,
            node_role_arn,
        })
    }
}

/// Auto Mode of a new cluster.
pub(crate) async fn of_new_cluster(
    core: &Core,
    call: &Call<'_>,
    asked: &Asked<'_>,
    role_arn: &str,
    authentication_mode: &str,
    self_managed_addons: bool,
) -> Result<Option<AutoMode>, ApiError> {
    if !asked.enabled()? {
        // Not verified: the text.
        if asked.has_compute_members() {
            return Err(ApiError::parameter(
                "computeConfig can have nodePools and nodeRoleArn only when it is enabled.",
            ));
        }
        return Ok(None);
    }
    // Source: terraform-provider-aws, aws_eks_cluster (compute_config); text not verified.
    if self_managed_addons {
        return Err(ApiError::parameter(
            "EKS Auto Mode needs bootstrapSelfManagedAddons to be false.",
        ));
    }
    asked
        .wanted(core, call, role_arn, authentication_mode)
        .await
        .map(Some)
}

/// The change an update asks for, with its parameters. Source of the texts: aws-controllers-k8s/community
/// issue 3046 (incomplete, not enabled); the others are not verified.
pub(crate) async fn plan(
    core: &Core,
    call: &Call<'_>,
    cluster: &Cluster,
    asked: &Asked<'_>,
    raw: &Value,
) -> Result<(Vec<(&'static str, String)>, AutoMode), ApiError> {
    if asked.compute.is_none() || asked.storage.is_none() || asked.balancing().is_none() {
        return Err(ApiError::parameter(
            "The type for cluster update was not provided.",
        ));
    }
    if asked
        .network
        .is_some_and(|network| network.service_ipv4_cidr.is_some() || network.ip_family.is_some())
    {
        return Err(ApiError::parameter(
            "serviceIpv4Cidr and ipFamily of a cluster cannot be changed.",
        ));
    }
    let before = cluster.auto_mode.clone().filter(|mode| mode.enabled);
    let next = match (asked.enabled()?, before) {
        (false, None) => {
            return Err(ApiError::new(
                Code::InvalidRequest,
                "Cannot modify EKS Auto Mode configuration. Auto Mode is not enabled on this cluster.",
            ));
        }
        (false, Some(before)) => AutoMode {
            enabled: false,
            node_pools: Vec::new(),
            node_role_arn: before.node_role_arn,
        },
        (true, before) => {
            let mut wanted = asked
                .wanted(core, call, &cluster.role_arn, &cluster.authentication_mode)
                .await?;
            if let Some(before) = before {
                // Source: API reference, ComputeConfigRequest (the role cannot be changed).
                let role = &before.node_role_arn;
                if role.is_some() && wanted.node_role_arn.is_some() && wanted.node_role_arn != *role
                {
                    return Err(ApiError::parameter(
                        "nodeRoleArn of computeConfig cannot be changed.",
                    ));
                }
                wanted.node_role_arn = wanted.node_role_arn.or_else(|| role.clone());
                if wanted == before {
                    return Err(ApiError::parameter(
                        "Cluster is already at the desired configuration with Auto Mode enabled: true",
                    ));
                }
            }
            wanted
        }
    };
    let params = [
        ("ComputeConfig", "computeConfig"),
        ("StorageConfig", "storageConfig"),
        ("KubernetesNetworkConfig", "kubernetesNetworkConfig"),
    ]
    .map(|(kind, member)| (kind, raw[member].to_string()));
    Ok((params.to_vec(), next))
}

/// Sets Auto Mode, with the access entry that EKS makes for the role of its nodes. Source: EKS user guide,
/// Auto Mode, create a node role.
pub(crate) fn apply(core: &Core, cluster: &mut Cluster, next: AutoMode) {
    let before = cluster.auto_mode.replace(next);
    let role = |mode: &Option<AutoMode>| {
        let mode = mode.as_ref().filter(|mode| mode.enabled)?;
        mode.node_role_arn.clone()
    };
    let now = role(&cluster.auto_mode);
    if let Some(role) = &now {
        access::add_role_entry(core, cluster, role, "EC2");
    }
    if let Some(old) = role(&before).filter(|old| now.as_ref() != Some(old)) {
        access::remove_role_entry(cluster, &old);
    }
}

/// What the lab has not.
pub(crate) fn gateway_api(asked: &Asked<'_>) -> (bool, &'static str) {
    let asked = asked.balancing().is_some_and(|balancing| {
        balancing.gateway_api.as_ref() != Some(&json!({})) && balancing.gateway_api.is_some()
    });
    (asked, "gatewayApi")
}
