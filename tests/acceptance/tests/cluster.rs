//! `devopsgenie_cluster` with the real Core binary.

use anyhow::{Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use serde_json::{Value, json};

/// A cluster named `main` with `arguments` in its body.
fn cluster(version: &str, arguments: &str) -> String {
    format!(
        "resource \"devopsgenie_cluster\" \"main\" {{\n  name = \"main\"\n  kubernetes_version = \"{version}\"\n  \
         vpc_config = {{ subnet_ids = var.subnet_ids }}\n{arguments}\n}}\n"
    )
}

/// Deletes the cluster's only node group, as somebody with the AWS CLI would.
async fn delete_node_group(scenario: &Scenario) -> Result<()> {
    let groups = scenario
        .aws_query(
            &["eks", "list-nodegroups", "--cluster-name", "main"],
            "nodegroups",
        )
        .await?;
    let group = groups[0].as_str().unwrap_or_default();
    for action in [&["delete-nodegroup"][..], &["wait", "nodegroup-deleted"]] {
        let mut arguments = vec!["eks"];
        arguments.extend(action);
        arguments.extend(["--cluster-name", "main", "--nodegroup-name", group]);
        scenario.lab.aws(&arguments).await?;
    }
    Ok(())
}

async fn start() -> Result<Scenario> {
    Scenario::start(Core::default_binary()?).await
}

const ONE_GROUP: &str = r#"
  node_groups = {
    general = { scaling_config = { min_size = 1, max_size = 3, desired_size = 1 } }
  }
"#;

/// A user that a test makes, because EKS wants the principals of access entries to exist.
const NOBODY: &str = "arn:aws:iam::123456789012:user/nobody";

/// A change in place, and what AWS has to answer afterwards.
struct Change {
    what: &'static str,
    version: &'static str,
    arguments: String,
    query: &'static [&'static str],
    path: &'static str,
    expected: Value,
}

#[tokio::test(flavor = "multi_thread")]
async fn is_created_changed_in_place_and_destroyed() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&cluster("1.34", ONE_GROUP))?;
        let apply = scenario.apply()?;
        ensure!(apply.stdout.contains("1 added"), "{}", apply.text());

        let describe: &'static [&str] = &["eks", "describe-cluster", "--name", "main"];
        let entries: &'static [&str] = &["eks", "list-access-entries", "--cluster-name", "main"];
        let changes = [
            Change {
                what: "tags",
                version: "1.34",
                arguments: format!("{ONE_GROUP}\n tags = {{ team = \"platform\" }}"),
                query: describe,
                path: "cluster.tags.team",
                expected: json!("platform"),
            },
            Change {
                what: "logging and endpoint access in one apply",
                version: "1.34",
                arguments: format!(
                    "{ONE_GROUP}\n enabled_cluster_log_types = [\"api\", \"audit\"]"
                ),
                query: describe,
                path: "[sort(cluster.logging.clusterLogging[?enabled].types[]), \
                       [to_string(cluster.resourcesVpcConfig.endpointPrivateAccess)]]",
                expected: json!([["api", "audit"], ["false"]]),
            },
            Change {
                what: "an access entry",
                version: "1.34",
                arguments: format!(
                    "{ONE_GROUP}\n access_entries = {{ nobody = {{ principal_arn = \"{NOBODY}\" }} }}"
                ),
                query: entries,
                path: "accessEntries[?ends_with(@, 'user/nobody')]",
                expected: json!([NOBODY]),
            },
            Change {
                what: "one minor version up, the access entry gone",
                version: "1.35",
                arguments: ONE_GROUP.to_owned(),
                query: describe,
                path: "cluster.version",
                expected: json!("1.35"),
            },
        ];
        scenario
            .lab
            .aws(&["iam", "create-user", "--user-name", "nobody"])
            .await?;
        for change in changes {
            let Change {
                what,
                path,
                expected,
                ..
            } = &change;
            let mut configuration = cluster(change.version, &change.arguments);
            if what.contains("endpoint access") {
                configuration = configuration.replace(
                    "subnet_ids = var.subnet_ids",
                    "subnet_ids = var.subnet_ids\n endpoint_private_access = false",
                );
            }
            scenario.configure(&configuration)?;
            let plan = scenario.plan()?;
            ensure!(
                plan.stdout.contains("0 to add, 1 to change, 0 to destroy"),
                "{what}: {}",
                plan.text()
            );
            scenario.apply()?;
            let found = scenario.aws_query(change.query, path).await?;
            ensure!(
                &found == expected,
                "{what}: {path} is {found}, not {expected}"
            );
        }
        let entries = scenario
            .aws_query(
                entries,
                "length(accessEntries[?ends_with(@, 'user/nobody')])",
            )
            .await?;
        ensure!(entries == 0, "the access entry is still there: {entries}");

        scenario.configure(&cluster(
            "1.35",
            &ONE_GROUP.replace("desired_size = 1", "desired_size = 2"),
        ))?;
        scenario.apply()?;
        let nodes = scenario
            .kubectl("main", &["get", "nodes", "-o", "name"])
            .await?;
        ensure!(nodes.lines().count() == 2, "scaled to 2: {nodes}");
        ensure!(
            scenario.calls("eks:CreateCluster") == 1,
            "a change in place made a new cluster"
        );

        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_whose_instances_change_is_replaced_by_a_new_one_first() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&cluster("1.35", ONE_GROUP))?;
        scenario.apply()?;
        let groups: &[&str] = &["eks", "list-nodegroups", "--cluster-name", "main"];
        let before = scenario.aws_query(groups, "nodegroups").await?;
        let changed = ONE_GROUP.replace(
            "general = {",
            "general = { instance_types = [\"m7i.xlarge\"],",
        );
        scenario.configure(&cluster("1.35", &changed))?;
        scenario.apply()?;
        let after = scenario.aws_query(groups, "nodegroups").await?;
        ensure!(
            before != after && after.as_array().is_some_and(|groups| groups.len() == 1),
            "{before} -> {after}"
        );
        let log = scenario.lab.simulator().request_log().all();
        let position = |operation: &str| {
            log.iter()
                .rposition(|request| request.operation == operation)
        };
        ensure!(
            position("CreateNodegroup") < position("DeleteNodegroup"),
            "the old group went first"
        );
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_name_is_a_new_cluster() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&cluster("1.35", ""))?;
        scenario.apply()?;
        scenario.configure(&cluster("1.35", "").replace("name = \"main\"", "name = \"other\""))?;
        let plan = scenario.plan()?;
        ensure!(
            plan.flat().contains("forces replacement"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        let clusters = scenario
            .aws_query(&["eks", "list-clusters"], "clusters")
            .await?;
        ensure!(clusters == json!(["other"]), "{clusters}");
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn drift_is_shown_and_repaired() {
    async fn run(scenario: &Scenario) -> Result<()> {
        let body = format!("{ONE_GROUP}\n tags = {{ team = \"platform\" }}");
        scenario.configure(&cluster("1.35", &body))?;
        scenario.apply()?;

        let arn = scenario
            .aws_query(
                &["eks", "describe-cluster", "--name", "main"],
                "cluster.arn",
            )
            .await?;
        let arn = arn.as_str().unwrap_or_default();
        scenario
            .lab
            .aws(&[
                "eks",
                "tag-resource",
                "--resource-arn",
                arn,
                "--tags",
                "team=other",
            ])
            .await?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout.contains("\"other\" -> \"platform\""),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        let team = scenario
            .aws_query(
                &["eks", "describe-cluster", "--name", "main"],
                "cluster.tags.team",
            )
            .await?;
        ensure!(team == "platform", "{team}");

        // Deleted outside: recreated.
        delete_node_group(scenario).await?;
        let plan = scenario.plan()?;
        ensure!(
            plan.code == Some(2),
            "a node group deleted outside was not noticed: {}",
            plan.text()
        );
        scenario.apply()?;
        let groups = scenario
            .aws_query(
                &["eks", "list-nodegroups", "--cluster-name", "main"],
                "length(nodegroups)",
            )
            .await?;
        ensure!(groups == 1, "{groups}");

        delete_node_group(scenario).await?;
        scenario
            .lab
            .aws(&["eks", "delete-cluster", "--name", "main"])
            .await?;
        scenario
            .lab
            .aws(&["eks", "wait", "cluster-deleted", "--name", "main"])
            .await?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout.contains("1 to add, 0 to change, 1 to destroy")
                && plan.flat().contains("does not exist any more"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn is_imported_by_name() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&cluster("1.35", ONE_GROUP))?;
        scenario.apply()?;
        scenario
            .workspace
            .ok(&["state", "rm", "devopsgenie_cluster.main"])?;
        scenario
            .workspace
            .ok(&["import", "-no-color", "devopsgenie_cluster.main", "main"])?;
        let plan = scenario.plan()?;
        ensure!(
            plan.code == Some(0),
            "planning after import is not empty: {}",
            plan.text()
        );

        scenario
            .workspace
            .ok(&["state", "rm", "devopsgenie_cluster.main"])?;
        let run = scenario.workspace.run(&[
            "import",
            "-no-color",
            "devopsgenie_cluster.main",
            "absent",
        ])?;
        ensure!(
            run.code == Some(1) && run.flat().contains("absent"),
            "{}",
            run.text()
        );
        scenario
            .workspace
            .ok(&["import", "-no-color", "devopsgenie_cluster.main", "main"])?;
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_cluster_is_not_destroyed() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(&cluster("1.35", "deletion_protection = true"))?;
        scenario.apply()?;
        let run = scenario
            .workspace
            .run(&["destroy", "-auto-approve", "-no-color"])?;
        ensure!(
            run.code == Some(1) && run.flat().contains("deletion_protection"),
            "{}",
            run.text()
        );
        ensure!(
            scenario.calls("eks:DeleteCluster") == 0,
            "DeleteCluster was called"
        );
        scenario.configure(&cluster("1.35", "deletion_protection = false"))?;
        scenario.apply()?;
        scenario.destroy().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}
