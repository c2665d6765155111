use super::{Server, Session};
use crate::server::proto::stop_provider::{Request, Response};

/// Answers at once: Core asks one provider after the other. The running calls end by themselves.
pub(super) async fn handle(_: &Server, session: &Session, _: Request) -> Response {
    tracing::info!("asked to stop: the running operations end at their next safe point");
    session.stop.cancel();
    Response::default()
}
