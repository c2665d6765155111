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

/// Subnets of a new VPC in two zones.
async fn other_subnets(scenario: &Scenario) -> Result<Vec<String>> {
    let vpc = scenario
        .aws_query(
            &["ec2", "create-vpc", "--cidr-block", "10.9.0.0/16"],
            "Vpc.VpcId",
        )
        .await?;
    let zones = scenario
        .aws_query(
            &[
                "ec2",
                "describe-subnets",
                "--subnet-ids",
                &scenario.subnet_ids[0],
                &scenario.subnet_ids[1],
            ],
            "Subnets[].AvailabilityZone",
        )
        .await?;
    let mut subnets = Vec::new();
    for (number, zone) in zones.as_array().into_iter().flatten().enumerate() {
        let range = format!("10.9.{number}.0/24");
        let mut create = vec!["ec2", "create-subnet", "--cidr-block", &range];
        create.extend(["--vpc-id", vpc.as_str().unwrap_or_default()]);
        create.extend(["--availability-zone", zone.as_str().unwrap_or_default()]);
        let subnet = scenario.aws_query(&create, "Subnet.SubnetId").await?;
        subnets.push(subnet.as_str().unwrap_or_default().to_owned());
    }
    Ok(subnets)
}

/// EKS never moves a cluster to another VPC: one that is half-built in the wrong one is made again.
#[tokio::test(flavor = "multi_thread")]
async fn a_half_built_cluster_in_the_wrong_vpc_is_made_again() {
    async fn run(scenario: &Scenario) -> Result<()> {
        let fault = Fault::on("eks", "CreateNodegroup", FaultKind::ServerError);
        let id = scenario.lab.simulator().faults().add(fault);
        scenario.apply_fails()?;
        scenario.lab.simulator().faults().clear(id);
        let subnets = other_subnets(scenario).await?;
        scenario
            .configure(&CLUSTER.replace("var.subnet_ids", &serde_json::to_string(&subnets)?))?;
        scenario.apply()?;
        let found = scenario
            .aws_query(
                &["eks", "describe-cluster", "--name", "main"],
                "sort(cluster.resourcesVpcConfig.subnetIds)",
            )
            .await?;
        let mut expected = subnets;
        expected.sort();
        ensure!(found == serde_json::json!(expected), "{found}");
        ensure!(
            scenario.calls("eks:DeleteCluster") == 1,
            "the half-built cluster was deleted {} times",
            scenario.calls("eks:DeleteCluster")
        );
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}
