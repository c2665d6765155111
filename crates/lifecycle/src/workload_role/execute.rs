//! Observe, plan, do, until nothing is missing.

use super::error::{RoleError, refused_subject};
use super::model::{Claim, DesiredRole, ObservedRole, StringMap};
use super::plan::{Action, PlanError, plan, plan_removal};
use crate::aws::{ApiError, Aws, AwsError, ErrorClass};
use crate::cluster::Options;
use crate::cluster::names::{COMPLETE, CREATION};
use crate::iam::{self, absent, iam_call};
use crate::policy_document::percent_decode;
use std::collections::HashMap;
use std::time::Duration;
use tokio::time::Instant;

/// How long IAM may show an old world, or refuse for a passing reason: it is eventually consistent.
const PATIENCE: Duration = Duration::from_secs(2 * 60);
/// How often a call is repeated after the SDK's own repetitions.
const RETRIES: u32 = 4;
/// How often a step is done before it is called hopeless.
const EXECUTIONS: u32 = 8;
/// The first pause before another look; each is half as long again as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Observes, makes, changes and removes roles of workloads.
#[derive(Debug, Clone)]
pub struct Engine {
    aws: Aws,
}

/// The role that a run reached, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was last observed; none when nothing could be, or there is no role.
    pub observed: Option<ObservedRole>,
    /// Whether `observed` comes from AWS: false when not even the first look succeeded.
    pub observed_any: bool,
    /// How it ended.
    pub result: Result<(), RoleError>,
}

/// What a run leads to.
enum Goal<'a> {
    Apply(&'a DesiredRole),
    Remove {
        name: &'a str,
        owner: &'a str,
        claim: &'a Claim,
    },
}

impl Goal<'_> {
    fn name(&self) -> &str {
        match self {
            Self::Apply(desired) => &desired.name,
            Self::Remove { name, .. } => name,
        }
    }

    fn plan(&self, observed: Option<&ObservedRole>) -> Result<Vec<Action>, PlanError> {
        match self {
            Self::Apply(desired) => plan(desired, observed),
            Self::Remove { name, owner, claim } => plan_removal(name, owner, claim, observed),
        }
    }
}

/// How often an action was done, and how often and since when it was refused.
#[derive(Debug)]
struct History {
    executions: u32,
    refusals: u32,
    since: Instant,
}

impl Engine {
    /// An engine in the account.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self { aws }
    }

    /// The role as it is now; `None` when there is none of the name. Nothing is written.
    ///
    /// # Errors
    /// When the account cannot be used or AWS does not answer.
    pub async fn observe(&self, name: &str) -> Result<Option<ObservedRole>, RoleError> {
        self.aws.caller_identity().await?;
        self.read(name)
            .await
            .map_err(|error| self.unreadable(name, error))
    }

    /// Makes the role what is desired, from whatever exists.
    pub async fn apply(&self, desired: &DesiredRole, options: &Options) -> Outcome {
        self.run(&Goal::Apply(desired), options).await
    }

    /// Removes the role, whatever of it exists.
    pub async fn destroy(
        &self,
        name: &str,
        owner: &str,
        claim: &Claim,
        options: &Options,
    ) -> Outcome {
        self.run(&Goal::Remove { name, owner, claim }, options)
            .await
    }

    fn unreadable(&self, name: &str, error: ApiError) -> RoleError {
        match self.aws.explain(error) {
            AwsError::Call(source) => RoleError::Observe {
                name: name.to_owned(),
                source,
            },
            other => RoleError::Account(other),
        }
    }

    async fn run(&self, goal: &Goal<'_>, options: &Options) -> Outcome {
        let mut outcome = Outcome {
            observed: None,
            observed_any: false,
            result: Ok(()),
        };
        outcome.result = self.drive(goal, options, &mut outcome).await;
        if outcome.result.is_err()
            && outcome.observed_any
            && let Ok(observed) = self.read(goal.name()).await
        {
            // What really exists now, as far as AWS still answers.
            outcome.observed = observed;
        }
        outcome
    }

    async fn drive(
        &self,
        goal: &Goal<'_>,
        options: &Options,
        outcome: &mut Outcome,
    ) -> Result<(), RoleError> {
        let name = goal.name();
        let started = Instant::now();
        let mut history: HashMap<String, History> = HashMap::new();
        let mut pause = FIRST_PAUSE;
        self.aws.caller_identity().await?;
        loop {
            outcome.observed = self
                .look(name, options, started, outcome.observed_any)
                .await?;
            outcome.observed_any = true;
            let actions = goal.plan(outcome.observed.as_ref())?;
            if actions.is_empty() {
                return Ok(());
            }
            let mut again = false;
            for (index, action) in actions.iter().enumerate() {
                let remaining = || -> Vec<String> {
                    let left = actions.iter().skip(index);
                    left.map(Action::description).collect()
                };
                if options.cancel.is_cancelled() {
                    return Err(RoleError::Cancelled {
                        name: name.to_owned(),
                        remaining: remaining(),
                    });
                }
                if started.elapsed() >= options.timeout {
                    return Err(RoleError::Deadline {
                        name: name.to_owned(),
                        limit: options.timeout,
                        remaining: remaining(),
                    });
                }
                let past = history
                    .entry(action.description())
                    .or_insert_with(|| History {
                        executions: 0,
                        refusals: 0,
                        since: Instant::now(),
                    });
                if past.executions >= EXECUTIONS {
                    return Err(RoleError::NotConverging {
                        name: name.to_owned(),
                        what: action.description(),
                        executions: past.executions,
                        subject: action.subject(),
                    });
                }
                again |= past.executions > 0;
                tracing::info!(role = %name, "IAM role {name}: {}", action.description());
                match self.call(name, action).await {
                    Ok(()) => past.executions += 1,
                    Err(error) if error.class == ErrorClass::NotFound && action.removes() => {}
                    Err(error) => {
                        past.refusals += 1;
                        let gone_on_for = past.since.elapsed();
                        if !passes(action, &error, past.refusals) || gone_on_for >= PATIENCE {
                            return Err(self.refused(name, action, past.refusals, error));
                        }
                        tracing::info!(role = %name, %error, "IAM role {name}: {}: trying again", action.description());
                        // What follows may depend on it.
                        again = true;
                        break;
                    }
                }
            }
            if again {
                wait(pause, options, started).await;
                pause = pause.mul_f64(1.5).min(LONGEST_PAUSE);
            }
        }
    }

    /// Reads the role; outages are waited out once AWS has answered in this run.
    async fn look(
        &self,
        name: &str,
        options: &Options,
        started: Instant,
        patient: bool,
    ) -> Result<Option<ObservedRole>, RoleError> {
        let since = Instant::now();
        let mut pause = FIRST_PAUSE;
        loop {
            let error = match self.read(name).await {
                Ok(observed) => return Ok(observed),
                Err(error) => error,
            };
            let passing = matches!(error.class, ErrorClass::Retryable | ErrorClass::Unreachable);
            if !patient
                || !passing
                || since.elapsed() >= PATIENCE
                || started.elapsed() >= options.timeout
                || options.cancel.is_cancelled()
            {
                return Err(self.unreadable(name, error));
            }
            tracing::warn!(role = %name, %error, "looking again");
            wait(pause, options, started).await;
            pause = pause.mul_f64(1.5).min(LONGEST_PAUSE);
        }
    }

    fn refused(&self, name: &str, action: &Action, tries: u32, error: ApiError) -> RoleError {
        if error.class == ErrorClass::Credentials {
            return RoleError::Account(self.aws.explain(error));
        }
        RoleError::Step {
            name: name.to_owned(),
            what: action.description(),
            tries,
            subject: refused_subject(action, &error),
            source: Box::new(error),
        }
    }

    async fn read(&self, name: &str) -> Result<Option<ObservedRole>, ApiError> {
        let Some(role) = iam::role(&self.aws, name).await? else {
            return Ok(None);
        };
        let mut inline_policies = StringMap::new();
        for policy in &role.inline_policies {
            let resource = format!("inline policy {policy} of role {name}");
            let call = self
                .aws
                .iam()
                .get_role_policy()
                .role_name(name)
                .policy_name(policy);
            // It may have gone in between.
            if let Some(answer) = absent(iam_call!("GetRolePolicy", resource, call))? {
                inline_policies.insert(policy.clone(), percent_decode(&answer.policy_document));
            }
        }
        Ok(Some(ObservedRole {
            permissions_boundary: role.permissions_boundary(),
            tags: role.tags(),
            assume_role_policy: role
                .role
                .assume_role_policy_document
                .as_deref()
                .map(percent_decode)
                .unwrap_or_default(),
            max_session_duration: role.role.max_session_duration.unwrap_or(3600),
            arn: role.role.arn,
            unique_id: role.role.role_id,
            policy_arns: role.attached_policies,
            inline_policies,
        }))
    }

    async fn call(&self, name: &str, action: &Action) -> Result<(), ApiError> {
        let client = self.aws.iam();
        let resource = format!("role {name}");
        match action {
            Action::Create {
                assume_role_policy,
                permissions_boundary,
                max_session_duration,
                tags,
            } => {
                let call = client
                    .create_role()
                    .role_name(name)
                    .assume_role_policy_document(assume_role_policy)
                    .set_permissions_boundary(permissions_boundary.clone())
                    .max_session_duration(*max_session_duration)
                    .set_tags(Some(iam::tags(tags)?));
                iam_call!("CreateRole", resource, call).map(|_| ())
            }
            Action::SetTrust { assume_role_policy } => {
                let call = client
                    .update_assume_role_policy()
                    .role_name(name)
                    .policy_document(assume_role_policy);
                iam_call!("UpdateAssumeRolePolicy", resource, call).map(|_| ())
            }
            Action::SetBoundary {
                permissions_boundary: Some(arn),
            } => {
                let call = client
                    .put_role_permissions_boundary()
                    .role_name(name)
                    .permissions_boundary(arn);
                iam_call!("PutRolePermissionsBoundary", resource, call).map(|_| ())
            }
            Action::SetBoundary { .. } => {
                let call = client.delete_role_permissions_boundary().role_name(name);
                iam_call!("DeleteRolePermissionsBoundary", resource, call).map(|_| ())
            }
            Action::SetMaxSessionDuration {
                max_session_duration,
            } => {
                let call = client
                    .update_role()
                    .role_name(name)
                    .max_session_duration(*max_session_duration);
                iam_call!("UpdateRole", resource, call).map(|_| ())
            }
            Action::Tag { set, remove } => {
                if !set.is_empty() {
                    self.tag(name, set).await?;
                }
                if !remove.is_empty() {
                    let call = client
                        .untag_role()
                        .role_name(name)
                        .set_tag_keys(Some(remove.iter().cloned().collect()));
                    iam_call!("UntagRole", resource, call)?;
                }
                Ok(())
            }
            Action::Attach { policy_arn } => {
                let call = client
                    .attach_role_policy()
                    .role_name(name)
                    .policy_arn(policy_arn);
                iam_call!("AttachRolePolicy", resource, call).map(|_| ())
            }
            Action::Detach { policy_arn } => {
                let call = client
                    .detach_role_policy()
                    .role_name(name)
                    .policy_arn(policy_arn);
                iam_call!("DetachRolePolicy", resource, call).map(|_| ())
            }
            Action::PutInline { policy, document } => {
                let call = client
                    .put_role_policy()
                    .role_name(name)
                    .policy_name(policy)
                    .policy_document(document);
                iam_call!("PutRolePolicy", resource, call).map(|_| ())
            }
            Action::DeleteInline { policy } => {
                let call = client
                    .delete_role_policy()
                    .role_name(name)
                    .policy_name(policy);
                iam_call!("DeleteRolePolicy", resource, call).map(|_| ())
            }
            Action::MarkComplete => {
                let complete = StringMap::from([(CREATION.to_owned(), COMPLETE.to_owned())]);
                self.tag(name, &complete).await
            }
            Action::Delete => {
                let call = client.delete_role().role_name(name);
                iam_call!("DeleteRole", resource, call).map(|_| ())
            }
        }
    }

    async fn tag(&self, name: &str, set: &StringMap) -> Result<(), ApiError> {
        let call = self
            .aws
            .iam()
            .tag_role()
            .role_name(name)
            .set_tags(Some(iam::tags(set)?));
        iam_call!("TagRole", format!("role {name}"), call).map(|_| ())
    }
}

/// Whether a refusal may pass by itself.
fn passes(action: &Action, error: &ApiError, refusals: u32) -> bool {
    let text = error.message.to_lowercase();
    match error.class {
        ErrorClass::Retryable => refusals < RETRIES,
        ErrorClass::Unreachable
        | ErrorClass::ConflictInProgress
        | ErrorClass::RoleNotVisible
        | ErrorClass::AlreadyExists => true,
        // A role that was made just now, but not a policy or boundary that does not exist.
        ErrorClass::NotFound => match action {
            Action::Create { .. } | Action::SetBoundary { .. } => false,
            Action::Attach { .. } => !text.contains("policy"),
            _ => true,
        },
        _ => false,
    }
}

async fn wait(pause: Duration, options: &Options, started: Instant) {
    let left = options.timeout.saturating_sub(started.elapsed());
    tokio::select! {
        () = tokio::time::sleep(pause.min(left)) => {}
        () = options.cancel.cancelled() => {}
    }
}
