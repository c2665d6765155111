//! Real clusters: workloads run, disruption budgets hold, versions change, nothing is left behind.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test may fail anywhere"
)]

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use devopsgenie_lab::{Cluster, ClusterSpec, KubernetesBackend, LabError, Toolbox};
use eks_simulator::{
    ClusterBackend, ControlPlaneSpec, DrainOutcome, NodeCapacity, NodeSpec, NodeTaint,
};

/// A deadline that only a stuck cluster meets.
const PATIENCE: Duration = Duration::from_secs(120);

async fn start(name: &str, version: &str) -> Cluster {
    let tools = Toolbox::new().unwrap().kubernetes().unwrap();
    Cluster::start(&tools, ClusterSpec::new(name, version))
        .await
        .unwrap()
}

fn node(number: u8) -> NodeSpec {
    NodeSpec {
        name: format!("ip-10-0-0-{number}.ec2.internal"),
        provider_id: format!("aws:///us-east-1a/i-{number}"),
        internal_ip: [10, 0, 0, number].into(),
        kubelet_version: "v1.35.0-eks-lab".to_owned(),
        labels: [(
            "eks.amazonaws.com/nodegroup".to_owned(),
            "general".to_owned(),
        )]
        .into(),
        taints: Vec::new(),
        capacity: NodeCapacity {
            cpus: 2,
            memory_mib: 4096,
            pods: 20,
        },
        architecture: "arm64".to_owned(),
        os_image: "Amazon Linux 2023".to_owned(),
    }
}

/// Runs kubectl; what it says on both streams, and whether it succeeded.
fn try_kubectl(cluster: &Cluster, arguments: &[&str]) -> (bool, String) {
    let output = cluster.kubectl().args(arguments).output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    (output.status.success(), text)
}

fn kubectl(cluster: &Cluster, arguments: &[&str]) -> String {
    let (success, text) = try_kubectl(cluster, arguments);
    assert!(success, "kubectl {arguments:?}: {text}");
    text
}

fn apply(cluster: &Cluster, manifest: &str) {
    let mut child = cluster
        .kubectl()
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(manifest.as_bytes())
        .unwrap();
    assert!(child.wait().unwrap().success());
}

const DEPLOYMENT: &str = "
apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 2
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      initContainers: [{name: first, image: example.test/init:1}]
      containers: [{name: web, image: example.test/web:1}]
";

const JOB: &str = "
apiVersion: batch/v1
kind: Job
metadata: {name: once}
spec:
  completions: 2
  template:
    spec:
      restartPolicy: Never
      containers: [{name: once, image: example.test/once:1}]
";

const BUDGET: &str = "
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: web}
spec:
  minAvailable: 2
  selector: {matchLabels: {app: web}}
";

fn alive(process_id: u32) -> bool {
    // Its first thread is a zombie before the others have ended.
    let threads = std::fs::read_dir(format!("/proc/{process_id}/task"));
    std::fs::read_to_string(format!("/proc/{process_id}/stat"))
        .is_ok_and(|stat| !stat.contains(") Z ") || threads.is_ok_and(|all| all.count() > 1))
}

fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !done() {
        assert!(Instant::now() < deadline, "never: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workloads_run_and_survive_drains_and_a_new_version() {
    let cluster = start("workloads", "1.35").await;
    let (one, two) = (node(1), node(2));
    cluster.apply_node(&one).await.unwrap();
    cluster.apply_node(&two).await.unwrap();
    assert_eq!(
        cluster.ready_nodes().await.unwrap(),
        [one.name.clone(), two.name.clone()]
    );
    let columns = "jsonpath={.status.nodeInfo.kubeletVersion} {.status.nodeInfo.architecture} \
                   {.status.allocatable.cpu} {.status.addresses[0].address} {.spec.providerID}";
    assert_eq!(
        kubectl(&cluster, &["get", "node", &one.name, "-o", columns]),
        "v1.35.0-eks-lab arm64 2 10.0.0.1 aws:///us-east-1a/i-1"
    );

    apply(&cluster, DEPLOYMENT);
    apply(&cluster, JOB);
    kubectl(
        &cluster,
        &["rollout", "status", "deployment/web", "--timeout=100s"],
    );
    kubectl(
        &cluster,
        &[
            "wait",
            "--for=condition=Complete",
            "job/once",
            "--timeout=100s",
        ],
    );
    let addresses = kubectl(
        &cluster,
        &[
            "get",
            "pods",
            "-l",
            "app=web",
            "-o",
            "jsonpath={.items[*].status.podIP}",
        ],
    );
    assert_eq!(addresses.split_whitespace().count(), 2, "{addresses}");

    // The budget allows no disruption, so neither kubectl nor the backend may evict.
    apply(&cluster, BUDGET);
    wait_until("the budget is computed", || {
        let path = "jsonpath={.status.currentHealthy}";
        kubectl(&cluster, &["get", "poddisruptionbudget", "web", "-o", path]) == "2"
    });
    for node in [&one, &two] {
        kubectl(&cluster, &["cordon", &node.name]);
    }
    let (success, text) = try_kubectl(
        &cluster,
        &[
            "drain",
            &one.name,
            &two.name,
            "--ignore-daemonsets",
            "--force",
            "--timeout=2s",
        ],
    );
    assert!(!success, "{text}");
    assert!(
        text.contains("Cannot evict pod as it would violate the pod's disruption budget"),
        "{text}"
    );
    let mut blocked = Vec::new();
    for node in [&one, &two] {
        match cluster
            .drain_node(&node.name, Duration::ZERO, false)
            .await
            .unwrap()
        {
            DrainOutcome::Drained => {}
            DrainOutcome::Blocked { pods } => blocked.extend(pods),
        }
    }
    assert_eq!(blocked.len(), 2, "{blocked:?}");

    // With room elsewhere and a budget that can be met, the same drain moves the pods.
    cluster.apply_node(&node(3)).await.unwrap();
    kubectl(
        &cluster,
        &[
            "patch",
            "poddisruptionbudget",
            "web",
            "-p",
            r#"{"spec":{"minAvailable":1}}"#,
        ],
    );
    for node in [&one, &two] {
        let outcome = cluster
            .drain_node(&node.name, PATIENCE, false)
            .await
            .unwrap();
        assert_eq!(outcome, DrainOutcome::Drained);
        cluster.delete_node(&node.name).await.unwrap();
    }
    kubectl(
        &cluster,
        &["rollout", "status", "deployment/web", "--timeout=100s"],
    );
    assert_eq!(cluster.ready_nodes().await.unwrap(), [node(3).name]);

    let emulated = |cluster: &Cluster| {
        let version = kubectl(cluster, &["get", "--raw", "/version"]);
        let version: serde_json::Value = serde_json::from_str(&version).unwrap();
        version["emulationMinor"].as_str().unwrap().to_owned()
    };
    let identity = |cluster: &Cluster| {
        kubectl(
            cluster,
            &["get", "deployment", "web", "-o", "jsonpath={.metadata.uid}"],
        )
    };
    let (uid, endpoint) = (identity(&cluster), cluster.endpoint().to_owned());
    assert_eq!(emulated(&cluster), "35");
    cluster.change_version("1.36").await.unwrap();
    assert_eq!(emulated(&cluster), "36");
    assert_eq!(cluster.endpoint(), endpoint);
    assert_eq!(identity(&cluster), uid);
    // The controllers work again, too.
    kubectl(&cluster, &["scale", "deployment/web", "--replicas=3"]);
    kubectl(
        &cluster,
        &["rollout", "status", "deployment/web", "--timeout=100s"],
    );

    let processes = cluster.processes();
    assert_eq!(processes.len(), 5);
    let directory = cluster.directory().to_owned();
    drop(cluster);
    for process in processes {
        assert!(!alive(process.process_id), "{} is left", process.name);
    }
    assert!(!directory.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn labels_and_taints_follow_the_spec_and_forced_drains_end() {
    let cluster = start("nodes", "1.36").await;
    let mut spec = node(1);
    spec.taints = vec![NodeTaint {
        key: "dedicated".to_owned(),
        value: "web".to_owned(),
        effect: "NoSchedule".to_owned(),
    }];
    cluster.apply_node(&spec).await.unwrap();
    apply(&cluster, DEPLOYMENT);
    let reason = "jsonpath={.items[*].status.conditions[?(@.type==\"PodScheduled\")].reason}";
    wait_until("the taint keeps the pods away", || {
        kubectl(&cluster, &["get", "pods", "-o", reason]) == "Unschedulable Unschedulable"
    });
    spec.taints.clear();
    spec.labels.insert("team".to_owned(), "a".to_owned());
    cluster.apply_node(&spec).await.unwrap();
    kubectl(
        &cluster,
        &["rollout", "status", "deployment/web", "--timeout=100s"],
    );
    let shown = kubectl(
        &cluster,
        &[
            "get",
            "node",
            &spec.name,
            "-o",
            "jsonpath={.metadata.labels.team}:{.spec.taints}",
        ],
    );
    assert_eq!(shown, "a:");

    apply(&cluster, BUDGET);
    wait_until("the budget is computed", || {
        let path = "jsonpath={.status.currentHealthy}";
        kubectl(&cluster, &["get", "poddisruptionbudget", "web", "-o", path]) == "2"
    });
    let outcome = cluster
        .drain_node(&spec.name, Duration::ZERO, true)
        .await
        .unwrap();
    assert_eq!(outcome, DrainOutcome::Drained);
}

/// The programs with an API server that ends at once when it is to serve 1.36.
fn tools_without_new_version(directory: &Path) -> devopsgenie_lab::KubernetesTools {
    let mut tools = Toolbox::new().unwrap().kubernetes().unwrap();
    let script = directory.join("kube-apiserver");
    let text = format!(
        "#!/bin/sh\ncase \"$*\" in *--emulated-version=1.36*) echo no such luck >&2; exit 7;; esac\nexec '{}' \"$@\"\n",
        tools.kube_apiserver.display()
    );
    std::fs::write(&script, text).unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, executable).unwrap();
    tools.kube_apiserver = script;
    tools
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_change_that_fails_leaves_the_version_before() {
    let directory = tempfile::tempdir().unwrap();
    let tools = tools_without_new_version(directory.path());
    let cluster = Cluster::start(&tools, ClusterSpec::new("stays", "1.35"))
        .await
        .unwrap();
    kubectl(&cluster, &["create", "configmap", "kept"]);
    let error = cluster.change_version("1.36").await.unwrap_err();
    assert!(error.to_string().contains("no such luck"), "{error}");
    assert_eq!(cluster.version(), "1.35");
    kubectl(&cluster, &["get", "configmap", "kept"]);
    let emulated = kubectl(&cluster, &["get", "--raw", "/version"]);
    assert!(
        emulated.contains("\"emulationMinor\": \"35\""),
        "{emulated}"
    );
    cluster.apply_node(&node(1)).await.unwrap();

    // A process that ended is started again, although the version is the same.
    let server = cluster
        .processes()
        .into_iter()
        .find(|process| process.name == "kube-apiserver")
        .unwrap();
    let killed = Command::new("sh")
        .args(["-c", &format!("kill -KILL {}", server.process_id)])
        .status()
        .unwrap();
    assert!(killed.success());
    wait_until("the API server ends", || !alive(server.process_id));
    cluster.change_version("1.35").await.unwrap();
    kubectl(&cluster, &["get", "configmap", "kept"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn work_on_nodes_waits_while_the_version_changes() {
    let cluster = std::sync::Arc::new(start("restarts", "1.35").await);
    cluster.apply_node(&node(1)).await.unwrap();
    let server = |cluster: &Cluster| cluster.processes()[1].process_id;
    let before = server(&cluster);
    let changing = std::sync::Arc::clone(&cluster);
    let change = tokio::spawn(async move { changing.change_version("1.36").await });
    wait_until("the old API server ends", || !alive(before));
    // Nobody listens now.
    let (two, one) = (node(2), node(1));
    let (applied, drained) = tokio::join!(
        cluster.apply_node(&two),
        cluster.drain_node(&one.name, PATIENCE, false)
    );
    applied.unwrap();
    assert_eq!(drained.unwrap(), DrainOutcome::Drained);
    cluster.delete_node(&one.name).await.unwrap();
    change.await.unwrap().unwrap();
    assert_eq!(cluster.version(), "1.36");
    assert_eq!(cluster.ready_nodes().await.unwrap(), [two.name]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_control_plane_is_deleted_although_somebody_holds_its_cluster() {
    let tools = Toolbox::new().unwrap().kubernetes().unwrap();
    let backend = KubernetesBackend::new(tools);
    let webhook = "http://127.0.0.1:1/nobody".to_owned();
    let spec = ControlPlaneSpec {
        cluster_name: "held".to_owned(),
        version: "1.36".to_owned(),
        authentication_webhook_url: webhook.clone(),
        authorization_webhook_url: webhook,
        issuer_url: "https://example.test".to_owned(),
        service_ipv4_cidr: "172.20.0.0/16".to_owned(),
    };
    backend.create_control_plane(spec).await.unwrap();
    let cluster = backend.cluster("held").await.unwrap();
    let processes = cluster.processes();
    assert!(processes.iter().all(|process| alive(process.process_id)));
    tokio::time::timeout(PATIENCE, backend.delete_control_plane("held"))
        .await
        .expect("the deletion waits for the holder")
        .unwrap();
    for process in processes {
        assert!(!alive(process.process_id), "{} is left", process.name);
    }
    assert!(!cluster.directory().exists());
    assert!(matches!(
        backend.cluster("held").await,
        Err(LabError::UnknownCluster(_))
    ));
    // Work that is still under way ends with an error, and does not wait for a new API server.
    assert!(cluster.apply_node(&node(1)).await.is_err());
}

#[tokio::test]
async fn a_version_that_is_not_served_is_refused_by_name() {
    let tools = Toolbox::new().unwrap().kubernetes().unwrap();
    let result = Cluster::start(&tools, ClusterSpec::new("old", "1.20")).await;
    let error = result.err().unwrap();
    assert!(matches!(&error, LabError::UnsupportedVersion { version, .. } if version == "1.20"));
    assert_eq!(
        error.to_string(),
        "the lab cannot serve Kubernetes 1.20; it serves 1.33, 1.34, 1.35, 1.36"
    );
}

#[tokio::test]
async fn a_process_that_ends_is_shown_with_its_last_lines() {
    let tools = Toolbox::new().unwrap().kubernetes().unwrap();
    let mut spec = ClusterSpec::new("broken", "1.36");
    spec.service_cidr = "not-a-range".to_owned();
    let error = Cluster::start(&tools, spec)
        .await
        .err()
        .unwrap()
        .to_string();
    assert!(
        error.starts_with("kube-apiserver ended with exit status: 1"),
        "{error}"
    );
    assert!(
        error.contains("service-cluster-ip-range[0] is not a valid cidr"),
        "{error}"
    );
}

const HOLDER: &str = "DEVOPSGENIE_LAB_TEST_HOLDER";

/// Not a test of its own: the process that the next test starts, and kills.
#[tokio::test(flavor = "multi_thread")]
async fn holder_of_a_cluster() {
    if std::env::var_os(HOLDER).is_none() {
        return;
    }
    let cluster = start("held", "1.36").await;
    let ids: Vec<String> = cluster
        .processes()
        .iter()
        .map(|process| process.process_id.to_string())
        .collect();
    println!("\nheld {} {}", cluster.directory().display(), ids.join(" "));
    // Longer than the test that kills this process waits.
    tokio::time::sleep(PATIENCE * 4).await;
}

#[test]
fn nothing_is_left_when_the_holder_is_killed() {
    let mut holder = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "holder_of_a_cluster", "--nocapture"])
        .env(HOLDER, "1")
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let line = BufReader::new(holder.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .find(|line| line.starts_with("held "))
        .expect("the holder ends before its cluster is up");
    let mut words = line.split(' ').skip(1);
    let directory = PathBuf::from(words.next().unwrap());
    let processes: Vec<u32> = words.map(|word| word.parse().unwrap()).collect();
    assert_eq!(processes.len(), 5);
    assert!(processes.iter().all(|process| alive(*process)));
    assert!(Path::new(&directory).exists());

    holder.kill().unwrap();
    holder.wait().unwrap();
    wait_until("all processes end", || {
        !processes.iter().any(|process| alive(*process))
    });
    wait_until("the directory is removed", || !directory.exists());
}
