//! The example provider as a process of its own: over the real socket with mutual TLS, and under
//! the real Terraform.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "test code"
)]

#[path = "../support/example.rs"]
mod example;
mod readme;
mod real_core;
mod socket;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use example::example;

/// Path of the example provider, which cargo builds unless it is fresh.
fn provider() -> &'static Path {
    static PATH: OnceLock<PathBuf> = OnceLock::new();
    PATH.get_or_init(|| example("file_provider"))
}
