//! State stores, of which there are none.

use tonic::{Status, Streaming};

use super::{Server, Session, no_such};
use crate::server::proto::{
    StateStoreServerCapabilities, configure_state_store, delete_state, get_states, lock_state,
    read_state_bytes, unlock_state, validate_state_store, write_state_bytes,
};

const KIND: &str = "state store";

pub(super) async fn validate(
    _: &Server,
    _: &Session,
    request: validate_state_store::Request,
) -> validate_state_store::Response {
    no_such(KIND, &request.type_name)
}

pub(super) async fn configure(
    _: &Server,
    _: &Session,
    request: configure_state_store::Request,
) -> configure_state_store::Response {
    configure_state_store::Response {
        // As large as Core asked for.
        capabilities: Some(StateStoreServerCapabilities {
            chunk_size: request.capabilities.unwrap_or_default().chunk_size,
        }),
        ..no_such(KIND, &request.type_name)
    }
}

pub(super) fn read(request: read_state_bytes::Request) -> Vec<read_state_bytes::Response> {
    vec![no_such(KIND, &request.type_name)]
}

/// Reads the chunks to their end, so that Core is not left writing to a closed stream.
pub(super) async fn write(
    mut chunks: Streaming<write_state_bytes::RequestChunk>,
) -> Result<write_state_bytes::Response, Status> {
    let mut name = String::new();
    while let Some(chunk) = chunks.message().await? {
        if let Some(meta) = chunk.meta {
            name = meta.type_name;
        }
    }
    Ok(no_such(KIND, &name))
}

pub(super) async fn lock(
    _: &Server,
    _: &Session,
    request: lock_state::Request,
) -> lock_state::Response {
    no_such(KIND, &request.type_name)
}

pub(super) async fn unlock(
    _: &Server,
    _: &Session,
    request: unlock_state::Request,
) -> unlock_state::Response {
    no_such(KIND, &request.type_name)
}

pub(super) async fn list(
    _: &Server,
    _: &Session,
    request: get_states::Request,
) -> get_states::Response {
    no_such(KIND, &request.type_name)
}

pub(super) async fn delete(
    _: &Server,
    _: &Session,
    request: delete_state::Request,
) -> delete_state::Response {
    no_such(KIND, &request.type_name)
}
