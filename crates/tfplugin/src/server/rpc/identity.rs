//! The schemas of resource identities, and identities of older versions.

use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::server::convert::encode_diagnostics;
use crate::server::guard::{Aftermath, guard};
use crate::server::identity::encode_identity;
use crate::server::proto::{self, get_resource_identity_schemas, upgrade_resource_identity};
use crate::server::{schema, upgrade};

pub(super) async fn schemas(
    server: &Server,
    _: &Session,
    _: get_resource_identity_schemas::Request,
) -> get_resource_identity_schemas::Response {
    let identities = server
        .resources()
        .iter()
        .filter_map(|(name, entry)| entry.identity().map(|identity| (name, identity)));
    get_resource_identity_schemas::Response {
        identity_schemas: identities
            .map(|(name, identity)| (name.clone(), schema::encode_identity(&identity.schema)))
            .collect(),
        diagnostics: Vec::new(),
    }
}

pub(super) async fn upgrade(
    server: &Server,
    _: &Session,
    request: upgrade_resource_identity::Request,
) -> upgrade_resource_identity::Response {
    match run(server, request) {
        Ok(identity) => upgrade_resource_identity::Response {
            upgraded_identity: Some(identity),
            diagnostics: Vec::new(),
        },
        Err(diagnostics) => upgrade_resource_identity::Response {
            upgraded_identity: None,
            diagnostics: encode_diagnostics(diagnostics),
        },
    }
}

fn run(
    server: &Server,
    request: upgrade_resource_identity::Request,
) -> Result<proto::ResourceIdentityData, Diagnostics> {
    let entry = server.resource(&request.type_name)?;
    let Some(identity) = entry.identity() else {
        return Err(Diagnostics::error(
            "The resource has no identity",
            format!(
                "The state holds an identity for {}, which this provider version does not know. \
                 Use the provider version that wrote the state, or a newer one.",
                request.type_name
            ),
        ));
    };
    let raw = request.raw_identity.unwrap_or_default();
    let upgraded = guard(|| {
        let upgrade = |request| identity.handler.upgrade(request);
        upgrade::upgrade(
            identity.schema.version,
            &identity.ty,
            request.version,
            &raw.json,
            upgrade,
        )
    })
    .map_err(|panicked| {
        let during = format!("reading the identity of a {}", request.type_name);
        panicked.into_diagnostics(&during, Aftermath::NothingChanged)
    })??;
    encode_identity(identity, &upgraded)
}
