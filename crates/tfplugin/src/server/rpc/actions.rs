//! Actions, of which there are none yet.

use super::{Server, Session, no_such};
use crate::server::proto::invoke_action::Event;
use crate::server::proto::{invoke_action, plan_action, validate_action_config};

const KIND: &str = "action";

pub(super) async fn validate(
    _: &Server,
    _: &Session,
    request: validate_action_config::Request,
) -> validate_action_config::Response {
    no_such(KIND, &request.type_name)
}

pub(super) async fn plan(
    _: &Server,
    _: &Session,
    request: plan_action::Request,
) -> plan_action::Response {
    no_such(KIND, &request.action_type)
}

pub(super) fn invoke(request: invoke_action::Request) -> Vec<Event> {
    vec![no_such(KIND, &request.action_type)]
}
