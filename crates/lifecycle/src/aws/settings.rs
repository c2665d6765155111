//! Provider settings, with the names of the provider hashicorp/aws.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// How AWS is reached and as whom. Everything absent comes from the standard AWS environment and
/// files.
#[derive(Clone, Default)]
pub struct Settings {
    /// Region of the cluster.
    pub region: Option<String>,
    /// Profile of the shared configuration and credentials files. When set, it wins over
    /// credentials in the environment.
    pub profile: Option<String>,
    /// Access key id; needs `secret_key`.
    pub access_key: Option<String>,
    /// Secret access key; needs `access_key`.
    pub secret_key: Option<String>,
    /// Session token of temporary keys.
    pub token: Option<String>,
    /// Paths of configuration files instead of `~/.aws/config`.
    pub shared_config_files: Vec<String>,
    /// Paths of credentials files instead of `~/.aws/credentials`.
    pub shared_credentials_files: Vec<String>,
    /// A role to assume with the credentials found.
    pub assume_role: Option<AssumeRole>,
    /// Endpoint overrides.
    pub endpoints: Endpoints,
    /// How often a throttled or failed call is repeated; if absent, `AWS_MAX_ATTEMPTS` or the
    /// profile's `max_attempts` says it, else it is 25.
    pub max_retries: Option<u32>,
    /// Only these accounts may be worked on.
    pub allowed_account_ids: Vec<String>,
    /// These accounts may not be worked on.
    pub forbidden_account_ids: Vec<String>,
    /// Tags that the provider adds to all it makes; kept here for those who build resources.
    pub default_tags: BTreeMap<String, String>,
}

impl fmt::Debug for Settings {
    /// Names the settings without their secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("static_credentials", &self.access_key.is_some())
            .field(
                "assume_role",
                &self.assume_role.as_ref().map(|role| &role.role_arn),
            )
            .field("endpoints", &self.endpoints)
            .finish_non_exhaustive()
    }
}

/// A role to assume.
#[derive(Clone, Default)]
pub struct AssumeRole {
    /// ARN of the role.
    pub role_arn: String,
    /// Name of the session; a fixed one if absent.
    pub session_name: Option<String>,
    /// External id that the trust policy may demand.
    pub external_id: Option<String>,
    /// Length of the session, 15 minutes to 12 hours.
    pub duration: Option<Duration>,
    /// Inline session policy in JSON.
    pub policy: Option<String>,
    /// ARNs of managed session policies.
    pub policy_arns: Vec<String>,
    /// Session tags.
    pub tags: BTreeMap<String, String>,
    /// Keys of session tags that are passed on to roles that the session assumes.
    pub transitive_tag_keys: Vec<String>,
}

/// Endpoint overrides.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Endpoints {
    /// URL of EKS.
    pub eks: Option<String>,
    /// URL of IAM.
    pub iam: Option<String>,
    /// URL of STS.
    pub sts: Option<String>,
}

/// The partition of a region (botocore `partitions.json`).
#[must_use]
pub fn partition(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("eu-isoe-") => "aws-iso-e",
        _ if region.starts_with("us-isof-") => "aws-iso-f",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ => "aws",
    }
}

/// The DNS suffix of a partition's endpoints (botocore `partitions.json`).
#[must_use]
pub fn dns_suffix(partition: &str) -> &'static str {
    match partition {
        "aws-cn" => "amazonaws.com.cn",
        "aws-iso" => "c2s.ic.gov",
        "aws-iso-b" => "sc2s.sgov.gov",
        "aws-iso-e" => "cloud.adc-e.uk",
        "aws-iso-f" => "csp.hci.ic.gov",
        "aws-eusc" => "amazonaws.eu",
        _ => "amazonaws.com",
    }
}
