//! The main job, with each Core there is: one apply from nothing, one destroy to nothing.

use anyhow::{Context, Result, ensure};
use devopsgenie_acceptance::scenario::Scenario;
use devopsgenie_acceptance::{Core, workspace_root};

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
    let run = scenario
        .workspace
        .ok(&["apply", "-auto-approve", "-no-color"])?;
    ensure!(run.stdout.contains("No changes."), "{}", run.text());
    ensure!(scenario.writes() == before, "the second apply wrote");

    let plan = scenario
        .workspace
        .ok(&["plan", "-no-color", "-var", "web_replicas=3"])?;
    ensure!(
        plan.stdout.contains("spec.replicas: 2 -> 3"),
        "{}",
        plan.text()
    );
    let printed = plan
        .stdout
        .lines()
        .skip_while(|line| !line.contains("# devopsgenie_addon_set"))
        .count();
    ensure!(
        printed < 60,
        "a change of one value prints {printed} lines: {}",
        plan.stdout
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

/// Where there is no terraform on PATH, OpenTofu above is the Core that runs the main job.
#[tokio::test(flavor = "multi_thread")]
async fn terraform_takes_an_empty_account_to_a_platform_and_back() {
    match Core::terraform_on_path().unwrap() {
        Some(core) => main_job(core).await.unwrap(),
        None => eprintln!("no terraform on PATH: only OpenTofu was tried"),
    }
}
