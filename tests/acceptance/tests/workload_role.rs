//! `devopsgenie_workload_role` with the real Core binary.

use anyhow::{Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use eks_simulator::{Fault, FaultKind, Interruption};
use serde_json::{Value, json};

const CLUSTER: &str = r#"
resource "devopsgenie_cluster" "main" {
  name               = "main"
  kubernetes_version = "1.35"
  vpc_config         = { subnet_ids = var.subnet_ids }
}
"#;

const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// The cluster, and the role `main` with `arguments` in its body.
fn role(service_account: &str, arguments: &str) -> String {
    format!(
        "{CLUSTER}\nresource \"devopsgenie_workload_role\" \"main\" {{\n  cluster_name = devopsgenie_cluster.main.name\n  \
         namespace = \"media\"\n  service_account = \"{service_account}\"\n{arguments}\n}}\n"
    )
}

fn inline(action: &str) -> String {
    format!(
        "inline_policies = {{\n objects = jsonencode({{ Version = \"2012-10-17\", Statement = [{{ Effect = \"Allow\", \
         Action = [\"{action}\"], Resource = \"*\" }}] }})\n}}\n"
    )
}

/// An attribute of the role in the state.
fn attribute(scenario: &Scenario, name: &str) -> Result<Value> {
    let state = scenario.workspace.state()?;
    let resources = state["values"]["root_module"]["resources"].as_array();
    let role = resources
        .into_iter()
        .flatten()
        .find(|resource| resource["address"] == "devopsgenie_workload_role.main");
    Ok(role.map_or(Value::Null, |role| role["values"][name].clone()))
}

async fn query(scenario: &Scenario, what: &str, path: &str, expected: Value) -> Result<()> {
    let name = attribute(scenario, "name")?;
    let name = name.as_str().unwrap_or_default();
    let found = scenario
        .aws_query(&["iam", what, "--role-name", name], path)
        .await?;
    ensure!(found == expected, "{what} {path}: {found}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn is_created_changed_in_place_imported_and_destroyed() {
    async fn run(scenario: &Scenario) -> Result<()> {
        // Without a cluster the error names the attribute.
        scenario.configure(
            &role("uploads", "")
                .replace(CLUSTER, "")
                .replace("devopsgenie_cluster.main.name", "\"absent\""),
        )?;
        let absent = scenario.apply_fails()?;
        for expected in ["cluster_name = \"absent\"", "us-east-1"] {
            ensure!(absent.flat().contains(expected), "{}", absent.text());
        }

        scenario.configure(&role(
            "uploads",
            &format!("policy_arns = [\"{POLICY}\"]\n{}", inline("s3:GetObject")),
        ))?;
        scenario.apply()?;
        let provider = scenario
            .aws_query(
                &["iam", "list-open-id-connect-providers"],
                "OpenIDConnectProviderList[0].Arn",
            )
            .await?;
        let issuer = provider
            .as_str()
            .and_then(|arn| arn.split_once("oidc-provider/"));
        let issuer = issuer.map(|(_, issuer)| issuer).unwrap_or_default();
        let trust = |account: &str| {
            json!([
                "sts:AssumeRoleWithWebIdentity",
                provider,
                {
                    (format!("{issuer}:aud")): "sts.amazonaws.com",
                    (format!("{issuer}:sub")): format!("system:serviceaccount:media:{account}"),
                },
            ])
        };
        let trusted = "Role.AssumeRolePolicyDocument.Statement[0].[Action, Principal.Federated, Condition.StringEquals]";
        query(scenario, "get-role", trusted, trust("uploads")).await?;
        query(
            scenario,
            "list-attached-role-policies",
            "AttachedPolicies[].PolicyArn",
            json!([POLICY]),
        )
        .await?;
        query(
            scenario,
            "list-role-policies",
            "PolicyNames",
            json!(["objects"]),
        )
        .await?;
        let id = attribute(scenario, "unique_id")?;
        query(scenario, "get-role", "Role.RoleId", id.clone()).await?;

        // The same document in other words is no change.
        let heredoc = "inline_policies = {\n objects = <<-EOT\n {\n \"Statement\": { \"Effect\": \"Allow\", \"Resource\": [\"*\"], \
                       \"Action\": \"s3:GetObject\" },\n \"Version\": \"2012-10-17\" }\n EOT\n}\n";
        scenario.configure(&role(
            "uploads",
            &format!("policy_arns = [\"{POLICY}\"]\n{heredoc}"),
        ))?;
        let plan = scenario.plan()?;
        ensure!(plan.code == Some(0), "{}", plan.text());

        // Everything else in place, with a name of the user's from now on.
        let name = attribute(scenario, "name")?;
        let named = format!(
            "name = {name}\nmax_session_duration = 7200\npermissions_boundary = \"{POLICY}\"\ntags = {{ team = \"media\" }}\n"
        );
        scenario.configure(&role(
            "downloads",
            &format!("{named}{}", inline("s3:PutObject")),
        ))?;
        let plan = scenario.plan()?;
        ensure!(
            plan.stdout.contains("0 to add, 1 to change, 0 to destroy"),
            "{}",
            plan.text()
        );
        scenario.apply()?;
        query(scenario, "get-role", trusted, trust("downloads")).await?;
        query(
            scenario,
            "get-role",
            "Role.[RoleId, MaxSessionDuration, PermissionsBoundary.PermissionsBoundaryArn]",
            json!([id, 7200, POLICY]),
        )
        .await?;
        query(
            scenario,
            "list-attached-role-policies",
            "AttachedPolicies",
            json!([]),
        )
        .await?;

        // Drift is seen and taken back.
        let text = name.as_str().unwrap_or_default();
        let mut attach = vec!["iam", "attach-role-policy", "--role-name", text];
        attach.extend(["--policy-arn", POLICY]);
        scenario.lab.aws(&attach).await?;
        let mut trust_all = vec!["iam", "update-assume-role-policy", "--role-name", text];
        let document = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow",
            "Principal": { "AWS": "123456789012" }, "Action": "sts:AssumeRole" }] })
        .to_string();
        trust_all.extend(["--policy-document", &document]);
        scenario.lab.aws(&trust_all).await?;
        let plan = scenario.plan()?;
        for expected in ["policy_arns", "assume_role_policy", "1 to change"] {
            ensure!(plan.stdout.contains(expected), "{}", plan.text());
        }
        scenario.apply()?;
        query(
            scenario,
            "list-attached-role-policies",
            "AttachedPolicies",
            json!([]),
        )
        .await?;
        query(scenario, "get-role", trusted, trust("downloads")).await?;

        // Forgotten, imported, and nothing to change.
        scenario
            .workspace
            .ok(&["state", "rm", "devopsgenie_workload_role.main"])?;
        let forgotten = scenario.apply_fails()?;
        ensure!(
            forgotten.flat().contains("exists already")
                && forgotten.flat().contains("terraform import"),
            "{}",
            forgotten.text()
        );
        scenario.workspace.ok(&[
            "import",
            "-no-color",
            "devopsgenie_workload_role.main",
            text,
        ])?;
        let plan = scenario.plan()?;
        ensure!(plan.code == Some(0), "{}", plan.text());

        // Deleted outside: made again.
        scenario
            .lab
            .aws(&[
                "iam",
                "delete-role-policy",
                "--role-name",
                text,
                "--policy-name",
                "objects",
            ])
            .await?;
        scenario
            .lab
            .aws(&[
                "iam",
                "delete-role-permissions-boundary",
                "--role-name",
                text,
            ])
            .await?;
        scenario
            .lab
            .aws(&["iam", "delete-role", "--role-name", text])
            .await?;
        scenario.apply()?;
        query(
            scenario,
            "list-role-policies",
            "PolicyNames",
            json!(["objects"]),
        )
        .await?;
        scenario.destroy().await
    }
    let scenario = Scenario::start(Core::default_binary().unwrap())
        .await
        .unwrap();
    run(&scenario).await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_creation_that_failed_or_was_killed_is_carried_on() {
    async fn run(scenario: &Scenario) -> Result<()> {
        scenario.configure(CLUSTER)?;
        scenario.apply()?;
        let arguments = format!("policy_arns = [\"{POLICY}\"]\n{}", inline("s3:GetObject"));
        scenario.configure(&role("uploads", &arguments))?;

        let fault = Fault::on("iam", "PutRolePolicy", FaultKind::ServerError);
        let id = scenario.lab.simulator().faults().add(fault);
        let failed = scenario.apply_fails()?;
        ensure!(
            failed.flat().contains("write the inline policy objects"),
            "{}",
            failed.text()
        );
        scenario.lab.simulator().faults().clear(id);
        scenario.apply()?;
        query(
            scenario,
            "list-role-policies",
            "PolicyNames",
            json!(["objects"]),
        )
        .await?;

        // Killed when the role is made and its policies are not.
        scenario.configure(CLUSTER)?;
        scenario.apply()?;
        scenario.configure(&role("uploads", &arguments))?;
        let binary = devopsgenie_acceptance::provider_binary()?.canonicalize()?;
        let endpoint = scenario.lab.endpoint().to_owned();
        let effects = scenario.lab.simulator().effects();
        effects.reset();
        effects.interrupt(1, Interruption::KilledAfter, move |_| {
            devopsgenie_acceptance::kill_providers(&binary, &endpoint);
        });
        scenario.apply_fails()?;
        let before = scenario
            .aws_query(
                &["iam", "list-roles"],
                "Roles[?starts_with(RoleName, 'media-')].RoleId",
            )
            .await?;
        scenario.apply()?;
        query(scenario, "get-role", "[Role.RoleId]", before).await?;
        query(
            scenario,
            "list-role-policies",
            "PolicyNames",
            json!(["objects"]),
        )
        .await?;
        scenario.destroy().await
    }
    let scenario = Scenario::start(Core::default_binary().unwrap())
        .await
        .unwrap();
    run(&scenario).await.unwrap();
}
