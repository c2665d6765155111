//! The handle on a cluster: calls with retries, errors of our own, and cached discovery.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, Request};
use serde_json::{Value, json};
use tokio::sync::RwLock;

use crate::connection::{Connected, Connection, TokenCache};
use crate::discovery::{self, Discovery, Scope, Served};
use crate::error::{Error, classify};
use crate::object::ObjectReference;

/// How long one call may take. Server-side apply of a large CRD takes about a second; webhooks may
/// take 30.
const CALL_TIMEOUT: Duration = Duration::from_secs(60);

/// Calls are repeated so often, with waits that double from [`FIRST_WAIT`]: about 6 s in all.
const ATTEMPTS: u32 = 6;
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// How an object is applied.
#[derive(Clone, Debug)]
pub struct ApplyOptions<'a> {
    /// Name under which the API server records who owns the fields.
    pub field_manager: &'a str,
    /// Take fields from other managers.
    pub force: bool,
    /// Let the server compute the result and store nothing.
    pub dry_run: bool,
}

/// What happens to the objects that an object owns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Propagation {
    /// The object goes at once, what it owns later.
    Background,
    /// What it owns goes first.
    Foreground,
    /// What it owns stays.
    Orphan,
}

impl Propagation {
    fn as_str(self) -> &'static str {
        match self {
            Propagation::Background => "Background",
            Propagation::Foreground => "Foreground",
            Propagation::Orphan => "Orphan",
        }
    }
}

/// What must still be true of an object for a deletion to happen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Preconditions<'a> {
    /// It is this very object and not one made since under its name.
    pub uid: Option<&'a str>,
    /// Nobody has changed it since it was read.
    pub resource_version: Option<&'a str>,
}

impl<'a> Preconditions<'a> {
    /// That the object is the one that was read.
    pub fn same(live: &'a Value) -> Self {
        Self {
            uid: live.pointer("/metadata/uid").and_then(Value::as_str),
            resource_version: None,
        }
    }

    /// That the object is as it was read.
    pub fn unchanged(live: &'a Value) -> Self {
        Self {
            resource_version: live
                .pointer("/metadata/resourceVersion")
                .and_then(Value::as_str),
            ..Self::same(live)
        }
    }
}

/// How far a deletion is when the call returns.
#[derive(Clone, Debug, PartialEq)]
pub enum Deletion {
    /// The object was not there, or went at once.
    Gone,
    /// The object waits for finalizers or dependents.
    Started,
}

/// Which objects a list has.
#[derive(Clone, Debug, Default)]
pub struct ListOptions<'a> {
    /// Only this namespace; `None`: all, or a cluster-scoped kind.
    pub namespace: Option<&'a str>,
    /// Label selector, `a=b,c`.
    pub labels: Option<&'a str>,
    /// Field selector, `involvedObject.uid=…`.
    pub fields: Option<&'a str>,
}

/// A handle on one cluster. Clones share the connection and the discovery cache.
#[derive(Clone)]
pub struct Cluster {
    client: kube::Client,
    server: String,
    tokens: Option<Arc<TokenCache>>,
    discovery: Arc<RwLock<Option<Arc<Discovery>>>>,
}

impl Cluster {
    /// Makes a handle and checks that an API server answers and knows us (`GET /version` needs no
    /// permission beyond being authenticated).
    ///
    /// # Errors
    /// Everything that keeps us from talking to the server; see [`Error`].
    pub async fn connect(connection: &Connection) -> Result<Self, Error> {
        let Connected {
            client,
            server,
            tokens,
        } = connection.connect().await?;
        let cluster = Self {
            client,
            server,
            tokens,
            discovery: Arc::default(),
        };
        let version = cluster.version().await?;
        tracing::debug!(server = %cluster.server, version, "connected to the Kubernetes API");
        Ok(cluster)
    }

    /// URL of the API server.
    pub fn server(&self) -> &str {
        &self.server
    }

    /// `gitVersion` of the API server, `v1.36.3`.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn version(&self) -> Result<String, Error> {
        let action = "read the server's version";
        let version = self
            .call(Method::GET, "/version", None, action, None)
            .await?;
        match version.get("gitVersion").and_then(Value::as_str) {
            Some(version) => Ok(version.to_owned()),
            None => Err(Error::Decode {
                action: action.to_owned(),
                server: self.server.clone(),
                source: None,
            }),
        }
    }

    /// Whether the kind lives in namespaces.
    ///
    /// # Errors
    /// [`Error::KindNotServed`] when the server does not have the kind.
    pub async fn scope(&self, api_version: &str, kind: &str) -> Result<Scope, Error> {
        Ok(self.served(api_version, kind).await?.scope)
    }

    /// The address under which the server has an object now: in another version of the group if the one
    /// given is not served any more, without namespace if the kind lives in none, and in `default` if it
    /// does and none is given.
    ///
    /// # Errors
    /// [`Error::KindNotServed`] when no version has the kind.
    pub async fn resolve(&self, reference: &ObjectReference) -> Result<ObjectReference, Error> {
        let (api_version, served) = self.served_in_any_version(reference).await?;
        Ok(ObjectReference {
            api_version,
            namespace: match served.scope {
                Scope::Cluster => None,
                Scope::Namespaced => Some(
                    reference
                        .namespace
                        .clone()
                        .unwrap_or_else(|| "default".to_owned()),
                ),
            },
            ..reference.clone()
        })
    }

    /// Version and kind of everything that lives in namespaces and can be listed.
    ///
    /// # Errors
    /// [`Error::GroupUnavailable`] when an aggregated API does not say what it has.
    pub async fn namespaced_kinds(&self) -> Result<Vec<(String, String)>, Error> {
        self.forget_discovery().await;
        let discovery = self.discover(None).await?;
        if let Some(group) = discovery.stale_group() {
            return Err(Error::GroupUnavailable {
                group: group.to_owned(),
            });
        }
        Ok(discovery.namespaced())
    }

    /// Forgets what the server serves: a CustomResourceDefinition was added or changed.
    pub async fn forget_discovery(&self) {
        *self.discovery.write().await = None;
    }

    /// Server-side apply. Returns the object as stored (or as it would be, with `dry_run`).
    ///
    /// # Errors
    /// [`Error::Conflict`] names the fields of other managers.
    pub async fn apply(&self, object: &Value, options: &ApplyOptions<'_>) -> Result<Value, Error> {
        let reference = reference_of(object)?;
        let mut query = vec![
            ("fieldManager", options.field_manager.to_owned()),
            ("force", options.force.to_string()),
            ("fieldValidation", "Strict".to_owned()),
        ];
        if options.dry_run {
            query.push(("dryRun", "All".to_owned()));
        }
        let path = self.path(&reference, true, &query).await?;
        self.call(
            Method::PATCH,
            &path,
            Some(("application/apply-patch+yaml", object)),
            &format!("apply {reference}"),
            Some(&reference),
        )
        .await
    }

    /// Creates an object that must not exist; `None` when it does.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn create(
        &self,
        object: &Value,
        field_manager: &str,
    ) -> Result<Option<Value>, Error> {
        let reference = reference_of(object)?;
        let path = self
            .path(
                &reference,
                false,
                &[("fieldManager", field_manager.to_owned())],
            )
            .await?;
        let answer = self
            .call_raw(
                Method::POST,
                &path,
                Some(("application/json", object)),
                &format!("create {reference}"),
                Some(&reference),
            )
            .await?;
        match answer {
            Answer::Body(body) => Ok(Some(body)),
            Answer::AlreadyExists => Ok(None),
            Answer::NotFound(message) => Err(not_found(&format!("create {reference}"), &message)),
        }
    }

    /// Replaces an object whose `metadata.resourceVersion` must still be the one given.
    ///
    /// # Errors
    /// [`Error::Changed`] when it is not.
    pub async fn replace(&self, object: &Value, field_manager: &str) -> Result<Value, Error> {
        let reference = reference_of(object)?;
        let path = self
            .path(
                &reference,
                true,
                &[("fieldManager", field_manager.to_owned())],
            )
            .await?;
        self.call(
            Method::PUT,
            &path,
            Some(("application/json", object)),
            &format!("replace {reference}"),
            Some(&reference),
        )
        .await
    }

    /// Reads an object at its address of now ([`Cluster::resolve`]); `None` when the server says that it
    /// does not exist, or serves no such kind.
    ///
    /// # Errors
    /// An unreachable API is an error, never `None`.
    pub async fn get(&self, reference: &ObjectReference) -> Result<Option<Value>, Error> {
        let path = match self.current_path(reference).await {
            Ok(path) => path,
            Err(Error::KindNotServed { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        match self
            .call_raw(
                Method::GET,
                &path,
                None,
                &format!("read {reference}"),
                Some(reference),
            )
            .await?
        {
            Answer::Body(body) => Ok(Some(body)),
            Answer::AlreadyExists | Answer::NotFound(_) => Ok(None),
        }
    }

    /// Deletes an object at its address of now ([`Cluster::resolve`]), if the preconditions hold.
    ///
    /// # Errors
    /// [`Error::Changed`] when the object is another version than the one given. An object that is
    /// already gone, or has another UID, is not an error.
    pub async fn delete(
        &self,
        reference: &ObjectReference,
        propagation: Propagation,
        preconditions: Preconditions<'_>,
    ) -> Result<Deletion, Error> {
        let path = match self.current_path(reference).await {
            Ok(path) => path,
            Err(Error::KindNotServed { .. }) => return Ok(Deletion::Gone),
            Err(error) => return Err(error),
        };
        let mut body = json!({
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": propagation.as_str(),
        });
        if let Some(uid) = preconditions.uid {
            body["preconditions"]["uid"] = json!(uid);
        }
        if let Some(version) = preconditions.resource_version {
            body["preconditions"]["resourceVersion"] = json!(version);
        }
        let action = format!("delete {reference}");
        let answer = self
            .call_raw(
                Method::DELETE,
                &path,
                Some(("application/json", &body)),
                &action,
                Some(reference),
            )
            .await;
        match answer {
            // Another object has the name now: ours is gone.
            Err(Error::Changed { .. })
                if preconditions.uid.is_some() && preconditions.resource_version.is_none() =>
            {
                Ok(Deletion::Gone)
            }
            Err(error) => Err(error),
            Ok(Answer::NotFound(_) | Answer::AlreadyExists) => Ok(Deletion::Gone),
            // The answer is a Status when the object is gone, the object when it is not.
            Ok(Answer::Body(body))
                if body.get("kind").and_then(Value::as_str) == Some("Status") =>
            {
                Ok(Deletion::Gone)
            }
            Ok(Answer::Body(_)) => Ok(Deletion::Started),
        }
    }

    /// All objects of a kind that match. Follows `continue`.
    ///
    /// # Errors
    /// Those of any call.
    pub async fn list(
        &self,
        api_version: &str,
        kind: &str,
        options: &ListOptions<'_>,
    ) -> Result<Vec<Value>, Error> {
        let reference = ObjectReference::new(api_version, kind, options.namespace, "");
        let action = format!("list {kind}");
        let mut items = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let mut query = vec![("limit", "500".to_owned())];
            if let Some(labels) = options.labels {
                query.push(("labelSelector", labels.to_owned()));
            }
            if let Some(fields) = options.fields {
                query.push(("fieldSelector", fields.to_owned()));
            }
            if let Some(token) = token.take() {
                query.push(("continue", token));
            }
            let path = self.path(&reference, false, &query).await?;
            let mut page = self.call(Method::GET, &path, None, &action, None).await?;
            token = page
                .pointer("/metadata/continue")
                .and_then(Value::as_str)
                .filter(|token| !token.is_empty())
                .map(str::to_owned);
            if let Some(Value::Array(found)) = page.get_mut("items").map(Value::take) {
                // The server says once for the whole list what its items are.
                items.extend(found.into_iter().map(|mut item| {
                    item["apiVersion"] = json!(api_version);
                    item["kind"] = json!(kind);
                    item
                }));
            }
            if token.is_none() {
                return Ok(items);
            }
        }
    }

    /// The last lines that a container wrote; with `previous`, those of its instance before the restart.
    ///
    /// # Errors
    /// Those of any call; a container that has not started is [`Error::Rejected`].
    pub async fn logs(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        lines: u32,
        previous: bool,
    ) -> Result<String, Error> {
        let path = format!(
            "/api/v1/namespaces/{}/pods/{}/log?{}",
            encode(namespace),
            encode(pod),
            encode_query(&[
                ("container", container.to_owned()),
                ("tailLines", lines.to_string()),
                ("limitBytes", "8192".to_owned()),
                ("previous", previous.to_string()),
            ])
        );
        let action = format!("read the log of Pod {namespace}/{pod}");
        let request = self.request(&Method::GET, &path, None, &action).await?;
        match tokio::time::timeout(CALL_TIMEOUT, self.client.request_text(request)).await {
            Ok(Ok(text)) => Ok(text),
            Ok(Err(error)) => Err(classify(error, &self.server, &action, None)),
            Err(_) => Err(self.silent()),
        }
    }

    async fn served(&self, api_version: &str, kind: &str) -> Result<Served, Error> {
        let cached = self.discovery.read().await.clone();
        if let Some(served) = cached
            .as_ref()
            .and_then(|known| known.find(api_version, kind))
        {
            return Ok(served.clone());
        }
        // A kind that is not in the cache may have been added since.
        let fresh = self.discover(cached.as_ref()).await?;
        if let Some(served) = fresh.find(api_version, kind) {
            return Ok(served.clone());
        }
        let group = discovery::group_of(api_version);
        if fresh.is_stale(group) {
            return Err(Error::GroupUnavailable {
                group: group.to_owned(),
            });
        }
        Err(Error::KindNotServed {
            api_version: api_version.to_owned(),
            kind: kind.to_owned(),
        })
    }

    async fn served_in_any_version(
        &self,
        reference: &ObjectReference,
    ) -> Result<(String, Served), Error> {
        let ObjectReference {
            api_version, kind, ..
        } = reference;
        let not_served = match self.served(api_version, kind).await {
            Ok(served) => return Ok((api_version.clone(), served)),
            Err(error @ Error::KindNotServed { .. }) => error,
            Err(error) => return Err(error),
        };
        let known = self.discover(None).await?;
        let other = known
            .preferred(reference.group(), kind)
            .and_then(|version| Some((version.to_owned(), known.find(version, kind)?.clone())));
        other.ok_or(not_served)
    }

    async fn current_path(&self, reference: &ObjectReference) -> Result<String, Error> {
        let current = self.resolve(reference).await?;
        self.path(&current, true, &[]).await
    }

    /// Reads discovery again, unless another task has done so since `seen` was read.
    async fn discover(&self, seen: Option<&Arc<Discovery>>) -> Result<Arc<Discovery>, Error> {
        let mut cache = self.discovery.write().await;
        if let Some(current) = cache.as_ref()
            && !seen.is_some_and(|seen| Arc::ptr_eq(seen, current))
        {
            return Ok(Arc::clone(current));
        }
        let action = "discover the API";
        let mut discovery = Discovery::default();
        for path in ["/api", "/apis"] {
            let list = self.call(Method::GET, path, None, action, None).await?;
            if !discovery.add(&list) {
                return Err(Error::InvalidConnection {
                    reason: format!(
                        "the server at {} does not offer aggregated discovery; Kubernetes 1.26 or newer is \
                         needed",
                        self.server
                    ),
                });
            }
        }
        let discovery = Arc::new(discovery);
        *cache = Some(Arc::clone(&discovery));
        Ok(discovery)
    }

    async fn path(
        &self,
        reference: &ObjectReference,
        with_name: bool,
        query: &[(&str, String)],
    ) -> Result<String, Error> {
        let served = self.served(&reference.api_version, &reference.kind).await?;
        let root = if reference.api_version.contains('/') {
            "apis"
        } else {
            "api"
        };
        let mut path = format!("/{root}/{}", reference.api_version);
        if let (Scope::Namespaced, Some(namespace)) = (served.scope, &reference.namespace) {
            path.push_str("/namespaces/");
            path.push_str(&encode(namespace));
        }
        path.push('/');
        path.push_str(&served.plural);
        if with_name {
            if served.scope == Scope::Namespaced && reference.namespace.is_none() {
                return Err(Error::Rejected {
                    action: format!("address {reference}"),
                    message: format!("{} lives in a namespace and none is given", reference.kind),
                });
            }
            path.push('/');
            path.push_str(&encode(&reference.name));
        }
        if !query.is_empty() {
            path.push('?');
            path.push_str(&encode_query(query));
        }
        Ok(path)
    }

    async fn call(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, &Value)>,
        action: &str,
        object: Option<&ObjectReference>,
    ) -> Result<Value, Error> {
        match self.call_raw(method, path, body, action, object).await? {
            Answer::Body(body) => Ok(body),
            Answer::NotFound(message) => Err(not_found(action, &message)),
            Answer::AlreadyExists => Err(Error::Changed {
                action: action.to_owned(),
            }),
        }
    }

    /// One call with its retries. All our calls may be repeated: reads, apply, delete, replace under
    /// an optimistic lock, and create, whose second try finds what the first one made.
    async fn call_raw(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, &Value)>,
        action: &str,
        object: Option<&ObjectReference>,
    ) -> Result<Answer, Error> {
        let mut wait = FIRST_WAIT;
        let mut token_renewed = false;
        for attempt in 1.. {
            let request = self.request(&method, path, body, action).await?;
            let outcome =
                tokio::time::timeout(CALL_TIMEOUT, self.client.request_text(request)).await;
            let (error, retry_after) = match outcome {
                Ok(Ok(text)) => {
                    return serde_json::from_str(&text)
                        .map(Answer::Body)
                        .map_err(|source| Error::Decode {
                            action: action.to_owned(),
                            server: self.server.clone(),
                            source: Some(source),
                        });
                }
                Ok(Err(kube::Error::Api(status))) if Error::is_not_found_status(&status) => {
                    return Ok(Answer::NotFound(status.message));
                }
                Ok(Err(kube::Error::Api(status))) if status.reason == "AlreadyExists" => {
                    return Ok(Answer::AlreadyExists);
                }
                Ok(Err(error)) => {
                    let retry_after = match &error {
                        kube::Error::Api(status) => status
                            .details
                            .as_ref()
                            .map_or(0, |details| details.retry_after_seconds),
                        _ => 0,
                    };
                    (
                        classify(error, &self.server, action, object),
                        Duration::from_secs(u64::from(retry_after)),
                    )
                }
                Err(_) => (self.silent(), Duration::ZERO),
            };
            if let (Error::Unauthorised { .. }, Some(tokens), false) =
                (&error, &self.tokens, token_renewed)
            {
                token_renewed = true;
                tokens.invalidate().await;
                continue;
            }
            if attempt >= ATTEMPTS || !error.is_transient() {
                return Err(error);
            }
            let pause = wait.max(retry_after).min(LONGEST_WAIT);
            tracing::debug!(action, attempt, ?pause, error = %error, "the Kubernetes API call is repeated");
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        Err(self.silent())
    }

    async fn request(
        &self,
        method: &Method,
        path: &str,
        body: Option<(&str, &Value)>,
        action: &str,
    ) -> Result<Request<Vec<u8>>, Error> {
        let is_discovery = path == "/api" || path == "/apis";
        let accept = if is_discovery {
            discovery::ACCEPT
        } else {
            "application/json"
        };
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("accept", accept);
        if let Some(tokens) = &self.tokens {
            request = request.header("authorization", tokens.header(&self.server).await?);
        }
        let bytes = match body {
            Some((content_type, value)) => {
                request = request.header("content-type", content_type);
                value.to_string().into_bytes()
            }
            None => Vec::new(),
        };
        request
            .body(bytes)
            .map_err(|error| Error::InvalidConnection {
                reason: format!("cannot {action}: {error}"),
            })
    }

    pub(crate) fn silent(&self) -> Error {
        Error::Unreachable {
            server: self.server.clone(),
            reason: format!("no answer within {} s", CALL_TIMEOUT.as_secs()),
        }
    }
}

enum Answer {
    Body(Value),
    NotFound(String),
    AlreadyExists,
}

fn not_found(action: &str, message: &str) -> Error {
    Error::Api {
        action: action.to_owned(),
        code: 404,
        status_reason: "NotFound".to_owned(),
        message: message.to_owned(),
    }
}

fn reference_of(object: &Value) -> Result<ObjectReference, Error> {
    ObjectReference::of(object).ok_or_else(|| Error::Rejected {
        action: "address an object".to_owned(),
        message: "apiVersion, kind or metadata.name is missing".to_owned(),
    })
}

/// Percent-encodes all but RFC 3986 unreserved characters.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                encoded.push(char::from(byte))
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

fn encode_query(query: &[(&str, String)]) -> String {
    query
        .iter()
        .map(|(name, value)| format!("{name}={}", encode(value)))
        .collect::<Vec<_>>()
        .join("&")
}

#[cfg(test)]
mod tests {
    use super::{encode, encode_query};

    #[test]
    fn names_are_escaped_in_paths_and_queries() {
        assert_eq!(encode("system:node/a b"), "system%3Anode%2Fa%20b");
        assert_eq!(
            encode_query(&[("labelSelector", "a=b,c".to_owned())]),
            "labelSelector=a%3Db%2Cc"
        );
    }
}
