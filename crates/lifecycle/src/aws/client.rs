//! Clients, credentials and the verified account.

use super::error::{ApiError, AwsError, ErrorClass};
use super::settings::{Settings, partition};
use aws_config::SdkConfig;
use aws_config::environment::EnvironmentVariableCredentialsProvider;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::credentials::CredentialsProviderChain;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider};
use aws_config::provider_config::ProviderConfig;
use aws_config::retry::{RetryConfig, RetryMode};
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region};
use aws_credential_types::Credentials;
use aws_credential_types::provider::error::CredentialsError;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider, future};
use aws_runtime::env_config::file::{EnvConfigFileKind, EnvConfigFiles};
use aws_sdk_sts::types as sts;
use aws_smithy_http_client::{Builder as HttpClientBuilder, Connector, proxy::ProxyConfig, tls};
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::interceptors::context::InterceptorContext;
use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry, RetryAction};
use aws_smithy_types::error::display::DisplayErrorContext;
use aws_types::os_shim_internal::{Env, Fs};
use std::error::Error as _;
use std::fmt;
use std::str::FromStr as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime};
use tokio::sync::{Mutex, OnceCell};

/// How often a call is repeated when neither the settings nor the AWS environment says: as often as
/// hashicorp/aws does it. The SDK waits up to 20 seconds between two attempts.
const DEFAULT_MAX_RETRIES: u32 = 25;
/// How often in a row a call to an endpoint that does not answer is repeated. A mistyped endpoint or
/// a missing proxy must not look like a provider that hangs.
const UNANSWERED_RETRIES: u32 = 4;
/// Connecting takes longer than this only when the network drops packets.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// The longest time one attempt of a call may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(60);
/// The instance metadata service answers in milliseconds where it exists. Elsewhere packets to its
/// address may vanish, so waiting is short.
const METADATA_TIMEOUT: Duration = Duration::from_secs(1);
/// Credentials are loaded again this long before they expire.
const EXPIRY_MARGIN: Duration = Duration::from_secs(120);
/// Session name of an assumed role when none is set.
const DEFAULT_SESSION_NAME: &str = "terraform-provider-devopsgenie";

/// Who the credentials are (STS `GetCallerIdentity`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallerIdentity {
    /// The twelve digits of the account.
    pub account_id: String,
    /// ARN of the principal.
    pub arn: String,
}

/// AWS as the settings describe it. Cheap to clone. Nothing is called until something is asked for.
#[derive(Clone)]
pub struct Aws {
    inner: Arc<Inner>,
}

struct Inner {
    settings: Settings,
    region: String,
    eks: aws_sdk_eks::Client,
    iam: aws_sdk_iam::Client,
    sts: aws_sdk_sts::Client,
    provider: SharedCredentialsProvider,
    tried: String,
    credentials: Mutex<Option<Credentials>>,
    identity: OnceCell<CallerIdentity>,
}

impl fmt::Debug for Aws {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.inner.region)
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}

impl Aws {
    /// Reads the AWS environment and files and builds the clients. No call is made.
    ///
    /// # Errors
    /// When a setting cannot be used or no region is configured.
    pub async fn new(settings: Settings) -> Result<Self, AwsError> {
        check(&settings)?;
        let http_client = http_client()?;
        let files = profile_files(&settings);
        let region = region(&settings, &files, &http_client).await?;
        let (provider, tried) = credentials_chain(&settings, &files, &region, &http_client);

        let retry_config = retries(&settings, &files).await?;
        let mut loader = aws_config::defaults(BehaviorVersion::latest())
            .region(Region::new(region.clone()))
            .http_client(http_client)
            .retry_config(retry_config)
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(CONNECT_TIMEOUT)
                    .operation_attempt_timeout(ATTEMPT_TIMEOUT)
                    .build(),
            )
            .credentials_provider(provider);
        if let Some(files) = files {
            loader = loader.profile_files(files);
        }
        if let Some(profile) = &settings.profile {
            loader = loader.profile_name(profile);
        }
        let base = loader.load().await;
        let config = assume_role(&settings, base);
        let provider = config
            .credentials_provider()
            .ok_or_else(|| AwsError::NoCredentials {
                tried: tried.clone(),
            })?;
        let mut eks =
            aws_sdk_eks::config::Builder::from(&config).retry_classifier(Unanswered::default());
        let mut iam =
            aws_sdk_iam::config::Builder::from(&config).retry_classifier(Unanswered::default());
        // Without an override the SDK has found AWS_ENDPOINT_URL and the profile's endpoint_url.
        if let Some(url) = &settings.endpoints.eks {
            eks = eks.endpoint_url(url);
        }
        if let Some(url) = &settings.endpoints.iam {
            iam = iam.endpoint_url(url);
        }
        Ok(Self {
            inner: Arc::new(Inner {
                eks: aws_sdk_eks::Client::from_conf(eks.build()),
                iam: aws_sdk_iam::Client::from_conf(iam.build()),
                sts: sts_client(&settings, &config),
                settings,
                region,
                provider,
                tried,
                credentials: Mutex::new(None),
                identity: OnceCell::new(),
            }),
        })
    }

    /// The region.
    #[must_use]
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    /// The region's partition.
    #[must_use]
    pub fn partition(&self) -> &'static str {
        partition(&self.inner.region)
    }

    /// The settings it was built from.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    pub(crate) fn eks(&self) -> &aws_sdk_eks::Client {
        &self.inner.eks
    }

    pub(crate) fn iam(&self) -> &aws_sdk_iam::Client {
        &self.inner.iam
    }

    /// The credentials, loaded on first use and again before they expire.
    ///
    /// # Errors
    /// When no source has any, or a source fails.
    pub async fn credentials(&self) -> Result<Credentials, AwsError> {
        let mut cached = self.inner.credentials.lock().await;
        if let Some(credentials) = cached.as_ref()
            && credentials
                .expiry()
                .is_none_or(|expiry| expiry > SystemTime::now() + EXPIRY_MARGIN)
        {
            return Ok(credentials.clone());
        }
        let credentials = self
            .inner
            .provider
            .provide_credentials()
            .await
            .map_err(|error| self.credentials_error(&error))?;
        *cached = Some(credentials.clone());
        Ok(credentials)
    }

    /// Who the credentials are, asked once, and checked against the allowed and forbidden accounts.
    ///
    /// # Errors
    /// When there are no credentials, AWS refuses them, STS is unreachable, or the account is not
    /// one that may be worked on.
    pub async fn caller_identity(&self) -> Result<&CallerIdentity, AwsError> {
        self.inner
            .identity
            .get_or_try_init(|| async {
                self.credentials().await?;
                let answer =
                    self.inner
                        .sts
                        .get_caller_identity()
                        .send()
                        .await
                        .map_err(|error| {
                            self.explain(ApiError::new(
                                "STS",
                                "GetCallerIdentity",
                                "the credentials",
                                error,
                            ))
                        })?;
                let identity = CallerIdentity {
                    account_id: answer.account().unwrap_or_default().to_owned(),
                    arn: answer.arn().unwrap_or_default().to_owned(),
                };
                self.check_account(&identity)?;
                Ok(identity)
            })
            .await
    }

    /// A failed call as an error about the connection, if it is one: refused credentials and
    /// unreachable endpoints say what to do about them.
    pub(crate) fn explain(&self, mut error: ApiError) -> AwsError {
        if error.class != ErrorClass::Credentials {
            let endpoints = &self.inner.settings.endpoints;
            let configured = match error.service {
                "EKS" => &endpoints.eks,
                "IAM" => &endpoints.iam,
                "STS" => &endpoints.sts,
                _ => &None,
            };
            if let (ErrorClass::Unreachable, Some(url)) = (error.class, configured) {
                error.message = format!("{url}: {}", error.message).into();
            }
            return AwsError::Call(Box::new(error));
        }
        let code = error.code.unwrap_or_default();
        let expired = code.contains("Expired");
        AwsError::CredentialsRefused {
            kind: if expired { "expired" } else { "invalid" },
            code,
            message: error.message.into(),
            remedy: if expired {
                "renew them (for example with: aws sso login) and run again"
            } else {
                "check access_key, secret_key and token, the profile, or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and \
                 AWS_SESSION_TOKEN, whichever they come from"
            },
        }
    }

    fn check_account(&self, identity: &CallerIdentity) -> Result<(), AwsError> {
        let settings = &self.inner.settings;
        let account = &identity.account_id;
        let excluded = if !settings.allowed_account_ids.is_empty()
            && !settings.allowed_account_ids.contains(account)
        {
            Some(("allowed_account_ids", &settings.allowed_account_ids))
        } else if settings.forbidden_account_ids.contains(account) {
            Some(("forbidden_account_ids", &settings.forbidden_account_ids))
        } else {
            None
        };
        match excluded {
            None => Ok(()),
            Some((attribute, list)) => Err(AwsError::WrongAccount {
                attribute,
                account_id: account.clone(),
                arn: identity.arn.clone(),
                list: list.join(", "),
            }),
        }
    }

    fn credentials_error(&self, error: &CredentialsError) -> AwsError {
        let settings = &self.inner.settings;
        let detail = DisplayErrorContext(error).to_string();
        if let Some(role) = &settings.assume_role {
            if matches!(error, CredentialsError::ProviderError(_)) && is_sts_answer(error) {
                return AwsError::AssumeRole {
                    role_arn: role.role_arn.clone(),
                    detail: innermost(error),
                };
            }
            // The SDK wraps a missing source identity into the failed AssumeRole call.
            if detail.contains("no providers in chain provided credentials") {
                return self.no_credentials();
            }
        }
        match error {
            CredentialsError::CredentialsNotLoaded(_) => self.no_credentials(),
            _ => AwsError::CredentialsFailed {
                attribute: settings.profile.as_ref().map(|_| "profile"),
                detail,
            },
        }
    }

    fn no_credentials(&self) -> AwsError {
        AwsError::NoCredentials {
            tried: self.inner.tried.clone(),
        }
    }
}

/// Whether STS answered, as opposed to a call that never got there.
fn is_sts_answer(error: &CredentialsError) -> bool {
    let mut source = error.source();
    while let Some(error) = source {
        if error
            .downcast_ref::<aws_sdk_sts::operation::assume_role::AssumeRoleError>()
            .is_some()
        {
            return true;
        }
        source = error.source();
    }
    false
}

/// The text of the innermost source.
fn innermost(error: &CredentialsError) -> String {
    let mut last: &dyn std::error::Error = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}

fn check(settings: &Settings) -> Result<(), AwsError> {
    let invalid = |attribute, problem: &str| {
        Err(AwsError::InvalidSetting {
            attribute,
            problem: problem.to_owned(),
        })
    };
    match (&settings.access_key, &settings.secret_key) {
        (Some(_), None) => {
            return invalid("secret_key", "access_key is set, so it must be set too");
        }
        (None, Some(_)) => {
            return invalid("access_key", "secret_key is set, so it must be set too");
        }
        (None, None) if settings.token.is_some() => {
            return invalid(
                "token",
                "it belongs to access_key and secret_key, which are not set",
            );
        }
        _ => {}
    }
    let endpoints = &settings.endpoints;
    for (attribute, url) in [
        ("endpoints.eks", &endpoints.eks),
        ("endpoints.iam", &endpoints.iam),
        ("endpoints.sts", &endpoints.sts),
    ] {
        if let Some(url) = url
            && !(url.starts_with("https://") || url.starts_with("http://"))
        {
            return invalid(
                attribute,
                "it must be a URL that starts with https:// or http://",
            );
        }
    }
    if let Some(role) = &settings.assume_role
        && !(role.role_arn.starts_with("arn:") && role.role_arn.contains(":role/"))
    {
        return invalid(
            "assume_role.role_arn",
            "it must be the ARN of a role, such as arn:aws:iam::123456789012:role/deploy",
        );
    }
    Ok(())
}

/// Files named by the settings, or nothing for the standard ones.
fn profile_files(settings: &Settings) -> Option<EnvConfigFiles> {
    if settings.shared_config_files.is_empty() && settings.shared_credentials_files.is_empty() {
        return None;
    }
    let mut builder = EnvConfigFiles::builder()
        .include_default_config_file(settings.shared_config_files.is_empty())
        .include_default_credentials_file(settings.shared_credentials_files.is_empty());
    for file in &settings.shared_config_files {
        builder = builder.with_file(EnvConfigFileKind::Config, expand_home(file));
    }
    for file in &settings.shared_credentials_files {
        builder = builder.with_file(EnvConfigFileKind::Credentials, expand_home(file));
    }
    Some(builder.build())
}

fn expand_home(path: &str) -> std::path::PathBuf {
    match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => path.into(),
    }
}

/// How often a call is tried: by the settings, else by `AWS_MAX_ATTEMPTS`, else by `max_attempts` of
/// the profile, else [`DEFAULT_MAX_RETRIES`]; and in which mode, by `AWS_RETRY_MODE` or the profile's
/// `retry_mode`. The SDK reads the same, but panics at values that it does not understand.
async fn retries(
    settings: &Settings,
    files: &Option<EnvConfigFiles>,
) -> Result<RetryConfig, AwsError> {
    let profiles = aws_config::profile::load(
        &Fs::real(),
        &Env::real(),
        &files.clone().unwrap_or_default(),
        settings.profile.clone().map(Into::into),
    )
    .await
    .ok();
    let configured = |variable: &str, key: &str| {
        std::env::var(variable)
            .ok()
            .filter(|text| !text.is_empty())
            .or_else(|| profiles.as_ref()?.get(key).map(str::to_owned))
    };
    retry_config(
        settings.max_retries,
        configured("AWS_MAX_ATTEMPTS", "max_attempts").as_deref(),
        configured("AWS_RETRY_MODE", "retry_mode").as_deref(),
    )
}

fn retry_config(
    max_retries: Option<u32>,
    max_attempts: Option<&str>,
    mode: Option<&str>,
) -> Result<RetryConfig, AwsError> {
    let attempts = match (max_retries, max_attempts) {
        (Some(retries), _) => retries.saturating_add(1),
        (None, Some(text)) => text
            .parse()
            .ok()
            .filter(|attempts| *attempts > 0)
            .ok_or_else(|| AwsError::InvalidSetting {
                attribute: "AWS_MAX_ATTEMPTS",
                problem: format!(
                    "it, or max_attempts of the profile, is {text:?} and must be a number from 1"
                ),
            })?,
        (None, None) => DEFAULT_MAX_RETRIES + 1,
    };
    let mode = match mode {
        None => RetryMode::Standard,
        Some(text) => RetryMode::from_str(text).map_err(|_| AwsError::InvalidSetting {
            attribute: "AWS_RETRY_MODE",
            problem: format!(
                "it, or retry_mode of the profile, is {text:?} and must be standard or adaptive"
            ),
        })?,
    };
    Ok(RetryConfig::standard()
        .with_max_attempts(attempts)
        .with_retry_mode(mode))
}

/// The region of the settings, the environment or the profile. The instance metadata service is not
/// asked: a provider must not call anything before it is used.
async fn region(
    settings: &Settings,
    files: &Option<EnvConfigFiles>,
    http_client: &SharedHttpClient,
) -> Result<String, AwsError> {
    if let Some(region) = &settings.region {
        return Ok(region.clone());
    }
    if let Some(region) = EnvironmentVariableRegionProvider::new().region().await {
        return Ok(region.to_string());
    }
    let mut profile = ProfileFileRegionProvider::builder()
        .configure(&ProviderConfig::without_region().with_http_client(http_client.clone()));
    if let Some(files) = files {
        profile = profile.profile_files(files.clone());
    }
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    match profile.build().region().await {
        Some(region) => Ok(region.to_string()),
        None => Err(AwsError::MissingRegion {
            profile: profile_words(settings),
        }),
    }
}

fn profile_words(settings: &Settings) -> String {
    match settings
        .profile
        .clone()
        .or_else(|| std::env::var("AWS_PROFILE").ok())
    {
        Some(name) => format!("profile {name:?}"),
        None => "profile \"default\"".to_owned(),
    }
}

/// The chain of credential sources, and its description for the error when none has any.
fn credentials_chain(
    settings: &Settings,
    files: &Option<EnvConfigFiles>,
    region: &str,
    http_client: &SharedHttpClient,
) -> (SharedCredentialsProvider, String) {
    if let (Some(access_key), Some(secret_key)) = (&settings.access_key, &settings.secret_key) {
        let credentials = Credentials::new(
            access_key,
            secret_key,
            settings.token.clone(),
            None,
            "provider block",
        );
        return (
            SharedCredentialsProvider::new(credentials),
            "access_key and secret_key of the provider block".to_owned(),
        );
    }
    let config = ProviderConfig::without_region()
        .with_http_client(http_client.clone())
        .with_region(Some(Region::new(region.to_owned())));
    let mut profile = ProfileFileCredentialsProvider::builder().configure(&config);
    if let Some(files) = files {
        profile = profile.profile_files(files.clone());
    }
    if let Some(name) = &settings.profile {
        profile = profile.profile_name(name);
    }
    let profile = profile.build();
    let environment = EnvironmentVariableCredentialsProvider::new();
    // A profile that the user wrote wins over what happens to be in the environment.
    let (chain, first) = if settings.profile.is_some() {
        (
            CredentialsProviderChain::first_try("Profile", profile)
                .or_else("Environment", environment),
            [
                profile_words(settings),
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
            ],
        )
    } else {
        (
            CredentialsProviderChain::first_try("Environment", environment)
                .or_else("Profile", profile),
            [
                "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY".to_owned(),
                profile_words(settings),
            ],
        )
    };
    let metadata = imds::Client::builder()
        .configure(&config)
        .max_attempts(1)
        .connect_timeout(METADATA_TIMEOUT)
        .read_timeout(METADATA_TIMEOUT)
        .operation_timeout(METADATA_TIMEOUT * 2)
        .build();
    let chain = chain
        .or_else(
            "WebIdentityToken",
            aws_config::web_identity_token::Builder::default()
                .configure(&config)
                .build(),
        )
        .or_else(
            "Container",
            aws_config::ecs::Builder::default()
                .configure(&config)
                .build(),
        )
        .or_else(
            "InstanceMetadata",
            aws_config::imds::credentials::ImdsCredentialsProvider::builder()
                .configure(&config)
                .imds_client(metadata)
                .build(),
        );
    let tried = format!(
        "{}, AWS_WEB_IDENTITY_TOKEN_FILE, AWS_CONTAINER_CREDENTIALS_RELATIVE_URI or _FULL_URI, \
         the instance metadata service",
        first.join(", ")
    );
    (SharedCredentialsProvider::new(chain), tried)
}

/// The configuration with the role's credentials in place of the base credentials.
fn assume_role(settings: &Settings, base: SdkConfig) -> SdkConfig {
    let Some(role) = &settings.assume_role else {
        return base;
    };
    let session_name = role.session_name.as_deref().unwrap_or(DEFAULT_SESSION_NAME);
    let policies = role
        .policy_arns
        .iter()
        .map(|arn| sts::PolicyDescriptorType::builder().arn(arn).build());
    // A builder of a tag fails without key or value only.
    let tags = role
        .tags
        .iter()
        .filter_map(|(key, value)| sts::Tag::builder().key(key).value(value).build().ok());
    let some = |keys: &[String]| (!keys.is_empty()).then(|| keys.to_vec());
    let call = sts_client(settings, &base)
        .assume_role()
        .role_arn(&role.role_arn)
        .role_session_name(session_name)
        .set_external_id(role.external_id.clone())
        .set_duration_seconds(
            role.duration
                .and_then(|duration| i32::try_from(duration.as_secs()).ok()),
        )
        .set_policy(role.policy.clone())
        .set_policy_arns((!role.policy_arns.is_empty()).then(|| policies.collect()))
        .set_tags((!role.tags.is_empty()).then(|| tags.collect()))
        .set_transitive_tag_keys(some(&role.transitive_tag_keys));
    base.into_builder()
        .credentials_provider(SharedCredentialsProvider::new(AssumedRole { call }))
        .build()
}

/// Credentials of a role. The SDK's own provider knows no transitive tag keys.
#[derive(Debug)]
struct AssumedRole {
    call: aws_sdk_sts::operation::assume_role::builders::AssumeRoleFluentBuilder,
}

impl AssumedRole {
    async fn load(&self) -> Result<Credentials, CredentialsError> {
        let answer = self
            .call
            .clone()
            .send()
            .await
            .map_err(CredentialsError::provider_error)?;
        let session = answer.credentials.ok_or_else(|| {
            CredentialsError::unhandled("the answer of AssumeRole has no credentials")
        })?;
        let expiry =
            SystemTime::try_from(session.expiration).map_err(CredentialsError::unhandled)?;
        Ok(Credentials::new(
            session.access_key_id,
            session.secret_access_key,
            Some(session.session_token),
            Some(expiry),
            "AssumeRole",
        ))
    }
}

impl ProvideCredentials for AssumedRole {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.load())
    }
}

/// Ends the repetitions of calls to an endpoint that does not answer at all.
#[derive(Debug, Default)]
struct Unanswered {
    in_a_row: AtomicU32,
}

impl ClassifyRetry for Unanswered {
    fn classify_retry(&self, context: &InterceptorContext) -> RetryAction {
        let unanswered = matches!(
            context.output_or_error(),
            Some(Err(error)) if error.as_connector_error().is_some_and(|error| error.is_io())
        );
        if !unanswered {
            self.in_a_row.store(0, Ordering::Relaxed);
            return RetryAction::NoActionIndicated;
        }
        if self.in_a_row.fetch_add(1, Ordering::Relaxed) < UNANSWERED_RETRIES {
            RetryAction::NoActionIndicated
        } else {
            RetryAction::RetryForbidden
        }
    }

    fn name(&self) -> &'static str {
        "unanswered calls"
    }
}

fn sts_client(settings: &Settings, config: &SdkConfig) -> aws_sdk_sts::Client {
    let mut sts =
        aws_sdk_sts::config::Builder::from(config).retry_classifier(Unanswered::default());
    if let Some(url) = &settings.endpoints.sts {
        sts = sts.endpoint_url(url);
    }
    aws_sdk_sts::Client::from_conf(sts.build())
}

/// An HTTP client on rustls and aws-lc that honours the proxy variables and `AWS_CA_BUNDLE`.
fn http_client() -> Result<SharedHttpClient, AwsError> {
    let mut trust = tls::TrustStore::default();
    if let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) {
        let pem = std::fs::read(&path).map_err(|error| AwsError::InvalidSetting {
            attribute: "AWS_CA_BUNDLE",
            problem: format!("{} cannot be read: {error}", path.display()),
        })?;
        trust = trust.with_pem_certificate(pem);
    }
    let context = tls::TlsContext::builder()
        .with_trust_store(trust)
        .build()
        .map_err(|error| AwsError::InvalidSetting {
            attribute: "AWS_CA_BUNDLE",
            problem: DisplayErrorContext(&error).to_string(),
        })?;
    Ok(
        HttpClientBuilder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder()
                .tls_provider(tls::Provider::Rustls(
                    tls::rustls_provider::CryptoMode::AwsLc,
                ))
                .tls_context(context.clone())
                .proxy_config(ProxyConfig::from_env());
            connector.set_connector_settings(settings.cloned());
            if let Some(components) = components {
                connector.set_sleep_impl(components.sleep_impl());
            }
            connector.build()
        }),
    )
}

#[cfg(test)]
mod tests {
    use super::{UNANSWERED_RETRIES, Unanswered, retry_config};
    use aws_smithy_runtime_api::client::interceptors::context::{Error, Input, InterceptorContext};
    use aws_smithy_runtime_api::client::orchestrator::OrchestratorError;
    use aws_smithy_runtime_api::client::result::ConnectorError;
    use aws_smithy_runtime_api::client::retries::classifiers::{ClassifyRetry as _, RetryAction};

    #[test]
    fn an_endpoint_that_never_answers_is_given_up_soon() {
        let context = |error: OrchestratorError<Error>| {
            let mut context = InterceptorContext::new(Input::doesnt_matter());
            context.set_output_or_error(Err(error));
            context
        };
        let refused = context(OrchestratorError::connector(ConnectorError::io(
            "connection refused".into(),
        )));
        let answered = context(OrchestratorError::operation(Error::erase(std::fmt::Error)));
        let classifier = Unanswered::default();
        for _ in 0..UNANSWERED_RETRIES {
            assert_eq!(
                classifier.classify_retry(&refused),
                RetryAction::NoActionIndicated
            );
        }
        assert_eq!(
            classifier.classify_retry(&refused),
            RetryAction::RetryForbidden
        );
        // An answer, even an error, starts the count anew.
        classifier.classify_retry(&answered);
        assert_eq!(
            classifier.classify_retry(&refused),
            RetryAction::NoActionIndicated
        );
    }

    #[test]
    fn attempts_of_settings_environment_and_default() {
        let table = [
            (None, None, Ok(26)),
            (None, Some("3"), Ok(3)),
            (Some(0), Some("3"), Ok(1)),
            (Some(7), None, Ok(8)),
            (None, Some("0"), Err("AWS_MAX_ATTEMPTS")),
            (None, Some("many"), Err("AWS_MAX_ATTEMPTS")),
        ];
        for (max_retries, max_attempts, expected) in table {
            let found = retry_config(max_retries, max_attempts, None);
            match (found, expected) {
                (Ok(found), Ok(attempts)) => assert_eq!(found.max_attempts(), attempts),
                (Err(error), Err(name)) => assert!(error.to_string().contains(name), "{error}"),
                (found, expected) => panic!("{found:?} is not {expected:?}"),
            }
        }
        assert!(retry_config(None, None, Some("legacy?")).is_err());
    }
}
