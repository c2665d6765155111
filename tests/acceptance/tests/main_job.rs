//! The main job, with each Core there is: one apply from nothing, one destroy to nothing.

use anyhow::{Context, Result, ensure};
use devopsgenie_acceptance::scenario::Scenario;
use devopsgenie_acceptance::{Core, workspace_root};

/// What a reviewer reads when `web_replicas` becomes 3. The digests are of the rendered objects.
const ONE_VALUE_CHANGED: &str = r#"  # devopsgenie_addon_set.platform will be updated in-place
  ~ resource "devopsgenie_addon_set" "platform" {
      ~ changes       = {
          + "apps/Deployment/team-a/web" = "spec.replicas: 2 -> 3"
        }
        id            = "devopsgenie-system/platform"
        name          = "platform"
      ~ objects       = {
          ~ "apps/Deployment/team-a/web"                           = "sha256:f7e9bb8b2988380e8d3d1ba33b6105be" -> "sha256:4588fb202f6ec8d4055a7c2ea971d217"
            # (16 unchanged elements hidden)
        }
        # (7 unchanged attributes hidden)
    }"#;

async fn main_job(core: Core) -> Result<()> {
    let scenario = Scenario::start(core).await?;
    let example = workspace_root().join("examples/platform");
    std::fs::remove_file(scenario.workspace.directory.join("head.tf"))?;
    for entry in std::fs::read_dir(&example)? {
        let path = entry?.path();
        if path
            .extension()
            .is_some_and(|extension| extension == "tf" || extension == "yaml")
        {
            std::fs::copy(
                &path,
                scenario
                    .workspace
                    .directory
                    .join(path.file_name().context("a name")?),
            )?;
        }
    }

    let run = scenario.apply()?;
    ensure!(
        run.stdout
            .contains("Apply complete! Resources: 2 added, 0 changed, 0 destroyed."),
        "{}",
        run.text()
    );
    let pods = scenario
        .kubectl("platform", &["get", "pods", "-n", "team-a", "-o", "name"])
        .await?;
    ensure!(
        pods.lines().count() == 2,
        "the Deployment web has not two pods: {pods}"
    );

    let before = scenario.writes();
    let stored = scenario.stored_objects("platform").await?;
    let run = scenario
        .workspace
        .ok(&["apply", "-auto-approve", "-no-color"])?;
    ensure!(run.stdout.contains("No changes."), "{}", run.text());
    ensure!(scenario.writes() == before, "the second apply wrote");
    ensure!(
        scenario.stored_objects("platform").await? == stored,
        "the second apply wrote to Kubernetes"
    );

    let plan = scenario
        .workspace
        .ok(&["plan", "-no-color", "-var", "web_replicas=3"])?;
    let shown = plan
        .stdout
        .split_once("will perform the following actions:\n\n")
        .and_then(|(_, actions)| actions.split_once("\n\nPlan:"))
        .map_or("no plan", |(actions, _)| actions);
    ensure!(
        shown == ONE_VALUE_CHANGED,
        "the plan of one changed value is another: {}",
        plan.text()
    );

    scenario.workspace.ok(&[
        "apply",
        "-auto-approve",
        "-no-color",
        "-var",
        "web_replicas=3",
    ])?;
    let replicas = scenario
        .kubectl(
            "platform",
            &[
                "get",
                "deployment",
                "web",
                "-n",
                "team-a",
                "-o",
                "jsonpath={.status.readyReplicas}",
            ],
        )
        .await?;
    ensure!(
        replicas == "3",
        "apply returned before the Deployment was ready: {replicas:?} of 3"
    );
    scenario.destroy().await
}

#[tokio::test(flavor = "multi_thread")]
async fn opentofu_takes_an_empty_account_to_a_platform_and_back() {
    main_job(Core::opentofu().unwrap()).await.unwrap();
}

/// Where there is no Terraform, OpenTofu above is the Core that runs the main job.
#[tokio::test(flavor = "multi_thread")]
async fn terraform_takes_an_empty_account_to_a_platform_and_back() {
    match Core::terraform().unwrap() {
        Some(core) => main_job(core).await.unwrap(),
        None => eprintln!("no Terraform: only OpenTofu was tried"),
    }
}
