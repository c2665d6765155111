//! CreateAddon, DescribeAddon, ListAddons, DeleteAddon.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::addon_catalogue::{self, CatalogueEntry};
use crate::addon_manifests::{self, Input, without_field};
use crate::backend::ApplyOutcome;
use crate::clusters::{one_of, or_replay, with_causes};
use crate::core::Core;
use crate::eks::Call;
use crate::faults::TransitionFaults;
use crate::node_groups::refuse_unless_usable;
use crate::pod_identities::{self, Wanted};
use crate::store::{Cluster, Issue, Store, Tags};
use crate::wire::{ApiError, Code, epoch};
use crate::{pages, roles, schema, tags};

/// The field manager add-ons are applied by. Source: EKS user guide, determine fields you can customize
/// for add-ons.
const MANAGER: &str = "eks";
/// Namespace of the add-ons' service accounts.
const NAMESPACE: &str = "kube-system";
/// Between two looks at the workloads of an add-on that is not ready, in simulated time.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddonStatus {
    Creating,
    Active,
    Updating,
    Deleting,
    CreateFailed,
    UpdateFailed,
    DeleteFailed,
    Degraded,
}

impl AddonStatus {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Creating => "CREATING",
            Self::Active => "ACTIVE",
            Self::Updating => "UPDATING",
            Self::Deleting => "DELETING",
            Self::CreateFailed => "CREATE_FAILED",
            Self::UpdateFailed => "UPDATE_FAILED",
            Self::DeleteFailed => "DELETE_FAILED",
            Self::Degraded => "DEGRADED",
        }
    }

    /// Whether a transition is under way.
    pub(crate) fn is_busy(self) -> bool {
        matches!(self, Self::Creating | Self::Updating | Self::Deleting)
    }
}

/// An add-on of a cluster.
#[derive(Debug, Clone)]
pub(crate) struct Addon {
    pub name: String,
    pub arn: String,
    pub cluster: String,
    pub version: String,
    pub status: AddonStatus,
    pub issues: Vec<Issue>,
    pub created_at: Timestamp,
    pub modified_at: Timestamp,
    pub service_account_role: Option<String>,
    pub configuration_values: Option<String>,
    pub tags: Tags,
    /// The objects it has in the cluster.
    pub objects: Vec<Value>,
}

impl Addon {
    /// Source of the members: botocore model, Addon.
    pub(crate) fn show(&self, cluster: &Cluster) -> Value {
        let entry = addon_catalogue::find(&self.name);
        let issues: Vec<Value> = self.issues.iter().map(Issue::show).collect();
        let identities: Vec<&str> = cluster
            .pod_identities
            .values()
            .filter(|identity| identity.owner_arn.as_deref() == Some(&self.arn))
            .map(|identity| identity.arn.as_str())
            .collect();
        json!({
            "addonName": self.name,
            "clusterName": self.cluster,
            "status": self.status.name(),
            "addonVersion": self.version,
            "health": { "issues": issues },
            "addonArn": self.arn,
            "createdAt": epoch(self.created_at),
            "modifiedAt": epoch(self.modified_at),
            "serviceAccountRoleArn": self.service_account_role,
            "tags": self.tags,
            "publisher": entry.map(CatalogueEntry::publisher),
            "owner": entry.map(CatalogueEntry::owner),
            "marketplaceInformation": null,
            "configurationValues": self.configuration_values,
            "podIdentityAssociations": identities,
            "namespaceConfig": { "namespace": NAMESPACE },
        })
    }
}

/// Source of the text: terraform-provider-aws, which looks for the code; the text is not verified.
pub(crate) fn no_addon(cluster: &str, name: &str) -> ApiError {
    ApiError::new(
        Code::ResourceNotFound,
        format!("No addon: {name} found in cluster: {cluster}"),
    )
    .cluster(cluster)
    .addon(name)
}

pub(crate) fn addon<'a>(
    store: &'a Store,
    cluster: &str,
    name: &str,
) -> Result<(&'a Cluster, &'a Addon), ApiError> {
    let found = store.cluster(cluster)?;
    let addon = found.addons.get(name);
    Ok((found, addon.ok_or_else(|| no_addon(cluster, name))?))
}

pub(crate) fn addon_mut<'a>(
    store: &'a mut Store,
    cluster: &str,
    name: &str,
) -> Result<&'a mut Addon, ApiError> {
    store
        .cluster_mut(cluster)?
        .addons
        .get_mut(name)
        .ok_or_else(|| no_addon(cluster, name))
}

/// How conflicts with foreign field managers are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Resolve {
    None,
    Overwrite,
    Preserve,
}

impl Resolve {
    pub(crate) fn of(word: Option<&str>) -> Result<Self, ApiError> {
        one_of(
            "resolveConflicts",
            word.unwrap_or("NONE"),
            &["NONE", "OVERWRITE", "PRESERVE"],
        )?;
        Ok(match word {
            Some("OVERWRITE") => Self::Overwrite,
            Some("PRESERVE") => Self::Preserve,
            _ => Self::None,
        })
    }
}

/// `podIdentityAssociations` of a request.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct IdentityRequest {
    service_account: Option<String>,
    role_arn: Option<String>,
}

/// Source of the members: botocore model, CreateAddonRequest.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CreateRequest {
    addon_name: Option<String>,
    addon_version: Option<String>,
    service_account_role_arn: Option<String>,
    resolve_conflicts: Option<String>,
    client_request_token: Option<String>,
    #[serde(default)]
    tags: Tags,
    configuration_values: Option<String>,
    pod_identity_associations: Option<Vec<IdentityRequest>>,
    namespace_config: Option<NamespaceRequest>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct NamespaceRequest {
    namespace: Option<String>,
}

/// The values as JSON, if the schema allows them. Source of the text: aws/containers-roadmap issue 2216;
/// for what is no JSON it is not verified.
pub(crate) fn check_values(entry: &CatalogueEntry, text: Option<&str>) -> Result<Value, ApiError> {
    let Some(text) = text.filter(|text| !text.trim().is_empty()) else {
        return Ok(json!({}));
    };
    let refuse = |why: String| {
        ApiError::parameter(format!(
            "ConfigurationValue provided in request is not supported: {why}"
        ))
    };
    let values: Value = serde_json::from_str(text)
        .map_err(|error| refuse(format!("it is not valid JSON: {error}")))?;
    let complaints = schema::complaints(&entry.schema()?, &values);
    if complaints.is_empty() {
        return Ok(values);
    }
    Err(refuse(format!(
        "Json schema validation failed with error: [{}]",
        complaints.join(", ")
    )))
}

/// The pod identities a request asks for. Not verified: the refusals' texts.
pub(crate) async fn check_identities(
    core: &Core,
    call: &Call<'_>,
    entry: &CatalogueEntry,
    asked: Option<&[IdentityRequest]>,
) -> Result<Vec<(String, String)>, ApiError> {
    let mut wanted = Vec::new();
    let mut names = BTreeSet::new();
    for one in asked.unwrap_or_default() {
        let (Some(account), Some(role)) = (&one.service_account, &one.role_arn) else {
            return Err(ApiError::parameter(
                "Each of podIdentityAssociations needs serviceAccount and roleArn.",
            ));
        };
        if !entry
            .service_accounts
            .iter()
            .any(|known| known.name == account)
        {
            return Err(ApiError::parameter(format!(
                "Addon {} does not support pod identity association for service account {account}",
                entry.name
            )));
        }
        if !names.insert(account.clone()) {
            return Err(ApiError::parameter(format!(
                "podIdentityAssociations has service account {account} twice."
            )));
        }
        roles::check_pod_role(core, call.hits, role).await?;
        wanted.push((account.clone(), role.clone()));
    }
    Ok(wanted)
}

/// Makes the add-on's associations these.
pub(crate) fn set_identities(
    core: &Core,
    cluster: &mut Cluster,
    owner_arn: &str,
    wanted: &[(String, String)],
) -> Result<(), ApiError> {
    let owned = |owner: &Option<String>| owner.as_deref() == Some(owner_arn);
    let taken = |account: &str| {
        cluster.pod_identities.values().find(|identity| {
            identity.namespace == NAMESPACE
                && identity.service_account == account
                && !owned(&identity.owner_arn)
        })
    };
    // All of them or none.
    for (account, _) in wanted {
        if taken(account).is_some() {
            pod_identities::refuse_taken(cluster, NAMESPACE, account)?;
        }
    }
    cluster.pod_identities.retain(|_, identity| {
        !owned(&identity.owner_arn)
            || wanted
                .iter()
                .any(|(account, _)| *account == identity.service_account)
    });
    let now = core.now();
    for (account, role) in wanted {
        let existing = cluster
            .pod_identities
            .values_mut()
            .find(|identity| identity.service_account == *account && owned(&identity.owner_arn));
        match existing {
            Some(identity) if identity.role_arn == *role => {}
            Some(identity) => {
                identity.role_arn.clone_from(role);
                identity.modified_at = now;
            }
            None => {
                let wanted = Wanted {
                    namespace: NAMESPACE.to_owned(),
                    service_account: account.clone(),
                    role_arn: role.clone(),
                    owner_arn: Some(owner_arn.to_owned()),
                };
                pod_identities::insert(core, cluster, wanted)?;
            }
        }
    }
    Ok(())
}

/// Source: API reference, CreateAddon.
pub(crate) async fn create(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let cluster = call.part(0).to_owned();
    let (request, raw) = call.body::<CreateRequest>()?;
    let name = request.addon_name.clone().unwrap_or_default();
    let token = request.client_request_token.clone();
    let replayed = || {
        let store = core.store();
        let scope = format!("{cluster}/{name}");
        match store.replay("CreateAddon", &scope, token.as_deref(), &raw)? {
            Some(_) => {
                let (found, addon) = addon(&store, &cluster, &name)?;
                Ok(Some(json!({ "addon": addon.show(found) })))
            }
            None => Ok(None),
        }
    };
    if let Some(shown) = replayed()? {
        return Ok(shown);
    }
    let created = create_once(core, call, &cluster, &name, request, raw.clone()).await;
    let named = created.map_err(|error| error.cluster(&cluster).addon(&name));
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
    // Source of the text: aws/containers-roadmap issue 1429, which quotes it.
    let entry = addon_catalogue::find(name)
        .ok_or_else(|| ApiError::parameter("Addon specified is not supported"))?;
    let minor = {
        let store = core.store();
        let found = store.cluster(cluster)?;
        refuse_unless_usable(found)?;
        refuse_existing(found, name)?;
        found.version.clone()
    };
    call.refuse_if_busy(cluster, "CreateAddon")?;
    // Source of the text: terraform-provider-aws issue 32238, which quotes it.
    let unsupported = || ApiError::parameter("Addon version specified is not supported");
    let version = match &request.addon_version {
        Some(version) => entry.version_for(version, &minor),
        None => entry.default_version(&minor),
    }
    .ok_or_else(unsupported)?;
    // Source: API reference, CreateAddon: PRESERVE is like NONE here.
    let resolve = match Resolve::of(request.resolve_conflicts.as_deref())? {
        Resolve::Preserve => Resolve::None,
        other => other,
    };
    if let Some(config) = &request.namespace_config
        && config
            .namespace
            .as_deref()
            .is_some_and(|asked| asked != NAMESPACE)
    {
        return Err(ApiError::parameter(format!(
            "namespaceConfig: the add-on {name} is in namespace {NAMESPACE} only"
        )));
    }
    tags::check(&request.tags).map_err(ApiError::parameter)?;
    check_values(entry, request.configuration_values.as_deref())?;
    let identities = check_identities(
        core,
        call,
        entry,
        request.pod_identity_associations.as_deref(),
    )
    .await?;
    if let Some(role) = &request.service_account_role_arn {
        roles::check_service_account_role(core, call.hits, role).await?;
    }
    let now = core.now();
    let addon = Addon {
        name: name.to_owned(),
        arn: core.arn(&format!("addon/{cluster}/{name}/{}", uuid::Uuid::new_v4())),
        cluster: cluster.to_owned(),
        version: version.to_owned(),
        status: AddonStatus::Creating,
        issues: Vec::new(),
        created_at: now,
        modified_at: now,
        service_account_role: request.service_account_role_arn,
        configuration_values: request.configuration_values,
        tags: request.tags,
        objects: Vec::new(),
    };
    let shown = {
        let mut store = core.store();
        let found = store.cluster_mut(cluster)?;
        refuse_unless_usable(found)?;
        refuse_existing(found, name)?;
        set_identities(core, found, &addon.arn, &identities)?;
        let shown = json!({ "addon": addon.show(found) });
        found.addons.insert(name.to_owned(), addon);
        let scope = format!("{cluster}/{name}");
        let token = request.client_request_token.as_deref();
        store.accept("CreateAddon", &scope, token, raw, name);
        shown
    };
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    let (cluster, name) = (cluster.to_owned(), name.to_owned());
    core.spawn(async move { run_create(&transition, &cluster, &name, resolve, &faults).await });
    Ok(shown)
}

/// Source of the text: terraform-aws-eks-blueprints issues, which quote "Addon already exists.".
fn refuse_existing(cluster: &Cluster, name: &str) -> Result<(), ApiError> {
    if cluster.addons.contains_key(name) {
        return Err(ApiError::in_use("Addon already exists."));
    }
    Ok(())
}

async fn run_create(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    resolve: Resolve,
    faults: &TransitionFaults,
) {
    core.config.clock.sleep(core.config.timings.addon).await;
    faults.wait().await;
    let Ok(wanted) = addon(&core.store(), cluster, name).map(|(_, addon)| addon.clone()) else {
        return;
    };
    let result = match &faults.fails {
        Some((code, message)) => Err(issue(code, message.clone(), name)),
        None => install(core, &wanted, resolve).await,
    };
    let (status, issues) = match result {
        Ok(objects) => {
            if let Ok(addon) = addon_mut(&mut core.store(), cluster, name) {
                addon.objects = objects;
            }
            settle(core, cluster, name).await
        }
        Err(issue) => (AddonStatus::CreateFailed, vec![issue]),
    };
    finish(core, cluster, name, status, issues);
}

pub(crate) fn issue(code: &str, message: String, resource: &str) -> Issue {
    Issue {
        code: code.to_owned(),
        message,
        resource_ids: vec![resource.to_owned()],
    }
}

pub(crate) fn finish(
    core: &Core,
    cluster: &str,
    name: &str,
    status: AddonStatus,
    issues: Vec<Issue>,
) {
    let now = core.now();
    if let Ok(addon) = addon_mut(&mut core.store(), cluster, name) {
        addon.status = status;
        addon.issues = issues;
        addon.modified_at = now;
    }
}

/// Applies the objects of the add-on as it is wanted, takes away those that it no longer has, and
/// returns what it has now.
pub(crate) async fn install(
    core: &Core,
    wanted: &Addon,
    resolve: Resolve,
) -> Result<Vec<Value>, Issue> {
    let failed =
        |error: &dyn std::error::Error| issue("InternalFailure", with_causes(error), &wanted.name);
    let (endpoint, cidr) = {
        let store = core.store();
        let cluster = store
            .cluster(&wanted.cluster)
            .map_err(|error| issue("ClusterUnreachable", error.message, &wanted.name))?;
        (
            cluster.endpoint.clone().unwrap_or_default(),
            cluster.service_ipv4_cidr.clone(),
        )
    };
    // They were checked when they were accepted.
    let values = wanted
        .configuration_values
        .as_deref()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_else(|| json!({}));
    let objects = addon_manifests::objects(&Input {
        addon: &wanted.name,
        version: &wanted.version,
        cluster: &wanted.cluster,
        endpoint: &endpoint,
        region: &core.config.region,
        service_ipv4_cidr: &cidr,
        values: &values,
        service_account_role: wanted.service_account_role.as_deref(),
    });
    let backend = &core.config.backend;
    let force = resolve == Resolve::Overwrite;
    let mut applied = objects.clone();
    if !force {
        let mut conflicts = Vec::new();
        for object in &mut applied {
            let outcome = backend
                .apply_object(&wanted.cluster, object, MANAGER, false, true)
                .await
                .map_err(|error| failed(&error))?;
            if let ApplyOutcome::Conflicts(fields) = outcome {
                conflicts.extend(fields.iter().map(|field| conflict(object, field)));
                for field in &fields {
                    without_field(object, field);
                }
            }
        }
        if resolve == Resolve::None && !conflicts.is_empty() {
            return Err(issue(
                "ConfigurationConflict",
                conflict_message(&conflicts),
                &wanted.name,
            ));
        }
    }
    for object in &applied {
        let outcome = backend
            .apply_object(&wanted.cluster, object, MANAGER, force, false)
            .await
            .map_err(|error| failed(&error))?;
        if let ApplyOutcome::Conflicts(fields) = outcome {
            let conflicts: Vec<String> =
                fields.iter().map(|field| conflict(object, field)).collect();
            return Err(issue(
                "ConfigurationConflict",
                conflict_message(&conflicts),
                &wanted.name,
            ));
        }
    }
    let references: Vec<Value> = objects.iter().map(reference).collect();
    for old in &wanted.objects {
        if !references.contains(old) {
            backend
                .delete_object(&wanted.cluster, old)
                .await
                .map_err(|error| failed(&error))?;
        }
    }
    Ok(references)
}

/// Source of the texts: aws/amazon-vpc-cni-k8s issue 2150, which quotes them.
fn conflict_message(conflicts: &[String]) -> String {
    format!(
        "Conflicts found when trying to apply. Will not continue due to resolve conflicts mode. Conflicts:\n{}",
        conflicts.join("\n")
    )
}

fn conflict(object: &Value, field: &str) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let version = text(&object["apiVersion"]);
    let kind = match version.split_once('/') {
        Some((group, _)) => format!("{}.{group}", text(&object["kind"])),
        None => text(&object["kind"]),
    };
    format!("{kind} {} - {field}", text(&object["metadata"]["name"]))
}

/// What names an object.
fn reference(object: &Value) -> Value {
    json!({
        "apiVersion": object["apiVersion"],
        "kind": object["kind"],
        "metadata": {
            "name": object["metadata"]["name"],
            "namespace": object["metadata"]["namespace"],
        },
    })
}

/// Waits for the add-on's workloads: ACTIVE when they are ready, DEGRADED when they had
/// [`crate::Timings::addon_health`] or there is no node to run them.
pub(crate) async fn settle(core: &Core, cluster: &str, name: &str) -> (AddonStatus, Vec<Issue>) {
    let deadline = core
        .now()
        .checked_add(core.config.timings.addon_health)
        .unwrap_or(Timestamp::MAX);
    loop {
        match unhealthy(core, cluster, name).await {
            Ok(None) => return (AddonStatus::Active, Vec::new()),
            Ok(Some(issue)) => {
                let has_nodes = core.store().cluster(cluster).is_ok_and(|found| {
                    found
                        .node_groups
                        .values()
                        .any(|group| !group.nodes.is_empty())
                });
                if !has_nodes || core.now() >= deadline {
                    return (AddonStatus::Degraded, vec![issue]);
                }
            }
            Err(message) => {
                if core.now() >= deadline || core.store().cluster(cluster).is_err() {
                    let issue = issue("ClusterUnreachable", message, name);
                    return (AddonStatus::Degraded, vec![issue]);
                }
            }
        }
        core.config.clock.sleep(LOOK_AGAIN).await;
    }
}

/// What is wrong with the add-on's workloads now. Source of the code and the text of missing replicas:
/// terraform-aws-eks issues on coredns ("doesn't have the desired number of replicas").
async fn unhealthy(core: &Core, cluster: &str, name: &str) -> Result<Option<Issue>, String> {
    let objects = match addon(&core.store(), cluster, name) {
        Ok((_, addon)) => addon.objects.clone(),
        Err(_) => return Ok(None),
    };
    for object in objects {
        let kind = object["kind"].as_str().unwrap_or_default();
        if !matches!(kind, "Deployment" | "DaemonSet") {
            continue;
        }
        let found = core
            .config
            .backend
            .get_object(cluster, &object)
            .await
            .map_err(|error| with_causes(&error))?;
        let title = object["metadata"]["name"].as_str().unwrap_or_default();
        let Some(found) = found else {
            return Ok(Some(issue(
                "K8sResourceNotFound",
                format!("The {kind} {title} of the add-on was not found in the cluster."),
                title,
            )));
        };
        let number = |pointer: &str| found.pointer(pointer).and_then(Value::as_u64);
        let observed = number("/status/observedGeneration") >= number("/metadata/generation");
        let (wanted, ready) = if kind == "Deployment" {
            (
                number("/spec/replicas").unwrap_or(1),
                number("/status/readyReplicas"),
            )
        } else {
            (
                number("/status/desiredNumberScheduled").unwrap_or_default(),
                number("/status/numberReady"),
            )
        };
        if !observed || ready.unwrap_or_default() < wanted {
            return Ok(Some(issue(
                "InsufficientNumberOfReplicas",
                "The add-on is unhealthy because it doesn't have the desired number of replicas."
                    .to_owned(),
                name,
            )));
        }
    }
    Ok(None)
}

/// Source: API reference, DescribeAddon. An add-on at rest is ACTIVE or DEGRADED as its workloads are
/// now.
pub(crate) async fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0), call.part(1));
    let before = {
        let store = core.store();
        let (found, addon) = addon(&store, cluster, name)?;
        if call.hits.stale_read {
            if addon.status == AddonStatus::Creating {
                return Err(no_addon(cluster, name));
            }
            let mut before = addon.clone();
            before.status = AddonStatus::Active;
            return Ok(json!({ "addon": before.show(found) }));
        }
        addon.status
    };
    if matches!(before, AddonStatus::Active | AddonStatus::Degraded)
        && let Ok(health) = unhealthy(core, cluster, name).await
        && let Ok(addon) = addon_mut(&mut core.store(), cluster, name)
        && addon.status == before
    {
        addon.status = match &health {
            None => AddonStatus::Active,
            Some(_) => AddonStatus::Degraded,
        };
        addon.issues = health.into_iter().collect();
    }
    let store = core.store();
    let (found, addon) = addon(&store, cluster, name)?;
    Ok(json!({ "addon": addon.show(found) }))
}

/// Source: API reference, ListAddons.
pub(crate) fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let mut names: Vec<String> = core
        .store()
        .cluster(call.part(0))?
        .addons
        .keys()
        .cloned()
        .collect();
    let next = pages::cut(&mut names, call, Code::InvalidParameter, String::clone)?;
    Ok(json!({ "addons": names, "nextToken": next }))
}

/// Source: API reference, DeleteAddon (preserve keeps the objects); which states refuse it is not
/// verified.
pub(crate) fn delete(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let (cluster, name) = (call.part(0).to_owned(), call.part(1).to_owned());
    let preserve = call.query("preserve") == Some("true");
    let shown = {
        let mut store = core.store();
        let addon = addon_mut(&mut store, &cluster, &name)?;
        if addon.status.is_busy() {
            return Err(ApiError::new(
                Code::InvalidRequest,
                format!(
                    "Addon {name} cannot be deleted as it is currently in {} state",
                    addon.status.name()
                ),
            )
            .cluster(&cluster)
            .addon(&name));
        }
        addon.status = AddonStatus::Deleting;
        addon.modified_at = core.now();
        let (found, addon) = self::addon(&store, &cluster, &name)?;
        json!({ "addon": addon.show(found) })
    };
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move { run_delete(&transition, &cluster, &name, preserve, &faults).await });
    Ok(shown)
}

async fn run_delete(
    core: &Arc<Core>,
    cluster: &str,
    name: &str,
    preserve: bool,
    faults: &TransitionFaults,
) {
    core.config.clock.sleep(core.config.timings.addon).await;
    faults.wait().await;
    let objects = match addon(&core.store(), cluster, name) {
        Ok((_, addon)) => addon.objects.clone(),
        Err(_) => return,
    };
    let mut failure = faults.fails.clone();
    if failure.is_none() && !preserve {
        for object in objects.iter().rev() {
            if let Err(error) = core.config.backend.delete_object(cluster, object).await {
                failure = Some(("InternalFailure".to_owned(), with_causes(&error)));
                break;
            }
        }
    }
    if let Some((code, message)) = failure {
        let issue = issue(&code, message, name);
        finish(core, cluster, name, AddonStatus::DeleteFailed, vec![issue]);
        return;
    }
    let mut store = core.store();
    let Ok(found) = store.cluster_mut(cluster) else {
        return;
    };
    if let Some(addon) = found.addons.remove(name) {
        // Not verified: the associations of an add-on go with it, preserved or not.
        found
            .pod_identities
            .retain(|_, identity| identity.owner_arn.as_deref() != Some(&addon.arn));
    }
    let scope = format!("{cluster}/{name}");
    store.tokens.retain(|(operation, token_scope, _), _| {
        !(operation.ends_with("Addon") && *token_scope == scope)
    });
}
