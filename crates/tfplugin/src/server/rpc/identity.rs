//! Resource identity, which no resource has yet.

use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::server::convert::encode_diagnostics;
use crate::server::proto::{get_resource_identity_schemas, upgrade_resource_identity};

pub(super) async fn schemas(
    _: &Server,
    _: &Session,
    _: get_resource_identity_schemas::Request,
) -> get_resource_identity_schemas::Response {
    get_resource_identity_schemas::Response::default()
}

pub(super) async fn upgrade(
    server: &Server,
    _: &Session,
    request: upgrade_resource_identity::Request,
) -> upgrade_resource_identity::Response {
    let diagnostics = match server.resource(&request.type_name) {
        Ok(_) => Diagnostics::error(
            "The resource has no identity",
            format!(
                "The state holds an identity for {}, which this provider version does not know. \
                 Use the provider version that wrote the state, or a newer one.",
                request.type_name
            ),
        ),
        Err(diagnostics) => diagnostics,
    };
    upgrade_resource_identity::Response {
        diagnostics: encode_diagnostics(diagnostics),
        ..Default::default()
    }
}
