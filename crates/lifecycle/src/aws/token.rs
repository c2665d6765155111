//! Bearer tokens of EKS clusters.
//!
//! A token is a presigned `GetCallerIdentity` request to STS that names the cluster in a signed
//! header; the cluster sends it to STS to learn who calls (aws-iam-authenticator `token.go`).

use super::Aws;
use super::error::AwsError;
use super::settings::{dns_suffix, partition};
use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::fmt;
use std::time::{Duration, SystemTime};

/// The first characters of a token, with the version of its form.
pub const TOKEN_PREFIX: &str = "k8s-aws-v1.";

/// How long a token is used: the server accepts 15 minutes from the signature's date, a minute is
/// left for clocks that differ.
pub const TOKEN_VALIDITY: Duration = Duration::from_secs(14 * 60);

/// The header that binds a token to a cluster.
const CLUSTER_ID_HEADER: &str = "x-k8s-aws-id";

/// `X-Amz-Expires`: the server demands it and ignores its value.
const EXPIRES: Duration = Duration::from_secs(60);

/// A bearer token. Its text is a secret and not part of `Debug`.
#[derive(Clone)]
pub struct EksToken {
    /// The text that goes after `Bearer`.
    pub value: String,
    /// When a new token must be made.
    pub expires_at: SystemTime,
}

impl fmt::Debug for EksToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EksToken")
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// Makes bearer tokens for one cluster. Cheap to clone; no call is made until a token is asked for.
#[derive(Debug, Clone)]
pub struct EksTokenSource {
    aws: Aws,
    cluster_name: String,
}

impl EksTokenSource {
    /// Tokens for the cluster of this name.
    #[must_use]
    pub fn new(aws: Aws, cluster_name: impl Into<String>) -> Self {
        Self {
            aws,
            cluster_name: cluster_name.into(),
        }
    }

    /// A fresh token. Only loading credentials may use the network; signing does not.
    ///
    /// # Errors
    /// When no credentials can be loaded.
    pub async fn token(&self) -> Result<EksToken, AwsError> {
        let credentials = self.aws.credentials().await?;
        presign(
            &credentials,
            self.aws.region(),
            &self.cluster_name,
            SystemTime::now(),
        )
    }
}

/// The token of a moment. The STS host is always the real one of the region: the cluster checks it,
/// and endpoint overrides are about our own calls.
fn presign(
    credentials: &Credentials,
    region: &str,
    cluster_name: &str,
    now: SystemTime,
) -> Result<EksToken, AwsError> {
    let failed = |error: &dyn fmt::Display| AwsError::CredentialsFailed {
        attribute: None,
        detail: format!("a token for EKS cluster {cluster_name} could not be signed: {error}"),
    };
    let host = format!("sts.{region}.{}", dns_suffix(partition(region)));
    let url = format!("https://{host}/?Action=GetCallerIdentity&Version=2011-06-15");
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.expires_in = Some(EXPIRES);
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("sts")
        .time(now)
        .settings(settings)
        .build()
        .map_err(|error| failed(&error))?
        .into();
    let headers = [("host", host.as_str()), (CLUSTER_ID_HEADER, cluster_name)];
    let request = SignableRequest::new("GET", &url, headers.into_iter(), SignableBody::Bytes(&[]))
        .map_err(|error| failed(&error))?;
    let (instructions, _) = sign(request, &params)
        .map_err(|error| failed(&error))?
        .into_parts();
    let mut signed = http::Request::builder()
        .uri(&url)
        .body(())
        .map_err(|error| failed(&error))?;
    instructions.apply_to_request_http1x(&mut signed);
    Ok(EksToken {
        value: format!(
            "{TOKEN_PREFIX}{}",
            URL_SAFE_NO_PAD.encode(signed.uri().to_string())
        ),
        expires_at: now + TOKEN_VALIDITY,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(region: &str, token: Option<&str>) -> String {
        let credentials = Credentials::new(
            "AKIDEXAMPLE",
            "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            token.map(str::to_owned),
            None,
            "test",
        );
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000);
        let token = presign(&credentials, region, "platform", now).unwrap();
        assert_eq!(token.expires_at, now + Duration::from_secs(840));
        let encoded = token.value.strip_prefix(TOKEN_PREFIX).unwrap();
        assert!(!encoded.contains('='));
        String::from_utf8(URL_SAFE_NO_PAD.decode(encoded).unwrap()).unwrap()
    }

    #[test]
    fn presigned_url() {
        insta::assert_snapshot!(url("eu-central-1", None));
    }

    #[test]
    fn presigned_url_of_temporary_credentials_in_china() {
        insta::assert_snapshot!(url("cn-north-1", Some("session/token+with=signs")));
    }

    #[test]
    fn debug_shows_no_token() {
        let token = EksToken {
            value: "k8s-aws-v1.secret".to_owned(),
            expires_at: SystemTime::UNIX_EPOCH,
        };
        assert!(!format!("{token:?}").contains("secret"));
    }
}
