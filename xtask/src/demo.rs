//! `cargo xtask demo`: the main job, from an empty account to a working cluster and back.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use devopsgenie_acceptance::{Core, Workspace, build_provider, workspace_root};
use devopsgenie_lab::command;

use crate::steps::step;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Stop before the destroy, leave the lab and the workspace up, and print how to go on by hand
    #[arg(long)]
    keep: bool,
    /// Use OpenTofu, built from its Go module, also when terraform is on PATH
    #[arg(long)]
    opentofu: bool,
    /// The Terraform or OpenTofu binary to use
    #[arg(long, value_name = "PATH", conflicts_with = "opentofu")]
    terraform: Option<PathBuf>,
}

/// Runs the demo. The lab and the workspace are removed at the end, also after a failure, unless
/// they are to be kept or the lab was up before.
pub fn run(arguments: &Arguments) -> Result<()> {
    let provider = step("build the provider", || build_provider(false))?;
    let core = step("find Terraform, or build OpenTofu", || {
        let core = match (&arguments.terraform, arguments.opentofu) {
            (Some(path), _) => Core::at(path),
            (None, true) => Core::opentofu(),
            (None, false) => Core::default_binary(),
        }?;
        println!("    {} at {}", core.version, core.path.display());
        Ok(core)
    })?;
    let was_up = command::is_up(&workspace_root());
    let environment = step("start the lab: a simulated, empty AWS account", || {
        command::up(&workspace_root())?;
        Ok(command::environment(&workspace_root())?)
    })?;
    let result = in_lab(arguments, core, &provider, environment);
    let keep = arguments.keep && result.is_ok();
    if !keep && !was_up {
        step("stop the lab", || Ok(command::down(&workspace_root())?))?;
    }
    result
}

fn in_lab(
    arguments: &Arguments,
    core: Core,
    provider: &Path,
    environment: BTreeMap<String, String>,
) -> Result<()> {
    let directory = workspace_root().join(".lab/demo");
    if directory.join("terraform.tfstate").exists() {
        bail!(
            "{} holds the state of an earlier `demo --keep`: go on there by hand, or run \
             `cargo xtask lab down` and remove the directory",
            directory.display()
        );
    }
    let lab = Account { environment: environment.clone() };
    let workspace = step("write the workspace, with the provider in a filesystem mirror", || {
        let workspace = Workspace::new(&directory, core.clone(), provider, environment)?;
        for entry in std::fs::read_dir(workspace_root().join("examples/platform"))? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "tf" || extension == "yaml") {
                let name = path.file_name().context("a file without a name")?;
                std::fs::copy(&path, directory.join(name))?;
            }
        }
        let subnets = lab.subnet_ids()?;
        workspace.write(
            "terraform.tfvars.json",
            &serde_json::to_string_pretty(&serde_json::json!({ "subnet_ids": subnets }))?,
        )?;
        println!("    {}", directory.display());
        Ok(workspace)
    })?;
    let outcome = main_job(arguments, &core, &workspace, &lab);
    if outcome.is_err() || !arguments.keep {
        std::fs::remove_dir_all(&directory).ok();
    }
    outcome
}

fn main_job(arguments: &Arguments, core: &Core, workspace: &Workspace, lab: &Account) -> Result<()> {
    let name = core.path.file_name().map_or("terraform".into(), |name| name.to_string_lossy());
    step(&format!("{name} init"), || stream(workspace, &["init"]))?;
    step(&format!("{name} apply"), || stream(workspace, &["apply", "-auto-approve"]))?;
    step("what runs in the cluster", || {
        lab.show("aws", &["eks", "update-kubeconfig", "--name", "platform", "--alias", "platform"])?;
        lab.show("kubectl", &["get", "nodes", "-o", "wide"])?;
        lab.show("kubectl", &["get", "deployments,pods,services,poddisruptionbudgets", "-n", "team-a"])?;
        lab.show("kubectl", &["get", "priorityclasses,networkpolicies,resourcequotas", "-A"])
    })?;
    step(&format!("{name} apply again: no changes, and no call that writes"), || {
        let before = lab.writes()?;
        let run = workspace.ok(&["apply", "-auto-approve", "-no-color"])?;
        print_indented(&run.stdout);
        ensure!(run.stdout.contains("No changes."), "the second apply found changes");
        let after = lab.writes()?;
        ensure!(before == after, "the second apply made {} writing AWS calls", after - before);
        Ok(())
    })?;
    step(&format!("{name} plan with one value changed: web_replicas = 3"), || {
        stream(workspace, &["plan", "-var", "web_replicas=3", "-out", "change.tfplan"])
    })?;
    step(&format!("{name} apply of that plan"), || {
        stream(workspace, &["apply", "change.tfplan"])?;
        lab.show("kubectl", &["get", "deployments", "-n", "team-a"])
    })?;
    if arguments.keep {
        println!("\nThe cluster is up. To go on by hand:\n");
        println!("  eval \"$(cargo xtask lab env)\"");
        println!("  kubectl get pods --all-namespaces");
        println!("  aws eks describe-cluster --name platform");
        println!("  cd {}", workspace.directory.display());
        println!("  export TF_CLI_CONFIG_FILE={}", workspace.environment()["TF_CLI_CONFIG_FILE"]);
        println!("  {} plan", core.path.display());
        println!("  {} destroy", core.path.display());
        println!("  cd - && cargo xtask lab down && rm -r {}", workspace.directory.display());
        return Ok(());
    }
    step(&format!("{name} destroy"), || stream(workspace, &["destroy", "-auto-approve"]))?;
    step("the account is empty", || lab.prove_empty())
}

/// Runs Core with its output passed on.
fn stream(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let status = workspace.command(arguments).status().context("cannot run Core")?;
    ensure!(status.success(), "{} ended with {status}", arguments.join(" "));
    Ok(())
}

fn print_indented(text: &str) {
    for line in text.lines() {
        println!("    {line}");
    }
}

/// The simulated account, seen through the AWS CLI and kubectl.
struct Account {
    environment: BTreeMap<String, String>,
}

impl Account {
    fn output(&self, program: &str, arguments: &[&str]) -> Result<String> {
        // The program is looked up in the lab's PATH, not in ours.
        let path = self.environment.get("PATH").context("the lab's environment has no PATH")?;
        let program = std::env::split_paths(path)
            .map(|directory| directory.join(program))
            .find(|candidate| candidate.is_file())
            .with_context(|| format!("{program} is not in the lab's PATH"))?;
        let output = Command::new(&program)
            .args(arguments)
            .envs(&self.environment)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(output.status.success(), "{} {} ended with {}", program.display(), arguments.join(" "), output.status);
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    fn show(&self, program: &str, arguments: &[&str]) -> Result<()> {
        println!("\n    $ {program} {}", arguments.join(" "));
        print_indented(&self.output(program, arguments)?);
        Ok(())
    }

    /// What `aws` answers to a query, as a list of texts.
    fn list(&self, arguments: &[&str], query: &str) -> Result<Vec<String>> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--output", "json", "--query", query]);
        Ok(serde_json::from_str(&self.output("aws", &arguments)?)?)
    }

    fn subnet_ids(&self) -> Result<Vec<String>> {
        let subnets = self.list(
            &["ec2", "describe-subnets", "--filters", "Name=availability-zone,Values=us-east-1a,us-east-1b,us-east-1c"],
            "Subnets[].SubnetId",
        )?;
        ensure!(subnets.len() >= 2, "the lab's account has {} subnets", subnets.len());
        Ok(subnets)
    }

    /// How many calls that can change something the account has seen.
    fn writes(&self) -> Result<u64> {
        let endpoint = self.environment.get("AWS_ENDPOINT_URL").context("no AWS_ENDPOINT_URL")?;
        command::write_calls(endpoint).context("cannot read the lab's counters")
    }

    /// Lists everything that the demo could have left behind.
    fn prove_empty(&self) -> Result<()> {
        let mut left = Vec::new();
        let queries: [(&[&str], &str); 4] = [
            (&["eks", "list-clusters"], "clusters"),
            (&["iam", "list-roles"], "Roles[?!starts_with(Path, '/aws-service-role/')].RoleName"),
            (&["iam", "list-open-id-connect-providers"], "OpenIDConnectProviderList[].Arn"),
            (&["ec2", "describe-security-groups"], "SecurityGroups[?GroupName!='default'].GroupName"),
        ];
        for (arguments, query) in queries {
            let found = self.list(arguments, query)?;
            println!("    aws {} -> {found:?}", arguments.join(" "));
            left.extend(found);
        }
        ensure!(left.is_empty(), "left behind: {}", left.join(", "));
        Ok(())
    }
}
