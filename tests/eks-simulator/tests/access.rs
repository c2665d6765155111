//! Access entries, access policies, tags.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use common::{Lab, percent};
use serde_json::{Value, json};

#[tokio::test]
async fn entries_are_made_for_principals_that_exist() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let root = "arn:aws:iam::123456789012:root";
    let list = lab.get("/clusters/c/access-entries").await.ok();
    assert_eq!(list["accessEntries"], json!([root]), "the creator's entry");
    let path = "/clusters/c/access-entries";
    let role = &lab.cluster_role;
    let parameter = "InvalidParameterException";
    let cases = [
        (json!({}), parameter, "principalArn"),
        (
            json!({"principalArn": "arn:aws:iam::123456789012:role/absent"}),
            parameter,
            "invalid principal",
        ),
        (
            json!({"principalArn": "arn:aws:iam::123456789012:user/absent"}),
            parameter,
            "invalid principal",
        ),
        (
            json!({"principalArn": "arn:aws:sts::123456789012:assumed-role/a/b"}),
            parameter,
            "invalid principal",
        ),
        (
            json!({"principalArn": root}),
            "ResourceInUseException",
            "already in use",
        ),
        (
            json!({"principalArn": role, "kubernetesGroups": ["system:masters"]}),
            parameter,
            "cannot start with system:",
        ),
        (
            json!({"principalArn": role, "username": "eks:me"}),
            parameter,
            "cannot start with eks:",
        ),
        (
            json!({"principalArn": role, "username": "a{{SessionName}}"}),
            parameter,
            "colon",
        ),
        (
            json!({"principalArn": role, "type": "EC2_LINUX", "kubernetesGroups": ["a"]}),
            parameter,
            "EC2_LINUX",
        ),
        (
            json!({"principalArn": role, "type": "ODD"}),
            parameter,
            "type ODD",
        ),
    ];
    for (body, code, message) in cases {
        println!("{body}");
        lab.eks("POST", path, body).await.refused(code, message);
    }
    let made = lab
        .eks(
            "POST",
            path,
            json!({"principalArn": role, "kubernetesGroups": ["viewers"]}),
        )
        .await
        .ok();
    let name = role.rsplit('/').next().unwrap();
    assert_eq!(made["accessEntry"]["type"], "STANDARD");
    assert_eq!(
        made["accessEntry"]["username"],
        format!("arn:aws:sts::123456789012:assumed-role/{name}/{{{{SessionName}}}}")
    );
    let one = format!("{path}/{}", percent(role));
    let changed = lab
        .eks(
            "POST",
            &one,
            json!({"kubernetesGroups": ["editors"], "username": "ops:{{SessionName}}"}),
        )
        .await
        .ok();
    assert_eq!(
        changed["accessEntry"]["kubernetesGroups"],
        json!(["editors"])
    );
    lab.eks("DELETE", &one, Value::Null).await.ok();
    lab.get(&one)
        .await
        .refused("ResourceNotFoundException", "principalArn");
}

#[tokio::test]
async fn policies_are_associated_with_a_scope() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let role = percent(&lab.cluster_role);
    lab.eks(
        "POST",
        "/clusters/c/access-entries",
        json!({"principalArn": lab.cluster_role}),
    )
    .await
    .ok();
    let path = format!("/clusters/c/access-entries/{role}/access-policies");
    let view = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy";
    let parameter = "InvalidParameterException";
    let cases = [
        (json!({"policyArn": view}), parameter, "accessScope"),
        (
            json!({"policyArn": "arn:aws:eks::aws:cluster-access-policy/No", "accessScope": {"type": "cluster"}}),
            parameter,
            "policyArn",
        ),
        (
            json!({"policyArn": view, "accessScope": {"type": "world"}}),
            parameter,
            "accessScope.type",
        ),
        (
            json!({"policyArn": view, "accessScope": {"type": "namespace"}}),
            parameter,
            "namespaces",
        ),
        (
            json!({"policyArn": view, "accessScope": {"type": "cluster", "namespaces": ["a"]}}),
            parameter,
            "namespaces",
        ),
    ];
    for (body, code, message) in cases {
        println!("{body}");
        lab.eks("POST", &path, body).await.refused(code, message);
    }
    lab.eks(
        "POST",
        &path,
        json!({"policyArn": view, "accessScope": {"type": "cluster"}}),
    )
    .await
    .ok();
    lab.eks(
        "POST",
        &path,
        json!({"policyArn": view, "accessScope": {"type": "namespace", "namespaces": ["dev"]}}),
    )
    .await
    .ok();
    let listed = lab.get(&path).await.ok();
    assert_eq!(
        listed["associatedAccessPolicies"].as_array().unwrap().len(),
        1
    );
    assert_eq!(
        listed["associatedAccessPolicies"][0]["accessScope"],
        json!({"type": "namespace", "namespaces": ["dev"]})
    );
    let one = format!("{path}/{}", percent(view));
    lab.eks("DELETE", &one, Value::Null).await.ok();
    lab.eks("DELETE", &one, Value::Null)
        .await
        .refused("ResourceNotFoundException", "not associated");
}

#[tokio::test]
async fn entries_need_a_mode_that_has_them() {
    let lab = Lab::start().await;
    let mut body = lab.cluster_body("old");
    body["accessConfig"] = json!({"authenticationMode": "CONFIG_MAP"});
    lab.eks("POST", "/clusters", body).await.ok();
    lab.wait_cluster("old", "ACTIVE").await;
    let path = "/clusters/old/access-entries";
    lab.get(path)
        .await
        .refused("InvalidRequestException", "authentication mode");
    let update = "/clusters/old/update-config";
    let mode = |mode: &str| json!({"accessConfig": {"authenticationMode": mode}});
    lab.eks("POST", update, mode("API"))
        .await
        .refused("InvalidParameterException", "from CONFIG_MAP to API");
    for next in ["API_AND_CONFIG_MAP", "API"] {
        let reply = lab.eks("POST", update, mode(next)).await.ok();
        assert_eq!(
            lab.wait_update("old", &reply, "").await["status"],
            "Successful"
        );
    }
    lab.get(path).await.ok();
}

#[tokio::test]
async fn tags_are_kept_by_arn() {
    let lab = Lab::start().await;
    let cluster = lab.create_cluster("c").await;
    lab.eks("POST", "/clusters/c/node-groups", lab.node_group_body("g"))
        .await
        .ok();
    let group = lab.wait_node_group("c", "g", "ACTIVE").await;
    for arn in [&cluster["arn"], &group["nodegroupArn"]] {
        let path = format!("/tags/{}", percent(arn.as_str().unwrap()));
        lab.eks("POST", &path, json!({"tags": {"a": "1", "b": "2"}}))
            .await
            .ok();
        lab.eks("DELETE", &format!("{path}?tagKeys=a"), Value::Null)
            .await
            .ok();
        assert_eq!(lab.get(&path).await.ok(), json!({"tags": {"b": "2"}}));
    }
    assert_eq!(
        lab.get("/clusters/c").await.ok()["cluster"]["tags"],
        json!({"b": "2"})
    );
    let absent = percent("arn:aws:eks:us-east-1:123456789012:cluster/absent");
    lab.get(&format!("/tags/{absent}"))
        .await
        .refused("NotFoundException", "absent");
    let foreign = percent("arn:aws:s3:::bucket");
    lab.get(&format!("/tags/{foreign}"))
        .await
        .refused("BadRequestException", "s3");
    let path = format!("/tags/{}", percent(cluster["arn"].as_str().unwrap()));
    lab.eks("POST", &path, json!({"tags": {"aws:x": "1"}}))
        .await
        .refused("BadRequestException", "reserved");
}
