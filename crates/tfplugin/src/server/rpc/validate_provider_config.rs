use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::server::convert::{decode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard};
use crate::server::proto::validate_provider_config::{Request, Response};
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
    let described = server.provider_described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    guard(|| {
        validate::config(&described.schema, &config, |config| {
            server.provider.validate(config)
        })
    })
    .map_err(|panicked| {
        panicked.into_diagnostics("checking its configuration", Aftermath::NothingChanged)
    })
}
