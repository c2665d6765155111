use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::server::convert::{decode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard};
use crate::server::proto::validate_data_resource_config::{Request, Response};
use crate::validate;

pub(super) async fn handle(server: &Server, _: &Session, request: Request) -> Response {
    let diagnostics = match check(server, &request) {
        Ok(diagnostics) | Err(diagnostics) => diagnostics,
    };
    Response {
        diagnostics: encode_diagnostics(diagnostics),
    }
}

fn check(server: &Server, request: &Request) -> Result<Diagnostics, Diagnostics> {
    let entry = server.data_source(&request.type_name)?;
    let described = entry.described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    guard(|| {
        validate::config(&described.schema, &config, |config| {
            entry.handler.validate(config)
        })
    })
    .map_err(|panicked| {
        panicked.into_diagnostics(
            &format!("checking a data source {}", request.type_name),
            Aftermath::NothingChanged,
        )
    })
}
