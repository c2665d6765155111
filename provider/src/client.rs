//! What the provider's configuration makes: the AWS account, the owner and the default tags.

use std::collections::BTreeMap;

use devopsgenie_lifecycle::aws::{Aws, AwsError, CallerIdentity};
use tfplugin::cty::Path;
use tfplugin::diagnostics::Diagnostics;

/// Shared by all operations of one connection.
#[derive(Debug)]
pub struct Client {
    aws: Result<Aws, AwsUnavailable>,
    account_id: Option<String>,
    default_tags: Option<BTreeMap<String, String>>,
    owner: String,
}

/// Why AWS cannot be used. Reported only by what needs AWS: an add-on set on a kubeconfig does not.
#[derive(Debug)]
pub enum AwsUnavailable {
    /// These arguments of the provider are unknown until other resources are applied.
    Unknown(Vec<String>),
    /// There is no usable configuration.
    Failed(AwsError),
}

impl Client {
    /// A client. `account_id` is given when the credentials were verified; `default_tags` is none
    /// while they are unknown.
    #[must_use]
    pub const fn new(
        aws: Result<Aws, AwsUnavailable>,
        account_id: Option<String>,
        default_tags: Option<BTreeMap<String, String>>,
        owner: String,
    ) -> Self {
        Self {
            aws,
            account_id,
            default_tags,
            owner,
        }
    }

    /// The AWS account.
    ///
    /// # Errors
    /// Diagnostics that say which provider argument or environment variable is missing or wrong.
    pub fn aws(&self) -> Result<&Aws, Diagnostics> {
        match &self.aws {
            Ok(aws) => Ok(aws),
            Err(AwsUnavailable::Unknown(arguments)) => Err(Diagnostics::error(
                "The provider's configuration is not known yet",
                format!(
                    "AWS has to be called now, and these arguments of the provider \"devopsgenie\" depend on \
                     resources that are not applied: {}. Apply those first, for example with -target, or \
                     use values that are known when planning.",
                    arguments.join(", ")
                ),
            )),
            Err(AwsUnavailable::Failed(error)) => Err(aws_diagnostics(error)),
        }
    }

    /// The region, when it is known.
    #[must_use]
    pub fn region(&self) -> Option<&str> {
        self.aws.as_ref().ok().map(Aws::region)
    }

    /// The account of the credentials, when configuring has verified them.
    #[must_use]
    pub fn account_id(&self) -> Option<&str> {
        self.account_id.as_deref()
    }

    /// Tags for everything; none while they are unknown.
    #[must_use]
    pub const fn default_tags(&self) -> Option<&BTreeMap<String, String>> {
        self.default_tags.as_ref()
    }

    /// The owner written on everything that is made.
    #[must_use]
    pub fn owner(&self) -> &str {
        &self.owner
    }
}

/// An [`AwsError`] for a user, away from the provider block: the attribute is named in the text.
#[must_use]
pub fn aws_diagnostics(error: &AwsError) -> Diagnostics {
    Diagnostics::error(summary(error), detail(error))
}

/// An [`AwsError`] at the argument of the provider block that it is about.
#[must_use]
pub fn configuration_diagnostics(error: &AwsError) -> Diagnostics {
    match error.attribute() {
        Some(attribute) => {
            let path = attribute.split('.').fold(Path::root(), Path::attribute);
            Diagnostics::attribute_error(path, summary(error), detail(error))
        }
        None => aws_diagnostics(error),
    }
}

const fn summary(error: &AwsError) -> &'static str {
    match error {
        AwsError::MissingRegion { .. } => "No AWS region",
        AwsError::InvalidSetting { .. } => "Invalid AWS setting",
        AwsError::NoCredentials { .. } => "No AWS credentials",
        AwsError::CredentialsFailed { .. } => "AWS credentials cannot be loaded",
        AwsError::CredentialsRefused { .. } => "AWS refuses the credentials",
        AwsError::AssumeRole { .. } => "The role cannot be assumed",
        AwsError::WrongAccount { .. } => "Wrong AWS account",
        AwsError::Call(_) => "AWS cannot be called",
    }
}

fn detail(error: &AwsError) -> String {
    let mut text = sentence(&error.to_string());
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text.push(' ');
        text.push_str(&sentence(&cause.to_string()));
        source = cause.source();
    }
    text
}

/// Refuses credentials of another account than the one that the thing is in: there it would look
/// deleted.
///
/// # Errors
/// A diagnostic that names both accounts.
pub fn check_account(
    thing: &str,
    account: &str,
    identity: &CallerIdentity,
) -> Result<(), Diagnostics> {
    if account == identity.account_id {
        return Ok(());
    }
    Err(Diagnostics::error(
        "The credentials belong to another AWS account",
        format!(
            "The {thing} is in account {account}, and the credentials are those of {} in account {}. Use \
             credentials of {account}; allowed_account_ids in the provider block guards against this.",
            identity.arn, identity.account_id
        ),
    ))
}

/// An error's text as a sentence of a diagnostic.
#[must_use]
pub fn sentence(text: &str) -> String {
    let mut characters = text.chars();
    let mut sentence: String = characters.next().map_or_else(String::new, |first| {
        first.to_uppercase().chain(characters).collect()
    });
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}
