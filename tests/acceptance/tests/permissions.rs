//! The documented IAM permissions against the calls that the provider makes.

use std::collections::BTreeSet;

use anyhow::{Result, ensure};
use devopsgenie_acceptance::Core;
use devopsgenie_acceptance::scenario::Scenario;
use devopsgenie_lifecycle::permissions::{ALL, FREE, IMPLIED, REPAIRS};
use serde_json::json;

const POLICY: &str = "arn:aws:iam::aws:policy/ReadOnlyAccess";

/// A role that the account may assume: its calls are told from those of the test by their principal.
fn cluster(version: &str, arguments: &str) -> String {
    format!(
        "resource \"devopsgenie_cluster\" \"main\" {{\n name = \"main\"\n kubernetes_version = \"{version}\"\n \
         vpc_config = {{ subnet_ids = var.subnet_ids }}\n{arguments}\n}}\n"
    )
}

fn group(size: u32, tags: &str) -> String {
    format!(
        "node_groups = {{ general = {{ scaling_config = {{ min_size = 1, max_size = {size}, desired_size = 1 }}\n \
         labels = {{ size = \"{size}\" }}\n tags = {tags} }} }}\n"
    )
}

fn entry(principal: &str, group: &str, policies: &str) -> String {
    format!(
        "access_entries = {{ dev = {{ principal_arn = \"{principal}\"\n kubernetes_groups = [\"{group}\"]\n \
         policy_associations = {policies} }} }}\n"
    )
}

fn role(service_account: &str, arguments: &str) -> String {
    format!(
        "resource \"devopsgenie_workload_role\" \"main\" {{\n name = \"uploads\"\n cluster_name = \
         devopsgenie_cluster.main.name\n namespace = \"media\"\n service_account = \"{service_account}\"\n{arguments}\n}}\n"
    )
}

const ADDONS: &str = r#"
resource "devopsgenie_addon_set" "base" {
  name       = "base"
  kubernetes = { eks = { cluster_name = devopsgenie_cluster.main.name } }
  addons = {
    web = {
      namespace = "web"
      manifests = [yamlencode({ apiVersion = "v1", kind = "Namespace", metadata = { name = "web" } })]
    }
  }
}
"#;

const DATA: &str = r#"
data "devopsgenie_cluster" "main" {
  name = devopsgenie_cluster.main.id
}
"#;

const CLUSTER: &str = "resource devopsgenie_cluster";
const ROLE: &str = "resource devopsgenie_workload_role";

/// The configurations that are applied one after the other, with the objects in them.
fn configurations(developers: &str) -> Vec<(&'static [&'static str], String)> {
    let view = "{ view = { policy_arn = \"arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy\"\n \
                access_scope = { type = \"cluster\" } } }";
    let small = group(2, "{}");
    let busy = format!(
        "{}{}tags = {{ team = \"platform\" }}\nenabled_cluster_log_types = [\"api\"]\n",
        group(3, "{ team = \"platform\" }"),
        entry(developers, "dev", view)
    );
    let calm = format!("{small}{}", entry(developers, "ops", "{}"));
    let rich = format!(
        "policy_arns = [\"{POLICY}\"]\npermissions_boundary = \"{POLICY}\"\ntags = {{ team = \"media\" }}\n\
         inline_policies = {{ objects = jsonencode({{ Version = \"2012-10-17\", \
         Statement = [{{ Effect = \"Allow\", Action = \"s3:ListBucket\", Resource = \"*\" }}] }}) }}\n"
    );
    vec![
        (&[CLUSTER], cluster("1.34", &small)),
        (&[CLUSTER], cluster("1.34", &busy)),
        (&[CLUSTER], cluster("1.35", &calm)),
        (&[CLUSTER], cluster("1.35", &small)),
        (
            &[CLUSTER, ROLE],
            format!("{}{}", cluster("1.35", &small), role("uploads", &rich)),
        ),
        (
            &[CLUSTER, ROLE],
            format!(
                "{}{}",
                cluster("1.35", &small),
                role("downloads", "max_session_duration = 7200")
            ),
        ),
        (
            &[
                CLUSTER,
                ROLE,
                "resource devopsgenie_addon_set",
                "data source devopsgenie_cluster",
            ],
            format!(
                "{}{}{ADDONS}{DATA}",
                cluster("1.35", &small),
                role("downloads", &rich)
            ),
        ),
    ]
}

/// The calls of the provider since the log was reset.
fn calls(scenario: &Scenario) -> BTreeSet<String> {
    let log = scenario.lab.simulator().request_log().all();
    log.into_iter()
        .filter(|request| {
            let principal = request.principal.as_deref().unwrap_or_default();
            principal.contains(":assumed-role/deploy/")
        })
        .map(|request| format!("{}:{}", request.service, request.operation))
        .filter(|call| !FREE.contains(&call.as_str()))
        .collect()
}

fn documented(objects: &[&str]) -> BTreeSet<String> {
    let chosen = ALL.iter().filter(|one| objects.contains(&one.object));
    chosen
        .flat_map(|one| one.grants)
        .flat_map(|grant| grant.actions)
        .map(|action| (*action).to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_is_documented_and_nothing_more() {
    async fn run(scenario: &Scenario) -> Result<()> {
        let account = || json!({ "AWS": "arn:aws:iam::123456789012:root" });
        let deploy = scenario.make_role("deploy", account(), &[]).await?;
        let developers = scenario.make_role("developers", account(), &[]).await?;
        let provider =
            format!("provider \"devopsgenie\" {{ assume_role = {{ role_arn = \"{deploy}\" }} }}\n");
        let mut made = BTreeSet::new();
        let configurations = configurations(&developers);
        for (step, (objects, configuration)) in configurations.iter().enumerate() {
            scenario.lab.simulator().request_log().reset();
            scenario.configure(&format!("{provider}{configuration}"))?;
            scenario.apply()?;
            let calls = calls(scenario);
            let missing: Vec<_> = calls.difference(&documented(objects)).cloned().collect();
            ensure!(
                missing.is_empty(),
                "configuration {step}: {} needs permissions that crates/lifecycle/src/permissions.rs does not list: {missing:?}",
                objects.join(", ")
            );
            made.extend(calls);
        }
        scenario.lab.simulator().request_log().reset();
        scenario
            .workspace
            .ok(&["destroy", "-auto-approve", "-no-color"])?;
        made.extend(calls(scenario));

        let every: Vec<&str> = ALL.iter().map(|one| one.object).collect();
        let every = documented(&every);
        let missing: Vec<_> = made.difference(&every).collect();
        ensure!(missing.is_empty(), "destroy: not documented: {missing:?}");
        // The least policy holds nothing that no call needs.
        let unused: BTreeSet<&str> = every
            .difference(&made)
            .map(String::as_str)
            .filter(|action| !IMPLIED.contains(action))
            .collect();
        ensure!(
            unused == BTreeSet::from(REPAIRS),
            "documented and not called: {unused:?}, and only REPAIRS may be"
        );
        Ok(())
    }
    let scenario = Scenario::start(Core::default_binary().unwrap())
        .await
        .unwrap();
    run(&scenario).await.unwrap();
}
