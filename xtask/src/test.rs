//! `cargo xtask test`: everything that has to hold before a change lands.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use devopsgenie_acceptance::{Core, find_on_path, workspace_root};

use crate::steps::step;
use crate::{crash, dependencies, docs, purity};

/// Crates whose tests start the lab or a part of it: real control planes, moto, the AWS CLI.
const LAB_CRATES: [&str; 7] = [
    "devopsgenie-acceptance",
    "devopsgenie-bootstrap",
    "devopsgenie-kubernetes",
    "devopsgenie-lab",
    "devopsgenie-lifecycle",
    "eks-simulator",
    "terraform-provider-devopsgenie",
];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only what needs no lab: formatting, lints, purity, unit tests
    #[arg(long)]
    fast: bool,
}

/// Runs the steps in order and stops at the first that fails.
pub fn run(arguments: &Arguments) -> Result<()> {
    step("formatting", || cargo(&["fmt", "--all", "--check"]))?;
    step("purity of the planning modules", purity::check)?;
    step("each direct dependency is explained", dependencies::check)?;
    step("spelling", || {
        if_installed("typos", "pip install typos", &[])
    })?;
    step("licences, bans and sources of dependencies", || {
        if_installed(
            "cargo-deny",
            "cargo install cargo-deny",
            &["check", "bans", "licenses", "sources"],
        )
    })?;
    step("lints", || {
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--quiet",
            "--",
            "--deny",
            "warnings",
        ])
    })?;
    step("unit tests", || {
        cargo(&["test", "--workspace", "--quiet", "--lib"])
    })?;
    if arguments.fast {
        step("tests that need no lab", || {
            let mut command = vec!["test", "--workspace", "--quiet"];
            for name in LAB_CRATES {
                command.extend(["--exclude", name]);
            }
            cargo(&command)
        })?;
    } else {
        all_tests()?;
    }
    println!("\nall passed");
    Ok(())
}

fn all_tests() -> Result<()> {
    // Before the tests that need them, because a test's output is hidden while it runs.
    step("the lab's tools, and OpenTofu", || {
        let toolbox = devopsgenie_lab::Toolbox::new()?;
        toolbox.python()?;
        toolbox.kubernetes()?;
        toolbox.opentofu()?;
        Ok(())
    })?;
    step("the registry pages", || {
        docs::run(&docs::Arguments { check: true })
    })?;
    step("all tests", || {
        cargo(&[
            "test",
            "--workspace",
            "--quiet",
            "--",
            "--test-threads",
            "2",
        ])
    })?;
    crash::run(&crash::Arguments::of_continuous_integration())?;
    for (title, package, test) in [
        (
            "the plugin under HashiCorp's own host library",
            "go-plugin",
            "conformance",
        ),
        (
            "the framework beside HashiCorp's, call by call",
            "tfplugin",
            "peer",
        ),
    ] {
        step(title, || cargo(&ignored(package, test)))?;
    }
    let mut cores = vec![Core::opentofu()?];
    match Core::terraform()? {
        Some(core) => cores.push(core),
        None => println!(
            "\nNo terraform on PATH and no DEVOPSGENIE_TERRAFORM: all was tried with OpenTofu alone."
        ),
    }
    for core in cores {
        step(
            &format!("the example provider under {}", core.version),
            || example_provider(&core.path),
        )?;
    }
    Ok(())
}

/// The tests of a target that need a program which a machine may lack.
fn ignored<'a>(package: &'a str, test: &'a str) -> [&'a str; 8] {
    [
        "test",
        "--quiet",
        "--package",
        package,
        "--test",
        test,
        "--",
        "--ignored",
    ]
}

fn example_provider(core: &Path) -> Result<()> {
    let mut command = cargo_command(&ignored("tfplugin", "process"));
    command.env("TF_BINARY", core);
    finish(command)
}

/// Runs a program that the machine need not have, or says how to get it.
fn if_installed(program: &str, install: &str, arguments: &[&str]) -> Result<()> {
    let Some(path) = find_on_path(program) else {
        println!("    skipped: no {program} on PATH; to have it: {install}");
        return Ok(());
    };
    let mut command = Command::new(path);
    command.current_dir(workspace_root()).args(arguments);
    finish(command)
}

fn cargo(arguments: &[&str]) -> Result<()> {
    finish(cargo_command(arguments))
}

fn cargo_command(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("    cargo {}", arguments.join(" "));
    let mut command = Command::new(cargo);
    command.current_dir(workspace_root()).args(arguments);
    command
}

fn finish(mut command: Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .status()
        .with_context(|| format!("cannot run {}", command.get_program().to_string_lossy()))?;
    if !status.success() {
        let words: Vec<_> = std::iter::once(command.get_program())
            .chain(command.get_args())
            .map(|word| word.to_string_lossy())
            .collect();
        bail!("{} ended with {status}", words.join(" "));
    }
    Ok(())
}
