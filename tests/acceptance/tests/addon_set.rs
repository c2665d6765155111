//! `devopsgenie_addon_set` with the real Core binary, on a real Kubernetes API.

use anyhow::{Result, ensure};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use serde_json::Value;

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

const NAMESPACE: &str =
    r#"yamlencode({ apiVersion = "v1", kind = "Namespace", metadata = { name = "web" } })"#;

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

async fn start() -> Result<Scenario> {
    Scenario::start(Core::default_binary()?).await
}

/// Requires that no text of the manifests is where Core prints or keeps it: the plan (as text, as JSON and
/// in its file) and the state (as JSON and in its file, where the private data are in base64).
fn require_nothing_secret(scenario: &Scenario) -> Result<()> {
    const HIDDEN: [&str; 3] = ["hunter2", "aHVudGVyMi", "kind: Secret"];
    let workspace = &scenario.workspace;
    workspace.run(&["plan", "-no-color", "-out=saved.tfplan"])?;
    let mut texts = Vec::new();
    for arguments in [
        &["show", "-no-color", "saved.tfplan"][..],
        &["show", "-json", "saved.tfplan"],
        &["show", "-no-color"],
        &["show", "-json"],
    ] {
        let run = workspace.ok(arguments)?;
        texts.push((arguments.join(" "), run.stdout));
    }
    // Nothing at all before the first apply.
    let pulled = workspace.ok(&["state", "pull"])?.stdout;
    let state: Value = if pulled.is_empty() {
        Value::Null
    } else {
        serde_json::from_str(&pulled)?
    };
    for instance in state["resources"]
        .as_array()
        .into_iter()
        .flatten()
        .flat_map(|resource| resource["instances"].as_array())
        .flatten()
    {
        let private = STANDARD.decode(instance["private"].as_str().unwrap_or_default())?;
        texts.push(("private data".to_owned(), String::from_utf8(private)?));
    }
    texts.push(("state pull".to_owned(), state.to_string()));
    for (place, text) in texts {
        // `show -json` of a plan holds the configuration, whose expressions the user wrote.
        let text = match serde_json::from_str::<Value>(&text) {
            Ok(mut json) => {
                json["configuration"] = Value::Null;
                json.to_string()
            }
            Err(_) => text,
        };
        for hidden in HIDDEN {
            ensure!(!text.contains(hidden), "{hidden:?} is in {place}: {text}");
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn names_each_object_and_never_a_secret() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&platform(&[
            NAMESPACE,
            &config_map("info"),
            &secret("hunter2-first"),
        ]))?;
        let plan = scenario.plan()?;
        for name in ["ConfigMap/web/settings", "Secret/web/token"] {
            ensure!(
                plan.stdout.contains(name),
                "the first plan does not name {name}: {}",
                plan.text()
            );
        }
        // The cluster is of the same apply: that it does not exist yet is no news.
        ensure!(
            plan.code == Some(2) && !plan.text().contains("Warning"),
            "{}",
            plan.text()
        );
        require_nothing_secret(scenario)?;
        scenario.apply()?;
        require_nothing_secret(scenario)?;

        // The value of the Secret alone: twice, for the same words must not hide the second change.
        for value in ["hunter2-second", "hunter2-third"] {
            scenario.configure(&platform(&[NAMESPACE, &config_map("info"), &secret(value)]))?;
            let plan = scenario.plan()?;
            ensure!(
                plan.code == Some(2)
                    && plan
                        .stdout
                        .contains("data.token: (sensitive value changed)"),
                "{}",
                plan.text()
            );
            require_nothing_secret(scenario)?;
            scenario.apply()?;
            let stored = scenario
                .kubectl(
                    "main",
                    &[
                        "get",
                        "secret",
                        "token",
                        "-n",
                        "web",
                        "-o",
                        "jsonpath={.data.token}",
                    ],
                )
                .await?;
            ensure!(STANDARD.decode(&stored)? == value.as_bytes(), "{stored}");
        }

        scenario.configure(&platform(&[
            NAMESPACE,
            &config_map("debug"),
            &secret("hunter2-third"),
        ]))?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout.contains(r#"data.level: \"info\" -> \"debug\""#),
            "{}",
            plan.text()
        );
        ensure!(
            !plan.stdout.contains("Secret/web/token\" ="),
            "an unchanged Secret is planned: {}",
            plan.text()
        );
        // One changed value is one line, and the plan is small.
        let changed: Vec<&str> = plan
            .stdout
            .lines()
            .filter(|line| line.trim_start().starts_with(['+', '~', '-']))
            .collect();
        ensure!(changed.len() <= 8, "{changed:#?}");
        scenario.apply()?;
        require_nothing_secret(scenario)?;
        let value = scenario
            .kubectl(
                "main",
                &[
                    "get",
                    "configmap",
                    "settings",
                    "-n",
                    "web",
                    "-o",
                    "jsonpath={.data.level}",
                ],
            )
            .await?;
        ensure!(value == "debug", "{value}");

        // What leaves the configuration leaves the cluster.
        scenario.configure(&platform(&[NAMESPACE, &secret("hunter2-third")]))?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout.contains("ConfigMap/web/settings"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        let left = scenario
            .kubectl("main", &["get", "configmaps", "-n", "web", "-o", "name"])
            .await?;
        ensure!(!left.contains("settings"), "{left}");
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_in_the_cluster_is_shown_and_repaired() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&platform(&[NAMESPACE, &config_map("info")]))?;
        scenario.apply()?;
        let level = [
            "get",
            "configmap",
            "settings",
            "-n",
            "web",
            "-o",
            "jsonpath={.data.level}",
        ];
        for drift in [
            &[
                "patch",
                "configmap",
                "settings",
                "-n",
                "web",
                "--type=merge",
                "-p",
                "{\"data\":{\"level\":\"trace\"}}",
            ][..],
            &["delete", "configmap", "settings", "-n", "web"][..],
        ] {
            scenario.kubectl("main", drift).await?;
            let plan = scenario.plan()?;
            ensure!(
                plan.code == Some(2),
                "{drift:?} was not noticed: {}",
                plan.text()
            );
            ensure!(
                plan.stdout.contains("ConfigMap/web/settings"),
                "{}",
                plan.text()
            );
            scenario.apply()?;
            let value = scenario.kubectl("main", &level).await?;
            ensure!(value == "info", "{value}");
        }
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_on_after_a_failure_and_is_destroyed_after_one() {
    async fn run(scenario: &Scenario) -> Result<()> {
        // A Pod that never becomes ready: its node selector fits no node.
        let stuck = r#"yamlencode({ apiVersion = "v1", kind = "Pod", metadata = { name = "stuck" }, spec = { nodeSelector = { absent = "true" }, containers = [{ name = "main", image = "registry.k8s.io/pause:3.10" }] } })"#;
        let failing = platform(&[NAMESPACE, &config_map("info"), stuck]).replace(
            "name       = \"base\"",
            "name       = \"base\"\n  timeouts = { create = \"15s\", update = \"15s\" }",
        );
        scenario.configure(&failing)?;
        let run = scenario.apply_fails()?;
        let text = run.flat();
        ensure!(
            text.contains("Pod/web/stuck"),
            "the culprit is not named: {}",
            run.text()
        );

        let uid = [
            "get",
            "configmap",
            "settings",
            "-n",
            "web",
            "-o",
            "jsonpath={.metadata.uid}",
        ];
        let before = scenario.kubectl("main", &uid).await?;
        scenario.configure(&platform(&[NAMESPACE, &config_map("info")]))?;
        scenario.apply()?;
        let after = scenario.kubectl("main", &uid).await?;
        ensure!(
            before == after,
            "the ConfigMap was made anew: {before} {after}"
        );
        let pods = scenario
            .kubectl("main", &["get", "pods", "-n", "web", "-o", "name"])
            .await?;
        ensure!(pods.is_empty(), "{pods}");

        scenario.configure(&failing)?;
        scenario.apply_fails()?;
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}
