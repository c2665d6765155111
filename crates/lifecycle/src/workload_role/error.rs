//! Why a run ended before its goal.

use super::plan::{Action, PlanError, Subject};
use crate::aws::{ApiError, AwsError, ErrorClass};
use std::time::Duration;

/// Why a run ended before its goal.
#[derive(Debug, Clone, thiserror::Error)]
pub enum RoleError {
    /// There is no usable account.
    #[error(transparent)]
    Account(#[from] AwsError),
    /// The role that is there may not be changed.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The role could not be read.
    #[error("the IAM role {name} could not be read")]
    Observe {
        /// Name of the role.
        name: String,
        /// What AWS said.
        #[source]
        source: Box<ApiError>,
    },
    /// A step failed.
    #[error("the IAM role {name}: {what}: AWS refused, tried {tries} times")]
    Step {
        /// Name of the role.
        name: String,
        /// What was done.
        what: String,
        /// How often it was tried.
        tries: u32,
        /// What of the configuration it is about, where that is known.
        subject: Option<Subject>,
        /// What AWS said last.
        #[source]
        source: Box<ApiError>,
    },
    /// Time is up.
    #[error(
        "the IAM role {name}: not done after {} s; what is left: {}. Apply again to carry on, or allow more time in \
         timeouts", .limit.as_secs(), .remaining.join("; ")
    )]
    Deadline {
        /// Name of the role.
        name: String,
        /// The limit.
        limit: Duration,
        /// What was missing.
        remaining: Vec<String>,
    },
    /// The user stopped the run.
    #[error(
        "the IAM role {name}: stopped on request; what is left: {}. Apply again to carry on",
        .remaining.join("; ")
    )]
    Cancelled {
        /// Name of the role.
        name: String,
        /// What was missing.
        remaining: Vec<String>,
    },
    /// A step succeeds and does not show.
    #[error(
        "the IAM role {name}: {what}: AWS accepts it, but {executions} times it did not show afterwards; something \
         else may be changing the role back"
    )]
    NotConverging {
        /// Name of the role.
        name: String,
        /// What was done.
        what: String,
        /// How often.
        executions: u32,
        /// What of the configuration it is about.
        subject: Option<Subject>,
    },
}

impl RoleError {
    /// What of the configuration the error is about.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match self {
            Self::Plan(_) => Some(Subject::Attribute("name")),
            Self::Step { subject, .. } | Self::NotConverging { subject, .. } => subject.clone(),
            Self::Deadline { .. } => Some(Subject::Attribute("timeouts")),
            Self::Account(_) | Self::Observe { .. } | Self::Cancelled { .. } => None,
        }
    }
}

/// What of the configuration a refused action is about.
pub(super) fn refused_subject(action: &Action, error: &ApiError) -> Option<Subject> {
    // Neither a missing permission nor an outage is about what is written in the resource.
    if matches!(
        error.class,
        ErrorClass::AccessDenied | ErrorClass::Retryable | ErrorClass::Unreachable
    ) {
        return None;
    }
    let text = error.message.to_lowercase();
    let code = error.code.as_deref().unwrap_or_default();
    match action {
        // IAM calls a boundary that is not there a scope.
        Action::Create {
            permissions_boundary: Some(arn),
            ..
        } if text.contains("boundary") || text.contains("scope") || error.message.contains(arn) => {
            Some(Subject::Attribute("permissions_boundary"))
        }
        Action::Create { .. } if code.starts_with("MalformedPolicyDocument") => {
            Some(Subject::Attribute("service_account"))
        }
        Action::Create { .. } if text.contains("tag") => Some(Subject::Attribute("tags")),
        Action::Create { .. } if code.starts_with("LimitExceeded") => None,
        action => action.subject(),
    }
}
