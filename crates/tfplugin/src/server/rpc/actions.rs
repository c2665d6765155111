//! Actions, of which there are none yet.

use super::{Server, Session, no_such};
use crate::server::proto::invoke_action::{Event, event};
use crate::server::proto::{invoke_action, plan_action, validate_action_config};

const KIND: &str = "action";

pub(super) async fn validate(
    _: &Server,
    _: &Session,
    request: validate_action_config::Request,
) -> validate_action_config::Response {
    validate_action_config::Response {
        diagnostics: no_such(KIND, &request.type_name),
    }
}

pub(super) async fn plan(
    _: &Server,
    _: &Session,
    request: plan_action::Request,
) -> plan_action::Response {
    plan_action::Response {
        diagnostics: no_such(KIND, &request.action_type),
        deferred: None,
    }
}

pub(super) fn invoke(request: invoke_action::Request) -> Vec<Event> {
    vec![Event {
        r#type: Some(event::Type::Completed(event::Completed {
            diagnostics: no_such(KIND, &request.action_type),
        })),
    }]
}
