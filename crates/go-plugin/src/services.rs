//! The services that every go-plugin server offers beside the application's.

use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio_stream::Stream;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tonic::service::Routes;
use tonic::{Request, Response, Status, Streaming};

use self::health::health_check_response::ServingStatus;
use self::health::health_server::{Health, HealthServer};
use self::health::{HealthCheckRequest, HealthCheckResponse};
use self::plugin::grpc_broker_server::{GrpcBroker, GrpcBrokerServer};
use self::plugin::grpc_controller_server::{GrpcController, GrpcControllerServer};
use self::plugin::grpc_stdio_server::{GrpcStdio, GrpcStdioServer};
use self::plugin::{ConnInfo, Empty, StdioData, conn_info::Knock};

#[allow(missing_docs, clippy::all)]
mod plugin {
    tonic::include_proto!("plugin");
}

#[allow(missing_docs, clippy::all)]
mod health {
    tonic::include_proto!("grpc.health.v1");
}

/// The service hosts ask the health of.
const HEALTH_SERVICE: &str = "plugin";

/// What Shutdown does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OnShutdown {
    /// The host owns the process, so the process ends.
    End,
    /// The developer owns it, and other hosts may use it.
    Ignore,
}

/// Adds the plugin layer's services to the application's. Streams end when `shutdown` is cancelled.
pub(crate) fn add_to(
    routes: Routes,
    shutdown: &CancellationToken,
    on_shutdown: OnShutdown,
) -> Routes {
    let service = PluginService {
        shutdown: shutdown.clone(),
        on_shutdown,
    };
    routes
        .add_service(GrpcControllerServer::new(service.clone()))
        .add_service(GrpcStdioServer::new(service.clone()))
        .add_service(GrpcBrokerServer::new(service.clone()))
        .add_service(HealthServer::new(service))
}

#[derive(Debug, Clone)]
struct PluginService {
    shutdown: CancellationToken,
    on_shutdown: OnShutdown,
}

#[tonic::async_trait]
impl GrpcController for PluginService {
    async fn shutdown(&self, _request: Request<Empty>) -> Result<Response<Empty>, Status> {
        match self.on_shutdown {
            // Ending is graceful, so the answer still goes out.
            OnShutdown::End => self.shutdown.cancel(),
            OnShutdown::Ignore => {
                tracing::debug!("ignored Shutdown: a debugged process ends by SIGINT or SIGTERM");
            }
        }
        Ok(Response::new(Empty {}))
    }
}

/// A stream of at most one item that stays open until the server ends.
struct UntilShutdown<T> {
    first: Option<T>,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<T> UntilShutdown<T> {
    fn new(first: Option<T>, shutdown: &CancellationToken) -> Self {
        Self {
            first,
            shutdown: Box::pin(shutdown.clone().cancelled_owned()),
        }
    }
}

impl<T: Unpin> Stream for UntilShutdown<T> {
    type Item = Result<T, Status>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.first.take() {
            Some(item) => Poll::Ready(Some(Ok(item))),
            None => self.shutdown.as_mut().poll(context).map(|()| None),
        }
    }
}

/// Nothing is ever sent: the plugin prints nothing on stdout, and stderr reaches the host as such.
/// The open stream keeps the host's gRPC library from closing an idle connection (grpc-go does so
/// after 30 minutes), with which a debugged process would lose its configuration.
#[tonic::async_trait]
impl GrpcStdio for PluginService {
    type StreamStdioStream = UntilShutdown<StdioData>;

    async fn stream_stdio(
        &self,
        _request: Request<()>,
    ) -> Result<Response<Self::StreamStdioStream>, Status> {
        Ok(Response::new(UntilShutdown::new(None, &self.shutdown)))
    }
}

/// No service of the plugin asks for further connections, so announcements of the host have no
/// taker, and a knock is answered by a refusal: without an answer the host would wait for it.
#[tonic::async_trait]
impl GrpcBroker for PluginService {
    type StartStreamStream = ReceiverStream<Result<ConnInfo, Status>>;

    async fn start_stream(
        &self,
        request: Request<Streaming<ConnInfo>>,
    ) -> Result<Response<Self::StartStreamStream>, Status> {
        let mut announcements = request.into_inner();
        let (sender, receiver) = mpsc::channel(1);
        let shutdown = self.shutdown.clone();
        tokio::spawn(async move {
            loop {
                let message = tokio::select! {
                    () = shutdown.cancelled() => return,
                    () = sender.closed() => return,
                    message = announcements.message() => message,
                };
                let Ok(Some(announcement)) = message else {
                    return;
                };
                if let Some(refusal) = answer_to(&announcement)
                    && sender.send(Ok(refusal)).await.is_err()
                {
                    return;
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(receiver)))
    }
}

fn answer_to(announcement: &ConnInfo) -> Option<ConnInfo> {
    let knock = announcement.knock.as_ref()?;
    knock.knock.then(|| ConnInfo {
        service_id: announcement.service_id,
        knock: Some(Knock {
            knock: true,
            ack: false,
            error: format!(
                "this plugin accepts no connection for service {}",
                announcement.service_id
            ),
        }),
        ..ConnInfo::default()
    })
}

#[tonic::async_trait]
impl Health for PluginService {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let service = request.into_inner().service;
        match status_of(&service) {
            ServingStatus::Serving => Ok(Response::new(response(ServingStatus::Serving))),
            _ => Err(Status::not_found(format!("unknown service {service:?}"))),
        }
    }

    type WatchStream = UntilShutdown<HealthCheckResponse>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let status = response(status_of(&request.into_inner().service));
        Ok(Response::new(UntilShutdown::new(
            Some(status),
            &self.shutdown,
        )))
    }
}

fn status_of(service: &str) -> ServingStatus {
    match service {
        "" | HEALTH_SERVICE => ServingStatus::Serving,
        _ => ServingStatus::ServiceUnknown,
    }
}

fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse {
        status: status.into(),
    }
}
