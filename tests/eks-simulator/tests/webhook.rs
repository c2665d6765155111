//! Tokens and the access policy authorizer.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use common::{Keys, Lab, element, percent, python};
use serde_json::{Value, json};

const HOST: &str = "https://sts.us-east-1.amazonaws.com";

/// A presigned URL as EKS clients make it.
fn presign(
    keys: &Keys,
    base: &str,
    cluster: Option<&str>,
    time: SystemTime,
    expires: u64,
) -> String {
    presign_for("us-east-1", keys, base, cluster, time, expires)
}

fn presign_for(
    region: &str,
    keys: &Keys,
    base: &str,
    cluster: Option<&str>,
    time: SystemTime,
    expires: u64,
) -> String {
    let url = format!("{base}/?Action=GetCallerIdentity&Version=2011-06-15");
    let identity =
        Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test").into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(Duration::from_secs(expires));
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(time)
        .settings(settings)
        .build()
        .unwrap()
        .into();
    let headers: Vec<(&str, &str)> = cluster.iter().map(|name| ("x-k8s-aws-id", *name)).collect();
    let signable =
        SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(b"")).unwrap();
    let (instructions, _) = sign(signable, &parameters).unwrap().into_parts();
    let mut request = http::Request::builder().uri(&url).body(()).unwrap();
    instructions.apply_to_request_http1x(&mut request);
    request.uri().to_string()
}

fn token(url: &str) -> String {
    format!("k8s-aws-v1.{}", URL_SAFE_NO_PAD.encode(url))
}

async fn authenticate(lab: &Lab, cluster: &str, token: &str) -> Value {
    let review = json!({
        "apiVersion": "authentication.k8s.io/v1", "kind": "TokenReview",
        "spec": {"token": token},
    });
    let path = format!("/_lab/clusters/{cluster}/authenticate");
    let reply = lab.control("POST", &path, review).await.ok();
    assert_eq!(reply["kind"], "TokenReview");
    reply["status"].clone()
}

#[tokio::test]
async fn tokens_are_checked_as_the_authenticator_does() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    lab.create_cluster("other").await;
    let now = SystemTime::now();
    let good = |base: &str| presign(&lab.root, base, Some("c"), now, 60);
    for base in [HOST, "https://sts.amazonaws.com", lab.handle.endpoint()] {
        let status = authenticate(&lab, "c", &token(&good(base))).await;
        assert_eq!(status["authenticated"], true, "{base}: {status}");
        assert_eq!(status["user"]["username"], "arn:aws:iam::123456789012:root");
    }
    let elsewhere = presign_for(
        "eu-west-1",
        &lab.root,
        "https://sts.eu-west-1.amazonaws.com",
        Some("c"),
        now,
        60,
    );
    assert_eq!(
        authenticate(&lab, "c", &token(&elsewhere)).await["authenticated"],
        true
    );
    let minutes = |n: u64| {
        presign(
            &lab.root,
            HOST,
            Some("c"),
            now - Duration::from_secs(n * 60),
            60,
        )
    };
    assert_eq!(
        authenticate(&lab, "c", &token(&minutes(14))).await["authenticated"],
        true
    );

    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..lab.root.clone()
    };
    let unknown = Keys {
        id: "AKIAUNKNOWN".to_owned(),
        ..lab.root.clone()
    };
    let url = good(HOST);
    let cases = [
        ("no prefix", URL_SAFE_NO_PAD.encode(&url), "prefix"),
        (
            "too large",
            format!("k8s-aws-v1.{}", "a".repeat(4096)),
            "too large",
        ),
        ("no base64", "k8s-aws-v1.???".to_owned(), "base64"),
        (
            "another host",
            token(&good("https://sts.example.com")),
            "hostname",
        ),
        (
            "a region's host, but elsewhere",
            token(&good("https://sts.us-east-1.amazonaws.com.evil.test")),
            "hostname",
        ),
        (
            "a host of another partition",
            token(&good("https://sts.us-gov-west-1.amazonaws.com")),
            "hostname",
        ),
        (
            "a host of another partition with its suffix",
            token(&good("https://sts.cn-north-1.amazonaws.com.cn")),
            "hostname",
        ),
        (
            "a host that is no region's",
            token(&good("https://sts.us-east.amazonaws.com")),
            "hostname",
        ),
        (
            "a host of another region than the signature's",
            token(&good("https://sts.eu-west-1.amazonaws.com")),
            "signed for region us-east-1",
        ),
        (
            "the global host and another region",
            token(&presign_for(
                "eu-west-1",
                &lab.root,
                "https://sts.amazonaws.com",
                Some("c"),
                now,
                60,
            )),
            "signed for region eu-west-1",
        ),
        (
            "plain http to AWS",
            token(&good("http://sts.us-east-1.amazonaws.com")),
            "scheme",
        ),
        ("a path", token(&url.replace("/?", "/x?")), "path"),
        (
            "another action",
            token(&url.replace("GetCallerIdentity", "GetSessionToken")),
            "action",
        ),
        (
            "one more parameter",
            token(&format!("{url}&Extra=1")),
            "whitelisted",
        ),
        (
            "a parameter twice",
            token(&format!("{url}&Version=2011-06-15")),
            "more than once",
        ),
        (
            "no cluster header",
            token(&presign(&lab.root, HOST, None, now, 60)),
            "x-k8s-aws-id",
        ),
        (
            "another cluster",
            token(&presign(&lab.root, HOST, Some("other"), now, 60)),
            "SignatureDoesNotMatch",
        ),
        (
            "expires too long",
            token(&presign(&lab.root, HOST, Some("c"), now, 901)),
            "X-Amz-Expires",
        ),
        ("too old", token(&minutes(16)), "expired"),
        (
            "wrong secret",
            token(&presign(&wrong, HOST, Some("c"), now, 60)),
            "SignatureDoesNotMatch",
        ),
        (
            "unknown key",
            token(&presign(&unknown, HOST, Some("c"), now, 60)),
            "InvalidClientTokenId",
        ),
    ];
    for (what, token, reason) in cases {
        let status = authenticate(&lab, "c", &token).await;
        assert_eq!(status["authenticated"], false, "{what}");
        assert!(
            status["error"].as_str().unwrap().contains(reason),
            "{what}: {status}"
        );
    }
    let gone = authenticate(
        &lab,
        "absent",
        &token(&presign(&lab.root, HOST, Some("absent"), now, 60)),
    )
    .await;
    assert_eq!(gone["authenticated"], false);
}

#[tokio::test]
async fn sessions_are_the_role_entry_and_its_policies_decide() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}});
    let name = format!("dev-{}", lab.unique);
    let role = lab.role_with_trust(&name, &trust, &[]).await;
    let assume = format!(
        "Action=AssumeRole&RoleArn={}&RoleSessionName=ann%40x.org&Version=2011-06-15",
        percent(&role)
    );
    let text = lab.query("sts", &assume).await.text;
    let session = Keys {
        id: element(&text, "AccessKeyId"),
        secret: element(&text, "SecretAccessKey"),
        token: Some(element(&text, "SessionToken")),
    };
    let token = token(&presign(&session, HOST, Some("c"), SystemTime::now(), 60));
    let unmapped = authenticate(&lab, "c", &token).await;
    assert!(
        unmapped["error"].as_str().unwrap().contains("not mapped"),
        "{unmapped}"
    );

    let entry = json!({"principalArn": role, "kubernetesGroups": ["developers"]});
    lab.eks("POST", "/clusters/c/access-entries", entry.clone())
        .await
        .ok();
    let status = authenticate(&lab, "c", &token).await;
    assert_eq!(
        status["user"]["username"],
        format!("arn:aws:sts::123456789012:assumed-role/{name}/ann-x.org")
    );
    assert_eq!(status["user"]["groups"], json!(["developers"]));

    let allowed = async |verb: &str, resource: &str, namespace: &str| {
        let review = json!({
            "apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
            "spec": {
                "user": status["user"]["username"],
                "groups": ["developers", "system:authenticated"],
                "extra": status["user"]["extra"],
                "resourceAttributes": {"verb": verb, "version": "v1", "resource": resource, "namespace": namespace},
            },
        });
        let reply = lab
            .control("POST", "/_lab/clusters/c/authorize", review)
            .await
            .ok();
        reply["status"]["allowed"] == true
    };
    assert!(!allowed("get", "pods", "dev").await);
    let path = format!(
        "/clusters/c/access-entries/{}/access-policies",
        percent(&role)
    );
    let edit = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSEditPolicy";
    lab.eks(
        "POST",
        &path,
        json!({"policyArn": edit, "accessScope": {"type": "namespace", "namespaces": ["dev*"]}}),
    )
    .await
    .ok();
    assert!(allowed("create", "pods", "dev").await);
    assert!(!allowed("create", "pods", "prod").await);
    assert!(!allowed("create", "nodes", "").await);

    // A re-created role is another principal: the entry is dead.
    lab.query(
        "iam",
        &format!("Action=DeleteRole&RoleName={name}&Version=2010-05-08"),
    )
    .await;
    lab.role_with_trust(&name, &trust, &[]).await;
    let text = lab.query("sts", &assume).await.text;
    let again = Keys {
        id: element(&text, "AccessKeyId"),
        secret: element(&text, "SecretAccessKey"),
        token: Some(element(&text, "SessionToken")),
    };
    let url = presign(&again, HOST, Some("c"), SystemTime::now(), 60);
    assert_eq!(
        authenticate(&lab, "c", &self::token(&url)).await["authenticated"],
        false
    );
}

#[tokio::test]
async fn the_hidden_admin_of_config_map_clusters_is_the_creator() {
    let lab = Lab::start().await;
    let mut body = lab.cluster_body("old");
    body["accessConfig"] = json!({"authenticationMode": "CONFIG_MAP"});
    lab.eks("POST", "/clusters", body).await.ok();
    let url = presign(&lab.root, HOST, Some("old"), SystemTime::now(), 60);
    let status = authenticate(&lab, "old", &token(&url)).await;
    assert_eq!(status["user"]["username"], "kubernetes-admin");
    assert_eq!(status["user"]["groups"], json!(["system:masters"]));
}

#[tokio::test]
async fn the_creator_keeps_his_rights_when_the_cluster_begins_to_use_entries() {
    let lab = Lab::start().await;
    // bootstrapClusterCreatorAdminPermissions, whether the creator gets in before and after
    for (name, bootstrap) in [("kept", true), ("never", false)] {
        let mut body = lab.cluster_body(name);
        body["accessConfig"] = json!({
            "authenticationMode": "CONFIG_MAP",
            "bootstrapClusterCreatorAdminPermissions": bootstrap,
        });
        lab.eks("POST", "/clusters", body).await.ok();
        lab.wait_cluster(name, "ACTIVE").await;
        let url = presign(&lab.root, HOST, Some(name), SystemTime::now(), 60);
        let gets_in =
            async || authenticate(&lab, name, &token(&url)).await["authenticated"] == true;
        assert_eq!(gets_in().await, bootstrap);
        for mode in ["API_AND_CONFIG_MAP", "API"] {
            let path = format!("/clusters/{name}/update-config");
            let change = json!({"accessConfig": {"authenticationMode": mode}});
            let reply = lab.eks("POST", &path, change).await.ok();
            lab.wait_update(name, &reply, "").await;
            assert_eq!(gets_in().await, bootstrap, "{mode}");
        }
        let entries = lab
            .get(&format!("/clusters/{name}/access-entries"))
            .await
            .ok();
        let root = "arn:aws:iam::123456789012:root";
        let expected = if bootstrap { json!([root]) } else { json!([]) };
        assert_eq!(entries["accessEntries"], expected);
    }
}

#[tokio::test]
async fn a_node_is_called_by_the_private_name_of_its_instance() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    let trust = json!({"Version": "2012-10-17", "Statement": {"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"AWS": "*", "Service": "ec2.amazonaws.com"}}});
    let policies = [
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryPullOnly",
    ];
    let name = format!("nodes-{}", lab.unique);
    let role = lab.role_with_trust(&name, &trust, &policies).await;
    let mut body = lab.node_group_body("g");
    body["nodeRole"] = json!(role);
    lab.eks("POST", "/clusters/c/node-groups", body).await.ok();
    lab.wait_node_group("c", "g", "ACTIVE").await;
    let node = lab.backend.nodes.lock().unwrap()["c"]
        .values()
        .next()
        .unwrap()
        .clone();
    let instance = node.provider_id.rsplit('/').next().unwrap().to_owned();
    for (session, expected) in [
        (instance.as_str(), Ok(format!("system:node:{}", node.name))),
        ("i-00000000000000000", Err("there is no instance")),
    ] {
        let assume = format!(
            "Action=AssumeRole&RoleArn={}&RoleSessionName={session}&Version=2011-06-15",
            percent(&role)
        );
        let text = lab.query("sts", &assume).await.text;
        let keys = Keys {
            id: element(&text, "AccessKeyId"),
            secret: element(&text, "SecretAccessKey"),
            token: Some(element(&text, "SessionToken")),
        };
        let url = presign(&keys, HOST, Some("c"), SystemTime::now(), 60);
        let status = authenticate(&lab, "c", &token(&url)).await;
        match expected {
            Ok(username) => {
                assert_eq!(status["user"]["username"], username, "{status}");
                assert_eq!(status["user"]["groups"], json!(["system:nodes"]));
            }
            Err(reason) => assert!(
                status["error"].as_str().unwrap().contains(reason),
                "{status}"
            ),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn botocore_makes_tokens_the_lab_accepts() {
    let lab = Lab::start().await;
    lab.create_cluster("c").await;
    // What `aws eks get-token` does, with the endpoint override it takes from the environment.
    let script = r#"
import base64, sys, boto3
endpoint, key, secret = sys.argv[1:4]
sts = boto3.Session(key, secret, region_name="us-east-1").client("sts", endpoint_url=endpoint)
def keep(params, context, **_):
    if "ClusterName" in params:
        context["cluster"] = params.pop("ClusterName")
def add(request, **_):
    if "cluster" in request.context:
        request.headers["x-k8s-aws-id"] = request.context["cluster"]
sts.meta.events.register("provide-client-params.sts.GetCallerIdentity", keep)
sts.meta.events.register("before-sign.sts.GetCallerIdentity", add)
url = sts.generate_presigned_url("get_caller_identity", Params={"ClusterName": "c"}, ExpiresIn=60, HttpMethod="GET")
print("k8s-aws-v1." + base64.urlsafe_b64encode(url.encode()).decode().rstrip("="))
"#;
    let output = tokio::process::Command::new(python())
        .args([
            "-c",
            script,
            lab.handle.endpoint(),
            &lab.root.id,
            &lab.root.secret,
        ])
        .output()
        .await
        .unwrap();
    let token = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    let status = authenticate(&lab, "c", &token).await;
    assert_eq!(
        status["authenticated"],
        true,
        "{status} {}",
        String::from_utf8_lossy(&output.stderr)
    );
}
