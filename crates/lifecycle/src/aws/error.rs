//! Errors of settings, credentials and AWS calls.

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use std::fmt;

/// Why there is no working connection to an AWS account.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AwsError {
    /// No region anywhere.
    #[error(
        "no AWS region is configured: set region in the provider block, or AWS_REGION in the environment, \
         or region in {profile} of the AWS configuration files"
    )]
    MissingRegion {
        /// The profile that was looked at, in words.
        profile: String,
    },
    /// A setting cannot be used.
    #[error("{attribute} cannot be used: {problem}")]
    InvalidSetting {
        /// The provider attribute, dots between the parts.
        attribute: &'static str,
        /// What is wrong and what to write.
        problem: String,
    },
    /// No source offered credentials.
    #[error(
        "no AWS credentials were found; looked at: {tried}. Set access_key and secret_key or profile in the provider \
         block, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY or AWS_PROFILE in the environment"
    )]
    NoCredentials {
        /// The sources in the order they were asked.
        tried: String,
    },
    /// A source was there but failed.
    #[error("AWS credentials could not be loaded: {detail}")]
    CredentialsFailed {
        /// The attribute that chose the source, if one did.
        attribute: Option<&'static str>,
        /// What the source said, without secrets.
        detail: String,
    },
    /// AWS refuses the credentials.
    #[error("AWS refuses the credentials as {kind} ({code}: {message}); {remedy}")]
    CredentialsRefused {
        /// "expired" or "invalid".
        kind: &'static str,
        /// AWS's error code.
        code: String,
        /// AWS's message.
        message: String,
        /// What to do.
        remedy: &'static str,
    },
    /// The role of `assume_role` was refused.
    #[error(
        "role {role_arn} could not be assumed: {detail}; check assume_role.role_arn, its trust policy and external_id"
    )]
    AssumeRole {
        /// The role.
        role_arn: String,
        /// AWS's words.
        detail: String,
    },
    /// The credentials belong to an account that the settings exclude.
    #[error(
        "the credentials belong to AWS account {account_id} ({arn}), which {attribute} excludes ({list}); \
         use credentials of another account, or correct {attribute}"
    )]
    WrongAccount {
        /// `allowed_account_ids` or `forbidden_account_ids`.
        attribute: &'static str,
        /// The account of the credentials.
        account_id: String,
        /// Who the credentials are.
        arn: String,
        /// The attribute's value.
        list: String,
    },
    /// A call failed for another reason.
    #[error("the AWS account could not be determined")]
    Call(#[source] Box<ApiError>),
}

impl AwsError {
    /// The provider attribute that the error is about, dots between the parts.
    #[must_use]
    pub fn attribute(&self) -> Option<&'static str> {
        match self {
            Self::MissingRegion { .. } => Some("region"),
            // An environment variable is no attribute.
            Self::InvalidSetting { attribute, .. } if attribute.starts_with("AWS_") => None,
            Self::InvalidSetting { attribute, .. } | Self::WrongAccount { attribute, .. } => {
                Some(attribute)
            }
            Self::CredentialsFailed { attribute, .. } => *attribute,
            Self::AssumeRole { .. } => Some("assume_role.role_arn"),
            Self::Call(error) => error.attribute(),
            Self::NoCredentials { .. } | Self::CredentialsRefused { .. } => None,
        }
    }
}

/// What kind of failure an AWS call had: it decides whether and how it is tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorClass {
    /// Throttling, a server error, a lost connection: the call may have had its effect.
    Retryable,
    /// EKS does not see a role, its trust policy or its policies: they are wrong, or were made just
    /// now and IAM has not spread them.
    RoleNotVisible,
    /// Another change of the same thing is running.
    ConflictInProgress,
    /// The thing exists already.
    AlreadyExists,
    /// The thing does not exist.
    NotFound,
    /// EKS was asked for what is already so; its API answers that with an error.
    NoChange,
    /// The endpoint cannot be reached.
    Unreachable,
    /// AWS refuses the credentials.
    Credentials,
    /// The principal lacks a permission.
    AccessDenied,
    /// Anything else: trying again does not help.
    Other,
}

/// A failed AWS call with all that AWS said.
#[derive(Debug, Clone, thiserror::Error)]
pub struct ApiError {
    /// `EKS`, `IAM`, `STS`.
    pub service: &'static str,
    /// The operation, such as `CreateCluster`.
    pub operation: &'static str,
    /// What it was called for, such as `cluster platform`.
    pub resource: Box<str>,
    /// AWS's error code, if there was an answer.
    pub code: Option<String>,
    /// AWS's message, or why there was no answer.
    pub message: Box<str>,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// What kind of failure it is.
    pub class: ErrorClass,
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} {} for {} ",
            self.service, self.operation, self.resource
        )?;
        match (&self.code, self.class) {
            (Some(code), _) => write!(f, "failed: {code}: {}", self.message)?,
            (None, ErrorClass::Unreachable) => {
                write!(f, "could not reach its endpoint: {}", self.message)?;
            }
            (None, _) => write!(f, "had no usable answer: {}", self.message)?,
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        match self.class {
            ErrorClass::Unreachable => write!(
                f,
                "; check the network, the proxy variables and {}",
                self.attribute().unwrap_or("endpoints")
            ),
            ErrorClass::AccessDenied => write!(
                f,
                "; the credentials need the permission {}:{}",
                self.service.to_lowercase(),
                self.operation
            ),
            _ => Ok(()),
        }
    }
}

impl ApiError {
    /// From the SDK's error of a call.
    pub fn new<E, R>(
        service: &'static str,
        operation: &'static str,
        resource: impl Into<Box<str>>,
        error: SdkError<E, R>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let metadata = error.meta();
        let code = metadata.code().map(str::to_owned);
        let request_id = metadata.extra("aws_request_id").map(str::to_owned);
        let mut message = metadata.message().map(str::to_owned).unwrap_or_default();
        let class = match &error {
            SdkError::ServiceError(_) => classify(code.as_deref().unwrap_or_default(), &message),
            SdkError::DispatchFailure(failure) if failure.is_io() || failure.is_user() => {
                ErrorClass::Unreachable
            }
            SdkError::DispatchFailure(_)
            | SdkError::TimeoutError(_)
            | SdkError::ResponseError(_) => ErrorClass::Retryable,
            _ => ErrorClass::Other,
        };
        if message.is_empty() {
            message = chain(&error);
        }
        Self {
            service,
            operation,
            resource: resource.into(),
            code,
            message: message.into(),
            request_id,
            class,
        }
    }

    /// The provider attribute that an unreachable endpoint is about.
    #[must_use]
    pub fn attribute(&self) -> Option<&'static str> {
        match (self.class, self.service) {
            (ErrorClass::Unreachable, "EKS") => Some("endpoints.eks"),
            (ErrorClass::Unreachable, "IAM") => Some("endpoints.iam"),
            (ErrorClass::Unreachable, "STS") => Some("endpoints.sts"),
            _ => None,
        }
    }
}

/// An error and its sources in one line.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text
}

/// The class of an error code and message.
///
/// The codes are those of the service models of EKS and IAM and of AWS's common errors; the
/// messages are matched where EKS has one code for several meanings.
#[must_use]
pub fn classify(code: &str, message: &str) -> ErrorClass {
    let code = code.strip_suffix("Exception").unwrap_or(code);
    let text = message.to_lowercase();
    let says = |needles: &[&str]| needles.iter().any(|needle| text.contains(needle));
    match code {
        "Throttling"
        | "Throttled"
        | "TooManyRequests"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "Server"
        | "InternalFailure"
        | "InternalServerError"
        | "InternalError"
        | "ServiceUnavailable"
        | "ServiceFailure"
        | "RequestTimeout"
        | "ConcurrentModification" => ErrorClass::Retryable,
        "ExpiredToken"
        | "RequestExpired"
        | "InvalidClientTokenId"
        | "UnrecognizedClient"
        | "SignatureDoesNotMatch"
        | "InvalidSignature"
        | "IncompleteSignature"
        | "AuthFailure"
        | "MissingAuthenticationToken"
        | "InvalidAccessKeyId" => ErrorClass::Credentials,
        "AccessDenied" | "UnauthorizedOperation" | "NotAuthorized" => ErrorClass::AccessDenied,
        "ResourceNotFound" | "NoSuchEntity" | "NotFound" => ErrorClass::NotFound,
        "EntityAlreadyExists" => ErrorClass::AlreadyExists,
        "ResourceInUse" if says(&["already exist"]) => ErrorClass::AlreadyExists,
        // IAM: a policy that was just detached may still count.
        "ResourceInUse" | "DeleteConflict" => ErrorClass::ConflictInProgress,
        "InvalidParameter" | "InvalidRequest"
            if says(&[
                "already at the desired",
                "no changes needed",
                "nothing to update",
            ]) =>
        {
            ErrorClass::NoChange
        }
        "InvalidParameter" | "InvalidRequest"
            if says(&[
                "could not be assumed",
                "cannot be assumed",
                "invalid principal",
                "trust policy",
                "trust relationship",
                // The texts of a role whose policies are not everywhere yet (as in
                // terraform-provider-aws, internal/service/eks/cluster.go).
                "managed policies associated with it",
                "error in role params",
                "role's policy must include",
            ]) || (text.contains("role") && says(&["does not exist", "not found"]))
                || (text.contains("principal") && says(&["does not exist", "not found"])) =>
        {
            ErrorClass::RoleNotVisible
        }
        // IAM: a policy that names a role which is not everywhere yet.
        "MalformedPolicyDocument" if says(&["invalid principal"]) => ErrorClass::RoleNotVisible,
        _ => ErrorClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::{ErrorClass, classify};

    #[test]
    fn classes() {
        use ErrorClass::*;
        let table = [
            ("ThrottlingException", "Rate exceeded", Retryable),
            ("Throttling", "Rate exceeded", Retryable),
            ("TooManyRequestsException", "", Retryable),
            ("ThrottledException", "", Retryable),
            ("ServerException", "internal", Retryable),
            ("ServiceUnavailableException", "", Retryable),
            ("ServiceFailure", "", Retryable),
            (
                "ExpiredTokenException",
                "The security token included in the request is expired",
                Credentials,
            ),
            ("ExpiredToken", "", Credentials),
            (
                "UnrecognizedClientException",
                "The security token included in the request is invalid.",
                Credentials,
            ),
            ("InvalidClientTokenId", "", Credentials),
            (
                "AccessDeniedException",
                "User is not authorized to perform: eks:CreateCluster",
                AccessDenied,
            ),
            ("AccessDenied", "", AccessDenied),
            (
                "ResourceNotFoundException",
                "No cluster found for name: x.",
                NotFound,
            ),
            (
                "NoSuchEntity",
                "The role with name x cannot be found.",
                NotFound,
            ),
            (
                "EntityAlreadyExists",
                "Role with name x already exists.",
                AlreadyExists,
            ),
            (
                "ResourceInUseException",
                "Cluster already exists with name: x",
                AlreadyExists,
            ),
            (
                "ResourceInUseException",
                "Cannot VersionUpdate because cluster x currently has update 1 in progress",
                ConflictInProgress,
            ),
            (
                "ResourceInUseException",
                "Cluster has nodegroups attached",
                ConflictInProgress,
            ),
            (
                "InvalidParameterException",
                "Cluster is already at the desired configuration with endpointPrivateAccess: true",
                NoChange,
            ),
            (
                "InvalidParameterException",
                "Role with arn: a, could not be assumed because it does not exist",
                RoleNotVisible,
            ),
            (
                "InvalidParameterException",
                "The provided role doesn't have the Amazon EKS Managed Policies associated with it. \
                 Please ensure the following policy is attached",
                RoleNotVisible,
            ),
            (
                "InvalidParameterException",
                "Error in role params",
                RoleNotVisible,
            ),
            (
                "InvalidParameterException",
                "IAM role's policy must include the sts:AssumeRole action",
                RoleNotVisible,
            ),
            (
                "InvalidParameterException",
                "The principalArn parameter format is not valid",
                Other,
            ),
            (
                "InvalidParameterException",
                "unsupported Kubernetes version",
                Other,
            ),
            (
                "InvalidParameterException",
                "Subnets specified must be in at least two different AZs",
                Other,
            ),
            (
                "LimitExceeded",
                "Cannot exceed quota for RolesPerAccount: 1000",
                Other,
            ),
        ];
        for (code, message, expected) in table {
            assert_eq!(classify(code, message), expected, "{code}: {message}");
        }
    }
}
