//! EKS operations: from a routed request to its handler.

use std::sync::Arc;

use hyper::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::core::Core;
use crate::faults::Hits;
use crate::principals::Principal;
use crate::wire::{Answer, ApiError, Code, Request, query_pairs};
use crate::{
    access, addon_catalogue, addon_updates, addons, cluster_updates, clusters, fargate,
    identity_providers, insights, node_group_updates, node_groups, pod_identities, tags, versions,
};

/// A call to an operation.
pub(crate) struct Call<'a> {
    /// Decoded variables of the path, in order.
    pub path: Vec<String>,
    query: Vec<(String, String)>,
    body: &'a Bytes,
    pub principal: &'a Principal,
    pub hits: &'a Hits,
}

impl Call<'_> {
    /// A variable of the path; the router gives as many as the template has.
    pub(crate) fn part(&self, index: usize) -> &str {
        self.path.get(index).map_or("", String::as_str)
    }

    pub(crate) fn query(&self, name: &str) -> Option<&str> {
        crate::wire::find(&self.query, name)
    }

    pub(crate) fn query_all(&self, name: &str) -> Vec<&str> {
        self.query
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
            .collect()
    }

    /// The body, and the same as JSON without the token, for idempotency.
    pub(crate) fn body<T: DeserializeOwned>(&self) -> Result<(T, Value), ApiError> {
        let refuse = |error: serde_json::Error| {
            ApiError::new(
                Code::Serialization,
                format!("The request body could not be read: {error}"),
            )
        };
        let bytes: &[u8] = if self.body.is_empty() {
            b"{}"
        } else {
            self.body
        };
        let mut raw: Value = serde_json::from_slice(bytes).map_err(refuse)?;
        let typed = serde_json::from_value(raw.clone()).map_err(refuse)?;
        if let Some(map) = raw.as_object_mut() {
            map.remove("clientRequestToken");
        }
        Ok((typed, raw))
    }

    /// 409 by the `busy` fault: work that no listed update shows.
    pub(crate) fn refuse_if_busy(&self, cluster: &str, action: &str) -> Result<(), ApiError> {
        if self.hits.busy {
            return Err(ApiError::in_use(format!(
                "Cannot {action} because cluster {cluster} currently has an update in progress"
            ))
            .cluster(cluster));
        }
        Ok(())
    }
}

/// Answers an authenticated EKS request.
pub(crate) async fn answer(
    core: &Arc<Core>,
    request: &Request,
    routed: Option<(&'static str, Vec<String>)>,
    principal: &Principal,
    hits: &Hits,
) -> Answer {
    let Some((operation, path)) = routed else {
        return ApiError::new(
            Code::UnknownOperation,
            format!("EKS has no operation {} {}", request.method, request.path),
        )
        .answer();
    };
    let call = Call {
        path,
        query: query_pairs(&request.query),
        body: &request.body,
        principal,
        hits,
    };
    match run(core, operation, &call).await {
        Ok(body) => Answer::json(200, &body),
        Err(error) => error.answer(),
    }
}

async fn run(core: &Arc<Core>, operation: &str, call: &Call<'_>) -> Result<Value, ApiError> {
    match operation {
        "CreateCluster" => clusters::create(core, call).await,
        "DescribeCluster" => clusters::describe(core, call),
        "ListClusters" => clusters::list(core, call),
        "DeleteCluster" => clusters::delete(core, call),
        "UpdateClusterConfig" => cluster_updates::update_config(core, call).await,
        "UpdateClusterVersion" => cluster_updates::update_version(core, call),
        "DescribeUpdate" => cluster_updates::describe(core, call),
        "ListUpdates" => cluster_updates::list(core, call),
        "CreateNodegroup" => node_groups::create(core, call).await,
        "DescribeNodegroup" => node_groups::describe(core, call),
        "ListNodegroups" => node_groups::list(core, call),
        "DeleteNodegroup" => node_groups::delete(core, call),
        "UpdateNodegroupConfig" => node_group_updates::update_config(core, call),
        "UpdateNodegroupVersion" => node_group_updates::update_version(core, call).await,
        "CreateAccessEntry" => access::create(core, call).await,
        "DescribeAccessEntry" => access::describe(core, call),
        "ListAccessEntries" => access::list(core, call),
        "UpdateAccessEntry" => access::update(core, call),
        "DeleteAccessEntry" => access::delete(core, call),
        "AssociateAccessPolicy" => access::associate(core, call),
        "DisassociateAccessPolicy" => access::disassociate(core, call),
        "ListAssociatedAccessPolicies" => access::list_associated(core, call),
        "ListAccessPolicies" => access::list_policies(call),
        "CreateAddon" => addons::create(core, call).await,
        "DescribeAddon" => addons::describe(core, call).await,
        "ListAddons" => addons::list(core, call),
        "UpdateAddon" => addon_updates::update(core, call).await,
        "DeleteAddon" => addons::delete(core, call),
        "DescribeAddonVersions" => addon_catalogue::describe_versions(call),
        "DescribeAddonConfiguration" => addon_catalogue::describe_configuration(call),
        "AssociateIdentityProviderConfig" => identity_providers::associate(core, call),
        "DescribeIdentityProviderConfig" => identity_providers::describe(core, call),
        "ListIdentityProviderConfigs" => identity_providers::list(core, call),
        "DisassociateIdentityProviderConfig" => identity_providers::disassociate(core, call),
        "AssociateEncryptionConfig" => cluster_updates::associate_encryption(core, call).await,
        "ListInsights" => insights::list(core, call).await,
        "DescribeInsight" => insights::describe(core, call).await,
        "StartInsightsRefresh" => insights::start_refresh(core, call),
        "DescribeInsightsRefresh" => insights::describe_refresh(core, call),
        "CreateFargateProfile" => fargate::create(core, call).await,
        "DescribeFargateProfile" => fargate::describe(core, call),
        "ListFargateProfiles" => fargate::list(core, call),
        "DeleteFargateProfile" => fargate::delete(core, call),
        "CreatePodIdentityAssociation" => pod_identities::create(core, call).await,
        "DescribePodIdentityAssociation" => pod_identities::describe(core, call),
        "ListPodIdentityAssociations" => pod_identities::list(core, call),
        "UpdatePodIdentityAssociation" => pod_identities::update(core, call).await,
        "DeletePodIdentityAssociation" => pod_identities::delete(core, call),
        "DescribeClusterVersions" => versions::describe(core, call),
        "TagResource" => tags::tag(core, call),
        "UntagResource" => tags::untag(core, call),
        "ListTagsForResource" => tags::list(core, call),
        other => Err(not_simulated(other)),
    }
}

/// What the lab does not have. AccessDeniedException, because clients neither retry it nor take
/// it for a missing object.
fn not_simulated(operation: &str) -> ApiError {
    ApiError::new(
        Code::AccessDenied,
        format!("The operation {operation} exists in EKS but is not simulated by the lab."),
    )
}

/// The answer of operations without an output.
pub(crate) fn empty() -> Value {
    json!({})
}
