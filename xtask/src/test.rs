//! `cargo xtask test`: everything that has to hold before a change lands.

use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use devopsgenie_acceptance::workspace_root;

use crate::steps::step;
use crate::{docs, purity};

/// Crates whose tests start the lab: real control planes, so seconds each and hundreds of MiB.
const LAB_CRATES: [&str; 4] = [
    "devopsgenie-acceptance",
    "devopsgenie-bootstrap",
    "devopsgenie-lab",
    "devopsgenie-lifecycle",
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
        let mut command = vec!["test", "--workspace", "--quiet"];
        for name in LAB_CRATES {
            command.extend(["--exclude", name]);
        }
        cargo(&command)
    })?;
    step("unit tests of the engines", || {
        cargo(&[
            "test",
            "--quiet",
            "--lib",
            "-p",
            "devopsgenie-bootstrap",
            "-p",
            "devopsgenie-lifecycle",
        ])
    })?;
    if !arguments.fast {
        step("the lab's tools, and OpenTofu", || {
            let toolbox = devopsgenie_lab::Toolbox::new()?;
            toolbox.kubernetes()?;
            toolbox.python()?;
            toolbox.opentofu()?;
            Ok(())
        })?;
        step("the registry pages", || {
            docs::run(&docs::Arguments { check: true })
        })?;
        step("tests in the lab", || {
            let mut command = vec!["test", "--quiet"];
            for name in LAB_CRATES {
                command.extend(["--package", name]);
            }
            command.extend(["--", "--test-threads", "2"]);
            cargo(&command)
        })?;
    }
    println!("\nall passed");
    Ok(())
}

fn cargo(arguments: &[&str]) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    println!("    cargo {}", arguments.join(" "));
    let status = Command::new(cargo)
        .current_dir(workspace_root())
        .args(arguments)
        .stdin(Stdio::null())
        .status()
        .context("cannot run cargo")?;
    if !status.success() {
        bail!("cargo {} ended with {status}", arguments.join(" "));
    }
    Ok(())
}
