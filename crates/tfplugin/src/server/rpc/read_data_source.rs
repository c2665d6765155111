use super::{Server, Session, context};
use crate::context::Operation;
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::plan::with_defaults;
use crate::server::convert::{decode, encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard_async};
use crate::server::proto::DynamicValue;
use crate::server::proto::read_data_source::{Request, Response};

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    match read(server, session, request).await {
        Ok((state, diagnostics)) => Response {
            state: Some(state),
            diagnostics: encode_diagnostics(diagnostics),
            deferred: None,
        },
        Err(diagnostics) => Response {
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        },
    }
}

async fn read(
    server: &Server,
    session: &Session,
    request: Request,
) -> Result<(DynamicValue, Diagnostics), Diagnostics> {
    let entry = server.data_source(&request.type_name)?;
    let described = entry.described();
    let config = decode(request.config.as_ref(), &described.ty)?;
    let context = context(session, described, Operation::Read, Some(&config))?;
    let config = with_defaults(&described.schema, &config, None, config.clone());
    let found = guard_async(|| entry.handler.read(context, config))
        .await
        .map_err(|panicked| {
            panicked.into_diagnostics(
                &format!("reading a data source {}", request.type_name),
                Aftermath::NothingChanged,
            )
        })??;
    let mut diagnostics = found.diagnostics;
    // An unknown value is reported by every build, since Core reports only that there is one.
    let checked = lint::is_enabled() || !found.state.is_wholly_known();
    if checked && !diagnostics.has_errors() {
        diagnostics.extend(lint::state(
            &described.schema,
            &found.state,
            "reading a data source",
        ));
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    match encode(&found.state, &described.ty) {
        Ok(state) => Ok((state, diagnostics)),
        Err(more) => {
            diagnostics.extend(more);
            Err(diagnostics)
        }
    }
}
