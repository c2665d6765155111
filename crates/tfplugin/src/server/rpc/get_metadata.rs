use super::get_provider_schema::capabilities;
use super::{Server, Session};
use crate::server::proto::get_metadata::{
    DataSourceMetadata, EphemeralMetadata, FunctionMetadata, Request, ResourceMetadata, Response,
};

pub(super) async fn handle(server: &Server, _: &Session, _: Request) -> Response {
    Response {
        server_capabilities: Some(capabilities()),
        resources: server
            .resources()
            .keys()
            .map(|name| ResourceMetadata {
                type_name: name.clone(),
            })
            .collect(),
        data_sources: server
            .data_sources()
            .keys()
            .map(|name| DataSourceMetadata {
                type_name: name.clone(),
            })
            .collect(),
        ephemeral_resources: server
            .ephemeral_resources()
            .keys()
            .map(|name| EphemeralMetadata {
                type_name: name.clone(),
            })
            .collect(),
        functions: server
            .functions()
            .keys()
            .map(|name| FunctionMetadata { name: name.clone() })
            .collect(),
        ..Response::default()
    }
}
