//! Identity providers, encryption, logs and insights of clusters.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use std::time::Duration;

use common::{AUTO_MODE_POLICIES, Lab};
use eks_simulator::{DeprecatedUse, Fault, FaultKind};
use serde_json::{Value, json};

const PARAMETER: &str = "InvalidParameterException";
const IN_USE: &str = "ResourceInUseException";
const REQUEST: &str = "InvalidRequestException";

fn fails(lab: &Lab, operation: &str) {
    let kind = FaultKind::UpdateFails {
        error_code: "OperationNotPermitted".to_owned(),
        error_message: "no".to_owned(),
    };
    lab.handle
        .faults()
        .add(Fault::on("eks", operation, kind).times(1));
}

#[tokio::test]
async fn an_identity_provider_is_associated_and_disassociated_by_updates() {
    let lab = Lab::start().await;
    let cluster = lab.create_cluster("c").await;
    let path = "/clusters/c/identity-provider-configs";
    let good = json!({
        "identityProviderConfigName": "login", "issuerUrl": "https://login.example.com",
        "clientId": "kubernetes", "requiredClaims": {"hd": "example.com"},
    });
    let with = |change: Value| {
        let mut oidc = good.clone();
        oidc.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        json!({"oidc": oidc, "tags": {"a": "b"}})
    };
    let cases = [
        (with(json!({"clientId": null})), "oidc.clientId is required"),
        (
            with(json!({"issuerUrl": "http://x"})),
            "must begin with https://",
        ),
        (
            with(json!({"issuerUrl": cluster["identity"]["oidc"]["issuer"]})),
            "cannot be same as OpenID Connect (OIDC) issuer URL",
        ),
        (
            with(json!({"groupsPrefix": "system:"})),
            "cannot contain system:",
        ),
        (
            with(json!({"requiredClaims": {"x": ""}})),
            "required claim x",
        ),
        (json!({}), "oidc is required"),
    ];
    for (body, message) in cases {
        lab.eks("POST", &format!("{path}/associate"), body)
            .await
            .refused(PARAMETER, message);
    }
    let reference = json!({"identityProviderConfig": {"type": "oidc", "name": "login"}});
    let describe = || {
        lab.eks(
            "POST",
            "/clusters/c/identity-provider-configs/describe",
            reference.clone(),
        )
    };
    describe()
        .await
        .refused("ResourceNotFoundException", "login is not associated");
    // A failed association leaves nothing.
    fails(&lab, "AssociateIdentityProviderConfig");
    let reply = lab
        .eks("POST", &format!("{path}/associate"), with(json!({})))
        .await
        .ok();
    assert_eq!(lab.wait_update("c", &reply, "").await["status"], "Failed");
    describe()
        .await
        .refused("ResourceNotFoundException", "login is not associated");

    let stuck = lab
        .handle
        .faults()
        .add(Fault::on("eks", "AssociateIdentityProviderConfig", FaultKind::Stuck).times(1));
    let mut body = with(json!({}));
    body["clientRequestToken"] = json!("t");
    let reply = lab
        .eks("POST", &format!("{path}/associate"), body.clone())
        .await
        .ok();
    assert_eq!(reply["tags"], json!({"a": "b"}));
    assert_eq!(
        lab.eks("POST", &format!("{path}/associate"), body)
            .await
            .ok(),
        reply
    );
    let shown = describe().await.ok()["identityProviderConfig"]["oidc"].clone();
    assert_eq!(
        (&shown["status"], &shown["usernameClaim"]),
        (&json!("CREATING"), &json!("sub"))
    );
    lab.eks("POST", &format!("{path}/disassociate"), reference.clone())
        .await
        .refused(IN_USE, "currently has update");
    lab.handle.faults().clear(stuck);
    let update = lab.wait_update("c", &reply, "").await;
    assert_eq!(update["type"], "AssociateIdentityProviderConfig");
    assert_eq!(
        describe().await.ok()["identityProviderConfig"]["oidc"]["status"],
        "ACTIVE"
    );
    assert_eq!(
        lab.get(path).await.ok()["identityProviderConfigs"],
        json!([{"type": "oidc", "name": "login"}])
    );
    lab.eks("POST", &format!("{path}/associate"), with(json!({})))
        .await
        .refused(IN_USE, "already exists with name login");
    lab.eks(
        "POST",
        &format!("{path}/associate"),
        with(json!({"identityProviderConfigName": "two"})),
    )
    .await
    .refused(REQUEST, "only one identity provider");
    let arn = shown["identityProviderConfigArn"].as_str().unwrap();
    let tags = format!("/tags/{}", arn.replace('/', "%2F").replace(':', "%3A"));
    assert_eq!(lab.get(&tags).await.ok()["tags"], json!({"a": "b"}));

    fails(&lab, "DisassociateIdentityProviderConfig");
    let reply = lab
        .eks("POST", &format!("{path}/disassociate"), reference.clone())
        .await
        .ok();
    lab.wait_update("c", &reply, "").await;
    assert_eq!(
        describe().await.ok()["identityProviderConfig"]["oidc"]["status"],
        "ACTIVE"
    );
    let reply = lab
        .eks("POST", &format!("{path}/disassociate"), reference.clone())
        .await
        .ok();
    let update = lab.wait_update("c", &reply, "").await;
    assert_eq!(
        (&update["type"], &update["status"]),
        (
            &json!("DisassociateIdentityProviderConfig"),
            &json!("Successful")
        )
    );
    describe()
        .await
        .refused("ResourceNotFoundException", "login is not associated");
    lab.eks(
        "POST",
        &format!("{path}/disassociate"),
        json!({"identityProviderConfig": {"type": "saml", "name": "x"}}),
    )
    .await
    .refused(PARAMETER, "the only one is oidc");
}

#[tokio::test]
async fn encryption_is_associated_once_with_a_key_that_is_there() {
    let lab = Lab::start().await;
    let key = lab.create_key("SYMMETRIC_DEFAULT").await;
    let asymmetric = lab.create_key("RSA_2048").await;
    let config = |arn: &str| json!({"encryptionConfig": [{"resources": ["secrets"], "provider": {"keyArn": arn}}]});
    let absent = "arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000";
    let cases = [
        (absent, "does not exist"),
        (asymmetric.as_str(), "must be symmetric"),
        (
            "arn:aws:kms:eu-west-1:123456789012:key/a",
            "must be in the region",
        ),
        ("alias/x", "needs provider.keyArn"),
    ];
    lab.create_cluster("c").await;
    let path = "/clusters/c/encryption-config/associate";
    for (arn, message) in cases {
        let mut body = lab.cluster_body("d");
        body["encryptionConfig"] = config(arn)["encryptionConfig"].clone();
        lab.eks("POST", "/clusters", body)
            .await
            .refused(PARAMETER, message);
        lab.eks("POST", path, config(arn))
            .await
            .refused(PARAMETER, message);
    }
    lab.eks("POST", path, json!({}))
        .await
        .refused(PARAMETER, "encryptionConfig is required");
    let reply = lab.eks("POST", path, config(&key)).await.ok();
    assert_eq!(
        lab.wait_update("c", &reply, "").await["type"],
        "AssociateEncryptionConfig"
    );
    let cluster = lab.wait_cluster("c", "ACTIVE").await;
    assert_eq!(
        cluster["encryptionConfig"],
        config(&key)["encryptionConfig"]
    );
    lab.eks("POST", path, config(&key))
        .await
        .refused(REQUEST, "already enabled");
}

#[tokio::test]
async fn the_log_group_is_made_with_the_first_log_and_outlives_the_cluster() {
    let lab = Lab::start().await;
    let name = format!("logs-{}", lab.unique);
    lab.create_cluster(&name).await;
    assert_eq!(lab.log_group(&name).await, None);
    let path = format!("/clusters/{name}/update-config");
    let body = json!({"logging": {"clusterLogging": [{"types": ["api"], "enabled": true}]}});
    let reply = lab.eks("POST", &path, body).await.ok();
    lab.wait_update(&name, &reply, "").await;
    let group = lab.log_group(&name).await.unwrap();
    assert_eq!(group.get("retentionInDays"), None);
    let own = format!("/clusters/{name}");
    lab.eks("DELETE", &own, Value::Null).await.ok();
    lab.wait_gone(&own).await;
    assert!(lab.log_group(&name).await.is_some());

    // Made by hand before the cluster it stays as it is; after the cluster a late write makes it again.
    let second = format!("late-{}", lab.unique);
    let group = json!({"logGroupName": format!("/aws/eks/{second}/cluster")});
    lab.json("logs", "Logs_20140328.CreateLogGroup", group.clone())
        .await
        .ok();
    let mut retention = group.clone();
    retention["retentionInDays"] = json!(7);
    lab.json("logs", "Logs_20140328.PutRetentionPolicy", retention)
        .await;
    let mut body = lab.cluster_body(&second);
    body["logging"] = json!({"clusterLogging": [{"types": ["audit"], "enabled": true}]});
    lab.eks("POST", "/clusters", body).await.ok();
    lab.wait_cluster(&second, "ACTIVE").await;
    assert_eq!(lab.log_group(&second).await.unwrap()["retentionInDays"], 7);
    let late = FaultKind::LateLogs {
        milliseconds: 60_000,
    };
    lab.handle
        .faults()
        .add(Fault::on("eks", "DeleteCluster", late).times(1));
    let own = format!("/clusters/{second}");
    lab.eks("DELETE", &own, Value::Null).await.ok();
    lab.wait_gone(&own).await;
    lab.json("logs", "Logs_20140328.DeleteLogGroup", group)
        .await;
    assert_eq!(lab.log_group(&second).await, None);
    lab.advance(Duration::from_secs(61)).await;
    for _ in 0..500 {
        if lab.log_group(&second).await.is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the late write made no log group");
}

#[tokio::test]
async fn the_control_plane_has_network_interfaces_while_it_lives() {
    let lab = Lab::start().await;
    let own = lab.create_security_group().await;
    let mut body = lab.cluster_body("interfaces");
    body["resourcesVpcConfig"]["securityGroupIds"] = json!([own]);
    lab.eks("POST", "/clusters", body).await.ok();
    let cluster = lab.wait_cluster("interfaces", "ACTIVE").await;
    let group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
        .as_str()
        .unwrap()
        .to_owned();
    let query = format!(
        "Action=DescribeNetworkInterfaces&Filter.1.Name=vpc-id&Filter.1.Value.1={}&Version=2016-11-15",
        lab.vpc
    );
    let shown = lab.query("ec2", &query).await.text;
    assert_eq!(
        shown
            .matches("<description>Amazon EKS interfaces</description>")
            .count(),
        2,
        "{shown}"
    );
    for (id, count) in [
        (&lab.subnets[0], 1),
        (&lab.subnets[1], 1),
        (&group, 2),
        (&own, 2),
    ] {
        assert!(shown.matches(id.as_str()).count() >= count, "{id}: {shown}");
    }
    lab.eks("DELETE", "/clusters/interfaces", Value::Null)
        .await
        .ok();
    lab.wait_gone("/clusters/interfaces").await;
    let shown = lab.query("ec2", &query).await.text;
    assert!(!shown.contains("Amazon EKS"), "{shown}");
}

/// Names with their status, of one category.
async fn statuses(lab: &Lab, category: &str) -> Vec<(String, String)> {
    let filter = json!({"filter": {"categories": [category]}});
    let listed = lab.eks("POST", "/clusters/c/insights", filter).await.ok();
    let mut shown: Vec<(String, String)> = listed["insights"]
        .as_array()
        .unwrap()
        .iter()
        .map(|insight| {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            (
                text(&insight["name"]),
                text(&insight["insightStatus"]["status"]),
            )
        })
        .collect();
    shown.sort();
    shown
}

async fn refresh(lab: &Lab) {
    let path = "/clusters/c/insights-refresh";
    let started = lab.eks("POST", path, Value::Null).await.ok();
    assert_eq!(started["status"], "IN_PROGRESS");
    for _ in 0..3000 {
        if lab.get(path).await.ok()["status"] == "COMPLETED" {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the refresh does not end");
}

#[tokio::test]
async fn insights_tell_what_stands_against_an_upgrade() {
    let lab = Lab::start().await;
    lab.create_cluster_of("c", "1.33").await;
    lab.create_node_group("c", "g").await;
    let passing = |name: &str| (name.to_owned(), "PASSING".to_owned());
    assert_eq!(
        statuses(&lab, "UPGRADE_READINESS").await,
        [
            passing("Cluster health issues"),
            passing("Deprecated APIs removed in Kubernetes v1.34"),
            passing("EKS add-on version compatibility"),
            passing("Kubelet version skew"),
            passing("kube-proxy version skew"),
        ]
    );
    assert_eq!(statuses(&lab, "ROLLBACK_READINESS").await, []);
    // An add-on that 1.34 does not take, a deprecated API that it no longer serves.
    let body = json!({"addonName": "coredns", "addonVersion": "v1.11.4-eksbuild.24"});
    lab.eks("POST", "/clusters/c/addons", body).await.ok();
    lab.wait_addon("c", "coredns", "ACTIVE").await;
    let removed = |release: &str| DeprecatedUse {
        group: "flowcontrol.apiserver.k8s.io".to_owned(),
        version: "v1beta3".to_owned(),
        resource: "flowschemas".to_owned(),
        removed_release: release.to_owned(),
    };
    *lab.backend.deprecated.lock().unwrap() = vec![removed("1.34"), removed("1.35")];
    assert!(
        statuses(&lab, "UPGRADE_READINESS")
            .await
            .iter()
            .all(|(_, status)| status == "PASSING"),
        "they are a day old at most"
    );
    refresh(&lab).await;
    let body =
        json!({"filter": {"statuses": ["ERROR"], "kubernetesVersions": ["1.34"]}, "maxResults": 1});
    let first = lab
        .eks("POST", "/clusters/c/insights", body.clone())
        .await
        .ok();
    let mut next = body;
    next["nextToken"] = first["nextToken"].clone();
    let second = lab.eks("POST", "/clusters/c/insights", next).await.ok();
    assert_eq!(second["nextToken"], Value::Null);
    let mut details = Vec::new();
    for page in [&first, &second] {
        let id = page["insights"][0]["id"].as_str().unwrap();
        details.push(lab.get(&format!("/clusters/c/insights/{id}")).await.ok()["insight"].clone());
    }
    details.sort_by_key(|insight| insight["name"].as_str().unwrap().to_owned());
    let summary = &details[0]["categorySpecificSummary"];
    assert_eq!(
        summary["deprecationDetails"][0]["usage"],
        "/apis/flowcontrol.apiserver.k8s.io/v1beta3/flowschemas"
    );
    assert_eq!(
        summary["deprecationDetails"][0]["stopServingVersion"],
        "1.34"
    );
    let addon = &details[1]["categorySpecificSummary"]["addonCompatibilityDetails"][0];
    assert_eq!(
        addon,
        &json!({"name": "coredns", "compatibleVersions": ["v1.13.2-eksbuild.1", "v1.12.4-eksbuild.1"]})
    );

    // A day later they are made anew by themselves.
    lab.backend.deprecated.lock().unwrap().clear();
    lab.advance(Duration::from_secs(24 * 3600)).await;
    let left = statuses(&lab, "UPGRADE_READINESS").await;
    let errors: Vec<&str> = left
        .iter()
        .filter(|(_, s)| s == "ERROR")
        .map(|(n, _)| n.as_str())
        .collect();
    assert_eq!(errors, ["EKS add-on version compatibility"]);
    lab.get("/clusters/c/insights/none")
        .await
        .refused("ResourceNotFoundException", "none");
    lab.eks(
        "POST",
        "/clusters/c/insights",
        json!({"filter": {"categories": ["COST"]}}),
    )
    .await
    .refused(PARAMETER, "category COST is not valid");
    lab.eks("POST", "/clusters/none/insights", json!({}))
        .await
        .refused("ResourceNotFoundException", "No cluster found");
}

#[tokio::test]
async fn kubelets_and_proxies_out_of_the_skew_policy_show() {
    let lab = Lab::start().await;
    lab.create_cluster_of("c", "1.33").await;
    lab.create_node_group("c", "g").await;
    let body = json!({"addonName": "kube-proxy"});
    lab.eks("POST", "/clusters/c/addons", body).await.ok();
    lab.wait_addon("c", "kube-proxy", "ACTIVE").await;
    // Version of the cluster, status of the skews for the next one.
    for (version, status) in [("1.34", "PASSING"), ("1.35", "WARNING"), ("1.36", "ERROR")] {
        lab.move_cluster("c", version).await;
        let skews: Vec<String> = statuses(&lab, "UPGRADE_READINESS")
            .await
            .into_iter()
            .filter(|(name, _)| name.ends_with("version skew"))
            .map(|(_, status)| status)
            .collect();
        assert_eq!(skews, [status, status], "{version}");
    }
}

#[tokio::test]
async fn a_rollback_is_stopped_by_addons_unless_forced() {
    let lab = Lab::start().await;
    lab.create_cluster_of("c", "1.34").await;
    lab.move_cluster("c", "1.35").await;
    let body = json!({"addonName": "coredns", "addonVersion": "v1.14.2-eksbuild.1"});
    lab.eks("POST", "/clusters/c/addons", body).await.ok();
    lab.wait_addon("c", "coredns", "DEGRADED").await;
    let left = statuses(&lab, "ROLLBACK_READINESS").await;
    assert_eq!(
        left[0],
        (
            "EKS add-on version compatibility".to_owned(),
            "ERROR".to_owned()
        )
    );
    let path = "/clusters/c/updates";
    let reply = lab.eks("POST", path, json!({"version": "1.34"})).await;
    reply.refused(
        "InvalidStateException",
        "Rollback readiness issues detected: Add-on coredns",
    );
    assert_eq!(reply.status, 400);
    let reply = lab
        .eks("POST", path, json!({"version": "1.34", "force": true}))
        .await
        .ok();
    assert_eq!(
        lab.wait_update("c", &reply, "").await["type"],
        "VersionRollback"
    );
}

#[tokio::test]
async fn auto_mode_is_all_or_nothing() {
    let lab = Lab::start().await;
    let role = lab
        .create_role("auto", "eks.amazonaws.com", &AUTO_MODE_POLICIES)
        .await;
    let with = |on: bool, compute: Value| {
        let mut body = lab.cluster_body("c");
        body["roleArn"] = json!(role);
        body["bootstrapSelfManagedAddons"] = json!(false);
        body["computeConfig"] = compute;
        body["storageConfig"] = json!({"blockStorage": {"enabled": on}});
        body["kubernetesNetworkConfig"] = json!({"elasticLoadBalancing": {"enabled": on}});
        body
    };
    let changed = |member: &str, value: Value| {
        let mut body = with(true, json!({"enabled": true}));
        body[member] = value;
        body
    };
    let pools = json!({"enabled": true, "nodePools": ["system"], "nodeRoleArn": lab.node_role});
    let cases = [
        (
            with(false, json!({"enabled": true})),
            "all either fully enabled or fully disabled",
        ),
        (
            changed("roleArn", json!(lab.cluster_role)),
            "AmazonEKSComputePolicy",
        ),
        (
            changed("bootstrapSelfManagedAddons", json!(true)),
            "bootstrapSelfManagedAddons to be false",
        ),
        (
            changed("accessConfig", json!({"authenticationMode": "CONFIG_MAP"})),
            "authentication mode API",
        ),
        (
            changed(
                "computeConfig",
                json!({"enabled": true, "nodePools": ["system"]}),
            ),
            "nodePools and nodeRoleArn together",
        ),
        (
            changed(
                "computeConfig",
                json!({"enabled": true, "nodePools": ["mine"], "nodeRoleArn": lab.node_role}),
            ),
            "nodePools mine is not valid",
        ),
        (
            with(false, json!({"enabled": false, "nodePools": ["system"]})),
            "only when it is enabled",
        ),
    ];
    for (body, message) in cases {
        lab.eks("POST", "/clusters", body)
            .await
            .refused(PARAMETER, message);
    }
    lab.eks("POST", "/clusters", with(true, pools.clone()))
        .await
        .ok();
    let cluster = lab.wait_cluster("c", "ACTIVE").await;
    assert_eq!(cluster["computeConfig"], pools);
    assert_eq!(cluster["storageConfig"]["blockStorage"]["enabled"], true);
    assert_eq!(
        cluster["kubernetesNetworkConfig"]["elasticLoadBalancing"]["enabled"],
        true
    );
    let entry = format!(
        "/clusters/c/access-entries/{}",
        lab.node_role.replace('/', "%2F").replace(':', "%3A")
    );
    assert_eq!(lab.get(&entry).await.ok()["accessEntry"]["type"], "EC2");

    let path = "/clusters/c/update-config";
    let change = |on: bool, compute: Value| {
        json!({
            "computeConfig": compute,
            "storageConfig": {"blockStorage": {"enabled": on}},
            "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": on}},
        })
    };
    let other = lab
        .create_role(
            "other-node",
            "ec2.amazonaws.com",
            &[
                "AmazonEKSWorkerNodePolicy",
                "AmazonEC2ContainerRegistryPullOnly",
            ],
        )
        .await;
    let mut cidr = change(true, pools.clone());
    cidr["kubernetesNetworkConfig"]["serviceIpv4Cidr"] = json!("172.30.0.0/16");
    for (body, message) in [
        (
            json!({"computeConfig": {"enabled": false}}),
            "The type for cluster update was not provided.",
        ),
        (
            change(false, json!({"enabled": true})),
            "all either fully enabled or fully disabled",
        ),
        (
            change(true, pools.clone()),
            "already at the desired configuration",
        ),
        (
            change(
                true,
                json!({"enabled": true, "nodePools": ["system"], "nodeRoleArn": other}),
            ),
            "nodeRoleArn of computeConfig cannot be changed",
        ),
        (cidr, "cannot be changed"),
    ] {
        lab.eks("POST", path, body)
            .await
            .refused(PARAMETER, message);
    }
    for (on, compute, entries) in [
        (false, json!({"enabled": false}), 404),
        (true, pools.clone(), 200),
    ] {
        let reply = lab.eks("POST", path, change(on, compute)).await.ok();
        assert_eq!(reply["update"]["type"], "AutoModeUpdate");
        assert_eq!(
            lab.wait_update("c", &reply, "").await["status"],
            "Successful"
        );
        let cluster = lab.wait_cluster("c", "ACTIVE").await;
        assert_eq!(cluster["computeConfig"]["enabled"], on);
        assert_eq!(lab.get(&entry).await.status, entries);
        if !on {
            lab.eks("POST", path, change(false, json!({"enabled": false})))
                .await
                .refused(REQUEST, "Auto Mode is not enabled on this cluster");
        }
    }
}
