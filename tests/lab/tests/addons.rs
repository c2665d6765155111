//! Add-ons on a real cluster: their objects, conflicts with other field managers, their health.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test may fail anywhere"
)]

use std::time::{Duration, Instant};

use devopsgenie_lab::Lab;
use serde_json::{Value, json};

/// A deadline that only a stuck lab meets.
const PATIENCE: Duration = Duration::from_secs(120);

async fn role(lab: &Lab, name: &str, service: &str, policies: &[&str]) -> String {
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]})
    .to_string();
    let made = lab
        .aws(&[
            "iam",
            "create-role",
            "--role-name",
            name,
            "--assume-role-policy-document",
            &trust,
        ])
        .await
        .unwrap();
    for policy in policies {
        let policy = format!("arn:aws:iam::aws:policy/{policy}");
        lab.aws(&[
            "iam",
            "attach-role-policy",
            "--role-name",
            name,
            "--policy-arn",
            &policy,
        ])
        .await
        .unwrap();
    }
    made["Role"]["Arn"].as_str().unwrap().to_owned()
}

/// Asks until the query of the answer is this text; `None` for an answer that there is no such object.
async fn until(lab: &Lab, arguments: &[&str], pointer: &str, wanted: Option<&str>) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let found = match lab.aws(arguments).await {
            Ok(found) => found,
            Err(error) if wanted.is_none() => {
                assert!(error.to_string().contains("ResourceNotFound"), "{error}");
                return Value::Null;
            }
            Err(error) => panic!("{error}"),
        };
        let status = found.pointer(pointer).and_then(Value::as_str);
        if wanted.is_some() && status == wanted {
            return found;
        }
        assert!(Instant::now() < deadline, "never {wanted:?}: {found}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

async fn addon(lab: &Lab, name: &str, status: Option<&str>) -> Value {
    let arguments = [
        "eks",
        "describe-addon",
        "--cluster-name",
        "c",
        "--addon-name",
        name,
    ];
    until(lab, &arguments, "/addon/status", status).await["addon"].clone()
}

async fn kubectl(lab: &Lab, arguments: &[&str]) -> String {
    let mut command = lab.kubectl("c").await.unwrap();
    let output = command.args(arguments).output().unwrap();
    let mut text = String::from_utf8(output.stdout).unwrap();
    text.push_str(&String::from_utf8(output.stderr).unwrap());
    assert!(output.status.success(), "kubectl {arguments:?}: {text}");
    text.trim().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn addons_are_real_objects_that_meet_other_field_managers() {
    let lab = Lab::start(|_| {}).await.unwrap();
    let cluster_role = role(
        &lab,
        "cluster",
        "eks.amazonaws.com",
        &["AmazonEKSClusterPolicy"],
    )
    .await;
    let node_role = role(
        &lab,
        "node",
        "ec2.amazonaws.com",
        &[
            "AmazonEKSWorkerNodePolicy",
            "AmazonEC2ContainerRegistryPullOnly",
        ],
    )
    .await;
    let [one, two, _] = lab.subnets().await.unwrap();
    let subnets = format!("subnetIds={},{}", one.id, two.id);
    lab.aws(&[
        "eks",
        "create-cluster",
        "--name",
        "c",
        "--role-arn",
        &cluster_role,
        "--resources-vpc-config",
        &subnets,
    ])
    .await
    .unwrap();
    let describe = ["eks", "describe-cluster", "--name", "c"];
    until(&lab, &describe, "/cluster/status", Some("ACTIVE")).await;

    // coredns has its objects and nowhere to run.
    let create = |name: &'static str| {
        [
            "eks",
            "create-addon",
            "--cluster-name",
            "c",
            "--addon-name",
            name,
        ]
    };
    let update = |name: &'static str| {
        [
            "eks",
            "update-addon",
            "--cluster-name",
            "c",
            "--addon-name",
            name,
        ]
    };
    lab.aws(&create("coredns")).await.unwrap();
    let found = addon(&lab, "coredns", Some("DEGRADED")).await;
    assert_eq!(
        found["health"]["issues"][0]["code"],
        "InsufficientNumberOfReplicas"
    );
    let cluster_ip = kubectl(
        &lab,
        &[
            "-n",
            "kube-system",
            "get",
            "service",
            "kube-dns",
            "-o",
            "jsonpath={.spec.clusterIP}",
        ],
    )
    .await;
    assert!(cluster_ip.ends_with(".0.10"), "{cluster_ip}");
    lab.aws(&[
        "eks",
        "create-nodegroup",
        "--cluster-name",
        "c",
        "--nodegroup-name",
        "g",
        "--node-role",
        &node_role,
        "--subnets",
        &one.id,
        &two.id,
    ])
    .await
    .unwrap();
    let describe = [
        "eks",
        "describe-nodegroup",
        "--cluster-name",
        "c",
        "--nodegroup-name",
        "g",
    ];
    until(&lab, &describe, "/nodegroup/status", Some("ACTIVE")).await;
    addon(&lab, "coredns", Some("ACTIVE")).await;

    // A kube-proxy of somebody else's: refused, then taken over.
    let foreign = r#"{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"kube-proxy-config","namespace":"kube-system"},"data":{"config":"mine"}}"#;
    let file = lab.directory().join("foreign.json");
    std::fs::write(&file, foreign).unwrap();
    kubectl(
        &lab,
        &[
            "apply",
            "--server-side",
            "--field-manager=mine",
            "-f",
            file.to_str().unwrap(),
        ],
    )
    .await;
    lab.aws(&create("kube-proxy")).await.unwrap();
    let found = addon(&lab, "kube-proxy", Some("CREATE_FAILED")).await;
    let issue = &found["health"]["issues"][0];
    assert_eq!(issue["code"], "ConfigurationConflict");
    assert!(
        issue["message"]
            .as_str()
            .unwrap()
            .ends_with("Conflicts:\nConfigMap kube-proxy-config - .data.config"),
        "{issue}"
    );
    assert_eq!(
        kubectl(
            &lab,
            &["-n", "kube-system", "get", "daemonsets", "-o", "name"]
        )
        .await,
        ""
    );
    let mut overwrite = update("kube-proxy").to_vec();
    overwrite.extend(["--resolve-conflicts", "OVERWRITE"]);
    lab.aws(&overwrite).await.unwrap();
    addon(&lab, "kube-proxy", Some("ACTIVE")).await;
    let config = [
        "-n",
        "kube-system",
        "get",
        "configmap",
        "kube-proxy-config",
        "-o",
        "jsonpath={.data.config}",
    ];
    assert!(kubectl(&lab, &config).await.contains("mode: \"iptables\""));

    // What is scaled by hand stays with PRESERVE and goes with OVERWRITE.
    kubectl(
        &lab,
        &[
            "-n",
            "kube-system",
            "scale",
            "deployment",
            "coredns",
            "--replicas=1",
        ],
    )
    .await;
    let replicas = [
        "-n",
        "kube-system",
        "get",
        "deployment",
        "coredns",
        "-o",
        "jsonpath={.spec.replicas}",
    ];
    for (word, values, status, count) in [
        ("NONE", r#"{"replicaCount": 3}"#, "UPDATE_FAILED", "1"),
        ("PRESERVE", r#"{"replicaCount": 3}"#, "ACTIVE", "1"),
        ("OVERWRITE", r#"{"replicaCount": 3}"#, "ACTIVE", "3"),
    ] {
        let mut arguments = update("coredns").to_vec();
        arguments.extend([
            "--resolve-conflicts",
            word,
            "--configuration-values",
            values,
        ]);
        lab.aws(&arguments).await.unwrap();
        addon(&lab, "coredns", Some(status)).await;
        assert_eq!(kubectl(&lab, &replicas).await, count, "{word}");
    }

    // All others install as well, and insights see the real cluster.
    for name in [
        "vpc-cni",
        "eks-pod-identity-agent",
        "aws-ebs-csi-driver",
        "metrics-server",
    ] {
        lab.aws(&create(name)).await.unwrap();
    }
    for name in [
        "vpc-cni",
        "eks-pod-identity-agent",
        "aws-ebs-csi-driver",
        "metrics-server",
    ] {
        addon(&lab, name, Some("ACTIVE")).await;
    }
    let insights = lab
        .aws(&["eks", "list-insights", "--cluster-name", "c"])
        .await
        .unwrap();
    let insights = insights["insights"].as_array().unwrap();
    assert!(
        insights
            .iter()
            .any(|insight| insight["name"] == "kube-proxy version skew")
    );
    assert!(
        insights.iter().any(|insight| {
            insight["name"] == "EKS add-on version compatibility"
                && insight["insightStatus"]["status"] == "ERROR"
        }),
        "no add-on is known for the version after the newest: {insights:?}"
    );

    // Deleted with and without the objects.
    for (name, arguments, left) in [
        (
            "kube-proxy",
            vec!["--preserve"],
            "daemonset.apps/kube-proxy",
        ),
        ("vpc-cni", vec![], ""),
    ] {
        let mut command = vec![
            "eks",
            "delete-addon",
            "--cluster-name",
            "c",
            "--addon-name",
            name,
        ];
        command.extend(arguments);
        lab.aws(&command).await.unwrap();
        addon(&lab, name, None).await;
        let object = if name == "vpc-cni" { "aws-node" } else { name };
        let get = [
            "-n",
            "kube-system",
            "get",
            "daemonset",
            object,
            "-o",
            "name",
            "--ignore-not-found",
        ];
        assert_eq!(kubectl(&lab, &get).await, left);
    }
}
