//! How each protocol says no: signature refusals and faults outside EKS's own shapes.

use serde_json::json;

use crate::signature::Refusal;
use crate::wire::{Answer, Request, form_pairs, new_request_id, query_pairs};

/// The wire protocol a request speaks; decides the form of error answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protocol {
    /// REST-JSON: EKS and other newer services.
    RestJson,
    /// JSON with X-Amz-Target.
    Json,
    /// Query with XML answers: IAM, STS, ELB, Auto Scaling.
    Query,
    /// EC2's own variant.
    Ec2,
    /// S3's.
    S3,
}

/// What a request outside EKS asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Call {
    pub protocol: Protocol,
    pub operation: String,
    /// Parameters of query protocols.
    pub parameters: Vec<(String, String)>,
}

/// Tells protocol and operation as botocore's models name them; REST services have only
/// "METHOD path".
pub(crate) fn classify(service: &str, request: &Request) -> Call {
    if let Some(target) = request.header("x-amz-target") {
        return Call {
            protocol: Protocol::Json,
            operation: target.rsplit('.').next().unwrap_or(target).to_owned(),
            parameters: Vec::new(),
        };
    }
    let mut parameters = query_pairs(&request.query);
    let form = request
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
    if form {
        parameters.extend(form_pairs(&request.body));
    }
    let action = crate::wire::find(&parameters, "Action").map(str::to_owned);
    if let Some(operation) = action {
        return Call {
            protocol: if service == "ec2" {
                Protocol::Ec2
            } else {
                Protocol::Query
            },
            operation,
            parameters,
        };
    }
    Call {
        protocol: if service == "s3" {
            Protocol::S3
        } else {
            Protocol::RestJson
        },
        operation: format!("{} {}", request.method, request.path),
        parameters,
    }
}

/// Whether the operation can change something, by its name; REST by its method.
pub(crate) fn is_write(operation: &str) -> bool {
    const READS: [&str; 10] = [
        "Get",
        "List",
        "Describe",
        "BatchGet",
        "Head",
        "Lookup",
        "Search",
        "Simulate",
        "AssumeRole",
        "GET ",
    ];
    let read = READS.iter().any(|prefix| operation.starts_with(prefix))
        || operation.starts_with("HEAD ")
        || operation == "DecodeAuthorizationMessage";
    !read
}

/// An error answer in the request's protocol.
pub(crate) fn error(protocol: Protocol, status: u16, code: &str, message: &str) -> Answer {
    let id = new_request_id();
    let answer = match protocol {
        Protocol::RestJson => Answer::json(status, &json!({ "message": message }))
            .with_header("x-amzn-errortype", code),
        Protocol::Json => Answer::json(status, &json!({ "__type": code, "message": message })),
        Protocol::Query => Answer::xml(
            status,
            format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{}</Message></Error><RequestId>{id}</RequestId></ErrorResponse>",
                escape(message)
            ),
        ),
        Protocol::Ec2 => Answer::xml(
            status,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response><Errors><Error><Code>{code}</Code><Message>{}</Message></Error></Errors><RequestID>{id}</RequestID></Response>",
                escape(message)
            ),
        ),
        Protocol::S3 => Answer::xml(
            status,
            format!(
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Error><Code>{code}</Code><Message>{}</Message><RequestId>{id}</RequestId></Error>",
                escape(message)
            ),
        ),
    };
    answer.with_error(code)
}

/// Text with the characters XML reserves escaped.
pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

const UNKNOWN_TOKEN: &str = "The security token included in the request is invalid.";
const EXPIRED_TOKEN: &str = "The security token included in the request is expired";
const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";

/// The answer to a request whose signature is not accepted. Source of the codes: "Common error
/// types" of the EKS and STS API references, EC2's "Error codes" and S3's "Error responses".
pub(crate) fn refuse(protocol: Protocol, refusal: &Refusal) -> Answer {
    use Protocol::{Ec2, Json, Query, RestJson, S3};
    let (code, status, message) = match (refusal, protocol) {
        (Refusal::Missing, RestJson) => (
            "MissingAuthenticationTokenException",
            403,
            "Missing Authentication Token",
        ),
        (Refusal::Missing, Json) => (
            "MissingAuthenticationTokenException",
            400,
            "Missing Authentication Token",
        ),
        (Refusal::Missing, Query) => (
            "MissingAuthenticationToken",
            403,
            "Request is missing Authentication Token",
        ),
        (Refusal::Missing, Ec2) => (
            "MissingAuthenticationToken",
            400,
            "Request is missing Authentication Token",
        ),
        (Refusal::Missing, S3) => ("AccessDenied", 403, "Access Denied"),
        (Refusal::Incomplete(message), RestJson) => {
            ("IncompleteSignatureException", 403, message.as_str())
        }
        (Refusal::Incomplete(message), Json) => {
            ("IncompleteSignatureException", 400, message.as_str())
        }
        (Refusal::Incomplete(message), Query | Ec2 | S3) => {
            ("IncompleteSignature", 400, message.as_str())
        }
        (Refusal::UnknownKey, RestJson) => ("UnrecognizedClientException", 403, UNKNOWN_TOKEN),
        (Refusal::UnknownKey, Json) => ("UnrecognizedClientException", 400, UNKNOWN_TOKEN),
        (Refusal::UnknownKey, Query) => ("InvalidClientTokenId", 403, UNKNOWN_TOKEN),
        (Refusal::UnknownKey | Refusal::Mismatch, Ec2) => (
            "AuthFailure",
            401,
            "AWS was not able to validate the provided access credentials",
        ),
        (Refusal::UnknownKey, S3) => (
            "InvalidAccessKeyId",
            403,
            "The AWS Access Key Id you provided does not exist in our records.",
        ),
        (Refusal::SessionExpired, RestJson) => ("ExpiredTokenException", 403, EXPIRED_TOKEN),
        (Refusal::SessionExpired, Json) => ("ExpiredTokenException", 400, EXPIRED_TOKEN),
        (Refusal::SessionExpired, Query) => ("ExpiredToken", 403, EXPIRED_TOKEN),
        (Refusal::SessionExpired, Ec2) => ("RequestExpired", 400, "Request has expired."),
        (Refusal::SessionExpired, S3) => ("ExpiredToken", 400, "The provided token has expired."),
        (Refusal::Skewed(message), RestJson) => {
            ("InvalidSignatureException", 403, message.as_str())
        }
        (Refusal::Skewed(message), Json) => ("InvalidSignatureException", 400, message.as_str()),
        (Refusal::Skewed(message), Query) => ("SignatureDoesNotMatch", 403, message.as_str()),
        (Refusal::Skewed(_), Ec2) => ("RequestExpired", 400, "Request has expired."),
        (Refusal::Skewed(message), S3) => ("RequestTimeTooSkewed", 403, message.as_str()),
        (Refusal::Mismatch, RestJson) => ("InvalidSignatureException", 403, MISMATCH),
        (Refusal::Mismatch, Json) => ("InvalidSignatureException", 400, MISMATCH),
        (Refusal::Mismatch, Query | S3) => ("SignatureDoesNotMatch", 403, MISMATCH),
        (Refusal::Region(message), _) => ("InvalidSignatureException", 403, message.as_str()),
    };
    error(protocol, status, code, message)
}

/// Throttling in the protocol's own words.
pub(crate) fn throttle(protocol: Protocol) -> Answer {
    match protocol {
        Protocol::RestJson => error(protocol, 429, "ThrottlingException", "Rate exceeded"),
        Protocol::Json => error(protocol, 400, "ThrottlingException", "Rate exceeded"),
        Protocol::Query => error(protocol, 400, "Throttling", "Rate exceeded"),
        Protocol::Ec2 => error(
            protocol,
            503,
            "RequestLimitExceeded",
            "Request limit exceeded.",
        ),
        Protocol::S3 => error(
            protocol,
            503,
            "SlowDown",
            "Please reduce your request rate.",
        ),
    }
}

/// Unavailability in the protocol's own words. Source: "Common error types" of the API references,
/// EC2's "Error codes" and S3's "Error responses".
pub(crate) fn unavailable(protocol: Protocol) -> Answer {
    let message = "Service is unavailable. Please try again shortly.";
    let code = match protocol {
        Protocol::RestJson | Protocol::Json => "ServiceUnavailableException",
        Protocol::Query | Protocol::S3 => "ServiceUnavailable",
        Protocol::Ec2 => "Unavailable",
    };
    error(protocol, 503, code, message)
}

/// A failure of the service in the protocol's own words.
pub(crate) fn server_error(protocol: Protocol, message: &str) -> Answer {
    match protocol {
        Protocol::RestJson | Protocol::Json => {
            error(protocol, 500, "InternalServerException", message)
        }
        Protocol::Query => error(protocol, 500, "InternalFailure", message),
        Protocol::Ec2 | Protocol::S3 => error(protocol, 500, "InternalError", message),
    }
}
