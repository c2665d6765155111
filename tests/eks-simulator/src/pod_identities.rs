//! Pod identity associations.

use std::sync::Arc;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::clusters::or_replay;
use crate::core::Core;
use crate::eks::Call;
use crate::node_groups::refuse_unless_usable;
use crate::store::{Cluster, Tags};
use crate::wire::{ApiError, Code, epoch};
use crate::{pages, roles, tags};

/// Quota. Source: EKS user guide, service quotas.
const MAX_ASSOCIATIONS: usize = 5000;

/// An association.
#[derive(Debug, Clone)]
pub(crate) struct PodIdentity {
    pub cluster: String,
    pub id: String,
    pub arn: String,
    pub namespace: String,
    pub service_account: String,
    pub role_arn: String,
    pub tags: Tags,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    /// The add-on that owns it.
    pub owner_arn: Option<String>,
    pub disable_session_tags: bool,
    pub target_role_arn: Option<String>,
    pub external_id: Option<String>,
    pub policy: Option<String>,
}

impl PodIdentity {
    /// Source of the members: botocore model, PodIdentityAssociation.
    fn show(&self) -> Value {
        json!({
            "clusterName": self.cluster,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "roleArn": self.role_arn,
            "associationArn": self.arn,
            "associationId": self.id,
            "tags": self.tags,
            "createdAt": epoch(self.created_at),
            "modifiedAt": epoch(self.modified_at),
            "ownerArn": self.owner_arn,
            "disableSessionTags": self.disable_session_tags,
            "targetRoleArn": self.target_role_arn,
            "externalId": self.external_id,
            "policy": self.policy,
        })
    }

    /// Source of the members: botocore model, PodIdentityAssociationSummary (no role).
    fn summary(&self) -> Value {
        json!({
            "clusterName": self.cluster,
            "namespace": self.namespace,
            "serviceAccount": self.service_account,
            "associationArn": self.arn,
            "associationId": self.id,
            "ownerArn": self.owner_arn,
        })
    }
}

/// `a-` and 17 letters and digits. Source: terraform-provider-aws, `internal/service/eks` acceptance
/// tests, and crossplane-contrib/provider-upjet-aws issue 1437.
fn new_id() -> String {
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut number = uuid::Uuid::new_v4().as_u128();
    let mut id = "a-".to_owned();
    for _ in 0..17 {
        let index = usize::try_from(number % 36).unwrap_or_default();
        id.push(LETTERS.get(index).copied().map_or('a', char::from));
        number /= 36;
    }
    id
}

/// What a new association is to be.
#[derive(Debug, Default)]
pub(crate) struct Wanted {
    pub namespace: String,
    pub service_account: String,
    pub role_arn: String,
    pub owner_arn: Option<String>,
}

/// Puts an association into the cluster unless its service account has one.
pub(crate) fn insert<'a>(
    core: &Core,
    cluster: &'a mut Cluster,
    wanted: Wanted,
) -> Result<&'a mut PodIdentity, ApiError> {
    refuse_taken(cluster, &wanted.namespace, &wanted.service_account)?;
    if cluster.pod_identities.len() >= MAX_ASSOCIATIONS {
        return Err(ApiError::new(
            Code::ResourceLimitExceeded,
            format!("Pod identity association limit exceeded: {MAX_ASSOCIATIONS} per cluster"),
        )
        .cluster(&cluster.name));
    }
    let id = new_id();
    let now = core.now();
    let identity = PodIdentity {
        cluster: cluster.name.clone(),
        arn: core.arn(&format!("podidentityassociation/{}/{id}", cluster.name)),
        namespace: wanted.namespace,
        service_account: wanted.service_account,
        role_arn: wanted.role_arn,
        tags: Tags::new(),
        created_at: now,
        modified_at: now,
        owner_arn: wanted.owner_arn,
        disable_session_tags: false,
        target_role_arn: None,
        external_id: None,
        policy: None,
        id: id.clone(),
    };
    Ok(cluster.pod_identities.entry(id).or_insert(identity))
}

/// Source of the text: awslabs/crossplane-on-eks issue 168, which quotes it.
pub(crate) fn refuse_taken(
    cluster: &Cluster,
    namespace: &str,
    service_account: &str,
) -> Result<(), ApiError> {
    let taken = cluster.pod_identities.values().find(|identity| {
        identity.namespace == namespace && identity.service_account == service_account
    });
    match taken {
        Some(identity) => Err(ApiError::in_use(format!(
            "Association already exists: {}",
            identity.id
        ))
        .cluster(&cluster.name)),
        None => Ok(()),
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    namespace: Option<String>,
    service_account: Option<String>,
    role_arn: Option<String>,
    client_request_token: Option<String>,
    #[serde(default)]
    tags: Tags,
    disable_session_tags: Option<bool>,
    target_role_arn: Option<String>,
    policy: Option<String>,
}

/// A session policy is a JSON object and needs session tags off, for it takes their room. Source:
/// API reference, CreatePodIdentityAssociation (policy); texts not verified.
fn check_policy(policy: Option<&str>, disable_session_tags: bool) -> Result<(), ApiError> {
    let Some(policy) = policy else {
        return Ok(());
    };
    if !disable_session_tags {
        return Err(ApiError::parameter(
            "disableSessionTags must be true when a policy is specified.",
        ));
    }
    match serde_json::from_str::<Value>(policy) {
        Ok(Value::Object(_)) => Ok(()),
        _ => Err(ApiError::parameter("The policy is not a JSON object.")),
    }
}

/// Source: API reference, CreatePodIdentityAssociation.
pub(crate) async fn create(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0).to_owned();
    let (request, raw) = call.body::<CreateRequest>()?;
    let token = request.client_request_token.clone();
    let replayed = || {
        let store = core.store();
        Ok(store
            .replay(
                "CreatePodIdentityAssociation",
                &name,
                token.as_deref(),
                &raw,
            )?
            .and_then(|id| show(store.cluster(&name).ok()?.pod_identities.get(&id)?)))
    };
    if let Some(shown) = replayed()? {
        return Ok(shown);
    }
    let created = create_once(core, call, &name, request, raw.clone()).await;
    or_replay(created.map_err(|error| error.cluster(&name)), replayed)
}

fn show(identity: &PodIdentity) -> Option<Value> {
    Some(json!({ "association": identity.show() }))
}

async fn create_once(
    core: &Arc<Core>,
    call: &Call<'_>,
    name: &str,
    request: CreateRequest,
    raw: Value,
) -> Result<Value, ApiError> {
    let required = |value: Option<String>, member: &str| {
        value
            .filter(|value| !value.is_empty())
            .ok_or_else(|| ApiError::parameter(format!("{member} is required")))
    };
    let wanted = Wanted {
        namespace: required(request.namespace, "namespace")?,
        service_account: required(request.service_account, "serviceAccount")?,
        role_arn: required(request.role_arn, "roleArn")?,
        owner_arn: None,
    };
    let disable_session_tags = request.disable_session_tags.unwrap_or(false);
    check_policy(request.policy.as_deref(), disable_session_tags)?;
    tags::check(&request.tags).map_err(ApiError::parameter)?;
    {
        let store = core.store();
        let cluster = store.cluster(name)?;
        refuse_unless_usable(cluster)?;
        refuse_taken(cluster, &wanted.namespace, &wanted.service_account)?;
    }
    roles::check_pod_role(core, call.hits, &wanted.role_arn).await?;
    let mut store = core.store();
    let cluster = store.cluster_mut(name)?;
    let identity = insert(core, cluster, wanted)?;
    identity.tags = request.tags;
    identity.disable_session_tags = disable_session_tags;
    identity.policy = request.policy;
    set_target(identity, request.target_role_arn);
    let shown = json!({ "association": identity.show() });
    let id = identity.id.clone();
    let token = request.client_request_token.as_deref();
    store.accept("CreatePodIdentityAssociation", name, token, raw, &id);
    Ok(shown)
}

/// The external id names region, account, cluster, namespace and service account. Source: EKS user
/// guide, target IAM role of pod identities.
fn set_target(identity: &mut PodIdentity, target: Option<String>) {
    identity.external_id = target.as_ref().map(|_| {
        let scope: Vec<&str> = identity.arn.split(':').skip(3).take(2).collect();
        format!(
            "{}/{}/{}/{}",
            scope.join("/"),
            identity.cluster,
            identity.namespace,
            identity.service_account
        )
    });
    identity.target_role_arn = target;
}

/// Not verified: the text.
fn no_association(cluster: &str, id: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("Association not found: {id}"),
    )
    .cluster(cluster)
}

/// Source: API reference, DescribePodIdentityAssociation.
pub(crate) fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, id) = (call.part(0), call.part(1));
    let store = core.store();
    let identity = store.cluster(name)?.pod_identities.get(id);
    identity
        .map(|identity| json!({ "association": identity.show() }))
        .ok_or_else(|| no_association(name, id))
}

/// Source: API reference, ListPodIdentityAssociations.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let store = core.store();
    let cluster = store.cluster(call.part(0))?;
    let is = |filter: &str, value: &str| call.query(filter).is_none_or(|wanted| wanted == value);
    let mut found: Vec<&PodIdentity> = cluster
        .pod_identities
        .values()
        .filter(|identity| {
            is("namespace", &identity.namespace) && is("serviceAccount", &identity.service_account)
        })
        .collect();
    let next = pages::cut(&mut found, call, Code::InvalidParameter, |identity| {
        identity.id.clone()
    })?;
    let associations: Vec<Value> = found.iter().map(|identity| identity.summary()).collect();
    Ok(json!({ "associations": associations, "nextToken": next }))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct UpdateRequest {
    role_arn: Option<String>,
    client_request_token: Option<String>,
    disable_session_tags: Option<bool>,
    target_role_arn: Option<String>,
    policy: Option<String>,
}

/// Not verified: that an add-on's association cannot be changed past the add-on, and the text.
fn refuse_owned(identity: &PodIdentity) -> Result<(), ApiError> {
    match &identity.owner_arn {
        Some(owner) => Err(ApiError::new(
            Code::InvalidRequest,
            format!(
                "Association {} is owned by {owner}; change it with the add-on.",
                identity.id
            ),
        )
        .cluster(&identity.cluster)),
        None => Ok(()),
    }
}

/// Source: API reference, UpdatePodIdentityAssociation (synchronous).
pub(crate) async fn update(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, id) = (call.part(0), call.part(1));
    let (request, raw) = call.body::<UpdateRequest>()?;
    let scope = format!("{name}/{id}");
    let token = request.client_request_token.as_deref();
    let operation = "UpdatePodIdentityAssociation";
    {
        let store = core.store();
        let identity = store
            .cluster(name)?
            .pod_identities
            .get(id)
            .ok_or_else(|| no_association(name, id))?;
        if store.replay(operation, &scope, token, &raw)?.is_some() {
            return Ok(json!({ "association": identity.show() }));
        }
        refuse_owned(identity)?;
        let disabled = request
            .disable_session_tags
            .unwrap_or(identity.disable_session_tags);
        let policy = request.policy.as_ref().or(identity.policy.as_ref());
        check_policy(policy.map(String::as_str), disabled).map_err(|error| error.cluster(name))?;
    }
    if let Some(role) = &request.role_arn {
        roles::check_pod_role(core, call.hits, role)
            .await
            .map_err(|error| error.cluster(name))?;
    }
    let now = core.now();
    let mut store = core.store();
    let identity = store
        .cluster_mut(name)?
        .pod_identities
        .get_mut(id)
        .ok_or_else(|| no_association(name, id))?;
    if let Some(role) = request.role_arn.clone() {
        identity.role_arn = role;
    }
    if let Some(disabled) = request.disable_session_tags {
        identity.disable_session_tags = disabled;
    }
    if let Some(policy) = request.policy.clone() {
        identity.policy = Some(policy);
    }
    if let Some(target) = request.target_role_arn.clone() {
        set_target(identity, Some(target).filter(|target| !target.is_empty()));
    }
    identity.modified_at = now;
    let shown = json!({ "association": identity.show() });
    store.accept(operation, &scope, token, raw, id);
    Ok(shown)
}

/// Source: API reference, DeletePodIdentityAssociation.
pub(crate) fn delete(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, id) = (call.part(0), call.part(1));
    let mut store = core.store();
    let cluster = store.cluster_mut(name)?;
    let identity = cluster
        .pod_identities
        .get(id)
        .ok_or_else(|| no_association(name, id))?;
    refuse_owned(identity)?;
    let shown = json!({ "association": identity.show() });
    cluster.pod_identities.remove(id);
    forget(&mut store.tokens, name, id);
    Ok(shown)
}

type Tokens = std::collections::BTreeMap<(String, String, String), crate::store::Accepted>;

/// Forgets the tokens of an association that is gone.
pub(crate) fn forget(tokens: &mut Tokens, cluster: &str, id: &str) {
    let own = format!("{cluster}/{id}");
    tokens.retain(|(operation, scope, _), accepted| {
        let created = operation == "CreatePodIdentityAssociation"
            && scope == cluster
            && accepted.result == id;
        !created && *scope != own
    });
}
