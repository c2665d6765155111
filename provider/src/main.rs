//! The Terraform provider devopsgenie.

use std::process::ExitCode;

use tfplugin::ServeOptions;

mod addon_set;
mod client;
mod cluster;
mod configuration;
mod owner;
mod provider;
mod tags;
mod values;
mod workload_role;

/// Libraries that log every request in many lines; the provider logs what it does itself.
const QUIET_TARGETS: [&str; 19] = [
    "aws_config",
    "aws_credential_types",
    "aws_runtime",
    "aws_sdk_eks",
    "aws_sdk_iam",
    "aws_sdk_sso",
    "aws_sdk_ssooidc",
    "aws_sdk_sts",
    "aws_sigv4",
    "aws_smithy_async",
    "aws_smithy_http",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "aws_smithy_runtime_api",
    "hyper_rustls",
    "kube_client",
    "kube_core",
    "rustls_platform_verifier",
    "tower_http",
];

fn main() -> ExitCode {
    tfplugin::serve(
        provider::DevOpsGenie,
        ServeOptions::new(
            "registry.terraform.io/devopsgenie/devopsgenie",
            env!("CARGO_PKG_VERSION"),
        )
        .quiet_targets(QUIET_TARGETS),
    )
}
