use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::server::convert::{encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard};
use crate::server::proto::DynamicValue;
use crate::server::proto::upgrade_resource_state::{Request, Response};
use crate::server::upgrade;
use crate::state::storable;

pub(super) async fn handle(server: &Server, _: &Session, request: Request) -> Response {
    match run(server, request) {
        Ok(state) => Response {
            upgraded_state: Some(state),
            diagnostics: Vec::new(),
        },
        Err(diagnostics) => Response {
            upgraded_state: None,
            diagnostics: encode_diagnostics(diagnostics),
        },
    }
}

fn run(server: &Server, request: Request) -> Result<DynamicValue, Diagnostics> {
    let entry = server.resource(&request.type_name)?;
    let described = entry.described();
    let raw = request.raw_state.unwrap_or_default();
    if raw.json.is_empty() {
        return Err(Diagnostics::error(
            "The state is too old",
            "The state was written by Terraform 0.11 or older. Apply once with Terraform 0.12 or \
             newer and an older provider version, then come back.",
        ));
    }
    let state = guard(|| {
        upgrade::upgrade(
            described.schema.version,
            &described.ty,
            request.version,
            &raw.json,
            |request| entry.handler.upgrade_state(request),
        )
    })
    .map_err(|panicked| {
        panicked.into_diagnostics(
            &format!("reading the state of a {}", request.type_name),
            Aftermath::NothingChanged,
        )
    })??;
    // A provider that made an attribute write-only finds its value in older states.
    let state = storable(&described.schema, state);
    // An unknown value is reported by every build, since Core reports only that there is one.
    if lint::is_enabled() || !state.is_wholly_known() {
        let broken = lint::state(&described.schema, &state, "an upgrade");
        if broken.has_errors() {
            return Err(broken);
        }
    }
    encode(&state, &described.ty)
}
