//! `cargo xtask demo`: the main job, from an empty account to a working cluster and back.

use std::collections::BTreeMap;
use std::io::IsTerminal as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use devopsgenie_acceptance::{Core, EMPTY_ACCOUNT, Workspace, build_provider, workspace_root};
use devopsgenie_lab::command::{self, LabDirectory};

use crate::lab;
use crate::steps::step;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Stop before the destroy, or where something fails, leave the lab and the workspace up, and
    /// print how to go on by hand
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
    let directory = workspace_root().join(".lab/demo");
    if directory.join("terraform.tfstate").exists() {
        bail!(
            "{} holds the state of an earlier demo: go on there by hand, or run `cargo xtask lab down` and \
             remove the directory",
            directory.display()
        );
    }
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
    let lab = LabDirectory::of_workspace();
    let was_up = command::is_up(&lab)?;
    let result = step("start the lab: a simulated, empty AWS account", || {
        lab::up(&lab)
    })
    .and_then(|()| in_lab(arguments, core, &provider, &lab, &directory));
    // What a failed run made is only known to its state: where the lab stays, the state stays.
    let keep = arguments.keep || (was_up && result.is_err());
    if !keep {
        if directory.exists() {
            std::fs::remove_dir_all(&directory)
                .with_context(|| format!("cannot remove {}", directory.display()))?;
        }
        if !was_up {
            step("stop the lab", || lab::down(&lab))?;
        }
    }
    result
}

fn in_lab(
    arguments: &Arguments,
    core: Core,
    provider: &Path,
    lab: &LabDirectory,
    directory: &Path,
) -> Result<()> {
    let (variables, programs) = command::environment(lab)?;
    let environment: BTreeMap<String, String> = variables.into_iter().collect();
    let account = Account {
        environment: environment.clone(),
        programs,
        lab: lab.clone(),
    };
    step("the account is empty", || account.prove_empty())?;
    let workspace = step(
        "write the workspace, with the provider in a filesystem mirror",
        || {
            let workspace = Workspace::new(directory, core.clone(), provider, environment)?;
            for entry in std::fs::read_dir(workspace_root().join("examples/platform"))? {
                let path = entry?.path();
                if path
                    .extension()
                    .is_some_and(|extension| extension == "tf" || extension == "yaml")
                {
                    let name = path.file_name().context("a file without a name")?;
                    std::fs::copy(&path, directory.join(name))?;
                }
            }
            let subnets = account.subnet_ids()?;
            workspace.write(
                "terraform.tfvars.json",
                &serde_json::to_string_pretty(&serde_json::json!({ "subnet_ids": subnets }))?,
            )?;
            println!("    {}", directory.display());
            Ok(workspace)
        },
    )?;
    let outcome = main_job(arguments, &core, &workspace, &account);
    if arguments.keep {
        how_to_go_on(&core, &workspace);
    }
    outcome
}

fn how_to_go_on(core: &Core, workspace: &Workspace) {
    println!("\nThe lab is up. To go on by hand:\n");
    println!("  eval \"$(cargo xtask lab env)\"");
    println!("  aws eks describe-cluster --name platform");
    println!("  kubectl get pods --all-namespaces");
    println!("  cd {}", workspace.directory.display());
    println!(
        "  export TF_CLI_CONFIG_FILE={}",
        workspace.environment()["TF_CLI_CONFIG_FILE"]
    );
    println!("  {} plan -var web_replicas=3", core.path.display());
    println!("  {} destroy", core.path.display());
    println!(
        "  cd - && cargo xtask lab down && rm -r {}",
        workspace.directory.display()
    );
}

fn main_job(
    arguments: &Arguments,
    core: &Core,
    workspace: &Workspace,
    account: &Account,
) -> Result<()> {
    let name = core
        .path
        .file_name()
        .map_or("terraform".into(), |name| name.to_string_lossy());
    step(&format!("{name} init"), || stream(workspace, &["init"]))?;
    step(&format!("{name} apply"), || {
        stream(workspace, &["apply", "-auto-approve"])
    })?;
    step("what runs in the cluster", || {
        account.show(
            "aws",
            &[
                "eks",
                "update-kubeconfig",
                "--name",
                "platform",
                "--alias",
                "platform",
            ],
        )?;
        account.show("kubectl", &["get", "nodes", "-o", "wide"])?;
        account.show(
            "kubectl",
            &[
                "get",
                "deployments,pods,services,poddisruptionbudgets",
                "-n",
                "team-a",
            ],
        )?;
        account.show(
            "kubectl",
            &[
                "get",
                "priorityclasses,networkpolicies,resourcequotas",
                "-A",
            ],
        )
    })?;
    step(
        &format!("{name} apply again: no changes, and no call that writes"),
        || {
            let before = account.writes()?;
            let run = workspace.ok(&["apply", "-auto-approve", "-no-color"])?;
            print_indented(&run.stdout);
            ensure!(
                run.stdout.contains("No changes."),
                "the second apply found changes"
            );
            let after = account.writes()?;
            ensure!(
                before == after,
                "the second apply made {} writing AWS calls",
                after - before
            );
            Ok(())
        },
    )?;
    step(
        &format!("{name} plan with one value changed: web_replicas = 3"),
        || {
            stream(
                workspace,
                &["plan", "-var", "web_replicas=3", "-out", "change.tfplan"],
            )
        },
    )?;
    step(&format!("{name} apply of that plan"), || {
        stream(workspace, &["apply", "change.tfplan"])?;
        account.show("kubectl", &["get", "deployments", "-n", "team-a"])
    })?;
    if arguments.keep {
        return Ok(());
    }
    step(&format!("{name} destroy"), || {
        stream(workspace, &["destroy", "-auto-approve"])
    })?;
    step("the account is empty again", || account.prove_empty())
}

/// Runs Core with its output passed on, in colours where that is a terminal.
fn stream(workspace: &Workspace, arguments: &[&str]) -> Result<()> {
    let plain = !std::io::stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    let mut words = arguments.to_vec();
    if plain {
        // Before the arguments that are not options.
        words.insert(1, "-no-color");
    }
    let status = workspace
        .command(&words)
        .status()
        .context("cannot run Core")?;
    ensure!(
        status.success(),
        "{} ended with {status}",
        arguments.join(" ")
    );
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
    /// Where the lab's `aws` and `kubectl` are.
    programs: PathBuf,
    lab: LabDirectory,
}

impl Account {
    /// PATH with the lab's programs first: kubectl calls `aws` for its tokens.
    fn path(&self) -> Result<std::ffi::OsString> {
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let directories =
            std::iter::once(self.programs.clone()).chain(std::env::split_paths(&inherited));
        std::env::join_paths(directories).context("PATH cannot be extended")
    }

    fn output(&self, program: &str, arguments: &[&str]) -> Result<String> {
        let program = self.programs.join(program);
        let mut command = Command::new(&program);
        devopsgenie_lab::clear_account(&mut command);
        let output = command
            .args(arguments)
            .envs(&self.environment)
            .env("PATH", self.path()?)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .with_context(|| format!("cannot run {}", program.display()))?;
        ensure!(
            output.status.success(),
            "{} {} ended with {}",
            program.display(),
            arguments.join(" "),
            output.status
        );
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
            &[
                "ec2",
                "describe-subnets",
                "--filters",
                "Name=availability-zone,Values=us-east-1a,us-east-1b,us-east-1c",
            ],
            "Subnets[].SubnetId",
        )?;
        ensure!(
            subnets.len() >= 2,
            "the lab's account has {} subnets",
            subnets.len()
        );
        Ok(subnets)
    }

    /// How many calls that can change something the account has seen.
    fn writes(&self) -> Result<u64> {
        command::write_calls(&self.lab).context("cannot read the lab's counters")
    }

    /// Lists everything that the demo could have left behind.
    fn prove_empty(&self) -> Result<()> {
        let mut left = Vec::new();
        for (arguments, query) in EMPTY_ACCOUNT {
            let found = self.list(arguments, query)?;
            println!("    aws {} -> {found:?}", arguments.join(" "));
            left.extend(found);
        }
        ensure!(left.is_empty(), "the account holds: {}", left.join(", "));
        Ok(())
    }
}
