use super::{Server, Session};
use crate::server::convert::encode_diagnostics;
use crate::server::proto::ServerCapabilities;
use crate::server::proto::get_provider_schema::{Request, Response};
use crate::server::schema;

pub(super) async fn handle(server: &Server, _: &Session, _: Request) -> Response {
    server.schema_response.get_or_init(|| build(server)).clone()
}

fn build(server: &Server) -> Response {
    let diagnostics = server.check_schemas();
    if diagnostics.has_errors() {
        // Core crashes on some invalid schemas, so it gets none.
        return Response {
            server_capabilities: Some(capabilities()),
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        };
    }
    Response {
        provider: Some(schema::encode(&server.provider_described().schema)),
        resource_schemas: server
            .resources()
            .iter()
            .map(|(name, entry)| (name.clone(), schema::encode(&entry.described().schema)))
            .collect(),
        data_source_schemas: server
            .data_sources()
            .iter()
            .map(|(name, entry)| (name.clone(), schema::encode(&entry.described().schema)))
            .collect(),
        ephemeral_resource_schemas: server
            .ephemeral_resources()
            .iter()
            .map(|(name, entry)| (name.clone(), schema::encode(&entry.described().schema)))
            .collect(),
        functions: schema::encode_functions(server.functions()),
        server_capabilities: Some(capabilities()),
        diagnostics: encode_diagnostics(diagnostics),
        ..Response::default()
    }
}

/// What this framework does. Core skips the schema call in later processes, asks for a plan before
/// a destroy, and asks the target of a move, which names the types it accepts.
pub(super) fn capabilities() -> ServerCapabilities {
    ServerCapabilities {
        plan_destroy: true,
        get_provider_schema_optional: true,
        move_resource_state: true,
        generate_resource_config: false,
    }
}
