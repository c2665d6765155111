//! Functions with Go-like signatures, and what they are given when they are called.

use std::any::Any;
use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use crate::error::Error;
use crate::exec;
use crate::run::Run;
use crate::string::Str;
use crate::template::Templates;
use crate::types::Type;
use crate::value::{List, Map, Value};

/// Parameters and result of a function or method.
///
/// `Display` prints it as `%T` does: `func(string, ...interface {}) string`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// The types of the parameters; of a variadic function the last is the type of each of the
    /// remaining arguments.
    pub parameters: Vec<Type>,
    /// Whether the last parameter takes any number of arguments.
    pub variadic: bool,
    /// The type of the result. Values of [`Type::Any`] may be of any type, also nil.
    pub result: Type,
}

impl Signature {
    /// A signature without variadic parameter.
    pub fn new(parameters: impl Into<Vec<Type>>, result: Type) -> Self {
        Self {
            parameters: parameters.into(),
            variadic: false,
            result,
        }
    }

    /// A signature whose last parameter takes any number of arguments.
    pub fn variadic(parameters: impl Into<Vec<Type>>, result: Type) -> Self {
        Self {
            parameters: parameters.into(),
            variadic: true,
            result,
        }
    }
}

impl fmt::Display for Signature {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("func(")?;
        for (index, parameter) in self.parameters.iter().enumerate() {
            if index > 0 {
                formatter.write_str(", ")?;
            }
            if self.variadic && index + 1 == self.parameters.len() {
                formatter.write_str("...")?;
            }
            write!(formatter, "{parameter}")?;
        }
        write!(formatter, ") {}", self.result)
    }
}

/// What a function does with its arguments, which are of the types of its signature.
type FunctionBody = dyn Fn(&mut Call<'_>, Args<'_>) -> Result<Value, Error> + Send + Sync;

/// What a method does with its receiver and its arguments.
type MethodBody = dyn Fn(&mut Call<'_>, &Value, Args<'_>) -> Result<Value, Error> + Send + Sync;

/// A function that templates call by name.
pub struct Function {
    /// Parameters and result: the executor checks and converts arguments by it.
    pub signature: Signature,
    body: Box<FunctionBody>,
}

impl Function {
    /// A function of this signature.
    pub fn new(
        signature: Signature,
        body: impl Fn(&mut Call<'_>, Args<'_>) -> Result<Value, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            signature,
            body: Box::new(body),
        }
    }

    pub(crate) fn call(&self, call: &mut Call<'_>, args: Args<'_>) -> Result<Value, Error> {
        (self.body)(call, args)
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.signature, formatter)
    }
}

/// A method of a [`crate::NamedType`].
pub struct Method {
    /// Parameters, without the receiver, and result.
    pub signature: Signature,
    body: Box<MethodBody>,
}

impl Method {
    /// A method of this signature; the receiver is its second argument.
    pub fn new(
        signature: Signature,
        body: impl Fn(&mut Call<'_>, &Value, Args<'_>) -> Result<Value, Error> + Send + Sync + 'static,
    ) -> Self {
        Self {
            signature,
            body: Box::new(body),
        }
    }

    pub(crate) fn call(
        &self,
        call: &mut Call<'_>,
        receiver: &Value,
        args: Args<'_>,
    ) -> Result<Value, Error> {
        (self.body)(call, receiver, args)
    }
}

impl fmt::Debug for Method {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.signature, formatter)
    }
}

/// Functions by name. Templates look them up when they are parsed; names that are builtin
/// functions of text/template replace those.
#[derive(Clone, Debug, Default)]
pub struct Functions {
    by_name: BTreeMap<String, Arc<Function>>,
}

impl Functions {
    /// No function.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a function, or replaces the one of that name.
    pub fn insert(&mut self, name: impl Into<String>, function: impl Into<Arc<Function>>) {
        self.by_name.insert(name.into(), function.into());
    }

    /// Adds a function of fixed parameters, or replaces the one of that name.
    pub fn add(
        &mut self,
        name: &str,
        parameters: impl Into<Vec<Type>>,
        result: Type,
        body: impl Fn(&mut Call<'_>, Args<'_>) -> Result<Value, Error> + Send + Sync + 'static,
    ) {
        self.insert(
            name,
            Function::new(Signature::new(parameters, result), body),
        );
    }

    /// Adds a function whose last parameter takes any number of arguments, or replaces the one of
    /// that name.
    pub fn add_variadic(
        &mut self,
        name: &str,
        parameters: impl Into<Vec<Type>>,
        result: Type,
        body: impl Fn(&mut Call<'_>, Args<'_>) -> Result<Value, Error> + Send + Sync + 'static,
    ) {
        self.insert(
            name,
            Function::new(Signature::variadic(parameters, result), body),
        );
    }

    /// Removes a function.
    pub fn remove(&mut self, name: &str) {
        self.by_name.remove(name);
    }

    /// A function by its name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Arc<Function>> {
        self.by_name.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.by_name.keys().map(String::as_str)
    }

    /// Adds the functions of `other`, which replace those of the same name.
    pub fn extend(&mut self, other: &Self) {
        for (name, function) in &other.by_name {
            self.by_name.insert(name.clone(), Arc::clone(function));
        }
    }
}

/// The arguments of a call, already of the types that the signature asks for.
///
/// The typed accessors fail only if they ask for another type than the signature does. An argument
/// of a named type arrives without its name where the parameter has none, as in Go.
pub struct Args<'a> {
    values: &'a mut [Value],
}

impl<'a> Args<'a> {
    pub(crate) fn new(values: &'a mut [Value]) -> Self {
        Self { values }
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All of them.
    #[must_use]
    pub fn values(&self) -> &[Value] {
        self.values
    }

    /// The variadic arguments, when the parameters before them are `fixed` many.
    #[must_use]
    pub fn rest(&self, fixed: usize) -> &[Value] {
        self.values.get(fixed..).unwrap_or_default()
    }

    /// An argument; nil beyond the last.
    #[must_use]
    pub fn get(&self, index: usize) -> &Value {
        self.values.get(index).unwrap_or(&Value::Nil)
    }

    /// Takes an argument out of the list, so that it need not be cloned.
    #[must_use]
    pub fn take(&mut self, index: usize) -> Value {
        self.values
            .get_mut(index)
            .map(std::mem::take)
            .unwrap_or_default()
    }

    /// A string argument.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn string(&self, index: usize) -> Result<&Str, Error> {
        match self.get(index) {
            Value::String(text) => Ok(text),
            other => Err(unexpected(index, "string", other)),
        }
    }

    /// A bool argument.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn bool(&self, index: usize) -> Result<bool, Error> {
        match self.get(index) {
            Value::Bool(truth) => Ok(*truth),
            other => Err(unexpected(index, "bool", other)),
        }
    }

    /// An argument of a signed integer type.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn int(&self, index: usize) -> Result<i64, Error> {
        match self.get(index) {
            Value::Int(_, number) => Ok(*number),
            other => Err(unexpected(index, "int", other)),
        }
    }

    /// An argument of an unsigned integer type.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn uint(&self, index: usize) -> Result<u64, Error> {
        match self.get(index) {
            Value::Uint(_, number) => Ok(*number),
            other => Err(unexpected(index, "uint", other)),
        }
    }

    /// An argument of a floating-point type.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn float(&self, index: usize) -> Result<f64, Error> {
        match self.get(index) {
            Value::Float(_, number) => Ok(*number),
            other => Err(unexpected(index, "float64", other)),
        }
    }

    /// A map argument. A nil given for it is a nil map.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn map(&self, index: usize) -> Result<&Map, Error> {
        match self.get(index) {
            Value::Map(map) => Ok(map),
            other => Err(unexpected(index, "map", other)),
        }
    }

    /// A slice argument. A nil given for it is a nil slice.
    ///
    /// # Errors
    ///
    /// It is something else.
    pub fn list(&self, index: usize) -> Result<&List, Error> {
        match self.get(index) {
            Value::List(list) => Ok(list),
            other => Err(unexpected(index, "slice", other)),
        }
    }
}

fn unexpected(index: usize, expected: &str, found: &Value) -> Error {
    Error::new(format!(
        "argument {index} should be {expected}; is {}",
        found.type_name()
    ))
}

/// A moment: seconds and nanoseconds since 1970-01-01 00:00:00 UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixTime {
    /// Whole seconds, before 1970 negative.
    pub seconds: i64,
    /// Nanoseconds after that second, below 1,000,000,000.
    pub nanoseconds: u32,
}

/// What an execution takes from the world, supplied by the caller.
pub trait Environment {
    /// Fills the bytes at random.
    ///
    /// # Errors
    ///
    /// There is no random source.
    fn random(&mut self, _bytes: &mut [u8]) -> Result<(), Error> {
        Err("no random source was given to this execution".into())
    }

    /// The present moment.
    ///
    /// # Errors
    ///
    /// There is no clock.
    fn now(&mut self) -> Result<UnixTime, Error> {
        Err("no clock was given to this execution".into())
    }

    /// What the caller's own functions need: see [`Call::host`].
    fn host(&self) -> Option<&dyn Any> {
        None
    }
}

/// An environment without random source and clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sealed;

impl Environment for Sealed {}

/// The call of a function: what it may use besides its arguments.
pub struct Call<'a> {
    pub(crate) run: &'a mut Run,
    pub(crate) environment: &'a mut dyn Environment,
    pub(crate) templates: &'a Templates,
    pub(crate) name: &'a str,
}

impl Call<'_> {
    /// The name by which the function was called.
    #[must_use]
    pub fn name(&self) -> &str {
        self.name
    }

    /// Fills the bytes at random, and notes that the output depends on it.
    ///
    /// # Errors
    ///
    /// The environment has no random source.
    pub fn random(&mut self, bytes: &mut [u8]) -> Result<(), Error> {
        self.run.used.random = true;
        self.environment.random(bytes)
    }

    /// The present moment; notes that the output depends on it.
    ///
    /// # Errors
    ///
    /// The environment has no clock.
    pub fn now(&mut self) -> Result<UnixTime, Error> {
        self.run.used.clock = true;
        self.environment.now()
    }

    /// What the caller gave for its own functions, if it is of this type.
    #[must_use]
    pub fn host<T: 'static>(&self) -> Option<&T> {
        self.environment.host()?.downcast_ref()
    }

    /// Charges work that the size of the arguments does not bound, before it is done: one step for
    /// about a hundred nanoseconds.
    ///
    /// # Errors
    ///
    /// The execution has no steps left.
    pub fn charge_steps(&mut self, steps: u64) -> Result<(), Error> {
        self.run.charge_steps(steps)
    }

    /// Charges bytes of strings or lists about to be made whose size the arguments do not bound,
    /// as of `repeat` and `until`: before they are made.
    ///
    /// # Errors
    ///
    /// The execution has no bytes left.
    pub fn charge_bytes(&mut self, bytes: usize) -> Result<(), Error> {
        self.run.charge_bytes(bytes)
    }
    /// The set of templates that is being executed. A function that parses text of its own does so
    /// into a clone of it.
    #[must_use]
    pub fn templates(&self) -> &Templates {
        self.templates
    }

    /// Executes a template of the present set, with the limits of this execution, and gives its
    /// output.
    ///
    /// # Errors
    ///
    /// As [`Templates::execute`].
    pub fn execute(&mut self, name: &[u8], data: &Value) -> Result<Vec<u8>, Error> {
        let templates = self.templates;
        exec::execute(self.run, self.environment, templates, name, data.clone())
    }

    /// Executes a template of another set, with the limits of this execution, and gives its output.
    ///
    /// # Errors
    ///
    /// As [`Templates::execute`].
    pub fn execute_in(
        &mut self,
        templates: &Templates,
        name: &[u8],
        data: &Value,
    ) -> Result<Vec<u8>, Error> {
        exec::execute(self.run, self.environment, templates, name, data.clone())
    }
}
