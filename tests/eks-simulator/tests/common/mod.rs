//! A simulator on an in-memory backend and a real moto, and a signed client for it.
#![allow(dead_code, reason = "each test binary uses a part")]

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::pin::Pin;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use eks_simulator::{
    ApplyOutcome, BackendError, BackendFuture, Clock, ClusterBackend, ControlPlane,
    ControlPlaneSpec, DeprecatedUse, DrainOutcome, Handle, NodeSpec, Simulator, SimulatorConfig,
    SteppedClock,
};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

/// The lab's interpreter, which has botocore, boto3 and moto at their pinned versions.
pub fn python() -> PathBuf {
    devopsgenie_lab::Toolbox::new()
        .and_then(|toolbox| toolbox.python())
        .expect("the lab's Python environment")
        .python
}

/// What a cluster role needs for Auto Mode.
pub const AUTO_MODE_POLICIES: [&str; 5] = [
    "AmazonEKSClusterPolicy",
    "AmazonEKSComputePolicy",
    "AmazonEKSBlockStoragePolicy",
    "AmazonEKSLoadBalancingPolicy",
    "AmazonEKSNetworkingPolicy",
];

/// The folder of this test's files.
pub fn tests_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests")
}

/// One moto for the test process; it ends when the process's end closes its stdin.
pub fn moto_url() -> String {
    static MOTO: OnceLock<(String, Child)> = OnceLock::new();
    MOTO.get_or_init(|| {
        let mut child = Command::new(python())
            .arg(tests_folder().join("common/moto_server.py"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("start moto");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout is piped"))
            .read_line(&mut line)
            .expect("moto prints its port");
        let port: u16 = line.trim().parse().expect("moto did not print a port");
        (format!("http://127.0.0.1:{port}"), child)
    })
    .0
    .clone()
}

/// Control planes and nodes in memory.
#[derive(Default)]
pub struct FakeBackend {
    pub planes: Mutex<BTreeMap<String, ControlPlaneSpec>>,
    pub nodes: Mutex<BTreeMap<String, BTreeMap<String, NodeSpec>>>,
    /// Pods that hold every drain back unless forced.
    pub blocking_pods: Mutex<Vec<String>>,
    pub fail_create: Mutex<Option<String>>,
    /// Nodes that are cordoned, by name.
    pub cordoned: Mutex<BTreeSet<String>>,
    /// The most nodes there ever were at once.
    pub most_nodes: AtomicU64,
    /// New nodes whose kubelet version begins with this never get ready.
    pub unfit: Mutex<Option<String>>,
    /// Nodes cannot be removed.
    pub nodes_stay: AtomicBool,
    /// Evictions go on until the caller gives up.
    pub endless_evictions: AtomicBool,
    /// Objects by cluster, kind and name.
    pub objects: Mutex<BTreeMap<String, Value>>,
    /// Fields other managers own, by cluster, kind and name.
    pub foreign: Mutex<BTreeMap<String, Vec<String>>>,
    pub deprecated: Mutex<Vec<DeprecatedUse>>,
}

/// Cluster, kind and name of an object.
pub fn object_key(cluster: &str, object: &Value) -> String {
    let text = |value: &Value| value.as_str().expect("a string").to_owned();
    format!(
        "{cluster} {} {}",
        text(&object["kind"]),
        text(&object["metadata"]["name"])
    )
}

impl ClusterBackend for FakeBackend {
    fn served_versions(&self) -> Vec<String> {
        ["1.33", "1.34", "1.35", "1.36"].map(str::to_owned).to_vec()
    }

    fn patch_version(&self, minor: &str) -> Option<String> {
        self.served_versions()
            .contains(&minor.to_owned())
            .then(|| format!("{minor}.3"))
    }

    fn create_control_plane(&self, spec: ControlPlaneSpec) -> BackendFuture<'_, ControlPlane> {
        Box::pin(async move {
            if let Some(reason) = self.fail_create.lock().unwrap().clone() {
                return Err(BackendError::failed(reason));
            }
            self.planes
                .lock()
                .unwrap()
                .insert(spec.cluster_name.clone(), spec);
            Ok(ControlPlane {
                endpoint: "https://127.0.0.1:6443".to_owned(),
                certificate_authority_pem: "PEM".to_owned(),
            })
        })
    }

    fn update_control_plane<'a>(
        &'a self,
        name: &'a str,
        version: &'a str,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            match self.planes.lock().unwrap().get_mut(name) {
                Some(spec) => {
                    spec.version = version.to_owned();
                    Ok(())
                }
                None => Err(BackendError::UnknownCluster(name.to_owned())),
            }
        })
    }

    fn delete_control_plane<'a>(&'a self, name: &'a str) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            self.planes.lock().unwrap().remove(name);
            Ok(())
        })
    }

    fn apply_node<'a>(&'a self, cluster: &'a str, node: NodeSpec) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let unfit = self.unfit.lock().unwrap().clone();
            if unfit.is_some_and(|version| node.kubelet_version.starts_with(&version)) {
                return Err(BackendError::failed(format!("{} is not Ready", node.name)));
            }
            self.cordoned.lock().unwrap().remove(&node.name);
            let mut nodes = self.nodes.lock().unwrap();
            let nodes = nodes.entry(cluster.to_owned()).or_default();
            nodes.insert(node.name.clone(), node);
            self.most_nodes
                .fetch_max(nodes.len() as u64, Ordering::SeqCst);
            Ok(())
        })
    }

    fn drain_node<'a>(
        &'a self,
        _cluster: &'a str,
        node: &'a str,
        timeout: Duration,
        force: bool,
    ) -> BackendFuture<'a, DrainOutcome> {
        Box::pin(async move {
            self.cordoned.lock().unwrap().insert(node.to_owned());
            if self.endless_evictions.load(Ordering::SeqCst) && !timeout.is_zero() {
                std::future::pending::<()>().await;
            }
            let pods = self.blocking_pods.lock().unwrap().clone();
            if pods.is_empty() || force {
                Ok(DrainOutcome::Drained)
            } else {
                Ok(DrainOutcome::Blocked { pods })
            }
        })
    }

    fn delete_node<'a>(&'a self, cluster: &'a str, node: &'a str) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            if self.nodes_stay.load(Ordering::SeqCst) {
                return Err(BackendError::failed(format!("{node} cannot be removed")));
            }
            if let Some(nodes) = self.nodes.lock().unwrap().get_mut(cluster) {
                nodes.remove(node);
            }
            Ok(())
        })
    }

    /// Foreign fields conflict if the object has them; a forced apply takes them over.
    fn apply_object<'a>(
        &'a self,
        cluster: &'a str,
        object: &'a Value,
        _manager: &'a str,
        force: bool,
        dry_run: bool,
    ) -> BackendFuture<'a, ApplyOutcome> {
        Box::pin(async move {
            let key = object_key(cluster, object);
            let mut foreign = self.foreign.lock().unwrap();
            let fields = foreign.get(&key).cloned().unwrap_or_default();
            let conflicts: Vec<String> = fields
                .into_iter()
                .filter(|field| object.pointer(&field.replace('.', "/")).is_some())
                .collect();
            if !conflicts.is_empty() && !force {
                return Ok(ApplyOutcome::Conflicts(conflicts));
            }
            if !dry_run {
                if force {
                    foreign.remove(&key);
                }
                self.objects.lock().unwrap().insert(key, object.clone());
            }
            Ok(ApplyOutcome::Applied)
        })
    }

    /// Workloads have their pods ready once there is a node.
    fn get_object<'a>(
        &'a self,
        cluster: &'a str,
        reference: &'a Value,
    ) -> BackendFuture<'a, Option<Value>> {
        Box::pin(async move {
            let nodes = self.nodes.lock().unwrap();
            let nodes = nodes.get(cluster).map_or(0, BTreeMap::len);
            let found = self
                .objects
                .lock()
                .unwrap()
                .get(&object_key(cluster, reference))
                .cloned();
            Ok(found.map(|mut object| {
                let replicas = if nodes > 0 {
                    object["spec"]["replicas"].clone()
                } else {
                    json!(0)
                };
                object["status"] = json!({
                    "observedGeneration": 1, "readyReplicas": replicas,
                    "desiredNumberScheduled": nodes, "numberReady": nodes,
                });
                object["metadata"]["generation"] = json!(1);
                object
            }))
        })
    }

    fn delete_object<'a>(
        &'a self,
        cluster: &'a str,
        reference: &'a Value,
    ) -> BackendFuture<'a, ()> {
        Box::pin(async move {
            let key = object_key(cluster, reference);
            self.objects.lock().unwrap().remove(&key);
            Ok(())
        })
    }

    fn deprecated_uses<'a>(&'a self, _cluster: &'a str) -> BackendFuture<'a, Vec<DeprecatedUse>> {
        Box::pin(async move { Ok(self.deprecated.lock().unwrap().clone()) })
    }
}

/// Simulated time that starts on 24 November 2026, so that support dates stay put; the wall
/// clock, which judges signatures, is real time plus an offset in seconds.
struct TestClock {
    simulated: SteppedClock,
    wall_offset: Arc<AtomicU64>,
}

impl Clock for TestClock {
    fn now(&self) -> jiff::Timestamp {
        self.simulated.now()
    }

    fn wall(&self) -> jiff::Timestamp {
        let offset = Duration::from_secs(self.wall_offset.load(Ordering::SeqCst));
        jiff::Timestamp::try_from(SystemTime::now() + offset).expect("a time")
    }

    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Future<Output = ()> + Send + '_>> {
        self.simulated.sleep(duration)
    }

    fn advance(&self, duration: Duration) -> bool {
        self.simulated.advance(duration)
    }
}

/// Who signs.
#[derive(Clone)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

/// What a call answered.
#[derive(Debug, Clone)]
pub struct Reply {
    pub status: u16,
    /// Code from `x-amzn-errortype`, or empty.
    pub code: String,
    pub body: Value,
    pub text: String,
}

impl Reply {
    pub fn message(&self) -> &str {
        self.body["message"].as_str().unwrap_or_default()
    }

    pub fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{}", self.text);
        self.body
    }

    /// Asserts an error by code and part of its message.
    pub fn refused(&self, code: &str, message: &str) {
        assert_eq!(self.code, code, "{}", self.text);
        assert!(
            self.message().contains(message),
            "{:?} is not in {:?}",
            message,
            self.message()
        );
    }
}

/// A running simulator with a network and roles of its own.
pub struct Lab {
    pub handle: Handle,
    pub backend: Arc<FakeBackend>,
    pub root: Keys,
    pub unique: String,
    pub subnets: Vec<String>,
    pub vpc: String,
    pub cluster_role: String,
    pub node_role: String,
    /// Seconds the lab's wall clock is ahead; signatures are made with it.
    pub wall_offset: Arc<AtomicU64>,
}

impl Lab {
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    pub async fn start_with(change: impl FnOnce(&mut SimulatorConfig)) -> Self {
        let backend = Arc::new(FakeBackend::default());
        let mut config = SimulatorConfig::new(moto_url(), backend.clone());
        let wall_offset = Arc::new(AtomicU64::new(0));
        config.clock = Arc::new(TestClock {
            simulated: SteppedClock::running_from("2026-11-24T00:00:00Z".parse().expect("a time")),
            wall_offset: wall_offset.clone(),
        });
        change(&mut config);
        let root = Keys {
            id: config.root.access_key_id.clone(),
            secret: config.root.secret_access_key.clone(),
            token: None,
        };
        let handle = Simulator::start(config).await.expect("start");
        let mut lab = Self {
            handle,
            backend,
            root,
            unique: uuid::Uuid::new_v4().simple().to_string()[..8].to_owned(),
            subnets: Vec::new(),
            vpc: String::new(),
            cluster_role: String::new(),
            node_role: String::new(),
            wall_offset,
        };
        lab.vpc = lab.create_vpc().await;
        for (zone, cidr) in [("us-east-1a", "10.0.1.0/24"), ("us-east-1b", "10.0.2.0/24")] {
            let subnet = lab.create_subnet(&lab.vpc, zone, cidr).await;
            lab.subnets.push(subnet);
        }
        lab.cluster_role = lab
            .create_role("cluster", "eks.amazonaws.com", &["AmazonEKSClusterPolicy"])
            .await;
        lab.node_role = lab
            .create_role(
                "node",
                "ec2.amazonaws.com",
                &[
                    "AmazonEKSWorkerNodePolicy",
                    "AmazonEC2ContainerRegistryPullOnly",
                ],
            )
            .await;
        lab.handle.request_log().reset();
        lab
    }

    pub async fn create_vpc(&self) -> String {
        let reply = self
            .query(
                "ec2",
                "Action=CreateVpc&CidrBlock=10.0.0.0/16&Version=2016-11-15",
            )
            .await;
        element(&reply.text, "vpcId")
    }

    pub async fn create_subnet(&self, vpc: &str, zone: &str, cidr: &str) -> String {
        let reply = self
            .query(
                "ec2",
                &format!("Action=CreateSubnet&VpcId={vpc}&AvailabilityZone={zone}&CidrBlock={cidr}&Version=2016-11-15"),
            )
            .await;
        element(&reply.text, "subnetId")
    }

    /// Gives the subnet a route to an internet gateway.
    pub async fn make_public(&self, subnet: &str) {
        let ec2 = |action: String| async move {
            let body = format!("Action={action}&Version=2016-11-15");
            let reply = self.query("ec2", &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            reply.text
        };
        let gateway = element(
            &ec2("CreateInternetGateway".to_owned()).await,
            "internetGatewayId",
        );
        let vpc = &self.vpc;
        ec2(format!(
            "AttachInternetGateway&InternetGatewayId={gateway}&VpcId={vpc}"
        ))
        .await;
        let table = element(
            &ec2(format!("CreateRouteTable&VpcId={vpc}")).await,
            "routeTableId",
        );
        ec2(format!(
            "CreateRoute&RouteTableId={table}&DestinationCidrBlock=0.0.0.0/0&GatewayId={gateway}"
        ))
        .await;
        ec2(format!(
            "AssociateRouteTable&RouteTableId={table}&SubnetId={subnet}"
        ))
        .await;
    }

    /// A security group of the lab's VPC.
    pub async fn create_security_group(&self) -> String {
        let reply = self
            .query(
                "ec2",
                &format!("Action=CreateSecurityGroup&GroupName=own-{}&GroupDescription=own&VpcId={}&Version=2016-11-15", self.unique, self.vpc),
            )
            .await;
        element(&reply.text, "groupId")
    }

    pub async fn create_role(&self, kind: &str, service: &str, policies: &[&str]) -> String {
        let name = format!("{kind}-{}", self.unique);
        let trust = json!({"Version": "2012-10-17", "Statement": [{
            "Effect": "Allow", "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Principal": {"Service": service}}]});
        self.role_with_trust(&name, &trust, policies).await
    }

    pub async fn role_with_trust(&self, name: &str, trust: &Value, policies: &[&str]) -> String {
        let trust = percent(&trust.to_string());
        let reply = self
            .query(
                "iam",
                &format!("Action=CreateRole&RoleName={name}&AssumeRolePolicyDocument={trust}&Version=2010-05-08"),
            )
            .await;
        for policy in policies {
            let reply = self
                .query(
                    "iam",
                    &format!("Action=AttachRolePolicy&RoleName={name}&PolicyArn=arn:aws:iam::aws:policy/{policy}&Version=2010-05-08"),
                )
                .await;
            assert_eq!(reply.status, 200, "{}", reply.text);
        }
        element(&reply.text, "Arn")
    }

    /// A call of a query service by the root pair.
    pub async fn query(&self, service: &str, body: &str) -> Reply {
        self.query_as(&self.root, service, body).await
    }

    pub async fn query_as(&self, keys: &Keys, service: &str, body: &str) -> Reply {
        self.send(
            Some(keys),
            service,
            "POST",
            "/",
            "application/x-www-form-urlencoded",
            body.as_bytes().to_vec(),
        )
        .await
    }

    /// An EKS call by the root pair.
    pub async fn eks(&self, method: &str, path: &str, body: Value) -> Reply {
        self.eks_as(&self.root, method, path, body).await
    }

    pub async fn eks_as(&self, keys: &Keys, method: &str, path: &str, body: Value) -> Reply {
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        self.send(Some(keys), "eks", method, path, "application/json", body)
            .await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.eks("GET", path, Value::Null).await
    }

    pub async fn send(
        &self,
        keys: Option<&Keys>,
        service: &str,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Reply {
        self.try_send(keys, service, method, path, content_type, body)
            .await
            .expect("an answer")
    }

    /// A call of a service that speaks JSON with X-Amz-Target, by the root pair.
    pub async fn json(&self, service: &str, target: &str, body: Value) -> Reply {
        let headers = [
            ("content-type", "application/x-amz-json-1.1"),
            ("x-amz-target", target),
        ];
        let body = body.to_string().into_bytes();
        self.try_send_with(Some(&self.root), service, "POST", "/", &headers, body)
            .await
            .expect("an answer")
    }

    /// A launch template of two versions; its id.
    pub async fn create_launch_template(&self) -> String {
        let mut id = String::new();
        for action in ["CreateLaunchTemplate", "CreateLaunchTemplateVersion"] {
            let body = format!(
                "Action={action}&LaunchTemplateName=template-{}&LaunchTemplateData.InstanceType=t3.large&Version=2016-11-15",
                self.unique
            );
            let reply = self.query("ec2", &body).await;
            assert_eq!(reply.status, 200, "{}", reply.text);
            id = element(&reply.text, "launchTemplateId");
        }
        id
    }

    /// A KMS key; its ARN.
    pub async fn create_key(&self, spec: &str) -> String {
        let reply = self
            .json("kms", "TrentService.CreateKey", json!({ "KeySpec": spec }))
            .await
            .ok();
        reply["KeyMetadata"]["Arn"]
            .as_str()
            .expect("an ARN")
            .to_owned()
    }

    /// The log group of a cluster, if it is there.
    pub async fn log_group(&self, cluster: &str) -> Option<Value> {
        let name = format!("/aws/eks/{cluster}/cluster");
        let body = json!({ "logGroupNamePrefix": name });
        let target = "Logs_20140328.DescribeLogGroups";
        let reply = self.json("logs", target, body).await.ok();
        let groups = reply["logGroups"].as_array().expect("a list");
        groups
            .iter()
            .find(|group| group["logGroupName"] == json!(name))
            .cloned()
    }

    /// `None` if the connection was closed without an answer.
    pub async fn try_send(
        &self,
        keys: Option<&Keys>,
        service: &str,
        method: &str,
        path: &str,
        content_type: &str,
        body: Vec<u8>,
    ) -> Option<Reply> {
        let headers = [("content-type", content_type)];
        self.try_send_with(keys, service, method, path, &headers, body)
            .await
    }

    async fn try_send_with(
        &self,
        keys: Option<&Keys>,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Option<Reply> {
        let url = format!("{}{path}", self.handle.endpoint());
        let mut request = http::Request::builder()
            .method(method)
            .uri(&url)
            .header("host", self.handle.endpoint().trim_start_matches("http://"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let mut request = request.body(body).expect("a request");
        if let Some(keys) = keys {
            let offset = Duration::from_secs(self.wall_offset.load(Ordering::SeqCst));
            let time = SystemTime::now() + offset;
            sign_request(keys, service, &url, &mut request, time);
        }
        let request = request.map(|body| Full::new(Bytes::from(body)));
        let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
        let response = client.request(request).await.ok()?;
        let status = response.status().as_u16();
        let code = response
            .headers()
            .get("x-amzn-errortype")
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
            .to_owned();
        assert!(response.headers().contains_key("x-amzn-requestid"));
        let bytes = response.into_body().collect().await.ok()?.to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Some(Reply {
            status,
            code,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        })
    }

    /// The control API.
    pub async fn control(&self, method: &str, path: &str, body: Value) -> Reply {
        let body = body.to_string().into_bytes();
        self.send(None, "", method, path, "application/json", body)
            .await
    }

    /// Lets simulated time pass at once.
    pub async fn advance(&self, duration: Duration) {
        let step = json!({ "advance_seconds": duration.as_secs() });
        assert_eq!(self.control("POST", "/_lab/clock", step).await.status, 200);
    }

    /// A cluster of another version than the good body's.
    pub async fn create_cluster_of(&self, name: &str, version: &str) {
        let mut body = self.cluster_body(name);
        body["version"] = json!(version);
        self.eks("POST", "/clusters", body).await.ok();
        self.wait_cluster(name, "ACTIVE").await;
    }

    /// Moves a cluster to a version.
    pub async fn move_cluster(&self, name: &str, version: &str) -> Value {
        let path = format!("/clusters/{name}/updates");
        let reply = self
            .eks("POST", &path, json!({ "version": version }))
            .await
            .ok();
        let update = self.wait_update(name, &reply, "").await;
        assert_eq!(update["status"], "Successful", "{update}");
        update
    }

    /// A good CreateCluster body.
    pub fn cluster_body(&self, name: &str) -> Value {
        json!({
            "name": name,
            "version": "1.35",
            "roleArn": self.cluster_role,
            "resourcesVpcConfig": { "subnetIds": self.subnets },
            "accessConfig": { "authenticationMode": "API" },
        })
    }

    /// A good CreateNodegroup body.
    pub fn node_group_body(&self, name: &str) -> Value {
        json!({
            "nodegroupName": name,
            "nodeRole": self.node_role,
            "subnets": self.subnets,
            "scalingConfig": { "minSize": 1, "maxSize": 3, "desiredSize": 2 },
        })
    }

    pub async fn create_node_group(&self, cluster: &str, name: &str) -> Value {
        let path = format!("/clusters/{cluster}/node-groups");
        self.eks("POST", &path, self.node_group_body(name))
            .await
            .ok();
        self.wait_node_group(cluster, name, "ACTIVE").await
    }

    /// Names of the nodes of a cluster.
    pub fn nodes(&self, cluster: &str) -> Vec<String> {
        let nodes = self.backend.nodes.lock().unwrap();
        nodes
            .get(cluster)
            .map(|nodes| nodes.keys().cloned().collect())
            .unwrap_or_default()
    }

    pub async fn create_cluster(&self, name: &str) -> Value {
        self.eks("POST", "/clusters", self.cluster_body(name))
            .await
            .ok();
        self.wait_cluster(name, "ACTIVE").await
    }

    pub async fn wait_cluster(&self, name: &str, status: &str) -> Value {
        let body = self
            .wait(&format!("/clusters/{name}"), |body| {
                body["cluster"]["status"] == status
            })
            .await;
        body["cluster"].clone()
    }

    pub async fn wait_node_group(&self, cluster: &str, name: &str, status: &str) -> Value {
        let path = format!("/clusters/{cluster}/node-groups/{name}");
        let body = self
            .wait(&path, |body| body["nodegroup"]["status"] == status)
            .await;
        body["nodegroup"].clone()
    }

    /// Waits for the end of an update; returns it.
    pub async fn wait_update(&self, cluster: &str, reply: &Value, node_group: &str) -> Value {
        let id = reply["update"]["id"].as_str().expect("an update id");
        let query = match node_group {
            "" => String::new(),
            name => format!("?nodegroupName={name}"),
        };
        let body = self
            .wait(
                &format!("/clusters/{cluster}/updates/{id}{query}"),
                |body| body["update"]["status"] != "InProgress",
            )
            .await;
        body["update"].clone()
    }

    pub async fn wait_addon(&self, cluster: &str, name: &str, status: &str) -> Value {
        let path = format!("/clusters/{cluster}/addons/{name}");
        let body = self
            .wait(&path, |body| body["addon"]["status"] == status)
            .await;
        body["addon"].clone()
    }

    /// Waits for the end of an update of an add-on; returns it.
    pub async fn wait_addon_update(&self, cluster: &str, reply: &Value, addon: &str) -> Value {
        let id = reply["update"]["id"].as_str().expect("an update id");
        let path = format!("/clusters/{cluster}/updates/{id}?addonName={addon}");
        let body = self
            .wait(&path, |body| body["update"]["status"] != "InProgress")
            .await;
        body["update"].clone()
    }

    pub async fn wait_gone(&self, path: &str) {
        for _ in 0..3000 {
            if self.get(path).await.status == 404 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} is still there");
    }

    /// Polls until `done`; the bound is far above what any transition takes.
    async fn wait(&self, path: &str, done: impl Fn(&Value) -> bool) -> Value {
        let mut last = Value::Null;
        for _ in 0..3000 {
            last = self.get(path).await.body;
            if done(&last) {
                return last;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} did not come to the state waited for: {last}");
    }
}

/// Signs with the AWS SDK's own signer, so that the simulator's check meets another
/// implementation.
pub fn sign_request(
    keys: &Keys,
    service: &str,
    url: &str,
    request: &mut http::Request<Vec<u8>>,
    time: SystemTime,
) {
    let identity = Credentials::new(
        keys.id.clone(),
        keys.secret.clone(),
        keys.token.clone(),
        None,
        "test",
    )
    .into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region("us-east-1")
        .name(service)
        .time(time)
        .settings(SigningSettings::default())
        .build()
        .expect("signing parameters")
        .into();
    let headers: Vec<(String, String)> = request
        .headers()
        .iter()
        .map(|(name, value)| (name.to_string(), value.to_str().expect("ascii").to_owned()))
        .collect();
    let signable = SignableRequest::new(
        request.method().as_str(),
        url,
        headers.iter().map(|(n, v)| (n.as_str(), v.as_str())),
        SignableBody::Bytes(request.body()),
    )
    .expect("a signable request");
    let (instructions, _) = sign(signable, &parameters).expect("signed").into_parts();
    instructions.apply_to_request_http1x(request);
}

pub fn percent(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// The text of the first XML element of this name.
pub fn element(xml: &str, name: &str) -> String {
    let document = roxmltree::Document::parse(xml).unwrap_or_else(|_| panic!("XML: {xml}"));
    document
        .descendants()
        .find(|node| node.tag_name().name() == name)
        .and_then(|node| node.text())
        .unwrap_or_else(|| panic!("{name} is not in {xml}"))
        .to_owned()
}
