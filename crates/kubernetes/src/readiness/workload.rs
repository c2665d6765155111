//! Kinds that run pods.

use serde_json::Value;

use super::{Readiness, conditions, number, text};

fn count(object: &Value, pointer: &str) -> i64 {
    number(object, pointer).unwrap_or(0)
}

/// The replicas asked for; the API's default is one.
fn wanted(object: &Value) -> i64 {
    number(object, "/spec/replicas").unwrap_or(1)
}

pub(super) fn deployment(object: &Value) -> Readiness {
    let find = |wanted: &str| conditions(object).find(|condition| condition.name == wanted);
    if number(object, "/status/observedGeneration").is_none() {
        return Readiness::in_progress("its controller has not seen it yet");
    }
    if let Some(condition) =
        find("Progressing").filter(|condition| condition.reason == "ProgressDeadlineExceeded")
    {
        return Readiness::failed(condition.explain());
    }
    let wanted = wanted(object);
    let updated = count(object, "/status/updatedReplicas");
    let all = count(object, "/status/replicas");
    let available = count(object, "/status/availableReplicas");
    let ready = count(object, "/status/readyReplicas");
    let progress = if updated < wanted {
        Some(format!(
            "{updated} of {wanted} replicas are of the new version"
        ))
    } else if all > updated {
        Some(format!(
            "{} replicas of the old version are being ended",
            all - updated
        ))
    } else if ready < wanted {
        Some(format!("{ready} of {wanted} replicas are ready"))
    } else if available < wanted {
        Some(format!("{available} of {wanted} replicas are available"))
    } else {
        None
    };
    match progress {
        None => Readiness::Ready,
        Some(mut reason) => {
            if let Some(failure) =
                find("ReplicaFailure").filter(|condition| condition.status == "True")
            {
                reason = format!("{reason}; {}", failure.explain());
            }
            Readiness::in_progress(reason)
        }
    }
}

pub(super) fn replica_set(object: &Value) -> Readiness {
    let wanted = wanted(object);
    let available = count(object, "/status/availableReplicas");
    if let Some(failure) = conditions(object)
        .find(|condition| condition.name == "ReplicaFailure" && condition.status == "True")
    {
        return Readiness::in_progress(failure.explain());
    }
    let all = count(object, "/status/replicas");
    if number(object, "/status/replicas").is_none() {
        Readiness::in_progress("its controller has not seen it yet")
    } else if available < wanted {
        Readiness::in_progress(format!("{available} of {wanted} replicas are available"))
    } else if all > wanted {
        Readiness::in_progress(format!(
            "{} replicas too many are being ended",
            all - wanted
        ))
    } else {
        Readiness::Ready
    }
}

pub(super) fn stateful_set(object: &Value) -> Readiness {
    if text(object, "/spec/updateStrategy/type") == Some("OnDelete") {
        return Readiness::Ready;
    }
    if number(object, "/status/observedGeneration").is_none() {
        return Readiness::in_progress("its controller has not seen it yet");
    }
    let wanted = wanted(object);
    let ready = count(object, "/status/readyReplicas");
    if ready < wanted {
        return Readiness::in_progress(format!("{ready} of {wanted} replicas are ready"));
    }
    let all = count(object, "/status/replicas");
    if all > wanted {
        return Readiness::in_progress(format!(
            "{} replicas too many are being ended",
            all - wanted
        ));
    }
    // With a partition only the pods from that ordinal on are updated.
    let partition = count(object, "/spec/updateStrategy/rollingUpdate/partition").min(wanted);
    let updated = count(object, "/status/updatedReplicas");
    if updated < wanted - partition {
        return Readiness::in_progress(format!(
            "{updated} of {} replicas are of the new version",
            wanted - partition
        ));
    }
    if partition == 0
        && text(object, "/status/currentRevision") != text(object, "/status/updateRevision")
    {
        return Readiness::in_progress("the new revision is not the current one yet");
    }
    Readiness::Ready
}

pub(super) fn daemon_set(object: &Value) -> Readiness {
    if number(object, "/status/observedGeneration").is_none() {
        return Readiness::in_progress("its controller has not seen it yet");
    }
    let wanted = count(object, "/status/desiredNumberScheduled");
    let on_delete = text(object, "/spec/updateStrategy/type") == Some("OnDelete");
    let updated = count(object, "/status/updatedNumberScheduled");
    let ready = count(object, "/status/numberReady");
    let available = count(object, "/status/numberAvailable");
    if updated < wanted && !on_delete {
        Readiness::in_progress(format!("{updated} of {wanted} pods are of the new version"))
    } else if ready < wanted {
        Readiness::in_progress(format!("{ready} of {wanted} pods are ready"))
    } else if available < wanted {
        Readiness::in_progress(format!("{available} of {wanted} pods are available"))
    } else {
        Readiness::Ready
    }
}

pub(super) fn job(object: &Value) -> Readiness {
    for condition in conditions(object).filter(|condition| condition.status == "True") {
        match condition.name {
            // What is suspended waits for a person, not for us.
            "Complete" | "SuccessCriteriaMet" | "Suspended" => return Readiness::Ready,
            "Failed" | "FailureTarget" => return Readiness::failed(condition.explain()),
            _ => {}
        }
    }
    if object.pointer("/spec/suspend") == Some(&Value::Bool(true)) {
        return Readiness::Ready;
    }
    Readiness::in_progress(format!(
        "{} pods active, {} succeeded of {}, {} failed",
        count(object, "/status/active"),
        count(object, "/status/succeeded"),
        number(object, "/spec/completions").unwrap_or(1),
        count(object, "/status/failed"),
    ))
}

pub(super) fn pod(object: &Value) -> Readiness {
    let find = |wanted: &str| conditions(object).find(|condition| condition.name == wanted);
    match text(object, "/status/phase") {
        Some("Succeeded") => Readiness::Ready,
        Some("Failed") => Readiness::failed(format!(
            "phase Failed: {}",
            text(object, "/status/message")
                .or_else(|| text(object, "/status/reason"))
                .unwrap_or("a container ended with an error")
        )),
        Some("Running") if find("Ready").is_some_and(|condition| condition.status == "True") => {
            Readiness::Ready
        }
        Some(phase) => {
            let unscheduled = find("PodScheduled")
                .filter(|condition| condition.status == "False")
                .map(|condition| condition.explain());
            Readiness::in_progress(
                unscheduled
                    .or_else(|| container_problem(object).map(|problem| problem.to_string()))
                    .unwrap_or_else(|| format!("phase {phase}, not Ready")),
            )
        }
        None => Readiness::in_progress("it has no phase yet"),
    }
}

/// What is wrong with a container of a pod.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ContainerProblem {
    pub container: String,
    pub reason: String,
    pub message: String,
    pub restarts: i64,
}

impl std::fmt::Display for ContainerProblem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "container {}: {}", self.container, self.reason)?;
        if self.restarts > 0 {
            write!(f, " after {} restarts", self.restarts)?;
        }
        if !self.message.is_empty() {
            write!(f, ": {}", self.message)?;
        }
        Ok(())
    }
}

/// The first container of a pod that waits or ended badly.
pub(crate) fn container_problem(pod: &Value) -> Option<ContainerProblem> {
    let statuses = ["/status/initContainerStatuses", "/status/containerStatuses"];
    statuses
        .iter()
        .filter_map(|pointer| pod.pointer(pointer).and_then(Value::as_array))
        .flatten()
        .find_map(|status| {
            let container = text(status, "/name")?.to_owned();
            let restarts = count(status, "/restartCount");
            if let Some(waiting) = status.pointer("/state/waiting") {
                let reason = text(waiting, "/reason").unwrap_or("waiting");
                // These are the way of every start.
                if matches!(reason, "ContainerCreating" | "PodInitializing") {
                    return None;
                }
                return Some(ContainerProblem {
                    container,
                    reason: reason.to_owned(),
                    message: last_exit(status)
                        .unwrap_or_else(|| text(waiting, "/message").unwrap_or("").to_owned()),
                    restarts,
                });
            }
            let ended = status.pointer("/state/terminated")?;
            let code = number(ended, "/exitCode").unwrap_or(0);
            (code != 0).then(|| ContainerProblem {
                container,
                reason: text(ended, "/reason").unwrap_or("Error").to_owned(),
                message: format!("exit code {code}"),
                restarts,
            })
        })
}

fn last_exit(status: &Value) -> Option<String> {
    let ended = status.pointer("/lastState/terminated")?;
    let code = number(ended, "/exitCode")?;
    let reason = text(ended, "/reason").unwrap_or("Error");
    Some(format!("last exit {reason}, exit code {code}"))
}
