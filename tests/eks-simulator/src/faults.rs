//! Faults on demand: what goes wrong, for which calls, how often.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch;

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// 429 ThrottlingException before any effect.
    Throttle,
    /// 500 before any effect.
    ServerError,
    /// 503 before any effect. In EKS only creating and deleting clusters and node groups declare
    /// it; the other operations answer it, too, as any service behind a gateway may.
    ServiceUnavailable,
    /// The effect happens, then the answer comes later by this much.
    Delay {
        /// Milliseconds of simulated time.
        milliseconds: u64,
    },
    /// The effect happens, then the connection is closed without an answer.
    LostResponse,
    /// A fresh role is not visible to EKS yet: InvalidParameterException on calls that name a
    /// role or principal (CreateCluster, CreateNodegroup, CreateAccessEntry). EKS only.
    RoleNotVisible,
    /// 409 "update in progress" although nothing is listed: hidden control-plane work. EKS only.
    Busy,
    /// A describe does not see the last write yet: what is being created is not found,
    /// what is being updated or deleted still shows as ACTIVE. EKS clusters and node groups.
    StaleRead,
    /// The node group gets no instances: CREATE_FAILED with a health issue, or a failed update.
    NodeGroupCapacity,
    /// The started transition (create, update, delete) does not end until the fault is cleared.
    Stuck,
    /// The started update ends as Failed with this error; the cluster or node group is ACTIVE
    /// again without the change. EKS only.
    UpdateFails {
        /// A value of the model's `ErrorCode`, such as `IpNotAvailable`.
        error_code: String,
        /// The message.
        error_message: String,
    },
    /// Once the cluster is gone and this much later, what is left of its logs is written, which makes
    /// its log group again. DeleteCluster only.
    LateLogs {
        /// Milliseconds of simulated time.
        milliseconds: u64,
    },
    /// A cluster, node group, add-on or Fargate profile that is being created ends FAILED / CREATE_FAILED with this issue.
    CreateFails {
        /// A value of the model's `ClusterIssueCode` or `NodegroupIssueCode`.
        issue_code: String,
        /// The message.
        issue_message: String,
    },
    /// A cluster, node group, add-on or Fargate profile that is being deleted ends FAILED / DELETE_FAILED with this issue.
    DeleteFails {
        /// A value of the model's `ClusterIssueCode` or `NodegroupIssueCode`.
        issue_code: String,
        /// The message.
        issue_message: String,
    },
}

/// A fault and the calls it applies to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// Signing name of the service: `eks`, `iam`, `sts`, `ec2`, ...
    pub service: String,
    /// Operation name, such as `CreateCluster`; `None` for every operation of the service.
    #[serde(default)]
    pub operation: Option<String>,
    /// Only requests whose path or body contains this text (a cluster or role name, say).
    #[serde(default)]
    pub containing: Option<String>,
    /// How many matching calls pass before the fault acts.
    #[serde(default)]
    pub after: u32,
    /// How many calls it hits; `None` until cleared.
    #[serde(default)]
    pub count: Option<u32>,
    /// What happens.
    #[serde(flatten)]
    pub kind: FaultKind,
}

impl Fault {
    /// A fault on every call of one operation until cleared; narrow it with the other methods.
    pub fn on(service: &str, operation: &str, kind: FaultKind) -> Self {
        Self {
            service: service.to_owned(),
            operation: Some(operation.to_owned()),
            containing: None,
            after: 0,
            count: None,
            kind,
        }
    }

    /// Hits only this many calls.
    #[must_use]
    pub fn times(mut self, count: u32) -> Self {
        self.count = Some(count);
        self
    }

    /// Lets this many matching calls pass first.
    #[must_use]
    pub fn after(mut self, calls: u32) -> Self {
        self.after = calls;
        self
    }

    /// Only requests that contain this text in path or body.
    #[must_use]
    pub fn containing(mut self, text: &str) -> Self {
        self.containing = Some(text.to_owned());
        self
    }
}

/// A fault that is set, as the control API shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ActiveFault {
    /// Number to clear it by.
    pub id: u64,
    /// Calls it has hit so far.
    pub hits: u32,
    /// The fault.
    #[serde(flatten)]
    pub fault: Fault,
}

struct Entry {
    id: u64,
    seen: u32,
    hits: u32,
    fault: Fault,
    cleared: watch::Sender<bool>,
}

/// The set of faults of one simulator.
#[derive(Clone, Default)]
pub struct Faults {
    inner: Arc<Mutex<Inner>>,
}

#[derive(Default)]
struct Inner {
    next_id: u64,
    entries: Vec<Entry>,
}

impl Faults {
    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets a fault; returns the id to clear it by.
    pub fn add(&self, fault: Fault) -> u64 {
        let mut inner = self.lock();
        inner.next_id += 1;
        let id = inner.next_id;
        inner.entries.push(Entry {
            id,
            seen: 0,
            hits: 0,
            fault,
            cleared: watch::Sender::new(false),
        });
        id
    }

    /// Clears one fault and lets what is stuck by it go on; false if there is none of this id.
    pub fn clear(&self, id: u64) -> bool {
        let mut inner = self.lock();
        let Some(index) = inner.entries.iter().position(|entry| entry.id == id) else {
            return false;
        };
        inner.entries.remove(index).cleared.send_replace(true);
        true
    }

    /// Clears all faults.
    pub fn clear_all(&self) {
        for entry in self.lock().entries.drain(..) {
            entry.cleared.send_replace(true);
        }
    }

    /// The faults that are set, oldest first; used-up ones stay until cleared.
    pub fn list(&self) -> Vec<ActiveFault> {
        self.lock()
            .entries
            .iter()
            .map(|entry| ActiveFault {
                id: entry.id,
                hits: entry.hits,
                fault: entry.fault.clone(),
            })
            .collect()
    }

    /// The faults that hit this call; counts it.
    pub(crate) fn hit(&self, service: &str, operation: &str, text: &dyn Fn(&str) -> bool) -> Hits {
        let mut hits = Hits::default();
        for entry in &mut self.lock().entries {
            let fault = &entry.fault;
            let matches = fault.service == service
                && fault
                    .operation
                    .as_ref()
                    .is_none_or(|name| name == operation)
                && fault.containing.as_deref().is_none_or(text);
            if !matches {
                continue;
            }
            entry.seen += 1;
            if entry.seen <= fault.after || fault.count.is_some_and(|count| entry.hits >= count) {
                continue;
            }
            entry.hits += 1;
            hits.add(&fault.kind, &entry.cleared);
        }
        hits
    }
}

/// What hits one call.
#[derive(Debug, Default, Clone)]
pub(crate) struct Hits {
    pub names: Vec<&'static str>,
    pub throttle: bool,
    pub server_error: bool,
    pub unavailable: bool,
    pub delay: Duration,
    pub lost_response: bool,
    pub role_not_visible: bool,
    pub busy: bool,
    pub stale_read: bool,
    pub transition: TransitionFaults,
}

/// What hits the transition a call starts.
#[derive(Debug, Default, Clone)]
pub(crate) struct TransitionFaults {
    pub capacity: bool,
    /// When late logs are written after the end of a cluster.
    pub late_logs: Option<Duration>,
    /// Code and message of the failure.
    pub fails: Option<(String, String)>,
    /// Hold the transition until every one of these is true.
    pub stuck: Vec<watch::Receiver<bool>>,
}

impl TransitionFaults {
    /// Waits until no fault holds the transition.
    pub(crate) async fn wait(&self) {
        for cleared in &self.stuck {
            // The sender is dropped only with the fault set itself; then nothing holds any more.
            let _ = cleared.clone().wait_for(|cleared| *cleared).await;
        }
    }
}

impl Hits {
    fn add(&mut self, kind: &FaultKind, cleared: &watch::Sender<bool>) {
        self.names.push(match kind {
            FaultKind::Throttle => {
                self.throttle = true;
                "throttle"
            }
            FaultKind::ServerError => {
                self.server_error = true;
                "server_error"
            }
            FaultKind::ServiceUnavailable => {
                self.unavailable = true;
                "service_unavailable"
            }
            FaultKind::Delay { milliseconds } => {
                self.delay += Duration::from_millis(*milliseconds);
                "delay"
            }
            FaultKind::LostResponse => {
                self.lost_response = true;
                "lost_response"
            }
            FaultKind::RoleNotVisible => {
                self.role_not_visible = true;
                "role_not_visible"
            }
            FaultKind::Busy => {
                self.busy = true;
                "busy"
            }
            FaultKind::StaleRead => {
                self.stale_read = true;
                "stale_read"
            }
            FaultKind::NodeGroupCapacity => {
                self.transition.capacity = true;
                "node_group_capacity"
            }
            FaultKind::Stuck => {
                self.transition.stuck.push(cleared.subscribe());
                "stuck"
            }
            FaultKind::LateLogs { milliseconds } => {
                self.transition.late_logs = Some(Duration::from_millis(*milliseconds));
                "late_logs"
            }
            FaultKind::UpdateFails {
                error_code,
                error_message,
            } => {
                self.transition.fails = Some((error_code.clone(), error_message.clone()));
                "update_fails"
            }
            FaultKind::CreateFails {
                issue_code,
                issue_message,
            } => {
                self.transition.fails = Some((issue_code.clone(), issue_message.clone()));
                "create_fails"
            }
            FaultKind::DeleteFails {
                issue_code,
                issue_message,
            } => {
                self.transition.fails = Some((issue_code.clone(), issue_message.clone()));
                "delete_fails"
            }
        });
    }
}
