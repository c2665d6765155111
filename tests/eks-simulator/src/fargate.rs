//! Fargate profiles.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::clusters::or_replay;
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::node_groups::{check_subnets, refuse_unless_usable};
use crate::store::{Cluster, Issue, Store, Tags};
use crate::wire::{ApiError, Code, epoch};
use crate::{access, pages, roles, tags};

/// Quotas. Source: EKS user guide, service quotas.
const MAX_PROFILES: usize = 10;
const MAX_SELECTORS: usize = 5;
const MAX_LABELS: usize = 5;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProfileStatus {
    Creating,
    Active,
    Deleting,
    CreateFailed,
    DeleteFailed,
}

impl ProfileStatus {
    fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Deleting => "DELETING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::DeleteFailed => "DELETE_FAILED",
        }
    }
}

/// A selector of pods.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selector {
    namespace: Option<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

/// A Fargate profile.
#[derive(Debug, Clone)]
pub(crate) struct FargateProfile {
    pub name: String,
    pub arn: String,
    cluster: String,
    created_at: Timestamp,
    pub pod_execution_role: String,
    subnets: Vec<String>,
    selectors: Vec<Selector>,
    pub status: ProfileStatus,
    pub tags: Tags,
    issues: Vec<Issue>,
}

impl FargateProfile {
    /// Source of the members: botocore model, FargateProfile.
    fn show(&self) -> Value {
        let issues: Vec<Value> = self.issues.iter().map(Issue::show).collect();
        json!({
            "fargateProfileName": self.name,
            "fargateProfileArn": self.arn,
            "clusterName": self.cluster,
            "createdAt": epoch(self.created_at),
            "podExecutionRoleArn": self.pod_execution_role,
            "subnets": self.subnets,
            "selectors": self.selectors,
            "status": self.status.name(),
            "tags": self.tags,
            "health": { "issues": issues },
        })
    }
}

/// Source of the members: botocore model, CreateFargateProfileRequest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    fargate_profile_name: Option<String>,
    pod_execution_role_arn: Option<String>,
    subnets: Option<Vec<String>>,
    selectors: Option<Vec<Selector>>,
    client_request_token: Option<String>,
    #[serde(default)]
    tags: Tags,
}

/// Not verified: the text.
fn no_profile(cluster: &str, name: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("No Fargate Profile found with name: {name}."),
    )
    .cluster(cluster)
    .fargate_profile(name)
}

fn profile_mut<'a>(
    store: &'a mut Store,
    cluster: &str,
    name: &str,
) -> Result<&'a mut FargateProfile, ApiError> {
    store
        .cluster_mut(cluster)?
        .fargate_profiles
        .get_mut(name)
        .ok_or_else(|| no_profile(cluster, name))
}

/// One profile is created or deleted at a time. Source: EKS user guide, Fargate profiles; text:
/// terraform-provider-aws issues 13372 and 16272, which quote it.
fn refuse_if_busy(cluster: &Cluster, action: &str, name: &str) -> Result<(), ApiError> {
    let busy = cluster.fargate_profiles.values().find(|other| {
        matches!(
            other.status,
            ProfileStatus::Creating | ProfileStatus::Deleting
        )
    });
    match busy {
        Some(other) => Err(ApiError::in_use(format!(
            "Cannot {action} Fargate Profile {name} because cluster {} currently has Fargate profile {} in status {}",
            cluster.name,
            other.name,
            other.status.name()
        ))),
        None => Ok(()),
    }
}

/// Source: API reference, CreateFargateProfile, and service quotas; texts not verified.
fn check_selectors(selectors: &[Selector]) -> Result<(), ApiError> {
    if selectors.is_empty() || selectors.len() > MAX_SELECTORS {
        return Err(ApiError::parameter(format!(
            "A Fargate profile needs 1 to {MAX_SELECTORS} selectors, got {}.",
            selectors.len()
        )));
    }
    for selector in selectors {
        if selector.namespace.as_deref().is_none_or(str::is_empty) {
            return Err(ApiError::parameter(
                "Each selector of a Fargate profile must have a namespace.",
            ));
        }
        if selector.labels.len() > MAX_LABELS {
            return Err(ApiError::parameter(format!(
                "A selector of a Fargate profile can have at most {MAX_LABELS} labels."
            )));
        }
    }
    Ok(())
}

/// Source: API reference, CreateFargateProfile.
pub(crate) async fn create(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let cluster = call.part(0).to_owned();
    let (request, raw) = call.body::<CreateRequest>()?;
    let name = request.fargate_profile_name.clone().unwrap_or_default();
    let token = request.client_request_token.clone();
    let replayed = || {
        let store = core.store();
        let scope = format!("{cluster}/{name}");
        Ok(store
            .replay("CreateFargateProfile", &scope, token.as_deref(), &raw)?
            .and_then(|name| {
                let profile = store.cluster(&cluster).ok()?.fargate_profiles.get(&name)?;
                Some(json!({ "fargateProfile": profile.show() }))
            }))
    };
    if let Some(shown) = replayed()? {
        return Ok(shown);
    }
    let created = create_once(core, call, &cluster, &name, request, raw.clone()).await;
    let named = created.map_err(|error| error.cluster(&cluster).fargate_profile(&name));
    or_replay(named, replayed)
}

async fn create_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    cluster: &str,
    name: &str,
    request: CreateRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    // Not verified: the pattern and the text.
    if name.is_empty() || name.len() > 100 {
        return Err(ApiError::parameter(
            "fargateProfileName must have 1 to 100 characters.",
        ));
    }
    let role = request
        .pod_execution_role_arn
        .ok_or_else(|| ApiError::parameter("podExecutionRoleArn is required"))?;
    let selectors = request.selectors.unwrap_or_default();
    check_selectors(&selectors)?;
    tags::check(&request.tags).map_err(ApiError::parameter)?;
    let refuse = |found: &Cluster| {
        refuse_unless_usable(found)?;
        // Source of the text: eksctl issue 5652, which quotes it.
        if found.fargate_profiles.contains_key(name) {
            return Err(ApiError::in_use(
                "A Fargate Profile already exists with this name in this cluster.",
            ));
        }
        refuse_if_busy(found, "create", name)
    };
    let (vpc_id, cluster_subnets) = {
        let store = core.store();
        let found = store.cluster(cluster)?;
        refuse(found)?;
        (found.vpc.vpc_id.clone(), found.vpc.subnet_ids.clone())
    };
    call.refuse_if_busy(cluster, "create Fargate Profile")?;
    roles::check_fargate_role(core, call.hits, &role).await?;
    // Not verified: without subnets it takes the cluster's.
    let subnets = request
        .subnets
        .filter(|subnets| !subnets.is_empty())
        .unwrap_or(cluster_subnets);
    check_subnets(core, &subnets, &vpc_id).await?;
    let public = core
        .aws
        .public_subnets(&subnets)
        .await
        .map_err(|error| crate::clusters::ec2_refusal(&error))?;
    // Source: EKS user guide, Fargate profiles (private subnets only); text as
    // terraform-provider-aws issues quote it.
    if let Some(subnet) = public.first() {
        return Err(ApiError::parameter(format!(
            "Subnet {subnet} provided in Fargate Profile is not a private subnet"
        )));
    }
    let profile = FargateProfile {
        name: name.to_owned(),
        arn: core.arn(&format!(
            "fargateprofile/{cluster}/{name}/{}",
            uuid::Uuid::new_v4()
        )),
        cluster: cluster.to_owned(),
        created_at: core.now(),
        pod_execution_role: role.clone(),
        subnets,
        selectors,
        status: ProfileStatus::Creating,
        tags: request.tags,
        issues: Vec::new(),
    };
    let shown = json!({ "fargateProfile": profile.show() });
    {
        let mut store = core.store();
        let found = store.cluster_mut(cluster)?;
        refuse(found)?;
        if found.fargate_profiles.len() >= MAX_PROFILES {
            return Err(ApiError::new(
                Code::ResourceLimitExceeded,
                format!("Fargate profile limit exceeded: {MAX_PROFILES} per cluster"),
            ));
        }
        found.fargate_profiles.insert(name.to_owned(), profile);
        if found.uses_entries() {
            access::add_role_entry(core, found, &role, "FARGATE_LINUX");
        }
        let scope = format!("{cluster}/{name}");
        let token = request.client_request_token.as_deref();
        store.accept("CreateFargateProfile", &scope, token, raw, name);
    }
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    let (cluster, name) = (cluster.to_owned(), name.to_owned());
    core.spawn(async move {
        transition
            .config
            .clock
            .sleep(transition.config.timings.fargate_profile)
            .await;
        faults.wait().await;
        end(
            &transition,
            &cluster,
            &name,
            &faults,
            ProfileStatus::Active,
            ProfileStatus::CreateFailed,
        );
    });
    Ok(shown)
}

fn end(
    core: &Core,
    cluster: &str,
    name: &str,
    faults: &TransitionFaults,
    good: ProfileStatus,
    bad: ProfileStatus,
) {
    let mut store = core.store();
    let Ok(profile) = profile_mut(&mut store, cluster, name) else {
        return;
    };
    profile.status = good;
    if let Some((code, message)) = &faults.fails {
        profile.status = bad;
        profile.issues.push(Issue {
            code: code.clone(),
            message: message.clone(),
            resource_ids: vec![name.to_owned()],
        });
    }
}

/// Source: API reference, DescribeFargateProfile.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0), call.part(1));
    let mut store = core.store();
    let profile = profile_mut(&mut store, cluster, name)?;
    if call.hits.stale_read {
        if profile.status == ProfileStatus::Creating {
            return Err(no_profile(cluster, name));
        }
        let mut before = profile.clone();
        before.status = ProfileStatus::Active;
        return Ok(json!({ "fargateProfile": before.show() }));
    }
    Ok(json!({ "fargateProfile": profile.show() }))
}

/// Source: API reference, ListFargateProfiles.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let store = core.store();
    let cluster = store.cluster(call.part(0))?;
    let mut names: Vec<String> = cluster.fargate_profiles.keys().cloned().collect();
    let next = pages::cut(&mut names, call, Code::InvalidParameter, String::clone)?;
    Ok(json!({ "fargateProfileNames": names, "nextToken": next }))
}

/// Source: API reference, DeleteFargateProfile (one at a time).
pub(crate) fn delete(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let shown = {
        let mut store = core.store();
        profile_mut(&mut store, &cluster, &name)?;
        let named = |error: ApiError| error.cluster(&cluster).fargate_profile(&name);
        refuse_if_busy(store.cluster(&cluster)?, "delete", &name).map_err(named)?;
        call.refuse_if_busy(&cluster, "delete Fargate Profile")?;
        let profile = profile_mut(&mut store, &cluster, &name)?;
        profile.status = ProfileStatus::Deleting;
        json!({ "fargateProfile": profile.show() })
    };
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run_delete(&transition, &cluster, &name, &faults).await });
    Ok(shown)
}

async fn run_delete(core: &Core, cluster: &str, name: &str, faults: &TransitionFaults) {
    core.config
        .clock
        .sleep(core.config.timings.fargate_profile)
        .await;
    faults.wait().await;
    if faults.fails.is_some() {
        let failed = ProfileStatus::DeleteFailed;
        end(core, cluster, name, faults, failed, failed);
        return;
    }
    let mut store = core.store();
    let Ok(found) = store.cluster_mut(cluster) else {
        return;
    };
    if let Some(profile) = found.fargate_profiles.remove(name) {
        access::remove_role_entry(found, &profile.pod_execution_role);
    }
    let scope = format!("{cluster}/{name}");
    store.tokens.retain(|(operation, token_scope, _), _| {
        !(operation == "CreateFargateProfile" && *token_scope == scope)
    });
}
