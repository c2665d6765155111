//! Provider functions, of which there are none yet.

use super::{Server, Session};
use crate::server::proto::{FunctionError, call_function, get_functions};

pub(super) async fn get(
    _: &Server,
    _: &Session,
    _: get_functions::Request,
) -> get_functions::Response {
    get_functions::Response::default()
}

pub(super) async fn call(
    _: &Server,
    _: &Session,
    request: call_function::Request,
) -> call_function::Response {
    call_function::Response {
        result: None,
        error: Some(FunctionError {
            text: format!(
                "This provider has no function {:?}: it has none at all.",
                request.name
            ),
            function_argument: None,
        }),
    }
}
