use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::server::convert::encode_diagnostics;
use crate::server::proto::move_resource_state::{Request, Response};

/// No resource takes over the state of another type; the capability says so. OpenTofu does not
/// read the capability and asks all the same.
pub(super) async fn handle(_: &Server, _: &Session, request: Request) -> Response {
    Response {
        diagnostics: encode_diagnostics(Diagnostics::error(
            "The state cannot be moved between these types",
            format!(
                "{} cannot take over the state of {} ({}). Remove the moved block; to keep the \
                 real object, take it out of the state with a removed block with destroy = false \
                 and import it as {}.",
                request.target_type_name,
                request.source_type_name,
                request.source_provider_address,
                request.target_type_name,
            ),
        )),
        ..Response::default()
    }
}
