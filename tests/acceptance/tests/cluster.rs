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

/// Deletes the cluster and its only node group, as somebody with the AWS CLI would.
async fn delete_cluster(scenario: &Scenario) -> Result<()> {
    delete_node_group(scenario).await?;
    for action in [&["delete-cluster"][..], &["wait", "cluster-deleted"]] {
        let mut arguments = vec!["eks"];
        arguments.extend(action);
        arguments.extend(["--name", "main"]);
        scenario.lab.aws(&arguments).await?;
    }
    Ok(())
}

async fn untag(scenario: &Scenario, arn: &str, key: &str) -> Result<()> {
    let command = ["eks", "untag-resource", "--resource-arn", arn];
    let mut arguments = command.to_vec();
    arguments.extend(["--tag-keys", key]);
    scenario.lab.aws(&arguments).await?;
    Ok(())
}

/// A role that a service or the account may assume, with managed policies; returns its ARN.
async fn delete_role(scenario: &Scenario, name: &str) -> Result<()> {
    let attached = scenario
        .aws_query(
            &["iam", "list-attached-role-policies", "--role-name", name],
            "AttachedPolicies[].PolicyArn",
        )
        .await?;
    for policy in attached.as_array().into_iter().flatten() {
        let mut arguments = vec!["iam", "detach-role-policy", "--role-name", name];
        arguments.extend(["--policy-arn", policy.as_str().unwrap_or_default()]);
        scenario.lab.aws(&arguments).await?;
    }
    scenario
        .lab
        .aws(&["iam", "delete-role", "--role-name", name])
        .await?;
    Ok(())
}

const NODE_POLICIES: [&str; 3] = [
    "AmazonEKSWorkerNodePolicy",
    "AmazonEKS_CNI_Policy",
    "AmazonEC2ContainerRegistryPullOnly",
];

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

        // Lost ownership tags: written again.
        untag(scenario, arn, "devopsgenie.dev/owner").await?;
        let plan = scenario.plan()?;
        ensure!(
            plan.code == Some(2),
            "a lost ownership tag was not noticed: {}",
            plan.text()
        );
        scenario.apply()?;
        let owner = scenario
            .aws_query(
                &["eks", "describe-cluster", "--name", "main"],
                "cluster.tags.\"devopsgenie.dev/owner\"",
            )
            .await?;
        ensure!(owner.is_string(), "the tag is not back: {owner}");

        // Another owner, as after the state was moved: refused, with the way out.
        scenario.configure(&format!(
            "provider \"devopsgenie\" {{ owner = \"elsewhere\" }}\n{}",
            cluster("1.35", ONE_GROUP)
        ))?;
        let refused = scenario.apply_fails()?;
        for expected in [
            "Warning: The EKS cluster main has another owner".to_owned(),
            format!("owner = {owner} in the provider block"),
        ] {
            ensure!(
                refused.flat().contains(&expected),
                "no {expected:?}: {}",
                refused.text()
            );
        }
        scenario.configure(&cluster("1.35", &body))?;

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

        delete_cluster(scenario).await?;
        let roles = scenario.calls("iam:CreateRole");
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout.contains("1 to add, 0 to change, 1 to destroy")
                && plan.flat().contains("does not exist any more"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        ensure!(
            scenario.calls("iam:CreateRole") == roles,
            "the roles that were left were not used again"
        );

        // Deleted outside and then destroyed: what it left behind goes.
        delete_cluster(scenario).await?;
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
        // A finished cluster that is in no state is not taken over, and does not enter this one.
        let writes = scenario.writes();
        let refused = scenario.apply_fails()?;
        ensure!(
            refused.flat().contains("terraform import <address> main"),
            "{}",
            refused.text()
        );
        ensure!(scenario.writes() == writes, "something was changed");
        let state = scenario.workspace.ok(&["state", "list"])?;
        ensure!(state.stdout.trim().is_empty(), "{}", state.text());
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

/// One change after the other on one cluster: who may use it, with which roles, in which network.
#[tokio::test(flavor = "multi_thread")]
async fn access_roles_and_network_are_changed_in_place() {
    const VIEW: &str = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
    async fn answer(
        scenario: &Scenario,
        what: &str,
        arguments: &[&str],
        path: &str,
        expected: Value,
    ) -> Result<()> {
        let found = scenario.aws_query(arguments, path).await?;
        ensure!(
            found == expected,
            "{what}: {path} is {found}, not {expected}"
        );
        Ok(())
    }
    async fn run(scenario: &Scenario) -> Result<()> {
        let describe: &[&str] = &["eks", "describe-cluster", "--name", "main"];
        let service = |name: &str| json!({ "Service": name });
        let developers = scenario
            .make_role("developers", service("ec2.amazonaws.com"), &[])
            .await?;
        let cluster_role = scenario
            .make_role(
                "given-cluster",
                service("eks.amazonaws.com"),
                &["AmazonEKSClusterPolicy"],
            )
            .await?;
        let node_role = scenario
            .make_role("given-nodes", service("ec2.amazonaws.com"), &NODE_POLICIES)
            .await?;
        let boundary = scenario
            .aws_query(
                &[
                    "iam",
                    "create-policy",
                    "--policy-name",
                    "boundary",
                    "--policy-document",
                    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#,
                ],
                "Policy.Arn",
            )
            .await?;
        let vpc = scenario
            .aws_query(&["ec2", "describe-vpcs"], "Vpcs[0].VpcId")
            .await?;
        let security_group = scenario
            .aws_query(
                &[
                    "ec2",
                    "create-security-group",
                    "--group-name",
                    "more",
                    "--description",
                    "more",
                    "--vpc-id",
                    vpc.as_str().unwrap_or_default(),
                ],
                "GroupId",
            )
            .await?;

        // An authentication mode without entries, no IRSA, bounded roles.
        let given = format!("role_arn = \"{cluster_role}\"\n");
        scenario.configure(&cluster(
            "1.35",
            &format!(
                "{given} enable_irsa = false\n permissions_boundary = {boundary}\n \
                 access_config = {{ authentication_mode = \"CONFIG_MAP\" }}"
            ),
        ))?;
        scenario.apply()?;
        answer(
            scenario,
            "given role",
            describe,
            "cluster.roleArn",
            json!(cluster_role),
        )
        .await?;
        let bounded = "Roles[?starts_with(RoleName, 'main-node')].RoleName | [0]";
        let ours = scenario.aws_query(&["iam", "list-roles"], bounded).await?;
        let ours = ours.as_str().unwrap_or_default();
        let role: &[&str] = &["iam", "get-role", "--role-name", ours];
        let path = "Role.PermissionsBoundary.PermissionsBoundaryArn";
        answer(scenario, "boundary", role, path, boundary.clone()).await?;
        let providers: &[&str] = &["iam", "list-open-id-connect-providers"];
        let count = "length(OpenIDConnectProviderList)";
        answer(scenario, "no IRSA", providers, count, json!(0)).await?;

        // Entries come after the mode that has them, in one apply.
        let given = format!("{given} access_config = {{ authentication_mode = \"API\" }}\n");
        let entries = |developer_scope: &str| {
            format!(
                "access_entries = {{\n developers = {{ principal_arn = \"{developers}\", kubernetes_groups = [\"dev\"],\n \
                 policy_associations = {{ view = {{ policy_arn = \"{VIEW}\", access_scope = {developer_scope} }} }} }}\n \
                 nodes = {{ principal_arn = \"{node_role}\", type = \"EC2_LINUX\" }}\n}}\n"
            )
        };
        let everywhere = entries("{ type = \"cluster\" }");
        scenario.configure(&cluster("1.35", &format!("{given}{everywhere}")))?;
        scenario.apply()?;
        let path = "cluster.accessConfig.authenticationMode";
        answer(scenario, "mode", describe, path, json!("API")).await?;
        answer(scenario, "IRSA", providers, count, json!(1)).await?;
        answer(
            scenario,
            "no boundary",
            role,
            "Role.PermissionsBoundary",
            json!(null),
        )
        .await?;
        let associated: &[&str] = &[
            "eks",
            "list-associated-access-policies",
            "--cluster-name",
            "main",
            "--principal-arn",
            &developers,
        ];
        let scope = "associatedAccessPolicies[].accessScope.[type, namespaces]";
        answer(
            scenario,
            "policy",
            associated,
            scope,
            json!([["cluster", []]]),
        )
        .await?;
        let entry: &[&str] = &[
            "eks",
            "describe-access-entry",
            "--cluster-name",
            "main",
            "--principal-arn",
            &node_role,
        ];
        let path = "accessEntry.[type, kubernetesGroups]";
        answer(
            scenario,
            "nodes",
            entry,
            path,
            json!(["EC2_LINUX", ["system:nodes"]]),
        )
        .await?;

        // Another scope, one more subnet and security group, the IRSA provider gone.
        let zone = scenario
            .aws_query(
                &[
                    "ec2",
                    "describe-subnets",
                    "--subnet-ids",
                    &scenario.subnet_ids[0],
                ],
                "Subnets[0].AvailabilityZone",
            )
            .await?;
        let mut create = vec!["ec2", "create-subnet", "--cidr-block", "172.31.240.0/24"];
        create.extend(["--vpc-id", vpc.as_str().unwrap_or_default()]);
        create.extend(["--availability-zone", zone.as_str().unwrap_or_default()]);
        let subnet = scenario.aws_query(&create, "Subnet.SubnetId").await?;
        let namespaced = entries("{ type = \"namespace\", namespaces = [\"team\"] }");
        let changed = cluster(
            "1.35",
            &format!("{given}{namespaced} enable_irsa = false\n"),
        )
        .replace(
            "subnet_ids = var.subnet_ids",
            &format!(
                "subnet_ids = setunion(var.subnet_ids, [{subnet}])\n security_group_ids = [{security_group}]"
            ),
        );
        scenario.configure(&changed)?;
        scenario.apply()?;
        answer(
            scenario,
            "scope",
            associated,
            scope,
            json!([["namespace", ["team"]]]),
        )
        .await?;
        let path = "cluster.resourcesVpcConfig.[length(subnetIds), securityGroupIds]";
        answer(
            scenario,
            "network",
            describe,
            path,
            json!([4, [security_group]]),
        )
        .await?;
        answer(scenario, "IRSA off", providers, count, json!(0)).await?;

        // Nodes with a given role; ours has no use any more.
        let nodes = ONE_GROUP.replace(
            "node_groups",
            &format!("node_role_arn = \"{node_role}\"\n node_groups"),
        );
        scenario.configure(&cluster("1.35", &format!("{given}{nodes}")))?;
        scenario.apply()?;
        answer(
            scenario,
            "unused role",
            &["iam", "list-roles"],
            "Roles[?starts_with(RoleName, 'main-')]",
            json!([]),
        )
        .await?;
        ensure!(
            scenario.calls("eks:CreateCluster") == 1,
            "a change in place made a new cluster"
        );

        scenario
            .workspace
            .ok(&["destroy", "-auto-approve", "-no-color"])?;
        for role in ["developers", "given-cluster", "given-nodes"] {
            delete_role(scenario, role).await?;
        }
        let security_group = security_group.as_str().unwrap_or_default();
        scenario
            .lab
            .aws(&["ec2", "delete-security-group", "--group-id", security_group])
            .await?;
        scenario.require_empty_account().await
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}

/// Made by the AWS CLI, taken over with an assumed role, and destroyed.
#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_of_the_aws_cli_is_imported_with_an_assumed_role() {
    async fn run(scenario: &Scenario) -> Result<()> {
        let service = |name: &str| json!({ "Service": name });
        let deploy = scenario
            .make_role(
                "deploy",
                json!({ "AWS": "arn:aws:iam::123456789012:root" }),
                &[],
            )
            .await?;
        let cluster_role = scenario
            .make_role(
                "given-cluster",
                service("eks.amazonaws.com"),
                &["AmazonEKSClusterPolicy"],
            )
            .await?;
        let node_role = scenario
            .make_role("given-nodes", service("ec2.amazonaws.com"), &NODE_POLICIES)
            .await?;
        let subnets = scenario.subnet_ids.join(",");
        let network = format!("subnetIds={subnets},endpointPrivateAccess=true");
        let mut create = vec!["eks", "create-cluster", "--name", "main"];
        create.extend(["--kubernetes-version", "1.35", "--role-arn", &cluster_role]);
        create.extend(["--resources-vpc-config", &network]);
        create.extend(["--access-config", "authenticationMode=API"]);
        scenario.lab.aws(&create).await?;
        scenario
            .lab
            .aws(&["eks", "wait", "cluster-active", "--name", "main"])
            .await?;
        for group in ["theirs", "later"] {
            if group == "later" {
                import(scenario, &deploy, &cluster_role, &node_role)?;
            }
            let mut create = vec!["eks", "create-nodegroup", "--cluster-name", "main"];
            create.extend(["--nodegroup-name", group, "--node-role", &node_role]);
            create.extend([
                "--scaling-config",
                "minSize=1,maxSize=2,desiredSize=1",
                "--subnets",
            ]);
            create.extend(scenario.subnet_ids.iter().map(String::as_str));
            scenario.lab.aws(&create).await?;
            let mut wait = vec!["eks", "wait", "nodegroup-active", "--cluster-name", "main"];
            wait.extend(["--nodegroup-name", group]);
            scenario.lab.aws(&wait).await?;
        }
        // A group that nobody was shown is neither deleted by an apply nor by a destroy.
        scenario.apply()?;
        let groups = scenario
            .aws_query(
                &["eks", "list-nodegroups", "--cluster-name", "main"],
                "sort(nodegroups)",
            )
            .await?;
        ensure!(groups == json!(["later", "theirs"]), "{groups}");
        let tags = scenario
            .aws_query(
                &["eks", "describe-cluster", "--name", "main"],
                "cluster.tags.[\"devopsgenie.dev/creation\", type(\"devopsgenie.dev/owner\")]",
            )
            .await?;
        ensure!(tags == json!(["complete", "string"]), "{tags}");
        let run = scenario
            .workspace
            .run(&["destroy", "-auto-approve", "-no-color"])?;
        ensure!(
            run.code == Some(1)
                && run
                    .flat()
                    .contains("not managed here and were left alone: later"),
            "{}",
            run.text()
        );
        let mut delete = vec!["eks", "delete-nodegroup", "--cluster-name", "main"];
        delete.extend(["--nodegroup-name", "later"]);
        scenario.lab.aws(&delete).await?;
        let mut wait = vec!["eks", "wait", "nodegroup-deleted", "--cluster-name", "main"];
        wait.extend(["--nodegroup-name", "later"]);
        scenario.lab.aws(&wait).await?;
        scenario
            .workspace
            .ok(&["destroy", "-auto-approve", "-no-color"])?;
        ensure!(
            scenario.calls("sts:AssumeRole") > 0,
            "the role was not assumed"
        );
        for role in ["deploy", "given-cluster", "given-nodes"] {
            delete_role(scenario, role).await?;
        }
        scenario.require_empty_account().await
    }
    fn import(
        scenario: &Scenario,
        deploy: &str,
        cluster_role: &str,
        node_role: &str,
    ) -> Result<()> {
        let groups = ONE_GROUP
            .replace("general", "theirs")
            .replace("max_size = 3", "max_size = 2");
        let provider = format!(
            "provider \"devopsgenie\" {{\n assume_role = {{\n role_arn = \"{deploy}\"\n tags = {{ team = \"platform\" }}\n \
             transitive_tag_keys = [\"team\"]\n }}\n}}\n"
        );
        let body = format!(
            "role_arn = \"{cluster_role}\"\n node_role_arn = \"{node_role}\"\n enable_irsa = false\n{groups}"
        );
        scenario.configure(&format!("{provider}{}", cluster("1.35", &body)))?;
        scenario
            .workspace
            .ok(&["import", "-no-color", "devopsgenie_cluster.main", "main"])?;
        Ok(())
    }
    let scenario = start().await.unwrap();
    run(&scenario).await.unwrap();
}
