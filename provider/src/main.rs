//! The Terraform provider devopsgenie.

use std::process::ExitCode;

use tfplugin::ServeOptions;

mod addon_set;
mod client;
mod cluster;
mod configuration;
mod owner;
mod provider;

fn main() -> ExitCode {
    tfplugin::serve(
        provider::DevOpsGenie,
        ServeOptions {
            address: "registry.terraform.io/devopsgenie/devopsgenie".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        },
    )
}
