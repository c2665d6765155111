//! Kinds and types of values, and equality of all that they hold.

use super::semver::Version;
use crate::error::{Error, Limit};
use crate::function::Functions;
use crate::types::{Kind, Type};
use crate::value::{List, Map, Object, Value};

pub(super) fn register(functions: &mut Functions) {
    functions.add("typeOf", [Type::Any], Type::String, |_, args| {
        Ok(Value::from(args.get(0).type_name().into_owned()))
    });
    functions.add(
        "typeIs",
        [Type::String, Type::Any],
        Type::Bool,
        |_, args| Ok(Value::from(*args.string(0)? == *args.get(1).type_name())),
    );
    functions.add(
        "typeIsLike",
        [Type::String, Type::Any],
        Type::Bool,
        |_, args| {
            let (target, name) = (args.string(0)?, args.get(1).type_name());
            let pointer = name.strip_prefix('*').unwrap_or(&name);
            Ok(Value::from(*target == *name || *target == *pointer))
        },
    );
    functions.add("kindOf", [Type::Any], Type::String, |_, args| {
        Ok(Value::from(args.get(0).kind().name()))
    });
    functions.add(
        "kindIs",
        [Type::String, Type::Any],
        Type::Bool,
        |_, args| Ok(Value::from(*args.string(0)? == *args.get(1).kind().name())),
    );
    functions.add(
        "deepEqual",
        [Type::Any, Type::Any],
        Type::Bool,
        |_, args| deep_equal(args.get(0), args.get(1)).map(Value::from),
    );
}

/// The elements of a value whose kind is slice.
pub(super) fn elements(value: &Value) -> Option<List> {
    match value {
        Value::List(list) => Some(list.clone()),
        Value::Object(_) if value.kind() == Kind::Slice => match value.plain().into_owned() {
            Value::List(list) => Some(list),
            _ => None,
        },
        _ => None,
    }
}

/// Values within values beyond this are not compared or changed: only a map that holds itself is
/// so deep.
const DEPTH: usize = 10_000;

/// Runs a step of a recursion with enough stack for it.
///
/// # Errors
///
/// The values are nested too deeply.
pub(super) fn deeper<T>(
    depth: usize,
    step: impl FnOnce(usize) -> Result<T, Error>,
) -> Result<T, Error> {
    if depth >= DEPTH {
        return Err(Error::limit(
            Limit::Depth,
            format!("exceeded the limit of {DEPTH} values within values"),
        ));
    }
    stacker::maybe_grow(64 * 1024, 1024 * 1024, || step(depth + 1))
}

/// `reflect.DeepEqual`
///
/// # Errors
///
/// The values are nested too deeply.
pub(super) fn deep_equal(a: &Value, b: &Value) -> Result<bool, Error> {
    equal_within(a, b, 0)
}

fn equal_within(a: &Value, b: &Value, depth: usize) -> Result<bool, Error> {
    Ok(match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Int(a_kind, a), Value::Int(b_kind, b)) => a_kind == b_kind && a == b,
        (Value::Uint(a_kind, a), Value::Uint(b_kind, b)) => a_kind == b_kind && a == b,
        (Value::Float(a_kind, a), Value::Float(b_kind, b)) => a_kind == b_kind && a == b,
        (Value::Complex(a, ai), Value::Complex(b, bi)) => a == b && ai == bi,
        (Value::String(a), Value::String(b)) => a == b,
        (Value::List(a), Value::List(b)) => return lists_equal(a, b, depth),
        (Value::Map(a), Value::Map(b)) => return maps_equal(a, b, depth),
        (Value::Object(a), Value::Object(b)) => return objects_equal(&**a, &**b, depth),
        _ => false,
    })
}

fn lists_equal(a: &List, b: &List, depth: usize) -> Result<bool, Error> {
    if a.type_of() != b.type_of() || a.is_nil() != b.is_nil() || a.len() != b.len() {
        return Ok(false);
    }
    if a.same(b) {
        return Ok(true);
    }
    deeper(depth, |depth| {
        for (a, b) in a.iter().zip(b.iter()) {
            if !equal_within(&a, &b, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn maps_equal(a: &Map, b: &Map, depth: usize) -> Result<bool, Error> {
    if a.type_of() != b.type_of() || a.is_nil() != b.is_nil() || a.len() != b.len() {
        return Ok(false);
    }
    if a.same(b) {
        return Ok(true);
    }
    deeper(depth, |depth| {
        for ((a_key, a), (b_key, b)) in a.borrow().iter().zip(b.borrow().iter()) {
            if a_key != b_key || !equal_within(a, b, depth)? {
                return Ok(false);
            }
        }
        Ok(true)
    })
}

fn objects_equal(a: &dyn Object, b: &dyn Object, depth: usize) -> Result<bool, Error> {
    if a.type_name() != b.type_name() {
        return Ok(false);
    }
    if let (Some(a), Some(b)) = (a.downcast::<Version>(), b.downcast::<Version>()) {
        return Ok(a.is_identical(b));
    }
    match (a.underlying(), b.underlying()) {
        (Some(a), Some(b)) => equal_within(&a, &b, depth),
        _ => Ok(a.equals(b)),
    }
}
