use super::{Server, Session, context};
use crate::context::Operation;
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::server::convert::{decode_object, encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard_async};
use crate::server::identity::Identity;
use crate::server::proto::import_resource_state::{ImportedResource, Request, Response};
use crate::state::storable;

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
    let context = context(session, described, Operation::Import, None)?;
    let asked = match (&request.identity, entry.identity()) {
        (Some(data), Some(identity)) => {
            decode_object(data.identity_data.as_ref(), &identity.ty)?.map(|asked| (identity, asked))
        }
        _ => None,
    };
    let imported = match asked {
        Some((identity, asked)) => guard_async(|| identity.handler.import(context, asked)).await,
        None if request.id.is_empty() => {
            return Err(Diagnostics::error(
                "An import needs an id",
                format!(
                    "{} is imported by its id. Give the import block an \"id\" that is not empty.",
                    request.type_name
                ),
            ));
        }
        None => guard_async(|| entry.handler.import(context, request.id)).await,
    };
    let imported = imported.map_err(|panicked| {
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
    let state = storable(&described.schema, imported.state);
    let identity = Identity::new(entry, session, request.identity)?;
    let resource = ImportedResource {
        identity: identity.of_same(&state)?,
        type_name: request.type_name,
        state: Some(encode(&state, &described.ty)?),
        private: imported.private.encode(),
    };
    Ok((resource, imported.diagnostics))
}
