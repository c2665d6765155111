//! Waiting for objects, and naming the culprit when the time is up.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use futures::StreamExt as _;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::{Cluster, ListOptions};
use crate::error::{Error, describe};
use crate::object::ObjectReference;
use crate::readiness::{Readiness, being_deleted, container_problem, readiness};

/// Polls start so often and slow down to [`EARLY_POLL`], and after [`EARLY`] to [`SLOWEST_POLL`]. Most
/// waits are short: a namespace takes the controller 5 s, a pod a few.
const FIRST_POLL: Duration = Duration::from_millis(250);
const EARLY_POLL: Duration = Duration::from_millis(750);
const EARLY: Duration = Duration::from_secs(15);
const SLOWEST_POLL: Duration = Duration::from_secs(3);

/// Objects that are asked for at the same time.
const PARALLEL: usize = 8;

/// How long the last question, and the search for evidence, may take when the time is up.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// How often progress is logged.
const PROGRESS_EVERY: Duration = Duration::from_secs(10);

/// Pods that a report names; a Deployment of 100 fails for one reason, not for 100.
const PODS_TOLD: usize = 2;

/// An object that is not as it should be, and what is known about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Culprit {
    /// The object.
    pub object: ObjectReference,
    /// Why it is not ready, or not gone.
    pub reason: String,
    /// Pods, events, log lines: each a line of its own.
    pub evidence: Vec<String>,
}

impl fmt::Display for Culprit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.object, self.reason)?;
        for line in &self.evidence {
            write!(f, "\n  {line}")?;
        }
        Ok(())
    }
}

/// Why a wait ended without success.
#[derive(Debug, thiserror::Error)]
pub enum WaitError {
    /// Objects failed, or were not ready when the time was up.
    #[error("{}", told(.culprits, .waited))]
    NotReady {
        /// What holds it up.
        culprits: Vec<Culprit>,
        /// How long the wait took; `None` when an object failed before the time was up.
        waited: Option<Duration>,
    },
    /// The user asked to stop.
    #[error("stopped while waiting for {}", list(.waiting_for))]
    Cancelled {
        /// Objects that were not ready yet.
        waiting_for: Vec<ObjectReference>,
    },
    /// The API server could not be asked.
    #[error("the wait cannot go on")]
    Api(#[source] Box<Error>),
}

/// The culprits come first: that the time is up explains nothing.
fn told(culprits: &[Culprit], waited: &Option<Duration>) -> String {
    let mut lines: Vec<_> = culprits.iter().map(ToString::to_string).collect();
    if let Some(waited) = waited {
        lines.push(format!(
            "the wait was given up after {} s",
            waited.as_secs()
        ));
    }
    lines.join("\n")
}

fn list(objects: &[ObjectReference]) -> String {
    let shown: Vec<_> = objects.iter().take(5).map(ToString::to_string).collect();
    match objects.len().saturating_sub(5) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Objects, and the UIDs of those that are known by one.
pub type Targets = BTreeMap<ObjectReference, Option<String>>;

/// What is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    Ready,
    Gone,
}

/// Waits until all objects are ready.
///
/// # Errors
/// [`WaitError::NotReady`] as soon as one object fails for good, or when the deadline passes.
pub async fn until_ready(
    cluster: &Cluster,
    objects: Vec<ObjectReference>,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<(), WaitError> {
    let targets = objects.into_iter().map(|object| (object, None)).collect();
    wait(cluster, targets, Goal::Ready, deadline, stop).await
}

/// Waits until all objects are gone. With a UID, an object that was made since under the name does not
/// count.
///
/// # Errors
/// [`WaitError::NotReady`] names the finalizers and namespace conditions that hold them.
pub async fn until_gone(
    cluster: &Cluster,
    objects: Targets,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<(), WaitError> {
    wait(cluster, objects, Goal::Gone, deadline, stop).await
}

async fn wait(
    cluster: &Cluster,
    objects: Targets,
    goal: Goal,
    deadline: Instant,
    stop: &CancellationToken,
) -> Result<(), WaitError> {
    let started = Instant::now();
    let mut last_told = started;
    let mut poll = FIRST_POLL;
    let mut waiting = objects;
    // An unreachable API in the middle of a wait is waited out too; its error is told at the deadline.
    let mut last_error: Option<Error> = None;
    loop {
        let judged = tokio::select! {
            judged = judge(cluster, &waiting, goal) => judged,
            () = stop.cancelled() => {
                return Err(WaitError::Cancelled { waiting_for: waiting.into_keys().collect() });
            }
            () = tokio::time::sleep_until(deadline.max(Instant::now()) + LAST_LOOK) => waiting
                .keys()
                .map(|object| (object.clone(), Err(cluster.silent())))
                .collect(),
        };
        let mut reasons: BTreeMap<ObjectReference, (String, Option<Value>)> = BTreeMap::new();
        let mut failed = Vec::new();
        for (object, verdict) in judged {
            match verdict {
                Ok((Readiness::Ready, _)) => {}
                Ok((Readiness::InProgress(reason), live)) => {
                    reasons.insert(object, (reason, live));
                }
                Ok((Readiness::Failed(reason), live)) => {
                    failed.push((object.clone(), reason.clone(), live.clone()));
                    reasons.insert(object, (reason, live));
                }
                Err(error) if error.is_transient() => {
                    reasons.insert(object, (describe(&error), None));
                    last_error = Some(error);
                }
                Err(error) => return Err(WaitError::Api(Box::new(error))),
            }
        }
        if !failed.is_empty() {
            let culprits = investigate_all(cluster, failed).await;
            return Err(WaitError::NotReady {
                culprits,
                waited: None,
            });
        }
        waiting.retain(|object, _| reasons.contains_key(object));
        if waiting.is_empty() {
            return Ok(());
        }
        let now = Instant::now();
        if now >= deadline {
            if let Some(error) = last_error
                && reasons.values().all(|(_, live)| live.is_none())
                && error.is_no_answer()
            {
                return Err(WaitError::Api(Box::new(error)));
            }
            let late = reasons
                .into_iter()
                .map(|(object, (reason, live))| (object, reason, live))
                .collect();
            return Err(WaitError::NotReady {
                culprits: investigate_all(cluster, late).await,
                waited: Some(now - started),
            });
        }
        if now - last_told >= PROGRESS_EVERY {
            last_told = now;
            for (object, (reason, _)) in reasons.iter().take(5) {
                tracing::info!(object = %object, reason, waiting = reasons.len(), "still waiting");
            }
        }
        let pause = poll.min(deadline - now);
        tokio::select! {
            () = stop.cancelled() => {
                return Err(WaitError::Cancelled { waiting_for: waiting.into_keys().collect() });
            }
            () = tokio::time::sleep(pause) => {}
        }
        let slowest = if now - started < EARLY {
            EARLY_POLL
        } else {
            SLOWEST_POLL
        };
        poll = (poll * 3 / 2).min(slowest);
    }
}

type Verdict = Result<(Readiness, Option<Value>), Error>;

async fn judge(
    cluster: &Cluster,
    objects: &Targets,
    goal: Goal,
) -> Vec<(ObjectReference, Verdict)> {
    let calls: Vec<_> = objects
        .clone()
        .into_iter()
        .map(|(object, uid)| async move {
            let verdict = match (goal, cluster.get(&object).await) {
                (_, Err(error)) => Err(error),
                (Goal::Ready, Ok(Some(live))) => Ok((readiness(&live), Some(live))),
                (Goal::Ready, Ok(None)) => Ok((
                    Readiness::InProgress(
                        "it was deleted by someone else while it was waited for".to_owned(),
                    ),
                    None,
                )),
                (Goal::Gone, Ok(Some(live))) if is_another(&live, uid.as_deref()) => {
                    Ok((Readiness::Ready, None))
                }
                (Goal::Gone, Ok(Some(live))) => {
                    Ok((Readiness::InProgress(being_deleted(&live)), Some(live)))
                }
                (Goal::Gone, Ok(None)) => Ok((Readiness::Ready, None)),
            };
            (object, verdict)
        })
        .collect();
    futures::stream::iter(calls)
        .buffer_unordered(PARALLEL)
        .collect()
        .await
}

fn is_another(live: &Value, uid: Option<&str>) -> bool {
    let found = live.pointer("/metadata/uid").and_then(Value::as_str);
    uid.is_some_and(|uid| found.is_some_and(|found| found != uid))
}

async fn investigate_all(
    cluster: &Cluster,
    objects: Vec<(ObjectReference, String, Option<Value>)>,
) -> Vec<Culprit> {
    let calls: Vec<_> = objects
        .into_iter()
        .map(|(object, reason, live)| async move {
            let evidence = match &live {
                Some(live) => {
                    let evidence = evidence(cluster, &object, live);
                    let evidence = tokio::time::timeout(LAST_LOOK, evidence).await;
                    evidence.unwrap_or_default()
                }
                None => Vec::new(),
            };
            Culprit {
                object,
                reason,
                evidence,
            }
        })
        .collect();
    let mut culprits: Vec<Culprit> = futures::stream::iter(calls)
        .buffer_unordered(PARALLEL)
        .collect()
        .await;
    culprits.sort_by(|a, b| a.object.cmp(&b.object));
    culprits
}

/// What the cluster knows about an object that is not ready. What cannot be read is left out: the
/// report must not fail for a missing permission.
async fn evidence(cluster: &Cluster, object: &ObjectReference, live: &Value) -> Vec<String> {
    let mut lines = Vec::new();
    let Some(namespace) = object.namespace.as_deref() else {
        return lines;
    };
    let mut unready = 0;
    for pod in pods_of(cluster, namespace, live).await {
        let verdict = readiness(&pod);
        let Some(reason) = verdict.reason() else {
            continue;
        };
        unready += 1;
        if unready > PODS_TOLD {
            continue;
        }
        let name = pod
            .pointer("/metadata/name")
            .and_then(Value::as_str)
            .unwrap_or("");
        // A Pod's own reason is told already.
        if object.kind != "Pod" {
            lines.push(format!("Pod {name}: {reason}"));
        }
        if let Some(event) = last_warning(cluster, namespace, &pod).await {
            lines.push(format!("  last event: {event}"));
        }
        if let Some(problem) = container_problem(&pod) {
            let previous = problem.restarts > 0;
            if let Ok(log) = cluster
                .logs(namespace, name, &problem.container, 3, previous)
                .await
            {
                for line in log.lines().filter(|line| !line.trim().is_empty()) {
                    lines.push(format!(
                        "  log: {}",
                        line.chars().take(200).collect::<String>()
                    ));
                }
            }
        }
    }
    if unready > PODS_TOLD {
        lines.push(format!("and {} more pods", unready - PODS_TOLD));
    }
    if lines.is_empty()
        && let Some(event) = last_warning(cluster, namespace, live).await
    {
        lines.push(format!("last event: {event}"));
    }
    lines
}

async fn pods_of(cluster: &Cluster, namespace: &str, live: &Value) -> Vec<Value> {
    let kind = live.get("kind").and_then(Value::as_str).unwrap_or("");
    if kind == "Pod" {
        return vec![live.clone()];
    }
    if !matches!(
        kind,
        "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet" | "Job"
    ) {
        return Vec::new();
    }
    let Some(labels) = live
        .pointer("/spec/selector/matchLabels")
        .and_then(Value::as_object)
    else {
        return Vec::new();
    };
    let selector: Vec<String> = labels
        .iter()
        .map(|(name, value)| format!("{name}={}", value.as_str().unwrap_or("")))
        .collect();
    let options = ListOptions {
        namespace: Some(namespace),
        labels: Some(&selector.join(",")),
        fields: None,
    };
    cluster
        .list("v1", "Pod", &options)
        .await
        .unwrap_or_default()
}

async fn last_warning(cluster: &Cluster, namespace: &str, object: &Value) -> Option<String> {
    let uid = object.pointer("/metadata/uid")?.as_str()?;
    let options = ListOptions {
        namespace: Some(namespace),
        labels: None,
        fields: Some(&format!("involvedObject.uid={uid},type=Warning")),
    };
    let events = cluster.list("v1", "Event", &options).await.ok()?;
    let time = |event: &Value| {
        [
            "/lastTimestamp",
            "/series/lastObservedTime",
            "/eventTime",
            "/metadata/creationTimestamp",
        ]
        .iter()
        .find_map(|pointer| {
            event
                .pointer(pointer)
                .and_then(Value::as_str)
                .map(str::to_owned)
        })
    };
    let event = events.into_iter().max_by_key(time)?;
    let part = |name: &str| {
        event
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or("")
            .trim()
            .to_owned()
    };
    Some(format!("{}: {}", part("reason"), part("message")))
}
