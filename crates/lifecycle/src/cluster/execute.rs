//! Observe, plan, do, until nothing is missing.

use super::api::{Api, UpdateState};
use super::error::{ClusterError, StepContext, seconds};
use super::model::{
    ClusterStatus, DesiredCluster, FoundCluster, Issuer, NodeGroupStatus, Observed, PendingUpdate,
    Removal,
};
use super::names;
use super::observe::Observer;
use super::plan::{Action, Part, PlanError, Step, plan, plan_removal};
use super::refusal::subject_of;
use crate::aws::{ApiError, Aws, AwsError, ErrorClass};
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;
use std::time::Duration;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// How long a role of ours may stay invisible after it was made (IAM is eventually consistent).
const ROLE_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// The same for a given principal: it may have been made seconds ago by another resource of the same
/// apply, but it may also be mistyped, and that must be told soon.
const GIVEN_ROLE_PATIENCE: Duration = Duration::from_secs(60);
/// How long another change may hold EKS up: it does hidden work for minutes after an update.
const CONFLICT_PATIENCE: Duration = Duration::from_secs(20 * 60);
/// How long IAM may refuse a deletion after what blocked it is gone.
const IAM_CONFLICT_PATIENCE: Duration = Duration::from_secs(60);
/// How long AWS may be unreachable while something is waited for.
const OUTAGE_PATIENCE: Duration = Duration::from_secs(5 * 60);
/// How often a call is repeated after the SDK's own repetitions.
const RETRIES: u32 = 4;
/// How often a step is done before it is called hopeless.
const EXECUTIONS: u32 = 3;
/// How often the world is looked at again when a done step does not show.
const SECOND_LOOKS: u32 = 6;
/// How often an unchanged wait is logged.
const REPORT_INTERVAL: Duration = Duration::from_secs(30);

/// How fast the world is looked at while something is waited for.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// The first interval.
    pub first: Duration,
    /// The longest interval; each is half as long again as the one before, with jitter.
    pub longest: Duration,
}

impl Default for Pace {
    /// Half a second, growing to the 15 seconds that suit AWS's minutes.
    fn default() -> Self {
        Self {
            first: Duration::from_millis(500),
            longest: Duration::from_secs(15),
        }
    }
}

/// What happens, for whoever watches.
#[derive(Debug, Clone)]
pub struct Progress {
    /// What is being done or waited for, and why.
    pub message: String,
    /// Time since the start.
    pub elapsed: Duration,
}

/// Someone who watches a run.
pub type Watcher = Arc<dyn Fn(&Progress) + Send + Sync>;

/// How a run is bounded and watched.
#[derive(Clone)]
pub struct Options {
    /// The longest time the run may take.
    pub timeout: Duration,
    /// Ends the run between two calls.
    pub cancel: CancellationToken,
    /// Called for each step and, now and then, for a wait.
    pub progress: Option<Watcher>,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("timeout", &self.timeout)
            .finish_non_exhaustive()
    }
}

impl Options {
    /// A run of at most this length that nobody cancels or watches.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self {
            timeout,
            cancel: CancellationToken::new(),
            progress: None,
        }
    }
}

/// The state that a run reached, and how it ended.
#[derive(Debug)]
pub struct Outcome {
    /// What was last observed; empty if nothing could be.
    pub observed: Observed,
    /// Whether `observed` comes from AWS: false when not even the first look succeeded.
    pub observed_any: bool,
    /// How it ended.
    pub result: Result<(), ClusterError>,
}

/// Observes, makes, changes and removes clusters.
#[derive(Debug, Clone)]
pub struct Engine {
    aws: Aws,
    pace: Pace,
}

/// What a run leads to.
enum Goal<'a> {
    Apply(&'a DesiredCluster),
    Remove(&'a Removal),
}

impl Goal<'_> {
    fn plan(&self, observed: &Observed) -> Result<Vec<Step>, PlanError> {
        match self {
            Self::Apply(desired) => plan(desired, observed),
            Self::Remove(removal) => plan_removal(removal, observed),
        }
    }
}

impl Engine {
    /// An engine at AWS's pace.
    #[must_use]
    pub fn new(aws: Aws) -> Self {
        Self {
            aws,
            pace: Pace::default(),
        }
    }

    /// The same engine at another pace.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.pace = pace;
        self
    }

    /// What exists of a cluster now. Nothing is written. `oidc_provider_arn` is the provider that the
    /// state knows: when the cluster is gone, its issuer can no longer be asked for.
    ///
    /// # Errors
    /// When the account cannot be used or AWS does not answer; never because nothing exists.
    pub async fn observe(
        &self,
        name: &str,
        owner: &str,
        oidc_provider_arn: Option<&str>,
    ) -> Result<Observed, ClusterError> {
        let mut observer = self.observer(name, owner).await?;
        observer.oidc_provider_arn = oidc_provider_arn.map(str::to_owned);
        observer
            .all()
            .await
            .map_err(|error| self.unreadable(name, error))
    }

    /// Finds a cluster, whoever made it; `None` when there is none of the name. Nothing is written.
    /// Needs `eks:DescribeCluster`, `eks:ListNodegroups` and `iam:GetOpenIDConnectProvider` only.
    ///
    /// # Errors
    /// When the account cannot be used or AWS does not answer.
    pub async fn look_up(&self, name: &str) -> Result<Option<FoundCluster>, ClusterError> {
        let mut observer = self.observer(name, "").await?;
        observer
            .found()
            .await
            .map_err(|error| self.unreadable(name, error))
    }

    /// Looks for the OIDC provider of a cluster's issuer, whoever made them. Nothing is written. Needs
    /// `eks:DescribeCluster` and `iam:GetOpenIDConnectProvider` only.
    ///
    /// # Errors
    /// When the account cannot be used or AWS does not answer.
    pub async fn issuer(&self, name: &str) -> Result<Issuer, ClusterError> {
        let mut observer = self.observer(name, "").await?;
        observer
            .issuer()
            .await
            .map_err(|error| self.unreadable(name, error))
    }

    /// Makes the cluster what is desired, from whatever exists.
    pub async fn apply(&self, desired: &DesiredCluster, options: &Options) -> Outcome {
        match self.observer(&desired.name, &desired.owner).await {
            Ok(mut observer) => {
                observer.search_oidc_providers = true;
                self.run(Goal::Apply(desired), observer, options).await
            }
            Err(error) => Outcome::before(error.into()),
        }
    }

    /// Removes the cluster and all that was made for it, whatever of it exists.
    pub async fn destroy(&self, removal: &Removal, options: &Options) -> Outcome {
        match self.observer(&removal.name, &removal.owner).await {
            Ok(mut observer) => {
                observer.oidc_provider_arn = removal.oidc_provider_arn.clone();
                observer.search_oidc_providers = true;
                observer.list_fargate_profiles = true;
                self.run(Goal::Remove(removal), observer, options).await
            }
            Err(error) => Outcome::before(error.into()),
        }
    }

    async fn observer(&self, name: &str, owner: &str) -> Result<Observer, AwsError> {
        let identity = self.aws.caller_identity().await?;
        Ok(Observer {
            aws: self.aws.clone(),
            cluster: name.to_owned(),
            region: self.aws.region().to_owned(),
            partition: self.aws.partition().to_owned(),
            account_id: identity.account_id.clone(),
            owner: owner.to_owned(),
            oidc_provider_arn: None,
            search_oidc_providers: false,
            list_fargate_profiles: false,
            foreign_oidc_providers: BTreeSet::new(),
        })
    }

    fn unreadable(&self, cluster: &str, error: ApiError) -> ClusterError {
        match self.aws.explain(error) {
            AwsError::Call(source) => ClusterError::Observe {
                cluster: cluster.to_owned(),
                source,
            },
            other => ClusterError::Account(other),
        }
    }

    async fn run(&self, goal: Goal<'_>, observer: Observer, options: &Options) -> Outcome {
        let started = Instant::now();
        let mut run = Run {
            engine: self,
            api: Api {
                aws: self.aws.clone(),
                cluster: observer.cluster.clone(),
            },
            cluster: observer.cluster.clone(),
            observer,
            options,
            started,
            observed: Observed::default(),
            observed_any: false,
            made_here: BTreeSet::new(),
            done: HashMap::new(),
            troubles: HashMap::new(),
            last_refusal: None,
            version_checked: false,
            interval: self.pace.first,
            last_wait: None,
        };
        let result = run.drive(&goal).await;
        if result.is_err() && run.observed_any {
            // The state that is returned is what really exists now, as far as AWS still answers.
            if let Ok(observed) = run.observer.all().await {
                run.observed = observed;
            }
        }
        Outcome {
            observed: run.observed,
            observed_any: run.observed_any,
            result,
        }
    }
}

impl Outcome {
    fn before(error: ClusterError) -> Self {
        Self {
            observed: Observed::default(),
            observed_any: false,
            result: Err(error),
        }
    }
}

/// A step that is refused for a passing reason.
struct Trouble {
    since: Instant,
    tries: u32,
}

/// A step that was done.
#[derive(Default)]
struct Done {
    executions: u32,
    second_looks: u32,
}

struct Run<'a> {
    engine: &'a Engine,
    api: Api,
    cluster: String,
    observer: Observer,
    options: &'a Options,
    started: Instant,
    observed: Observed,
    observed_any: bool,
    /// Node groups, and the cluster under its own name with a slash, that were seen being made in
    /// this run: if they fail, the run ends instead of making them again.
    made_here: BTreeSet<String>,
    done: HashMap<String, Done>,
    troubles: HashMap<String, Trouble>,
    last_refusal: Option<ApiError>,
    version_checked: bool,
    interval: Duration,
    last_wait: Option<(String, Instant)>,
}

const THE_CLUSTER: &str = "/cluster";

impl Run<'_> {
    async fn drive(&mut self, goal: &Goal<'_>) -> Result<(), ClusterError> {
        self.observe_all(false).await?;
        let mut changed = false;
        loop {
            self.note_what_is_made();
            self.check_failures(goal)?;
            let steps = goal.plan(&self.observed)?;
            if steps.is_empty() {
                if !changed {
                    return Ok(());
                }
                // The parts were read one by one; a last look at the whole finds what was missed.
                self.observe_all(true).await?;
                changed = false;
                continue;
            }
            self.check_limits(&steps)?;
            self.check_version(goal, &steps).await?;
            let (waits, work): (Vec<&Step>, Vec<&Step>) = steps
                .iter()
                .filter(|step| step.after.is_empty())
                .partition(|step| step.action.is_wait());
            let mut progressed = false;
            for step in work {
                if self.options.cancel.is_cancelled() {
                    break;
                }
                progressed |= self.execute(step).await?;
                changed = true;
            }
            if progressed {
                self.interval = self.engine.pace.first;
                continue;
            }
            for wait in &waits {
                self.report_wait(wait);
            }
            self.pause().await;
            let mut parts: BTreeSet<Part> = waits.iter().map(|step| step.action.part()).collect();
            parts.extend(self.second_look_parts(&steps));
            for part in parts {
                self.refresh(&part).await?;
            }
            self.follow_updates().await?;
            changed = true;
        }
    }

    /// Does a step. Returns whether it was done; false means that it must wait.
    async fn execute(&mut self, step: &Step) -> Result<bool, ClusterError> {
        let id = step.action.id();
        if let Some(done) = self.done.get_mut(&id) {
            if done.second_looks < SECOND_LOOKS {
                done.second_looks += 1;
                return Ok(false);
            }
            if done.executions >= EXECUTIONS {
                return Err(ClusterError::NotConverging {
                    context: Box::new(StepContext::new(step, &self.observed, &self.cluster, None)),
                    executions: done.executions,
                });
            }
            done.second_looks = 0;
        }
        let description = step.action.description();
        tracing::info!(
            cluster = %self.cluster,
            reason = %step.reason,
            "EKS cluster {}: {description}",
            self.cluster
        );
        self.report(format!("{description}: {}", step.reason));
        match self.api.call(&step.action).await {
            Ok(update) => {
                let subject = subject_of(&step.action, &self.observed);
                self.observed
                    .updates
                    .extend(update.map(|update| PendingUpdate { subject, ..update }));
                self.succeeded(&id, &step.action);
            }
            Err(error) if is_done_already(&step.action, &error) => {
                tracing::debug!(cluster = %self.cluster, %error, "{description}: nothing left to do");
                self.succeeded(&id, &step.action);
            }
            Err(error) => {
                self.failed(step, &id, error)?;
                self.refresh(&step.action.part()).await?;
                return Ok(false);
            }
        }
        self.refresh(&step.action.part()).await?;
        Ok(true)
    }

    fn succeeded(&mut self, id: &str, action: &Action) {
        self.troubles.remove(id);
        self.done.entry(id.to_owned()).or_default().executions += 1;
        match action {
            Action::CreateCluster(_) => {
                self.made_here.insert(THE_CLUSTER.to_owned());
            }
            Action::CreateNodeGroup(group) => {
                self.made_here.insert(group.name.clone());
                // A group that was removed to be made again may be removed again.
                self.done.remove(
                    &Action::DeleteNodeGroup {
                        name: group.name.clone(),
                    }
                    .id(),
                );
            }
            _ => {}
        }
    }

    /// Decides whether a refusal passes. `Ok` means that the step is tried again later.
    fn failed(&mut self, step: &Step, id: &str, error: ApiError) -> Result<(), ClusterError> {
        let context = Box::new(StepContext::new(
            step,
            &self.observed,
            &self.cluster,
            Some(&error),
        ));
        let trouble = self
            .troubles
            .entry(id.to_owned())
            .or_insert_with(|| Trouble {
                since: Instant::now(),
                tries: 0,
            });
        trouble.tries += 1;
        let (tries, elapsed) = (trouble.tries, trouble.since.elapsed());
        let patient = match error.class {
            ErrorClass::RoleNotVisible => elapsed < role_patience(&step.action, &self.observed),
            ErrorClass::ConflictInProgress if error.service == "IAM" => {
                elapsed < IAM_CONFLICT_PATIENCE
            }
            ErrorClass::ConflictInProgress => {
                !is_held_by_others(&step.action, &error) && elapsed < CONFLICT_PATIENCE
            }
            ErrorClass::Retryable | ErrorClass::AlreadyExists => tries < RETRIES,
            ErrorClass::NotFound => tries < RETRIES,
            // The world was seen before the first write: the call may have had its effect, and the
            // look that follows waits until AWS can be reached again.
            ErrorClass::Unreachable => elapsed < OUTAGE_PATIENCE,
            ErrorClass::Credentials => {
                return Err(ClusterError::Account(self.engine.aws.explain(error)));
            }
            _ => {
                return Err(ClusterError::Step {
                    context,
                    source: Box::new(error),
                });
            }
        };
        if !patient {
            return Err(if tries == 1 {
                ClusterError::Step {
                    context,
                    source: Box::new(error),
                }
            } else {
                ClusterError::GaveUp {
                    context,
                    tries,
                    elapsed,
                    source: Box::new(error),
                }
            });
        }
        tracing::info!(cluster = %self.cluster, %error, tries, "{}: trying again", step.action.description());
        self.last_refusal = Some(error);
        Ok(())
    }

    fn check_limits(&self, steps: &[Step]) -> Result<(), ClusterError> {
        let missing = || steps.iter().map(|step| step.action.description()).collect();
        if self.options.cancel.is_cancelled() {
            return Err(ClusterError::Cancelled {
                cluster: self.cluster.clone(),
                remaining: missing(),
            });
        }
        if self.started.elapsed() >= self.options.timeout {
            let ready = steps
                .iter()
                .filter(|step| step.after.is_empty())
                .map(|step| step.action.description())
                .collect();
            return Err(ClusterError::Deadline {
                cluster: self.cluster.clone(),
                limit: self.options.timeout,
                waiting: ready,
                source: self.last_refusal.clone().map(Box::new),
            });
        }
        Ok(())
    }

    /// Refuses a version that EKS does not offer, before anything is made for it. If EKS does not
    /// tell what it offers (it needs a permission of its own), the refused call will tell.
    async fn check_version(&mut self, goal: &Goal<'_>, steps: &[Step]) -> Result<(), ClusterError> {
        let Goal::Apply(desired) = goal else {
            return Ok(());
        };
        let moves = |step: &Step| {
            matches!(
                step.action,
                Action::CreateCluster(_) | Action::UpdateClusterVersion { .. }
            )
        };
        if self.version_checked || !steps.iter().any(moves) {
            return Ok(());
        }
        self.version_checked = true;
        let offered = match self.api.offered_versions().await {
            Ok(offered) => offered,
            Err(error) => {
                tracing::debug!(cluster = %self.cluster, %error, "the version is not checked beforehand");
                return Ok(());
            }
        };
        if offered.is_empty() || offered.contains(&desired.version) {
            return Ok(());
        }
        Err(ClusterError::UnknownVersion {
            cluster: self.cluster.clone(),
            wanted: desired.version,
            offered: offered.into_iter().collect(),
        })
    }

    fn note_what_is_made(&mut self) {
        if let Some(cluster) = &self.observed.cluster
            && cluster.status == ClusterStatus::Creating
        {
            self.made_here.insert(THE_CLUSTER.to_owned());
        }
        for (name, group) in &self.observed.node_groups {
            if group.status == NodeGroupStatus::Creating {
                self.made_here.insert(name.clone());
            }
        }
    }

    /// Ends an apply whose own creations failed.
    fn check_failures(&self, goal: &Goal<'_>) -> Result<(), ClusterError> {
        if matches!(goal, Goal::Remove(_)) {
            return Ok(());
        }
        if let Some(cluster) = &self.observed.cluster
            && cluster.status == ClusterStatus::Failed
            && self.made_here.contains(THE_CLUSTER)
        {
            return Err(ClusterError::ClusterFailed {
                cluster: self.cluster.clone(),
                issues: joined(&cluster.issues),
            });
        }
        for (name, group) in &self.observed.node_groups {
            if group.status == NodeGroupStatus::CreateFailed && self.made_here.contains(name) {
                return Err(ClusterError::NodeGroupFailed {
                    cluster: self.cluster.clone(),
                    name: name.clone(),
                    key: names::node_group_key(name, group).to_owned(),
                    status: group.status,
                    issues: joined(&group.issues),
                });
            }
        }
        Ok(())
    }

    /// Parts of steps that were done and still are in the plan.
    fn second_look_parts(&self, steps: &[Step]) -> Vec<Part> {
        steps
            .iter()
            .filter(|step| step.after.is_empty() && self.done.contains_key(&step.action.id()))
            .map(|step| step.action.part())
            .collect()
    }

    async fn observe_all(&mut self, patient: bool) -> Result<(), ClusterError> {
        let updates = std::mem::take(&mut self.observed.updates);
        let since = Instant::now();
        loop {
            match self.observer.all().await {
                Ok(observed) => {
                    self.observed = observed;
                    self.observed.updates = updates;
                    self.observed_any = true;
                    return Ok(());
                }
                Err(error) => self.outage(error, since, patient).await?,
            }
        }
    }

    async fn refresh(&mut self, part: &Part) -> Result<(), ClusterError> {
        let since = Instant::now();
        while let Err(error) = self.observer.part(&mut self.observed, part).await {
            self.outage(error, since, true).await?;
        }
        Ok(())
    }

    /// Waits out an outage of AWS or of the network, within bounds.
    async fn outage(
        &mut self,
        error: ApiError,
        since: Instant,
        patient: bool,
    ) -> Result<(), ClusterError> {
        let passing = matches!(error.class, ErrorClass::Retryable | ErrorClass::Unreachable);
        let time_left = self.started.elapsed() < self.options.timeout;
        if patient
            && passing
            && time_left
            && since.elapsed() < OUTAGE_PATIENCE
            && !self.options.cancel.is_cancelled()
        {
            tracing::warn!(cluster = %self.cluster, %error, "looking again");
            self.pause().await;
            return Ok(());
        }
        Err(self.engine.unreadable(&self.cluster, error))
    }

    /// Asks after running updates and forgets those that are over.
    async fn follow_updates(&mut self) -> Result<(), ClusterError> {
        for update in self.observed.updates.clone() {
            let since = Instant::now();
            let state = loop {
                match self.api.update_state(&update).await {
                    Ok(state) => break state,
                    Err(error) => self.outage(error, since, true).await?,
                }
            };
            if state == UpdateState::Running {
                continue;
            }
            self.observed.updates.retain(|other| other.id != update.id);
            let part = match &update.node_group {
                Some(name) => Part::NodeGroup(name.clone()),
                None => Part::Cluster,
            };
            self.refresh(&part).await?;
            if let UpdateState::Failed(errors) = state {
                return Err(ClusterError::UpdateFailed {
                    cluster: self.cluster.clone(),
                    what: update.description,
                    subject: update.subject,
                    errors: if errors.is_empty() {
                        vec!["EKS names no reason".to_owned()]
                    } else {
                        errors
                    },
                });
            }
        }
        Ok(())
    }

    fn report(&self, message: String) {
        if let Some(progress) = &self.options.progress {
            progress(&Progress {
                message,
                elapsed: self.started.elapsed(),
            });
        }
    }

    fn report_wait(&mut self, step: &Step) {
        let description = step.action.description();
        let due = self
            .last_wait
            .as_ref()
            .is_none_or(|(text, at)| *text != description || at.elapsed() >= REPORT_INTERVAL);
        if due {
            tracing::info!(
                cluster = %self.cluster,
                reason = %step.reason,
                "EKS cluster {}: {description}, {} so far",
                self.cluster,
                seconds(&self.started.elapsed())
            );
            self.report(description.clone());
            self.last_wait = Some((description, Instant::now()));
        }
    }

    /// Sleeps for the present interval, jittered so that many runs do not ask at the same moment,
    /// and at most to the end of the allowed time.
    async fn pause(&mut self) {
        let jitter = RandomState::new().build_hasher().finish() % 400;
        let share = 0.8 + jitter as f64 / 1000.0;
        let left = self.options.timeout.saturating_sub(self.started.elapsed());
        let pause = self.interval.mul_f64(share).min(left);
        self.interval = self.interval.mul_f64(1.5).min(self.engine.pace.longest);
        tokio::select! {
            () = tokio::time::sleep(pause) => {}
            () = self.options.cancel.cancelled() => {}
        }
    }
}

/// How long a step may be refused for the principal that it names.
fn role_patience(action: &Action, observed: &Observed) -> Duration {
    let principal = match action {
        Action::CreateCluster(cluster) => &cluster.role_arn,
        Action::CreateNodeGroup(group) => &group.node_role,
        Action::CreateAccessEntry { principal_arn, .. }
        | Action::AssociatePolicy { principal_arn, .. } => principal_arn,
        _ => return ROLE_PATIENCE,
    };
    let ours = [&observed.cluster_role, &observed.node_role]
        .into_iter()
        .flatten()
        .any(|role| role.arn == *principal);
    if ours {
        ROLE_PATIENCE
    } else {
        GIVEN_ROLE_PATIENCE
    }
}

fn joined(issues: &[String]) -> String {
    if issues.is_empty() {
        "EKS names no issue".to_owned()
    } else {
        issues.join("; ")
    }
}

/// Whether a refusal means that the step's effect is there already.
fn is_done_already(action: &Action, error: &ApiError) -> bool {
    let removes = matches!(
        action,
        Action::DeleteCluster
            | Action::DeleteNodeGroup { .. }
            | Action::DeleteRole { .. }
            | Action::DetachPolicy { .. }
            | Action::DeleteInlinePolicy { .. }
            | Action::DeleteOidcProvider { .. }
            | Action::DeleteAccessEntry { .. }
            | Action::DisassociatePolicy { .. }
    );
    match error.class {
        ErrorClass::NotFound => removes,
        ErrorClass::NoChange => true,
        _ => false,
    }
}

/// Whether a cluster cannot be deleted because of what others put into it: waiting does not help.
fn is_held_by_others(action: &Action, error: &ApiError) -> bool {
    let message = error.message.to_lowercase();
    matches!(action, Action::DeleteCluster)
        && (message.contains("fargate") || message.contains("capabilit"))
}

#[cfg(test)]
mod tests {
    use super::{GIVEN_ROLE_PATIENCE, ROLE_PATIENCE, role_patience};
    use crate::cluster::model::{AccessEntry, Observed, ObservedRole, RoleChoice};
    use crate::cluster::plan::tests::{desired, set};
    use crate::cluster::plan::{Action, plan};
    use std::collections::BTreeSet;

    /// A mistyped role must not hold an apply up as long as one that was just made.
    #[test]
    fn patience_with_given_and_managed_roles() {
        let mut given = desired();
        given.cluster_role = RoleChoice::Given("arn:aws:iam::1:role/theirs".to_owned());
        let create = |action: &Action| matches!(action, Action::CreateCluster(_));
        let mut observed = Observed::default();
        let step = |desired, observed: &Observed| {
            let steps = plan(desired, observed).unwrap();
            steps.into_iter().find(|step| create(&step.action)).unwrap()
        };
        assert_eq!(
            role_patience(&step(&given, &observed).action, &observed),
            GIVEN_ROLE_PATIENCE
        );
        observed.cluster_role = Some(ObservedRole {
            arn: "arn:aws:iam::1:role/ours".to_owned(),
            created_at: None,
            trusted_services: set(["eks.amazonaws.com"]),
            attached_policies: BTreeSet::new(),
            inline_policies: BTreeSet::new(),
            permissions_boundary: None,
            tags: crate::cluster::names::ownership("state-a", "platform", "g1"),
        });
        assert_eq!(
            role_patience(&step(&desired(), &observed).action, &observed),
            ROLE_PATIENCE
        );
        let entry = Action::CreateAccessEntry {
            principal_arn: "arn:aws:iam::1:role/mistyped".to_owned(),
            entry: AccessEntry::default(),
        };
        assert_eq!(role_patience(&entry, &observed), GIVEN_ROLE_PATIENCE);
    }
}
