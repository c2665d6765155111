//! HTTP/1.1 on the listener.

use std::sync::Arc;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::core::Core;

pub(crate) async fn serve(_listener: TcpListener, _core: Arc<Core>, stop: CancellationToken) {
    stop.cancelled().await;
}
