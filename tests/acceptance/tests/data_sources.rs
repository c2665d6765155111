//! The data sources with the real Core binary.

use anyhow::{Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use serde_json::{Value, json};

const CLUSTER: &str = r#"
data "devopsgenie_cluster" "main" {
  name = "main"
}

output "cluster" {
  value = data.devopsgenie_cluster.main
}
"#;

/// A role that the service may assume, with managed policies; returns its ARN.
async fn make_cluster(scenario: &Scenario) -> Result<()> {
    let role = scenario
        .make_role(
            "theirs",
            json!({ "Service": "eks.amazonaws.com" }),
            &["AmazonEKSClusterPolicy"],
        )
        .await?;
    let network = format!(
        "subnetIds={},endpointPrivateAccess=true",
        scenario.subnet_ids.join(",")
    );
    let mut create = vec!["eks", "create-cluster", "--name", "main"];
    create.extend(["--kubernetes-version", "1.35", "--role-arn", &role]);
    create.extend(["--resources-vpc-config", &network]);
    create.extend(["--access-config", "authenticationMode=API"]);
    create.extend(["--tags", "team=platform,devopsgenie.dev/owner=other"]);
    scenario.lab.aws(&create).await?;
    scenario
        .lab
        .aws(&["eks", "wait", "cluster-active", "--name", "main"])
        .await?;
    Ok(())
}

/// The output, after the state was brought up to date.
fn output(scenario: &Scenario) -> Result<Value> {
    scenario.apply()?;
    let state = scenario.workspace.state()?;
    ensure!(
        !state.to_string().contains("k8s-aws-v1."),
        "the state holds a token: {state}"
    );
    Ok(state["values"]["outputs"]["cluster"]["value"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_made_elsewhere_is_looked_up() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(CLUSTER)?;
        let absent = scenario.apply_fails()?;
        for expected in ["name = \"main\"", "us-east-1", "123456789012"] {
            ensure!(absent.flat().contains(expected), "{}", absent.text());
        }

        make_cluster(scenario).await?;
        let writes = scenario.writes();
        let found = output(scenario)?;
        ensure!(scenario.writes() == writes, "looking up wrote something");
        let theirs = scenario
            .aws_query(&["eks", "describe-cluster", "--name", "main"], "cluster")
            .await?;
        let pairs = [
            ("id", &theirs["name"]),
            ("arn", &theirs["arn"]),
            ("kubernetes_version", &theirs["version"]),
            ("platform_version", &theirs["platformVersion"]),
            ("status", &theirs["status"]),
            ("endpoint", &theirs["endpoint"]),
            (
                "certificate_authority_data",
                &theirs["certificateAuthority"]["data"],
            ),
            ("oidc_issuer_url", &theirs["identity"]["oidc"]["issuer"]),
            ("role_arn", &theirs["roleArn"]),
        ];
        for (attribute, expected) in pairs {
            ensure!(
                found[attribute] == *expected && expected.is_string(),
                "{attribute}: {} instead of {expected}",
                found[attribute]
            );
        }
        let vpc = &theirs["resourcesVpcConfig"];
        for (attribute, expected) in [
            ("vpc_id", &vpc["vpcId"]),
            ("cluster_security_group_id", &vpc["clusterSecurityGroupId"]),
            ("endpoint_private_access", &vpc["endpointPrivateAccess"]),
        ] {
            ensure!(
                found["vpc_config"][attribute] == *expected,
                "{attribute}: {found}"
            );
        }
        let mut subnets = scenario.subnet_ids.clone();
        subnets.sort();
        ensure!(
            found["vpc_config"]["subnet_ids"] == json!(subnets),
            "{found}"
        );
        ensure!(
            found["access_config"]["authentication_mode"] == json!("API"),
            "{found}"
        );
        ensure!(found["tags"] == json!({ "team": "platform" }), "{found}");
        ensure!(found["oidc_provider_arn"].is_null(), "{found}");
        ensure!(found["node_group_names"] == json!([]), "{found}");

        // What others add is seen by the next run.
        let issuer = found["oidc_issuer_url"].as_str().unwrap_or_default();
        let mut create = vec!["iam", "create-open-id-connect-provider", "--url", issuer];
        create.extend(["--client-id-list", "sts.amazonaws.com"]);
        let provider = scenario
            .aws_query(&create, "OpenIDConnectProviderArn")
            .await?;
        let nodes = scenario
            .make_role(
                "nodes",
                json!({ "Service": "ec2.amazonaws.com" }),
                &[
                    "AmazonEKSWorkerNodePolicy",
                    "AmazonEC2ContainerRegistryPullOnly",
                    "AmazonEKS_CNI_Policy",
                ],
            )
            .await?;
        let mut create = vec!["eks", "create-nodegroup", "--cluster-name", "main"];
        create.extend(["--nodegroup-name", "theirs", "--node-role", &nodes]);
        create.push("--subnets");
        create.extend(scenario.subnet_ids.iter().map(String::as_str));
        scenario.lab.aws(&create).await?;
        let found = output(scenario)?;
        ensure!(found["oidc_provider_arn"] == provider, "{found}");
        ensure!(found["node_group_names"] == json!(["theirs"]), "{found}");
        Ok(())
    }
    let scenario = Scenario::start(Core::default_binary().unwrap())
        .await
        .unwrap();
    run(&scenario).await.unwrap();
}
