//! A gate before an API server: counts the writing calls of those who come by the EKS endpoint as
//! effects, and interrupts one when asked. The cluster's own controllers do not pass it.
//!
//! It ends TLS with the API server's own certificate and passes the caller's bearer token on. HTTP/1.1
//! only, and no upgraded connections: `kubectl exec` and `port-forward` do not work through it.

use std::convert::Infallible;
use std::net::Ipv4Addr;
use std::sync::Arc;

use eks_simulator::Effects;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use kube::client::Body;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::LabError;

/// What the gate answers with: the API server's stream, or a text of its own.
type GateBody = http_body_util::Either<Body, Full<Bytes>>;

/// A gate that is open until it is dropped.
pub(crate) struct Gate {
    endpoint: String,
    _stop: DropGuard,
}

/// The connection is closed without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the answer is dropped by an interruption")]
struct Dropped;

impl Gate {
    /// Opens a gate before the API server at `endpoint`, with its certificate authority and its
    /// serving certificate and key, all PEM.
    pub(crate) async fn open(
        endpoint: &str,
        authority_pem: &str,
        serving_pem: &str,
        serving_key_pem: &str,
        effects: Effects,
    ) -> Result<Self, LabError> {
        let acceptor = acceptor(serving_pem, serving_key_pem)?;
        let client = client(endpoint, authority_pem)?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .map_err(LabError::io("listen before an API server"))?;
        let address = listener
            .local_addr()
            .map_err(LabError::io("listen before an API server"))?;
        let stop = CancellationToken::new();
        tokio::spawn(serve(listener, acceptor, client, effects, stop.clone()));
        Ok(Self {
            endpoint: format!("https://{address}"),
            _stop: stop.drop_guard(),
        })
    }

    /// `https://127.0.0.1:port`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }
}

fn unexpected(what: &str, error: &dyn std::fmt::Display) -> LabError {
    LabError::Unexpected(format!("{what}: {error}"))
}

fn acceptor(serving_pem: &str, serving_key_pem: &str) -> Result<TlsAcceptor, LabError> {
    let failed = |error: &dyn std::fmt::Display| unexpected("the gate's certificate", error);
    let certificates: Vec<_> = CertificateDer::pem_slice_iter(serving_pem.as_bytes())
        .collect::<Result<_, _>>()
        .map_err(|error| failed(&error))?;
    let key = PrivateKeyDer::from_pem_slice(serving_key_pem.as_bytes())
        .map_err(|error| failed(&error))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| failed(&error))?
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .map_err(|error| failed(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

/// A client without credentials: those of the caller are passed on.
fn client(endpoint: &str, authority_pem: &str) -> Result<kube::Client, LabError> {
    let failed = |error: &dyn std::fmt::Display| unexpected("the gate's client", error);
    let mut config = kube::Config::new(
        endpoint
            .parse()
            .map_err(|error: http::uri::InvalidUri| failed(&error))?,
    );
    config.root_cert = Some(
        CertificateDer::pem_slice_iter(authority_pem.as_bytes())
            .map(|certificate| certificate.map(|certificate| certificate.to_vec()))
            .collect::<Result<_, _>>()
            .map_err(|error| failed(&error))?,
    );
    kube::Client::try_from(config).map_err(|error| failed(&error))
}

async fn serve(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    client: kube::Client,
    effects: Effects,
    stop: CancellationToken,
) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the gate was not accepted");
                    continue;
                }
            },
        };
        let (acceptor, client) = (acceptor.clone(), client.clone());
        let (effects, stop) = (effects.clone(), stop.clone());
        tokio::spawn(async move {
            let Ok(stream) = acceptor.accept(stream).await else {
                return;
            };
            let service = service_fn(move |request| {
                let (client, effects) = (client.clone(), effects.clone());
                async move { respond(client, effects, request).await }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                _ = connection => {}
            }
        });
    }
}

async fn respond(
    client: kube::Client,
    effects: Effects,
    incoming: Request<Incoming>,
) -> Result<Response<GateBody>, Dropped> {
    let (parts, body) = incoming.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let effect = is_effect(&parts.method, parts.uri.path(), parts.uri.query());
    let (method, path) = (parts.method.clone(), parts.uri.path().to_owned());
    let mut request = Request::new(Body::from(body.to_vec()));
    *request.method_mut() = parts.method;
    *request.uri_mut() = parts.uri;
    *request.headers_mut() = end_to_end(parts.headers);
    let work = async move {
        Ok::<_, Infallible>(match client.send(request).await {
            Ok(response) => response.map(GateBody::Left),
            Err(error) => {
                let text = format!("the API server behind the gate: {error}");
                let mut response = Response::new(GateBody::Right(Full::new(text.into())));
                *response.status_mut() = StatusCode::BAD_GATEWAY;
                response
            }
        })
    };
    // The work goes on when the caller is killed: an effect must not be cut in half.
    let performed = tokio::spawn(async move {
        if effect {
            effects
                .perform("kubernetes", method.as_str(), &path, work)
                .await
        } else {
            Some(work.await)
        }
    });
    let mut response = match performed.await {
        Ok(Some(Ok(response))) => response,
        Ok(None) | Err(_) => return Err(Dropped),
    };
    let headers = std::mem::take(response.headers_mut());
    *response.headers_mut() = end_to_end(headers);
    Ok(response)
}

/// Without the headers that belong to one connection.
fn end_to_end(mut headers: HeaderMap) -> HeaderMap {
    for name in [
        header::CONNECTION,
        header::CONTENT_LENGTH,
        header::HOST,
        header::TRANSFER_ENCODING,
        header::UPGRADE,
    ] {
        headers.remove(name);
    }
    headers
}

/// Whether a call can change something that stays. Reviews only ask, and the renewal of a lease
/// comes by the clock: counted, it would move the numbers of the others.
fn is_effect(method: &http::Method, path: &str, query: Option<&str>) -> bool {
    if method.is_safe() {
        return false;
    }
    let asks = path.starts_with("/apis/authentication.k8s.io/")
        || path.starts_with("/apis/authorization.k8s.io/");
    let renews = path.starts_with("/apis/coordination.k8s.io/")
        && (method == http::Method::PUT || method == http::Method::PATCH);
    let dry_run = query.is_some_and(|query| query.split('&').any(|part| part == "dryRun=All"));
    !(asks || renews || dry_run)
}

#[cfg(test)]
mod tests {
    use super::is_effect;

    #[test]
    fn what_counts_as_an_effect() {
        let table = [
            ("GET", "/api/v1/namespaces", None, false),
            ("POST", "/api/v1/namespaces", Some("fieldManager=a"), true),
            (
                "PATCH",
                "/api/v1/namespaces/a",
                Some("dryRun=All&force=true"),
                false,
            ),
            ("DELETE", "/api/v1/namespaces/a", None, true),
            (
                "POST",
                "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews",
                None,
                false,
            ),
            (
                "PUT",
                "/apis/coordination.k8s.io/v1/namespaces/a/leases/b",
                None,
                false,
            ),
            (
                "POST",
                "/apis/coordination.k8s.io/v1/namespaces/a/leases",
                None,
                true,
            ),
        ];
        for (method, path, query, expected) in table {
            let method = method.parse().unwrap();
            assert_eq!(is_effect(&method, path, query), expected, "{method} {path}");
        }
    }
}
