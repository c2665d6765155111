use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::server::convert::{decode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard};
use crate::server::proto::validate_resource_config::{Request, Response};
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
    let entry = server.resource(&request.type_name)?;
    let described = entry.described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    let write_only_allowed = request
        .client_capabilities
        .is_some_and(|capabilities| capabilities.write_only_attributes_allowed);
    let mut diagnostics = Diagnostics::new();
    if !write_only_allowed {
        diagnostics.extend(validate::no_write_only(&described.schema, &config));
    }
    let more = guard(|| {
        validate::config(&described.schema, &config, |config| {
            entry.handler.validate(config)
        })
    })
    .map_err(|panicked| {
        panicked.into_diagnostics(
            &format!("checking a {}", request.type_name),
            Aftermath::NothingChanged,
        )
    })?;
    diagnostics.extend(more);
    Ok(diagnostics)
}
