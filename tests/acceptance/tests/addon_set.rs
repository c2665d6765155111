//! `devopsgenie_addon_set` with the real Core binary, on a real Kubernetes API.

use std::time::{Duration, Instant};

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

/// A Pod that never becomes ready: its node selector fits no node.
const STUCK: &str = r#"yamlencode({ apiVersion = "v1", kind = "Pod", metadata = { name = "stuck" }, spec = { nodeSelector = { absent = "true" }, containers = [{ name = "main", image = "registry.k8s.io/pause:3.10" }] } })"#;

const UID: [&str; 7] = [
    "get",
    "configmap",
    "settings",
    "-n",
    "web",
    "-o",
    "jsonpath={.metadata.uid}",
];

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
        // Of a map only the elements that change are printed.
        ensure!(
            plan.stdout.contains("\"ConfigMap/web/settings\"")
                && !plan.stdout.contains("Secret/web/token"),
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
        let failing = platform(&[NAMESPACE, &config_map("info"), STUCK]).replace(
            "name       = \"base\"",
            "name       = \"base\"\n  timeouts = { create = \"15s\", update = \"15s\" }",
        );
        scenario.configure(&failing)?;
        let run = scenario.apply_fails()?;
        // The plan names the Pod too: only the error counts.
        ensure!(
            run.flat()
                .split_once("Error: The add-on set is not complete")
                .is_some_and(|(_, error)| error.contains("Pod web/stuck: Unschedulable: ")),
            "the culprit is not named: {}",
            run.text()
        );

        let before = scenario.kubectl("main", &UID).await?;
        scenario.configure(&platform(&[NAMESPACE, &config_map("info")]))?;
        scenario.apply()?;
        let after = scenario.kubectl("main", &UID).await?;
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

/// Applies, and kills the provider when the stuck Pod is in the cluster: in the middle of a stage.
async fn apply_and_kill(scenario: &Scenario) -> Result<()> {
    let child = scenario
        .workspace
        .spawn(&["apply", "-auto-approve", "-no-color"])?;
    let started = Instant::now();
    loop {
        ensure!(
            started.elapsed() < Duration::from_secs(240),
            "the Pod never came"
        );
        let pods = ["get", "pods", "-n", "web", "-o", "name"];
        // There is no cluster in the beginning.
        match scenario.kubectl("main", &pods).await {
            Ok(found) if found.contains("stuck") => break,
            _ => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
    scenario.kill_provider()?;
    let output = child.wait_with_output()?;
    ensure!(!output.status.success(), "the apply survived the kill");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_on_after_kill_9() {
    async fn run(scenario: &Scenario) -> Result<()> {
        // In a creation: Core knows nothing of the set then.
        scenario.configure(&platform(&[
            NAMESPACE,
            &config_map("info"),
            &secret("first"),
            STUCK,
        ]))?;
        apply_and_kill(scenario).await?;
        let uid = scenario.kubectl("main", &UID).await?;
        scenario.configure(&platform(&[
            NAMESPACE,
            &config_map("info"),
            &secret("first"),
        ]))?;
        scenario.apply()?;
        ensure!(
            scenario.kubectl("main", &UID).await? == uid,
            "the ConfigMap was made anew"
        );
        let pods = scenario
            .kubectl("main", &["get", "pods", "-n", "web", "-o", "name"])
            .await?;
        ensure!(pods.is_empty(), "{pods}");

        // In an update: Core keeps the state of before and erases the private data. The Secret has the new
        // value then, and the next configuration wants the old one: nothing in the state tells.
        scenario.configure(&platform(&[
            NAMESPACE,
            &config_map("info"),
            &secret("second"),
            STUCK,
        ]))?;
        apply_and_kill(scenario).await?;
        scenario.configure(&platform(&[
            NAMESPACE,
            &config_map("info"),
            &secret("first"),
        ]))?;
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
        ensure!(STANDARD.decode(&stored)? == b"first", "{stored}");
        let pods = scenario
            .kubectl("main", &["get", "pods", "-n", "web", "-o", "name"])
            .await?;
        ensure!(pods.is_empty(), "{pods}");

        let before = scenario.stored_objects("main").await?;
        scenario.apply()?;
        ensure!(
            scenario.stored_objects("main").await? == before,
            "an apply without changes wrote"
        );

        // And destroy after a kill.
        scenario.configure(&platform(&[NAMESPACE, &config_map("debug"), STUCK]))?;
        apply_and_kill(scenario).await?;
        scenario.workspace.ok(&[
            "destroy",
            "-auto-approve",
            "-no-color",
            "-target=devopsgenie_addon_set.base",
        ])?;
        let left = scenario
            .kubectl(
                "main",
                &[
                    "get",
                    "namespaces,configmaps,secrets,pods",
                    "-A",
                    "-l",
                    "devopsgenie.dev/addon-set",
                    "-o",
                    "name",
                ],
            )
            .await?;
        ensure!(left.is_empty(), "left behind: {left}");
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

/// A cluster, and a set in it that reaches it by a URL that passes through another resource.
fn by_url(scenario: &Scenario, input: &str, authority: &str) -> String {
    let aws = scenario.lab.python_tools().aws.display();
    format!(
        r#"
resource "devopsgenie_cluster" "main" {{
  name               = "main"
  kubernetes_version = "1.35"
  vpc_config         = {{ subnet_ids = var.subnet_ids }}
}}

resource "terraform_data" "connection" {{
  input = {{
    host  = devopsgenie_cluster.main.endpoint
    ca    = devopsgenie_cluster.main.certificate_authority_data
    other = "{input}"
  }}
}}

resource "devopsgenie_addon_set" "base" {{
  name = "base"
  kubernetes = {{
    cluster = {{
      host                   = terraform_data.connection.output.host
      cluster_ca_certificate = {authority}
      exec = {{
        api_version = "client.authentication.k8s.io/v1beta1"
        command     = "{aws}"
        args        = ["eks", "get-token", "--cluster-name", devopsgenie_cluster.main.name]
      }}
    }}
  }}
  addons = {{
    web = {{
      namespace = "web"
      manifests = [{NAMESPACE}, {}]
    }}
  }}
}}
"#,
        config_map("info")
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_unknown_in_the_plan() {
    async fn run(scenario: &Scenario) -> Result<()> {
        let direct = "devopsgenie_cluster.main.certificate_authority_data";
        scenario.configure(&by_url(scenario, "one", direct))?;
        scenario.apply()?;
        let uid = scenario.kubectl("main", &UID).await?;

        // The URL is unknown, the certificate authority is not: it is the same cluster.
        scenario.configure(&by_url(scenario, "two", direct))?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout
                .contains("# devopsgenie_addon_set.base will be updated in-place"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        ensure!(
            scenario.kubectl("main", &UID).await? == uid,
            "the set was made anew"
        );

        // Nothing is known: it may be another cluster, and Core accepts no second thoughts.
        let indirect = "terraform_data.connection.output.ca";
        scenario.configure(&by_url(scenario, "three", indirect))?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout
                .contains("# devopsgenie_addon_set.base must be replaced"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        ensure!(
            scenario.kubectl("main", &UID).await? != uid,
            "the set was planned to be replaced and was not"
        );
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}
