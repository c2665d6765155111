use super::{Server, Session, context};
use crate::context::Operation;
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::plan::without_write_only;
use crate::server::convert::{encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard_async};
use crate::server::proto::import_resource_state::{ImportedResource, Request, Response};

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    match import(server, session, request).await {
        Ok((imported, diagnostics)) => Response {
            imported_resources: vec![imported],
            diagnostics: encode_diagnostics(diagnostics),
            deferred: None,
        },
        Err(diagnostics) => Response {
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        },
    }
}

async fn import(
    server: &Server,
    session: &Session,
    request: Request,
) -> Result<(ImportedResource, Diagnostics), Diagnostics> {
    let entry = server.resource(&request.type_name)?;
    let described = entry.described();
    if request.id.is_empty() {
        return Err(Diagnostics::error(
            "An import needs an id",
            format!(
                "{} is imported by its id. Give the import block an \"id\" that is not empty.",
                request.type_name
            ),
        ));
    }
    let context = context(session, described, Operation::Import, None)?;
    let imported = guard_async(|| entry.handler.import(context, request.id))
        .await
        .map_err(|panicked| {
            panicked.into_diagnostics(
                &format!("importing a {}", request.type_name),
                Aftermath::NothingChanged,
            )
        })??;
    // An unknown value is reported by every build, since Core reports only that there is one.
    let checked = lint::is_enabled() || !imported.state.is_wholly_known();
    if checked && !imported.diagnostics.has_errors() {
        let broken = lint::state(&described.schema, &imported.state, "an import");
        if broken.has_errors() {
            return Err(broken);
        }
    }
    let state = without_write_only(&described.schema, imported.state);
    let resource = ImportedResource {
        type_name: request.type_name,
        state: Some(encode(&state, &described.ty)?),
        private: imported.private.encode(),
        identity: None,
    };
    Ok((resource, imported.diagnostics))
}
