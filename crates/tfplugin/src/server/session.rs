//! What belongs to one connection: in debug mode one process serves several provider instances.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use go_plugin::{Connection, ConnectionId};
use tokio_util::sync::CancellationToken;

use super::lifetime::Lifetime;
use crate::erased::AnyClient;

/// One configured instance of the provider.
pub(crate) struct Session {
    client: Mutex<Option<AnyClient>>,
    /// Cancelled by StopProvider, when the connection is closed, and when the process is to end.
    pub(crate) stop: CancellationToken,
}

impl Session {
    fn new(stop: CancellationToken) -> Self {
        Self {
            client: Mutex::default(),
            stop,
        }
    }

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
pub(crate) struct Sessions {
    by_connection: Arc<Mutex<HashMap<Option<ConnectionId>, Arc<Session>>>>,
    lifetime: Lifetime,
}

impl Sessions {
    pub(crate) fn new(lifetime: Lifetime) -> Self {
        Self {
            by_connection: Arc::default(),
            lifetime,
        }
    }

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
        let session = Arc::new(Session::new(self.lifetime.session_stop()));
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
