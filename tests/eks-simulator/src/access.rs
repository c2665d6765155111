//! Access entries and the access policies on them.

use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clusters::one_of;
use crate::core::Core;
use crate::eks::{Call, empty};
use crate::policies::{ACCESS_POLICIES, policy_arn};
use crate::store::{AccessEntry, Association, Cluster, ClusterStatus, Tags};
use crate::wire::{ApiError, Code};
use crate::{pages, roles, tags};

/// Quota. Source: EKS user guide, service quotas.
const MAX_ENTRIES: usize = 3000;
/// Source: EKS user guide, access entries.
const TYPES: [&str; 7] = [
    "STANDARD",
    "EC2_LINUX",
    "EC2_WINDOWS",
    "FARGATE_LINUX",
    "EC2",
    "HYBRID_LINUX",
    "HYPERPOD_LINUX",
];

/// The default username of a principal. Source: EKS user guide, create access entries.
fn default_username(kind: &str, principal_arn: &str) -> String {
    if kind == "FARGATE_LINUX" {
        return "system:node:{{SessionName}}".to_owned();
    }
    if kind != "STANDARD" {
        return "system:node:{{EC2PrivateDNSName}}".to_owned();
    }
    match principal_arn.split_once(":role/") {
        Some((prefix, path)) => {
            let account = prefix.rsplit(':').next().unwrap_or_default();
            let name = path.rsplit('/').next().unwrap_or(path);
            format!("arn:aws:sts::{account}:assumed-role/{name}/{{{{SessionName}}}}")
        }
        None => principal_arn.to_owned(),
    }
}

fn entry_arn(core: &Core, cluster: &str, principal_arn: &str) -> String {
    let (kind, name) = principal_arn
        .rsplit(':')
        .next()
        .and_then(|resource| resource.split_once('/'))
        .map_or(("user", "root"), |(kind, path)| {
            (kind, path.rsplit('/').next().unwrap_or(path))
        });
    let account = principal_arn.split(':').nth(4).unwrap_or_default();
    core.arn(&format!(
        "access-entry/{cluster}/{kind}/{account}/{name}/{}",
        uuid::Uuid::new_v4()
    ))
}

fn new_entry(core: &Core, cluster: &Cluster, principal_arn: &str, kind: &str) -> AccessEntry {
    let now = core.now();
    AccessEntry {
        cluster: cluster.name.clone(),
        principal_arn: principal_arn.to_owned(),
        principal_id: None,
        groups: Vec::new(),
        arn: entry_arn(core, &cluster.name, principal_arn),
        created_at: now,
        modified_at: now,
        tags: Tags::new(),
        username: default_username(kind, principal_arn),
        kind: kind.to_owned(),
        associations: Vec::new(),
        managed: false,
    }
}

/// The entry of the creator with cluster admin. Source: API reference, CreateAccessConfigRequest.
pub(crate) fn add_creator(core: &Core, cluster: &mut Cluster) {
    let arn = cluster.creator.entry_arn();
    let mut entry = new_entry(core, cluster, &arn, "STANDARD");
    entry.principal_id = Some(cluster.creator.unique_id().to_owned());
    entry.associations.push(Association {
        policy_arn: policy_arn("AmazonEKSClusterAdminPolicy"),
        namespaces: Vec::new(),
        associated_at: core.now(),
        modified_at: core.now(),
    });
    cluster.access_entries.insert(arn, entry);
}

/// EKS itself makes the entry of a node role and of a pod execution role. Source: EKS user guide,
/// access entries.
pub(crate) fn add_role_entry(core: &Core, cluster: &mut Cluster, role_arn: &str, kind: &str) {
    if cluster.access_entries.contains_key(role_arn) {
        return;
    }
    let mut entry = new_entry(core, cluster, role_arn, kind);
    if kind == "EC2_LINUX" {
        entry.groups = vec!["system:nodes".to_owned()];
    }
    entry.managed = true;
    cluster.access_entries.insert(role_arn.to_owned(), entry);
}

/// The entries EKS makes when the cluster begins to use entries: of the creator, who keeps his
/// rights, and of all node and pod execution roles. Second-hand for the creator: terraform-aws-eks,
/// `docs/UPGRADE-20.0.md`, tells of the default administrator entry of existing clusters.
pub(crate) fn add_default_entries(core: &Core, cluster: &mut Cluster) {
    if cluster.bootstrap_creator_admin {
        add_creator(core, cluster);
    }
    let nodes = cluster.node_groups.values();
    let profiles = cluster.fargate_profiles.values();
    let roles: Vec<(String, &str)> = nodes
        .map(|group| (group.node_role.clone(), "EC2_LINUX"))
        .chain(profiles.map(|profile| (profile.pod_execution_role.clone(), "FARGATE_LINUX")))
        .collect();
    for (role, kind) in roles {
        add_role_entry(core, cluster, &role, kind);
    }
}

/// Takes back the entry EKS made once no node group or Fargate profile has the role. Not verified.
pub(crate) fn remove_role_entry(cluster: &mut Cluster, role_arn: &str) {
    let used = cluster
        .node_groups
        .values()
        .any(|group| group.node_role == role_arn)
        || cluster
            .fargate_profiles
            .values()
            .any(|profile| profile.pod_execution_role == role_arn)
        || cluster
            .auto_mode
            .as_ref()
            .is_some_and(|mode| mode.enabled && mode.node_role_arn.as_deref() == Some(role_arn));
    if !used
        && cluster
            .access_entries
            .get(role_arn)
            .is_some_and(|entry| entry.managed)
    {
        cluster.access_entries.remove(role_arn);
    }
}

/// Source of the text: EKS user guide, authentication modes.
fn refuse_config_map(cluster: &Cluster) -> Result<(), ApiError> {
    if cluster.uses_entries() {
        return Ok(());
    }
    Err(ApiError::new(
        Code::InvalidRequest,
        "The cluster's authentication mode must be set to one of [API, API_AND_CONFIG_MAP] to perform this operation.",
    )
    .cluster(&cluster.name))
}

fn no_entry(cluster: &str, principal: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("The specified principalArn could not be found. You can view your available access entries with 'list-access-entries': {principal}"),
    )
    .cluster(cluster)
}

fn entry<'a>(cluster: &'a Cluster, principal: &str) -> Result<&'a AccessEntry, ApiError> {
    refuse_config_map(cluster)?;
    cluster
        .access_entries
        .get(principal)
        .ok_or_else(|| no_entry(&cluster.name, principal))
}

fn entry_mut<'a>(
    cluster: &'a mut Cluster,
    principal: &str,
) -> Result<&'a mut AccessEntry, ApiError> {
    refuse_config_map(cluster)?;
    let name = cluster.name.clone();
    cluster
        .access_entries
        .get_mut(principal)
        .ok_or_else(|| no_entry(&name, principal))
}

fn check_username(username: &str) -> Result<(), ApiError> {
    // Source: EKS user guide, create access entries (reserved prefixes).
    const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];
    if let Some(prefix) = RESERVED.iter().find(|p| username.starts_with(**p)) {
        return Err(ApiError::parameter(format!(
            "The username {username} is invalid, it cannot start with {prefix}"
        )));
    }
    // Source: EKS user guide, create access entries: a colon before {{SessionName}}.
    if let Some((before, _)) = username.split_once("{{SessionName}}")
        && !before.contains(':')
    {
        return Err(ApiError::parameter(format!(
            "The username {username} is invalid, it needs a colon before {{{{SessionName}}}}"
        )));
    }
    Ok(())
}

fn check_groups(groups: &[String]) -> Result<(), ApiError> {
    // Source: EKS user guide, create access entries.
    const RESERVED: [&str; 5] = ["system:", "eks:", "aws:", "amazon:", "iam:"];
    for group in groups {
        if let Some(prefix) = RESERVED.iter().find(|p| group.starts_with(**p)) {
            return Err(ApiError::parameter(format!(
                "The kubernetes group name {group} is invalid, it cannot start with {prefix}"
            )));
        }
    }
    Ok(())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    principal_arn: Option<String>,
    #[serde(default)]
    kubernetes_groups: Option<Vec<String>>,
    #[serde(default)]
    tags: Tags,
    client_request_token: Option<String>,
    username: Option<String>,
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// Source: API reference, CreateAccessEntry.
pub(crate) async fn create(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let named = |error: ApiError| error.cluster(name);
    let (request, raw) = call.body::<CreateRequest>()?;
    let token = request.client_request_token.as_deref();
    let principal_arn = request
        .principal_arn
        .ok_or_else(|| named(ApiError::parameter("principalArn is required")))?;
    let replayed = || -> Result<Option<Value>, ApiError> {
        let store = core.store();
        match store.replay("CreateAccessEntry", name, token, &raw)? {
            Some(arn) => Ok(store
                .cluster(name)?
                .access_entries
                .get(&arn)
                .map(|entry| json!({ "accessEntry": entry.show() }))),
            None => Ok(None),
        }
    };
    if let Some(shown) = replayed()? {
        return Ok(shown);
    }
    let exists = || {
        named(ApiError::in_use(
            "The specified access entry resource is already in use on this cluster.",
        ))
    };
    {
        let store = core.store();
        let cluster = store.cluster(name)?;
        refuse_config_map(cluster)?;
        refuse_unless_up(cluster)?;
        if cluster.access_entries.contains_key(&principal_arn) {
            return Err(exists());
        }
    }
    let kind = request.kind.unwrap_or_else(|| "STANDARD".to_owned());
    one_of("type", &kind, &TYPES).map_err(named)?;
    let groups = request.kubernetes_groups.unwrap_or_default();
    if kind != "STANDARD" {
        // Source: EKS user guide, create access entries.
        if !groups.is_empty() || request.username.is_some() {
            return Err(named(ApiError::parameter(format!(
                "kubernetesGroups and username cannot be given for an access entry of type {kind}"
            ))));
        }
        if !principal_arn.contains(":role/") {
            return Err(named(ApiError::parameter(format!(
                "An access entry of type {kind} must have an IAM role as principal"
            ))));
        }
    }
    check_groups(&groups).map_err(named)?;
    if let Some(username) = &request.username {
        check_username(username).map_err(named)?;
    }
    tags::check(&request.tags).map_err(|text| named(ApiError::parameter(text)))?;
    let principal_id = roles::check_principal(core, call.hits, &principal_arn)
        .await
        .map_err(named)?;
    let mut store = core.store();
    let cluster = store.cluster_mut(name)?;
    if cluster.access_entries.contains_key(&principal_arn) {
        drop(store);
        return replayed()?.ok_or_else(exists);
    }
    if cluster.access_entries.len() >= MAX_ENTRIES {
        return Err(named(ApiError::new(
            Code::ResourceLimitExceeded,
            format!("Access entry limit exceeded: {MAX_ENTRIES} per cluster"),
        )));
    }
    let mut entry = new_entry(core, cluster, &principal_arn, &kind);
    entry.principal_id = principal_id;
    entry.groups = groups;
    entry.tags = request.tags;
    if kind == "EC2_LINUX" {
        entry.groups = vec!["system:nodes".to_owned()];
    }
    if let Some(username) = request.username {
        entry.username = username;
    }
    let shown = json!({ "accessEntry": entry.show() });
    cluster.access_entries.insert(principal_arn.clone(), entry);
    store.accept("CreateAccessEntry", name, token, raw, &principal_arn);
    Ok(shown)
}

/// Not verified: the text for a cluster that is not ready.
fn refuse_unless_up(cluster: &Cluster) -> Result<(), ApiError> {
    match cluster.status {
        ClusterStatus::Active | ClusterStatus::Updating => Ok(()),
        status => Err(ApiError::new(
            Code::InvalidRequest,
            format!(
                "Cluster {} is in status {}, so its access entries cannot be changed",
                cluster.name,
                status.name()
            ),
        )
        .cluster(&cluster.name)),
    }
}

/// Source: API reference, DescribeAccessEntry.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let store = core.store();
    let entry = entry(store.cluster(call.part(0))?, call.part(1))?;
    Ok(json!({ "accessEntry": entry.show() }))
}

/// Source: API reference, ListAccessEntries.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let store = core.store();
    let cluster = store.cluster(call.part(0))?;
    refuse_config_map(cluster)?;
    let policy = call.query("associatedPolicyArn");
    let mut arns: Vec<String> = cluster
        .access_entries
        .values()
        .filter(|entry| {
            policy.is_none_or(|policy| {
                entry
                    .associations
                    .iter()
                    .any(|association| association.policy_arn == policy)
            })
        })
        .map(|entry| entry.principal_arn.clone())
        .collect();
    let next = pages::cut(&mut arns, call, Code::InvalidParameter, String::clone)?;
    Ok(json!({ "accessEntries": arns, "nextToken": next }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateRequest {
    kubernetes_groups: Option<Vec<String>>,
    username: Option<String>,
    client_request_token: Option<String>,
}

/// Source: API reference, UpdateAccessEntry. The service's message says that only STANDARD
/// entries can be updated; the exact text is not verified.
pub(crate) fn update(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (request, raw) = call.body::<UpdateRequest>()?;
    let name = call.part(0);
    let now = core.now();
    let mut store = core.store();
    let scope = format!("{name}/{}", call.part(1));
    let token = request.client_request_token.as_deref();
    if store
        .replay("UpdateAccessEntry", &scope, token, &raw)?
        .is_some()
    {
        let entry = entry(store.cluster(name)?, call.part(1))?;
        return Ok(json!({ "accessEntry": entry.show() }));
    }
    let entry = entry_mut(store.cluster_mut(name)?, call.part(1))?;
    if entry.kind != "STANDARD" {
        return Err(ApiError::parameter(format!(
            "An access entry of type {} cannot be updated",
            entry.kind
        ))
        .cluster(name));
    }
    if let Some(groups) = &request.kubernetes_groups {
        check_groups(groups).map_err(|error| error.cluster(name))?;
    }
    if let Some(username) = &request.username {
        check_username(username).map_err(|error| error.cluster(name))?;
    }
    if let Some(groups) = request.kubernetes_groups {
        entry.groups = groups;
    }
    if let Some(username) = request.username {
        entry.username = username;
    }
    entry.modified_at = now;
    let shown = json!({ "accessEntry": entry.show() });
    store.accept("UpdateAccessEntry", &scope, token, raw, call.part(1));
    Ok(shown)
}

/// Source: API reference, DeleteAccessEntry.
pub(crate) fn delete(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, principal) = (call.part(0), call.part(1));
    let mut store = core.store();
    entry(store.cluster(name)?, principal)?;
    store.cluster_mut(name)?.access_entries.remove(principal);
    let updates = format!("{name}/{principal}");
    store.tokens.retain(|(operation, scope, _), accepted| {
        let created =
            operation == "CreateAccessEntry" && scope == name && accepted.result == principal;
        !created && *scope != updates
    });
    Ok(empty())
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct AssociateRequest {
    policy_arn: Option<String>,
    access_scope: Option<ScopeRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeRequest {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    namespaces: Option<Vec<String>>,
}

/// Source: API reference, AssociateAccessPolicy. Associating again replaces the scope.
pub(crate) fn associate(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, principal) = (call.part(0), call.part(1));
    let named = |error: ApiError| error.cluster(name);
    let (request, _) = call.body::<AssociateRequest>()?;
    let policy = request
        .policy_arn
        .ok_or_else(|| named(ApiError::parameter("policyArn is required")))?;
    let scope = request
        .access_scope
        .ok_or_else(|| named(ApiError::parameter("accessScope is required")))?;
    let now = core.now();
    let mut store = core.store();
    let entry = entry_mut(store.cluster_mut(name)?, principal)?;
    if !ACCESS_POLICIES
        .iter()
        .any(|known| policy_arn(known) == policy)
    {
        return Err(named(ApiError::parameter(format!(
            "The policyArn {policy} is not valid; list-access-policies names the valid ones"
        ))));
    }
    if entry.kind != "STANDARD" && entry.kind != "EC2" {
        // Source: EKS user guide, associate access policies (not for node types).
        return Err(named(ApiError::new(
            Code::InvalidRequest,
            format!(
                "An access entry of type {} takes no access policies",
                entry.kind
            ),
        )));
    }
    let kind = scope
        .kind
        .ok_or_else(|| named(ApiError::parameter("accessScope.type is required")))?;
    one_of("accessScope.type", &kind, &["cluster", "namespace"]).map_err(named)?;
    let namespaces = scope.namespaces.unwrap_or_default();
    if (kind == "namespace") == namespaces.is_empty() {
        return Err(named(ApiError::parameter(
            "accessScope.namespaces must be given for scope type namespace and only for it",
        )));
    }
    let existing = entry
        .associations
        .iter_mut()
        .find(|association| association.policy_arn == policy);
    let shown = match existing {
        Some(association) => {
            association.namespaces = namespaces;
            association.modified_at = now;
            association.show()
        }
        None => {
            let association = Association {
                policy_arn: policy,
                namespaces,
                associated_at: now,
                modified_at: now,
            };
            let shown = association.show();
            entry.associations.push(association);
            shown
        }
    };
    Ok(json!({
        "clusterName": name,
        "principalArn": principal,
        "associatedAccessPolicy": shown,
    }))
}

/// Source: API reference, DisassociateAccessPolicy.
pub(crate) fn disassociate(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, principal, policy) = (call.part(0), call.part(1), call.part(2));
    let mut store = core.store();
    let entry = entry_mut(store.cluster_mut(name)?, principal)?;
    let before = entry.associations.len();
    entry
        .associations
        .retain(|association| association.policy_arn != policy);
    if entry.associations.len() == before {
        return Err(ApiError::new(
            Code::ResourceNotFound,
            format!("The access policy {policy} is not associated with {principal}"),
        )
        .cluster(name));
    }
    Ok(empty())
}

/// Source: API reference, ListAssociatedAccessPolicies.
pub(crate) fn list_associated(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, principal) = (call.part(0), call.part(1));
    let store = core.store();
    let entry = entry(store.cluster(name)?, principal)?;
    let mut associations: Vec<&Association> = entry.associations.iter().collect();
    associations.sort_by(|a, b| a.policy_arn.cmp(&b.policy_arn));
    // Source of the error: botocore model, which declares no InvalidParameterException here.
    let next = pages::cut(
        &mut associations,
        call,
        Code::InvalidRequest,
        |association| association.policy_arn.clone(),
    )?;
    let shown: Vec<Value> = associations.iter().map(|a| a.show()).collect();
    Ok(json!({
        "clusterName": name,
        "principalArn": principal,
        "associatedAccessPolicies": shown,
        "nextToken": next,
    }))
}

/// Source: API reference, ListAccessPolicies.
pub(crate) fn list_policies(call: &Call<'_>) -> Result<Value, ApiError> {
    let mut names: Vec<&str> = ACCESS_POLICIES.to_vec();
    // The model declares no error of the request here, so the one common to all services.
    let next = pages::cut(&mut names, call, Code::Validation, |name| {
        (*name).to_owned()
    })?;
    let shown: Vec<Value> = names
        .iter()
        .map(|name| json!({ "name": name, "arn": policy_arn(name) }))
        .collect();
    Ok(json!({ "accessPolicies": shown, "nextToken": next }))
}
