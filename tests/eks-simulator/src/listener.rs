//! HTTP/1.1 on the listener: control API, signature, faults, dispatch, log.

use std::sync::Arc;

use http::{HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::core::Core;
use crate::faults::Hits;
use crate::log::LoggedRequest;
use crate::principals::Principal;
use crate::refusals::{self, Protocol};
use crate::signature::{self, Refusal};
use crate::wire::{Answer, ApiError, Code, Request, new_request_id, route};
use crate::{control, eks, proxy};

/// The connection is closed without an answer, as the lost_response fault asks.
#[derive(Debug, thiserror::Error)]
#[error("the answer is dropped by a fault")]
struct Dropped;

pub(crate) async fn serve(listener: TcpListener, core: Arc<Core>, stop: CancellationToken) {
    loop {
        let stream = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => stream,
                Err(error) => {
                    tracing::warn!(%error, "a connection to the simulator was not accepted");
                    continue;
                }
            },
        };
        let core = core.clone();
        let stop = stop.clone();
        tokio::spawn(async move {
            let stopped = stop.clone();
            let service = service_fn(move |request| {
                let (core, stop) = (core.clone(), stopped.clone());
                async move { respond(&core, request, stop).await }
            });
            let connection = hyper::server::conn::http1::Builder::new()
                .timer(TokioTimer::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::select! {
                () = stop.cancelled() => {}
                // A closed connection is the client's business, or the lost_response fault's.
                _ = connection => {}
            }
        });
    }
}

async fn respond(
    core: &Arc<Core>,
    incoming: http::Request<Incoming>,
    stop: CancellationToken,
) -> Result<Response<Full<Bytes>>, Dropped> {
    let (parts, body) = incoming.into_parts();
    let body = body.collect().await.map_err(|_| Dropped)?.to_bytes();
    let request = Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body,
    };
    if request.path.starts_with("/_lab/") {
        return Ok(to_response(&control::answer(core, &request).await));
    }
    // The work goes on when the client hangs up: an effect must not be cut in half. It ends with
    // the simulator, like everything.
    let core = core.clone();
    let work = tokio::spawn(async move {
        tokio::select! {
            () = stop.cancelled() => None,
            answer = aws(&core, &request) => answer,
        }
    });
    match work.await {
        Ok(Some(answer)) => Ok(to_response(&answer)),
        Ok(None) | Err(_) => Err(Dropped),
    }
}

/// STS operations that need no signature. Source: STS API reference.
const UNSIGNED: [&str; 2] = ["AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"];

/// Answers an AWS request; `None` when the answer is to be lost.
async fn aws(core: &Arc<Core>, request: &Request) -> Option<Answer> {
    let signed = signature::read(request);
    let service = signed
        .as_ref()
        .map(|signed| signed.service.clone())
        .unwrap_or_default();
    let call = refusals::classify(&service, request);
    let routed = route(&request.method, &request.path);
    let is_eks = service == "eks" || (signed.is_err() && routed.is_some());
    let operation = match (&routed, is_eks) {
        (Some((operation, _)), true) => (*operation).to_owned(),
        (None, true) => "Unknown".to_owned(),
        _ => call.operation.clone(),
    };
    let protocol = if is_eks {
        Protocol::RestJson
    } else {
        call.protocol
    };

    let verified = match &signed {
        Ok(signed) if is_eks && signed.region != core.config.region => {
            Err(Refusal::Region(format!(
                "Credential should be scoped to a valid region, not '{}'.",
                signed.region
            )))
        }
        Ok(signed) => {
            signature::verify(request, signed, &core.keys, core.config.clock.wall(), None).map(Some)
        }
        Err(Refusal::Missing) if UNSIGNED.contains(&call.operation.as_str()) => Ok(None),
        Err(refusal) => Err(refusal.clone()),
    };
    let mut hits = Hits::default();
    let mut interrupted = false;
    let (answer, principal) = match verified {
        Err(refusal) => (refusals::refuse(protocol, &refusal), None),
        Ok(principal) => {
            let named = if is_eks { "eks" } else { service.as_str() };
            hits = core.faults.hit(named, &operation, &|text| {
                request.path.contains(text) || String::from_utf8_lossy(&request.body).contains(text)
            });
            let answer = if hits.throttle {
                if is_eks {
                    ApiError::new(Code::Throttling, "Rate exceeded").answer()
                } else {
                    refusals::throttle(protocol)
                }
            } else if hits.server_error {
                if is_eks {
                    ApiError::new(Code::Server, "Internal server error").answer()
                } else {
                    refusals::server_error(protocol, "Internal server error")
                }
            } else if hits.unavailable {
                if is_eks {
                    ApiError::new(Code::ServiceUnavailable, "Service is unavailable.").answer()
                } else {
                    refusals::unavailable(protocol)
                }
            } else {
                let work = async {
                    match (&principal, is_eks) {
                        (Some(principal), true) => {
                            eks::answer(core, request, routed, principal, &hits).await
                        }
                        _ => {
                            proxy::answer(core, &service, &call, request, principal.as_ref()).await
                        }
                    }
                };
                if refusals::is_write(&operation) {
                    let effects = &core.effects;
                    let answer = effects
                        .perform(named, &operation, &request.path, work)
                        .await;
                    interrupted = answer.is_none();
                    answer.unwrap_or_else(|| Answer::json(0, &serde_json::Value::Null))
                } else {
                    work.await
                }
            };
            (answer, principal)
        }
    };
    let named = if is_eks { "eks".to_owned() } else { service };
    log(core, request, &named, &operation, principal, &answer, &hits);
    if !hits.delay.is_zero() && !interrupted {
        core.config.clock.sleep(hits.delay).await;
    }
    (!hits.lost_response && !interrupted).then_some(answer)
}

fn log(
    core: &Core,
    request: &Request,
    service: &str,
    operation: &str,
    principal: Option<Principal>,
    answer: &Answer,
    hits: &Hits,
) {
    core.log.add(LoggedRequest {
        sequence: 0,
        time: core.now().to_string(),
        service: service.to_owned(),
        operation: operation.to_owned(),
        write: refusals::is_write(operation),
        principal: principal.map(|principal| principal.arn),
        path: request.loggable_path(),
        status: if hits.lost_response { 0 } else { answer.status },
        error: answer.error.clone(),
        faults: hits.names.iter().map(|name| (*name).to_owned()).collect(),
    });
}

fn to_response(answer: &Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(answer.body.clone()));
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        let pair = HeaderName::from_bytes(name.as_bytes())
            .ok()
            .zip(HeaderValue::from_str(value).ok());
        if let Some((name, value)) = pair {
            response.headers_mut().append(name, value);
        }
    }
    if !response.headers().contains_key("x-amzn-requestid")
        && let Ok(id) = HeaderValue::from_str(&new_request_id())
    {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}
