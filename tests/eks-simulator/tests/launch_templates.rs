//! Launch templates of node groups.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use common::{Lab, element};
use serde_json::{Value, json};

const PATH: &str = "/clusters/c/node-groups";
const PARAMETER: &str = "InvalidParameterException";
const REQUEST: &str = "InvalidRequestException";

/// Makes a template, or the next version of one; `data` is a part of an EC2 query. Its id.
async fn template(lab: &Lab, action: &str, name: &str, data: &str) -> String {
    let name = format!("{name}-{}", lab.unique);
    let body = format!("Action={action}&LaunchTemplateName={name}&{data}&Version=2016-11-15");
    let reply = lab.query("ec2", &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    element(&reply.text, "launchTemplateId")
}

async fn create_template(lab: &Lab, name: &str, data: &str) -> String {
    template(lab, "CreateLaunchTemplate", name, data).await
}

#[tokio::test]
async fn a_template_and_the_request_exclude_each_other() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let plain = create_template(&lab, "plain", "LaunchTemplateData.EbsOptimized=true").await;
    let typed = create_template(&lab, "typed", "LaunchTemplateData.InstanceType=t3.large").await;
    let image = create_template(&lab, "image", "LaunchTemplateData.ImageId=ami-12345678").await;
    let block = create_template(
        &lab,
        "block",
        "LaunchTemplateData.InstanceMarketOptions.MarketType=capacity-block",
    )
    .await;
    let spot = create_template(
        &lab,
        "spot",
        "LaunchTemplateData.InstanceMarketOptions.MarketType=spot",
    )
    .await;
    let profile = create_template(
        &lab,
        "profile",
        "LaunchTemplateData.IamInstanceProfile.Name=p",
    )
    .await;
    let subnet = create_template(
        &lab,
        "subnet",
        "LaunchTemplateData.NetworkInterface.1.DeviceIndex=0&LaunchTemplateData.NetworkInterface.1.SubnetId=subnet-1",
    )
    .await;
    let of = |id: &str, change: Value| {
        let mut body = lab.node_group_body("g");
        body["launchTemplate"] = json!({ "id": id });
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        body
    };
    let cases = [
        (
            of("x", json!({"launchTemplate": {}})),
            PARAMETER,
            "Either the ID or the name",
        ),
        (
            of("x", json!({"launchTemplate": {"id": plain, "name": "n"}})),
            PARAMETER,
            "Either the ID or the name",
        ),
        (of("lt-00000000", json!({})), PARAMETER, "does not exist"),
        (
            of(
                "x",
                json!({"launchTemplate": {"id": plain, "version": "7"}}),
            ),
            PARAMETER,
            "version 7",
        ),
        (
            of(&plain, json!({"diskSize": 20})),
            PARAMETER,
            "Disk size must be specified within the launch template.",
        ),
        (
            of(&plain, json!({"remoteAccess": {"ec2SshKey": "k"}})),
            PARAMETER,
            "Remote access configuration must be",
        ),
        (
            of(&typed, json!({"instanceTypes": ["t3.medium"]})),
            REQUEST,
            "Cannot specify instance types in launch template and API Request",
        ),
        (
            of(&image, json!({"amiType": "AL2023_x86_64_STANDARD"})),
            PARAMETER,
            "launch template has an AMI",
        ),
        (
            of(&image, json!({"version": "1.35"})),
            PARAMETER,
            "launch template has an AMI",
        ),
        (of(&spot, json!({})), REQUEST, "cannot have Spot"),
        (
            of(&profile, json!({})),
            REQUEST,
            "cannot have an instance profile",
        ),
        (of(&subnet, json!({})), REQUEST, "cannot have subnets"),
        (of(&block, json!({})), PARAMETER, "need each other"),
        (
            of(&plain, json!({"capacityType": "CAPACITY_BLOCK"})),
            PARAMETER,
            "need each other",
        ),
        (
            of("x", json!({"launchTemplate": {"ident": plain}})),
            "SerializationException",
            "unknown field",
        ),
    ];
    for (body, code, message) in cases {
        lab.eks("POST", PATH, body).await.refused(code, message);
    }
    // Templates that fit, and what of them shows: disk size, instance types, AMI type, release.
    let fitting = [
        (
            &plain,
            json!({}),
            json!(["t3.medium"]),
            "AL2023_x86_64_STANDARD",
            "1.35.3-20261106",
        ),
        (
            &typed,
            json!({}),
            Value::Null,
            "AL2023_x86_64_STANDARD",
            "1.35.3-20261106",
        ),
        (
            &image,
            json!({}),
            json!(["t3.medium"]),
            "CUSTOM",
            "ami-12345678",
        ),
        (
            &block,
            json!({"capacityType": "CAPACITY_BLOCK"}),
            json!(["t3.medium"]),
            "AL2023_x86_64_STANDARD",
            "1.35.3-20261106",
        ),
    ];
    for (number, (id, change, types, ami, release)) in fitting.into_iter().enumerate() {
        let name = format!("g{number}");
        let mut body = of(id, change);
        body["nodegroupName"] = json!(name);
        lab.eks("POST", PATH, body).await.ok();
        let group = lab.wait_node_group("c", &name, "ACTIVE").await;
        assert_eq!(group["launchTemplate"]["id"], json!(id));
        assert_eq!(group["launchTemplate"]["version"], "1");
        assert_eq!(group["diskSize"], Value::Null);
        assert_eq!(group["instanceTypes"], types, "{name}");
        assert_eq!(group["amiType"], ami, "{name}");
        assert_eq!(group["releaseVersion"], release, "{name}");
    }
    let nodes = lab.backend.nodes.lock().unwrap();
    assert!(nodes["c"].values().all(|node| {
        node.labels["eks.amazonaws.com/sourceLaunchTemplateVersion"] == "1"
            && node.labels["eks.amazonaws.com/sourceLaunchTemplateId"].starts_with("lt-")
    }));
    let large = nodes["c"]
        .values()
        .filter(|node| node.labels["node.kubernetes.io/instance-type"] == "t3.large");
    assert_eq!(large.count(), 2);
}

#[tokio::test]
async fn a_new_version_of_the_template_rolls_the_group() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let own = create_template(&lab, "own", "LaunchTemplateData.InstanceType=t3.medium").await;
    let other = create_template(&lab, "other", "LaunchTemplateData.InstanceType=t3.medium").await;
    let mut body = lab.node_group_body("g");
    body["launchTemplate"] = json!({ "id": own });
    lab.eks("POST", PATH, body).await.ok();
    lab.wait_node_group("c", "g", "ACTIVE").await;
    lab.create_node_group("c", "born-without").await;
    template(
        &lab,
        "CreateLaunchTemplateVersion",
        "own",
        "LaunchTemplateData.InstanceType=t3.large",
    )
    .await;
    template(
        &lab,
        "CreateLaunchTemplateVersion",
        "own",
        "LaunchTemplateData.ImageId=ami-12345678",
    )
    .await;
    let path = |group: &str| format!("{PATH}/{group}/update-version");
    let to = |id: &str, version: &str| json!({"launchTemplate": {"id": id, "version": version}});
    for (group, body, message) in [
        ("born-without", to(&own, "1"), "not deployed with one"),
        (
            "g",
            to(&other, "1"),
            "must be the one the node group was deployed with",
        ),
        ("g", to(&own, "9"), "version 9"),
        ("g", to(&own, "3"), "cannot change between"),
        ("g", to(&own, "1"), "already at version"),
    ] {
        lab.eks("POST", &path(group), body)
            .await
            .refused(PARAMETER, message);
    }
    let types = || -> Vec<String> {
        let nodes = lab.backend.nodes.lock().unwrap();
        nodes["c"]
            .values()
            .filter(|node| node.labels["eks.amazonaws.com/nodegroup"] == "g")
            .map(|node| {
                format!(
                    "{} {}",
                    node.labels["node.kubernetes.io/instance-type"],
                    node.labels["eks.amazonaws.com/sourceLaunchTemplateVersion"]
                )
            })
            .collect()
    };
    // A failed update leaves the version of before.
    *lab.backend.blocking_pods.lock().unwrap() = vec!["default/held".to_owned()];
    let reply = lab.eks("POST", &path("g"), to(&own, "2")).await.ok();
    lab.advance(std::time::Duration::from_secs(3600)).await;
    let update = lab.wait_update("c", &reply, "g").await;
    assert_eq!(update["errors"][0]["errorCode"], "PodEvictionFailure");
    lab.backend.blocking_pods.lock().unwrap().clear();
    assert_eq!(types(), ["t3.medium 1", "t3.medium 1"]);
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    assert_eq!(group["launchTemplate"]["version"], "1");

    let reply = lab.eks("POST", &path("g"), to(&own, "2")).await.ok();
    let params = reply["update"]["params"].as_array().unwrap().clone();
    assert!(
        params.contains(&json!({"type": "LaunchTemplateVersion", "value": "2"})),
        "{params:?}"
    );
    assert_eq!(
        lab.wait_update("c", &reply, "g").await["status"],
        "Successful"
    );
    assert_eq!(types(), ["t3.large 2", "t3.large 2"]);

    // With an AMI of one's own only the template's version counts.
    let image = create_template(&lab, "image", "LaunchTemplateData.ImageId=ami-11111111").await;
    let mut body = lab.node_group_body("custom");
    body["launchTemplate"] = json!({ "id": image });
    lab.eks("POST", PATH, body).await.ok();
    lab.wait_node_group("c", "custom", "ACTIVE").await;
    template(
        &lab,
        "CreateLaunchTemplateVersion",
        "image",
        "LaunchTemplateData.ImageId=ami-22222222",
    )
    .await;
    for (body, message) in [
        (json!({"version": "1.35"}), "launch template has an AMI"),
        (json!({}), "updated by another version of the template"),
    ] {
        lab.eks("POST", &path("custom"), body)
            .await
            .refused(PARAMETER, message);
    }
    let reply = lab.eks("POST", &path("custom"), to(&image, "2")).await.ok();
    assert_eq!(
        lab.wait_update("c", &reply, "custom").await["status"],
        "Successful"
    );
    let group = lab.wait_node_group("c", "custom", "ACTIVE").await;
    assert_eq!(group["releaseVersion"], "ami-22222222");
}
