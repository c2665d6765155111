//! A value together with what Go's reflection knows of where it came from.

use std::borrow::Cow;

use crate::string::Str;
use crate::types::{Kind, Type};
use crate::value::Value;

/// A value in evaluation: Go's `reflect.Value`.
///
/// What comes out of a `[]interface {}`, a `map[string]interface {}` or a function with such a
/// result is an interface that holds the value. Errors show the difference, and a nil interface is
/// something else than no value.
#[derive(Clone, Default)]
pub(crate) struct Slot {
    pub(crate) value: Value,
    pub(crate) is_interface: bool,
}

impl Slot {
    /// No value: a missing key, an untyped nil.
    pub(crate) const INVALID: Self = Self {
        value: Value::Nil,
        is_interface: false,
    };

    /// The value itself.
    pub(crate) const fn concrete(value: Value) -> Self {
        Self {
            value,
            is_interface: false,
        }
    }

    /// A value of this static type.
    pub(crate) fn of(value: Value, kind: &Type) -> Self {
        Self {
            value,
            is_interface: matches!(kind, Type::Any),
        }
    }

    /// Whether there is no value at all.
    pub(crate) const fn is_invalid(&self) -> bool {
        matches!(self.value, Value::Nil) && !self.is_interface
    }

    /// Whether this is an interface that holds nothing.
    pub(crate) const fn is_nil_interface(&self) -> bool {
        matches!(self.value, Value::Nil) && self.is_interface
    }

    /// What the interface holds.
    pub(crate) fn unwrapped(self) -> Self {
        Self {
            value: self.value,
            is_interface: false,
        }
    }

    /// The name of the static type.
    pub(crate) fn type_name(&self) -> Cow<'static, str> {
        if self.is_interface {
            Cow::Borrowed("interface {}")
        } else {
            self.value.type_name()
        }
    }
}

impl From<Value> for Slot {
    fn from(value: Value) -> Self {
        Self::concrete(value)
    }
}

impl From<bool> for Slot {
    fn from(truth: bool) -> Self {
        Self::concrete(Value::Bool(truth))
    }
}

impl From<Vec<u8>> for Slot {
    fn from(text: Vec<u8>) -> Self {
        Self::concrete(Value::String(Str::from(text)))
    }
}

/// Why a value cannot be given for a type.
pub(crate) enum Mismatch {
    /// There is no value, and the type has no nil.
    Invalid,
    /// The value is of this other type.
    Type(Cow<'static, str>),
}

/// The value as a parameter of this type takes it.
pub(crate) fn assign(slot: Slot, to: &Type) -> Result<Slot, Mismatch> {
    if slot.is_invalid() {
        if !to.can_be_nil() {
            return Err(Mismatch::Invalid);
        }
        return Ok(Slot::of(Value::zero(to), to));
    }
    match to {
        Type::Reflect | Type::Any => Ok(slot),
        _ if slot.is_nil_interface() => Err(Mismatch::Type(slot.type_name())),
        _ => convert(slot.value, to).map(Slot::concrete),
    }
}

/// A value as one of this type: without change but for the name of a slice or map type.
fn convert(value: Value, to: &Type) -> Result<Value, Mismatch> {
    let fits = match (&value, to) {
        (Value::String(_), Type::String)
        | (Value::Bool(_), Type::Bool)
        | (Value::Complex(..), Type::Complex) => true,
        (Value::Int(kind, _), Type::Int(wanted)) => kind == wanted,
        (Value::Uint(kind, _), Type::Uint(wanted)) => kind == wanted,
        (Value::Float(kind, _), Type::Float(wanted)) => kind == wanted,
        (Value::List(list), Type::List(element)) => *list.element() == **element,
        (Value::Map(map), Type::Map(element)) => *map.element() == **element,
        (Value::List(list), Type::Named(named)) => match list.name() {
            Some(name) => name == named,
            None => named.underlying == list.type_of(),
        },
        (Value::Map(map), Type::Named(named)) => match map.name() {
            Some(name) => name == named,
            None => named.underlying == map.type_of(),
        },
        (Value::Object(object), Type::Host(host)) => {
            let name = object.type_name();
            // One pointer is followed where the value is asked for.
            name == host.name
                || object.kind() == Kind::Pointer
                    && !object.is_nil()
                    && name.strip_prefix('*') == Some(host.name.as_ref())
        }
        (Value::Function(function), Type::Function(name)) => {
            function.signature.to_string() == **name
        }
        _ => false,
    };
    if !fits {
        return Err(Mismatch::Type(value.type_name()));
    }
    let name = match to {
        Type::Named(named) => Some(named),
        _ => None,
    };
    Ok(match value {
        Value::List(list) if list.name() != name => Value::List(list.named(name.cloned())),
        Value::Map(map) if map.name() != name => Value::Map(map.named(name.cloned())),
        value => value,
    })
}
