//! Every service but EKS: forwarded to moto as it came, with what the lab must know read from
//! the answer, and the few STS answers moto cannot give.

use http::header::{CONNECTION, HOST, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue};
use http_body_util::{BodyExt, Full};
use jiff::Timestamp;

use crate::aws::{CallError, first};
use crate::core::Core;
use crate::principals::{Key, Principal};
use crate::refusals::{Call, Protocol, error, escape, server_error};
use crate::wire::{Answer, Request, find, new_request_id};

/// Answers a call whose signature is good (or that needs none).
pub(crate) async fn answer(
    core: &Core,
    service: &str,
    call: &Call,
    request: &Request,
    principal: Option<&Principal>,
) -> Answer {
    match (service, call.operation.as_str(), principal) {
        ("sts", "GetCallerIdentity", Some(principal)) => return caller_identity(principal),
        ("sts", "AssumeRole", Some(principal)) => {
            if let Err(refused) = may_assume(core, call, principal).await {
                return refused;
            }
        }
        _ => {}
    }
    let answer = match forward(core, request).await {
        Ok(answer) => answer,
        Err(failure) => return server_error(call.protocol, &failure.message),
    };
    if (200..300).contains(&answer.status) {
        learn(core, service, call, &answer, principal).await;
    }
    answer
}

/// Source: STS API reference, GetCallerIdentity.
fn caller_identity(principal: &Principal) -> Answer {
    Answer::xml(
        200,
        format!(
            "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult><Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>{}</RequestId></ResponseMetadata></GetCallerIdentityResponse>",
            escape(&principal.arn),
            escape(&principal.user_id),
            principal.account,
            new_request_id()
        ),
    )
}

/// The role must exist and its trust policy must name the caller. Source: IAM user guide,
/// "Methods to assume a role"; moto checks neither. Conditions are not evaluated.
async fn may_assume(core: &Core, call: &Call, principal: &Principal) -> Result<(), Answer> {
    let role_arn = find(&call.parameters, "RoleArn").unwrap_or_default();
    let role = core
        .aws
        .role(role_arn)
        .await
        .map_err(|failure| server_error(call.protocol, &failure.message))?;
    let caller = principal.entry_arn();
    if role
        .is_some_and(|role| role.trusts_principal(&principal.account, &[&caller, &principal.arn]))
    {
        return Ok(());
    }
    Err(error(
        Protocol::Query,
        403,
        "AccessDenied",
        &format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {role_arn}",
            principal.arn
        ),
    ))
}

async fn forward(core: &Core, request: &Request) -> Result<Answer, CallError> {
    let path = if request.query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, request.query)
    };
    let failed = |what: &dyn std::error::Error| CallError {
        code: "BadGateway".to_owned(),
        message: format!(
            "the lab's proxy got no answer from the moto server ({what}); check that it runs"
        ),
    };
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = core.aws.url(&path)?;
    for (name, value) in &request.headers {
        if name != CONNECTION && name != TRANSFER_ENCODING && name != "expect" {
            message.headers_mut().append(name, value.clone());
        }
    }
    if !message.headers().contains_key(HOST) {
        message
            .headers_mut()
            .insert(HOST, HeaderValue::from_static("127.0.0.1"));
    }
    let response = core
        .aws
        .http
        .request(message)
        .await
        .map_err(|error| failed(&error))?;
    let (parts, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .map_err(|error| failed(&error))?
        .to_bytes();
    let skipped = |name: &HeaderName| {
        name == CONNECTION || name == TRANSFER_ENCODING || name == http::header::CONTENT_LENGTH
    };
    let mut answer = Answer {
        status: parts.status.as_u16(),
        headers: parts
            .headers
            .iter()
            .filter(|(name, _)| !skipped(name) || request.method == http::Method::HEAD)
            .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
            .collect(),
        body,
        error: None,
    };
    if answer.status >= 400 {
        let text = String::from_utf8_lossy(&answer.body);
        answer.error = first(&text, "Code").or_else(|| {
            let value: serde_json::Value = serde_json::from_str(&text).ok()?;
            value["__type"].as_str().map(str::to_owned)
        });
    }
    Ok(answer)
}

/// Keeps the key store in step with what IAM and STS handed out.
async fn learn(
    core: &Core,
    service: &str,
    call: &Call,
    answer: &Answer,
    principal: Option<&Principal>,
) {
    let text = String::from_utf8_lossy(&answer.body);
    let parameter = |name: &str| find(&call.parameters, name);
    match (service, call.operation.as_str()) {
        ("iam", "CreateAccessKey") => {
            let Some(id) = first(&text, "AccessKeyId") else {
                return;
            };
            let Some(secret_access_key) = first(&text, "SecretAccessKey") else {
                return;
            };
            let Some(name) = first(&text, "UserName") else {
                return;
            };
            let Ok(Some((arn, user_id))) = core.aws.user(&name).await else {
                return;
            };
            core.keys.add(
                id,
                Key {
                    secret_access_key,
                    session_token: None,
                    expires: None,
                    principal: Principal {
                        arn,
                        account: core.config.account_id.clone(),
                        user_id,
                        role_arn: None,
                    },
                },
            );
        }
        ("iam", "UpdateAccessKey") => {
            if let Some((id, status)) = parameter("AccessKeyId").zip(parameter("Status")) {
                core.keys.set_active(id, status == "Active");
            }
        }
        ("iam", "DeleteAccessKey") => {
            if let Some(id) = parameter("AccessKeyId") {
                core.keys.remove(id);
            }
        }
        (
            "sts" | "",
            "AssumeRole"
            | "AssumeRoleWithSAML"
            | "AssumeRoleWithWebIdentity"
            | "GetSessionToken"
            | "GetFederationToken",
        ) => learn_session(core, call, &text, principal).await,
        _ => {}
    }
}

async fn learn_session(core: &Core, call: &Call, text: &str, principal: Option<&Principal>) {
    let Some(id) = first(text, "AccessKeyId") else {
        return;
    };
    let Some(secret_access_key) = first(text, "SecretAccessKey") else {
        return;
    };
    let expires = first(text, "Expiration").and_then(|time| time.parse::<Timestamp>().ok());
    let session = match call.operation.as_str() {
        "GetSessionToken" => principal.cloned(),
        "GetFederationToken" => {
            first(text, "Arn")
                .zip(first(text, "FederatedUserId"))
                .map(|(arn, user_id)| Principal {
                    arn,
                    account: core.config.account_id.clone(),
                    user_id,
                    role_arn: None,
                })
        }
        _ => {
            let role_arn = find(&call.parameters, "RoleArn").unwrap_or_default();
            let session_name = find(&call.parameters, "RoleSessionName").unwrap_or_default();
            let role_name = role_arn.rsplit('/').next().unwrap_or_default();
            // moto invents a role id for each session; the real one is the role's.
            let role_id = match core.aws.role(role_arn).await {
                Ok(Some(role)) => role.id,
                _ => "AROAUNKNOWNROLE000000".to_owned(),
            };
            Some(Principal {
                arn: format!(
                    "arn:aws:sts::{}:assumed-role/{role_name}/{session_name}",
                    core.config.account_id
                ),
                account: core.config.account_id.clone(),
                user_id: format!("{role_id}:{session_name}"),
                role_arn: Some(role_arn.to_owned()),
            })
        }
    };
    let Some(session) = session else {
        return;
    };
    core.keys.add(
        id,
        Key {
            secret_access_key,
            session_token: first(text, "SessionToken"),
            expires,
            principal: session,
        },
    );
}
