use super::{Server, Session};
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::provider::ConfigureRequest;
use crate::server::convert::{decode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard_async};
use crate::server::proto::configure_provider::{Request, Response};

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    let diagnostics = match configure(server, session, request).await {
        Ok(diagnostics) | Err(diagnostics) => diagnostics,
    };
    Response {
        diagnostics: encode_diagnostics(diagnostics),
    }
}

async fn configure(
    server: &Server,
    session: &Session,
    request: Request,
) -> Result<Diagnostics, Diagnostics> {
    let described = server.provider_described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    let request = ConfigureRequest::<Value> {
        config,
        terraform_version: request.terraform_version,
        stop: session.stop.clone(),
    };
    let (client, diagnostics) = guard_async(|| server.provider.configure(request))
        .await
        .map_err(|panicked| {
            panicked.into_diagnostics("configuring itself", Aftermath::NothingChanged)
        })??;
    session.configure(client);
    Ok(diagnostics)
}
