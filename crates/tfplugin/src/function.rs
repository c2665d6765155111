//! Functions that configurations call as `provider::TYPE::NAME(…)`.

use crate::cty::{Type, Value};
use crate::model::{AttributeValue, Model, ModelField as _};

/// A function of a provider: Terraform 1.8 and newer, OpenTofu 1.7 and newer.
///
/// It must be pure, since Core calls it again and compares. It knows nothing of the provider's
/// configuration: Terraform calls it in a process that is never configured.
///
/// ```
/// use tfplugin::{Arguments, AttributeValue, Function, FunctionDefinition, FunctionError, Parameter};
///
/// /// `provider::example::repeat("ab", 2)` is "abab".
/// struct Repeat;
///
/// impl Function for Repeat {
///     type Output = String;
///
///     fn definition(&self) -> FunctionDefinition {
///         FunctionDefinition::new("Repeats a text.")
///             .parameter(Parameter::new::<String>("text", "What is repeated."))
///             .parameter(Parameter::new::<i64>("count", "How often, at least 0."))
///     }
///
///     fn call(&self, arguments: Arguments) -> Result<AttributeValue<String>, FunctionError> {
///         let text: String = arguments.get(0)?;
///         let count: i64 = arguments.get(1)?;
///         let count = usize::try_from(count)
///             .map_err(|_| FunctionError::new("must not be negative").argument(1))?;
///         Ok(text.repeat(count).into())
///     }
/// }
/// ```
pub trait Function: Send + Sync + 'static {
    /// What it returns; [`Value`] for a dynamic type.
    type Output: Model;

    /// Its parameters and documentation.
    fn definition(&self) -> FunctionDefinition;

    /// Computes the result. It may be unknown only when an argument is.
    ///
    /// # Errors
    /// [`FunctionError`] says what is wrong, and with which argument.
    fn call(&self, arguments: Arguments) -> Result<AttributeValue<Self::Output>, FunctionError>;
}

/// What a function takes, and what the documentation says about it.
#[derive(Clone, Debug)]
pub struct FunctionDefinition {
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) deprecated: Option<String>,
    pub(crate) parameters: Vec<Parameter>,
    pub(crate) variadic: Option<Parameter>,
}

impl FunctionDefinition {
    /// A function without parameters. The summary is one sentence.
    pub fn new(summary: impl Into<String>) -> Self {
        Self {
            summary: summary.into(),
            description: String::new(),
            deprecated: None,
            parameters: Vec::new(),
            variadic: None,
        }
    }

    /// What it does in full, in Markdown; the summary when it is left out.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = description.into();
        self
    }

    /// Marks the function as deprecated. The message says what to use instead.
    #[must_use]
    pub fn deprecated(mut self, message: impl Into<String>) -> Self {
        self.deprecated = Some(message.into());
        self
    }

    /// Adds a parameter after the others.
    #[must_use]
    pub fn parameter(mut self, parameter: Parameter) -> Self {
        self.parameters.push(parameter);
        self
    }

    /// Takes any number of further arguments after the parameters.
    #[must_use]
    pub fn variadic(mut self, parameter: Parameter) -> Self {
        self.variadic = Some(parameter);
        self
    }

    /// The parameter of the argument at `index`.
    pub(crate) fn parameter_of(&self, index: usize) -> Option<&Parameter> {
        self.parameters.get(index).or(self.variadic.as_ref())
    }

    /// What is wrong with it, each a sentence without full stop. Core refuses such a provider.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.summary.trim().is_empty() {
            problems.push("the summary is missing".to_owned());
        }
        let mut names: Vec<&str> = Vec::new();
        for parameter in self.parameters.iter().chain(&self.variadic) {
            let name = parameter.name.as_str();
            if !is_identifier(name) {
                problems.push(format!("the parameter {name:?} has no valid name"));
            }
            if names.contains(&name) {
                problems.push(format!("the parameter {name:?} is there twice"));
            }
            names.push(name);
        }
        problems
    }
}

/// A name that configurations can write.
pub(crate) fn is_identifier(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_lowercase() || first == '_')
        && name
            .chars()
            .all(|next| next.is_ascii_lowercase() || next.is_ascii_digit() || next == '_')
}

/// One parameter of a function. An argument that is null or unknown is dealt with by Core, unless
/// the parameter allows it.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) ty: Type,
    pub(crate) allow_null: bool,
    pub(crate) allow_unknown: bool,
}

impl Parameter {
    /// A parameter of a model's type; [`Value`] takes anything.
    pub fn new<T: Model>(name: impl Into<String>, description: impl Into<String>) -> Self {
        Self::of(T::ty(), name, description)
    }

    /// A parameter of any type.
    pub fn of(ty: Type, name: impl Into<String>, description: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: description.into(),
            ty,
            allow_null: false,
            allow_unknown: false,
        }
    }

    /// The argument may be null.
    #[must_use]
    pub fn allow_null(mut self) -> Self {
        self.allow_null = true;
        self
    }

    /// The function is called although the argument is unknown, or holds something unknown.
    #[must_use]
    pub fn allow_unknown(mut self) -> Self {
        self.allow_unknown = true;
        self
    }
}

/// The arguments of a call, counted from 0.
#[derive(Clone, Debug, PartialEq)]
pub struct Arguments {
    values: Vec<Value>,
    /// How many parameters there are besides the variadic one.
    parameters: usize,
}

impl Arguments {
    pub(crate) fn new(values: Vec<Value>, parameters: usize) -> Self {
        Self { values, parameters }
    }

    /// The argument at `index`.
    ///
    /// # Errors
    /// The argument has another type or does not fit it, is null, or is unknown.
    pub fn get<T: Model>(&self, index: usize) -> Result<T, FunctionError> {
        match self.optional(index)? {
            AttributeValue::Known(value) => Ok(value),
            AttributeValue::Null => Err(FunctionError::new("must not be null").argument(index)),
            AttributeValue::Unknown => Err(FunctionError::new("is not known yet").argument(index)),
        }
    }

    /// The argument at `index`, which may be null or unknown where its parameter allows it.
    ///
    /// # Errors
    /// The argument has another type or does not fit it.
    pub fn optional<T: Model>(&self, index: usize) -> Result<AttributeValue<T>, FunctionError> {
        let value = self.values.get(index).cloned().unwrap_or(Value::Null);
        AttributeValue::from_field(value)
            .map_err(|error| FunctionError::new(error.to_string()).argument(index))
    }

    /// The arguments after the parameters.
    ///
    /// # Errors
    /// As [`Self::get`], with the argument that is wrong.
    pub fn variadic<T: Model>(&self) -> Result<Vec<T>, FunctionError> {
        (self.parameters..self.values.len())
            .map(|index| self.get(index))
            .collect()
    }

    /// All arguments as they are.
    pub fn values(&self) -> &[Value] {
        &self.values
    }
}

/// Why a function has no result.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct FunctionError {
    pub(crate) text: String,
    pub(crate) argument: Option<usize>,
}

impl FunctionError {
    /// An error of the whole call. Core shows the text after "Call to function … failed:".
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            argument: None,
        }
    }

    /// What is wrong.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The argument it is about, counted from 0.
    pub const fn argument_index(&self) -> Option<usize> {
        self.argument
    }

    /// The same error, of the argument at `index`, counted from 0 with those of the variadic
    /// parameter. Core shows the argument.
    #[must_use]
    pub fn argument(mut self, index: usize) -> Self {
        self.argument = Some(index);
        self
    }
}

/// A [`Function`] on values.
pub(crate) trait ErasedFunction: Send + Sync {
    fn definition(&self) -> FunctionDefinition;
    fn output_type(&self) -> Type;
    fn call(&self, arguments: Arguments) -> Result<Value, FunctionError>;
}

pub(crate) struct TypedFunction<F>(pub(crate) F);

impl<F: Function> ErasedFunction for TypedFunction<F> {
    fn definition(&self) -> FunctionDefinition {
        self.0.definition()
    }

    fn output_type(&self) -> Type {
        F::Output::ty()
    }

    fn call(&self, arguments: Arguments) -> Result<Value, FunctionError> {
        self.0.call(arguments).map(|output| output.to_field())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn definitions() {
        let text = |name: &str| Parameter::new::<String>(name, "Text.");
        let new = || FunctionDefinition::new("Does something.");
        let cases: [(&str, FunctionDefinition, &[&str]); 5] = [
            (
                "valid",
                new().parameter(text("a")).variadic(text("b_2")),
                &[],
            ),
            (
                "no summary",
                FunctionDefinition::new(" "),
                &["the summary is missing"],
            ),
            (
                "twice",
                new().parameter(text("a")).variadic(text("a")),
                &["the parameter \"a\" is there twice"],
            ),
            (
                "a digit first",
                new().parameter(text("2a")),
                &["the parameter \"2a\" has no valid name"],
            ),
            (
                "no name",
                new().parameter(text("")),
                &["the parameter \"\" has no valid name"],
            ),
        ];
        for (name, definition, expected) in cases {
            assert_eq!(definition.problems(), expected, "{name}");
        }
    }
}
