//! `devopsgenie_addon_set` with the real Core binary, on a real Kubernetes API.

use anyhow::{Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;

/// A cluster, and a set in it whose add-on `web` brings `manifests` (HCL expressions).
fn platform(manifests: &[&str]) -> String {
    format!(
        r#"
resource "devopsgenie_cluster" "main" {{
  name               = "main"
  kubernetes_version = "1.35"
  vpc_config         = {{ subnet_ids = var.subnet_ids }}
  node_groups = {{
    general = {{ scaling_config = {{ min_size = 1, max_size = 2, desired_size = 1 }} }}
  }}
}}

resource "devopsgenie_addon_set" "base" {{
  name       = "base"
  kubernetes = {{ eks = {{ cluster_name = devopsgenie_cluster.main.name }} }}
  addons = {{
    web = {{
      namespace = "web"
      manifests = [{}]
    }}
  }}
}}
"#,
        manifests.join(",\n")
    )
}

const NAMESPACE: &str = r#"yamlencode({ apiVersion = "v1", kind = "Namespace", metadata = { name = "web" } })"#;

fn config_map(value: &str) -> String {
    format!(
        r#"yamlencode({{ apiVersion = "v1", kind = "ConfigMap", metadata = {{ name = "settings" }}, data = {{ level = "{value}" }} }})"#
    )
}

fn secret(value: &str) -> String {
    format!(
        r#"yamlencode({{ apiVersion = "v1", kind = "Secret", metadata = {{ name = "token" }}, stringData = {{ token = "{value}" }} }})"#
    )
}

async fn start() -> Scenario {
    Scenario::start(Core::default_binary().unwrap()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn names_each_object_and_never_a_secret() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&platform(&[NAMESPACE, &config_map("info"), &secret("hunter2-first")]))?;
        let plan = scenario.plan()?;
        for name in ["ConfigMap/web/settings", "Secret/web/token"] {
            ensure!(plan.stdout.contains(name), "the first plan does not name {name}: {}", plan.text());
        }
        scenario.apply()?;

        scenario.configure(&platform(&[NAMESPACE, &config_map("debug"), &secret("hunter2-second")]))?;
        let plan = scenario.plan()?;
        ensure!(plan.stdout.contains("data.level: \\\"info\\\" -> \\\"debug\\\"") || plan.stdout.contains("data.level: info -> debug"), "{}", plan.text());
        let changes: Vec<&str> = plan.stdout.lines().filter(|line| line.contains("Secret/web/token")).collect();
        ensure!(!changes.is_empty(), "the changed Secret is not named: {}", plan.text());
        ensure!(changes.iter().all(|line| !line.contains("hunter2")), "a secret in {changes:?}");
        scenario.apply()?;
        let state = scenario.workspace.state()?;
        let set = state["values"]["root_module"]["resources"]
            .as_array()
            .and_then(|resources| resources.iter().find(|resource| resource["type"] == "devopsgenie_addon_set"))
            .cloned()
            .unwrap_or_default();
        ensure!(!set["values"]["objects"].to_string().contains("hunter2"), "a secret in objects: {set}");
        let value = scenario.kubectl("main", &["get", "configmap", "settings", "-n", "web", "-o", "jsonpath={.data.level}"]).await?;
        ensure!(value == "debug", "{value}");

        // What leaves the configuration leaves the cluster.
        scenario.configure(&platform(&[NAMESPACE, &secret("hunter2-second")]))?;
        let plan = scenario.plan()?;
        ensure!(plan.stdout.contains("ConfigMap/web/settings"), "{}", plan.text());
        scenario.apply()?;
        let left = scenario.kubectl("main", &["get", "configmaps", "-n", "web", "-o", "name"]).await?;
        ensure!(!left.contains("settings"), "{left}");
        scenario.destroy().await
    }
    let scenario = start().await;
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_in_the_cluster_is_shown_and_repaired() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&platform(&[NAMESPACE, &config_map("info")]))?;
        scenario.apply()?;
        let level = ["get", "configmap", "settings", "-n", "web", "-o", "jsonpath={.data.level}"];
        for drift in [
            &["patch", "configmap", "settings", "-n", "web", "--type=merge", "-p", "{\"data\":{\"level\":\"trace\"}}"][..],
            &["delete", "configmap", "settings", "-n", "web"][..],
        ] {
            scenario.kubectl("main", drift).await?;
            let plan = scenario.plan()?;
            ensure!(plan.code == Some(2), "{drift:?} was not noticed: {}", plan.text());
            ensure!(plan.stdout.contains("ConfigMap/web/settings"), "{}", plan.text());
            scenario.apply()?;
            let value = scenario.kubectl("main", &level).await?;
            ensure!(value == "info", "{value}");
        }
        scenario.destroy().await
    }
    let scenario = start().await;
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_on_after_a_failure_and_is_destroyed_after_one() {
    async fn run(scenario: &Scenario) -> Result<()> {
        // A Pod that never becomes ready: its node selector fits no node.
        let stuck = r#"yamlencode({ apiVersion = "v1", kind = "Pod", metadata = { name = "stuck" }, spec = { nodeSelector = { absent = "true" }, containers = [{ name = "main", image = "registry.k8s.io/pause:3.10" }] } })"#;
        let failing = platform(&[NAMESPACE, &config_map("info"), stuck])
            .replace("name       = \"base\"", "name       = \"base\"\n  timeouts = { create = \"15s\", update = \"15s\" }");
        scenario.configure(&failing)?;
        let run = scenario.apply_fails()?;
        let text = run.flat();
        ensure!(text.contains("Pod/web/stuck"), "the culprit is not named: {}", run.text());

        let uid = ["get", "configmap", "settings", "-n", "web", "-o", "jsonpath={.metadata.uid}"];
        let before = scenario.kubectl("main", &uid).await?;
        scenario.configure(&platform(&[NAMESPACE, &config_map("info")]))?;
        scenario.apply()?;
        let after = scenario.kubectl("main", &uid).await?;
        ensure!(before == after, "the ConfigMap was made anew: {before} {after}");
        let pods = scenario.kubectl("main", &["get", "pods", "-n", "web", "-o", "name"]).await?;
        ensure!(pods.is_empty(), "{pods}");

        scenario.configure(&failing)?;
        scenario.apply_fails()?;
        scenario.destroy().await
    }
    let scenario = start().await;
    run(&scenario).await.unwrap();
}
