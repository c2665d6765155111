use super::{Server, Session};
use crate::diagnostics::Diagnostics;
use crate::plan::{PlanAnswer, PlanRequest, plan};
use crate::private::Private;
use crate::server::Described;
use crate::server::convert::{decode_object, encode_diagnostics, encode_object, encode_path};
use crate::server::guard::{Aftermath, guard};
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
        Ok(encode_answer(described, answer))
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
        prior: decode_object(request.prior_state.as_ref(), &described.ty)?,
    })
}

fn encode_answer(described: &Described, mut answer: PlanAnswer) -> Response {
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
        diagnostics: encode_diagnostics(answer.diagnostics),
        ..Response::default()
    }
}
