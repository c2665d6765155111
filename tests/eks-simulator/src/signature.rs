//! Signature Version 4: reading, checking and making signatures.
//!
//! Source: IAM user guide, "Create a signed AWS API request"; the canonical path rules (encode
//! twice except for S3) as botocore `auth.py` has them.

use std::time::SystemTime;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use sha2::{Digest, Sha256};

use crate::principals::{Keys, Principal};
use crate::wire::{Request, find, percent_decode, percent_encode, query_pairs};

/// How far a request's date may be from now. Source: IAM user guide, troubleshooting
/// signatures (5 minutes).
const SKEW_SECONDS: i64 = 300;
/// Seven days.
const MAX_EXPIRES_SECONDS: i64 = 604_800;

/// What a request says about its signature.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub access_key_id: String,
    pub scope_date: String,
    pub region: String,
    pub service: String,
    pub signed_headers: Vec<String>,
    pub signature: String,
    pub date: String,
    pub session_token: Option<String>,
    /// In the query; then `expires` counts.
    pub presigned: bool,
    pub expires_seconds: Option<i64>,
}

/// Why a request is not accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No signature at all.
    Missing,
    /// A signature that cannot be read.
    Incomplete(String),
    /// The key is unknown, or its session token is wrong or absent.
    UnknownKey,
    /// The session is over.
    SessionExpired,
    /// Too old or too new.
    Skewed(String),
    /// The signature is wrong.
    Mismatch,
    /// EKS in another region than this endpoint's.
    Region(String),
}

/// Reads the signature from the Authorization header or the query.
pub(crate) fn read(request: &Request) -> Result<Signed, Refusal> {
    if let Some(header) = request.header("authorization") {
        return read_header(request, header);
    }
    let pairs = query_pairs(&request.query);
    if find(&pairs, "X-Amz-Algorithm").is_some() || find(&pairs, "X-Amz-Signature").is_some() {
        return read_query(&pairs);
    }
    Err(Refusal::Missing)
}

fn read_header(request: &Request, header: &str) -> Result<Signed, Refusal> {
    let Some(fields) = header.strip_prefix("AWS4-HMAC-SHA256") else {
        return Err(Refusal::Incomplete(
            "Authorization header requires the algorithm AWS4-HMAC-SHA256.".to_owned(),
        ));
    };
    let field = |name: &str| {
        fields
            .split(',')
            .filter_map(|part| part.trim().split_once('='))
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value.to_owned())
            .ok_or_else(|| {
                Refusal::Incomplete(format!("Authorization header requires '{name}' parameter."))
            })
    };
    let date = request
        .header("x-amz-date")
        .ok_or_else(|| {
            Refusal::Incomplete(
                "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."
                    .to_owned(),
            )
        })?
        .to_owned();
    from_parts(
        &field("Credential")?,
        &field("SignedHeaders")?,
        field("Signature")?,
        date,
        request.header("x-amz-security-token").map(str::to_owned),
        None,
    )
}

fn read_query(pairs: &[(String, String)]) -> Result<Signed, Refusal> {
    let field = |name: &str| {
        find(pairs, name).map(str::to_owned).ok_or_else(|| {
            Refusal::Incomplete(format!(
                "AWS query-string parameters must include '{name}'."
            ))
        })
    };
    // Source: IAM user guide, authentication methods (1 second to 7 days).
    let expires = field("X-Amz-Expires")?
        .parse::<i64>()
        .ok()
        .filter(|seconds| (1..=MAX_EXPIRES_SECONDS).contains(seconds))
        .ok_or_else(|| {
            Refusal::Incomplete(format!(
                "'X-Amz-Expires' must be a number of seconds between 1 and {MAX_EXPIRES_SECONDS}."
            ))
        })?;
    from_parts(
        &field("X-Amz-Credential")?,
        &field("X-Amz-SignedHeaders")?,
        field("X-Amz-Signature")?,
        field("X-Amz-Date")?,
        find(pairs, "X-Amz-Security-Token").map(str::to_owned),
        Some(expires),
    )
}

fn from_parts(
    credential: &str,
    signed_headers: &str,
    signature: String,
    date: String,
    session_token: Option<String>,
    expires_seconds: Option<i64>,
) -> Result<Signed, Refusal> {
    let parts: Vec<&str> = credential.rsplitn(5, '/').collect();
    let [terminator, service, region, scope_date, access_key_id] = parts.as_slice() else {
        return Err(Refusal::Incomplete(
            "Credential must have at least 5 slash-delimited elements.".to_owned(),
        ));
    };
    if *terminator != "aws4_request" {
        return Err(Refusal::Incomplete(
            "Credential must end in 'aws4_request'.".to_owned(),
        ));
    }
    Ok(Signed {
        access_key_id: (*access_key_id).to_owned(),
        scope_date: (*scope_date).to_owned(),
        region: (*region).to_owned(),
        service: (*service).to_owned(),
        signed_headers: signed_headers.split(';').map(str::to_owned).collect(),
        signature,
        date,
        session_token,
        presigned: expires_seconds.is_some(),
        expires_seconds,
    })
}

/// Parses `20261124T033222Z`.
pub(crate) fn parse_date(date: &str) -> Option<Timestamp> {
    let civil = DateTime::strptime("%Y%m%dT%H%M%SZ", date).ok()?;
    Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
}

/// Checks signature, date window and key; the result is the principal that signed.
///
/// `window_seconds` overrides the date window (EKS tokens have their own).
pub(crate) fn verify(
    request: &Request,
    signed: &Signed,
    keys: &Keys,
    now: Timestamp,
    window_seconds: Option<i64>,
) -> Result<Principal, Refusal> {
    let date = parse_date(&signed.date).ok_or_else(|| {
        Refusal::Incomplete(format!(
            "Date must be in ISO-8601 'basic format'. Got '{}'.",
            signed.date
        ))
    })?;
    if !signed.date.starts_with(&signed.scope_date) {
        return Err(Refusal::Skewed(
            "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP"
                .to_owned(),
        ));
    }
    let key = keys
        .find(&signed.access_key_id)
        .ok_or(Refusal::UnknownKey)?;
    if key.session_token != signed.session_token {
        return Err(Refusal::UnknownKey);
    }
    if key.expires.is_some_and(|expires| expires <= now) {
        return Err(Refusal::SessionExpired);
    }
    let age = now.as_second() - date.as_second();
    let oldest = window_seconds.unwrap_or_else(|| signed.expires_seconds.unwrap_or(SKEW_SECONDS));
    if age > oldest {
        return Err(Refusal::Skewed(format!(
            "Signature expired: {} is now earlier than {} ({} - {} min.)",
            signed.date,
            compact(now.as_second() - oldest),
            compact(now.as_second()),
            oldest / 60
        )));
    }
    if age < -SKEW_SECONDS {
        return Err(Refusal::Skewed(format!(
            "Signature not yet current: {} is still later than {} ({} + 5 min.)",
            signed.date,
            compact(now.as_second() + SKEW_SECONDS),
            compact(now.as_second())
        )));
    }
    for required in ["host"] {
        if !signed.signed_headers.iter().any(|name| name == required) {
            return Err(Refusal::Mismatch);
        }
    }
    let expected = sign(request, signed, &key.secret_access_key, date);
    if expected == signed.signature {
        Ok(key.principal)
    } else {
        Err(Refusal::Mismatch)
    }
}

/// Seconds since the epoch as SigV4 writes dates.
pub(crate) fn compact(second: i64) -> String {
    Timestamp::from_second(second)
        .map(|time| time.strftime("%Y%m%dT%H%M%SZ").to_string())
        .unwrap_or_default()
}

/// The signature a request should have.
pub(crate) fn sign(request: &Request, signed: &Signed, secret: &str, date: Timestamp) -> String {
    let scope = format!(
        "{}/{}/{}/aws4_request",
        signed.scope_date, signed.region, signed.service
    );
    let to_sign = format!(
        "AWS4-HMAC-SHA256\n{}\n{scope}\n{}",
        signed.date,
        hex::encode(Sha256::digest(
            canonical_request(request, signed).as_bytes()
        ))
    );
    let key = aws_sigv4::sign::v4::generate_signing_key(
        secret,
        SystemTime::from(date),
        &signed.region,
        &signed.service,
    );
    aws_sigv4::sign::v4::calculate_signature(key, to_sign.as_bytes())
}

fn canonical_request(request: &Request, signed: &Signed) -> String {
    let mut query: Vec<(String, String)> = query_pairs(&request.query)
        .into_iter()
        .filter(|(name, _)| !(signed.presigned && name == "X-Amz-Signature"))
        .map(|(name, value)| (percent_encode(&name), percent_encode(&value)))
        .collect();
    query.sort();
    let query: Vec<String> = query
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let headers: String = signed
        .signed_headers
        .iter()
        .map(|name| {
            let values: Vec<String> = request
                .headers
                .get_all(name.as_str())
                .iter()
                .map(|value| {
                    let text = String::from_utf8_lossy(value.as_bytes()).into_owned();
                    text.split_whitespace().collect::<Vec<_>>().join(" ")
                })
                .collect();
            format!("{name}:{}\n", values.join(","))
        })
        .collect();
    format!(
        "{}\n{}\n{}\n{headers}\n{}\n{}",
        request.method,
        canonical_path(&request.path, &signed.service),
        query.join("&"),
        signed.signed_headers.join(";"),
        payload_hash(request, signed)
    )
}

fn canonical_path(path: &str, service: &str) -> String {
    if service == "s3" {
        return path
            .split('/')
            .map(|segment| percent_encode(&percent_decode(segment)))
            .collect::<Vec<_>>()
            .join("/");
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => {
                kept.pop();
            }
            segment => kept.push(segment),
        }
    }
    let mut canonical: String = kept
        .iter()
        .map(|segment| format!("/{}", percent_encode(segment)))
        .collect();
    if canonical.is_empty() || path.ends_with('/') {
        canonical.push('/');
    }
    canonical
}

fn payload_hash(request: &Request, signed: &Signed) -> String {
    if let Some(given) = request.header("x-amz-content-sha256")
        && (given == "UNSIGNED-PAYLOAD" || given.starts_with("STREAMING-"))
    {
        return given.to_owned();
    }
    if signed.presigned && signed.service == "s3" {
        return "UNSIGNED-PAYLOAD".to_owned();
    }
    hex::encode(Sha256::digest(&request.body))
}
