//! The plugin under HashiCorp's own host library.

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod host;

use std::path::Path;
use std::process::Command;

#[test]
#[ignore = "needs Go and its module proxy or cache; run by `cargo test -- --ignored`"]
fn hashicorp_client_starts_pings_and_ends_the_plugin() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("conformance");
    let output = Command::new("go")
        .args(["run", "."])
        .arg(host::plugin_path())
        .current_dir(folder)
        .output()
        .expect("go is on PATH");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{stdout}{stderr}");
    assert_eq!(
        stdout,
        "automatic mutual TLS true: ok\nautomatic mutual TLS false: ok\nattached: ok\n"
    );
}
