//! The crash harness: the provider is killed before and after every external effect, or loses an
//! answer, and the next apply has to make the world what it would have been.
//!
//! One run of each phase counts its effects. Each point then starts from the same world, is
//! interrupted at its effect, applies again, and compares the account (listed from AWS itself, not
//! by our tags) and the objects of the cluster with those of the run that nothing interrupted.
//!
//! One window cannot be closed: a provider that is killed after the last effect of a creation leaves a
//! finished cluster and no state. The next apply must not take a finished cluster over (it may be
//! another run's of the same owner), so it refuses and names the import; the harness does as it says
//! and reports it.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::Command;
use std::str::FromStr;
use std::sync::Mutex;

use anyhow::{Context, Result, bail, ensure};
use eks_simulator::{Effect, Interruption};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::scenario::Scenario;
use crate::{Core, Workspace, kill_providers, provider_binary};

/// What is made, changed and destroyed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// A `devopsgenie_cluster` with a node group.
    Cluster,
    /// A `devopsgenie_addon_set` in a cluster that stays.
    AddonSet,
}

/// Which apply is interrupted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// From nothing.
    Create,
    /// From one configuration to another.
    Update,
    /// To nothing.
    Destroy,
}

/// One interruption of one effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// What is applied.
    pub subject: Subject,
    /// Which apply.
    pub phase: Phase,
    /// Number of the effect, from 1.
    pub sequence: u64,
    /// How it is interrupted.
    pub how: Interruption,
}

const SUBJECTS: [(Subject, &str); 2] = [
    (Subject::Cluster, "cluster"),
    (Subject::AddonSet, "addon_set"),
];
const PHASES: [(Phase, &str); 3] = [
    (Phase::Create, "create"),
    (Phase::Update, "update"),
    (Phase::Destroy, "destroy"),
];
const INTERRUPTIONS: [(Interruption, &str); 3] = [
    (Interruption::KilledBefore, "killed_before"),
    (Interruption::KilledAfter, "killed_after"),
    (Interruption::AnswerLost, "answer_lost"),
];

fn name_of<T: PartialEq + Copy>(names: &[(T, &'static str)], wanted: T) -> &'static str {
    names
        .iter()
        .find(|(value, _)| *value == wanted)
        .map_or("?", |(_, name)| name)
}

fn named<T: Copy>(names: &[(T, &'static str)], text: &str) -> Result<T> {
    names
        .iter()
        .find(|(_, name)| *name == text)
        .map(|(value, _)| *value)
        .with_context(|| {
            let known: Vec<_> = names.iter().map(|(_, name)| *name).collect();
            format!("{text:?} is none of {}", known.join(", "))
        })
}

impl fmt::Display for Point {
    /// `cluster:create:7:killed_after`.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            formatter,
            "{}:{}:{}:{}",
            name_of(&SUBJECTS, self.subject),
            name_of(&PHASES, self.phase),
            self.sequence,
            name_of(&INTERRUPTIONS, self.how)
        )
    }
}

impl FromStr for Point {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.split(':').collect();
        let [subject, phase, sequence, how] = parts.as_slice() else {
            bail!("a point is written as cluster:create:7:killed_after");
        };
        Ok(Self {
            subject: named(&SUBJECTS, subject)?,
            phase: named(&PHASES, phase)?,
            sequence: sequence
                .parse()
                .context("the third part is the number of the effect, from 1")?,
            how: named(&INTERRUPTIONS, how)?,
        })
    }
}

/// What to explore.
#[derive(Clone, Debug)]
pub struct Exploration {
    /// Chooses the points, where not all are explored.
    pub seed: u64,
    /// How many points of each subject; all if absent.
    pub points: Option<usize>,
    /// Only these subjects.
    pub subjects: Vec<Subject>,
    /// Exactly these points, whatever else is said.
    pub only: Vec<Point>,
    /// How many labs work side by side; one needs about 1 GiB.
    pub jobs: usize,
}

impl Exploration {
    /// The subjects by their names, `cluster` and `addon_set`; both if there is none.
    ///
    /// # Errors
    /// For a name that is none of them.
    pub fn subjects(names: &[String]) -> Result<Vec<Subject>> {
        if names.is_empty() {
            return Ok(SUBJECTS.map(|(subject, _)| subject).to_vec());
        }
        names.iter().map(|name| named(&SUBJECTS, name)).collect()
    }
}

/// How one point ended.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// The point.
    pub point: Point,
    /// The effect that was interrupted; none if the run ended before it.
    pub effect: Option<Effect>,
    /// Whether the next apply asked for an import of what was finished, and then carried on.
    pub by_import: bool,
    /// What went wrong; none if nothing did.
    pub failure: Option<String>,
}

/// What was explored.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Effects of each phase that nothing interrupted.
    pub effects: BTreeMap<(Subject, Phase), u64>,
    /// The outcomes, by point.
    pub outcomes: Vec<Outcome>,
}

impl Report {
    /// The points that failed.
    #[must_use]
    pub fn failures(&self) -> Vec<&Outcome> {
        self.outcomes
            .iter()
            .filter(|outcome| outcome.failure.is_some())
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            formatter,
            "| apply | effects | points explored | passed | of these by import | not reached |\n|---|---|---|---|---|---|"
        )?;
        for ((subject, phase), effects) in &self.effects {
            let of_phase = self.outcomes.iter().filter(|outcome| {
                (outcome.point.subject, outcome.point.phase) == (*subject, *phase)
            });
            let explored = of_phase.clone().count();
            let failed = of_phase.clone().filter(|outcome| outcome.failure.is_some());
            let not_reached = of_phase
                .clone()
                .filter(|outcome| outcome.effect.is_none() && outcome.failure.is_none());
            let (failed, not_reached) = (failed.count(), not_reached.count());
            let by_import = of_phase.filter(|outcome| outcome.by_import).count();
            writeln!(
                formatter,
                "| {} {} | {effects} | {explored} | {} | {by_import} | {not_reached} |",
                name_of(&SUBJECTS, *subject),
                name_of(&PHASES, *phase),
                explored - failed - not_reached
            )?;
        }
        for outcome in self.failures() {
            let failure = outcome.failure.as_deref().unwrap_or_default();
            write!(formatter, "\n{}", outcome.point)?;
            if let Some(effect) = &outcome.effect {
                write!(
                    formatter,
                    " ({} {} {})",
                    effect.service, effect.operation, effect.path
                )?;
            }
            writeln!(formatter, ": {failure}")?;
        }
        Ok(())
    }
}

/// Explores, with a line by `told` for each point that is done.
///
/// # Errors
/// When a run that nothing interrupts fails: then there is nothing to compare with.
pub fn explore(exploration: &Exploration, told: impl Fn(&Outcome) + Sync) -> Result<Report> {
    provider_binary()?;
    let mut subjects = exploration.subjects.clone();
    if !exploration.only.is_empty() {
        subjects = exploration.only.iter().map(|point| point.subject).collect();
    }
    subjects.sort();
    subjects.dedup();
    let mut report = Report::default();
    for subject in subjects {
        let expected = Stage::with(subject, Stage::expected)?;
        let counts = [
            (Phase::Create, expected.create),
            (Phase::Update, expected.update),
            (Phase::Destroy, expected.destroy),
        ];
        for (phase, count) in counts {
            report.effects.insert((subject, phase), count);
        }
        let points = if exploration.only.is_empty() {
            chosen(subject, &counts, exploration)
        } else {
            let only = exploration.only.iter().copied();
            only.filter(|point| point.subject == subject).collect()
        };
        let queue = Mutex::new(points);
        let outcomes = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..exploration.jobs.max(1) {
                scope.spawn(|| worker(subject, &expected, &queue, &outcomes, &told));
            }
        });
        let mut outcomes = lock(&outcomes).clone();
        outcomes.sort_by_key(|outcome| outcome.point);
        report.outcomes.extend(outcomes);
    }
    Ok(report)
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// All points of a subject, or as many as asked for, spread by the seed.
fn chosen(subject: Subject, counts: &[(Phase, u64)], exploration: &Exploration) -> Vec<Point> {
    let mut points = Vec::new();
    for (phase, count) in counts {
        for sequence in 1..=*count {
            for (how, _) in INTERRUPTIONS {
                points.push(Point {
                    subject,
                    phase: *phase,
                    sequence,
                    how,
                });
            }
        }
    }
    if let Some(wanted) = exploration.points {
        points.sort_by_cached_key(|point| Sha256::digest(format!("{} {point}", exploration.seed)));
        points.truncate(wanted);
    }
    points
}

fn worker(
    subject: Subject,
    expected: &Expected,
    queue: &Mutex<Vec<Point>>,
    outcomes: &Mutex<Vec<Outcome>>,
    told: &(impl Fn(&Outcome) + Sync),
) {
    let next = || lock(queue).pop();
    let mut point = next();
    while point.is_some() {
        // A stage serves until a point fails on it: what that left behind must not spoil others.
        let served = Stage::with(subject, |stage| {
            while let Some(current) = point {
                let mut outcome = Outcome {
                    point: current,
                    effect: None,
                    by_import: false,
                    failure: None,
                };
                let result = stage.explore(&mut outcome, expected);
                outcome.failure = result.err().map(|error| format!("{error:#}"));
                told(&outcome);
                let failed = outcome.failure.is_some();
                lock(outcomes).push(outcome);
                point = next();
                if failed {
                    break;
                }
            }
            Ok(())
        });
        if let (Err(error), Some(current)) = (served, point) {
            lock(outcomes).push(Outcome {
                point: current,
                effect: None,
                by_import: false,
                failure: Some(format!("no stage for it: {error:#}")),
            });
            point = next();
        }
    }
}

/// The worlds that a run without interruption ends in, and its effects.
#[derive(Debug)]
struct Expected {
    created: Value,
    updated: Value,
    destroyed: Value,
    create: u64,
    update: u64,
    destroy: u64,
}

/// A lab and a workspace in it, in the world that each point starts from.
struct Stage {
    subject: Subject,
    runtime: tokio::runtime::Runtime,
    scenario: Scenario,
    /// Where the cluster of add-on sets is from.
    _base: Option<tempfile::TempDir>,
    binary: PathBuf,
}

/// An owner that is the same in every run, as the names that are made from it.
const PROVIDER: &str = "provider \"devopsgenie\" {\n  owner = \"crash\"\n}\n\n";

fn cluster(arguments: &str) -> String {
    format!(
        "{PROVIDER}resource \"devopsgenie_cluster\" \"main\" {{\n  name = \"main\"\n  kubernetes_version = \"1.35\"\n  \
         vpc_config = {{ subnet_ids = var.subnet_ids }}\n{arguments}\n}}\n"
    )
}

const NODE_GROUPS: &str = "  node_groups = {\n    general = { scaling_config = { min_size = 1, max_size = 2, desired_size = 1 } }\n  }";

/// More than one kind of AWS thing changes, is added and is taken away.
const CHANGED_CLUSTER: &str = r#"
  tags                      = { team = "platform" }
  enabled_cluster_log_types = ["api"]
  enable_irsa               = false
  node_groups = {
    general = { scaling_config = { min_size = 1, max_size = 3, desired_size = 2 } }
    batch   = { scaling_config = { min_size = 0, max_size = 1, desired_size = 0 } }
  }
  access_entries = {
    root = {
      principal_arn       = "arn:aws:iam::123456789012:role/main-developer"
      policy_associations = {
        view = {
          policy_arn   = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
          access_scope = { type = "cluster" }
        }
      }
    }
  }
"#;

fn addon_set(addons: &str) -> String {
    format!(
        "{PROVIDER}resource \"devopsgenie_addon_set\" \"base\" {{\n  name = \"base\"\n  \
         kubernetes = {{ eks = {{ cluster_name = \"main\" }} }}\n  addons = {{\n{addons}\n  }}\n}}\n"
    )
}

const ADDONS: &str = r#"
    baseline = { baseline = { namespaces = ["team-a"] } }
    web = {
      namespace = "team-a"
      manifests = [
        yamlencode({ apiVersion = "v1", kind = "ConfigMap", metadata = { name = "settings" }, data = { level = "one" } }),
        yamlencode({ apiVersion = "v1", kind = "Secret", metadata = { name = "token" }, stringData = { token = "first" } }),
        yamlencode({
          apiVersion = "apps/v1", kind = "Deployment", metadata = { name = "web" }
          spec = {
            selector = { matchLabels = { app = "web" } }
            template = { metadata = { labels = { app = "web" } }, spec = { containers = [{ name = "web", image = "web:1" }] } }
          }
        }),
      ]
    }
"#;

/// An object changes, a Secret changes, one is added and one is taken away.
const CHANGED_ADDONS: &str = r#"
    baseline = { baseline = { namespaces = ["team-a"] } }
    web = {
      namespace = "team-a"
      manifests = [
        yamlencode({ apiVersion = "v1", kind = "ConfigMap", metadata = { name = "settings" }, data = { level = "two" } }),
        yamlencode({ apiVersion = "v1", kind = "Secret", metadata = { name = "token" }, stringData = { token = "second" } }),
        yamlencode({ apiVersion = "v1", kind = "ServiceAccount", metadata = { name = "web" } }),
      ]
    }
"#;

/// Kinds that the add-ons above have or could leave behind.
const KINDS: &str = "namespaces,configmaps,secrets,serviceaccounts,deployments,resourcequotas,limitranges,\
                     networkpolicies,priorityclasses,leases";

impl Stage {
    /// Runs `work` on a new stage.
    fn with<T>(subject: Subject, work: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        let core = Core::default_binary()?;
        let (scenario, base) = runtime.block_on(async {
            let scenario = Scenario::start(core.clone()).await?;
            scenario
                .make_role(
                    "main-developer",
                    json!({ "AWS": "arn:aws:iam::123456789012:root" }),
                    &[],
                )
                .await?;
            let mut base = None;
            if subject == Subject::AddonSet {
                scenario.lab.count_kubernetes_effects();
                let directory = tempfile::Builder::new()
                    .prefix("devopsgenie-crash-")
                    .tempdir()?;
                let environment = scenario.workspace.environment().clone();
                let workspace =
                    Workspace::new(directory.path(), core, provider_binary()?, environment)?;
                workspace.write("head.tf", crate::scenario::HEAD)?;
                workspace.write("main.tf", &cluster(NODE_GROUPS))?;
                workspace.ok(&["init", "-no-color"])?;
                workspace.ok(&["apply", "-auto-approve", "-no-color"])?;
                base = Some(directory);
            }
            anyhow::Ok((scenario, base))
        })?;
        let mut stage = Self {
            subject,
            runtime,
            scenario,
            _base: base,
            binary: provider_binary()?.canonicalize()?,
        };
        work(&mut stage)
    }

    fn configure(&self, changed: bool) -> Result<()> {
        self.scenario.configure(&match (self.subject, changed) {
            (Subject::Cluster, false) => cluster(NODE_GROUPS),
            (Subject::Cluster, true) => cluster(CHANGED_CLUSTER),
            (Subject::AddonSet, false) => addon_set(ADDONS),
            (Subject::AddonSet, true) => addon_set(CHANGED_ADDONS),
        })
    }

    /// What AWS and the cluster hold, without what differs from run to run.
    fn world(&self) -> Result<Value> {
        let lab = &self.scenario.lab;
        let mut python = lab.command(&lab.python_tools().python);
        let mut world: Value =
            serde_json::from_slice(&output(python.args(["-c", include_str!("world.py")]))?)?;
        if self.subject == Subject::AddonSet {
            let mut kubectl = self.runtime.block_on(lab.kubectl("main"))?;
            let list: Value = serde_json::from_slice(&output(kubectl.args([
                "get",
                KINDS,
                "--all-namespaces",
                "--output",
                "json",
            ]))?)?;
            world["objects"] = objects(&list);
        }
        Ok(world)
    }

    /// Applies or destroys without an interruption, and counts the effects.
    fn counted(&self, run: impl FnOnce(&Self) -> Result<()>) -> Result<u64> {
        let effects = self.scenario.lab.simulator().effects();
        effects.reset();
        run(self)?;
        Ok(effects.all().len() as u64)
    }

    fn apply(&self) -> Result<()> {
        self.scenario.apply().map(drop)
    }

    fn destroy(&self) -> Result<()> {
        let arguments = ["destroy", "-auto-approve", "-no-color"];
        self.scenario.workspace.ok(&arguments).map(drop)
    }

    fn expected(&mut self) -> Result<Expected> {
        self.configure(false)?;
        let create = self.counted(Self::apply)?;
        let created = self.world()?;
        self.configure(true)?;
        let update = self.counted(Self::apply)?;
        let updated = self.world()?;
        // The destroy that is interrupted starts from the first configuration.
        self.configure(false)?;
        self.apply()?;
        let destroy = self.counted(Self::destroy)?;
        let destroyed = self.world()?;
        ensure!(
            create > 0 && update > 0 && destroy > 0,
            "a phase had no effect: {create}, {update}, {destroy}"
        );
        Ok(Expected {
            created,
            updated,
            destroyed,
            create,
            update,
            destroy,
        })
    }

    /// Interrupts one effect and lets the next apply carry on. The stage is as before if all went
    /// well.
    fn explore(&self, outcome: &mut Outcome, expected: &Expected) -> Result<()> {
        let point = outcome.point;
        let effects = self.scenario.lab.simulator().effects();
        self.configure(false)?;
        if point.phase != Phase::Create {
            self.apply()
                .context("the apply before the interrupted one")?;
        }
        self.configure(point.phase == Phase::Update)?;
        let arguments: &[&str] = match point.phase {
            Phase::Create | Phase::Update => &["apply", "-auto-approve", "-no-color"],
            Phase::Destroy => &["destroy", "-auto-approve", "-no-color"],
        };
        effects.reset();
        let (binary, endpoint) = (self.binary.clone(), self.scenario.lab.endpoint().to_owned());
        effects.interrupt(point.sequence, point.how, move |_| {
            kill_providers(&binary, &endpoint);
        });
        let run = self.scenario.workspace.run(arguments)?;
        if effects.is_waiting() {
            effects.reset();
            ensure!(
                run.code == Some(0),
                "the run failed before effect {}: {}",
                point.sequence,
                run.text()
            );
        } else {
            let index = usize::try_from(point.sequence).unwrap_or(usize::MAX) - 1;
            outcome.effect = effects.all().get(index).cloned();
            ensure!(
                point.how == Interruption::AnswerLost || run.code != Some(0),
                "the run survived the death of its provider: {}",
                run.text()
            );
        }
        let (applied, wanted) = match point.phase {
            Phase::Create => (self.apply_or_import(outcome), &expected.created),
            Phase::Update => (self.apply(), &expected.updated),
            Phase::Destroy => (self.destroy(), &expected.destroyed),
        };
        applied.with_context(|| format!("the next run, after {}", run.text()))?;
        same(wanted, &self.world()?).context("after the next run")?;
        if point.phase != Phase::Destroy {
            self.destroy().context("the destroy at the end")?;
            same(&expected.destroyed, &self.world()?).context("after the destroy at the end")?;
        }
        Ok(())
    }

    /// Applies; where the provider asks for the import of a cluster that is finished, imports it and
    /// applies.
    fn apply_or_import(&self, outcome: &mut Outcome) -> Result<()> {
        let workspace = &self.scenario.workspace;
        let run = workspace.run(&["apply", "-auto-approve", "-no-color"])?;
        if run.code != Some(0) && run.flat().contains("terraform import <address> main") {
            workspace.ok(&["import", "-no-color", "devopsgenie_cluster.main", "main"])?;
            outcome.by_import = true;
        } else {
            ensure!(run.code == Some(0), "{}", run.text());
        }
        self.apply()
    }
}

fn output(command: &mut Command) -> Result<Vec<u8>> {
    let output = command
        .output()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    ensure!(
        output.status.success(),
        "{}: {}",
        command.get_program().to_string_lossy(),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(output.stdout)
}

/// Objects by kind, namespace and name, with what was applied of them. What Kubernetes and the
/// lab themselves keep in the cluster is the same in every run.
fn objects(list: &Value) -> Value {
    let mut objects = serde_json::Map::new();
    for item in list["items"].as_array().into_iter().flatten() {
        let text = |pointer: &str| {
            item.pointer(pointer)
                .and_then(Value::as_str)
                .unwrap_or_default()
        };
        let key = format!(
            "{}/{}/{}",
            text("/kind"),
            text("/metadata/namespace"),
            text("/metadata/name")
        );
        // The inventory has a new creation id in every run, a lease a time, each cluster its
        // certificates.
        let is_bookkeeping = ["devopsgenie-system", "kube-system"]
            .contains(&text("/metadata/namespace"))
            || text("/metadata/name") == "kube-root-ca.crt"
            || ["Lease", "Namespace"].contains(&text("/kind"));
        let content = if is_bookkeeping {
            Value::Null
        } else {
            json!({
                "spec": item["spec"],
                "data": item["data"],
                "deleting": item.pointer("/metadata/deletionTimestamp").is_some(),
            })
        };
        objects.insert(key, content);
    }
    // Leases of nodes and controllers come and go by themselves.
    objects.retain(|key, _| !key.starts_with("Lease/kube-"));
    Value::Object(objects)
}

/// Requires equality, and says where the worlds differ.
fn same(expected: &Value, found: &Value) -> Result<()> {
    let mut differences = Vec::new();
    compare("", expected, found, &mut differences);
    ensure!(
        differences.is_empty(),
        "the world is not what a run without interruption makes: {}",
        differences.join("; ")
    );
    Ok(())
}

fn compare(path: &str, expected: &Value, found: &Value, differences: &mut Vec<String>) {
    match (expected, found) {
        (Value::Object(expected), Value::Object(found)) => {
            for (key, value) in expected {
                let other = found.get(key).unwrap_or(&Value::Null);
                if found.contains_key(key) {
                    compare(&format!("{path}/{key}"), value, other, differences);
                } else {
                    differences.push(format!("{path}/{key} is missing"));
                }
            }
            for key in found.keys().filter(|key| !expected.contains_key(*key)) {
                differences.push(format!("{path}/{key} is left over"));
            }
        }
        _ if expected == found => {}
        _ => differences.push(format!(
            "{path} is {}, not {}",
            short(found),
            short(expected)
        )),
    }
}

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(200) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_are_read_as_they_are_written() {
        let text = "addon_set:destroy:12:answer_lost";
        assert_eq!(text.parse::<Point>().unwrap().to_string(), text);
        for wrong in [
            "cluster",
            "cluster:create:x:answer_lost",
            "vpc:create:1:answer_lost",
        ] {
            assert!(wrong.parse::<Point>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_seed_chooses_the_same_points_every_time() {
        let exploration = |seed, points| Exploration {
            seed,
            points,
            subjects: Vec::new(),
            only: Vec::new(),
            jobs: 1,
        };
        let counts = [(Phase::Create, 10), (Phase::Destroy, 5)];
        let choose = |seed, points| chosen(Subject::Cluster, &counts, &exploration(seed, points));
        assert_eq!(choose(1, None).len(), 45);
        assert_eq!(choose(1, Some(7)), choose(1, Some(7)));
        assert_ne!(choose(1, Some(7)), choose(2, Some(7)));
    }

    #[test]
    fn differences_of_worlds_are_named() {
        let expected = json!({ "roles": { "a": 1, "b": 2 }, "clusters": {} });
        let found = json!({ "roles": { "a": 3, "c": 2 }, "clusters": {} });
        assert_eq!(
            same(&expected, &found).unwrap_err().to_string(),
            "the world is not what a run without interruption makes: /roles/a is 3, not 1; \
             /roles/b is missing; /roles/c is left over"
        );
        same(&expected, &expected).unwrap();
    }
}
