use std::fmt;

use super::{ConversionError, Model};
use crate::cty::{Type, Value};

/// A secret inside a model: the same Terraform type as `T`, never shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Sensitive<T>(T);

impl<T> Sensitive<T> {
    /// Wraps a secret.
    pub const fn new(secret: T) -> Self {
        Self(secret)
    }

    /// The secret itself.
    pub const fn reveal(&self) -> &T {
        &self.0
    }

    /// The secret itself, taken out.
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Sensitive<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("(sensitive value)")
    }
}

impl<T: Model> Model for Sensitive<T> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        // A key inside may be as secret as what it leads to.
        T::from_value(value)
            .map(Self)
            .map_err(|error| ConversionError::new(error.problem()))
    }

    fn to_value(&self) -> Value {
        self.0.to_value()
    }

    fn ty() -> Type {
        T::ty()
    }
}
