//! The examples of this crate as executables.

use std::path::PathBuf;
use std::process::{Command, Stdio};

/// Path of an example, which cargo builds unless it is fresh.
pub fn example(name: &str) -> PathBuf {
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
