//! Clusters: rules, states, updates.
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
async fn create_refuses_what_the_service_refuses() {
    let lab = Lab::start().await;
    let untrusted = lab
        .create_role(
            "untrusted",
            "ec2.amazonaws.com",
            &["AmazonEKSClusterPolicy"],
        )
        .await;
    let bare = lab.create_role("bare", "eks.amazonaws.com", &[]).await;
    let same_zone = lab
        .create_subnet(&lab.vpc, "us-east-1a", "10.0.3.0/24")
        .await;
    let bad_zone = lab
        .create_subnet(&lab.vpc, "us-east-1e", "10.0.4.0/24")
        .await;
    let other_vpc = lab.create_vpc().await;
    let foreign = lab
        .create_subnet(&other_vpc, "us-east-1b", "10.0.1.0/24")
        .await;
    let subnet = &lab.subnets[0];
    let vpc = |subnets: Value| json!({"resourcesVpcConfig": {"subnetIds": subnets}});
    let network = |config: Value| json!({ "kubernetesNetworkConfig": config });
    // changes to a good request, code, part of the message
    let cases = [
        (json!({"name": "-bad"}), "InvalidParameterException", "name"),
        (
            json!({"name": "a".repeat(101)}),
            "InvalidParameterException",
            "name",
        ),
        (
            json!({"version": "1.19"}),
            "InvalidParameterException",
            "unsupported Kubernetes version",
        ),
        (
            json!({"version": "1.99"}),
            "InvalidParameterException",
            "unsupported Kubernetes version",
        ),
        (
            json!({"roleArn": "arn:aws:iam::123456789012:role/absent"}),
            "InvalidParameterException",
            "does not exist",
        ),
        (
            json!({"roleArn": "not-an-arn"}),
            "InvalidParameterException",
            "Invalid role ARN",
        ),
        (
            json!({"roleArn": untrusted}),
            "InvalidParameterException",
            "could not be assumed",
        ),
        (
            json!({"roleArn": bare}),
            "InvalidParameterException",
            "AmazonEKSClusterPolicy",
        ),
        (
            vpc(json!([subnet])),
            "InvalidParameterException",
            "at least two different AZs",
        ),
        (
            vpc(json!([subnet, same_zone])),
            "InvalidParameterException",
            "at least two different AZs",
        ),
        (
            vpc(json!([subnet, "subnet-00000000"])),
            "InvalidParameterException",
            "does not exist",
        ),
        (
            vpc(json!([subnet, foreign])),
            "InvalidParameterException",
            "same VPC",
        ),
        (
            vpc(json!([subnet, bad_zone])),
            "UnsupportedAvailabilityZoneException",
            "us-east-1e",
        ),
        (
            json!({"resourcesVpcConfig": {"subnetIds": lab.subnets, "endpointPublicAccess": false}}),
            "InvalidParameterException",
            "cannot be false",
        ),
        (
            json!({"resourcesVpcConfig": {"subnetIds": lab.subnets, "publicAccessCidrs": ["10.0.0.0/33"]}}),
            "InvalidParameterException",
            "CIDRs",
        ),
        (
            json!({"resourcesVpcConfig": {"subnetIds": lab.subnets, "securityGroupIds": ["sg-00000000"]}}),
            "InvalidParameterException",
            "does not exist",
        ),
        (
            json!({"accessConfig": {"authenticationMode": "NONE"}}),
            "InvalidParameterException",
            "authenticationMode",
        ),
        (
            json!({"tags": {"aws:x": "y"}}),
            "InvalidParameterException",
            "reserved",
        ),
        (
            json!({"logging": {"clusterLogging": [{"types": ["nope"], "enabled": true}]}}),
            "InvalidParameterException",
            "log type",
        ),
        (
            json!({"computeConfig": {"enabled": true}}),
            "InvalidParameterException",
            "either fully enabled or fully disabled",
        ),
        (
            json!({"kubeControllerManagerConfig": {}}),
            "InvalidParameterException",
            "kubeControllerManagerConfig) exists in EKS but is not simulated",
        ),
        (
            json!({"resourcesVpcConfig": {"subnetIds": lab.subnets, "controlPlaneEgressMode": "AWS_MANAGED"}}),
            "InvalidParameterException",
            "controlPlaneEgressMode exists in EKS but is not simulated",
        ),
        (
            network(json!({"ipFamily": "ipv6"})),
            "InvalidParameterException",
            "not simulated",
        ),
        (
            network(json!({"ipFamily": "ipv5"})),
            "InvalidParameterException",
            "ipFamily ipv5 is not valid",
        ),
        (
            network(json!({"serviceIpv4Cidr": "10.0.64.0/20"})),
            "InvalidParameterException",
            "not overlap with a CIDR block of the VPC",
        ),
        (
            network(json!({"serviceIpv4Cidr": "172.20.0.0/25"})),
            "InvalidParameterException",
            "between /24 and /12",
        ),
        (
            network(json!({"serviceIpv4Cidr": "100.64.0.0/16"})),
            "InvalidParameterException",
            "within 10.0.0.0/8",
        ),
        (
            network(json!({"serviceIpv4Cidr": "172.20.0.0"})),
            "InvalidParameterException",
            "be an IPv4 CIDR block",
        ),
        (
            json!({"encryptionConfig": [{"resources": ["pods"], "provider": {"keyArn": "arn:aws:kms:us-east-1:123456789012:key/a"}}]}),
            "InvalidParameterException",
            "the only supported value",
        ),
        (
            json!({"encryptionConfig": [{"resources": ["secrets"]}]}),
            "InvalidParameterException",
            "provider.keyArn",
        ),
        (
            json!({"accessConfig": {"mode": "API"}}),
            "SerializationException",
            "unknown field `mode`",
        ),
        (
            json!({"roleArn": 7}),
            "SerializationException",
            "request body",
        ),
    ];
    for (change, code, message) in cases {
        let mut body = lab.cluster_body("refused");
        for (key, value) in change.as_object().expect("an object") {
            body[key] = value.clone();
        }
        let reply = lab.eks("POST", "/clusters", body).await;
        println!("{change}");
        reply.refused(code, message);
        if code == "UnsupportedAvailabilityZoneException" {
            let zones = reply.body["validZones"].as_array().expect("zones");
            assert!(zones.contains(&json!("us-east-1a")) && !zones.contains(&json!("us-east-1e")));
        }
    }
    assert_eq!(lab.get("/clusters").await.ok()["clusters"], json!([]));
}

#[tokio::test]
async fn a_cluster_becomes_active_with_the_control_plane_and_goes_with_it() {
    let lab = Lab::start().await;
    let created = lab
        .eks("POST", "/clusters", lab.cluster_body("main"))
        .await
        .ok();
    let cluster = &created["cluster"];
    assert_eq!(cluster["status"], "CREATING");
    assert_eq!(cluster["endpoint"], Value::Null);
    assert_eq!(cluster["certificateAuthority"], json!({"data": null}));
    lab.eks("POST", "/clusters", lab.cluster_body("main"))
        .await
        .refused("ResourceInUseException", "already exists");
    lab.eks("DELETE", "/clusters/main", Value::Null)
        .await
        .refused("ResourceInUseException", "CREATING");

    let cluster = lab.wait_cluster("main", "ACTIVE").await;
    assert_eq!(cluster["endpoint"], "https://127.0.0.1:6443");
    assert_eq!(cluster["certificateAuthority"]["data"], "UEVN");
    assert_eq!(cluster["version"], "1.35");
    let issuer = cluster["identity"]["oidc"]["issuer"].as_str().unwrap();
    assert!(
        issuer.starts_with("https://oidc.eks.us-east-1.amazonaws.com/id/"),
        "{issuer}"
    );
    assert_eq!(issuer.rsplit('/').next().unwrap().len(), 32);
    let spec = lab.backend.planes.lock().unwrap()["main"].clone();
    assert_eq!(spec.issuer_url, issuer);
    assert_eq!(spec.service_ipv4_cidr, "172.20.0.0/16");
    let group = cluster["resourcesVpcConfig"]["clusterSecurityGroupId"]
        .as_str()
        .unwrap()
        .to_owned();
    let describe = format!("Action=DescribeSecurityGroups&GroupId.1={group}&Version=2016-11-15");
    let text = lab.query("ec2", &describe).await.text;
    assert!(text.contains("eks-cluster-sg-main-"), "{text}");
    assert!(text.contains("kubernetes.io/cluster/main"), "{text}");

    let deleted = lab.eks("DELETE", "/clusters/main", Value::Null).await.ok();
    assert_eq!(deleted["cluster"]["status"], "DELETING");
    lab.wait_gone("/clusters/main").await;
    lab.get("/clusters/main").await.refused(
        "ResourceNotFoundException",
        "No cluster found for name: main.",
    );
    assert!(lab.backend.planes.lock().unwrap().is_empty());
    assert!(
        lab.query("ec2", &describe)
            .await
            .text
            .contains("InvalidGroup.NotFound")
    );
}

#[tokio::test]
async fn the_same_token_gives_the_same_cluster_and_another_body_is_refused() {
    let lab = Lab::start().await;
    let mut body = lab.cluster_body("twice");
    body["clientRequestToken"] = json!("token-1");
    let first = lab.eks("POST", "/clusters", body.clone()).await.ok();
    let second = lab.eks("POST", "/clusters", body.clone()).await.ok();
    assert_eq!(
        first["cluster"]["createdAt"],
        second["cluster"]["createdAt"]
    );
    body["version"] = json!("1.34");
    lab.eks("POST", "/clusters", body)
        .await
        .refused("InvalidParameterException", "clientRequestToken");
}

#[tokio::test]
async fn a_control_plane_that_does_not_start_makes_the_cluster_failed() {
    let lab = Lab::start().await;
    *lab.backend.fail_create.lock().unwrap() = Some("etcd did not start".to_owned());
    lab.eks("POST", "/clusters", lab.cluster_body("broken"))
        .await
        .ok();
    let cluster = lab.wait_cluster("broken", "FAILED").await;
    assert_eq!(
        cluster["health"]["issues"][0]["message"],
        "etcd did not start"
    );
    assert_eq!(cluster["endpoint"], Value::Null);
    lab.eks("DELETE", "/clusters/broken", Value::Null)
        .await
        .ok();
    lab.wait_gone("/clusters/broken").await;
}

#[tokio::test]
async fn updates_change_one_thing_at_a_time_and_a_no_op_is_an_error() {
    let lab = Lab::start().await;
    lab.create_cluster("up").await;
    let path = "/clusters/up/update-config";
    // request, type of the update or (code, message)
    let accepted = [
        (
            json!({"resourcesVpcConfig": {"endpointPrivateAccess": true}}),
            "EndpointAccessUpdate",
        ),
        (
            json!({"logging": {"clusterLogging": [{"types": ["api"], "enabled": true}]}}),
            "LoggingUpdate",
        ),
        (
            json!({"zonalShiftConfig": {"enabled": true}}),
            "ZonalShiftConfigUpdate",
        ),
        (
            json!({"upgradePolicy": {"supportType": "STANDARD"}}),
            "UpgradePolicyUpdate",
        ),
        (
            json!({"deletionProtection": true}),
            "DeletionProtectionUpdate",
        ),
        (
            json!({"controlPlaneScalingConfig": {"tier": "tier-xl"}}),
            "ControlPlaneScalingConfigUpdate",
        ),
    ];
    for (request, kind) in &accepted {
        let faults = lab.handle.faults();
        let stuck = faults.add(Fault::on("eks", "UpdateClusterConfig", FaultKind::Stuck).times(1));
        let reply = lab.eks("POST", path, request.clone()).await.ok();
        assert_eq!(reply["update"]["type"], *kind);
        assert_eq!(reply["update"]["status"], "InProgress");
        let running = format!(
            "because cluster up currently has update {} in progress",
            reply["update"]["id"].as_str().unwrap()
        );
        lab.eks("POST", path, request.clone()).await.refused(
            "ResourceInUseException",
            &format!("Cannot {kind} {running}"),
        );
        lab.eks("POST", "/clusters/up/updates", json!({"version": "1.36"}))
            .await
            .refused(
                "ResourceInUseException",
                &format!("Cannot VersionUpdate {running}"),
            );
        faults.clear(stuck);
        let update = lab.wait_update("up", &reply, "").await;
        assert_eq!(update["status"], "Successful", "{update}");
    }
    let refused = [
        (json!({}), "InvalidParameterException", "No updates"),
        (
            json!({"deletionProtection": false, "zonalShiftConfig": {"enabled": false}}),
            "InvalidParameterException",
            "Only one type",
        ),
        (
            json!({"resourcesVpcConfig": {"endpointPrivateAccess": false, "subnetIds": lab.subnets}}),
            "InvalidParameterException",
            "Only one type",
        ),
        (
            json!({"resourcesVpcConfig": {"endpointPrivateAccess": true}}),
            "InvalidParameterException",
            "already at the desired configuration",
        ),
        (
            json!({"resourcesVpcConfig": {"endpointPublicAccess": false, "endpointPrivateAccess": false}}),
            "InvalidParameterException",
            "cannot be false",
        ),
        (
            json!({"resourcesVpcConfig": {"subnetIds": [lab.subnets[0]]}}),
            "InvalidParameterException",
            "two different AZs",
        ),
        (
            json!({"logging": {"clusterLogging": [{"types": ["api"], "enabled": true}]}}),
            "InvalidParameterException",
            "No changes",
        ),
        (
            json!({"accessConfig": {"authenticationMode": "CONFIG_MAP"}}),
            "InvalidParameterException",
            "from API to CONFIG_MAP",
        ),
        (
            json!({"deletionProtection": true}),
            "InvalidParameterException",
            "already at the desired configuration",
        ),
        (
            json!({"remoteNetworkConfig": {}}),
            "InvalidParameterException",
            "not simulated",
        ),
        (
            json!({"kubeSchedulerConfig": {}}),
            "InvalidParameterException",
            "kubeControllerManagerConfig) exists in EKS but is not simulated",
        ),
        (
            json!({"kubeApiServerConfig": {"eventTtl": "2h"}, "deletionProtection": false}),
            "InvalidParameterException",
            "Only one type",
        ),
        (
            json!({"resourcesVpcConfig": {"controlPlaneEgressMode": "CUSTOMER_ROUTED"}}),
            "InvalidParameterException",
            "controlPlaneEgressMode exists in EKS but is not simulated",
        ),
        (
            json!({"deletionProtektion": false}),
            "SerializationException",
            "unknown field `deletionProtektion`",
        ),
    ];
    for (request, code, message) in refused {
        println!("{request}");
        lab.eks("POST", path, request).await.refused(code, message);
    }
    lab.eks("DELETE", "/clusters/up", Value::Null)
        .await
        .refused("InvalidRequestException", "deletion protection");
    let ids = lab.get("/clusters/up/updates").await.ok();
    assert_eq!(ids["updateIds"].as_array().unwrap().len(), accepted.len());
}

#[tokio::test]
async fn versions_move_one_minor_up_and_roll_back_once() {
    let lab = Lab::start().await;
    let mut body = lab.cluster_body("v");
    body["version"] = json!("1.34");
    lab.eks("POST", "/clusters", body).await.ok();
    lab.wait_cluster("v", "ACTIVE").await;
    let path = "/clusters/v/updates";
    let refused = [
        (
            "1.34",
            "Unsupported Kubernetes minor version update from 1.34 to 1.34",
        ),
        (
            "1.36",
            "Unsupported Kubernetes minor version update from 1.34 to 1.36",
        ),
        (
            "1.33",
            "Unsupported Kubernetes minor version update from 1.34 to 1.33",
        ),
        ("2.0", "unsupported Kubernetes version"),
    ];
    for (version, message) in refused {
        lab.eks("POST", path, json!({"version": version}))
            .await
            .refused("InvalidParameterException", message);
    }
    let reply = lab.eks("POST", path, json!({"version": "1.35"})).await.ok();
    assert_eq!(reply["update"]["type"], "VersionUpdate");
    assert_eq!(
        lab.wait_update("v", &reply, "").await["status"],
        "Successful"
    );
    assert_eq!(lab.backend.planes.lock().unwrap()["v"].version, "1.35");
    assert_eq!(lab.wait_cluster("v", "ACTIVE").await["version"], "1.35");
    let back = lab.eks("POST", path, json!({"version": "1.34"})).await.ok();
    assert_eq!(back["update"]["type"], "VersionRollback");
    assert_eq!(
        lab.wait_update("v", &back, "").await["status"],
        "Successful"
    );
    lab.eks("POST", path, json!({"version": "1.33"}))
        .await
        .refused("InvalidParameterException", "from 1.34 to 1.33");
}

#[tokio::test]
async fn a_rollback_is_possible_for_seven_days() {
    let lab = Lab::start().await;
    for name in ["early", "late"] {
        lab.create_cluster_of(name, "1.34").await;
        lab.move_cluster(name, "1.35").await;
    }
    let day = Duration::from_secs(24 * 3600);
    lab.advance(day * 7 - Duration::from_secs(3600)).await;
    assert_eq!(
        lab.move_cluster("early", "1.34").await["type"],
        "VersionRollback"
    );
    lab.advance(Duration::from_secs(3601)).await;
    let back = json!({"version": "1.34"});
    lab.eks("POST", "/clusters/late/updates", back)
        .await
        .refused("InvalidParameterException", "from 1.35 to 1.34");
}

#[tokio::test]
async fn extended_support_is_left_only_by_an_upgrade() {
    let lab = Lab::start().await;
    let standard = json!({"upgradePolicy": {"supportType": "STANDARD"}});
    lab.create_cluster_of("old", "1.33").await;
    let path = "/clusters/old/update-config";
    lab.eks("POST", path, standard.clone())
        .await
        .refused("InvalidParameterException", "1.33 is in extended support");
    lab.move_cluster("old", "1.34").await;
    let reply = lab.eks("POST", path, standard.clone()).await.ok();
    assert_eq!(
        lab.wait_update("old", &reply, "").await["status"],
        "Successful"
    );
    // Its standard support ends while the cluster has it.
    let extended = json!({"upgradePolicy": {"supportType": "EXTENDED"}});
    let reply = lab.eks("POST", path, extended).await.ok();
    lab.wait_update("old", &reply, "").await;
    lab.advance(Duration::from_secs(9 * 24 * 3600)).await;
    lab.eks("POST", path, standard)
        .await
        .refused("InvalidParameterException", "1.34 is in extended support");
}

#[tokio::test]
async fn a_page_goes_on_where_the_last_item_was_even_if_it_is_gone() {
    let lab = Lab::start().await;
    for name in ["a", "b", "c"] {
        lab.create_cluster(name).await;
    }
    let first = lab.get("/clusters?maxResults=2").await.ok();
    assert_eq!(first["clusters"], json!(["a", "b"]));
    lab.eks("DELETE", "/clusters/b", Value::Null).await.ok();
    lab.wait_gone("/clusters/b").await;
    let token = first["nextToken"].as_str().unwrap();
    let second = lab.get(&format!("/clusters?nextToken={token}")).await.ok();
    assert_eq!(second["clusters"], json!(["c"]));
}

#[tokio::test]
async fn self_managed_add_ons_may_be_asked_for_or_not() {
    let lab = Lab::start().await;
    let key = lab.create_key("SYMMETRIC_DEFAULT").await;
    for (name, asked) in [("with", true), ("without", false)] {
        let mut body = lab.cluster_body(name);
        body["bootstrapSelfManagedAddons"] = json!(asked);
        body["kubernetesNetworkConfig"] =
            json!({"ipFamily": "ipv4", "serviceIpv4Cidr": "192.168.16.0/24"});
        body["encryptionConfig"] = json!([{
            "resources": ["secrets"],
            "provider": {"keyArn": key},
        }]);
        lab.eks("POST", "/clusters", body.clone()).await.ok();
        let cluster = lab.wait_cluster(name, "ACTIVE").await;
        assert_eq!(cluster["encryptionConfig"], body["encryptionConfig"]);
        assert_eq!(
            cluster["kubernetesNetworkConfig"]["serviceIpv4Cidr"],
            "192.168.16.0/24"
        );
    }
}

#[tokio::test]
async fn lists_are_paged() {
    let lab = Lab::start().await;
    for name in ["c", "a", "b"] {
        lab.eks("POST", "/clusters", lab.cluster_body(name))
            .await
            .ok();
    }
    let first = lab.get("/clusters?maxResults=2").await.ok();
    assert_eq!(first["clusters"], json!(["a", "b"]));
    let token = first["nextToken"].as_str().unwrap();
    let second = lab
        .get(&format!("/clusters?maxResults=2&nextToken={token}"))
        .await
        .ok();
    assert_eq!(second, json!({"clusters": ["c"], "nextToken": null}));
    for query in ["maxResults=0", "maxResults=101", "nextToken=nonsense"] {
        let reply = lab.get(&format!("/clusters?{query}")).await;
        assert_eq!(reply.code, "InvalidParameterException", "{query}");
    }
}

#[tokio::test]
async fn versions_are_described_with_their_support() {
    let lab = Lab::start().await;
    let all = lab.get("/cluster-versions?includeAll=true").await.ok();
    let listed: Vec<&str> = all["clusterVersions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|version| version["clusterVersion"].as_str().unwrap())
        .collect();
    assert_eq!(listed, ["1.36", "1.35", "1.34", "1.33", "1.32", "1.31"]);
    let default = lab.get("/cluster-versions?defaultOnly=true").await.ok();
    assert_eq!(default["clusterVersions"][0]["clusterVersion"], "1.36");
    assert_eq!(
        default["clusterVersions"][0]["kubernetesPatchVersion"],
        "1.36.3"
    );
    let two = lab
        .get("/cluster-versions?clusterVersions=1.33&clusterVersions=1.35")
        .await
        .ok();
    assert_eq!(two["clusterVersions"].as_array().unwrap().len(), 2);
    lab.get("/cluster-versions?clusterVersions=9.9")
        .await
        .refused("InvalidParameterException", "9.9");
    lab.get("/cluster-versions?versionStatus=NEW")
        .await
        .refused("InvalidParameterException", "NEW");
}

#[tokio::test]
async fn operations_that_are_not_simulated_say_so() {
    let lab = Lab::start().await;
    lab.create_cluster("some").await;
    for path in [
        "/clusters/some/capabilities",
        "/clusters/some/certificate-authorities",
    ] {
        lab.get(path)
            .await
            .refused("AccessDeniedException", "not simulated by the lab");
    }
    lab.get("/no-such-thing")
        .await
        .refused("UnknownOperationException", "/no-such-thing");
}
