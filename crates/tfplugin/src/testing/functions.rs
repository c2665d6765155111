//! Calls of functions, as Core makes them.

use super::core::{Core, dynamic, value};
use crate::cty::{Type, Value};
use crate::function::FunctionError;
use crate::server::proto;

impl Core {
    /// Calls a function. As Core does, it answers by itself for an argument that is unknown or null
    /// where that is not allowed, and calls twice and compares.
    ///
    /// # Errors
    /// What the provider says, or Core for a null argument.
    ///
    /// # Panics
    /// When there is no such function, the number of arguments is wrong, or the result has another
    /// type, is unknown without reason, or changes from call to call.
    pub async fn call_function(
        &mut self,
        name: &str,
        arguments: &[Value],
    ) -> Result<Value, FunctionError> {
        let function = self
            .function(name)
            .unwrap_or_else(|| panic!("the provider has no function {name}"));
        let listed = self
            .client
            .get_functions(proto::get_functions::Request {})
            .await
            .expect("GetFunctions succeeds")
            .into_inner();
        assert_eq!(
            listed.functions.get(name),
            Some(&function),
            "GetFunctions and GetProviderSchema agree"
        );
        let fixed = function.parameters.len();
        assert!(
            arguments.len() == fixed
                || (arguments.len() > fixed && function.variadic_parameter.is_some()),
            "{name} takes another number of arguments than {}",
            arguments.len()
        );
        let mut encoded = Vec::new();
        for (index, argument) in arguments.iter().enumerate() {
            let parameter = function
                .parameters
                .get(index)
                .or(function.variadic_parameter.as_ref())
                .expect("there is a parameter for each argument");
            if argument.is_null() && !parameter.allow_null_value {
                return Err(FunctionError::new("argument must not be null").argument(index));
            }
            if !argument.is_wholly_known() && !parameter.allow_unknown_values {
                return Ok(Value::Unknown);
            }
            let ty = Type::from_json(&parameter.r#type).expect("valid type JSON");
            encoded.push(dynamic(argument, &ty));
        }
        let returned = function.r#return.expect("a function returns something");
        let ty = Type::from_json(&returned.r#type).expect("valid type JSON");
        let first = self.call_once(name, encoded.clone(), &ty).await;
        let second = self.call_once(name, encoded, &ty).await;
        assert_eq!(first, second, "{name} is not pure");
        if arguments.iter().all(Value::is_wholly_known)
            && let Ok(result) = &first
        {
            assert!(result.is_wholly_known(), "the result of {name} is unknown");
        }
        first
    }

    pub(super) async fn call_once(
        &mut self,
        name: &str,
        arguments: Vec<proto::DynamicValue>,
        ty: &Type,
    ) -> Result<Value, FunctionError> {
        let answer = self
            .client
            .call_function(proto::call_function::Request {
                name: name.to_owned(),
                arguments,
            })
            .await
            .expect("CallFunction succeeds")
            .into_inner();
        match answer.error {
            Some(error) => Err(FunctionError {
                text: error.text,
                argument: error
                    .function_argument
                    .map(|index| usize::try_from(index).expect("an index is not negative")),
            }),
            None => Ok(value(answer.result.as_ref(), ty)),
        }
    }
}
