//! The framework beside HashiCorp's terraform-plugin-framework: both providers get the same calls,
//! and what they answer differently is listed, with the reason.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

mod compare;
#[path = "../support/example.rs"]
mod example;
mod generated;
mod known;
mod life;
mod tables;

use std::path::{Path, PathBuf};
use std::process::Command;

use compare::Report;
use life::Pair;
use tfplugin::cty::Value;
use tfplugin::testing::Core;

/// Builds the provider of `conformance/`, which takes Go and its module proxy or cache.
fn go_provider() -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let binary = Path::new(env!("CARGO_TARGET_TMPDIR")).join("terraform-provider-peer");
    let status = Command::new("go")
        .args(["build", "-o"])
        .arg(&binary)
        .arg(".")
        .current_dir(folder)
        .status()
        .expect("go is on PATH");
    assert!(status.success(), "the provider in conformance/ builds");
    binary
}

async fn configured(binary: &Path) -> Core {
    let mut core = Core::spawn(binary).await;
    let config = Value::object([("region", Value::from("here"))]);
    core.configure(config).await.expect("it can be configured");
    core
}

#[tokio::test]
#[ignore = "needs Go and its module proxy or cache; run by `cargo test -- --ignored`"]
async fn both_frameworks_answer_alike() {
    let mut pair = Pair {
        hashicorp: configured(&go_provider()).await,
        own: configured(&example::example("peer_provider")).await,
        report: Report::default(),
    };
    tables::run(&mut pair).await;
    generated::run(&mut pair).await;
    let Report { differences, calls } = pair.report;
    assert!(calls > 2_000, "only {calls} pairs of answers were compared");
    let problems = known::explain(&differences);
    assert!(problems.is_empty(), "{problems}");
}

#[test]
fn the_differences_are_documented() {
    let document = include_str!("../../../../docs/design/framework-peer.md");
    let table = known::table();
    assert!(document.contains(&table), "it must hold\n{table}");
}
