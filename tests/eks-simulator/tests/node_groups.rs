//! Node groups: rules, nodes, updates.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use common::Lab;
use eks_simulator::{Fault, FaultKind};
use serde_json::{Value, json};

#[tokio::test]
async fn create_refuses_what_the_service_refuses() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let other_vpc = lab.create_vpc().await;
    let foreign = lab
        .create_subnet(&other_vpc, "us-east-1b", "10.0.1.0/24")
        .await;
    let scaling = |min: i32, max: i32, desired: i32| json!({"scalingConfig": {"minSize": min, "maxSize": max, "desiredSize": desired}});
    let parameter = "InvalidParameterException";
    let cases = [
        (json!({"nodegroupName": "_x"}), parameter, "name"),
        (json!({"nodegroupName": "a".repeat(64)}), parameter, "name"),
        (scaling(2, 1, 2), parameter, "can't be greater than maximum"),
        (
            scaling(2, 3, 1),
            parameter,
            "Minimum capacity 2 can't be greater than desired size 1",
        ),
        (scaling(-1, 3, 1), parameter, "at least 0"),
        (
            json!({"scalingConfig": {"minSize": 3}}),
            parameter,
            "can't be greater than maximum",
        ),
        (json!({"diskSize": 0}), parameter, "at least 1 GiB"),
        (
            json!({"amiType": "AL2023_SPARC_STANDARD"}),
            parameter,
            "amiType AL2023_SPARC_STANDARD is not valid",
        ),
        (
            json!({"nodeRepairConfig": {"enabled": true, "maxUnhealthyNodeThresholdCount": 1, "maxUnhealthyNodeThresholdPercentage": 1}}),
            parameter,
            "Only one of maxUnhealthyNodeThresholdCount",
        ),
        (
            json!({"nodeRepairConfig": {"maxParallelNodesRepairedPercentage": 101}}),
            parameter,
            "between 1 and 100",
        ),
        (
            json!({"nodeRepairConfig": {"nodeRepairConfigOverrides": [{"repairAction": "Reboot"}]}}),
            parameter,
            "nodeUnhealthyReason",
        ),
        (
            json!({"nodeRepairConfig": {"enable": true}}),
            "SerializationException",
            "unknown field `enable`",
        ),
        (
            json!({"updateConfig": {"maximumUnavailable": 1}}),
            "SerializationException",
            "unknown field `maximumUnavailable`",
        ),
        (scaling(1, 2, 3), parameter, "can't be greater than maximum"),
        (scaling(0, 0, 0), parameter, "at least 1"),
        (scaling(0, 451, 0), parameter, "quota"),
        (
            json!({"version": "1.34"}),
            parameter,
            "must be the cluster's version",
        ),
        (
            json!({"releaseVersion": "1.34.3-20261106"}),
            parameter,
            "not valid for kubernetes version 1.35",
        ),
        (
            json!({"instanceTypes": ["t3.nope"]}),
            parameter,
            "do not exist: [t3.nope]",
        ),
        (
            json!({"instanceTypes": ["t4g.medium"], "amiType": "AL2023_x86_64_STANDARD"}),
            parameter,
            "not a valid instance type",
        ),
        (
            json!({"amiType": "AL2_x86_64"}),
            parameter,
            "1.32 or earlier",
        ),
        (
            json!({"amiType": "WINDOWS_CORE_2022_x86_64"}),
            parameter,
            "not simulated",
        ),
        (json!({"capacityType": "CHEAP"}), parameter, "capacityType"),
        (
            json!({"launchTemplate": {"id": "lt-1"}}),
            parameter,
            "does not exist",
        ),
        (
            json!({"labels": {"eks.amazonaws.com/x": "y"}}),
            parameter,
            "reserved prefixes",
        ),
        (
            json!({"labels": {"a": "not valid!"}}),
            parameter,
            "not a valid Kubernetes label",
        ),
        (
            json!({"taints": [{"key": "a", "effect": "NoSchedule"}]}),
            parameter,
            "taint effect",
        ),
        (
            json!({"taints": [{"key": "a", "effect": "NO_EXECUTE"}, {"key": "a", "effect": "NO_EXECUTE"}]}),
            parameter,
            "twice",
        ),
        (
            json!({"updateConfig": {"maxUnavailable": 1, "maxUnavailablePercentage": 10}}),
            parameter,
            "Only one of",
        ),
        (
            json!({"updateConfig": {"maxUnavailable": 101}}),
            parameter,
            "between 1 and 100",
        ),
        (json!({"subnets": []}), parameter, "Subnets"),
        (json!({"subnets": [foreign]}), parameter, "does not belong"),
        (
            json!({"nodeRole": "arn:aws:iam::123456789012:role/absent"}),
            parameter,
            "does not exist",
        ),
        (
            json!({"nodeRole": lab.cluster_role}),
            parameter,
            "ec2.amazonaws.com",
        ),
    ];
    for (change, code, message) in cases {
        let mut body = lab.node_group_body("refused");
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        println!("{change}");
        lab.eks("POST", "/clusters/c/node-groups", body)
            .await
            .refused(code, message);
    }
    lab.eks(
        "POST",
        "/clusters/absent/node-groups",
        lab.node_group_body("x"),
    )
    .await
    .refused(
        "ResourceNotFoundException",
        "No cluster found for name: absent.",
    );
    assert_eq!(
        lab.get("/clusters/c/node-groups").await.ok()["nodegroups"],
        json!([])
    );
}

#[tokio::test]
async fn nodes_come_with_eks_names_labels_and_taints_and_hold_the_cluster() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let mut body = lab.node_group_body("general");
    body["labels"] = json!({"team": "a"});
    body["taints"] = json!([{"key": "dedicated", "value": "a", "effect": "NO_SCHEDULE"}]);
    body["capacityType"] = json!("SPOT");
    let created = lab
        .eks("POST", "/clusters/c/node-groups", body.clone())
        .await
        .ok();
    assert_eq!(created["nodegroup"]["status"], "CREATING");
    lab.eks("POST", "/clusters/c/node-groups", body)
        .await
        .refused("ResourceInUseException", "already exists");
    let group = lab.wait_node_group("c", "general", "ACTIVE").await;
    assert_eq!(group["amiType"], "AL2023_x86_64_STANDARD");
    assert_eq!(group["instanceTypes"], json!(["t3.medium"]));
    assert_eq!(group["releaseVersion"], "1.35.3-20261106");
    assert!(
        group["resources"]["autoScalingGroups"][0]["name"]
            .as_str()
            .unwrap()
            .starts_with("eks-general-")
    );

    let nodes: Vec<_> = lab.backend.nodes.lock().unwrap()["c"]
        .values()
        .cloned()
        .collect();
    let names: Vec<&str> = nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(
        names,
        ["ip-10-0-1-4.ec2.internal", "ip-10-0-2-4.ec2.internal"]
    );
    let first = &nodes[0];
    assert!(
        first.provider_id.starts_with("aws:///us-east-1a/i-0"),
        "{}",
        first.provider_id
    );
    assert_eq!(first.provider_id.rsplit('/').next().unwrap().len(), 19);
    assert_eq!(first.kubelet_version, "v1.35.3-eks-3a10415");
    assert_eq!(
        (
            first.capacity.cpus,
            first.capacity.memory_mib,
            first.capacity.pods
        ),
        (2, 4096, 17)
    );
    for (key, value) in [
        ("team", "a"),
        ("eks.amazonaws.com/nodegroup", "general"),
        ("eks.amazonaws.com/capacityType", "SPOT"),
        ("topology.kubernetes.io/zone", "us-east-1a"),
        ("node.kubernetes.io/instance-type", "t3.medium"),
    ] {
        assert_eq!(
            first.labels.get(key).map(String::as_str),
            Some(value),
            "{key}"
        );
    }
    assert_eq!(
        (
            first.taints[0].key.as_str(),
            first.taints[0].effect.as_str()
        ),
        ("dedicated", "NoSchedule")
    );

    let entries = lab.get("/clusters/c/access-entries").await.ok();
    assert!(
        entries["accessEntries"]
            .as_array()
            .unwrap()
            .contains(&json!(lab.node_role))
    );
    lab.eks("DELETE", "/clusters/c", Value::Null)
        .await
        .refused("ResourceInUseException", "nodegroups attached");
    lab.eks("DELETE", "/clusters/c/node-groups/general", Value::Null)
        .await
        .ok();
    lab.wait_gone("/clusters/c/node-groups/general").await;
    assert!(lab.backend.nodes.lock().unwrap()["c"].is_empty());
    lab.eks("DELETE", "/clusters/c", Value::Null).await.ok();
    lab.wait_gone("/clusters/c").await;
}

#[tokio::test]
async fn a_role_without_its_policies_makes_nodes_that_never_join() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let bare = lab.create_role("bare-node", "ec2.amazonaws.com", &[]).await;
    let mut body = lab.node_group_body("lost");
    body["nodeRole"] = json!(bare);
    lab.eks("POST", "/clusters/c/node-groups", body).await.ok();
    let group = lab.wait_node_group("c", "lost", "CREATE_FAILED").await;
    assert_eq!(group["health"]["issues"][0]["code"], "NodeCreationFailure");
}

#[tokio::test]
async fn configuration_updates_reach_the_nodes() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    lab.eks("POST", "/clusters/c/node-groups", lab.node_group_body("g"))
        .await
        .ok();
    lab.wait_node_group("c", "g", "ACTIVE").await;
    let path = "/clusters/c/node-groups/g/update-config";
    let request = json!({
        "scalingConfig": {"minSize": 1, "maxSize": 5, "desiredSize": 3},
        "labels": {"addOrUpdateLabels": {"tier": "web"}},
        "taints": {"addOrUpdateTaints": [{"key": "k", "value": "v", "effect": "PREFER_NO_SCHEDULE"}]},
        "updateConfig": {"maxUnavailablePercentage": 50},
    });
    let faults = lab.handle.faults();
    let stuck = faults.add(Fault::on("eks", "UpdateNodegroupConfig", FaultKind::Stuck).times(1));
    let reply = lab.eks("POST", path, request.clone()).await.ok();
    assert_eq!(reply["update"]["type"], "ConfigUpdate");
    for (path, request) in [
        (path, request),
        (
            "/clusters/c/node-groups/g/update-version",
            json!({"releaseVersion": "1.35.3-20261106"}),
        ),
    ] {
        lab.eks("POST", path, request)
            .await
            .refused("ResourceInUseException", "not in Active State");
    }
    lab.eks("DELETE", "/clusters/c/node-groups/g", Value::Null)
        .await
        .refused("ResourceInUseException", "UPDATING");
    faults.clear(stuck);
    let update = lab.wait_update("c", &reply, "g").await;
    assert_eq!(update["status"], "Successful", "{update}");
    lab.wait_node_group("c", "g", "ACTIVE").await;
    let id = reply["update"]["id"].as_str().unwrap();
    assert_eq!(
        lab.get(&format!("/clusters/c/updates/{id}")).await.code,
        "ResourceNotFoundException"
    );

    let nodes = lab.backend.nodes.lock().unwrap()["c"].clone();
    assert_eq!(nodes.len(), 3);
    for node in nodes.values() {
        assert_eq!(node.labels.get("tier").map(String::as_str), Some("web"));
        assert_eq!(node.taints[0].effect, "PreferNoSchedule");
    }
    let shrink = json!({"scalingConfig": {"desiredSize": 1}, "labels": {"removeLabels": ["tier"]}});
    let reply = lab.eks("POST", path, shrink).await.ok();
    assert_eq!(
        lab.wait_update("c", &reply, "g").await["status"],
        "Successful"
    );
    let nodes = lab.backend.nodes.lock().unwrap()["c"].clone();
    assert_eq!(nodes.len(), 1);
    assert!(nodes.values().all(|node| !node.labels.contains_key("tier")));
    lab.wait_node_group("c", "g", "ACTIVE").await;
    lab.eks("POST", path, json!({}))
        .await
        .refused("InvalidParameterException", "No updates");
    lab.eks("POST", path, json!({"scalingConfig": {"minSize": 9}}))
        .await
        .refused("InvalidParameterException", "greater than maximum");
}

#[tokio::test]
async fn versions_follow_the_cluster_node_by_node() {
    let lab = Lab::start().await;
    let mut body = lab.cluster_body("c");
    body["version"] = json!("1.34");
    lab.eks("POST", "/clusters", body).await.ok();
    lab.wait_cluster("c", "ACTIVE").await;
    lab.eks("POST", "/clusters/c/node-groups", lab.node_group_body("g"))
        .await
        .ok();
    lab.wait_node_group("c", "g", "ACTIVE").await;
    let path = "/clusters/c/node-groups/g/update-version";
    let parameter = "InvalidParameterException";
    lab.eks("POST", path, json!({"version": "1.35"}))
        .await
        .refused(parameter, "newer than the cluster");
    lab.eks("POST", path, json!({}))
        .await
        .refused(parameter, "already at version");
    lab.eks("POST", path, json!({"releaseVersion": "1.34.3-20261016"}))
        .await
        .refused(parameter, "older");
    let up = lab
        .eks("POST", "/clusters/c/updates", json!({"version": "1.35"}))
        .await
        .ok();
    lab.wait_update("c", &up, "").await;

    // A pod that cannot be evicted holds the update back; the group is as before.
    *lab.backend.blocking_pods.lock().unwrap() = vec!["default/web-1".to_owned()];
    let before: Vec<String> = lab.backend.nodes.lock().unwrap()["c"]
        .keys()
        .cloned()
        .collect();
    let reply = lab.eks("POST", path, json!({"version": "1.35"})).await.ok();
    let update = lab.wait_update("c", &reply, "g").await;
    assert_eq!(update["status"], "Failed");
    assert_eq!(update["errors"][0]["errorCode"], "PodEvictionFailure");
    assert!(
        update["errors"][0]["errorMessage"]
            .as_str()
            .unwrap()
            .contains("default/web-1")
    );
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    assert_eq!(group["version"], "1.34");
    let after: Vec<String> = lab.backend.nodes.lock().unwrap()["c"]
        .keys()
        .cloned()
        .collect();
    assert_eq!(before, after);

    let reply = lab
        .eks("POST", path, json!({"version": "1.35", "force": true}))
        .await
        .ok();
    assert_eq!(
        lab.wait_update("c", &reply, "g").await["status"],
        "Successful"
    );
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    assert_eq!(
        (&group["version"], &group["releaseVersion"]),
        (&json!("1.35"), &json!("1.35.3-20261106"))
    );
    let nodes = lab.backend.nodes.lock().unwrap()["c"].clone();
    assert_eq!(nodes.len(), 2);
    assert!(
        nodes
            .values()
            .all(|node| node.kubelet_version.starts_with("v1.35.3-"))
    );
}

/// A cluster that was moved from 1.34 to 1.35, with a group of two nodes at 1.34.
async fn outdated_group(lab: &Lab, update_config: Value) {
    lab.create_cluster_of("c", "1.34").await;
    let mut body = lab.node_group_body("g");
    body["updateConfig"] = update_config;
    lab.eks("POST", "/clusters/c/node-groups", body).await.ok();
    lab.wait_node_group("c", "g", "ACTIVE").await;
    lab.move_cluster("c", "1.35").await;
}

const UPDATE: &str = "/clusters/c/node-groups/g/update-version";

/// Moves the group to 1.35; returns the update when it has ended.
async fn roll(lab: &Lab) -> Value {
    let reply = lab
        .eks("POST", UPDATE, json!({"version": "1.35"}))
        .await
        .ok();
    let update = lab.wait_update("c", &reply, "g").await;
    lab.wait_node_group("c", "g", "ACTIVE").await;
    update
}

#[tokio::test]
async fn a_group_grows_by_twice_its_zones_or_by_the_most_unavailable() {
    // update configuration, most nodes at once: two nodes and what the group grows by
    let cases = [
        (json!({"maxUnavailable": 1}), 2 + 4),
        (json!({"maxUnavailable": 7}), 2 + 7),
        (json!({"maxUnavailablePercentage": 50}), 2 + 4),
        (json!({"maxUnavailable": 1, "updateStrategy": "MINIMAL"}), 2),
        (json!({"maxUnavailable": 2, "updateStrategy": "MINIMAL"}), 2),
    ];
    for (config, most) in cases {
        let lab = Lab::start().await;
        outdated_group(&lab, config.clone()).await;
        let before = lab.nodes("c");
        let update = roll(&lab).await;
        assert_eq!(update["status"], "Successful", "{config} {update}");
        assert_eq!(
            lab.backend.most_nodes.load(Ordering::SeqCst),
            most,
            "{config}"
        );
        let after = lab.nodes("c");
        assert_eq!(after.len(), 2, "{config}");
        let nodes = lab.backend.nodes.lock().unwrap()["c"].clone();
        assert!(
            nodes
                .values()
                .all(|n| n.kubelet_version.starts_with("v1.35.")),
            "{config} {before:?} {after:?}"
        );
    }
}

/// The nodes of the cluster, names to instances: a name comes again with its address.
fn instances(lab: &Lab) -> BTreeMap<String, String> {
    let nodes = lab.backend.nodes.lock().unwrap();
    nodes["c"]
        .iter()
        .map(|(name, node)| (name.clone(), node.provider_id.clone()))
        .collect()
}

#[tokio::test]
async fn a_failed_update_leaves_the_old_nodes_in_use_and_no_others() {
    let minimal = json!({"maxUnavailable": 1, "updateStrategy": "MINIMAL"});
    let default = json!({"maxUnavailable": 1});
    // update configuration, whether a pod blocks the drain, whether new nodes do not join, error
    let cases = [
        (&default, true, false, "PodEvictionFailure"),
        (&default, false, true, "NodeCreationFailure"),
        (&minimal, true, false, "PodEvictionFailure"),
        (&minimal, false, true, "NodeCreationFailure"),
    ];
    for (config, blocked, unfit, error) in cases {
        let lab = Lab::start().await;
        outdated_group(&lab, config.clone()).await;
        let before = instances(&lab);
        if blocked {
            *lab.backend.blocking_pods.lock().unwrap() = vec!["default/web-1".to_owned()];
        }
        *lab.backend.unfit.lock().unwrap() = unfit.then(|| "v1.35.".to_owned());
        let update = roll(&lab).await;
        assert_eq!(update["status"], "Failed", "{config} {error}");
        assert_eq!(update["errors"][0]["errorCode"], error, "{config}");
        let after = instances(&lab);
        assert_eq!(after.len(), 2, "{config} {error}: {after:?}");
        let kept = before
            .values()
            .filter(|id| after.values().any(|other| other == *id))
            .count();
        // MINIMAL had ended one node when its successor did not come.
        let expected = if unfit && config == &minimal { 1 } else { 2 };
        assert_eq!(kept, expected, "{config} {error}");
        let cordoned = lab.backend.cordoned.lock().unwrap().clone();
        assert!(
            !after.keys().any(|node| cordoned.contains(node)),
            "{config} {error}: {cordoned:?}"
        );
        // The addresses of the nodes that went are free again.
        *lab.backend.blocking_pods.lock().unwrap() = Vec::new();
        *lab.backend.unfit.lock().unwrap() = None;
        assert_eq!(roll(&lab).await["status"], "Successful");
        assert_eq!(lab.nodes("c").len(), 2);
    }
}

#[tokio::test]
async fn the_time_of_a_drain_is_simulated_time() {
    let minutes = |n: u64| Duration::from_secs(60 * n);
    let lab = Lab::start_with(|config| config.timings.drain_timeout = minutes(15)).await;
    outdated_group(&lab, json!({"maxUnavailable": 1})).await;
    lab.backend.endless_evictions.store(true, Ordering::SeqCst);
    *lab.backend.blocking_pods.lock().unwrap() = vec!["default/web-1".to_owned()];
    let reply = lab
        .eks("POST", UPDATE, json!({"version": "1.35"}))
        .await
        .ok();
    while lab.backend.cordoned.lock().unwrap().is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let id = reply["update"]["id"].as_str().unwrap();
    let path = format!("/clusters/c/updates/{id}?nodegroupName=g");
    lab.advance(minutes(14)).await;
    assert_eq!(lab.get(&path).await.ok()["update"]["status"], "InProgress");
    lab.backend.endless_evictions.store(false, Ordering::SeqCst);
    lab.advance(minutes(1)).await;
    let update = lab.wait_update("c", &reply, "g").await;
    assert_eq!(update["errors"][0]["errorCode"], "PodEvictionFailure");
}

#[tokio::test]
async fn nodes_that_cannot_be_removed_stay_in_the_group() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    lab.create_node_group("c", "g").await;
    let before = lab.nodes("c");
    lab.backend.nodes_stay.store(true, Ordering::SeqCst);
    let path = "/clusters/c/node-groups/g/update-config";
    let one = json!({"scalingConfig": {"desiredSize": 1}});
    let reply = lab.eks("POST", path, one).await.ok();
    let update = lab.wait_update("c", &reply, "g").await;
    assert_eq!(update["status"], "Failed", "{update}");
    assert_eq!(lab.nodes("c"), before);
    // The group still knows both: the delete removes them.
    let delete = async || {
        lab.eks("DELETE", "/clusters/c/node-groups/g", Value::Null)
            .await
            .ok();
    };
    delete().await;
    let group = lab.wait_node_group("c", "g", "DELETE_FAILED").await;
    assert_eq!(group["health"]["issues"][0]["code"], "InternalFailure");
    lab.backend.nodes_stay.store(false, Ordering::SeqCst);
    delete().await;
    lab.wait_gone("/clusters/c/node-groups/g").await;
    assert!(lab.nodes("c").is_empty());
}

#[tokio::test]
async fn a_group_goes_back_only_as_a_step_of_the_clusters_rollback() {
    let lab = Lab::start().await;
    outdated_group(&lab, json!({"maxUnavailable": 1})).await;
    assert_eq!(roll(&lab).await["status"], "Successful");
    let to = |version: &str| json!({ "version": version });
    let refused = |reply: common::Reply| {
        reply.refused(
            "InvalidParameterException",
            "Unsupported Kubernetes minor version update",
        );
    };
    // The cluster came from 1.34, so its group may go there, and no further.
    refused(lab.eks("POST", UPDATE, to("1.33")).await);
    lab.eks("POST", "/clusters/c/updates", to("1.34"))
        .await
        .refused("InvalidRequestException", "Nodegroup g");
    let reply = lab.eks("POST", UPDATE, to("1.34")).await.ok();
    lab.wait_update("c", &reply, "g").await;
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    assert_eq!(group["version"], "1.34");
    // A week later it is too late for the cluster, and so for the group.
    assert_eq!(roll(&lab).await["status"], "Successful");
    lab.advance(Duration::from_secs(7 * 24 * 3600)).await;
    refused(lab.eks("POST", UPDATE, to("1.34")).await);
}

#[tokio::test]
async fn sizes_that_are_left_out_stay_as_they_were() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let mut body = lab.node_group_body("g");
    body["scalingConfig"] = json!({"maxSize": 5});
    lab.eks("POST", "/clusters/c/node-groups", body).await.ok();
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    let sizes = |min: u32, max: u32, desired: u32| json!({"minSize": min, "maxSize": max, "desiredSize": desired});
    assert_eq!(group["scalingConfig"], sizes(1, 5, 2));
    let path = "/clusters/c/node-groups/g/update-config";
    let three = json!({"scalingConfig": {"desiredSize": 3}});
    let reply = lab.eks("POST", path, three).await.ok();
    lab.wait_update("c", &reply, "g").await;
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    assert_eq!(group["scalingConfig"], sizes(1, 5, 3));
}
