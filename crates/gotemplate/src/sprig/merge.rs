//! dario.cat/mergo, as far as dictionaries use it.

use super::defaults;
use super::reflection::{deeper, elements};
use super::semver::Version;
use crate::error::Error;
use crate::function::Call;
use crate::types::{Kind, Type};
use crate::value::{List, Map, Value};

/// How a merge ends early.
pub(super) enum Failure {
    /// With an error that mergo returns.
    Returned(Error),
    /// With a panic.
    Panic(Error),
}

impl Failure {
    pub(super) fn into_error(self) -> Error {
        match self {
            Self::Returned(error) | Self::Panic(error) => error,
        }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Panic(error)
    }
}

/// Merges each source into the map and gives the map.
pub(super) fn all<'a>(
    call: &mut Call<'_>,
    into: &Map,
    sources: impl Iterator<Item = &'a Map>,
    overwrite: bool,
) -> Result<Value, Failure> {
    let mut into = into.clone();
    for source in sources {
        if into.is_nil() && !source.is_nil() {
            into = Map::new(Type::Any, std::collections::BTreeMap::new());
        }
        merge_maps(call, &into, source, overwrite, 0)?;
    }
    Ok(into.into())
}

fn merge_maps(
    call: &mut Call<'_>,
    into: &Map,
    source: &Map,
    overwrite: bool,
    depth: usize,
) -> Result<(), Failure> {
    call.charge_steps(1 + source.len() as u64)?;
    let mut failure = None;
    deeper(depth, |depth| {
        for (key, value) in source.entries() {
            if let Err(error) = merge_entry(call, into, source, (&key, &value), overwrite, depth) {
                failure = Some(error);
                break;
            }
        }
        Ok(())
    })?;
    failure.map_or(Ok(()), Err)
}

fn merge_entry(
    call: &mut Call<'_>,
    into: &Map,
    source: &Map,
    (key, value): (&crate::string::Str, &Value),
    overwrite: bool,
    depth: usize,
) -> Result<(), Failure> {
    let set = |value: &Value, kind: &Type| -> Result<(), Failure> {
        if !kind.assignable_to(into.element()) {
            return Err(Failure::Panic(Error::new(format!(
                "reflect.Value.SetMapIndex: value of type {kind} is not assignable to type {}",
                into.element()
            ))));
        }
        into.insert(key.clone(), value.clone())
            .map_err(Failure::Panic)
    };
    let element = source.element();
    // A nil of a type that is not an interface is nil only by its own kind.
    if matches!(value, Value::Nil)
        || value.is_nil() && *element != Type::Any && element.can_be_nil()
    {
        if overwrite {
            set(value, element)?;
        }
        return Ok(());
    }
    let present = into.get(key);
    let kind = value.kind();
    match kind {
        Kind::Struct | Kind::Pointer | Kind::Map => {
            merge_nested(call, present.as_ref(), value, overwrite, depth)?;
        }
        Kind::Slice => {
            let type_of = value.type_of().unwrap_or(Type::Any);
            let merged = if overwrite || into.is_empty() {
                value.clone()
            } else {
                match &present {
                    Some(present) if !matches!(present, Value::Nil) => present.clone(),
                    _ => List::new(element_type(value), Vec::new()).into(),
                }
            };
            let merged_type = merged.type_of().unwrap_or(type_of);
            set(&merged, &merged_type)?;
        }
        _ => {}
    }
    // Merging may have changed what is present.
    let present_is_empty = present.as_ref().is_none_or(is_empty);
    if let Some(present) = &present
        && !present_is_empty
        && (kind == Kind::Slice || kind == Kind::Map && present.kind() == Kind::Map)
    {
        return Ok(());
    }
    if overwrite || present_is_empty {
        set(value, element)?;
    }
    Ok(())
}

fn element_type(value: &Value) -> Type {
    elements(value).map_or(Type::Any, |list| list.element().clone())
}

/// Merges a struct, pointer or map into what is present: maps take entries, the rest stays or
/// cannot be merged.
fn merge_nested(
    call: &mut Call<'_>,
    present: Option<&Value>,
    value: &Value,
    overwrite: bool,
    depth: usize,
) -> Result<(), Failure> {
    match present {
        Some(Value::Map(into)) => {
            let Value::Map(source) = value else {
                return if into.is_nil() && value.kind() == Kind::Struct {
                    Err(Failure::Panic(
                        "reflect: call of reflect.Value.IsNil on struct Value".into(),
                    ))
                } else {
                    Ok(())
                };
            };
            if into.is_nil() {
                return Ok(());
            }
            merge_maps(call, into, source, overwrite, depth)
        }
        // The fields of a struct are looked for in the other value.
        Some(Value::Object(object))
            if object.kind() == Kind::Struct
                && value.kind() != Kind::Struct
                && !object.fields().is_empty() =>
        {
            Err(Failure::Panic(Error::new(format!(
                "reflect: call of reflect.Value.Field on {} Value",
                value.kind().name()
            ))))
        }
        Some(Value::Object(object)) if object.kind() == Kind::Pointer => {
            if value.is_nil() || object.is_nil() || value.kind() != Kind::Pointer && overwrite {
                return Ok(());
            }
            if value.kind() == Kind::Pointer || object.downcast::<Version>().is_none() {
                return Ok(());
            }
            Err(Failure::Returned("src and dst must be of same type".into()))
        }
        _ => Ok(()),
    }
}

/// `isEmptyValue` of mergo: structs and complex numbers never are.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Complex(..) => false,
        Value::Object(object) if object.kind() == Kind::Pointer => object.is_nil(),
        other => defaults::empty(other),
    }
}
