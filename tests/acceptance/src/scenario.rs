//! One lab and one workspace in it, for one test.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use devopsgenie_lab::Lab;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{Core, EMPTY_ACCOUNT, Run, Workspace, kill_providers, provider_binary};

/// A simulated AWS account and a Terraform workspace that is pointed at it.
pub struct Scenario {
    /// The account.
    pub lab: Lab,
    /// The workspace, initialised.
    pub workspace: Workspace,
    /// Three subnets of the account's default VPC.
    pub subnet_ids: Vec<String>,
    _directory: TempDir,
}

/// The head of every configuration.
pub(crate) const HEAD: &str = r#"
terraform {
  required_providers {
    devopsgenie = { source = "devopsgenie/devopsgenie" }
  }
}

variable "subnet_ids" {
  type = set(string)
}
"#;

impl Scenario {
    /// Starts a lab and initialises a workspace for `core` in it.
    ///
    /// # Errors
    /// When the lab does not start, the provider does not build, or `init` fails.
    pub async fn start(core: Core) -> Result<Self> {
        let lab = Lab::start(|_| {}).await?;
        let subnet_ids: Vec<String> = lab
            .subnets()
            .await?
            .into_iter()
            .map(|subnet| subnet.id)
            .collect();
        let directory = tempfile::Builder::new()
            .prefix("devopsgenie-acceptance-")
            .tempdir()?;
        let mut environment: BTreeMap<String, String> = lab.environment().into_iter().collect();
        environment.insert(
            "TF_VAR_subnet_ids".to_owned(),
            serde_json::to_string(&subnet_ids)?,
        );
        // A fault that a test switches on for good is not waited out for minutes.
        environment.insert("AWS_MAX_ATTEMPTS".to_owned(), "3".to_owned());
        let workspace = Workspace::new(directory.path(), core, provider_binary()?, environment)?;
        workspace.write("head.tf", HEAD)?;
        workspace.write("main.tf", "")?;
        workspace.ok(&["init", "-no-color"])?;
        Ok(Self {
            lab,
            workspace,
            subnet_ids,
            _directory: directory,
        })
    }

    /// Replaces the configuration.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn configure(&self, text: &str) -> Result<()> {
        self.workspace.write("main.tf", text)
    }

    /// Applies, and requires success and that planning again is empty.
    ///
    /// # Errors
    /// When apply fails or the next plan is not empty; the error holds what Core printed.
    pub fn apply(&self) -> Result<Run> {
        let run = self
            .workspace
            .ok(&["apply", "-auto-approve", "-no-color"])?;
        let plan = self
            .workspace
            .run(&["plan", "-no-color", "-detailed-exitcode"])?;
        ensure!(
            plan.code == Some(0),
            "planning after apply is not empty: {}",
            plan.text()
        );
        Ok(run)
    }

    /// Applies, and requires a failure.
    ///
    /// # Errors
    /// When apply succeeds.
    pub fn apply_fails(&self) -> Result<Run> {
        let run = self
            .workspace
            .run(&["apply", "-auto-approve", "-no-color"])?;
        ensure!(run.code == Some(1), "apply did not fail: {}", run.text());
        Ok(run)
    }

    /// Plans; the run's exit code is 2 when there are changes.
    ///
    /// # Errors
    /// When Core cannot be run.
    pub fn plan(&self) -> Result<Run> {
        self.workspace
            .run(&["plan", "-no-color", "-detailed-exitcode"])
    }

    /// Destroys, and requires success and an empty account.
    ///
    /// # Errors
    /// When destroy fails or something is left.
    pub async fn destroy(&self) -> Result<()> {
        self.workspace
            .ok(&["destroy", "-auto-approve", "-no-color"])?;
        self.require_empty_account().await
    }

    /// Requires that AWS itself lists nothing that this test could have made.
    ///
    /// # Errors
    /// When something is left; the error names it.
    pub async fn require_empty_account(&self) -> Result<()> {
        for (arguments, query) in EMPTY_ACCOUNT {
            let found = self.aws_query(arguments, query).await?;
            ensure!(
                found.as_array().is_some_and(Vec::is_empty),
                "left behind by `aws {}`: {found}",
                arguments.join(" ")
            );
        }
        Ok(())
    }

    /// The AWS CLI's answer to a JMESPath query.
    ///
    /// # Errors
    /// When the CLI fails.
    pub async fn aws_query(&self, arguments: &[&str], query: &str) -> Result<Value> {
        let mut arguments = arguments.to_vec();
        arguments.extend(["--query", query]);
        Ok(self.lab.aws(&arguments).await?)
    }

    /// Makes an IAM role that `principal` (the `Principal` of its trust policy) may assume, with managed
    /// policies of AWS by their names, and returns its ARN.
    ///
    /// # Errors
    /// When the AWS CLI fails.
    pub async fn make_role(
        &self,
        name: &str,
        principal: Value,
        policies: &[&str],
    ) -> Result<String> {
        let trust = json!({
            "Version": "2012-10-17",
            "Statement": [{ "Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole" }],
        })
        .to_string();
        let mut arguments = vec!["iam", "create-role", "--role-name", name];
        arguments.extend(["--assume-role-policy-document", &trust]);
        let arn = self.aws_query(&arguments, "Role.Arn").await?;
        for policy in policies {
            let policy = format!("arn:aws:iam::aws:policy/{policy}");
            let mut arguments = vec!["iam", "attach-role-policy", "--role-name", name];
            arguments.extend(["--policy-arn", &policy]);
            self.lab.aws(&arguments).await?;
        }
        arn.as_str().map(str::to_owned).context("a role has an ARN")
    }

    /// What kubectl prints, with the rights of the cluster's administrator.
    ///
    /// # Errors
    /// When kubectl fails.
    pub async fn kubectl(&self, cluster: &str, arguments: &[&str]) -> Result<String> {
        let output = self
            .lab
            .kubectl(cluster)
            .await?
            .args(arguments)
            .output()
            .context("cannot run kubectl")?;
        ensure!(
            output.status.success(),
            "kubectl {}: {}",
            arguments.join(" "),
            String::from_utf8_lossy(&output.stderr)
        );
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }

    /// How many calls of `operation` (such as `eks:CreateCluster`) the account has seen.
    #[must_use]
    pub fn calls(&self, operation: &str) -> usize {
        self.lab
            .simulator()
            .request_log()
            .all()
            .iter()
            .filter(|request| format!("{}:{}", request.service, request.operation) == operation)
            .count()
    }

    /// How many calls that can change something the account has seen.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.lab.simulator().request_log().counters().writes
    }

    /// `metadata.resourceVersion` of every object that add-on sets made in a cluster, of their
    /// inventories and of the namespaces: it changes with each write.
    ///
    /// # Errors
    /// When kubectl fails, or finds nothing.
    pub async fn stored_objects(&self, cluster: &str) -> Result<BTreeMap<String, String>> {
        let inventories = self
            .kubectl(
                cluster,
                &[
                    "get",
                    "configmaps",
                    "-A",
                    "-l",
                    "devopsgenie.dev/inventory",
                    "-o",
                    "json",
                ],
            )
            .await?;
        let inventories: Value = serde_json::from_str(&inventories)?;
        let mut versions = BTreeMap::new();
        for inventory in inventories["items"].as_array().into_iter().flatten() {
            let name = inventory["metadata"]["name"].as_str().unwrap_or_default();
            versions.insert(
                format!("inventory {name}"),
                inventory["metadata"]["resourceVersion"].to_string(),
            );
            let text = inventory["data"]["inventory.json"]
                .as_str()
                .unwrap_or_default();
            let listed: Value = serde_json::from_str(text)?;
            for (key, entry) in listed["objects"].as_object().into_iter().flatten() {
                let (group, version) = match entry["apiVersion"].as_str().unwrap_or_default() {
                    version if !version.contains('/') => ("", version),
                    version => version.split_once('/').unwrap_or_default(),
                };
                let kind = entry["kind"].as_str().unwrap_or_default();
                let kind = format!("{kind}.{version}.{group}");
                let mut arguments = vec![
                    "get",
                    kind.as_str(),
                    entry["name"].as_str().unwrap_or_default(),
                    "-o",
                    "jsonpath={.metadata.resourceVersion}",
                ];
                if let Some(namespace) = entry["namespace"].as_str() {
                    arguments.extend(["-n", namespace]);
                }
                versions.insert(key.clone(), self.kubectl(cluster, &arguments).await?);
            }
        }
        ensure!(
            !versions.is_empty(),
            "no add-on set has an object in {cluster}"
        );
        Ok(versions)
    }

    /// Ends the provider processes of this scenario, as a crash or the kernel does (SIGKILL).
    ///
    /// # Errors
    /// When there is none.
    pub fn kill_provider(&self) -> Result<()> {
        let binary = provider_binary()?.canonicalize()?;
        let killed = kill_providers(&binary, self.lab.endpoint());
        ensure!(killed > 0, "no provider process runs");
        Ok(())
    }
}
