//! Idempotency tokens of all operations that take one, and quotas.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use common::{Lab, percent};
use eks_simulator::{Fault, FaultKind};
use serde_json::{Value, json};

/// A call with a token: what it is called on, its body, another body, and the members of the
/// answer that tell one result from another.
struct Case {
    operation: &'static str,
    path: String,
    body: Value,
    other: Value,
    identity: [&'static str; 2],
}

async fn cases(lab: &Lab) -> Vec<Case> {
    lab.create_cluster_of("c", "1.34").await;
    lab.create_node_group("c", "g").await;
    let entries = "/clusters/c/access-entries";
    let entry = lab.create_role("entry", "ec2.amazonaws.com", &[]).await;
    let made = json!({"principalArn": entry});
    lab.eks("POST", entries, made).await.ok();
    let principal = lab.create_role("fresh", "ec2.amazonaws.com", &[]).await;
    let case = |operation, path: &str, body, other, identity| Case {
        operation,
        path: path.to_owned(),
        body,
        other,
        identity,
    };
    vec![
        case(
            "CreateCluster",
            "/clusters",
            lab.cluster_body("new"),
            json!({"version": "1.34"}),
            ["cluster", "createdAt"],
        ),
        case(
            "CreateNodegroup",
            "/clusters/c/node-groups",
            lab.node_group_body("fresh"),
            json!({"diskSize": 30}),
            ["nodegroup", "nodegroupArn"],
        ),
        case(
            "CreateAccessEntry",
            entries,
            json!({"principalArn": principal}),
            json!({"kubernetesGroups": ["a"]}),
            ["accessEntry", "accessEntryArn"],
        ),
        case(
            "UpdateAccessEntry",
            &format!("{entries}/{}", percent(&entry)),
            json!({"kubernetesGroups": ["a"]}),
            json!({"kubernetesGroups": ["b"]}),
            ["accessEntry", "modifiedAt"],
        ),
        case(
            "UpdateNodegroupConfig",
            "/clusters/c/node-groups/g/update-config",
            json!({"labels": {"addOrUpdateLabels": {"a": "b"}}}),
            json!({"labels": {"addOrUpdateLabels": {"a": "c"}}}),
            ["update", "id"],
        ),
        case(
            "UpdateNodegroupVersion",
            "/clusters/c/node-groups/g/update-version",
            json!({"version": "1.34", "releaseVersion": "1.34.3-20261106"}),
            json!({"force": true}),
            ["update", "id"],
        ),
        case(
            "UpdateClusterConfig",
            "/clusters/c/update-config",
            json!({"zonalShiftConfig": {"enabled": true}}),
            json!({"zonalShiftConfig": {"enabled": false}}),
            ["update", "id"],
        ),
        case(
            "UpdateClusterVersion",
            "/clusters/c/updates",
            json!({"version": "1.35"}),
            json!({"version": "1.36"}),
            ["update", "id"],
        ),
    ]
}

/// Waits until nothing that was started is under way.
async fn settle(lab: &Lab, reply: &Value) {
    if let Some(id) = reply["update"]["id"].as_str() {
        let all = lab.get("/clusters/c/updates").await.ok();
        let own = all["updateIds"].as_array().unwrap().contains(&json!(id));
        lab.wait_update("c", reply, if own { "" } else { "g" })
            .await;
        lab.wait_cluster("c", "ACTIVE").await;
        lab.wait_node_group("c", "g", "ACTIVE").await;
    }
}

#[tokio::test]
async fn the_same_token_is_the_same_call_while_it_runs_and_after() {
    let lab = Lab::start().await;
    for mut case in cases(&lab).await {
        if case.operation == "UpdateNodegroupVersion" {
            // Its group is at the newest release, so that only an older one can be its start.
            let mut body = lab.node_group_body("g");
            body["releaseVersion"] = json!("1.34.3-20261016");
            lab.eks("DELETE", "/clusters/c/node-groups/g", Value::Null)
                .await
                .ok();
            lab.wait_gone("/clusters/c/node-groups/g").await;
            lab.eks("POST", "/clusters/c/node-groups", body).await.ok();
            lab.wait_node_group("c", "g", "ACTIVE").await;
        }
        case.body["clientRequestToken"] = json!(format!("token-{}", case.operation));
        let stuck = lab
            .handle
            .faults()
            .add(Fault::on("eks", case.operation, FaultKind::Stuck));
        let call = async || lab.eks("POST", &case.path, case.body.clone()).await;
        // At once, while it runs, and when it is done.
        let (first, second) = tokio::join!(call(), call());
        let first = first.ok();
        let identity = |reply: &Value| reply[case.identity[0]][case.identity[1]].clone();
        assert!(!identity(&first).is_null(), "{first}");
        for again in [second, call().await] {
            assert_eq!(
                identity(&again.ok()),
                identity(&first),
                "{}",
                case.operation
            );
        }
        lab.handle.faults().clear(stuck);
        settle(&lab, &first).await;
        assert_eq!(
            identity(&call().await.ok()),
            identity(&first),
            "{}",
            case.operation
        );
        let mut other = case.body.clone();
        for (key, value) in case.other.as_object().unwrap() {
            other[key] = value.clone();
        }
        lab.eks("POST", &case.path, other)
            .await
            .refused("InvalidParameterException", "clientRequestToken");
    }
}

#[tokio::test]
async fn concurrent_calls_with_one_token_make_one_update() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    for round in 0..10 {
        let change = json!({
            "zonalShiftConfig": {"enabled": round % 2 == 0},
            "clientRequestToken": format!("round-{round}"),
        });
        let call = || lab.eks("POST", "/clusters/c/update-config", change.clone());
        let replies = tokio::join!(call(), call(), call(), call());
        let ids: Vec<Value> = [replies.0, replies.1, replies.2, replies.3]
            .into_iter()
            .map(|reply| reply.ok()["update"]["id"].clone())
            .collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let update = json!({"update": {"id": ids[0]}});
        lab.wait_update("c", &update, "").await;
    }
}

#[tokio::test]
async fn the_quotas_of_clusters_and_node_groups_hold() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    for operation in ["CreateCluster", "CreateNodegroup"] {
        // Nothing needs to come up to count.
        lab.handle
            .faults()
            .add(Fault::on("eks", operation, FaultKind::Stuck));
    }
    for number in 0..30 {
        let body = lab.node_group_body(&format!("g{number}"));
        lab.eks("POST", "/clusters/c/node-groups", body).await.ok();
    }
    lab.eks(
        "POST",
        "/clusters/c/node-groups",
        lab.node_group_body("over"),
    )
    .await
    .refused("ResourceLimitExceededException", "30 per cluster");
    for number in 1..100 {
        let body = lab.cluster_body(&format!("c{number}"));
        lab.eks("POST", "/clusters", body).await.ok();
    }
    lab.eks("POST", "/clusters", lab.cluster_body("over"))
        .await
        .refused("ResourceLimitExceededException", "100 clusters per region");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_quota_of_access_entries_holds() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let path = "/clusters/c/access-entries";
    // Principals of another account are not looked up. The creator has one entry already.
    let entry =
        |number: u32| json!({"principalArn": format!("arn:aws:iam::210987654321:role/r{number}")});
    for number in 1..3000 {
        lab.eks("POST", path, entry(number)).await.ok();
    }
    lab.eks("POST", path, entry(3000))
        .await
        .refused("ResourceLimitExceededException", "3000 per cluster");
}
