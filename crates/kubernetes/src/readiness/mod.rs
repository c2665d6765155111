//! When an object is ready, judged from its JSON alone.
//!
//! The rules are those of kstatus (sigs.k8s.io/cli-utils `pkg/kstatus/status/core.go` and
//! `generic.go`), with Namespace and APIService added. Kept different on purpose:
//! - a Job is ready when it is complete, not when it has started: what comes after it (a migration, a
//!   certificate) may need its result;
//! - a LoadBalancer Service needs its address, and a PersistentVolumeClaim its volume;
//! - a Pod that crash-loops or cannot be scheduled is in progress, not failed: a node that is being
//!   added or a dependency that is being started may still help it. The wait's report names it.
//!
//! Pure: no client, no clock.

mod workload;

pub(crate) use workload::container_problem;

use serde_json::Value;

/// How far an object is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// What was asked for is there.
    Ready,
    /// Not yet, and why.
    InProgress(String),
    /// It will not get there by itself, and why.
    Failed(String),
}

impl Readiness {
    fn in_progress(reason: impl Into<String>) -> Self {
        Readiness::InProgress(reason.into())
    }

    fn failed(reason: impl Into<String>) -> Self {
        Readiness::Failed(reason.into())
    }

    /// Whether it is [`Readiness::Ready`].
    pub fn is_ready(&self) -> bool {
        *self == Readiness::Ready
    }

    /// The reason, if it is not ready.
    pub fn reason(&self) -> Option<&str> {
        match self {
            Readiness::Ready => None,
            Readiness::InProgress(reason) | Readiness::Failed(reason) => Some(reason),
        }
    }
}

/// Judges an object as read from the API server.
pub fn readiness(object: &Value) -> Readiness {
    if object
        .pointer("/metadata/deletionTimestamp")
        .is_some_and(|time| !time.is_null())
    {
        return Readiness::in_progress(being_deleted(object));
    }
    let generation = number(object, "/metadata/generation");
    let observed = number(object, "/status/observedGeneration");
    if let (Some(generation), Some(observed)) = (generation, observed)
        && observed < generation
    {
        return Readiness::in_progress(format!(
            "its controller has seen generation {observed} of {generation}"
        ));
    }
    let api_version = text(object, "/apiVersion").unwrap_or("");
    let group = api_version.split_once('/').map_or("", |(group, _)| group);
    match (group, text(object, "/kind").unwrap_or("")) {
        ("", "Namespace") => namespace(object),
        ("", "Pod") => workload::pod(object),
        ("", "ReplicationController") => workload::replica_set(object),
        ("", "PersistentVolumeClaim") => claim(object),
        ("", "Service") => service(object),
        ("apps", "Deployment") => workload::deployment(object),
        ("apps", "StatefulSet") => workload::stateful_set(object),
        ("apps", "DaemonSet") => workload::daemon_set(object),
        ("apps", "ReplicaSet") => workload::replica_set(object),
        ("batch", "Job") => workload::job(object),
        // Nothing to wait for, and their conditions are about something else.
        ("policy", "PodDisruptionBudget")
        | ("autoscaling", "HorizontalPodAutoscaler")
        | ("batch", "CronJob")
        | ("flowcontrol.apiserver.k8s.io", _)
        | ("certificates.k8s.io", _) => Readiness::Ready,
        ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(object),
        ("apiregistration.k8s.io", "APIService") => required_condition(object, "Available"),
        _ => by_conditions(object),
    }
}

/// What keeps an object that is being deleted: finalizers, and for a namespace its own conditions.
pub fn being_deleted(object: &Value) -> String {
    let mut parts = Vec::new();
    let finalizers: Vec<_> = object
        .pointer("/metadata/finalizers")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .chain(
            object
                .pointer("/spec/finalizers")
                .and_then(Value::as_array)
                .into_iter()
                .flatten(),
        )
        .filter_map(Value::as_str)
        .collect();
    // The namespace controller's own finalizer says nothing; the conditions do.
    if !finalizers.is_empty() && finalizers != ["kubernetes"] {
        parts.push(format!("finalizers {}", finalizers.join(", ")));
    }
    for condition in conditions(object) {
        let name = condition.name;
        if name.starts_with("Namespace") && condition.status == "True" {
            parts.push(format!("{name}: {}", condition.message));
        }
    }
    if parts.is_empty() {
        "it is being deleted".to_owned()
    } else {
        format!("it is being deleted and waits for {}", parts.join("; "))
    }
}

fn namespace(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        Some("Active") => Readiness::Ready,
        Some(phase) => Readiness::in_progress(format!("phase {phase}")),
        None => Readiness::in_progress("it has no phase yet"),
    }
}

fn claim(object: &Value) -> Readiness {
    match text(object, "/status/phase") {
        Some("Bound") => Readiness::Ready,
        Some("Lost") => Readiness::failed("its volume is lost (phase Lost)"),
        phase => Readiness::in_progress(format!(
            "phase {}; a claim whose storage class waits for the first consumer stays so until a pod uses it",
            phase.unwrap_or("unknown")
        )),
    }
}

fn service(object: &Value) -> Readiness {
    if text(object, "/spec/type") != Some("LoadBalancer") {
        return Readiness::Ready;
    }
    let has_address = object
        .pointer("/status/loadBalancer/ingress")
        .and_then(Value::as_array)
        .is_some_and(|ingress| !ingress.is_empty());
    if has_address {
        Readiness::Ready
    } else {
        Readiness::in_progress(
            "its load balancer has no address yet; does a load balancer controller run?",
        )
    }
}

fn definition(object: &Value) -> Readiness {
    for condition in conditions(object) {
        match (condition.name, condition.status) {
            ("NamesAccepted", "False") => {
                return Readiness::failed(format!(
                    "NamesAccepted is False: {}",
                    condition.explain()
                ));
            }
            ("Established", "True") => return Readiness::Ready,
            _ => {}
        }
    }
    Readiness::in_progress("it is not Established")
}

fn required_condition(object: &Value, wanted: &str) -> Readiness {
    match conditions(object).find(|condition| condition.name == wanted) {
        Some(condition) if condition.status == "True" => Readiness::Ready,
        Some(condition) => Readiness::in_progress(format!(
            "{wanted} is {}: {}",
            condition.status,
            condition.explain()
        )),
        None => Readiness::in_progress(format!("it has no condition {wanted} yet")),
    }
}

/// kstatus' rule for kinds that it does not know, and for custom resources: Stalled, Reconciling,
/// Ready. What has no such condition is ready.
fn by_conditions(object: &Value) -> Readiness {
    let find = |wanted: &str| conditions(object).find(|condition| condition.name == wanted);
    if let Some(condition) = find("Stalled").filter(|condition| condition.status == "True") {
        return Readiness::failed(condition.explain());
    }
    if let Some(condition) = find("Reconciling").filter(|condition| condition.status == "True") {
        return Readiness::in_progress(condition.explain());
    }
    match find("Ready") {
        Some(condition) if condition.status != "True" => Readiness::in_progress(format!(
            "Ready is {}: {}",
            condition.status,
            condition.explain()
        )),
        _ => Readiness::Ready,
    }
}

struct Condition<'a> {
    name: &'a str,
    status: &'a str,
    reason: &'a str,
    message: &'a str,
}

impl Condition<'_> {
    fn explain(&self) -> String {
        match (self.reason, self.message) {
            ("", "") => format!("condition {} gives no reason", self.name),
            (reason, "") => reason.to_owned(),
            ("", message) => message.to_owned(),
            (reason, message) => format!("{reason}: {message}"),
        }
    }
}

fn conditions(object: &Value) -> impl Iterator<Item = Condition<'_>> {
    object
        .pointer("/status/conditions")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .map(|condition| Condition {
            name: text(condition, "/type").unwrap_or(""),
            status: text(condition, "/status").unwrap_or("Unknown"),
            reason: text(condition, "/reason").unwrap_or(""),
            message: text(condition, "/message").unwrap_or(""),
        })
}

fn text<'a>(object: &'a Value, pointer: &str) -> Option<&'a str> {
    object.pointer(pointer).and_then(Value::as_str)
}

fn number(object: &Value, pointer: &str) -> Option<i64> {
    object.pointer(pointer).and_then(Value::as_i64)
}

#[cfg(test)]
mod tests;
