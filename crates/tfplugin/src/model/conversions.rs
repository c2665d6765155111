use std::collections::BTreeMap;

use super::{AttributeValue, ConversionError, Model, ModelField};
use crate::cty::{Number, PathStep, Type, Value};

impl Model for String {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::String(text) => Ok(text),
            other => Err(ConversionError::expected("a string", &other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::string(self.as_str())
    }

    fn ty() -> Type {
        Type::String
    }
}

impl Model for bool {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Bool(flag) => Ok(flag),
            other => Err(ConversionError::expected("a bool", &other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Bool(*self)
    }

    fn ty() -> Type {
        Type::Bool
    }
}

impl Model for Number {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Number(number) => Ok(number),
            other => Err(ConversionError::expected("a number", &other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::Number(self.clone())
    }

    fn ty() -> Type {
        Type::Number
    }
}

macro_rules! whole_numbers {
    ($($integer:ty),*) => {$(
        impl Model for $integer {
            fn from_value(value: Value) -> Result<Self, ConversionError> {
                match value {
                    Value::Number(number) => number
                        .as_i64()
                        .and_then(|whole| <$integer>::try_from(whole).ok())
                        .ok_or_else(|| {
                            // Without the number, which may be a secret.
                            ConversionError::new(format!(
                                "expected a whole number from {} to {}",
                                <$integer>::MIN,
                                <$integer>::MAX
                            ))
                        }),
                    other => Err(ConversionError::expected("a number", &other)),
                }
            }

            fn to_value(&self) -> Value {
                Value::Number(Number::from(i64::from(*self)))
            }

            fn ty() -> Type {
                Type::Number
            }
        }
    )*};
}
whole_numbers!(i64, i32, u32, u16);

impl Model for f64 {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Number(number) => Ok(number.as_f64()),
            other => Err(ConversionError::expected("a number", &other)),
        }
    }

    /// A value that is not a number becomes null: Terraform has no such number and Core stops at
    /// it.
    fn to_value(&self) -> Value {
        Number::try_from(*self).map_or(Value::Null, Value::Number)
    }

    fn ty() -> Type {
        Type::Number
    }
}

/// A dynamic value, held as it is: [`Value::Dynamic`] when known.
impl Model for Value {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        Ok(value)
    }

    fn to_value(&self) -> Value {
        self.clone()
    }

    fn ty() -> Type {
        Type::Dynamic
    }
}

impl<T: Model> Model for Vec<AttributeValue<T>> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::List(elements) => elements
                .into_iter()
                .enumerate()
                .map(|(index, element)| {
                    AttributeValue::from_field(element).map_err(|error| {
                        error.within(PathStep::Index(i64::try_from(index).unwrap_or(i64::MAX)))
                    })
                })
                .collect(),
            other => Err(ConversionError::expected("a list", &other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::List(self.iter().map(ModelField::to_field).collect())
    }

    fn ty() -> Type {
        Type::List(Box::new(T::ty()))
    }
}

impl<T: Model> Model for BTreeMap<String, AttributeValue<T>> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Map(elements) => elements
                .into_iter()
                .map(|(key, element)| match AttributeValue::from_field(element) {
                    Ok(element) => Ok((key, element)),
                    Err(error) => Err(error.within(PathStep::Key(key))),
                })
                .collect(),
            other => Err(ConversionError::expected("a map", &other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::map(
            self.iter()
                .map(|(key, element)| (key.as_str(), element.to_field())),
        )
    }

    fn ty() -> Type {
        Type::Map(Box::new(T::ty()))
    }
}
