/// Declares structs that stand for Terraform objects.
///
/// Each field is an [`AttributeValue`](crate::AttributeValue); its name is the attribute's (a raw
/// identifier such as `r#type` loses its prefix). The struct gets `Clone`, `Debug`, `PartialEq`,
/// `Default` (all null) and [`Model`](crate::Model). A missing attribute is read as null.
///
/// ```
/// use std::collections::BTreeMap;
/// use tfplugin::{AttributeValue, Model, model};
/// use tfplugin::cty::Value;
///
/// model! {
///     /// One group of nodes.
///     pub struct NodeGroup {
///         /// How many nodes there are at least.
///         pub min_size: AttributeValue<i64>,
///     }
///
///     /// A cluster.
///     pub struct Cluster {
///         /// Its name.
///         pub name: AttributeValue<String>,
///         /// Its nodes.
///         pub node_groups: AttributeValue<BTreeMap<String, AttributeValue<NodeGroup>>>,
///     }
/// }
///
/// let cluster = Cluster { name: "main".into(), ..Cluster::default() };
/// assert_eq!(Cluster::from_value(cluster.to_value()).unwrap(), cluster);
///
/// let wrong = Value::Object([("name".to_owned(), Value::Bool(true))].into());
/// let error = Cluster::from_value(wrong).unwrap_err();
/// assert_eq!(error.to_string(), "name: expected a string, found a bool");
/// ```
#[macro_export]
macro_rules! model {
    ($(
        $(#[$struct_attribute:meta])*
        $visibility:vis struct $name:ident {
            $(
                $(#[$field_attribute:meta])*
                $field_visibility:vis $field:ident : $ty:ty
            ),* $(,)?
        }
    )*) => {$(
        $(#[$struct_attribute])*
        #[derive(Clone, Debug, Default, PartialEq)]
        $visibility struct $name {
            $(
                $(#[$field_attribute])*
                $field_visibility $field: $ty,
            )*
        }

        impl $crate::Model for $name {
            fn from_value(
                value: $crate::cty::Value,
            ) -> ::core::result::Result<Self, $crate::ConversionError> {
                #[allow(unused_mut, unused_variables, reason = "a model may have no field")]
                let mut object = $crate::model_support::object(value)?;
                ::core::result::Result::Ok(Self {
                    $($field: $crate::model_support::take(&mut object, stringify!($field))?,)*
                })
            }

            fn to_value(&self) -> $crate::cty::Value {
                $crate::model_support::to_object([
                    $((
                        stringify!($field),
                        $crate::model_support::ModelField::to_field(&self.$field),
                    ),)*
                ])
            }

            fn ty() -> $crate::cty::Type {
                $crate::model_support::object_type([
                    $((
                        stringify!($field),
                        <$ty as $crate::model_support::ModelField>::field_type(),
                    ),)*
                ])
            }
        }
    )*};
}

/// What [`model!`] expands to, kept out of line so that models compile quickly.
#[doc(hidden)]
pub mod support {
    use std::collections::BTreeMap;

    use crate::cty::{ObjectType, PathStep, Type, Value};
    use crate::model::ConversionError;
    pub use crate::model::ModelField;

    type Object = BTreeMap<String, Value>;

    fn attribute_name(field: &str) -> &str {
        field.strip_prefix("r#").unwrap_or(field)
    }

    /// The attributes of an object.
    pub fn object(value: Value) -> Result<Object, ConversionError> {
        match value {
            Value::Object(attributes) => Ok(attributes),
            other => Err(ConversionError::expected("an object", &other)),
        }
    }

    /// Reads one field, null when the attribute is missing.
    pub fn take<F: ModelField>(object: &mut Object, field: &str) -> Result<F, ConversionError> {
        let name = attribute_name(field);
        F::from_field(object.remove(name).unwrap_or(Value::Null))
            .map_err(|error| error.within(PathStep::Attribute(name.to_owned())))
    }

    /// The object of the given fields.
    pub fn to_object<const N: usize>(fields: [(&str, Value); N]) -> Value {
        Value::Object(
            fields
                .into_iter()
                .map(|(field, value)| (attribute_name(field).to_owned(), value))
                .collect(),
        )
    }

    /// The type of the object of the given fields.
    pub fn object_type<const N: usize>(fields: [(&str, Type); N]) -> Type {
        Type::Object(ObjectType::new(
            fields
                .into_iter()
                .map(|(field, ty)| (attribute_name(field).to_owned(), ty)),
        ))
    }
}
