//! A plugin without an application of its own, as small as one gets, and what the tests of this
//! crate start. Beside the plugin layer's services it has one that shows what a service sees, with
//! empty requests and `google.protobuf.StringValue` answers: `/example.Probe/Connection` answers
//! with the connection's number, `/example.Probe/Hang` never answers, `/example.Probe/Panic`
//! panics.
//!
//! `plugin --debug` prints its address on stdout, then serves until SIGINT or SIGTERM.

use std::convert::Infallible;
use std::process::ExitCode;
use std::task::{Context, Poll};

use go_plugin::{Connection, ServeConfig};
use tokio_util::sync::CancellationToken;
use tonic::body::Body;
use tonic::codegen::{BoxFuture, Service, http};
use tonic::server::{Grpc, NamedService};
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

#[derive(Clone)]
struct Probe;

impl NamedService for Probe {
    const NAME: &'static str = "example.Probe";
}

impl Service<http::Request<Body>> for Probe {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        Box::pin(async move {
            let method = Method {
                path: request.uri().path().to_owned(),
            };
            let codec = ProstCodec::<String, ()>::default();
            Ok(Grpc::new(codec).unary(method, request).await)
        })
    }
}

struct Method {
    path: String,
}

impl Service<Request<()>> for Method {
    type Response = Response<String>;
    type Error = Status;
    type Future = BoxFuture<Self::Response, Self::Error>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), Status>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<()>) -> Self::Future {
        let path = self.path.clone();
        Box::pin(async move {
            tracing::info!(path, "called");
            match path.rsplit('/').next() {
                Some("Connection") => request
                    .extensions()
                    .get::<Connection>()
                    .map(|connection| Response::new(connection.id().to_string()))
                    .ok_or_else(|| Status::internal("the request has no connection")),
                Some("Hang") => std::future::pending().await,
                #[allow(clippy::panic, reason = "panicking is what this method is for")]
                Some("Panic") => panic!("asked to panic"),
                _ => Err(Status::unimplemented("the probe has no such method")),
            }
        })
    }
}

fn main() -> ExitCode {
    go_plugin::install_panic_hook();
    go_plugin::logging::init(&go_plugin::logging::LogConfig {
        level_variables: vec!["EXAMPLE_LOG".to_owned()],
        quiet_targets: Vec::new(),
    });
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("cannot serve: {error:?}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()?;
    let routes = Routes::new(Probe);
    let shutdown = CancellationToken::new();
    let debug = std::env::args().any(|argument| argument == "--debug");
    let code = runtime.block_on(async {
        if debug {
            let server = go_plugin::serve_debug(routes, shutdown).await?;
            let address = server.address();
            println!("{}|{}|{}", address.network, address.address, server.pid());
            server.run().await?;
            return Ok(ExitCode::SUCCESS);
        }
        let config = ServeConfig {
            magic_cookie_key: "EXAMPLE_COOKIE".to_owned(),
            magic_cookie_value: "a-cookie".to_owned(),
            protocol_version: 6,
            started_by_hand: "This is a plugin. Its host starts it by itself; there is nothing to \
                              do here by hand."
                .to_owned(),
        };
        go_plugin::serve(config, routes, shutdown).await
    });
    runtime.shutdown_background();
    Ok(code?)
}
