use super::{Server, Session, context};
use crate::context::Operation;
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::plan::keep_semantically_equal;
use crate::private::Private;
use crate::resource::{ReadRequest, ReadResponse};
use crate::server::Described;
use crate::server::convert::{
    decode_object, deferral_allowed, encode_deferral, encode_diagnostics, encode_object,
};
use crate::server::guard::{Aftermath, guard, guard_async};
use crate::server::identity::Identity;
use crate::server::proto::read_resource::{Request, Response};
use crate::state::{storable, unknown_as_null};

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    match read(server, session, &request).await {
        Ok(response) => response,
        // With an error Core keeps what it had; it is sent back all the same.
        Err(diagnostics) => Response {
            new_state: request.current_state,
            private: request.private,
            new_identity: request.current_identity,
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        },
    }
}

async fn read(
    server: &Server,
    session: &Session,
    request: &Request,
) -> Result<Response, Diagnostics> {
    let entry = server.resource(&request.type_name)?;
    let described = entry.described();
    let Some(current) = decode_object(request.current_state.as_ref(), &described.ty)? else {
        return Ok(Response::default());
    };
    if deferral_allowed(request.client_capabilities.as_ref()) {
        let client = session.client();
        let deferral =
            guard(|| entry.handler.defer(None, client.as_ref())).map_err(|panicked| {
                panicked.into_diagnostics("deciding what to defer", Aftermath::NothingChanged)
            })??;
        if let Some(deferral) = deferral {
            return Ok(Response {
                new_state: request.current_state.clone(),
                private: request.private.clone(),
                new_identity: request.current_identity.clone(),
                deferred: Some(encode_deferral(deferral)),
                diagnostics: Vec::new(),
            });
        }
    }
    let private = Private::decode(&request.private)?;
    let context = context(session, described, Operation::Read, Some(&current))?;
    let handler_request = ReadRequest {
        state: current.clone(),
        private,
    };
    let found = guard_async(|| entry.handler.read(context, handler_request))
        .await
        .map_err(|panicked| {
            panicked.into_diagnostics(
                &format!("reading a {}", request.type_name),
                Aftermath::NothingChanged,
            )
        })?;
    let ReadResponse {
        state,
        private,
        diagnostics,
    } = finish(described, &current, found);
    if state.is_none() && diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let identity = Identity::new(entry, session, request.current_identity.clone())?;
    let new_identity = match &state {
        None => None,
        Some(_) if diagnostics.has_errors() => identity.before(),
        Some(state) => identity.of_same(state)?,
    };
    Ok(Response {
        new_identity,
        new_state: Some(encode_object(state.as_ref(), &described.ty)?),
        private: private.encode(),
        diagnostics: encode_diagnostics(diagnostics),
        ..Response::default()
    })
}

fn finish(
    described: &Described,
    current: &Value,
    mut found: ReadResponse<Value>,
) -> ReadResponse<Value> {
    if let Some(state) = found.state.take() {
        // Made null without a word, an unknown value would pass for the truth.
        let checked = lint::is_enabled() || !state.is_wholly_known();
        if checked && !found.diagnostics.has_errors() {
            found
                .diagnostics
                .extend(lint::state(&described.schema, &state, "a read"));
        }
        let state = storable(&described.schema, unknown_as_null(state));
        let equal = guard(|| keep_semantically_equal(&described.schema, current, state.clone()));
        found.state = Some(equal.unwrap_or_else(|panicked| {
            found
                .diagnostics
                .extend(panicked.into_diagnostics("comparing what was read", Aftermath::Finished));
            state
        }));
    }
    found
}
