use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::raw_state::RawState;
use crate::resource::{MoveRequest, Moved};
use crate::server::convert::{encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard};
use crate::server::identity::Identity;
use crate::server::proto::move_resource_state::{Request, Response};
use crate::server::upgrade::invalid_json;
use crate::state::storable;

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    run(server, session, request).unwrap_or_else(|diagnostics| Response {
        diagnostics: encode_diagnostics(diagnostics),
        ..Response::default()
    })
}

fn run(server: &Server, session: &Session, request: Request) -> Result<Response, Diagnostics> {
    let entry = server.resource(&request.target_type_name)?;
    let described = entry.described();
    let during = format!(
        "turning a {} into a {}",
        request.source_type_name, request.target_type_name
    );
    let panicked = |panicked: crate::server::guard::Panicked| {
        panicked.into_diagnostics(&during, Aftermath::NothingChanged)
    };
    let sources = guard(|| entry.handler.move_sources()).map_err(panicked)?;
    let (address, source) = (&request.source_provider_address, &request.source_type_name);
    if !sources
        .iter()
        .any(|candidate| candidate.is(address, source))
    {
        return Err(refused(&request, &sources));
    }
    let raw = request.source_state.unwrap_or_default();
    let state = RawState::from_json(&raw.json).map_err(|error| invalid_json(&error))?;
    let move_request = MoveRequest {
        provider_address: request.source_provider_address,
        type_name: request.source_type_name,
        schema_version: request.source_schema_version,
        state,
        private: request.source_private,
    };
    let Moved {
        state,
        private,
        mut diagnostics,
    } = guard(|| entry.handler.move_state(move_request)).map_err(panicked)??;
    if lint::is_enabled() || !state.is_wholly_known() {
        diagnostics.extend(lint::state(&described.schema, &state, "a move"));
    }
    if diagnostics.has_errors() {
        return Err(diagnostics);
    }
    let state = storable(&described.schema, state);
    let identity = Identity::new(entry, session, None)?;
    Ok(Response {
        target_state: Some(encode(&state, &described.ty)?),
        target_private: private.encode(),
        target_identity: identity.of_new(&state)?,
        diagnostics: encode_diagnostics(diagnostics),
    })
}

fn refused(request: &Request, sources: &[crate::resource::MoveSource]) -> Diagnostics {
    let sources: Vec<String> = sources.iter().map(ToString::to_string).collect();
    let accepted = if sources.is_empty() {
        String::new()
    } else {
        format!(" It takes over {} alone.", sources.join(", "))
    };
    Diagnostics::error(
        "The state cannot be moved between these types",
        format!(
            "{target} cannot take over the state of {source} ({provider}).{accepted} Remove the \
             moved block; to keep the real object, take it out of the state with a removed block \
             with destroy = false and import it as {target}.",
            target = request.target_type_name,
            source = request.source_type_name,
            provider = request.source_provider_address,
        ),
    )
}
