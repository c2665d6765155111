//! Half-built is resumed: after failures, and after `kill -9` of the provider.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use eks_simulator::{Fault, FaultKind};

const CLUSTER: &str = r#"
resource "devopsgenie_cluster" "main" {
  name               = "main"
  kubernetes_version = "1.35"
  vpc_config         = { subnet_ids = var.subnet_ids }
  node_groups = {
    general = { scaling_config = { min_size = 1, max_size = 2, desired_size = 1 } }
  }
}
"#;

async fn start() -> Result<Scenario> {
    let scenario = Scenario::start(Core::default_binary()?).await?;
    scenario.configure(CLUSTER)?;
    Ok(scenario)
}

/// The points of creation at which the failures are shown, and how many clusters may be created
/// in all: one that ended as FAILED cannot be carried on with.
fn failures() -> [(&'static str, Fault, usize); 3] {
    [
        (
            "before the cluster: the second role is refused",
            Fault::on("iam", "CreateRole", FaultKind::ServerError).after(1),
            1,
        ),
        (
            "the node group gets no instances",
            Fault::on(
                "eks",
                "CreateNodegroup",
                FaultKind::CreateFails {
                    issue_code: "AsgInstanceLaunchFailures".to_owned(),
                    issue_message: "You have requested more vCPU capacity than your current limit"
                        .to_owned(),
                },
            ),
            1,
        ),
        (
            "the OIDC provider is refused",
            Fault::on("iam", "CreateOpenIDConnectProvider", FaultKind::ServerError),
            1,
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_apply_carries_on_after_a_failure() {
    async fn run(scenario: &Scenario) -> Result<()> {
        for (what, fault, clusters) in failures() {
            scenario.lab.simulator().request_log().reset();
            let id = scenario.lab.simulator().faults().add(fault);
            scenario.apply_fails().context(what)?;
            scenario.lab.simulator().faults().clear(id);
            scenario.apply().context(what)?;
            ensure!(
                scenario.calls("eks:CreateCluster") <= clusters
                    && scenario.calls("eks:DeleteCluster") == 0,
                "{what}: the cluster was made {} times and deleted {} times",
                scenario.calls("eks:CreateCluster"),
                scenario.calls("eks:DeleteCluster")
            );
            scenario.destroy().await.context(what)?;
        }
        Ok(())
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_destroy_after_a_failure_removes_everything() {
    async fn run(scenario: &Scenario) -> Result<()> {
        for (what, fault, _) in failures() {
            let id = scenario.lab.simulator().faults().add(fault);
            scenario.apply_fails().context(what)?;
            scenario.lab.simulator().faults().clear(id);
            scenario.destroy().await.context(what)?;
        }
        Ok(())
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_next_apply_carries_on_after_kill_9() {
    async fn run(scenario: &Scenario) -> Result<()> {
        for operation in ["CreateRole", "CreateCluster", "CreateNodegroup"] {
            scenario.lab.simulator().request_log().reset();
            let child = scenario
                .workspace
                .spawn(&["apply", "-auto-approve", "-no-color"])?;
            let service = if operation == "CreateRole" {
                "iam"
            } else {
                "eks"
            };
            let started = Instant::now();
            while scenario.calls(&format!("{service}:{operation}")) == 0 {
                ensure!(
                    started.elapsed() < Duration::from_secs(120),
                    "{operation} was never called"
                );
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
            scenario.kill_provider()?;
            let output = child.wait_with_output()?;
            ensure!(
                !output.status.success(),
                "apply survived the kill at {operation}"
            );

            scenario
                .apply()
                .with_context(|| format!("after the kill at {operation}"))?;
            ensure!(
                scenario.calls("eks:CreateCluster") <= 2
                    && scenario.calls("eks:DeleteCluster") == 0,
                "the cluster was not carried on with after the kill at {operation}"
            );
            scenario
                .destroy()
                .await
                .with_context(|| format!("after the kill at {operation}"))?;
        }
        Ok(())
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}
