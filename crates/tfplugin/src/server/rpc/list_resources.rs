//! List resources, of which there are none yet.

use super::{Server, Session, no_such};
use crate::server::proto::{list_resource, validate_list_resource_config};

const KIND: &str = "list resource";

pub(super) async fn validate(
    _: &Server,
    _: &Session,
    request: validate_list_resource_config::Request,
) -> validate_list_resource_config::Response {
    no_such(KIND, &request.type_name)
}

pub(super) fn list(request: list_resource::Request) -> Vec<list_resource::Event> {
    vec![no_such(KIND, &request.type_name)]
}
