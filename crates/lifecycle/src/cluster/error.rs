//! Why a run ended before its goal.

use super::model::{KubernetesVersion, NodeGroupStatus, Observed};
use super::plan::{PlanError, Step, Subject};
use super::refusal::{Refusal, subject_of};
use crate::aws::{ApiError, AwsError};
use std::fmt;
use std::time::Duration;

/// The step during which something failed.
#[derive(Debug, Clone)]
pub struct StepContext {
    /// What was done.
    pub what: String,
    /// Why.
    pub reason: String,
    /// Name of the cluster.
    pub cluster: String,
    /// What of the configuration the refusal is about, where that is known.
    pub subject: Option<Subject>,
    /// What to do about it, where that is known.
    pub remedy: Option<&'static str>,
}

impl StepContext {
    pub(super) fn new(
        step: &Step,
        observed: &Observed,
        cluster: &str,
        error: Option<&ApiError>,
    ) -> Self {
        let refusal = match error {
            Some(error) => Refusal::of(&step.action, error, observed),
            None => Refusal {
                subject: subject_of(&step.action, observed),
                remedy: None,
            },
        };
        Self {
            what: step.action.description(),
            reason: step.reason.clone(),
            cluster: cluster.to_owned(),
            subject: refusal.subject,
            remedy: refusal.remedy,
        }
    }
}

impl fmt::Display for StepContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "EKS cluster {}: {} ({})",
            self.cluster, self.what, self.reason
        )
    }
}

/// Why a run ended before its goal.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClusterError {
    /// There is no usable account.
    #[error(transparent)]
    Account(#[from] AwsError),
    /// No permitted step leads to the goal.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The cluster could not be read.
    #[error("EKS cluster {cluster} could not be read; nothing is known to have changed")]
    Observe {
        /// Name of the cluster.
        cluster: String,
        /// What AWS said.
        #[source]
        source: Box<ApiError>,
    },
    /// EKS does not offer the version.
    #[error(
        "EKS offers no Kubernetes {wanted} for cluster {cluster}; EKS offers {}. Nothing was changed; \
         write one of these as kubernetes_version",
        list(.offered)
    )]
    UnknownVersion {
        /// Name of the cluster.
        cluster: String,
        /// What is configured.
        wanted: KubernetesVersion,
        /// What EKS offers, oldest first.
        offered: Vec<KubernetesVersion>,
    },
    /// A step failed.
    #[error("{context}: AWS refused")]
    Step {
        /// Which.
        context: Box<StepContext>,
        /// What AWS said.
        #[source]
        source: Box<ApiError>,
    },
    /// A step failed in a way that passes, but it did not pass.
    #[error("{context}: still refused after {tries} tries in {}", seconds(.elapsed))]
    GaveUp {
        /// Which.
        context: Box<StepContext>,
        /// How often it was tried.
        tries: u32,
        /// For how long.
        elapsed: Duration,
        /// What AWS said last.
        #[source]
        source: Box<ApiError>,
    },
    /// EKS started an update and reports that it failed.
    #[error("EKS cluster {cluster}: the update to {what} failed: {}; correct the cause and apply again", .errors.join("; "))]
    UpdateFailed {
        /// Name of the cluster.
        cluster: String,
        /// What was updated.
        what: String,
        /// What of the configuration it is about.
        subject: Option<Subject>,
        /// EKS's reasons.
        errors: Vec<String>,
    },
    /// A node group could not be made.
    #[error(
        "node group {name} of EKS cluster {cluster} is {status}: {issues}; \
         correct the cause and apply again: the failed group is then removed and made anew"
    )]
    NodeGroupFailed {
        /// Name of the cluster.
        cluster: String,
        /// AWS name of the group.
        name: String,
        /// The user's key of the group.
        key: String,
        /// Its status.
        status: NodeGroupStatus,
        /// EKS's health issues.
        issues: String,
    },
    /// The cluster could not be made.
    #[error(
        "EKS cluster {cluster} is FAILED: {issues}; \
         correct the cause and apply again: the failed cluster is then removed and made anew"
    )]
    ClusterFailed {
        /// Name of the cluster.
        cluster: String,
        /// EKS's health issues.
        issues: String,
    },
    /// Time is up.
    #[error(
        "EKS cluster {cluster}: not done after {}; it was at: {}. AWS goes on by itself; apply again to carry on, \
         or allow more time in timeouts",
        seconds(.limit), .waiting.join("; ")
    )]
    Deadline {
        /// Name of the cluster.
        cluster: String,
        /// The limit.
        limit: Duration,
        /// What was missing.
        waiting: Vec<String>,
        /// The last refusal, if AWS refused something.
        #[source]
        source: Option<Box<ApiError>>,
    },
    /// The user stopped the run.
    #[error(
        "EKS cluster {cluster}: stopped on request; what was not done: {}. Apply again to carry on",
        .remaining.join("; ")
    )]
    Cancelled {
        /// Name of the cluster.
        cluster: String,
        /// What was missing.
        remaining: Vec<String>,
    },
    /// A step succeeds and does not show.
    #[error(
        "{context}: AWS accepts it, but {executions} times it did not show afterwards; \
         something else may be changing the cluster back"
    )]
    NotConverging {
        /// Which.
        context: Box<StepContext>,
        /// How often it was done.
        executions: u32,
    },
}

impl ClusterError {
    /// What of the cluster resource's configuration the error is about.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Plan(error) => error.subject(),
            Self::UnknownVersion { .. } => Some(Subject::Attribute("kubernetes_version")),
            Self::Step { context, .. }
            | Self::GaveUp { context, .. }
            | Self::NotConverging { context, .. } => context.subject.clone(),
            Self::UpdateFailed { subject, .. } => subject.clone(),
            Self::NodeGroupFailed { key, .. } => Some(Subject::node_group(key)),
            Self::Deadline { .. } => Some(Subject::Attribute("timeouts")),
            _ => None,
        }
    }

    /// What to do about it, where the text of the error does not say it already.
    #[must_use]
    pub fn remedy(&self) -> Option<&'static str> {
        match self {
            Self::Step { context, .. } | Self::GaveUp { context, .. } => context.remedy,
            _ => None,
        }
    }
}

fn list(versions: &[KubernetesVersion]) -> String {
    let texts: Vec<String> = versions.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

pub(super) fn seconds(duration: &Duration) -> String {
    let total = duration.as_secs();
    match (total / 60, total % 60) {
        (0, 0) => format!("{} ms", duration.as_millis()),
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}
