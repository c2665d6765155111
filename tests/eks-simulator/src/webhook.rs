//! The API server's webhooks: EKS tokens to users, and EKS access policies as an authorizer.
//!
//! Source: aws-iam-authenticator `pkg/token/token.go` and `pkg/server/server.go`.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, Method, Uri};
use hyper::body::Bytes;
use serde_json::{Value, json};

use crate::core::Core;
use crate::policies::{Attributes, allows};
use crate::principals::Principal;
use crate::signature::{self, Refusal};
use crate::store::Cluster;
use crate::wire::{Request, query_pairs};

const PREFIX: &str = "k8s-aws-v1.";
const MAX_TOKEN_BYTES: usize = 4096;
const MAX_EXPIRES_SECONDS: i64 = 900;
/// A token is good for 15 minutes from its date, whatever X-Amz-Expires says.
const VALID_SECONDS: i64 = 900;
/// Parameters a token may have, each once.
const PARAMETERS: [&str; 10] = [
    "action",
    "version",
    "x-amz-algorithm",
    "x-amz-credential",
    "x-amz-date",
    "x-amz-expires",
    "x-amz-security-token",
    "x-amz-signature",
    "x-amz-signedheaders",
    "x-amz-user-agent",
];

/// Answers a TokenReview v1.
pub(crate) fn authenticate(core: &Core, cluster: &str, review: &Value) -> Value {
    let token = review["spec"]["token"].as_str().unwrap_or_default();
    let status = match identify(core, cluster, token)
        .and_then(|(principal, key)| user(core, cluster, &principal, &key))
    {
        Ok(user) => json!({ "authenticated": true, "user": user }),
        Err(reason) => {
            tracing::debug!(cluster, reason, "a token was not accepted");
            json!({ "authenticated": false, "error": reason })
        }
    };
    json!({
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenReview",
        "status": status,
    })
}

/// Who made the token, and with which access key id.
fn identify(core: &Core, cluster: &str, token: &str) -> Result<(Principal, String), String> {
    if token.len() > MAX_TOKEN_BYTES {
        return Err("token is too large".to_owned());
    }
    let encoded = token
        .strip_prefix(PREFIX)
        .ok_or_else(|| format!("token is missing expected {PREFIX:?} prefix"))?;
    let url = URL_SAFE_NO_PAD
        .decode(encoded)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok())
        .ok_or("token is not unpadded base64url of a URL")?;
    let uri: Uri = url.parse().map_err(|_| "token holds no URL".to_owned())?;
    let host = uri
        .authority()
        .map(|authority| authority.as_str().to_owned())
        .unwrap_or_default();
    let host_region = check_host(core, uri.scheme_str().unwrap_or_default(), &host)?;
    if uri.path() != "/" {
        return Err("unexpected path in pre-signed URL".to_owned());
    }
    let query = uri.query().unwrap_or_default().to_owned();
    let pairs = query_pairs(&query);
    let mut seen: BTreeMap<String, &str> = BTreeMap::new();
    for (name, value) in &pairs {
        let name = name.to_ascii_lowercase();
        if !PARAMETERS.contains(&name.as_str()) {
            return Err(format!(
                "non-whitelisted query parameter {name:?} in pre-signed URL"
            ));
        }
        if seen.insert(name.clone(), value).is_some() {
            return Err(format!(
                "query parameter {name:?} occurs more than once in pre-signed URL"
            ));
        }
    }
    if seen.get("action") != Some(&"GetCallerIdentity") {
        return Err("unexpected action parameter in pre-signed URL".to_owned());
    }
    let mut headers = HeaderMap::new();
    for (name, value) in [("host", host.as_str()), ("x-k8s-aws-id", cluster)] {
        let value =
            HeaderValue::from_str(value).map_err(|_| format!("{name} cannot be a header"))?;
        headers.insert(name, value);
    }
    let request = Request {
        method: Method::GET,
        path: "/".to_owned(),
        query,
        headers,
        body: Bytes::new(),
    };
    let signed = signature::read(&request).map_err(|refusal| describe(&refusal))?;
    if !signed
        .signed_headers
        .iter()
        .any(|name| name == "x-k8s-aws-id")
    {
        return Err("client did not sign the x-k8s-aws-id header in the pre-signed URL".to_owned());
    }
    if signed.service != "sts" {
        return Err("the pre-signed URL is not signed for sts".to_owned());
    }
    // STS itself refuses a request that is signed for another region than the host's.
    if let Some(region) = host_region
        && region != signed.region
    {
        return Err(format!(
            "sts getCallerIdentity failed: the pre-signed URL for {host} is signed for region {}",
            signed.region
        ));
    }
    if !signed
        .expires_seconds
        .is_some_and(|seconds| (0..=MAX_EXPIRES_SECONDS).contains(&seconds))
    {
        return Err("invalid X-Amz-Expires parameter in pre-signed URL".to_owned());
    }
    let principal = signature::verify(
        &request,
        &signed,
        &core.keys,
        core.config.clock.wall(),
        Some(VALID_SECONDS),
    )
    .map_err(|refusal| describe(&refusal))?;
    Ok((principal, signed.access_key_id))
}

fn describe(refusal: &Refusal) -> String {
    match refusal {
        Refusal::Missing => "the pre-signed URL is not signed".to_owned(),
        Refusal::Incomplete(what) | Refusal::Skewed(what) | Refusal::Region(what) => what.clone(),
        Refusal::UnknownKey => "sts getCallerIdentity failed: InvalidClientTokenId".to_owned(),
        Refusal::SessionExpired => "sts getCallerIdentity failed: ExpiredToken".to_owned(),
        Refusal::Mismatch => {
            "sts getCallerIdentity failed: SignatureDoesNotMatch (wrong key, or made for another cluster)"
                .to_owned()
        }
    }
}

/// The STS hosts of the partition `aws`, or the lab's own endpoint, which stands for them. The
/// result is the region of an STS host. Source of the regions: botocore `endpoints.json`,
/// `regionRegex` of the partition; the global host is us-east-1's.
fn check_host(core: &Core, scheme: &str, host: &str) -> Result<Option<String>, String> {
    const AREAS: [&str; 9] = ["us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx"];
    if core.endpoint == format!("{scheme}://{host}") {
        return Ok(None);
    }
    if core
        .endpoint
        .strip_prefix("http://127.0.0.1:")
        .is_some_and(|port| scheme == "http" && host == format!("localhost:{port}"))
    {
        return Ok(None);
    }
    if scheme != "https" {
        return Err(format!("unexpected scheme {scheme:?} in pre-signed URL"));
    }
    if host == "sts.amazonaws.com" {
        return Ok(Some("us-east-1".to_owned()));
    }
    let regional = host
        .strip_prefix("sts.")
        .and_then(|rest| rest.strip_suffix(".amazonaws.com"))
        .filter(|region| {
            let parts: Vec<&str> = region.split('-').collect();
            let [area, name, number] = parts.as_slice() else {
                return false;
            };
            AREAS.contains(area)
                && !name.is_empty()
                && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
                && !number.is_empty()
                && number.bytes().all(|b| b.is_ascii_digit())
        });
    if let Some(region) = regional {
        return Ok(Some(region.to_owned()));
    }
    Err(format!("unexpected hostname {host:?} in pre-signed URL"))
}

/// The Kubernetes user of a principal: by its access entry, or the hidden admin of the creator.
fn user(core: &Core, name: &str, principal: &Principal, key: &str) -> Result<Value, String> {
    let store = core.store();
    let cluster = store.cluster(name).map_err(|error| error.message)?;
    let (username, groups) = mapping(cluster, principal)?;
    let session = principal.session_name().unwrap_or_default();
    Ok(json!({
        "username": username,
        "uid": format!("aws-iam-authenticator:{}:{}", principal.account, principal.unique_id()),
        "groups": groups,
        "extra": {
            "accessKeyId": [key],
            "arn": [principal.arn],
            "canonicalArn": [principal.entry_arn()],
            "principalId": [principal.unique_id()],
            "sessionName": [session],
        },
    }))
}

fn mapping(cluster: &Cluster, principal: &Principal) -> Result<(String, Vec<String>), String> {
    let arn = principal.entry_arn();
    let unmapped = || format!("ARN is not mapped: {arn}; create an access entry for it");
    if !cluster.uses_entries() {
        // Source: EKS user guide, authentication modes: in CONFIG_MAP mode the creator is in
        // system:masters without showing anywhere. aws-auth is not read.
        let creator = cluster.bootstrap_creator_admin && cluster.creator.entry_arn() == arn;
        return if creator {
            Ok((
                "kubernetes-admin".to_owned(),
                vec!["system:masters".to_owned()],
            ))
        } else {
            Err(unmapped())
        };
    }
    let entry = cluster.access_entries.get(&arn).ok_or_else(unmapped)?;
    // An entry is bound to the role's unique id. Source: EKS user guide, create access entries.
    if entry
        .principal_id
        .as_ref()
        .is_some_and(|id| id != principal.unique_id())
    {
        return Err(unmapped());
    }
    let session = principal.session_name().unwrap_or_default();
    let mut username = entry
        .username
        .replace("{{SessionName}}", &session.replace('@', "-"))
        .replace("{{AccountID}}", &principal.account);
    let placeholder = "{{EC2PrivateDNSName}}";
    if username.contains(placeholder) {
        // The session of an instance is named by its id, and EC2 knows the instance's name.
        let node = cluster
            .node_groups
            .values()
            .flat_map(|group| &group.nodes)
            .find(|node| node.instance_id == session)
            .ok_or_else(|| {
                format!(
                    "failed querying private DNS from EC2 API: there is no instance {session:?}"
                )
            })?;
        username = username.replace(placeholder, &node.name);
    }
    Ok((username, entry.groups.clone()))
}

/// Answers a SubjectAccessReview v1: allowed by an access policy, or no opinion.
pub(crate) fn authorize(core: &Core, name: &str, review: &Value) -> Value {
    let spec = &review["spec"];
    let attributes = Attributes::read(spec);
    let arn = spec["extra"]["canonicalArn"][0]
        .as_str()
        .or_else(|| spec["extra"]["canonicalarn"][0].as_str())
        .unwrap_or_default();
    let store = core.store();
    let allowed = store.cluster(name).ok().and_then(|cluster| {
        cluster
            .access_entries
            .get(arn)
            .filter(|_| cluster.uses_entries())?
            .associations
            .iter()
            .find(|association| allows(association, &attributes))
            .map(|association| association.policy_arn.clone())
    });
    let status = match allowed {
        Some(policy) => json!({
            "allowed": true,
            "reason": format!("EKS Access Policy: allowed by {policy} for {arn}"),
        }),
        None => json!({ "allowed": false, "reason": "no EKS access policy allows it" }),
    };
    json!({
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SubjectAccessReview",
        "status": status,
    })
}
