//! Add-ons and pod identity associations: rules, objects, states.
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

const PARAMETER: &str = "InvalidParameterException";
const IN_USE: &str = "ResourceInUseException";

async fn pod_role(lab: &Lab, name: &str) -> String {
    lab.create_role(name, "pods.eks.amazonaws.com", &[]).await
}

async fn create(lab: &Lab, body: Value) -> Value {
    let reply = lab.eks("POST", "/clusters/c/addons", body).await.ok();
    assert_eq!(reply["addon"]["status"], "CREATING");
    reply["addon"].clone()
}

fn object(lab: &Lab, key: &str) -> Option<Value> {
    lab.backend.objects.lock().unwrap().get(key).cloned()
}

fn set_foreign(lab: &Lab, key: &str, field: &str) {
    let mut foreign = lab.backend.foreign.lock().unwrap();
    foreign.insert(key.to_owned(), vec![field.to_owned()]);
}

#[tokio::test]
async fn create_refuses_what_the_service_refuses() {
    let lab = Lab::start().await;
    let path = "/clusters/c/addons";
    let body = json!({"addonName": "coredns"});
    lab.eks("POST", path, body.clone())
        .await
        .refused("ResourceNotFoundException", "No cluster found for name: c.");
    let mut starting = lab.cluster_body("c");
    starting["version"] = json!("1.34");
    lab.eks("POST", "/clusters", starting).await.ok();
    lab.eks("POST", path, body)
        .await
        .refused("InvalidRequestException", "not in ACTIVE status");
    lab.wait_cluster("c", "ACTIVE").await;
    let untrusted = lab.create_role("ec2only", "ec2.amazonaws.com", &[]).await;
    let cases = [
        (
            json!({"addonName": "nope"}),
            "Addon specified is not supported",
        ),
        (json!({}), "Addon specified is not supported"),
        (
            json!({"addonName": "coredns", "addonVersion": "v9"}),
            "Addon version specified is not supported",
        ),
        (
            json!({"addonName": "kube-proxy", "addonVersion": "v1.36.1-eksbuild.2"}),
            "Addon version specified is not supported",
        ),
        (
            json!({"addonName": "coredns", "resolveConflicts": "MAYBE"}),
            "resolveConflicts MAYBE is not valid",
        ),
        (
            json!({"addonName": "coredns", "configurationValues": "null"}),
            "Json schema validation failed with error: [$: null found, object expected]",
        ),
        (
            json!({"addonName": "coredns", "configurationValues": "{\"replicas\": 1}"}),
            "[$.replicas: is not defined in the schema and the schema does not allow additional properties]",
        ),
        (
            json!({"addonName": "vpc-cni", "configurationValues": "{\"env\": {\"WARM_ENI_TARGET\": 1}}"}),
            "[$.env.WARM_ENI_TARGET: integer found, string expected]",
        ),
        (
            json!({"addonName": "coredns", "configurationValues": "{"}),
            "not valid JSON",
        ),
        (
            json!({"addonName": "coredns", "namespaceConfig": {"namespace": "dns"}}),
            "namespaceConfig",
        ),
        (
            json!({"addonName": "coredns", "tags": {"aws:x": "y"}}),
            "reserved",
        ),
        (
            json!({"addonName": "vpc-cni", "serviceAccountRoleArn": "arn:aws:iam::123456789012:role/absent"}),
            "does not exist",
        ),
        (
            json!({"addonName": "vpc-cni", "podIdentityAssociations": [{"serviceAccount": "aws-node", "roleArn": untrusted}]}),
            "Trust policy of the role provided is invalid",
        ),
        (
            json!({"addonName": "coredns", "podIdentityAssociations": [{"serviceAccount": "coredns", "roleArn": untrusted}]}),
            "does not support pod identity association for service account coredns",
        ),
        (
            json!({"addonName": "vpc-cni", "podIdentityAssociations": [{"serviceAccount": "aws-node"}]}),
            "needs serviceAccount and roleArn",
        ),
    ];
    for (body, message) in cases {
        let reply = lab.eks("POST", path, body.clone()).await;
        reply.refused(PARAMETER, message);
        assert_eq!(reply.body["clusterName"], "c", "{body}");
        assert_eq!(
            reply.body["addonName"],
            body["addonName"].as_str().unwrap_or("")
        );
    }
    lab.eks(
        "POST",
        path,
        json!({"addonName": "coredns", "preserve": true}),
    )
    .await
    .refused("SerializationException", "unknown field");
    assert_eq!(lab.get(path).await.ok()["addons"], json!([]));
}

#[tokio::test]
async fn an_addon_has_its_objects_and_follows_its_workloads() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let path = "/clusters/c/addons";
    let body = json!({
        "addonName": "coredns", "configurationValues": "{\"replicaCount\": 3}",
        "tags": {"a": "b"}, "clientRequestToken": "t",
    });
    let made = create(&lab, body.clone()).await;
    assert_eq!(
        made["addonVersion"], "v1.13.2-eksbuild.1",
        "the default of 1.35"
    );
    // The same call again is the same add-on; another one is refused.
    let again = lab.eks("POST", path, body).await.ok();
    assert_eq!(again["addon"]["addonArn"], made["addonArn"]);
    lab.eks("POST", path, json!({"addonName": "coredns"}))
        .await
        .refused(IN_USE, "Addon already exists.");
    // No node: the replicas cannot run.
    let addon = lab.wait_addon("c", "coredns", "DEGRADED").await;
    let issue = &addon["health"]["issues"][0];
    assert_eq!(issue["code"], "InsufficientNumberOfReplicas");
    let deployment = object(&lab, "c Deployment coredns").unwrap();
    assert_eq!(deployment["spec"]["replicas"], 3);
    // With nodes it recovers by itself; without them it is degraded again.
    lab.create_node_group("c", "g").await;
    let addon = lab.wait_addon("c", "coredns", "ACTIVE").await;
    assert_eq!(addon["health"]["issues"], json!([]));
    lab.backend
        .objects
        .lock()
        .unwrap()
        .remove("c Deployment coredns");
    let addon = lab.wait_addon("c", "coredns", "DEGRADED").await;
    assert_eq!(addon["health"]["issues"][0]["code"], "K8sResourceNotFound");
    // A DaemonSet needs no node to be as it should.
    create(&lab, json!({"addonName": "kube-proxy"})).await;
    lab.wait_addon("c", "kube-proxy", "ACTIVE").await;
    assert_eq!(
        lab.get(path).await.ok()["addons"],
        json!(["coredns", "kube-proxy"])
    );
    let page = lab.get(&format!("{path}?maxResults=1")).await.ok();
    let next = page["nextToken"].as_str().unwrap();
    let rest = lab.get(&format!("{path}?nextToken={next}")).await.ok();
    assert_eq!(
        (&page["addons"], &rest["addons"]),
        (&json!(["coredns"]), &json!(["kube-proxy"]))
    );

    let tags = format!(
        "/tags/{}",
        made["addonArn"]
            .as_str()
            .unwrap()
            .replace('/', "%2F")
            .replace(':', "%3A")
    );
    lab.eks("POST", &tags, json!({"tags": {"c": "d"}}))
        .await
        .ok();
    assert_eq!(
        lab.get(&tags).await.ok()["tags"],
        json!({"a": "b", "c": "d"})
    );

    // preserve leaves the objects, a plain delete does not.
    lab.eks(
        "DELETE",
        &format!("{path}/kube-proxy?preserve=true"),
        Value::Null,
    )
    .await
    .ok();
    lab.eks("DELETE", &format!("{path}/kube-proxy"), Value::Null)
        .await
        .refused("InvalidRequestException", "DELETING");
    lab.wait_gone(&format!("{path}/kube-proxy")).await;
    assert!(object(&lab, "c DaemonSet kube-proxy").is_some());
    lab.eks("DELETE", &format!("{path}/coredns"), Value::Null)
        .await
        .ok();
    lab.wait_gone(&format!("{path}/coredns")).await;
    assert!(object(&lab, "c ConfigMap coredns").is_none());
    lab.eks("DELETE", &format!("{path}/coredns"), Value::Null)
        .await
        .refused("ResourceNotFoundException", "No addon: coredns");
    // Add-ons do not hold a cluster back.
    create(
        &lab,
        json!({"addonName": "kube-proxy", "resolveConflicts": "OVERWRITE"}),
    )
    .await;
    lab.wait_addon("c", "kube-proxy", "ACTIVE").await;
    lab.eks("DELETE", "/clusters/c/node-groups/g", Value::Null)
        .await
        .ok();
    lab.wait_gone("/clusters/c/node-groups/g").await;
    lab.eks("DELETE", "/clusters/c", Value::Null).await.ok();
    lab.wait_gone("/clusters/c").await;
}

#[tokio::test]
async fn conflicts_with_foreign_fields_are_resolved_as_asked() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let (key, field) = ("c DaemonSet kube-proxy", ".spec.template");
    // On create PRESERVE is like NONE.
    for word in [Value::Null, json!("NONE"), json!("PRESERVE")] {
        set_foreign(&lab, key, field);
        create(
            &lab,
            json!({"addonName": "kube-proxy", "resolveConflicts": word}),
        )
        .await;
        let addon = lab.wait_addon("c", "kube-proxy", "CREATE_FAILED").await;
        let issue = &addon["health"]["issues"][0];
        assert_eq!(issue["code"], "ConfigurationConflict");
        let message = issue["message"].as_str().unwrap();
        assert!(
            message.contains("Conflicts:\nDaemonSet.apps kube-proxy - .spec.template"),
            "{message}"
        );
        // Nothing is applied where something conflicts.
        assert!(object(&lab, "c ServiceAccount kube-proxy").is_none());
        lab.eks("DELETE", "/clusters/c/addons/kube-proxy", Value::Null)
            .await
            .ok();
        lab.wait_gone("/clusters/c/addons/kube-proxy").await;
    }
    create(
        &lab,
        json!({"addonName": "kube-proxy", "resolveConflicts": "OVERWRITE"}),
    )
    .await;
    lab.wait_addon("c", "kube-proxy", "ACTIVE").await;
    // Word, end of the update, whether the template is applied.
    let path = "/clusters/c/addons/kube-proxy/update";
    for (word, end, applied) in [
        ("NONE", "Failed", true),
        ("PRESERVE", "Successful", false),
        ("OVERWRITE", "Successful", true),
    ] {
        set_foreign(&lab, key, field);
        let values = json!({"mode": "ipvs"}).to_string();
        let reply = lab
            .eks(
                "POST",
                path,
                json!({"resolveConflicts": word, "configurationValues": values}),
            )
            .await
            .ok();
        assert_eq!(reply["update"]["type"], "AddonUpdate");
        let update = lab.wait_addon_update("c", &reply, "kube-proxy").await;
        assert_eq!(update["status"], end, "{word} {update}");
        let status = if end == "Failed" {
            "UPDATE_FAILED"
        } else {
            "ACTIVE"
        };
        let addon = lab.wait_addon("c", "kube-proxy", status).await;
        if end == "Failed" {
            assert_eq!(update["errors"][0]["errorCode"], "ConfigurationConflict");
            assert_eq!(addon["configurationValues"], Value::Null);
        } else {
            assert_eq!(addon["configurationValues"], json!(values));
        }
        let has_template = object(&lab, key).unwrap()["spec"]["template"].is_object();
        assert_eq!(has_template, applied, "{word}");
    }
}

#[tokio::test]
async fn updates_change_what_they_name_and_nothing_else() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let role = pod_role(&lab, "cni").await;
    let other = pod_role(&lab, "other").await;
    let irsa = lab.create_role("irsa", "ec2.amazonaws.com", &[]).await;
    let values = json!({"env": {"ENABLE_PREFIX_DELEGATION": "true"}}).to_string();
    let made = create(
        &lab,
        json!({
            "addonName": "vpc-cni", "addonVersion": "v1.20.5-eksbuild.1",
            "configurationValues": values,
            "podIdentityAssociations": [{"serviceAccount": "aws-node", "roleArn": role}],
        }),
    )
    .await;
    let arn = made["podIdentityAssociations"][0]
        .as_str()
        .unwrap()
        .to_owned();
    lab.wait_addon("c", "vpc-cni", "ACTIVE").await;
    let path = "/clusters/c/addons/vpc-cni/update";
    lab.eks("POST", path, json!({"addonVersion": "v1.0"}))
        .await
        .refused(PARAMETER, "Addon version specified is not supported");
    lab.eks("POST", path, json!({"configurationValues": "{\"x\": 1}"}))
        .await
        .refused(PARAMETER, "Json schema validation failed");
    lab.eks("POST", "/clusters/c/addons/none/update", json!({}))
        .await
        .refused("ResourceNotFoundException", "No addon: none");

    let stuck = lab
        .handle
        .faults()
        .add(Fault::on("eks", "UpdateAddon", FaultKind::Stuck));
    let body = json!({"addonVersion": "v1.21.2-eksbuild.1", "serviceAccountRoleArn": irsa, "clientRequestToken": "t"});
    let reply = lab.eks("POST", path, body.clone()).await.ok();
    lab.wait_addon("c", "vpc-cni", "UPDATING").await;
    lab.eks("POST", path, json!({})).await.refused(
        IN_USE,
        "Addon vpc-cni cannot be updated as it is currently in UPDATING state",
    );
    lab.handle.faults().clear(stuck);
    let update = lab.wait_addon_update("c", &reply, "vpc-cni").await;
    assert_eq!(update["status"], "Successful");
    let again = lab.eks("POST", path, body).await.ok();
    assert_eq!(again["update"]["id"], reply["update"]["id"]);
    let addon = lab.wait_addon("c", "vpc-cni", "ACTIVE").await;
    assert_eq!(addon["addonVersion"], "v1.21.2-eksbuild.1");
    assert_eq!(addon["configurationValues"], json!(values));
    assert_eq!(addon["podIdentityAssociations"], json!([arn]));
    let account = object(&lab, "c ServiceAccount aws-node").unwrap();
    assert_eq!(
        account["metadata"]["annotations"]["eks.amazonaws.com/role-arn"],
        json!(irsa)
    );
    let id = reply["update"]["id"].as_str().unwrap();
    lab.get(&format!("/clusters/c/updates/{id}"))
        .await
        .refused("ResourceNotFoundException", "No update found");
    let listed = lab.get("/clusters/c/updates?addonName=vpc-cni").await.ok();
    assert_eq!(listed["updateIds"], json!([id]));

    // Another role stays the same association; an empty list takes it away.
    let association = arn.rsplit('/').next().unwrap().to_owned();
    let identity = format!("/clusters/c/pod-identity-associations/{association}");
    for (asked, role) in [
        (
            json!([{"serviceAccount": "aws-node", "roleArn": other}]),
            Some(&other),
        ),
        (Value::Null, Some(&other)),
        (json!([]), None),
    ] {
        let reply = lab
            .eks("POST", path, json!({"podIdentityAssociations": asked}))
            .await
            .ok();
        lab.wait_addon_update("c", &reply, "vpc-cni").await;
        let reply = lab.get(&identity).await;
        match role {
            Some(role) => assert_eq!(reply.ok()["association"]["roleArn"], json!(role)),
            None => reply.refused("ResourceNotFoundException", &association),
        }
    }
}

#[tokio::test]
async fn faults_fail_the_transitions_of_addons() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let path = "/clusters/c/addons/kube-proxy";
    let faults = lab.handle.faults();
    faults.add(
        Fault::on(
            "eks",
            "CreateAddon",
            FaultKind::CreateFails {
                issue_code: "AccessDenied".to_owned(),
                issue_message: "no".to_owned(),
            },
        )
        .times(1),
    );
    create(&lab, json!({"addonName": "kube-proxy"})).await;
    let addon = lab.wait_addon("c", "kube-proxy", "CREATE_FAILED").await;
    assert_eq!(addon["health"]["issues"][0]["code"], "AccessDenied");
    faults.add(
        Fault::on(
            "eks",
            "UpdateAddon",
            FaultKind::UpdateFails {
                error_code: "AdmissionRequestDenied".to_owned(),
                error_message: "webhook".to_owned(),
            },
        )
        .times(1),
    );
    let reply = lab
        .eks("POST", &format!("{path}/update"), json!({}))
        .await
        .ok();
    let update = lab.wait_addon_update("c", &reply, "kube-proxy").await;
    assert_eq!(update["errors"][0]["errorCode"], "AdmissionRequestDenied");
    lab.wait_addon("c", "kube-proxy", "UPDATE_FAILED").await;
    faults.add(
        Fault::on(
            "eks",
            "DeleteAddon",
            FaultKind::DeleteFails {
                issue_code: "ClusterUnreachable".to_owned(),
                issue_message: "gone".to_owned(),
            },
        )
        .times(1),
    );
    lab.eks("DELETE", path, Value::Null).await.ok();
    lab.wait_addon("c", "kube-proxy", "DELETE_FAILED").await;
    faults.add(Fault::on("eks", "CreateAddon", FaultKind::Busy).times(1));
    lab.eks(
        "POST",
        "/clusters/c/addons",
        json!({"addonName": "coredns"}),
    )
    .await
    .refused(IN_USE, "update in progress");
    lab.eks("DELETE", path, Value::Null).await.ok();
    lab.wait_gone(path).await;
}

#[tokio::test]
async fn versions_and_schemas_are_described() {
    let lab = Lab::start().await;
    let path = "/addons/supported-versions";
    let names = |body: &Value| -> Vec<String> {
        let addons = body["addons"].as_array().unwrap();
        addons
            .iter()
            .map(|addon| addon["addonName"].as_str().unwrap().to_owned())
            .collect()
    };
    let all = lab.get(path).await.ok();
    assert_eq!(
        names(&all),
        [
            "aws-ebs-csi-driver",
            "coredns",
            "eks-pod-identity-agent",
            "kube-proxy",
            "metrics-server",
            "vpc-cni"
        ]
    );
    // Query, names of the add-ons.
    for (query, expected) in [
        ("types=storage", vec!["aws-ebs-csi-driver"]),
        ("owners=community", vec!["metrics-server"]),
        (
            "types=networking&types=security&owners=aws",
            vec!["coredns", "eks-pod-identity-agent", "kube-proxy", "vpc-cni"],
        ),
        ("publishers=nobody", vec![]),
        ("addonName=coredns", vec!["coredns"]),
    ] {
        assert_eq!(
            names(&lab.get(&format!("{path}?{query}")).await.ok()),
            expected,
            "{query}"
        );
    }
    let of_minor = lab
        .get(&format!(
            "{path}?addonName=kube-proxy&kubernetesVersion=1.34"
        ))
        .await
        .ok();
    let versions = of_minor["addons"][0]["addonVersions"].as_array().unwrap();
    let shown: Vec<(&str, bool)> = versions
        .iter()
        .map(|version| {
            let compatible = &version["compatibilities"][0];
            assert_eq!(compatible["clusterVersion"], "1.34");
            (
                version["addonVersion"].as_str().unwrap(),
                compatible["defaultVersion"].as_bool().unwrap(),
            )
        })
        .collect();
    assert_eq!(shown[0], ("v1.34.6-eksbuild.2", true));
    assert!(shown[1..].iter().all(|(_, default)| !default));
    lab.get(&format!("{path}?addonName=nope"))
        .await
        .refused(PARAMETER, "Addon specified is not supported");
    lab.get(&format!("{path}?kubernetesVersion=1.1"))
        .await
        .refused(PARAMETER, "1.1 is not supported");

    let schemas = "/addons/configuration-schemas";
    let described = lab
        .get(&format!(
            "{schemas}?addonName=vpc-cni&addonVersion=v1.21.2-eksbuild.1"
        ))
        .await
        .ok();
    let schema: Value =
        serde_json::from_str(described["configurationSchema"].as_str().unwrap()).unwrap();
    assert_eq!(
        schema["definitions"]["Env"]["properties"]["ENABLE_PREFIX_DELEGATION"]["format"],
        "boolean"
    );
    assert_eq!(
        described["podIdentityConfiguration"][0]["serviceAccount"],
        "aws-node"
    );
    lab.get(&format!("{schemas}?addonName=vpc-cni&addonVersion=v0"))
        .await
        .refused(PARAMETER, "Addon version specified is not supported");
    lab.get(&format!("{schemas}?addonName=vpc-cni"))
        .await
        .refused(PARAMETER, "addonVersion is required");
}

#[tokio::test]
async fn pod_identities_are_one_for_each_service_account() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let path = "/clusters/c/pod-identity-associations";
    let role = pod_role(&lab, "pods").await;
    let other = pod_role(&lab, "others").await;
    let trust = json!({"Version": "2012-10-17", "Statement": [{
        "Effect": "Allow", "Action": "sts:AssumeRole",
        "Principal": {"Service": "pods.eks.amazonaws.com"}}]});
    let untagged = lab
        .role_with_trust(&format!("untagged-{}", lab.unique), &trust, &[])
        .await;
    let good = json!({"namespace": "n", "serviceAccount": "s", "roleArn": role});
    let changed = |change: Value| {
        let mut body = good.clone();
        body.as_object_mut()
            .unwrap()
            .extend(change.as_object().unwrap().clone());
        body
    };
    let cases = [
        (changed(json!({"namespace": ""})), "namespace is required"),
        (changed(json!({"roleArn": null})), "roleArn is required"),
        (
            changed(json!({"roleArn": "arn:aws:iam::123456789012:role/absent"})),
            "does not exist",
        ),
        (
            changed(json!({"roleArn": lab.node_role})),
            "Trust policy of the role provided is invalid",
        ),
        (
            changed(json!({"roleArn": untagged})),
            "Trust policy of the role provided is invalid",
        ),
        (
            changed(json!({"policy": "{}"})),
            "disableSessionTags must be true",
        ),
        (
            changed(json!({"policy": "x", "disableSessionTags": true})),
            "not a JSON object",
        ),
        (changed(json!({"tags": {"aws:x": "y"}})), "reserved"),
    ];
    for (body, message) in cases {
        lab.eks("POST", path, body)
            .await
            .refused(PARAMETER, message);
    }
    let body = changed(json!({"clientRequestToken": "t", "tags": {"a": "b"}}));
    let made = lab.eks("POST", path, body.clone()).await.ok()["association"].clone();
    let id = made["associationId"].as_str().unwrap().to_owned();
    assert!(id.starts_with("a-") && id.len() == 19, "{id}");
    assert_eq!(
        made["associationArn"],
        json!(format!(
            "arn:aws:eks:us-east-1:123456789012:podidentityassociation/c/{id}"
        ))
    );
    assert_eq!(lab.eks("POST", path, body).await.ok()["association"], made);
    lab.eks("POST", path, good.clone())
        .await
        .refused(IN_USE, &format!("Association already exists: {id}"));
    let second = changed(
        json!({"serviceAccount": "t", "targetRoleArn": "arn:aws:iam::210987654321:role/far"}),
    );
    let far = lab.eks("POST", path, second).await.ok()["association"].clone();
    assert_eq!(far["externalId"], "us-east-1/123456789012/c/n/t");
    // Filters, number of associations.
    for (query, count) in [
        ("", 2),
        ("?namespace=n", 2),
        ("?serviceAccount=s", 1),
        ("?namespace=m", 0),
    ] {
        let listed = lab.get(&format!("{path}{query}")).await.ok();
        assert_eq!(
            listed["associations"].as_array().unwrap().len(),
            count,
            "{query}"
        );
    }
    let listed = lab.get(&format!("{path}?serviceAccount=s")).await.ok();
    assert!(listed["associations"][0].get("roleArn").is_none());

    let own = format!("{path}/{id}");
    lab.eks("POST", &own, json!({"roleArn": lab.node_role}))
        .await
        .refused(PARAMETER, "Trust policy");
    let updated = lab.eks("POST", &own, json!({"roleArn": other})).await.ok();
    assert_eq!(updated["association"]["roleArn"], json!(other));
    assert_eq!(updated["association"]["tags"], json!({"a": "b"}));
    lab.eks("DELETE", &own, Value::Null).await.ok();
    lab.get(&own)
        .await
        .refused("ResourceNotFoundException", &id);
    lab.eks("DELETE", &own, Value::Null)
        .await
        .refused("ResourceNotFoundException", &id);
    // Free again, with the token of before.
    let body = changed(json!({"clientRequestToken": "t", "tags": {"a": "b"}}));
    assert_ne!(
        lab.eks("POST", path, body).await.ok()["association"]["associationId"],
        json!(id)
    );

    // One that an add-on owns is changed by the add-on alone, and goes with it.
    let addon = json!({"addonName": "vpc-cni", "podIdentityAssociations": [{"serviceAccount": "aws-node", "roleArn": role}]});
    let made = create(&lab, addon).await;
    lab.wait_addon("c", "vpc-cni", "ACTIVE").await;
    let listed = lab
        .get(&format!("{path}?serviceAccount=aws-node"))
        .await
        .ok();
    let owned = &listed["associations"][0];
    assert_eq!(owned["ownerArn"], made["addonArn"]);
    let own = format!("{path}/{}", owned["associationId"].as_str().unwrap());
    lab.eks("DELETE", &own, Value::Null)
        .await
        .refused("InvalidRequestException", "owned by");
    lab.eks("POST", &own, json!({"roleArn": other}))
        .await
        .refused("InvalidRequestException", "owned by");
    lab.eks("DELETE", "/clusters/c/addons/vpc-cni", Value::Null)
        .await
        .ok();
    lab.wait_gone("/clusters/c/addons/vpc-cni").await;
    lab.get(&own)
        .await
        .refused("ResourceNotFoundException", "Association not found");
    // One of the user's own holds the add-on's back.
    let body = json!({"namespace": "kube-system", "serviceAccount": "aws-node", "roleArn": role});
    lab.eks("POST", path, body).await.ok();
    let addon = json!({"addonName": "vpc-cni", "podIdentityAssociations": [{"serviceAccount": "aws-node", "roleArn": role}]});
    lab.eks("POST", "/clusters/c/addons", addon)
        .await
        .refused(IN_USE, "Association already exists: a-");
}
