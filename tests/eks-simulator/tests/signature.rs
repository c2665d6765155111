//! Who may call: signatures, keys, sessions, and the errors for everything else.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail by panicking, as tests do"
)]

mod common;

use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use common::{Keys, Lab, element, percent, sign_request};
use http_body_util::{BodyExt, Full};
use hyper::body::Bytes;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};

const FORM: &str = "application/x-www-form-urlencoded";
const IDENTITY: &str = "Action=GetCallerIdentity&Version=2011-06-15";

/// Keys, service, path, body, status, code.
type Refused<'a> = (Option<&'a Keys>, &'a str, &'a str, &'a str, u16, &'a str);

#[tokio::test]
async fn each_protocol_refuses_in_its_own_words() {
    let lab = Lab::start().await;
    let unknown = Keys {
        id: "AKIAUNKNOWN".to_owned(),
        ..lab.root.clone()
    };
    let wrong = Keys {
        secret: "wrong".to_owned(),
        ..lab.root.clone()
    };
    let token = Keys {
        token: Some("made-up".to_owned()),
        ..lab.root.clone()
    };
    let vpcs = "Action=DescribeVpcs&Version=2016-11-15";
    let cases: [Refused<'_>; 12] = [
        (
            None,
            "eks",
            "/clusters",
            "",
            403,
            "MissingAuthenticationTokenException",
        ),
        (
            Some(&unknown),
            "eks",
            "/clusters",
            "",
            403,
            "UnrecognizedClientException",
        ),
        (
            Some(&wrong),
            "eks",
            "/clusters",
            "",
            403,
            "InvalidSignatureException",
        ),
        (
            Some(&token),
            "eks",
            "/clusters",
            "",
            403,
            "UnrecognizedClientException",
        ),
        (
            None,
            "sts",
            "/",
            IDENTITY,
            403,
            "MissingAuthenticationToken",
        ),
        (
            Some(&unknown),
            "sts",
            "/",
            IDENTITY,
            403,
            "InvalidClientTokenId",
        ),
        (
            Some(&wrong),
            "sts",
            "/",
            IDENTITY,
            403,
            "SignatureDoesNotMatch",
        ),
        (
            Some(&wrong),
            "iam",
            "/",
            "Action=ListUsers&Version=2010-05-08",
            403,
            "SignatureDoesNotMatch",
        ),
        (Some(&unknown), "ec2", "/", vpcs, 401, "AuthFailure"),
        (Some(&wrong), "ec2", "/", vpcs, 401, "AuthFailure"),
        (Some(&lab.root), "ec2", "/", vpcs, 200, ""),
        (Some(&lab.root), "sts", "/", IDENTITY, 200, ""),
    ];
    for (keys, service, path, body, status, code) in cases {
        let method = if body.is_empty() { "GET" } else { "POST" };
        let reply = lab
            .send(keys, service, method, path, FORM, body.into())
            .await;
        println!("{service} {code}");
        assert_eq!(reply.status, status, "{}", reply.text);
        if service == "eks" {
            assert_eq!(reply.code, code);
            assert!(reply.body["message"].is_string());
        } else if !code.is_empty() {
            assert_eq!(element(&reply.text, "Code"), code);
        }
    }
}

async fn raw(lab: &Lab, mut request: http::Request<Vec<u8>>, time: SystemTime) -> (u16, String) {
    let url = request.uri().to_string();
    sign_request(&lab.root, "eks", &url, &mut request, time);
    let client: Client<_, Full<Bytes>> = Client::builder(TokioExecutor::new()).build_http();
    let response = client
        .request(request.map(|body| Full::new(Bytes::from(body))))
        .await
        .unwrap();
    let status = response.status().as_u16();
    let bytes = response.into_body().collect().await.unwrap().to_bytes();
    (status, String::from_utf8_lossy(&bytes).into_owned())
}

#[tokio::test]
async fn old_and_future_signatures_are_refused() {
    let lab = Lab::start().await;
    let request = || {
        http::Request::builder()
            .uri(format!("{}/clusters", lab.handle.endpoint()))
            .header("host", lab.handle.endpoint().trim_start_matches("http://"))
            .body(Vec::new())
            .unwrap()
    };
    let now = SystemTime::now();
    let (status, text) = raw(&lab, request(), now - Duration::from_secs(60)).await;
    assert_eq!(status, 200, "{text}");
    let (status, text) = raw(&lab, request(), now - Duration::from_secs(600)).await;
    assert!(
        status == 403 && text.contains("Signature expired"),
        "{text}"
    );
    let (status, text) = raw(&lab, request(), now + Duration::from_secs(600)).await;
    assert!(
        status == 403 && text.contains("Signature not yet current"),
        "{text}"
    );
}

#[tokio::test]
async fn keys_of_users_and_sessions_are_learned_and_forgotten() {
    let lab = Lab::start().await;
    let name = format!("user-{}", lab.unique);
    let iam = |action: &str, rest: &str| {
        format!("Action={action}&UserName={name}{rest}&Version=2010-05-08")
    };
    lab.query("iam", &iam("CreateUser", "&Path=%2Fteam%2F"))
        .await;
    let made = lab.query("iam", &iam("CreateAccessKey", "")).await.text;
    let user = Keys {
        id: element(&made, "AccessKeyId"),
        secret: element(&made, "SecretAccessKey"),
        token: None,
    };
    let identity = lab.query_as(&user, "sts", IDENTITY).await.text;
    assert_eq!(
        element(&identity, "Arn"),
        format!("arn:aws:iam::123456789012:user/team/{name}")
    );
    let known = lab.query("iam", &iam("GetUser", "")).await.text;
    assert_eq!(element(&identity, "UserId"), element(&known, "UserId"));
    assert_eq!(
        lab.eks_as(&user, "GET", "/clusters", Value::Null)
            .await
            .status,
        200
    );

    // Roles: only those that trust the caller.
    let trust = json!({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
        "Action": "sts:AssumeRole", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}}]});
    let role = lab
        .role_with_trust(&format!("ops-{}", lab.unique), &trust, &[])
        .await;
    let assume = |role: &str| {
        format!(
            "Action=AssumeRole&RoleArn={}&RoleSessionName=me&Version=2011-06-15",
            percent(role)
        )
    };
    let refused = lab.query_as(&user, "sts", &assume(&lab.cluster_role)).await;
    assert_eq!(
        (refused.status, element(&refused.text, "Code").as_str()),
        (403, "AccessDenied")
    );
    let session = lab.query_as(&user, "sts", &assume(&role)).await.text;
    let session = Keys {
        id: element(&session, "AccessKeyId"),
        secret: element(&session, "SecretAccessKey"),
        token: Some(element(&session, "SessionToken")),
    };
    let identity = lab.query_as(&session, "sts", IDENTITY).await.text;
    let role_name = role.rsplit('/').next().unwrap();
    assert_eq!(
        element(&identity, "Arn"),
        format!("arn:aws:sts::123456789012:assumed-role/{role_name}/me")
    );
    assert_eq!(
        lab.eks_as(&session, "GET", "/clusters", Value::Null)
            .await
            .status,
        200
    );
    let without_token = Keys {
        token: None,
        ..session.clone()
    };
    assert_eq!(
        lab.eks_as(&without_token, "GET", "/clusters", Value::Null)
            .await
            .code,
        "UnrecognizedClientException"
    );

    let key = format!("&AccessKeyId={}", user.id);
    for (action, rest, accepted) in [
        ("UpdateAccessKey", "&Status=Inactive", false),
        ("UpdateAccessKey", "&Status=Active", true),
        ("DeleteAccessKey", "", false),
    ] {
        lab.query("iam", &iam(action, &format!("{key}{rest}")))
            .await;
        let reply = lab.eks_as(&user, "GET", "/clusters", Value::Null).await;
        assert_eq!(reply.status == 200, accepted, "{action}{rest}");
    }
    let last = lab.handle.request_log().all().pop().unwrap();
    assert_eq!((last.service.as_str(), last.principal), ("eks", None));
}

#[tokio::test]
async fn ended_sessions_are_expired() {
    let lab = Lab::start().await;
    let text = lab
        .query(
            "sts",
            "Action=GetSessionToken&DurationSeconds=900&Version=2011-06-15",
        )
        .await
        .text;
    let session = Keys {
        id: element(&text, "AccessKeyId"),
        secret: element(&text, "SecretAccessKey"),
        token: Some(element(&text, "SessionToken")),
    };
    assert_eq!(
        lab.eks_as(&session, "GET", "/clusters", Value::Null)
            .await
            .status,
        200
    );
    lab.wall_offset.store(2 * 24 * 3600, Ordering::SeqCst);
    let expired = lab.eks_as(&session, "GET", "/clusters", Value::Null).await;
    expired.refused("ExpiredTokenException", "expired");
    let expired = lab.query_as(&session, "sts", IDENTITY).await;
    assert_eq!(element(&expired.text, "Code"), "ExpiredToken");
    assert_eq!(
        lab.get("/clusters").await.status,
        200,
        "the root pair has no end"
    );
}

#[tokio::test]
async fn the_life_of_a_presigned_request_is_a_second_to_seven_days() {
    let lab = Lab::start().await;
    // X-Amz-Expires, code: within the limits only the made-up signature is wrong
    for (expires, code) in [
        ("1", "InvalidSignatureException"),
        ("604800", "InvalidSignatureException"),
        ("604801", "IncompleteSignatureException"),
        ("0", "IncompleteSignatureException"),
        ("-1", "IncompleteSignatureException"),
        ("-9223372036854775808", "IncompleteSignatureException"),
        ("9223372036854775808", "IncompleteSignatureException"),
        ("soon", "IncompleteSignatureException"),
    ] {
        let date = jiff::Timestamp::now()
            .strftime("%Y%m%dT%H%M%SZ")
            .to_string();
        let path = format!(
            "/clusters?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential={}%2F{}%2Fus-east-1%2Feks%2Faws4_request&X-Amz-Date={date}&X-Amz-Expires={expires}&X-Amz-SignedHeaders=host&X-Amz-Signature=0",
            lab.root.id,
            &date[..8],
        );
        let reply = lab
            .send(None, "", "GET", &path, "application/json", Vec::new())
            .await;
        assert_eq!(reply.code, code, "{expires}: {}", reply.text);
    }
}
