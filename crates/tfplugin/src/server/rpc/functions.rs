//! The functions: `GetFunctions`, which OpenTofu alone calls, and `CallFunction`.

use super::{Server, Session};
use crate::cty::{Type, Value};
use crate::function::{Arguments, ErasedFunction, FunctionDefinition, FunctionError};
use crate::server::convert::{decode, encode};
use crate::server::guard::guard;
use crate::server::{proto, schema};

pub(super) async fn get(
    server: &Server,
    _: &Session,
    _: proto::get_functions::Request,
) -> proto::get_functions::Response {
    proto::get_functions::Response {
        functions: schema::encode_functions(server.functions()),
        ..Default::default()
    }
}

pub(super) async fn call(
    server: &Server,
    _: &Session,
    request: proto::call_function::Request,
) -> proto::call_function::Response {
    match run(server, &request) {
        Ok(result) => proto::call_function::Response {
            result: Some(result),
            error: None,
        },
        Err(error) => proto::call_function::Response {
            result: None,
            error: Some(proto::FunctionError {
                text: error.text,
                function_argument: error
                    .argument
                    .map(|index| i64::try_from(index).unwrap_or(i64::MAX)),
            }),
        },
    }
}

fn run(
    server: &Server,
    request: &proto::call_function::Request,
) -> Result<proto::DynamicValue, FunctionError> {
    let functions = server.functions();
    let Some(function) = functions.get(&request.name) else {
        let known: Vec<&str> = functions.keys().map(String::as_str).collect();
        return Err(FunctionError::new(format!(
            "This provider has no function {:?}. It has: {}.",
            request.name,
            if known.is_empty() {
                "none".to_owned()
            } else {
                known.join(", ")
            }
        )));
    };
    let definition = function.definition();
    let arguments = arguments(&definition, &request.arguments)?;
    let known = arguments.values().iter().all(Value::is_wholly_known);
    let result = guard(|| function.call(arguments)).map_err(|panicked| {
        FunctionError::new(panicked.to_sentence(&format!("computing {}", request.name)))
    })??;
    check(function.as_ref(), &result, known)?;
    encode(&result, &function.output_type())
        .map_err(|diagnostics| FunctionError::new(diagnostics.to_string()))
}

fn arguments(
    definition: &FunctionDefinition,
    arguments: &[proto::DynamicValue],
) -> Result<Arguments, FunctionError> {
    let parameters = definition.parameters.len();
    if arguments.len() < parameters {
        return Err(FunctionError::new(format!(
            "{parameters} arguments are needed, {} are given.",
            arguments.len()
        )));
    }
    let values = arguments.iter().enumerate().map(|(index, argument)| {
        let parameter = definition.parameter_of(index).ok_or_else(|| {
            FunctionError::new(format!("At most {parameters} arguments are taken.")).argument(index)
        })?;
        decode(Some(argument), &parameter.ty)
            .map_err(|diagnostics| FunctionError::new(diagnostics.to_string()).argument(index))
    });
    let values: Vec<Value> = values.collect::<Result<_, _>>()?;
    Ok(Arguments::new(values, parameters))
}

/// Core reports these as bugs without saying what broke.
fn check(function: &dyn ErasedFunction, result: &Value, known: bool) -> Result<(), FunctionError> {
    let ty: Type = function.output_type();
    let problem = if let Err(mismatch) = result.conforms(&ty) {
        format!(
            "its result has {} where {} is declared",
            mismatch.found, mismatch.expected
        )
    } else if known && !result.is_wholly_known() {
        "its result is unknown although every argument is known".to_owned()
    } else {
        return Ok(());
    };
    Err(FunctionError::new(format!(
        "Provider bug: {problem}. Please report this to the provider's developers."
    )))
}
