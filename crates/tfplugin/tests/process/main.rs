//! The example provider as a process of its own: over the real socket with mutual TLS, and under
//! the real Terraform.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

mod readme;
mod real_core;
mod socket;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

/// Path of the example provider, which cargo builds unless it is fresh.
fn provider() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| example("file_provider"))
}

fn example(name: &str) -> PathBuf {
    let cargo = std::env::var_os("CARGO").expect("the tests run under cargo");
    let output = Command::new(cargo)
        .args(["build", "--quiet", "--package", "tfplugin"])
        .args(["--example", name, "--message-format=json"])
        .stderr(Stdio::inherit())
        .output()
        .expect("cargo starts");
    assert!(output.status.success(), "the example does not build");
    let messages = String::from_utf8(output.stdout).expect("cargo writes UTF-8");
    let executable = messages.lines().rev().find_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(PathBuf::from(message["executable"].as_str()?))
    });
    executable.expect("cargo names the executable")
}
