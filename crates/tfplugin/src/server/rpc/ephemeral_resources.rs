//! Ephemeral resources, of which there are none yet.

use super::{Server, Session, no_such};
use crate::server::proto::{
    close_ephemeral_resource, open_ephemeral_resource, renew_ephemeral_resource,
    validate_ephemeral_resource_config,
};

const KIND: &str = "ephemeral resource";

pub(super) async fn validate(
    _: &Server,
    _: &Session,
    request: validate_ephemeral_resource_config::Request,
) -> validate_ephemeral_resource_config::Response {
    validate_ephemeral_resource_config::Response {
        diagnostics: no_such(KIND, &request.type_name),
    }
}

pub(super) async fn open(
    _: &Server,
    _: &Session,
    request: open_ephemeral_resource::Request,
) -> open_ephemeral_resource::Response {
    open_ephemeral_resource::Response {
        diagnostics: no_such(KIND, &request.type_name),
        ..Default::default()
    }
}

pub(super) async fn renew(
    _: &Server,
    _: &Session,
    request: renew_ephemeral_resource::Request,
) -> renew_ephemeral_resource::Response {
    renew_ephemeral_resource::Response {
        diagnostics: no_such(KIND, &request.type_name),
        ..Default::default()
    }
}

pub(super) async fn close(
    _: &Server,
    _: &Session,
    request: close_ephemeral_resource::Request,
) -> close_ephemeral_resource::Response {
    close_ephemeral_resource::Response {
        diagnostics: no_such(KIND, &request.type_name),
    }
}
