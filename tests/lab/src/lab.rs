//! The whole lab: a simulated AWS account whose EKS clusters are real.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use eks_simulator::{AccessKeyPair, Handle, Simulator, SimulatorConfig, UNSUPPORTED_ZONE_IDS};
use serde::Deserialize;

use crate::LabError;
use crate::backend::KubernetesBackend;
use crate::cluster::{Cluster, ProcessReport};
use crate::moto::Moto;
use crate::process::ProcessGroup;
use crate::tools::{KubernetesTools, PythonTools, Toolbox};

/// What the names of all variables begin with that could lead an AWS client past the lab, to another
/// account, another endpoint (`AWS_ENDPOINT_URL_<SERVICE>`) or with other credentials.
pub(crate) const ACCOUNT_PREFIX: &str = "AWS_";

/// Lets a command inherit nothing of the caller's AWS account. What it is given itself stays only
/// when it is given afterwards.
pub fn clear_account(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if name
            .as_encoded_bytes()
            .starts_with(ACCOUNT_PREFIX.as_bytes())
        {
            command.env_remove(name);
        }
    }
}

/// A subnet of the account's default VPC.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Subnet {
    /// `subnet-...`.
    #[serde(rename = "SubnetId")]
    pub id: String,
    /// The VPC it is in.
    #[serde(rename = "VpcId")]
    pub vpc_id: String,
    /// Its availability zone, such as `us-east-1a`.
    #[serde(rename = "AvailabilityZone")]
    pub zone: String,
    #[serde(rename = "AvailabilityZoneId", default)]
    zone_id: String,
}

/// A running lab; everything ends when it is dropped and when this process dies.
pub struct Lab {
    simulator: Handle,
    backend: Arc<KubernetesBackend>,
    moto: Moto,
    root: AccessKeyPair,
    region: String,
    kubernetes: KubernetesTools,
    python: PythonTools,
    group: ProcessGroup,
}

impl Lab {
    /// Starts moto and the EKS simulator; `configure` may change the simulator's settings. Builds
    /// the tools first if they are not cached, which takes minutes.
    ///
    /// # Errors
    /// When a tool cannot be built or a process does not start.
    pub async fn start(configure: impl FnOnce(&mut SimulatorConfig)) -> Result<Self, LabError> {
        let (kubernetes, python) = tokio::task::spawn_blocking(|| {
            let toolbox = Toolbox::new()?;
            Ok((toolbox.kubernetes()?, toolbox.python()?))
        })
        .await
        .map_err(|error| LabError::Unexpected(format!("building the tools: {error}")))??;

        let group = ProcessGroup::new("lab")?;
        let programs = group.directory().join("bin");
        std::fs::create_dir(&programs)
            .map_err(LabError::io(format!("create {}", programs.display())))?;
        for (name, target) in [("kubectl", &kubernetes.kubectl), ("aws", &python.aws)] {
            let link = programs.join(name);
            symlink(target, &link).map_err(LabError::io(format!("create {}", link.display())))?;
        }

        let moto = Moto::start(&python).await?;
        let backend = Arc::new(KubernetesBackend::new(kubernetes.clone()));
        let mut config = SimulatorConfig::new(moto.url(), Arc::clone(&backend) as Arc<_>);
        configure(&mut config);
        let (root, region) = (config.root.clone(), config.region.clone());
        let simulator = Simulator::start(config)
            .await
            .map_err(|error| LabError::Simulator(Box::new(error)))?;
        Ok(Self {
            simulator,
            backend,
            moto,
            root,
            region,
            kubernetes,
            python,
            group,
        })
    }

    /// `http://127.0.0.1:port`, for every AWS service.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        self.simulator.endpoint()
    }

    /// The simulator: its faults, its request log and counters.
    #[must_use]
    pub fn simulator(&self) -> &Handle {
        &self.simulator
    }

    /// Counts the writing calls to the Kubernetes APIs of the EKS clusters as effects too, for clusters
    /// that are made from now on; those of AWS are counted always.
    pub fn count_kubernetes_effects(&self) {
        self.backend.count_effects(self.simulator.effects().clone());
    }

    /// The Kubernetes clusters behind the EKS clusters.
    #[must_use]
    pub fn backend(&self) -> &KubernetesBackend {
        &self.backend
    }

    /// The region EKS is simulated in.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    /// The key pair of the account's root.
    #[must_use]
    pub fn root(&self) -> &AccessKeyPair {
        &self.root
    }

    /// A directory of the lab, gone with it.
    #[must_use]
    pub fn directory(&self) -> &Path {
        self.group.directory()
    }

    /// A directory with the lab's `aws` and `kubectl`, for PATH.
    #[must_use]
    pub fn programs(&self) -> PathBuf {
        self.group.directory().join("bin")
    }

    /// The Kubernetes programs in use.
    #[must_use]
    pub fn kubernetes_tools(&self) -> &KubernetesTools {
        &self.kubernetes
    }

    /// The Python programs in use; the interpreter has botocore.
    #[must_use]
    pub fn python_tools(&self) -> &PythonTools {
        &self.python
    }

    /// What an AWS client needs in its environment to talk to the lab, as root, and to nothing
    /// else. PATH and KUBECONFIG are not among it.
    #[must_use]
    pub fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT_URL", self.endpoint()),
            ("AWS_ACCESS_KEY_ID", self.root.access_key_id.as_str()),
            (
                "AWS_SECRET_ACCESS_KEY",
                self.root.secret_access_key.as_str(),
            ),
            ("AWS_REGION", self.region.as_str()),
            ("AWS_DEFAULT_REGION", self.region.as_str()),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_PAGER", ""),
            ("NO_PROXY", "127.0.0.1,localhost"),
            ("no_proxy", "127.0.0.1,localhost"),
        ]
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
    }

    /// A command with the lab's environment, its programs first on PATH, and a kubeconfig file of
    /// its own (`kubeconfig` in [`Lab::directory`], which `aws eks update-kubeconfig` writes).
    #[must_use]
    pub fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        clear_account(&mut command);
        command
            .envs(self.environment())
            .env("PATH", path_with(&self.programs()))
            .env("KUBECONFIG", self.group.directory().join("kubeconfig"));
        command
    }

    /// Runs the AWS CLI and reads its JSON answer; `Null` if it answers nothing.
    ///
    /// # Errors
    /// When the CLI fails, with what it said.
    pub async fn aws(&self, arguments: &[&str]) -> Result<serde_json::Value, LabError> {
        let mut command = self.command(&self.python.aws);
        command.args(arguments).args(["--output", "json"]);
        let line = format!("aws {}", arguments.join(" "));
        let output = tokio::process::Command::from(command)
            .kill_on_drop(true)
            .output()
            .await
            .map_err(LabError::io(format!("run `{line}`")))?;
        if !output.status.success() {
            return Err(LabError::Command {
                command: line,
                status: output.status.to_string(),
                output: String::from_utf8_lossy(&output.stderr).trim().to_owned(),
            });
        }
        if output.stdout.iter().all(u8::is_ascii_whitespace) {
            return Ok(serde_json::Value::Null);
        }
        serde_json::from_slice(&output.stdout).map_err(|source| LabError::Answer {
            what: format!("`{line}`"),
            source,
        })
    }

    /// One subnet of the default VPC in each of three zones that EKS takes, asked from the
    /// endpoint.
    ///
    /// # Errors
    /// When the endpoint does not answer or has fewer.
    pub async fn subnets(&self) -> Result<[Subnet; 3], LabError> {
        let answer = self
            .aws(&[
                "ec2",
                "describe-subnets",
                "--filters",
                "Name=default-for-az,Values=true",
                "--query",
                "Subnets",
            ])
            .await?;
        let mut subnets: Vec<Subnet> =
            serde_json::from_value(answer).map_err(|source| LabError::Answer {
                what: "`aws ec2 describe-subnets`".to_owned(),
                source,
            })?;
        subnets.retain(|subnet| !UNSUPPORTED_ZONE_IDS.contains(&subnet.zone_id.as_str()));
        subnets.sort_by(|a, b| a.zone.cmp(&b.zone));
        subnets.truncate(3);
        <[Subnet; 3]>::try_from(subnets).map_err(|subnets| {
            LabError::Unexpected(format!(
                "the default VPC of {} has subnets in {} zones that EKS takes, not in three; use a larger region",
                self.region,
                subnets.len()
            ))
        })
    }

    /// The Kubernetes cluster of an EKS cluster.
    ///
    /// # Errors
    /// When none of this name runs.
    pub async fn cluster(&self, name: &str) -> Result<Arc<Cluster>, LabError> {
        self.backend.cluster(name).await
    }

    /// `kubectl` with the rights of the cluster's administrator, past IAM and access entries.
    ///
    /// # Errors
    /// When no cluster of this name runs.
    pub async fn kubectl(&self, cluster: &str) -> Result<Command, LabError> {
        Ok(self.cluster(cluster).await?.kubectl())
    }

    /// moto's process.
    #[must_use]
    pub fn moto(&self) -> ProcessReport {
        self.moto.process()
    }
}

/// PATH with `directory` before what is there.
pub(crate) fn path_with(directory: &Path) -> OsString {
    let mut path = OsString::from(directory);
    if let Some(rest) = std::env::var_os("PATH") {
        path.push(":");
        path.push(rest);
    }
    path
}
