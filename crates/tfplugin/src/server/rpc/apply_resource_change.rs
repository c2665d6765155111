use std::sync::Arc;

use super::{Server, Session, context};
use crate::context::Operation;
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::lint;
use crate::plan::keep_semantically_equal;
use crate::private::Private;
use crate::resource::{Applied, Deleted, PlannedCreate, PlannedDelete, PlannedUpdate};
use crate::server::Described;
use crate::server::convert::{decode, decode_object, encode, encode_diagnostics};
use crate::server::guard::{Aftermath, guard, guard_async};
use crate::server::identity::Identity;
use crate::server::proto::apply_resource_change::{Request, Response};
use crate::state::{storable, unknown_as_null};

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    // No state with an error: Core keeps the object it had, with its private data.
    apply(server, session, request)
        .await
        .unwrap_or_else(|diagnostics| Response {
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        })
}

async fn apply(
    server: &Server,
    session: &Session,
    request: Request,
) -> Result<Response, Diagnostics> {
    let entry = server.resource(&request.type_name)?;
    let described = entry.described();
    let handler = Arc::clone(&entry.handler);
    let prior = decode_object(request.prior_state.as_ref(), &described.ty)?;
    let planned = decode_object(request.planned_state.as_ref(), &described.ty)?;
    let identity = Identity::new(entry, session, request.planned_identity)?;
    let private = Private::decode(&request.planned_private)?;
    tracing::debug!(
        type_name = request.type_name,
        prior = prior.is_some(),
        planned = planned.is_some(),
        planned_private = request.planned_private.len(),
        "applying"
    );
    let (applied, planned, prior) = match (prior, planned) {
        (None, None) => return Ok(Response::default()),
        (Some(prior), None) => {
            let context = context(session, described, Operation::Delete, Some(&prior))?;
            let delete = PlannedDelete { prior, private };
            let work = async move { guard_async(|| handler.delete(context, delete)).await };
            let deleted = server.lifetime.run_to_end(work).await.map_err(|panicked| {
                let during = format!("deleting a {}", request.type_name);
                panicked.into_diagnostics(&during, Aftermath::Deleted)
            })?;
            return Ok(answer_delete(described, &identity, deleted));
        }
        (None, Some(planned)) => {
            let config = decode(request.config.as_ref(), &described.ty)?;
            let context = context(session, described, Operation::Create, Some(&planned))?;
            let create = PlannedCreate {
                config,
                planned: planned.clone(),
                private: private.clone(),
            };
            let work = async move { guard_async(|| handler.create(context, create)).await };
            let applied = server.lifetime.run_to_end(work).await;
            // Without a state Core would take the object for one that was never made.
            let applied = applied.unwrap_or_else(|panicked| {
                let during = format!("creating a {}", request.type_name);
                let diagnostics = panicked.into_diagnostics(&during, Aftermath::Created);
                Applied::partial(planned.clone(), private, diagnostics)
            });
            (applied, planned, None)
        }
        (Some(prior), Some(planned)) => {
            let config = decode(request.config.as_ref(), &described.ty)?;
            let context = context(session, described, Operation::Update, Some(&planned))?;
            let update = PlannedUpdate {
                config,
                prior: prior.clone(),
                planned: planned.clone(),
                private,
            };
            let work = async move { guard_async(|| handler.update(context, update)).await };
            let applied = server.lifetime.run_to_end(work).await.map_err(|panicked| {
                let during = format!("updating a {}", request.type_name);
                panicked.into_diagnostics(&during, Aftermath::Updated)
            })?;
            (applied, planned, Some(prior))
        }
    };
    Ok(answer_apply(described, &identity, prior, planned, applied))
}

/// The answer for what a create or update returned. Should the work on it panic, it is given to
/// Core as it is.
fn answer_apply(
    described: &Described,
    identity: &Identity<'_>,
    prior: Option<Value>,
    planned: Value,
    applied: Applied<Value>,
) -> Response {
    let own = applied.clone();
    let checked = guard(|| checked_answer(described, identity, prior, planned, applied));
    checked.unwrap_or_else(|panicked| {
        let mut diagnostics = own.diagnostics;
        let during = "checking the result of an apply";
        diagnostics.extend(panicked.into_diagnostics(during, Aftermath::Finished));
        let state = own.state.map(unknown_as_null);
        let state = state.map(|state| storable(&described.schema, state));
        Response {
            new_state: state.and_then(|state| encode(&state, &described.ty).ok()),
            new_identity: identity.before(),
            private: own.private.encode(),
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        }
    })
}

fn checked_answer(
    described: &Described,
    identity: &Identity<'_>,
    prior: Option<Value>,
    planned: Value,
    applied: Applied<Value>,
) -> Response {
    let schema = &described.schema;
    let mut diagnostics = applied.diagnostics;
    let Some(state) = applied.state else {
        if !diagnostics.has_errors() {
            diagnostics.add_error(
                "Provider bug: the provider returned no state after apply",
                "The apply ended without an error and without the new state of the object. Please \
                 report this to the provider's developers.",
            );
        }
        return Response {
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        };
    };
    let state = if diagnostics.has_errors() {
        // What a failed apply did not find out stays unknown in its state; Core wants it known.
        unknown_as_null(state)
    } else {
        keep_semantically_equal(schema, &planned, state)
    };
    // A value that a successful apply did not find out is reported by every build: made null, it
    // would pass for the truth.
    if lint::is_enabled() || !state.is_wholly_known() {
        diagnostics.extend(if diagnostics.has_errors() {
            lint::state(schema, &state, "a failed apply")
        } else {
            lint::applied(schema, &planned, &state)
        });
    }
    let state = storable(schema, unknown_as_null(state));
    let new_identity = if prior.is_some() {
        identity.of_same(&state)
    } else {
        identity.of_new(&state)
    };
    let new_identity = new_identity.unwrap_or_else(|more| {
        diagnostics.extend(more);
        identity.before()
    });
    let new_state = encode(&state, &described.ty).or_else(|more| {
        diagnostics.extend(more);
        // An update leaves the object it found. What a create made must not be lost: the plan is
        // nearer to the truth than nothing, which Core takes for "does not exist".
        let fallback = prior.unwrap_or_else(|| unknown_as_null(planned));
        encode(&fallback, &described.ty)
    });
    Response {
        new_state: new_state.ok(),
        new_identity,
        private: applied.private.encode(),
        diagnostics: encode_diagnostics(diagnostics),
        ..Response::default()
    }
}

fn answer_delete(
    described: &Described,
    identity: &Identity<'_>,
    deleted: Deleted<Value>,
) -> Response {
    let mut diagnostics = deleted.diagnostics;
    let Some(remaining) = deleted.remaining else {
        return Response {
            diagnostics: encode_diagnostics(diagnostics),
            ..Response::default()
        };
    };
    if !diagnostics.has_errors() {
        diagnostics.add_error(
            "Provider bug: the object is left after a delete",
            "The delete ended without an error but returned a state. Please report this to the \
             provider's developers.",
        );
    }
    let state = unknown_as_null(remaining);
    if lint::is_enabled() {
        diagnostics.extend(lint::state(&described.schema, &state, "a failed delete"));
    }
    let state = storable(&described.schema, state);
    let new_state = match encode(&state, &described.ty) {
        Ok(state) => Some(state),
        Err(more) => {
            diagnostics.extend(more);
            None
        }
    };
    Response {
        new_identity: identity.kept(&state).unwrap_or_else(|more| {
            diagnostics.extend(more);
            None
        }),
        new_state,
        private: deleted.private.encode(),
        diagnostics: encode_diagnostics(diagnostics),
        ..Response::default()
    }
}
