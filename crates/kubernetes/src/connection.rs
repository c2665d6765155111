//! How to reach a cluster: a description, and the client made from it.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures::future::BoxFuture;
use http::HeaderValue;
use kube::client::ClientBuilder;
use kube::config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig};
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::error::{Error, classify, describe};

/// How long the TCP and TLS handshakes may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// A token is replaced when it has less than this left.
const REFRESH_BEFORE_EXPIRY: Duration = Duration::from_secs(120);

/// A value that does not show itself in `Debug` output.
#[derive(Clone, PartialEq, Eq)]
pub struct Sensitive(String);

impl Sensitive {
    /// Wraps a secret.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// The secret itself.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Sensitive {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(sensitive)")
    }
}

/// A bearer token and when it ends.
#[derive(Clone, Debug)]
pub struct Token {
    /// Value of the `Authorization` header after `Bearer `.
    pub value: Sensitive,
    /// When the token stops being accepted; `None` when it does not end.
    pub expires_at: Option<SystemTime>,
}

/// A token source's failure. Its source says why.
#[derive(Debug, thiserror::Error)]
#[error("the token source gave no token")]
pub struct TokenError(#[source] pub Box<dyn std::error::Error + Send + Sync>);

/// Where bearer tokens come from, EKS' presigned STS requests for one. The caller keeps the token and
/// asks again before it expires, or after the server refused it.
pub trait TokenSource: Send + Sync + 'static {
    /// A new token.
    fn token(&self) -> BoxFuture<'_, Result<Token, TokenError>>;
}

/// A kubeconfig file and the context in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KubeconfigFile {
    /// The file. `None`: `KUBE_CONFIG_PATH`, else `KUBECONFIG`, else `~/.kube/config`.
    pub path: Option<PathBuf>,
    /// The context. `None`: the file's current context.
    pub context: Option<String>,
}

/// A client-go credential plugin (`client.authentication.k8s.io`).
#[derive(Clone, Debug)]
pub struct ExecPlugin {
    /// `client.authentication.k8s.io/v1` or `…/v1beta1`.
    pub api_version: String,
    /// The program.
    pub command: String,
    /// Its arguments.
    pub args: Vec<String>,
    /// Added to its environment.
    pub env: Vec<(String, Sensitive)>,
}

/// Who we are to the API server.
#[derive(Clone)]
pub enum Credentials {
    /// Nobody: for proxies that authenticate by themselves.
    Anonymous,
    /// A token that does not change.
    Token(Sensitive),
    /// Tokens that are made when needed.
    TokenSource(Arc<dyn TokenSource>),
    /// A credential plugin.
    Exec(ExecPlugin),
    /// A client certificate.
    ClientCertificate {
        /// PEM.
        certificate: String,
        /// PEM.
        key: Sensitive,
    },
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Credentials::Anonymous => f.write_str("Anonymous"),
            Credentials::Token(_) => f.write_str("Token"),
            Credentials::TokenSource(_) => f.write_str("TokenSource"),
            Credentials::Exec(plugin) => f.debug_tuple("Exec").field(plugin).finish(),
            Credentials::ClientCertificate { .. } => f.write_str("ClientCertificate"),
        }
    }
}

/// An API server given by its URL.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// `https://…`.
    pub host: String,
    /// The certificate authority, PEM or base64 of PEM. `None`: the machine's own trust store.
    pub certificate_authority: Option<String>,
    /// Name in the server's certificate, when it is not the host's.
    pub tls_server_name: Option<String>,
    /// Accept any certificate. Never needed with EKS.
    pub insecure: bool,
    /// Who we are.
    pub credentials: Credentials,
}

/// How to reach a cluster.
#[derive(Clone, Debug)]
pub enum Connection {
    /// By a kubeconfig file.
    Kubeconfig(KubeconfigFile),
    /// By URL.
    Endpoint(Box<Endpoint>),
}

/// A kube client with what our own calls need to know about it.
pub(crate) struct Connected {
    pub client: kube::Client,
    pub server: String,
    pub tokens: Option<Arc<TokenCache>>,
}

impl Connection {
    /// Makes a client. Reads files and runs exec plugins; does not talk to the API server.
    pub(crate) async fn connect(&self) -> Result<Connected, Error> {
        let (config, tokens) = match self {
            Connection::Kubeconfig(file) => (from_kubeconfig(file).await?, None),
            Connection::Endpoint(endpoint) => from_endpoint(endpoint).await?,
        };
        let server = config
            .cluster_url
            .to_string()
            .trim_end_matches('/')
            .to_owned();
        let mut config = config;
        config.connect_timeout = Some(CONNECT_TIMEOUT);
        // Our own retries know which calls may be repeated and tell what they wait for.
        config.default_retry = false;

        // The builder runs exec plugins and waits for them on this thread.
        let handle = tokio::runtime::Handle::current();
        let built = tokio::task::spawn_blocking(move || {
            let _entered = handle.enter();
            Ok::<_, kube::Error>(ClientBuilder::try_from(config)?.build())
        })
        .await
        .map_err(|_| Error::InvalidConnection {
            reason: "the client could not be built".to_owned(),
        })?;
        let client = built.map_err(|error| match error {
            kube::Error::RustlsTls(source) => Error::InvalidConnection {
                reason: format!(
                    "the certificate authority or client certificate is not usable: {}",
                    crate::error::describe(&source)
                ),
            },
            other => classify(other, &server, "make a client", None),
        })?;
        Ok(Connected {
            client,
            server,
            tokens,
        })
    }
}

async fn from_kubeconfig(file: &KubeconfigFile) -> Result<kube::Config, Error> {
    let path = file
        .path
        .clone()
        .or_else(|| std::env::var_os("KUBE_CONFIG_PATH").map(PathBuf::from));
    let shown = path.as_ref().map_or_else(
        || "of KUBECONFIG or ~/.kube/config".to_owned(),
        |path| path.display().to_string(),
    );
    let unusable = |source| Error::Kubeconfig {
        path: shown.clone(),
        source,
    };
    let mut kubeconfig = match &path {
        Some(path) => Kubeconfig::read_from(expand_home(path)),
        None => Kubeconfig::read(),
    }
    .map_err(unusable)?;

    let context = file
        .context
        .clone()
        .or_else(|| kubeconfig.current_context.clone())
        .unwrap_or_default();
    if !kubeconfig
        .contexts
        .iter()
        .any(|known| known.name == context)
    {
        let mut names: Vec<_> = kubeconfig
            .contexts
            .iter()
            .map(|known| known.name.as_str())
            .collect();
        names.sort_unstable();
        let available = if names.is_empty() {
            "none".to_owned()
        } else {
            names.join(", ")
        };
        return Err(Error::ContextMissing {
            path: shown,
            context,
            available,
        });
    }
    // stdin is the plugin protocol's: no credential plugin may read it.
    for named in &mut kubeconfig.auth_infos {
        if let Some(exec) = named.auth_info.as_mut().and_then(|info| info.exec.as_mut()) {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    let options = KubeConfigOptions {
        context: Some(context),
        ..KubeConfigOptions::default()
    };
    kube::Config::from_custom_kubeconfig(kubeconfig, &options)
        .await
        .map_err(unusable)
}

fn expand_home(path: &std::path::Path) -> PathBuf {
    match (path.strip_prefix("~"), std::env::var_os("HOME")) {
        (Ok(rest), Some(home)) => PathBuf::from(home).join(rest),
        _ => path.to_owned(),
    }
}

async fn from_endpoint(
    endpoint: &Endpoint,
) -> Result<(kube::Config, Option<Arc<TokenCache>>), Error> {
    let invalid = |reason: String| Error::InvalidConnection { reason };
    let mut cluster = json!({ "server": endpoint.host });
    if let Some(authority) = &endpoint.certificate_authority {
        cluster["certificate-authority-data"] = Value::String(authority_data(authority)?);
    }
    if let Some(name) = &endpoint.tls_server_name {
        cluster["tls-server-name"] = Value::String(name.clone());
    }
    if endpoint.insecure {
        cluster["insecure-skip-tls-verify"] = Value::Bool(true);
    }
    let mut tokens = None;
    let user = match &endpoint.credentials {
        Credentials::Anonymous => json!({}),
        Credentials::Token(token) => json!({ "token": token.expose() }),
        Credentials::TokenSource(source) => {
            tokens = Some(Arc::new(TokenCache::new(Arc::clone(source))));
            json!({})
        }
        Credentials::Exec(plugin) => json!({ "exec": {
            "apiVersion": plugin.api_version,
            "command": plugin.command,
            "args": plugin.args,
            "env": plugin.env.iter()
                .map(|(name, value)| json!({ "name": name, "value": value.expose() }))
                .collect::<Vec<_>>(),
            "interactiveMode": "Never",
        }}),
        Credentials::ClientCertificate { certificate, key } => json!({
            "client-certificate-data": STANDARD.encode(certificate),
            "client-key-data": STANDARD.encode(key.expose()),
        }),
    };
    let kubeconfig: Kubeconfig = serde_json::from_value(json!({
        "clusters": [{ "name": "cluster", "cluster": cluster }],
        "users": [{ "name": "user", "user": user }],
        "contexts": [{ "name": "context", "context": { "cluster": "cluster", "user": "user" } }],
        "current-context": "context",
    }))
    .map_err(|error| invalid(error.to_string()))?;
    let config = kube::Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default())
        .await
        .map_err(|error| invalid(format!("host {:?}: {error}", endpoint.host)))?;
    if config.cluster_url.host().is_none() || config.cluster_url.scheme().is_none() {
        return Err(invalid(format!(
            "host {:?} is not a URL; write it as https://HOST[:PORT]",
            endpoint.host
        )));
    }
    Ok((config, tokens))
}

/// Base64 of PEM, from PEM or from base64 of PEM (as EKS and kubeconfig files give it).
fn authority_data(authority: &str) -> Result<String, Error> {
    let trimmed = authority.trim();
    if trimmed.starts_with("-----BEGIN") {
        return Ok(STANDARD.encode(trimmed));
    }
    let compact: String = trimmed.split_whitespace().collect();
    match STANDARD.decode(&compact) {
        Ok(bytes) if bytes.starts_with(b"-----BEGIN") => Ok(compact),
        _ => Err(Error::InvalidConnection {
            reason: "the certificate authority is neither PEM (-----BEGIN CERTIFICATE-----) nor base64 of \
                     PEM"
                .to_owned(),
        }),
    }
}

/// The last token of a source, shared by all requests of one client.
pub(crate) struct TokenCache {
    source: Arc<dyn TokenSource>,
    current: Mutex<Option<Token>>,
}

impl TokenCache {
    fn new(source: Arc<dyn TokenSource>) -> Self {
        Self {
            source,
            current: Mutex::new(None),
        }
    }

    /// Forgets the token: the server refused it.
    pub(crate) async fn invalidate(&self) {
        *self.current.lock().await = None;
    }

    /// Value of the `Authorization` header; `server` is for the error.
    pub(crate) async fn header(&self, server: &str) -> Result<HeaderValue, Error> {
        let unusable = |reason: String| Error::Credentials {
            server: server.to_owned(),
            reason,
        };
        let mut current = self.current.lock().await;
        let usable = current.as_ref().is_some_and(|token| {
            token
                .expires_at
                .is_none_or(|end| SystemTime::now() + REFRESH_BEFORE_EXPIRY < end)
        });
        if !usable {
            *current = None;
            let fresh = self.source.token().await;
            *current = Some(fresh.map_err(|error| unusable(describe(&error)))?);
        }
        let token = current.as_ref().map_or("", |token| token.value.expose());
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| {
            unusable("the token holds characters that a header cannot carry".to_owned())
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const KUBECONFIG: &str = "\
apiVersion: v1
kind: Config
clusters:
- {name: c, cluster: {server: 'https://127.0.0.1:1'}}
users:
- {name: u, user: {token: t}}
contexts:
- {name: blue, context: {cluster: c, user: u}}
- {name: green, context: {cluster: c, user: u}}
";

    #[tokio::test]
    async fn a_missing_context_lists_those_that_exist() {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), KUBECONFIG).unwrap();
        let connection = Connection::Kubeconfig(KubeconfigFile {
            path: Some(file.path().to_owned()),
            context: Some("red".to_owned()),
        });
        let error = connection.connect().await.err().unwrap();
        assert_eq!(
            error.to_string(),
            format!(
                "the kubeconfig {} has no context \"red\"; it has: blue, green. Set config_context to one of these",
                file.path().display()
            )
        );
    }

    fn endpoint(
        host: &str,
        certificate_authority: Option<&str>,
        credentials: Credentials,
    ) -> Connection {
        Connection::Endpoint(Box::new(Endpoint {
            host: host.to_owned(),
            certificate_authority: certificate_authority.map(str::to_owned),
            tls_server_name: None,
            insecure: false,
            credentials,
        }))
    }

    #[tokio::test]
    async fn wrong_descriptions_are_refused_before_anything_is_sent() {
        let missing = Credentials::Exec(ExecPlugin {
            api_version: "client.authentication.k8s.io/v1".to_owned(),
            command: "/nonexistent/aws".to_owned(),
            args: Vec::new(),
            env: Vec::new(),
        });
        let cases = [
            (
                endpoint("example.com", None, Credentials::Anonymous),
                "the connection cannot be used: host \"example.com\" is not a URL; write it as https://HOST[:PORT]",
            ),
            (
                endpoint(
                    "https://example.com",
                    Some("nonsense"),
                    Credentials::Anonymous,
                ),
                "the connection cannot be used: the certificate authority is neither PEM (-----BEGIN CERTIFICATE-----) nor base64 of PEM",
            ),
            (
                endpoint("https://example.com", None, missing),
                "no credentials for the Kubernetes API at https://example.com: the exec plugin cannot be started: No such file or directory (os error 2). Is it installed and on PATH?",
            ),
        ];
        for (connection, expected) in cases {
            let error = connection.connect().await.err().unwrap();
            assert_eq!(error.to_string(), expected);
        }
    }

    struct Counting(AtomicU32, Duration);

    impl TokenSource for Counting {
        fn token(&self) -> BoxFuture<'_, Result<Token, TokenError>> {
            let number = self.0.fetch_add(1, Ordering::SeqCst);
            let expires_at = Some(SystemTime::now() + self.1);
            Box::pin(async move {
                Ok(Token {
                    value: Sensitive::new(format!("token-{number}")),
                    expires_at,
                })
            })
        }
    }

    #[tokio::test]
    async fn a_token_is_kept_until_it_is_about_to_end_or_refused() {
        let long = TokenCache::new(Arc::new(Counting(
            AtomicU32::new(0),
            Duration::from_secs(900),
        )));
        assert_eq!(long.header("https://k").await.unwrap(), "Bearer token-0");
        assert_eq!(long.header("https://k").await.unwrap(), "Bearer token-0");
        long.invalidate().await;
        assert_eq!(long.header("https://k").await.unwrap(), "Bearer token-1");

        let ending = TokenCache::new(Arc::new(Counting(
            AtomicU32::new(0),
            Duration::from_secs(60),
        )));
        assert_eq!(ending.header("https://k").await.unwrap(), "Bearer token-0");
        assert_eq!(ending.header("https://k").await.unwrap(), "Bearer token-1");
    }

    #[test]
    fn debug_output_holds_no_secret() {
        let connection = endpoint(
            "https://k",
            None,
            Credentials::Token(Sensitive::new("hunter2")),
        );
        assert!(!format!("{connection:?}").contains("hunter2"));
    }
}
