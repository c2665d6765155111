use super::{AttributeValue, ConversionError, Model, ModelField};
use crate::cty::{PathStep, Type, Value};

/// A Terraform set. Elements keep the order they were given until they are written, when equal
/// ones merge.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Set<T>(pub Vec<AttributeValue<T>>);

impl<T> Set<T> {
    /// The elements that are known.
    pub fn known(&self) -> impl Iterator<Item = &T> {
        self.0.iter().filter_map(AttributeValue::known)
    }

    /// How many elements there are, unknown ones counted each.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<T> Default for Set<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T> FromIterator<T> for Set<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        Self(elements.into_iter().map(AttributeValue::Known).collect())
    }
}

impl<T: Model> Model for Set<T> {
    fn from_value(value: Value) -> Result<Self, ConversionError> {
        match value {
            Value::Set(elements) => elements
                .into_iter()
                .map(|element| {
                    AttributeValue::from_field(element.clone())
                        .map_err(|error| error.within(PathStep::Element(element)))
                })
                .collect::<Result<_, _>>()
                .map(Self),
            other => Err(ConversionError::expected("a set", &other)),
        }
    }

    fn to_value(&self) -> Value {
        Value::set(self.0.iter().map(ModelField::to_field))
    }

    fn ty() -> Type {
        Type::Set(Box::new(T::ty()))
    }
}
