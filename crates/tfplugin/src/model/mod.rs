//! Typed models: structs of [`AttributeValue`]s that stand for configuration, plan and state.
//!
//! [`model!`](crate::model!) declares a model; [`Model`] converts it from and to a
//! [`Value`]. Each conversion error names the attribute.

mod conversions;
mod macros;
mod sensitive;
mod set;

use std::fmt;

pub use macros::support;
pub use sensitive::Sensitive;
pub use set::Set;

use crate::cty::{Path, PathStep, Type, Value};
use crate::diagnostics::Diagnostics;

/// A Rust type that stands for a Terraform type: `String`, `bool`, `i64`, `u32`, `f64`, `Number`,
/// `Vec<AttributeValue<T>>`, `BTreeMap<String, AttributeValue<T>>`, [`Set<T>`](Set),
/// [`Sensitive<T>`](Sensitive), [`Value`] for a dynamic type, and every struct made by
/// [`model!`](crate::model!).
pub trait Model: Sized + Send + Sync {
    /// Reads a value that is neither null nor unknown.
    ///
    /// # Errors
    /// Where in the value something has another type than [`Self::ty`], or does not fit it.
    fn from_value(value: Value) -> Result<Self, ConversionError>;

    /// The value, of type [`Self::ty`].
    fn to_value(&self) -> Value;

    /// The Terraform type.
    fn ty() -> Type;
}

/// An attribute of a model: null, not yet known, or known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttributeValue<T> {
    /// Not set.
    #[default]
    Null,
    /// Known only after apply. Never in a state.
    Unknown,
    /// Set.
    Known(T),
}

impl<T> AttributeValue<T> {
    /// Whether it is not set.
    pub const fn is_null(&self) -> bool {
        matches!(self, Self::Null)
    }

    /// Whether it is known only after apply.
    pub const fn is_unknown(&self) -> bool {
        matches!(self, Self::Unknown)
    }

    /// Whether it is set and known.
    pub const fn is_known(&self) -> bool {
        matches!(self, Self::Known(_))
    }

    /// The value if it is known.
    pub const fn known(&self) -> Option<&T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// The value if it is known, to change it.
    pub const fn known_mut(&mut self) -> Option<&mut T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// The value if it is known, taken out.
    pub fn into_known(self) -> Option<T> {
        match self {
            Self::Known(value) => Some(value),
            Self::Null | Self::Unknown => None,
        }
    }

    /// A reference inside.
    pub const fn as_ref(&self) -> AttributeValue<&T> {
        match self {
            Self::Null => AttributeValue::Null,
            Self::Unknown => AttributeValue::Unknown,
            Self::Known(value) => AttributeValue::Known(value),
        }
    }

    /// Changes the known value, leaves null and unknown.
    pub fn map<U>(self, change: impl FnOnce(T) -> U) -> AttributeValue<U> {
        match self {
            Self::Null => AttributeValue::Null,
            Self::Unknown => AttributeValue::Unknown,
            Self::Known(value) => AttributeValue::Known(change(value)),
        }
    }

    /// The known value or, for null **and unknown**, `fallback`.
    pub fn known_or(self, fallback: T) -> T {
        self.into_known().unwrap_or(fallback)
    }
}

impl AttributeValue<String> {
    /// The text if it is known.
    pub fn as_str(&self) -> Option<&str> {
        self.known().map(String::as_str)
    }
}

impl<T> From<T> for AttributeValue<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

impl From<&str> for AttributeValue<String> {
    fn from(value: &str) -> Self {
        Self::Known(value.to_owned())
    }
}

impl<T> From<Option<T>> for AttributeValue<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Null, Self::Known)
    }
}

/// A field of a model. Implemented by [`AttributeValue`] alone.
pub trait ModelField: Sized + Send + Sync {
    /// Reads any value of the field's type.
    ///
    /// # Errors
    /// As [`Model::from_value`].
    fn from_field(value: Value) -> Result<Self, ConversionError>;

    /// The value of the field.
    fn to_field(&self) -> Value;

    /// The Terraform type.
    fn field_type() -> Type;
}

impl<T: Model> ModelField for AttributeValue<T> {
    fn from_field(value: Value) -> Result<Self, ConversionError> {
        // A dynamic value that is null or unknown but has a type must keep it, so it counts as
        // known here.
        match value {
            Value::Null => Ok(Self::Null),
            Value::Unknown => Ok(Self::Unknown),
            value => T::from_value(value).map(Self::Known),
        }
    }

    fn to_field(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Unknown => Value::Unknown,
            Self::Known(value) => value.to_value(),
        }
    }

    fn field_type() -> Type {
        T::ty()
    }
}

/// A value does not fit the model. It never holds the value, which may be a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversionError {
    /// The steps to the place, the last one first.
    steps: Vec<PathStep>,
    problem: String,
}

impl ConversionError {
    /// An error at the value itself; the containers that pass it on add their steps.
    pub fn new(problem: impl Into<String>) -> Self {
        Self {
            steps: Vec::new(),
            problem: problem.into(),
        }
    }

    /// The error for a value of another kind than `expected`.
    pub fn expected(expected: &str, found: &Value) -> Self {
        Self::new(format!("expected {expected}, found {}", found.kind()))
    }

    /// The same error, one step further from the root.
    #[must_use]
    pub fn within(mut self, step: PathStep) -> Self {
        self.steps.push(step);
        self
    }

    /// Where the value does not fit.
    pub fn path(&self) -> Path {
        self.steps.iter().rev().cloned().collect()
    }

    /// What does not fit.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The error for the user: a known value of the right type that the model cannot hold is the
    /// configuration's fault, for example 1.5 where a whole number is needed.
    pub(crate) fn into_diagnostics(self, what: &str) -> Diagnostics {
        let path = self.path();
        Diagnostics::attribute_error(
            path.clone(),
            "Invalid value",
            format!("`{path}` in the {what}: {}.", self.problem),
        )
    }
}

impl fmt::Display for ConversionError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.steps.is_empty() {
            formatter.write_str(&self.problem)
        } else {
            write!(formatter, "{}: {}", self.path(), self.problem)
        }
    }
}

impl std::error::Error for ConversionError {}
