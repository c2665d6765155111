use super::{Server, Session};
use crate::cty::Value;
use crate::diagnostics::Diagnostics;
use crate::plan::{PlanAnswer, PlanRequest, plan};
use crate::private::Private;
use crate::server::Described;
use crate::server::convert::{
    decode_object, deferral_allowed, encode_deferral, encode_diagnostics, encode_object,
    encode_path,
};
use crate::server::guard::{Aftermath, guard};
use crate::server::identity::Identity;
use crate::server::proto::plan_resource_change::{Request, Response};

pub(super) async fn handle(server: &Server, session: &Session, request: Request) -> Response {
    let answer = server.resource(&request.type_name).and_then(|entry| {
        let described = entry.described();
        let request_of_core = decode_request(described, &request)?;
        tracing::debug!(
            type_name = request.type_name,
            prior = request_of_core.prior.is_some(),
            proposed = request_of_core.proposed.is_some(),
            prior_private = request.prior_private.len(),
            "planning"
        );
        let client = session.client();
        let prior = request_of_core.prior.clone();
        let answer = guard(|| {
            plan(
                &described.schema,
                entry.handler.as_ref(),
                PlanRequest {
                    client: client.as_ref(),
                    ..request_of_core
                },
            )
        })
        .map_err(|panicked| {
            panicked.into_diagnostics(
                &format!("planning a {}", request.type_name),
                Aftermath::NothingChanged,
            )
        })?;
        let identity = Identity::new(entry, session, request.prior_identity.clone())?;
        Ok(encode_answer(described, answer, &identity, prior.as_ref()))
    });
    answer.unwrap_or_else(|diagnostics| Response {
        planned_private: request.prior_private,
        diagnostics: encode_diagnostics(diagnostics),
        ..Response::default()
    })
}

fn decode_request<'a>(
    described: &Described,
    request: &Request,
) -> Result<PlanRequest<'a>, Diagnostics> {
    Ok(PlanRequest {
        config: decode_object(request.config.as_ref(), &described.ty)?,
        proposed: decode_object(request.proposed_new_state.as_ref(), &described.ty)?,
        prior_private: Private::decode(&request.prior_private)?,
        client: None,
        deferral_allowed: deferral_allowed(request.client_capabilities.as_ref()),
        prior: decode_object(request.prior_state.as_ref(), &described.ty)?,
    })
}

fn encode_answer(
    described: &Described,
    mut answer: PlanAnswer,
    identity: &Identity<'_>,
    prior: Option<&Value>,
) -> Response {
    let planned_identity = match (prior, &answer.planned) {
        // An object keeps its identity; that of a replacement is asked for in another plan.
        (Some(prior), _) => identity.kept(prior),
        (None, Some(planned)) => identity.of_new(planned),
        (None, None) => Ok(None),
    };
    let planned_identity = planned_identity.unwrap_or_else(|diagnostics| {
        answer.diagnostics.extend(diagnostics);
        None
    });
    let planned_state = match encode_object(answer.planned.as_ref(), &described.ty) {
        Ok(planned) => Some(planned),
        Err(diagnostics) => {
            answer.diagnostics.extend(diagnostics);
            None
        }
    };
    Response {
        planned_state,
        requires_replace: answer.requires_replace.iter().map(encode_path).collect(),
        planned_private: answer.private.encode(),
        planned_identity,
        deferred: answer.deferred.map(encode_deferral),
        diagnostics: encode_diagnostics(answer.diagnostics),
        ..Response::default()
    }
}
