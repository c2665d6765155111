//! The EKS simulator on control planes that exist only in memory, with a real moto beside it.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a harness that does not start fails its test"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use devopsgenie_lifecycle::aws::{Aws, Endpoints, Settings};
use devopsgenie_lifecycle::cluster::model::{
    Claim, DesiredCluster, DesiredNodeGroup, DesiredVpc, KubernetesVersion, Remembered, Removal,
    RoleChoice, StringMap,
};
use devopsgenie_lifecycle::cluster::{Engine, Options, Pace};
use eks_simulator::{
    BackendFuture, ClusterBackend, ControlPlane, ControlPlaneSpec, DrainOutcome, Handle, NodeSpec,
    Simulator, SimulatorConfig,
};

/// One moto for the test process; it ends when the end of the process closes its stdin.
fn moto_url() -> String {
    static MOTO: OnceLock<(String, Child)> = OnceLock::new();
    MOTO.get_or_init(|| {
        let python = devopsgenie_lab::Toolbox::new()
            .and_then(|toolbox| toolbox.python())
            .expect("the lab's Python environment")
            .python;
        let script = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
            .join("../../tests/eks-simulator/tests/common/moto_server.py");
        let mut child = Command::new(python)
            .arg(script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start moto");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .expect("moto prints its port");
        (format!("http://127.0.0.1:{}", line.trim()), child)
    })
    .0
    .clone()
}

/// A call of EC2 in moto, which looks only at the scope of the signature.
fn ec2(body: &str) -> String {
    let address = moto_url().trim_start_matches("http://").to_owned();
    let mut stream = TcpStream::connect(&address).expect("connect to moto");
    write!(
        stream,
        "POST / HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Authorization: AWS4-HMAC-SHA256 Credential=a/20260101/us-east-1/ec2/aws4_request, \
         SignedHeaders=host, Signature=0\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .expect("write to moto");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("moto answers");
    answer
}

fn element(xml: &str, name: &str) -> String {
    let open = format!("<{name}>");
    let start = xml
        .find(&open)
        .unwrap_or_else(|| panic!("no {name} in {xml}"))
        + open.len();
    let end = xml[start..].find('<').expect("the element ends") + start;
    xml[start..end].to_owned()
}

/// Subnets of one VPC in two zones.
fn subnets() -> BTreeSet<String> {
    static SUBNETS: OnceLock<BTreeSet<String>> = OnceLock::new();
    SUBNETS
        .get_or_init(|| {
            let vpc = element(
                &ec2("Action=CreateVpc&CidrBlock=10.0.0.0/16&Version=2016-11-15"),
                "vpcId",
            );
            [("us-east-1a", 1), ("us-east-1b", 2)]
                .into_iter()
                .map(|(zone, number)| {
                    let body = format!(
                        "Action=CreateSubnet&VpcId={vpc}&AvailabilityZone={zone}\
                         &CidrBlock=10.0.{number}.0/24&Version=2016-11-15"
                    );
                    element(&ec2(&body), "subnetId")
                })
                .collect()
        })
        .clone()
}

struct Memory;

impl ClusterBackend for Memory {
    fn served_versions(&self) -> Vec<String> {
        ["1.33", "1.34", "1.35", "1.36"].map(str::to_owned).to_vec()
    }

    fn patch_version(&self, minor: &str) -> Option<String> {
        Some(format!("{minor}.1"))
    }

    fn create_control_plane(&self, _spec: ControlPlaneSpec) -> BackendFuture<'_, ControlPlane> {
        Box::pin(async {
            Ok(ControlPlane {
                endpoint: "https://127.0.0.1:6443".to_owned(),
                certificate_authority_pem: "PEM".to_owned(),
            })
        })
    }

    fn update_control_plane<'a>(&'a self, _: &'a str, _: &'a str) -> BackendFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn delete_control_plane<'a>(&'a self, _: &'a str) -> BackendFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn apply_node<'a>(&'a self, _: &'a str, _: NodeSpec) -> BackendFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn drain_node<'a>(
        &'a self,
        _: &'a str,
        _: &'a str,
        _: Duration,
        _: bool,
    ) -> BackendFuture<'a, DrainOutcome> {
        Box::pin(async { Ok(DrainOutcome::Drained) })
    }

    fn delete_node<'a>(&'a self, _: &'a str, _: &'a str) -> BackendFuture<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// A simulated account with an engine on it. Cluster names are unique, since moto is shared.
pub struct Account {
    pub simulator: Handle,
    pub aws: Aws,
    pub engine: Engine,
    pub name: String,
}

impl Account {
    pub async fn start() -> Self {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let config = SimulatorConfig::new(moto_url(), Arc::new(Memory));
        let root = (
            config.root.access_key_id.clone(),
            config.root.secret_access_key.clone(),
        );
        let simulator = Simulator::start(config)
            .await
            .expect("the simulator starts");
        let settings = Settings {
            region: Some("us-east-1".to_owned()),
            access_key: Some(root.0.clone()),
            secret_key: Some(root.1.clone()),
            endpoints: Endpoints {
                eks: Some(simulator.endpoint().to_owned()),
                iam: Some(simulator.endpoint().to_owned()),
                sts: Some(simulator.endpoint().to_owned()),
            },
            // The engine's own patience is what is tested, at a test's pace.
            max_retries: Some(0),
            ..Settings::default()
        };
        let aws = Aws::new(settings).await.expect("the settings are good");
        let pace = Pace {
            first: Duration::from_millis(10),
            longest: Duration::from_millis(50),
        };
        Self {
            engine: Engine::new(aws.clone()).with_pace(pace),
            aws,
            simulator,
            name: format!("c{}", NUMBER.fetch_add(1, Ordering::SeqCst)),
        }
    }

    pub fn settings(&self) -> Settings {
        self.aws.settings().clone()
    }

    pub fn desired(&self) -> DesiredCluster {
        DesiredCluster {
            name: self.name.clone(),
            region: "us-east-1".to_owned(),
            partition: "aws".to_owned(),
            account_id: "123456789012".to_owned(),
            owner: "state-a".to_owned(),
            claim: Claim::Create,
            remembered: Remembered::default(),
            generation: Some("g1".to_owned()),
            version: KubernetesVersion {
                major: 1,
                minor: 34,
            },
            cluster_role: RoleChoice::Managed,
            node_role: RoleChoice::Managed,
            permissions_boundary: None,
            vpc: DesiredVpc {
                subnet_ids: subnets(),
                security_group_ids: BTreeSet::new(),
                endpoint_public_access: true,
                endpoint_private_access: true,
                public_access_cidrs: None,
                vpc_id: None,
            },
            service_ipv4_cidr: None,
            ip_family: None,
            authentication_mode: "API".to_owned(),
            bootstrap_cluster_creator_admin_permissions: true,
            access_entries: BTreeMap::new(),
            enabled_log_types: BTreeSet::new(),
            support_type: None,
            irsa: true,
            node_groups: BTreeMap::from([(
                "general".to_owned(),
                DesiredNodeGroup {
                    min_size: 1,
                    max_size: 3,
                    ..DesiredNodeGroup::default()
                },
            )]),
            tags: StringMap::new(),
            deletion_protection: false,
        }
    }

    pub fn removal(&self) -> Removal {
        Removal {
            name: self.name.clone(),
            region: "us-east-1".to_owned(),
            owner: "state-a".to_owned(),
            claim: Claim::Held,
            remembered: Remembered::default(),
            oidc_provider_arn: None,
        }
    }

    pub fn options(&self) -> Options {
        Options::new(Duration::from_secs(120))
    }

    /// Write operations since the last reset, by name.
    pub fn writes(&self) -> BTreeMap<String, u64> {
        self.simulator.request_log().counters().writes_by_operation
    }

    pub async fn assert_nothing_left(&self) {
        let observed = self
            .engine
            .observe(&self.name, "state-a", None)
            .await
            .expect("AWS answers");
        assert!(observed.cluster.is_none(), "{observed:#?}");
        assert!(observed.node_groups.is_empty());
        assert!(
            observed.cluster_role.is_none() && observed.node_role.is_none(),
            "{observed:#?}"
        );
        let providers = self.engine.destroy(&self.removal(), &self.options()).await;
        assert!(providers.result.is_ok());
        assert!(providers.observed.oidc_provider.is_none());
    }
}
