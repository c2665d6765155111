//! Command lines of a cluster's processes.

use std::path::Path;
use std::process::Command;

use super::ClusterSpec;
use crate::LabError;
use crate::tools::KubernetesTools;

/// Files of a cluster, by the names they have in its directory.
pub(super) mod file {
    pub const AUTHORITY: &str = "authority.pem";
    pub const AUTHORITY_KEY: &str = "authority.key";
    pub const SERVING: &str = "serving.pem";
    pub const SERVING_KEY: &str = "serving.key";
    pub const SERVICE_ACCOUNT_PUBLIC: &str = "service-account.pub";
    pub const SERVICE_ACCOUNT_PRIVATE: &str = "service-account.key";
    pub const KUBECONFIG: &str = "kubeconfig";
    pub const CONTROLLER_MANAGER_KUBECONFIG: &str = "controller-manager.kubeconfig";
    pub const SCHEDULER_KUBECONFIG: &str = "scheduler.kubeconfig";
    pub const KWOK_KUBECONFIG: &str = "kwok.kubeconfig";
    pub const STAGES: &str = "stages.yaml";
    pub const AUTHENTICATION_WEBHOOK: &str = "authentication-webhook.kubeconfig";
    pub const AUTHORIZATION_WEBHOOK: &str = "authorization-webhook.kubeconfig";
}

/// How KWOK plays nodes and pods.
pub(super) const STAGES: &str = include_str!("../../kwok/stages.yaml");

/// A Go program that keeps its heap small: the lab runs many of them side by side.
fn go_program(path: &Path) -> Command {
    let mut command = Command::new(path);
    command.env("GOGC", "50");
    command
}

pub(super) fn etcd(tools: &KubernetesTools, directory: &Path) -> Command {
    let socket = |name: &str| format!("unix://{}", directory.join(name).display());
    let (client, peer) = (socket("etcd.sock"), socket("peer.sock"));
    let mut command = go_program(&tools.etcd);
    command
        .args(["--name", "lab", "--log-level", "warn"])
        // The data is as short-lived as the cluster.
        .arg("--unsafe-no-fsync")
        .arg("--data-dir")
        .arg(directory.join("etcd"))
        .args(["--listen-client-urls", &client])
        .args(["--advertise-client-urls", &client])
        .args(["--listen-peer-urls", &peer])
        .args(["--initial-advertise-peer-urls", &peer])
        .args(["--initial-cluster", &format!("lab={peer}")]);
    command
}

pub(super) fn kube_apiserver(
    tools: &KubernetesTools,
    directory: &Path,
    spec: &ClusterSpec,
    version: &str,
    port: u16,
) -> Command {
    let mut command = go_program(&tools.kube_apiserver);
    let mut flag = |name: &str, value: &str| {
        command.arg(format!("--{name}={value}"));
    };
    let path = |name: &str| directory.join(name).display().to_string();

    flag("etcd-servers", &format!("unix://{}", path("etcd.sock")));
    flag("bind-address", "127.0.0.1");
    flag("secure-port", &port.to_string());
    flag("permit-port-sharing", "true");
    flag("tls-cert-file", &path(file::SERVING));
    flag("tls-private-key-file", &path(file::SERVING_KEY));
    flag("client-ca-file", &path(file::AUTHORITY));
    flag("service-account-issuer", &spec.issuer_url);
    flag(
        "service-account-key-file",
        &path(file::SERVICE_ACCOUNT_PUBLIC),
    );
    flag(
        "service-account-signing-key-file",
        &path(file::SERVICE_ACCOUNT_PRIVATE),
    );
    flag(
        "api-audiences",
        &format!("{},https://kubernetes.default.svc", spec.issuer_url),
    );
    flag("service-cluster-ip-range", &spec.service_cidr);
    // As on EKS: system pods of charts are privileged.
    flag("allow-privileged", "true");
    flag("enable-admission-plugins", "NodeRestriction");
    flag("profiling", "false");
    flag("emulated-version", version);
    let mut modes = "Node,RBAC".to_owned();
    // A change of an access entry must be seen by the next call, so the caches are almost off.
    if spec.authentication_webhook_url.is_some() {
        flag(
            "authentication-token-webhook-config-file",
            &path(file::AUTHENTICATION_WEBHOOK),
        );
        flag("authentication-token-webhook-version", "v1");
        flag("authentication-token-webhook-cache-ttl", "10ms");
    }
    if spec.authorization_webhook_url.is_some() {
        modes.push_str(",Webhook");
        flag(
            "authorization-webhook-config-file",
            &path(file::AUTHORIZATION_WEBHOOK),
        );
        flag("authorization-webhook-version", "v1");
        flag("authorization-webhook-cache-authorized-ttl", "10ms");
        flag("authorization-webhook-cache-unauthorized-ttl", "10ms");
    }
    flag("authorization-mode", &modes);
    command
}

pub(super) fn kube_controller_manager(
    tools: &KubernetesTools,
    directory: &Path,
    version: &str,
) -> Command {
    let mut command = go_program(&tools.kube_controller_manager);
    command
        .arg("--kubeconfig")
        .arg(directory.join(file::CONTROLLER_MANAGER_KUBECONFIG))
        .arg("--service-account-private-key-file")
        .arg(directory.join(file::SERVICE_ACCOUNT_PRIVATE))
        .arg("--root-ca-file")
        .arg(directory.join(file::AUTHORITY))
        .arg("--cluster-signing-cert-file")
        .arg(directory.join(file::AUTHORITY))
        .arg("--cluster-signing-key-file")
        .arg(directory.join(file::AUTHORITY_KEY));
    lone_controller(&mut command, version);
    command
}

pub(super) fn kube_scheduler(tools: &KubernetesTools, directory: &Path, version: &str) -> Command {
    let mut command = go_program(&tools.kube_scheduler);
    command
        .arg("--kubeconfig")
        .arg(directory.join(file::SCHEDULER_KUBECONFIG));
    lone_controller(&mut command, version);
    command
}

/// No port, no rivals, and no throttling of its own calls.
fn lone_controller(command: &mut Command, version: &str) {
    command
        .args(["--secure-port=0", "--leader-elect=false"])
        .args([
            "--profiling=false",
            "--kube-api-qps=200",
            "--kube-api-burst=400",
        ])
        .arg(format!("--emulated-version={version}"));
}

pub(super) fn kwok(tools: &KubernetesTools, directory: &Path) -> Command {
    let mut command = go_program(&tools.kwok);
    command
        // Its default configuration and work directory would be in the user's home.
        .env("HOME", directory)
        .arg("--kubeconfig")
        .arg(directory.join(file::KWOK_KUBECONFIG))
        .arg("--config")
        .arg(directory.join(file::STAGES));
    command
}

/// A kubeconfig (JSON is YAML) for the API server.
pub(super) fn kubeconfig(
    cluster: &str,
    endpoint: &str,
    directory: &Path,
    user: &str,
    certificate: &Path,
    key: &Path,
) -> Result<String, LabError> {
    pretty(&serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": cluster, "cluster": {
            "server": endpoint,
            "certificate-authority": directory.join(file::AUTHORITY),
        }}],
        "users": [{"name": user, "user": {"client-certificate": certificate, "client-key": key}}],
        "contexts": [{"name": cluster, "context": {"cluster": cluster, "user": user}}],
        "current-context": cluster,
    }))
}

/// A kubeconfig that names a webhook, as the API server wants it.
pub(super) fn webhook_kubeconfig(url: &str) -> Result<String, LabError> {
    pretty(&serde_json::json!({
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "webhook", "cluster": {"server": url}}],
        "users": [{"name": "kube-apiserver", "user": {}}],
        "contexts": [{"name": "webhook", "context": {"cluster": "webhook", "user": "kube-apiserver"}}],
        "current-context": "webhook",
    }))
}

fn pretty(value: &serde_json::Value) -> Result<String, LabError> {
    serde_json::to_string_pretty(value).map_err(|source| LabError::Answer {
        what: "the kubeconfig writer".to_owned(),
        source,
    })
}
