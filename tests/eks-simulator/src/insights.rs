//! Cluster insights: what speaks against an upgrade or a rollback.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::addon_catalogue;
use crate::backend::DeprecatedUse;
use crate::cluster_updates::can_roll_back_to;
use crate::clusters::one_of;
use crate::core::Core;
use crate::eks::Call;
use crate::store::Cluster;
use crate::wire::{ApiError, Code, epoch};
use crate::{pages, versions};

/// How old insights get before they are made anew. Source: EKS user guide, cluster insights.
const LIFETIME: SignedDuration = SignedDuration::from_hours(24);
/// Kubelet and kube-proxy may be this many minors older than the control plane. Source: Kubernetes
/// version skew policy.
const OLDEST: u32 = 3;

/// What is known of a cluster's insights.
#[derive(Debug, Clone, Default)]
pub(crate) struct Insights {
    all: Vec<Insight>,
    /// When they were made, and for which version of the cluster.
    made: Option<(Timestamp, String)>,
    /// Id, status and when that began, by category and name.
    known: BTreeMap<(&'static str, String), (String, &'static str, Timestamp)>,
    refresh: Option<Refresh>,
}

#[derive(Debug, Clone)]
struct Refresh {
    started_at: Timestamp,
    ended_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
struct Insight {
    id: String,
    finding: Finding,
    refreshed_at: Timestamp,
    changed_at: Timestamp,
}

/// One check's result.
#[derive(Debug, Clone)]
struct Finding {
    category: &'static str,
    name: String,
    description: &'static str,
    recommendation: &'static str,
    version: String,
    status: &'static str,
    reason: String,
    /// ARN, status and reason of what was found.
    resources: Vec<(Option<String>, Option<String>, &'static str, String)>,
    deprecations: Vec<DeprecatedUse>,
    /// Add-on and its compatible versions.
    addons: Vec<(String, Vec<&'static str>)>,
}

/// What the backend tells beside the store.
struct Observed {
    deprecated: Vec<DeprecatedUse>,
    /// The minor of the kube-proxy image in the cluster.
    kube_proxy: Option<u32>,
}

/// Not verified: which add-ons stop a rollback, and the text. Source of the rule: EKS user guide, roll
/// back a cluster (insights in ERROR stop it unless forced).
pub(crate) fn refuse_rollback(cluster: &Cluster, version: &str) -> Result<(), ApiError> {
    let finding = addon_compatibility("ROLLBACK_READINESS", cluster, version);
    if finding.status != "ERROR" {
        return Ok(());
    }
    Err(ApiError::new(
        Code::InvalidState,
        format!(
            "Rollback readiness issues detected: {}. Solve them or use force.",
            finding.reason
        ),
    ))
}

fn finding(
    category: &'static str,
    name: &str,
    description: &'static str,
    recommendation: &'static str,
    version: &str,
) -> Finding {
    Finding {
        category,
        name: name.to_owned(),
        description,
        recommendation,
        version: version.to_owned(),
        status: "PASSING",
        reason: "No issues found.".to_owned(),
        resources: Vec::new(),
        deprecations: Vec::new(),
        addons: Vec::new(),
    }
}

/// Source of the check: EKS user guide, cluster insights (kubelet version skew). That the last minor
/// allowed is a WARNING is not verified.
fn skew(found: &mut Finding, what: &str, minor: u32, arn: Option<&str>, uri: Option<&str>) {
    let Some(target) = versions::number(&found.version) else {
        return;
    };
    let (status, reason) = if minor > target {
        (
            "ERROR",
            format!("{what} 1.{minor} is newer than {}", found.version),
        )
    } else if target - minor > OLDEST {
        (
            "ERROR",
            format!(
                "{what} 1.{minor} is more than {OLDEST} minor versions older than {}",
                found.version
            ),
        )
    } else if target - minor == OLDEST {
        (
            "WARNING",
            format!(
                "{what} 1.{minor} is the oldest that {} allows",
                found.version
            ),
        )
    } else {
        return;
    };
    found.add(arn, uri, status, reason);
}

impl Finding {
    fn add(&mut self, arn: Option<&str>, uri: Option<&str>, status: &'static str, reason: String) {
        if self.status != "ERROR" {
            self.status = status;
            self.reason.clone_from(&reason);
        }
        self.resources.push((
            arn.map(str::to_owned),
            uri.map(str::to_owned),
            status,
            reason,
        ));
    }
}

fn addon_compatibility(category: &'static str, cluster: &Cluster, target: &str) -> Finding {
    let mut found = finding(
        category,
        "EKS add-on version compatibility",
        "Checks version of installed EKS add-ons to ensure they are compatible with the target version of Kubernetes.",
        "Update EKS add-ons to a version that is compatible with the target version of Kubernetes.",
        target,
    );
    for addon in cluster.addons.values() {
        let Some(entry) = addon_catalogue::find(&addon.name) else {
            continue;
        };
        if entry.version_for(&addon.version, target).is_some() {
            continue;
        }
        let compatible: Vec<&str> = entry
            .versions
            .iter()
            .filter(|version| version.serves(target))
            .map(|version| version.version)
            .collect();
        let reason = format!(
            "Add-on {} {} is not compatible with Kubernetes {target}",
            addon.name, addon.version
        );
        found.add(Some(&addon.arn), None, "ERROR", reason);
        found.addons.push((addon.name.clone(), compatible));
    }
    found
}

fn skews(
    category: &'static str,
    cluster: &Cluster,
    observed: &Observed,
    target: &str,
) -> [Finding; 2] {
    let mut kubelet = finding(
        category,
        "Kubelet version skew",
        "Checks for kubelet versions of worker nodes in the cluster to see if upgrade would cause non compliance with supported Kubernetes kubelet version skew policy.",
        "Update the nodes to a version that the policy allows.",
        target,
    );
    for group in cluster.node_groups.values() {
        for node in &group.nodes {
            let minor = node
                .kubelet_version
                .trim_start_matches("v1.")
                .split('.')
                .next()
                .and_then(|minor| minor.parse().ok());
            if let Some(minor) = minor {
                let uri = format!("/api/v1/nodes/{}", node.name);
                skew(&mut kubelet, "kubelet", minor, Some(&group.arn), Some(&uri));
            }
        }
    }
    let mut proxy = finding(
        category,
        "kube-proxy version skew",
        "Checks version of kube-proxy in cluster to see if upgrade would cause non compliance with supported Kubernetes kube-proxy version skew policy.",
        "Update kube-proxy to a version that the policy allows.",
        target,
    );
    if let Some(minor) = observed.kube_proxy {
        let uri = "/apis/apps/v1/namespaces/kube-system/daemonsets/kube-proxy";
        skew(&mut proxy, "kube-proxy", minor, None, Some(uri));
    }
    [kubelet, proxy]
}

/// Source of names and descriptions: EKS user guide, cluster insights, and the AWS blog on upgrade
/// insights.
fn findings(cluster: &Cluster, observed: &Observed, now: Timestamp) -> Vec<Finding> {
    let mut all = Vec::new();
    let Some(minor) = versions::number(&cluster.version) else {
        return all;
    };
    let upgrade = "UPGRADE_READINESS";
    let next = format!("1.{}", minor + 1);
    all.extend(skews(upgrade, cluster, observed, &next));
    all.push(addon_compatibility(upgrade, cluster, &next));
    let mut health = finding(
        upgrade,
        "Cluster health issues",
        "Checks for any cluster health issues that prevent successful upgrade to the next Kubernetes version on EKS.",
        "Solve the health issues of the cluster.",
        &next,
    );
    for issue in &cluster.issues {
        health.add(Some(&cluster.arn), None, "ERROR", issue.message.clone());
    }
    all.push(health);
    let mut deprecated = finding(
        upgrade,
        &format!("Deprecated APIs removed in Kubernetes v{next}"),
        "Checks for usage of deprecated APIs that are scheduled for removal. Upgrading your cluster before migrating to the updated APIs could cause application impact.",
        "Update manifests and API clients to use newer Kubernetes APIs if applicable before upgrading.",
        &next,
    );
    for use_of in &observed.deprecated {
        if use_of.removed_release == next {
            let reason = format!("{} is used and no longer served by {next}", path(use_of));
            deprecated.add(None, Some(&path(use_of)), "ERROR", reason);
            deprecated.deprecations.push(use_of.clone());
        }
    }
    all.push(deprecated);
    let back = format!("1.{}", minor.saturating_sub(1));
    if can_roll_back_to(cluster, &back, now) {
        let rollback = "ROLLBACK_READINESS";
        all.extend(skews(rollback, cluster, observed, &back));
        all.push(addon_compatibility(rollback, cluster, &back));
    }
    all
}

fn path(use_of: &DeprecatedUse) -> String {
    if use_of.group.is_empty() {
        format!("/api/{}/{}", use_of.version, use_of.resource)
    } else {
        format!(
            "/apis/{}/{}/{}",
            use_of.group, use_of.version, use_of.resource
        )
    }
}

impl Insight {
    fn status(&self) -> Value {
        json!({ "status": self.finding.status, "reason": self.finding.reason })
    }

    /// Source of the members: botocore model, InsightSummary.
    fn summary(&self) -> Value {
        let found = &self.finding;
        json!({
            "id": self.id,
            "name": found.name,
            "category": found.category,
            "kubernetesVersion": found.version,
            "lastRefreshTime": epoch(self.refreshed_at),
            "lastTransitionTime": epoch(self.changed_at),
            "description": found.description,
            "insightStatus": self.status(),
        })
    }

    /// Source of the members: botocore model, Insight.
    fn show(&self) -> Value {
        let found = &self.finding;
        let resources: Vec<Value> = found
            .resources
            .iter()
            .map(|(arn, uri, status, reason)| {
                json!({
                    "insightStatus": { "status": status, "reason": reason },
                    "kubernetesResourceUri": uri,
                    "arn": arn,
                })
            })
            .collect();
        let deprecations: Vec<Value> = found
            .deprecations
            .iter()
            .map(|use_of| {
                json!({
                    "usage": path(use_of),
                    "replacedWith": null,
                    "stopServingVersion": use_of.removed_release,
                    "startServingReplacementVersion": null,
                    "clientStats": [],
                })
            })
            .collect();
        let addons: Vec<Value> = found
            .addons
            .iter()
            .map(|(name, versions)| json!({ "name": name, "compatibleVersions": versions }))
            .collect();
        let mut shown = self.summary();
        shown["recommendation"] = json!(found.recommendation);
        shown["additionalInfo"] = json!({});
        shown["resources"] = json!(resources);
        shown["categorySpecificSummary"] = json!({
            "deprecationDetails": deprecations,
            "addonCompatibilityDetails": addons,
        });
        shown
    }
}

/// Makes the insights anew.
async fn make(core: &Core, name: &str) -> Result<(), ApiError> {
    let backend = &core.config.backend;
    let daemon_set = json!({
        "apiVersion": "apps/v1", "kind": "DaemonSet",
        "metadata": { "name": "kube-proxy", "namespace": "kube-system" },
    });
    let failed = |error: crate::backend::BackendError| {
        ApiError::new(
            Code::Server,
            format!(
                "The cluster could not be looked at: {}",
                crate::clusters::with_causes(&error)
            ),
        )
        .cluster(name)
    };
    let proxy = backend
        .get_object(name, &daemon_set)
        .await
        .map_err(failed)?;
    let observed = Observed {
        deprecated: backend.deprecated_uses(name).await.map_err(failed)?,
        kube_proxy: proxy.and_then(|object| {
            let image = object
                .pointer("/spec/template/spec/containers/0/image")?
                .as_str()?;
            let (_, tag) = image.rsplit_once(":v1.")?;
            tag.split('.').next()?.parse().ok()
        }),
    };
    let now = core.now();
    let mut store = core.store();
    let cluster = store.cluster_mut(name)?;
    let all = findings(cluster, &observed, now);
    let version = cluster.version.clone();
    let insights = &mut cluster.insights;
    insights.all = all
        .into_iter()
        .map(|finding| {
            let key = (finding.category, finding.name.clone());
            let known = insights
                .known
                .entry(key)
                .or_insert_with(|| (uuid::Uuid::new_v4().to_string(), finding.status, now));
            if known.1 != finding.status {
                known.1 = finding.status;
                known.2 = now;
            }
            Insight {
                id: known.0.clone(),
                finding,
                refreshed_at: now,
                changed_at: known.2,
            }
        })
        .collect();
    insights.made = Some((now, version));
    Ok(())
}

/// Makes the insights anew if they are too old or of another version of the cluster. Not verified: the
/// latter.
async fn make_if_old(core: &Core, name: &str) -> Result<(), ApiError> {
    let fresh = {
        let store = core.store();
        let cluster = store.cluster(name)?;
        if cluster.endpoint.is_none() {
            return Err(ApiError::new(
                Code::InvalidRequest,
                format!("Cluster {name} is in status {}", cluster.status.name()),
            )
            .cluster(name));
        }
        cluster.insights.made.as_ref().is_some_and(|(at, version)| {
            *version == cluster.version && core.now().duration_since(*at) < LIFETIME
        })
    };
    if fresh {
        Ok(())
    } else {
        make(core, name).await
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ListRequest {
    filter: Option<Filter>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Filter {
    categories: Option<Vec<String>>,
    kubernetes_versions: Option<Vec<String>>,
    statuses: Option<Vec<String>>,
}

/// Source: API reference, ListInsights (a POST with the filter and the page in its body).
pub(crate) async fn list(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let (request, _) = call.body::<ListRequest>()?;
    let filter = request.filter.unwrap_or_default();
    let categories = [
        "UPGRADE_READINESS",
        "MISCONFIGURATION",
        "ROLLBACK_READINESS",
    ];
    for category in filter.categories.iter().flatten() {
        one_of("category", category, &categories).map_err(|error| error.cluster(name))?;
    }
    for status in filter.statuses.iter().flatten() {
        one_of(
            "status",
            status,
            &["PASSING", "WARNING", "ERROR", "UNKNOWN"],
        )
        .map_err(|error| error.cluster(name))?;
    }
    make_if_old(core, name).await?;
    let store = core.store();
    let is = |wanted: &Option<Vec<String>>, value: &str| {
        wanted
            .as_ref()
            .is_none_or(|wanted| wanted.is_empty() || wanted.iter().any(|one| one == value))
    };
    let mut found: Vec<&Insight> = store
        .cluster(name)?
        .insights
        .all
        .iter()
        .filter(|insight| {
            is(&filter.categories, insight.finding.category)
                && is(&filter.kubernetes_versions, &insight.finding.version)
                && is(&filter.statuses, insight.finding.status)
        })
        .collect();
    found.sort_by(|a, b| a.id.cmp(&b.id));
    let limit = request.max_results.map(|limit| limit.to_string());
    let next = pages::cut_by(
        &mut found,
        (limit.as_deref(), request.next_token.as_deref()),
        Code::InvalidParameter,
        |insight| insight.id.clone(),
    )?;
    let summaries: Vec<Value> = found.iter().map(|insight| insight.summary()).collect();
    Ok(json!({ "insights": summaries, "nextToken": next }))
}

/// Source: API reference, DescribeInsight; text not verified.
pub(crate) async fn describe(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let (name, id) = (call.part(0), call.part(1));
    make_if_old(core, name).await?;
    let store = core.store();
    let all = &store.cluster(name)?.insights.all;
    all.iter()
        .find(|insight| insight.id == id)
        .map(|insight| json!({ "insight": insight.show() }))
        .ok_or_else(|| {
            ApiError::new(Code::ResourceNotFound, format!("Insight not found: {id}")).cluster(name)
        })
}

/// Source: API reference, StartInsightsRefresh; the text, and that a second one while one runs is
/// refused, are not verified.
pub(crate) fn start_refresh(core: &Arc<Core>, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0).to_owned();
    {
        let now = core.now();
        let mut store = core.store();
        let cluster = store.cluster_mut(&name)?;
        crate::node_groups::refuse_unless_usable(cluster).map_err(|error| error.cluster(&name))?;
        if matches!(&cluster.insights.refresh, Some(refresh) if refresh.ended_at.is_none()) {
            return Err(ApiError::new(
                Code::InvalidRequest,
                "An insights refresh is already in progress.",
            )
            .cluster(&name));
        }
        cluster.insights.refresh = Some(Refresh {
            started_at: now,
            ended_at: None,
        });
    }
    let faults = call.hits.transition.clone();
    let transition = core.clone();
    core.spawn(async move {
        let core = transition;
        core.config
            .clock
            .sleep(core.config.timings.cluster_config_update)
            .await;
        faults.wait().await;
        let made = make(&core, &name).await;
        if let Err(error) = made {
            tracing::warn!(cluster = name, message = error.message, "no new insights");
        }
        let now = core.now();
        if let Ok(cluster) = core.store().cluster_mut(&name)
            && let Some(refresh) = &mut cluster.insights.refresh
        {
            refresh.ended_at = Some(now);
        }
    });
    Ok(json!({ "message": "Insights refresh started.", "status": "IN_PROGRESS" }))
}

/// Source: API reference, DescribeInsightsRefresh; what it says before the first one is not verified.
pub(crate) fn describe_refresh(core: &Core, call: &Call<'_>) -> Result<Value, ApiError> {
    let name = call.part(0);
    let store = core.store();
    let refresh = store.cluster(name)?.insights.refresh.as_ref();
    let refresh = refresh.ok_or_else(|| {
        ApiError::new(
            Code::ResourceNotFound,
            format!("No insights refresh was started for cluster {name}"),
        )
        .cluster(name)
    })?;
    Ok(json!({
        "message": null,
        "status": if refresh.ended_at.is_some() { "COMPLETED" } else { "IN_PROGRESS" },
        "startedAt": epoch(refresh.started_at),
        "endedAt": refresh.ended_at.map(epoch),
    }))
}
