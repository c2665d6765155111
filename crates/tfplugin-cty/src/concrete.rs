//! The types that values have of themselves where the schema says `dynamic`.
//!
//! cty gives every value one type without `dynamic` in it, except around nulls, unknowns and empty collections, and
//! all elements of a collection the same. Core crashes on collections that break this, so both codecs check it here.

use std::collections::BTreeMap;

use crate::error::{fail, unsupported_attribute};
use crate::{CodecError, CodecErrorKind, ObjectType, Path, PathStep, Type, Value};

/// The type of `value`, of which the schema says `ty`: as `ty`, with each `dynamic` replaced by what is there.
///
/// Where `value` does not have type `ty`, the result is `ty`; encoding then finds the fault.
pub(crate) fn concrete_type(value: &Value, ty: &Type, path: &Path) -> Result<Type, CodecError> {
    concrete_at(value, ty, &mut path.clone())
}

fn concrete_at(value: &Value, ty: &Type, path: &mut Path) -> Result<Type, CodecError> {
    if !ty.has_dynamic() {
        return Ok(ty.without_optional());
    }
    Ok(match (value, ty) {
        (Value::Dynamic { ty, value }, Type::Dynamic) => concrete_at(value, ty, path)?,
        (Value::Dynamic { value, .. }, ty) => concrete_at(value, ty, path)?,
        (Value::List(elements), Type::List(element)) => {
            let elements = (0..).zip(elements);
            let common = common_type(elements, element, path, |(index, value)| {
                (PathStep::Index(index), value)
            })?;
            Type::list(common)
        }
        (Value::Set(elements), Type::Set(element)) => {
            let elements = elements.iter();
            let common = common_type(elements, element, path, |value| {
                (PathStep::Element(value.clone()), value)
            })?;
            Type::set(common)
        }
        (Value::Map(elements), Type::Map(element)) => {
            let elements = elements.iter();
            let common = common_type(elements, element, path, |(key, value)| {
                (PathStep::Key(key.clone()), value)
            })?;
            Type::map(common)
        }
        (Value::Tuple(elements), Type::Tuple(types)) if elements.len() == types.len() => {
            let mut concrete = Vec::with_capacity(types.len());
            for (index, (element, ty)) in (0..).zip(elements.iter().zip(types)) {
                path.push(PathStep::Index(index));
                concrete.push(concrete_at(element, ty, path)?);
                path.pop();
            }
            Type::Tuple(concrete)
        }
        (Value::Object(attributes), Type::Object(object)) => {
            let mut concrete = Vec::with_capacity(object.attributes().len());
            for (name, ty) in object.attributes() {
                path.push(PathStep::Attribute(name.clone()));
                let attribute = attributes.get(name).unwrap_or(&Value::Null);
                concrete.push((name.clone(), concrete_at(attribute, ty, path)?));
                path.pop();
            }
            Type::object(concrete)
        }
        (_, ty) => ty.without_optional(),
    })
}

/// The one type of all elements; as cty, an untyped null or unknown goes with any other type.
fn common_type<'v, I>(
    elements: impl Iterator<Item = I>,
    ty: &Type,
    path: &mut Path,
    split: impl Fn(I) -> (PathStep, &'v Value),
) -> Result<Type, CodecError> {
    let mut common: Option<Type> = None;
    for element in elements {
        let (step, value) = split(element);
        path.push(step);
        let found = concrete_at(value, ty, path)?;
        match &common {
            None | Some(Type::Dynamic) => common = Some(found),
            Some(first) if found != Type::Dynamic && found != *first => {
                let kind = CodecErrorKind::MixedElementTypes {
                    first: Box::new(first.clone()),
                    second: Box::new(found),
                };
                return fail(path, kind);
            }
            Some(_) => {}
        }
        path.pop();
    }
    Ok(common.unwrap_or_else(|| ty.without_optional()))
}

/// Checks that all elements of a collection have one type, and returns it where the element type `ty` is dynamic and
/// the elements have a type of their own.
pub(crate) fn element_types<'v, I>(
    elements: impl Iterator<Item = I>,
    ty: &Type,
    path: &mut Path,
    split: impl Fn(I) -> (PathStep, &'v Value),
) -> Result<Option<Type>, CodecError> {
    if !ty.has_dynamic() {
        return Ok(None);
    }
    let common = common_type(elements, ty, path, split)?;
    Ok((*ty == Type::Dynamic && common != Type::Dynamic).then_some(common))
}

/// What stands in `value` where the type is `ty`, which is not `dynamic`: a value may repeat its type when that is
/// the very same.
pub(crate) fn unwrap_dynamic<'v>(
    value: &'v Value,
    ty: &Type,
    path: &Path,
) -> Result<&'v Value, CodecError> {
    match value {
        Value::Dynamic {
            ty: own,
            value: inner,
        } => {
            if concrete_type(inner, own, path)? == ty.without_optional() {
                Ok(inner.inner())
            } else {
                let kind = CodecErrorKind::Unexpected {
                    expected: ty.kind(),
                    found: value.kind().to_owned(),
                };
                fail(path, kind)
            }
        }
        value => Ok(value),
    }
}

/// A decoded dynamic value in its one form: the concrete type outside, and no dynamic left inside it.
pub(crate) fn dynamic_value(value: Value, ty: &Type, path: &Path) -> Result<Value, CodecError> {
    let concrete = concrete_type(&value, ty, path)?;
    let value = if ty.has_dynamic() {
        strip(value, &concrete)
    } else {
        value
    };
    Ok(Value::dynamic(concrete, value))
}

fn strip(value: Value, ty: &Type) -> Value {
    match (value, ty) {
        (value, Type::Dynamic) => value,
        (Value::Dynamic { value, .. }, ty) => strip(*value, ty),
        (Value::List(elements), Type::List(ty)) => Value::List(strip_all(elements, ty)),
        (Value::Set(elements), Type::Set(ty)) => Value::set(strip_all(elements, ty)),
        (Value::Map(elements), Type::Map(ty)) => Value::Map(
            elements
                .into_iter()
                .map(|(key, element)| (key, strip(element, ty)))
                .collect(),
        ),
        (Value::Tuple(elements), Type::Tuple(types)) => Value::Tuple(
            elements
                .into_iter()
                .zip(types)
                .map(|(element, ty)| strip(element, ty))
                .collect(),
        ),
        (Value::Object(attributes), Type::Object(object)) => {
            let stripped = attributes.into_iter().map(|(name, value)| {
                let value = match object.attribute(&name) {
                    Some(ty) => strip(value, ty),
                    None => value,
                };
                (name, value)
            });
            Value::Object(stripped.collect())
        }
        (value, _) => value,
    }
}

fn strip_all(elements: Vec<Value>, ty: &Type) -> Vec<Value> {
    elements
        .into_iter()
        .map(|element| strip(element, ty))
        .collect()
}

/// Gives untyped nulls and unknowns among the dynamic elements of a collection the type of the others, as cty does.
pub(crate) fn complete<'v>(elements: impl Iterator<Item = &'v mut Value>, common: &Type) {
    for element in elements {
        if matches!(element, Value::Null | Value::Unknown) {
            let untyped = std::mem::replace(element, Value::Null);
            *element = Value::dynamic(common.clone(), untyped);
        }
    }
}

/// Checks that the attributes are exactly those of the object type.
pub(crate) fn check_attributes(
    attributes: &BTreeMap<String, Value>,
    object: &ObjectType,
    path: &Path,
) -> Result<(), CodecError> {
    if let Some(name) = object
        .attributes()
        .keys()
        .find(|name| !attributes.contains_key(*name))
    {
        let kind = CodecErrorKind::MissingAttribute {
            expected: object.attributes().len(),
            name: name.clone(),
        };
        return fail(path, kind);
    }
    match attributes
        .keys()
        .find(|name| object.attribute(name).is_none())
    {
        Some(name) => unsupported_attribute(path, name),
        None => Ok(()),
    }
}
