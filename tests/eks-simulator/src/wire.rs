//! Requests as they arrive, EKS errors and answers as they leave.

use http::{HeaderMap, Method};
use hyper::body::Bytes;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use serde_json::{Map, Value, json};

/// Everything but the unreserved characters of RFC 3986, as SigV4 encodes.
const UNRESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

pub(crate) fn percent_encode(text: &str) -> String {
    utf8_percent_encode(text, UNRESERVED).to_string()
}

pub(crate) fn percent_decode(text: &str) -> String {
    percent_decode_str(text).decode_utf8_lossy().into_owned()
}

/// Name and value pairs of a query string as written, decoded; `+` stays as it is.
pub(crate) fn query_pairs(query: &str) -> Vec<(String, String)> {
    query
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (percent_decode(name), percent_decode(value))
        })
        .collect()
}

/// Like [`query_pairs`] for an `application/x-www-form-urlencoded` body, where `+` is a space.
pub(crate) fn form_pairs(body: &[u8]) -> Vec<(String, String)> {
    query_pairs(&String::from_utf8_lossy(body).replace('+', " "))
}

pub(crate) fn find<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs
        .iter()
        .find(|(key, _)| key == name)
        .map(|(_, value)| value.as_str())
}

/// A request, read whole.
pub(crate) struct Request {
    pub method: Method,
    /// Path as on the wire, still encoded.
    pub path: String,
    /// Query as on the wire, without `?`.
    pub query: String,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Path and query without the presigned parameters, for the log.
    pub(crate) fn loggable_path(&self) -> String {
        let kept: Vec<&str> = self
            .query
            .split('&')
            .filter(|pair| !pair.is_empty() && !pair.to_ascii_lowercase().starts_with("x-amz-"))
            .collect();
        if kept.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, kept.join("&"))
        }
    }
}

/// An answer, before faults.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// Error code, for the log.
    pub error: Option<String>,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: Bytes::from(body.to_string()),
            error: None,
        }
    }

    pub(crate) fn xml(status: u16, body: String) -> Self {
        Self {
            status,
            headers: vec![("content-type".to_owned(), "text/xml".to_owned())],
            body: Bytes::from(body),
            error: None,
        }
    }

    pub(crate) fn with_header(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    pub(crate) fn with_error(mut self, code: &str) -> Self {
        self.error = Some(code.to_owned());
        self
    }
}

/// The EKS error shapes and what identifies the failing resource in them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Code {
    AccessDenied,
    BadRequest,
    InvalidParameter,
    InvalidRequest,
    InvalidState,
    NotFound,
    ResourceInUse,
    ResourceLimitExceeded,
    ResourceNotFound,
    Serialization,
    Server,
    ServiceUnavailable,
    Throttling,
    UnknownOperation,
    UnsupportedAvailabilityZone,
    Validation,
}

impl Code {
    /// Name, HTTP status and members beside `message`. Source: botocore model, error shapes;
    /// SerializationException, UnknownOperationException and ValidationException are the
    /// gateway's, not the model's.
    fn shape(self) -> (&'static str, u16, &'static [&'static str]) {
        match self {
            Self::AccessDenied => ("AccessDeniedException", 403, &[]),
            Self::BadRequest => ("BadRequestException", 400, &[]),
            Self::InvalidParameter => (
                "InvalidParameterException",
                400,
                &[
                    "clusterName",
                    "nodegroupName",
                    "fargateProfileName",
                    "addonName",
                    "subscriptionId",
                ],
            ),
            Self::InvalidRequest => (
                "InvalidRequestException",
                400,
                &[
                    "clusterName",
                    "nodegroupName",
                    "addonName",
                    "subscriptionId",
                ],
            ),
            Self::InvalidState => ("InvalidStateException", 400, &["clusterName"]),
            Self::NotFound => ("NotFoundException", 404, &[]),
            Self::ResourceInUse => (
                "ResourceInUseException",
                409,
                &["clusterName", "nodegroupName", "addonName"],
            ),
            Self::ResourceLimitExceeded => (
                "ResourceLimitExceededException",
                400,
                &["clusterName", "nodegroupName", "subscriptionId"],
            ),
            Self::ResourceNotFound => (
                "ResourceNotFoundException",
                404,
                &[
                    "clusterName",
                    "nodegroupName",
                    "fargateProfileName",
                    "addonName",
                    "subscriptionId",
                ],
            ),
            Self::Serialization => ("SerializationException", 400, &[]),
            Self::Server => (
                "ServerException",
                500,
                &[
                    "clusterName",
                    "nodegroupName",
                    "addonName",
                    "subscriptionId",
                ],
            ),
            Self::ServiceUnavailable => ("ServiceUnavailableException", 503, &[]),
            Self::Throttling => ("ThrottlingException", 429, &["clusterName"]),
            Self::UnknownOperation => ("UnknownOperationException", 404, &[]),
            Self::UnsupportedAvailabilityZone => (
                "UnsupportedAvailabilityZoneException",
                400,
                &["clusterName", "nodegroupName", "validZones"],
            ),
            Self::Validation => ("ValidationException", 400, &[]),
        }
    }
}

/// An EKS error answer.
#[derive(Debug, Clone)]
pub(crate) struct ApiError {
    pub code: Code,
    pub message: String,
    pub cluster: Option<String>,
    /// Member of the error that names the node group, add-on or Fargate profile, and the name.
    pub part: Option<(&'static str, String)>,
    pub valid_zones: Vec<String>,
}

impl ApiError {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            cluster: None,
            part: None,
            valid_zones: Vec::new(),
        }
    }

    pub(crate) fn parameter(message: impl Into<String>) -> Self {
        Self::new(Code::InvalidParameter, message)
    }

    pub(crate) fn in_use(message: impl Into<String>) -> Self {
        Self::new(Code::ResourceInUse, message)
    }

    pub(crate) fn cluster(mut self, name: &str) -> Self {
        self.cluster = Some(name.to_owned());
        self
    }

    pub(crate) fn node_group(mut self, name: &str) -> Self {
        self.part = Some(("nodegroupName", name.to_owned()));
        self
    }

    pub(crate) fn addon(mut self, name: &str) -> Self {
        self.part = Some(("addonName", name.to_owned()));
        self
    }

    pub(crate) fn fargate_profile(mut self, name: &str) -> Self {
        self.part = Some(("fargateProfileName", name.to_owned()));
        self
    }

    /// Source of the form: terraform-provider-aws issue 38796 (code in the header, every member
    /// in the body, null where it does not apply).
    pub(crate) fn answer(&self) -> Answer {
        let (name, status, members) = self.code.shape();
        let mut body = Map::new();
        for member in members {
            let value = match *member {
                "clusterName" => json!(self.cluster),
                "validZones" => json!(self.valid_zones),
                member => {
                    let part = self.part.as_ref().filter(|(kind, _)| *kind == member);
                    json!(part.map(|(_, name)| name))
                }
            };
            body.insert((*member).to_owned(), value);
        }
        body.insert("message".to_owned(), json!(self.message));
        Answer::json(status, &Value::Object(body))
            .with_header("x-amzn-errortype", name)
            .with_error(name)
    }
}

/// Method, path template and operation. Source: botocore model, `http` of each operation.
const ROUTES: &[(&str, &str, &str)] = &[
    ("POST", "/clusters", "CreateCluster"),
    ("GET", "/clusters", "ListClusters"),
    ("GET", "/clusters/*", "DescribeCluster"),
    ("DELETE", "/clusters/*", "DeleteCluster"),
    ("POST", "/clusters/*/update-config", "UpdateClusterConfig"),
    ("POST", "/clusters/*/updates", "UpdateClusterVersion"),
    ("GET", "/clusters/*/updates", "ListUpdates"),
    ("GET", "/clusters/*/updates/*", "DescribeUpdate"),
    ("POST", "/clusters/*/node-groups", "CreateNodegroup"),
    ("GET", "/clusters/*/node-groups", "ListNodegroups"),
    ("GET", "/clusters/*/node-groups/*", "DescribeNodegroup"),
    ("DELETE", "/clusters/*/node-groups/*", "DeleteNodegroup"),
    (
        "POST",
        "/clusters/*/node-groups/*/update-config",
        "UpdateNodegroupConfig",
    ),
    (
        "POST",
        "/clusters/*/node-groups/*/update-version",
        "UpdateNodegroupVersion",
    ),
    ("POST", "/clusters/*/access-entries", "CreateAccessEntry"),
    ("GET", "/clusters/*/access-entries", "ListAccessEntries"),
    ("GET", "/clusters/*/access-entries/*", "DescribeAccessEntry"),
    ("POST", "/clusters/*/access-entries/*", "UpdateAccessEntry"),
    (
        "DELETE",
        "/clusters/*/access-entries/*",
        "DeleteAccessEntry",
    ),
    (
        "POST",
        "/clusters/*/access-entries/*/access-policies",
        "AssociateAccessPolicy",
    ),
    (
        "GET",
        "/clusters/*/access-entries/*/access-policies",
        "ListAssociatedAccessPolicies",
    ),
    (
        "DELETE",
        "/clusters/*/access-entries/*/access-policies/*",
        "DisassociateAccessPolicy",
    ),
    ("GET", "/access-policies", "ListAccessPolicies"),
    ("GET", "/cluster-versions", "DescribeClusterVersions"),
    ("POST", "/tags/*", "TagResource"),
    ("DELETE", "/tags/*", "UntagResource"),
    ("GET", "/tags/*", "ListTagsForResource"),
    // Known to the model, refused here.
    (
        "POST",
        "/clusters/*/encryption-config/associate",
        "AssociateEncryptionConfig",
    ),
    (
        "POST",
        "/clusters/*/updates/*/cancel-update",
        "CancelUpdate",
    ),
    (
        "POST",
        "/clusters/*/fargate-profiles",
        "CreateFargateProfile",
    ),
    ("GET", "/clusters/*/fargate-profiles", "ListFargateProfiles"),
    (
        "GET",
        "/clusters/*/fargate-profiles/*",
        "DescribeFargateProfile",
    ),
    (
        "DELETE",
        "/clusters/*/fargate-profiles/*",
        "DeleteFargateProfile",
    ),
    ("POST", "/clusters/*/addons", "CreateAddon"),
    ("GET", "/clusters/*/addons", "ListAddons"),
    ("GET", "/clusters/*/addons/*", "DescribeAddon"),
    ("DELETE", "/clusters/*/addons/*", "DeleteAddon"),
    ("POST", "/clusters/*/addons/*/update", "UpdateAddon"),
    ("GET", "/addons/supported-versions", "DescribeAddonVersions"),
    (
        "GET",
        "/addons/configuration-schemas",
        "DescribeAddonConfiguration",
    ),
    (
        "POST",
        "/clusters/*/pod-identity-associations",
        "CreatePodIdentityAssociation",
    ),
    (
        "GET",
        "/clusters/*/pod-identity-associations",
        "ListPodIdentityAssociations",
    ),
    (
        "GET",
        "/clusters/*/pod-identity-associations/*",
        "DescribePodIdentityAssociation",
    ),
    (
        "POST",
        "/clusters/*/pod-identity-associations/*",
        "UpdatePodIdentityAssociation",
    ),
    (
        "DELETE",
        "/clusters/*/pod-identity-associations/*",
        "DeletePodIdentityAssociation",
    ),
    (
        "GET",
        "/clusters/*/identity-provider-configs",
        "ListIdentityProviderConfigs",
    ),
    (
        "POST",
        "/clusters/*/identity-provider-configs/associate",
        "AssociateIdentityProviderConfig",
    ),
    (
        "POST",
        "/clusters/*/identity-provider-configs/disassociate",
        "DisassociateIdentityProviderConfig",
    ),
    (
        "POST",
        "/clusters/*/identity-provider-configs/describe",
        "DescribeIdentityProviderConfig",
    ),
    ("POST", "/clusters/*/insights", "ListInsights"),
    ("GET", "/clusters/*/insights/*", "DescribeInsight"),
    (
        "POST",
        "/clusters/*/insights-refresh",
        "StartInsightsRefresh",
    ),
    (
        "GET",
        "/clusters/*/insights-refresh",
        "DescribeInsightsRefresh",
    ),
    ("POST", "/clusters/*/capabilities", "CreateCapability"),
    ("GET", "/clusters/*/capabilities", "ListCapabilities"),
    ("GET", "/clusters/*/capabilities/*", "DescribeCapability"),
    ("POST", "/clusters/*/capabilities/*", "UpdateCapability"),
    ("DELETE", "/clusters/*/capabilities/*", "DeleteCapability"),
    (
        "POST",
        "/clusters/*/certificate-authorities",
        "CreateCertificateAuthority",
    ),
    (
        "GET",
        "/clusters/*/certificate-authorities",
        "ListCertificateAuthorities",
    ),
    (
        "GET",
        "/clusters/*/certificate-authorities/*",
        "DescribeCertificateAuthority",
    ),
    (
        "DELETE",
        "/clusters/*/certificate-authorities/*",
        "DeleteCertificateAuthority",
    ),
    (
        "POST",
        "/clusters/*/certificate-authorities/*/activate",
        "ActivateCertificateAuthority",
    ),
    ("POST", "/cluster-registrations", "RegisterCluster"),
    ("DELETE", "/cluster-registrations/*", "DeregisterCluster"),
    (
        "POST",
        "/eks-anywhere-subscriptions",
        "CreateEksAnywhereSubscription",
    ),
    (
        "GET",
        "/eks-anywhere-subscriptions",
        "ListEksAnywhereSubscriptions",
    ),
    (
        "GET",
        "/eks-anywhere-subscriptions/*",
        "DescribeEksAnywhereSubscription",
    ),
    (
        "POST",
        "/eks-anywhere-subscriptions/*",
        "UpdateEksAnywhereSubscription",
    ),
    (
        "DELETE",
        "/eks-anywhere-subscriptions/*",
        "DeleteEksAnywhereSubscription",
    ),
];

/// The operation a request means and the decoded variable parts of its path.
pub(crate) fn route(method: &Method, path: &str) -> Option<(&'static str, Vec<String>)> {
    let segments: Vec<&str> = path.trim_matches('/').split('/').collect();
    ROUTES.iter().find_map(|(verb, template, operation)| {
        if method.as_str() != *verb {
            return None;
        }
        let parts: Vec<&str> = template.trim_matches('/').split('/').collect();
        if parts.len() != segments.len() {
            return None;
        }
        let mut variables = Vec::new();
        for (part, segment) in parts.iter().zip(&segments) {
            if *part == "*" {
                variables.push(percent_decode(segment));
            } else if part != segment {
                return None;
            }
        }
        Some((*operation, variables))
    })
}

pub(crate) fn new_request_id() -> String {
    uuid::Uuid::new_v4().to_string()
}

/// A timestamp as the REST-JSON protocol sends it: seconds since the epoch with milliseconds.
pub(crate) fn epoch(time: jiff::Timestamp) -> Value {
    json!(time.as_millisecond() as f64 / 1000.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn routes_find_operations_and_decode_arns() {
        let cases = [
            ("GET", "/clusters", Some(("ListClusters", vec![]))),
            ("GET", "/clusters/a", Some(("DescribeCluster", vec!["a"]))),
            (
                "DELETE",
                "/clusters/a/access-entries/arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx%2Fy/access-policies/p",
                Some((
                    "DisassociateAccessPolicy",
                    vec!["a", "arn:aws:iam::1:role/x/y", "p"],
                )),
            ),
            (
                "POST",
                "/tags/arn%3Aaws%3Aeks%3Aus-east-1%3A1%3Acluster%2Fa",
                Some(("TagResource", vec!["arn:aws:eks:us-east-1:1:cluster/a"])),
            ),
            ("PUT", "/clusters", None),
            ("GET", "/nothing", None),
        ];
        for (method, path, expected) in cases {
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let found = route(&method, path);
            let found = found
                .as_ref()
                .map(|(name, parts)| (*name, parts.iter().map(String::as_str).collect::<Vec<_>>()));
            assert_eq!(found, expected, "{method} {path}");
        }
    }

    #[test]
    fn errors_name_the_code_in_the_header_and_carry_nulls() {
        let answer = ApiError::new(Code::ResourceNotFound, "No cluster found for name: a.")
            .cluster("a")
            .answer();
        assert_eq!(answer.status, 404);
        assert!(answer.headers.contains(&(
            "x-amzn-errortype".to_owned(),
            "ResourceNotFoundException".to_owned()
        )));
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(
            body,
            json!({
                "clusterName": "a", "nodegroupName": null, "fargateProfileName": null,
                "addonName": null, "subscriptionId": null,
                "message": "No cluster found for name: a."
            })
        );
    }
}
