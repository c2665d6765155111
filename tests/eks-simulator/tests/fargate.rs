//! Fargate profiles: rules and states.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use common::Lab;
use eks_simulator::{Fault, FaultKind};
use serde_json::{Value, json};

const PATH: &str = "/clusters/c/fargate-profiles";
const PARAMETER: &str = "InvalidParameterException";
const IN_USE: &str = "ResourceInUseException";

async fn wait(lab: &Lab, name: &str, status: &str) -> Value {
    for _ in 0..3000 {
        let body = lab.get(&format!("{PATH}/{name}")).await.body;
        if body["fargateProfile"]["status"] == status {
            return body["fargateProfile"].clone();
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    panic!("{name} never {status}");
}

#[tokio::test]
async fn profiles_come_and_go_one_at_a_time() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let role = lab
        .create_role("pods", "eks-fargate-pods.amazonaws.com", &[])
        .await;
    let good = json!({
        "fargateProfileName": "p", "podExecutionRoleArn": role, "subnets": lab.subnets,
        "selectors": [{"namespace": "n", "labels": {"a": "b"}}],
    });
    let changed = |change: Value| {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        body
    };
    let public = lab
        .create_subnet(&lab.vpc, "us-east-1a", "10.0.9.0/24")
        .await;
    lab.make_public(&public).await;
    let labels: Value = (0..6)
        .map(|n| (format!("l{n}"), json!("x")))
        .collect::<serde_json::Map<_, _>>()
        .into();
    let cases = [
        (json!({"fargateProfileName": ""}), "1 to 100 characters"),
        (json!({"selectors": []}), "1 to 5 selectors"),
        (
            json!({"selectors": vec![json!({"namespace": "n"}); 6]}),
            "1 to 5 selectors",
        ),
        (
            json!({"selectors": [{"labels": {}}]}),
            "must have a namespace",
        ),
        (
            json!({"selectors": [{"namespace": "n", "labels": labels}]}),
            "at most 5 labels",
        ),
        (
            json!({"podExecutionRoleArn": lab.node_role}),
            "Misconfigured PodExecutionRole Trust Policy",
        ),
        (json!({"subnets": ["subnet-00000000"]}), "does not exist"),
        (json!({"subnets": [public]}), "not a private subnet"),
        (json!({"tags": {"aws:x": "y"}}), "reserved"),
    ];
    for (change, message) in cases {
        let reply = lab.eks("POST", PATH, changed(change)).await;
        reply.refused(PARAMETER, message);
        assert_eq!(reply.body["clusterName"], "c");
    }
    let hold = lab
        .handle
        .faults()
        .add(Fault::on("eks", "CreateFargateProfile", FaultKind::Stuck).times(1));
    let body = changed(json!({"clientRequestToken": "t"}));
    let made = lab.eks("POST", PATH, body.clone()).await.ok();
    let again = lab.eks("POST", PATH, body).await.ok();
    assert_eq!(
        made["fargateProfile"]["fargateProfileArn"],
        again["fargateProfile"]["fargateProfileArn"]
    );
    lab.eks("POST", PATH, good.clone())
        .await
        .refused(IN_USE, "A Fargate Profile already exists with this name");
    let second = changed(json!({"fargateProfileName": "q", "subnets": null}));
    lab.eks("POST", PATH, second.clone())
        .await
        .refused(IN_USE, "currently has Fargate profile p in status CREATING");
    lab.eks("DELETE", &format!("{PATH}/p"), Value::Null)
        .await
        .refused(IN_USE, "in status CREATING");
    lab.handle.faults().clear(hold);
    wait(&lab, "p", "ACTIVE").await;
    // EKS makes the entry of the role.
    let entry = format!(
        "/clusters/c/access-entries/{}",
        role.replace('/', "%2F").replace(':', "%3A")
    );
    assert_eq!(
        lab.get(&entry).await.ok()["accessEntry"]["type"],
        "FARGATE_LINUX"
    );
    lab.eks("POST", PATH, second).await.ok();
    let q = wait(&lab, "q", "ACTIVE").await;
    assert_eq!(q["subnets"], json!(lab.subnets));
    assert_eq!(
        lab.get(PATH).await.ok()["fargateProfileNames"],
        json!(["p", "q"])
    );
    lab.eks("DELETE", "/clusters/c", Value::Null)
        .await
        .refused(IN_USE, "Fargate profiles attached");
    let arn = q["fargateProfileArn"]
        .as_str()
        .unwrap()
        .replace('/', "%2F")
        .replace(':', "%3A");
    lab.eks("POST", &format!("/tags/{arn}"), json!({"tags": {"a": "b"}}))
        .await
        .ok();
    assert_eq!(wait(&lab, "q", "ACTIVE").await["tags"], json!({"a": "b"}));

    for (name, left) in [("p", 200), ("q", 404)] {
        let own = format!("{PATH}/{name}");
        lab.eks("DELETE", &own, Value::Null).await.ok();
        lab.wait_gone(&own).await;
        // The entry goes with the last profile of the role.
        assert_eq!(lab.get(&entry).await.status, left, "{name}");
    }
    lab.get(&format!("{PATH}/p")).await.refused(
        "ResourceNotFoundException",
        "No Fargate Profile found with name: p.",
    );
    for number in 0..10 {
        let name = format!("f{number}");
        let body = changed(json!({"fargateProfileName": name}));
        lab.eks("POST", PATH, body).await.ok();
        wait(&lab, &name, "ACTIVE").await;
    }
    lab.eks("POST", PATH, good.clone())
        .await
        .refused("ResourceLimitExceededException", "Fargate profile limit");
}

#[tokio::test]
async fn faults_fail_the_transitions_of_profiles() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let role = lab
        .create_role("pods", "eks-fargate-pods.amazonaws.com", &[])
        .await;
    let fails = |operation: &str, kind: FaultKind| {
        lab.handle
            .faults()
            .add(Fault::on("eks", operation, kind).times(1));
    };
    fails(
        "CreateFargateProfile",
        FaultKind::CreateFails {
            issue_code: "PodExecutionRoleAlreadyInUse".to_owned(),
            issue_message: "used".to_owned(),
        },
    );
    let body = json!({"fargateProfileName": "p", "podExecutionRoleArn": role, "selectors": [{"namespace": "n"}]});
    lab.eks("POST", PATH, body).await.ok();
    let profile = wait(&lab, "p", "CREATE_FAILED").await;
    assert_eq!(
        profile["health"]["issues"][0]["code"],
        "PodExecutionRoleAlreadyInUse"
    );
    fails(
        "DeleteFargateProfile",
        FaultKind::DeleteFails {
            issue_code: "AccessDenied".to_owned(),
            issue_message: "no".to_owned(),
        },
    );
    lab.eks("DELETE", &format!("{PATH}/p"), Value::Null)
        .await
        .ok();
    wait(&lab, "p", "DELETE_FAILED").await;
    lab.eks("DELETE", &format!("{PATH}/p"), Value::Null)
        .await
        .ok();
    lab.wait_gone(&format!("{PATH}/p")).await;
}
