//! Faults, request log and counters, by the handle and by the control API.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use std::time::Duration;

use common::Lab;
use eks_simulator::{Fault, FaultKind};
use serde_json::{Value, json};

#[tokio::test]
async fn throttling_and_server_errors_come_before_any_effect() {
    let lab = Lab::start().await;
    let faults = lab.handle.faults();
    faults.add(Fault::on("eks", "CreateCluster", FaultKind::Throttle).times(1));
    faults.add(
        Fault::on("eks", "CreateCluster", FaultKind::ServerError)
            .after(1)
            .times(1),
    );
    let throttled = lab.eks("POST", "/clusters", lab.cluster_body("c")).await;
    assert_eq!(
        (throttled.status, throttled.code.as_str()),
        (429, "ThrottlingException")
    );
    let failed = lab.eks("POST", "/clusters", lab.cluster_body("c")).await;
    assert_eq!(
        (failed.status, failed.code.as_str()),
        (500, "ServerException")
    );
    assert_eq!(lab.get("/clusters").await.ok()["clusters"], json!([]));
    lab.create_cluster("c").await;
}

#[tokio::test]
async fn faults_reach_the_proxied_services_in_their_protocol() {
    let lab = Lab::start().await;
    let faults = lab.handle.faults();
    let cases = [
        (
            "iam",
            "ListRoles",
            "2010-05-08",
            400,
            "<Code>Throttling</Code>",
        ),
        (
            "ec2",
            "DescribeVpcs",
            "2016-11-15",
            503,
            "<Code>RequestLimitExceeded</Code>",
        ),
    ];
    for (service, action, version, status, text) in cases {
        faults.add(Fault::on(service, action, FaultKind::Throttle).times(1));
        let body = format!("Action={action}&Version={version}");
        let throttled = lab.query(service, &body).await;
        assert_eq!(throttled.status, status, "{service}");
        assert!(throttled.text.contains(text), "{}", throttled.text);
        assert_eq!(lab.query(service, &body).await.status, 200);
    }
}

#[tokio::test]
async fn a_lost_answer_leaves_the_effect() {
    let lab = Lab::start().await;
    lab.handle
        .faults()
        .add(Fault::on("eks", "CreateCluster", FaultKind::LostResponse).times(1));
    let body = lab.cluster_body("c").to_string().into_bytes();
    let lost = lab
        .try_send(
            Some(&lab.root),
            "eks",
            "POST",
            "/clusters",
            "application/json",
            body,
        )
        .await;
    assert!(lost.is_none());
    lab.wait_cluster("c", "ACTIVE").await;
    let name = format!("lost-{}", lab.unique);
    lab.handle
        .faults()
        .add(Fault::on("iam", "CreateUser", FaultKind::LostResponse).times(1));
    let form = "application/x-www-form-urlencoded";
    let body = format!("Action=CreateUser&UserName={name}&Version=2010-05-08").into_bytes();
    assert!(
        lab.try_send(Some(&lab.root), "iam", "POST", "/", form, body)
            .await
            .is_none()
    );
    let user = lab
        .query(
            "iam",
            &format!("Action=GetUser&UserName={name}&Version=2010-05-08"),
        )
        .await;
    assert_eq!(user.status, 200);
    let log = lab.handle.request_log().all();
    assert_eq!(log.iter().filter(|request| request.status == 0).count(), 2);
}

#[tokio::test]
async fn a_fresh_role_is_not_visible_for_some_calls() {
    let lab = Lab::start().await;
    let faults = lab.handle.faults();
    faults.add(Fault::on("eks", "CreateCluster", FaultKind::RoleNotVisible).times(2));
    for _ in 0..2 {
        lab.eks("POST", "/clusters", lab.cluster_body("c"))
            .await
            .refused("InvalidParameterException", "could not be assumed");
    }
    lab.create_cluster("c").await;
    faults.add(Fault::on("eks", "CreateNodegroup", FaultKind::RoleNotVisible).times(1));
    lab.eks("POST", "/clusters/c/node-groups", lab.node_group_body("g"))
        .await
        .refused("InvalidParameterException", "does not exist");
    faults.add(Fault::on("eks", "CreateAccessEntry", FaultKind::RoleNotVisible).times(1));
    let entry = json!({"principalArn": lab.cluster_role});
    lab.eks("POST", "/clusters/c/access-entries", entry.clone())
        .await
        .refused("InvalidParameterException", "invalid principal");
    lab.eks("POST", "/clusters/c/access-entries", entry)
        .await
        .ok();
}

#[tokio::test]
async fn transitions_fail_or_stay_on_demand() {
    let lab = Lab::start().await;
    let faults = lab.handle.faults();
    let stuck = faults.add(Fault::on("eks", "CreateCluster", FaultKind::Stuck));
    lab.eks("POST", "/clusters", lab.cluster_body("c"))
        .await
        .ok();
    assert_eq!(
        lab.get("/clusters/c").await.ok()["cluster"]["status"],
        "CREATING"
    );
    assert!(lab.backend.planes.lock().unwrap().is_empty());
    assert!(faults.clear(stuck));
    lab.wait_cluster("c", "ACTIVE").await;

    let busy = faults.add(Fault::on("eks", "UpdateClusterConfig", FaultKind::Busy).times(1));
    let change = json!({"zonalShiftConfig": {"enabled": true}});
    lab.eks("POST", "/clusters/c/update-config", change.clone())
        .await
        .refused("ResourceInUseException", "update in progress");
    faults.clear(busy);
    faults.add(
        Fault::on(
            "eks",
            "UpdateClusterConfig",
            FaultKind::UpdateFails {
                error_code: "IpNotAvailable".to_owned(),
                error_message: "no free addresses".to_owned(),
            },
        )
        .times(1),
    );
    let reply = lab
        .eks("POST", "/clusters/c/update-config", change)
        .await
        .ok();
    let update = lab.wait_update("c", &reply, "").await;
    assert_eq!(update["status"], "Failed");
    assert_eq!(update["errors"][0]["errorCode"], "IpNotAvailable");
    let cluster = lab.wait_cluster("c", "ACTIVE").await;
    assert_eq!(cluster["zonalShiftConfig"]["enabled"], false);

    faults.add(
        Fault::on("eks", "CreateNodegroup", FaultKind::NodeGroupCapacity).containing("scarce"),
    );
    lab.eks(
        "POST",
        "/clusters/c/node-groups",
        lab.node_group_body("scarce"),
    )
    .await
    .ok();
    let group = lab.wait_node_group("c", "scarce", "CREATE_FAILED").await;
    assert_eq!(
        group["health"]["issues"][0]["code"],
        "AsgInstanceLaunchFailures"
    );
    lab.eks("DELETE", "/clusters/c/node-groups/scarce", Value::Null)
        .await
        .ok();
    lab.wait_gone("/clusters/c/node-groups/scarce").await;
    lab.eks(
        "POST",
        "/clusters/c/node-groups",
        lab.node_group_body("plenty"),
    )
    .await
    .ok();
    lab.wait_node_group("c", "plenty", "ACTIVE").await;
}

#[tokio::test]
async fn a_read_may_not_see_the_last_write() {
    let lab = Lab::start().await;
    let faults = lab.handle.faults();
    let stuck = faults.add(Fault::on("eks", "CreateCluster", FaultKind::Stuck));
    lab.eks("POST", "/clusters", lab.cluster_body("c"))
        .await
        .ok();
    faults.add(Fault::on("eks", "DescribeCluster", FaultKind::StaleRead).times(1));
    lab.get("/clusters/c")
        .await
        .refused("ResourceNotFoundException", "c");
    assert_eq!(
        lab.get("/clusters/c").await.ok()["cluster"]["status"],
        "CREATING"
    );
    faults.clear(stuck);
    lab.wait_cluster("c", "ACTIVE").await;
    let stuck = faults.add(Fault::on("eks", "UpdateClusterConfig", FaultKind::Stuck));
    let change = json!({"zonalShiftConfig": {"enabled": true}});
    let update = lab
        .eks("POST", "/clusters/c/update-config", change)
        .await
        .ok();
    faults.add(Fault::on("eks", "DescribeCluster", FaultKind::StaleRead).times(1));
    assert_eq!(
        lab.get("/clusters/c").await.ok()["cluster"]["status"],
        "ACTIVE"
    );
    assert_eq!(
        lab.get("/clusters/c").await.ok()["cluster"]["status"],
        "UPDATING"
    );
    lab.eks("DELETE", "/clusters/c", Value::Null)
        .await
        .refused("ResourceInUseException", "in progress");
    faults.clear(stuck);
    assert_eq!(
        lab.wait_update("c", &update, "").await["status"],
        "Successful"
    );
}

#[tokio::test]
async fn the_control_api_sets_faults_and_shows_the_log() {
    let lab = Lab::start().await;
    assert_eq!(
        lab.control("GET", "/_lab/health", Value::Null).await.status,
        200
    );
    let fault =
        json!({"service": "eks", "operation": "ListClusters", "kind": "throttle", "count": 1});
    let id = lab.control("POST", "/_lab/faults", fault).await.body["id"].clone();
    assert_eq!(lab.get("/clusters").await.status, 429);
    assert_eq!(lab.get("/clusters").await.status, 200);
    lab.query("iam", "Action=ListUsers&Version=2010-05-08")
        .await;
    let name = format!("log-{}", lab.unique);
    lab.query(
        "iam",
        &format!("Action=CreateUser&UserName={name}&Version=2010-05-08"),
    )
    .await;
    let faults = lab.control("GET", "/_lab/faults", Value::Null).await.body;
    assert_eq!(faults["faults"][0]["hits"], 1);
    assert_eq!(
        lab.control("DELETE", &format!("/_lab/faults/{id}"), Value::Null)
            .await
            .status,
        200
    );
    assert_eq!(
        lab.control("DELETE", &format!("/_lab/faults/{id}"), Value::Null)
            .await
            .status,
        404
    );
    assert_eq!(
        lab.control("POST", "/_lab/faults", json!({"kind": "odd"}))
            .await
            .status,
        400
    );

    let log = lab
        .control("GET", "/_lab/requests?after=1", Value::Null)
        .await
        .body;
    let seen: Vec<(u64, &str, &str, bool, u64)> = log["requests"]
        .as_array()
        .unwrap()
        .iter()
        .map(|r| {
            (
                r["sequence"].as_u64().unwrap(),
                r["service"].as_str().unwrap(),
                r["operation"].as_str().unwrap(),
                r["write"].as_bool().unwrap(),
                r["status"].as_u64().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        seen,
        [
            (2, "eks", "ListClusters", false, 200),
            (3, "iam", "ListUsers", false, 200),
            (4, "iam", "CreateUser", true, 200),
        ]
    );
    assert_eq!(
        log["requests"][0]["principal"],
        "arn:aws:iam::123456789012:root"
    );
    let counters = lab.control("GET", "/_lab/counters", Value::Null).await.body;
    assert_eq!(
        counters,
        json!({"requests": 4, "writes": 1, "writes_by_operation": {"iam:CreateUser": 1}})
    );
    lab.control("POST", "/_lab/reset", Value::Null).await;
    assert_eq!(lab.handle.request_log().counters().requests, 0);
}

#[tokio::test]
async fn a_delayed_answer_is_late_and_its_effect_is_not() {
    let lab = Lab::start().await;
    let minutes = FaultKind::Delay {
        milliseconds: 600_000,
    };
    lab.handle
        .faults()
        .add(Fault::on("eks", "CreateCluster", minutes).times(1));
    let create = lab.eks("POST", "/clusters", lab.cluster_body("c"));
    tokio::pin!(create);
    let active = lab.wait_cluster("c", "ACTIVE");
    tokio::select! {
        _ = &mut create => panic!("the answer is not late"),
        _ = active => {}
    }
    lab.advance(Duration::from_secs(600)).await;
    assert_eq!(create.await.ok()["cluster"]["status"], "CREATING");
}

#[tokio::test]
async fn a_delayed_call_ends_with_the_simulator() {
    let lab = Lab::start().await;
    let long = FaultKind::Delay {
        milliseconds: 600_000,
    };
    lab.handle
        .faults()
        .add(Fault::on("eks", "CreateCluster", long));
    let mut seen = lab.handle.request_log().counters().requests;
    let body = lab.cluster_body("c").to_string().into_bytes();
    let backend = std::sync::Arc::downgrade(&lab.backend);
    let mut call = Box::pin(lab.try_send(
        Some(&lab.root),
        "eks",
        "POST",
        "/clusters",
        "application/json",
        body,
    ));
    while seen == lab.handle.request_log().counters().requests {
        tokio::select! {
            _ = &mut call => panic!("the answer is not late"),
            () = tokio::time::sleep(Duration::from_millis(5)) => {}
        }
    }
    seen += 1;
    assert_eq!(lab.handle.request_log().counters().requests, seen);
    drop(call);
    drop(lab);
    // What holds the simulator's parts is gone when its last task has ended.
    for _ in 0..1000 {
        if backend.strong_count() == 0 {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("a call outlives the simulator");
}

#[tokio::test]
async fn unavailability_comes_before_any_effect() {
    let lab = Lab::start().await;
    let faults = lab.handle.faults();
    faults.add(Fault::on("eks", "CreateCluster", FaultKind::ServiceUnavailable).times(1));
    let reply = lab.eks("POST", "/clusters", lab.cluster_body("c")).await;
    assert_eq!(
        (reply.status, reply.code.as_str()),
        (503, "ServiceUnavailableException")
    );
    assert_eq!(lab.get("/clusters").await.ok()["clusters"], json!([]));
    for (service, action, version, code) in [
        ("iam", "ListRoles", "2010-05-08", "ServiceUnavailable"),
        ("ec2", "DescribeVpcs", "2016-11-15", "Unavailable"),
    ] {
        faults.add(Fault::on(service, action, FaultKind::ServiceUnavailable).times(1));
        let body = format!("Action={action}&Version={version}");
        let reply = lab.query(service, &body).await;
        assert_eq!(reply.status, 503, "{service}");
        assert!(
            reply.text.contains(&format!("<Code>{code}</Code>")),
            "{}",
            reply.text
        );
    }
}

#[tokio::test]
async fn deletes_fail_on_demand_and_can_be_asked_for_again() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    lab.create_node_group("c", "g").await;
    let fails = |operation: &str, code: &str| {
        let kind = FaultKind::DeleteFails {
            issue_code: code.to_owned(),
            issue_message: "it is still in use".to_owned(),
        };
        lab.handle
            .faults()
            .add(Fault::on("eks", operation, kind).times(1));
    };
    fails("DeleteNodegroup", "Ec2SecurityGroupDeletionFailure");
    let group = "/clusters/c/node-groups/g";
    lab.eks("DELETE", group, Value::Null).await.ok();
    let shown = lab.wait_node_group("c", "g", "DELETE_FAILED").await;
    assert_eq!(
        shown["health"]["issues"],
        json!([{
            "code": "Ec2SecurityGroupDeletionFailure",
            "message": "it is still in use",
            "resourceIds": ["g"],
        }])
    );
    assert_eq!(lab.nodes("c").len(), 2);
    lab.eks("DELETE", "/clusters/c", Value::Null)
        .await
        .refused("ResourceInUseException", "nodegroups attached");
    lab.eks("DELETE", group, Value::Null).await.ok();
    lab.wait_gone(group).await;

    fails("DeleteCluster", "AccessDenied");
    lab.eks("DELETE", "/clusters/c", Value::Null).await.ok();
    let cluster = lab.wait_cluster("c", "FAILED").await;
    assert_eq!(cluster["health"]["issues"][0]["code"], "AccessDenied");
    lab.eks("DELETE", "/clusters/c", Value::Null).await.ok();
    lab.wait_gone("/clusters/c").await;
}

#[tokio::test]
async fn a_read_of_a_node_group_may_not_see_the_last_write() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let faults = lab.handle.faults();
    let path = "/clusters/c/node-groups/g";
    let stale = || {
        faults.add(Fault::on("eks", "DescribeNodegroup", FaultKind::StaleRead).times(1));
    };
    let status = async || lab.get(path).await.ok()["nodegroup"]["status"].clone();
    let stuck = faults.add(Fault::on("eks", "CreateNodegroup", FaultKind::Stuck));
    lab.eks("POST", "/clusters/c/node-groups", lab.node_group_body("g"))
        .await
        .ok();
    stale();
    lab.get(path)
        .await
        .refused("ResourceNotFoundException", "g");
    assert_eq!(status().await, "CREATING");
    faults.clear(stuck);
    lab.wait_node_group("c", "g", "ACTIVE").await;
    let stuck = faults.add(Fault::on("eks", "DeleteNodegroup", FaultKind::Stuck));
    lab.eks("DELETE", path, Value::Null).await.ok();
    stale();
    assert_eq!(status().await, "ACTIVE");
    assert_eq!(status().await, "DELETING");
    faults.clear(stuck);
    lab.wait_gone(path).await;
}

#[tokio::test]
async fn time_is_stepped_by_the_control_api() {
    let lab = Lab::start().await;
    let time = async || {
        let reply = lab.control("GET", "/_lab/clock", Value::Null).await;
        reply.body["time"].as_str().unwrap().to_owned()
    };
    assert!(time().await.starts_with("2026-11-24T00:0"));
    lab.advance(Duration::from_secs(24 * 3600)).await;
    assert!(time().await.starts_with("2026-11-25T00:0"));
    for bad in [json!({}), json!({"advance_seconds": -1})] {
        assert_eq!(lab.control("POST", "/_lab/clock", bad).await.status, 400);
    }
}
