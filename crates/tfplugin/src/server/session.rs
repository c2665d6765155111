//! What belongs to one connection: in debug mode one process serves several provider instances.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use go_plugin::{Connection, ConnectionId};
use tokio_util::sync::CancellationToken;

use crate::erased::AnyClient;

/// One configured instance of the provider.
#[derive(Default)]
pub(crate) struct Session {
    client: Mutex<Option<AnyClient>>,
    /// Cancelled by StopProvider, and when the connection is closed.
    pub(crate) stop: CancellationToken,
}

impl Session {
    pub(crate) fn client(&self) -> Option<AnyClient> {
        self.client
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    pub(crate) fn configure(&self, client: AnyClient) {
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Some(client);
    }
}

/// The sessions by connection; `None` stands for a transport without connection numbers.
#[derive(Default)]
pub(crate) struct Sessions {
    by_connection: Arc<Mutex<HashMap<Option<ConnectionId>, Arc<Session>>>>,
}

impl Sessions {
    /// The session of the connection a request came over, made when it is new.
    pub(crate) fn of(&self, extensions: &tonic::Extensions) -> Arc<Session> {
        let connection = extensions.get::<Connection>();
        let id = connection.map(Connection::id);
        let mut sessions = self
            .by_connection
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(session) = sessions.get(&id) {
            return Arc::clone(session);
        }
        let session = Arc::new(Session::default());
        sessions.insert(id, Arc::clone(&session));
        if let Some(connection) = connection.cloned() {
            let all = Arc::clone(&self.by_connection);
            let session = Arc::clone(&session);
            tokio::spawn(async move {
                connection.closed().await;
                session.stop.cancel();
                all.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .remove(&id);
            });
        }
        session
    }
}
